//! Series to OTLP metrics; events and checks to log records.

use std::collections::BTreeMap;
use std::sync::Arc;

use throughline_telemetry::wire::otlp::ExportMetricsServiceRequest;
use throughline_telemetry::wire::otlp::common::v1::InstrumentationScope;
use throughline_telemetry::wire::otlp::metrics::v1::{
    AggregationTemporality, ExponentialHistogram, ExponentialHistogramDataPoint,
    Gauge as OtlpGauge, Metric as OtlpMetric, NumberDataPoint, ResourceMetrics, ScopeMetrics, Sum,
    exponential_histogram_data_point::Buckets as OtlpBuckets, metric::Data,
    number_data_point::Value,
};
use throughline_telemetry::wire::otlp::resource::v1::Resource as OtlpResource;
use throughline_telemetry::wire::{Request, attributes_to_otlp, logs_request};
use throughline_telemetry::{Attributes, LogRecord, Resource, Scope, UnixNanos};

use super::line::{About, Check, Event};
use super::sketch::{Buckets, Sketch};
use super::window::{Key, Kind, State};

/// At most one request of metrics and one of log records.
pub(super) fn requests(
    series: BTreeMap<Key, State>,
    logs: &[LogRecord],
    start: UnixNanos,
    now: UnixNanos,
) -> Vec<Request> {
    let mut requests = Vec::new();
    if !series.is_empty() {
        requests.push(Request::Metrics(metrics(series, start, now)));
    }
    if !logs.is_empty() {
        requests.push(Request::Logs(logs_request(logs)));
    }
    requests
}

fn metrics(
    series: BTreeMap<Key, State>,
    start: UnixNanos,
    now: UnixNanos,
) -> ExportMetricsServiceRequest {
    let mut metrics: Vec<OtlpMetric> = Vec::new();
    let mut last_kind = None;
    // Series of one metric follow each other, because the name comes first in the key.
    for (key, state) in series {
        let is_next = metrics.last().is_some_and(|last| last.name == key.name);
        if !is_next || last_kind != Some(key.kind) {
            last_kind = Some(key.kind);
            metrics.push(OtlpMetric {
                name: key.name.clone(),
                unit: if key.kind == Kind::Timing { "ms" } else { "" }.to_owned(),
                ..OtlpMetric::default()
            });
        }
        if let Some(metric) = metrics.last_mut() {
            add(metric, &key, &state, start, now);
        }
    }
    ExportMetricsServiceRequest {
        resource_metrics: vec![ResourceMetrics {
            // The extension knows what the function is called.
            resource: Some(OtlpResource::default()),
            scope_metrics: vec![ScopeMetrics {
                scope: Some(InstrumentationScope {
                    name: SCOPE.to_owned(),
                    ..InstrumentationScope::default()
                }),
                metrics,
                ..ScopeMetrics::default()
            }],
            ..ResourceMetrics::default()
        }],
    }
}

fn add(metric: &mut OtlpMetric, key: &Key, state: &State, start: UnixNanos, now: UnixNanos) {
    // What says when it was measured was measured then and at no other time.
    let (start, time) = key.time.map_or((start, now), |time| (time, time));
    let mut about = tags(key.tags.iter().map(String::as_str));
    if let Some(container) = &key.container {
        about.set("container.id", container.as_str());
    }
    let attributes = attributes_to_otlp(&about);
    let number = |value: f64, start: UnixNanos| NumberDataPoint {
        attributes: attributes.clone(),
        start_time_unix_nano: start.0,
        time_unix_nano: time.0,
        value: Some(Value::AsDouble(value)),
        ..NumberDataPoint::default()
    };
    match state {
        State::Sum { sum, only_grew } => {
            let point = number(*sum, start);
            match &mut metric.data {
                Some(Data::Sum(data)) => {
                    data.is_monotonic &= only_grew;
                    data.data_points.push(point);
                }
                data => {
                    *data = Some(Data::Sum(Sum {
                        data_points: vec![point],
                        aggregation_temporality: DELTA,
                        is_monotonic: *only_grew,
                    }));
                }
            }
        }
        State::Value(value) => gauge(metric, number(*value, UnixNanos::default())),
        State::Distinct(distinct) => {
            #[expect(clippy::cast_precision_loss, reason = "an estimate")]
            let count = distinct.count() as f64;
            gauge(metric, number(count, UnixNanos::default()));
        }
        State::Sketch(sketch) => {
            let point = ExponentialHistogramDataPoint {
                attributes,
                start_time_unix_nano: start.0,
                time_unix_nano: time.0,
                ..histogram(sketch)
            };
            match &mut metric.data {
                Some(Data::ExponentialHistogram(data)) => data.data_points.push(point),
                data => {
                    *data = Some(Data::ExponentialHistogram(ExponentialHistogram {
                        data_points: vec![point],
                        aggregation_temporality: DELTA,
                    }));
                }
            }
        }
    }
}

fn gauge(metric: &mut OtlpMetric, point: NumberDataPoint) {
    match &mut metric.data {
        Some(Data::Gauge(data)) => data.data_points.push(point),
        data => {
            *data = Some(Data::Gauge(OtlpGauge {
                data_points: vec![point],
            }));
        }
    }
}

fn histogram(sketch: &Sketch) -> ExponentialHistogramDataPoint {
    let rounded = sketch.rounded();
    let buckets = |(offset, bucket_counts): Buckets| OtlpBuckets {
        offset,
        bucket_counts,
    };
    ExponentialHistogramDataPoint {
        count: rounded.count,
        sum: Some(rounded.sum),
        scale: rounded.scale,
        zero_count: rounded.zeros,
        positive: Some(buckets(rounded.positive)),
        negative: Some(buckets(rounded.negative)),
        min: Some(rounded.min),
        max: Some(rounded.max),
        ..ExponentialHistogramDataPoint::default()
    }
}

/// An event as a log record.
pub(super) fn event(event: &Event<'_>, now: UnixNanos) -> LogRecord {
    let severity = match event.kind {
        Some("error") => (17, "ERROR"),
        Some("warning") => (13, "WARN"),
        _ => (9, "INFO"),
    };
    let mut log = record(&event.about, severity, now);
    log.event_name = "statsd.event".to_owned();
    log.body = event.text.replace("\\n", "\n").into();
    log.attributes.set("event.title", event.title);
    for (name, text) in [
        ("event.kind", event.kind),
        ("event.priority", event.priority),
        ("event.aggregation_key", event.key),
        ("event.source", event.source),
    ] {
        if let Some(text) = text {
            log.attributes.set(name, text);
        }
    }
    log
}

/// A service check as a log record.
pub(super) fn check(check: &Check<'_>, now: UnixNanos) -> LogRecord {
    let (severity, status) = match check.status {
        0 => ((9, "INFO"), "ok"),
        1 => ((13, "WARN"), "warning"),
        2 => ((17, "ERROR"), "critical"),
        _ => ((13, "WARN"), "unknown"),
    };
    let mut log = record(&check.about, severity, now);
    log.event_name = "statsd.service_check".to_owned();
    log.body = check.message.unwrap_or(check.name).into();
    log.attributes.set("service_check.name", check.name);
    log.attributes.set("service_check.status", status);
    log
}

fn record(about: &About<'_>, severity: (u8, &str), now: UnixNanos) -> LogRecord {
    let mut attributes = tags(about.tags.iter().copied());
    for (name, text) in [("host.name", about.host), ("container.id", about.container)] {
        if let Some(text) = text {
            attributes.set(name, text);
        }
    }
    LogRecord {
        time: about.time.unwrap_or(now),
        observed_time: now,
        severity_number: severity.0,
        severity_text: severity.1.to_owned(),
        body: throughline_telemetry::Value::Null,
        attributes,
        trace_id: None,
        span_id: None,
        event_name: String::new(),
        resource: Arc::new(Resource::default()),
        scope: Arc::new(Scope {
            name: SCOPE.to_owned(),
            version: String::new(),
        }),
    }
}

/// `key:value`; a tag without a value has an empty one.
fn tags<'a>(tags: impl Iterator<Item = &'a str>) -> Attributes {
    tags.map(|tag| tag.split_once(':').unwrap_or((tag, "")))
        .collect()
}

const DELTA: i32 = AggregationTemporality::Delta as i32;
const SCOPE: &str = "statsd";
