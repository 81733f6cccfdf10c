//! The life of one environment as a pure machine: events and the time go in, effects come out.
//!
//! Nothing here does I/O, waits or reads a clock. [`Environment::step`] takes one [`Event`] (a call on one of the
//! APIs, the exit of a process, an invocation, or just the passing of time) and says in [`Effect`]s what is to be
//! done: processes to start and signal, calls to answer, platform events to tell. The loop in
//! `crate::environment` feeds and obeys it; the tests do the same with made-up times.
//!
//! ```text
//! Cold ─ invoke | init ─> AwaitRegistration ─> AwaitRuntime ─> AwaitExtensions ─┬─ nobody waits, or a snapshot ─┐
//!                                                                               v                               │
//!        ┌──────────────────────────────────────────────────────────────── AwaitResponse <─ invoke ──┐          │
//!        └> AwaitRuntimeNext ─> AwaitExtensionsNext ─ freeze ────────────────────────────────> AwaitInvoke <────┘
//!                                                                               ^                    │
//!                                                                               └── AwaitRestored <──┘ of a snapshot
//!
//! On Managed Instances: AwaitExtensions ─> AwaitInvocations ─ fault, spin-down ─> AwaitRuntimeExit ─> AwaitFlush ─> …
//! ─> Gone.
//!
//! any of them ─ fault, timeout, spin-down ─> AwaitRuntimeExit ─> AwaitExtensionsExit ─> AwaitAllExit ─> Cold | Gone
//! ```
//!
//! Each phase is left in one place only, `Environment::advance`; the handlers of calls and exits just note what
//! they saw. That keeps the order of init, invoke and shutdown readable as a list.

mod advance;
mod calls;
mod effect;
mod environment;
mod event;
mod extension;
mod fault;
mod init;
mod managed;
mod platform;
mod restore;
mod running;
mod stop;
mod stream;
mod subscription;

pub(crate) use effect::{Effect, NotRestored, Reply, Report, Signal, Verdict};
pub(crate) use environment::Environment;
pub(crate) use event::{
    ApiCall, Body, CallId, Ending, Event, Exit, Invocation, Limits, Process, ResponseMode, Role,
    RuntimeAnswer, Spec, StreamEnd,
};
pub(crate) use fault::{Fault, RESPONSE_BYTES_MAX, Refusal, STREAM_BYTES_MAX, error_payload};
pub(crate) use platform::{PlatformEvent, report as platform_report};
pub(crate) use subscription::{Destination, LogsOrTelemetry, Profile, Subscription};

#[cfg(test)]
pub(crate) use event::ShutdownReason;
#[cfg(test)]
mod tests;
