//! The edge of one environment: a task that feeds the state machine and does what it says.
//!
//! Everything that can happen arrives as a [`Message`] in one queue, so that the machine sees it in one order.
//! Processes, sockets and clocks are only here and in the submodules.

mod actor;
mod bandwidth;
mod groups;
mod listener;
mod memory;
mod output;
mod ports;
mod process;
mod standing;
mod strays;
mod stream;
mod variables;

pub(crate) use actor::{Caller, Ended, Host, Message, start};
pub(crate) use groups::ProcessGroups;
pub(crate) use ports::PortRange;
pub(crate) use standing::Standing;
pub(crate) use stream::{Answered, Part, ResponseStream, stopped};
pub(crate) use variables::{INHERITED, Variables};
