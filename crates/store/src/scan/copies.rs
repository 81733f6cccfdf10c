//! Which rows of which parts are copies of a span that is read from another part, or from the same.
//!
//! Segments never change, so what two of them have in common is looked for once and remembered; only
//! those are compared whose times overlap. What is in buffers is looked through each time, some ten
//! milliseconds for a hundred thousand spans.

use std::ops::Range;

use throughline_telemetry::{TraceId, UnixNanos};

use super::part::Place;
use crate::buffer::Chunks;
use crate::error::ReadError;
use crate::segment::{
    Projected, SegmentFiles, SegmentMeta, SpanKey, losers, read_keys, settle, span_keys,
};

/// Rows to leave out.
#[derive(Debug)]
pub(super) struct Copies {
    /// Of each part, in order.
    pub(super) left_out: Vec<Vec<u32>>,
}

/// The spans of a part.
enum Spans<'a> {
    Buffer(Vec<SpanKey>),
    Segment(&'a SegmentMeta),
}

impl Copies {
    /// There are none.
    pub(super) fn none(parts: usize) -> Self {
        Copies {
            left_out: vec![Vec::new(); parts],
        }
    }

    /// Those of spans. The parts are ordered newest first.
    pub(super) fn find(files: &SegmentFiles, places: &[Place]) -> Result<Self, ReadError> {
        let mut copies = Copies::none(places.len());
        let mut parts = Vec::with_capacity(places.len());
        for (part, place) in places.iter().enumerate() {
            let left_out = &mut copies.left_out[part];
            match place {
                Place::Buffer(chunks) => {
                    let (mut spans, times) = spans_of(chunks)?;
                    settle(&mut spans, left_out);
                    parts.push((times, part, Spans::Buffer(spans)));
                }
                Place::Segment { segment, .. } => {
                    let rollup = segment.rollup.as_ref();
                    // Its rollup counts each span once.
                    if rollup.is_none_or(|rollup| rollup.spans != segment.rows) {
                        left_out.extend(&files.copies(segment, segment)?[0]);
                    }
                    let times = segment.first..segment.last.max(segment.end);
                    parts.push((times, part, Spans::Segment(segment)));
                }
            }
        }
        parts.sort_by_key(|(times, ..)| times.start);
        for (number, (times, part, spans)) in parts.iter().enumerate() {
            let later = parts[number + 1..].iter();
            for (_, other, spans_there) in later.take_while(|(there, ..)| there.start <= times.end)
            {
                // The one that comes later in the order of parts is the older one, but for segments,
                // which say so themselves.
                let first_is_older = match (spans, spans_there) {
                    (Spans::Segment(here), Spans::Segment(there)) => here.id < there.id,
                    _ => part > other,
                };
                if first_is_older {
                    copies.add(*part, *other, common(files, spans, spans_there)?);
                } else {
                    copies.add(*other, *part, common(files, spans_there, spans)?);
                }
            }
        }
        for rows in &mut copies.left_out {
            rows.sort_unstable();
            rows.dedup();
        }
        Ok(copies)
    }

    fn add(&mut self, older: usize, newer: usize, [of_older, of_newer]: [Vec<u32>; 2]) {
        self.left_out[older].extend(of_older);
        self.left_out[newer].extend(of_newer);
    }
}

/// The rows of two parts whose copy in the other counts instead.
fn common(
    files: &SegmentFiles,
    older: &Spans<'_>,
    newer: &Spans<'_>,
) -> Result<[Vec<u32>; 2], ReadError> {
    match (older, newer) {
        (Spans::Segment(older), Spans::Segment(newer)) => {
            files.copies(older, newer).map(|rows| (*rows).clone())
        }
        (Spans::Segment(older), Spans::Buffer(newer)) => {
            let index = files.index(older)?;
            let traces = newer.chunk_by(|a, b| a.trace_id() == b.trace_id());
            let rows = traces.filter_map(|spans| {
                let id = TraceId::new(*spans[0].trace_id()).ok()?;
                Some(index.adjacent_rows(index.trace(id)?))
            });
            let mut rows: Vec<Range<u32>> = rows.collect();
            rows.sort_by_key(|rows| rows.start);
            let mut older = read_keys(files, older, rows)?;
            settle(&mut older, &mut Vec::new());
            Ok(losers(&older, newer))
        }
        (Spans::Buffer(older), Spans::Buffer(newer)) => Ok(losers(older, newer)),
        (Spans::Buffer(_), Spans::Segment(_)) => {
            unreachable!("rows in a buffer are younger than those in any segment")
        }
    }
}

/// The spans of a buffer, and the times that they are within.
fn spans_of(chunks: &Chunks) -> Result<(Vec<SpanKey>, Range<UnixNanos>), ReadError> {
    let mut spans = Vec::with_capacity(chunks.len());
    let mut row = 0;
    for chunk in chunks.iter() {
        let read = Projected::of_canonical(chunk.batch.clone());
        span_keys(&read, row.., &mut spans)?;
        row += u32::try_from(read.rows()).unwrap_or(u32::MAX);
    }
    let times = spans.iter().flat_map(SpanKey::times);
    let from = times.clone().min().unwrap_or_default();
    let to = times.max().unwrap_or_default();
    Ok((spans, from..to))
}
