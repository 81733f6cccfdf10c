//! Searching spans and logs over HTTP.

use std::sync::Arc;

use serde_json::{Value, json};
use throughline_telemetry::wire::{Request, logs_request};
use throughline_telemetry::{LogRecord, Resource, Signal, Span, SpanStatus, UnixNanos};

use crate::harness::TestServer;
use crate::samples::{span, trace_id, traces};

const SECOND: u64 = 1_000_000_000;

async fn server_with_a_shop() -> TestServer {
    let server = TestServer::start().await;
    let spans: Vec<Span> = (1..=9)
        .map(|number: u64| {
            let service = match number % 3 {
                0 => "cart",
                1 => "pay",
                _ => "mail",
            };
            let (begin, end) = (number * SECOND, number * SECOND + number * 1_000_000);
            let mut span = span(service, number.into(), number, 0, begin, end);
            span.attributes
                .set("http.response.status_code", 199 + number.cast_signed());
            span.attributes.set("user id", format!("u{}", number % 2));
            if number == 4 {
                span.status = SpanStatus::Error;
            }
            span
        })
        .collect();
    server.post_protobuf(Signal::Traces, traces(&spans)).await;
    let logs = [
        (1, 9, "Timeout of payment 77", None),
        (2, 17, "payment ord-1b2c declined", Some(5)),
        (3, 9, "payment accepted after a timeout", Some(6)),
        (4, 13, "took 1200 ms", None),
    ];
    let logs: Vec<LogRecord> = logs
        .into_iter()
        .map(|(second, severity, body, trace)| record(second, severity, body, trace))
        .collect();
    put_logs(&server, &logs).await;
    server
}

pub(crate) fn record(second: u64, severity: u8, body: &str, trace: Option<u128>) -> LogRecord {
    let resource = [("service.name", "pay"), ("faas.name", "charge")];
    LogRecord {
        time: UnixNanos(second * SECOND),
        observed_time: UnixNanos(second * SECOND),
        severity_number: severity,
        severity_text: String::new(),
        body: body.into(),
        attributes: [("faas.invocation_id", format!("r-{second}"))]
            .into_iter()
            .collect(),
        trace_id: trace.map(trace_id),
        span_id: None,
        event_name: String::new(),
        resource: Arc::new(Resource {
            attributes: resource.into_iter().collect(),
        }),
        scope: Arc::default(),
    }
}

pub(crate) async fn put_logs(server: &TestServer, logs: &[LogRecord]) {
    let body = Request::Logs(logs_request(logs)).to_protobuf();
    let answer = server.post_protobuf(Signal::Logs, body).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
}

fn numbers(page: &Value, list: &str, field: &str) -> Vec<u64> {
    let rows = page[list].as_array().expect("rows").iter();
    let nanos = rows.map(|row| {
        row[field]
            .as_str()
            .and_then(|text| text.parse::<u64>().ok())
    });
    nanos.map(|nanos| nanos.expect("a time") / SECOND).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn spans_are_found_by_anything() {
    let server = server_with_a_shop().await;
    let cases: &[(&str, &[u64])] = &[
        ("", &[9, 8, 7, 6, 5, 4, 3, 2, 1]),
        ("order=oldest&limit=2", &[1, 2]),
        ("service=pay", &[7, 4, 1]),
        ("service=pay&status=error", &[4]),
        ("name=span+3", &[3]),
        ("min_duration_ms=2&max_duration_ms=3.5", &[3, 2]),
        ("where=http.response.status_code%3E206", &[9, 8]),
        (
            "where=http.response.status_code%3E%3D206&where=service!=mail",
            &[9, 7],
        ),
        ("where=%22user+id%22=u1&service=cart", &[9, 3]),
        (
            "where=service+in+[%22cart%22,%22mail%22]&where=name~[35]$",
            &[5, 3],
        ),
        ("where=nobody+exists", &[]),
        ("from=3000000000&to=5000000000", &[4, 3]),
        ("trace_id=00000000000000000000000000000007", &[7]),
        ("kind=client", &[]),
    ];
    for (query, expected) in cases {
        let page = server.json(&format!("/api/v1/spans?{query}")).await;
        assert_eq!(
            numbers(&page, "spans", "start_unix_nanos"),
            *expected,
            "{query}"
        );
        if !query.contains("limit") {
            assert_eq!(page["total"], expected.len(), "{query}");
        }
        assert_eq!(page["truncated"], false, "{query}");
    }
    let page = server.json("/api/v1/spans?service=pay&limit=1").await;
    assert_eq!(
        (&page["total"], &page["cost"]["segments"]),
        (&json!(3), &json!(1))
    );
    assert_eq!(page["cost"]["rows"], 9);
    let row = &page["spans"][0];
    assert_eq!(row["attributes"]["user id"], "u1");
    assert_eq!(row["resource"]["attributes"]["service.name"], "pay");
}

#[tokio::test(flavor = "multi_thread")]
async fn logs_are_found_by_words_and_by_all_else() {
    let server = server_with_a_shop().await;
    let cases: &[(&str, &[u64])] = &[
        ("q=timeout+payment", &[3, 1]),
        ("q=%22timeout+of%22", &[1]),
        ("q=ORD-1b2c", &[2]),
        ("q=1b2", &[]),
        ("q=payment+-timeout", &[2]),
        ("q=/took+%5Cd%7B4%7D/", &[4]),
        ("min_severity=13", &[4, 2]),
        ("function=charge&order=oldest&limit=2", &[1, 2]),
        ("request_id=r-3", &[3]),
        ("trace_id=00000000000000000000000000000005", &[2]),
        ("where=body+contains+ment+a", &[3]),
        ("service=nobody", &[]),
    ];
    for (query, expected) in cases {
        let page = server.json(&format!("/api/v1/logs?{query}")).await;
        assert_eq!(
            numbers(&page, "logs", "time_unix_nanos"),
            *expected,
            "{query}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_come_as_json_and_pages_follow_each_other() {
    let server = server_with_a_shop().await;
    let mut question = json!({
        "filters": [{"or": [
            {"column": "service", "op": "=", "value": "pay"},
            {"not": {"column": "http.response.status_code", "op": "<", "value": 207}},
        ]}],
        "limit": 2, "count": "all",
    });
    let mut found = Vec::new();
    for total in [5, 3, 1] {
        let answer = server
            .post_api("/api/v1/search", &[], question.to_string())
            .await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let page = answer.json();
        assert_eq!(page["total"], total);
        found.extend(numbers(&page, "spans", "start_unix_nanos"));
        question["cursor"] = page["next_cursor"].clone();
    }
    assert_eq!(question["cursor"], Value::Null);
    assert_eq!(found, [9, 8, 7, 4, 1]);
    let words = json!({"dataset": "logs", "q": "declined"}).to_string();
    let page = server.post_api("/api/v1/search", &[], words).await.json();
    assert_eq!(numbers(&page, "logs", "time_unix_nanos"), [2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_meant_is_refused() {
    let server = server_with_a_shop().await;
    let asked = [
        ("spans?where=novalue", "TL0201", "must be written key=value"),
        ("spans?where=name~(", "TL0210", "no regular expression"),
        (
            "spans?where=http.response.status_code=many",
            "TL0210",
            "holds numbers, and `many` is none",
        ),
        (
            "spans?order=best",
            "TL0201",
            "must be one of newest, oldest",
        ),
        ("spans?cursor=7", "TL0201", "`cursor` must be"),
        ("logs?q=%22open", "TL0201", "has no end"),
    ];
    for (path, code, message) in asked {
        let answer = server.get(&format!("/api/v1/{path}")).await;
        let error = answer.json();
        assert_eq!(
            (answer.status.as_u16(), &error["code"]),
            (400, &json!(code)),
            "{path}"
        );
        assert!(
            error["message"].as_str().unwrap().contains(message),
            "{error}"
        );
    }
    let posted = [
        (
            json!({"dataset": "metrics"}),
            "spans and logs can be searched",
        ),
        (json!({"q": "words"}), "only log records have words"),
        (json!({"filters": [{"column": "a", "op": "like"}]}), "like"),
        (json!({"limit": 0}), "`limit` must be from 1 to 1000"),
        (json!({"from": "soon"}), "Unix nanoseconds"),
    ];
    for (question, message) in posted {
        let answer = server
            .post_api("/api/v1/search", &[], question.to_string())
            .await;
        let error = answer.json();
        assert_eq!(
            (answer.status.as_u16(), &error["code"]),
            (400, &json!("TL0210"))
        );
        assert!(
            error["message"].as_str().unwrap().contains(message),
            "{error}"
        );
    }
}
