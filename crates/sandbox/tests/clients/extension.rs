//! `lambda-extension` beside a real function.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use throughline_sandbox::{Activity, Function, Invoke, LogFormat, RunningSandbox, Sandbox};

use crate::client::Code;
use crate::rust::{CLIENT, built};

/// A sandbox with the extension, and the file that it writes to.
struct Recorded {
    sandbox: RunningSandbox,
    activity: tokio::sync::broadcast::Receiver<Activity>,
    folder: tempfile::TempDir,
    _code: Code,
}

async fn start(change: impl FnOnce(Function) -> Function) -> Recorded {
    // Not in the folder for temporary files, of which an environment may have one of its own.
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let code = (CLIENT.code)().unwrap();
    let function = Function::new("f", &code.folder)
        .timeout(Duration::from_secs(3))
        .env("RECORD_FILE", file(&folder).display().to_string());
    let sandbox = Sandbox::new()
        .function(change(function))
        .extension(built("client-extension", "rust/extension.rs"))
        .start()
        .await
        .unwrap();
    Recorded {
        activity: sandbox.activity(),
        sandbox,
        folder,
        _code: code,
    }
}

impl Recorded {
    async fn call(&self, event: Value) -> String {
        let invoke = Invoke::new("f").payload(event.to_string());
        let (answer, _) = self.sandbox.call_to_end(invoke).await.unwrap();
        answer.request_id
    }

    /// Ends the sandbox. Returns what the extension was told, after it complained of nothing.
    async fn end(mut self) -> Vec<Value> {
        self.sandbox.shutdown().await;
        while let Ok(activity) = self.activity.try_recv() {
            if let Activity::Line(line) = activity
                && line.extension.is_some()
            {
                panic!("the extension complains: {}", line.text);
            }
        }
        let text = std::fs::read_to_string(file(&self.folder)).unwrap();
        let lines = text.lines();
        lines
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }
}

fn file(folder: &tempfile::TempDir) -> std::path::PathBuf {
    Path::new(folder.path()).join("record")
}

fn of<'a>(record: &'a [Value], key: &'a str) -> impl Iterator<Item = &'a Value> {
    record
        .iter()
        .map(move |entry| &entry[key])
        .filter(|value| !value.is_null())
}

#[tokio::test]
async fn extension_hears_of_good_slow_and_dying_invocations() {
    let recorded = start(|function| function).await;
    let mut requests = Vec::new();
    for event in [
        json!({}),
        json!({"do": "hang"}),
        json!({}),
        json!({"do": "kill"}),
        json!({}),
    ] {
        requests.push(recorded.call(event).await);
    }
    let record = recorded.end().await;

    assert_eq!(
        of(&record, "request").collect::<Vec<_>>(),
        requests.iter().collect::<Vec<_>>()
    );
    assert_eq!(
        of(&record, "reason").collect::<Vec<_>>(),
        ["timeout", "failure", "spindown"]
    );
    let done: Vec<_> = of(&record, "telemetry")
        .filter(|one| one["type"] == "platform.runtimeDone")
        .map(|one| json!([one["record"]["status"], one["record"]["errorType"]]))
        .collect();
    assert_eq!(
        done,
        [
            json!(["success", null]),
            json!(["timeout", null]),
            json!(["success", null]),
            json!(["error", "Runtime.ExitError"]),
            json!(["success", null]),
        ]
    );
    let first: Vec<_> = of(&record, "telemetry")
        .take_while(|one| one["type"] != "platform.report")
        .map(|one| match one["type"].as_str() {
            Some("function") => &one["record"],
            _ => &one["type"],
        })
        // It subscribes while the runtime is being started.
        .filter(|kind| *kind != "platform.telemetrySubscription")
        .collect();
    assert_eq!(
        first,
        [
            "platform.initStart",
            "platform.initRuntimeDone",
            "platform.extension",
            "platform.initReport",
            "platform.start",
            "two",
            "lines",
            "platform.runtimeDone",
        ]
    );
}

#[tokio::test]
async fn extension_hears_through_the_logs_api_too() {
    let recorded = start(|function| function.env("LOGS_API", "1")).await;
    recorded.call(json!({})).await;
    recorded.call(json!({"do": "throw"})).await;
    let record = recorded.end().await;
    let kinds: Vec<_> = of(&record, "log")
        .map(|log| log.as_str().unwrap().split([' ', '(']).next().unwrap())
        .filter(|kind| !kind.ends_with("Subscription") && *kind != "PlatformExtension")
        .collect();
    let one = [
        "PlatformStart",
        "Function",
        "PlatformRuntimeDone",
        "PlatformEnd",
        "PlatformReport",
    ];
    let mut expected = [one, one].concat();
    expected.insert(1, "Function"); // the first says two lines
    assert_eq!(kinds, expected, "{record:#?}");
}

#[tokio::test]
async fn extension_reads_structured_logs_as_text() {
    let recorded = start(|function| function.log_format(LogFormat::Json)).await;
    recorded.call(json!({"do": "log"})).await;
    let record = recorded.end().await;
    let logs: Vec<_> = of(&record, "telemetry")
        .filter(|one| one["type"] == "function")
        .map(|one| one["record"].as_str().unwrap())
        .collect();
    assert_eq!(logs.len(), 2, "{logs:?}");
    let log: Value = serde_json::from_str(logs[0]).unwrap();
    assert_eq!(log["fields"]["message"], "for the record");
}
