//! Streamed answers: begun, passed on past this machine, and ended.
//!
//! The bytes do not come through here. The machine says when a stream may begin, and what its end means.

use bytes::Bytes;

use super::calls::Handled;
use super::effect::{Effect, Reply, Verdict};
use super::environment::Environment;
use super::event::{CallId, Ending, StreamEnd};
use super::extension::RuntimeState;
use super::fault::{Refusal, STREAM_BYTES_MAX, error_payload};
use super::running::{Response, Running};
use crate::invoke::Outcome;
use crate::time::UnixNanos;

impl Environment {
    pub(super) fn stream_start(
        &mut self,
        call: CallId,
        request_id: &str,
        attempt: Option<&str>,
        content_type: Option<String>,
        out: &mut Vec<Effect>,
    ) -> Handled {
        if self.spec.initialization.is_managed() {
            self.crowd_streams(request_id, attempt)?;
        } else {
            let step = (RuntimeState::Running, RuntimeState::Responding);
            self.answered_by(request_id, attempt, step, "InvocationResponse")?;
        }
        let request_id = request_id.to_owned();
        out.push(Effect::OpenStream(call, request_id, content_type));
        Ok(Some(Reply::GoOn))
    }

    pub(super) fn stream_end(
        &mut self,
        end: StreamEnd,
        now: UnixNanos,
        out: &mut Vec<Effect>,
    ) -> Handled {
        if self.spec.initialization.is_managed() {
            return self.crowd_stream_ends(end, now, out);
        }
        let step = (RuntimeState::Responding, RuntimeState::ResponseSent);
        let attempt = end.attempt.as_deref();
        let running = self.answered_by(&end.request_id, attempt, step, "RuntimeResponseSent")?;
        running.response = Some(Response {
            first_byte: end.first_byte,
            last_byte: now,
            produced_bytes: end.bytes,
        });
        match end.ending {
            Ending::Complete => {
                running.outcome = Some(Outcome::Returned);
                let verdict = Verdict::returned(Bytes::new());
                out.push(Effect::Answer(end.request_id, verdict));
                Ok(Some(Reply::Accepted))
            }
            Ending::Failed { error_type, error } => {
                running.fail_stream(failed(&error_type, error), out);
                Ok(Some(Reply::Accepted))
            }
            Ending::TooLarge { bytes } => {
                running.fail_stream(too_large(bytes), out);
                Err(Refusal::too_large(STREAM_BYTES_MAX))
            }
            // The connection of a runtime that dies breaks just before its exit is seen: what comes next tells.
            Ending::Truncated => {
                running.truncated = true;
                Err(Refusal::truncated())
            }
        }
    }
}

impl Running {
    pub(super) fn end_truncated(&mut self, out: &mut Vec<Effect>) {
        self.fail_stream(truncated(), out);
    }

    fn fail_stream(&mut self, verdict: Verdict, out: &mut Vec<Effect>) {
        self.outcome = Some(Outcome::FunctionError);
        let request_id = self.invocation.request_id.clone();
        out.push(Effect::Answer(request_id, verdict));
    }
}

/// The error as the function told it, or one in its place.
pub(super) fn failed(error_type: &str, error: Bytes) -> Verdict {
    let details = Some(error).filter(|error| !error.is_empty());
    let instead = || error_payload(error_type, "the function failed while it answered");
    let payload = details.clone().unwrap_or_else(instead);
    Verdict::failed(payload).broken_off(error_type, details)
}

pub(super) fn too_large(bytes: u64) -> Verdict {
    let message = format!(
        "Response payload size ({bytes} bytes) exceeded maximum allowed payload size ({STREAM_BYTES_MAX} bytes)."
    );
    let error_type = "Function.ResponseSizeTooLarge";
    Verdict::failed(error_payload(error_type, &message)).broken_off(error_type, None)
}

pub(super) fn truncated() -> Verdict {
    let message = "The response of the runtime was cut";
    Verdict::failed(error_payload(TRUNCATED, message)).broken_off(TRUNCATED, None)
}

/// What is sent of an answer when it breaks off with the runtime.
pub(super) const TRUNCATED: &str = "Runtime.TruncatedResponse";
