//! `lambda_runtime`.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::json;
use throughline_sandbox::{Invoke, Status};

use crate::client::{
    JsonLog, Memory, Messages, Refused, StreamFailure, StreamShape, Streams, here,
};
use crate::matrix::{assert_ended, json_of, start};
use crate::{Client, Code};

pub(crate) const CLIENT: Client = Client {
    language: "Rust",
    package: "lambda_runtime",
    version: || locked("lambda_runtime"),
    runtime: "provided.al2023",
    handler: "bootstrap",
    code: || {
        Ok(Code::linked(&[(
            "bootstrap",
            built("client-function", "rust/function.rs"),
        )]))
    },
    with: |function| function,
    failure: "OnPurpose",
    failure_fields: &["errorMessage", "errorType"],
    init_failure: "Runtime.ExitError",
    echoes: true,
    agent: Some("aws-lambda-rust/"),
    messages: Messages::LineByLine,
    json: JsonLog {
        message: "/fields/message",
        request_id: "/span/requestId",
        ..JsonLog::LAMBDA
    },
    memory: Memory::Killed,
    refused: Refused::GoesOn,
    streams: Streams::With(StreamShape {
        handler: "bootstrap",
        head_always: true,
        failure: StreamFailure::InBody,
    }),
    remarks: &[
        "Writes a failure in the middle of a stream into the body, as the text of the two trailers, and then ends the stream as a good one: neither Lambda nor the sandbox can tell.",
        "Sends the JSON head of an HTTP response first for every stream, so a caller of `InvokeWithResponseStream` gets head, eight NUL bytes and body.",
        "Ends the process when the client context has a `client` without all five members that the SDKs for phones fill.",
        "Reports a panic of the handler as an error, `Lambda panicked: …`, and goes on.",
        "Reports no failure of an init: a `main` that returns an error is a process that exits with status 1.",
        "Writes what a handler returns as an error to the log too, from level ERROR on.",
        "In structured logs the message is in `fields.message` and the request id in `span.requestId`.",
    ],
};

/// A program of this crate's tests. Cargo builds it for all tests, but not for those of one file.
pub(crate) fn built(example: &str, source: &str) -> PathBuf {
    let tests = std::env::current_exe().unwrap();
    let program = tests.parent().unwrap().with_file_name("examples");
    let program = program.join(example);
    let changed = |path: &Path| std::fs::metadata(path)?.modified();
    let fresh = changed(&program).is_ok_and(|built| built >= changed(&here(source)).unwrap());
    if !fresh {
        let status = Command::new(env!("CARGO"))
            .args(["build", "--quiet", "--workspace"]) // the features that everything else is built with
            .args(["--example", example])
            .status()
            .unwrap();
        assert!(status.success());
    }
    program
}

/// The version in the workspace's lock file.
pub(crate) fn locked(package: &str) -> String {
    let lock = concat!(env!("CARGO_MANIFEST_DIR"), "/../../Cargo.lock");
    let lock = std::fs::read_to_string(lock).unwrap();
    let entry = format!("name = \"{package}\"\nversion = \"");
    let (_, rest) = lock.split_once(&entry).unwrap();
    rest.split_once('"').unwrap().0.to_owned()
}

crate::matrix!();

#[tokio::test]
async fn panic_is_told_and_the_process_goes_on() {
    let started = start(&CLIENT, |function| function).await.unwrap();
    let (answer, finished) = started.call(json!({"do": "panic"})).await;
    let error = json_of(&answer);
    assert_eq!(
        error["errorMessage"], "Lambda panicked: on purpose",
        "{error}"
    );
    assert_eq!(finished.status, Status::Success);
    let (_, finished) = started.call(json!({})).await;
    assert!(!finished.cold_start);
}

#[tokio::test]
async fn client_context_with_an_empty_client_ends_the_process() {
    let started = start(&CLIENT, |function| function).await.unwrap();
    let invoke = Invoke::new("f").client_context(r#"{"client":{}}"#);
    let (_, finished) = started.invoke(invoke).await;
    assert_ended(&finished);
}
