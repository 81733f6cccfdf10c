//! The real extension in environments that are made from a snapshot: each is one of its own, and nothing is lost.
//!
//! The sandbox copies no process, so two environments here are two snapshots of which each is restored once. What two
//! restores of one snapshot may not share is held by the tests of the extension's core.

#![allow(clippy::unwrap_used)] // in the helpers of tests too a panic is the message

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use throughline_sandbox::{Function, Initialization, Invoke, Sandbox};
use throughline_testkit::FakeIntake;

/// Logs before its snapshot, in the restore, and in each invocation. The first invocations wait for each other, so that
/// there is one environment for each.
const PROGRAM: &str = r#"#!/usr/bin/env python3
import http.client, os, time
api = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
def ask(method, path, body=None):
    api.request(method, "/2018-06-01/runtime" + path, body)
    response = api.getresponse()
    return response.headers, response.read()
print("before the snapshot", flush=True)
ask("GET", "/restore/next")
print("in the restore", flush=True)
meet = os.environ["MEET"]
first = True
while True:
    headers, event = ask("GET", "/invocation/next")
    id = headers["Lambda-Runtime-Aws-Request-Id"]
    if first:
        open(os.path.join(meet, id), "w").close()
        while len(os.listdir(meet)) < 2: time.sleep(0.005)
        first = False
    print("said " + id, flush=True)
    ask("POST", f"/invocation/{id}/response", "{}")
"#;

#[tokio::test]
async fn each_environment_from_a_snapshot_is_one_of_its_own_and_loses_nothing() {
    let intake = FakeIntake::start().await;
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let meet = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
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
        .env("THROUGHLINE_ENDPOINT", intake.endpoint())
        .env("MEET", meet.path().to_str().unwrap())
        .initialization(Initialization::SnapStart);
    let sandbox = Sandbox::new().function(function).extension(extension);
    let sandbox = Arc::new(sandbox.start().await.unwrap());
    let mut ended = Vec::new();
    for _ in 0..2 {
        let calls = (0..2).map(|_| {
            let sandbox = sandbox.clone();
            tokio::spawn(async move { sandbox.call_to_end(Invoke::new("f")).await.unwrap().1 })
        });
        for call in calls.collect::<Vec<_>>() {
            ended.push(call.await.unwrap());
        }
    }
    let environments: BTreeSet<_> = ended.iter().map(|finished| &finished.environment).collect();
    assert_eq!(environments.len(), 2);
    Arc::into_inner(sandbox).unwrap().shutdown().await;

    let received = intake.received();
    for finished in &ended {
        let id = &finished.request_id;
        let said = format!("said {id}");
        let lines = received
            .logs
            .iter()
            .filter(|log| log.body.as_str() == Some(&said));
        assert_eq!(lines.count(), 1, "{said}");
        let spans = received.spans.iter().filter(|span| {
            let of = span.attributes.get("faas.invocation_id");
            span.name == "f" && of.and_then(|value| value.as_str()) == Some(id)
        });
        assert_eq!(spans.count(), 1, "spans of {id}");
    }
    let count = |text: &str| {
        let lines = received
            .logs
            .iter()
            .filter(|log| log.body.as_str() == Some(text));
        lines.count()
    };
    assert_eq!(count("before the snapshot"), 2);
    assert_eq!(count("in the restore"), 2);
    let restores: Vec<_> = received
        .spans
        .iter()
        .filter(|span| span.name == "restore")
        .collect();
    assert_eq!(restores.len(), 2);
    for restore in restores {
        assert!(
            received
                .spans
                .iter()
                .any(|span| Some(span.span_id) == restore.parent_id && span.name == "f")
        );
    }

    // Numbered from one in each environment, and the books of each are right at its end.
    let mut numbers: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for post in &received.posts {
        let environment = post.header("x-throughline-environment").to_owned();
        numbers
            .entry(environment)
            .or_default()
            .extend(post.sequence());
    }
    assert_eq!(numbers.len(), 2, "{numbers:?}");
    let mut last: BTreeMap<&str, Value> = BTreeMap::new();
    for ledger in &received.ledgers {
        last.insert(
            &ledger.environment,
            serde_json::from_str(&ledger.text).unwrap(),
        );
    }
    for (environment, mut numbers) in numbers {
        numbers.sort_unstable();
        let expected: Vec<u64> = (1..=numbers.len() as u64).collect();
        assert_eq!(numbers, expected);
        let ledger = &last[&*environment];
        assert_eq!(ledger["accepted"], ledger["delivered"], "{ledger}");
        assert_eq!(ledger["final"], true, "{ledger}");
    }
}
