//! Counters.

mod latency;

use std::sync::atomic::{AtomicU64, Ordering};

use throughline_telemetry::Signal;

pub use latency::Latency;

use latency::Histogram;

/// What the store has done since it was opened, and what it holds now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Requests acknowledged.
    pub requests: u64,
    /// Spans, log records and metric points in them.
    pub rows: u64,
    /// Groups committed, which is the number of fdatasyncs of the WAL.
    pub groups: u64,
    /// Batches sent again, which were acknowledged and not stored a second time.
    pub duplicates: u64,
    /// Requests whose answer was held back because the store was nearly full.
    pub delayed: u64,
    /// Requests turned away because the store was full.
    pub overloaded: u64,
    /// Writes of the WAL that failed, each with all requests of its group.
    pub wal_failures: u64,
    /// Generations sealed.
    pub seals: u64,
    /// Attempts to seal that failed.
    pub seal_failures: u64,
    /// Merges of several segments into one or a few.
    pub compactions: u64,
    /// Merges that failed.
    pub compaction_failures: u64,
    /// Rows written by merges.
    pub merged_rows: u64,
    /// Spans that were left out by merges because there were several with their id.
    pub duplicate_rows: u64,
    /// Segments dropped because they were too old or too many.
    pub retention_segments: u64,
    /// Rows of them.
    pub retention_rows: u64,
    /// Bytes of them on disk, indexes included.
    pub retention_bytes: u64,
    /// Environments of which nothing is known any more, because they were not heard of for so long.
    pub pruned_environments: u64,
    /// Bytes of the WAL and of memory that are not yet in segments.
    pub unsealed_bytes: u64,
    /// Segments, of all signals.
    pub segments: u64,
    /// Their bytes on disk, with all that lies beside their rows.
    pub segment_bytes: u64,
    /// Bytes of the WAL that could not be read at the start.
    pub skipped_bytes: u64,
}

/// The counters behind [`Stats`].
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) requests: Counter,
    /// How often somebody began to read.
    pub(crate) reads: Counter,
    pub(crate) rows: Counter,
    pub(crate) groups: Counter,
    pub(crate) duplicates: Counter,
    pub(crate) delayed: Counter,
    pub(crate) overloaded: Counter,
    pub(crate) wal_failures: Counter,
    pub(crate) seals: Counter,
    pub(crate) seal_failures: Counter,
    pub(crate) compactions: Counter,
    pub(crate) compaction_failures: Counter,
    pub(crate) merged_rows: Counter,
    pub(crate) duplicate_rows: Counter,
    pub(crate) pruned_environments: Counter,
    pub(crate) skipped_bytes: Counter,
    /// How long senders waited.
    pub(crate) acks: Histogram,
    signals: [SignalCounters; Signal::ALL.len()],
}

/// Those of one signal.
#[derive(Debug, Default)]
pub(crate) struct SignalCounters {
    pub(crate) accepted_requests: Counter,
    pub(crate) accepted_rows: Counter,
    pub(crate) accepted_bytes: Counter,
    pub(crate) dropped_segments: Counter,
    pub(crate) dropped_rows: Counter,
    pub(crate) dropped_bytes: Counter,
}

impl Counters {
    pub(crate) fn of(&self, signal: Signal) -> &SignalCounters {
        &self.signals[signal as usize]
    }

    /// One counter of all signals together.
    pub(crate) fn sum(&self, counter: fn(&SignalCounters) -> &Counter) -> u64 {
        self.signals.iter().map(|of| counter(of).total()).sum()
    }
}

/// A number that only grows.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn add(&self, n: u64) {
        self.0.fetch_add(n, Ordering::Relaxed);
    }

    pub(crate) fn total(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}
