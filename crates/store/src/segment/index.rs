//! The index beside a segment: where the rows of a trace are.
//!
//! ```text
//! index    := version:u8=1 magic:"TLI" rows:u32 traces:u32 postings:u32 trace*traces row:u32*postings crc:u32
//! trace    := trace_id:[u8;16] start:u64 end:u64 first:u32 count:u32
//! ```
//!
//! Numbers are little-endian; `crc` is the CRC-32C of all before it. Traces are sorted by id.
//! Spans of a trace are next to each other: its rows are `first .. first + count`, and there are
//! no postings. Log records are sorted by time instead: its rows are the postings
//! `first .. first + count`. `start` and `end` are those of the trace's rows in this file.

use std::collections::BTreeMap;

use throughline_telemetry::{TraceId, UnixNanos};

use super::table::Damage;
use crate::limits::BLOCK_ROWS;

/// What an index knows of a trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TraceRange {
    pub(crate) trace_id: TraceId,
    pub(crate) start: UnixNanos,
    pub(crate) end: UnixNanos,
    first: u32,
    count: u32,
}

/// Collects the traces of a segment while its rows are written, in their order.
#[derive(Debug, Default)]
pub(super) struct IndexSerializer {
    rows: u32,
    traces: BTreeMap<TraceId, Collected>,
}

#[derive(Debug)]
struct Collected {
    start: UnixNanos,
    end: UnixNanos,
    rows: Vec<u32>,
}

/// Whether the rows of a trace are next to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layout {
    Adjacent,
    Scattered,
}

impl IndexSerializer {
    /// Counts the next row.
    pub(super) fn push(&mut self, trace_id: Option<TraceId>, start: UnixNanos, end: UnixNanos) {
        let row = self.rows;
        self.rows = row
            .checked_add(1)
            .expect("a segment has fewer than 2^32 rows");
        let Some(trace_id) = trace_id else {
            return;
        };
        let trace = self.traces.entry(trace_id).or_insert_with(|| Collected {
            start,
            end,
            rows: Vec::new(),
        });
        trace.start = trace.start.min(start);
        trace.end = trace.end.max(end);
        trace.rows.push(row);
    }

    pub(super) fn rows(&self) -> u32 {
        self.rows
    }

    /// When each trace starts.
    pub(super) fn starts(&self) -> impl Iterator<Item = UnixNanos> + Clone {
        self.traces.values().map(|trace| trace.start)
    }

    pub(super) fn traces(&self) -> u32 {
        u32::try_from(self.traces.len()).expect("a trace has a row")
    }

    /// The bytes of the index.
    pub(super) fn finish(self, layout: Layout) -> Vec<u8> {
        let mut postings: Vec<u32> = Vec::new();
        let mut traces = Vec::with_capacity(self.traces.len() * TRACE_BYTES);
        for (id, trace) in &self.traces {
            let count = u32::try_from(trace.rows.len()).expect("a segment has fewer rows");
            let first = match layout {
                Layout::Adjacent => {
                    let span = trace.rows[trace.rows.len() - 1] - trace.rows[0];
                    assert_eq!(
                        span + 1,
                        count,
                        "the rows of a trace are not next to each other"
                    );
                    trace.rows[0]
                }
                Layout::Scattered => {
                    let first = u32::try_from(postings.len()).expect("one posting a row at most");
                    postings.extend(&trace.rows);
                    first
                }
            };
            traces.extend(id.as_bytes());
            traces.extend(trace.start.0.to_le_bytes());
            traces.extend(trace.end.0.to_le_bytes());
            traces.extend(first.to_le_bytes());
            traces.extend(count.to_le_bytes());
        }
        let posting_count = u32::try_from(postings.len()).expect("one posting a row at most");
        let mut bytes = vec![VERSION];
        bytes.extend(MAGIC);
        bytes.extend(self.rows.to_le_bytes());
        bytes.extend(self.traces().to_le_bytes());
        bytes.extend(posting_count.to_le_bytes());
        bytes.extend(traces);
        bytes.extend(postings.iter().flat_map(|row| row.to_le_bytes()));
        let crc = crc32c::crc32c(&bytes);
        bytes.extend(crc.to_le_bytes());
        bytes
    }
}

/// An index in memory.
#[derive(Debug, PartialEq)]
pub(crate) struct TraceIndex {
    rows: u32,
    /// Sorted by id.
    traces: Vec<TraceRange>,
    postings: Vec<u32>,
    /// Places in `traces`, newest start first and then by id.
    newest_first: Vec<u32>,
    /// The first row of each trace, sorted.
    firsts: Vec<u32>,
}

impl TraceIndex {
    /// Reads the bytes of an index and checks that they are whole.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, Damage> {
        let damaged = || Damage::new("not a whole index");
        let (rest, crc) = bytes.split_last_chunk().ok_or_else(damaged)?;
        if crc32c::crc32c(rest) != u32::from_le_bytes(*crc) {
            return Err(Damage::new("checksum mismatch"));
        }
        let mut rest = rest;
        let [version, magic @ ..] = *take::<4>(&mut rest).ok_or_else(damaged)?;
        if version != VERSION || magic != *MAGIC {
            return Err(Damage::new(format!("index version {version} is unknown")));
        }
        let mut number = || take(&mut rest).map(|bytes| u32::from_le_bytes(*bytes));
        let rows = number().ok_or_else(damaged)?;
        let trace_count = number().ok_or_else(damaged)? as usize;
        let posting_count = number().ok_or_else(damaged)? as usize;
        if rest.len() != trace_count * TRACE_BYTES + posting_count * size_of::<u32>() {
            return Err(damaged());
        }
        let (traces, postings) = rest.split_at(trace_count * TRACE_BYTES);
        let traces = traces.chunks_exact(TRACE_BYTES).map(TraceRange::read);
        let traces = traces.collect::<Option<Vec<_>>>().ok_or_else(damaged)?;
        let (postings, _) = postings.as_chunks();
        let postings = postings
            .iter()
            .map(|row| u32::from_le_bytes(*row))
            .collect();
        Ok(Self::new(rows, traces, postings))
    }

    fn new(rows: u32, traces: Vec<TraceRange>, postings: Vec<u32>) -> Self {
        let mut newest_first: Vec<u32> = (0..).take(traces.len()).collect();
        newest_first.sort_by_key(|place| {
            let trace = &traces[*place as usize];
            (std::cmp::Reverse(trace.start), trace.trace_id)
        });
        let mut firsts: Vec<u32> = traces.iter().map(|trace| trace.first).collect();
        firsts.sort_unstable();
        TraceIndex {
            rows,
            traces,
            postings,
            newest_first,
            firsts,
        }
    }

    pub(super) fn memory_bytes(&self) -> usize {
        size_of_val(self)
            + self.traces.len() * (size_of::<TraceRange>() + 2 * size_of::<u32>())
            + self.postings.len() * size_of::<u32>()
    }

    pub(crate) fn trace(&self, id: TraceId) -> Option<&TraceRange> {
        let place = self
            .traces
            .binary_search_by_key(&id, |trace| trace.trace_id);
        place.ok().map(|place| &self.traces[place])
    }

    /// The trace at a place in the order of newest start first, then id.
    pub(crate) fn nth_newest(&self, place: usize) -> Option<&TraceRange> {
        let place = *self.newest_first.get(place)?;
        self.traces.get(place as usize)
    }

    /// How many traces come before or at this one in that order, whether it is here or not.
    pub(crate) fn newest_up_to(&self, start: UnixNanos, id: TraceId) -> usize {
        self.newest_first.partition_point(|place| {
            let trace = &self.traces[*place as usize];
            (std::cmp::Reverse(trace.start), trace.trace_id) <= (std::cmp::Reverse(start), id)
        })
    }

    /// The first row of each trace, in order.
    pub(super) fn firsts(&self) -> &[u32] {
        &self.firsts
    }

    /// The rows, in order, of the traces that another index has too, in this one and in the other.
    pub(super) fn shared(&self, other: &TraceIndex) -> [Vec<std::ops::Range<u32>>; 2] {
        let mut shared = [Vec::new(), Vec::new()];
        let mut others = other.traces.iter().peekable();
        for trace in &self.traces {
            while others.next_if(|it| it.trace_id < trace.trace_id).is_some() {}
            if let Some(same) = others.next_if(|it| it.trace_id == trace.trace_id) {
                shared[0].push(self.adjacent_rows(trace));
                shared[1].push(other.adjacent_rows(same));
            }
        }
        shared
            .iter_mut()
            .for_each(|rows| rows.sort_by_key(|rows| rows.start));
        shared
    }

    /// The rows of a trace whose rows are next to each other.
    pub(crate) fn adjacent_rows(&self, trace: &TraceRange) -> std::ops::Range<u32> {
        trace.first..trace.first + trace.count
    }

    /// The rows of a trace whose rows are scattered.
    pub(super) fn scattered_rows(&self, trace: &TraceRange) -> &[u32] {
        let first = trace.first as usize;
        self.postings
            .get(first..first + trace.count as usize)
            .unwrap_or_default()
    }

    /// Rows of the segment.
    pub(super) fn rows(&self) -> u32 {
        self.rows
    }

    /// How many traces there are.
    pub(super) fn traces(&self) -> usize {
        self.traces.len()
    }

    /// All traces, by id.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &TraceRange> {
        self.traces.iter()
    }

    /// The block of rows that a trace is in: whole traces, some two thousand rows.
    pub(crate) fn block(&self, trace: &TraceRange) -> std::ops::Range<u32> {
        self.block_of(trace, BLOCK_ROWS)
    }

    /// The same with blocks of about so many rows.
    pub(super) fn block_of(&self, trace: &TraceRange, rows: u32) -> std::ops::Range<u32> {
        let number = trace.first / rows;
        let first_from = |row: u32| {
            let place = self.firsts.partition_point(|first| *first < row);
            self.firsts.get(place).copied().unwrap_or(self.rows)
        };
        let next = (number + 1).saturating_mul(rows);
        first_from(number * rows)..first_from(next)
    }
}

impl TraceRange {
    fn read(mut bytes: &[u8]) -> Option<Self> {
        let bytes = &mut bytes;
        Some(TraceRange {
            trace_id: TraceId::new(*take(bytes)?).ok()?,
            start: UnixNanos(u64::from_le_bytes(*take(bytes)?)),
            end: UnixNanos(u64::from_le_bytes(*take(bytes)?)),
            first: u32::from_le_bytes(*take(bytes)?),
            count: u32::from_le_bytes(*take(bytes)?),
        })
    }
}

fn take<'a, const N: usize>(bytes: &mut &'a [u8]) -> Option<&'a [u8; N]> {
    let (taken, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(taken)
}

const VERSION: u8 = 1;
const MAGIC: &[u8; 3] = b"TLI";
const TRACE_BYTES: usize = 40;
