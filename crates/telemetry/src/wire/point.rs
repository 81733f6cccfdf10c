//! What a metric point says beyond its number: over which time, and how its measurements are spread.

use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::{
    AggregationTemporality, ExponentialHistogramDataPoint, HistogramDataPoint, Metric,
    exponential_histogram_data_point,
};
use prost::Message;

use super::WireError;
use crate::Signal;

/// What a point of a metric says beyond its number.
#[derive(Clone, Debug, PartialEq)]
pub struct PointDetail {
    /// Since when it counts.
    pub temporality: Temporality,
    /// Whether it never falls but when it begins anew.
    pub monotonic: bool,
    /// How its measurements are spread, if it says.
    pub buckets: Vec<Bucket>,
}

/// Since when a point counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Temporality {
    /// It counts nothing.
    None,
    /// Since the point before.
    Delta,
    /// Since its start.
    Cumulative,
}

/// So many measurements between two values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bucket {
    /// They are greater.
    pub above: f64,
    /// They are less or equal.
    pub up_to: f64,
    /// How many.
    pub count: u64,
}

impl PointDetail {
    /// Of the OTLP `Metric` with one point, as [`MetricPoint`](crate::MetricPoint) has it.
    pub fn read(otlp: &[u8]) -> Result<Self, WireError> {
        let metric = Metric::decode(otlp).map_err(|source| WireError::Protobuf {
            signal: Signal::Metrics,
            source,
        })?;
        let plain = |temporality, monotonic| PointDetail {
            temporality,
            monotonic,
            buckets: Vec::new(),
        };
        Ok(match metric.data {
            None | Some(Data::Gauge(_) | Data::Summary(_)) => plain(Temporality::None, false),
            Some(Data::Sum(sum)) => {
                plain(temporality(sum.aggregation_temporality), sum.is_monotonic)
            }
            Some(Data::Histogram(histogram)) => PointDetail {
                buckets: histogram
                    .data_points
                    .first()
                    .map(explicit)
                    .unwrap_or_default(),
                ..plain(temporality(histogram.aggregation_temporality), true)
            },
            Some(Data::ExponentialHistogram(histogram)) => PointDetail {
                buckets: histogram
                    .data_points
                    .first()
                    .map(exponential)
                    .unwrap_or_default(),
                ..plain(temporality(histogram.aggregation_temporality), true)
            },
        })
    }
}

fn temporality(number: i32) -> Temporality {
    match AggregationTemporality::try_from(number) {
        Ok(AggregationTemporality::Delta) => Temporality::Delta,
        Ok(AggregationTemporality::Cumulative) => Temporality::Cumulative,
        _ => Temporality::None,
    }
}

/// The first bucket begins at the least measurement, the last one ends at the greatest, if they are known.
fn explicit(point: &HistogramDataPoint) -> Vec<Bucket> {
    let bounds = &point.explicit_bounds;
    let counts = point.bucket_counts.iter().enumerate();
    let buckets = counts.map(|(place, count)| {
        let below = place.checked_sub(1).and_then(|place| bounds.get(place));
        Bucket {
            above: below.copied().unwrap_or(f64::NEG_INFINITY),
            up_to: bounds.get(place).copied().unwrap_or(f64::INFINITY),
            count: *count,
        }
    });
    buckets.filter(|bucket| bucket.count > 0).collect()
}

fn exponential(point: &ExponentialHistogramDataPoint) -> Vec<Bucket> {
    let base = 2_f64.powf(2_f64.powi(-point.scale.clamp(-20, 40)));
    let side = |buckets: &Option<exponential_histogram_data_point::Buckets>, sign: f64| {
        let (offset, counts) = match buckets {
            None => (0, &[][..]),
            Some(buckets) => (buckets.offset, buckets.bucket_counts.as_slice()),
        };
        let places = (i64::from(offset)..).zip(counts);
        let buckets = places.map(|(place, count)| {
            #[allow(clippy::cast_precision_loss)] // far below 2^53
            let (inner, outer) = (base.powf(place as f64), base.powf((place + 1) as f64));
            let (above, up_to) = match sign > 0.0 {
                true => (inner, outer),
                false => (-outer, -inner),
            };
            Bucket {
                above,
                up_to,
                count: *count,
            }
        });
        buckets
            .filter(|bucket| bucket.count > 0)
            .collect::<Vec<_>>()
    };
    let mut buckets = side(&point.negative, -1.0);
    if point.zero_count > 0 {
        buckets.push(Bucket {
            above: -point.zero_threshold,
            up_to: point.zero_threshold,
            count: point.zero_count,
        });
    }
    buckets.extend(side(&point.positive, 1.0));
    buckets
}
