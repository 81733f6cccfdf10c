//! A buffer as a reader sees it.

use std::sync::Arc;

use throughline_telemetry::{MetricPoint, Span, TraceId, UnixNanos};

use super::{Buffer, BufferRows, Chunk, Chunks, Services, TraceEntry};
use crate::batch::{LogRows, PointRows, SpanRows};
use crate::rows::LogRow;

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

    pub(crate) fn generation(&self) -> u64 {
        self.buffer.generation()
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

    /// The traces that have ends of links with these hashes, and whether there are more of each.
    pub(crate) fn linked(&self, hashes: &[u64]) -> Vec<(Vec<TraceId>, bool)> {
        self.buffer.links.find(&self.rows.spans, hashes)
    }

    /// How many spans a trace has here.
    pub(crate) fn span_count(&self, id: TraceId) -> usize {
        let places = self.span_places(id);
        places.partition_point(|place| *place < self.rows.spans.len())
    }

    /// The spans of a trace, in the order received.
    pub(crate) fn spans_of(&self, id: TraceId) -> Vec<Arc<Span>> {
        let mut spans = Vec::new();
        self.each_chunk(&self.rows.spans, &self.span_places(id), |chunk, places| {
            let rows = SpanRows::new(&chunk.batch).expect(BUILT);
            for place in places {
                let span = rows.at(chunk.owners(), place - chunk.first);
                spans.push(Arc::new(span.expect(BUILT)));
            }
        });
        spans
    }

    /// Whether some span of a trace may be one that is looked for.
    pub(crate) fn any_span(
        &self,
        id: TraceId,
        may_be: impl Fn(&SpanRows<'_>, &Chunk, usize) -> bool,
    ) -> bool {
        let mut any = false;
        self.each_chunk(&self.rows.spans, &self.span_places(id), |chunk, places| {
            let rows = SpanRows::new(&chunk.batch).expect(BUILT);
            any |= places
                .iter()
                .any(|place| may_be(&rows, chunk, place - chunk.first));
        });
        any
    }

    /// The log records of a trace, in the order received.
    pub(crate) fn logs_of(&self, id: TraceId) -> Vec<Arc<LogRow>> {
        let inner = self.buffer.lock();
        let places: Vec<usize> = inner
            .log_traces
            .get(&id)
            .into_iter()
            .flatten()
            .map(|place| *place as usize)
            .collect();
        drop(inner);
        let mut logs = Vec::new();
        self.each_chunk(&self.rows.logs, &places, |chunk, places| {
            let rows = LogRows::new(&chunk.batch).expect(BUILT);
            for place in places {
                let log = rows.at(chunk.owners(), place - chunk.first);
                logs.push(Arc::new(log.expect(BUILT)));
            }
        });
        logs
    }

    /// The metric points that are let through.
    pub(crate) fn find_points(
        &self,
        allows: impl Fn(&PointRows<'_>, usize) -> bool,
    ) -> Vec<MetricPoint> {
        let mut found = Vec::new();
        for chunk in self.rows.metrics.iter() {
            let rows = PointRows::new(&chunk.batch).expect(BUILT);
            let places = (0..rows.len()).filter(|row| allows(&rows, *row));
            found.extend(places.map(|row| rows.at(chunk.owners(), row).expect(BUILT)));
        }
        found
    }

    pub(crate) fn add_services(&self, into: &mut Services) {
        self.buffer.add_services(into);
    }

    fn span_places(&self, id: TraceId) -> Vec<usize> {
        let inner = self.buffer.lock();
        let ordinals = inner.traces.get(&id).map(|entry| entry.ordinals.iter());
        let places = ordinals.into_iter().flatten();
        places.map(|place| *place as usize).collect()
    }

    /// Hands over runs of places that are in one chunk. Places are ascending; those that came after
    /// the view are left out.
    fn each_chunk(
        &self,
        chunks: &Chunks,
        places: &[usize],
        mut take: impl FnMut(&Chunk, &[usize]),
    ) {
        let mut places = places;
        while let Some(chunk) = places.first().and_then(|place| chunks.chunk_of(*place)) {
            let end = chunk.first + chunk.batch.num_rows();
            let (here, rest) = places.split_at(places.partition_point(|place| *place < end));
            take(chunk, here);
            places = rest;
        }
    }

    /// Whether a trace was there when the view was taken.
    fn has(&self, entry: &TraceEntry) -> bool {
        let first = entry.ordinals.first();
        first.is_some_and(|first| (*first as usize) < self.rows.spans.len())
    }
}

const BUILT: &str = "batches in a buffer were built from checked rows and never left memory";
