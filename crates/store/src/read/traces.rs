//! Searching traces, newest first.
//!
//! A trace may lie in several segments and buffers. Each of them has its own part of it: a piece with
//! its own start. The trace starts with its earliest piece. The search takes pieces newest first, so it
//! meets a trace first at its latest piece, looks up the others, and keeps it until no piece that is
//! still to come could begin a newer trace.
//!
//! Spans lie in a segment in the order of the starts of their traces. So a segment is read from its end,
//! some thousand rows at a time and of these the columns that the filter names, and not before the
//! search has come to its newest trace. Where the filter asks for a span, or for an error, traces are
//! met at pieces that have it and at no others, and rows are passed over of which an index or the
//! catalog says that they have none. Only the spans on the page are decoded, and those of traces that
//! may have copies of a span.
//!
//! The order is by start, newest first, then by id. A trace whose earliest span arrives between
//! two pages moves back in it, and may then be shown again; none is left out, but for one of which a
//! span was sent again with a later start.

mod sources;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, HashMap, HashSet};
use std::sync::Arc;

use throughline_telemetry::{Signal, Span, TraceId, UnixNanos};

use super::check::{Evidence, check, projection};
use super::trace::{in_order, once};
use super::work::Work;
use super::{Reader, TraceCursor, TraceFilter, TraceStatus};
use crate::error::ReadError;
use crate::limits::{PAGE_MAX, PAGE_SPANS_MAX};
use crate::search::bytes_of;
use crate::segment::SegmentFiles;
use sources::{Key, Piece, SegmentSource, Source, key};

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
    /// Rows that were looked at.
    pub rows_read: u64,
    /// Bytes of columns, unpacked, that were looked at.
    pub bytes_read: u64,
    /// Segments and buffers that were read.
    pub parts_read: u64,
}

impl Reader<'_> {
    pub(crate) fn find_traces(&self, filter: &TraceFilter) -> Result<TracePage, ReadError> {
        let mut search = Search::new(self, filter);
        search.begin()?;
        search.run()?;
        search.finish()
    }
}

struct Search<'a> {
    files: &'a SegmentFiles,
    filter: &'a TraceFilter,
    sources: Vec<Source<'a>>,
    /// The next pieces of each source.
    heads: BinaryHeap<Reverse<Head>>,
    /// The page begins after this place.
    begin: Option<Key>,
    /// Sources that may have what decides on a trace of this page in a piece before it.
    early: Vec<usize>,
    /// Whether traces are met at all their pieces, not only at those that decide.
    meets_all: bool,
    /// Traces that were looked at.
    seen: HashSet<TraceId>,
    /// Traces let through that may have to wait for newer ones, with their pieces.
    found: BTreeMap<Key, Vec<Piece>>,
    /// Traces on the page, with their pieces.
    shown: Vec<(TraceId, Vec<Piece>)>,
    shown_spans: usize,
    page: TracePage,
    work: Work,
}

/// What is next in a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Head {
    key: Key,
    source: usize,
    met: Met,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Met {
    /// Rows that were not read yet, of which none comes before the key.
    Unread,
    /// A piece in a segment.
    Rows {
        first: u32,
        end: u32,
        ended: UnixNanos,
        evidence: Evidence,
    },
    /// A piece in a buffer.
    Buffered,
}

impl<'a> Search<'a> {
    fn new(reader: &'a Reader<'_>, filter: &'a TraceFilter) -> Self {
        let segments = reader.snapshot.segments.of(Signal::Traces).iter();
        let segments = segments.map(|segment| Source::Segment(SegmentSource::new(segment)));
        let buffers = reader.snapshot.buffers.iter().map(Source::Buffer);
        let last_id = TraceId::new([0xff; TraceId::BYTES]).expect("it is not zero");
        let after = filter.after.map(|after| key(after.start, after.trace_id));
        let to = filter.to.map(|to| key(to, last_id));
        Search {
            files: reader.files,
            filter,
            sources: segments.chain(buffers).collect(),
            heads: BinaryHeap::new(),
            begin: after.max(to),
            early: Vec::new(),
            meets_all: !filter.decides(),
            seen: HashSet::new(),
            found: BTreeMap::new(),
            shown: Vec::new(),
            shown_spans: 0,
            page: TracePage::default(),
            work: Work::new(reader.work_max),
        }
    }

    /// Puts each source before the first piece that can begin a trace of this page.
    fn begin(&mut self) -> Result<(), ReadError> {
        if let Some((Reverse(latest), _)) = self.begin.filter(|_| self.filter.decides()) {
            for (number, source) in self.sources.iter().enumerate() {
                let is_early = match source {
                    Source::Segment(source) => {
                        source.segment.last >= latest
                            && !source.cannot_decide(self.files, self.filter)?
                    }
                    Source::Buffer(view) => {
                        let mut traces = view.traces().into_iter();
                        traces.any(|(start, _)| start >= latest)
                    }
                };
                if is_early {
                    self.early.push(number);
                }
            }
            self.meets_all = !self.early.is_empty();
        }
        for (number, source) in self.sources.iter().enumerate() {
            match source {
                Source::Segment(source) => {
                    if !self.may_skip(source) {
                        let latest = self.begin.map_or(UnixNanos(u64::MAX), |begin| begin.0.0);
                        self.heads.push(Reverse(Head {
                            key: (Reverse(source.segment.last.min(latest)), None),
                            source: number,
                            met: Met::Unread,
                        }));
                    }
                }
                Source::Buffer(view) => {
                    let traces = view.traces();
                    self.page.parts_read += u64::from(!traces.is_empty());
                    for (start, id) in traces {
                        let key = key(start, id);
                        if self.begin.is_none_or(|begin| key > begin) {
                            self.heads.push(Reverse(Head {
                                key,
                                source: number,
                                met: Met::Buffered,
                            }));
                        }
                    }
                }
            }
        }
        Ok(())
    }

    /// Whether no trace of this page needs to be met in a segment.
    fn may_skip(&self, source: &SegmentSource<'_>) -> bool {
        let segment = source.segment;
        self.filter.from.is_some_and(|from| segment.last < from)
            || self.begin.is_some_and(|begin| segment.first > begin.0.0)
            || !self.meets_all && !source.may_decide(self.filter)
    }

    fn run(&mut self) -> Result<(), ReadError> {
        while let Some(Reverse(head)) = self.heads.pop() {
            let start = head.key.0.0;
            if self.filter.from.is_some_and(|from| start < from) {
                break;
            }
            self.show(Some(head.key));
            let at = match head.key.1 {
                None => {
                    self.read_on(head.source)?;
                    self.just_before_next()
                }
                Some(trace_id) => {
                    self.work.looks(1);
                    self.meet(head, trace_id)?;
                    Some(TraceCursor { start, trace_id })
                }
            };
            if let Some(at) = at.filter(|_| self.work.is_done() && !self.heads.is_empty()) {
                self.stop(at);
                return Ok(());
            }
        }
        self.show(None);
        if self.page.total == self.shown.len() as u64 {
            self.page.next = None;
        }
        Ok(())
    }

    /// A place before all that is still to come, if it is beyond where this page begins: a page that
    /// ends where it began would be asked for for ever.
    fn just_before_next(&self) -> Option<TraceCursor> {
        let Reverse(next) = self.heads.peek()?;
        let start = UnixNanos(next.key.0.0.0.checked_add(1)?);
        let trace_id = TraceId::new([0xff; TraceId::BYTES]).expect("it is not zero");
        let is_further = self.begin.is_none_or(|begin| key(start, trace_id) > begin);
        is_further.then_some(TraceCursor { start, trace_id })
    }

    /// Stops before everything was looked at. All up to `at` was.
    fn stop(&mut self, at: TraceCursor) {
        self.show(Some(key(at.start, at.trace_id)));
        if !self.is_full() {
            self.page.next = Some(at);
        }
        self.page.truncated = true;
    }

    /// Reads on in a segment.
    fn read_on(&mut self, number: usize) -> Result<(), ReadError> {
        let Source::Segment(source) = &mut self.sources[number] else {
            return Ok(());
        };
        let latest = self.begin.map(|begin| begin.0.0);
        let is_first = source.is_unopened();
        let block = source.next_block(self.files, self.filter, self.meets_all, latest)?;
        let Some(block) = block else {
            return Ok(());
        };
        self.page.parts_read += u64::from(is_first);
        self.page.rows_read += block.rows_read;
        self.page.bytes_read += block.bytes_read;
        self.work.columns(block.rows_read);
        for piece in block.pieces {
            let key = key(piece.start, piece.id);
            let is_met = self.meets_all || piece.evidence.decides(self.filter);
            if is_met && self.begin.is_none_or(|begin| key > begin) {
                self.heads.push(Reverse(Head {
                    key,
                    source: number,
                    met: Met::Rows {
                        first: piece.rows.start,
                        end: piece.rows.end,
                        ended: piece.end,
                        evidence: piece.evidence,
                    },
                }));
            }
        }
        if let Some(rest) = block.rest {
            self.heads.push(Reverse(Head {
                key: (Reverse(rest), None),
                source: number,
                met: Met::Unread,
            }));
        }
        Ok(())
    }

    /// Meets a trace at one of its pieces.
    fn meet(&mut self, head: Head, id: TraceId) -> Result<(), ReadError> {
        if self.seen.contains(&id) {
            return Ok(());
        }
        let filter = self.filter;
        if self.is_full() && !filter.needs_spans() && filter.from.is_none() {
            // That it is there is all there is to know.
            self.seen.insert(id);
            self.page.total += 1;
            return Ok(());
        }
        let Some((piece, mut evidence)) = self.piece(head, id)? else {
            return Ok(());
        };
        if filter.decides() && !evidence.decides(filter) && !self.is_early(&piece, id)? {
            // It is met again where it has what decides, if anywhere.
            return Ok(());
        }
        self.seen.insert(id);
        let pieces = self.pieces(piece, id)?;
        let start = pieces.iter().map(|piece| piece.start).min();
        let start = start.unwrap_or_default();
        if filter.from.is_some_and(|from| start < from) || !self.is_long_enough(&pieces, start) {
            return Ok(());
        }
        for piece in pieces.iter().filter(|piece| piece.source != head.source) {
            if evidence.is_enough(filter) {
                break;
            }
            evidence.add(self.look_at(piece, id)?);
        }
        if !evidence.is_enough(filter) || !self.allows(&pieces, id, evidence)? {
            return Ok(());
        }
        self.page.total += 1;
        if !self.is_full() {
            self.found.insert(key(start, id), pieces);
        }
        Ok(())
    }

    /// The piece at which a trace is met, and what it says.
    fn piece(&mut self, head: Head, id: TraceId) -> Result<Option<(Piece, Evidence)>, ReadError> {
        let source = head.source;
        Ok(match (head.met, &self.sources[source]) {
            (
                Met::Rows {
                    first,
                    end,
                    ended,
                    evidence,
                },
                _,
            ) => {
                let piece = Piece {
                    source,
                    start: head.key.0.0,
                    end: ended,
                    rows: first..end,
                };
                Some((piece, evidence))
            }
            (_, found) => {
                let found = found.find(self.files, id)?;
                let Some((start, end, rows)) = found else {
                    return Ok(None);
                };
                let piece = Piece {
                    source,
                    start,
                    end,
                    rows,
                };
                let evidence = self.look_at(&piece, id)?;
                Some((piece, evidence))
            }
        })
    }

    /// Whether a trace has a piece before this page that may decide on it.
    fn is_early(&mut self, own: &Piece, id: TraceId) -> Result<bool, ReadError> {
        self.work.looks(self.early.len());
        for number in self.early.iter().filter(|number| **number != own.source) {
            if self.sources[*number].find(self.files, id)?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// All pieces of a trace of which one is known.
    fn pieces(&mut self, own: Piece, id: TraceId) -> Result<Vec<Piece>, ReadError> {
        self.work.looks(self.sources.len());
        let mut own = Some(own);
        let mut pieces = Vec::new();
        for (number, source) in self.sources.iter().enumerate() {
            if let Some(own) = own.take_if(|own| own.source == number) {
                pieces.push(own);
            } else if let Some((start, end, rows)) = source.find(self.files, id)? {
                pieces.push(Piece {
                    source: number,
                    start,
                    end,
                    rows,
                });
            }
        }
        Ok(pieces)
    }

    /// What a piece that was not read yet says, without decoding a row.
    fn look_at(&mut self, piece: &Piece, id: TraceId) -> Result<Evidence, ReadError> {
        let filter = self.filter;
        match &self.sources[piece.source] {
            Source::Buffer(view) => Ok(Evidence::buffered(view, id, filter)),
            Source::Segment(source) => {
                let rows = std::slice::from_ref(&piece.rows);
                let read = self
                    .files
                    .project(source.segment, &projection(filter), rows)?;
                let read_rows = read.rows() as u64;
                self.work.columns(read_rows);
                self.page.rows_read += read_rows;
                self.page.bytes_read += bytes_of(read.batch());
                Ok(check(&read, filter)?.evidence(0..read.rows()))
            }
        }
    }

    fn is_long_enough(&self, pieces: &[Piece], start: UnixNanos) -> bool {
        let end = pieces.iter().map(|piece| piece.end).max();
        let end = end.unwrap_or_default();
        let min = self.filter.min_duration;
        min.is_none_or(|min| end.since(start) >= min)
    }

    /// Whether a trace is let through that is long enough and has what is asked for, copies aside.
    fn allows(
        &mut self,
        pieces: &[Piece],
        id: TraceId,
        evidence: Evidence,
    ) -> Result<bool, ReadError> {
        let filter = self.filter;
        if !filter.needs_spans() {
            return Ok(true);
        }
        if let [alone] = pieces
            && self.sources[alone.source].is_without_copies()
        {
            return Ok(filter.status != Some(TraceStatus::Ok) || !evidence.failed());
        }
        let mut spans = Vec::new();
        for piece in pieces {
            match &self.sources[piece.source] {
                Source::Buffer(view) => spans.extend(view.spans_of(id)),
                Source::Segment(source) => {
                    let rows = piece.rows.clone();
                    spans.extend_from_slice(&self.files.spans_at(source.segment, rows)?);
                }
            }
        }
        let spans = once(spans);
        self.work.rows(spans.len());
        Ok(filter.allows(spans.iter().map(|span| &**span)))
    }

    /// Moves to the page what nothing that is still to come can be newer than.
    fn show(&mut self, up_to: Option<Key>) {
        while let Some(key) = self.found.keys().next().copied() {
            if self.is_full() {
                // What is left begins the next page.
                self.found.clear();
            }
            if up_to.is_some_and(|up_to| key > up_to) {
                return;
            }
            let Some(pieces) = self.found.remove(&key) else {
                return;
            };
            let (Reverse(start), Some(trace_id)) = key else {
                return;
            };
            let spans: usize = pieces.iter().map(|piece| self.spans(piece, trace_id)).sum();
            self.work.rows(spans);
            self.shown_spans += spans;
            self.shown.push((trace_id, pieces));
            self.page.next = Some(TraceCursor { start, trace_id });
            if self.is_full() {
                self.work.only_count();
            }
        }
    }

    /// How many spans a piece has, copies and all.
    fn spans(&self, piece: &Piece, id: TraceId) -> usize {
        match &self.sources[piece.source] {
            Source::Segment(_) => piece.rows.len(),
            Source::Buffer(view) => view.span_count(id),
        }
    }

    fn is_full(&self) -> bool {
        let limit = self.filter.limit.clamp(1, PAGE_MAX);
        self.shown.len() >= limit || self.shown_spans >= PAGE_SPANS_MAX
    }

    /// Decodes what is on the page, of each segment all at once.
    fn finish(mut self) -> Result<TracePage, ReadError> {
        let mut decoded: HashMap<(usize, u32), Arc<Vec<Arc<Span>>>> = HashMap::new();
        for (number, source) in self.sources.iter().enumerate() {
            let Source::Segment(source) = source else {
                continue;
            };
            let pieces = self.shown.iter().flat_map(|(_, pieces)| pieces);
            let here = pieces.filter(|piece| piece.source == number);
            let mut rows: Vec<_> = here.map(|piece| piece.rows.clone()).collect();
            rows.sort_by_key(|rows| rows.start);
            let spans = self.files.spans_of(source.segment, &rows)?;
            let places = rows.iter().map(|rows| (number, rows.start));
            decoded.extend(places.zip(spans));
        }
        for (id, pieces) in &self.shown {
            let mut spans = Vec::new();
            for piece in pieces {
                match &self.sources[piece.source] {
                    Source::Buffer(view) => spans.extend(view.spans_of(*id)),
                    Source::Segment(_) => {
                        if let Some(found) = decoded.get(&(piece.source, piece.rows.start)) {
                            spans.extend_from_slice(found);
                        }
                    }
                }
            }
            self.page.traces.push((*id, in_order(once(spans))));
        }
        Ok(self.page)
    }
}
