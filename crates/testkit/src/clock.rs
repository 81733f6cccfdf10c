//! A clock that only moves when it is told to.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use throughline_telemetry::UnixNanos;

use crate::builders::moment;

/// A simulated clock. Clones share the time.
#[derive(Clone, Debug)]
pub struct SimClock(Arc<AtomicU64>);

impl SimClock {
    /// A clock that stands at this time.
    pub fn at(now: UnixNanos) -> Self {
        SimClock(Arc::new(AtomicU64::new(now.0)))
    }

    /// What the clock shows.
    pub fn now(&self) -> UnixNanos {
        UnixNanos(self.0.load(Ordering::SeqCst))
    }

    /// Moves the clock on, and says what it shows then.
    pub fn advance(&self, by: Duration) -> UnixNanos {
        let now = self.now().plus(by);
        self.0.store(now.0, Ordering::SeqCst);
        now
    }
}

impl Default for SimClock {
    /// Stands at the moment that builders count from.
    fn default() -> Self {
        SimClock::at(moment(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clones_share_the_time() {
        let clock = SimClock::default();
        let seen_by_other = clock.clone();
        clock.advance(Duration::from_millis(5));
        assert_eq!(seen_by_other.now(), moment(5));
    }
}
