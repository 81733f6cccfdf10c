//! The real runtime clients, where they are installed.

#![allow(clippy::unwrap_used)] // in the helpers of tests too a panic is the message

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};
use throughline_sandbox::{Activity, Function, Invoke, Outcome, Sandbox};

fn example(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../examples/checkout")
        .join(path)
}

/// The code folder gets what a deployed function would bring along.
fn link(from: PathBuf, folder: &Path, name: &str) {
    symlink(std::fs::canonicalize(from).unwrap(), folder.join(name)).unwrap();
}

/// One good call, one that throws over several lines, one that ends the process.
async fn check(function: Function) {
    let sandbox = Sandbox::new()
        .function(function.timeout(Duration::from_secs(20)))
        .start()
        .await
        .unwrap();
    let mut activity = sandbox.activity();
    let call = async |event: Value| {
        sandbox
            .call_to_end(Invoke::new("f").payload(event.to_string()))
            .await
            .unwrap()
    };

    let trace = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1";
    let invoke = Invoke::new("f").payload(r#"{"n":1}"#).trace_header(trace);
    let (answer, finished) = sandbox.call_to_end(invoke).await.unwrap();
    let returned: Value = serde_json::from_slice(&answer.payload).unwrap();
    assert_eq!(
        returned,
        json!({"n": 1, "request": answer.request_id, "trace": trace})
    );
    assert!(finished.cold_start);
    assert!(
        next_line(&mut activity).await.contains("two\nlines"),
        "one message is one line event"
    );

    let (answer, finished) = call(json!({"throw": true})).await;
    assert_eq!(answer.outcome, Outcome::FunctionError);
    assert!(answer.text().contains("on purpose"), "{}", answer.text());
    assert!(!finished.cold_start);

    let (answer, _) = call(json!({"exit": 7})).await;
    assert!(
        answer
            .text()
            .contains("Runtime exited with error: exit status 7"),
        "{}",
        answer.text()
    );
    let (answer, _) = call(json!({"n": 2})).await;
    assert_eq!(answer.outcome, Outcome::Returned);
    sandbox.shutdown().await;
}

async fn next_line(activity: &mut tokio::sync::broadcast::Receiver<Activity>) -> String {
    loop {
        if let Activity::Line(line) = activity.recv().await.unwrap() {
            return line.text;
        }
    }
}

#[tokio::test]
async fn python_runtime_client_works() {
    let folder = tempfile::tempdir().unwrap();
    let installed = example("inventory/.venv");
    if installed.join("bin/python").exists() {
        link(installed, folder.path(), ".venv");
    } else if !Command::new("python3")
        .args(["-c", "import awslambdaric"])
        .status()
        .is_ok_and(|status| status.success())
    {
        println!("skipped: awslambdaric is not installed (make -C examples/checkout build)");
        return;
    }
    let code = r#"
import logging
import os
def handler(event, context):
    if "throw" in event:
        raise ValueError("on purpose")
    if "exit" in event:
        os._exit(event["exit"])
    logging.warning("two\nlines")
    return {"n": event["n"], "request": context.aws_request_id, "trace": os.environ["_X_AMZN_TRACE_ID"]}
"#;
    std::fs::write(folder.path().join("app.py"), code).unwrap();
    check(
        Function::new("f", folder.path())
            .runtime("python3.13".parse().unwrap())
            .handler("app.handler"),
    )
    .await;
}

#[tokio::test]
async fn node_runtime_client_works() {
    let installed = example("notify/node_modules");
    if !installed
        .join("aws-lambda-ric/rapid-client.node/index.js")
        .exists()
    {
        println!("skipped: aws-lambda-ric is not installed (make -C examples/checkout build)");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    link(installed, folder.path(), "node_modules");
    let code = r#"
export const handler = async (event, context) => {
    if (event.throw) throw new Error("on purpose");
    if (event.exit) process.exit(event.exit);
    console.log("two\nlines");
    return { n: event.n, request: context.awsRequestId, trace: process.env._X_AMZN_TRACE_ID };
};
"#;
    std::fs::write(folder.path().join("index.mjs"), code).unwrap();
    check(
        Function::new("f", folder.path())
            .runtime("nodejs22.x".parse().unwrap())
            .handler("index.handler"),
    )
    .await;
}
