//! The index beside a segment: where the rows of a trace are, and checksums of the rows.
//!
//! Its file has parts ([`parts`]), of which a reader takes those that it needs:
//!
//! ```text
//! directory := (first trace_id:[u8;16] end:u32 crc:u32)*      of each block of traces
//! filter    := block:[u32;8]*                                 which traces there may be
//! checks    := crc:u32*                                       of each 4 KiB of the file of rows
//! traces    := block*                                         some hundred traces each
//! words     := what bodies and attributes may say, see [`words`](super::words)
//! ```
//!
//! Numbers are little-endian, checksums are CRC-32C. Traces are sorted by id; [`blocks`] says how they
//! lie in a block. Spans of a trace are next to each other, log records of a trace are scattered.
//! Indexes of version 1 stay readable ([`first`]).

mod blocks;
mod first;
mod lookup;
mod parts;

use std::collections::BTreeMap;

use throughline_telemetry::{TraceId, UnixNanos};
use twox_hash::XxHash64;

use super::checks::Checks;
use super::filter::Filter;
use super::table::Damage;
pub(crate) use lookup::runs;
pub(super) use lookup::{Access, load_checks};
pub(super) use parts::load_range;
use parts::{Header, Kind};

/// What the file of an index consists of, by name, in bytes; nothing of one that is damaged or older.
pub(super) fn part_sizes(file: &std::fs::File) -> std::io::Result<Vec<(&'static str, u64)>> {
    let header = Header::load(file)?;
    Ok(header.map_or_else(|_| Vec::new(), |header| header.sizes().collect()))
}

/// What an index knows of a trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TraceRange {
    pub(crate) trace_id: TraceId,
    pub(crate) start: UnixNanos,
    pub(crate) end: UnixNanos,
    first: u32,
    count: u32,
}

impl TraceRange {
    /// Its rows, where those are next to each other.
    pub(crate) fn rows(&self) -> std::ops::Range<u32> {
        self.first..self.first + self.count
    }
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
    Adjacent = 0,
    Scattered = 1,
}

impl Layout {
    fn of_number(number: u8) -> Option<Self> {
        let mut all = [Layout::Adjacent, Layout::Scattered].into_iter();
        all.find(|layout| *layout as u8 == number)
    }
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

    /// The bytes of the index of a file of rows.
    pub(super) fn finish(self, layout: Layout, file: &Checks, words: Option<Vec<u8>>) -> Vec<u8> {
        let (traces, directory) = blocks::write(self.traces.iter(), layout);
        let filter = Filter::of(self.traces.keys().map(|id| hash(*id)));
        let mut parts = vec![
            (Kind::Directory, directory),
            (Kind::Filter, filter.to_bytes()),
            (Kind::Checks, file.to_bytes()),
            (Kind::Traces, traces),
        ];
        parts.extend(words.map(|words| (Kind::Words, words)));
        parts::write(layout, self.rows, self.traces(), file.bytes, &parts)
    }
}

/// What the filter knows of a trace.
fn hash(id: TraceId) -> u64 {
    XxHash64::oneshot(0, id.as_bytes())
}

/// An index in memory.
#[derive(Debug, PartialEq)]
pub(crate) struct TraceIndex {
    rows: u32,
    /// Length of the file of rows, if the index says.
    rows_bytes: Option<u64>,
    /// Sorted by id.
    traces: Vec<TraceRange>,
    postings: Vec<u32>,
    /// The first row of each trace, sorted.
    firsts: Vec<u32>,
}

impl TraceIndex {
    /// Reads the bytes of an index and checks that they are whole.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, Damage> {
        if bytes.first() == Some(&first::VERSION) {
            return first::read(bytes);
        }
        let header = Header::read(bytes)?;
        header.check(bytes)?;
        let damaged = || Damage::new("not a whole index");
        let directory = blocks::Directory::read(header.part(Kind::Directory, bytes)?)?;
        let all = header.part(Kind::Traces, bytes)?;
        let mut traces = Vec::with_capacity(header.traces as usize);
        let mut postings = Vec::new();
        for block in 0..directory.len() {
            let place = directory.range(block);
            let block = all.get(place.start as usize..place.end as usize);
            let block = block.ok_or_else(damaged)?;
            let read = blocks::read(block, header.layout, &mut postings);
            traces.extend(read.ok_or_else(damaged)?);
        }
        let sorted = traces.is_sorted_by_key(|trace: &TraceRange| trace.trace_id);
        if traces.len() != header.traces as usize || !sorted {
            return Err(damaged());
        }
        let mut index = Self::new(header.rows, traces, postings);
        index.rows_bytes = Some(header.rows_bytes);
        Ok(index)
    }

    fn new(rows: u32, traces: Vec<TraceRange>, postings: Vec<u32>) -> Self {
        let mut firsts: Vec<u32> = traces.iter().map(|trace| trace.first).collect();
        firsts.sort_unstable();
        TraceIndex {
            rows,
            rows_bytes: None,
            traces,
            postings,
            firsts,
        }
    }

    pub(super) fn memory_bytes(&self) -> usize {
        size_of_val(self)
            + self.traces.len() * (size_of::<TraceRange>() + size_of::<u32>())
            + self.postings.len() * size_of::<u32>()
    }

    pub(crate) fn trace(&self, id: TraceId) -> Option<&TraceRange> {
        let place = self
            .traces
            .binary_search_by_key(&id, |trace| trace.trace_id);
        place.ok().map(|place| &self.traces[place])
    }

    /// The first row of each trace, in order.
    pub(super) fn firsts(&self) -> &[u32] {
        &self.firsts
    }

    /// The rows of the trace that a row is of.
    pub(super) fn trace_around(&self, row: u32) -> std::ops::Range<u32> {
        let next = self.firsts.partition_point(|first| *first <= row);
        let first = next.checked_sub(1).map_or(0, |at| self.firsts[at]);
        first..self.firsts.get(next).copied().unwrap_or(self.rows)
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
        trace.rows()
    }

    /// The rows of a trace whose rows are scattered.
    pub(super) fn scattered_rows(&self, trace: &TraceRange) -> &[u32] {
        let first = trace.first as usize;
        self.postings
            .get(first..first + trace.count as usize)
            .unwrap_or_default()
    }

    /// Whether two indexes, of whatever version, have the same rows for each trace.
    pub(super) fn finds_the_same(&self, other: &TraceIndex) -> bool {
        let found = |index: &TraceIndex| (index.rows, index.traces.clone(), index.postings.clone());
        found(self) == found(other)
    }

    /// Rows of the segment.
    pub(super) fn rows(&self) -> u32 {
        self.rows
    }

    /// Length of the file of rows, unless the index is older than such.
    pub(super) fn rows_bytes(&self) -> Option<u64> {
        self.rows_bytes
    }

    /// How many traces there are.
    pub(super) fn traces(&self) -> usize {
        self.traces.len()
    }

    /// All traces, by id.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &TraceRange> {
        self.traces.iter()
    }

    /// The block of rows that a trace is in: whole traces, about so many rows.
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

fn take<'a, const N: usize>(bytes: &mut &'a [u8]) -> Option<&'a [u8; N]> {
    let (taken, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(taken)
}

const MAGIC: &[u8; 3] = b"TLI";
