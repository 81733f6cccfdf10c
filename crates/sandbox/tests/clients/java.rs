//! `aws-lambda-java-runtime-interface-client`.

use crate::client::{JsonLog, Memory, Messages, Refused, Streams};
use crate::client::{installed, version_in};
use crate::{Client, Code};

pub(crate) const CLIENT: Client = Client {
    language: "Java",
    package: "aws-lambda-java-runtime-interface-client",
    version: || version_in("java/pom.xml", "client</artifactId>\n      <version>", "<"),
    runtime: "java17",
    handler: "Handler::handleRequest",
    code: || Ok(Code::found(installed("java")?)),
    with: |function| function,
    failure: "java.lang.IllegalArgumentException",
    failure_fields: &["errorMessage", "errorType", "stackTrace"],
    init_failure: "java.lang.IllegalStateException",
    echoes: false,
    agent: Some("aws-lambda-java/"),
    messages: Messages::Whole,
    json: JsonLog {
        request_id: "/AWSRequestId",
        ..JsonLog::LAMBDA
    },
    memory: Memory::Told("java.lang.OutOfMemoryError"),
    refused: Refused::Ends,
    streams: Streams::No("the client answers in one piece only"),
    remarks: &[
        "Opens the log descriptor only when the JVM is started with `--add-opens=java.base/java.io=ALL-UNNAMED`, and otherwise writes line by line without a word; the sandbox starts it so from Java 9 on.",
        "Ends after an `OutOfMemoryError` that it has told: the caller has the error, the platform an exit of the runtime.",
        "Reads the trace header from a system property, not from the environment.",
        "In structured logs the request id is `AWSRequestId`.",
    ],
};

crate::matrix!();
