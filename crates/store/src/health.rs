//! What the store holds and how it does, for those who watch over it.

use std::fs;

use throughline_telemetry::{Signal, UnixNanos};

use crate::compaction;
use crate::error::ReadError;
use crate::stats::{Latency, SignalCounters, Stats};
use crate::store::{Shared, Store};

/// Everything there is to say about an open store.
#[derive(Clone, Debug)]
pub struct Health {
    /// What was done since it was opened.
    pub stats: Stats,
    /// By signal, in the order of [`Signal::ALL`].
    pub signals: Vec<SignalHealth>,
    /// How long senders waited for their acknowledgement.
    pub acks: Latency,
    /// Files of the WAL.
    pub wal_files: u64,
    /// Bytes of them.
    pub wal_bytes: u64,
    /// Segments that would be merged now if all was done at once.
    pub unmerged_segments: u64,
    /// Bytes of them.
    pub unmerged_bytes: u64,
    /// Segments and indexes that were found damaged, at the start or since.
    pub damaged: u64,
}

/// The same of one signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignalHealth {
    /// Which.
    pub signal: Signal,
    /// Requests acknowledged, those that were stored already left out.
    pub accepted_requests: u64,
    /// Spans, log records or metric points in them.
    pub accepted_rows: u64,
    /// Bytes of them, decompressed.
    pub accepted_bytes: u64,
    /// Rows that are in no segment yet.
    pub buffered_rows: u64,
    /// Segments.
    pub segments: u64,
    /// Rows of them.
    pub segment_rows: u64,
    /// Bytes of them on disk, with all that lies beside their rows.
    pub segment_bytes: u64,
    /// Segments that retention dropped.
    pub dropped_segments: u64,
    /// Rows of them.
    pub dropped_rows: u64,
    /// Bytes of them.
    pub dropped_bytes: u64,
}

impl Store {
    /// What the store holds and how it does at this time. Looks into the WAL's directory.
    pub fn health(&self, now: UnixNanos) -> Result<Health, ReadError> {
        let shared = self.shared();
        let stats = self.stats();
        let directory = shared.layout.wal_directory();
        let generations = shared.layout.wal_generations();
        let generations = generations.map_err(ReadError::io(&directory))?;
        let lengths = generations.iter().filter_map(|generation| {
            // It may be sealed meanwhile.
            Some(fs::metadata(shared.layout.wal(*generation)).ok()?.len())
        });
        let unmerged = compaction::unmerged(&shared.live.segments(), now);
        Ok(Health {
            stats,
            signals: Signal::ALL.map(|signal| of(shared, signal)).into(),
            acks: shared.counters.acks.read(),
            wal_files: generations.len() as u64,
            wal_bytes: lengths.sum(),
            unmerged_segments: unmerged.len() as u64,
            unmerged_bytes: unmerged.iter().map(|segment| segment.bytes).sum(),
            damaged: shared.damages.notes().len() as u64,
        })
    }
}

fn of(shared: &Shared, signal: Signal) -> SignalHealth {
    let snapshot = shared.live.snapshot();
    let buffered = snapshot.buffers.iter().map(|view| match signal {
        Signal::Traces => view.rows.spans.len(),
        Signal::Logs => view.rows.logs.len(),
        Signal::Metrics => view.rows.metrics.len(),
    });
    let segments = snapshot.segments.of(signal);
    let SignalCounters {
        accepted_requests,
        accepted_rows,
        accepted_bytes,
        dropped_segments,
        dropped_rows,
        dropped_bytes,
    } = shared.counters.of(signal);
    SignalHealth {
        signal,
        accepted_requests: accepted_requests.total(),
        accepted_rows: accepted_rows.total(),
        accepted_bytes: accepted_bytes.total(),
        buffered_rows: buffered.sum::<usize>() as u64,
        segments: segments.len() as u64,
        segment_rows: segments.iter().map(|segment| u64::from(segment.rows)).sum(),
        segment_bytes: segments.iter().map(|segment| segment.disk_bytes()).sum(),
        dropped_segments: dropped_segments.total(),
        dropped_rows: dropped_rows.total(),
        dropped_bytes: dropped_bytes.total(),
    }
}
