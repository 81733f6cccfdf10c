//! Numbers of a node, and how they are written.

use std::fmt;
use std::ops::Range;

use throughline_telemetry::UnixNanos;

use super::{Investigation, Neighbour, waiting};
use crate::detect::words::{dollars, duration, share};
use crate::detect::{Node, Subject};
use crate::facts::{Did, Facts, Failing, Frame};
use crate::question::Symptom;

/// One way in which a node did, when all was well and at the time that is asked about.
#[derive(Clone, Debug, PartialEq)]
pub struct Figure {
    /// What it is: `mean time`, `calls`.
    pub what: &'static str,
    /// What is counted.
    pub unit: Unit,
    /// When all was well; none if nothing is known of then.
    pub before: Option<f64>,
    /// Then.
    pub after: f64,
}

/// What a number counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Milliseconds.
    Millis,
    /// A part, 0 to 1.
    Share,
    /// Calls a minute.
    PerMinute,
    /// US dollars an hour.
    UsdPerHour,
    /// So many.
    Count,
}

impl Unit {
    /// `ms`, `share`, `per_minute`, `usd_per_hour`, `count`.
    pub fn name(self) -> &'static str {
        match self {
            Unit::Millis => "ms",
            Unit::Share => "share",
            Unit::PerMinute => "per_minute",
            Unit::UsdPerHour => "usd_per_hour",
            Unit::Count => "count",
        }
    }

    /// What the numbers of a symptom count.
    pub fn of(symptom: Symptom) -> Self {
        match symptom {
            // What waits may be counted instead.
            Symptom::Slow | Symptom::Waiting => Unit::Millis,
            Symptom::Expensive => Unit::UsdPerHour,
            Symptom::Silent => Unit::PerMinute,
            Symptom::Changed => Unit::Count,
            Symptom::Error | Symptom::Throttle | Symptom::Timeout | Symptom::ColdStart => {
                Unit::Share
            }
        }
    }
}

/// `147 ms`, `14 min`, `12 %`, `40 calls a minute`, `$2.10 an hour`.
pub fn amount(unit: Unit, value: f64) -> String {
    match unit {
        Unit::Millis if value >= LONG_MS => age(value),
        Unit::Millis => duration(value),
        Unit::Share => share(value),
        Unit::PerMinute if value < 10.0 => format!("{value:.1} calls a minute"),
        Unit::PerMinute => format!("{value:.0} calls a minute"),
        Unit::UsdPerHour => format!("{} an hour", dollars(value)),
        Unit::Count => format!("{value:.0}"),
    }
}

/// `is slow`, `fails`.
pub fn verb(symptom: Symptom) -> &'static str {
    match symptom {
        Symptom::Slow => "is slow",
        Symptom::Error => "fails",
        Symptom::Throttle => "is throttled",
        Symptom::Timeout => "times out",
        Symptom::ColdStart => "starts cold",
        Symptom::Expensive => "costs more",
        Symptom::Silent => "is silent",
        Symptom::Waiting => "waits",
        Symptom::Changed => "has changed",
    }
}

/// An investigation in one line of plain English.
impl fmt::Display for Investigation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (node, verb) = (&self.node, verb(self.symptom));
        let Some(found) = &self.found else {
            let waiting = self.symptom == Symptom::Waiting;
            let waits = |it: &&Figure| waiting && it.what.ends_with("waiting");
            let told = self.figures.iter().find(waits);
            return match told.or(self.figures.first()) {
                Some(figure) => write!(f, "nothing found: {node}, {figure}"),
                None => write!(f, "nothing found: {node} was not called"),
            };
        };
        let unit = found.unit;
        let [before, after] =
            [found.confirmed.before, found.confirmed.after].map(|value| amount(unit, value));
        write!(f, "{node} {verb}: {before} → {after}")?;
        match found.causes.first() {
            Some(cause) if cause.node == *node => {
                write!(f, ", {} of it by itself", share(cause.share))
            }
            Some(cause) => write!(f, ", {} of it from {}", share(cause.share), cause.node),
            None => write!(f, ", and nothing explains it"),
        }
    }
}

/// `function:shop fails: 0 % → 38 %`; the name alone of what is as usual.
impl fmt::Display for Neighbour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.node)?;
        for (at, symptom) in self.worse.iter().enumerate() {
            let unit = Unit::of(*symptom);
            let [before, after] = self.did.each_ref().map(|did| match unit {
                Unit::Millis => did.mean_ms(),
                _ => did.part(Failing::All),
            });
            let (comma, verb) = (if at > 0 { "," } else { "" }, verb(*symptom));
            let [before, after] = [before, after].map(|value| amount(unit, value));
            write!(f, "{comma} {verb}: {before} → {after}")?;
        }
        Ok(())
    }
}

/// `mean time 50 ms → 350 ms`.
impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let after = amount(self.unit, self.after);
        match self.before {
            Some(before) => write!(f, "{} {} → {after}", self.what, amount(self.unit, before)),
            None => write!(f, "{} {after}, and nothing is known of before", self.what),
        }
    }
}

/// `3 s`, `14 min`, `2.5 h`.
pub(super) fn age(millis: f64) -> String {
    let seconds = (millis / 1e3).round();
    match seconds {
        seconds if seconds < 100.0 => format!("{seconds} s"),
        seconds if seconds < 600.0 && seconds % 60.0 > 0.0 => {
            format!("{} min {} s", (seconds / 60.0).floor(), seconds % 60.0)
        }
        seconds if seconds < 7200.0 => format!("{:.0} min", seconds / 60.0),
        seconds => format!("{:.1} h", seconds / 3600.0),
    }
}

/// How a node did in each way, those left out that are nothing at both times.
#[allow(clippy::cast_precision_loss)] // calls of hours
pub(super) fn figures(
    facts: &Facts,
    node: &Node,
    normal: &Range<UnixNanos>,
    now: &Range<UnixNanos>,
) -> Vec<Figure> {
    let subject = Subject::Node(node.clone());
    let [before, after] = [normal, now].map(|times| {
        let did = facts.sums(times).remove(&subject).unwrap_or_default();
        (did, facts.minutes(times))
    });
    let p99 = |did: &Did| did.counts.durations.percentile(99.0).unwrap_or(0.0);
    type Value<'a> = &'a dyn Fn(&(Did, f64)) -> f64;
    let all: [(&'static str, Unit, Value<'_>); 8] = [
        ("mean time", Unit::Millis, &|(did, _)| did.mean_ms()),
        ("p99", Unit::Millis, &|(did, _)| p99(did)),
        ("failed", Unit::Share, &|(did, _)| did.part(Failing::All)),
        ("timed out", Unit::Share, &|(did, _)| {
            did.counts.timeouts as f64 / (did.counts.count as f64).max(1.0)
        }),
        ("throttled", Unit::Share, &|(did, _)| {
            did.part(Failing::Throttled)
        }),
        ("cold starts", Unit::Share, &|(did, _)| {
            did.part(Failing::Cold)
        }),
        ("calls", Unit::PerMinute, &|(did, minutes)| {
            did.counts.count as f64 / minutes
        }),
        ("cost", Unit::UsdPerHour, &|(did, minutes)| {
            did.counts.cost_usd / minutes * 60.0
        }),
    ];
    let is_known = before.0.counts.count > 0;
    let figures = all.into_iter().map(|(what, unit, value)| Figure {
        what,
        unit,
        before: is_known.then(|| value(&before)),
        after: value(&after),
    });
    let figures =
        figures.filter(|it| it.what == "failed" || it.after > 0.0 || it.before > Some(0.0));
    // Reports alone tell it, and not of every time.
    let memory = |(did, _): &(Did, f64)| Some(did.memory_share).filter(|part| *part > 0.0);
    let memory = memory(&after).map(|part| Figure {
        what: "memory used",
        unit: Unit::Share,
        before: memory(&before),
        after: part,
    });
    let frame = Frame {
        normal: normal.clone(),
        now: now.clone(),
    };
    let waiting = waiting::figures(facts, node, &frame);
    figures.chain(memory).chain(waiting).collect()
}

/// From here on hundredths of a second say nothing.
const LONG_MS: f64 = 100_000.0;
