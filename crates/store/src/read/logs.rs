//! Searching log records, newest first.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;

use throughline_telemetry::{LogRecord, Signal, UnixNanos};

use super::work::Work;
use super::{LogCursor, LogFilter, Reader};
use crate::buffer::BufferView;
use crate::error::ReadError;
use crate::limits::{BLOCK_ROWS, PAGE_MAX};
use crate::rows::LogRow;
use crate::segment::{LogHeads, SegmentFiles, SegmentMeta, blocks};

/// One page of log records, newest first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LogPage {
    /// The records.
    pub logs: Vec<LogRecord>,
    /// How many records the filter lets through from here on, this page included.
    pub total: u64,
    /// Whether `total` is only a lower bound, because not everything was looked at.
    pub truncated: bool,
    /// Where the next page begins, if there may be one.
    pub next: Option<LogCursor>,
}

impl Reader<'_> {
    pub(crate) fn find_logs(&self, filter: &LogFilter) -> Result<LogPage, ReadError> {
        let mut search = Search {
            filter,
            files: self.files,
            runs: Vec::new(),
            heads: BinaryHeap::new(),
            page: LogPage::default(),
            progressed: false,
            work: Work::new(self.work_max),
        };
        for segment in self.snapshot.segments.of(Signal::Logs) {
            match filter.trace_id {
                _ if !filter.may_be_in(segment) => {}
                Some(id) => search.add_rows(
                    self.files
                        .trace_logs(segment, id)?
                        .into_iter()
                        .map(Arc::new),
                ),
                None => search.add_segment(segment),
            }
        }
        for view in &self.snapshot.buffers {
            match filter.trace_id {
                Some(id) => search.add_rows(view.logs_of(id).into_iter()),
                None => search.add_buffer(view),
            }
        }
        search.run()?;
        Ok(search.page)
    }
}

struct Search<'a> {
    filter: &'a LogFilter,
    files: &'a SegmentFiles,
    runs: Vec<Run<'a>>,
    /// The next row of each run.
    heads: BinaryHeap<Reverse<Head>>,
    page: LogPage,
    /// Whether a row of this page was looked at, without which the next would not come further.
    progressed: bool,
    work: Work,
}

/// Records of one block that are decoded at once.
const DECODED_MAX: usize = 64;

/// Rows of one source, newest last, so that taking the next is popping.
enum Run<'a> {
    Rows(Vec<Arc<LogRow>>),
    /// Places in a buffer, which the filter lets through, with time and sequence.
    Buffer {
        view: &'a BufferView,
        places: Vec<(UnixNanos, u64, usize)>,
    },
    /// A segment that nothing was read of.
    Closed(&'a SegmentMeta),
    Segment {
        segment: &'a SegmentMeta,
        /// Blocks not yet read.
        blocks: u32,
        /// The block being read.
        heads: Option<Arc<LogHeads>>,
        /// How many of its rows are still to come.
        left: usize,
        /// Rows of it that were decoded, those for later on the page first.
        rows: Vec<LogRow>,
    },
}

/// Where a run stands: newest first, the last received first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Head {
    time: Reverse<UnixNanos>,
    sequence: Reverse<u64>,
    run: usize,
}

impl<'a> Search<'a> {
    /// Adds rows that are in memory. What the filter leaves out goes at once.
    fn add_rows(&mut self, rows: impl Iterator<Item = Arc<LogRow>>) {
        let mut looked_at = 0;
        let rows = rows.inspect(|_| looked_at += 1);
        let mut rows: Vec<_> = rows.filter(|row| self.filter.allows(row)).collect();
        self.work.looks(looked_at);
        rows.sort_by_key(|row| (row.time, row.sequence));
        if let Some(newest) = rows.last() {
            self.add(newest.time, newest.sequence, Run::Rows(rows));
        }
    }

    /// Adds the rows of a buffer. They are read when the search comes to them.
    fn add_buffer(&mut self, view: &'a BufferView) {
        let filter = self.filter;
        let mut places = view.find_logs(|rows, row| {
            let place = (rows.time(row), rows.sequence(row));
            filter.allows_of(place, rows.service(row), rows.severity_number(row))
        });
        self.work.looks(view.rows.logs.len());
        places.sort_unstable();
        if let Some((time, sequence, _)) = places.last().copied() {
            self.add(time, sequence, Run::Buffer { view, places });
        }
    }

    /// Adds a segment, which is not read before the search comes to its newest row.
    fn add_segment(&mut self, segment: &'a SegmentMeta) {
        self.add(segment.last, u64::MAX, Run::Closed(segment));
    }

    fn add(&mut self, time: UnixNanos, sequence: u64, run: Run<'a>) {
        self.push_head(time, sequence, self.runs.len());
        self.runs.push(run);
    }

    fn push_head(&mut self, time: UnixNanos, sequence: u64, run: usize) {
        self.heads.push(Reverse(Head {
            time: Reverse(time),
            sequence: Reverse(sequence),
            run,
        }));
    }

    fn run(&mut self) -> Result<(), ReadError> {
        let limit = self.filter.limit.clamp(1, PAGE_MAX);
        while let Some(Reverse(head)) = self.heads.pop() {
            if self.filter.from.is_some_and(|from| head.time.0 < from) {
                break;
            }
            if self.page.logs.len() >= limit && self.filter.allows_all_older() {
                self.page.total += self.rows_left();
                break;
            }
            if self.work.is_done() && self.progressed {
                self.stop(head, limit);
                return Ok(());
            }
            let taken = self.runs[head.run].take(self.files, self.filter)?;
            self.push_next(head.run);
            if let Some(taken) = taken {
                self.look_at(head.run, &taken, limit)?;
            }
        }
        if self.page.total == self.page.logs.len() as u64 {
            self.page.next = None;
        }
        Ok(())
    }

    fn look_at(&mut self, run: usize, taken: &Taken, limit: usize) -> Result<(), ReadError> {
        // Rows before the page are the rest of a block that it begins in. They are few, and do
        // not count.
        let key = taken.key();
        if self.filter.bound().is_some_and(|bound| key >= bound) {
            return Ok(());
        }
        self.progressed = true;
        self.work.columns(1);
        if !taken.is_allowed(self.filter) {
            return Ok(());
        }
        self.page.total += 1;
        let room = limit.saturating_sub(self.page.logs.len());
        if room == 0 {
            return Ok(());
        }
        self.work.rows(1);
        let record = match taken {
            Taken::Row(row) => row.record.clone(),
            Taken::Place(_, place) => self.runs[run].buffered(*place),
            Taken::Head(_, at) => self.runs[run].record(self.files, self.filter, *at, room)?,
        };
        self.page.logs.push(record);
        let (time, sequence) = key;
        self.page.next = Some(LogCursor { time, sequence });
        if room == 1 {
            self.work.only_count();
        }
        Ok(())
    }

    /// Stops before everything was looked at: `head` was not, and all before it was.
    fn stop(&mut self, head: Head, limit: usize) {
        self.page.truncated = true;
        if self.page.logs.len() < limit {
            // A cursor is the last place that was looked at, which is just before the head.
            self.page.next = Some(LogCursor {
                time: head.time.0,
                sequence: head.sequence.0.saturating_add(1),
            });
        }
    }

    fn push_next(&mut self, run: usize) {
        if let Some((time, sequence)) = self.runs[run].next() {
            self.push_head(time, sequence, run);
        }
    }

    /// Rows in all runs, the one whose head was just taken included.
    fn rows_left(&self) -> u64 {
        self.runs.iter().map(Run::rows_left).sum()
    }
}

/// A row whose turn it is.
enum Taken {
    Row(Arc<LogRow>),
    /// Time and sequence of one in a buffer that the filter lets through, and its place.
    Place((UnixNanos, u64), usize),
    /// One of a block of which only the heads were read.
    Head(Arc<LogHeads>, usize),
}

impl Taken {
    fn key(&self) -> (UnixNanos, u64) {
        match self {
            Taken::Row(row) => (row.time, row.sequence),
            Taken::Place(key, _) => *key,
            Taken::Head(heads, at) => heads.key(*at),
        }
    }

    fn is_allowed(&self, filter: &LogFilter) -> bool {
        match self {
            Taken::Row(row) => filter.allows(row),
            Taken::Place(..) => true,
            Taken::Head(heads, at) => head_is_allowed(heads, *at, filter),
        }
    }
}

/// Segments are not searched head by head for a trace: their index has its rows.
fn head_is_allowed(heads: &LogHeads, at: usize, filter: &LogFilter) -> bool {
    filter.allows_of(heads.key(at), heads.service(at), heads.severity(at))
}

impl Run<'_> {
    /// Takes the next row. When the next block is not yet read, its heads are read and there is none
    /// to take.
    fn take(
        &mut self,
        files: &SegmentFiles,
        filter: &LogFilter,
    ) -> Result<Option<Taken>, ReadError> {
        match self {
            Run::Rows(rows) => Ok(rows.pop().map(Taken::Row)),
            Run::Buffer { places, .. } => {
                let place = places.pop();
                Ok(place.map(|(time, sequence, place)| Taken::Place((time, sequence), place)))
            }
            Run::Closed(segment) => {
                *self = Run::Segment {
                    segment,
                    blocks: blocks_before(segment, files, filter.bound())?,
                    heads: None,
                    left: 0,
                    rows: Vec::new(),
                };
                self.take(files, filter)
            }
            Run::Segment {
                blocks: 0, left: 0, ..
            } => Ok(None),
            Run::Segment {
                segment,
                blocks,
                heads,
                left: left @ 0,
                rows,
            } => {
                *blocks -= 1;
                let read = files.log_heads(segment, *blocks)?;
                *left = read.len();
                *heads = Some(read);
                rows.clear();
                Ok(None)
            }
            Run::Segment { heads, left, .. } => {
                *left -= 1;
                let heads = heads.as_ref().map(Arc::clone);
                Ok(heads.map(|heads| Taken::Head(heads, *left)))
            }
        }
    }

    /// The record at a place in a buffer.
    fn buffered(&self, place: usize) -> LogRecord {
        let Run::Buffer { view, .. } = self else {
            unreachable!("only the rows of a buffer have places");
        };
        let row = view.log(place).expect("a view never changes");
        row.record
    }

    /// The record whose head was just taken and let through. It is decoded together with those of the
    /// block that come after it on the page.
    fn record(
        &mut self,
        files: &SegmentFiles,
        filter: &LogFilter,
        at: usize,
        room: usize,
    ) -> Result<LogRecord, ReadError> {
        let Run::Segment {
            segment,
            heads: Some(heads),
            rows,
            ..
        } = self
        else {
            unreachable!("only the rows of a segment have heads");
        };
        if rows.is_empty() {
            let allowed = (0..=at)
                .rev()
                .filter(|at| head_is_allowed(heads, *at, filter));
            let mut places: Vec<u32> = allowed
                .take(room.min(DECODED_MAX))
                .map(|at| heads.place(at))
                .collect();
            places.reverse();
            *rows = files.log_rows(segment, &places)?;
        }
        let row = rows.pop().expect("as many rows are read as are asked for");
        debug_assert_eq!((row.time, row.sequence), heads.key(at));
        Ok(row.record)
    }

    /// Time and sequence of the next row; of a block not yet read, those that none in it exceeds.
    fn next(&self) -> Option<(UnixNanos, u64)> {
        match self {
            Run::Rows(rows) => rows.last().map(|row| (row.time, row.sequence)),
            Run::Buffer { places, .. } => places.last().map(|place| (place.0, place.1)),
            Run::Closed(segment) => Some((segment.last, u64::MAX)),
            Run::Segment {
                blocks,
                heads,
                left,
                ..
            } => {
                let heads = heads.as_ref()?;
                match left.checked_sub(1) {
                    Some(next) => Some(heads.key(next)),
                    // All of it comes after the oldest row of the block that was read last.
                    None if *blocks > 0 => {
                        let (time, sequence) = heads.key(0);
                        Some(just_after(time, sequence))
                    }
                    None => None,
                }
            }
        }
    }

    fn rows_left(&self) -> u64 {
        let rows_of = |blocks: u32| u64::from(blocks) * u64::from(BLOCK_ROWS);
        match self {
            Run::Rows(rows) => rows.len() as u64,
            Run::Buffer { places, .. } => places.len() as u64,
            Run::Closed(segment) => u64::from(segment.rows),
            // Only the last block may be shorter than the others.
            Run::Segment {
                segment,
                blocks: unread,
                left,
                ..
            } => rows_of(*unread).min(u64::from(segment.rows)) + *left as u64,
        }
    }
}

/// How many blocks of a segment have a row before the bound: those that a page must look at.
fn blocks_before(
    segment: &SegmentMeta,
    files: &SegmentFiles,
    bound: Option<(UnixNanos, u64)>,
) -> Result<u32, ReadError> {
    let mut left = 0..blocks(segment);
    let Some(bound) = bound else {
        return Ok(left.end);
    };
    while !left.is_empty() {
        let middle = left.start + (left.end - left.start) / 2;
        if files.log_heads(segment, middle)?.key(0) < bound {
            left.start = middle + 1;
        } else {
            left.end = middle;
        }
    }
    Ok(left.start)
}

/// The place in the order that comes right after this one.
fn just_after(time: UnixNanos, sequence: u64) -> (UnixNanos, u64) {
    match sequence.checked_sub(1) {
        Some(sequence) => (time, sequence),
        None => (UnixNanos(time.0.saturating_sub(1)), u64::MAX),
    }
}
