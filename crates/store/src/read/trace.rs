//! One trace, whole.

use std::collections::HashMap;
use std::sync::Arc;

use throughline_telemetry::{LogRecord, Signal, Span, SpanId, TraceId};

use super::Reader;
use crate::error::ReadError;
use crate::limits::TRACE_ROWS_MAX;

/// Everything stored about a trace.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TraceRows {
    /// Its spans, each once, by start.
    pub spans: Vec<Span>,
    /// The log records written during it, by time.
    pub logs: Vec<LogRecord>,
    /// Whether there are more spans or log records than are given here.
    pub truncated: bool,
}

impl Reader<'_> {
    pub(crate) fn trace(&self, id: TraceId) -> Result<TraceRows, ReadError> {
        let mut logs = Vec::new();
        for segment in self.snapshot.segments.of(Signal::Logs) {
            if logs.len() < TRACE_ROWS_MAX {
                let found = self.files.trace_logs(segment, id)?;
                logs.extend(found.into_iter().map(Arc::new));
            }
        }
        for buffer in &self.snapshot.buffers {
            logs.extend(buffer.logs_of(id));
        }
        logs.sort_by_key(|row| (row.time, row.sequence));
        let mut rows = self.trace_spans(id)?;
        rows.truncated |= logs.len() > TRACE_ROWS_MAX;
        logs.truncate(TRACE_ROWS_MAX);
        let records = logs.into_iter().map(Arc::unwrap_or_clone);
        rows.logs = records.map(|row| row.record).collect();
        Ok(rows)
    }

    /// Without its log records.
    pub(crate) fn trace_spans(&self, id: TraceId) -> Result<TraceRows, ReadError> {
        let mut spans = Vec::new();
        for segment in self.snapshot.segments.of(Signal::Traces) {
            if spans.len() < TRACE_ROWS_MAX {
                let found = self.files.trace_spans(segment, id)?;
                spans.extend(found.into_iter().map(Arc::new));
            }
        }
        for buffer in &self.snapshot.buffers {
            spans.extend(buffer.spans_of(id));
        }
        let mut spans = in_order(once(spans));
        let truncated = spans.len() > TRACE_ROWS_MAX;
        spans.truncate(TRACE_ROWS_MAX);
        Ok(TraceRows {
            spans,
            logs: Vec::new(),
            truncated,
        })
    }
}

/// Each span once. Of several with the same id the one that ended last counts: a sender that
/// repeats itself sends the same, and one that corrects itself knows more later. The answer must
/// not depend on whether the rows were sealed meanwhile, so the order received cannot decide.
pub(super) fn once(spans: Vec<Arc<Span>>) -> Vec<Arc<Span>> {
    let mut places: HashMap<SpanId, usize> = HashMap::with_capacity(spans.len());
    let mut kept: Vec<Arc<Span>> = Vec::with_capacity(spans.len());
    for span in spans {
        match places.get(&span.span_id) {
            Some(place) if span.end > kept[*place].end => kept[*place] = span,
            Some(_) => {}
            None => {
                places.insert(span.span_id, kept.len());
                kept.push(span);
            }
        }
    }
    kept
}

/// The spans by start, copied only where somebody else still looks at them.
pub(super) fn in_order(mut spans: Vec<Arc<Span>>) -> Vec<Span> {
    spans.sort_by_key(|span| (span.start, span.span_id));
    spans.into_iter().map(Arc::unwrap_or_clone).collect()
}
