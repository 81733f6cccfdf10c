//! Asynchronous invocations: what becomes of an event that fails, is throttled or grows old.
//!
//! The rules here are pure; `worker` waits and calls by them.

mod worker;

use std::time::Duration;

use tokio::sync::OwnedSemaphorePermit;

use crate::function::Function;
use crate::invoke::{Answer, EventEnd, Invoke, Outcome};
use crate::time::UnixNanos;

pub(crate) use worker::Worker;

/// How asynchronous invocations are made.
#[derive(Debug, Clone)]
pub(crate) struct EventSettings {
    /// What comes before each further attempt after a function error.
    pub(crate) retry_delays: Vec<Duration>,
    /// No attempt begins with an event that is older.
    pub(crate) age_max: Duration,
}

impl Default for EventSettings {
    fn default() -> Self {
        Self {
            retry_delays: vec![Duration::from_secs(60), Duration::from_secs(120)],
            age_max: Duration::from_secs(6 * 60 * 60),
        }
    }
}

impl EventSettings {
    /// As the function has them: fewer retries, and an age of its own.
    pub(crate) fn of(&self, function: &Function) -> Self {
        let mut settings = self.clone();
        if let Some(retries_max) = function.event_retries_max {
            settings.retry_delays.truncate(retries_max as usize);
        }
        settings.age_max = function.event_age_max.unwrap_or(self.age_max);
        settings
    }
}

/// An event that was taken and is not done with.
#[derive(Debug)]
pub(crate) struct Event {
    pub(crate) invoke: Invoke,
    accepted: UnixNanos,
    attempts: usize,
    /// Of the last attempt.
    answer: Option<Answer>,
    /// Its place among the events that a function may have.
    _place: Option<OwnedSemaphorePermit>,
}

/// What to do with an event after an attempt.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum After {
    RetryAt(UnixNanos),
    End(EventEnd),
}

impl Event {
    pub(crate) fn new(
        invoke: Invoke,
        accepted: UnixNanos,
        place: Option<OwnedSemaphorePermit>,
    ) -> Self {
        Self {
            invoke,
            accepted,
            attempts: 0,
            answer: None,
            _place: place,
        }
    }

    pub(crate) fn is_too_old(&self, now: UnixNanos, settings: &EventSettings) -> bool {
        now.since(self.accepted) > settings.age_max
    }

    /// An attempt is over.
    pub(crate) fn attempted(
        &mut self,
        outcome: Outcome,
        now: UnixNanos,
        settings: &EventSettings,
    ) -> After {
        self.attempts += 1;
        if outcome == Outcome::Returned {
            return After::End(EventEnd::Success);
        }
        match settings.retry_delays.get(self.attempts - 1) {
            Some(delay) => After::RetryAt(now + *delay),
            None => After::End(EventEnd::RetriesExhausted),
        }
    }
}

/// How long events wait after so many throttled attempts in a row: a second, then ever twice as long.
pub(crate) fn backoff(throttled: u32) -> Duration {
    BACKOFF_FIRST
        .saturating_mul(2_u32.saturating_pow(throttled))
        .min(BACKOFF_MAX)
}

const BACKOFF_FIRST: Duration = Duration::from_secs(1);
const BACKOFF_MAX: Duration = Duration::from_secs(300);

#[cfg(test)]
mod tests {
    use super::*;

    fn event() -> Event {
        Event::new(Invoke::new("f"), UnixNanos::from_millis(1000), None)
    }

    #[test]
    fn failed_event_is_tried_again_after_one_minute_and_after_two() {
        let settings = EventSettings::default();
        let mut event = event();
        let mut failed = |second: u64| {
            let now = UnixNanos::from_millis(second * 1000);
            event.attempted(Outcome::FunctionError, now, &settings)
        };
        let at = |second: u64| After::RetryAt(UnixNanos::from_millis(second * 1000));
        assert_eq!(failed(2), at(62));
        assert_eq!(failed(70), at(190));
        assert_eq!(failed(200), After::End(EventEnd::RetriesExhausted));
    }

    #[test]
    fn event_that_succeeds_is_done_whenever_it_does() {
        let settings = EventSettings::default();
        let now = UnixNanos::from_millis(2000);
        let mut event = event();
        event.attempted(Outcome::FunctionError, now, &settings);
        assert_eq!(
            event.attempted(Outcome::Returned, now, &settings),
            After::End(EventEnd::Success)
        );
    }

    #[test]
    fn event_grows_old_from_when_it_was_taken() {
        let settings = EventSettings {
            age_max: Duration::from_secs(60),
            ..EventSettings::default()
        };
        let old_at = |millis| event().is_too_old(UnixNanos::from_millis(millis), &settings);
        assert!(!old_at(61_000));
        assert!(old_at(61_001));
    }

    #[test]
    fn backoff_doubles_up_to_five_minutes() {
        let seconds: Vec<_> = [0, 1, 2, 8, 9, 40, u32::MAX]
            .map(|throttled| backoff(throttled).as_secs())
            .into();
        assert_eq!(seconds, [1, 2, 4, 256, 300, 300, 300]);
    }
}
