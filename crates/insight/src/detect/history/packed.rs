//! What is remembered of minutes and hours, in as few bytes as it takes: there are some hundreds of each subject.

use serde::{Deserialize, Serialize};

use super::{Hour, QUANTILES};
use crate::detect::finding::Measure;
use crate::detect::subject::Counts;

/// Counts of a minute, or an hour.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(from = "Written")]
pub(super) struct PackedCounts {
    #[serde(skip_serializing_if = "is_none")]
    pub(super) count: u32,
    #[serde(skip_serializing_if = "is_none")]
    errors: u32,
    #[serde(skip_serializing_if = "is_none")]
    timeouts: u32,
    #[serde(skip_serializing_if = "is_none")]
    throttles: u32,
    #[serde(skip_serializing_if = "is_none")]
    cold_starts: u32,
    #[serde(skip_serializing_if = "is_none")]
    retries: u32,
    /// Bytes of a histogram, written as numbers of buckets, each with its count.
    #[serde(rename = "buckets", serialize_with = "write_buckets")]
    #[serde(skip_serializing_if = "is_none")]
    durations: Box<[u8]>,
    #[serde(skip_serializing_if = "is_none")]
    cost_usd: f64,
    #[serde(skip_serializing_if = "is_none")]
    billed_ms: f64,
    #[serde(skip_serializing_if = "is_none")]
    init_ms: f64,
    #[serde(skip_serializing_if = "is_none")]
    memory_bytes_max: u64,
}

/// An hour that is over.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct PackedHour {
    /// Counted from 1970.
    pub(super) at: u32,
    #[serde(default)]
    counts: PackedCounts,
    #[serde(default, skip_serializing_if = "is_none")]
    quantiles: [Option<PackedMeasure>; QUANTILES.len()],
    #[serde(default, skip_serializing_if = "is_none")]
    worst: [f32; QUANTILES.len()],
    #[serde(default, skip_serializing_if = "is_none")]
    worst_error_share: f32,
    #[serde(default, skip_serializing_if = "is_none")]
    worst_cold_share: f32,
    #[serde(default, skip_serializing_if = "is_none")]
    fewest: u32,
    #[serde(default, skip_serializing_if = "is_none")]
    pub(super) is_disturbed: bool,
}

/// To one in ten million: a histogram knows one in a hundred.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct PackedMeasure {
    value: f32,
    low: f32,
    high: f32,
    of: u32,
}

/// Counts as they are read: as they are written now, or were before, with all bytes of the histogram.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Written {
    count: u32,
    errors: u32,
    timeouts: u32,
    throttles: u32,
    cold_starts: u32,
    retries: u32,
    buckets: Vec<u32>,
    durations: Vec<u8>,
    cost_usd: f64,
    billed_ms: f64,
    init_ms: f64,
    memory_bytes_max: u64,
}

impl PackedCounts {
    pub(super) fn new(counts: &Counts) -> Self {
        PackedCounts {
            count: small(counts.count),
            errors: small(counts.errors),
            timeouts: small(counts.timeouts),
            throttles: small(counts.throttles),
            cold_starts: small(counts.cold_starts),
            retries: small(counts.retries),
            durations: counts.durations.to_bytes().into(),
            cost_usd: counts.cost_usd,
            billed_ms: counts.billed_ms,
            init_ms: counts.init_ms,
            memory_bytes_max: counts.memory_bytes_max,
        }
    }

    /// Adds them to others.
    pub(super) fn add_to(&self, sum: &mut Counts) {
        sum.count += u64::from(self.count);
        sum.errors += u64::from(self.errors);
        sum.timeouts += u64::from(self.timeouts);
        sum.throttles += u64::from(self.throttles);
        sum.cold_starts += u64::from(self.cold_starts);
        sum.retries += u64::from(self.retries);
        sum.durations.add(&self.durations);
        sum.cost_usd += self.cost_usd;
        sum.billed_ms += self.billed_ms;
        sum.init_ms += self.init_ms;
        sum.memory_bytes_max = sum.memory_bytes_max.max(self.memory_bytes_max);
    }

    pub(super) fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        self.add_to(&mut counts);
        counts
    }
}

#[allow(clippy::cast_possible_truncation)] // a part of ten million is nothing
impl PackedHour {
    pub(super) fn new(hour: &Hour) -> Self {
        PackedHour {
            at: small(hour.at),
            counts: PackedCounts::new(&hour.counts),
            quantiles: hour.quantiles.map(|known| {
                known.map(|known| PackedMeasure {
                    value: known.value as f32,
                    low: known.low as f32,
                    high: known.high as f32,
                    of: small(known.of),
                })
            }),
            worst: hour.worst.map(|worst| worst as f32),
            worst_error_share: hour.worst_error_share as f32,
            worst_cold_share: hour.worst_cold_share as f32,
            fewest: small(hour.fewest),
            is_disturbed: hour.is_disturbed,
        }
    }

    pub(super) fn count(&self) -> u64 {
        self.counts.count.into()
    }

    pub(super) fn hour(&self) -> Hour {
        Hour {
            at: self.at.into(),
            counts: self.counts.counts(),
            quantiles: self.quantiles.map(|known| {
                known.map(|known| Measure {
                    value: known.value.into(),
                    low: known.low.into(),
                    high: known.high.into(),
                    of: known.of.into(),
                    when: None,
                })
            }),
            worst: self.worst.map(f64::from),
            worst_error_share: self.worst_error_share.into(),
            worst_cold_share: self.worst_cold_share.into(),
            fewest: self.fewest.into(),
            is_disturbed: self.is_disturbed,
        }
    }
}

impl From<Written> for PackedCounts {
    fn from(written: Written) -> Self {
        let mut durations = written.durations;
        for pair in written.buckets.chunks_exact(2) {
            let bucket = u16::try_from(pair[0]).unwrap_or(u16::MAX);
            durations.extend_from_slice(&bucket.to_le_bytes());
            durations.extend_from_slice(&pair[1].to_le_bytes());
        }
        PackedCounts {
            count: written.count,
            errors: written.errors,
            timeouts: written.timeouts,
            throttles: written.throttles,
            cold_starts: written.cold_starts,
            retries: written.retries,
            durations: durations.into(),
            cost_usd: written.cost_usd,
            billed_ms: written.billed_ms,
            init_ms: written.init_ms,
            memory_bytes_max: written.memory_bytes_max,
        }
    }
}

fn write_buckets<S: serde::Serializer>(bytes: &[u8], to: S) -> Result<S::Ok, S::Error> {
    to.collect_seq(bytes.chunks_exact(6).flat_map(|pair| {
        let bucket = u16::from_le_bytes([pair[0], pair[1]]);
        let count = u32::from_le_bytes([pair[2], pair[3], pair[4], pair[5]]);
        [u32::from(bucket), count]
    }))
}

fn is_none<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// What nobody counts to within an hour.
fn small(count: u64) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn counts() -> Counts {
        let mut histogram = throughline_telemetry::Histogram::default();
        for value in [3.0, 3.0, 900.0] {
            histogram.record(value);
        }
        let mut counts = Counts {
            count: 3,
            timeouts: 1,
            cost_usd: 0.25,
            memory_bytes_max: 1 << 33,
            ..Counts::default()
        };
        counts.durations.add(&histogram.to_bytes());
        counts
    }

    #[test]
    fn counts_are_the_same_when_they_are_unpacked_and_read() {
        let packed = PackedCounts::new(&counts());
        assert_eq!(packed.counts(), counts());
        let written = serde_json::to_value(&packed).unwrap();
        assert_eq!(
            written,
            json!({"count": 3, "timeouts": 1, "buckets": [691, 2, 955, 1], "cost_usd": 0.25,
                "memory_bytes_max": 1_u64 << 33})
        );
        let read: PackedCounts = serde_json::from_value(written).unwrap();
        assert_eq!(read.counts(), counts());
    }

    /// As states have them that were written before.
    #[test]
    fn what_was_written_before_is_read() {
        let written = serde_json::to_value(counts()).unwrap();
        let read: PackedCounts = serde_json::from_value(written.clone()).unwrap();
        assert_eq!(read.counts(), counts());
        let hour = json!({
            "at": 480_000, "counts": written,
            "quantiles": [{"value": 900.1, "low": 3.0, "high": 900.1, "of": 3}, null, null, null],
            "worst": [900.1, 0.0, 0.0, 0.0], "worst_error_share": 0.1, "worst_cold_share": 0.0,
            "fewest": 0, "is_disturbed": true,
        });
        let read: PackedHour = serde_json::from_value(hour).unwrap();
        let hour = read.hour();
        assert_eq!((hour.at, hour.is_disturbed), (480_000, true));
        assert_eq!(hour.counts, counts());
        assert!((hour.quantiles[0].unwrap().value - 900.1).abs() < 1e-3);
        assert!((hour.worst[0] - 900.1).abs() < 1e-3);
        let again: PackedHour =
            serde_json::from_str(&serde_json::to_string(&read).unwrap()).unwrap();
        assert_eq!(again.hour(), hour);
    }
}
