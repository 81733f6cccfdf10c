//! What the server says of itself.

use http::StatusCode;
use serde_json::json;
use throughline_server::Limits;
use throughline_telemetry::Signal;

use crate::harness::{Answer, TestServer};
use crate::samples::{one_as_json, one_as_protobuf};

/// The value of a metric, with its labels.
fn value(answer: &Answer, metric: &str) -> f64 {
    let text = answer.text();
    let line = text.lines().find_map(|line| line.strip_prefix(metric));
    let line = line.unwrap_or_else(|| panic!("no {metric} in\n{text}"));
    line.trim().parse().expect("a number")
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_taken_refused_and_asked_is_counted() {
    let server = TestServer::start().await;
    for signal in [Signal::Traces, Signal::Traces, Signal::Logs] {
        let body = one_as_protobuf(signal, "shop");
        assert_eq!(server.post_protobuf(signal, body).await.status, 200);
    }
    let refused = server.post_protobuf(Signal::Logs, "no protobuf").await;
    assert_eq!(refused.status, 400);
    let json = [("content-type", "text/html")];
    let body = one_as_json(Signal::Logs, "shop");
    assert_eq!(server.post("/v1/logs", &json, body).await.status, 415);
    server
        .export(Signal::Metrics, None, "no")
        .await
        .unwrap_err();
    for (sql, status) in [("select 1", 200), ("select", 400)] {
        let asked = json!({"sql": sql}).to_string();
        let answer = server.post_api("/api/v1/sql", &[], asked).await;
        assert_eq!(answer.status, status, "{}", answer.text());
    }

    let metrics = server.get("/metrics").await;
    assert_eq!(metrics.status, 200);
    let content_type = metrics.header("content-type");
    assert_eq!(content_type, "text/plain; version=0.0.4; charset=utf-8");
    for (metric, expected) in [
        (
            r#"throughline_accepted_requests_total{signal="traces"}"#,
            2.0,
        ),
        (r#"throughline_accepted_requests_total{signal="logs"}"#, 1.0),
        (
            r#"throughline_accepted_requests_total{signal="metrics"}"#,
            0.0,
        ),
        (r#"throughline_buffered_rows{signal="traces"}"#, 2.0),
        (
            r#"throughline_refused_requests_total{reason="malformed"}"#,
            2.0,
        ),
        (
            r#"throughline_refused_requests_total{reason="unknown_content_type"}"#,
            1.0,
        ),
        (
            r#"throughline_refused_requests_total{reason="overloaded"}"#,
            0.0,
        ),
        (r#"throughline_ack_seconds_bucket{le="+Inf"}"#, 3.0),
        ("throughline_ack_seconds_count", 3.0),
        (r#"throughline_queries_total{outcome="answered"}"#, 1.0),
        (r#"throughline_queries_total{outcome="failed"}"#, 1.0),
        ("throughline_queries_open", 0.0),
        ("throughline_wal_files", 1.0),
        ("throughline_damaged_segments", 0.0),
    ] {
        assert_eq!(value(&metrics, metric), expected, "{metric}");
    }
    for positive in [
        "throughline_wal_bytes ",
        "throughline_uptime_seconds",
        "throughline_disk_free_bytes",
    ] {
        assert!(value(&metrics, positive) > 0.0, "{positive}");
    }

    let status = server.json("/api/v1/status").await;
    assert_eq!(status["signals"][0]["accepted_rows"], 2);
    assert_eq!(status["refusals"]["malformed"], 2);
    assert_eq!(status["acknowledgements"]["count"], 3);
    assert!(status["acknowledgements"]["p99_ms"].as_f64().unwrap() > 0.0);
    assert_eq!(status["queries"]["answered"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn they_need_the_key_as_all_data_does() {
    let server = TestServer::start_with(Some("s3cret"), Limits::default()).await;
    for path in ["/metrics", "/api/v1/status"] {
        assert_eq!(
            server.get(path).await.status,
            StatusCode::UNAUTHORIZED,
            "{path}"
        );
        let keyed = ("authorization", "Bearer s3cret");
        assert_eq!(server.get_with(path, keyed).await.status, 200, "{path}");
    }
}

/// They are asked for when the server is in trouble.
#[tokio::test(flavor = "multi_thread")]
async fn they_answer_when_no_read_has_its_turn() {
    let limits = Limits {
        reads_max: 0,
        ..Limits::default()
    };
    let server = TestServer::start_with(None, limits).await;
    for path in ["/metrics", "/api/v1/status"] {
        assert_eq!(server.get(path).await.status, 200, "{path}");
    }
}
