//! Questions and answers: filters, paging, order, errors.

use http::{Method, StatusCode};
use serde_json::{Value, json};
use throughline_telemetry::{Signal, Span, SpanStatus};

use crate::harness::{TestServer, method};
use crate::samples::{span, traces};

const SECOND: u64 = 1_000_000_000;

async fn with_spans(spans: &[Span]) -> TestServer {
    let server = TestServer::start().await;
    let answer = server.post_protobuf(Signal::Traces, traces(spans)).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    server
}

fn ids(page: &Value) -> Vec<u64> {
    let traces = page["traces"].as_array().expect("traces").iter();
    traces
        .map(|trace| trace["trace_id"].as_str().expect("an id"))
        .map(|id| u64::from_str_radix(&id[16..], 16).expect("hexadecimal"))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_of_traces() {
    let failed = Span {
        status: SpanStatus::Error,
        status_message: "no stock".into(),
        ..span("inventory", 2, 22, 21, 21 * SECOND, 22 * SECOND)
    };
    let mut tagged = span("checkout", 3, 31, 0, 30 * SECOND, 30 * SECOND + 5_000_000);
    tagged.attributes.set("http.response.status_code", 503);
    tagged.attributes.set("cart", "a=b&c");
    let server = with_spans(&[
        span("checkout", 1, 11, 0, 10 * SECOND, 11 * SECOND),
        span("checkout", 2, 21, 0, 20 * SECOND, 23 * SECOND),
        failed,
        tagged,
    ])
    .await;
    let cases: &[(&str, &[u64])] = &[
        ("", &[3, 2, 1]),
        ("service=checkout", &[3, 2, 1]),
        ("service=inventory", &[2]),
        ("service=nobody", &[]),
        ("operation=span+21", &[2]),
        ("service=inventory&operation=span+21", &[]),
        ("status=error", &[2]),
        ("status=ok", &[3, 1]),
        ("min_duration_ms=1000", &[2, 1]),
        ("min_duration_ms=3000.5", &[]),
        ("attribute=http.response.status_code%3D503", &[3]),
        (
            "attribute=cart%3Da%3Db%26c&attribute=http.response.status_code%3D503",
            &[3],
        ),
        (
            "attribute=cart%3Da%3Db%26c&attribute=http.response.status_code%3D200",
            &[],
        ),
        ("attribute=service.name%3Dinventory", &[2]),
        ("from=20000000000", &[3, 2]),
        ("from=20000000001", &[3]),
        ("to=20000000000", &[1]),
        ("from=20000000000&to=30000000000", &[2]),
    ];
    for (query, expected) in cases {
        let page = server.json(&format!("/api/v1/traces?{query}")).await;
        assert_eq!(ids(&page), *expected, "{query}");
        assert_eq!(page["total"], expected.len(), "{query}");
        assert_eq!(page["truncated"], false, "{query}");
        assert_eq!(page["next_cursor"], Value::Null, "{query}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn paging_through_traces_meets_each_once() {
    // Several traces start at the same moment, where a cursor that is a time alone would lose some.
    let spans: Vec<Span> = (1..=23)
        .map(|id| span("s", u128::from(id), id, 0, id / 5 * SECOND, 90 * SECOND))
        .collect();
    let server = with_spans(&spans).await;
    let all = ids(&server.json("/api/v1/traces?limit=200").await);
    let mut paged = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = server
            .json(&format!("/api/v1/traces?limit=4{cursor}"))
            .await;
        assert_eq!(
            page["total"],
            23 - paged.len(),
            "what is left, this page included"
        );
        paged.extend(ids(&page));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(paged, all);
    assert_eq!(paged.len(), 23);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_trace_as_a_tree_with_its_logs() {
    let server = TestServer::start().await;
    let body = json!({"resourceSpans": [
        {"resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "checkout"}}]}, "scopeSpans": [{
            "scope": {"name": "lib", "version": "1.2"}, "spans": [
            {"traceId": "000000000000000000000000000000aa", "spanId": "0000000000000002", "parentSpanId": "0000000000000001",
             "name": "call", "kind": 3, "startTimeUnixNano": "2000", "endTimeUnixNano": "3000",
             "attributes": [{"key": "n", "value": {"intValue": "7"}}],
             "events": [{"timeUnixNano": "2500", "name": "exception", "attributes": [{"key": "exception.type", "value": {"stringValue": "Gone"}}]}],
             "links": [{"traceId": "000000000000000000000000000000bb", "spanId": "0000000000000009"}],
             "status": {"code": 2, "message": "gone"}},
            {"traceId": "000000000000000000000000000000aa", "spanId": "0000000000000001", "name": "root", "kind": 2,
             "startTimeUnixNano": "1000", "endTimeUnixNano": "5000",
             "attributes": [{"key": "throughline.phase", "value": {"stringValue": "invoke"}}, {"key": "faas.coldstart", "value": {"boolValue": true}}]}]}]},
        {"resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "orphan"}}]}, "scopeSpans": [{"spans": [
            {"traceId": "000000000000000000000000000000aa", "spanId": "0000000000000003", "parentSpanId": "00000000000000ff",
             "name": "alone", "startTimeUnixNano": "4000", "endTimeUnixNano": "9000"}]}]}]});
    let sent = server
        .post(
            "/v1/traces",
            &[("content-type", "application/json")],
            body.to_string(),
        )
        .await;
    assert_eq!(sent.status, StatusCode::OK, "{}", sent.text());
    let log = json!({"resourceLogs": [{"scopeLogs": [{"scope": {"name": "throughline.function"}, "logRecords": [
        {"timeUnixNano": "2600", "severityNumber": 17, "severityText": "ERROR", "traceId": "000000000000000000000000000000aa",
         "spanId": "0000000000000002", "body": {"kvlistValue": {"values": [{"key": "msg", "value": {"stringValue": "gone"}}]}}, "eventName": "e"},
        {"observedTimeUnixNano": "1500", "traceId": "000000000000000000000000000000aa", "body": {"stringValue": "first"}}]}]}]});
    let sent = server
        .post(
            "/v1/logs",
            &[("content-type", "application/json")],
            log.to_string(),
        )
        .await;
    assert_eq!(sent.status, StatusCode::OK, "{}", sent.text());

    let trace = server
        .json("/api/v1/traces/000000000000000000000000000000AA")
        .await;
    expect_test::expect_file!["golden/trace.json"].assert_eq(&format!("{trace:#}\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_and_paging_of_logs() {
    let server = TestServer::start().await;
    for (service, trace) in [
        ("one", "000000000000000000000000000000aa"),
        ("two", "000000000000000000000000000000bb"),
    ] {
        let records: Vec<Value> = (1..=6)
            .map(|n| json!({"timeUnixNano": (n * 10).to_string(), "severityNumber": n * 4, "traceId": trace, "body": {"stringValue": format!("{service} {n}")}}))
            .collect();
        let body = json!({"resourceLogs": [{"resource": {"attributes": [{"key": "service.name", "value": {"stringValue": service}}]},
            "scopeLogs": [{"logRecords": records}]}]});
        let sent = server
            .post(
                "/v1/logs",
                &[("content-type", "application/json")],
                body.to_string(),
            )
            .await;
        assert_eq!(sent.status, StatusCode::OK);
    }
    let cases = [
        ("", 12),
        ("service=one", 6),
        ("trace_id=000000000000000000000000000000bb", 6),
        ("service=one&trace_id=000000000000000000000000000000bb", 0),
        ("min_severity=17", 4),
        ("from=30&to=50", 4),
    ];
    for (query, expected) in cases {
        let page = server.json(&format!("/api/v1/logs?{query}")).await;
        assert_eq!(page["total"], expected, "{query}");
        assert_eq!(page["logs"].as_array().unwrap().len(), expected, "{query}");
    }
    let mut bodies = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = server.json(&format!("/api/v1/logs?limit=5{cursor}")).await;
        bodies.extend(
            page["logs"]
                .as_array()
                .unwrap()
                .iter()
                .map(|log| (log["time_unix_nanos"].clone(), log["body"].clone())),
        );
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    let times: Vec<u64> = bodies
        .iter()
        .map(|(time, _)| time.as_str().unwrap().parse().unwrap())
        .collect();
    assert!(times.is_sorted_by(|a, b| a >= b), "newest first: {times:?}");
    bodies.sort_by_key(|(_, body)| body.to_string());
    bodies.dedup();
    assert_eq!(bodies.len(), 12, "each once");
}

#[tokio::test(flavor = "multi_thread")]
async fn services_with_their_operations() {
    let failed = Span {
        status: SpanStatus::Error,
        ..span("b", 1, 3, 0, 30, 40)
    };
    let server = with_spans(&[span("b", 1, 2, 0, 10, 20), failed, span("a", 1, 1, 0, 5, 6)]).await;
    let mut services = server.json("/api/v1/services").await;
    let cost = services["cost"].take();
    assert_eq!((&cost["rows"], &cost["segments"]), (&json!(3), &json!(1)));
    let expected = json!({"services": [
        {"name": "a", "span_count": 1, "error_count": 0, "operations": ["span 1"], "last_seen_unix_nanos": "6"},
        {"name": "b", "span_count": 2, "error_count": 1, "operations": ["span 2", "span 3"], "last_seen_unix_nanos": "40"},
    ], "total": 2, "truncated": false, "cost": null});
    assert_eq!(services, expected);
    let some = server.json("/api/v1/services?from=30&to=40").await;
    assert_eq!(some["total"], 1);
    assert_eq!(some["services"][0]["span_count"], 1);
    assert_eq!(some["services"][0]["operations"], json!(["span 3"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_have_codes() {
    let server = TestServer::start().await;
    let cases = [
        (
            "/api/v1/traces?limit=201",
            400,
            "TL0201",
            "`limit` must be a whole number from 1 to 200, not `201`",
        ),
        (
            "/api/v1/services?x=1",
            400,
            "TL0201",
            "unknown parameter `x`: this endpoint takes from, to",
        ),
        (
            "/api/v1/traces/xyz",
            404,
            "TL0203",
            "nothing that is stored has the id `xyz`",
        ),
        (
            "/api/v1/traces/00000000000000000000000000000000",
            404,
            "TL0203",
            "nothing that is stored has the id `00000000000000000000000000000000`",
        ),
        (
            "/api/v1/traces/000000000000000000000000000000aa",
            404,
            "TL0203",
            "no span and no log of trace 000000000000000000000000000000aa is stored",
        ),
        (
            "/api/v1/trace",
            404,
            "TL0204",
            "no such endpoint /api/v1/trace: /api/v1/openapi.json lists them all",
        ),
        (
            "/api",
            404,
            "TL0204",
            "no such endpoint /api: /api/v1/openapi.json lists them all",
        ),
        (
            "/api/",
            404,
            "TL0204",
            "no such endpoint /api/: /api/v1/openapi.json lists them all",
        ),
        (
            "/api/v1/traces/%ff",
            400,
            "TL0202",
            "`%ff` is no id: it is not UTF-8",
        ),
    ];
    for (path, status, code, message) in cases {
        let answer = server.get(path).await;
        assert_eq!(answer.status.as_u16(), status, "{path}");
        assert_eq!(
            answer.json(),
            json!({"code": code, "message": message}),
            "{path}"
        );
    }
    let posted = method(Method::POST, server.addresses.http, "/api/v1/traces").await;
    assert_eq!(posted.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(posted.header("allow"), "GET, HEAD");
    assert_eq!(posted.json()["code"], "TL0205");
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_and_values_of_attributes() {
    let server = TestServer::start().await;
    let spans: Vec<_> = (1..=3)
        .map(|id| {
            let mut span = span("cart", 1, id, 0, 0, 1);
            let route = if id == 3 { "/pay" } else { "/cart" };
            span.attributes.set("http.route", route);
            span.attributes.set("http.size", id.cast_signed());
            span
        })
        .collect();
    server.post_protobuf(Signal::Traces, traces(&spans)).await;
    let keys = server.json("/api/v1/attributes?prefix=http").await;
    let expected = json!({"attributes": [
        {"key": "http.route", "types": ["text"], "rows": 3},
        {"key": "http.size", "types": ["int"], "rows": 3},
    ], "truncated": false});
    assert_eq!(keys, expected);
    let values = server.json("/api/v1/attributes/http.route/values").await;
    let expected = json!({"values": [
        {"value": "/cart", "type": "text", "rows": 2},
        {"value": "/pay", "type": "text", "rows": 1},
    ], "truncated": false});
    assert_eq!(values, expected);
    let values = server
        .json("/api/v1/attributes/http.route/values?prefix=/p&limit=1")
        .await;
    assert_eq!(values["values"][0]["value"], "/pay");
    let none = server.json("/api/v1/attributes?dataset=metrics").await;
    assert_eq!(none, json!({"attributes": [], "truncated": false}));
}
