//! What questions about sums by the minute have in common.

use std::ops::Range;

use arrow::array::RecordBatch;
use throughline_telemetry::UnixNanos;

use crate::rollup::{minute_from, minute_of};

/// Which sums are asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SumFilter {
    /// From then on. Whole minutes count: the one that this is in.
    pub from: UnixNanos,
    /// Up to before then, and to the end of its minute.
    pub to: UnixNanos,
    /// Only those that this service has a part in.
    pub service: Option<String>,
    /// Only those that this function has a part in.
    pub function: Option<String>,
    /// At most so many.
    pub limit: usize,
}

/// What was looked at for an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Looked {
    /// Segments and buffers.
    pub parts: u64,
    /// Those of them that had been summed up when they were sealed.
    pub rollups: u64,
    /// Rows, of sums and of what they are sums of.
    pub rows: u64,
    /// Bytes of columns, unpacked.
    pub bytes: u64,
}

impl SumFilter {
    /// The minutes that count.
    pub(crate) fn minutes(&self) -> Range<UnixNanos> {
        minute_of(self.from)..minute_from(self.to)
    }
}

impl Looked {
    /// Counts rows.
    pub(crate) fn at(&mut self, rows: &RecordBatch) {
        self.rows += rows.num_rows() as u64;
        self.bytes += rows.get_array_memory_size() as u64;
    }
}
