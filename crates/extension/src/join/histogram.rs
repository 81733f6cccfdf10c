//! Many values as one point: an exponential histogram, which needs no buckets chosen beforehand and
//! takes few bytes for a single value.

use throughline_telemetry::wire::otlp::metrics::v1::{
    ExponentialHistogramDataPoint, exponential_histogram_data_point::Buckets,
};

/// The histogram of these values, without times and attributes. `None` if none of them is a number.
pub(super) fn of_values(values: &[f64]) -> Option<ExponentialHistogramDataPoint> {
    let values: Vec<f64> = values
        .iter()
        .copied()
        .filter(|value| value.is_finite())
        .collect();
    let least = values.iter().copied().reduce(f64::min)?;
    let greatest = values.iter().copied().reduce(f64::max)?;
    let magnitudes = |sign: f64| -> Vec<f64> {
        let signed = values.iter().map(|value| value * sign);
        signed.filter(|value| *value >= ZERO_BELOW).collect()
    };
    let (positive, negative) = (magnitudes(1.0), magnitudes(-1.0));
    let scale = scale_for(&positive).min(scale_for(&negative));
    let zeros = values.len() - positive.len() - negative.len();
    Some(ExponentialHistogramDataPoint {
        count: values.len() as u64,
        sum: Some(values.iter().sum()),
        min: Some(least),
        max: Some(greatest),
        scale,
        zero_count: zeros as u64,
        positive: buckets(&positive, scale),
        negative: buckets(&negative, scale),
        ..Default::default()
    })
}

/// The finest scale at which the values need no more than [`BUCKETS_MAX`] buckets.
fn scale_for(values: &[f64]) -> i32 {
    let fits = |scale: &i32| {
        let indexes = values.iter().map(|value| index(*value, *scale));
        let (least, greatest) = indexes.fold((i32::MAX, i32::MIN), |(least, greatest), at| {
            (least.min(at), greatest.max(at))
        });
        i64::from(greatest) - i64::from(least) < BUCKETS_MAX
    };
    (SCALE_MIN..=SCALE_MAX)
        .rev()
        .find(fits)
        .unwrap_or(SCALE_MIN)
}

fn buckets(values: &[f64], scale: i32) -> Option<Buckets> {
    let indexes: Vec<i32> = values.iter().map(|value| index(*value, scale)).collect();
    let offset = indexes.iter().copied().min()?;
    let mut bucket_counts = Vec::new();
    for at in indexes {
        let at = usize::try_from(at - offset).unwrap_or(0);
        if bucket_counts.len() <= at {
            bucket_counts.resize(at + 1, 0);
        }
        bucket_counts[at] += 1;
    }
    Some(Buckets {
        offset,
        bucket_counts,
    })
}

/// Bucket `n` holds what is above `base^n` and at most `base^(n+1)`, with `base` being `2^(2^-scale)`.
#[expect(
    clippy::cast_possible_truncation,
    reason = "a logarithm of a double is at most 1100, and a scale at most 5"
)]
fn index(value: f64, scale: i32) -> i32 {
    (value.log2() * f64::from(scale).exp2()).ceil() as i32 - 1
}

/// Two percent wide: what one invocation says fits into a bucket, and merging rarely needs a coarser
/// scale.
const SCALE_MAX: i32 = 5;
/// All doubles fit into 160 buckets here.
const SCALE_MIN: i32 = -4;
const BUCKETS_MAX: i64 = 160;
/// Smaller ones count as zero.
const ZERO_BELOW: f64 = 1e-12;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_become_buckets() {
        assert_eq!(of_values(&[]), None);
        assert_eq!(of_values(&[f64::NAN, f64::INFINITY]), None);
        for (values, scale, zeros, positive, negative) in [
            (vec![1.0], 5, 0, Some((-1, vec![1])), None),
            (vec![2.0, 2.0], 5, 0, Some((31, vec![2])), None),
            (vec![0.0, 1e-13, -0.5], 5, 2, None, Some((-33, vec![1]))),
            (
                vec![1.0, 1024.0],
                3,
                0,
                Some((-1, [vec![1], vec![0; 79], vec![1]].concat())),
                None,
            ),
        ] {
            let point = of_values(&values).unwrap();
            assert_eq!(point.count, values.len() as u64, "{values:?}");
            assert_eq!(
                (point.scale, point.zero_count),
                (scale, zeros),
                "{values:?}"
            );
            for (buckets, expected) in [(&point.positive, positive), (&point.negative, negative)] {
                let shown = buckets
                    .as_ref()
                    .map(|of| (of.offset, of.bucket_counts.clone()));
                assert_eq!(shown, expected, "{values:?}");
            }
        }
    }

    #[test]
    fn any_values_fit() {
        let all = [
            f64::MIN_POSITIVE,
            1e-300,
            1e-11,
            1.0,
            7.5,
            1e300,
            f64::MAX,
            -f64::MAX,
            -3.0,
        ];
        let point = of_values(&all).unwrap();
        let counts = |buckets: &Option<Buckets>| {
            let buckets = buckets.as_ref().unwrap();
            assert!(buckets.bucket_counts.len() <= 160);
            buckets.bucket_counts.iter().sum::<u64>()
        };
        let in_buckets = counts(&point.positive) + counts(&point.negative);
        assert_eq!(in_buckets + point.zero_count, point.count);
        assert_eq!((point.min, point.max), (Some(-f64::MAX), Some(f64::MAX)));
    }
}
