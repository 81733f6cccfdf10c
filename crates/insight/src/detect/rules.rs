//! What is unusual about one subject right now, held against the same hours of the last seven days.

pub(crate) mod cost;
mod rhythm;
mod trend;

use super::durations::{count_above, ranked};
use super::finding::{ColdWhy, Kind, Measure, Severity};
use super::history::{History, Hour, Minute, QUANTILES, measured, ratio};
use super::subject::{Arrived, Counts, Settings, Subject};
use super::when::When;
use crate::statistics::{binomial_tail, wilson};

/// Something that may be unusual.
pub(super) struct Suspicion {
    pub(super) kind: Kind,
    pub(super) before: Option<Measure>,
    pub(super) after: Measure,
    pub(super) since: Minute,
    pub(super) severity: Severity,
    /// How probable it is by chance; 0 of what is certain.
    pub(super) p_value: f64,
}

/// What rules look at.
pub(super) struct Scene<'a> {
    history: &'a History,
    to: Minute,
    settings: Settings,
    has_changed: bool,
    /// The shortest of 5, 15 and 60 minutes with enough calls, and what was done in it.
    window: u64,
    now: Counts,
    usual: Usual,
}

/// What is usual at this time of day.
struct Usual {
    /// Of each of the last seven days, the hour of this one and those beside it; without a day of history,
    /// the last hours.
    hours: Vec<Hour>,
    /// The very hour, yesterday if possible.
    before: Option<Hour>,
    /// How many days they are of.
    days: u64,
    sum: Counts,
}

impl<'a> Scene<'a> {
    /// None without anything to judge.
    pub(super) fn new(
        history: &'a History,
        to: Minute,
        settings: Settings,
        has_changed: bool,
    ) -> Self {
        let (window, now) = window(history, to);
        Scene {
            history,
            to,
            settings,
            has_changed,
            window,
            now,
            usual: Usual::new(history, to),
        }
    }

    /// What is suspicious, and how many tests that took.
    pub(super) fn suspicions(&self, subject: &Subject) -> (Vec<Suspicion>, usize) {
        let mut found = Vec::new();
        let mut tests = 0;
        if matches!(subject, Subject::Wait(_)) {
            // How long records wait is all that is counted of it.
            if !self.usual.hours.is_empty() {
                tests = self.latency(&mut found);
            }
            found.iter_mut().for_each(Suspicion::waits);
            return (found, tests);
        }
        let is_node = matches!(subject, Subject::Node(_));
        if !self.usual.hours.is_empty() {
            tests += self.latency(&mut found);
            tests += self.errors(&mut found);
            tests += usize::from(is_node) * self.cold_starts(&mut found);
            tests += self.silence(&mut found);
            if is_node {
                tests += 1;
                found.extend(cost::judge(self));
                if !found.iter().any(|it| matches!(it.kind, Kind::Silence)) {
                    tests += 1;
                    found.extend(rhythm::judge(self.history, self.to));
                }
            }
        }
        found.extend(self.near_timeout().filter(|_| is_node));
        found.extend(self.memory().filter(|_| is_node));
        tests += 1;
        found.extend(self.throttles());
        (found, tests)
    }

    /// Whether more than there should be took longer than the slowest five minutes at this time of day, and
    /// a fifth and 20 ms besides. That is the sign test of a quantile, so nothing is assumed of how times
    /// are distributed.
    fn latency(&self, found: &mut Vec<Suspicion>) -> usize {
        let durations = &self.now.durations;
        let mut tests = 0;
        let mut best: Option<(f64, Suspicion)> = None;
        for (at, quantile) in QUANTILES.into_iter().enumerate() {
            let Some(after) = measured(durations, quantile) else {
                continue;
            };
            let worst = self.usual.hours.iter().map(|hour| hour.worst[at]);
            let worst = worst.fold(0.0, f64::max);
            let before = self.before(|hour| hour.quantiles[at]);
            let known = before.map_or(0.0, |before| before.high).max(worst);
            if known <= 0.0 {
                continue;
            }
            tests += 1;
            let bound = (known * SLOWER).max(known + SLOWER_MS);
            let above = count_above(durations, bound);
            let p_value = binomial_tail(above, durations.total(), 1.0 - quantile);
            let ratio = after.value / before.map_or(worst, |before| before.value).max(1e-9);
            if p_value < WORTH_KEEPING && best.as_ref().is_none_or(|(known, _)| ratio > *known) {
                let since = self.first(|counts| {
                    let share = self::ratio(count_above(&counts.durations, bound), counts.count);
                    share > 2.0 * (1.0 - quantile)
                });
                let severity = match ratio {
                    ratio if ratio >= 2.0 => Severity::Critical,
                    _ => Severity::Warning,
                };
                let kind = Kind::Latency { quantile };
                let suspicion = Suspicion {
                    kind,
                    before,
                    after,
                    since,
                    severity,
                    p_value,
                };
                best = Some((ratio, suspicion));
            }
        }
        found.extend(best.map(|(_, suspicion)| suspicion));
        tests
    }

    fn errors(&self, found: &mut Vec<Suspicion>) -> usize {
        let usual = &self.usual;
        let worst = usual.worst(|hour| hour.worst_error_share);
        let suspicion = self.share(Shares {
            now: |counts| counts.errors,
            worst,
            more: ERRORS_MORE,
            least: ERRORS_MIN,
        });
        let Some(suspicion) = suspicion else { return 1 };
        let severity = match suspicion.after.low {
            low if low >= ERRORS_CRITICAL => Severity::Critical,
            _ => Severity::Warning,
        };
        found.push(Suspicion {
            severity,
            ..suspicion
        });
        1
    }

    fn cold_starts(&self, found: &mut Vec<Suspicion>) -> usize {
        let usual = &self.usual;
        let Some(suspicion) = self.share(Shares {
            now: |counts| counts.cold_starts,
            worst: usual.worst(|hour| hour.worst_cold_share),
            more: COLD_MORE,
            least: COLD_MIN,
        }) else {
            return 1;
        };
        let usually = usual.sum.count * self.window / (usual.hours.len() as u64 * 60).max(1);
        let why = match self.has_changed {
            true => ColdWhy::Change,
            false if self.now.count > 2 * usually => ColdWhy::ScaleOut,
            false => ColdWhy::Recycled,
        };
        found.push(Suspicion {
            kind: Kind::ColdStarts { why },
            ..suspicion
        });
        1
    }

    /// Whether a greater share is one: the low end of what it may be against twice the high end of what it
    /// was, and against the worst five minutes.
    fn share(&self, shares: Shares) -> Option<Suspicion> {
        let (hits, of) = ((shares.now)(&self.now), self.now.count);
        if hits < shares.least {
            return None;
        }
        let usual = &self.usual.sum;
        let before = share((shares.now)(usual), usual.count);
        let bound = (2.0 * before.high + shares.more).max(shares.worst);
        let since = self.first(|counts| ratio((shares.now)(counts), counts.count) > bound);
        Some(Suspicion {
            kind: Kind::Errors,
            before: Some(before.at(self.usual.when())),
            after: share(hits, of),
            since,
            severity: Severity::Warning,
            p_value: binomial_tail(hits, of, bound),
        })
    }

    /// Whether what has come in every quarter of an hour at this time of day does not come any more; in ten minutes, which
    /// contain a whole five of those that are counted, if it came often in each.
    #[allow(clippy::cast_precision_loss)] // counts of minutes
    fn silence(&self, found: &mut Vec<Suspicion>) -> usize {
        let usual = &self.usual;
        let fewest = usual.hours.iter().map(|hour| hour.fewest).min();
        let fewest = fewest.unwrap_or(0);
        if usual.days < SILENCE_DAYS || 3 * fewest < SILENCE_OF {
            return 0;
        }
        let is_silent = |minutes, expected| {
            let from = self.to.saturating_sub(minutes);
            self.history.sum(from, self.to).count * 20 <= expected
        };
        let soon = (10, fewest);
        let (minutes, expected) = match fewest >= SILENCE_OF_FIVE && is_silent(soon.0, soon.1) {
            true => soon,
            false => (15, 3 * fewest),
        };
        if is_silent(minutes, expected) {
            let from = self.to.saturating_sub(120);
            let last = self.history.between(from, self.to);
            // One that is late is none that goes on.
            let last = last
                .filter(|(_, counts)| counts.count * 100 > fewest)
                .last();
            let seen = self.history.sum(self.to.saturating_sub(minutes), self.to);
            let usually = Measure::exact(3.0 * fewest as f64, usual.hours.len() as u64);
            found.push(Suspicion {
                kind: Kind::Silence,
                before: Some(usually.at(When::Quietest(usual.days))),
                after: Measure::exact((seen.count * 15 / minutes) as f64, 1),
                since: last.map_or(self.history.last, |(at, _)| at) + 1,
                severity: Severity::Critical,
                // The chance of so few where a twentieth of the expected is the true number.
                p_value: (-(expected as f64) * 0.5).exp(),
            });
        }
        1
    }

    fn near_timeout(&self) -> Option<Suspicion> {
        let timeout_ms = self.settings.timeout_ms.filter(|timeout| *timeout > 0.0)?;
        let durations = &self.now.durations;
        let total = durations.total();
        let highest = QUANTILES
            .into_iter()
            .find_map(|quantile| Some((quantile, measured(durations, quantile)?)));
        let near = highest.filter(|(_, after)| after.value > NEAR * timeout_ms);
        let longest = ranked(durations, u64::MAX);
        let days_left = trend::days_left(self.history, self.to, timeout_ms);
        let (quantile, after) = match (near, highest) {
            (Some(near), _) => near,
            (None, _) if total > 0 && longest > VERY_NEAR * timeout_ms => {
                (1.0, Measure::exact(longest, total))
            }
            (None, Some(highest)) if days_left.is_some() => highest,
            _ => return None,
        };
        // Those that the platform has ended took as long as the timeout, to the precision of the histogram.
        let ended = count_above(durations, timeout_ms * 0.99).max(self.now.timeouts);
        let clipped = ratio(ended, total.max(ended));
        let at = QUANTILES.iter().position(|known| *known == quantile);
        Some(Suspicion {
            kind: Kind::NearTimeout {
                quantile,
                timeout_ms,
                clipped,
                days_left,
            },
            before: at.and_then(|at| self.before(|hour| hour.quantiles[at])),
            after,
            since: self.first(|counts| count_above(&counts.durations, NEAR * timeout_ms) > 0),
            severity: if quantile == 1.0 {
                Severity::Note
            } else {
                Severity::Warning
            },
            p_value: 0.0,
        })
    }

    #[allow(clippy::cast_precision_loss)] // bytes of a function's memory
    fn memory(&self) -> Option<Suspicion> {
        let size = self.settings.memory_bytes.filter(|bytes| *bytes > 0)?;
        let used = |counts: &Counts| counts.memory_bytes_max as f64 / size as f64;
        let share = used(&self.now);
        (share > MEMORY_NEAR).then(|| Suspicion {
            kind: Kind::Memory,
            before: self.before(|hour| Some(Measure::exact(used(&hour.counts), hour.counts.count))),
            after: Measure::exact(share, self.now.count),
            since: self.first(|counts| used(counts) > MEMORY_NEAR),
            severity: if share > 0.98 {
                Severity::Critical
            } else {
                Severity::Warning
            },
            p_value: 0.0,
        })
    }

    /// Whether more calls are refused than half a percent, and twice what is usual at this time of day besides: some
    /// that are made again at once are nothing.
    #[allow(clippy::cast_precision_loss)] // counts of minutes
    fn throttles(&self) -> Option<Suspicion> {
        let now = &self.now;
        let usual = &self.usual.sum;
        let usually = match usual.throttles {
            0 => 0.0,
            throttles => share(throttles, usual.count).high,
        };
        let of = now.count.max(now.throttles);
        let bound = 2.0 * usually + THROTTLES_MORE;
        let p_value = binomial_tail(now.throttles, of, bound);
        (now.throttles >= THROTTLES_MIN && p_value < WORTH_KEEPING).then(|| Suspicion {
            kind: Kind::Throttles,
            before: (usual.count > 0).then(|| {
                let windows = self.usual.hours.len() as f64 * 60.0 / self.window as f64;
                Measure::exact(usual.throttles as f64 / windows, usual.count).at(self.usual.when())
            }),
            after: Measure::exact(now.throttles as f64, now.count),
            since: self.first(|counts| counts.throttles > 0),
            severity: match ratio(now.throttles, of) {
                share if share > ERRORS_CRITICAL => Severity::Critical,
                _ => Severity::Warning,
            },
            p_value,
        })
    }

    /// What is asked of the hour that this one is held against.
    fn before(&self, of: impl Fn(&Hour) -> Option<Measure>) -> Option<Measure> {
        let hour = self.usual.before.as_ref()?;
        let hours = (self.to / 60).saturating_sub(hour.at);
        Some(of(hour)?.at(When::HoursBefore(hours)))
    }

    /// The first minute of the window that is one; the first of all where no single one is.
    fn first(&self, is: impl Fn(&Counts) -> bool) -> Minute {
        let from = self.to.saturating_sub(self.window);
        let mut minutes = self.history.between(from, self.to);
        minutes
            .find(|(_, counts)| counts.count > 0 && is(counts))
            .map_or(from, |(at, _)| at)
    }
}

impl Suspicion {
    /// The same of times that records waited.
    fn waits(&mut self) {
        if let Kind::Latency { quantile } = self.kind {
            self.kind = Kind::Waiting { quantile };
            // Nobody waits for it, or whoever does is slow as well and says so.
            self.severity = Severity::Warning;
        }
    }
}

/// Whether telemetry is lost: five items, and surely more than one of a hundred.
pub(super) fn incomplete(arrived: Arrived, to: Minute) -> Option<Suspicion> {
    let Arrived { accepted, lost } = arrived;
    let after = share(lost, accepted.max(lost));
    (lost >= LOST_MIN && after.low > LOST_SHARE).then_some(Suspicion {
        kind: Kind::Incomplete,
        before: None,
        after,
        since: to.saturating_sub(1),
        severity: Severity::Warning,
        p_value: 0.0,
    })
}

/// A share of the calls that is watched.
struct Shares {
    now: fn(&Counts) -> u64,
    worst: f64,
    more: f64,
    least: u64,
}

impl Usual {
    fn new(history: &History, to: Minute) -> Self {
        let around = |day: u64| (day * 24 - 1..=day * 24 + 1).rev();
        let hour = |hours| history.hour_before(to, hours);
        let mut hours: Vec<Hour> = Vec::new();
        let mut days = 0;
        for day in 1..=7 {
            let known = hours.len();
            hours.extend(around(day).filter_map(hour));
            days += u64::from(hours.len() > known);
        }
        if hours.is_empty() {
            hours.extend((1..=3).filter_map(hour));
        }
        let called = |hour: &Hour| hour.counts.count > 0;
        let before = (1..=7).filter_map(|day| hour(day * 24)).find(called);
        let before = before.or_else(|| hours.iter().find(|hour| hour.counts.count > 0).cloned());
        let mut sum = Counts::default();
        hours.iter().for_each(|hour| sum.add(&hour.counts));
        Usual {
            hours,
            before,
            days,
            sum,
        }
    }

    /// The time that all of it is of.
    fn when(&self) -> When {
        match self.days {
            0 => When::Hours(self.hours.len() as u64),
            days => When::Days(days),
        }
    }

    fn worst(&self, of: impl Fn(&Hour) -> f64) -> f64 {
        self.hours.iter().map(of).fold(0.0, f64::max)
    }
}

fn window(history: &History, to: Minute) -> (u64, Counts) {
    let mut last = (0, Counts::default());
    for window in [5, 15, 60] {
        last = (window, history.sum(to.saturating_sub(window), to));
        if last.1.count >= ENOUGH {
            break;
        }
    }
    last
}

#[allow(clippy::cast_precision_loss)] // counts of a week
fn share(hits: u64, of: u64) -> Measure {
    let interval = wilson(hits as f64, of as f64, 1.96);
    Measure {
        value: ratio(hits, of),
        low: interval.low,
        high: interval.high,
        of,
        when: None,
    }
}

/// A p-value above this is nothing, however few tests there are.
const WORTH_KEEPING: f64 = 0.01;
/// Calls that a window should have.
const ENOUGH: u64 = 100;
/// A fifth and 20 ms longer, or nobody cares.
const SLOWER: f64 = 1.2;
const SLOWER_MS: f64 = 20.0;
/// Half a percent more than twice as many.
const ERRORS_MORE: f64 = 0.005;
const ERRORS_MIN: u64 = 5;
const ERRORS_CRITICAL: f64 = 0.05;
const THROTTLES_MORE: f64 = 0.005;
const THROTTLES_MIN: u64 = 5;
const COLD_MORE: f64 = 0.05;
const COLD_MIN: u64 = 10;
/// Days on which there must have been traffic before its absence means something.
const SILENCE_DAYS: u64 = 3;
/// Calls in the quietest quarter of an hour.
const SILENCE_OF: u64 = 15;
/// Calls in the quietest five minutes, so that ten without any are enough.
const SILENCE_OF_FIVE: u64 = 30;
/// Parts of the timeout.
const NEAR: f64 = 0.8;
const VERY_NEAR: f64 = 0.95;
const MEMORY_NEAR: f64 = 0.9;
const LOST_MIN: u64 = 5;
const LOST_SHARE: f64 = 0.01;
