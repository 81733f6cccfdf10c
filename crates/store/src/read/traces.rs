//! Searching traces, newest first.
//!
//! A trace may lie in several segments and buffers. Each of them knows its own part of it: a piece
//! with its own start. The trace starts with its earliest piece. The search takes pieces newest
//! first, so it meets a trace first at its latest piece, looks up the others, and keeps it until
//! no piece that is still to come could begin a newer trace.
//!
//! The order is by start, newest first, then by id. A trace whose earliest span arrives between
//! two pages moves back in it, and may then be shown again; none is left out.

mod sources;

use std::cmp::Reverse;
use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BinaryHeap, HashMap, HashSet};
use std::sync::Arc;

use throughline_telemetry::{Span, TraceId, UnixNanos};

use super::check::{Checked, Evidence, check_spans};
use super::trace::{in_order, once};
use super::work::Work;
use super::{Reader, TraceCursor, TraceFilter, TraceStatus};
use crate::error::ReadError;
use crate::limits::{PAGE_MAX, PAGE_SPANS_MAX};
use sources::{Key, Piece, Source, key};

/// One page of traces, newest first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TracePage {
    /// The traces with their spans, each span once, by start.
    pub traces: Vec<(TraceId, Vec<Span>)>,
    /// How many traces the filter lets through from here on, this page included.
    pub total: u64,
    /// Whether `total` is only a lower bound, because not everything was looked at.
    pub truncated: bool,
    /// Where the next page begins, if there may be one.
    pub next: Option<TraceCursor>,
}

impl Reader<'_> {
    pub(crate) fn find_traces(&self, filter: &TraceFilter) -> Result<TracePage, ReadError> {
        let sources = self.trace_sources()?;
        let mut search = Search {
            filter,
            heads: BinaryHeap::new(),
            seen: HashSet::new(),
            found: BTreeMap::new(),
            page: TracePage::default(),
            page_spans: 0,
            checked: HashMap::new(),
            work: Work::new(self.work_max),
            reader: self,
            sources: &sources,
        };
        search.begin();
        search.run()?;
        Ok(search.page)
    }
}

struct Search<'a> {
    reader: &'a Reader<'a>,
    filter: &'a TraceFilter,
    sources: &'a [Source<'a>],
    /// The next piece of each source.
    heads: BinaryHeap<Reverse<Head>>,
    /// Traces that were looked at.
    seen: HashSet<TraceId>,
    /// Traces let through that may have to wait for newer ones, with their pieces.
    found: BTreeMap<Key, Vec<Piece>>,
    page: TracePage,
    page_spans: usize,
    /// Blocks whose columns were checked, by source and first row.
    checked: HashMap<(usize, u32), Checked>,
    work: Work,
}

/// A piece that is next in its source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Head {
    key: Key,
    source: usize,
    place: usize,
}

impl Search<'_> {
    /// Puts each source at the first piece that can begin a trace of this page.
    fn begin(&mut self) {
        for (number, source) in self.sources.iter().enumerate() {
            if !self.may_skip(source) {
                let place = self.first_place(source);
                self.advance(number, place);
            }
        }
    }

    fn run(&mut self) -> Result<(), ReadError> {
        while let Some(Reverse(head)) = self.heads.pop() {
            let (Reverse(start), trace_id) = head.key;
            if self.filter.from.is_some_and(|from| start < from) {
                break;
            }
            self.show(Some(head.key))?;
            self.advance(head.source, head.place + 1);
            self.work.looks(1);
            if self.seen.insert(trace_id) {
                self.look_at(trace_id)?;
            }
            if self.work.is_done() && !self.heads.is_empty() {
                return self.stop(TraceCursor { start, trace_id });
            }
        }
        self.show(None)?;
        if self.page.total == self.page.traces.len() as u64 {
            self.page.next = None;
        }
        Ok(())
    }

    /// Stops before everything was looked at. All up to `at` was.
    fn stop(&mut self, at: TraceCursor) -> Result<(), ReadError> {
        self.show(Some(key(at.start, at.trace_id)))?;
        if !self.is_full() {
            self.page.next = Some(at);
        }
        self.page.truncated = true;
        Ok(())
    }

    /// Decides on a trace.
    fn look_at(&mut self, id: TraceId) -> Result<(), ReadError> {
        let index_decides = !self.filter.needs_spans() && self.filter.from.is_none();
        if self.is_full() && index_decides {
            self.page.total += 1;
            return Ok(());
        }
        self.work.looks(self.sources.len());
        let pieces = Source::pieces(self.sources, id);
        let Some(start) = pieces.iter().map(|piece| piece.start).min() else {
            return Ok(());
        };
        if self.filter.from.is_some_and(|from| start < from) || !self.may_allow(&pieces, start) {
            return Ok(());
        }
        if !self.may_allow_rows(&pieces, id)? {
            return Ok(());
        }
        if self.filter.needs_spans() {
            let spans = once(self.spans(&pieces, id)?);
            self.work.rows(spans.len());
            if !self.filter.allows(spans.iter().map(|span| &**span)) {
                return Ok(());
            }
        }
        self.page.total += 1;
        if !self.is_full() {
            self.found.insert(key(start, id), pieces);
        }
        Ok(())
    }

    /// What the columns that the filter names can say without decoding a row.
    fn may_allow_rows(&mut self, pieces: &[Piece], id: TraceId) -> Result<bool, ReadError> {
        let filter = self.filter;
        if !filter.asks_for_a_span() && !filter.asks_for_an_error() {
            return Ok(true);
        }
        let mut evidence = Evidence::default();
        for piece in pieces {
            let (segment, index) = match &self.sources[piece.source] {
                Source::Segment { segment, index } => (segment, index),
                Source::Buffer { view, .. } => {
                    evidence.add_buffered(view, id, filter);
                    continue;
                }
            };
            let Some(trace) = index.trace(id) else {
                continue;
            };
            let block = index.block(trace);
            let checked = match self.checked.entry((piece.source, block.start)) {
                Entry::Occupied(entry) => entry.into_mut(),
                Entry::Vacant(entry) => {
                    self.work.columns(block.len());
                    let files = self.reader.files;
                    entry.insert(check_spans(files, segment, block, filter)?)
                }
            };
            checked.add_to(&mut evidence, index.adjacent_rows(trace));
            if evidence.is_enough(filter) {
                return Ok(true);
            }
        }
        Ok(evidence.is_enough(filter))
    }

    /// Moves to the page what nothing that is still to come can be newer than.
    fn show(&mut self, up_to: Option<Key>) -> Result<(), ReadError> {
        while let Some(key) = self.found.keys().next().copied() {
            if self.is_full() {
                // What is left begins the next page.
                self.found.clear();
            }
            if up_to.is_some_and(|up_to| key > up_to) {
                return Ok(());
            }
            let Some(pieces) = self.found.remove(&key) else {
                return Ok(());
            };
            let (Reverse(start), trace_id) = key;
            let spans = self.spans(&pieces, trace_id)?;
            let spans = in_order(once(spans));
            self.work.rows(spans.len());
            self.page_spans += spans.len();
            self.page.traces.push((trace_id, spans));
            self.page.next = Some(TraceCursor { start, trace_id });
            if self.is_full() {
                self.work.only_count();
            }
        }
        Ok(())
    }

    /// The spans of a trace that is looked at.
    fn spans(&self, pieces: &[Piece], id: TraceId) -> Result<Vec<Arc<Span>>, ReadError> {
        let is_alone = |source: usize, block: u32| {
            let checked = self.checked.get(&(source, block));
            checked.is_some_and(Checked::has_few)
        };
        let reader = self.reader;
        reader.piece_spans(self.sources, pieces, id, is_alone)
    }

    fn is_full(&self) -> bool {
        let limit = self.filter.limit.clamp(1, PAGE_MAX);
        self.page.traces.len() >= limit || self.page_spans >= PAGE_SPANS_MAX
    }

    /// Whether no trace that is asked for needs to be met in this source: each has a piece in
    /// another that cannot be skipped.
    fn may_skip(&self, source: &Source<'_>) -> bool {
        let Source::Segment { segment, .. } = source else {
            return false;
        };
        let filter = self.filter;
        if filter.from.is_some_and(|from| segment.last < from) {
            return true;
        }
        // The piece with the span that is asked for may be newer than where this page begins,
        // and then the trace is met only at a piece without it.
        if filter.to.is_some() || filter.after.is_some() {
            return false;
        }
        if filter.asks_for_a_span() {
            return !filter.may_be_in(segment);
        }
        filter.status == Some(TraceStatus::Error) && segment.errors == 0
    }

    /// What the catalog and the indexes can say without looking at rows.
    fn may_allow(&self, pieces: &[Piece], start: UnixNanos) -> bool {
        let filter = self.filter;
        let segment_of = |piece: &Piece| match &self.sources[piece.source] {
            Source::Segment { segment, .. } => Some(segment),
            Source::Buffer { .. } => None,
        };
        let mut segments = pieces.iter().map(segment_of);
        let may_have_span = !filter.asks_for_a_span()
            || segments
                .clone()
                .any(|found| found.is_none_or(|segment| filter.may_be_in(segment)));
        let may_have_error = filter.status != Some(TraceStatus::Error)
            || segments.any(|found| found.is_none_or(|segment| segment.errors > 0));
        let end = pieces
            .iter()
            .map(|piece| piece.end)
            .max()
            .unwrap_or_default();
        let long_enough = filter
            .min_duration
            .is_none_or(|min| end.since(start) >= min);
        may_have_span && may_have_error && long_enough
    }

    /// The first place in a source that comes after the cursor and before `to`.
    fn first_place(&self, source: &Source<'_>) -> usize {
        let after = self.filter.after;
        let after = after.map(|after| source.places_up_to(key(after.start, after.trace_id)));
        let last_id = TraceId::new([0xff; TraceId::BYTES]).expect("it is not zero");
        let to = self
            .filter
            .to
            .map(|to| source.places_up_to(key(to, last_id)));
        after.max(to).unwrap_or_default()
    }

    fn advance(&mut self, source: usize, place: usize) {
        if let Some(key) = self.sources[source].nth_newest(place) {
            self.heads.push(Reverse(Head { key, source, place }));
        }
    }
}
