//! Faults on demand: what goes wrong, for whom, from when, until when, and how often.
//!
//! `fault` is what a user says, `wire` the same as JSON. `plan` decides by it: pure, with `now` and an occasion going in
//! and what to do coming out. `desk` is the edge that holds the plan, tells what was done and waits for what is due. Each
//! part of the sandbox asks at its own occasion: the gateway before a call, an environment with each invocation, the
//! Telemetry API with each batch.

mod desk;
mod fault;
mod plan;
mod wire;

pub use desk::FaultHandle;
pub(crate) use desk::{Desk, drive};
pub(crate) use fault::What;
pub use fault::{Delivery, Fault, FaultError, Victim};
pub use plan::FaultTold;
pub(crate) use plan::{Occasion, Strike};
pub use wire::FAULT_NAMES;
pub(crate) use wire::{parse, told};
