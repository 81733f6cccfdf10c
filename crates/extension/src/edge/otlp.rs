//! Where the function's SDK exports to: OTLP/HTTP in protobuf and JSON.
//!
//! The answer says that the request was taken, not that it was delivered, so that no export of the
//! function ever waits for the server.

use std::io::Read;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use prost::Message;
use serde_json::json;
use throughline_extension::Event;
use throughline_extension::counters::{Counter, Counters};
use throughline_extension::join::otlp::remove_unusable;
use throughline_telemetry::{Signal, wire};
use tokio::net::TcpListener;
use tokio::sync::mpsc::{self, error::TrySendError};

use super::listen::{self, BadBody};

/// Takes exports until the process ends.
pub(super) async fn receive(
    listener: TcpListener,
    inbox: mpsc::Sender<Event>,
    counters: Arc<Counters>,
) {
    let handler = move |request| answer(request, inbox.clone(), Arc::clone(&counters));
    listen::serve(listener, handler).await;
}

/// How the body is written, and so how the answer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Encoding {
    Protobuf,
    Json,
}

/// Why a request is not taken.
#[derive(Debug, thiserror::Error)]
enum Refusal {
    #[error("no such path; OTLP/HTTP has /v1/traces, /v1/logs and /v1/metrics")]
    Path,
    #[error("only POST is answered here")]
    Method,
    #[error("cannot read content type {0:?}; application/x-protobuf and application/json are read")]
    ContentType(String),
    #[error("cannot unpack content encoding {0:?}; gzip and identity are unpacked")]
    ContentEncoding(String),
    #[error("the body is larger than {BODY_BYTES_MAX} bytes")]
    TooLarge,
    #[error("{0}")]
    Malformed(String),
    #[error("too many requests wait; try again")]
    Busy,
}

impl Refusal {
    /// The status, and gRPC's code for the body of the answer.
    fn codes(&self) -> (StatusCode, i32) {
        match self {
            Refusal::Path => (StatusCode::NOT_FOUND, 5),
            Refusal::Method => (StatusCode::METHOD_NOT_ALLOWED, 12),
            Refusal::ContentType(_) | Refusal::ContentEncoding(_) => {
                (StatusCode::UNSUPPORTED_MEDIA_TYPE, 3)
            }
            Refusal::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, 8),
            Refusal::Malformed(_) => (StatusCode::BAD_REQUEST, 3),
            Refusal::Busy => (StatusCode::SERVICE_UNAVAILABLE, 14),
        }
    }

    /// What is gone with the request; one that may come again is not.
    fn counter(&self) -> Option<Counter> {
        match self {
            Refusal::TooLarge => Some(Counter::TooLarge),
            Refusal::Malformed(_) | Refusal::ContentType(_) | Refusal::ContentEncoding(_) => {
                Some(Counter::Undecodable)
            }
            Refusal::Path | Refusal::Method | Refusal::Busy => None,
        }
    }
}

async fn answer(
    request: Request<Incoming>,
    inbox: mpsc::Sender<Event>,
    counters: Arc<Counters>,
) -> Response<Full<Bytes>> {
    let encoding = match header(request.headers(), &CONTENT_TYPE) {
        "application/json" => Encoding::Json,
        _ => Encoding::Protobuf,
    };
    match take(request, &inbox, &counters).await {
        Ok((signal, rejected)) => {
            counters.add(Counter::NoId, rejected);
            success(signal, rejected, encoding)
        }
        Err(refusal) => {
            if let Some(counter) = refusal.counter() {
                counters.add(counter, 1);
            }
            failure(&refusal, encoding)
        }
    }
}

/// Takes the request in and says how many of its items were left out.
async fn take(
    request: Request<Incoming>,
    inbox: &mpsc::Sender<Event>,
    counters: &Counters,
) -> Result<(Signal, u64), Refusal> {
    let (head, body) = request.into_parts();
    let path = head.uri.path().strip_prefix("/v1/").unwrap_or_default();
    let signal = Signal::ALL.into_iter().find(|signal| signal.name() == path);
    let signal = signal.ok_or(Refusal::Path)?;
    if head.method != Method::POST {
        return Err(Refusal::Method);
    }
    let content_type = header(&head.headers, &CONTENT_TYPE);
    if !matches!(content_type, "application/x-protobuf" | "application/json") {
        return Err(Refusal::ContentType(content_type.to_owned()));
    }
    let body = listen::body(body, BODY_BYTES_MAX)
        .await
        .map_err(|bad| match bad {
            BadBody::TooLarge => Refusal::TooLarge,
            BadBody::Broken => Refusal::Malformed("the body ends too early".to_owned()),
        })?;
    let body = unpack(body, header(&head.headers, &CONTENT_ENCODING))?;
    let decoded = match content_type {
        "application/json" => wire::Request::from_json(signal, &body),
        _ => wire::Request::from_protobuf(signal, &body),
    };
    let mut request = decoded.map_err(|error| Refusal::Malformed(error.to_string()))?;
    let rejected = remove_unusable(&mut request);
    match inbox.try_send(Event::Exported(request)) {
        Ok(()) => {}
        Err(TrySendError::Full(_)) => return Err(Refusal::Busy),
        // Nobody takes anything any more: asking the function to come again would only hold it up.
        Err(TrySendError::Closed(_)) => counters.add(Counter::QueueFull, 1),
    }
    Ok((signal, rejected))
}

fn unpack(body: Bytes, encoding: &str) -> Result<Bytes, Refusal> {
    match encoding {
        "" | "identity" => Ok(body),
        "gzip" => {
            let mut plain = Vec::new();
            let limit = BODY_BYTES_MAX as u64 + 1;
            let read = flate2::read::GzDecoder::new(&body[..])
                .take(limit)
                .read_to_end(&mut plain);
            read.map_err(|error| Refusal::Malformed(format!("cannot unpack the body: {error}")))?;
            if plain.len() > BODY_BYTES_MAX {
                return Err(Refusal::TooLarge);
            }
            Ok(plain.into())
        }
        other => Err(Refusal::ContentEncoding(other.to_owned())),
    }
}

fn success(signal: Signal, rejected: u64, encoding: Encoding) -> Response<Full<Bytes>> {
    let message = "spans without a usable id were left out";
    let body = match (encoding, rejected) {
        (Encoding::Json, 0) => Bytes::from_static(b"{}"),
        (Encoding::Json, _) => {
            let partial = json!({"rejectedSpans": rejected.to_string(), "errorMessage": message});
            json!({ "partialSuccess": partial }).to_string().into()
        }
        (Encoding::Protobuf, 0) => wire::success_protobuf(signal).into(),
        (Encoding::Protobuf, _) => {
            let rejected = i64::try_from(rejected).unwrap_or(i64::MAX);
            let partial = PartialSuccess {
                rejected,
                error_message: message.to_owned(),
            };
            ExportResponse {
                partial_success: Some(partial),
            }
            .encode_to_vec()
            .into()
        }
    };
    respond(StatusCode::OK, body, encoding)
}

fn failure(refusal: &Refusal, encoding: Encoding) -> Response<Full<Bytes>> {
    let ((status, code), message) = (refusal.codes(), refusal.to_string());
    let body = match encoding {
        Encoding::Json => json!({"code": code, "message": message}).to_string().into(),
        Encoding::Protobuf => Status { code, message }.encode_to_vec().into(),
    };
    let mut response = respond(status, body, encoding);
    if let Refusal::Busy = refusal {
        response
            .headers_mut()
            .insert(RETRY_AFTER, HeaderValue::from_static("1"));
    }
    response
}

fn respond(status: StatusCode, body: Bytes, encoding: Encoding) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = status;
    let content_type = match encoding {
        Encoding::Protobuf => "application/x-protobuf",
        Encoding::Json => "application/json",
    };
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

/// A header without its parameters; empty if it is absent or not text.
fn header<'a>(headers: &'a HeaderMap, name: &http::HeaderName) -> &'a str {
    let value = headers
        .get(name)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim()
}

/// `google.rpc.Status`, the body of every OTLP error.
#[derive(Clone, PartialEq, prost::Message)]
struct Status {
    #[prost(int32, tag = "1")]
    code: i32,
    #[prost(string, tag = "2")]
    message: String,
}

/// What the export responses of all three signals look like.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct ExportResponse {
    #[prost(message, optional, tag = "1")]
    pub(super) partial_success: Option<PartialSuccess>,
}

/// How many items were refused, and why.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct PartialSuccess {
    #[prost(int64, tag = "1")]
    pub(super) rejected: i64,
    #[prost(string, tag = "2")]
    pub(super) error_message: String,
}

/// One export, packed or not. As much as may wait for the server: more could never be kept.
const BODY_BYTES_MAX: usize = throughline_extension::outbox::BUFFER_BYTES_MAX;

#[cfg(test)]
mod tests;
