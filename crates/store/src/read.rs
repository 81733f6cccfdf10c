//! Reads: what can be asked and what comes back.
//!
//! A search walks newest first through the indexes of all segments and buffers at once, looks at
//! rows only where an index cannot decide, and stops when its page is full and its work is done.
//! Work is counted in steps and limited; a search that stops at the limit says so, and its cursor
//! goes on where it stopped.

mod attributes;
mod check;
mod cursor;
mod filter;
mod logs;
mod metrics;
mod services;
mod trace;
mod traces;
mod work;

pub use attributes::{AttributeKey, AttributeValue, Listed};
pub(crate) use cursor::hex;
pub use cursor::{BadCursor, LogCursor, TraceCursor};
pub use filter::{LogFilter, MetricFilter, TraceFilter, TraceStatus};
pub use logs::LogPage;
pub use metrics::MetricPage;
pub use services::ServiceRow;
pub use trace::TraceRows;
pub use traces::TracePage;

use crate::limits::WORK_MAX;
use crate::segment::SegmentFiles;
use crate::snapshot::Snapshot;

/// Answers one question from one snapshot.
pub(crate) struct Reader<'a> {
    snapshot: Snapshot,
    files: &'a SegmentFiles,
    /// Steps that a search may take.
    work_max: u64,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(snapshot: Snapshot, files: &'a SegmentFiles) -> Self {
        Reader {
            snapshot,
            files,
            work_max: WORK_MAX,
        }
    }
}

#[cfg(test)]
mod tests;
