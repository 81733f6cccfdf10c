//! What there is to say of an objective at a moment.

use std::fmt::Write;
use std::time::Duration;

use throughline_telemetry::UnixNanos;

use super::watch::{Burning, RULES, Rule};
use super::{Counts, Goal, Series};

/// How an objective does.
#[derive(Clone, Debug, PartialEq)]
pub struct Standing {
    /// What happened in its window.
    pub counts: Counts,
    /// The share of the window's budget that is left; below zero once it is used up.
    pub left: f64,
    /// How quickly it went in the last hour; not known where nothing happened.
    pub burn: Option<f64>,
    /// When nothing is left if it goes on like that: never, where it is even or slower; no time, where nothing is left.
    pub lasts: Option<Duration>,
    /// The rules that fit the goal, with the burn over the short and over the long window.
    pub rules: Vec<(&'static Rule, [Option<f64>; 2])>,
}

impl Standing {
    /// How an objective does at the end of the last minute that is known.
    pub fn of(goal: Goal, series: &Series, end: UnixNanos) -> Standing {
        let counts = series.last(goal.window(), end);
        let left = goal.left(counts, series.known(goal.window(), end));
        let burn = goal.burn(series.last(HOUR, end));
        let rules = RULES.iter().filter(|rule| rule.fits(goal));
        Standing {
            counts,
            left,
            burn,
            lasts: lasts(goal, left, burn),
            rules: rules
                .map(|rule| (rule, rule.burns(goal, series, end)))
                .collect(),
        }
    }

    /// `"orders are mailed" burns its budget 14.4 times too fast: 63 % is left, for another 1 d 7 h`.
    pub fn title(&self, name: &str, burning: &Burning) -> String {
        let quickest = burning.holding().next().and_then(|(rule, _)| {
            let mut rules = self.rules.iter();
            rules.find_map(|(known, burns)| (*known == rule).then_some(burns[1])?)
        });
        let mut title = match quickest {
            Some(burn) => format!("\"{name}\" burns its budget {burn:.1} times too fast: "),
            None => format!("\"{name}\": "),
        };
        let _ = match self.left {
            left if left <= 0.0 => write!(title, "nothing of it is left"),
            left => write!(title, "{:.0} % is left", left * 100.0),
        };
        if let Some(lasts) = self.lasts.filter(|lasts| !lasts.is_zero()) {
            let _ = write!(title, ", for another {}", words(lasts));
        }
        title
    }
}

fn lasts(goal: Goal, left: f64, burn: Option<f64>) -> Option<Duration> {
    match burn {
        _ if left <= 0.0 => Some(Duration::ZERO),
        Some(burn) if burn > 1.0 => Some(goal.window().mul_f64(left / burn)),
        _ => None,
    }
}

/// `12 min`, `3 h 5 min`, `2 d 4 h`.
fn words(time: Duration) -> String {
    let minutes = time.as_secs() / 60;
    match (minutes / 1440, minutes / 60 % 24, minutes % 60) {
        (0, 0, minutes) => format!("{minutes} min"),
        (0, hours, minutes) => format!("{hours} h {minutes} min"),
        (days, hours, _) => format!("{days} d {hours} h"),
    }
}

const HOUR: Duration = Duration::from_secs(3600);
