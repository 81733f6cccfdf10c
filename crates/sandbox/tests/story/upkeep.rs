//! Environments that start ahead, limits of single functions, and code that changes.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use serde_json::json;
use throughline_sandbox::{
    Activity, Function, Initialization, InvokeError, Outcome, RunningSandbox, Sandbox,
};
use tokio::sync::broadcast::Receiver;

use crate::{call, function, here, json_of, start};

/// Answers with the variable of its environment and the word of its code.
const PROGRAM: &str = r#"#!/usr/bin/env python3
import http.client, json, os
api = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
def ask(method, path, body=None):
    api.request(method, "/2018-06-01/runtime/invocation" + path, body)
    response = api.getresponse()
    response.read()
    return response
while True:
    id = ask("GET", "/next").headers["Lambda-Runtime-Aws-Request-Id"]
    ask("POST", f"/{id}/response", json.dumps(["WORD", os.environ["AWS_LAMBDA_INITIALIZATION_TYPE"]]))
"#;

fn write(path: &Path, word: &str) {
    // As builds do it: the new file takes the name of the old one, which may be running.
    let new = path.with_extension("new");
    fs::write(&new, PROGRAM.replace("WORD", word)).unwrap();
    fs::set_permissions(&new, fs::Permissions::from_mode(0o755)).unwrap();
    fs::rename(new, path).unwrap();
}

async fn reloaded(activity: &mut Receiver<Activity>) -> Result<String, String> {
    let next = async {
        loop {
            match activity.recv().await.unwrap() {
                Activity::Reloaded { function } => return Ok(function),
                Activity::NotReloaded { problem, .. } => return Err(problem),
                _ => {}
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(30), next)
        .await
        .expect("no change was seen")
}

async fn start_watching(function: Function) -> (RunningSandbox, Receiver<Activity>) {
    let function = function.timeout(Duration::from_secs(20));
    let sandbox = Sandbox::new().function(function).watch(true);
    let sandbox = sandbox.start().await.unwrap();
    let activity = sandbox.activity();
    (sandbox, activity)
}

#[tokio::test]
async fn provisioned_environments_are_ready_and_more_start_as_needed() {
    let folder = tempfile::tempdir().unwrap();
    write(&folder.path().join("bootstrap"), "one");
    let function = Function::new("f", folder.path())
        .timeout(Duration::from_secs(20))
        .initialization(Initialization::Provisioned(2));
    let sandbox = start(function).await;
    let (answer, finished) = call(&sandbox, json!({})).await;
    assert_eq!(json_of(&answer), json!(["one", "provisioned-concurrency"]));
    assert!(!finished.cold_start);
    let calls = (0..3).map(|_| call(&sandbox, json!({})));
    let answers = futures_util::future::join_all(calls).await;
    let mut kinds: Vec<_> = answers
        .iter()
        .map(|(answer, finished)| (json_of(answer)[1].clone(), finished.cold_start))
        .collect();
    kinds.sort_by_key(|(_, cold)| *cold);
    let ahead = (json!("provisioned-concurrency"), false);
    assert_eq!(kinds, [ahead.clone(), ahead, (json!("on-demand"), true)]);
    sandbox.shutdown().await;
}

#[tokio::test]
async fn what_happens_before_the_start_is_over_is_told_as_well() {
    let folder = tempfile::tempdir().unwrap();
    let bootstrap = folder.path().join("bootstrap");
    write(&bootstrap, "one");
    let chatty = fs::read_to_string(&bootstrap).unwrap();
    let chatty = chatty.replace("while True:", "print('in init', flush=True)\nwhile True:");
    fs::write(&bootstrap, chatty).unwrap();
    let function = Function::new("f", folder.path()).initialization(Initialization::Provisioned(1));
    let starting = Sandbox::new().function(function).start_with_activity();
    let (sandbox, mut activity) = starting.await.unwrap();
    // By now everything of the init has been told, so that only who listened before can hear it.
    call(&sandbox, json!({})).await;
    let first = activity.try_recv().unwrap();
    assert!(
        matches!(&first, Activity::Line(line) if line.text == "in init"),
        "{first:?}"
    );
    sandbox.shutdown().await;
}

#[tokio::test]
async fn provisioned_environment_that_cannot_start_fails_its_invocation_only() {
    let function = function()
        .env("FAIL_INIT", "1")
        .initialization(Initialization::Provisioned(1));
    let sandbox = start(function).await;
    let (answer, _) = call(&sandbox, json!({})).await;
    assert_eq!(answer.outcome, Outcome::FunctionError);
    assert_eq!(json_of(&answer)["errorType"], "Boom");
}

#[tokio::test]
async fn function_with_a_limit_of_its_own_is_throttled_by_it() {
    let folder = crate::folder().unwrap();
    let sandbox = start(function().concurrency(2)).await;
    let meet = json!({"do": "meet", "folder": folder.path(), "count": 2});
    let (one, two) = tokio::join!(call(&sandbox, meet.clone()), call(&sandbox, meet));
    assert_ne!(one.1.environment, two.1.environment);

    let sandbox = start(function().concurrency(0)).await;
    assert!(matches!(
        sandbox.invoke("f", "{}").await,
        Err(InvokeError::Throttled { limit: 0, .. })
    ));
}

#[tokio::test]
async fn changed_code_answers_next_and_code_that_cannot_start_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let bootstrap = folder.path().join("bootstrap");
    write(&bootstrap, "one");
    let (sandbox, mut activity) = start_watching(Function::new("f", folder.path())).await;
    let (answer, before) = call(&sandbox, json!({})).await;
    assert_eq!(json_of(&answer)[0], "one");

    write(&bootstrap, "two");
    assert_eq!(reloaded(&mut activity).await, Ok("f".to_owned()));
    let (answer, after) = call(&sandbox, json!({})).await;
    assert_eq!(json_of(&answer)[0], "two");
    assert!(after.cold_start && after.environment != before.environment);

    fs::set_permissions(&bootstrap, fs::Permissions::from_mode(0o644)).unwrap();
    let problem = reloaded(&mut activity).await.unwrap_err();
    assert!(
        problem.ends_with("cannot be executed: chmod +x it"),
        "{problem}"
    );
    let (answer, _) = call(&sandbox, json!({})).await;
    assert_eq!(json_of(&answer)[0], "two");
    sandbox.shutdown().await;
}

#[tokio::test]
async fn program_behind_a_link_and_provisioned_environments_are_renewed() {
    // Not in the temporary folder of the system, which an environment has its own of.
    let target = crate::folder().unwrap();
    let code = tempfile::tempdir().unwrap();
    let program = target.path().join("program");
    write(&program, "one");
    std::os::unix::fs::symlink(&program, code.path().join("bootstrap")).unwrap();
    let function = Function::new("f", code.path()).initialization(Initialization::Provisioned(1));
    let (sandbox, mut activity) = start_watching(function).await;
    let (answer, _) = call(&sandbox, json!({})).await;
    assert_eq!(json_of(&answer)[0], "one");
    write(&program, "two");
    assert_eq!(reloaded(&mut activity).await, Ok("f".to_owned()));
    let (answer, _) = call(&sandbox, json!({})).await;
    assert_eq!(json_of(&answer)[0], "two");
    sandbox.shutdown().await;
}

#[tokio::test]
async fn environment_that_works_when_the_code_changes_finishes_first() {
    let (code, gate) = (tempfile::tempdir().unwrap(), crate::folder().unwrap());
    fs::copy(here("function/bootstrap"), code.path().join("bootstrap")).unwrap();
    let (sandbox, mut activity) = start_watching(Function::new("f", code.path())).await;
    let (_, first) = call(&sandbox, json!({})).await;
    let go = gate.path().join("go");
    let working = call(&sandbox, json!({"do": "wait", "file": go}));
    let change = async {
        fs::write(code.path().join("other"), "").unwrap();
        assert_eq!(reloaded(&mut activity).await, Ok("f".to_owned()));
        fs::write(&go, "").unwrap();
    };
    let ((answer, working), ()) = tokio::join!(working, change);
    assert_eq!(answer.outcome, Outcome::Returned);
    assert_eq!(working.environment, first.environment);
    let (_, next) = call(&sandbox, json!({})).await;
    assert!(next.cold_start);
    assert_ne!(next.environment, first.environment);
    sandbox.shutdown().await;
}
