//! An exponential histogram: values in buckets whose bounds grow by a constant factor, fine at
//! first and coarser when the values need more room.

use std::collections::BTreeMap;

/// Values, each with how many times it counts.
#[derive(Clone, Debug)]
pub(super) struct Sketch {
    /// Bounds grow by 2^(2^-scale).
    scale: i32,
    positive: BTreeMap<i32, f64>,
    negative: BTreeMap<i32, f64>,
    zeros: f64,
    sum: f64,
    min: f64,
    max: f64,
}

/// The buckets of one sign: the index of the first, and the counts from there on.
pub(super) type Buckets = (i32, Vec<u64>);

/// A sketch with whole counts.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Rounded {
    pub(super) scale: i32,
    pub(super) positive: Buckets,
    pub(super) negative: Buckets,
    pub(super) zeros: u64,
    pub(super) count: u64,
    pub(super) sum: f64,
    pub(super) min: f64,
    pub(super) max: f64,
}

impl Default for Sketch {
    fn default() -> Self {
        Sketch {
            scale: SCALE_MAX,
            positive: BTreeMap::new(),
            negative: BTreeMap::new(),
            zeros: 0.0,
            sum: 0.0,
            min: f64::INFINITY,
            max: f64::NEG_INFINITY,
        }
    }
}

impl Sketch {
    /// Adds a finite value that counts `weight` times, and says how many buckets are new.
    pub(super) fn add(&mut self, value: f64, weight: f64) -> usize {
        // Of two values at the end of the range the sum would be infinite, which nobody can read.
        self.sum = (self.sum + value * weight).clamp(f64::MIN, f64::MAX);
        self.min = self.min.min(value);
        self.max = self.max.max(value);
        if value == 0.0 {
            self.zeros += weight;
            return 0;
        }
        let index = index(value.abs(), self.scale);
        let buckets = match value > 0.0 {
            true => &mut self.positive,
            false => &mut self.negative,
        };
        let before = buckets.len();
        *buckets.entry(index).or_default() += weight;
        let new = buckets.len() - before;
        while is_too_wide(&self.positive) || is_too_wide(&self.negative) {
            self.coarsen();
        }
        new
    }

    /// Halves the resolution: two buckets become one.
    fn coarsen(&mut self) {
        self.scale -= 1;
        for buckets in [&mut self.positive, &mut self.negative] {
            for (index, weight) in std::mem::take(buckets) {
                *buckets.entry(index >> 1).or_default() += weight;
            }
        }
    }

    /// With whole counts. A value that came at all counts at least once.
    pub(super) fn rounded(&self) -> Rounded {
        let (positive, negative) = (rounded(&self.positive), rounded(&self.negative));
        let zeros = whole(self.zeros);
        let in_buckets = positive.1.iter().chain(&negative.1);
        let count = in_buckets.fold(zeros, |sum, count| sum.saturating_add(*count));
        Rounded {
            scale: self.scale,
            positive,
            negative,
            zeros,
            count,
            sum: self.sum,
            min: self.min,
            max: self.max,
        }
    }
}

fn is_too_wide(buckets: &BTreeMap<i32, f64>) -> bool {
    let (first, last) = (buckets.keys().next(), buckets.keys().next_back());
    first
        .zip(last)
        .is_some_and(|(first, last)| last - first >= BUCKETS_MAX)
}

fn rounded(buckets: &BTreeMap<i32, f64>) -> Buckets {
    let Some(offset) = buckets.keys().next().copied() else {
        return (0, Vec::new());
    };
    let mut counts = Vec::new();
    for (index, weight) in buckets {
        let at = usize::try_from(index - offset).unwrap_or_default();
        counts.resize(at, 0);
        counts.push(whole(*weight));
    }
    (offset, counts)
}

/// At least 1 of anything that is there, so that no bucket that was hit looks empty.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a weight is never negative, and `as` stops at the largest count"
)]
fn whole(weight: f64) -> u64 {
    match weight > 0.0 {
        true => (weight.round() as u64).max(1),
        false => 0,
    }
}

/// The bucket of a value: i where base^i < value <= base^(i+1).
#[expect(
    clippy::cast_possible_truncation,
    reason = "an exponent has eleven bits, and the scale is at most 6"
)]
fn index(value: f64, scale: i32) -> i32 {
    let value = value.max(f64::MIN_POSITIVE);
    let bits = value.to_bits();
    let exponent = ((bits >> MANTISSA_BITS) & 0x7ff) as i32 - EXPONENT_BIAS;
    let is_power_of_two = bits & ((1 << MANTISSA_BITS) - 1) == 0;
    match (scale > 0, is_power_of_two) {
        // Where the logarithm has no room for an error.
        (true, true) => (exponent << scale) - 1,
        (true, false) => {
            let lowest = exponent << scale;
            let highest = ((exponent + 1) << scale) - 1;
            let of_log = (value.log2() * f64::from(1 << scale)).ceil() as i32 - 1;
            of_log.clamp(lowest, highest)
        }
        (false, true) => (exponent - 1) >> -scale,
        (false, false) => exponent >> -scale,
    }
}

/// As many as OpenTelemetry's SDKs use.
const BUCKETS_MAX: i32 = 160;
/// Bounds 1.1 % apart: 160 buckets hold values up to five and a half times the smallest, and more
/// once they are coarser.
const SCALE_MAX: i32 = 6;
const MANTISSA_BITS: u32 = 52;
const EXPONENT_BIAS: i32 = 1023;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_lie_between_the_bounds_of_their_bucket() {
        for scale in [-3, -1, 0, 1, 3, SCALE_MAX] {
            let base = 2_f64.powf(2_f64.powi(-scale));
            let mut value = 1e-300;
            while value < 1e300 {
                let index = index(value, scale);
                let (lower, upper) = (base.powi(index), base.powi(index + 1));
                // The bounds themselves are only as exact as their power.
                let close = |bound: f64| (value / bound - 1.0).abs() < 1e-9;
                assert!(lower < value || close(lower), "{value} at {scale}");
                assert!(value <= upper || close(upper), "{value} at {scale}");
                value *= 1.37;
            }
        }
        assert_eq!(index(8.0, 0), 2, "bounds belong to the bucket below");
        assert_eq!(index(8.0, 1), 5);
        assert_eq!(index(f64::from_bits(1), 0), index(f64::MIN_POSITIVE, 0));
    }

    #[test]
    fn however_far_apart_there_are_few_buckets() {
        let mut sketch = Sketch::default();
        for value in [f64::MIN_POSITIVE, 1.0, f64::MAX, -1.0, f64::MIN, 0.0] {
            sketch.add(value, 1.0);
        }
        let rounded = sketch.rounded();
        assert!(rounded.positive.1.len() <= 160 && rounded.negative.1.len() <= 160);
        assert_eq!(rounded.count, 6);
        assert_eq!(rounded.zeros, 1);
        assert!(rounded.sum.is_finite());
        assert_eq!((rounded.min, rounded.max), (f64::MIN, f64::MAX));
    }

    #[test]
    fn coarser_buckets_are_those_of_the_coarser_scale() {
        let mut sketch = Sketch::default();
        let values: Vec<f64> = (1..200).map(|step| 1.1_f64.powi(step)).collect();
        values.iter().for_each(|value| {
            sketch.add(*value, 1.0);
        });
        assert!(sketch.scale < SCALE_MAX);
        let mut expected = BTreeMap::new();
        for value in values {
            *expected.entry(index(value, sketch.scale)).or_insert(0.0) += 1.0;
        }
        assert_eq!(sketch.positive, expected);
    }

    #[test]
    fn sampled_values_count_as_often_as_they_happened() {
        let mut sketch = Sketch::default();
        sketch.add(10.0, 1.0 / 0.3);
        sketch.add(10.0, 1.0 / 0.3);
        assert_eq!(sketch.rounded().count, 7);
        assert_eq!(sketch.rounded().sum.round(), 67.0);
    }
}
