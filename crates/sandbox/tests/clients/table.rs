//! `docs/clients.md`, made from what the tests hold each client to.

use expect_test::expect_file;

use crate::client::{Memory, Messages, Refused, StreamFailure, Streams, version_in};
use crate::managed::{self, Concurrent};
use crate::{Client, go, java, node, python, rust};

const CLIENTS: [Client; 5] = [
    rust::CLIENT,
    python::CLIENT,
    node::CLIENT,
    go::CLIENT,
    java::CLIENT,
];

#[test]
fn document_says_what_the_tests_hold_the_clients_to() {
    let runtimes: String = CLIENTS.iter().map(row).collect();
    let remarks: String = CLIENTS.iter().map(remarks).collect();
    let concurrent: String = managed::CLIENTS.iter().map(concurrent_row).collect();
    let extension = rust::locked("lambda-extension");
    let extension = format!("| `lambda-extension` | {extension} |\n");
    let document = [
        HEAD,
        COLUMNS,
        &runtimes,
        REMARKS,
        &remarks,
        MANAGED,
        &concurrent,
        EXTENSIONS,
        &extension,
        SDKS,
        &sdks(),
    ]
    .concat();
    expect_file!["../../../../docs/clients.md"].assert_eq(&document);
}

fn row(client: &Client) -> String {
    let cells = [
        format!("{} `{}`", client.language, client.package),
        (client.version)(),
        format!("`{}`", client.runtime),
        "its value".to_owned(),
        failing(client),
        format!("`{}`", client.init_failure),
        match client.memory {
            Memory::Killed => "`Runtime.ExitError`, killed".to_owned(),
            Memory::Told(error_type) => format!("`{error_type}`, then ends"),
        },
        after_refusal(client),
        streaming(client),
        match client.messages {
            Messages::Whole => "whole",
            Messages::LineByLine => "line by line",
        }
        .to_owned(),
        if client.echoes { "yes" } else { "no" }.to_owned(),
    ];
    format!("| {} |\n", cells.join(" | "))
}

fn concurrent_row(concurrent: &Concurrent) -> String {
    let Concurrent {
        client,
        workers,
        hung,
    } = concurrent;
    let (language, package, version) = (client.language, client.package, (client.version)());
    format!("| {language} `{package}` | {version} | {workers} | {hung} |\n")
}

fn failing(client: &Client) -> String {
    let fields = client.failure_fields.iter();
    let fields: Vec<_> = fields.map(|field| format!("`{field}`")).collect();
    format!("`{}`: {}", client.failure, fields.join(", "))
}

fn after_refusal(client: &Client) -> String {
    match client.refused {
        Refused::GoesOn => "goes on",
        Refused::Ends => "ends",
    }
    .to_owned()
}

fn streaming(client: &Client) -> String {
    match client.streams {
        Streams::No(reason) => format!("no: {reason}"),
        Streams::With(shape) => match shape.failure {
            StreamFailure::Told(failure) => {
                format!("yes; a failure in the middle is told as `{failure}`")
            }
            StreamFailure::InBody => {
                "yes; a failure in the middle becomes part of the body".to_owned()
            }
        },
    }
}

fn remarks(client: &Client) -> String {
    let remarks = client.remarks.iter();
    let remarks: String = remarks.map(|remark| format!("- {remark}\n")).collect();
    format!("\n### {}\n\n{remarks}", client.language)
}

/// The calls are those that the tests of the SDKs make.
fn sdks() -> String {
    let python = version_in("python/requirements.txt", "boto3==", "\n");
    let node = version_in("node/package.json", "\"@aws-sdk/client-lambda\": \"", "\"");
    format!(
        "| Rust `aws-sdk-lambda` | {} |\n| Python `boto3` | {python} |\n| Node `@aws-sdk/client-lambda` | {node} |\n",
        rust::locked("aws-sdk-lambda"),
    )
}

const HEAD: &str = "\
# Real clients

The runtime clients, extensions and SDKs that AWS publishes run against the sandbox as they are. The tests in
`crates/sandbox/tests/clients` start them for every row of this page, and one of them compares the page with what the
others expect. `make clients` installs them once into the cache; a test whose client is not there says so.

## Runtimes

Beside the columns, each is tried with a handler that hangs (the caller hears `Task timed out` and the environment is
started anew), one that is killed (`Runtime.ExitError`, `signal: killed`, and the next call finds a new environment)
and one that logs as JSON (with level and request id; what is below the level of the function is not written).

";

const COLUMNS: &str = "\
| client | version | as | good | handler throws | init throws | beyond its memory, where that is limited | after an answer beyond 6 MiB | streams | messages of several lines | sends the invocation id back |
|---|---|---|---|---|---|---|---|---|---|---|
";

const REMARKS: &str = "
## What each does in its own way
";

const MANAGED: &str = "
## On Managed Instances

These clients know of `AWS_LAMBDA_MAX_CONCURRENCY`. Each is tried with three invocations that end only when all three
are under way in one environment; with one that fails beside two others (`Runtime.Unknown` in the report, since none of
them names a type of the platform's); and with one that times out, after which the environment goes on. The others take
one invocation at a time, which the sandbox shows as throttled calls.

| client | version | its workers | a worker whose invocation timed out |
|---|---|---|---|
";

const EXTENSIONS: &str = "
## Extensions

A program made with the crate `lambda-extension` runs as an external extension beside a real function, through good calls,
a timeout, a crash and a shutdown. It hears `INVOKE` and `SHUTDOWN` with their reasons, and subscribes with a telemetry
processor, which reads every event of these, and with a logs processor through the older Logs API. Structured log lines
reach it as text, because it asks for the first schema version. After `SHUTDOWN` it asks for the next event instead of
ending, so each shutdown takes its whole two seconds.

| crate | version |
|---|---|
";

const SDKS: &str = "
## SDKs

Each is led to the sandbox by its endpoint setting alone, and each makes the same calls with the same results: `Invoke`
of all three types, with a qualifier, a client context and the log tail; `InvokeWithResponseStream`; a function that
fails; `GetFunction`, `GetFunctionConfiguration` and `ListFunctions`, the last one in pages too. What is refused arrives as
the SDK's own type: `ResourceNotFoundException`, `TooManyRequestsException`, `RequestTooLargeException` and
`InvalidRequestContentException`. Whatever else the API of Lambda has is refused as `UnknownOperationException`.

| SDK | version |
|---|---|
";
