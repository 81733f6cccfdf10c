//! Where pieces of traces are: segments and buffers.

use std::cmp::Reverse;
use std::sync::Arc;

use throughline_telemetry::{Signal, Span, TraceId, UnixNanos};

use super::super::Reader;
use crate::buffer::BufferView;
use crate::error::ReadError;
use crate::segment::{SegmentMeta, TraceIndex};

/// The order of traces: newest start first, then by id.
pub(super) type Key = (Reverse<UnixNanos>, TraceId);

pub(super) fn key(start: UnixNanos, id: TraceId) -> Key {
    (Reverse(start), id)
}

/// Something that has pieces of traces.
pub(super) enum Source<'a> {
    Segment {
        segment: &'a SegmentMeta,
        index: Arc<TraceIndex>,
    },
    Buffer {
        view: &'a BufferView,
        newest_first: Vec<Key>,
    },
}

/// The part of a trace that is in one source.
#[derive(Clone, Copy, Debug)]
pub(super) struct Piece {
    pub(super) source: usize,
    pub(super) start: UnixNanos,
    pub(super) end: UnixNanos,
}

impl Source<'_> {
    /// The piece at a place in the order, by the start of the piece.
    pub(super) fn nth_newest(&self, place: usize) -> Option<Key> {
        match self {
            Source::Segment { index, .. } => {
                let trace = index.nth_newest(place)?;
                Some(key(trace.start, trace.trace_id))
            }
            Source::Buffer { newest_first, .. } => newest_first.get(place).copied(),
        }
    }

    /// How many pieces come before or at this place in the order.
    pub(super) fn places_up_to(&self, up_to: Key) -> usize {
        match self {
            Source::Segment { index, .. } => index.newest_up_to(up_to.0.0, up_to.1),
            Source::Buffer { newest_first, .. } => {
                newest_first.partition_point(|key| *key <= up_to)
            }
        }
    }

    /// The pieces of a trace.
    pub(super) fn pieces(sources: &[Source<'_>], id: TraceId) -> Vec<Piece> {
        let pieces = sources.iter().enumerate().filter_map(|(number, source)| {
            let (start, end) = match source {
                Source::Segment { index, .. } => {
                    let trace = index.trace(id)?;
                    (trace.start, trace.end)
                }
                Source::Buffer { view, .. } => view.bounds(id)?,
            };
            Some(Piece {
                source: number,
                start,
                end,
            })
        });
        pieces.collect()
    }
}

impl Reader<'_> {
    /// All sources of spans, oldest first.
    pub(super) fn trace_sources(&self) -> Result<Vec<Source<'_>>, ReadError> {
        let mut sources = Vec::new();
        for segment in self.snapshot.segments.of(Signal::Traces) {
            let index = self.files.index(segment)?;
            sources.push(Source::Segment { segment, index });
        }
        for view in &self.snapshot.buffers {
            let traces = view.traces().into_iter();
            let mut newest_first: Vec<Key> = traces.map(|(start, id)| key(start, id)).collect();
            newest_first.sort_unstable();
            sources.push(Source::Buffer { view, newest_first });
        }
        Ok(sources)
    }

    /// The spans of a trace's pieces. Whether the traces beside one in a source and a block, named by
    /// its first row, will not be looked at, `is_alone` says.
    pub(super) fn piece_spans(
        &self,
        sources: &[Source<'_>],
        pieces: &[Piece],
        id: TraceId,
        is_alone: impl Fn(usize, u32) -> bool,
    ) -> Result<Vec<Arc<Span>>, ReadError> {
        let mut spans = Vec::new();
        for piece in pieces {
            match &sources[piece.source] {
                Source::Buffer { view, .. } => spans.extend(view.spans_of(id)),
                Source::Segment { segment, index } => {
                    if let Some(trace) = index.trace(id) {
                        let found = match is_alone(piece.source, index.block(trace).start) {
                            true => self.files.lone_spans(segment, index, trace)?,
                            false => self.files.block_spans(segment, index, trace)?,
                        };
                        spans.extend(found);
                    }
                }
            }
        }
        Ok(spans)
    }
}
