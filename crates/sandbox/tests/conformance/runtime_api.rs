//! §1: what a runtime asks and gets.

use serde_json::{Value, json};
use throughline_sandbox::{Fault, Invoke, Outcome, Who};

use crate::stage::{Play, REQUEST_ID, within};

const OK: &str = r#"{"status":"OK"}"#;

fn error(kind: &str, message: &str) -> Value {
    json!({"errorType": kind, "errorMessage": message})
}

fn transition(from: &str, to: &str) -> Value {
    let message = format!(
        "State transition from {from} to {to} failed for runtime. Error: State transition is not allowed"
    );
    error("InvalidStateTransition", &message)
}

#[tokio::test]
async fn ping_is_answered_whoever_asks() {
    let stage = Play::new().open().await;
    let call = stage.invoke();
    let runtime = stage.runtime().await;
    let pong = runtime.request("GET", "/2018-06-01/ping", &[], "").await;
    assert_eq!((pong.status, &pong.body[..]), (200, &b"pong"[..]));
    call.abort();
}

#[tokio::test]
async fn next_waits_for_an_event_and_the_first_one_ends_the_init() {
    let stage = Play::new().open().await;
    let (call, runtime, event) = stage.first_call().await;
    assert_eq!((event.status, &event.body[..]), (200, &b"{}"[..]));
    runtime.responds(&event, "1").await;
    let next = runtime.asks_next();
    let (_, finished) = call.await.unwrap();
    assert!(finished.init.is_some());
    assert!(!next.is_finished(), "there is no event to give");
    let call = stage.call(Invoke::new("f").payload("[2]"));
    let event = within("the second event", next).await.unwrap();
    assert_eq!(event.body, "[2]");
    runtime.responds(&event, "2").await;
    runtime.asks_next();
    let (answer, finished) = call.await.unwrap();
    assert_eq!((answer.text().as_str(), finished.init), ("2", None));

    let story: Vec<_> = stage.sandbox.recorded();
    let lines: Vec<_> = story.iter().map(ToString::to_string).collect();
    let path = |event: &crate::http::Response| {
        let id = event.header(REQUEST_ID).unwrap();
        format!("runtime POST /2018-06-01/runtime/invocation/{id}/response 202")
    };
    assert_eq!(lines.len(), 5);
    assert_eq!(
        lines[0],
        "runtime GET /2018-06-01/runtime/invocation/next 200"
    );
    assert_eq!(lines[3], path(&event));
    assert_eq!(story[3].body, "2");
    assert_eq!(story[0].who, Who::Runtime);
    assert!(story[4].answer.is_none() && story[4].generation == 1);
}

#[tokio::test]
async fn response_and_error_are_taken_with_202() {
    let stage = Play::new().open().await;
    let (call, runtime, event) = stage.first_call().await;
    let taken = runtime.responds(&event, r#"{"n":1}"#).await;
    assert_eq!((taken.status, &taken.body[..]), (202, OK.as_bytes()));
    let next = runtime.asks_next();
    let (answer, _) = call.await.unwrap();
    assert_eq!(
        (answer.outcome, answer.text().as_str()),
        (Outcome::Returned, r#"{"n":1}"#)
    );

    let call = stage.invoke();
    let event = next.await.unwrap();
    let id = event.header(REQUEST_ID).unwrap();
    let body = error("ValueError", "no").to_string();
    let taken = runtime
        .post(&format!("invocation/{id}/error"), &[], &body)
        .await;
    assert_eq!((taken.status, &taken.body[..]), (202, OK.as_bytes()));
    runtime.asks_next();
    let (answer, finished) = call.await.unwrap();
    assert_eq!(
        (answer.outcome, answer.text()),
        (Outcome::FunctionError, body)
    );
    assert_eq!(finished.status.as_str(), "success");
}

#[tokio::test]
async fn init_error_is_taken_and_the_second_one_is_the_invocations() {
    let stage = Play::new().open().await;
    let call = stage.invoke();
    let body = error("Boom", "no init").to_string();
    for _ in 0..2 {
        let runtime = stage.runtime().await;
        let headers = [("Lambda-Runtime-Function-Error-Type", "Runtime.Boom")];
        let taken = runtime.post("init/error", &headers, &body).await;
        assert_eq!((taken.status, &taken.body[..]), (202, OK.as_bytes()));
        runtime.until_gone().await;
    }
    let (answer, finished) = call.await.unwrap();
    assert_eq!(
        (answer.outcome, answer.text()),
        (Outcome::FunctionError, body)
    );
    assert_eq!(finished.error_type.as_deref(), Some("Runtime.Boom"));
}

#[tokio::test]
async fn event_comes_with_these_headers_and_no_empty_ones() {
    let stage = Play::new().open().await;
    let trace =
        "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1;Lineage=a:0";
    let identity = r#"{"cognitoIdentityId":"i","cognitoIdentityPoolId":"p"}"#;
    let invoke = Invoke::new("f")
        .trace_header(trace)
        .client_context(r#"{"custom":{"a":"b"}}"#)
        .cognito_identity(identity)
        .tenant_id("blue");
    let call = stage.call(invoke);
    let runtime = stage.runtime().await;
    let event = runtime.next().await;
    let header = |name: &str| event.header(name).unwrap_or_else(|| panic!("no {name}"));
    assert_eq!(header("content-type"), "application/json");
    assert_eq!(header("lambda-runtime-trace-id"), trace);
    assert_eq!(
        header("lambda-runtime-client-context"),
        r#"{"custom":{"a":"b"}}"#
    );
    assert_eq!(header("lambda-runtime-cognito-identity"), identity);
    assert_eq!(header("lambda-runtime-aws-tenant-id"), "blue");
    assert_eq!(
        header("lambda-runtime-invoked-function-arn"),
        "arn:aws:lambda:us-east-1:123456789012:function:f"
    );
    let deadline: u64 = header("lambda-runtime-deadline-ms").parse().unwrap();
    let answered = stage.sandbox.recorded()[0].answer.clone().unwrap().at;
    let left = deadline.checked_sub(answered.as_millis()).unwrap();
    assert!((50_000..=60_000).contains(&left), "{left}");
    runtime.responds(&event, "{}").await;
    let next = runtime.asks_next();
    let (answer, _) = call.await.unwrap();
    assert_eq!(header(REQUEST_ID), answer.request_id);

    let call = stage.call(Invoke::new("f").tenant_id("blue"));
    let event = next.await.unwrap();
    for name in [
        "lambda-runtime-client-context",
        "lambda-runtime-cognito-identity",
    ] {
        assert_eq!(event.header(name), None, "{name}");
    }
    let trace = event.header("lambda-runtime-trace-id").unwrap();
    assert!(
        trace.starts_with("Root=1-") && trace.contains(";Sampled="),
        "{trace}"
    );
    runtime.responds(&event, "{}").await;
    runtime.asks_next();
    call.await.unwrap();
}

#[tokio::test]
async fn invocation_id_is_a_new_one_for_each_attempt_and_may_be_left_out() {
    let stage = Play::new().open().await;
    let (call, runtime, first) = stage.first_call().await;
    let nonce = "lambda-runtime-invocation-id";
    let one = first.header(nonce).unwrap().to_owned();
    let id = first.header(REQUEST_ID).unwrap();
    let path = format!("invocation/{id}/response");
    let late = runtime
        .post(&path, &[(nonce, "of another attempt")], "0")
        .await;
    assert_eq!(
        (late.status, late.json()),
        (410, error("InvokeTimeout", "Invoke timeout"))
    );
    let taken = runtime.post(&path, &[(nonce, &one)], "1").await;
    assert_eq!(taken.status, 202);
    let next = runtime.asks_next();
    assert_eq!(call.await.unwrap().0.text(), "1");

    let call = stage.invoke();
    let second = next.await.unwrap();
    assert_ne!(second.header(nonce), Some(one.as_str()));
    assert_eq!(runtime.responds(&second, "2").await.status, 202);
    runtime.asks_next();
    assert_eq!(call.await.unwrap().0.text(), "2");
}

#[tokio::test]
async fn answers_that_are_not_due_are_refused() {
    let stage = Play::new().open().await;
    let call = stage.invoke();
    let runtime = stage.runtime().await;
    // Before the first next there is nothing to answer.
    let early = runtime
        .post(
            "invocation/6d68ca91-49c9-448d-89b8-7ca3e6dc66aa/response",
            &[],
            "0",
        )
        .await;
    assert_eq!(early.status, 400);
    assert_eq!(
        early.json(),
        error("InvalidRequestID", "Invalid request ID")
    );
    let event = runtime.next().await;
    let id = event.header(REQUEST_ID).unwrap();
    assert_eq!(runtime.responds(&event, "1").await.status, 202);
    let again = runtime.responds(&event, "2").await;
    assert_eq!(again.status, 403);
    assert_eq!(
        again.json(),
        transition("RuntimeResponseSent", "InvocationResponse")
    );
    let again = runtime
        .post(&format!("invocation/{id}/error"), &[], "{}")
        .await;
    assert_eq!(again.status, 403);
    assert_eq!(
        again.json(),
        transition("RuntimeResponseSent", "InvocationErrorResponse")
    );
    let init_error = runtime.post("init/error", &[], "{}").await;
    assert_eq!(
        init_error.json(),
        transition("RuntimeResponseSent", "InitError")
    );
    runtime.asks_next();
    assert_eq!(call.await.unwrap().0.text(), "1");
}

#[tokio::test]
async fn answer_after_the_timeout_is_gone() {
    let stage = Play::new().open().await;
    let (call, _, event) = stage.first_call().await;
    let id = event.header(REQUEST_ID).unwrap().to_owned();
    stage.times_out();
    let (answer, finished) = call.await.unwrap();
    let message = format!("RequestId: {id} Error: Task timed out after 60.00 seconds");
    let payload: Value = serde_json::from_str(&answer.text()).unwrap();
    assert_eq!(payload, error("Sandbox.Timedout", &message));
    assert_eq!(finished.status.as_str(), "timeout");
    let call = stage.invoke();
    let runtime = stage.runtime().await;
    let late = runtime
        .post(&format!("invocation/{id}/response"), &[], "1")
        .await;
    assert_eq!(
        (late.status, late.json()),
        (410, error("InvokeTimeout", "Invoke timeout"))
    );
    call.abort();
}

#[tokio::test]
async fn response_above_the_limit_is_refused_and_fails_the_invocation() {
    let stage = Play::new().open().await;
    let (call, runtime, event) = stage.first_call().await;
    let limit = 6 * 1024 * 1024 + 100;
    let refused = runtime.responds(&event, &"x".repeat(limit + 1)).await;
    let message = format!("Exceeded maximum allowed payload size ({limit} bytes).");
    assert_eq!(
        (refused.status, refused.json()),
        (413, error("RequestEntityTooLarge", &message))
    );
    let next = runtime.asks_next();
    let (answer, finished) = call.await.unwrap();
    let message = format!(
        "Response payload size ({} bytes) exceeded maximum allowed payload size ({limit} bytes).",
        limit + 1
    );
    let payload: Value = serde_json::from_str(&answer.text()).unwrap();
    assert_eq!(payload, error("Function.ResponseSizeTooLarge", &message));
    assert_eq!(finished.status.as_str(), "success");

    let call = stage.invoke();
    let event = next.await.unwrap();
    assert_eq!(
        runtime.responds(&event, &"x".repeat(limit)).await.status,
        202
    );
    runtime.asks_next();
    assert_eq!(call.await.unwrap().0.payload.len(), limit);
}

#[tokio::test]
async fn response_mode_must_be_spelt_as_it_is() {
    let stage = Play::new().open().await;
    let (call, runtime, event) = stage.first_call().await;
    let id = event.header(REQUEST_ID).unwrap();
    let mode = [("Lambda-Runtime-Function-Response-Mode", "Streaming")];
    let refused = runtime
        .post(&format!("invocation/{id}/response"), &mode, "1")
        .await;
    assert_eq!(refused.status, 400);
    assert_eq!(refused.json()["errorType"], "InvalidFunctionResponseMode");
    runtime.asks_next();
    let (answer, _) = call.await.unwrap();
    let payload: Value = serde_json::from_str(&answer.text()).unwrap();
    assert_eq!(payload["errorType"], "Runtime.InvalidResponseModeHeader");
}

#[tokio::test]
async fn error_types_that_are_none_become_unknown_ones() {
    let cases = [
        (
            Some("Runtime.ImportModuleError"),
            "Runtime.ImportModuleError",
        ),
        (Some("Function.Bad"), "Function.Bad"),
        (Some("Function.9"), "Function.Unknown"),
        (Some("unhandled"), "Runtime.Unknown"),
        (None, "Runtime.Unknown"),
    ];
    for (claimed, expected) in cases {
        let stage = Play::new().open().await;
        let call = stage.invoke();
        let headers: Vec<_> = claimed
            .map(|claimed| ("lambda-runtime-function-error-type", claimed))
            .into_iter()
            .collect();
        for _ in 0..2 {
            let runtime = stage.runtime().await;
            runtime.post("init/error", &headers, "{}").await;
        }
        let (_, finished) = call.await.unwrap();
        assert_eq!(
            finished.error_type.as_deref(),
            Some(expected),
            "{claimed:?}"
        );
    }
}

#[tokio::test]
async fn runtime_that_ends_is_told_with_how_it_ended() {
    for (what, expected) in [
        ("exit 1", "Runtime exited with error: exit status 1"),
        ("exit 0", "Runtime exited without providing a reason"),
        ("kill -9 $$", "Runtime exited with error: signal: killed"),
    ] {
        let stage = Play::new().open().await;
        let (call, runtime, event) = stage.first_call().await;
        let id = event.header(REQUEST_ID).unwrap().to_owned();
        runtime.does(what);
        let (answer, finished) = call.await.unwrap();
        let payload: Value = serde_json::from_str(&answer.text()).unwrap();
        let message = format!("RequestId: {id} Error: {expected}");
        assert_eq!(payload, error("Runtime.ExitError", &message), "{what}");
        assert_eq!(finished.status.as_str(), "error");
    }
}

#[tokio::test]
async fn metadata_needs_its_token_and_may_be_kept() {
    let stage = Play::new().open().await;
    let call = stage.invoke();
    let runtime = stage.runtime().await;
    let api = runtime.variable("AWS_LAMBDA_METADATA_API").unwrap();
    let uri = format!("http://{api}/2026-01-15/metadata/execution-environment");
    let token = format!(
        "Bearer {}",
        runtime.variable("AWS_LAMBDA_METADATA_TOKEN").unwrap()
    );
    let ask = async |method, headers: &[(&str, &str)]| {
        crate::http::request(method, &uri, headers, "").await
    };
    let found = ask("GET", &[("authorization", &token)]).await;
    assert_eq!(
        (found.status, found.json()),
        (200, json!({"AvailabilityZoneID": "use1-az1"}))
    );
    assert_eq!(
        found.header("cache-control"),
        Some("private, max-age=43200, immutable")
    );
    let refusals = [
        ("GET", None, 401, "Unauthorized\n"),
        ("GET", Some("Bearer no"), 401, "Unauthorized\n"),
        ("POST", None, 405, "Method Not Allowed\n"),
        ("POST", Some(token.as_str()), 405, "Method Not Allowed\n"),
    ];
    for (method, token, status, body) in refusals {
        let headers: Vec<_> = token
            .map(|token| ("authorization", token))
            .into_iter()
            .collect();
        let refused = ask(method, &headers).await;
        assert_eq!(
            (refused.status, &refused.body[..]),
            (status, body.as_bytes()),
            "{method} {token:?}"
        );
    }
    for (status, body) in [
        (503, "Service Unavailable\n"),
        (500, "Internal Server Error\n"),
    ] {
        let fault = stage
            .sandbox
            .fault(Fault::metadata(status).times(1))
            .unwrap();
        let failed = ask("GET", &[("authorization", &token)]).await;
        assert_eq!((failed.status, &failed.body[..]), (status, body.as_bytes()));
        assert_eq!(fault.struck(), Some(1));
    }
    assert_eq!(ask("GET", &[("authorization", &token)]).await.status, 200);
    call.abort();
}

#[tokio::test]
async fn cause_of_an_error_is_told_with_the_invocation_and_not_to_the_caller() {
    let cause = json!({
        "exceptions": [{"message": "no", "type": "E", "stack": [{"path": "a.py", "line": 7, "label": "f"}]}],
        "working_directory": "/var/task",
        "paths": ["a.py"],
    });
    let told = json!({"errorMessage": "no", "errorType": "E", "stackTrace": []});
    let whole = json!({"errorMessage": "no", "errorType": "E", "errorCause": cause});
    let header = (
        "lambda-runtime-function-xray-error-cause",
        cause.to_string(),
    );
    let content_type = (
        "content-type",
        "application/vnd.aws.lambda.error.cause+json".to_owned(),
    );
    let cases = [
        (vec![], told.to_string(), told.to_string(), None),
        (
            vec![header.clone()],
            told.to_string(),
            told.to_string(),
            Some(cause.clone()),
        ),
        (
            vec![content_type.clone()],
            whole.to_string(),
            json!({"errorMessage": "no", "errorType": "E"}).to_string(),
            Some(cause.clone()),
        ),
        (
            vec![content_type, header],
            "no JSON".to_owned(),
            "\"Invalid error body\"".to_owned(),
            None,
        ),
    ];
    for (headers, body, expected, expected_cause) in cases {
        let stage = Play::new().open().await;
        let (call, runtime, event) = stage.first_call().await;
        let id = event.header(REQUEST_ID).unwrap().to_owned();
        let headers: Vec<_> = headers
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        let taken = runtime
            .post(&format!("invocation/{id}/error"), &headers, &body)
            .await;
        assert_eq!(taken.status, 202);
        runtime.asks_next();
        let (answer, finished) = call.await.unwrap();
        assert_eq!(
            (answer.text(), finished.error_cause),
            (expected, expected_cause),
            "{headers:?}"
        );
    }
}
