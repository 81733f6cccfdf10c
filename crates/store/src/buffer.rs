//! The rows of one generation that are not yet in a segment.
//!
//! **Invariant**: the buffer of generation N holds exactly the rows of the whole frames of WAL
//! file N, in the order of the file, and what their tags say of the environments that sent them.

mod activity;
mod chunked;
mod services;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use throughline_telemetry::{MetricPoint, Span, TraceId, UnixNanos};

pub(crate) use activity::{Activities, Activity};
pub(crate) use chunked::Chunked;
pub(crate) use services::{ServiceStats, Services};

use crate::origin::{EnvironmentId, Origin};
use crate::rows::{LogRow, Rows};

/// A buffer that one thread fills and many read.
#[derive(Debug)]
pub(crate) struct Buffer {
    generation: u64,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    rows: BufferRows,
    traces: HashMap<TraceId, TraceEntry>,
    log_traces: HashMap<TraceId, Vec<u32>>,
    services: Services,
    activities: Activities,
    /// WAL and memory bytes that were charged to the store's budget for these rows.
    cost: u64,
}

/// One body on its way into a buffer.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) rows: Rows,
    pub(crate) received: UnixNanos,
    /// What was charged to the store's budget for it.
    pub(crate) cost: u64,
    /// Spans, log records and metrics, as its sender counts them.
    pub(crate) items: u64,
    pub(crate) origin: Option<Box<Origin>>,
}

/// The rows themselves. A clone is cheap and never changes.
#[derive(Clone, Debug, Default)]
pub(crate) struct BufferRows {
    pub(crate) spans: Chunked<Span>,
    pub(crate) logs: Chunked<LogRow>,
    pub(crate) metrics: Chunked<MetricPoint>,
}

/// What a buffer knows of a trace.
#[derive(Clone, Debug)]
pub(crate) struct TraceEntry {
    /// Start of the earliest span.
    pub(crate) start: UnixNanos,
    /// End of the latest span.
    pub(crate) end: UnixNanos,
    /// Places of its spans in the buffer.
    ordinals: Vec<u32>,
}

impl Buffer {
    pub(crate) fn new(generation: u64) -> Self {
        Buffer {
            generation,
            inner: Mutex::default(),
        }
    }

    pub(crate) fn generation(&self) -> u64 {
        self.generation
    }

    /// Adds the rows of several requests at once: a reader sees all of them or none.
    pub(crate) fn insert(&self, group: impl IntoIterator<Item = Entry>) {
        let mut inner = self.lock();
        for entry in group {
            let received = entry.received;
            inner.cost += entry.cost;
            if let Some(origin) = entry.origin {
                activity::note(&mut inner.activities, *origin, entry.items, received);
            }
            match entry.rows {
                Rows::Spans(spans) => spans.into_iter().for_each(|span| inner.span(span)),
                Rows::Logs(logs) => {
                    for log in logs {
                        let sequence = sequence(self.generation, inner.rows.logs.len());
                        inner.log(LogRow::new(log, received, sequence));
                    }
                }
                Rows::Metrics(points) => points
                    .into_iter()
                    .for_each(|point| inner.rows.metrics.push(point)),
            }
        }
    }

    /// What was charged for the rows so far.
    pub(crate) fn cost(&self) -> u64 {
        self.lock().cost
    }

    pub(crate) fn is_empty(&self) -> bool {
        let inner = self.lock();
        let rows = &inner.rows;
        rows.spans.len() + rows.logs.len() + rows.metrics.len() + inner.activities.len() == 0
    }

    /// Whether this body of an environment is here.
    pub(crate) fn holds(&self, environment: &EnvironmentId, number: u64) -> bool {
        let inner = self.lock();
        let activity = inner.activities.get(environment);
        activity.is_some_and(|activity| activity.stored.holds(number))
    }

    /// What an environment did in this generation.
    pub(crate) fn activity(&self, environment: &EnvironmentId) -> Option<Activity> {
        self.lock().activities.get(environment).cloned()
    }

    /// What all environments did in this generation.
    pub(crate) fn activities(&self) -> Activities {
        self.lock().activities.clone()
    }

    /// The rows as they are now.
    pub(crate) fn rows(&self) -> BufferRows {
        self.lock().rows.clone()
    }

    /// Adds what the buffer knows of services.
    pub(crate) fn add_services(&self, into: &mut Services) {
        into.merge(&self.lock().services);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        // Nothing in here panics half way through a change that a reader could not bear.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn span(&mut self, span: Span) {
        let ordinal = ordinal(self.rows.spans.len());
        let entry = self.traces.entry(span.trace_id).or_insert(TraceEntry {
            start: span.start,
            end: span.end,
            ordinals: Vec::new(),
        });
        entry.start = entry.start.min(span.start);
        entry.end = entry.end.max(span.end);
        entry.ordinals.push(ordinal);
        self.services.span(&span);
        self.rows.spans.push(span);
    }

    fn log(&mut self, row: LogRow) {
        if let Some(trace_id) = row.record.trace_id {
            let ordinal = ordinal(self.rows.logs.len());
            self.log_traces.entry(trace_id).or_default().push(ordinal);
        }
        self.rows.logs.push(row);
    }
}

/// A buffer as it was at one moment.
#[derive(Clone, Debug)]
pub(crate) struct BufferView {
    buffer: Arc<Buffer>,
    pub(crate) rows: BufferRows,
}

impl BufferView {
    pub(crate) fn new(buffer: Arc<Buffer>) -> Self {
        BufferView {
            rows: buffer.rows(),
            buffer,
        }
    }

    /// Start and id of every trace that has a span here.
    pub(crate) fn traces(&self) -> Vec<(UnixNanos, TraceId)> {
        let inner = self.buffer.lock();
        let traces = inner.traces.iter().filter(|(_, entry)| self.has(entry));
        traces.map(|(id, entry)| (entry.start, *id)).collect()
    }

    /// Start and end of a trace, if it is here.
    pub(crate) fn bounds(&self, id: TraceId) -> Option<(UnixNanos, UnixNanos)> {
        let inner = self.buffer.lock();
        let entry = inner.traces.get(&id)?;
        self.has(entry).then_some((entry.start, entry.end))
    }

    /// The spans of a trace, in the order received.
    pub(crate) fn spans_of(&self, id: TraceId) -> Vec<Arc<Span>> {
        let inner = self.buffer.lock();
        let ordinals = inner.traces.get(&id).map(|entry| entry.ordinals.iter());
        let rows = ordinals.into_iter().flatten();
        rows.filter_map(|ordinal| self.rows.spans.at(*ordinal as usize))
            .collect()
    }

    /// The log records of a trace, in the order received.
    pub(crate) fn logs_of(&self, id: TraceId) -> Vec<Arc<LogRow>> {
        let inner = self.buffer.lock();
        let rows = inner.log_traces.get(&id).into_iter().flatten();
        rows.filter_map(|ordinal| self.rows.logs.at(*ordinal as usize))
            .collect()
    }

    pub(crate) fn add_services(&self, into: &mut Services) {
        self.buffer.add_services(into);
    }

    /// Whether a trace was there when the view was taken.
    fn has(&self, entry: &TraceEntry) -> bool {
        let first = entry.ordinals.first();
        first.is_some_and(|first| (*first as usize) < self.rows.spans.len())
    }
}

fn sequence(generation: u64, ordinal: usize) -> u64 {
    assert!(
        generation < 1 << 32,
        "more generations than a sequence can name"
    );
    generation << 32 | u64::from(self::ordinal(ordinal))
}

fn ordinal(len: usize) -> u32 {
    u32::try_from(len).expect("the byte budget keeps a buffer far below 2^32 rows")
}
