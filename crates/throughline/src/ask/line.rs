//! A log record as a line for people.

use serde_json::Value;
use throughline_telemetry::UnixNanos;

use super::text::safe;
use super::words::clock;
use crate::terminal::Paint;

/// Time, level, service, and what it says.
pub(super) fn line(log: &Value, paint: Paint) -> String {
    let nanos = log["time_unix_nanos"].as_str();
    let nanos = nanos.and_then(|text| text.parse().ok()).unwrap_or(0);
    let time = paint.faint(clock(UnixNanos(nanos)));
    let service = paint.notable(safe(log["service"].as_str().unwrap_or_default()));
    let level = level(log["severity_number"].as_u64().unwrap_or(0), paint);
    let body = match &log["body"] {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    format!("{time} {level} {service} {}\n", safe(&body))
}

/// How severe a record is, in five columns.
pub(super) fn level(severity_number: u64, paint: Paint) -> String {
    match severity_number {
        0 => "-    ".to_owned(),
        1..=4 => paint.faint("TRACE"),
        5..=8 => paint.faint("DEBUG"),
        9..=12 => paint.good("INFO "),
        13..=16 => paint.warning("WARN "),
        17..=20 => paint.bad("ERROR"),
        _ => paint.bad("FATAL"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_record_is_one_line_that_moves_no_cursor() {
        let log = json!({"time_unix_nanos": "1795228801042000000", "severity_number": 17,
            "service": "pay", "body": "no \u{1b}[2Jmoney\nleft\n"});
        assert_eq!(
            line(&log, Paint::Plain),
            "02:40:01.042 ERROR pay no \\u{1b}[2Jmoney\n    left\n"
        );
        assert!(line(&log, Paint::Coloured).contains("\x1b[31mERROR\x1b[0m"));
        let log = json!({"body": {"a": 1}, "severity_number": 0});
        assert_eq!(line(&log, Paint::Plain), "00:00:00.000 -      {\"a\":1}\n");
    }
}
