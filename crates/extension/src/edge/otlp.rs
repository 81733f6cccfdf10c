//! Where the function's SDK exports to: OTLP/HTTP in protobuf and JSON.
//!
//! The answer says that the request was taken, not that it was delivered, so that no export of the
//! function ever waits for the server.

use bytes::Bytes;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use prost::Message;
use serde_json::json;
use throughline_extension::Event;
use throughline_extension::grpc::Status;
use throughline_extension::intake::{BODY_BYTES_MAX, Encoding};
use throughline_telemetry::{Signal, wire};
use tokio::net::TcpListener;

use super::fault;
use super::intake::{Intake, LEFT_OUT, Packing, Refusal};
use super::listen::{self, Speaks};

/// Takes exports until the process ends.
pub(super) async fn receive(listener: TcpListener, intake: Intake) {
    let counters = intake.counters.clone();
    let handler = move |request| answer(request, intake.clone());
    listen::serve(listener, Speaks::Http1, counters, handler).await;
}

async fn answer(request: Request<Incoming>, intake: Intake) -> Response<Full<Bytes>> {
    fault::here("listener");
    let encoding = match header(request.headers(), &CONTENT_TYPE) {
        "application/json" => Encoding::Json,
        _ => Encoding::Protobuf,
    };
    if request.uri().path() == FLUSH_PATH {
        return match signalled(&request, &intake) {
            Ok(()) => listen::empty(StatusCode::OK),
            Err(refusal) => failure(&refusal, encoding),
        };
    }
    match take(request, &intake).await {
        Ok((signal, rejected)) => success(signal, rejected, encoding),
        Err(refusal) => {
            intake.refused(&refusal);
            failure(&refusal, encoding)
        }
    }
}

/// `POST /v1/flush?request_id=ID`: all telemetry of that invocation is here, or of the one that runs.
fn signalled(request: &Request<Incoming>, intake: &Intake) -> Result<(), Refusal> {
    if request.method() != Method::POST {
        return Err(Refusal::Method);
    }
    let pairs = request.uri().query().unwrap_or_default().split('&');
    let mut pairs = pairs.filter_map(|pair| pair.split_once('='));
    let request_id = pairs.find(|(name, id)| *name == "request_id" && !id.is_empty());
    let request_id = request_id.map(|(_, id)| id.to_owned());
    let charge = intake.inbox.function_room().map_err(|_| Refusal::Busy)?;
    // Where nobody listens any more nobody waits either.
    let _ = intake.inbox.put(Event::Signalled { request_id }, charge);
    Ok(())
}

/// Takes the request in and says how many of its items were left out.
async fn take(request: Request<Incoming>, intake: &Intake) -> Result<(Signal, u64), Refusal> {
    let (head, body) = request.into_parts();
    let path = head.uri.path().strip_prefix("/v1/").unwrap_or_default();
    let signal = Signal::ALL.into_iter().find(|signal| signal.name() == path);
    let signal = signal.ok_or(Refusal::Path)?;
    if head.method != Method::POST {
        return Err(Refusal::Method);
    }
    let encoding = match header(&head.headers, &CONTENT_TYPE) {
        "application/x-protobuf" => Encoding::Protobuf,
        "application/json" => Encoding::Json,
        other => return Err(Refusal::ContentType(other.to_owned())),
    };
    let packing = match header(&head.headers, &CONTENT_ENCODING) {
        "" | "identity" => Packing::None,
        "gzip" => Packing::Gzip,
        other => return Err(Refusal::Packing(other.to_owned())),
    };
    let body = intake.read(body, BODY_BYTES_MAX).await?;
    let rejected = intake.take(signal, encoding, packing, body).await?;
    Ok((signal, rejected))
}

fn success(signal: Signal, rejected: u64, encoding: Encoding) -> Response<Full<Bytes>> {
    let body = match (encoding, rejected) {
        (Encoding::Json, 0) => Bytes::from_static(b"{}"),
        (Encoding::Json, _) => {
            let partial = json!({"rejectedSpans": rejected.to_string(), "errorMessage": LEFT_OUT});
            json!({ "partialSuccess": partial }).to_string().into()
        }
        (Encoding::Protobuf, _) => success_protobuf(signal, rejected).into(),
    };
    respond(StatusCode::OK, body, encoding)
}

/// The answer in protobuf, which is the same over HTTP and gRPC.
pub(super) fn success_protobuf(signal: Signal, rejected: u64) -> Vec<u8> {
    if rejected == 0 {
        return wire::success_protobuf(signal);
    }
    let partial = PartialSuccess {
        rejected: i64::try_from(rejected).unwrap_or(i64::MAX),
        error_message: LEFT_OUT.to_owned(),
    };
    let partial_success = Some(partial);
    ExportResponse { partial_success }.encode_to_vec()
}

fn failure(refusal: &Refusal, encoding: Encoding) -> Response<Full<Bytes>> {
    let ((status, code), message) = (refusal.codes(), refusal.to_string());
    let code = i32::from(code.number());
    let body = match encoding {
        Encoding::Json => json!({"code": code, "message": message}).to_string().into(),
        Encoding::Protobuf => {
            let details = Vec::new();
            let status = Status {
                code,
                message,
                details,
            };
            status.encode_to_vec().into()
        }
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
pub(super) fn header<'a>(headers: &'a HeaderMap, name: &http::HeaderName) -> &'a str {
    let value = headers
        .get(name)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim()
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

/// Beside the paths of the signals.
const FLUSH_PATH: &str = "/v1/flush";

#[cfg(test)]
mod tests;
