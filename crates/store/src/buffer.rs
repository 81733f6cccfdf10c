//! The rows of one generation that are not yet in a segment.
//!
//! **Invariant**: the buffer of generation N holds exactly the rows of the whole frames of WAL
//! file N, in the order of the file, and what their tags say of the environments that sent them.

mod activity;
mod chunks;
mod services;
mod view;

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use arrow::array::RecordBatch;
use throughline_telemetry::{Signal, TraceId, UnixNanos};

pub(crate) use activity::{Activities, Activity};
pub(crate) use chunks::{Chunk, Chunks};
pub(crate) use services::{ServiceStats, Services};
pub(crate) use view::BufferView;

use crate::batch::{LogRows, SpanRows, with_sequences};
use crate::links::BufferLinks;
use crate::origin::{EnvironmentId, Origin};
use crate::rows::{BatchBuilder, Rows};

/// A buffer that one thread fills and many read.
#[derive(Debug)]
pub(crate) struct Buffer {
    generation: u64,
    inner: Mutex<Inner>,
    links: BufferLinks,
}

#[derive(Debug)]
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

/// Bodies as they go into a buffer, all at once.
#[derive(Debug, Default)]
pub(crate) struct Group {
    batches: Vec<(Signal, RecordBatch)>,
    notes: Vec<(Box<Origin>, u64, UnixNanos)>,
    cost: u64,
}

/// The rows themselves. A clone is cheap and never changes.
#[derive(Clone, Debug)]
pub(crate) struct BufferRows {
    pub(crate) spans: Chunks,
    pub(crate) logs: Chunks,
    pub(crate) metrics: Chunks,
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

impl Group {
    /// Makes batches of the rows. Rows of one signal stay in the order of the entries, so that they
    /// have the same places after a replay.
    pub(crate) fn new(entries: impl IntoIterator<Item = Entry>) -> Self {
        let mut group = Group::default();
        let mut builder = BatchBuilder::default();
        for entry in entries {
            group.cost += entry.cost;
            if let Some(origin) = entry.origin {
                group.notes.push((origin, entry.items, entry.received));
            }
            match entry.rows {
                Rows::None => {}
                Rows::Checked(checked) => builder.push(&checked, entry.received),
                Rows::Built(signal, batch) => {
                    group.batches.extend(std::mem::take(&mut builder).finish());
                    group.batches.push((signal, batch));
                }
            }
        }
        group.batches.extend(builder.finish());
        group
    }

    /// The rows, as they were sent.
    pub(crate) fn batches(&self) -> Vec<(Signal, RecordBatch)> {
        self.batches.clone()
    }
}

impl Buffer {
    pub(crate) fn new(generation: u64) -> Self {
        Buffer {
            generation,
            links: BufferLinks::default(),
            inner: Mutex::new(Inner {
                rows: BufferRows {
                    spans: Chunks::new(Signal::Traces),
                    logs: Chunks::new(Signal::Logs),
                    metrics: Chunks::new(Signal::Metrics),
                },
                traces: HashMap::new(),
                log_traces: HashMap::new(),
                services: Services::default(),
                activities: Activities::default(),
                cost: 0,
            }),
        }
    }

    pub(crate) fn generation(&self) -> u64 {
        self.generation
    }

    /// Adds the rows of several requests at once: a reader sees all of them or none.
    pub(crate) fn insert(&self, group: Group) {
        let mut inner = self.lock();
        inner.cost += group.cost;
        for (origin, items, received) in group.notes {
            activity::note(&mut inner.activities, *origin, items, received);
        }
        for (signal, batch) in group.batches {
            match signal {
                Signal::Traces => inner.spans(batch),
                Signal::Logs => inner.logs(batch, self.generation),
                Signal::Metrics => inner.rows.metrics.push(batch),
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
    fn spans(&mut self, batch: RecordBatch) {
        let rows = SpanRows::new(&batch).expect("a batch of spans was built");
        let first = ordinal(self.rows.spans.len());
        for (row, ordinal) in (0..rows.len()).zip(first..) {
            let id = rows.trace_id(row).expect("ids were checked");
            let (start, end) = (rows.start(row), rows.end(row));
            let entry = self.traces.entry(id).or_insert(TraceEntry {
                start,
                end,
                ordinals: Vec::new(),
            });
            entry.start = entry.start.min(start);
            entry.end = entry.end.max(end);
            entry.ordinals.push(ordinal);
        }
        self.services.spans(&rows);
        self.rows.spans.push(batch);
        ordinal(self.rows.spans.len());
    }

    fn logs(&mut self, batch: RecordBatch, generation: u64) {
        let first = ordinal(self.rows.logs.len());
        let batch = with_sequences(batch, sequence(generation, first));
        let rows = LogRows::new(&batch).expect("a batch of log records was built");
        for (row, ordinal) in (0..rows.len()).zip(first..) {
            if let Some(id) = rows.trace_id(row).expect("ids were checked") {
                self.log_traces.entry(id).or_default().push(ordinal);
            }
        }
        self.rows.logs.push(batch);
        ordinal(self.rows.logs.len());
    }
}

/// Of the log record at a place.
fn sequence(generation: u64, ordinal: u32) -> u64 {
    assert!(
        generation < 1 << 32,
        "more generations than a sequence can name"
    );
    generation << 32 | u64::from(ordinal)
}

fn ordinal(len: usize) -> u32 {
    u32::try_from(len).expect("the byte budget keeps a buffer far below 2^32 rows")
}
