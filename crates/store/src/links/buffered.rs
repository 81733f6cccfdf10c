//! The ends of what is not in a segment yet.

use std::sync::{Mutex, PoisonError};

use arrow::array::FixedSizeBinaryArray;
use throughline_telemetry::TraceId;

use super::fold::each_end;
use crate::batch::typed;
use crate::buffer::Chunks;
use crate::hash::HashMap;
use crate::limits::LINKED_TRACES_MAX;

/// What was found so far in a buffer; the rest is looked through at the next lookup.
#[derive(Debug, Default)]
pub(crate) struct BufferLinks(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    rows: usize,
    traces: HashMap<u64, Vec<TraceId>>,
}

impl BufferLinks {
    /// The traces that have an end with one of these hashes, and whether there are more. Some may be of
    /// spans that came after these rows.
    pub(crate) fn find(&self, rows: &Chunks, hashes: &[u64]) -> Vec<(Vec<TraceId>, bool)> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.read_on(rows);
        let found = hashes.iter().map(|hash| {
            let traces = known.traces.get(hash);
            let traces = traces.map_or(&[] as &[TraceId], Vec::as_slice);
            let some = traces.iter().take(LINKED_TRACES_MAX).copied().collect();
            (some, traces.len() > LINKED_TRACES_MAX)
        });
        found.collect()
    }
}

impl Known {
    fn read_on(&mut self, rows: &Chunks) {
        while let Some(chunk) = rows.chunk_of(self.rows) {
            let from = self.rows - chunk.first;
            let batch = chunk.batch.slice(from, chunk.batch.num_rows() - from);
            let ids = batch.column_by_name("trace_id").expect(BUILT);
            let ids: &FixedSizeBinaryArray = typed(ids, "trace_id").expect(BUILT);
            let traces = &mut self.traces;
            let told = each_end(&batch, |row, hash| {
                let id = TraceId::from_slice(ids.value(row)).expect(BUILT);
                let known = traces.entry(hash).or_default();
                if known.last() != Some(&id) && known.len() <= LINKED_TRACES_MAX {
                    known.push(id);
                }
            });
            told.expect(BUILT);
            self.rows += batch.num_rows();
        }
    }
}

const BUILT: &str = "batches in a buffer were built from checked rows and never left memory";
