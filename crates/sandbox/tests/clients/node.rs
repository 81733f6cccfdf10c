//! `aws-lambda-ric`.

use crate::client::{JsonLog, Memory, Messages, Refused, StreamFailure, StreamShape, Streams};
use crate::client::{here, installed, version_in};
use crate::{Client, Code};

pub(crate) const CLIENT: Client = Client {
    language: "Node",
    package: "aws-lambda-ric",
    version: || version_in("node/package.json", "\"aws-lambda-ric\": \"", "\""),
    runtime: "nodejs22.x",
    handler: "index.handler",
    code: || {
        Ok(Code::linked(&[
            ("node_modules", installed("node")?.join("node_modules")),
            ("index.mjs", here("node/index.mjs")),
        ]))
    },
    with: |function| function,
    failure: "TypeError",
    failure_fields: &["errorMessage", "errorType", "trace"],
    init_failure: "RangeError",
    echoes: false,
    agent: None,
    messages: Messages::Whole,
    json: JsonLog::LAMBDA,
    memory: Memory::Killed,
    refused: Refused::GoesOn,
    streams: Streams::With(StreamShape {
        handler: "index.stream",
        head_always: false,
        failure: StreamFailure::Told("TypeError"),
    }),
    remarks: &[
        "Its stack is in `trace`, not in `stackTrace`.",
        "Needs Node.js 22, which comes as a package; its native addon is replaced by the shim of `examples/checkout/notify`, which needs no C++ compiler. With the addon built from its source the same tests pass (November 2026).",
        "`streamifyResponse` tells a failure in the middle of a stream in trailers.",
    ],
};

crate::matrix!();
