//! How long something took, counted in classes.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The longest time of each class but the last, which has everything longer. An fdatasync takes from
/// less than a millisecond to some tens of them.
const BOUNDS_MILLIS: [f64; CLASSES - 1] = [
    0.5, 1.0, 2.5, 5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 500.0, 1000.0, 2500.0, 5000.0, 10_000.0,
];

const CLASSES: usize = 15;

/// How often something took how long.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Latency {
    counts: [u64; CLASSES],
    /// All of it together.
    pub sum: Duration,
}

impl Latency {
    /// How often it was measured.
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// How often it took no longer than each bound, in seconds.
    pub fn up_to(&self) -> impl Iterator<Item = (f64, u64)> + '_ {
        let mut sum = 0;
        BOUNDS_MILLIS
            .iter()
            .zip(&self.counts)
            .map(move |(bound, count)| {
                sum += count;
                (bound / 1000.0, sum)
            })
    }

    /// How long it took at most in this part of all cases, which is exact to its class. None if it was
    /// never measured.
    pub fn quantile_millis(&self, part: f64) -> Option<f64> {
        let wanted = part * self.count() as f64;
        let (mut below, mut from) = (0.0, 0.0);
        for (to, count) in BOUNDS_MILLIS.iter().zip(&self.counts) {
            let here = *count as f64;
            if here > 0.0 && below + here >= wanted {
                return Some(from + (to - from) * ((wanted - below) / here).clamp(0.0, 1.0));
            }
            (below, from) = (below + here, *to);
        }
        (self.count() > 0).then_some(from)
    }
}

/// Counts.
#[derive(Debug, Default)]
pub(crate) struct Histogram {
    counts: [AtomicU64; CLASSES],
    sum_nanos: AtomicU64,
}

impl Histogram {
    pub(crate) fn add(&self, took: Duration) {
        let millis = took.as_secs_f64() * 1000.0;
        let class = BOUNDS_MILLIS.partition_point(|bound| *bound < millis);
        self.counts[class].fetch_add(1, Ordering::Relaxed);
        let nanos = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        self.sum_nanos.fetch_add(nanos, Ordering::Relaxed);
    }

    pub(crate) fn read(&self) -> Latency {
        Latency {
            counts: std::array::from_fn(|class| self.counts[class].load(Ordering::Relaxed)),
            sum: Duration::from_nanos(self.sum_nanos.load(Ordering::Relaxed)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_exact_to_their_class() {
        let histogram = Histogram::default();
        assert_eq!(histogram.read().quantile_millis(0.5), None);
        for millis in 1..=100 {
            histogram.add(Duration::from_millis(millis));
        }
        let read = histogram.read();
        assert_eq!((read.count(), read.sum), (100, Duration::from_millis(5050)));
        assert_eq!(read.quantile_millis(0.5), Some(50.0));
        assert_eq!(read.quantile_millis(0.99), Some(99.0));
        assert_eq!(read.quantile_millis(1.0), Some(100.0));
        assert_eq!(read.up_to().nth(4), Some((0.01, 10)));
        histogram.add(Duration::from_secs(60));
        assert_eq!(histogram.read().quantile_millis(1.0), Some(10_000.0));
        assert_eq!(histogram.read().up_to().last(), Some((10.0, 100)));
    }
}
