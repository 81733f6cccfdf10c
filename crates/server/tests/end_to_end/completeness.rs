//! Numbered batches: stored once, counted, and missed where they do not come.

use http::StatusCode;
use serde_json::{Value, json};
use throughline_telemetry::Signal;

use crate::harness::TestServer;
use crate::samples::{gzip, one_as_json, one_as_protobuf, span, traces};

/// Sends batch `number` with one span of that number. Says how it was answered.
async fn send(server: &TestServer, environment: &str, number: u64, ledger: &str) -> StatusCode {
    let body = traces(&[span("shop", u128::from(number), number, 0, 1, 2)]);
    let number = number.to_string();
    let headers = [
        ("content-type", "application/x-protobuf"),
        ("content-encoding", "gzip"),
        ("x-throughline-environment", environment),
        ("x-throughline-sequence", &number),
        ("x-throughline-function", "checkout"),
        ("x-throughline-ledger", ledger),
    ];
    server
        .post("/v1/traces", &headers, gzip(&body))
        .await
        .status
}

async fn completeness(server: &TestServer) -> Value {
    let mut answer = server.json("/api/v1/completeness").await;
    let cost = answer["cost"].take();
    assert!(cost["segments"].is_u64(), "{cost}");
    let known = answer["functions"].as_array().expect("functions");
    let known = known.iter().map(|it| it["environments"].as_u64());
    assert_eq!(cost["rows"].as_u64(), known.sum::<Option<u64>>());
    // When an environment was heard of is the clock's.
    for function in answer["functions"].as_array_mut().expect("functions") {
        for list in ["missing", "open"] {
            for entry in function[list].as_array_mut().expect("a list") {
                let seen = entry
                    .as_object_mut()
                    .expect("an object")
                    .remove("last_seen_unix_nanos");
                assert!(
                    seen.is_some_and(|seen| seen.as_str().is_some_and(|seen| seen.len() == 19))
                );
            }
        }
    }
    answer
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_missing_and_why() {
    let server = TestServer::start().await;
    assert_eq!(
        completeness(&server).await,
        json!({"functions": [], "total": 0, "truncated": false, "next_cursor": null, "cost": null})
    );
    let ledger = r#"{"v":1,"revision":7,"sealed":6,"accepted":40,"delivered":2,"waiting":10,"spilled":3,"printed":0,
        "dropped":{"buffer_full":24,"rejected":1},"gone":[[2,3,"buffer_full",24],[6,6,"rejected",1]],"final":false}"#
        .replace(['\n', ' '], "");
    assert_eq!(send(&server, "e-1", 1, "").await, StatusCode::OK);
    assert_eq!(send(&server, "e-1", 5, &ledger).await, StatusCode::OK);
    let last =
        r#"{"v":1,"revision":2,"sealed":1,"accepted":1,"delivered":0,"waiting":1,"final":true}"#;
    assert_eq!(send(&server, "e-2", 1, last).await, StatusCode::OK);
    let lack = |first: u64, last: u64, items: Value, why: &str| json!({"environment": "e-1", "first": first, "last": last, "items": items, "why": why});
    let expected = json!({"functions": [{
        "function": "checkout", "environments": 2, "environments_open": 1, "open": [{"environment": "e-1", "vanished": false}],
        "accepted": "41", "received": "3", "complete": "7.31",
        "missing": [
            lack(2, 3, json!("24"), "buffer_full"), lack(4, 4, Value::Null, "on_its_way"), lack(6, 6, json!("1"), "rejected"),
        ],
        "missing_total": 3,
        "dropped": {"buffer_full": "24", "rejected": "1"},
    }], "total": 1, "truncated": false, "next_cursor": null, "cost": null});
    assert_eq!(completeness(&server).await, expected);
    assert_eq!(
        server.json("/api/v1/completeness?function=payment").await["total"],
        0
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_numbered_batch_is_stored_once_however_it_comes() {
    let server = TestServer::start().await;
    let number = |text: &'static str| {
        [
            ("x-throughline-environment", "e-1"),
            ("x-throughline-sequence", text),
            ("x-throughline-function", "checkout"),
        ]
    };
    for (signal, sequence) in Signal::ALL.into_iter().zip(["1", "2", "3"]) {
        let json = [
            &[("content-type", "application/json")][..],
            &number(sequence),
        ]
        .concat();
        for _ in 0..2 {
            let answer = server
                .post(&format!("/v1/{signal}"), &json, one_as_json(signal, "once"))
                .await;
            assert_eq!(
                (answer.status, answer.text()),
                (StatusCode::OK, "{}".to_owned())
            );
        }
        let numbered = |request: &mut tonic::Request<_>| {
            for (name, value) in number(sequence) {
                request.metadata_mut().insert(name, value.parse().unwrap());
            }
        };
        let body = one_as_protobuf(signal, "once");
        server
            .export_with(signal, None, body, numbered)
            .await
            .expect("OK");
    }
    let services = server.json("/api/v1/services").await;
    assert_eq!(services["services"][0]["span_count"], 1);
    assert_eq!(server.json("/api/v1/logs").await["total"], 1);
    let function = &completeness(&server).await["functions"][0];
    assert_eq!(function["received"], "3");
    assert_eq!(function["complete"], "100.00");
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_headers_cost_no_batch() {
    let server = TestServer::start().await;
    let long = "x".repeat(5000);
    let body = traces(&[span("shop", 1, 1, 0, 1, 2)]);
    for (name, value) in [
        ("x-throughline-environment", "two words"),
        ("x-throughline-sequence", "none"),
        ("x-throughline-function", &"f".repeat(300)),
        ("x-throughline-ledger", "{"),
        ("x-throughline-ledger", &long),
    ] {
        let mut headers = vec![
            ("content-type", "application/x-protobuf"),
            ("x-throughline-environment", "e-1"),
            ("x-throughline-sequence", "1"),
        ];
        headers.retain(|(known, _)| *known != name);
        headers.push((name, value));
        let answer = server.post("/v1/traces", &headers, body.clone()).await;
        assert_eq!(answer.status, StatusCode::OK, "{name}: {}", answer.text());
    }
    let trace = server
        .json("/api/v1/traces/00000000000000000000000000000001")
        .await;
    assert_eq!(trace["span_count"], 1);
}
