//! The delivering half of the Telemetry API: what subscribers are told, when, and what is dropped.
//!
//! Telling and delivering are two things, as on Lambda: an event is told when it happens and waits in each
//! subscriber's queue until a batch is due. Delivery stands still while the environment is frozen, so the report
//! of an invocation arrives with the next one or at shutdown.

mod delivery;
mod event;
mod hub;
mod logs;
mod queue;
mod sink;

pub(crate) use event::Event as Told;
pub(crate) use hub::Hub;
