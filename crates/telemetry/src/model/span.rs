//! Spans, their events and their links.

use std::sync::Arc;
use std::time::Duration;

use super::{Attributes, Resource, Scope, SpanId, TraceId, UnixNanos};

/// One step of a trace.
#[derive(Clone, Debug, PartialEq)]
pub struct Span {
    /// The trace it belongs to.
    pub trace_id: TraceId,
    /// Its own id, unique inside the trace.
    pub span_id: SpanId,
    /// The span that caused it; `None` for a root.
    pub parent_id: Option<SpanId>,
    /// W3C `tracestate`, as it came.
    pub trace_state: String,
    /// What was done.
    pub name: String,
    /// Its role in the exchange.
    pub kind: SpanKind,
    /// When it began.
    pub start: UnixNanos,
    /// When it ended.
    pub end: UnixNanos,
    /// How it ended.
    pub status: SpanStatus,
    /// Why it failed, if it says so.
    pub status_message: String,
    /// Its attributes.
    pub attributes: Attributes,
    /// What happened during it.
    pub events: Vec<Event>,
    /// Spans of this or other traces that it points to.
    pub links: Vec<Link>,
    /// Who emitted it.
    pub resource: Arc<Resource>,
    /// Which library made it.
    pub scope: Arc<Scope>,
}

impl Span {
    /// End minus start; zero for a clock that ran backwards.
    pub fn duration(&self) -> Duration {
        self.end.since(self.start)
    }

    /// The service that emitted it.
    pub fn service(&self) -> &str {
        self.resource.service()
    }
}

/// A span's role: OTLP's `SpanKind`, with its numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum SpanKind {
    /// Not said.
    #[default]
    Unspecified = 0,
    /// Inside one program.
    Internal = 1,
    /// Answers a request.
    Server = 2,
    /// Makes a request.
    Client = 3,
    /// Sends a message.
    Producer = 4,
    /// Takes a message.
    Consumer = 5,
}

impl SpanKind {
    /// The kind of an OTLP number; unknown numbers are unspecified.
    pub fn from_number(number: i32) -> Self {
        match number {
            1 => SpanKind::Internal,
            2 => SpanKind::Server,
            3 => SpanKind::Client,
            4 => SpanKind::Producer,
            5 => SpanKind::Consumer,
            _ => SpanKind::Unspecified,
        }
    }

    /// The name used by the API.
    pub fn name(self) -> &'static str {
        match self {
            SpanKind::Unspecified => "unspecified",
            SpanKind::Internal => "internal",
            SpanKind::Server => "server",
            SpanKind::Client => "client",
            SpanKind::Producer => "producer",
            SpanKind::Consumer => "consumer",
        }
    }
}

/// How a span ended: OTLP's status code, with its numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum SpanStatus {
    /// Not said, which counts as no error.
    #[default]
    Unset = 0,
    /// Declared good.
    Ok = 1,
    /// Failed.
    Error = 2,
}

impl SpanStatus {
    /// The status of an OTLP number; unknown numbers are unset.
    pub fn from_number(number: i32) -> Self {
        match number {
            1 => SpanStatus::Ok,
            2 => SpanStatus::Error,
            _ => SpanStatus::Unset,
        }
    }

    /// The name used by the API.
    pub fn name(self) -> &'static str {
        match self {
            SpanStatus::Unset => "unset",
            SpanStatus::Ok => "ok",
            SpanStatus::Error => "error",
        }
    }
}

/// Something that happened during a span, such as an exception.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Event {
    /// When.
    pub time: UnixNanos,
    /// What, `exception` for instance.
    pub name: String,
    /// Details.
    pub attributes: Attributes,
}

/// A pointer from one span to another.
#[derive(Clone, Debug, PartialEq)]
pub struct Link {
    /// The trace pointed to.
    pub trace_id: TraceId,
    /// The span pointed to.
    pub span_id: SpanId,
    /// W3C `tracestate` of the link.
    pub trace_state: String,
    /// Details.
    pub attributes: Attributes,
}
