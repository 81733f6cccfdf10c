//! Envelopes read back from CloudWatch Logs.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use http::StatusCode;
use serde_json::{Value, json};
use throughline_server::Limits;
use throughline_telemetry::Signal;

use crate::harness::{Answer, TestServer, url};
use crate::samples::{gzip, one_as_protobuf, span, traces};

/// An envelope of the extension with batch `number`, which has one span of that number.
fn envelope(number: u64) -> String {
    let body = traces(&[span("shop", u128::from(number), number, 0, 1, 2)]);
    json!({
        "__otel_otlp_stdout": "throughline-extension@0.1.0", "source": "checkout",
        "endpoint": "http://localhost:4318/v1/traces", "method": "POST",
        "content-type": "application/x-protobuf", "content-encoding": "gzip",
        "headers": {
            "x-throughline-environment": "e-1", "x-throughline-sequence": number.to_string(),
            "x-throughline-function": "checkout",
            "x-throughline-ledger": r#"{"v":1,"revision":9,"sealed":4,"accepted":4,"delivered":1,"printed":3,"final":true}"#,
        },
        "payload": BASE64.encode(gzip(&body)), "base64": true, "level": "INFO",
    })
    .to_string()
}

async fn send(server: &TestServer, body: impl Into<bytes::Bytes>) -> Answer {
    server
        .post_api(
            "/api/v1/cloudwatch",
            &[("content-type", "text/plain")],
            body,
        )
        .await
}

async fn checkout(server: &TestServer) -> (String, Vec<Value>) {
    let answer = server.json("/api/v1/completeness?function=checkout").await;
    let function = &answer["functions"][0];
    let complete = function["complete"].as_str().unwrap_or_default().to_owned();
    (
        complete,
        function["missing"].as_array().cloned().unwrap_or_default(),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_printed_comes_back_once() {
    let server = TestServer::start().await;
    let lines = format!(
        "START RequestId: 1\n{}\nhello\n{}\n",
        envelope(1),
        envelope(3)
    );
    let first = send(&server, lines.clone()).await;
    assert_eq!(first.status, StatusCode::OK, "{}", first.text());
    let told = |stored: u64, duplicates: u64| {
        json!({"lines": 4, "envelopes": 2, "metrics": 0, "stored": stored, "duplicates": duplicates,
               "items": stored.to_string(), "problems": [], "problems_total": 0})
    };
    assert_eq!(first.json(), told(2, 0));
    assert_eq!(send(&server, lines).await.json(), told(0, 2));
    let (complete, missing) = checkout(&server).await;
    assert_eq!(complete, "50.00");
    let named: Vec<_> = missing
        .iter()
        .map(|gap| (gap["first"].as_u64(), gap["why"].as_str()))
        .collect();
    assert_eq!(
        named,
        [(Some(2), Some("printed")), (Some(4), Some("printed"))]
    );
    send(&server, format!("{}\n{}\n", envelope(2), envelope(4))).await;
    assert_eq!(checkout(&server).await, ("100.00".to_owned(), vec![]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_line_costs_no_other() {
    let server = TestServer::start().await;
    let whole = envelope(1);
    let not_otlp = envelope(2).replace("\"payload\":\"", "\"payload\":\"AAAA");
    let lines = format!(
        "{}\n{not_otlp}\n{}\n{whole}\n",
        &whole[..whole.len() - 20],
        whole.replace("/v1/traces", "/v1/x")
    );
    let answer = send(&server, lines).await;
    assert_eq!(answer.status, StatusCode::OK);
    let answer = answer.json();
    assert_eq!(
        (&answer["stored"], &answer["problems_total"]),
        (&json!(1), &json!(3))
    );
    let mut told: Vec<(u64, &str)> = answer["problems"]
        .as_array()
        .unwrap()
        .iter()
        .map(|problem| {
            (
                problem["line"].as_u64().unwrap(),
                problem["code"].as_str().unwrap(),
            )
        })
        .collect();
    told.sort_unstable();
    assert_eq!(told, [(1, "TL0311"), (2, "TL0301"), (3, "TL0311")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn envelopes_of_other_writers_are_stored_once_without_numbers() {
    let server = TestServer::start().await;
    let mut lines = String::new();
    for signal in Signal::ALL {
        let payload = BASE64.encode(one_as_protobuf(signal, "other"));
        lines += &format!(
            "2026-11-21T00:24:00.205Z\t7\tINFO\t{{\"__otel_otlp_stdout\":\"0.16.0\",\"endpoint\":\"http://localhost:4318/v1/{signal}\",\"payload\":\"{payload}\",\"base64\":true}}\n"
        );
    }
    // Twice in one delivery, and then in another.
    lines += &lines.clone();
    for (stored, duplicates) in [(3, 3), (0, 6)] {
        let answer = send(&server, lines.clone()).await.json();
        let told = (&answer["stored"], &answer["duplicates"], &answer["items"]);
        let items = stored.to_string();
        assert_eq!(told, (&json!(stored), &json!(duplicates), &json!(items)));
    }
    assert_eq!(server.json("/api/v1/logs?service=other").await["total"], 1);
    assert_eq!(server.json("/api/v1/completeness").await["total"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn firehose_hears_what_it_wants_to() {
    let server = TestServer::start_with(Some("s3cret"), Limits::default()).await;
    let data = json!({"messageType": "DATA_MESSAGE", "logEvents": [{"message": envelope(1)}, {"message": "other"}]});
    let record = BASE64.encode(gzip(data.to_string().as_bytes()));
    let body =
        json!({"requestId": "r-7", "timestamp": 1, "records": [{"data": record}]}).to_string();
    let send = async |key: &'static str, body: &str| {
        let headers = [
            ("content-type", "application/json"),
            ("x-amz-firehose-protocol-version", "1.0"),
            ("x-amz-firehose-request-id", "r-7"),
            ("x-amz-firehose-access-key", key),
            ("content-encoding", "gzip"),
        ];
        server
            .post_api("/api/v1/cloudwatch", &headers, gzip(body.as_bytes()))
            .await
    };
    assert_eq!(send("wrong", &body).await.status, StatusCode::UNAUTHORIZED);
    let answer = send("s3cret", &body).await;
    assert_eq!(
        (answer.status, answer.header("content-type")),
        (StatusCode::OK, "application/json")
    );
    let answer = answer.json();
    assert_eq!(answer["requestId"], "r-7");
    assert!(
        answer["timestamp"]
            .as_u64()
            .is_some_and(|millis| millis > 1_700_000_000_000)
    );
    assert_eq!(answer.get("errorMessage"), None);
    let bad = send("s3cret", r#"{"requestId":"r-7","records":[{"data":"?"}]}"#).await;
    assert_eq!(bad.status, StatusCode::BAD_REQUEST);
    assert!(
        bad.json()["errorMessage"]
            .as_str()
            .unwrap()
            .contains("TL0312")
    );
    // Firehose's header opens nothing else.
    let elsewhere = server
        .get_with("/api/v1/traces", ("x-amz-firehose-access-key", "s3cret"))
        .await;
    assert_eq!(elsewhere.status, StatusCode::UNAUTHORIZED);
    let stored = server
        .get_with("/api/v1/completeness", ("authorization", "Bearer s3cret"))
        .await;
    assert_eq!(stored.json()["functions"][0]["received"], "1");
}

/// A data point of a metric stream in the output format `json`.
fn point(millis: u64, sum: u64) -> String {
    format!(
        r#"{{"metric_stream_name":"all","account_id":"123456789012","region":"eu-west-1","namespace":"AWS/SQS","metric_name":"NumberOfMessagesSent","dimensions":{{"QueueName":"mails"}},"timestamp":{millis},"value":{{"max":1.0,"min":1.0,"sum":{sum}.0,"count":{sum}.0}},"unit":"Count"}}"#
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_of_a_stream_are_stored_once_and_can_be_asked_for() {
    let server = TestServer::start().await;
    let (first, second) = (point(1_000_020_000_000, 4), point(1_000_080_000_000, 2));
    let body = format!("{first}\n{}\n{second}\n", &first[..100]);
    for (stored, duplicates) in [(1, 0), (0, 1)] {
        let answer = send(&server, body.clone()).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        let answer = answer.json();
        let told = json!({"lines": 0, "envelopes": 0, "metrics": 2, "stored": stored, "duplicates": duplicates,
            "items": stored.to_string(), "problems": answer["problems"], "problems_total": 1});
        assert_eq!(answer, told);
        let problem = &answer["problems"][0];
        assert_eq!(
            (&problem["line"], &problem["code"]),
            (&json!(2), &json!("TL0313"))
        );
    }
    let list = server.json("/api/v1/metrics?from=0").await;
    let metric = &list["metrics"][0];
    assert_eq!(metric["name"], "amazonaws.com/AWS/SQS/NumberOfMessagesSent");
    assert_eq!(
        (&metric["kind"], &metric["point_count"]),
        (&json!("summary"), &json!(2))
    );
    // The end of its minute.
    let last = 1_000_080_060_000_000_000_u64;
    assert_eq!(metric["last_seen_unix_nanos"], last.to_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn only_post_and_only_from_here() {
    let server = TestServer::start().await;
    let got = server.get("/api/v1/cloudwatch").await;
    assert_eq!(
        (got.status, got.header("allow")),
        (StatusCode::METHOD_NOT_ALLOWED, "POST")
    );
    let foreign = [("origin", "https://evil.example")];
    let answer = server.post_api("/api/v1/cloudwatch", &foreign, "x").await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
}

/// What fuzzing found once stays mended.
#[tokio::test(flavor = "multi_thread")]
async fn every_file_of_the_corpora_is_answered() {
    let server = TestServer::start().await;
    let corpora = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/corpus");
    let (mut files, mut envelopes) = (0, 0);
    for folder in std::fs::read_dir(corpora).unwrap() {
        for file in std::fs::read_dir(folder.unwrap().path()).unwrap() {
            let path = file.unwrap().path();
            let data = std::fs::read(&path).unwrap();
            let answer = send(&server, data.clone()).await;
            let status = answer.status;
            assert!(!status.is_server_error(), "{}: {status}", path.display());
            files += 1;
            if status.is_success() {
                envelopes += answer.json()["envelopes"].as_u64().unwrap_or(0);
            }
            let Ok(ledger) = http::HeaderValue::from_bytes(&data) else {
                continue;
            };
            let mut request = http::Request::post(url(server.addresses.otlp_http, "/v1/traces"))
                .header("content-type", "application/x-protobuf")
                .header("x-throughline-environment", format!("e-{files}"))
                .body(http_body_util::Full::default())
                .unwrap();
            request.headers_mut().insert("x-throughline-ledger", ledger);
            let status = crate::harness::send(request).await.status;
            // A header may be too long, which is nobody's fault here.
            let fine = status.is_success() || status.is_client_error();
            assert!(fine, "{} as a ledger: {status}", path.display());
        }
    }
    assert!(
        files > 50 && envelopes > 5,
        "{files} files, {envelopes} envelopes"
    );
    let whole = server.json("/api/v1/completeness").await;
    assert!(whole["functions"].is_array(), "{whole}");
}
