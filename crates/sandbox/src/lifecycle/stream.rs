//! Streamed answers: begun, passed on past this machine, and ended.
//!
//! The bytes do not come through here. The machine says when a stream may begin, and what its end means.

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
        let step = (RuntimeState::Running, RuntimeState::Responding);
        self.answered_by(request_id, attempt, step, "InvocationResponse")?;
        out.push(Effect::OpenStream(call, content_type));
        Ok(Some(Reply::GoOn))
    }

    pub(super) fn stream_end(
        &mut self,
        end: StreamEnd,
        now: UnixNanos,
        out: &mut Vec<Effect>,
    ) -> Handled {
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
                out.push(Effect::Answer(Verdict::returned(bytes::Bytes::new())));
                Ok(Some(Reply::Accepted))
            }
            Ending::Failed { error_type, error } => {
                let error = if error.is_empty() {
                    error_payload(&error_type, "the function failed while it answered")
                } else {
                    error
                };
                running.fail_stream(error, out);
                Ok(Some(Reply::Accepted))
            }
            Ending::TooLarge { bytes } => {
                let message = format!(
                    "Response payload size ({bytes} bytes) exceeded maximum allowed payload size ({STREAM_BYTES_MAX} bytes)."
                );
                running.fail_stream(
                    error_payload("Function.ResponseSizeTooLarge", &message),
                    out,
                );
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
        let message = "The response of the runtime was cut";
        self.fail_stream(error_payload("Runtime.TruncatedResponse", message), out);
    }

    fn fail_stream(&mut self, payload: bytes::Bytes, out: &mut Vec<Effect>) {
        self.outcome = Some(Outcome::FunctionError);
        out.push(Effect::Answer(Verdict::failed(payload)));
    }
}
