//! The Telemetry API as an extension of its own process meets it.

use base64::Engine;
use base64::prelude::BASE64_STANDARD as BASE64;
use serde_json::{Value, json};
use throughline_sandbox::{Function, LogFormat, LogLevel, Sandbox};

use crate::{call, function, here, invoke, json_of};

/// What the recorder wrote while this function was called once with this event, and the answer.
async fn record_of(function: Function, telemetry: bool, event: Value) -> (Vec<Value>, Value) {
    let folder = crate::folder().unwrap();
    let file = folder.path().join("record");
    let mut sandbox = Sandbox::new()
        .function(function.env("RECORD_FILE", file.display().to_string()))
        .extension(here("extension/recorder"));
    if !telemetry {
        sandbox = sandbox.without_telemetry();
    }
    let sandbox = sandbox.start().await.unwrap();
    let (answer, _) = call(&sandbox, event).await;
    sandbox.shutdown().await;
    let record = std::fs::read_to_string(&file).unwrap();
    let record = record
        .lines()
        .map(|line| serde_json::from_str(line).unwrap());
    (record.collect(), json_of(&answer))
}

#[tokio::test]
async fn connection_gets_everything_to_the_last_report() {
    let function = function().env("TELEMETRY_TCP", "1");
    let (record, _) = record_of(function, true, json!({"do": "log", "text": "by line"})).await;
    let told: Vec<_> = record
        .iter()
        .filter_map(|entry| entry["telemetry"].as_str())
        .collect();
    assert_eq!(told.first(), Some(&"platform.initStart"), "{record:#?}");
    assert!(told.contains(&"platform.report"), "{record:#?}");
    assert!(
        record.iter().any(|entry| entry["record"] == "by line"),
        "{record:#?}"
    );
}

#[tokio::test]
async fn sandbox_without_telemetry_says_so_and_works() {
    let (record, answer) = record_of(function(), false, json!({})).await;
    assert_eq!(
        record[1],
        json!({
            "subscribed": 202,
            "answer": {
                "errorType": "Telemetry.NotSupported",
                "errorMessage": "Telemetry API is not supported",
            },
        })
    );
    assert!(record.iter().all(|entry| entry["telemetry"].is_null()));
    assert_eq!(answer["count"], 1);
    assert!(record.iter().any(|entry| entry["event"] == "SHUTDOWN"));
}

#[tokio::test]
async fn json_log_is_told_as_objects_and_to_the_runtime() {
    let function = function()
        .log_format(LogFormat::Json)
        .application_log_level(LogLevel::Warn);
    let line = json!({"level": "WARN", "message": "hello"});
    let event = json!({"do": "log", "text": line.to_string()});
    let (record, _) = record_of(function.clone(), true, event).await;
    assert!(
        record.iter().any(|entry| entry["record"] == line),
        "{record:#?}"
    );

    let keys = ["AWS_LAMBDA_LOG_FORMAT", "AWS_LAMBDA_LOG_LEVEL"];
    let sandbox = Sandbox::new().function(function).start().await.unwrap();
    let event = json!({"do": "variables", "keys": keys}).to_string();
    let response = invoke(&sandbox, "f", &[("x-amz-log-type", "Tail")], &event).await;
    let answer: Value = serde_json::from_slice(response.body.as_ref()).unwrap();
    assert_eq!(
        (&answer[keys[0]], &answer[keys[1]]),
        (&json!("JSON"), &json!("WARN"))
    );
    let log = BASE64
        .decode(response.header("x-amz-log-result").unwrap())
        .unwrap();
    let kinds: Vec<_> = std::str::from_utf8(&log)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["type"].clone())
        .collect();
    assert_eq!(kinds, ["platform.start", "platform.report"]);
}
