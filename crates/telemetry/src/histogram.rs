//! How durations are distributed, in buckets whose bounds grow by a fixed factor.
//!
//! Each doubling has [`BUCKETS_A_DOUBLING`] buckets: a value is known to 1.1 %, whatever it is. The
//! bounds never change, so histograms are merged by adding their counts, in any order.
//!
//! As bytes a histogram is a list of six bytes each, little-endian: the bucket (`u16`) and how many
//! values it has (`u32`). Bucket 0 has what is not above zero, bucket `n` what is above
//! `2^((n - 641) / 32)` milliseconds and at most `2^((n - 640) / 32)`.

/// Values counted by their buckets. Takes as much room as there are buckets with a value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Histogram(Vec<(u16, u32)>);

impl Histogram {
    /// Counts a duration in milliseconds.
    pub fn record(&mut self, millis: f64) {
        let bucket = bucket_of(millis);
        match self.0.binary_search_by_key(&bucket, |(bucket, _)| *bucket) {
            Ok(at) => self.0[at].1 = self.0[at].1.saturating_add(1),
            Err(at) => self.0.insert(at, (bucket, 1)),
        }
    }

    /// Adds what another one counted.
    pub fn merge(&mut self, other: &Histogram) {
        let mut merged = Vec::with_capacity(self.0.len() + other.0.len());
        let (mut ours, mut theirs) = (self.0.iter().peekable(), other.0.iter().peekable());
        loop {
            let next = [ours.peek(), theirs.peek()].into_iter().flatten();
            let Some(bucket) = next.map(|(bucket, _)| *bucket).min() else {
                break;
            };
            let is_it = |pair: &&(u16, u32)| pair.0 == bucket;
            let counts = [ours.next_if(is_it), theirs.next_if(is_it)];
            let counts = counts.into_iter().flatten().map(|(_, count)| *count);
            merged.push((bucket, counts.fold(0, u32::saturating_add)));
        }
        self.0 = merged;
    }

    /// What [`to_bytes`](Self::to_bytes) made. What is no whole pair at the end is left out.
    pub fn from_bytes(bytes: &[u8]) -> Histogram {
        Histogram(pairs(bytes).collect())
    }

    /// The bytes, in the order of the buckets.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.0.len() * PAIR_BYTES);
        for (bucket, count) in &self.0 {
            push(&mut bytes, *bucket, *count);
        }
        bytes
    }
}

/// The sum of histograms, quick to add to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HistogramSum {
    /// The bucket that is counted first.
    first: u16,
    counts: Vec<u64>,
}

impl HistogramSum {
    /// Adds a histogram as bytes. What is no whole pair at the end is left out.
    pub fn add(&mut self, bytes: &[u8]) {
        let mut pairs = pairs(bytes).map(|(bucket, count)| (bucket, u64::from(count)));
        let (Some((low, count)), last) = (pairs.next(), bytes.chunks_exact(PAIR_BYTES).last())
        else {
            return;
        };
        // Room for all of them at once: they come in order.
        self.reserve(low);
        if let Some(last) = last {
            self.reserve(u16::from_le_bytes([last[0], last[1]]).min(BUCKET_MAX));
        }
        self.count(low, count);
        pairs.for_each(|(bucket, count)| self.count(bucket, count));
    }

    /// How many values there are.
    pub fn total(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// The value in milliseconds that this percentage of the values is at or below, to 1.1 %. Between
    /// the two values that it falls between, in proportion. None without values.
    #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation)]
    #[allow(clippy::cast_sign_loss)] // ranks are within the total
    pub fn percentile(&self, percent: f64) -> Option<f64> {
        let last = self.total().checked_sub(1)?;
        let rank = (percent.clamp(0.0, 100.0) / 100.0) * last as f64;
        let below = (rank.floor() as u64).min(last);
        let low = self.value_at(below);
        let high = self.value_at((below + 1).min(last));
        Some(low + (rank - below as f64).clamp(0.0, 1.0) * (high - low))
    }

    /// As bytes of a [`Histogram`].
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (bucket, count) in (self.first..).zip(&self.counts) {
            let mut left = *count;
            while left > 0 {
                let count = u32::try_from(left).unwrap_or(u32::MAX);
                push(&mut bytes, bucket, count);
                left -= u64::from(count);
            }
        }
        bytes
    }

    /// What it takes in memory, without itself.
    pub fn memory_bytes(&self) -> usize {
        self.counts.capacity() * size_of::<u64>()
    }

    /// The value of this rank, counted from 0.
    fn value_at(&self, rank: u64) -> f64 {
        let mut seen = 0;
        let found = (self.first..).zip(&self.counts).find(|(_, count)| {
            seen += **count;
            seen > rank
        });
        found.map_or(0.0, |(bucket, _)| middle_of(bucket))
    }

    fn count(&mut self, bucket: u16, count: u64) {
        self.reserve(bucket);
        self.counts[usize::from(bucket - self.first)] += count;
    }

    fn reserve(&mut self, bucket: u16) {
        if self.counts.is_empty() {
            self.first = bucket;
        }
        if bucket < self.first {
            let more = usize::from(self.first - bucket);
            self.counts.splice(..0, std::iter::repeat_n(0, more));
            self.first = bucket;
        }
        let needed = usize::from(bucket - self.first) + 1;
        if needed > self.counts.len() {
            self.counts.resize(needed, 0);
        }
    }
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // clamped before
fn bucket_of(millis: f64) -> u16 {
    if millis > 0.0 {
        let bucket = (millis.log2() * BUCKETS_A_DOUBLING).ceil() + ONE_MILLISECOND;
        bucket.clamp(1.0, f64::from(BUCKET_MAX)) as u16
    } else {
        0
    }
}

/// The value that is at most 1.1 % from each of a bucket.
fn middle_of(bucket: u16) -> f64 {
    match bucket {
        0 => 0.0,
        bucket => ((f64::from(bucket) - ONE_MILLISECOND - 0.5) / BUCKETS_A_DOUBLING).exp2(),
    }
}

fn pairs(bytes: &[u8]) -> impl Iterator<Item = (u16, u32)> {
    bytes.chunks_exact(PAIR_BYTES).map(|pair| {
        let bucket = u16::from_le_bytes([pair[0], pair[1]]);
        let count = u32::from_le_bytes([pair[2], pair[3], pair[4], pair[5]]);
        (bucket.min(BUCKET_MAX), count)
    })
}

fn push(bytes: &mut Vec<u8>, bucket: u16, count: u32) {
    bytes.extend_from_slice(&bucket.to_le_bytes());
    bytes.extend_from_slice(&count.to_le_bytes());
}

/// Buckets from one value to twice as much.
const BUCKETS_A_DOUBLING: f64 = 32.0;

/// The bucket whose upper bound is a millisecond. A nanosecond is in bucket 3.
const ONE_MILLISECOND: f64 = 640.0;

/// What 64 bits of nanoseconds can be is in buckets up to 2051.
const BUCKET_MAX: u16 = 2079;

const PAIR_BYTES: usize = 6;

#[cfg(test)]
mod tests {
    use super::*;

    fn sum_of(values: &[f64]) -> HistogramSum {
        let mut sum = HistogramSum::default();
        for values in values.chunks(3) {
            let mut histogram = Histogram::default();
            values.iter().for_each(|value| histogram.record(*value));
            sum.add(&histogram.to_bytes());
        }
        sum
    }

    #[track_caller]
    fn check(values: &[f64], percent: f64, expect: f64) {
        let found = sum_of(values).percentile(percent).unwrap();
        assert!(
            (found - expect).abs() <= expect.abs() * 0.011,
            "P{percent} is {found}, not {expect}"
        );
    }

    #[test]
    fn percentiles_are_those_of_the_values() {
        check(&[5.0], 50.0, 5.0);
        check(&[1.0, 3.0], 50.0, 2.0);
        check(&[0.000_001, 1e9, 12.0], 50.0, 12.0);
        check(&[0.000_001, 1e9, 12.0], 0.0, 0.000_001);
        check(&[0.000_001, 1e9, 12.0], 100.0, 1e9);
        check(&[0.0, -3.0], 99.0, 0.0);
        let many: Vec<f64> = (1..=1000).rev().map(f64::from).collect();
        check(&many, 99.0, 990.01);
        check(&many, 99.9, 999.0);
        assert_eq!(sum_of(&[]).percentile(50.0), None);
    }

    #[test]
    fn histograms_merge_to_that_of_all_values() {
        let of = |values: &[f64]| {
            let mut histogram = Histogram::default();
            values.iter().for_each(|value| histogram.record(*value));
            histogram
        };
        let (one, other) = ([5.0, 0.1, 900.0], [5.0, 7.0, 1e9, 0.0]);
        for (a, b) in [
            (&one[..], &other[..]),
            (&other, &one),
            (&one, &[]),
            (&[], &one),
        ] {
            let mut merged = of(a);
            merged.merge(&of(b));
            assert_eq!(merged, of(&[a, b].concat()));
        }
    }

    #[test]
    fn sums_can_be_added_in_any_order() {
        let (a, b) = (sum_of(&[900.0, 1.0, 7.0]), sum_of(&[0.02, 7.0]));
        let (mut ab, mut ba) = (a.clone(), b.clone());
        ab.add(&b.to_bytes());
        ba.add(&a.to_bytes());
        assert_eq!(ab, ba);
        assert_eq!(ab.total(), 5);
        ab.add(&[1, 2, 3]);
        assert_eq!(ab.total(), 5, "what is no histogram counts nothing");
    }

    #[test]
    fn counts_of_more_than_four_thousand_million_stay() {
        let mut sum = HistogramSum::default();
        sum.count(7, u64::from(u32::MAX) + 5);
        let mut again = HistogramSum::default();
        again.add(&sum.to_bytes());
        assert_eq!(again, sum);
    }

    #[test]
    fn the_longest_and_the_shortest_have_a_bucket() {
        assert_eq!(bucket_of(1e-6), 3);
        assert!(bucket_of(u64::MAX as f64 / 1e6) < BUCKET_MAX);
        assert_eq!(bucket_of(f64::INFINITY), BUCKET_MAX);
        assert_eq!(bucket_of(f64::NAN), 0);
    }
}
