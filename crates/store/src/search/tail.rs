//! Log records as they arrive.
//!
//! Every record has a number that grows with its arrival (`sequence`): its
//! generation, and its place in it. Whoever follows remembers the next number and looks at what the
//! buffers have from there on. What was sealed meanwhile, because the follower was slow or away, is
//! looked up in the segments.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::ops::Range;

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::UInt64Type;
use throughline_telemetry::{LogRecord, Signal, UnixNanos};

use super::predicate::Predicate;
use super::searched::private::Read;
use super::{Filter, SearchError};
use crate::dataset::Dataset;
use crate::error::ReadError;
use crate::limits::TAIL_LATE_NANOS;
use crate::read::LogCursor;
use crate::scan::{Bounds, Part, Place, Scan, ScanColumn};
use crate::segment::Damage;
use crate::store::Store;

/// Follows the log records that a filter lets through.
#[derive(Debug)]
pub struct Tail {
    store: Store,
    filter: Filter,
    /// The number of the next record to look at.
    next: u64,
    /// Records that are much older are not looked for among what was sealed.
    since: UnixNanos,
}

/// What has come.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Arrived {
    /// The records, in the order in which they came, and the place of each.
    pub logs: Vec<(LogCursor, LogRecord)>,
    /// How many there were before these that are left out, because there were too many.
    pub dropped: u64,
    /// Whether more has come already.
    pub more: bool,
}

impl Tail {
    /// From now on, or from after a record that was given out before. Blocks on the disk.
    pub fn new(
        store: Store,
        filter: Filter,
        after: Option<LogCursor>,
        now: UnixNanos,
    ) -> Result<Self, SearchError> {
        let scan = store.scan();
        Predicate::new(&scan, Dataset::Logs, &filter)?;
        let since = after.map_or(now, |after| after.time.min(now));
        Ok(Tail {
            next: after.map_or(end_of(&scan), |after| after.sequence.saturating_add(1)),
            since: UnixNanos(since.0.saturating_sub(TAIL_LATE_NANOS)),
            store,
            filter,
        })
    }

    /// What has come since the last time, `at_once` records of it at most. Of more than `behind_max`
    /// the oldest are left out. Blocks on the disk if the last time was long ago.
    pub fn next(&mut self, at_once: usize, behind_max: usize) -> Result<Arrived, SearchError> {
        let scan = self.store.scan();
        let end = end_of(&scan);
        if end <= self.next {
            return Ok(Arrived::default());
        }
        let predicate = Predicate::new(&scan, Dataset::Logs, &self.filter)?;
        let bounds = Bounds {
            from: Some(self.since),
            ..Bounds::default()
        };
        // What was sealed is of older generations than any buffer.
        let oldest = scan.generations().map(|(generation, _)| generation).min();
        let sealed = oldest.is_none_or(|oldest| self.next >> 32 < oldest);
        let mut hits = BinaryHeap::new();
        let mut dropped = 0;
        let parts = scan.parts(Signal::Logs, &bounds)?;
        for (number, part) in parts.iter().enumerate() {
            if !sealed && matches!(part.place(), Place::Segment { .. }) {
                continue;
            }
            self.look_through(part, &predicate, |sequence, row| {
                hits.push(Reverse((sequence, number, row)));
                if hits.len() > behind_max {
                    hits.pop();
                    dropped += 1;
                }
            })?;
        }
        let mut logs = Vec::with_capacity(hits.len().min(at_once));
        while logs.len() < at_once
            && let Some(Reverse((sequence, part, row))) = hits.pop()
        {
            for record in LogRecord::read(&parts[part], &[(row, [0; 24])])? {
                let time = record.sort_time();
                logs.push((LogCursor { time, sequence }, record));
            }
        }
        self.next = match hits.peek() {
            Some(Reverse((sequence, ..))) => *sequence,
            None => end,
        };
        Ok(Arrived {
            logs,
            dropped,
            more: !hits.is_empty(),
        })
    }

    /// Finds what is new in a part.
    fn look_through(
        &self,
        part: &Part,
        predicate: &Predicate,
        mut found: impl FnMut(u64, u32),
    ) -> Result<(), ReadError> {
        let ranges = self.new_rows(part);
        if ranges.iter().all(Range::is_empty) {
            return Ok(());
        }
        let mut columns = predicate.columns();
        columns.push(ScanColumn::Stored("sequence"));
        for placed in part.placed(&columns, &ranges)? {
            let placed = placed?;
            let damaged = |error| part.damage(Damage::from(error));
            let holds = predicate.holds(&placed.batch).map_err(damaged)?;
            let sequences = sequences(&placed.batch);
            let rows: Vec<u32> = placed.places.iter().cloned().flatten().collect();
            for at in holds.set_indices() {
                if sequences[at] >= self.next {
                    found(sequences[at], rows[at]);
                }
            }
        }
        Ok(())
    }

    /// The rows of a part that may be new.
    fn new_rows(&self, part: &Part) -> Vec<Range<u32>> {
        let generation = self.next >> 32;
        match part.place() {
            // A buffer lies in the order of its numbers.
            Place::Buffer(chunks) => {
                let all = 0..u32::try_from(chunks.len()).unwrap_or(u32::MAX);
                let first = chunks
                    .iter()
                    .next()
                    .and_then(|chunk| first_of(&chunk.batch));
                match first {
                    Some(first) if first >> 32 < generation => Vec::new(),
                    Some(first) if first >> 32 == generation => {
                        let seen = u32::try_from(self.next - first).unwrap_or(u32::MAX);
                        std::iter::once(seen.min(all.end)..all.end).collect()
                    }
                    _ => std::iter::once(all).collect(),
                }
            }
            Place::Segment { segment, .. } => {
                let sealed = segment.id.compacted_number().is_none();
                match sealed && segment.id.generation() < generation {
                    true => Vec::new(),
                    false => part.ranges(),
                }
            }
        }
    }
}

/// The number of the next record that comes.
fn end_of(scan: &Scan) -> u64 {
    let generations = scan.generations();
    let ends = generations.map(|(generation, rows)| generation << 32 | rows as u64);
    ends.max().unwrap_or_default()
}

fn first_of(batch: &RecordBatch) -> Option<u64> {
    let sequences = batch.column_by_name("sequence")?;
    sequences
        .as_primitive::<UInt64Type>()
        .values()
        .first()
        .copied()
}

fn sequences(batch: &RecordBatch) -> &[u64] {
    let last = batch.column(batch.num_columns() - 1);
    last.as_primitive::<UInt64Type>().values()
}
