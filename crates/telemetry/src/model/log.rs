//! Log records.

use std::sync::Arc;

use super::{Attributes, Resource, Scope, SpanId, TraceId, UnixNanos, Value};

/// One log record.
#[derive(Clone, Debug, PartialEq)]
pub struct LogRecord {
    /// When it was written, or zero.
    pub time: UnixNanos,
    /// When it was first seen by a collector.
    pub observed_time: UnixNanos,
    /// 1 to 24 as in OTLP (9 info, 13 warn, 17 error, 21 fatal); 0 if not known.
    pub severity_number: u8,
    /// The level as the program wrote it.
    pub severity_text: String,
    /// The message.
    pub body: Value,
    /// Details.
    pub attributes: Attributes,
    /// The trace during which it was written.
    pub trace_id: Option<TraceId>,
    /// The span during which it was written.
    pub span_id: Option<SpanId>,
    /// Name of the kind of event, if it has one.
    pub event_name: String,
    /// Who emitted it.
    pub resource: Arc<Resource>,
    /// Which library, or which stream of the platform.
    pub scope: Arc<Scope>,
}

impl LogRecord {
    /// The time to sort by: when written, else when first seen.
    pub fn sort_time(&self) -> UnixNanos {
        if self.time.is_known() {
            self.time
        } else {
            self.observed_time
        }
    }
}
