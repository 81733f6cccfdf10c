//! Retention: which segments are too old, or too many, and are dropped as a whole.
//!
//! A segment is too old when its last row is, so that no row goes before its time; how much longer than
//! that a row stays, its segment's width says, ten minutes unless its rows were scattered. Where a
//! signal has more bytes than it may have, the oldest windows go first, and of one window the oldest
//! segments, as many as it takes. What is acknowledged and not sealed is no segment, and stays. What lies
//! beside the rows of a segment, such as its rollup, counts with it and goes with it.
//!
//! The age of a row is what it says of itself, not when it came: what is older than that when it is sent
//! is dropped soon after its seal, and what claims to be of the future stays until its time has come.

mod keep;

use std::sync::Arc;
use std::time::Duration;

use throughline_telemetry::{Signal, UnixNanos};

pub use keep::{BadKeep, Keep};

use crate::limits::{RETENTION_SEGMENTS_MAX, WINDOW_NANOS};
use crate::segment::SegmentMeta;
use crate::snapshot::Segments;

/// How long and how much of each signal is kept. Everything, unless set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retention {
    /// Of spans.
    pub traces: Keep,
    /// Of log records.
    pub logs: Keep,
    /// Of metric points.
    pub metrics: Keep,
}

impl Retention {
    /// The same for each signal.
    pub fn each(keep: Keep) -> Self {
        Retention {
            traces: keep,
            logs: keep,
            metrics: keep,
        }
    }

    /// Of one signal.
    pub fn of(&self, signal: Signal) -> Keep {
        match signal {
            Signal::Traces => self.traces,
            Signal::Logs => self.logs,
            Signal::Metrics => self.metrics,
        }
    }

    /// What is known of environments that were heard of then or later is kept: as long as anything that
    /// they sent may be there. None if it is kept for good.
    pub(crate) fn environments_from(&self, now: UnixNanos) -> Option<UnixNanos> {
        let ages = Signal::ALL.map(|signal| self.of(signal).age);
        let ages: Option<Vec<Duration>> = ages.into_iter().collect();
        ages?.into_iter().max().map(|age| now.minus(age))
    }
}

/// Why segments are dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Why {
    /// All their rows are too old.
    Age,
    /// Their signal has too many bytes.
    Bytes,
}

impl Why {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Why::Age => "age",
            Why::Bytes => "bytes",
        }
    }
}

/// The segments of a signal that are to be dropped next, oldest first, with the reason. There may be more.
pub(crate) fn choose(
    segments: &Segments,
    signal: Signal,
    keep: Keep,
    now: UnixNanos,
) -> Option<(Why, Vec<Arc<SegmentMeta>>)> {
    let of_signal = segments.of(signal);
    if let Some(age) = keep.age {
        let from = now.minus(age);
        let old = of_signal.iter().filter(|segment| newest(segment) < from);
        let mut old = in_order(old);
        old.truncate(RETENTION_SEGMENTS_MAX);
        if !old.is_empty() {
            return Some((Why::Age, old));
        }
    }
    let bytes: u64 = of_signal.iter().map(|segment| segment.disk_bytes()).sum();
    let mut over = bytes.checked_sub(keep.bytes?)?;
    let mut too_many = in_order(of_signal.iter());
    let count = too_many
        .iter()
        .take(RETENTION_SEGMENTS_MAX)
        .take_while(|segment| {
            let goes = over > 0;
            over = over.saturating_sub(segment.disk_bytes());
            goes
        })
        .count();
    too_many.truncate(count);
    (count > 0).then_some((Why::Bytes, too_many))
}

/// By window, and in it by age.
fn in_order<'a>(segments: impl Iterator<Item = &'a Arc<SegmentMeta>>) -> Vec<Arc<SegmentMeta>> {
    let mut segments: Vec<_> = segments.map(Arc::clone).collect();
    segments.sort_by_key(|segment| {
        let window = newest(segment).0 / WINDOW_NANOS;
        (window, segment.first, segment.id)
    });
    segments
}

/// When the last of the rows was, the end of a span included.
fn newest(segment: &SegmentMeta) -> UnixNanos {
    segment.last.max(segment.end)
}

#[cfg(test)]
mod tests;
