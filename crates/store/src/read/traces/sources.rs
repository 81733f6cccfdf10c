//! Where pieces of traces are: segments, which are read from their newest trace on, and buffers.

use std::cmp::Reverse;
use std::ops::Range;

use arrow::array::{FixedSizeBinaryArray, Int64Array, TimestampNanosecondArray};
use throughline_telemetry::{TraceId, UnixNanos};

use super::super::TraceFilter;
use super::super::check::{Evidence, check, projection};
use crate::buffer::BufferView;
use crate::error::ReadError;
use crate::limits::SEARCH_BLOCK_ROWS;
use crate::search::bytes_of;
use crate::segment::{Damage, Projected, SegmentFiles, SegmentMeta, attribute_hash};

/// The order of traces: newest start first, then by id. Without an id, what comes before all traces of a
/// start.
pub(super) type Key = (Reverse<UnixNanos>, Option<TraceId>);

pub(super) fn key(start: UnixNanos, id: TraceId) -> Key {
    (Reverse(start), Some(id))
}

/// Something that has pieces of traces.
pub(super) enum Source<'a> {
    Segment(SegmentSource<'a>),
    Buffer(&'a BufferView),
}

/// A segment, of which is read no more than the search comes to.
pub(super) struct SegmentSource<'a> {
    pub(super) segment: &'a SegmentMeta,
    /// Rows that are still to be read, in order, each range of whole traces. None before the first look.
    unread: Option<Vec<Range<u32>>>,
    /// How many of them are read next.
    rows: u32,
}

/// The part of a trace that is in one source.
#[derive(Clone, Debug)]
pub(super) struct Piece {
    pub(super) source: usize,
    pub(super) start: UnixNanos,
    pub(super) end: UnixNanos,
    /// Where it is in a segment.
    pub(super) rows: Range<u32>,
}

/// Whole traces that were read of a segment.
pub(super) struct Block {
    pub(super) pieces: Vec<Found>,
    /// No trace that is still to be read starts later, if there is any.
    pub(super) rest: Option<UnixNanos>,
    pub(super) rows_read: u64,
    pub(super) bytes_read: u64,
}

/// A piece of a trace, and what it says.
pub(super) struct Found {
    pub(super) id: TraceId,
    pub(super) start: UnixNanos,
    pub(super) end: UnixNanos,
    pub(super) rows: Range<u32>,
    pub(super) evidence: Evidence,
}

impl Source<'_> {
    /// The piece of a trace, if there is one: start, end and rows.
    pub(super) fn find(
        &self,
        files: &SegmentFiles,
        id: TraceId,
    ) -> Result<Option<(UnixNanos, UnixNanos, Range<u32>)>, ReadError> {
        Ok(match self {
            Source::Segment(source) => {
                let found = files.trace(source.segment, id)?;
                found.map(|trace| (trace.start, trace.end, trace.rows()))
            }
            Source::Buffer(view) => {
                let found = view.bounds(id);
                found.map(|(start, end)| (start, end, 0..0))
            }
        })
    }

    /// Whether each span that it has of a trace is there once.
    pub(super) fn is_without_copies(&self) -> bool {
        match self {
            Source::Segment(source) => {
                let rollup = source.segment.rollup.as_ref();
                rollup.is_some_and(|rollup| rollup.spans == source.segment.rows)
            }
            Source::Buffer(_) => false,
        }
    }
}

impl<'a> SegmentSource<'a> {
    pub(super) fn new(segment: &'a SegmentMeta) -> Self {
        SegmentSource {
            segment,
            unread: None,
            rows: FIRST_BLOCK_ROWS,
        }
    }

    /// Whether nothing of it was looked at yet.
    pub(super) fn is_unopened(&self) -> bool {
        self.unread.is_none()
    }

    /// Whether the catalog and the index know that no span decides.
    pub(super) fn cannot_decide(
        &self,
        files: &SegmentFiles,
        filter: &TraceFilter,
    ) -> Result<bool, ReadError> {
        if !self.may_decide(filter) {
            return Ok(true);
        }
        let rows = self.deciding_rows(files, filter)?;
        Ok(rows.is_empty())
    }

    /// The same as far as the catalog knows.
    pub(super) fn may_decide(&self, filter: &TraceFilter) -> bool {
        match filter.asks_for_a_span() {
            true => filter.may_be_in(self.segment),
            false => self.segment.errors > 0,
        }
    }

    /// The rows that may decide. The ranges begin and end where traces do.
    fn deciding_rows(
        &self,
        files: &SegmentFiles,
        filter: &TraceFilter,
    ) -> Result<Vec<Range<u32>>, ReadError> {
        let hashes = filter.attributes.iter();
        let hashes: Vec<u64> = hashes
            .map(|(key, text)| attribute_hash(key, text))
            .collect();
        let known = match hashes.is_empty() {
            true => None,
            false => files.rows_with(self.segment, &hashes)?,
        };
        Ok(known.unwrap_or_else(|| all(0..self.segment.rows)))
    }

    /// Decides what is to be read: all pieces, or those only that decide, less those that start later
    /// than is asked for.
    fn open(
        &self,
        files: &SegmentFiles,
        filter: &TraceFilter,
        meets_all: bool,
        latest: Option<UnixNanos>,
    ) -> Result<Vec<Range<u32>>, ReadError> {
        let mut unread = match meets_all {
            true => all(0..self.segment.rows),
            false => self.deciding_rows(files, filter)?,
        };
        if let Some(latest) = latest.filter(|latest| *latest < self.segment.last) {
            let end = self.first_row_after(files, latest)?;
            unread.retain(|rows| rows.start < end);
            if let Some(last) = unread.last_mut() {
                last.end = last.end.min(end);
            }
        }
        Ok(unread)
    }

    /// The next of the rows to be read, from the end on. None if there are no more.
    pub(super) fn next_block(
        &mut self,
        files: &SegmentFiles,
        filter: &TraceFilter,
        meets_all: bool,
        latest: Option<UnixNanos>,
    ) -> Result<Option<Block>, ReadError> {
        let mut unread = match self.unread.take() {
            Some(unread) => unread,
            None => self.open(files, filter, meets_all, latest)?,
        };
        let Some(range) = unread.last_mut() else {
            self.unread = Some(unread);
            return Ok(None);
        };
        let (mut rows, mut rows_read, mut bytes_read) = (self.rows, 0, 0);
        self.rows = (self.rows * 2).min(SEARCH_BLOCK_ROWS);
        let pieces = loop {
            let begin = range.end.saturating_sub(rows).max(range.start);
            let mut wanted = projection(filter);
            wanted.columns.extend(PIECE);
            let read = files.project(self.segment, &wanted, &all(begin..range.end))?;
            rows_read += read.rows() as u64;
            bytes_read += bytes_of(read.batch());
            let mut pieces = pieces(&read, begin, filter)?;
            if begin > range.start {
                // The first may be the rest of a trace only.
                pieces.remove(0);
            }
            match pieces.first() {
                Some(first) => {
                    range.end = first.rows.start;
                    break pieces;
                }
                None => rows = rows.saturating_mul(2),
            }
        };
        if range.start == range.end {
            unread.pop();
        }
        let oldest = pieces.first().map(|piece| piece.start);
        let block = Block {
            rest: oldest.filter(|_| !unread.is_empty()),
            pieces,
            rows_read,
            bytes_read,
        };
        self.unread = Some(unread);
        Ok(Some(block))
    }

    /// A row with which a trace begins and from which on all start later than this. There may be some
    /// more before it.
    fn first_row_after(&self, files: &SegmentFiles, latest: UnixNanos) -> Result<u32, ReadError> {
        let mut steps = 0..self.segment.rows.div_ceil(FIRST_BLOCK_ROWS);
        let mut end = self.segment.rows;
        while !steps.is_empty() {
            let middle = steps.start + (steps.end - steps.start) / 2;
            match self.next_trace(files, middle * FIRST_BLOCK_ROWS)? {
                Some((_, start)) if start <= latest => steps.start = middle + 1,
                Some((row, _)) => {
                    end = row;
                    steps.end = middle;
                }
                None => steps.end = middle,
            }
        }
        Ok(end)
    }

    /// The first trace that begins after a row, and when; the first of all after row 0 is this.
    fn next_trace(
        &self,
        files: &SegmentFiles,
        from: u32,
    ) -> Result<Option<(u32, UnixNanos)>, ReadError> {
        let mut rows = FIRST_BLOCK_ROWS;
        loop {
            let end = self.segment.rows.min(from.saturating_add(rows));
            let filter = TraceFilter::default();
            let mut wanted = projection(&filter);
            wanted.columns.extend(PIECE);
            let read = files.project(self.segment, &wanted, &all(from..end))?;
            let pieces = pieces(&read, from, &filter)?;
            if let Some(piece) = pieces.get(usize::from(from > 0)) {
                return Ok(Some((piece.rows.start, piece.start)));
            }
            if end == self.segment.rows {
                return Ok(None);
            }
            rows = rows.saturating_mul(2);
        }
    }
}

/// The pieces of traces in rows that were read, of which the first is at `begin`.
fn pieces(read: &Projected, begin: u32, filter: &TraceFilter) -> Result<Vec<Found>, ReadError> {
    let ids: &FixedSizeBinaryArray = read.get("trace_id")?;
    let starts: &TimestampNanosecondArray = read.get("start")?;
    let durations: &Int64Array = read.get("duration")?;
    let checked = check(read, filter)?;
    let place =
        |row: usize| begin + u32::try_from(row).expect("a segment has fewer than 2^32 rows");
    let mut pieces = Vec::new();
    let mut first = 0;
    while first < read.rows() {
        let id = ids.value(first);
        let more = (first..read.rows()).take_while(|row| ids.value(*row) == id);
        let rows = first..first + more.count();
        let times = rows.clone().map(|row| {
            let start = starts.value(row);
            let end = start.wrapping_add(durations.value(row));
            (start.cast_unsigned(), end.cast_unsigned())
        });
        let (start, end) = times.fold((u64::MAX, 0), |(first, last), (start, end)| {
            (first.min(start), last.max(end))
        });
        let id = id.first_chunk().map(|id| TraceId::new(*id));
        let Some(Ok(id)) = id else {
            return Err(read.damage(Damage::new("a trace without an id")));
        };
        pieces.push(Found {
            id,
            start: UnixNanos(start),
            end: UnixNanos(end),
            rows: place(rows.start)..place(rows.end),
            evidence: checked.evidence(rows.clone()),
        });
        first = rows.end;
    }
    Ok(pieces)
}

fn all(rows: Range<u32>) -> Vec<Range<u32>> {
    std::iter::once(rows).collect()
}

/// What tells where traces begin, and when.
const PIECE: [&str; 3] = ["trace_id", "start", "duration"];

/// Rows that are read first of a segment: a page of what is frequent. Twice as many then, and so on.
const FIRST_BLOCK_ROWS: u32 = SEARCH_BLOCK_ROWS / 8;
