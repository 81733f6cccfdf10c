use std::sync::Arc;

use http_body_util::BodyExt;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use throughline_extension::Event;
use throughline_extension::counters::Counters;

use super::super::inbox::{Inbox, Outlet};
use super::*;

const DOCUMENT: &str = r#"{"trace_id":"1-5f35ae12-0c0fec141ab77a00bc047aa2","id":"70de5b6f19ff9a0a","start_time":1597353490.5,"end_time":1597353491,"name":"x"}"#;

fn intake() -> (Intake, Outlet) {
    let (inbox, events) = Inbox::with_room(1 << 20, 0);
    let counters = Arc::new(Counters::default());
    (Intake { inbox, counters }, events)
}

async fn items(events: &mut Outlet) -> usize {
    match events.next().await {
        Some(Event::Exported(request)) => request.items(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn datagrams_become_spans_and_bad_ones_are_counted() {
    let (intake, mut events) = intake();
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    tokio::spawn(receive(socket, Open::default(), intake.clone()));
    let client = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let good = format!("{{\"format\": \"json\", \"version\": 1}}\n{DOCUMENT}");
    for datagram in ["", "nonsense", &good] {
        client.send_to(datagram.as_bytes(), address).await.unwrap();
    }
    assert_eq!(items(&mut events).await, 1);
    assert_eq!(intake.counters.count(Counter::BadSegment), 2);
}

#[tokio::test]
async fn calls_are_answered_and_documents_in_them_taken() {
    let (intake, mut events) = intake();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(answer(listener, Open::default(), intake.clone()));
    let client = Client::builder(TokioExecutor::new()).build_http();
    let documents = serde_json::json!({"TraceSegmentDocuments": [DOCUMENT, DOCUMENT]}).to_string();
    for (path, body, status, said) in [
        ("GetSamplingRules", "{}", 200, r#""SamplingRuleRecords":[]"#),
        (
            "SamplingTargets",
            "{}",
            200,
            r#""SamplingTargetDocuments":[]"#,
        ),
        (
            "TraceSegments",
            &documents,
            200,
            r#""UnprocessedTraceSegments":[]"#,
        ),
        (
            "TraceSegments",
            r#"{"TraceSegmentDocuments":["#,
            200,
            "UnprocessedTraceSegments",
        ),
        (
            "TraceSegments",
            r#"{"TraceSegmentDocuments":[7,"no document"]}"#,
            200,
            "UnprocessedTraceSegments",
        ),
        ("Others", "{}", 404, ""),
    ] {
        let request = Request::post(format!("http://{address}/{path}"));
        let request = request.body(Full::new(Bytes::from(body.to_owned())));
        let response = client.request(request.unwrap()).await.unwrap();
        assert_eq!(response.status(), status, "{path}");
        let body = response.into_body().collect().await.unwrap().to_bytes();
        let body = String::from_utf8(body.to_vec()).unwrap();
        assert!(body.contains(said), "{path}: {body}");
    }
    assert_eq!(items(&mut events).await, 1);
    assert_eq!(items(&mut events).await, 1);
    assert_eq!(intake.counters.count(Counter::BadSegment), 3);
}
