//! Log records that the extension writes itself: the platform's report, and the account of losses.

use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

use throughline_telemetry::{Attributes, LogRecord, UnixNanos, Value};

use super::Joiner;
use crate::counters::{Counter, Kind};
use crate::line::Level;
use crate::platform::{Ended, Used};

/// A record of the platform's scope without text.
pub(super) fn blank(joiner: &Joiner, time: UnixNanos, now: UnixNanos, level: Level) -> LogRecord {
    LogRecord {
        time,
        observed_time: now,
        severity_number: level as u8,
        severity_text: format!("{level:?}").to_ascii_uppercase(),
        body: Value::Null,
        attributes: Attributes::default(),
        trace_id: None,
        span_id: None,
        event_name: String::new(),
        resource: Arc::clone(&joiner.resource),
        scope: Arc::clone(&joiner.scopes.platform),
    }
}

/// `platform.report` as a log record, worded like the REPORT line of the platform.
pub(super) fn record(
    joiner: &Joiner,
    time: UnixNanos,
    now: UnixNanos,
    ended: &Ended,
    used: &Used,
    request_id: &str,
) -> LogRecord {
    let level = if ended.failed() {
        Level::Error
    } else {
        Level::Info
    };
    let mut record = blank(joiner, time, now, level);
    record.event_name = "platform.report".to_owned();
    record.body = Value::String(text(ended, used, request_id));
    let attributes = &mut record.attributes;
    let numbers = [
        (
            "throughline.duration.total_ms",
            ended.duration.map(|took| Value::Double(millis(took))),
        ),
        (
            "throughline.duration.billed_ms",
            used.billed_ms.map(Value::Int),
        ),
        (
            "throughline.duration.init_ms",
            used.init_ms.map(Value::Double),
        ),
        (
            "throughline.duration.restore_ms",
            used.restore_ms.map(Value::Double),
        ),
        (
            "throughline.duration.billed_restore_ms",
            used.billed_restore_ms.map(Value::Int),
        ),
        (
            "throughline.memory.size_mb",
            used.memory_size_mb.map(Value::Int),
        ),
        (
            "throughline.memory.max_used_mb",
            used.max_memory_used_mb.map(Value::Int),
        ),
    ];
    for (key, number) in numbers {
        if let Some(number) = number {
            attributes.set(key, number);
        }
    }
    if ended.failed() {
        let error_type = ended.error_type.as_deref().unwrap_or(&ended.status);
        attributes.set("error.type", error_type);
    }
    record
}

fn text(ended: &Ended, used: &Used, request_id: &str) -> String {
    let mut text = format!("REPORT RequestId: {request_id}");
    // Writing to a String cannot fail.
    let mut add = |name: &str, value: Option<String>| {
        value
            .map(|value| write!(text, "\t{name}: {value}"))
            .transpose()
            .ok()
    };
    add(
        "Duration",
        ended.duration.map(|took| format!("{:.2} ms", millis(took))),
    );
    add(
        "Billed Duration",
        used.billed_ms.map(|ms| format!("{ms} ms")),
    );
    add(
        "Memory Size",
        used.memory_size_mb.map(|mb| format!("{mb} MB")),
    );
    add(
        "Max Memory Used",
        used.max_memory_used_mb.map(|mb| format!("{mb} MB")),
    );
    add(
        "Init Duration",
        used.init_ms.map(|ms| format!("{ms:.2} ms")),
    );
    add(
        "Restore Duration",
        used.restore_ms.map(|ms| format!("{ms:.2} ms")),
    );
    add(
        "Billed Restore Duration",
        used.billed_restore_ms.map(|ms| format!("{ms} ms")),
    );
    if ended.failed() {
        add("Status", Some(ended.status.clone()));
        add("Error Type", ended.error_type.clone());
    }
    text
}

/// What was lost since the environment began, so that nothing is lost silently. The numbers are
/// totals: losing one of these records loses nothing, the next one says it again.
pub(super) fn loss(joiner: &Joiner, now: UnixNanos) -> LogRecord {
    let counters = &joiner.counters;
    let mut record = blank(joiner, now, now, Level::Warn);
    record.scope = Arc::clone(&joiner.scopes.extension);
    record.event_name = "throughline.loss".to_owned();
    let outline = counters.outline(Kind::Lost);
    let mut text = match outline.as_str() {
        "" => "nothing lost since the environment began".to_owned(),
        _ => format!("lost since the environment began: {outline}"),
    };
    let refused = counters.count(Counter::RefusedRequests);
    if refused > 0 {
        // Writing to a String cannot fail.
        let _ = write!(text, "; {refused} requests of the function found no room");
    }
    record.body = Value::String(text);
    for (counter, count) in counters.of(Kind::Lost).chain(counters.of(Kind::Odd)) {
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        let kind = match counter.kind() {
            Kind::Lost => "lost",
            Kind::Odd => "odd",
        };
        record
            .attributes
            .set(format!("throughline.{kind}.{}", counter.name()), count);
    }
    record
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}
