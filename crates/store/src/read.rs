//! Reads: what can be asked and what comes back.
//!
//! Work is counted in steps and limited; a search that stops at the limit says so, and its cursor
//! goes on where it stopped. Rows of other kinds than traces are found by [`crate::Search`].

mod attributes;
mod check;
mod cursor;
mod filter;
mod metrics;
mod services;
mod trace;
mod traces;
mod work;

pub use attributes::{AttributeKey, AttributeValue, Listed};
pub(crate) use cursor::hex;
pub use cursor::{BadCursor, LogCursor, TraceCursor};
pub use filter::{MetricFilter, TraceFilter, TraceStatus};
pub use metrics::MetricPage;
pub use services::{ServiceFilter, ServiceList, ServiceRow};
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
