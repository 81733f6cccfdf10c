//! What waits: how old the oldest of what lies in a queue is, how much lies there, and who does not take it.
//!
//! What is asked about waits if it is a queue, a function that is behind in what it reads, or a function that takes from
//! such a queue. It comes from where whoever takes it is worse in another way.

use std::cmp::Ordering;
use std::fmt;
use std::ops::Range;
use std::time::Duration;

use throughline_telemetry::UnixNanos;

use super::words::{Figure, Unit, age};
use super::{Found, Suspect, attempt};
use crate::detect::{Lying, Node, Subject};
use crate::facts::{Facts, Frame};
use crate::question::Symptom;
use crate::rootcause::Evidence;

/// What lay somewhere, when all was well and at the time that is asked about.
#[derive(Clone, Debug, PartialEq)]
pub struct Waiting {
    /// The queue, or the function that reads.
    pub node: Node,
    /// What was measured.
    pub what: Measured,
    /// The most when all was well; none if nothing is known of then.
    pub before: Option<f64>,
    /// The most then.
    pub after: f64,
    /// From when until when it was more than ever before, if it came to be far more.
    pub times: Option<Range<UnixNanos>>,
}

/// What can be measured of what waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Measured {
    /// How long the oldest has waited, in milliseconds.
    Oldest,
    /// How many messages there are.
    Messages,
}

impl Measured {
    const ALL: [Measured; 2] = [Measured::Oldest, Measured::Messages];

    /// What is counted.
    pub fn unit(self) -> Unit {
        match self {
            Measured::Oldest => Unit::Millis,
            Measured::Messages => Unit::Count,
        }
    }

    fn of(self, lying: &Lying) -> Option<f64> {
        match self {
            Measured::Oldest => lying.oldest_ms,
            Measured::Messages => lying.messages,
        }
    }

    /// Beyond this it is far more than there ever was.
    fn bound(self, before: f64) -> f64 {
        match self {
            Measured::Oldest => (before * OLDER).max(before + OLDER_MS),
            Measured::Messages => (before * MORE).max(before + MORE_MESSAGES),
        }
    }

    fn figure(self) -> &'static str {
        match self {
            Measured::Oldest => "oldest waiting",
            Measured::Messages => "messages waiting",
        }
    }
}

impl Waiting {
    /// How many times the bound it is, where it is beyond it.
    fn excess(&self) -> f64 {
        let bound = self.what.bound(self.before.unwrap_or(0.0));
        self.after / bound
    }

    /// The age tells more than the number, and what is further from usual more than the rest.
    fn order(&self, other: &Self) -> Ordering {
        let by_excess = other.excess().total_cmp(&self.excess());
        self.what.cmp(&other.what).then(by_excess)
    }
}

/// `the oldest message of queue:orders waited 14 min, at most 3 s before`.
impl fmt::Display for Waiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Waiting { node, what, .. } = self;
        let is_function = node.starts_with("function:");
        let words = |value: f64| match what {
            Measured::Oldest => age(value),
            Measured::Messages => grouped(value),
        };
        let after = words(self.after);
        match what {
            Measured::Oldest if is_function => {
                write!(f, "{node} was {after} behind what it reads")?
            }
            Measured::Oldest => write!(f, "the oldest message of {node} waited {after}")?,
            Measured::Messages if after == "1" => write!(f, "one message lay in {node}")?,
            Measured::Messages => write!(f, "{after} messages lay in {node}")?,
        }
        match self.before {
            Some(before) => write!(f, ", at most {} before", words(before)),
            None => write!(f, ", and nothing is known of before"),
        }
    }
}

/// What waits at a node: there, and where it takes from. What tells most comes first, none is told twice.
pub fn waiting<'a>(
    facts: &'a Facts,
    nodes: impl IntoIterator<Item = &'a Node>,
    frame: &Frame,
) -> Vec<Waiting> {
    let mut places: Vec<&Node> = nodes.into_iter().flat_map(|it| places(facts, it)).collect();
    places.sort();
    places.dedup();
    let mut found: Vec<Waiting> = places
        .into_iter()
        .flat_map(|place| Measured::ALL.map(|what| measured(facts, place, what, frame)))
        .flatten()
        .collect();
    found.sort_by(Waiting::order);
    found
}

/// Whether something waits far longer, or far more does, and who does not take it.
pub(super) fn find(facts: &Facts, node: &Node, frame: &Frame) -> Option<Found> {
    let all = waiting(facts, [node], frame);
    let worst = all.into_iter().find(|it| it.times.is_some())?;
    let times = worst.times.clone()?;
    let before = worst.before.unwrap_or(0.0);
    let did = |times: &Range<UnixNanos>| {
        let sum = facts.sums(times).remove(&Subject::Node(worst.node.clone()));
        #[allow(clippy::cast_precision_loss)] // calls of hours
        sum.map_or(0.0, |did| did.counts.count as f64)
    };
    let calls = did(&times);
    let usual = did(&frame.normal) / facts.minutes(&frame.normal);
    let load = match usual > 0.0 {
        true => calls / facts.minutes(&times) / usual,
        false => 1.0,
    };
    let mut found = Found {
        confirmed: Evidence {
            before,
            after: worst.after,
            // At the bound as far as whatever else is just found.
            z: Z_AT_BOUND * (worst.after - before) / (worst.what.bound(before) - before),
            calls,
        },
        unit: worst.what.unit(),
        began_before: times.start <= frame.now.start,
        onset: times.start,
        until: times.end,
        causes: Vec::new(),
        beside: Vec::new(),
        ruled_out: Vec::new(),
        unexplained: 1.0,
        load,
        cost_why: Vec::new(),
    };
    if let Some((taker, why)) = not_taken(facts, &worst.node, frame) {
        let is_asked = *node == taker;
        let from_here = |mut cause: Suspect| {
            if !is_asked {
                cause.path.insert(0, worst.node.clone());
            }
            cause
        };
        found.causes = why.causes.into_iter().map(from_here).collect();
        found.beside = why.beside;
        found.ruled_out = why.ruled_out;
        found.unexplained = why.unexplained;
    }
    Some(found)
}

/// In which way who takes it is worse, and why.
fn not_taken(facts: &Facts, place: &Node, frame: &Frame) -> Option<(Node, Found)> {
    let takers = facts.takes.iter().filter(|(from, _)| from == place);
    let takers = takers.map(|(_, taker)| taker);
    let itself = std::iter::once(place).filter(|it| it.starts_with("function:"));
    let mut ways = takers
        .chain(itself)
        .flat_map(|taker| WAYS.map(|way| (taker, way)));
    ways.find_map(|(taker, way)| {
        let found = attempt(facts, taker, way, frame)?;
        (!found.causes.is_empty()).then(|| (taker.clone(), found))
    })
}

/// The same as numbers of a node, of what tells most.
pub(super) fn figures(facts: &Facts, node: &Node, frame: &Frame) -> Vec<Figure> {
    let all = waiting(facts, [node], frame);
    let of = |what: Measured| {
        let first = all.iter().find(|it| it.what == what)?;
        Some(Figure {
            what: what.figure(),
            unit: what.unit(),
            before: first.before,
            after: first.after,
        })
    };
    Measured::ALL.into_iter().filter_map(of).collect()
}

/// Where there is told what waits at a node: itself, and what it takes from; of a stream, who reads it.
fn places<'a>(facts: &'a Facts, node: &'a Node) -> impl Iterator<Item = &'a Node> {
    let is_stream = node.starts_with("stream:");
    let others = facts.takes.iter().filter_map(move |(from, taker)| {
        let source = (taker == node).then_some(from);
        source.or_else(|| (is_stream && from == node).then_some(taker))
    });
    let all = std::iter::once(node).chain(others);
    all.filter(|place| facts.lying.contains_key(*place))
}

/// None where nobody tells of this time.
fn measured(facts: &Facts, place: &Node, what: Measured, frame: &Frame) -> Option<Waiting> {
    let minutes = facts.lying.get(place)?;
    let values = |times: Range<UnixNanos>| {
        let minutes = minutes.range(times.start..times.end.max(times.start));
        minutes.filter_map(move |(at, lying)| Some((*at, what.of(lying)?)))
    };
    let most = |times: &Range<UnixNanos>| {
        let values = values(times.clone()).map(|(_, value)| value);
        values.reduce(f64::max)
    };
    let after = most(&frame.now)?;
    // Nobody tells of a queue that has been empty for some hours.
    let is_told = || {
        let others = facts.lying.values();
        let mut told = others.flat_map(|it| it.range(frame.normal.clone()));
        told.any(|(_, lying)| what.of(lying).is_some())
    };
    let before = most(&frame.normal).or_else(|| is_told().then_some(0.0));
    let usual = before.unwrap_or(f64::MAX);
    let bound = what.bound(usual);
    let beyond = || values(frame.now.clone()).filter(|(_, value)| *value > bound);
    let times = beyond().next().map(|(first, _)| {
        let last = beyond().next_back().map_or(first, |(last, _)| last);
        let earlier: Vec<(UnixNanos, f64)> =
            values(frame.now.start.minus(LOOK_BACK)..first).collect();
        let run = earlier.iter().rev().take_while(|(_, value)| *value > usual);
        let onset = run.last().map_or(first, |(at, _)| *at);
        onset..last.plus(MINUTE)
    });
    Some(Waiting {
        node: place.clone(),
        what,
        before,
        after,
        times,
    })
}

/// `1,240`.
fn grouped(count: f64) -> String {
    let digits = format!("{count:.0}");
    let mut grouped = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// In which way whoever takes it may be worse, what tells most first.
const WAYS: [Symptom; 4] = [
    Symptom::Silent,
    Symptom::Throttle,
    Symptom::Error,
    Symptom::Slow,
];
/// Half as old again as the oldest before, and two minutes: as detection has it.
const OLDER: f64 = 1.5;
const OLDER_MS: f64 = 120_000.0;
/// Twice as many as ever before, and some besides.
const MORE: f64 = 2.0;
const MORE_MESSAGES: f64 = 20.0;
const Z_AT_BOUND: f64 = 3.5;
const MINUTE: Duration = Duration::from_secs(60);
/// What began before the time that is asked about is looked for so far.
const LOOK_BACK: Duration = Duration::from_secs(20 * 60);

#[cfg(test)]
mod tests;
