//! What the core is told, and what it wants done.

use std::sync::Arc;

use bytes::Bytes;
use throughline_telemetry::UnixNanos;
use throughline_telemetry::wire::Request;

use crate::join::{Invoked, ShutdownReason};
use crate::lifecycle::{Happened, Telemetry};
use crate::outbox::{Key, Leftover, Order, Outcome};
use crate::platform::{self, PlatformEvent};
use crate::process::{Snapshot, When};

/// What comes in.
#[derive(Clone, Debug)]
pub enum Event {
    /// The platform answered the subscription.
    Subscribed(Telemetry),
    /// `/next` answered with an invocation.
    Invoked(Invoked),
    /// `/next` answered with the end.
    ShutDown {
        /// Why.
        reason: ShutdownReason,
        /// When the extension is killed.
        deadline: UnixNanos,
    },
    /// The body of a POST of the Telemetry API.
    Telemetry(Bytes),
    /// A request of the function's SDK, decoded and checked.
    Exported(Request),
    /// Somebody in the function says that all telemetry of an invocation is here.
    Signalled {
        /// Of which, if that was said.
        request_id: Option<String>,
    },
    /// A batch came back.
    Answered {
        /// Which.
        key: Key,
        /// How it went.
        outcome: Outcome,
    },
    /// A snapshot was restored: from here on this is another environment, with this id.
    Restored(String),
    /// The answer to [`Action::Name`]: an id that no snapshot holds yet.
    Named(String),
    /// What the kernel says of the function's processes when an invocation begins, or right before
    /// the POST that tells its end.
    Measured(When, Box<Snapshot>),
    /// A batch was written to `/tmp`, or could not be.
    Saved {
        /// Which.
        key: Key,
        /// Whether it is there.
        kept: bool,
    },
    /// A batch was read from `/tmp`.
    Loaded {
        /// Which.
        key: Key,
        /// Its body; none if it is not what was written.
        body: Option<Bytes>,
    },
    /// An envelope was written to stdout, or could not be.
    Printed {
        /// Of which batch.
        key: Key,
        /// Whether it is out.
        done: bool,
    },
    /// What killed lives left in `/tmp`.
    Found(Vec<Leftover>),
    /// Nothing but time passed.
    Tick,
}

impl Event {
    /// How many items come with it, as far as is known before it is read.
    pub fn items(&self) -> u64 {
        match self {
            Event::Exported(request) => request.items() as u64,
            Event::Telemetry(_) => 1,
            _ => 0,
        }
    }
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Ask for the next event.
    Next,
    /// Send, keep, print.
    Order(Order),
    /// Overwrite the record of a life in `/tmp`.
    Record {
        /// Which life.
        environment: Arc<str>,
        /// One line.
        line: String,
    },
    /// A batch must leave, and whether the snapshot was restored meanwhile is not known: come back
    /// with [`Event::Named`].
    Name,
    /// The platform tells that a snapshot was restored: come back with [`Event::Restored`], and then
    /// with this again.
    Renew(Bytes),
    /// Say something on stderr.
    Say(String),
    /// End.
    Exit,
}

/// What the platform's event means for the lifecycle.
pub(super) fn happened(event: &PlatformEvent, time: UnixNanos) -> Option<Happened> {
    match &event.kind {
        platform::Kind::RuntimeDone { request_id, .. } => Some(Happened::RuntimeDone {
            request_id: request_id.clone(),
            ended: time,
        }),
        platform::Kind::Report { request_id, .. } => Some(Happened::Reported {
            request_id: request_id.clone(),
        }),
        _ => None,
    }
}
