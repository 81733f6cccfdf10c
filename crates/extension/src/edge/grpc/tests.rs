use std::io::Write;
use std::net::SocketAddr;
use std::sync::Arc;

use http_body_util::{BodyExt, Full};
use hyper_util::rt::{TokioExecutor, TokioIo};
use prost::Message;
use throughline_extension::Event;
use throughline_extension::counters::{Counter, Counters};
use throughline_telemetry::wire::Request as Otlp;
use tokio::net::TcpStream;

use super::super::inbox::{Inbox, Outlet};
use super::super::otlp::ExportResponse;
use super::*;

const SPAN: &str = r#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174","name":"hello"}]}]}]}"#;
const TRACES: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";

struct Receiver {
    address: SocketAddr,
    events: Outlet,
    counters: Arc<Counters>,
}

/// What a call came to.
#[derive(Debug)]
struct Answered {
    http: u16,
    code: String,
    said: String,
    retry: Option<String>,
    body: Bytes,
}

impl Receiver {
    async fn start(bytes_max: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (inbox, events) = Inbox::with_room(bytes_max, 0);
        let counters = Arc::new(Counters::default());
        let intake = Intake {
            inbox,
            counters: Arc::clone(&counters),
        };
        tokio::spawn(receive(listener, intake));
        Receiver {
            address,
            events,
            counters,
        }
    }

    /// `METHOD path; header: value; ...` and a body.
    async fn call(&self, what: &str, body: Vec<u8>) -> Answered {
        let stream = TcpStream::connect(self.address).await.unwrap();
        let client = hyper::client::conn::http2::Builder::new(TokioExecutor::new());
        let (mut client, connection) = client.handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        let mut parts = what.split("; ");
        let (method, path) = parts.next().unwrap().split_once(' ').unwrap();
        let uri = format!("http://{}{path}", self.address);
        let mut request = Request::builder().method(method).uri(uri);
        for part in parts {
            let (name, value) = part.split_once(": ").unwrap();
            request = request.header(name, value);
        }
        let request = request.body(Full::new(Bytes::from(body))).unwrap();
        let response = client.send_request(request).await.unwrap();
        let (head, body) = response.into_parts();
        let body = body.collect().await.unwrap();
        let trailers = body.trailers().cloned().unwrap_or_default();
        let text = |name: &HeaderName| {
            let value = head.headers.get(name).or(trailers.get(name));
            value.map(|value| value.to_str().unwrap().to_owned())
        };
        Answered {
            http: head.status.as_u16(),
            code: text(&GRPC_STATUS).unwrap_or_default(),
            said: text(&GRPC_MESSAGE).unwrap_or_default(),
            retry: text(&GRPC_STATUS_DETAILS),
            body: body.to_bytes(),
        }
    }

    fn taken(&mut self) -> Option<usize> {
        match self.events.now()? {
            Event::Exported(request) => Some(request.items()),
            other => panic!("{other:?}"),
        }
    }
}

fn span() -> Vec<u8> {
    let span = Otlp::from_json(Signal::Traces, SPAN.as_bytes());
    span.unwrap().to_protobuf()
}

fn packed(plain: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(plain).unwrap();
    let mut framed = grpc::framed(&encoder.finish().unwrap());
    framed[0] = 1;
    framed
}

fn export() -> String {
    format!("POST {TRACES}; content-type: application/grpc; te: trailers")
}

fn packed_export() -> String {
    format!("{}; grpc-encoding: gzip", export())
}

#[tokio::test]
async fn exports_of_all_signals_are_taken_plain_and_packed() {
    let mut receiver = Receiver::start(usize::MAX).await;
    for (what, body, items) in [
        (export(), grpc::framed(&span()), 1),
        (packed_export(), packed(&span()), 1),
        (packed_export(), grpc::framed(&span()), 1),
        (
            export().replace("trace.v1.Trace", "logs.v1.Logs"),
            grpc::framed(b""),
            0,
        ),
        (
            export().replace("trace.v1.Trace", "metrics.v1.Metrics"),
            grpc::framed(b""),
            0,
        ),
    ] {
        let answered = receiver.call(&what, body).await;
        assert_eq!(
            (answered.http, answered.code.as_str()),
            (200, "0"),
            "{what}"
        );
        let message = grpc::message(&answered.body).unwrap().message;
        assert_eq!(
            ExportResponse::decode(message).unwrap().partial_success,
            None
        );
        assert_eq!(receiver.taken(), Some(items), "{what}");
    }
    assert_eq!(receiver.counters.lost(), 0);
}

#[tokio::test]
async fn what_is_not_an_export_is_refused_and_says_why() {
    let mut receiver = Receiver::start(usize::MAX).await;
    let two = [grpc::framed(&span()), grpc::framed(&span())].concat();
    let large = vec![0; BODY_BYTES_MAX + 1];
    for (what, body, code, message) in [
        (export(), grpc::framed(b"{"), "3", "cannot decode traces"),
        (export(), Vec::new(), "3", "no message"),
        (export(), two, "3", "several messages"),
        (
            export(),
            b"\0\0\0\0\x09abc".to_vec(),
            "13",
            "ends too early",
        ),
        (export(), b"\x07\0\0\0\0".to_vec(), "13", "first byte"),
        (export(), packed(&span()), "13", "does not say how"),
        (
            export() + "; grpc-encoding: zstd",
            packed(&span()),
            "12",
            "\"zstd\"",
        ),
        (
            packed_export(),
            b"\x01\0\0\0\x03abc".to_vec(),
            "3",
            "cannot unpack",
        ),
        (export(), grpc::framed(&large), "8", "larger than"),
        (packed_export(), packed(&large), "8", "larger than"),
        (
            export().replace("/Export", "/Import"),
            grpc::framed(b""),
            "12",
            "no such call",
        ),
        (
            export().replace("POST", "PUT"),
            grpc::framed(b""),
            "12",
            "POST",
        ),
    ] {
        let answered = receiver.call(&what, body).await;
        assert_eq!(
            (answered.http, answered.code.as_str()),
            (200, code),
            "{what} {answered:?}"
        );
        assert!(answered.said.contains(message), "{what}: {answered:?}");
        assert_eq!(answered.retry, None, "it would be wrong again");
    }
    let wrong = export().replace("application/grpc", "application/json");
    assert_eq!(receiver.call(&wrong, Vec::new()).await.http, 415);
    assert_eq!(receiver.taken(), None);
    assert_eq!(receiver.counters.count(Counter::Undecodable), 8);
    assert_eq!(receiver.counters.count(Counter::TooLarge), 2);
}

#[tokio::test]
async fn spans_without_ids_are_left_out_and_told() {
    let mut receiver = Receiver::start(usize::MAX).await;
    let bad = SPAN.replace("eee19b7ec3c1b174", "");
    let bad = Otlp::from_json(Signal::Traces, bad.as_bytes()).unwrap();
    let answered = receiver
        .call(&export(), grpc::framed(&bad.to_protobuf()))
        .await;
    let message = grpc::message(&answered.body).unwrap().message;
    let partial = ExportResponse::decode(message).unwrap().partial_success;
    assert_eq!(partial.unwrap().rejected, 1);
    assert_eq!(receiver.taken(), Some(0));
}

#[tokio::test]
async fn a_full_inbox_says_when_to_come_again() {
    let mut receiver = Receiver::start(400).await;
    assert_eq!(
        receiver.call(&export(), grpc::framed(&span())).await.code,
        "0"
    );
    let answered = receiver.call(&export(), grpc::framed(&span())).await;
    assert_eq!(answered.code, "14");
    assert!(answered.retry.is_some());
    assert_eq!(receiver.counters.lost(), 0);
    assert_eq!(receiver.taken(), Some(1));
    assert_eq!(
        receiver.call(&export(), grpc::framed(&span())).await.code,
        "0"
    );
}

#[tokio::test]
async fn a_call_that_never_ends_is_given_up_and_others_go_on() {
    let mut receiver = Receiver::start(usize::MAX).await;
    let stream = TcpStream::connect(receiver.address).await.unwrap();
    let client = hyper::client::conn::http2::Builder::new(TokioExecutor::new());
    let (mut client, connection) = client.handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let uri = format!("http://{}{TRACES}", receiver.address);
    let request = Request::post(uri).header("content-type", "application/grpc");
    let endless = client.send_request(request.body(Endless).unwrap());
    let others = async {
        let answered = receiver.call(&export(), grpc::framed(&span())).await;
        assert_eq!(answered.code, "0");
    };
    let (response, ()) = tokio::join!(endless, others);
    let headers = response.unwrap().into_parts().0.headers;
    assert_eq!(headers[GRPC_STATUS], "4");
    assert_eq!(receiver.taken(), Some(1));
    assert_eq!(receiver.counters.count(Counter::Stalled), 1);
}

/// A body that is never there.
struct Endless;

impl hyper::body::Body for Endless {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Pending
    }
}
