//! Metrics of invocations, and of the numbers in log lines.
//!
//! One point for one invocation, with delta temporality: nothing has to be remembered between
//! invocations, and an environment that ends owes nothing. Which invocation it was is said by the
//! point's exemplar and not by an attribute, which would make every invocation a series of its own.

use std::collections::{HashMap, HashSet};

use throughline_telemetry::wire::attributes_to_otlp;
use throughline_telemetry::wire::otlp::{
    ExportMetricsServiceRequest,
    common::v1::InstrumentationScope,
    metrics::v1::{
        AggregationTemporality, Exemplar, ExponentialHistogram, Gauge, Histogram,
        HistogramDataPoint, Metric, NumberDataPoint, ResourceMetrics, ScopeMetrics, Sum, exemplar,
        metric::Data, number_data_point::Value as Number,
    },
    resource::v1::Resource as OtlpResource,
};
use throughline_telemetry::{Attributes, Resource, Scope, SpanId, TraceId, UnixNanos, Value};

use super::histogram;
use crate::ids;
use crate::line::Numbers;

/// What is measured of what, and when.
#[derive(Debug)]
pub(super) struct Point<'a> {
    pub(super) name: &'a str,
    pub(super) unit: &'a str,
    pub(super) numbers: Numbers,
    pub(super) attributes: Attributes,
}

/// The invocation that points belong to.
#[derive(Clone, Debug, Default)]
pub(super) struct Of {
    pub(super) start: UnixNanos,
    pub(super) time: UnixNanos,
    pub(super) trace: Option<(TraceId, SpanId)>,
    pub(super) request_id: Option<String>,
}

/// Points on their way into one request, by metric.
#[derive(Default)]
pub(super) struct Points {
    metrics: Vec<Metric>,
    places: HashMap<(String, String, Kind), usize>,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    Sum,
    Gauge,
    Exponential,
    Summary,
}

impl Points {
    pub(super) fn add(&mut self, point: Point<'_>, of: &Of) {
        let Some((kind, data)) = data(&point, of) else {
            return;
        };
        let key = (point.name.to_owned(), point.unit.to_owned(), kind);
        let known = self
            .places
            .get(&key)
            .and_then(|at| self.metrics[*at].data.as_mut());
        match (known, data) {
            (Some(Data::Sum(known)), Data::Sum(more)) => known.data_points.extend(more.data_points),
            (Some(Data::Gauge(known)), Data::Gauge(more)) => {
                known.data_points.extend(more.data_points)
            }
            (Some(Data::ExponentialHistogram(known)), Data::ExponentialHistogram(more)) => {
                known.data_points.extend(more.data_points);
            }
            (Some(Data::Histogram(known)), Data::Histogram(more)) => {
                known.data_points.extend(more.data_points)
            }
            (_, data) => {
                self.metrics.push(Metric {
                    name: point.name.to_owned(),
                    unit: point.unit.to_owned(),
                    data: Some(data),
                    ..Default::default()
                });
                self.places.insert(key, self.metrics.len() - 1);
            }
        }
    }

    pub(super) fn into_request(
        self,
        resource: &Resource,
        scope: &Scope,
    ) -> ExportMetricsServiceRequest {
        if self.metrics.is_empty() {
            return ExportMetricsServiceRequest::default();
        }
        let scope_metrics = vec![ScopeMetrics {
            scope: Some(InstrumentationScope {
                name: scope.name.clone(),
                version: scope.version.clone(),
                ..Default::default()
            }),
            metrics: self.metrics,
            ..Default::default()
        }];
        let resource = OtlpResource {
            attributes: attributes_to_otlp(&resource.attributes),
            ..Default::default()
        };
        let resource_metrics = vec![ResourceMetrics {
            resource: Some(resource),
            scope_metrics,
            ..Default::default()
        }];
        ExportMetricsServiceRequest { resource_metrics }
    }
}

/// The series that log lines have made, of which there may be only so many: a dimension with an
/// order's number in it would otherwise make one for every order.
#[derive(Debug, Default)]
pub(super) struct Series(HashSet<u64>);

impl Series {
    /// Whether there is room for this one, or it is known.
    pub(super) fn admits(&mut self, name: &str, attributes: &Attributes) -> bool {
        let attributes = serde_json::to_string(attributes).unwrap_or_default();
        let series = ids::hash(&[name, &attributes]);
        self.0.contains(&series) || (self.0.len() < SERIES_MAX && self.0.insert(series))
    }
}

fn data(point: &Point<'_>, of: &Of) -> Option<(Kind, Data)> {
    let attributes = attributes_to_otlp(&point.attributes);
    let (start, time) = (of.start.min(of.time).0, of.time.0);
    let delta = AggregationTemporality::Delta as i32;
    let number = |value: f64, start_time_unix_nano| NumberDataPoint {
        attributes: attributes.clone(),
        start_time_unix_nano,
        time_unix_nano: time,
        exemplars: exemplars(of, value),
        value: Some(whole(value).map_or(Number::AsDouble(value), Number::AsInt)),
        ..Default::default()
    };
    Some(match &point.numbers {
        Numbers::Count(value) => (
            Kind::Sum,
            Data::Sum(Sum {
                data_points: vec![number(*value, start)],
                aggregation_temporality: delta,
                is_monotonic: true,
            }),
        ),
        Numbers::Gauge(value) => (
            Kind::Gauge,
            Data::Gauge(Gauge {
                data_points: vec![number(*value, 0)],
            }),
        ),
        Numbers::Values(values) => {
            let mut made = histogram::of_values(values)?;
            let greatest = made.max.unwrap_or_default();
            made.attributes = attributes;
            made.start_time_unix_nano = start;
            made.time_unix_nano = time;
            made.exemplars = exemplars(of, greatest);
            let data = ExponentialHistogram {
                data_points: vec![made],
                aggregation_temporality: delta,
            };
            (Kind::Exponential, Data::ExponentialHistogram(data))
        }
        // Nothing is known of how they are spread: one bucket for all.
        Numbers::Summary {
            count,
            sum,
            min,
            max,
        } => {
            let made = HistogramDataPoint {
                attributes,
                start_time_unix_nano: start,
                time_unix_nano: time,
                count: *count,
                sum: Some(*sum),
                min: Some(*min),
                max: Some(*max),
                bucket_counts: vec![*count],
                exemplars: exemplars(of, *max),
                ..Default::default()
            };
            let data = Histogram {
                data_points: vec![made],
                aggregation_temporality: delta,
            };
            (Kind::Summary, Data::Histogram(data))
        }
    })
}

/// One, which leads from the point to its invocation.
fn exemplars(of: &Of, value: f64) -> Vec<Exemplar> {
    if of.trace.is_none() && of.request_id.is_none() {
        return Vec::new();
    }
    let id = of
        .request_id
        .as_deref()
        .map(|id| ("faas.invocation_id", Value::from(id)));
    let (trace_id, span_id) = of.trace.map_or_else(Default::default, |(trace, span)| {
        (trace.as_bytes().to_vec(), span.as_bytes().to_vec())
    });
    vec![Exemplar {
        filtered_attributes: attributes_to_otlp(&id.into_iter().collect()),
        time_unix_nano: of.time.0,
        span_id,
        trace_id,
        value: Some(exemplar::Value::AsDouble(value)),
    }]
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "it was checked to be a small whole number"
)]
fn whole(value: f64) -> Option<i64> {
    (value.fract() == 0.0 && value.abs() < 1e15).then_some(value as i64)
}

/// Series that the log lines of one environment may make.
const SERIES_MAX: usize = 1000;
