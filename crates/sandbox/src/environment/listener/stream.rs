//! `/response` of a runtime that streams.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::Request;
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use http::{HeaderMap, header};
use http_body_util::BodyExt;
use tokio::sync::{mpsc, oneshot};

use super::{Api, text};
use crate::body::{DRAIN_BYTES_MAX, read_body};
use crate::environment::actor::Message;
use crate::environment::bandwidth::Bandwidth;
use crate::lifecycle::{ApiCall, Ending, Refusal, Reply, STREAM_BYTES_MAX, StreamEnd};

/// Whether a response streams although it does not say so in its mode.
///
/// The client for Go never sets the mode. It announces the trailers of a failure for every answer, and what is no JSON
/// comes from a handler that returned a reader, which Lambda sends on as it is read.
pub(super) fn announced(headers: &HeaderMap) -> bool {
    let trailers = text(headers, header::TRAILER.as_str()).unwrap_or_default();
    let failure_may_follow = trailers
        .split(',')
        .any(|name| name.trim().eq_ignore_ascii_case(ERROR_TYPE));
    let content_type = text(headers, header::CONTENT_TYPE.as_str()).unwrap_or_default();
    failure_may_follow && !content_type.starts_with("application/json")
}

/// Passes the body on while it comes.
///
/// In a task of its own: this one ends with the connection, and the machine has to hear of a stream's end even so.
pub(super) async fn respond(api: Arc<Api>, request_id: String, request: Request) -> Response {
    let task = {
        let api = api.clone();
        tokio::spawn(async move { stream(&api, request_id, request).await })
    };
    let reply = task
        .await
        .unwrap_or_else(|_| Reply::Refused(Refusal::internal()));
    api.render(reply)
}

async fn stream(api: &Api, request_id: String, request: Request) -> Reply {
    let opened = api.clock.now();
    let attempt = text(request.headers(), "lambda-runtime-invocation-id");
    let content_type = text(request.headers(), header::CONTENT_TYPE.as_str());
    let (sender, chunks) = mpsc::channel(CHUNKS_MAX);
    let start = ApiCall::StreamStart {
        request_id: request_id.clone(),
        attempt: attempt.clone(),
        content_type,
    };
    let (reply_to, reply) = oneshot::channel();
    let reply = api
        .ask(Message::Stream(start, reply_to, chunks), reply)
        .await;
    if reply != Reply::GoOn {
        // Most clients look at the answer only after they have written all of their request.
        read_body(request, 0).await;
        return reply;
    }
    let mut pump = Pump::new(sender);
    let ending = pump.run(api, request).await;
    // The last chunk is on its way before the end is told.
    let end = StreamEnd {
        request_id,
        attempt,
        first_byte: pump.first_byte.unwrap_or(opened),
        bytes: usize::try_from(pump.bytes).unwrap_or(usize::MAX),
        ending,
    };
    drop(pump);
    let (reply_to, reply) = oneshot::channel();
    let call = Message::Call(ApiCall::StreamEnd(end), reply_to);
    api.ask(call, reply).await
}

struct Pump {
    chunks: mpsc::Sender<Bytes>,
    bandwidth: Bandwidth,
    first_byte: Option<crate::time::UnixNanos>,
    bytes: u64,
}

impl Pump {
    fn new(chunks: mpsc::Sender<Bytes>) -> Self {
        Self {
            chunks,
            bandwidth: Bandwidth::of_lambda(),
            first_byte: None,
            bytes: 0,
        }
    }

    async fn run(&mut self, api: &Api, request: Request) -> Ending {
        let mut body = request.into_body();
        let mut ending = Ending::Complete;
        while let Some(frame) = body.frame().await {
            let Ok(frame) = frame else {
                return Ending::Truncated;
            };
            match frame.into_data() {
                Ok(data) => self.pass_on(api, data).await,
                Err(frame) => {
                    if let Some(failed) = frame.trailers_ref().and_then(failure_of) {
                        ending = failed;
                    }
                }
            }
            if self.bytes > STREAM_BYTES_MAX + DRAIN_BYTES_MAX {
                break;
            }
        }
        if self.bytes > STREAM_BYTES_MAX {
            return Ending::TooLarge { bytes: self.bytes };
        }
        ending
    }

    async fn pass_on(&mut self, api: &Api, data: Bytes) {
        let now = api.clock.now();
        self.first_byte.get_or_insert(now);
        self.bytes += data.len() as u64;
        if data.is_empty() || self.bytes > STREAM_BYTES_MAX {
            return;
        }
        let wait = self.bandwidth.take(data.len() as u64, now);
        if wait > Duration::ZERO {
            tokio::time::sleep(wait).await;
        }
        // A caller that has gone does not stop the function, as on Lambda.
        let _ = self.chunks.send(data).await;
    }
}

/// What the trailers say went wrong.
fn failure_of(trailers: &HeaderMap) -> Option<Ending> {
    let error_type = text(trailers, ERROR_TYPE)?;
    let encoded = text(trailers, "lambda-runtime-function-error-body").unwrap_or_default();
    Some(Ending::Failed {
        error_type,
        error: BASE64.decode(encoded).unwrap_or_default().into(),
    })
}

const ERROR_TYPE: &str = "lambda-runtime-function-error-type";
/// The runtime waits when the caller is this many chunks behind.
const CHUNKS_MAX: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reader_of_a_go_function_streams_without_a_mode() {
        let both = "Lambda-Runtime-Function-Error-Body,Lambda-Runtime-Function-Error-Type";
        let cases = [
            (Some(both), "application/octet-stream", true),
            (
                Some(both),
                "application/vnd.awslambda.http-integration-response",
                true,
            ),
            (Some(both), "application/json", false),
            (Some("Expires"), "application/octet-stream", false),
            (None, "application/octet-stream", false),
        ];
        for (trailers, content_type, streams) in cases {
            let mut headers = HeaderMap::new();
            headers.insert(header::CONTENT_TYPE, content_type.parse().unwrap());
            if let Some(trailers) = trailers {
                headers.insert(header::TRAILER, trailers.parse().unwrap());
            }
            assert_eq!(announced(&headers), streams, "{trailers:?} {content_type}");
        }
    }
}
