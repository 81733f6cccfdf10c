//! Which rules hold, and since when.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use throughline_telemetry::UnixNanos;

use super::{Counts, Goal, Series};
use crate::detect::Severity;

/// When a budget goes too quickly: over both windows at least so many times faster than evenly.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rule {
    /// The window that says that it is still so.
    pub short: Duration,
    /// The window that says that it matters.
    pub long: Duration,
    /// How many times faster.
    pub burn: f64,
    /// How much it matters.
    pub severity: Severity,
}

/// The rules, the quickest first. Of thirty days' budget they wait for 2, 5, 10 and 10 %.
pub const RULES: &[Rule; 4] = &[
    rule(5 * MINUTE, HOUR, 14.4, Severity::Critical),
    rule(30 * MINUTE, 6 * HOUR, 6.0, Severity::Critical),
    rule(2 * HOUR, 24 * HOUR, 3.0, Severity::Warning),
    rule(6 * HOUR, 72 * HOUR, 1.0, Severity::Warning),
];

impl Rule {
    /// The burn from which on it holds for a goal. Where much may be bad, nothing burns as quickly as the rule asks:
    /// then it is nine tenths of what there can be.
    pub fn bound(&self, goal: Goal) -> f64 {
        self.burn.min(NEARLY_ALL / goal.budget())
    }

    /// Whether a goal is over a time in which its long window fits.
    pub fn fits(&self, goal: Goal) -> bool {
        self.long <= goal.window()
    }

    /// The burn over the short and the long window.
    pub fn burns(&self, goal: Goal, series: &Series, end: UnixNanos) -> [Option<f64>; 2] {
        [self.short, self.long].map(|window| goal.burn(series.last(window, end)))
    }
}

/// Which rules hold. Serialised, it goes on where it was.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Burning {
    rules: [Option<Holds>; RULES.len()],
}

/// That a rule holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Holds {
    /// From when on.
    since: u64,
    /// From when on it would not begin again; none while it would.
    eased: Option<u64>,
}

impl Burning {
    /// Takes that all minutes before `end` are known. To be asked each minute, in order.
    pub fn tick(&mut self, goal: Goal, series: &Series, end: UnixNanos) {
        for (rule, holds) in RULES.iter().zip(&mut self.rules) {
            *holds = match *holds {
                // A goal may have been made shorter.
                _ if !rule.fits(goal) => None,
                None => begins(rule, goal, series, end).then_some(Holds {
                    since: end.0,
                    eased: None,
                }),
                Some(holds) => goes_on(holds, rule, goal, series, end),
            };
        }
    }

    /// The worst of what holds; none if nothing does.
    pub fn severity(&self) -> Option<Severity> {
        self.holding().map(|(rule, _)| rule.severity).max()
    }

    /// Since when the first rule holds that does.
    pub fn since(&self) -> Option<UnixNanos> {
        self.holding().map(|(_, since)| since).min()
    }

    /// What holds, and since when, the quickest first.
    pub fn holding(&self) -> impl Iterator<Item = (&'static Rule, UnixNanos)> {
        let rules = RULES.iter().zip(&self.rules);
        rules.filter_map(|(rule, holds)| Some((rule, UnixNanos(holds.as_ref()?.since))))
    }
}

fn begins(rule: &Rule, goal: Goal, series: &Series, end: UnixNanos) -> bool {
    let bound = rule.bound(goal);
    let long = series.last(rule.long, end);
    let burns = |counts: Counts| goal.burn(counts).is_some_and(|burn| burn >= bound);
    // One or two of few tell nothing.
    long.bad >= BAD_MIN && burns(long) && burns(series.last(rule.short, end))
}

fn goes_on(
    holds: Holds,
    rule: &Rule,
    goal: Goal,
    series: &Series,
    end: UnixNanos,
) -> Option<Holds> {
    let bound = rule.bound(goal) * EASED;
    let [short, long] = rule.burns(goal, series, end);
    // Where nothing happens nothing has become good: then the long window decides.
    let burns = long.is_some_and(|burn| burn >= bound) && short.is_none_or(|burn| burn >= bound);
    let eased = match burns {
        true => None,
        false => Some(holds.eased.unwrap_or(end.0)),
    };
    let is_over = eased.is_some_and(|eased| end.since(UnixNanos(eased)) >= OVER_AFTER);
    (!is_over).then_some(Holds { eased, ..holds })
}

const fn rule(short_secs: u64, long_secs: u64, burn: f64, severity: Severity) -> Rule {
    Rule {
        short: Duration::from_secs(short_secs),
        long: Duration::from_secs(long_secs),
        burn,
        severity,
    }
}

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
/// Of everything that there is, so much is bad where a rule asks for more than can be.
const NEARLY_ALL: f64 = 0.9;
/// Of its bound, what a rule that holds must fall below.
const EASED: f64 = 0.9;
/// For how long it must be below.
const OVER_AFTER: Duration = Duration::from_secs(5 * 60);
/// Bad events without which no rule begins.
const BAD_MIN: u64 = 3;
