//! What the rules ask of a histogram of durations, read from its bytes.

use throughline_telemetry::HistogramSum;

/// Adds all values of another.
pub(super) fn merge(into: &mut HistogramSum, other: &HistogramSum) {
    into.add(&other.to_bytes());
}

/// How many values are certainly above this one: those of the buckets that begin there or later.
pub(super) fn count_above(durations: &HistogramSum, millis: f64) -> u64 {
    let bytes = durations.to_bytes();
    let pairs = bytes.chunks_exact(6).map(|pair| {
        let bucket = u16::from_le_bytes([pair[0], pair[1]]);
        let count = u32::from_le_bytes([pair[2], pair[3], pair[4], pair[5]]);
        (bucket, u64::from(count))
    });
    let above = pairs.filter(|(bucket, _)| least_of(*bucket) >= millis);
    above.map(|(_, count)| count).sum()
}

/// The value in milliseconds of this rank, from the least one, which has rank 0; to 1.1 %. The greatest if there are
/// not so many, 0 if there are none.
#[allow(clippy::cast_precision_loss)] // ranks of an hour
pub(super) fn ranked(durations: &HistogramSum, rank: u64) -> f64 {
    let last = durations.total().saturating_sub(1).max(1);
    let percent = 100.0 * rank.min(last) as f64 / last as f64;
    durations.percentile(percent).unwrap_or(0.0)
}

/// What all values of a bucket are above, as the histogram's own documentation says.
fn least_of(bucket: u16) -> f64 {
    match bucket {
        0 => f64::NEG_INFINITY,
        bucket => ((f64::from(bucket) - 641.0) / 32.0).exp2(),
    }
}

#[cfg(test)]
mod tests {
    use throughline_telemetry::Histogram;

    use super::*;

    fn of(values: &[f64]) -> HistogramSum {
        let mut histogram = Histogram::default();
        values.iter().for_each(|value| histogram.record(*value));
        let mut sum = HistogramSum::default();
        sum.add(&histogram.to_bytes());
        sum
    }

    #[test]
    fn values_are_counted_and_ranked() {
        let mut both = of(&[900.0, 1.0, 7.0]);
        merge(&mut both, &of(&[0.02, 7.0, 1e5]));
        assert_eq!(both, of(&[900.0, 1.0, 7.0, 0.02, 7.0, 1e5]));
        assert_eq!((count_above(&both, 7.0), count_above(&both, 6.0)), (2, 4));
        assert_eq!((count_above(&both, 1e6), count_above(&both, 0.0)), (0, 6));
        assert!((ranked(&both, 2) - 7.0).abs() < 0.1);
        assert!((ranked(&both, 99) - 1e5).abs() < 1.2e3);
        assert_eq!(ranked(&of(&[]), 3), 0.0);
        assert!((ranked(&of(&[5.0]), 0) - 5.0).abs() < 0.1);
    }
}
