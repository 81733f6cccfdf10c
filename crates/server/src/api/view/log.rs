//! Logs.

use serde::Serialize;
use throughline_telemetry::{Attributes, LogRecord, SpanId, TraceId, UnixNanos, Value};

use super::{Scope, Text};

/// One log record.
#[derive(Serialize)]
pub(in crate::api) struct Log<'a> {
    time_unix_nanos: Text<UnixNanos>,
    severity_number: u8,
    severity_text: &'a str,
    body: &'a Value,
    trace_id: Option<Text<TraceId>>,
    span_id: Option<Text<SpanId>>,
    service: &'a str,
    scope: Scope<'a>,
    attributes: &'a Attributes,
    event_name: &'a str,
}

impl<'a> Log<'a> {
    pub(in crate::api) fn new(log: &'a LogRecord) -> Self {
        Log {
            time_unix_nanos: Text(log.sort_time()),
            severity_number: log.severity_number,
            severity_text: &log.severity_text,
            body: &log.body,
            trace_id: log.trace_id.map(Text),
            span_id: log.span_id.map(Text),
            service: log.resource.service(),
            scope: Scope::new(&log.scope),
            attributes: &log.attributes,
            event_name: &log.event_name,
        }
    }
}
