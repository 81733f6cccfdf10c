//! `awslambdaric`.

use crate::client::{JsonLog, Memory, Messages, Refused, Streams};
use crate::client::{here, installed, version_in};
use crate::{Client, Code};

pub(crate) const CLIENT: Client = Client {
    language: "Python",
    package: "awslambdaric",
    version: || version_in("python/requirements.txt", "awslambdaric==", "\n"),
    runtime: "python3.13",
    handler: "app.handler",
    code: || {
        Ok(Code::linked(&[
            (".venv", installed("python")?),
            ("app.py", here("python/app.py")),
        ]))
    },
    with: |function| function,
    failure: "ValueError",
    failure_fields: &["errorMessage", "errorType", "requestId", "stackTrace"],
    init_failure: "RuntimeError",
    echoes: true,
    agent: Some("aws-lambda-python/"),
    messages: Messages::Whole,
    json: JsonLog::LAMBDA,
    memory: Memory::Killed,
    refused: Refused::Ends,
    streams: Streams::No("the client answers in one piece only"),
    remarks: &[
        "Its error has `requestId` beside what others send, and is written to the log as well.",
    ],
};

crate::matrix!();
