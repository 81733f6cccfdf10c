//! What a reader sees: the segments of one catalog version and the buffers, taken at once.
//!
//! **Invariant**: every acknowledged row is in exactly one of them. Publishing a seal takes the
//! frozen buffer away and adds its segments under one lock, the same that a snapshot takes.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use throughline_telemetry::Signal;

use crate::buffer::{Buffer, BufferView, Services};
use crate::rollup::RollupMeta;
use crate::segment::{SegmentId, SegmentMeta};

/// The segments of one version of the catalog.
#[derive(Clone, Debug, Default)]
pub(crate) struct Segments {
    spans: Vec<Arc<SegmentMeta>>,
    logs: Vec<Arc<SegmentMeta>>,
    metrics: Vec<Arc<SegmentMeta>>,
    /// The services of all span segments together.
    pub(crate) services: Services,
}

impl Segments {
    pub(crate) fn of(&self, signal: Signal) -> &[Arc<SegmentMeta>] {
        match signal {
            Signal::Traces => &self.spans,
            Signal::Logs => &self.logs,
            Signal::Metrics => &self.metrics,
        }
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &Arc<SegmentMeta>> {
        self.spans.iter().chain(&self.logs).chain(&self.metrics)
    }

    pub(crate) fn rollups(&self) -> impl Iterator<Item = &Arc<RollupMeta>> {
        self.spans.iter().flat_map(|segment| &segment.rollup)
    }

    pub(crate) fn add(&mut self, segment: SegmentMeta) {
        self.add_shared(Arc::new(segment));
    }

    fn add_shared(&mut self, segment: Arc<SegmentMeta>) {
        let list = match segment.signal {
            Signal::Traces => {
                self.services.merge(&segment.services);
                &mut self.spans
            }
            Signal::Logs => &mut self.logs,
            Signal::Metrics => &mut self.metrics,
        };
        list.push(segment);
    }
}

impl Segments {
    /// All but one.
    pub(crate) fn without(&self, id: SegmentId) -> Self {
        let mut rest = Segments::default();
        for segment in self.all().filter(|segment| segment.id != id) {
            rest.add_shared(Arc::clone(segment));
        }
        rest
    }
}

/// One consistent view of everything stored.
#[derive(Clone, Debug)]
pub(crate) struct Snapshot {
    pub(crate) segments: Arc<Segments>,
    /// Oldest generation first.
    pub(crate) buffers: Vec<BufferView>,
}

/// What is stored now, and the only place where that changes.
#[derive(Debug)]
pub(crate) struct Live(Mutex<State>);

#[derive(Debug)]
struct State {
    segments: Arc<Segments>,
    /// Buffers on their way into segments, oldest first.
    frozen: Vec<Arc<Buffer>>,
    /// The buffer that is being filled.
    active: Arc<Buffer>,
}

impl Live {
    pub(crate) fn new(segments: Segments, frozen: Vec<Arc<Buffer>>, active: Buffer) -> Self {
        Live(Mutex::new(State {
            segments: Arc::new(segments),
            frozen,
            active: Arc::new(active),
        }))
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        let state = self.lock();
        let buffers = state.frozen.iter().chain([&state.active]);
        Snapshot {
            segments: Arc::clone(&state.segments),
            buffers: buffers
                .map(|buffer| BufferView::new(Arc::clone(buffer)))
                .collect(),
        }
    }

    pub(crate) fn segments(&self) -> Arc<Segments> {
        Arc::clone(&self.lock().segments)
    }

    pub(crate) fn active(&self) -> Arc<Buffer> {
        Arc::clone(&self.lock().active)
    }

    /// All buffers, oldest first.
    pub(crate) fn buffers(&self) -> Vec<Arc<Buffer>> {
        let state = self.lock();
        let buffers = state.frozen.iter().chain([&state.active]);
        buffers.map(Arc::clone).collect()
    }

    /// Freezes the active buffer and goes on with `next`.
    pub(crate) fn freeze(&self, next: Buffer) -> Arc<Buffer> {
        let mut state = self.lock();
        let frozen = std::mem::replace(&mut state.active, Arc::new(next));
        state.frozen.push(Arc::clone(&frozen));
        frozen
    }

    /// Replaces a frozen buffer by the segments made from it.
    pub(crate) fn publish(&self, generation: u64, made: Vec<SegmentMeta>) {
        let mut state = self.lock();
        let mut segments = Segments::clone(&state.segments);
        made.into_iter().for_each(|segment| segments.add(segment));
        state.segments = Arc::new(segments);
        state
            .frozen
            .retain(|buffer| buffer.generation() != generation);
    }

    /// Goes on without a segment.
    pub(crate) fn set_aside(&self, id: SegmentId) {
        let mut state = self.lock();
        state.segments = Arc::new(state.segments.without(id));
    }

    /// Replaces segments by others, or by none.
    pub(crate) fn swap(&self, old: &[Arc<SegmentMeta>], new: Vec<SegmentMeta>) {
        let mut state = self.lock();
        let is_old = |segment: &SegmentMeta| old.iter().any(|old| old.id == segment.id);
        let stay = state.segments.all().filter(|segment| !is_old(segment));
        let mut all: Vec<Arc<SegmentMeta>> = stay.map(Arc::clone).collect();
        all.extend(new.into_iter().map(Arc::new));
        all.sort_by_key(|segment| segment.age());
        let mut segments = Segments::default();
        all.into_iter()
            .for_each(|segment| segments.add_shared(segment));
        state.segments = Arc::new(segments);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
