//! When to deliver: after each invocation, while the next one runs, or every so often.

use std::collections::VecDeque;
use std::str::FromStr;
use std::time::Duration;

use throughline_telemetry::UnixNanos;

use crate::lifecycle::FLUSH_MAX;
use crate::outbox::{Limits, Packing};

/// How telemetry is delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// When.
    pub strategy: Strategy,
    /// What a flush may hold an invocation.
    pub flush_max: Duration,
    /// How much may be kept, and where.
    pub limits: Limits,
    /// Whether batches are packed.
    pub packing: Packing,
}

impl Default for Delivery {
    fn default() -> Self {
        Delivery {
            strategy: Strategy::Auto,
            flush_max: FLUSH_MAX,
            limits: Limits::default(),
            packing: Packing::Gzip,
        }
    }
}

/// What `THROUGHLINE_FLUSH` says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Strategy {
    /// While the next invocation runs where the function is busy, else at the end of each.
    #[default]
    Auto,
    /// At the end of each invocation.
    End,
    /// While invocations run, every so often.
    Periodic(Duration),
}

impl FromStr for Strategy {
    type Err = &'static str;

    /// `auto`, `end`, `periodic` or `periodic,MILLISECONDS`; or what other extensions call them.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (word, number) = match text.split_once(',') {
            Some((word, number)) => (word.trim(), Some(number.trim())),
            None => (text.trim(), None),
        };
        match (word.to_ascii_lowercase().as_str(), number) {
            ("auto" | "adaptive" | "default", None) => Ok(Strategy::Auto),
            ("end" | "sync" | "syncflush", None) => Ok(Strategy::End),
            ("periodic" | "periodically" | "background" | "continuously", None) => {
                Ok(Strategy::Periodic(PERIOD))
            }
            ("periodic" | "periodically" | "continuously", Some(millis)) => match millis.parse() {
                Ok(millis) if (PERIOD_MILLIS_MIN..=PERIOD_MILLIS_MAX).contains(&millis) => {
                    Ok(Strategy::Periodic(Duration::from_millis(millis)))
                }
                _ => Err("the period is a number of milliseconds from 100 to 600000"),
            },
            _ => Err(
                "it is auto, end, periodic, or periodic with milliseconds, such as periodic,5000",
            ),
        }
    }
}

/// The last few invocations.
#[derive(Debug, Default)]
pub(super) struct Rhythm {
    /// When each began, oldest first.
    begun: VecDeque<UnixNanos>,
    is_busy: bool,
}

impl Rhythm {
    /// One more begins. Whether the next is expected soon, so that what this one makes can wait for it.
    pub(super) fn begin(&mut self, now: UnixNanos) -> bool {
        let gaps = u32::try_from(BUSY_INVOCATIONS).unwrap_or(u32::MAX);
        let oldest = self
            .begun
            .front()
            .filter(|_| self.begun.len() == BUSY_INVOCATIONS);
        self.is_busy = oldest.is_some_and(|oldest| now.since(*oldest) <= BUSY_GAP * gaps);
        self.begun.push_back(now);
        if self.begun.len() > BUSY_INVOCATIONS {
            self.begun.pop_front();
        }
        self.is_busy
    }

    /// What the last one found.
    pub(super) fn is_busy(&self) -> bool {
        self.is_busy
    }
}

/// So many invocations in a row say how the next will come.
const BUSY_INVOCATIONS: usize = 8;
/// A busy function is called at least this often, on average. So long is its telemetry late, because
/// it leaves with the next invocation: less than anybody notices.
const BUSY_GAP: Duration = Duration::from_millis(500);
/// So long at least is between two deliveries of a busy function that nobody waits for. What is not
/// sent yet is in the books, and at most as late as a function that is just not busy makes it.
pub(super) const BUSY_PAUSE: Duration = Duration::from_millis(200);
/// Unless there is so much, on the wire: all of it is scrubbed and packed in one go.
pub(super) const BUSY_BYTES_MAX: usize = 32 << 10;
/// How often `periodic` delivers unless told.
pub(crate) const PERIOD: Duration = Duration::from_secs(5);
const PERIOD_MILLIS_MIN: u64 = 100;
const PERIOD_MILLIS_MAX: u64 = 600_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words() {
        let period = |millis| Ok(Strategy::Periodic(Duration::from_millis(millis)));
        for (text, expected) in [
            ("auto", Ok(Strategy::Auto)),
            (" END ", Ok(Strategy::End)),
            ("periodic", period(5000)),
            ("periodic,250", period(250)),
            ("periodic, 600000", period(600_000)),
            // As Elastic, Datadog and Rotel say it.
            ("syncflush", Ok(Strategy::End)),
            ("sync", Ok(Strategy::End)),
            ("background", period(5000)),
            ("default", Ok(Strategy::Auto)),
            ("adaptive", Ok(Strategy::Auto)),
            ("periodically,10000", period(10_000)),
            ("continuously,60000", period(60_000)),
        ] {
            assert_eq!(text.parse(), expected, "{text}");
        }
        for bad in [
            "",
            "auto,1",
            "periodic,",
            "periodic,99",
            "periodic,-1",
            "continuously,",
            "background,100",
            "sync,1",
        ] {
            assert!(bad.parse::<Strategy>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_function_is_busy_after_a_few_invocations_in_a_row() {
        let mut rhythm = Rhythm::default();
        let mut busy_at = |at: u64| rhythm.begin(UnixNanos::from_millis(at * 400));
        assert!((0..8).all(|at| !busy_at(at)));
        assert!((8..20).all(&mut busy_at));
        assert!(!busy_at(60), "a pause");
        assert!((61..68).all(|at| !busy_at(at)));
        assert!(busy_at(68));
    }
}
