//! AWS's SDKs, led to the sandbox by their endpoint: all make the same calls and get the same.

mod rust;

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};
use throughline_sandbox::{Function, Invoke, RunningSandbox, Sandbox};
use tokio::process::Command;

use crate::client::{here, installed};
use crate::rust::CLIENT;

pub(crate) use rust::client;

/// Functions `f` and `later` to call, and `busy`, all of whose environments hang for as long as `calls` go on.
async fn check(calls: impl AsyncFnOnce(&RunningSandbox) -> Value) {
    let code = (CLIENT.code)().unwrap();
    let function = |name| Function::new(name, &code.folder).timeout(Duration::from_secs(60));
    let sandbox = Sandbox::new()
        .function(function("f"))
        .function(function("later"))
        .function(function("busy"))
        .concurrency(ENVIRONMENTS)
        .start()
        .await
        .unwrap();
    let hang = || sandbox.call(Invoke::new("busy").payload(r#"{"do":"hang"}"#));
    let hanging = join_all((0..ENVIRONMENTS).map(|_| hang()));
    let told = tokio::select! {
        biased;
        answer = hanging => panic!("it does not hang: {answer:?}"),
        told = calls(&sandbox) => told,
    };
    let expected = expected();
    for (call, expected) in expected.as_object().unwrap() {
        assert_eq!(&told[call], expected, "{call}");
    }
    assert_eq!(
        told.as_object().unwrap().len(),
        expected.as_object().unwrap().len()
    );
    drop(sandbox);
}

/// More than one, since an environment may still be busy when its caller has the answer.
const ENVIRONMENTS: usize = 4;

fn expected() -> Value {
    let refused = |status: u16, error_type: &str| json!({"status": status, "type": error_type, "modeled": error_type});
    json!({
        "whole": {
            "status": 200,
            "version": "$LATEST",
            "arn": "arn:aws:lambda:us-east-1:123456789012:function:f:$LATEST",
            "custom": {"cart": "7"},
            "log": true,
            "id": true,
        },
        "failing": {"status": 200, "error": "Unhandled", "type": "OnPurpose"},
        "event": 202,
        "dry run": 204,
        "stream": {"body": "first half, second half", "error": null},
        "failing stream": {"body": "", "error": "Unhandled"},
        "unknown": refused(404, "ResourceNotFoundException"),
        "throttled": refused(429, "TooManyRequestsException"),
        "too large": refused(413, "RequestTooLargeException"),
        "no json": refused(400, "InvalidRequestContentException"),
        "list": ["busy", "f", "later"],
        "paged": ["busy", "f", "later"],
        "function": "arn:aws:lambda:us-east-1:123456789012:function:f",
        "configuration": ["f", "provided.al2023", 128, 60, "Active"],
        "unknown function": refused(404, "ResourceNotFoundException"),
        "not offered": {"status": 404, "type": "UnknownOperationException"},
    })
}

/// What a program prints that makes the calls.
async fn run(program: &Path, script: &Path, sandbox: &RunningSandbox) -> Value {
    let run = Command::new(program)
        .arg(script)
        .arg(format!("http://{}", sandbox.api_addr()))
        .env("NO_PROXY", "*")
        .stderr(Stdio::inherit())
        .kill_on_drop(true)
        .output();
    let output = tokio::time::timeout(Duration::from_secs(120), run)
        .await
        .expect("the calls do not end")
        .unwrap();
    assert!(output.status.success());
    let mut told: Value = serde_json::from_slice(&output.stdout).unwrap();
    // No SDK knows this one as a type of its own.
    told["not offered"]
        .as_object_mut()
        .unwrap()
        .remove("modeled");
    told
}

#[tokio::test]
async fn boto3_makes_every_call() {
    match installed("python") {
        Ok(place) => {
            let script = here("python/sdk.py");
            check(async |sandbox| run(&place.join("bin/python"), &script, sandbox).await).await;
        }
        Err(reason) => println!("skipped: {reason}"),
    }
}

#[tokio::test]
async fn sdk_for_node_makes_every_call() {
    match installed("node") {
        Ok(place) => {
            // The script's imports are looked up where it lies.
            let code = crate::Code::linked(&[("node_modules", place.join("node_modules"))]);
            let script = code.folder.join("sdk.mjs");
            std::fs::copy(here("node/sdk.mjs"), &script).unwrap();
            let node = place.join("node_modules/.bin/node");
            check(async |sandbox| run(&node, &script, sandbox).await).await;
        }
        Err(reason) => println!("skipped: {reason}"),
    }
}

#[tokio::test]
async fn sdk_for_rust_makes_every_call() {
    check(rust::calls).await;
}
