//! What an extension hears, and when.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use throughline_sandbox::{Outcome, Sandbox};

use crate::{call, function, here};

/// What the recorder wrote: what happened, and what it was told of it.
fn read_record(path: &Path) -> Vec<Value> {
    std::fs::read_to_string(path)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn position(record: &[Value], what: &str, name: &str) -> usize {
    record
        .iter()
        .position(|entry| entry[what] == name)
        .unwrap_or_else(|| panic!("no {name} in {record:#?}"))
}

#[tokio::test]
async fn extension_is_told_everything_and_the_report_late() {
    let folder = crate::folder().unwrap();
    let file = folder.path().join("record");
    let sandbox = Sandbox::new()
        .function(function().env("RECORD_FILE", file.display().to_string()))
        .extension(here("extension"))
        .start()
        .await
        .unwrap();
    let (first, report) = call(
        &sandbox,
        json!({"do": "log", "text": "hello from the function"}),
    )
    .await;
    let before = read_record(&file);
    let (second, _) = call(&sandbox, json!({})).await;
    sandbox.shutdown().await;
    let record = read_record(&file);

    assert_eq!(
        record[0]["registered"],
        json!({"functionName": "f", "functionVersion": "$LATEST", "handler": "bootstrap", "accountId": "123456789012"})
    );
    assert_eq!(record[1]["subscribed"], 200);
    let told: Vec<_> = record
        .iter()
        .filter_map(|entry| entry["telemetry"].as_str())
        .filter(|kind| kind.starts_with("platform."))
        .collect();
    assert_eq!(
        told,
        [
            "platform.initStart",
            "platform.telemetrySubscription",
            "platform.initRuntimeDone",
            "platform.extension",
            "platform.initReport",
            "platform.start",
            "platform.runtimeDone",
            "platform.report",
            "platform.start",
            "platform.runtimeDone",
            "platform.report",
        ]
    );
    let log = |text: &str| record.iter().any(|entry| entry["record"] == text);
    assert!(
        log("hello from the function") && log("recorder is ready"),
        "{record:#?}"
    );

    // The report of the first invocation was not there before the second one began.
    assert!(
        before
            .iter()
            .all(|entry| entry["telemetry"] != "platform.report"),
        "{before:#?}"
    );
    let at = position(&record, "telemetry", "platform.report");
    let second_invoke = record
        .iter()
        .position(|entry| entry["requestId"] == second.request_id.as_str())
        .unwrap();
    let second_done = record
        .iter()
        .rposition(|entry| entry["telemetry"] == "platform.runtimeDone")
        .unwrap();
    assert!(at > before.len() - 1 && at < second_done, "{record:#?}");
    assert!(second_invoke < second_done);
    let shutdown = position(&record, "event", "SHUTDOWN");
    assert_eq!(record[shutdown]["reason"], "spindown");

    let told = &record[at]["record"];
    assert_eq!(told["requestId"], first.request_id.as_str());
    assert_eq!(
        told["metrics"]["billedDurationMs"],
        json!(u64::try_from(report.billed.as_millis()).unwrap())
    );
    assert_eq!(
        told["metrics"]["maxMemoryUsedMB"],
        json!(report.memory_max_used_mb)
    );
    assert!(told["metrics"]["initDurationMs"].is_number());
    assert_eq!(told["spans"][0]["name"], "extensionOverhead");
    let done = &record[position(&record, "telemetry", "platform.runtimeDone")]["record"];
    let spans: Vec<_> = done["spans"]
        .as_array()
        .unwrap()
        .iter()
        .map(|span| span["name"].as_str().unwrap())
        .collect();
    assert_eq!(
        spans,
        ["responseLatency", "responseDuration", "runtimeOverhead"]
    );
    assert_eq!(done["metrics"]["producedBytes"], 4);
}

#[tokio::test]
async fn extension_hears_why_it_ends() {
    for (event, timeout, reason) in [
        (json!({"do": "hang"}), 2, "timeout"),
        (json!({"do": "exit", "code": 1}), 20, "failure"),
    ] {
        let folder = crate::folder().unwrap();
        let file = folder.path().join("record");
        let sandbox = Sandbox::new()
            .function(
                function()
                    .timeout(Duration::from_secs(timeout))
                    .env("RECORD_FILE", file.display().to_string()),
            )
            .extension(here("extension/recorder"))
            .start()
            .await
            .unwrap();
        let (answer, _) = call(&sandbox, event).await;
        assert_eq!(answer.outcome, Outcome::FunctionError);
        let record = read_record(&file);
        assert_eq!(
            record[position(&record, "event", "SHUTDOWN")]["reason"],
            reason
        );
        // A new init with new extension processes follows.
        let (answer, _) = call(&sandbox, json!({})).await;
        assert_eq!(answer.outcome, Outcome::Returned);
        assert_eq!(
            read_record(&file)
                .iter()
                .filter(|entry| entry["registered"].is_object())
                .count(),
            2
        );
    }
}
