//! Rows on their way into a buffer.

use arrow::array::RecordBatch;
use throughline_telemetry::wire::walk::AttributeView;
use throughline_telemetry::wire::walk::{Checked, LogView, PointView, Sink, SpanView};
use throughline_telemetry::{Attributes, LogRecord, Signal, Span, UnixNanos, Value};

use crate::batch::{LogBuilder, PointBuilder, SpanBuilder};

/// The rows of one request.
#[derive(Clone, Debug)]
pub(crate) enum Rows {
    /// None.
    None,
    /// Still as they came. Small requests become one batch with what else is in their group, because
    /// a batch of its own costs more than the rows in it.
    Checked(Checked),
    /// As a batch already.
    Built(Signal, RecordBatch),
}

impl Rows {
    /// Turns what was checked into a batch of its own.
    pub(crate) fn built(checked: &Checked, received: UnixNanos) -> Self {
        let mut builder = BatchBuilder::default();
        builder.push(checked, received);
        builder.rows()
    }

    pub(crate) fn len(&self) -> usize {
        match self {
            Rows::None => 0,
            Rows::Checked(checked) => checked.totals().rows,
            Rows::Built(_, batch) => batch.num_rows(),
        }
    }
}

/// Makes one batch a signal of the rows of many requests.
#[derive(Debug, Default)]
pub(crate) struct BatchBuilder {
    spans: Option<SpanBuilder>,
    logs: Option<LogBuilder>,
    points: Option<PointBuilder>,
}

impl BatchBuilder {
    /// Of one request, which was received then.
    pub(crate) fn of(signal: Signal, received: UnixNanos) -> Self {
        let mut builder = BatchBuilder::default();
        match signal {
            Signal::Traces => builder.spans = Some(SpanBuilder::default()),
            Signal::Logs => builder.logs.get_or_insert_default().received(received),
            Signal::Metrics => builder.points = Some(PointBuilder::default()),
        }
        builder
    }

    /// The rows of one request.
    pub(crate) fn rows(self) -> Rows {
        match self.finish().pop() {
            Some((signal, batch)) => Rows::Built(signal, batch),
            None => Rows::None,
        }
    }

    /// Adds the rows of a request that was received then.
    pub(crate) fn push(&mut self, checked: &Checked, received: UnixNanos) {
        match checked.signal() {
            Signal::Traces => checked.walk(self.spans.get_or_insert_default()),
            Signal::Logs => {
                let logs = self.logs.get_or_insert_default();
                logs.received(received);
                checked.walk(logs);
            }
            Signal::Metrics => checked.walk(self.points.get_or_insert_default()),
        }
    }

    /// The batches, none of them empty.
    pub(crate) fn finish(self) -> Vec<(Signal, RecordBatch)> {
        let batches = [
            self.spans.map(|spans| (Signal::Traces, spans.finish())),
            self.logs.map(|logs| (Signal::Logs, logs.finish())),
            self.points.map(|points| (Signal::Metrics, points.finish())),
        ];
        let batches = batches.into_iter().flatten();
        batches.filter(|(_, batch)| batch.num_rows() > 0).collect()
    }
}

/// Rows of the signal that it was made for.
impl Sink for BatchBuilder {
    fn resource(&mut self, attributes: &[AttributeView<'_>]) {
        if let Some(spans) = &mut self.spans {
            spans.begin_resource(attributes);
        } else if let Some(logs) = &mut self.logs {
            logs.begin_resource(attributes);
        } else if let Some(points) = &mut self.points {
            points.begin_resource(attributes);
        }
    }

    fn scope(&mut self, name: &str, version: &str) {
        if let Some(spans) = &mut self.spans {
            spans.begin_scope(name, version);
        } else if let Some(logs) = &mut self.logs {
            logs.begin_scope(name, version);
        } else if let Some(points) = &mut self.points {
            points.begin_scope(name, version);
        }
    }

    fn span(&mut self, span: &SpanView<'_, '_>) {
        if let Some(spans) = &mut self.spans {
            spans.push_view(span);
        }
    }

    fn log(&mut self, log: &LogView<'_, '_>) {
        if let Some(logs) = &mut self.logs {
            logs.push_view(log);
        }
    }

    fn point(&mut self, point: &PointView<'_, '_>) {
        if let Some(points) = &mut self.points {
            points.push_view(point);
        }
    }
}

impl Sink for SpanBuilder {
    fn resource(&mut self, attributes: &[AttributeView<'_>]) {
        self.begin_resource(attributes);
    }

    fn scope(&mut self, name: &str, version: &str) {
        self.begin_scope(name, version);
    }

    fn span(&mut self, span: &SpanView<'_, '_>) {
        self.push_view(span);
    }
}

impl Sink for LogBuilder {
    fn resource(&mut self, attributes: &[AttributeView<'_>]) {
        self.begin_resource(attributes);
    }

    fn scope(&mut self, name: &str, version: &str) {
        self.begin_scope(name, version);
    }

    fn log(&mut self, log: &LogView<'_, '_>) {
        self.push_view(log);
    }
}

impl Sink for PointBuilder {
    fn resource(&mut self, attributes: &[AttributeView<'_>]) {
        self.begin_resource(attributes);
    }

    fn scope(&mut self, name: &str, version: &str) {
        self.begin_scope(name, version);
    }

    fn point(&mut self, point: &PointView<'_, '_>) {
        self.push_view(point);
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
    #[cfg(test)]
    pub(crate) fn new(record: LogRecord, received: UnixNanos, sequence: u64) -> Self {
        let own = record.sort_time();
        LogRow {
            time: if own.is_known() { own } else { received },
            sequence,
            record,
        }
    }
}

/// About how much memory a span takes once it was read.
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

/// The shared pointer to a row and its part of a block.
const ROW_OVERHEAD: usize = 96;
