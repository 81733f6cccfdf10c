//! One function as a card shows it.

use super::{Counts, FORGOTTEN_AFTER, Function, SECONDS};
use crate::statistics::wilson;

/// What a card shows of a function.
#[derive(Clone, Debug, PartialEq)]
pub struct Card {
    /// The function's.
    pub name: String,
    /// Of its last invocation; empty if only calls of it were seen.
    pub service: String,
    /// The last ten seconds.
    pub window: Window,
    /// How many invocations ended in each of the last 120 seconds, oldest first; `None` where not
    /// everything was seen.
    pub seconds: Vec<Option<u64>>,
    /// Durations of the last minute in milliseconds, if there were any: the mean, and percentiles.
    pub mean_ms: Option<f64>,
    /// The median.
    pub p50_ms: Option<f64>,
    /// 90 % took at most so long.
    pub p90_ms: Option<f64>,
    /// 99 %.
    pub p99_ms: Option<f64>,
    /// 99.5 %.
    pub p995_ms: Option<f64>,
    /// US dollars a second, in the mean of the last minute; `None` without reports.
    pub cost_usd_per_second: Option<f64>,
    /// What is normal for it, if that is known.
    pub normal: Option<Normal>,
    /// How far it is from that.
    pub deviation: Deviation,
    /// What deviates, in words.
    pub why: Vec<String>,
}

/// What ended within ten seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Window {
    /// Invocations.
    pub invocations: u64,
    /// Those that failed.
    pub errors: u64,
    /// Cold starts.
    pub cold_starts: u64,
    /// Those that took too long.
    pub timeouts: u64,
    /// Calls that were refused because there were too many; `None` if nobody has told of a call for an hour.
    pub throttles: Option<u64>,
    /// Invocations a second.
    pub rate: f64,
    /// How many ran at once, in the mean.
    pub concurrency: f64,
}

/// What a function has done for longer.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Normal {
    /// How many invocations that is of.
    pub invocations: u64,
    /// The part of them that failed, 0 to 1.
    pub error_ratio: f64,
    /// The median duration in milliseconds.
    pub p50_ms: f64,
    /// 99 % took at most so long.
    pub p99_ms: f64,
}

/// How far a function is from its own normal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Deviation {
    /// Too few invocations to tell, or nothing to compare with.
    #[default]
    Unknown,
    /// As ever.
    None,
    /// Worth a look.
    Slight,
    /// Something is wrong.
    Strong,
}

impl Card {
    #[allow(clippy::cast_precision_loss)] // counts of seconds
    pub(super) fn new(
        name: &str,
        function: &Function,
        normal: Option<&Normal>,
        since: Option<u64>,
        now: u64,
    ) -> Self {
        let ten = sum(function, now, WINDOW);
        let minute = sum(function, now, MINUTE);
        let mut took: Vec<f64> = function
            .durations
            .iter()
            .filter(|(at, _)| *at + MINUTE > now)
            .map(|(_, took)| *took)
            .collect();
        took.sort_by(f64::total_cmp);
        let mean = (!took.is_empty()).then(|| took.iter().sum::<f64>() / took.len() as f64);
        let (deviation, why) = judge(&minute, &took, normal);
        let called = function.last_called;
        let is_told = called.is_some_and(|called| called + FORGOTTEN_AFTER >= now);
        Card {
            name: name.to_owned(),
            service: function.service.clone(),
            window: Window {
                invocations: ten.invocations,
                errors: ten.errors,
                cold_starts: ten.cold_starts,
                timeouts: ten.timeouts,
                throttles: is_told.then_some(ten.throttles),
                rate: ten.invocations as f64 / WINDOW as f64,
                concurrency: ten.busy_ms / (WINDOW as f64 * 1e3),
            },
            seconds: seconds(function, since, now),
            mean_ms: mean,
            p50_ms: quantile(&took, 0.5),
            p90_ms: quantile(&took, 0.9),
            p99_ms: quantile(&took, 0.99),
            p995_ms: quantile(&took, 0.995),
            cost_usd_per_second: (minute.reports > 0).then(|| minute.cost_usd / MINUTE as f64),
            normal: normal.copied(),
            deviation,
            why,
        }
    }
}

fn sum(function: &Function, now: u64, seconds: u64) -> Counts {
    let mut sum = Counts::default();
    for second in function.last(now, seconds) {
        let counts = &second.counts;
        sum.invocations += counts.invocations;
        sum.errors += counts.errors;
        sum.cold_starts += counts.cold_starts;
        sum.timeouts += counts.timeouts;
        sum.throttles += counts.throttles;
        sum.busy_ms += counts.busy_ms;
        sum.reports += counts.reports;
        sum.cost_usd += counts.cost_usd;
    }
    sum
}

fn seconds(function: &Function, since: Option<u64>, now: u64) -> Vec<Option<u64>> {
    let first = (now + 1).saturating_sub(SECONDS as u64);
    let mut counts: Vec<Option<u64>> = (first..=now)
        .map(|at| since.filter(|since| at >= *since).map(|_| 0))
        .collect();
    for second in function.last(now, SECONDS as u64) {
        let place = usize::try_from(second.at - first).unwrap_or(0);
        if let Some(Some(count)) = counts.get_mut(place) {
            *count = second.counts.invocations;
        }
    }
    counts
}

/// Compares the last minute with what is normal. Few invocations say little, so the lower end of what
/// the share of failures may be is compared, and medians only of ten and more.
#[allow(clippy::cast_precision_loss)] // counts of a minute
fn judge(minute: &Counts, took: &[f64], normal: Option<&Normal>) -> (Deviation, Vec<String>) {
    let known = normal.filter(|normal| normal.invocations >= NORMAL_MIN);
    let mut deviation = match (known, minute.invocations) {
        (None, _) | (_, 0) => Deviation::Unknown,
        _ => Deviation::None,
    };
    let mut why = Vec::new();
    let mut add = |how, words| {
        deviation = deviation.max(how);
        why.push(words);
    };
    let usual = known.map_or(0.0, |normal| normal.error_ratio);
    let total = minute.invocations as f64;
    let errors = minute.errors as f64 / total.max(1.0);
    let sure = wilson(minute.errors as f64, total, Z).low;
    let words = || {
        let percent = errors * 100.0;
        match known {
            Some(_) => format!("{percent:.1} % fail, normal is {:.1} %", usual * 100.0),
            None => format!("{percent:.1} % fail"),
        }
    };
    if sure > usual + ERRORS_STRONG {
        add(Deviation::Strong, words());
    } else if sure > usual * 2.0 + ERRORS_SLIGHT {
        add(Deviation::Slight, words());
    }
    if minute.throttles > 0 {
        let refused = minute.throttles as f64;
        let share = refused / (refused + total);
        let how = match share > THROTTLES_STRONG {
            true => Deviation::Strong,
            false => Deviation::Slight,
        };
        add(how, format!("{:.1} % of calls throttled", share * 100.0));
    }
    if let Some(normal) = known {
        for (name, percent, least, usual) in [
            ("median", 0.5, 10, normal.p50_ms),
            ("p99", 0.99, 100, normal.p99_ms),
        ] {
            let Some(now) = quantile(took, percent).filter(|_| took.len() >= least) else {
                continue;
            };
            let more = now - usual;
            let words = || format!("{name} {} instead of {}", time(now), time(usual));
            if now > usual * SLOW_STRONG && more > SLOW_MS_MIN {
                add(Deviation::Strong, words());
            } else if now > usual * SLOW_SLIGHT && more > SLOW_MS_MIN {
                add(Deviation::Slight, words());
            }
        }
    }
    (deviation, why)
}

/// The value that this part of the sorted values is at or below.
#[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation)]
#[allow(clippy::cast_sign_loss)] // ranks are within the length
fn quantile(sorted: &[f64], part: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    let rank = (part * last as f64).ceil() as usize;
    sorted.get(rank.min(last)).copied()
}

fn time(millis: f64) -> String {
    match millis {
        millis if millis >= 1000.0 => format!("{:.1} s", millis / 1e3),
        millis if millis >= 10.0 => format!("{millis:.0} ms"),
        millis => format!("{millis:.1} ms"),
    }
}

/// Seconds of a [`Window`].
pub const WINDOW: u64 = 10;
const MINUTE: u64 = 60;
/// What is known of fewer invocations is no normal.
const NORMAL_MIN: u64 = 20;
/// So much more than normal, of all invocations.
const ERRORS_STRONG: f64 = 0.05;
const ERRORS_SLIGHT: f64 = 0.01;
/// Refused calls are never normal: who is called too often needs more room, or fewer callers.
const THROTTLES_STRONG: f64 = 0.05;
const SLOW_STRONG: f64 = 3.0;
const SLOW_SLIGHT: f64 = 1.5;
/// A difference that nobody notices is none.
const SLOW_MS_MIN: f64 = 5.0;
const Z: f64 = 1.96;
