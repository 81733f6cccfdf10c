//! Where the function's SDK exports to over gRPC: the `Export` call of OTLP's three services.
//!
//! Written on hyper's HTTP/2, without a gRPC library: an `Export` is one message in a frame, and an
//! answer is one message and a status in the trailers.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use hyper::body::{Frame, Incoming};
use throughline_extension::grpc::{self, BadFrame, Code, FRAME_BYTES};
use throughline_extension::intake::{BODY_BYTES_MAX, Encoding};
use throughline_telemetry::Signal;
use tokio::net::TcpListener;

use super::intake::{Intake, Packing, RETRY_MS, Refusal};
use super::listen::{self, Speaks};
use super::otlp::{header, success_protobuf};

/// Takes exports until the process ends.
pub(super) async fn receive(listener: TcpListener, intake: Intake) {
    let counters = intake.counters.clone();
    let handler = move |request| answer(request, intake.clone());
    listen::serve(listener, Speaks::Http2, counters, handler).await;
}

async fn answer(request: Request<Incoming>, intake: Intake) -> Response<Answer> {
    let content_type = header(request.headers(), &CONTENT_TYPE);
    if !matches!(content_type, "application/grpc" | "application/grpc+proto") {
        let mut response = Response::new(Answer::default());
        *response.status_mut() = StatusCode::UNSUPPORTED_MEDIA_TYPE;
        return response;
    }
    match take(request, &intake).await {
        Ok((signal, rejected)) => success(signal, rejected),
        Err(refusal) => {
            intake.refused(&refusal);
            failure(&refusal)
        }
    }
}

async fn take(request: Request<Incoming>, intake: &Intake) -> Result<(Signal, u64), Refusal> {
    let (head, body) = request.into_parts();
    let path = head.uri.path();
    let signal = Signal::ALL
        .into_iter()
        .find(|signal| method(*signal) == path);
    let signal = signal.ok_or_else(|| Refusal::Call(path.to_owned()))?;
    if head.method != Method::POST {
        return Err(Refusal::Method);
    }
    let mut body = intake.read(body, FRAME_BYTES + BODY_BYTES_MAX).await?;
    let framed = grpc::message(&body.bytes).map_err(|bad| match bad {
        BadFrame::None | BadFrame::Several => Refusal::Malformed(bad.to_string()),
        BadFrame::Cut | BadFrame::Flag(_) => Refusal::Frame(bad.to_string()),
    })?;
    let packing = match (framed.is_packed, header(&head.headers, &GRPC_ENCODING)) {
        (false, _) => Packing::None,
        (true, "gzip") => Packing::Gzip,
        (true, "" | "identity") => {
            let why = "it says that it is packed, and grpc-encoding does not say how";
            return Err(Refusal::Frame(why.to_owned()));
        }
        (true, other) => return Err(Refusal::Packing(other.to_owned())),
    };
    body.bytes = body.bytes.slice_ref(framed.message);
    let rejected = intake
        .take(signal, Encoding::Protobuf, packing, body)
        .await?;
    Ok((signal, rejected))
}

fn method(signal: Signal) -> &'static str {
    match signal {
        Signal::Traces => "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
        Signal::Logs => "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
        Signal::Metrics => "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
    }
}

fn success(signal: Signal, rejected: u64) -> Response<Answer> {
    let message = grpc::framed(&success_protobuf(signal, rejected));
    let mut trailers = HeaderMap::new();
    trailers.insert(GRPC_STATUS, HeaderValue::from(Code::Ok.number()));
    respond(Answer {
        message: Some(message.into()),
        trailers: Some(trailers),
    })
}

/// A status without a message travels in the headers.
fn failure(refusal: &Refusal) -> Response<Answer> {
    let ((_, code), message) = (refusal.codes(), refusal.to_string());
    let mut response = respond(Answer::default());
    let headers = response.headers_mut();
    headers.insert(GRPC_STATUS, HeaderValue::from(code.number()));
    if let Ok(message) = HeaderValue::try_from(grpc::escaped(&message)) {
        headers.insert(GRPC_MESSAGE, message);
    }
    if let Refusal::Packing(_) = refusal {
        headers.insert(
            GRPC_ACCEPT_ENCODING,
            HeaderValue::from_static("identity,gzip"),
        );
    }
    // Clients come again after UNAVAILABLE only, and wait as long as they are told.
    if let Refusal::Busy = refusal
        && let Ok(details) = HeaderValue::try_from(grpc::retry_details(code, &message, RETRY_MS))
    {
        headers.insert(GRPC_STATUS_DETAILS, details);
    }
    response
}

fn respond(answer: Answer) -> Response<Answer> {
    let mut response = Response::new(answer);
    let content_type = HeaderValue::from_static("application/grpc");
    response.headers_mut().insert(CONTENT_TYPE, content_type);
    response
}

/// One message and trailers, or nothing.
#[derive(Debug, Default)]
struct Answer {
    message: Option<Bytes>,
    trailers: Option<HeaderMap>,
}

impl hyper::body::Body for Answer {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let message = self.message.take().map(Frame::data);
        let frame = message.or_else(|| self.trailers.take().map(Frame::trailers));
        Poll::Ready(frame.map(Ok))
    }

    fn is_end_stream(&self) -> bool {
        self.message.is_none() && self.trailers.is_none()
    }
}

const GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");
const GRPC_MESSAGE: HeaderName = HeaderName::from_static("grpc-message");
const GRPC_ENCODING: HeaderName = HeaderName::from_static("grpc-encoding");
const GRPC_ACCEPT_ENCODING: HeaderName = HeaderName::from_static("grpc-accept-encoding");
const GRPC_STATUS_DETAILS: HeaderName = HeaderName::from_static("grpc-status-details-bin");

#[cfg(test)]
mod tests;
