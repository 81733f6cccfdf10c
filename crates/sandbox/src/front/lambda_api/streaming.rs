//! An answer as the event stream of `InvokeWithResponseStream`: its pieces as they come, and then how it ended.

use std::convert::Infallible;

use axum::body::Body as HttpBody;
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use futures_util::stream;
use http::{HeaderValue, StatusCode, header};
use serde_json::{Value, json};

use super::{event_stream, not_restored, refused, respond};
use crate::environment::{Answered, Part, ResponseStream};
use crate::function::VERSION;
use crate::gateway::Ticket;
use crate::invoke::Outcome;
use crate::lifecycle::Verdict;

/// Waits until the function begins to answer, and leaves the rest to the server.
pub(super) async fn response(mut ticket: Ticket, wants_log: bool) -> Response {
    let answered = match ticket.answered().await {
        Ok(answered) => answered,
        Err(error) => return refused(&error),
    };
    if let Some(refusal) = not_restored(&answered) {
        return refusal;
    }
    let request_id = ticket.request_id.clone();
    let stage = match answered {
        Answered::Stream(stream) => Stage::Streaming(stream, ticket),
        Answered::Whole(verdict) if verdict.outcome == Outcome::Returned => {
            Stage::Whole(verdict, ticket)
        }
        Answered::Whole(verdict) => Stage::Ended(verdict, ticket),
        Answered::Rejected => Stage::Told,
    };
    let frames = stream::unfold(stage, move |stage: Stage| stage.frame(wants_log));
    let frames = HttpBody::from_stream(frames);
    let mut response = respond(StatusCode::OK, &request_id, frames);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, EVENT_STREAM);
    headers.insert("x-amz-executed-version", HeaderValue::from_static(VERSION));
    response
}

/// What is still to be sent.
enum Stage {
    Streaming(ResponseStream, Ticket),
    /// The function answered all at once.
    Whole(Verdict, Ticket),
    Ended(Verdict, Ticket),
    Told,
}

impl Stage {
    async fn frame(self, wants_log: bool) -> Option<(Result<Bytes, Infallible>, Self)> {
        let (frame, then) = match self {
            Self::Streaming(mut stream, ticket) => match stream.next().await {
                Part::Chunk(chunk) => (payload_chunk(&chunk), Self::Streaming(stream, ticket)),
                Part::End(verdict) => {
                    let error = error_in_the_middle(&verdict);
                    (complete(error, ticket, wants_log).await, Self::Told)
                }
            },
            Self::Whole(mut verdict, ticket) => {
                let payload = std::mem::take(&mut verdict.payload);
                (payload_chunk(&payload), Self::Ended(verdict, ticket))
            }
            Self::Ended(verdict, ticket) => {
                let error = error_at_once(&verdict);
                (complete(error, ticket, wants_log).await, Self::Told)
            }
            Self::Told => return None,
        };
        Some((Ok(frame), then))
    }
}

fn payload_chunk(payload: &[u8]) -> Bytes {
    event_stream::event("PayloadChunk", "application/octet-stream", payload)
}

/// The failure of a function that has not begun to answer, as `Invoke` tells it.
fn error_at_once(verdict: &Verdict) -> Value {
    match verdict.outcome {
        Outcome::Returned => json!({}),
        Outcome::FunctionError => json!({
            "ErrorCode": "Unhandled",
            "ErrorDetails": String::from_utf8_lossy(&verdict.payload),
        }),
    }
}

/// The same of one that has: the runtime's trailers say what it is, or the platform what it saw, without details.
fn error_in_the_middle(verdict: &Verdict) -> Value {
    let Some(broken_off) = &verdict.broken_off else {
        return error_at_once(verdict);
    };
    let mut error = json!({"ErrorCode": broken_off.error_type});
    if let Some(details) = &broken_off.details {
        error["ErrorDetails"] = json!(String::from_utf8_lossy(details));
    }
    error
}

async fn complete(mut body: Value, ticket: Ticket, wants_log: bool) -> Bytes {
    // The log is complete only when the invocation is over, so who wants it waits for that.
    if wants_log && let Some(ended) = ticket.ended().await {
        body["LogResult"] = json!(BASE64.encode(ended.log_tail));
    }
    event_stream::event(
        "InvokeComplete",
        "application/json",
        body.to_string().as_bytes(),
    )
}

const EVENT_STREAM: HeaderValue = HeaderValue::from_static("application/vnd.amazon.eventstream");
