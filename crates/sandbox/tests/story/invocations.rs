//! Calls that go well, calls that fail, and the environments they leave behind.

use std::time::Duration;

use serde_json::json;
use throughline_sandbox::{Function, Invoke, InvokeError, Outcome, Sandbox, Status, WorldUsed};

use crate::{
    call, function, here, invoke, is_frozen, json_of, next_line, process_state, start,
    start_without_code, until_gone,
};

#[tokio::test]
async fn second_call_finds_the_environment_warm() {
    let sandbox = start(function()).await;
    let (first, cold) = call(&sandbox, json!({"n": 1})).await;
    let (second, warm) = call(&sandbox, json!({"n": 2})).await;
    assert_eq!(first.outcome, Outcome::Returned);
    assert_eq!(json_of(&first)["event"], json!({"n": 1}));
    assert_eq!(json_of(&second)["count"], 2);
    assert_eq!(json_of(&first)["pid"], json_of(&second)["pid"]);
    assert_eq!((cold.cold_start, warm.cold_start), (true, false));
    assert_eq!(cold.environment, warm.environment);
    assert!(cold.init.is_some() && warm.init.is_none());
    // Counted in microseconds, as the report tells them.
    assert!(cold.billed.as_micros() >= (cold.init.unwrap() + cold.duration).as_micros());
    assert_eq!((warm.status, warm.memory_mb), (Status::Success, 128));
    assert!(warm.memory_max_used_mb > 0);
    sandbox.shutdown().await;
}

#[tokio::test]
async fn runtime_gets_all_headers() {
    let sandbox = start(function()).await;
    let trace =
        "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1;Lineage=a:0";
    let invoke = Invoke::new("f")
        .trace_header(trace)
        .client_context(r#"{"custom":{}}"#);
    let answer = sandbox.call(invoke).await.unwrap();
    let headers = &json_of(&answer)["headers"];
    assert_eq!(headers["lambda-runtime-trace-id"], trace);
    assert_eq!(headers["lambda-runtime-client-context"], r#"{"custom":{}}"#);
    assert_eq!(headers["lambda-runtime-aws-request-id"], answer.request_id);
    assert_eq!(
        headers["lambda-runtime-invoked-function-arn"],
        "arn:aws:lambda:us-east-1:123456789012:function:f"
    );
    assert!(
        headers["lambda-runtime-deadline-ms"]
            .as_str()
            .unwrap()
            .len()
            == 13
    );
}

#[tokio::test]
async fn handled_error_is_an_answer_and_a_success_of_the_platform() {
    let sandbox = start(function()).await;
    let (answer, finished) = call(&sandbox, json!({"do": "fail"})).await;
    assert_eq!(answer.outcome, Outcome::FunctionError);
    assert_eq!(
        json_of(&answer),
        json!({"errorType": "ValueError", "errorMessage": "no"})
    );
    assert_eq!(
        (finished.status, finished.outcome),
        (Status::Success, Outcome::FunctionError)
    );
    let (_, next) = call(&sandbox, json!({})).await;
    assert!(!next.cold_start);
}

#[tokio::test]
async fn crash_is_told_and_the_next_call_starts_anew() {
    let sandbox = start(function()).await;
    for (code, words) in [
        (3, "Runtime exited with error: exit status 3"),
        (0, "Runtime exited without providing a reason"),
    ] {
        let (answer, finished) = call(&sandbox, json!({"do": "exit", "code": code})).await;
        let message = format!("RequestId: {} Error: {words}", answer.request_id);
        assert_eq!(
            json_of(&answer),
            json!({"errorType": "Runtime.ExitError", "errorMessage": message})
        );
        assert_eq!(
            (finished.status, finished.error_type.as_deref()),
            (Status::Error, Some("Runtime.ExitError"))
        );
    }
    let (answer, finished) = call(&sandbox, json!({})).await;
    assert_eq!(
        (answer.outcome, json_of(&answer)["count"].clone()),
        (Outcome::Returned, json!(1))
    );
    // The late init is part of the invocation's own time.
    assert_eq!((finished.cold_start, finished.init), (true, None));
}

#[tokio::test]
async fn handler_that_never_returns_runs_into_its_timeout() {
    let sandbox = start(function().timeout(Duration::from_secs(1))).await;
    let (warm, _) = call(&sandbox, json!({})).await;
    let (answer, finished) = call(&sandbox, json!({"do": "hang"})).await;
    let message = format!(
        "RequestId: {} Error: Task timed out after 1.00 seconds",
        answer.request_id
    );
    assert_eq!(
        json_of(&answer),
        json!({"errorType": "Sandbox.Timedout", "errorMessage": message})
    );
    assert_eq!(
        (finished.status, finished.error_type.as_deref()),
        (Status::Timeout, None)
    );
    assert_eq!(
        (finished.duration, finished.billed),
        (Duration::from_secs(1), Duration::from_secs(1))
    );
    assert_eq!(process_state(&json_of(&warm)["pid"]), None);
    let (answer, _) = call(&sandbox, json!({})).await;
    assert_eq!(answer.outcome, Outcome::Returned);
}

#[tokio::test]
async fn answer_above_six_mebibytes_is_refused_and_the_runtime_goes_on() {
    let sandbox = start(function()).await;
    let mut activity = sandbox.activity();
    let (answer, finished) = call(&sandbox, json!({"do": "big"})).await;
    let bytes = 6 * 1024 * 1024 + 102;
    let message = format!(
        "Response payload size ({bytes} bytes) exceeded maximum allowed payload size (6291556 bytes)."
    );
    assert_eq!(
        json_of(&answer),
        json!({"errorType": "Function.ResponseSizeTooLarge", "errorMessage": message})
    );
    assert_eq!(finished.status, Status::Success);
    let refusal = r#"{"errorMessage":"Exceeded maximum allowed payload size (6291556 bytes).","errorType":"RequestEntityTooLarge"}"#;
    assert_eq!(
        next_line(&mut activity).await,
        format!("big answer got 413 {refusal}")
    );
    let (_, next) = call(&sandbox, json!({})).await;
    assert!(!next.cold_start);
}

#[tokio::test]
async fn answers_to_other_invocations_are_refused() {
    let sandbox = start(function()).await;
    let (answer, _) = call(&sandbox, json!({"do": "wrong id"})).await;
    assert_eq!(
        json_of(&answer),
        json!([400, {"errorType": "InvalidRequestID", "errorMessage": "Invalid request ID"}])
    );
    let (answer, _) = call(&sandbox, json!({"do": "late"})).await;
    assert_eq!(
        json_of(&answer),
        json!([410, {"errorType": "InvokeTimeout", "errorMessage": "Invoke timeout"}])
    );
    let mut activity = sandbox.activity();
    let (answer, _) = call(&sandbox, json!({"do": "twice"})).await;
    assert_eq!(json_of(&answer), json!("first"));
    let refusal = r#"{"errorMessage":"State transition from RuntimeResponseSent to InvocationResponse failed for runtime. Error: State transition is not allowed","errorType":"InvalidStateTransition"}"#;
    assert_eq!(
        next_line(&mut activity).await,
        format!("second answer got 403 {refusal}")
    );
}

#[tokio::test]
async fn failed_init_is_tried_twice_and_told() {
    let sandbox = start(function().env("FAIL_INIT", "1")).await;
    let (answer, finished) = call(&sandbox, json!({})).await;
    assert_eq!(
        json_of(&answer),
        json!({"errorType": "Boom", "errorMessage": "no init today"})
    );
    assert_eq!(
        (finished.status, finished.error_type.as_deref()),
        (Status::Error, Some("Function.Boom"))
    );

    let sandbox = start_without_code(|name, code| Function::new(name, code)).await;
    let (answer, _) = call(&sandbox, json!({})).await;
    assert_eq!(json_of(&answer)["errorType"], "Runtime.InvalidEntrypoint");
}

#[tokio::test]
async fn calls_at_the_same_time_get_environments_of_their_own() {
    let folder = crate::folder().unwrap();
    let sandbox = start(function()).await;
    let event = json!({"do": "meet", "folder": folder.path(), "count": 3});
    let (a, b, c) = tokio::join!(
        call(&sandbox, event.clone()),
        call(&sandbox, event.clone()),
        call(&sandbox, event)
    );
    let pids: std::collections::BTreeSet<_> = [&a.0, &b.0, &c.0].map(|answer| answer.text()).into();
    let environments: std::collections::BTreeSet<_> =
        [a.1, b.1, c.1].map(|finished| finished.environment).into();
    assert_eq!((pids.len(), environments.len()), (3, 3));
}

#[tokio::test]
async fn calls_beyond_the_limit_are_throttled() {
    let folder = crate::folder().unwrap();
    let sandbox = Sandbox::new()
        .function(function())
        .concurrency(1)
        .start()
        .await
        .unwrap();
    let mut activity = sandbox.activity();
    let go = folder.path().join("go");
    let first = call(&sandbox, json!({"do": "wait", "file": go}));
    let second = async {
        assert_eq!(next_line(&mut activity).await, "waiting");
        let refused = sandbox.invoke("f", "{}").await;
        let by_http = invoke(&sandbox, "f", &[], "{}").await;
        std::fs::write(&go, "").unwrap();
        (refused, by_http)
    };
    let ((answer, _), (refused, by_http)) = tokio::join!(first, second);
    assert_eq!(answer.text(), "\"waited\"");
    assert_eq!(
        refused,
        Err(InvokeError::Throttled {
            function: "f".to_owned(),
            limit: 1
        })
    );
    assert_eq!(
        (by_http.status, by_http.header("x-amzn-errortype")),
        (429, Some("TooManyRequestsException"))
    );
}

#[tokio::test]
async fn environment_is_frozen_between_calls() {
    let sandbox = start(function()).await;
    let (answer, _) = call(&sandbox, json!({})).await;
    let pid = json_of(&answer)["pid"].clone();
    // The stop is sent before the end of the invocation is told, and takes effect at once or a moment later.
    let stopped = async {
        while !is_frozen(&pid) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), stopped)
        .await
        .expect("the runtime is stopped");
    let (answer, _) = call(&sandbox, json!({})).await;
    assert_eq!(json_of(&answer)["pid"], pid);
}

#[tokio::test]
async fn no_process_outlives_the_sandbox() {
    let sandbox = start(function()).await;
    let (answer, _) = call(&sandbox, json!({})).await;
    sandbox.shutdown().await;
    assert_eq!(process_state(&json_of(&answer)["pid"]), None);

    let sandbox = start(function()).await;
    let (answer, _) = call(&sandbox, json!({})).await;
    drop(sandbox);
    until_gone(&json_of(&answer)["pid"]).await;
}

#[tokio::test]
async fn idle_environment_ends() {
    let sandbox = Sandbox::new()
        .function(function())
        .idle_timeout(Duration::from_millis(50))
        .start()
        .await
        .unwrap();
    let (answer, before) = call(&sandbox, json!({})).await;
    until_gone(&json_of(&answer)["pid"]).await;
    let (_, after) = call(&sandbox, json!({})).await;
    assert!(after.cold_start && after.environment != before.environment);
}

#[tokio::test]
async fn processes_get_the_variables_and_folder_of_lambda() {
    let sandbox = Sandbox::new()
        .function(function().env("OWN", "1"))
        .env("ALL", "2")
        .start()
        .await
        .unwrap();
    let keys = [
        "OWN",
        "ALL",
        "AWS_LAMBDA_FUNCTION_NAME",
        "LAMBDA_TASK_ROOT",
        "AWS_ENDPOINT_URL_LAMBDA",
        "TZ",
        "CARGO_MANIFEST_DIR",
    ];
    let (answer, _) = call(&sandbox, json!({"do": "variables", "keys": keys})).await;
    let own = *sandbox.world() == WorldUsed::Own;
    let code = if own {
        "/var/task".into()
    } else {
        here("function")
    };
    let mut told = json_of(&answer);
    let endpoint = told["AWS_ENDPOINT_URL_LAMBDA"].take();
    assert!(endpoint.as_str().unwrap().starts_with("http://127.0."));
    assert_eq!(
        told,
        json!({
            "OWN": "1",
            "ALL": "2",
            "AWS_LAMBDA_FUNCTION_NAME": "f",
            "LAMBDA_TASK_ROOT": code,
            "AWS_ENDPOINT_URL_LAMBDA": null,
            "TZ": ":UTC",
            "CARGO_MANIFEST_DIR": null,
            "cwd": code,
        })
    );
}

#[tokio::test]
async fn memory_is_the_most_that_was_used() {
    let sandbox = start(function()).await;
    let (_, small) = call(&sandbox, json!({})).await;
    let (_, large) = call(&sandbox, json!({"do": "memory", "mb": 64})).await;
    assert!(
        large.memory_max_used_mb >= small.memory_max_used_mb + 60,
        "{small:?} {large:?}"
    );
}
