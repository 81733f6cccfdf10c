//! What a subject did: the last hour by the minute, the last eight days by the hour.

mod packed;

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};
use throughline_telemetry::HistogramSum;

use super::durations::ranked;
use super::finding::Measure;
use super::subject::Counts;
use crate::statistics::quantile_ranks;
use packed::{PackedCounts, PackedHour};

/// A minute, counted from 1970.
pub(super) type Minute = u64;

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct History {
    /// By minute, oldest first; minutes without anything are not there.
    minutes: VecDeque<(Minute, PackedCounts)>,
    /// By hour, oldest first.
    hours: VecDeque<PackedHour>,
    /// The first minute in which it was there.
    pub(super) since: Minute,
    /// The last one.
    pub(super) last: Minute,
    /// Until when what it does is not normal, and no reference for later.
    pub(super) disturbed_until: Minute,
}

/// What is remembered of an hour.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Hour {
    /// Counted from 1970.
    pub(super) at: u64,
    /// Its sum, while the hour lasts with its durations; afterwards without.
    pub(super) counts: Counts,
    /// Of each of [`QUANTILES`], once the hour is over.
    pub(super) quantiles: [Option<Measure>; QUANTILES.len()],
    /// The greatest of any five minutes.
    pub(super) worst: [f64; QUANTILES.len()],
    pub(super) worst_error_share: f64,
    pub(super) worst_cold_share: f64,
    /// The fewest calls in any of its five minutes.
    pub(super) fewest: u64,
    /// Whether something was wrong then.
    pub(super) is_disturbed: bool,
}

impl History {
    /// Adds what was done in a minute that is at most an hour old.
    pub(super) fn add(&mut self, minute: Minute, counts: &Counts) {
        if self.since == 0 {
            self.since = minute;
        }
        self.last = self.last.max(minute);
        let place = self.minutes.partition_point(|(at, _)| *at < minute);
        match self.minutes.get_mut(place).filter(|(at, _)| *at == minute) {
            Some((_, known)) => {
                let mut sum = known.counts();
                sum.add(counts);
                *known = PackedCounts::new(&sum);
            }
            None => self
                .minutes
                .insert(place, (minute, PackedCounts::new(counts))),
        }
    }

    /// Puts the minutes before this one away where they are not needed one by one any more.
    pub(super) fn settle(&mut self, now: Minute) {
        // An hour is summed up when it is over, from minutes that are all still there.
        let hour = now / 60;
        let known = self
            .hours
            .back()
            .map_or(self.since / 60, |hour| u64::from(hour.at) + 1);
        for at in known.max(hour.saturating_sub(2))..hour {
            let summed = PackedHour::new(&self.sum_up(at));
            if self.hours.len() == self.hours.capacity() {
                self.hours.reserve_exact(HOURS_AT_ONCE);
            }
            self.hours.push_back(summed);
        }
        while self
            .hours
            .front()
            .is_some_and(|first| u64::from(first.at) + HOURS < hour)
        {
            self.hours.pop_front();
        }
        while self
            .minutes
            .front()
            .is_some_and(|(at, _)| at + MINUTES < now)
        {
            self.minutes.pop_front();
        }
    }

    /// The sum of the minutes from this one up to that one, which is not in it.
    pub(super) fn sum(&self, from: Minute, to: Minute) -> Counts {
        let mut sum = Counts::default();
        for (_, packed) in self.packed(from, to) {
            packed.add_to(&mut sum);
        }
        sum
    }

    /// The minutes from this one up to that one in which there was anything.
    pub(super) fn between(
        &self,
        from: Minute,
        to: Minute,
    ) -> impl Iterator<Item = (Minute, Counts)> {
        let packed = self.packed(from, to);
        packed.map(|(at, packed)| (*at, packed.counts()))
    }

    fn packed(&self, from: Minute, to: Minute) -> impl Iterator<Item = &(Minute, PackedCounts)> {
        let first = self.minutes.partition_point(|(at, _)| *at < from);
        self.minutes
            .range(first..)
            .take_while(move |(at, _)| *at < to)
    }

    /// The hour of this one that is so many hours before it, if it is known and nothing was wrong.
    pub(super) fn hour_before(&self, minute: Minute, hours: u64) -> Option<Hour> {
        let known = self.packed_hour(minute, hours)?;
        (!known.is_disturbed).then(|| known.hour())
    }

    /// How often it was called in the hour of this one that is so many hours before it, if that is known and nothing
    /// was wrong.
    pub(super) fn calls_before(&self, minute: Minute, hours: u64) -> Option<u64> {
        let known = self.packed_hour(minute, hours)?;
        (!known.is_disturbed).then(|| known.count())
    }

    fn packed_hour(&self, minute: Minute, hours: u64) -> Option<&PackedHour> {
        let wanted = u32::try_from((minute / 60).checked_sub(hours)?).ok()?;
        let place = self.hours.binary_search_by_key(&wanted, |hour| hour.at);
        self.hours.get(place.ok()?)
    }

    fn sum_up(&self, at: u64) -> Hour {
        let (from, to) = (at * 60, at * 60 + 60);
        let mut hour = Hour {
            at,
            fewest: u64::MAX,
            is_disturbed: self.disturbed_until > from,
            ..Hour::default()
        };
        for start in (from..to).step_by(5) {
            let five = self.sum(start, start + 5);
            hour.fewest = hour.fewest.min(five.count);
            if five.count >= WORST_OF {
                for (worst, quantile) in hour.worst.iter_mut().zip(QUANTILES) {
                    *worst = worst.max(point(&five.durations, quantile));
                }
                let share = |part: u64| ratio(part, five.count);
                hour.worst_error_share = hour.worst_error_share.max(share(five.errors));
                hour.worst_cold_share = hour.worst_cold_share.max(share(five.cold_starts));
            }
            hour.counts.add(&five);
        }
        let durations = std::mem::take(&mut hour.counts.durations);
        hour.quantiles = QUANTILES.map(|quantile| measured(&durations, quantile));
        hour
    }
}

/// A quantile with the interval that it lies in; `None` of too few.
pub(super) fn measured(durations: &HistogramSum, quantile: f64) -> Option<Measure> {
    let of = durations.total();
    let (low, high) = quantile_ranks(of, quantile)?;
    Some(Measure {
        value: point(durations, quantile),
        low: ranked(durations, low),
        high: ranked(durations, high),
        of,
        when: None,
    })
}

/// A quantile without one.
pub(super) fn point(durations: &HistogramSum, quantile: f64) -> f64 {
    durations.percentile(quantile * 100.0).unwrap_or(0.0)
}

#[allow(clippy::cast_precision_loss)] // counts of an hour
pub(super) fn ratio(part: u64, of: u64) -> f64 {
    part as f64 / of.max(1) as f64
}

/// The highest first.
pub(super) const QUANTILES: [f64; 4] = [0.99, 0.95, 0.90, 0.50];
/// Minutes that are remembered one by one: the hour that is summed up, and the one that lasts.
const MINUTES: u64 = 125;
/// Hours that are remembered: of the last day, each with the same of seven days before, and one at either end.
const HOURS: u64 = 8 * 24 + 1;
/// Room that is made for hours at once: no more than is needed.
const HOURS_AT_ONCE: usize = 10;
/// Fewer calls in five minutes say nothing of what is usual.
const WORST_OF: u64 = 20;
