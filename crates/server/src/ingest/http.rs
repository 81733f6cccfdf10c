//! OTLP/HTTP: `POST /v1/traces`, `/v1/logs` and `/v1/metrics`, in protobuf or JSON.

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use http::header::{ALLOW, CONTENT_ENCODING, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use prost::Message;
use throughline_telemetry::{Signal, wire};

use super::body;
use super::encoding::Encoding;
use super::intake::{Format, Intake};
use super::refusal::Refusal;
use super::status::Status;

/// Everything that arrives on the OTLP/HTTP port.
pub(crate) fn router(intake: Intake) -> Router {
    // One handler for all paths, because every error is a `google.rpc.Status` here, also a 404.
    Router::new().fallback(export).with_state(intake)
}

async fn export(State(intake): State<Intake>, request: Request) -> Response {
    // An error is told in the sender's own format, as far as that is known.
    let format = format(request.headers());
    match take(&intake, request, format.as_ref().ok().copied()).await {
        Ok(signal) => done(signal, format.unwrap_or(Format::Json)),
        Err(refusal) => {
            intake.refusals().count(&refusal);
            refuse(&refusal, format.unwrap_or(Format::Json))
        }
    }
}

async fn take(intake: &Intake, request: Request, known: Option<Format>) -> Result<Signal, Refusal> {
    let signal = signal(request.uri().path())?;
    if request.method() != Method::POST {
        return Err(Refusal::NotPost(request.method().to_string()));
    }
    intake.admit(request.headers())?;
    let format = match known {
        Some(format) => format,
        None => format(request.headers())?,
    };
    let encoding = encoding(request.headers())?;
    let origin = intake.origin(request.headers());
    let mut charge = intake.budget().open();
    let body = body::read(request.into_body(), encoding, intake.limits(), &mut charge).await?;
    intake.take(signal, format, body, origin).await?;
    Ok(signal)
}

fn signal(path: &str) -> Result<Signal, Refusal> {
    let named = |signal: &Signal| path.strip_prefix("/v1/") == Some(signal.name());
    let signal = Signal::ALL.into_iter().find(named);
    signal.ok_or_else(|| Refusal::NoSuchPath(path.to_owned()))
}

fn format(headers: &HeaderMap) -> Result<Format, Refusal> {
    let value = text(headers, &CONTENT_TYPE);
    let media_type = value.split(';').next().unwrap_or_default().trim();
    match media_type.to_ascii_lowercase().as_str() {
        "application/x-protobuf" => Ok(Format::Protobuf),
        "application/json" => Ok(Format::Json),
        _ => Err(Refusal::UnknownContentType(value)),
    }
}

fn encoding(headers: &HeaderMap) -> Result<Encoding, Refusal> {
    let value = text(headers, &CONTENT_ENCODING);
    Encoding::from_header(&value).ok_or(Refusal::UnknownEncoding(value))
}

fn text(headers: &HeaderMap, name: &HeaderName) -> String {
    let value = headers.get(name).map(|value| value.as_bytes());
    String::from_utf8_lossy(value.unwrap_or_default()).into_owned()
}

fn done(signal: Signal, format: Format) -> Response {
    let body = match format {
        Format::Protobuf => wire::success_protobuf(signal),
        Format::Json => b"{}".to_vec(),
    };
    respond(StatusCode::OK, format, body)
}

fn refuse(refusal: &Refusal, format: Format) -> Response {
    let status = Status::of(refusal);
    let answer = refusal.answer();
    tracing::debug!(http = answer.http.as_u16(), code = %answer.code, message = status.message, "refused");
    let body = match format {
        Format::Protobuf => status.encode_to_vec(),
        Format::Json => status.to_json(),
    };
    let mut response = respond(answer.http, format, body);
    let headers = response.headers_mut();
    if let Some(after) = refusal.retry_after() {
        headers.insert(RETRY_AFTER, HeaderValue::from(whole_seconds(after)));
    }
    if matches!(refusal, Refusal::NotPost(_)) {
        headers.insert(ALLOW, HeaderValue::from_static("POST"));
    }
    if matches!(refusal, Refusal::KeyRequired) {
        headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    response
}

fn respond(status: StatusCode, format: Format, body: Vec<u8>) -> Response {
    let content_type = match format {
        Format::Protobuf => "application/x-protobuf",
        Format::Json => "application/json",
    };
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let content_type = HeaderValue::from_static(content_type);
    response.headers_mut().insert(CONTENT_TYPE, content_type);
    response
}

/// `Retry-After` knows no fractions; rounding down would bring everybody back too early.
fn whole_seconds(duration: std::time::Duration) -> u64 {
    duration.as_secs() + u64::from(duration.subsec_nanos() > 0)
}
