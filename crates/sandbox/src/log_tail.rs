//! The last of an invocation's log, as `X-Amz-Log-Result` returns it.

use crate::invoke::Finished;
use crate::lifecycle::PlatformEvent;
use crate::logging::{LogFormat, Logging, SystemLogLevel};
use crate::telemetry_api::Told;
use crate::time::millis;

/// The log of the invocation that runs, cut at the front.
#[derive(Debug, Default)]
pub(crate) struct LogTail {
    text: String,
    logging: Logging,
}

impl LogTail {
    pub(crate) fn new(logging: Logging) -> Self {
        Self {
            text: String::new(),
            logging,
        }
    }

    pub(crate) fn start(&mut self, request_id: &str) {
        self.text.clear();
        self.own_line(&format!(
            "START RequestId: {request_id} Version: {}",
            crate::function::VERSION
        ));
    }

    /// With JSON, what is told of an invocation takes the place of the platform's lines, if its level is high enough.
    pub(crate) fn platform(&mut self, event: &PlatformEvent, told: &Told) {
        let of_invocation = event.record.get("requestId").is_some();
        let level = SystemLogLevel::of(event.kind, &event.record);
        if of_invocation && self.logging.format == LogFormat::Json && level >= self.logging.system {
            self.line(&String::from_utf8_lossy(told.text()));
        }
    }

    fn own_line(&mut self, line: &str) {
        if self.logging.format == LogFormat::Text {
            self.line(line);
        }
    }

    pub(crate) fn line(&mut self, line: &str) {
        self.text.push_str(line);
        if !line.ends_with('\n') {
            self.text.push('\n');
        }
        if self.text.len() > TAIL_BYTES_MAX {
            let cut = self.text.len() - TAIL_BYTES_MAX;
            let cut = (cut..self.text.len())
                .find(|at| self.text.is_char_boundary(*at))
                .unwrap_or(cut);
            self.text.drain(..cut);
        }
    }

    pub(crate) fn finish(&mut self, finished: &Finished) -> String {
        self.own_line(&format!("END RequestId: {}", finished.request_id));
        self.own_line(&report_line(finished));
        std::mem::take(&mut self.text)
    }
}

fn report_line(finished: &Finished) -> String {
    let init = finished
        .init
        .map(|init| format!("Init Duration: {:.2} ms\t", millis(init)))
        .unwrap_or_default();
    format!(
        "REPORT RequestId: {}\tDuration: {:.2} ms\tBilled Duration: {} ms\tMemory Size: {} MB\tMax Memory Used: {} MB\t{init}",
        finished.request_id,
        millis(finished.duration),
        finished.billed.as_millis(),
        finished.memory_mb,
        finished.memory_max_used_mb,
    )
}

/// What Lambda returns.
const TAIL_BYTES_MAX: usize = 4096;

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use serde_json::json;

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
            tail.text
        };
        expect![[r#"
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
    fn long_log_keeps_its_end() {
        let mut tail = LogTail::default();
        tail.start("id");
        tail.line("ä".repeat(TAIL_BYTES_MAX).as_str());
        tail.line("end");
        assert!(tail.text.len() <= TAIL_BYTES_MAX);
        assert!(tail.text.ends_with("ä\nend\n"));
        tail.start("next");
        assert_eq!(tail.text, "START RequestId: next Version: $LATEST\n");
    }
}
