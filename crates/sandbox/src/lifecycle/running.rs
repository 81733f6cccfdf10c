//! An invocation under way, and the two ways in which it can fail.

use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;

use super::effect::{Effect, NotRestored, Report, Verdict};
use super::event::{Invocation, ShutdownReason};
use super::fault::{Fault, error_payload};
use super::platform::{self, RuntimeDone, Span};
use super::stream::TRUNCATED;
use crate::invoke::{Outcome, Status};
use crate::time::UnixNanos;

/// An invocation under way.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) invocation: Invocation,
    /// When its time began to count; with a late init, that init's start.
    pub(super) started: UnixNanos,
    /// When the runtime got the event.
    pub(super) released: UnixNanos,
    pub(super) deadline: UnixNanos,
    /// The init before it, if that was not part of the invocation's own time.
    pub(super) init: Option<Duration>,
    /// The restore before it.
    pub(super) restore: Option<Duration>,
    pub(super) cold_start: bool,
    pub(super) response: Option<Response>,
    /// A streamed answer broke off, and what that means is not yet known.
    pub(super) truncated: bool,
    /// Set when the caller has its answer, with a streamed one all of it.
    pub(super) outcome: Option<Outcome>,
    pub(super) runtime_done: Option<UnixNanos>,
    /// What the runtime says of its error for X-Ray.
    pub(super) error_cause: Option<Value>,
}

/// The runtime's answer, as the metrics need it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Response {
    pub(super) first_byte: UnixNanos,
    pub(super) last_byte: UnixNanos,
    pub(super) produced_bytes: usize,
}

impl Running {
    pub(super) fn new(
        invocation: Invocation,
        started: UnixNanos,
        released: UnixNanos,
        deadline: UnixNanos,
    ) -> Self {
        Self {
            invocation,
            started,
            released,
            deadline,
            init: None,
            restore: None,
            cold_start: false,
            response: None,
            truncated: false,
            outcome: None,
            runtime_done: None,
            error_cause: None,
        }
    }

    pub(super) fn into_report(
        self,
        status: Status,
        error_type: Option<&str>,
        ended: UnixNanos,
        spans: Vec<Span>,
    ) -> Report {
        Report {
            started: self.started,
            status,
            outcome: self.outcome.unwrap_or(Outcome::FunctionError),
            error_type: error_type.map(str::to_owned),
            duration: ended.since(self.started),
            init: self.init,
            restore: self.restore,
            cold_start: self.cold_start,
            spans,
            managed: false,
            error_cause: self.error_cause,
            invocation: self.invocation,
        }
    }

    /// Tells `platform.runtimeDone`.
    pub(super) fn tell_done(
        &mut self,
        status: Status,
        error_type: Option<&str>,
        now: UnixNanos,
        out: &mut Vec<Effect>,
    ) {
        let done = RuntimeDone {
            status,
            error_type,
            duration: now.since(self.released),
            produced_bytes: self.response.map_or(0, |response| response.produced_bytes),
            spans: self.spans(now),
        };
        out.push(Effect::Emit(platform::runtime_done(
            &self.invocation,
            &done,
        )));
        self.runtime_done = Some(now);
    }

    fn spans(&self, now: UnixNanos) -> Vec<Span> {
        let mut spans = self.response_spans();
        spans.extend(self.response.map(|response| Span {
            name: "runtimeOverhead",
            start: response.last_byte,
            duration: now.since(response.last_byte),
        }));
        spans
    }

    /// How long the runtime took until its answer began, and how long the answer took.
    pub(super) fn response_spans(&self) -> Vec<Span> {
        let Some(response) = self.response else {
            return Vec::new();
        };
        let span = |name, from: UnixNanos, to: UnixNanos| Span {
            name,
            start: from,
            duration: to.since(from),
        };
        vec![
            span("responseLatency", self.released, response.first_byte),
            span("responseDuration", response.first_byte, response.last_byte),
        ]
    }
}

/// Why a phase cannot end well.
pub(super) enum Failure {
    Fault(Fault),
    Timeout,
    Restore(Fault, NotRestored),
}

impl Failure {
    pub(super) fn status(&self) -> Status {
        match self.fault() {
            None => Status::Timeout,
            Some(fault) if fault.is_of_the_sandbox() => Status::Failure,
            Some(_) => Status::Error,
        }
    }

    pub(super) fn reason(&self) -> ShutdownReason {
        match self.fault() {
            None => ShutdownReason::Timeout,
            Some(fault) if fault.is_of_the_sandbox() => ShutdownReason::Spindown,
            Some(_) => ShutdownReason::Failure,
        }
    }

    pub(super) fn error_type(&self) -> Option<&str> {
        Some(&self.fault()?.error_type)
    }

    /// The same of a restore: that its time is over is an error with a name, since the function's own time is not.
    pub(super) fn of_restore(self, limit: Duration) -> Self {
        match self {
            Self::Timeout => {
                let message = format!("Restore timed out after {:.2} seconds", limit.as_secs_f64());
                let fault = Fault::new("Runtime.RestoreTimeout", message);
                Self::Restore(fault, NotRestored::TimedOut)
            }
            Self::Fault(fault) if !fault.is_of_the_sandbox() => {
                Self::Restore(fault, NotRestored::Failed)
            }
            other => other,
        }
    }

    /// The same of an init that no invocation's time bounds.
    pub(super) fn of_init(self, limit: Duration) -> Self {
        match self {
            Self::Timeout => {
                let message = format!("Init timed out after {:.2} seconds", limit.as_secs_f64());
                Self::Fault(Fault::new("Sandbox.Timedout", message))
            }
            other => other,
        }
    }

    fn not_restored(&self) -> Option<NotRestored> {
        match self {
            Self::Restore(_, why) => Some(*why),
            Self::Fault(_) | Self::Timeout => None,
        }
    }

    /// What the caller gets.
    pub(super) fn verdict(&self, request_id: &str, timeout: Duration) -> Verdict {
        let payload = match self.fault() {
            Some(fault) => fault.payload(request_id),
            None => timeout_payload(request_id, timeout),
        };
        // Of a crash in the middle of an answer Lambda only sees that the answer breaks off.
        let broken_off = match self.fault() {
            Some(fault) if fault.is_of_the_sandbox() => "Sandbox.Failure",
            Some(_) => TRUNCATED,
            None => "Sandbox.Timeout",
        };
        Verdict {
            not_restored: self.not_restored(),
            ..Verdict::failed(payload).broken_off(broken_off, None)
        }
    }

    fn fault(&self) -> Option<&Fault> {
        match self {
            Self::Fault(fault) | Self::Restore(fault, _) => Some(fault),
            Self::Timeout => None,
        }
    }
}

fn timeout_payload(request_id: &str, timeout: Duration) -> Bytes {
    let message = format!(
        "RequestId: {request_id} Error: Task timed out after {:.2} seconds",
        timeout.as_secs_f64()
    );
    error_payload("Sandbox.Timedout", &message)
}
