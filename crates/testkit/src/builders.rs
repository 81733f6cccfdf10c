//! Spans and log records in one readable line each.
//!
//! ```
//! use throughline_testkit::builders::{log, span};
//!
//! let request = span("checkout").named("GET /cart").at(0).lasting(120).build();
//! let query = span("checkout").named("SELECT").child_of(&request).at(10).lasting(30).error().build();
//! let line = log("checkout").says("no such cart").during(&query).at(35).build();
//!
//! assert_eq!(query.parent_id, Some(request.span_id));
//! assert_eq!(line.trace_id, Some(request.trace_id));
//! ```

use std::sync::Arc;
use std::time::Duration;

use throughline_telemetry::{
    Attributes, Event, Link, LogRecord, Resource, Scope, Span, SpanId, SpanKind, SpanStatus,
    TraceId, UnixNanos, Value,
};

/// The moment this many milliseconds after the builders' zero, 2026-01-01T00:00:00 UTC.
pub fn moment(millis: u64) -> UnixNanos {
    UnixNanos::from_millis(ZERO_MILLIS + millis)
}

/// The trace id with this number.
pub fn trace_id(number: u64) -> TraceId {
    // A real id is random, so that every part of it tells traces apart.
    let scattered = scatter(number).to_be_bytes();
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&scattered);
    bytes[8..].copy_from_slice(&number.to_be_bytes());
    bytes[0] |= 1;
    TraceId::new(bytes).expect("the first byte is not zero")
}

/// The span id with this number.
pub fn span_id(number: u64) -> SpanId {
    let scattered = scatter(number.wrapping_add(1)).max(1);
    SpanId::new(scattered.to_be_bytes()).expect("it is at least one")
}

/// Begins a span of a service: a root in trace 1 at moment 0 that lasts a millisecond.
pub fn span(service: &str) -> SpanBuilder {
    SpanBuilder {
        id: None,
        resource: service_resource(service),
        span: Span {
            trace_id: trace_id(1),
            span_id: span_id(1),
            parent_id: None,
            trace_state: String::new(),
            name: service.to_owned(),
            kind: SpanKind::Internal,
            start: moment(0),
            end: moment(1),
            status: SpanStatus::Unset,
            status_message: String::new(),
            attributes: Attributes::default(),
            events: Vec::new(),
            links: Vec::new(),
            resource: Arc::default(),
            scope: Arc::default(),
        },
    }
}

/// Begins a log record of a service: an empty one at moment 0 with severity 9.
pub fn log(service: &str) -> LogBuilder {
    LogBuilder {
        resource: service_resource(service),
        log: LogRecord {
            time: moment(0),
            observed_time: moment(0),
            severity_number: 9,
            severity_text: "INFO".to_owned(),
            body: Value::Null,
            attributes: Attributes::default(),
            trace_id: None,
            span_id: None,
            event_name: String::new(),
            resource: Arc::default(),
            scope: Arc::default(),
        },
    }
}

/// A span being described.
#[derive(Clone, Debug)]
pub struct SpanBuilder {
    id: Option<SpanId>,
    resource: Resource,
    span: Span,
}

impl SpanBuilder {
    /// What was done. The service's name unless said.
    pub fn named(mut self, name: &str) -> Self {
        name.clone_into(&mut self.span.name);
        self
    }

    /// Begins this many milliseconds after zero; keeps its duration.
    pub fn at(mut self, millis: u64) -> Self {
        let duration = self.span.duration();
        self.span.start = moment(millis);
        self.span.end = self.span.start.plus(duration);
        self
    }

    /// Lasts this many milliseconds.
    pub fn lasting(mut self, millis: u64) -> Self {
        self.span.end = self.span.start.plus(Duration::from_millis(millis));
        self
    }

    /// Belongs to the trace with this number.
    pub fn in_trace(mut self, number: u64) -> Self {
        self.span.trace_id = trace_id(number);
        self
    }

    /// Has the id with this number. Otherwise its id follows from all else that is said of it.
    pub fn id(mut self, number: u64) -> Self {
        self.id = Some(span_id(number));
        self
    }

    /// Was caused by `parent`, in its trace.
    pub fn child_of(mut self, parent: &Span) -> Self {
        self.span.trace_id = parent.trace_id;
        self.span.parent_id = Some(parent.span_id);
        self
    }

    /// Was caused by the span with this number, which may be nowhere.
    pub fn parent(mut self, number: u64) -> Self {
        self.span.parent_id = Some(span_id(number));
        self
    }

    /// Has this role.
    pub fn kind(mut self, kind: SpanKind) -> Self {
        self.span.kind = kind;
        self
    }

    /// Failed.
    pub fn error(mut self) -> Self {
        self.span.status = SpanStatus::Error;
        self
    }

    /// Has this attribute.
    pub fn attribute(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.span.attributes.set(key, value);
        self
    }

    /// Its resource has this attribute.
    pub fn resource_attribute(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.resource.attributes.set(key, value);
        self
    }

    /// Was made by this library.
    pub fn scope(mut self, name: &str, version: &str) -> Self {
        self.span.scope = scope(name, version);
        self
    }

    /// This happened during it, this many milliseconds after zero.
    pub fn event(mut self, name: &str, millis: u64) -> Self {
        self.span.events.push(Event {
            time: moment(millis),
            name: name.to_owned(),
            attributes: Attributes::default(),
        });
        self
    }

    /// Points to another span.
    pub fn link(mut self, to: &Span) -> Self {
        self.span.links.push(Link {
            trace_id: to.trace_id,
            span_id: to.span_id,
            trace_state: String::new(),
            attributes: Attributes::default(),
        });
        self
    }

    /// The span.
    pub fn build(self) -> Span {
        let mut span = self.span;
        span.resource = Arc::new(self.resource);
        span.span_id = self.id.unwrap_or_else(|| derived_id(&span));
        span
    }
}

/// A log record being described.
#[derive(Clone, Debug)]
pub struct LogBuilder {
    resource: Resource,
    log: LogRecord,
}

impl LogBuilder {
    /// The message.
    pub fn says(mut self, body: impl Into<Value>) -> Self {
        self.log.body = body.into();
        self
    }

    /// Was written this many milliseconds after zero.
    pub fn at(mut self, millis: u64) -> Self {
        self.log.time = moment(millis);
        self.log.observed_time = moment(millis);
        self
    }

    /// Has this level: 9 info, 13 warn, 17 error.
    pub fn severity(mut self, number: u8, text: &str) -> Self {
        self.log.severity_number = number;
        text.clone_into(&mut self.log.severity_text);
        self
    }

    /// Was written during this span.
    pub fn during(mut self, span: &Span) -> Self {
        self.log.trace_id = Some(span.trace_id);
        self.log.span_id = Some(span.span_id);
        self
    }

    /// Was written during the trace with this number.
    pub fn in_trace(mut self, number: u64) -> Self {
        self.log.trace_id = Some(trace_id(number));
        self
    }

    /// Has this attribute.
    pub fn attribute(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.log.attributes.set(key, value);
        self
    }

    /// Its resource has this attribute.
    pub fn resource_attribute(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.resource.attributes.set(key, value);
        self
    }

    /// Was made by this library.
    pub fn scope(mut self, name: &str, version: &str) -> Self {
        self.log.scope = scope(name, version);
        self
    }

    /// The log record.
    pub fn build(self) -> LogRecord {
        LogRecord {
            resource: Arc::new(self.resource),
            ..self.log
        }
    }
}

fn service_resource(service: &str) -> Resource {
    Resource {
        attributes: [("service.name", service)].into_iter().collect(),
    }
}

fn scope(name: &str, version: &str) -> Arc<Scope> {
    Arc::new(Scope {
        name: name.to_owned(),
        version: version.to_owned(),
    })
}

/// The same description always gets the same id, and two that differ get two.
fn derived_id(span: &Span) -> SpanId {
    let text = format!("{span:?}");
    let hash = text.bytes().fold(FNV_OFFSET, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(FNV_PRIME)
    });
    span_id(hash)
}

/// Numbers next to each other become numbers far apart, each a different one.
fn scatter(number: u64) -> u64 {
    let mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed ^ (mixed >> 32)
}

const ZERO_MILLIS: u64 = 1_767_225_600_000;
const FNV_OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
const FNV_PRIME: u64 = 0x0100_0000_01b3;
