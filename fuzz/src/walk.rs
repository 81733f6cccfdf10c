//! The walker beside the decoder: the same bodies are taken, and the same rows come out.

use std::sync::Arc;

use bytes::Bytes;
use prost::Message;
use throughline_telemetry::wire::otlp::metrics::v1::Metric;
use throughline_telemetry::wire::walk::{self, LogView, PointView, Sink, SpanView};
use throughline_telemetry::wire::walk::{AttributeView, to_attributes};
use throughline_telemetry::wire::{self, Request, WireError};
use throughline_telemetry::{Event, Link, LogRecord, MetricPoint, Resource, Scope, Signal, Span};

/// Panics where the walker and the decoder do not agree on a body. The first byte says which signal.
pub fn body(data: &[u8]) {
    let Some((first, body)) = data.split_first() else {
        return;
    };
    let _ = compare(Signal::ALL[usize::from(*first) % 3], body);
}

/// Panics where the two do not agree. Gives what they agree on: the rows, or why there are none.
pub fn compare(signal: Signal, body: &[u8]) -> Result<Rows, WireError> {
    let decoded = decode(signal, body);
    let walked = walk(signal, body);
    match (&decoded, &walked) {
        (Ok((items, decoded)), Ok((totals, walked))) => {
            assert_eq!(*items, totals.items);
            assert_eq!(walked.len(), totals.rows);
            // Numbers that are none are not equal to themselves.
            assert_eq!(format!("{decoded:?}"), format!("{walked:?}"));
        }
        (Err(_), Err(_)) => {}
        (Ok(_), Err(error)) => panic!("only the walker refuses it: {error}"),
        (Err(error), Ok(_)) => panic!("only the decoder refuses it: {error}"),
    }
    walked.map(|(_, rows)| rows)
}

/// The rows of a body.
#[derive(Debug)]
pub enum Rows {
    /// Of traces.
    Spans(Vec<Span>),
    /// Of logs.
    Logs(Vec<LogRecord>),
    /// Of metrics.
    Points(Vec<MetricPoint>),
}

impl Rows {
    fn len(&self) -> usize {
        match self {
            Rows::Spans(rows) => rows.len(),
            Rows::Logs(rows) => rows.len(),
            Rows::Points(rows) => rows.len(),
        }
    }
}

fn decode(signal: Signal, body: &[u8]) -> Result<(usize, Rows), WireError> {
    let request = Request::from_protobuf(signal, body)?;
    let items = request.items();
    let rows = match request {
        Request::Traces(request) => Rows::Spans(wire::spans(request)?),
        Request::Logs(request) => Rows::Logs(wire::logs(request)?),
        Request::Metrics(request) => Rows::Points(wire::metric_points(request)),
    };
    Ok((items, normal(rows)))
}

fn walk(signal: Signal, body: &[u8]) -> Result<(walk::Totals, Rows), WireError> {
    let checked = walk::check(signal, Bytes::copy_from_slice(body), usize::MAX)?;
    let mut collect = Collect::default();
    checked.walk(&mut collect);
    let rows = match signal {
        Signal::Traces => Rows::Spans(collect.spans),
        Signal::Logs => Rows::Logs(collect.logs),
        Signal::Metrics => Rows::Points(collect.points),
    };
    Ok((checked.totals(), normal(rows)))
}

/// The metric that a point carries may be written in several ways that mean the same.
fn normal(rows: Rows) -> Rows {
    let Rows::Points(mut points) = rows else {
        return rows;
    };
    for point in &mut points {
        let metric = Metric::decode(point.otlp.as_slice()).expect("it was made by us");
        point.otlp = metric.encode_to_vec();
    }
    Rows::Points(points)
}

/// The rows as the decoder makes them.
#[derive(Default)]
struct Collect {
    resource: Arc<Resource>,
    scope: Arc<Scope>,
    spans: Vec<Span>,
    logs: Vec<LogRecord>,
    points: Vec<MetricPoint>,
}

impl Sink for Collect {
    fn resource(&mut self, attributes: &[AttributeView<'_>]) {
        let attributes = to_attributes(attributes);
        self.resource = Arc::new(Resource { attributes });
    }

    fn scope(&mut self, name: &str, version: &str) {
        let (name, version) = (name.to_owned(), version.to_owned());
        self.scope = Arc::new(Scope { name, version });
    }

    fn span(&mut self, span: &SpanView<'_, '_>) {
        let events = span.events().map(|event| Event {
            time: event.time,
            name: event.name.to_owned(),
            attributes: to_attributes(event.attributes),
        });
        let links = span.links().map(|link| Link {
            trace_id: link.trace_id,
            span_id: link.span_id,
            trace_state: link.trace_state.to_owned(),
            attributes: to_attributes(link.attributes),
        });
        self.spans.push(Span {
            trace_id: span.trace_id,
            span_id: span.span_id,
            parent_id: span.parent_id,
            trace_state: span.trace_state.to_owned(),
            name: span.name.to_owned(),
            kind: span.kind,
            start: span.start,
            end: span.end,
            status: span.status,
            status_message: span.status_message.to_owned(),
            attributes: to_attributes(span.attributes),
            events: events.collect(),
            links: links.collect(),
            resource: Arc::clone(&self.resource),
            scope: Arc::clone(&self.scope),
        });
    }

    fn log(&mut self, log: &LogView<'_, '_>) {
        self.logs.push(LogRecord {
            time: log.time,
            observed_time: log.observed_time,
            severity_number: log.severity_number,
            severity_text: log.severity_text.to_owned(),
            body: log.body.to_value(),
            attributes: to_attributes(log.attributes),
            trace_id: log.trace_id,
            span_id: log.span_id,
            event_name: log.event_name.to_owned(),
            resource: Arc::clone(&self.resource),
            scope: Arc::clone(&self.scope),
        });
    }

    fn point(&mut self, point: &PointView<'_, '_>) {
        let mut otlp = Vec::new();
        point.otlp(&mut otlp);
        self.points.push(MetricPoint {
            name: point.name.to_owned(),
            unit: point.unit.to_owned(),
            kind: point.kind,
            time: point.time,
            start: point.start,
            attributes: to_attributes(point.attributes),
            value: point.value,
            count: point.count,
            otlp,
            resource: Arc::clone(&self.resource),
            scope: Arc::clone(&self.scope),
        });
    }
}
