//! Whether an invocation should wait for its delivery: worth it where the server answers in time.

use std::time::Duration;

/// What the flushes before have taught. A server that is healthy but slow must not cost every
/// invocation the whole budget, and must get a chance to show that it has become quick.
#[derive(Debug, Default)]
pub(super) struct Patience {
    /// Flushes in a row that waited in vain.
    misses: u32,
    /// So many flushes do not wait.
    skips: u32,
    /// Between a request and its answer, as far as nobody slept in between; a moving average.
    latency: Option<Duration>,
}

impl Patience {
    /// A flush begins that may take so long: whether to wait for it.
    pub(super) fn waits(&mut self, time_left: Duration) -> bool {
        if self.skips > 0 {
            self.skips -= 1;
            return false;
        }
        if self.latency.is_some_and(|latency| latency > time_left) {
            self.gave_up();
            return false;
        }
        !time_left.is_zero()
    }

    /// It took too long. Once is no habit: the first request of an environment makes a connection too.
    pub(super) fn gave_up(&mut self) {
        self.skips = (1 << self.misses.min(DOUBLINGS_MAX)) - 1;
        self.misses += 1;
        self.latency = None;
    }

    /// It took no longer than it may.
    pub(super) fn kept(&mut self) {
        self.misses = 0;
    }

    /// A request was answered, and nobody slept meanwhile.
    pub(super) fn measured(&mut self, took: Duration) {
        self.latency = Some(match self.latency {
            Some(before) => (before * 3 + took) / 4,
            None => took,
        });
    }
}

/// At most 63 flushes do not wait: the budget, once in so many invocations.
const DOUBLINGS_MAX: u32 = 6;

#[cfg(test)]
mod tests {
    use super::*;

    const BUDGET: Duration = Duration::from_millis(50);

    #[test]
    fn a_slow_server_is_waited_for_ever_more_rarely() {
        let mut patience = Patience::default();
        let mut waited = Vec::new();
        for flush in 0..300 {
            if patience.waits(BUDGET) {
                patience.gave_up();
                waited.push(flush);
            }
        }
        assert_eq!(waited, [0, 1, 3, 7, 15, 31, 63, 127, 191, 255]);
        while !patience.waits(BUDGET) {}
        patience.kept();
        assert!(patience.waits(BUDGET), "it has become quick");
    }

    #[test]
    fn what_was_measured_is_believed() {
        let mut patience = Patience::default();
        patience.measured(Duration::from_millis(80));
        assert!(!patience.waits(BUDGET));
        assert!(patience.waits(BUDGET), "it is tried again");
        patience.measured(Duration::from_millis(20));
        assert!(patience.waits(BUDGET));
        assert!(
            !patience.waits(Duration::from_millis(10)),
            "too little is left"
        );
        assert!(!patience.waits(Duration::ZERO));
    }
}
