//! The AWS API and function URLs.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::json;
use throughline_sandbox::{Activity, Function, RunningSandbox, Sandbox};

use crate::http::request;
use crate::{function, invoke, start, start_without_code};

#[tokio::test]
async fn aws_api_answers_as_lambda_does() {
    let sandbox = start(function()).await;
    let trace = (
        "X-Amzn-Trace-Id",
        "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1",
    );
    let good = invoke(&sandbox, "f", &[trace], r#"{"n":1}"#).await;
    assert_eq!(
        (good.status, good.header("x-amz-executed-version")),
        (200, Some("$LATEST"))
    );
    assert_eq!(good.json()["headers"]["lambda-runtime-trace-id"], trace.1);
    assert_eq!(
        good.json()["headers"]["lambda-runtime-aws-request-id"],
        good.header("x-amzn-requestid").unwrap()
    );

    let failed = invoke(
        &sandbox,
        "arn:aws:lambda:us-east-1:123456789012:function:f",
        &[],
        r#"{"do":"fail"}"#,
    )
    .await;
    assert_eq!(
        (failed.status, failed.header("x-amz-function-error")),
        (200, Some("Unhandled"))
    );

    let with_log = invoke(
        &sandbox,
        "f",
        &[("X-Amz-Log-Type", "Tail")],
        r#"{"do":"log","text":"a line"}"#,
    )
    .await;
    let log = base64::Engine::decode(
        &base64::engine::general_purpose::STANDARD,
        with_log.header("x-amz-log-result").unwrap(),
    );
    let log = String::from_utf8(log.unwrap()).unwrap();
    assert!(
        log.starts_with("START RequestId: ")
            && log.contains("\na line\n")
            && log.contains("\nREPORT RequestId: "),
        "{log}"
    );

    let dry = invoke(&sandbox, "f", &[("X-Amz-Invocation-Type", "DryRun")], "{}").await;
    assert_eq!((dry.status, dry.body.len()), (204, 0));

    let cases = [
        ("nobody", "{}", 404, "ResourceNotFoundException"),
        ("f:7", "{}", 404, "ResourceNotFoundException"),
        ("f", "no json", 400, "InvalidRequestContentException"),
        (
            "f",
            &format!("\"{}\"", "x".repeat(6 * 1024 * 1024)),
            413,
            "RequestTooLargeException",
        ),
    ];
    for (function, body, status, error_type) in cases {
        let refused = invoke(&sandbox, function, &[], body).await;
        assert_eq!(
            (refused.status, refused.header("x-amzn-errortype")),
            (status, Some(error_type)),
            "{function}"
        );
    }
}

#[tokio::test]
async fn event_invocations_are_queued_and_made() {
    // One environment at a time: the others wait in the queue rather than fail.
    let sandbox = Sandbox::new()
        .function(function())
        .concurrency(1)
        .start()
        .await
        .unwrap();
    let mut activity = sandbox.activity();
    let mut waiting = std::collections::BTreeSet::new();
    for n in 0..3 {
        let taken = invoke(
            &sandbox,
            "f",
            &[("X-Amz-Invocation-Type", "Event")],
            &json!({ "n": n }).to_string(),
        )
        .await;
        assert_eq!((taken.status, taken.body.len()), (202, 0));
        waiting.insert(taken.header("x-amzn-requestid").unwrap().to_owned());
    }
    while !waiting.is_empty() {
        if let Activity::Finished(finished) = activity.recv().await.unwrap() {
            assert!(waiting.remove(&finished.request_id));
        }
    }
}

/// What becomes of one event: the ids of its attempts, and how it was given up.
async fn until_given_up(sandbox: &RunningSandbox, event: &str) -> (Vec<String>, String) {
    let mut activity = sandbox.activity();
    let headers = [("X-Amz-Invocation-Type", "Event")];
    let taken = invoke(sandbox, "f", &headers, event).await;
    assert_eq!(taken.status, 202);
    let request_id = taken.header("x-amzn-requestid").unwrap();
    let mut attempts = Vec::new();
    loop {
        match activity.recv().await.unwrap() {
            Activity::Fault(_) => unreachable!("nobody added one"),
            Activity::Finished(finished) => {
                attempts.push((finished.request_id, finished.trace_header))
            }
            Activity::EventEnded(ended) => {
                assert_eq!(&ended.request_id, request_id);
                let (ids, traces): (Vec<_>, BTreeSet<_>) = attempts.into_iter().unzip();
                assert!(traces.len() < 2, "{traces:?}");
                assert!(ids.iter().all(|id| id == request_id), "{ids:?}");
                return (
                    ids,
                    format!(
                        "{} after {} attempts",
                        ended.end.condition(),
                        ended.attempts
                    ),
                );
            }
            _ => {}
        }
    }
}

#[tokio::test]
async fn failed_events_are_tried_again_with_their_id_and_then_given_up() {
    for (event, delays) in [(r#"{"do":"fail"}"#, 2), (r#"{"do":"exit","code":3}"#, 1)] {
        let sandbox = Sandbox::new()
            .function(function())
            .event_retry_delays(vec![Duration::from_millis(1); delays])
            .start()
            .await
            .unwrap();
        let (attempts, told) = until_given_up(&sandbox, event).await;
        assert_eq!(attempts.len(), delays + 1);
        let expected = format!("RetriesExhausted after {} attempts", delays + 1);
        assert_eq!(told, expected);
        assert_eq!(sandbox.events_given_up(), 1);
    }
}

#[tokio::test]
async fn events_that_waited_too_long_are_given_up() {
    let sandbox = Sandbox::new()
        .function(function())
        .concurrency(1)
        .event_age_max(Duration::ZERO)
        .start()
        .await
        .unwrap();
    let (attempts, told) = until_given_up(&sandbox, "{}").await;
    assert_eq!(attempts.len(), 0);
    assert_eq!(told, "EventAgeExceeded after 0 attempts");
}

#[tokio::test]
async fn function_url_turns_requests_into_events() {
    let sandbox = start(function().url("127.0.0.1:0".parse().unwrap())).await;
    let url = sandbox.url_of("f").unwrap();
    let trace = (
        "X-Amzn-Trace-Id",
        "Root=1-5759e988-bd862e3fe1be46a994272793",
    );
    let seen = request(
        "POST",
        &format!("{url}cart?n=1"),
        &[trace, ("Cookie", "a=1"), ("Content-Type", "text/plain")],
        "hi",
    )
    .await;
    let event = &seen.json()["event"];
    assert_eq!(
        (&event["rawPath"], &event["body"], &event["cookies"]),
        (&json!("/cart"), &json!("hi"), &json!(["a=1"]))
    );
    assert_eq!(event["requestContext"]["http"]["method"], "POST");
    assert_eq!(
        event["requestContext"]["requestId"],
        seen.json()["headers"]["lambda-runtime-aws-request-id"]
    );
    let header = event["headers"]["x-amzn-trace-id"].as_str().unwrap();
    assert!(
        header.starts_with("Root=1-5759e988-bd862e3fe1be46a994272793;Parent="),
        "{header}"
    );
    assert_eq!(seen.json()["headers"]["lambda-runtime-trace-id"], header);
}

#[tokio::test]
async fn function_url_maps_failures_to_bad_gateway() {
    // The stand-in cannot be told by a URL's event what to do, but it can be missing.
    let sandbox = start_without_code(|name, code| {
        Function::new(name, code).url("127.0.0.1:0".parse().unwrap())
    })
    .await;
    let failed = request("GET", &sandbox.url_of("f").unwrap(), &[], "").await;
    assert_eq!(
        (failed.status, failed.json()),
        (502, json!({"message": "Internal Server Error"}))
    );
}

#[tokio::test]
async fn pages_that_a_browser_has_open_may_not_call_functions() {
    let sandbox = start(function()).await;
    let cases: [(&[(&str, &str)], u16); 3] = [
        (&[], 200),
        (&[("Origin", "https://example.com")], 403),
        (&[("Host", "evil.example:4301")], 403),
    ];
    for (headers, status) in cases {
        let answer = invoke(&sandbox, "f", headers, r#"{"n":1}"#).await;
        assert_eq!(answer.status, status, "{headers:?}");
    }
}
