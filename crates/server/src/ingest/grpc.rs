//! OTLP/gRPC: the `Export` call of the three services.
//!
//! The codec hands the message over as raw bytes, so that what was sent is what is stored, and is
//! never decoded into messages. Each call is served as a stream of which one message is expected: on the wire
//! that is the same as a unary call, and an unreadable message comes to us as an error to answer
//! (tonic would say INTERNAL for a broken gzip stream and OUT_OF_RANGE for a large message).

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use axum::Router;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::{Buf, BufMut, Bytes};
use http::StatusCode;
use http_body::Frame;
use prost::Message;
use throughline_store::Origin;
use throughline_telemetry::{Signal, wire};
use tonic::codec::{Codec, CompressionEncoding, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::server::{ClientStreamingService, Grpc};
use tonic::{Code, Status, Streaming};

use super::budget::Charge;
use super::intake::{Format, Intake};
use super::refusal::Refusal;
use super::status::Status as RpcStatus;

/// Everything that arrives on the OTLP/gRPC port.
pub(crate) fn router(intake: Intake) -> Router {
    let router = Signal::ALL
        .into_iter()
        .fold(Router::new(), |router, signal| {
            let intake = intake.clone();
            let serve = move |request| export(intake, signal, request);
            router.route(path(signal), axum::routing::post(serve))
        });
    router.fallback(unknown)
}

fn path(signal: Signal) -> &'static str {
    match signal {
        Signal::Traces => "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
        Signal::Logs => "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
        Signal::Metrics => "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
    }
}

async fn export(intake: Intake, signal: Signal, request: http::Request<Body>) -> Response {
    if !is_grpc(&request) {
        let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
        return (status, "this port speaks gRPC; OTLP/HTTP has its own\n").into_response();
    }
    if let Err(refusal) = intake.admit(request.headers()) {
        intake.refusals().count(&refusal);
        return refuse(&refusal).into_http();
    }
    let origin = intake.origin(request.headers());
    let charge = Arc::new(Mutex::new(intake.budget().open()));
    let request = request.map(|body| ChargedBody {
        body,
        charge: Arc::clone(&charge),
    });
    let bytes_max = intake.limits().body_bytes_max;
    let call = Call {
        intake,
        signal,
        origin,
        charge,
    };
    Grpc::new(RawCodec)
        .accept_compressed(CompressionEncoding::Gzip)
        .accept_compressed(CompressionEncoding::Zstd)
        .max_decoding_message_size(bytes_max)
        .client_streaming(call, request)
        .await
        .map(Body::new)
}

async fn unknown(request: http::Request<Body>) -> Response {
    Status::unimplemented(format!("no such call {}", request.uri().path())).into_http()
}

fn is_grpc(request: &http::Request<Body>) -> bool {
    let content_type = request.headers().get(http::header::CONTENT_TYPE);
    let content_type = content_type.map_or(&b""[..], |value| value.as_bytes());
    content_type == b"application/grpc" || content_type == b"application/grpc+proto"
}

/// One call on its way through tonic.
struct Call {
    intake: Intake,
    signal: Signal,
    origin: Option<Origin>,
    charge: Arc<Mutex<Charge>>,
}

impl ClientStreamingService<Bytes> for Call {
    type Response = Bytes;
    type Future = Pin<Box<dyn Future<Output = Result<tonic::Response<Bytes>, Status>> + Send>>;

    fn call(&mut self, request: tonic::Request<Streaming<Bytes>>) -> Self::Future {
        let (intake, signal, charge) = (self.intake.clone(), self.signal, Arc::clone(&self.charge));
        let origin = self.origin.take(); // there is one call
        Box::pin(async move {
            let body = read(&intake, &charge, request.into_inner()).await;
            let taken = match body {
                Ok(body) => intake
                    .take(signal, Format::Protobuf, body, origin)
                    .await
                    .map_err(Failure::Refused),
                Err(failure) => Err(failure),
            };
            taken.map_err(|error| match error {
                Failure::Refused(refusal) => {
                    intake.refusals().count(&refusal);
                    refuse(&refusal)
                }
                Failure::Protocol(status) => {
                    intake.refusals().count_protocol(&status);
                    status
                }
            })?;
            Ok(tonic::Response::new(wire::success_protobuf(signal).into()))
        })
    }
}

/// Why a call fails: over what it carries, or over how it carries it.
enum Failure {
    Refused(Refusal),
    Protocol(Status),
}

async fn read(
    intake: &Intake,
    charge: &Mutex<Charge>,
    messages: Streaming<Bytes>,
) -> Result<Bytes, Failure> {
    let timeout = intake.limits().body_timeout;
    let read = tokio::time::timeout(timeout, one_message(intake, messages)).await;
    let body = read.unwrap_or_else(|_| {
        let late = format!("the message did not arrive within {timeout:?}");
        Err(Failure::Refused(Refusal::NotRead(late)))
    })?;
    grow(charge, body.len()).map_err(Failure::Refused)?;
    Ok(body)
}

async fn one_message(intake: &Intake, mut messages: Streaming<Bytes>) -> Result<Bytes, Failure> {
    let failed = |status| unreadable(intake, status);
    let Some(body) = messages.message().await.map_err(failed)? else {
        return Err(Failure::Protocol(Status::invalid_argument(
            "the call carries no message",
        )));
    };
    if messages.message().await.map_err(failed)?.is_some() {
        return Err(Failure::Protocol(Status::invalid_argument(
            "the call carries several messages",
        )));
    }
    Ok(body)
}

/// What tonic says about a message that it cannot read, in the words of OTLP.
fn unreadable(intake: &Intake, status: Status) -> Failure {
    let bytes_max = intake.limits().body_bytes_max;
    match status.code() {
        Code::OutOfRange | Code::ResourceExhausted => {
            Failure::Refused(Refusal::TooLarge { bytes_max })
        }
        Code::Internal => Failure::Refused(Refusal::Malformed(plainly(status.message()))),
        _ => Failure::Protocol(status),
    }
}

/// tonic ends its messages with the direction, as a client sees it.
fn plainly(message: &str) -> String {
    let message = message.trim_end_matches(", while sending request");
    message.replace("Error decompressing", "cannot decompress")
}

fn refuse(refusal: &Refusal) -> Status {
    let answer = refusal.answer();
    let status = RpcStatus::of(refusal);
    tracing::debug!(grpc = ?answer.grpc, code = %answer.code, message = status.message, "refused");
    Status::with_details(
        answer.grpc,
        refusal.message(),
        status.encode_to_vec().into(),
    )
}

/// A body whose bytes go on a charge as they arrive.
struct ChargedBody {
    body: Body,
    charge: Arc<Mutex<Charge>>,
}

impl http_body::Body for ChargedBody {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let frame = match ready!(Pin::new(&mut self.body).poll_frame(context)) {
            None => return Poll::Ready(None),
            Some(Err(error)) => {
                return Poll::Ready(Some(Err(Status::cancelled(error.to_string()))));
            }
            Some(Ok(frame)) => frame,
        };
        let bytes = frame.data_ref().map_or(0, Bytes::len);
        let grown = grow(&self.charge, bytes);
        Poll::Ready(Some(
            grown.map(|()| frame).map_err(|refusal| refuse(&refusal)),
        ))
    }
}

fn grow(charge: &Mutex<Charge>, bytes: usize) -> Result<(), Refusal> {
    let mut charge = charge.lock().unwrap_or_else(PoisonError::into_inner);
    Ok(charge.grow(bytes)?)
}

/// Messages as the bytes they are.
struct RawCodec;

impl Codec for RawCodec {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        RawCodec
    }

    fn decoder(&mut self) -> Self {
        RawCodec
    }
}

impl Encoder for RawCodec {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, item: Bytes, out: &mut EncodeBuf<'_>) -> Result<(), Status> {
        out.put(item);
        Ok(())
    }
}

impl Decoder for RawCodec {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, message: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(message.copy_to_bytes(message.remaining())))
    }
}
