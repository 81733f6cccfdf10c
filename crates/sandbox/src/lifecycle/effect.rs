//! What an environment wants done.

use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;

use super::event::{CallId, Invocation, Process, ShutdownReason};
use super::fault::Refusal;
use super::platform::{PlatformEvent, Span};
use super::subscription::Subscription;
use crate::invoke::{Outcome, Status};
use crate::time::UnixNanos;

/// One thing to do. Effects are done in the order they were made.
#[derive(Debug, PartialEq)]
pub(crate) enum Effect {
    /// Answer a call.
    Reply(CallId, Reply),
    /// Start a process.
    Spawn(Process),
    /// Signal the process group of a process.
    Signal(Process, Signal),
    /// Kill whatever is left in the process groups of this environment.
    KillAll,
    /// Stop all processes and the delivery of telemetry where they stand.
    Freeze,
    /// Let them go on.
    Thaw,
    /// Deliver buffered telemetry without waiting for fuller batches.
    FlushTelemetry,
    /// Forget all subscriptions and what was buffered: the subscribers are dead.
    ResetTelemetry,
    /// A new subscriber, who also gets what was told since the init began.
    Subscribe {
        extension: String,
        subscription: Subscription,
    },
    /// Nobody can subscribe any more, so nothing needs to be kept for later subscribers.
    CloseSubscriptions,
    /// Tell the subscribers.
    Emit(PlatformEvent),
    /// Whoever made this invocation gets the body of this call while it comes; its content type is told first.
    OpenStream(CallId, String, Option<String>),
    /// Answer whoever made this invocation, or end the stream that it gets.
    Answer(String, Verdict),
    /// No worker took this invocation: whoever made it is told to come again.
    Reject(String),
    /// The invocation is over.
    Report(Report),
    /// The environment can take another invocation.
    Idle,
    /// It takes none any more.
    Ending,
    /// The environment has ended.
    Gone,
}

/// What the caller of a function gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) outcome: Outcome,
    pub(crate) payload: Bytes,
    /// The function did not even begin: its environment could not be restored.
    pub(crate) not_restored: Option<NotRestored>,
    /// How it ended, in the words for an answer of which a part has been sent.
    pub(crate) broken_off: Option<BrokenOff>,
}

/// Why an answer ends in the middle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BrokenOff {
    pub(crate) error_type: String,
    /// What the function itself says of it.
    pub(crate) details: Option<Bytes>,
}

/// Why an environment could not be restored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotRestored {
    Failed,
    TimedOut,
}

impl Verdict {
    pub(crate) fn returned(payload: Bytes) -> Self {
        Self {
            outcome: Outcome::Returned,
            payload,
            not_restored: None,
            broken_off: None,
        }
    }

    pub(crate) fn failed(payload: Bytes) -> Self {
        Self {
            outcome: Outcome::FunctionError,
            payload,
            not_restored: None,
            broken_off: None,
        }
    }

    pub(crate) fn broken_off(self, error_type: &str, details: Option<Bytes>) -> Self {
        let error_type = error_type.to_owned();
        Self {
            broken_off: Some(BrokenOff {
                error_type,
                details,
            }),
            ..self
        }
    }
}

/// What `platform.report` says, but for the memory, which only the edge can measure.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Report {
    pub(crate) invocation: Invocation,
    pub(crate) started: UnixNanos,
    pub(crate) status: Status,
    pub(crate) outcome: Outcome,
    pub(crate) error_type: Option<String>,
    pub(crate) duration: Duration,
    pub(crate) init: Option<Duration>,
    /// The restore before it, which is billed apart.
    pub(crate) restore: Option<Duration>,
    pub(crate) cold_start: bool,
    pub(crate) spans: Vec<Span>,
    /// Paid for by the instance: neither the time billed nor the memory is told.
    pub(crate) managed: bool,
    /// What the runtime says of the function's error for X-Ray.
    pub(crate) error_cause: Option<Value>,
}

impl Report {
    pub(crate) fn billed(&self) -> Duration {
        Duration::from_millis(crate::time::millis_rounded_up(
            self.duration + self.init.unwrap_or_default(),
        ))
    }
}

/// What a process hears back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reply {
    /// The event for the runtime.
    Invocation {
        invocation: Invocation,
        deadline: UnixNanos,
    },
    /// 202.
    Accepted,
    /// The body of the answer may come.
    GoOn,
    /// The snapshot has been restored.
    Restored,
    Registered {
        identifier: String,
        with_account: bool,
    },
    /// INVOKE for an extension.
    Invoke {
        invocation: Invocation,
        deadline: UnixNanos,
    },
    /// SHUTDOWN for an extension.
    Shutdown {
        reason: ShutdownReason,
        deadline: UnixNanos,
    },
    Subscribed,
    Refused(Refusal),
}

/// A signal to a process group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signal {
    Terminate,
    Kill,
}
