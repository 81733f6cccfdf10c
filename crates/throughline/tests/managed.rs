//! The real extension on Managed Instances: many invocations at once, each joined with what belongs to it.

#![allow(clippy::unwrap_used)] // in the helpers of tests too a panic is the message

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use throughline_sandbox::{
    Function, Initialization, Invoke, MANAGED_MEMORY_MB_MIN, ManagedInstances, Sandbox,
};
use throughline_telemetry::{Span, SpanKind, SpanStatus};
use throughline_testkit::FakeIntake;

/// Workers that ask for events side by side. An invocation logs a line of JSON when all of its wave are there, and fails
/// if its event says so.
const PROGRAM: &str = r#"#!/usr/bin/env python3
import http.client, json, os, threading
met = threading.Barrier(4)
def work():
    api = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
    def ask(method, path, body=None, headers={}):
        api.request(method, "/2018-06-01/runtime/invocation" + path, body, headers)
        response = api.getresponse()
        return response.headers, response.read()
    while True:
        headers, event = ask("GET", "/next")
        event, id = json.loads(event), headers["Lambda-Runtime-Aws-Request-Id"]
        met.wait(30)
        print(json.dumps({"requestId": id, "level": "INFO", "message": event["say"]}), flush=True)
        if event.get("fail"):
            ask("POST", f"/{id}/error", "{}", {"Lambda-Runtime-Function-Error-Type": "Function.Boom"})
        else:
            ask("POST", f"/{id}/response", "{}")
for _ in range(int(os.environ["AWS_LAMBDA_MAX_CONCURRENCY"])):
    threading.Thread(target=work).start()
"#;

const WAVE: usize = 4;
const WAVES: usize = 5;

#[tokio::test]
async fn invocations_at_once_are_one_span_and_their_own_lines_each() {
    let intake = FakeIntake::start().await;
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let bootstrap = folder.path().join("bootstrap");
    std::fs::write(&bootstrap, PROGRAM).unwrap();
    std::fs::set_permissions(&bootstrap, std::fs::Permissions::from_mode(0o755)).unwrap();
    let extension =
        Path::new(env!("CARGO_BIN_EXE_throughline")).with_file_name("throughline-extension");
    assert!(
        extension.exists(),
        "the extension is not built: cargo build --workspace --bins"
    );
    let function = Function::new("f", folder.path())
        .timeout(Duration::from_secs(60))
        .memory_mb(MANAGED_MEMORY_MB_MIN)
        .concurrency(1)
        .env("THROUGHLINE_ENDPOINT", intake.endpoint())
        .env("THROUGHLINE_FLUSH", "end")
        .initialization(Initialization::Managed(ManagedInstances {
            max_concurrency: WAVE,
            environments_min: 1,
        }));
    let sandbox = Sandbox::new().function(function).extension(extension);
    let sandbox = Arc::new(sandbox.start().await.unwrap());
    let mut ended = Vec::new();
    for wave in 0..WAVES {
        let calls = (0..WAVE).map(|number| {
            let said = format!("{wave}.{number}");
            let event = json!({"say": said, "fail": number == 0});
            let invoke = Invoke::new("f").payload(event.to_string());
            let sandbox = sandbox.clone();
            tokio::spawn(async move { (said, sandbox.call_to_end(invoke).await.unwrap().1) })
        });
        for call in calls.collect::<Vec<_>>() {
            ended.push(call.await.unwrap());
        }
    }
    let environments: std::collections::BTreeSet<_> = ended
        .iter()
        .map(|(_, finished)| &finished.environment)
        .collect();
    assert_eq!(environments.len(), 1);
    // Nobody announces the end of an invocation, so some of it leaves with the environment only.
    Arc::into_inner(sandbox).unwrap().shutdown().await;
    let received = intake.received();
    let (spans, logs) = (&received.spans, &received.logs);
    for (said, finished) in &ended {
        let id = &finished.request_id;
        let is_its = |span: &&Span| {
            span.kind == SpanKind::Server
                && span
                    .attributes
                    .get("faas.invocation_id")
                    .and_then(|value| value.as_str())
                    == Some(id)
        };
        let its: Vec<_> = spans.iter().filter(is_its).collect();
        assert_eq!(its.len(), 1, "spans of {id}");
        let span = its[0];
        let root = finished
            .trace_header
            .replace("Root=1-", "")
            .replacen('-', "", 1);
        assert!(
            root.starts_with(&span.trace_id.to_string()),
            "{root} {}",
            span.trace_id
        );
        let failed = said.ends_with(".0");
        assert_eq!(span.status == SpanStatus::Error, failed, "{said}: {span:?}");
        let steps = spans
            .iter()
            .filter(|step| step.parent_id == Some(span.span_id));
        // The init is told with the first of them.
        let steps = steps.filter(|step| step.name != "init");
        let steps: Vec<_> = steps.map(|step| step.name.as_str()).collect();
        assert_eq!(steps, ["response latency", "response duration"], "{said}");
        let lines = logs.iter().filter(|log| log.span_id == Some(span.span_id));
        let lines: Vec<Value> = lines
            .filter(|log| log.event_name.is_empty())
            .map(|log| json!(log.body.as_str()))
            .collect();
        assert_eq!(lines, [json!(said)], "lines of {said}");
    }
    let reports = logs
        .iter()
        .filter(|log| log.event_name == "platform.report");
    assert_eq!(reports.count(), ended.len());
}
