//! Answers that are sent while they are made.

use std::time::Duration;

use bytes::{Buf, Bytes};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use throughline_sandbox::{Activity, Invoke, Outcome, RunningSandbox, Status};

use crate::http::{open, request};
use crate::{call, function, json_of, next_line, start};

/// A sandbox whose function has a URL.
async fn with_url() -> RunningSandbox {
    start(function().url("127.0.0.1:0".parse().unwrap())).await
}

fn url(sandbox: &RunningSandbox) -> String {
    format!("{}do", sandbox.url_of("f").unwrap())
}

fn api(sandbox: &RunningSandbox) -> String {
    format!(
        "http://{}/2021-11-15/functions/f/response-streaming-invocations",
        sandbox.api_addr()
    )
}

/// The kinds and payloads of all events of a stream; its checksums are checked where they are made.
fn events(mut body: Bytes) -> Vec<(String, Bytes)> {
    let mut events = Vec::new();
    while !body.is_empty() {
        let mut frame = body.split_to(body.clone().get_u32() as usize);
        frame.advance(4);
        let headers_bytes = frame.get_u32() as usize;
        frame.advance(4);
        let headers = String::from_utf8_lossy(&frame.split_to(headers_bytes)).into_owned();
        let kinds = ["PayloadChunk", "InvokeComplete"];
        let kind = kinds.iter().find(|kind| headers.contains(**kind)).unwrap();
        let payload = frame.slice(..frame.len() - 4);
        events.push(((*kind).to_owned(), payload));
    }
    events
}

async fn events_of(sandbox: &RunningSandbox, event: Value) -> (Bytes, Value) {
    let response = request("POST", &api(sandbox), &[], &event.to_string()).await;
    assert_eq!(
        (response.status, response.header("content-type")),
        (200, Some("application/vnd.amazon.eventstream"))
    );
    let mut events = events(response.body);
    let (kind, complete) = events.pop().unwrap();
    assert_eq!(kind, "InvokeComplete");
    assert!(events.iter().all(|(kind, _)| kind == "PayloadChunk"));
    let chunks: Vec<u8> = events.into_iter().flat_map(|(_, chunk)| chunk).collect();
    (chunks.into(), serde_json::from_slice(&complete).unwrap())
}

#[tokio::test]
async fn function_url_gets_head_and_chunks_as_they_are_made() {
    let sandbox = with_url().await;
    let folder = crate::folder().unwrap();
    let go_on = folder.path().join("go on");
    let head = r#"{"statusCode":201,"headers":{"X-A":"b","Content-Type":"text/plain"},"cookies":["c=d","e=f"]}"#;
    let event = json!({
        "do": "stream",
        "type": "application/vnd.awslambda.http-integration-response",
        "parts": [{"text": head}, {"text": "\0\0\0\0\0\0\0\0first"}, {"wait": go_on, "text": " second"}],
    });
    let response = open("POST", &url(&sandbox), &[], &event.to_string()).await;
    let (parts, mut body) = response.into_parts();
    assert_eq!(parts.status, 201);
    assert_eq!(parts.headers["x-a"], "b");
    assert_eq!(parts.headers["content-type"], "text/plain");
    let cookies: Vec<_> = parts.headers.get_all("set-cookie").iter().collect();
    assert_eq!(cookies, ["c=d", "e=f"]);
    // The function goes on only after the caller has its first words.
    let first = body.frame().await.unwrap().unwrap().into_data().unwrap();
    assert_eq!(first, "first");
    std::fs::write(&go_on, "").unwrap();
    assert_eq!(body.collect().await.unwrap().to_bytes(), " second");
}

#[tokio::test]
async fn aws_api_gets_chunks_as_they_are_made_and_then_how_it_ended() {
    let sandbox = start(function()).await;
    let folder = crate::folder().unwrap();
    let go_on = folder.path().join("go on");
    let event =
        json!({"do": "stream", "parts": [{"text": "first"}, {"wait": go_on, "text": "second"}]});
    let log = ("X-Amz-Log-Type", "Tail");
    let mut body = open("POST", &api(&sandbox), &[log], &event.to_string())
        .await
        .into_body();
    let first = body.frame().await.unwrap().unwrap().into_data().unwrap();
    assert_eq!(
        events(first),
        [("PayloadChunk".to_owned(), Bytes::from("first"))]
    );
    std::fs::write(&go_on, "").unwrap();
    let rest = events(body.collect().await.unwrap().to_bytes());
    assert_eq!(rest[0], ("PayloadChunk".to_owned(), Bytes::from("second")));
    let complete: Value = serde_json::from_slice(&rest[1].1).unwrap();
    assert!(complete["LogResult"].is_string() && complete["ErrorCode"].is_null());

    // A function that answers at once does so in one piece.
    let (chunks, complete) = events_of(&sandbox, json!({"do": "url", "answer": "whole"})).await;
    assert_eq!((chunks, complete), (Bytes::from("\"whole\""), json!({})));
    let (chunks, complete) = events_of(&sandbox, json!({"do": "fail"})).await;
    assert_eq!(
        (chunks.len(), &complete["ErrorCode"]),
        (0, &json!("Unhandled"))
    );
}

#[tokio::test]
async fn failures_in_the_middle_are_told_at_the_end() {
    let sandbox = start(function().timeout(Duration::from_secs(2))).await;
    let cases = [
        ("fail", "Function.ValueError", Some("too late")),
        ("exit", "Runtime.TruncatedResponse", None),
        ("hang", "Sandbox.Timeout", None),
        ("cut", "Runtime.TruncatedResponse", None),
    ];
    for (end, error_code, message) in cases {
        let folder = crate::folder().unwrap();
        let go_on = folder.path().join("go on");
        let event =
            json!({"do": "stream", "parts": [{"text": "begun"}], "end_after": go_on, "end": end});
        let response = open("POST", &api(&sandbox), &[], &event.to_string()).await;
        let mut body = response.into_body();
        let first = body.frame().await.unwrap().unwrap().into_data().unwrap();
        assert_eq!(
            events(first),
            [("PayloadChunk".to_owned(), Bytes::from("begun"))]
        );
        std::fs::write(&go_on, "").unwrap();
        let rest = events(body.collect().await.unwrap().to_bytes());
        assert_eq!(
            (rest.len(), rest[0].0.as_str()),
            (1, "InvokeComplete"),
            "{end}"
        );
        let complete: Value = serde_json::from_slice(&rest[0].1).unwrap();
        assert_eq!(complete["ErrorCode"], error_code, "{end}");
        let details = complete["ErrorDetails"].as_str();
        let details: Option<Value> = details.map(|text| serde_json::from_str(text).unwrap());
        let told = details.map(|details| details["errorMessage"].as_str().unwrap().to_owned());
        assert_eq!(told.as_deref(), message, "{end}");
    }
}

#[tokio::test]
async fn function_url_breaks_off_when_the_function_does() {
    let sandbox = with_url().await;
    let event =
        json!({"do": "stream", "type": "text/plain", "parts": [{"text": "begun"}], "end": "fail"});
    let response = open("POST", &url(&sandbox), &[], &event.to_string()).await;
    assert_eq!(
        (
            response.status().as_u16(),
            &response.headers()["content-type"]
        ),
        (200, &"text/plain".parse().unwrap())
    );
    assert!(response.into_body().collect().await.is_err());

    let early = [
        json!({"do": "stream", "parts": [], "end": "fail"}),
        json!({"do": "stream", "type": "application/vnd.awslambda.http-integration-response", "parts": [{"text": "no head"}]}),
    ];
    for event in early {
        let failed = request("POST", &url(&sandbox), &[], &event.to_string()).await;
        assert_eq!(failed.status, 502, "{event}");
    }
}

#[tokio::test]
async fn callers_who_wait_get_streams_as_one_answer() {
    let sandbox = start(function()).await;
    let event = json!({"do": "stream", "parts": [{"text": "[1,"}, {"text": "2]"}]});
    let (answer, finished) = call(&sandbox, event).await;
    assert_eq!(
        (answer.outcome, json_of(&answer)),
        (Outcome::Returned, json!([1, 2]))
    );
    assert_eq!(
        (finished.status, finished.outcome),
        (Status::Success, Outcome::Returned)
    );

    let event = json!({"do": "stream", "parts": [{"text": "[1,"}], "end": "fail"});
    let (answer, finished) = call(&sandbox, event).await;
    assert_eq!(
        (answer.outcome, &json_of(&answer)["errorMessage"]),
        (Outcome::FunctionError, &json!("too late"))
    );
    assert_eq!(
        (finished.status, finished.outcome),
        (Status::Success, Outcome::FunctionError)
    );

    let event = json!({"do": "stream", "parts": [{"bytes": 6 * 1024 * 1024 + 101}]});
    let (answer, _) = call(&sandbox, event).await;
    assert_eq!(
        json_of(&answer)["errorType"],
        "Function.ResponseSizeTooLarge"
    );
}

#[tokio::test]
async fn mode_that_does_not_exist_is_refused() {
    let sandbox = start(function()).await;
    for mode in ["Streaming", "buffered"] {
        let mut activity = sandbox.activity();
        let (answer, _) = call(&sandbox, json!({"do": "mode", "mode": mode})).await;
        assert_eq!(
            json_of(&answer)["errorType"],
            "Runtime.InvalidResponseModeHeader"
        );
        let line = next_line(&mut activity).await;
        assert!(
            line.starts_with("mode got 400") && line.contains("InvalidFunctionResponseMode"),
            "{line}"
        );
    }
}

#[tokio::test]
async fn function_is_not_stopped_when_the_caller_leaves() {
    let sandbox = with_url().await;
    let mut activity = sandbox.activity();
    let folder = crate::folder().unwrap();
    let go_on = folder.path().join("go on");
    // Far more than fits into the buffers on the way.
    let event = json!({"do": "stream", "parts": [{"text": "first"}, {"wait": go_on, "bytes": 5 * 1024 * 1024}]});
    let mut response = open("POST", &url(&sandbox), &[], &event.to_string()).await;
    response.body_mut().frame().await.unwrap().unwrap();
    drop(response);
    std::fs::write(&go_on, "").unwrap();
    loop {
        if let Activity::Finished(finished) = activity.recv().await.unwrap() {
            assert_eq!(
                (finished.status, finished.outcome),
                (Status::Success, Outcome::Returned)
            );
            break;
        }
    }
    assert!(
        !sandbox
            .call_to_end(Invoke::new("f"))
            .await
            .unwrap()
            .1
            .cold_start
    );
}

#[tokio::test]
async fn what_is_beyond_six_mebibytes_is_slowed_down() {
    let sandbox = with_url().await;
    let mut activity = sandbox.activity();
    let bytes = 7 * 1024 * 1024;
    let event = json!({"do": "stream", "parts": [{"bytes": bytes}]});
    let response = request("POST", &url(&sandbox), &[], &event.to_string()).await;
    assert_eq!(response.body.len(), bytes);
    let finished = loop {
        if let Activity::Finished(finished) = activity.recv().await.unwrap() {
            break finished;
        }
    };
    // One mebibyte more than passes at once, at two a second.
    assert!(finished.duration >= Duration::from_millis(500));
}
