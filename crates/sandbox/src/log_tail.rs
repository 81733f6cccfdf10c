//! The last of an invocation's log, as `X-Amz-Log-Result` returns it.

use std::fmt::Write;

use serde_json::{Value, json};

use crate::invoke::Finished;
use crate::lifecycle::PlatformEvent;
use crate::logging::{LogFormat, Logging, SystemLogLevel};
use crate::telemetry_api::Told;
use crate::{time, trace_header};

/// The logs of the invocations that run, each cut at the front.
#[derive(Debug, Default)]
pub(crate) struct LogTail {
    logging: Logging,
    /// The request ids of what runs, and the text of each.
    running: Vec<(String, String)>,
}

impl LogTail {
    pub(crate) fn new(logging: Logging) -> Self {
        Self {
            logging,
            running: Vec::new(),
        }
    }

    /// An invocation has come, and from now on all that is not another one's is its log.
    pub(crate) fn start(&mut self, request_id: &str) {
        self.running.push((request_id.to_owned(), String::new()));
    }

    /// Whose line this is: of the only invocation, or of the one that it names.
    pub(crate) fn request_of(&self, line: &str) -> Option<&str> {
        let only = match &self.running[..] {
            [] => return None,
            [(only, _)] => Some(only.as_str()),
            _ => None,
        };
        only.or_else(|| {
            let named = named_in(line)?;
            let mut ids = self.running.iter().map(|(id, _)| id.as_str());
            ids.find(|id| *id == named)
        })
    }

    /// What is told is in the log too: as lines of text for the most important of it, or with JSON as it is if its level
    /// is high enough.
    pub(crate) fn platform(&mut self, event: &PlatformEvent, told: &Told) {
        match self.logging.format {
            LogFormat::Text => {
                if let Some(line) = line_of(event.kind, &event.record) {
                    self.line(&line);
                }
            }
            LogFormat::Json => {
                if SystemLogLevel::of(event.kind, &event.record) >= self.logging.system {
                    self.line(&String::from_utf8_lossy(told.text()));
                }
            }
        }
    }

    pub(crate) fn line(&mut self, line: &str) {
        let owner = self.request_of(line).map(str::to_owned);
        for (id, text) in &mut self.running {
            if owner.as_ref().is_none_or(|owner| owner == id) {
                add(text, line);
            }
        }
    }

    pub(crate) fn finish(&mut self, request_id: &str) -> String {
        let its = self.running.iter().position(|(id, _)| id == request_id);
        its.map(|index| self.running.remove(index).1)
            .unwrap_or_default()
    }
}

fn add(text: &mut String, line: &str) {
    text.push_str(line);
    if !line.ends_with('\n') {
        text.push('\n');
    }
    if text.len() > TAIL_BYTES_MAX {
        let cut = text.len() - TAIL_BYTES_MAX;
        let cut = (cut..text.len())
            .find(|at| text.is_char_boundary(*at))
            .unwrap_or(cut);
        text.drain(..cut);
    }
}

/// The request that a line of a JSON log names, by the keys of Lambda's runtimes, of Powertools and of the platform.
fn named_in(line: &str) -> Option<String> {
    let line: Value = serde_json::from_str(line).ok()?;
    let names = [
        &line["requestId"],
        &line["record"]["requestId"],
        &line["AWSRequestId"],
        &line["function_request_id"],
    ];
    let name = names.into_iter().find_map(Value::as_str)?;
    Some(name.to_owned())
}

impl Finished {
    /// The lines that end an invocation in a log of text form, as Lambda writes them: END and REPORT.
    pub fn report_lines(&self) -> String {
        let mut record = json!({
            "requestId": self.request_id,
            "status": self.status.as_str(),
            "metrics": {"durationMs": time::millis(self.duration)},
        });
        if !self.managed {
            record["metrics"]["billedDurationMs"] = json!(time::millis_rounded_up(self.billed));
            record["metrics"]["memorySizeMB"] = json!(self.memory_mb);
            record["metrics"]["maxMemoryUsedMB"] = json!(self.memory_max_used_mb);
        }
        if let Some(error_type) = &self.error_type {
            record["errorType"] = json!(error_type);
        }
        if let Some(init) = self.init {
            record["metrics"]["initDurationMs"] = json!(time::millis(init));
        }
        if let Some(restore) = self.restore {
            record["metrics"]["restoreDurationMs"] = json!(time::millis(restore));
            record["metrics"]["billedRestoreDurationMs"] = json!(time::millis_rounded_up(restore));
        }
        report(&record)
    }
}

/// The line that Lambda writes for an event of the platform, if it writes one.
fn line_of(kind: &str, record: &Value) -> Option<String> {
    let text = |name: &str| record[name].as_str().unwrap_or_default();
    let failed = record["status"] != "success";
    match kind {
        "platform.initStart" => record["runtimeVersion"].as_str().map(|version| {
            let arn = text("runtimeVersionArn");
            format!("INIT_START Runtime Version: {version}\tRuntime Version ARN: {arn}")
        }),
        "platform.initReport" if failed => Some(format!(
            "INIT_REPORT Init Duration: {}\tPhase: {}\t{}",
            millis(record, "durationMs").unwrap_or_default(),
            text("phase"),
            status(record),
        )),
        "platform.start" => Some(format!(
            "START RequestId: {} Version: {}",
            text("requestId"),
            text("version")
        )),
        "platform.report" => Some(report(record)),
        _ => None,
    }
}

fn report(record: &Value) -> String {
    let metrics = &record["metrics"];
    let id = record["requestId"].as_str().unwrap_or_default();
    let mut line = format!("END RequestId: {id}\nREPORT RequestId: {id}\t");
    let mut put = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            let _ = write!(line, "{name}: {value}\t"); // a String takes all
        }
    };
    let whole = |name: &str, unit: &str| Some(format!("{} {unit}", metrics[name].as_u64()?));
    put("Duration", millis(record, "durationMs"));
    put("Billed Duration", whole("billedDurationMs", "ms"));
    put("Memory Size", whole("memorySizeMB", "MB"));
    put("Max Memory Used", whole("maxMemoryUsedMB", "MB"));
    put("Init Duration", millis(record, "initDurationMs"));
    put("Restore Duration", millis(record, "restoreDurationMs"));
    put(
        "Billed Restore Duration",
        whole("billedRestoreDurationMs", "ms"),
    );
    if record["status"] != "success" {
        line.push_str(&status(record));
    }
    let tracing = &record["tracing"];
    let field = |name| trace_header::field(tracing["value"].as_str()?, name);
    if let (Some(root), Some("1")) = (field("Root"), field("Sampled")) {
        let segment = tracing["spanId"].as_str().unwrap_or_default();
        let _ = write!(
            line,
            "\nXRAY TraceId: {root}\tSegmentId: {segment}\tSampled: true\t"
        );
    }
    line
}

fn status(record: &Value) -> String {
    let mut text = format!(
        "Status: {}\t",
        record["status"].as_str().unwrap_or_default()
    );
    if let Some(error_type) = record["errorType"].as_str() {
        let _ = write!(text, "Error Type: {error_type}\t");
    }
    text
}

fn millis(record: &Value, name: &str) -> Option<String> {
    Some(format!("{:.2} ms", record["metrics"][name].as_f64()?))
}

/// What Lambda returns.
const TAIL_BYTES_MAX: usize = 4096;

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;
    use crate::time::UnixNanos;

    #[test]
    fn json_log_has_events_of_its_level_for_lines() {
        let tell = |system: SystemLogLevel| {
            let mut tail = LogTail::new(Logging {
                format: LogFormat::Json,
                system,
                ..Logging::default()
            });
            tail.start("id");
            for (kind, record) in [
                ("platform.initStart", json!({})),
                ("platform.start", json!({"requestId": "id"})),
                (
                    "platform.runtimeDone",
                    json!({"requestId": "id", "status": "success"}),
                ),
                (
                    "platform.report",
                    json!({"requestId": "id", "status": "error"}),
                ),
            ] {
                let told = Told::new(UnixNanos::from_millis(0), kind, &record);
                tail.platform(&PlatformEvent { kind, record }, &told);
            }
            tail.finish("id")
        };
        expect![[r#"
            {"time":"1970-01-01T00:00:00.000Z","type":"platform.initStart","record":{}}
            {"time":"1970-01-01T00:00:00.000Z","type":"platform.start","record":{"requestId":"id"}}
            {"time":"1970-01-01T00:00:00.000Z","type":"platform.runtimeDone","record":{"requestId":"id","status":"success"}}
            {"time":"1970-01-01T00:00:00.000Z","type":"platform.report","record":{"requestId":"id","status":"error"}}
        "#]].assert_eq(&tell(SystemLogLevel::Debug));
        expect![[r#"
            {"time":"1970-01-01T00:00:00.000Z","type":"platform.start","record":{"requestId":"id"}}
            {"time":"1970-01-01T00:00:00.000Z","type":"platform.report","record":{"requestId":"id","status":"error"}}
        "#]].assert_eq(&tell(SystemLogLevel::Info));
        expect![[r#"
            {"time":"1970-01-01T00:00:00.000Z","type":"platform.report","record":{"requestId":"id","status":"error"}}
        "#]].assert_eq(&tell(SystemLogLevel::Warn));
    }

    #[test]
    fn platform_writes_these_lines() {
        let mut tail = LogTail::default();
        tail.start("id");
        let tracing = |sampled: u8| {
            let value = format!(
                "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled={sampled}"
            );
            json!({"spanId": "54565fb41ac79632", "type": "X-Amzn-Trace-Id", "value": value})
        };
        let metrics = json!({"durationMs": 363.491, "billedDurationMs": 364, "memorySizeMB": 128, "maxMemoryUsedMB": 124});
        let with = |name: &str, value: Value| {
            let mut metrics = metrics.clone();
            metrics[name] = value;
            metrics
        };
        let mut restored = with("restoreDurationMs", json!(684.62));
        restored["billedRestoreDurationMs"] = json!(202);
        for (kind, record) in [
            ("platform.initStart", json!({"phase": "init"})),
            (
                "platform.initStart",
                json!({"runtimeVersion": "nodejs:22.v9", "runtimeVersionArn": "arn"}),
            ),
            (
                "platform.initReport",
                json!({"phase": "init", "status": "success", "metrics": {"durationMs": 1.0}}),
            ),
            (
                "platform.initReport",
                json!({"phase": "init", "status": "timeout", "metrics": {"durationMs": 9999.81}}),
            ),
            (
                "platform.initReport",
                json!({"phase": "init", "status": "error", "errorType": "Runtime.ExitError", "metrics": {"durationMs": 1236.04}}),
            ),
            (
                "platform.start",
                json!({"requestId": "id", "version": "$LATEST"}),
            ),
            (
                "platform.runtimeDone",
                json!({"requestId": "id", "status": "success"}),
            ),
            (
                "platform.report",
                json!({"requestId": "id", "status": "success", "metrics": with("initDurationMs", json!(1488.71)), "tracing": tracing(1)}),
            ),
            (
                "platform.report",
                json!({"requestId": "id", "status": "success", "metrics": restored, "tracing": tracing(0)}),
            ),
            (
                "platform.report",
                json!({"requestId": "id", "status": "timeout", "metrics": metrics}),
            ),
            (
                "platform.report",
                json!({"requestId": "id", "status": "error", "errorType": "Runtime.ExitError", "metrics": metrics}),
            ),
        ] {
            let told = Told::new(UnixNanos::from_millis(0), kind, &record);
            tail.platform(&PlatformEvent { kind, record }, &told);
        }
        expect![[r#"
            INIT_START Runtime Version: nodejs:22.v9 | Runtime Version ARN: arn
            INIT_REPORT Init Duration: 9999.81 ms | Phase: init | Status: timeout | 
            INIT_REPORT Init Duration: 1236.04 ms | Phase: init | Status: error | Error Type: Runtime.ExitError | 
            START RequestId: id Version: $LATEST
            END RequestId: id
            REPORT RequestId: id | Duration: 363.49 ms | Billed Duration: 364 ms | Memory Size: 128 MB | Max Memory Used: 124 MB | Init Duration: 1488.71 ms | 
            XRAY TraceId: 1-5759e988-bd862e3fe1be46a994272793 | SegmentId: 54565fb41ac79632 | Sampled: true | 
            END RequestId: id
            REPORT RequestId: id | Duration: 363.49 ms | Billed Duration: 364 ms | Memory Size: 128 MB | Max Memory Used: 124 MB | Restore Duration: 684.62 ms | Billed Restore Duration: 202 ms | 
            END RequestId: id
            REPORT RequestId: id | Duration: 363.49 ms | Billed Duration: 364 ms | Memory Size: 128 MB | Max Memory Used: 124 MB | Status: timeout | 
            END RequestId: id
            REPORT RequestId: id | Duration: 363.49 ms | Billed Duration: 364 ms | Memory Size: 128 MB | Max Memory Used: 124 MB | Status: error | Error Type: Runtime.ExitError | 
        "#]].assert_eq(&tail.finish("id").replace('\t', " | "));
    }

    #[test]
    fn long_log_keeps_its_end() {
        let mut tail = LogTail::default();
        tail.start("id");
        tail.line("ä".repeat(TAIL_BYTES_MAX).as_str());
        tail.line("end");
        let text = tail.finish("id");
        assert!(text.len() <= TAIL_BYTES_MAX);
        assert!(text.ends_with("ä\nend\n"));
        tail.start("id");
        assert_eq!(tail.finish("id"), "");
    }

    #[test]
    fn lines_of_several_invocations_are_told_apart_by_the_request_that_they_name() {
        let mut tail = LogTail::default();
        tail.start("r1");
        tail.line("alone");
        tail.start("r2");
        for line in [
            r#"{"requestId":"r1","message":"one"}"#,
            r#"{"AWSRequestId":"r2","message":"two"}"#,
            r#"{"type":"platform.report","record":{"requestId":"r2"}}"#,
            r#"{"requestId":"of nobody"}"#,
            "no JSON",
        ] {
            tail.line(line);
        }
        assert_eq!(tail.request_of("no JSON"), None);
        assert_eq!(tail.request_of(r#"{"requestId":"r1"}"#), Some("r1"));
        expect![[r#"
            alone
            {"requestId":"r1","message":"one"}
            {"requestId":"of nobody"}
            no JSON
        "#]]
        .assert_eq(&tail.finish("r1"));
        expect![[r#"
            {"AWSRequestId":"r2","message":"two"}
            {"type":"platform.report","record":{"requestId":"r2"}}
            {"requestId":"of nobody"}
            no JSON
        "#]]
        .assert_eq(&tail.finish("r2"));
        assert_eq!(tail.request_of("line"), None);
    }
}
