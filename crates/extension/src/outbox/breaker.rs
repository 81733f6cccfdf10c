//! Whether the server is worth asking.

use std::time::Duration;

use throughline_telemetry::UnixNanos;

/// Closed while all is well; open after a failure, for longer the more there were in a row.
#[derive(Debug)]
pub(super) struct Breaker {
    state: State,
    failures: u32,
    random: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Closed,
    Open {
        until: UnixNanos,
    },
    /// One request is on its way to see.
    AwaitProbe {
        since: UnixNanos,
    },
}

impl Breaker {
    pub(super) fn new(seed: u64) -> Self {
        // xorshift stands still at zero.
        Breaker {
            state: State::Closed,
            failures: 0,
            random: seed | 1,
        }
    }

    pub(super) fn is_closed(&self) -> bool {
        self.state == State::Closed
    }

    /// Whether one more request may go now.
    pub(super) fn allows(&mut self, now: UnixNanos) -> bool {
        match self.state {
            // Closed => (Closed)
            State::Closed => true,
            // Open => (AwaitProbe)
            State::Open { until } if now >= until => {
                self.state = State::AwaitProbe { since: now };
                true
            }
            // AwaitProbe => (AwaitProbe). A probe without an answer does not block the way for good.
            State::AwaitProbe { since } if now >= since.plus(PROBE_MAX) => {
                self.state = State::AwaitProbe { since: now };
                true
            }
            State::Open { .. } | State::AwaitProbe { .. } => false,
        }
    }

    /// The server said something sensible: any state => (Closed).
    pub(super) fn answered(&mut self) {
        self.state = State::Closed;
        self.failures = 0;
    }

    /// The server failed: any state => (Open). Failures that were in flight together count once.
    pub(super) fn failed(&mut self, now: UnixNanos, retry_after: Option<Duration>) {
        let already = matches!(self.state, State::Open { until } if now < until);
        if !already {
            self.failures = self.failures.saturating_add(1);
        }
        let wait = match retry_after {
            Some(asked) => asked.min(RETRY_AFTER_MAX),
            None if already => return,
            None => self.backoff(),
        };
        self.state = State::Open {
            until: now.plus(wait),
        };
    }

    /// Nothing is to be spared any more: tries at once, and from now on starts with short waits.
    pub(super) fn give_last_chance(&mut self, now: UnixNanos) {
        self.failures = 0;
        if !self.is_closed() {
            self.state = State::Open { until: now };
        }
    }

    /// When it is worth asking again.
    pub(super) fn opens_again_at(&self) -> Option<UnixNanos> {
        match self.state {
            State::Closed => None,
            State::Open { until } => Some(until),
            State::AwaitProbe { since } => Some(since.plus(PROBE_MAX)),
        }
    }

    /// The probe did not leave after all.
    pub(super) fn never_left(&mut self, now: UnixNanos) {
        if let State::AwaitProbe { .. } = self.state {
            self.state = State::Open { until: now };
        }
    }

    /// Between nothing and a limit that doubles with each failure (full jitter), so that environments
    /// that failed together do not come back together.
    fn backoff(&mut self) -> Duration {
        let doublings = self.failures.saturating_sub(1).min(DOUBLINGS_MAX);
        let longest = (BACKOFF_MIN * 2_u32.pow(doublings)).min(BACKOFF_MAX);
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        let share = u32::try_from(self.random >> 32).unwrap_or(0);
        let wait = longest.mul_f64(f64::from(share) / f64::from(u32::MAX));
        wait.max(BACKOFF_LEAST)
    }
}

/// What the first wait is at most.
const BACKOFF_MIN: Duration = Duration::from_millis(200);
/// No wait is shorter: the server shall have had a moment.
const BACKOFF_LEAST: Duration = Duration::from_millis(10);
const BACKOFF_MAX: Duration = Duration::from_secs(30);
const DOUBLINGS_MAX: u32 = 8;
/// A server may ask for less traffic, not for none.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(60);
/// Longer than a request may take.
const PROBE_MAX: Duration = Duration::from_secs(10);
