//! Spans that were sent more than once, found by their ids.
//!
//! Of several with the same trace id and span id the one that ended last counts, and of those the one
//! that came first: the same as where whole traces are read.

use std::cmp::Reverse;
use std::ops::Range;

use arrow::array::{Array, FixedSizeBinaryArray, Int64Array, TimestampNanosecondArray};
use throughline_telemetry::UnixNanos;

use super::SegmentMeta;
use super::files::SegmentFiles;
use super::projection::{Projected, Projection};
use crate::error::ReadError;

/// A span, as far as it matters here. Ordered so that the one of several copies that counts is first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct SpanKey {
    trace_id: [u8; 16],
    span_id: [u8; 8],
    end: Reverse<UnixNanos>,
    row: u32,
    start: UnixNanos,
}

impl SpanKey {
    pub(crate) fn trace_id(&self) -> &[u8; 16] {
        &self.trace_id
    }

    /// When it began and ended, in this order unless its clock ran backwards.
    pub(crate) fn times(&self) -> [UnixNanos; 2] {
        [self.start, self.end.0]
    }

    fn is_copy_of(&self, other: &SpanKey) -> bool {
        (&self.trace_id, &self.span_id) == (&other.trace_id, &other.span_id)
    }
}

/// Sorts spans, leaves of each the one that counts, and adds the rows of the others to `left_out`.
pub(crate) fn settle(spans: &mut Vec<SpanKey>, left_out: &mut Vec<u32>) {
    spans.sort_unstable();
    spans.dedup_by(|next, kept| {
        let copy = next.is_copy_of(kept);
        if copy {
            left_out.push(next.row);
        }
        copy
    });
}

/// The rows of two sorted lists whose copy in the other counts instead; the first is the older one.
pub(crate) fn losers(older: &[SpanKey], newer: &[SpanKey]) -> [Vec<u32>; 2] {
    let mut losers = [Vec::new(), Vec::new()];
    let ids = |span: &SpanKey| (span.trace_id, span.span_id);
    let mut rest = newer;
    for span in older {
        rest = &rest[rest.partition_point(|it| ids(it) < ids(span))..];
        if let Some(copy) = rest.first().filter(|it| it.is_copy_of(span)) {
            if copy.end < span.end {
                losers[0].push(span.row);
            } else {
                losers[1].push(copy.row);
            }
        }
    }
    losers
}

/// The spans of columns `trace_id`, `span_id`, `start` and `duration`, whose rows are these.
pub(crate) fn span_keys(
    read: &Projected,
    rows: impl Iterator<Item = u32>,
    into: &mut Vec<SpanKey>,
) -> Result<(), ReadError> {
    let trace_ids: &FixedSizeBinaryArray = read.get("trace_id")?;
    let span_ids: &FixedSizeBinaryArray = read.get("span_id")?;
    let starts: &TimestampNanosecondArray = read.get("start")?;
    let durations: &Int64Array = read.get("duration")?;
    into.extend((0..trace_ids.len()).zip(rows).map(|(at, row)| {
        let start = starts.value(at).cast_unsigned();
        let end = start.wrapping_add(durations.value(at).cast_unsigned());
        SpanKey {
            trace_id: id(trace_ids, at),
            span_id: id(span_ids, at),
            end: Reverse(UnixNanos(end)),
            row,
            start: UnixNanos(start),
        }
    }));
    Ok(())
}

/// The copies that one segment has of its own spans.
pub(super) fn within(files: &SegmentFiles, segment: &SegmentMeta) -> Result<Vec<u32>, ReadError> {
    let index = files.index(segment)?;
    let mut traces = index
        .firsts()
        .iter()
        .copied()
        .chain([segment.rows])
        .peekable();
    traces.next();
    let mut repeated = Vec::new();
    let mut seen: Vec<[u8; 8]> = Vec::new();
    let mut row = 0;
    let all = 0..segment.rows;
    for read in files.stream(segment, &wanted(&["span_id"]), &[all])? {
        let read = read?;
        let span_ids: &FixedSizeBinaryArray = read.get("span_id")?;
        for at in 0..span_ids.len() {
            seen.push(id(span_ids, at));
            row += 1;
            if traces.next_if_eq(&row).is_some() {
                let begin = row - u32::try_from(seen.len()).unwrap_or(row);
                seen.sort_unstable();
                if seen.windows(2).any(|pair| pair[0] == pair[1]) {
                    repeated.push(begin..row);
                }
                seen.clear();
            }
        }
    }
    let mut left_out = Vec::new();
    settle(&mut read_keys(files, segment, repeated)?, &mut left_out);
    Ok(left_out)
}

/// The spans of two segments whose copy in the other counts instead.
pub(super) fn between(
    files: &SegmentFiles,
    older: &SegmentMeta,
    newer: &SegmentMeta,
) -> Result<[Vec<u32>; 2], ReadError> {
    let [of_older, of_newer] = files.index(older)?.shared(&*files.index(newer)?);
    let mut older = read_keys(files, older, of_older)?;
    let mut newer = read_keys(files, newer, of_newer)?;
    let mut own = Vec::new();
    settle(&mut older, &mut own);
    settle(&mut newer, &mut own);
    Ok(losers(&older, &newer))
}

/// The spans at these rows, which are in order.
pub(crate) fn read_keys(
    files: &SegmentFiles,
    segment: &SegmentMeta,
    rows: Vec<Range<u32>>,
) -> Result<Vec<SpanKey>, ReadError> {
    let mut keys = Vec::new();
    if !rows.is_empty() {
        let columns = wanted(&["trace_id", "span_id", "start", "duration"]);
        let read = files.project(segment, &columns, &rows)?;
        span_keys(&read, rows.into_iter().flatten(), &mut keys)?;
    }
    Ok(keys)
}

fn wanted<'a>(columns: &[&'a str]) -> Projection<'a> {
    Projection {
        columns: columns.to_vec(),
        attributes: Vec::new(),
    }
}

/// Ids have the width that the schema says, which was checked when the file was opened.
fn id<const N: usize>(ids: &FixedSizeBinaryArray, at: usize) -> [u8; N] {
    ids.value(at).try_into().unwrap_or([0; N])
}
