//! Decoded rows on their way into a buffer, and what they weigh.

use throughline_telemetry::wire::{self, Request, WireError};
use throughline_telemetry::{Attributes, LogRecord, MetricPoint, Span, UnixNanos, Value};

/// The rows of one request.
#[derive(Clone, Debug)]
pub(crate) enum Rows {
    Spans(Vec<Span>),
    Logs(Vec<LogRecord>),
    Metrics(Vec<MetricPoint>),
}

impl Rows {
    pub(crate) fn from_request(request: Request) -> Result<Self, WireError> {
        Ok(match request {
            Request::Traces(request) => Rows::Spans(wire::spans(request)?),
            Request::Logs(request) => Rows::Logs(wire::logs(request)?),
            Request::Metrics(request) => Rows::Metrics(wire::metric_points(request)),
        })
    }

    /// No rows.
    pub(crate) fn none() -> Self {
        Rows::Spans(Vec::new())
    }

    pub(crate) fn len(&self) -> usize {
        match self {
            Rows::Spans(spans) => spans.len(),
            Rows::Logs(logs) => logs.len(),
            Rows::Metrics(points) => points.len(),
        }
    }

    /// About how much memory the rows take.
    pub(crate) fn memory_bytes(&self) -> usize {
        match self {
            Rows::Spans(spans) => spans.iter().map(span_bytes).sum(),
            Rows::Logs(logs) => logs.iter().map(log_bytes).sum(),
            Rows::Metrics(points) => points.iter().map(metric_bytes).sum(),
        }
    }
}

/// A log record with what orders it among all others.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct LogRow {
    /// The record's own time, or when it was received.
    pub(crate) time: UnixNanos,
    /// Generation and place in it: unique in the store, and the same after a replay.
    pub(crate) sequence: u64,
    pub(crate) record: LogRecord,
}

impl LogRow {
    pub(crate) fn new(record: LogRecord, received: UnixNanos, sequence: u64) -> Self {
        let own = record.sort_time();
        LogRow {
            time: if own.is_known() { own } else { received },
            sequence,
            record,
        }
    }
}

/// About how much memory a span takes in a buffer.
pub(crate) fn span_bytes(span: &Span) -> usize {
    let events = span
        .events
        .iter()
        .map(|event| size_of_val(event) + event.name.len() + attributes_bytes(&event.attributes));
    let links = span.links.iter().map(|link| {
        size_of_val(link) + link.trace_state.len() + attributes_bytes(&link.attributes)
    });
    ROW_OVERHEAD
        + size_of_val(span)
        + span.name.len()
        + span.trace_state.len()
        + span.status_message.len()
        + attributes_bytes(&span.attributes)
        + events.sum::<usize>()
        + links.sum::<usize>()
}

/// About how much memory a log record takes in a buffer.
pub(crate) fn log_bytes(log: &LogRecord) -> usize {
    ROW_OVERHEAD
        + size_of_val(log)
        + log.severity_text.len()
        + log.event_name.len()
        + value_bytes(&log.body)
        + attributes_bytes(&log.attributes)
}

fn metric_bytes(point: &MetricPoint) -> usize {
    ROW_OVERHEAD
        + size_of_val(point)
        + point.name.len()
        + point.unit.len()
        + point.otlp.len()
        + attributes_bytes(&point.attributes)
}

fn attributes_bytes(attributes: &Attributes) -> usize {
    let pairs = attributes.iter();
    pairs
        .map(|(key, value)| {
            size_of::<(String, Value)>() + ALLOCATION + key.len() + value_bytes(value)
        })
        .sum()
}

fn value_bytes(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) | Value::Int(_) | Value::Double(_) => 0,
        Value::String(text) => ALLOCATION + text.len(),
        Value::Bytes(bytes) => ALLOCATION + bytes.len(),
        Value::Array(values) => {
            let inner = values
                .iter()
                .map(|value| size_of_val(value) + value_bytes(value));
            ALLOCATION + inner.sum::<usize>()
        }
        Value::Map(attributes) => ALLOCATION + attributes_bytes(attributes),
    }
}

/// What an allocator keeps beside each piece.
const ALLOCATION: usize = 16;

/// The shared pointer to a row, its entry in the trace index and its part of a chunk.
const ROW_OVERHEAD: usize = 96;
