//! What a source did, in sum and one by one.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::broadcast;
use tracing::{debug, warn};

/// Something that a source did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceEvent {
    /// The source, such as `sqs orders`.
    pub source: String,
    /// The function that it invokes.
    pub function: String,
    /// What it did.
    pub what: What,
}

/// What a source did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// So many records were handled by the function, or were queued for it.
    Delivered(usize),
    /// So many records failed, or must come again, for this reason.
    Failed(usize, String),
    /// So many records did not match the filters.
    Filtered(usize),
    /// So many records were given up after their retries, or could not be delivered at all.
    GivenUp(usize, String),
    /// It waits, for this reason.
    BackingOff(Duration, String),
}

/// What a source did since it was started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceCounts {
    /// The source, such as `sqs orders`.
    pub source: String,
    /// The function that it invokes.
    pub function: String,
    /// Records that the function handled, or that were queued for it.
    pub delivered: u64,
    /// Records that failed, each as often as it did.
    pub failed: u64,
    /// Records that did not match the filters.
    pub filtered: u64,
    /// Records that were given up.
    pub given_up: u64,
    /// How often it had to wait because the endpoint or the function could not take more.
    pub backoffs: u64,
}

/// Tells and counts what one source does. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Reporter {
    pub(crate) source: Arc<str>,
    pub(crate) function: Arc<str>,
    counters: Arc<Counters>,
    events: broadcast::Sender<SourceEvent>,
}

#[derive(Debug, Default)]
struct Counters {
    delivered: AtomicU64,
    failed: AtomicU64,
    filtered: AtomicU64,
    given_up: AtomicU64,
    backoffs: AtomicU64,
}

impl Reporter {
    pub(crate) fn new(
        source: &str,
        function: &str,
        events: &broadcast::Sender<SourceEvent>,
    ) -> Self {
        Self {
            source: source.into(),
            function: function.into(),
            counters: Arc::default(),
            events: events.clone(),
        }
    }

    pub(crate) fn delivered(&self, records: usize) {
        debug!(source = %self.source, function = %self.function, records, "batch delivered");
        self.tell(&self.counters.delivered, records, What::Delivered(records));
    }

    pub(crate) fn failed(&self, records: usize, why: &str) {
        warn!(source = %self.source, function = %self.function, records, why, "batch failed");
        let what = What::Failed(records, why.to_owned());
        self.tell(&self.counters.failed, records, what);
    }

    pub(crate) fn filtered(&self, records: usize) {
        if records > 0 {
            self.tell(&self.counters.filtered, records, What::Filtered(records));
        }
    }

    pub(crate) fn given_up(&self, records: usize, why: &str) {
        warn!(source = %self.source, function = %self.function, records, why, "records given up");
        let what = What::GivenUp(records, why.to_owned());
        self.tell(&self.counters.given_up, records, what);
    }

    pub(crate) fn backing_off(&self, delay: Duration, why: &str) {
        let delay_ms = delay.as_millis();
        warn!(source = %self.source, function = %self.function, delay_ms, why, "backing off");
        self.tell(
            &self.counters.backoffs,
            1,
            What::BackingOff(delay, why.to_owned()),
        );
    }

    pub(crate) fn counts(&self) -> SourceCounts {
        let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        SourceCounts {
            source: self.source.to_string(),
            function: self.function.to_string(),
            delivered: load(&self.counters.delivered),
            failed: load(&self.counters.failed),
            filtered: load(&self.counters.filtered),
            given_up: load(&self.counters.given_up),
            backoffs: load(&self.counters.backoffs),
        }
    }

    fn tell(&self, counter: &AtomicU64, count: usize, what: What) {
        counter.fetch_add(count as u64, Ordering::Relaxed);
        // Nobody has to listen.
        let _ = self.events.send(SourceEvent {
            source: self.source.to_string(),
            function: self.function.to_string(),
            what,
        });
    }
}
