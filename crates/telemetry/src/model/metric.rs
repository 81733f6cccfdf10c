//! Metric data points.

use std::sync::Arc;

use super::{Attributes, Resource, Scope, UnixNanos};

/// One data point of one metric.
#[derive(Clone, Debug, PartialEq)]
pub struct MetricPoint {
    /// Name of the metric.
    pub name: String,
    /// Unit, in UCUM notation.
    pub unit: String,
    /// What the numbers mean.
    pub kind: MetricKind,
    /// When it was measured.
    pub time: UnixNanos,
    /// Since when a sum or histogram counts, or zero.
    pub start: UnixNanos,
    /// Dimensions.
    pub attributes: Attributes,
    /// The number of a gauge or sum; the sum of all others.
    pub value: f64,
    /// How many measurements a histogram or summary holds; 1 for gauges and sums.
    pub count: u64,
    /// The whole OTLP `Metric` with only this point, as protobuf, so that nothing is lost.
    pub otlp: Vec<u8>,
    /// Who emitted it.
    pub resource: Arc<Resource>,
    /// Which library made it.
    pub scope: Arc<Scope>,
}

/// The kinds of metric in OTLP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum MetricKind {
    /// A value at one moment.
    Gauge = 1,
    /// A sum.
    Sum = 2,
    /// Counts in explicit buckets.
    Histogram = 3,
    /// Counts in exponential buckets.
    ExponentialHistogram = 4,
    /// Quantiles computed by the sender.
    Summary = 5,
}

impl MetricKind {
    /// The kind of a stored number.
    pub fn from_number(number: u8) -> Option<Self> {
        Some(match number {
            1 => MetricKind::Gauge,
            2 => MetricKind::Sum,
            3 => MetricKind::Histogram,
            4 => MetricKind::ExponentialHistogram,
            5 => MetricKind::Summary,
            _ => return None,
        })
    }
}
