//! Where an incident comes from, worked out of what the nodes around it did.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use throughline_insight::detect::{Incident, Kind, Node, State, Subject};
use throughline_insight::explain;
use throughline_insight::rootcause::{Explanation, NodeSeries, Scene, Step, Symptom, View};
use throughline_telemetry::UnixNanos;

use super::MINUTE_NANOS;
use super::feed::Done;

/// What is asked: since when is a node slow, or does it fail, and until when.
pub(super) struct Question {
    node: Node,
    symptom: Symptom,
    since: UnixNanos,
    until: UnixNanos,
}

/// Where it comes from.
pub(crate) struct Cause {
    /// The node that was asked about.
    pub(crate) node: Node,
    /// Whether it was slow or failed.
    pub(crate) symptom: Symptom,
    /// The steps that were held against each other.
    pub(crate) explanation: Explanation,
}

impl Question {
    /// About the first finding of an incident that is a slow or a failing node; none if there is none.
    pub(super) fn of(incident: &Incident, complete: UnixNanos) -> Option<Self> {
        let (finding, symptom) = incident.findings.iter().find_map(|known| {
            let symptom = match known.finding.kind {
                Kind::Latency { .. } | Kind::NearTimeout { .. } => Symptom::Slow,
                Kind::Errors | Kind::Throttles | Kind::NewError { .. } => Symptom::Failing,
                _ => return None,
            };
            Some((&known.finding, symptom))
        })?;
        let node = match &finding.subject {
            Subject::Node(node) | Subject::Operation(node, _) | Subject::Edge(node, ..) => node,
        };
        let ended = match incident.state {
            State::Closed(at) => UnixNanos(at),
            State::Open | State::MergedInto(_) => complete,
        };
        let since = step_of(finding.since);
        Some(Question {
            node: node.clone(),
            symptom,
            since,
            until: ended.min(since.plus(LONGEST)),
        })
    }

    pub(super) fn from(&self) -> UnixNanos {
        self.since.minus(NORMAL)
    }

    pub(super) fn to(&self) -> UnixNanos {
        self.until
    }

    #[allow(clippy::cast_precision_loss)] // calls of some minutes
    pub(super) fn answer(&self, done: &Done) -> Option<Cause> {
        // What is now begins a little before, so that its beginning is seen.
        let begin = self.since.minus(BEFORE);
        let normal = steps(self.from(), begin);
        let now = steps(begin, self.until);
        let nodes: BTreeSet<&Node> = done
            .subjects
            .keys()
            .filter_map(|(_, it)| node(it))
            .collect();
        let places: BTreeMap<&Node, usize> = nodes.iter().copied().zip(0..).collect();
        let mut sums: Vec<BTreeMap<UnixNanos, (Step, f64)>> = vec![BTreeMap::new(); nodes.len()];
        let mut calls = BTreeSet::new();
        for ((minute, subject), did) in &done.subjects {
            if let Subject::Edge(from, to, _) = subject
                && let (Some(from), Some(to)) = (places.get(from), places.get(to))
            {
                calls.insert((*from, *to));
            }
            let Some(place) = node(subject).and_then(|node| places.get(node)) else {
                continue;
            };
            let (step, sum_ms) = sums[*place].entry(step_of(*minute)).or_default();
            step.count += did.counts.count as f64;
            step.errors += did.counts.errors.max(did.counts.throttles) as f64;
            *sum_ms += did.sum_ms;
        }
        let series = nodes.iter().zip(&sums).map(|(name, sums)| {
            let of = |times: &[UnixNanos]| times.iter().map(|at| step(sums.get(at))).collect();
            let was_there = sums.range(..begin).next().is_some();
            NodeSeries {
                name: (*name).clone(),
                view: match done.own.contains(*name) {
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
        let explanation = explain(&scene, *places.get(&self.node)?, self.symptom)?;
        Some(Cause {
            node: self.node.clone(),
            symptom: self.symptom,
            explanation,
        })
    }
}

fn node(subject: &Subject) -> Option<&Node> {
    match subject {
        Subject::Node(node) => Some(node),
        Subject::Operation(..) | Subject::Edge(..) => None,
    }
}

fn step(sum: Option<&(Step, f64)>) -> Step {
    let (step, sum_ms) = sum.copied().unwrap_or_default();
    Step {
        mean_ms: (step.count > 0.0).then(|| sum_ms / step.count),
        ..step
    }
}

/// The whole steps between two times.
fn steps(from: UnixNanos, to: UnixNanos) -> Vec<UnixNanos> {
    let mut steps = Vec::new();
    let mut at = step_of(from);
    while at.plus(STEP) <= to {
        steps.push(at);
        at = at.plus(STEP);
    }
    steps
}

fn step_of(time: UnixNanos) -> UnixNanos {
    UnixNanos(time.0 - time.0 % STEP_NANOS)
}

/// Long enough that chance evens out, short enough that what has just begun has two of them soon.
const STEP_NANOS: u64 = 2 * MINUTE_NANOS;
const STEP: Duration = Duration::from_nanos(STEP_NANOS);
/// What is held against: the hours before.
const NORMAL: Duration = Duration::from_secs(4 * 3600);
const BEFORE: Duration = Duration::from_secs(10 * 60);
/// Of what lasts longer, the beginning tells.
const LONGEST: Duration = Duration::from_secs(2 * 3600);
