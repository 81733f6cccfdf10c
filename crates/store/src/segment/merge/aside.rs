//! Spans of traces that begin in another input.
//!
//! They are wanted when their trace begins, and that is not when it is their block's turn. A trace that waits in queues
//! for minutes has spans all over the segments that follow, and a block would be read again for each of them. So what
//! is wanted out of turn is taken out of a block all at once, when the first of it is.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::sync::Arc;

use arrow::array::{RecordBatch, UInt64Array};
use arrow::compute::take_record_batch;
use throughline_telemetry::{TraceId, UnixNanos};

use super::super::index::{TraceIndex, TraceRange};
use super::super::table::Damage;
use super::Interrupted;
use super::gather::{Gather, Place};
use crate::batch::compact;
use crate::limits::{MERGE_ASIDE_ROWS_MAX, MERGE_BLOCK_ROWS};

/// Rows of one trace: where they come from, and which of the batch.
pub(super) type TraceRows = (Place, RecordBatch, Range<usize>);

/// What was taken out of blocks, of a merge.
#[derive(Debug, Default)]
pub(super) struct Aside {
    /// By input and block, the traces that begin in another input.
    traces: HashMap<Block, BTreeMap<TraceId, Range<u32>>>,
    taken: HashMap<Block, Taken>,
    /// Rows of what was taken.
    rows: usize,
}

/// An input, and the first row of a block of it.
type Block = (usize, u32);

#[derive(Debug)]
struct Taken {
    batch: RecordBatch,
    /// Those that are still to come.
    traces: HashMap<TraceId, Range<usize>>,
}

impl Aside {
    /// Of these inputs, with the earliest start of each trace, by id.
    pub(super) fn of(indexes: &[Arc<TraceIndex>], starts: &[(TraceId, UnixNanos)]) -> Self {
        let mut aside = Aside::default();
        for (input, index) in indexes.iter().enumerate() {
            for trace in index.iter() {
                let place = starts.binary_search_by_key(&trace.trace_id, |(id, _)| *id);
                if place.is_ok_and(|place| starts[place].1 < trace.start) {
                    let block = index.block_of(trace, MERGE_BLOCK_ROWS).start;
                    let of_block = aside.traces.entry((input, block)).or_default();
                    of_block.insert(trace.trace_id, trace.rows());
                }
            }
        }
        aside
    }

    /// The rows of a trace, if it begins in another input and there is room for what is set aside.
    pub(super) fn take(
        &mut self,
        input: usize,
        index: &TraceIndex,
        trace: &TraceRange,
        gather: &mut Gather<'_>,
    ) -> Result<Option<TraceRows>, Interrupted> {
        let rows = index.block_of(trace, MERGE_BLOCK_ROWS);
        let block = (input, rows.start);
        let traces = self.traces.get(&block);
        if let Some(traces) = traces.filter(|traces| traces.contains_key(&trace.trace_id)) {
            let count: usize = traces.values().map(ExactSizeIterator::len).sum();
            if self.rows + count > MERGE_ASIDE_ROWS_MAX {
                return Ok(None);
            }
            let begin = rows.start;
            let taken = Taken::of(&gather.block_once(input, rows)?, begin, traces)?;
            self.rows += count;
            self.traces.remove(&block);
            self.taken.insert(block, taken);
        }
        Ok(self.rows_of(block, trace))
    }

    fn rows_of(&mut self, block: Block, trace: &TraceRange) -> Option<TraceRows> {
        let taken = self.taken.get_mut(&block)?;
        let rows = taken.traces.remove(&trace.trace_id)?;
        let batch = taken.batch.clone();
        if taken.traces.is_empty() {
            self.rows -= batch.num_rows();
            self.taken.remove(&block);
        }
        let (input, begin) = block;
        let place = Place {
            input,
            begin,
            is_aside: true,
        };
        Some((place, batch, rows))
    }
}

impl Taken {
    fn of(
        block: &RecordBatch,
        begin: u32,
        traces: &BTreeMap<TraceId, Range<u32>>,
    ) -> Result<Self, Damage> {
        let mut places = Vec::new();
        let mut of_traces = HashMap::new();
        for (id, rows) in traces {
            let first = places.len();
            places.extend(rows.clone().map(|row| u64::from(row - begin)));
            of_traces.insert(*id, first..places.len());
        }
        let batch = take_record_batch(block, &UInt64Array::from(places))?;
        Ok(Taken {
            batch: compact(&batch),
            traces: of_traces,
        })
    }
}
