//! How detection does, as `/healthz` and `/metrics` tell it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use throughline_insight::detect::State;
use throughline_telemetry::UnixNanos;

use super::{Detection, OuterCounts};

/// How detection does.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct DetectionHealth {
    /// Minutes that were taken in since the start.
    pub(crate) minutes: u64,
    /// Attempts at it that failed.
    pub(crate) failures: u64,
    /// What it took, on the threads of queries.
    pub(crate) busy: Duration,
    /// From the end of the last minute that is known until now; none before the first.
    pub(crate) behind: Option<Duration>,
    /// Functions, operations and edges that are watched.
    pub(crate) watched: usize,
    /// What there was no room for.
    pub(crate) left_out: u64,
    /// Incidents that go on.
    pub(crate) open: usize,
    /// Times that the state was written.
    pub(crate) saves: u64,
    /// Times that this failed.
    pub(crate) save_failures: u64,
    /// Bytes of the state as it was last written or read.
    pub(crate) state_bytes: u64,
    /// What came of alerts that others told.
    pub(crate) outer: OuterCounts,
}

impl Detection {
    /// How it does now.
    pub(crate) fn health(&self) -> DetectionHealth {
        let counters = &self.0.counters;
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let outer = self.outer_counts();
        let kept = self.kept();
        let known = Some(UnixNanos(kept.until)).filter(|until| until.0 > 0);
        let incidents = kept.detector.incidents().iter();
        DetectionHealth {
            minutes: read(&counters.minutes),
            failures: read(&counters.failures),
            busy: Duration::from_micros(read(&counters.busy_micros)),
            behind: known.map(|until| self.0.clock.now().since(until)),
            watched: kept.detector.watched(),
            left_out: kept.detector.left_out() + read(&counters.cut),
            open: incidents.filter(|known| known.state == State::Open).count(),
            saves: read(&counters.saves),
            save_failures: read(&counters.save_failures),
            state_bytes: read(&counters.state_bytes),
            outer,
        }
    }
}
