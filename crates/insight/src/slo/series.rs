//! What was good and bad, by minute for as long as rules look back, and by hour for as long as a goal does.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use throughline_telemetry::UnixNanos;

/// How much was good and how much was not. Serialised, a pair.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "(u64, u64)", from = "(u64, u64)")]
pub struct Counts {
    /// What was good.
    pub good: u64,
    /// What was not.
    pub bad: u64,
}

impl Counts {
    /// All of it.
    pub fn all(self) -> u64 {
        self.good.saturating_add(self.bad)
    }

    /// The share that was not good, 0 to 1; not known where nothing happened.
    #[allow(clippy::cast_precision_loss)] // a share needs no more
    pub fn bad_share(self) -> Option<f64> {
        (self.all() > 0).then(|| self.bad as f64 / self.all() as f64)
    }

    fn add(&mut self, other: Counts) {
        self.good = self.good.saturating_add(other.good);
        self.bad = self.bad.saturating_add(other.bad);
    }
}

impl From<Counts> for (u64, u64) {
    fn from(counts: Counts) -> Self {
        (counts.good, counts.bad)
    }
}

impl From<(u64, u64)> for Counts {
    fn from((good, bad): (u64, u64)) -> Self {
        Counts { good, bad }
    }
}

/// What was good and bad over time. Minutes in which nothing happened take no room.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Series {
    /// By the number of the minute since 1970.
    minutes: BTreeMap<u64, Counts>,
    /// The same by hour.
    hours: BTreeMap<u64, Counts>,
}

impl Series {
    /// Adds what happened in the minute that begins then.
    pub fn add(&mut self, minute: UnixNanos, counts: Counts) {
        if counts.all() == 0 {
            return;
        }
        let minutes = self.minutes.entry(minute.0 / MINUTE_NANOS);
        minutes.or_default().add(counts);
        let hours = self.hours.entry(minute.0 / HOUR_NANOS);
        hours.or_default().add(counts);
    }

    /// What happened in the time before `end`: to the minute up to three days, to the hour beyond that.
    pub fn last(&self, time: Duration, end: UnixNanos) -> Counts {
        let begin = end.minus(time).0;
        let (cells, unit) = match time <= FINE {
            true => (&self.minutes, MINUTE_NANOS),
            false => (&self.hours, HOUR_NANOS),
        };
        // What has begun counts, the first as well as the last.
        let cells = cells.range(begin / unit..end.0.div_ceil(unit));
        let mut sum = Counts::default();
        cells.for_each(|(_, counts)| sum.add(*counts));
        sum
    }

    /// How much of the time before `end` is known: since the first hour in which something happened, and at least an
    /// hour.
    pub fn known(&self, time: Duration, end: UnixNanos) -> Duration {
        let begin = end.minus(time).0;
        let first = self.hours.range(begin / HOUR_NANOS..).next();
        let first = first.map_or(end, |(hour, _)| UnixNanos(hour * HOUR_NANOS));
        end.since(first).clamp(HOUR, time)
    }

    /// Forgets what is not asked for any more: of a goal with this window.
    pub fn forget(&mut self, window: Duration, end: UnixNanos) {
        let from = |time: Duration, unit: u64| end.minus(time).0 / unit;
        self.minutes = self.minutes.split_off(&from(FINE, MINUTE_NANOS));
        self.hours = self.hours.split_off(&from(window, HOUR_NANOS));
    }
}

pub(super) const MINUTE_NANOS: u64 = 60 * 1_000_000_000;
const HOUR_NANOS: u64 = 60 * MINUTE_NANOS;
const HOUR: Duration = Duration::from_secs(3600);
/// The longest that a rule looks back.
const FINE: Duration = Duration::from_secs(3 * 24 * 3600);
