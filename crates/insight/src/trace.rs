//! One trace, assembled.

use throughline_telemetry::{LogRecord, Span};

use crate::{Placed, Summary, place};

/// One trace: its summary, its spans as a tree laid out in order, its logs.
#[derive(Clone, Debug, PartialEq)]
pub struct Trace {
    /// What the list of traces says about it.
    pub summary: Summary,
    /// Depth first: parents before children, siblings by start.
    pub spans: Vec<Placed>,
    /// In order of time.
    pub logs: Vec<LogRecord>,
}

/// Assembles the spans and logs of one trace, whatever their order.
pub fn assemble(spans: Vec<Span>, mut logs: Vec<LogRecord>) -> Trace {
    // A stable sort: records of one instant stay in the order in which they were written.
    logs.sort_by_key(LogRecord::sort_time);
    let mut summary = Summary::of(&spans);
    if spans.is_empty() {
        summary.start = logs.first().map(LogRecord::sort_time).unwrap_or_default();
    }
    Trace {
        summary,
        spans: place(spans),
        logs,
    }
}
