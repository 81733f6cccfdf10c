//! One user action by any id that belongs to it.

use http::StatusCode;
use serde_json::{Value, json};
use throughline_telemetry::correlation::{COST_USD, IN_PATH, INVOCATION_ID, LINK_IN, LINK_OUT};
use throughline_telemetry::{self as telemetry, Signal, Span, SpanKind};

use crate::harness::TestServer;
use crate::samples::{span, trace_id, traces};

const MILLI: u64 = 1_000_000;
const SECOND: u64 = 1000 * MILLI;

fn list(texts: &[&str]) -> telemetry::Value {
    let texts = texts
        .iter()
        .map(|text| telemetry::Value::String((*text).to_owned()));
    telemetry::Value::Array(texts.collect())
}

/// Two functions and the queue between them, each in a trace of its own.
fn order(number: u64) -> [Span; 3] {
    let begin = number * 100 * SECOND;
    let trace = u128::from(number) << 8;
    let first = number * 10;
    let mut place = span(
        "place-order",
        trace + 1,
        first + 1,
        0,
        begin,
        begin + SECOND,
    );
    place
        .attributes
        .set(INVOCATION_ID, format!("request-{number}-a"));
    place.attributes.set("order.id", format!("ord-{number}"));
    place.attributes.set("order.uuid", order_uuid(number));
    place
        .attributes
        .set("order.number", 1_000_000 + number.cast_signed());
    place.attributes.set(COST_USD, 0.5);
    let mut send = span(
        "place-order",
        trace + 1,
        first + 2,
        first + 1,
        begin + 10,
        begin + 20,
    );
    send.kind = SpanKind::Producer;
    send.attributes.set(
        LINK_OUT,
        list(&[&format!("sqs:m-{number}"), "sqsbody:same"]),
    );
    let took = begin + 2 * SECOND;
    let mut notify = span("notify", trace + 2, first + 3, 0, took, took + SECOND);
    let request = format!("request-{number}-b");
    let keys = [
        format!("sqs:m-{number}"),
        "sqsbody:same".to_owned(),
        format!("lam:{request}"),
    ];
    notify
        .attributes
        .set(LINK_IN, list(&keys.each_ref().map(String::as_str)));
    let accepted = begin / MILLI + 500;
    let path = format!("queue:orders@{accepted}#sqs:m-{number}");
    notify.attributes.set(IN_PATH, list(&[&path]));
    notify.attributes.set(INVOCATION_ID, request);
    [place, send, notify]
}

/// Looks like the id of a trace.
fn order_uuid(number: u64) -> String {
    format!("5eed{number:028x}")
}

async fn with_orders() -> TestServer {
    let server = TestServer::start().await;
    for number in 1..=12 {
        // What goes on comes first.
        let mut spans = order(number);
        spans.reverse();
        for span in spans {
            let answer = server.post_protobuf(Signal::Traces, traces(&[span])).await;
            assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        }
    }
    let log = json!({"resourceLogs": [{"scopeLogs": [{"logRecords": [{
        "timeUnixNano": "300000000001", "severityNumber": 9, "traceId": trace_id(3 << 8 | 1).to_string(),
        "body": {"stringValue": "parcel PX-77 is packed"},
    }]}]}]});
    server
        .post(
            "/v1/logs",
            &[("content-type", "application/json")],
            log.to_string(),
        )
        .await;
    server
}

#[tokio::test]
async fn how_long_messages_waited_is_summed_up_by_queue() {
    let server = with_orders().await;
    let asked = |from: u64, to: u64| format!("/api/v1/waits?from={from}&to={to}");
    let all = server.json(&asked(0, 2000 * SECOND)).await;
    assert_eq!(crate::openapi::problems("WaitList", &all), "");
    let wait = json!({"id": "queue:orders", "count": 12, "p50_ms": 1500.0, "longest_ms": 1500.0});
    assert_eq!(all["waits"], json!([wait]));
    assert_eq!(
        (&all["span_count"], &all["truncated"]),
        (&json!(12), &json!(false))
    );
    let one = server.json(&asked(100 * SECOND, 200 * SECOND)).await;
    assert_eq!(one["waits"][0]["count"], 1);
    let elsewhere = asked(0, 2000 * SECOND) + "&environment=staging";
    assert_eq!(server.json(&elsewhere).await["waits"], json!([]));
    let wrong = server.get("/api/v1/waits?from=2&to=1&queue=a").await;
    assert_eq!(wrong.status, StatusCode::BAD_REQUEST);
}

/// Names, depths and how they are joined.
fn tree(story: &Value) -> Vec<(String, u64, Option<String>)> {
    let spans = story["spans"].as_array().expect("spans").iter();
    let rows = spans.map(|span| {
        (
            span["name"].as_str().expect("a name").to_owned(),
            span["depth"].as_u64().expect("a depth"),
            span["join"]["how"].as_str().map(str::to_owned),
        )
    });
    rows.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_action_is_found_whole_by_any_id_that_belongs_to_it() {
    let server = with_orders().await;
    let [a, b] = [1, 2].map(|trace| trace_id(3 << 8 | trace).to_string());
    let xray = format!("1-{}-{}", &b[..8], &b[8..]);
    let attribute = |name: &str| ("attribute", Some(name.to_owned()));
    let key = ("key", Some("sqs:m-3".to_owned()));
    let cases = [
        (a.as_str(), ("trace", None)),
        (&b, ("trace", None)),
        (&xray, ("trace", None)),
        ("request-3-a", ("request", None)),
        ("request-3-b", ("request", None)),
        ("sqs:m-3", key.clone()),
        ("sqs%3Am-3", key.clone()),
        ("m-3", key),
        ("ord-3", attribute("order.id")),
        ("1000003", attribute("order.number")),
        ("PX-77", ("log", None)),
    ];
    for (id, (what, name)) in cases {
        let story = server.json(&format!("/api/v1/traces/{id}")).await;
        assert_eq!(
            story["found_by"],
            json!({"what": what, "name": name}),
            "{id}"
        );
        let tree = tree(&story);
        let names: Vec<(&str, u64)> = tree.iter().map(|it| (it.0.as_str(), it.1)).collect();
        let expected = [
            ("span 31", 0),
            ("span 32", 1),
            ("queue orders", 2),
            ("span 33", 3),
        ];
        assert_eq!(names, expected, "{id}");
        assert_eq!(tree[3].2.as_deref(), Some("matched"));
        assert_eq!(
            (&story["span_count"], &story["root_name"]),
            (&json!(3), &json!("span 31"))
        );
        assert_eq!(story["logs"].as_array().map(Vec::len), Some(1), "{id}");
        let asked = if what == "trace" && id != a { &b } else { &a };
        assert!(
            ["key", "request"].contains(&what) || story["trace_id"] == **asked,
            "{id}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_looks_like_a_trace_is_a_value_only_for_those_who_ask_for_it() {
    let server = with_orders().await;
    let path = format!("/api/v1/traces/{}", order_uuid(3));
    for unknown in [path.clone(), format!("{path}?anywhere=false")] {
        let answer = server.get(&unknown).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{unknown}");
    }
    let story = server.json(&format!("{path}?anywhere=true")).await;
    let by = json!({"what": "attribute", "name": "order.uuid"});
    assert_eq!((&story["found_by"], &story["span_count"]), (&by, &json!(3)));
    let answer = server.get(&format!("{path}?anywhere=maybe")).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_story_says_of_its_spans() {
    let server = with_orders().await;
    let story = server.json("/api/v1/traces/ord-3").await;
    let [a, b] = [1, 2].map(|trace| trace_id(3 << 8 | trace).to_string());
    assert_eq!(story["trace_ids"], json!([a, b]));
    let id = |number: u64| format!("{number:016x}");
    let join = json!({
        "from": {"trace_id": a, "span_id": id(32)}, "to": {"trace_id": b, "span_id": id(33)},
        "how": "matched", "key": "sqs:m-3",
    });
    assert_eq!(story["joins"], json!([join]));
    assert_eq!(story["attempts"], json!([]));
    assert_eq!(
        story["left_out"],
        json!({"trace_count": 0, "partial": false})
    );
    let cost = json!({"usd": 0.5, "reported": 1, "missing": 1});
    assert_eq!(story["cost"], cost);
    let spans = &story["spans"];
    assert_eq!(
        spans[0]["cost"],
        json!({"usd": 0.5, "with_all_below": cost})
    );
    let own = json!({"usd": null, "with_all_below": {"usd": 0.0, "reported": 0, "missing": 1}});
    assert_eq!((&spans[1]["cost"], &spans[3]["cost"]), (&Value::Null, &own));
    let queue = &spans[2];
    assert_eq!(
        (&queue["inferred"], &queue["service"]),
        (&json!(true), &json!("orders"))
    );
    assert_eq!(queue["parent_span_id"], id(32));
    assert_eq!(
        queue["start_unix_nanos"],
        (300 * SECOND + 500 * MILLI).to_string()
    );
    assert_eq!(queue["duration_nanos"], (1500 * MILLI).to_string());
    let notify = &spans[3];
    assert_eq!((&notify["join"], &notify["trace_id"]), (&join, &json!(b)));
    assert_eq!(notify["parent_span_id"], queue["span_id"]);
    assert_eq!(
        (&notify["sent_parent_span_id"], &notify["attempt"]),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(notify["parent_missing"], false);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_id_is_said() {
    let server = with_orders().await;
    let many = "no id: GET /api/v1/traces lists them by attribute";
    let cases = [
        (
            "ord-99".to_owned(),
            404,
            "TL0203",
            "nothing that is stored has the id `ord-99`",
        ),
        (
            "request-9".to_owned(),
            404,
            "TL0203",
            "nothing that is stored has",
        ),
        ("place-order".to_owned(), 400, "TL0202", many),
        ("sqsbody:same".to_owned(), 400, "TL0202", many),
        (
            "x".repeat(2049),
            400,
            "TL0202",
            "it has more than 2048 bytes",
        ),
        (
            format!("{}?x=1", trace_id(257)),
            400,
            "TL0201",
            "unknown parameter `x`",
        ),
    ];
    for (id, status, code, message) in cases {
        let answer = server.get(&format!("/api/v1/traces/{id}")).await;
        assert_eq!(answer.status.as_u16(), status, "{id}");
        let said = answer.json();
        assert_eq!(said["code"], code, "{id}");
        let text = said["message"].as_str().expect("a message");
        assert!(text.contains(message), "{text}");
    }
}
