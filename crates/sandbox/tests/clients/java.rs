//! `aws-lambda-java-runtime-interface-client`.

use crate::client::{JsonLog, Messages, Streams};
use crate::client::{here, installed, version_in};
use crate::{Client, Code};

pub(crate) const CLIENT: Client = Client {
    language: "Java",
    package: "aws-lambda-java-runtime-interface-client",
    version: || version_in("java/pom.xml", "client</artifactId>\n      <version>", "<"),
    runtime: "provided.al2023",
    handler: "Handler::handleRequest",
    code: || {
        Ok(Code::linked(&[
            ("code", installed("java")?),
            ("bootstrap", here("java/bootstrap")),
        ]))
    },
    with: |function| function,
    failure: "java.lang.IllegalArgumentException",
    failure_fields: &["errorMessage", "errorType", "stackTrace"],
    init_failure: "java.lang.IllegalStateException",
    messages: Messages::LineByLine,
    json: JsonLog {
        request_id: "/AWSRequestId",
        ..JsonLog::LAMBDA
    },
    streams: Streams::No("the client answers in one piece only"),
    remarks: &[
        "Reads the trace header from a system property, not from the environment.",
        "In structured logs the request id is `AWSRequestId`.",
    ],
};

crate::matrix!();
