//! The points of one group and one step.

use std::collections::BTreeMap;

use throughline_telemetry::MetricPoint;
use throughline_telemetry::model::MetricKind;
use throughline_telemetry::wire::Bucket;

use super::{Growth, LineCalculation, LineQuery};

/// What is known of one group in one step.
#[derive(Clone, Debug, Default)]
pub(super) struct Cell {
    points: u64,
    /// Points of which it is known what they grew by.
    known: u64,
    /// What counters grew by.
    grown: f64,
    /// Measurements of histograms, and their sum.
    measured: u64,
    measured_sum: f64,
    /// Of the values of all else.
    total: f64,
    least: Option<f64>,
    greatest: Option<f64>,
    /// The last value of each series, added up.
    pub(super) last: f64,
    /// Measurements, by the end of their bucket and its beginning, in order.
    spread: BTreeMap<(i64, i64), (Bucket, u64)>,
}

impl Cell {
    pub(super) fn add(&mut self, point: &MetricPoint, grown: Option<&Growth>) {
        self.points += 1;
        if let Some(grown) = grown {
            self.known += 1;
            self.grow(point, grown);
        }
        if is_measured(point.kind) {
            return;
        }
        self.total += point.value;
        let (least, greatest) = (self.least, self.greatest);
        self.least = Some(least.map_or(point.value, |least| least.min(point.value)));
        let greatest = greatest.map_or(point.value, |most| most.max(point.value));
        self.greatest = Some(greatest);
        self.spread(Bucket {
            above: point.value,
            up_to: point.value,
            count: 1,
        });
    }

    fn grow(&mut self, point: &MetricPoint, grown: &Growth) {
        if is_measured(point.kind) {
            self.measured += grown.count;
            self.measured_sum += grown.value;
            grown.buckets.iter().for_each(|bucket| self.spread(*bucket));
        } else {
            self.grown += grown.value;
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.points == 0
    }

    #[allow(clippy::cast_precision_loss)] // a chart needs no more
    pub(super) fn value(&self, query: &LineQuery) -> Option<f64> {
        if self.is_empty() {
            return None;
        }
        let seconds = query.step_nanos as f64 / 1e9;
        let measures = self.least.is_none();
        let grows = matches!(
            query.calculation,
            LineCalculation::Rate | LineCalculation::Sum
        );
        if self.known == 0 && (grows || measures) {
            return None;
        }
        match query.calculation {
            LineCalculation::Rate if measures => Some(self.measured as f64 / seconds),
            LineCalculation::Rate => Some(self.grown / seconds),
            LineCalculation::Sum if measures => Some(self.measured_sum),
            LineCalculation::Sum => Some(self.grown),
            LineCalculation::Count if measures => Some(self.measured as f64),
            LineCalculation::Count => Some(self.points as f64),
            LineCalculation::Avg if measures => {
                (self.measured > 0).then(|| self.measured_sum / self.measured as f64)
            }
            LineCalculation::Avg => Some(self.total / self.points as f64),
            LineCalculation::Min if measures => self.percentile(0.0),
            LineCalculation::Min => self.least,
            LineCalculation::Max if measures => self.percentile(1.0),
            LineCalculation::Max => self.greatest,
            LineCalculation::Last => Some(self.last),
            LineCalculation::Percentile(part) => self.percentile(part),
        }
    }

    fn spread(&mut self, bucket: Bucket) {
        let place = (order(bucket.up_to), order(bucket.above));
        self.spread.entry(place).or_insert((bucket, 0)).1 += bucket.count;
    }

    /// Measurements of a bucket are taken to lie evenly in it.
    #[allow(clippy::cast_precision_loss)] // a chart needs no more
    fn percentile(&self, part: f64) -> Option<f64> {
        let all: u64 = self.spread.values().map(|(_, count)| count).sum();
        let wanted = part.clamp(0.0, 1.0) * all as f64;
        let mut passed = 0.0;
        let mut value = None;
        for (bucket, count) in self.spread.values() {
            let count = *count as f64;
            let inside = ((wanted - passed) / count).clamp(0.0, 1.0);
            // Only one end of the first and of the last bucket may be known.
            value = Some(match (bucket.above.is_finite(), bucket.up_to.is_finite()) {
                (true, true) => bucket.above + (bucket.up_to - bucket.above) * inside,
                (true, false) => bucket.above,
                _ => bucket.up_to,
            });
            passed += count;
            if passed >= wanted {
                break;
            }
        }
        value.filter(|value| value.is_finite())
    }
}

/// Whether a point stands for many measurements.
fn is_measured(kind: MetricKind) -> bool {
    !matches!(kind, MetricKind::Gauge | MetricKind::Sum)
}

/// A number that is ordered as the double is.
fn order(number: f64) -> i64 {
    let bits = number.to_bits().cast_signed();
    bits ^ ((bits >> 63).cast_unsigned() >> 1).cast_signed()
}
