//! A number of a queue by the minute, and the worst of each hour.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::detect::finding::Measure;
use crate::detect::history::Minute;
use crate::detect::when::When;

/// The last two hours by the minute, the last eight days by the hour.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Level {
    /// Oldest first; minutes of which nothing was told are not there. The last one stays however old it is.
    minutes: VecDeque<(Minute, f64)>,
    hours: VecDeque<Hour>,
    disturbed_until: Minute,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Hour {
    /// Counted from 1970.
    at: u64,
    worst: f64,
    is_disturbed: bool,
}

impl Level {
    /// How it is in a minute; what was known of that minute is replaced.
    pub(super) fn set(&mut self, minute: Minute, value: f64) {
        let place = self.minutes.partition_point(|(at, _)| *at < minute);
        match self.minutes.get_mut(place).filter(|(at, _)| *at == minute) {
            Some((_, known)) => *known = value,
            None => self.minutes.insert(place, (minute, value)),
        }
    }

    /// More of it in a minute.
    pub(super) fn add(&mut self, minute: Minute, more: f64) {
        let known = self.between(minute, minute + 1).next();
        let known = known.map_or(0.0, |(_, value)| value);
        self.set(minute, known + more);
    }

    /// The last minute that is known, and how it was.
    pub(super) fn last(&self) -> Option<(Minute, f64)> {
        self.minutes.back().copied()
    }

    /// What is known from this minute up to that one, which is not in it.
    pub(super) fn between(
        &self,
        from: Minute,
        to: Minute,
    ) -> impl DoubleEndedIterator<Item = (Minute, f64)> {
        let first = self.minutes.partition_point(|(at, _)| *at < from);
        let end = self.minutes.partition_point(|(at, _)| *at < to);
        self.minutes.range(first..end.max(first)).copied()
    }

    pub(super) fn most(&self, from: Minute, to: Minute) -> Option<f64> {
        let values = self.between(from, to).map(|(_, value)| value);
        values.reduce(f64::max)
    }

    pub(super) fn sum(&self, from: Minute, to: Minute) -> f64 {
        self.between(from, to).map(|(_, value)| value).sum()
    }

    /// By how much it has risen, whatever was taken away meanwhile.
    pub(super) fn risen(&self, from: Minute, to: Minute) -> f64 {
        self.rises(from, to).map(|(_, more)| more).sum()
    }

    /// The minutes in which it has risen, and by how much.
    pub(super) fn rises(
        &self,
        from: Minute,
        to: Minute,
    ) -> impl DoubleEndedIterator<Item = (Minute, f64)> {
        let pairs = self.minutes.iter().zip(self.minutes.iter().skip(1));
        let rises = pairs.map(|((_, before), (at, now))| (*at, now - before));
        rises.filter(move |(at, more)| *more > 0.0 && (from..to).contains(at))
    }

    /// Sums up hours that are over, each by this measure of it; those of which it says nothing are not known.
    pub(super) fn settle(
        &mut self,
        now: Minute,
        worst: impl Fn(&Self, Minute, Minute) -> Option<f64>,
    ) {
        let hour = now.saturating_sub(LATE) / 60;
        let known = self.hours.back().map_or(0, |hour| hour.at + 1);
        for at in known.max(hour.saturating_sub(1))..hour {
            if let Some(worst) = worst(self, at * 60, at * 60 + 60) {
                let is_disturbed = self.disturbed_until > at * 60;
                self.hours.push_back(Hour {
                    at,
                    worst,
                    is_disturbed,
                });
            }
        }
        while self.hours.front().is_some_and(|it| it.at + HOURS < hour) {
            self.hours.pop_front();
        }
        let is_old = |(at, _): &(Minute, f64)| at + MINUTES < now;
        while self.minutes.len() > 1 && self.minutes.front().is_some_and(is_old) {
            self.minutes.pop_front();
        }
    }

    /// What it does up to this minute is no reference for later.
    pub(super) fn disturb(&mut self, until: Minute) {
        self.disturbed_until = until;
    }

    /// The worst hour at this time of day on the last seven days, with the hours beside it; before that is known, of
    /// the last three hours.
    pub(super) fn usual(&self, to: Minute) -> Option<Measure> {
        let hour = to / 60;
        let around = |it: &&Hour| {
            let before = hour.saturating_sub(it.at);
            before > 2 && before <= HOURS && matches!(before % 24, 23 | 0 | 1)
        };
        let recent = |it: &&Hour| (1..=3).contains(&hour.saturating_sub(it.at));
        let usual = |is: &dyn Fn(&&Hour) -> bool, when: When| {
            let hours = self.hours.iter().filter(|hour| !hour.is_disturbed);
            let hours = hours.filter(|hour| is(hour));
            let worst = hours.clone().map(|hour| hour.worst).reduce(f64::max)?;
            Some(Measure::exact(worst, hours.count() as u64).at(when))
        };
        usual(&around, When::WorstOfDays).or_else(|| usual(&recent, When::WorstOfHours))
    }
}

/// Minutes after which all is known of an hour: CloudWatch tells late.
const LATE: Minute = 10;
const MINUTES: Minute = 125;
const HOURS: u64 = 7 * 24 + 1;
