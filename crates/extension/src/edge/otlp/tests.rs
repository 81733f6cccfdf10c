use std::io::Write;
use std::net::SocketAddr;
use std::sync::Arc;

use http_body_util::BodyExt;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use throughline_telemetry::wire::Request as Otlp;

use throughline_extension::Event;
use throughline_extension::counters::{Counter, Counters};

use super::super::inbox::{Inbox, Outlet};
use super::*;

const SPAN: &str = r#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174","name":"hello"}]}]}]}"#;

struct Receiver {
    address: SocketAddr,
    events: Outlet,
    counters: Arc<Counters>,
}

impl Receiver {
    async fn start() -> Self {
        Receiver::with_room(usize::MAX).await
    }

    async fn with_room(bytes_max: usize) -> Self {
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

    /// `METHOD path; header: value; ...` and a body; gives the status, the type and the body.
    async fn send(&self, what: &str, body: Vec<u8>) -> (u16, String, Bytes) {
        let mut parts = what.split("; ");
        let (method, path) = parts.next().unwrap().split_once(' ').unwrap();
        let uri = format!("http://{}{path}", self.address);
        let mut request = Request::builder().method(method).uri(uri);
        for part in parts {
            let (name, value) = part.split_once(": ").unwrap();
            request = request.header(name, value);
        }
        let request = request.body(Full::new(Bytes::from(body))).unwrap();
        let client = Client::builder(TokioExecutor::new()).build_http();
        let (head, body) = client.request(request).await.unwrap().into_parts();
        let kind = header(&head.headers, &CONTENT_TYPE).to_owned();
        (
            head.status.as_u16(),
            kind,
            body.collect().await.unwrap().to_bytes(),
        )
    }

    fn taken(&mut self) -> Option<usize> {
        match self.events.now()? {
            Event::Exported(request) => Some(request.items()),
            other => panic!("{other:?}"),
        }
    }
}

fn packed(plain: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

const JSON: &str = "POST /v1/traces; content-type: application/json";
const PROTOBUF: &str = "POST /v1/traces; content-type: application/x-protobuf";

#[tokio::test]
async fn both_encodings_are_taken_and_answered_alike() {
    let mut receiver = Receiver::start().await;
    let (status, kind, body) = receiver.send(JSON, SPAN.into()).await;
    assert_eq!(
        (status, kind.as_str(), &body[..]),
        (200, "application/json", &b"{}"[..])
    );
    assert_eq!(receiver.taken(), Some(1));

    let protobuf = Otlp::from_json(Signal::Traces, SPAN.as_bytes())
        .unwrap()
        .to_protobuf();
    for (what, body) in [
        (PROTOBUF.to_owned(), protobuf.clone()),
        (
            format!("{PROTOBUF}; content-encoding: gzip"),
            packed(&protobuf),
        ),
    ] {
        let (status, kind, body) = receiver.send(&what, body).await;
        assert_eq!(
            (status, kind.as_str()),
            (200, "application/x-protobuf"),
            "{what}"
        );
        assert_eq!(ExportResponse::decode(body).unwrap().partial_success, None);
        assert_eq!(receiver.taken(), Some(1));
    }
}

#[tokio::test]
async fn what_is_not_otlp_is_refused_and_says_why() {
    let mut receiver = Receiver::start().await;
    for (what, body, expected, message) in [
        (JSON, "{".into(), 400, "cannot decode traces as JSON"),
        (
            PROTOBUF,
            "{".into(),
            400,
            "cannot decode traces as protobuf",
        ),
        (
            "POST /v1/traces; content-type: text/plain",
            "x".into(),
            415,
            "content type \"text/plain\"",
        ),
        ("POST /v1/traces", "x".into(), 415, "content type \"\""),
        (
            "POST /v1/traces; content-type: application/json; content-encoding: br",
            "x".into(),
            415,
            "\"br\"",
        ),
        (
            "POST /v1/traces; content-type: application/json; content-encoding: gzip",
            "x".into(),
            400,
            "cannot unpack",
        ),
        (
            "POST /v1/profiles; content-type: application/json",
            "{}".into(),
            404,
            "no such path",
        ),
        ("GET /v1/traces", Vec::new(), 405, "POST"),
        (JSON, vec![b' '; BODY_BYTES_MAX + 1], 413, "larger than"),
        (
            "POST /v1/traces; content-type: application/json; content-encoding: gzip",
            packed(&vec![b' '; BODY_BYTES_MAX + 1]),
            413,
            "larger than",
        ),
    ] {
        let (status, kind, body) = receiver.send(what, body).await;
        assert_eq!(status, expected, "{what}");
        let said = match kind.as_str() {
            "application/json" => String::from_utf8(body.to_vec()).unwrap(),
            _ => Status::decode(body).unwrap().message,
        };
        let said = said.replace('\\', "");
        assert!(said.contains(message), "{what}: {said}");
    }
    assert_eq!(receiver.taken(), None);
    assert_eq!(receiver.counters.count(Counter::Undecodable), 6);
    assert_eq!(receiver.counters.count(Counter::TooLarge), 2);
}

#[tokio::test]
async fn spans_without_ids_are_left_out_and_told() {
    let mut receiver = Receiver::start().await;
    let bad = SPAN.replace("eee19b7ec3c1b174", "");
    let (status, _, body) = receiver.send(JSON, bad.into()).await;
    assert_eq!(status, 200);
    let said = String::from_utf8(body.to_vec()).unwrap();
    assert!(said.contains(r#""rejectedSpans":"1""#), "{said}");
    assert_eq!(receiver.taken(), Some(0));
    assert_eq!(receiver.counters.count(Counter::NoId), 1);
}

#[tokio::test]
async fn a_full_inbox_asks_to_come_again() {
    let each = 256 + SPAN.len() * throughline_extension::intake::GROWTH_USUAL;
    let mut receiver = Receiver::with_room(2 * each + each / 2).await;
    for expected in [200, 200, 503] {
        assert_eq!(receiver.send(JSON, SPAN.into()).await.0, expected);
    }
    assert_eq!(receiver.counters.lost(), 0);
    assert_eq!(receiver.taken(), Some(1));
    assert_eq!(receiver.send(JSON, SPAN.into()).await.0, 200, "room again");
}

#[tokio::test]
async fn when_nobody_takes_anything_any_more_the_function_need_not_try_again() {
    let mut receiver = Receiver::start().await;
    receiver.events.close();
    assert_eq!(receiver.send(JSON, SPAN.into()).await.0, 200);
    assert_eq!(receiver.counters.count(Counter::QueueFull), 1);
}
