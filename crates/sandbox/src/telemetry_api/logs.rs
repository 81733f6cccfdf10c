//! The Logs API's words for what the Telemetry API tells: the same lines, and a few of the platform's events in the form
//! that they had before there was a Telemetry API.

use serde_json::{Value, json};

/// An event as the Logs API tells it.
#[derive(Debug, PartialEq)]
pub(super) struct Legacy {
    pub(super) kind: &'static str,
    pub(super) record: Value,
    /// Whether its first schema did not have it yet.
    pub(super) since_2021: bool,
}

impl Legacy {
    fn new(kind: &'static str, record: Value) -> Self {
        Self {
            kind,
            record,
            since_2021: false,
        }
    }
}

/// What the Logs API tells instead of this event; `None` if it tells the same.
pub(super) fn legacy(kind: &str, record: &Value) -> Option<Vec<Legacy>> {
    let id = &record["requestId"];
    match kind {
        "function" | "extension" | "platform.extension" | "platform.logsSubscription" => None,
        "platform.start" => {
            let record = json!({"requestId": id, "version": record["version"]});
            Some(vec![Legacy::new("platform.start", record)])
        }
        "platform.runtimeDone" => {
            let known = |status: &&str| matches!(*status, "success" | "timeout");
            let status = record["status"].as_str().filter(known);
            let status = status.unwrap_or("failure");
            // The report comes when nobody is left to hear of it.
            let fault = (status == "failure").then(|| {
                let id = id.as_str().unwrap_or_default();
                let words = format!("RequestId: {id} Process exited before completing request");
                Legacy::new("platform.fault", json!(words))
            });
            let done = Legacy {
                since_2021: true,
                ..Legacy::new(
                    "platform.runtimeDone",
                    json!({"requestId": id, "status": status}),
                )
            };
            Some(fault.into_iter().chain([done]).collect())
        }
        "platform.report" => {
            let end = Legacy::new("platform.end", json!({"requestId": id}));
            let report = json!({"requestId": id, "metrics": record["metrics"]});
            let report = Legacy::new("platform.report", report);
            Some(vec![end, report])
        }
        // Nobody had thought of inits and restores then.
        _ => Some(Vec::new()),
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    #[test]
    fn events_have_the_form_of_their_time() {
        let metrics = json!({"durationMs": 1.5, "billedDurationMs": 2});
        let cases = [
            ("function", json!("line")),
            ("platform.initStart", json!({"phase": "init"})),
            ("platform.restoreReport", json!({"status": "success"})),
            (
                "platform.telemetrySubscription",
                json!({"name": "ext", "state": "Subscribed"}),
            ),
            (
                "platform.extension",
                json!({"name": "ext", "state": "Ready"}),
            ),
            (
                "platform.start",
                json!({"requestId": "id", "version": "$LATEST", "tracing": {}}),
            ),
            (
                "platform.runtimeDone",
                json!({"requestId": "id", "status": "error", "metrics": {}}),
            ),
            (
                "platform.runtimeDone",
                json!({"requestId": "id", "status": "success"}),
            ),
            (
                "platform.runtimeDone",
                json!({"requestId": "id", "status": "timeout"}),
            ),
            (
                "platform.report",
                json!({"requestId": "id", "status": "success", "metrics": metrics, "spans": []}),
            ),
            (
                "platform.report",
                json!({"requestId": "id", "status": "error", "metrics": metrics}),
            ),
        ];
        let mut lines = Vec::new();
        for (kind, record) in cases {
            match legacy(kind, &record) {
                None => lines.push(format!("{kind}: the same")),
                Some(told) if told.is_empty() => lines.push(format!("{kind}: nothing")),
                Some(told) => {
                    lines.extend(
                        told.iter()
                            .map(|told| format!("{} {}", told.kind, told.record)),
                    );
                }
            }
        }
        expect![[r#"
            function: the same
            platform.initStart: nothing
            platform.restoreReport: nothing
            platform.telemetrySubscription: nothing
            platform.extension: the same
            platform.start {"requestId":"id","version":"$LATEST"}
            platform.fault "RequestId: id Process exited before completing request"
            platform.runtimeDone {"requestId":"id","status":"failure"}
            platform.runtimeDone {"requestId":"id","status":"success"}
            platform.runtimeDone {"requestId":"id","status":"timeout"}
            platform.end {"requestId":"id"}
            platform.report {"metrics":{"billedDurationMs":2,"durationMs":1.5},"requestId":"id"}
            platform.end {"requestId":"id"}
            platform.report {"metrics":{"billedDurationMs":2,"durationMs":1.5},"requestId":"id"}"#]]
        .assert_eq(&lines.join("\n"));
    }
}
