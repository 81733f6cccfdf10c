//! How many queries there are, and what became of those that there were.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// How many queries there are, and what became of those that there were.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Somebody waits for their answer.
    pub open: u64,
    /// They have their turn. One whose caller went away may run on for a moment.
    pub running: u64,
    /// They were answered.
    pub answered: u64,
    /// They were wrong, or took too much memory.
    pub failed: u64,
    /// They took too long.
    pub too_slow: u64,
    /// Their caller went away.
    pub cancelled: u64,
}

/// The counters behind it.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    open: AtomicU64,
    running: AtomicU64,
    answered: AtomicU64,
    failed: AtomicU64,
    too_slow: AtomicU64,
    cancelled: AtomicU64,
}

/// What became of a query.
#[derive(Clone, Copy, Debug)]
pub(crate) enum End {
    Answered,
    Failed,
    TooSlow,
}

impl Counters {
    pub(crate) fn read(&self) -> Counts {
        let of = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Counts {
            open: of(&self.open),
            running: of(&self.running),
            answered: of(&self.answered),
            failed: of(&self.failed),
            too_slow: of(&self.too_slow),
            cancelled: of(&self.cancelled),
        }
    }

    pub(crate) fn ask(self: &Arc<Self>) -> Asked {
        self.open.fetch_add(1, Ordering::Relaxed);
        Asked {
            counters: Arc::clone(self),
            end: None,
        }
    }

    pub(crate) fn run(self: &Arc<Self>) -> Running {
        self.running.fetch_add(1, Ordering::Relaxed);
        Running(Arc::clone(self))
    }
}

/// A query that somebody waits for. One that is dropped without an end was cancelled.
#[derive(Debug)]
pub(crate) struct Asked {
    counters: Arc<Counters>,
    end: Option<End>,
}

impl Asked {
    pub(crate) fn ended(mut self, end: End) {
        self.end = Some(end);
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        self.counters.open.fetch_sub(1, Ordering::Relaxed);
        let counter = match self.end {
            Some(End::Answered) => &self.counters.answered,
            Some(End::Failed) => &self.counters.failed,
            Some(End::TooSlow) => &self.counters.too_slow,
            None => &self.counters.cancelled,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }
}

/// A query that has its turn.
#[derive(Debug)]
pub(crate) struct Running(Arc<Counters>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::Relaxed);
    }
}
