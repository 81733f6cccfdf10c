//! Where an incident comes from, worked out of what the nodes around it did.

use std::time::Duration;

use throughline_insight::detect::{Incident, Kind, Node, State, Subject};
use throughline_insight::explain;
use throughline_insight::facts::{Facts, Failing, Frame, step_of};
use throughline_insight::rootcause::{Explanation, Symptom};
use throughline_telemetry::UnixNanos;

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

    pub(super) fn answer(&self, facts: &Facts) -> Option<Cause> {
        // What is now begins a little before, so that its beginning is seen.
        let begin = self.since.minus(BEFORE);
        let frame = Frame {
            normal: self.from()..begin,
            now: begin..self.until,
        };
        let (scene, places) = facts.scene(&frame, Failing::All);
        let explanation = explain(&scene, *places.get(&self.node)?, self.symptom)?;
        Some(Cause {
            node: self.node.clone(),
            symptom: self.symptom,
            explanation,
        })
    }
}

/// What is held against: the hours before.
const NORMAL: Duration = Duration::from_secs(4 * 3600);
const BEFORE: Duration = Duration::from_secs(10 * 60);
/// Of what lasts longer, the beginning tells.
const LONGEST: Duration = Duration::from_secs(2 * 3600);
