//! Small spans for the tests of this crate.

use std::sync::Arc;

use throughline_telemetry::{
    Attributes, LogRecord, Resource, Scope, Span, SpanId, SpanKind, SpanStatus, TraceId, UnixNanos,
    Value,
};

/// A span of service `s` with this id, parent (0: none), start and end.
pub(crate) fn span(id: u64, parent: u64, start: u64, end: u64) -> Span {
    Span {
        trace_id: TraceId::new([1; 16]).expect("not zero"),
        span_id: span_id(id).expect("not zero"),
        parent_id: span_id(parent),
        trace_state: String::new(),
        name: format!("n{id}"),
        kind: SpanKind::Internal,
        start: UnixNanos(start),
        end: UnixNanos(end),
        status: SpanStatus::Unset,
        status_message: String::new(),
        attributes: Attributes::default(),
        events: Vec::new(),
        links: Vec::new(),
        resource: resource("s"),
        scope: Arc::new(Scope::default()),
    }
}

/// The resource of a service.
pub(crate) fn resource(service: &str) -> Arc<Resource> {
    Arc::new(Resource {
        attributes: [("service.name", service)].into_iter().collect(),
    })
}

fn span_id(number: u64) -> Option<SpanId> {
    SpanId::new(number.to_be_bytes()).ok()
}

/// An empty log record of a moment.
pub(crate) fn log(time: UnixNanos) -> LogRecord {
    LogRecord {
        time,
        observed_time: time,
        severity_number: 9,
        severity_text: String::new(),
        body: Value::Null,
        trace_id: None,
        span_id: None,
        event_name: String::new(),
        attributes: Attributes::default(),
        resource: resource("s"),
        scope: Arc::new(Scope::default()),
    }
}
