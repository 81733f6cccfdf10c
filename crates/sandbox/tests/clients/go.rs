//! `aws-lambda-go`.

use serde_json::json;

use crate::client::{JsonLog, Memory, Messages, Refused, StreamFailure, StreamShape, Streams};
use crate::client::{installed, version_in};
use crate::matrix::{assert_ended, json_of, start};
use crate::{Client, Code};

pub(crate) const CLIENT: Client = Client {
    language: "Go",
    package: "aws-lambda-go",
    version: || version_in("go/go.mod", "aws-lambda-go v", "\n"),
    runtime: "provided.al2023",
    handler: "bootstrap",
    code: || Ok(Code::found(installed("go")?)),
    with: |function| function,
    failure: "onPurpose",
    failure_fields: &["errorMessage", "errorType"],
    init_failure: "Runtime.ExitError",
    echoes: false,
    agent: Some("aws-lambda-go/"),
    messages: Messages::LineByLine,
    json: JsonLog::LAMBDA,
    memory: Memory::Killed,
    refused: Refused::Ends,
    streams: Streams::With(StreamShape {
        handler: "bootstrap",
        head_always: false,
        failure: StreamFailure::Told("onPurpose"),
    }),
    remarks: &[
        "Announces the trailers of a failure for every answer and never sets `Lambda-Runtime-Function-Response-Mode`. A handler that returns an `io.Reader` streams all the same, as on Lambda: the sandbox takes an answer with these trailers that is not JSON for a stream.",
        "An error has no stack; a panic has one, and ends the process after it was reported.",
        "Reports no failure of an init: it is a process that exits.",
    ],
};

crate::matrix!();

#[tokio::test]
async fn panic_is_told_with_its_stack_and_ends_the_process() {
    let Some(started) = start(&CLIENT, |function| function).await else {
        return;
    };
    let (answer, finished) = started.call(json!({"do": "panic"})).await;
    let error = json_of(&answer);
    assert_eq!(
        (&error["errorType"], &error["errorMessage"]),
        (&json!("string"), &json!("on purpose"))
    );
    assert!(error["stackTrace"][0]["path"].is_string(), "{error}");
    assert_ended(&finished);
}
