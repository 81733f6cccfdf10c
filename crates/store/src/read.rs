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
mod values;
mod work;

pub use attributes::{AttributeKey, AttributeValue, Listed};
pub(crate) use cursor::hex;
pub use cursor::{BadCursor, LogCursor, TraceCursor};
pub use filter::{MetricFilter, TraceFilter, TraceStatus};
pub use metrics::MetricPage;
pub use services::{ServiceFilter, ServiceList, ServiceRow};
pub use trace::TraceRows;
pub use traces::TracePage;
pub use values::ValueTraces;

use std::fmt;

use throughline_telemetry::TraceId;
use throughline_telemetry::correlation::End;

use crate::error::ReadError;
use crate::limits::WORK_MAX;
use crate::links::Linked;
use crate::segment::SegmentFiles;
use crate::snapshot::Snapshot;

/// Answers one question from one snapshot.
pub(crate) struct Reader<'a> {
    pub(crate) snapshot: Snapshot,
    pub(crate) files: &'a SegmentFiles,
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

/// Traces of one snapshot, as many as one question needs.
pub struct Traces<'a>(pub(crate) Reader<'a>);

impl Traces<'_> {
    /// The spans, without duplicates, and the log records of a trace; none if it is unknown.
    /// Blocks on the disk.
    pub fn load(&self, id: TraceId) -> Result<TraceRows, ReadError> {
        self.0.trace(id)
    }

    /// The same without its log records, which are files less to look into. Blocks on the disk.
    pub fn spans(&self, id: TraceId) -> Result<TraceRows, ReadError> {
        self.0.trace_spans(id)
    }

    /// Which traces have spans with these ends of links. Blocks on the disk.
    pub fn linked(&self, ends: &[End]) -> Result<Linked, ReadError> {
        self.0.linked(ends)
    }
}

impl fmt::Debug for Traces<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Traces")
    }
}

#[cfg(test)]
mod tests;
