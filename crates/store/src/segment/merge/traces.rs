//! Spans, trace by trace.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{FixedSizeBinaryArray, Int64Array, RecordBatch, TimestampNanosecondArray};
use throughline_telemetry::{TraceId, UnixNanos};

use super::super::SegmentMeta;
use super::super::columns::Columns;
use super::super::files::SegmentFiles;
use super::super::index::{TraceIndex, TraceRange};
use super::aside::{Aside, TraceRows};
use super::gather::{Gather, Place};
use super::{Interrupted, Order};
use crate::error::ReadError;
use crate::limits::MERGE_BLOCK_ROWS;

/// All traces of the inputs, by start and id.
pub(super) struct TraceOrder {
    indexes: Vec<Arc<TraceIndex>>,
    aside: Aside,
    traces: std::vec::IntoIter<(UnixNanos, TraceId)>,
}

/// A span and where it is.
struct Found {
    place: Place,
    block: RecordBatch,
    row: usize,
    start: i64,
    end: u64,
}

impl TraceOrder {
    pub(super) fn new(
        files: &SegmentFiles,
        inputs: &[Arc<SegmentMeta>],
    ) -> Result<Self, ReadError> {
        let indexes = inputs
            .iter()
            .map(|input| files.load_index(input).map(Arc::new));
        let indexes = indexes.collect::<Result<Vec<_>, _>>()?;
        let mut traces: Vec<(TraceId, UnixNanos)> = Vec::new();
        for index in &indexes {
            traces.extend(index.iter().map(|trace| (trace.trace_id, trace.start)));
        }
        // Of each trace the earliest start comes first and stays.
        traces.sort_unstable();
        traces.dedup_by_key(|(id, _)| *id);
        let aside = Aside::of(&indexes, &traces);
        let mut traces: Vec<_> = traces.into_iter().map(|(id, start)| (start, id)).collect();
        traces.sort_unstable();
        Ok(TraceOrder {
            indexes,
            aside,
            traces: traces.into_iter(),
        })
    }

    /// The spans of a trace, each once, by start.
    fn spans(&mut self, id: TraceId, gather: &mut Gather<'_>) -> Result<Vec<Found>, Interrupted> {
        let mut kept: Vec<Found> = Vec::new();
        let mut places: HashMap<[u8; 8], usize> = HashMap::new();
        for (input, index) in self.indexes.iter().enumerate() {
            let Some(trace) = index.trace(id) else {
                continue;
            };
            let (place, block, rows) = match self.aside.take(input, index, trace, gather)? {
                Some(taken) => taken,
                None => in_block(input, index, trace, gather)?,
            };
            let columns = Columns(&block);
            let span_ids: &FixedSizeBinaryArray = columns.get("span_id")?;
            let starts: &TimestampNanosecondArray = columns.get("start")?;
            let durations: &Int64Array = columns.get("duration")?;
            for row in rows {
                let start = starts.value(row);
                let end = start.wrapping_add(durations.value(row)).cast_unsigned();
                let mut id = [0; 8];
                id.copy_from_slice(span_ids.value(row));
                let found = Found {
                    place,
                    block: block.clone(),
                    row,
                    start,
                    end,
                };
                match places.get(&id) {
                    Some(place) if end > kept[*place].end => kept[*place] = found,
                    Some(_) => {}
                    None => {
                        places.insert(id, kept.len());
                        kept.push(found);
                    }
                }
            }
        }
        kept.sort_by_key(|found| found.start.cast_unsigned());
        Ok(kept)
    }
}

/// Rows of a trace, in the block that they are in.
fn in_block(
    input: usize,
    index: &TraceIndex,
    trace: &TraceRange,
    gather: &mut Gather<'_>,
) -> Result<TraceRows, ReadError> {
    let block = index.block_of(trace, MERGE_BLOCK_ROWS);
    let begin = block.start;
    let place = Place {
        input,
        begin,
        is_aside: false,
    };
    let rows = index.adjacent_rows(trace);
    let rows = (rows.start - begin) as usize..(rows.end - begin) as usize;
    Ok((place, gather.block(input, block)?, rows))
}

impl Order for TraceOrder {
    fn pick(&mut self, gather: &mut Gather<'_>) -> Result<(), Interrupted> {
        while !gather.is_full() {
            let Some((_, id)) = self.traces.next() else {
                break;
            };
            for found in self.spans(id, gather)? {
                gather.pick(found.place, &found.block, found.row);
            }
        }
        Ok(())
    }
}
