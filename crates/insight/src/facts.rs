//! What everything did, minute by minute: what questions about the past are answered from.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::time::Duration;

use throughline_telemetry::UnixNanos;

use crate::detect::{Counts, Lying, Node, Subject};
use crate::rootcause::{NodeSeries, Scene, Step, View};

/// What was done, by minute and subject.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Facts {
    /// What each subject did in each minute, by the beginning of the minute.
    pub subjects: BTreeMap<(UnixNanos, Subject), Did>,
    /// Nodes that say themselves what they did; of others their callers do.
    pub own: BTreeSet<Node>,
    /// From whom to whom something was handed over that nobody waits for: a message, an event.
    pub handed: BTreeSet<(Node, Node)>,
    /// From what who takes, and what passes on to what: a queue to a function, a topic to a queue.
    pub takes: BTreeSet<(Node, Node)>,
    /// What lies in queues, or waits for functions, by the beginning of the minute.
    pub lying: BTreeMap<Node, BTreeMap<UnixNanos, Lying>>,
    /// Nodes of which only their callers tell, and traces show that it is so.
    pub shown: BTreeSet<Node>,
}

/// What a subject did in a minute.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Did {
    /// How often, and how it went.
    pub counts: Counts,
    /// How long it took all together.
    pub sum_ms: f64,
    /// Whether somebody tells which of it was ended because it took too long.
    pub tells_timeouts: bool,
    /// The largest part of its memory that one of them used, 0 to 1; 0 where nobody tells.
    pub memory_share: f64,
}

/// What counts as a failure of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failing {
    /// Whatever failed or was refused.
    All,
    /// What was refused because there was too much.
    Throttled,
    /// What began with a cold start.
    Cold,
    /// What was ended because it took too long; whatever failed, where nobody tells that.
    TimedOut,
}

/// The times that are held against each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// When all was well.
    pub normal: Range<UnixNanos>,
    /// What is asked about.
    pub now: Range<UnixNanos>,
}

impl Frame {
    /// How long a step is: long enough that chance evens out, and a minute in what is so short that it has just begun and
    /// would have no two of them.
    pub fn step(&self) -> Duration {
        match self.now.end.since(self.now.start) <= SHORT {
            true => MINUTE,
            false => 2 * MINUTE,
        }
    }
}

impl Facts {
    /// What a subject did in a minute, to be added to.
    pub fn at(&mut self, minute: UnixNanos, subject: Subject) -> &mut Did {
        self.subjects.entry((minute, subject)).or_default()
    }

    /// All nodes that did something.
    pub fn nodes(&self) -> BTreeSet<&Node> {
        let subjects = self.subjects.keys();
        subjects.filter_map(|(_, it)| node(it)).collect()
    }

    /// What each subject did between two times, all together.
    pub fn sums(&self, times: &Range<UnixNanos>) -> BTreeMap<&Subject, Did> {
        let mut sums: BTreeMap<&Subject, Did> = BTreeMap::new();
        for ((_, subject), did) in self.between(times) {
            sums.entry(subject).or_default().add(did);
        }
        sums
    }

    /// What was done in the minutes between two times.
    pub fn between(
        &self,
        times: &Range<UnixNanos>,
    ) -> impl Iterator<Item = (&(UnixNanos, Subject), &Did)> {
        // The least of all subjects.
        let key = |at: UnixNanos| (at, Subject::Node(String::new()));
        let (from, to) = (times.start, times.end.max(times.start));
        self.subjects.range(key(from)..key(to))
    }

    /// How many minutes are known between two times: from the first in which anything was done.
    pub fn minutes(&self, times: &Range<UnixNanos>) -> f64 {
        let known = times.end.since(self.begin(times));
        (known.as_secs_f64() / 60.0).max(1.0)
    }

    /// The first minute between two times in which anything was done; their end if nothing was.
    fn begin(&self, times: &Range<UnixNanos>) -> UnixNanos {
        let first = self.between(times).next();
        first.map_or(times.end, |((minute, _), _)| *minute)
    }

    /// The same as steps of all nodes, and the place of each node in it.
    #[allow(clippy::cast_precision_loss)] // calls of some minutes
    pub fn scene(&self, frame: &Frame, failing: Failing) -> (Scene, BTreeMap<&Node, usize>) {
        let known = self.begin(&frame.normal)..frame.normal.end;
        let length = frame.step();
        let (normal, now) = (steps(&known, length), steps(&frame.now, length));
        let nodes = self.nodes();
        let places: BTreeMap<&Node, usize> = nodes.iter().copied().zip(0..).collect();
        let mut sums: Vec<BTreeMap<UnixNanos, (Step, f64)>> = vec![BTreeMap::new(); nodes.len()];
        let mut calls = BTreeSet::new();
        for ((minute, subject), did) in &self.subjects {
            if let Subject::Edge(from, to, _) = subject
                && let (Some(from), Some(to)) = (places.get(from), places.get(to))
            {
                calls.insert((*from, *to));
            }
            let Some(place) = node(subject).and_then(|node| places.get(node)) else {
                continue;
            };
            let (step, sum_ms) = sums[*place].entry(step_of(*minute, length)).or_default();
            step.count += did.counts.count as f64;
            step.errors += failing.of(did) as f64;
            *sum_ms += did.sum_ms;
        }
        let series = nodes.iter().zip(&sums).map(|(name, sums)| {
            let of = |times: &[UnixNanos]| times.iter().map(|at| step(sums.get(at))).collect();
            let was_there = sums
                .range(frame.normal.start..frame.normal.end)
                .next()
                .is_some();
            NodeSeries {
                name: (*name).clone(),
                view: match self.own.contains(*name) || self.shown.contains(*name) {
                    true => View::Own,
                    false => View::Client,
                },
                normal: if was_there { of(&normal) } else { Vec::new() },
                now: of(&now),
            }
        });
        let scene = Scene {
            nodes: series.collect(),
            calls: calls.into_iter().collect(),
        };
        (scene, places)
    }
}

impl Did {
    /// Adds what was done in another minute.
    pub fn add(&mut self, other: &Did) {
        self.counts.add(&other.counts);
        self.sum_ms += other.sum_ms;
        self.tells_timeouts |= other.tells_timeouts;
        self.memory_share = self.memory_share.max(other.memory_share);
    }

    /// How long a call took in the mean; 0 without calls.
    #[allow(clippy::cast_precision_loss)] // calls of hours
    pub fn mean_ms(&self) -> f64 {
        self.sum_ms / (self.counts.count as f64).max(1.0)
    }

    /// The part of the calls that failed or were refused; 0 without calls.
    pub fn failed(&self) -> f64 {
        self.part(Failing::All)
    }

    /// The part of the calls of which something is so; 0 without calls.
    #[allow(clippy::cast_precision_loss)] // calls of hours
    pub fn part(&self, failing: Failing) -> f64 {
        failing.of(self) as f64 / (self.counts.count as f64).max(1.0)
    }
}

impl Failing {
    /// How many of what was done.
    pub fn of(self, did: &Did) -> u64 {
        let counts = &did.counts;
        match self {
            Failing::TimedOut if did.tells_timeouts => counts.timeouts,
            Failing::All | Failing::TimedOut => counts.errors.max(counts.throttles),
            Failing::Throttled => counts.throttles,
            Failing::Cold => counts.cold_starts,
        }
    }
}

/// The node that a subject is, if it is a whole one.
pub fn node(subject: &Subject) -> Option<&Node> {
    match subject {
        Subject::Node(node) => Some(node),
        Subject::Operation(..) | Subject::Edge(..) | Subject::Wait(_) => None,
    }
}

fn step(sum: Option<&(Step, f64)>) -> Step {
    let (step, sum_ms) = sum.copied().unwrap_or_default();
    Step {
        mean_ms: (step.count > 0.0).then(|| sum_ms / step.count),
        ..step
    }
}

/// The whole steps of a length between two times.
pub fn steps(times: &Range<UnixNanos>, length: Duration) -> Vec<UnixNanos> {
    let mut steps = Vec::new();
    let mut at = step_of(times.start, length);
    while at.plus(length) <= times.end {
        steps.push(at);
        at = at.plus(length);
    }
    steps
}

/// The beginning of the step that a time is in.
fn step_of(time: UnixNanos, length: Duration) -> UnixNanos {
    let nanos = u64::try_from(length.as_nanos()).unwrap_or(u64::MAX).max(1);
    UnixNanos(time.0 - time.0 % nanos)
}

const MINUTE: Duration = Duration::from_secs(60);
/// What began within the last minutes, with the ten before it.
const SHORT: Duration = Duration::from_secs(16 * 60);
