//! OTLP messages to the model.

use std::sync::Arc;

use opentelemetry_proto::tonic::common::v1::{
    AnyValue, InstrumentationScope, KeyValue, any_value::Value as Any,
};
use opentelemetry_proto::tonic::logs::v1::LogRecord as OtlpLog;
use opentelemetry_proto::tonic::metrics::v1::{
    ExponentialHistogramDataPoint, HistogramDataPoint, Metric, NumberDataPoint, SummaryDataPoint,
    metric::Data, number_data_point,
};
use opentelemetry_proto::tonic::resource::v1::Resource as OtlpResource;
use opentelemetry_proto::tonic::trace::v1::{Span as OtlpSpan, span};
use prost::Message;

use super::{WireError, otlp};
use crate::model::{
    Attributes, BadId, Event, Link, LogRecord, MetricKind, MetricPoint, Resource, Scope, Span,
    SpanId, SpanKind, SpanStatus, TraceId, UnixNanos, Value,
};

/// The spans of a request, in the order sent.
///
/// Trace and span ids must be good; a parent id may be absent, empty or zero. Links with bad ids
/// are left out, because a span says enough without them.
pub fn spans(request: otlp::ExportTraceServiceRequest) -> Result<Vec<Span>, WireError> {
    let mut spans = Vec::new();
    for (r, from_resource) in request.resource_spans.into_iter().enumerate() {
        let resource = resource(from_resource.resource);
        for (s, from_scope) in from_resource.scope_spans.into_iter().enumerate() {
            let scope = scope(from_scope.scope);
            for (i, from) in from_scope.spans.into_iter().enumerate() {
                let read = span(from, Arc::clone(&resource), Arc::clone(&scope));
                spans.push(read.map_err(|(field, source)| WireError::Id {
                    path: format!("resourceSpans[{r}].scopeSpans[{s}].spans[{i}].{field}"),
                    source,
                })?);
            }
        }
    }
    Ok(spans)
}

/// The log records of a request, in the order sent. Ids may be absent; a malformed one is an error.
pub fn logs(request: otlp::ExportLogsServiceRequest) -> Result<Vec<LogRecord>, WireError> {
    let mut logs = Vec::new();
    for (r, from_resource) in request.resource_logs.into_iter().enumerate() {
        let resource = resource(from_resource.resource);
        for (s, from_scope) in from_resource.scope_logs.into_iter().enumerate() {
            let scope = scope(from_scope.scope);
            for (i, from) in from_scope.log_records.into_iter().enumerate() {
                let read = log(from, Arc::clone(&resource), Arc::clone(&scope));
                logs.push(read.map_err(|(field, source)| WireError::Id {
                    path: format!("resourceLogs[{r}].scopeLogs[{s}].logRecords[{i}].{field}"),
                    source,
                })?);
            }
        }
    }
    Ok(logs)
}

/// The data points of a request, in the order sent. A metric without data gives none.
pub fn metric_points(request: otlp::ExportMetricsServiceRequest) -> Vec<MetricPoint> {
    let mut points = Vec::new();
    for from_resource in request.resource_metrics {
        let resource = resource(from_resource.resource);
        for from_scope in from_resource.scope_metrics {
            let scope = scope(from_scope.scope);
            for metric in from_scope.metrics {
                let split = split(metric).into_iter();
                points.extend(split.map(|point| MetricPoint {
                    resource: Arc::clone(&resource),
                    scope: Arc::clone(&scope),
                    ..point
                }));
            }
        }
    }
    points
}

fn resource(from: Option<OtlpResource>) -> Arc<Resource> {
    let attributes = from.map(|resource| attributes(resource.attributes));
    Arc::new(Resource {
        attributes: attributes.unwrap_or_default(),
    })
}

fn scope(from: Option<InstrumentationScope>) -> Arc<Scope> {
    let from = from.unwrap_or_default();
    Arc::new(Scope {
        name: from.name,
        version: from.version,
    })
}

fn span(
    from: OtlpSpan,
    resource: Arc<Resource>,
    scope: Arc<Scope>,
) -> Result<Span, (&'static str, BadId)> {
    let status = from.status.unwrap_or_default();
    Ok(Span {
        trace_id: TraceId::from_slice(&from.trace_id).map_err(|bad| ("traceId", bad))?,
        span_id: SpanId::from_slice(&from.span_id).map_err(|bad| ("spanId", bad))?,
        parent_id: optional(SpanId::from_slice(&from.parent_span_id))
            .map_err(|bad| ("parentSpanId", bad))?,
        trace_state: from.trace_state,
        name: from.name,
        kind: SpanKind::from_number(from.kind),
        start: UnixNanos(from.start_time_unix_nano),
        end: UnixNanos(from.end_time_unix_nano),
        status: SpanStatus::from_number(status.code),
        status_message: status.message,
        attributes: attributes(from.attributes),
        events: from.events.into_iter().map(event).collect(),
        links: from.links.into_iter().filter_map(link).collect(),
        resource,
        scope,
    })
}

fn event(from: span::Event) -> Event {
    Event {
        time: UnixNanos(from.time_unix_nano),
        name: from.name,
        attributes: attributes(from.attributes),
    }
}

fn link(from: span::Link) -> Option<Link> {
    Some(Link {
        trace_id: TraceId::from_slice(&from.trace_id).ok()?,
        span_id: SpanId::from_slice(&from.span_id).ok()?,
        trace_state: from.trace_state,
        attributes: attributes(from.attributes),
    })
}

fn log(
    from: OtlpLog,
    resource: Arc<Resource>,
    scope: Arc<Scope>,
) -> Result<LogRecord, (&'static str, BadId)> {
    Ok(LogRecord {
        time: UnixNanos(from.time_unix_nano),
        observed_time: UnixNanos(from.observed_time_unix_nano),
        severity_number: u8::try_from(from.severity_number)
            .ok()
            .filter(|number| *number <= 24)
            .unwrap_or(0),
        severity_text: from.severity_text,
        body: from.body.map(value).unwrap_or_default(),
        attributes: attributes(from.attributes),
        trace_id: optional(TraceId::from_slice(&from.trace_id)).map_err(|bad| ("traceId", bad))?,
        span_id: optional(SpanId::from_slice(&from.span_id)).map_err(|bad| ("spanId", bad))?,
        event_name: from.event_name,
        resource,
        scope,
    })
}

/// Absent and zero ids are no ids; all else that is wrong stays wrong.
fn optional<T>(id: Result<T, BadId>) -> Result<Option<T>, BadId> {
    match id {
        Ok(id) => Ok(Some(id)),
        Err(BadId::Zero | BadId::Length { got: 0, .. }) => Ok(None),
        Err(bad) => Err(bad),
    }
}

fn attributes(from: Vec<KeyValue>) -> Attributes {
    from.into_iter()
        .map(|pair| (pair.key, pair.value.map(value).unwrap_or_default()))
        .collect()
}

fn value(from: AnyValue) -> Value {
    match from.value {
        // A string index points into the dictionary of the profiles signal; elsewhere it has no meaning.
        None | Some(Any::StringValueStrindex(_)) => Value::Null,
        Some(Any::StringValue(text)) => Value::String(text),
        Some(Any::BoolValue(truth)) => Value::Bool(truth),
        Some(Any::IntValue(number)) => Value::Int(number),
        Some(Any::DoubleValue(number)) => Value::Double(number),
        Some(Any::BytesValue(bytes)) => Value::Bytes(bytes),
        Some(Any::ArrayValue(array)) => Value::Array(array.values.into_iter().map(value).collect()),
        Some(Any::KvlistValue(list)) => Value::Map(attributes(list.values)),
    }
}

/// One metric as one point each: a point's `otlp` is the metric with only that point in it.
fn split(mut metric: Metric) -> Vec<MetricPoint> {
    /// One point for each data point of `$data`; `$value` and `$count` are its numbers.
    macro_rules! points {
        ($variant:ident, $data:expr, $point:ident: $kind:ty => $value:expr, $count:expr) => {{
            let mut data = $data;
            let points = std::mem::take(&mut data.data_points);
            let make = |$point: $kind| {
                let (value, count) = ($value, $count);
                MetricPoint {
                    name: metric.name.clone(),
                    unit: metric.unit.clone(),
                    kind: MetricKind::$variant,
                    time: UnixNanos($point.time_unix_nano),
                    start: UnixNanos($point.start_time_unix_nano),
                    attributes: attributes($point.attributes.clone()),
                    value,
                    count,
                    otlp: Metric {
                        data: Some(Data::$variant({
                            let mut alone = data.clone();
                            alone.data_points = vec![$point];
                            alone
                        })),
                        ..metric.clone()
                    }
                    .encode_to_vec(),
                    resource: Arc::default(),
                    scope: Arc::default(),
                }
            };
            points.into_iter().map(make).collect()
        }};
    }
    match metric.data.take() {
        None => Vec::new(),
        Some(Data::Gauge(data)) => {
            points!(Gauge, data, point: NumberDataPoint => number(point.value), 1)
        }
        Some(Data::Sum(data)) => {
            points!(Sum, data, point: NumberDataPoint => number(point.value), 1)
        }
        Some(Data::Histogram(data)) => {
            points!(Histogram, data, point: HistogramDataPoint => point.sum.unwrap_or(f64::NAN), point.count)
        }
        Some(Data::ExponentialHistogram(data)) => {
            points!(ExponentialHistogram, data, point: ExponentialHistogramDataPoint => point.sum.unwrap_or(f64::NAN), point.count)
        }
        Some(Data::Summary(data)) => {
            points!(Summary, data, point: SummaryDataPoint => point.sum, point.count)
        }
    }
}

/// A data point without a value stays a point, without a number.
#[expect(
    clippy::cast_precision_loss,
    reason = "the exact integer stays in `otlp`"
)]
fn number(value: Option<number_data_point::Value>) -> f64 {
    match value {
        Some(number_data_point::Value::AsDouble(number)) => number,
        Some(number_data_point::Value::AsInt(number)) => number as f64,
        None => f64::NAN,
    }
}
