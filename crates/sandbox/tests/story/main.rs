//! A sandbox from outside: real processes, real sockets, a runtime and an extension of a few lines of Python.

#![allow(clippy::unwrap_used)] // in the helpers of tests too a panic is the message

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;
use throughline_sandbox::{Activity, Answer, Finished, Function, Invoke, RunningSandbox, Sandbox};

mod covered;
mod events;
mod extensions;
mod faults;
mod front;
mod http;
mod http_api;
mod invocations;
mod layers;
mod managed;
mod streaming;
mod telemetry;
mod time;
mod upkeep;
mod world;

use http::{Response, request};

fn here(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/story")
        .join(path)
}

/// A folder that environments see as the test does; the system's temporary folder they do not.
fn folder() -> std::io::Result<tempfile::TempDir> {
    tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))
}

fn function() -> Function {
    Function::new("f", here("function")).timeout(Duration::from_secs(20))
}

async fn start(function: Function) -> RunningSandbox {
    Sandbox::new().function(function).start().await.unwrap()
}

/// A function whose code is gone when the sandbox has started.
async fn start_without_code(make: impl Fn(&str, &Path) -> Function) -> RunningSandbox {
    let folder = crate::folder().unwrap();
    std::fs::copy(here("function/bootstrap"), folder.path().join("bootstrap")).unwrap();
    start(make("f", folder.path())).await
}

async fn call(sandbox: &RunningSandbox, event: Value) -> (Answer, Finished) {
    sandbox
        .call_to_end(Invoke::new("f").payload(event.to_string()))
        .await
        .unwrap()
}

fn json_of(answer: &Answer) -> Value {
    serde_json::from_slice(&answer.payload).unwrap()
}

/// The state letter of a process, `None` when there is no such process.
fn process_state(pid: &Value) -> Option<char> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(") ")?.1.chars().next()
}

/// Stopped, or in a frozen control group.
fn is_frozen(pid: &Value) -> bool {
    matches!(process_state(pid), Some('T' | 'D'))
}

async fn until_gone(pid: &Value) {
    let gone = async {
        while process_state(pid).is_some_and(|state| state != 'Z') {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), gone)
        .await
        .expect("process is still there");
}

async fn next_line(activity: &mut tokio::sync::broadcast::Receiver<Activity>) -> String {
    loop {
        if let Activity::Line(line) = activity.recv().await.unwrap() {
            return line.text;
        }
    }
}

async fn invoke(
    sandbox: &RunningSandbox,
    function: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Response {
    let uri = format!(
        "http://{}/2015-03-31/functions/{function}/invocations",
        sandbox.api_addr()
    );
    request("POST", &uri, headers, body).await
}
