//! Where an incident comes from: what is asked about its findings, one after the other, and the first answer.
//!
//! A finding says what is unusual about what; [`investigate`] says since when, and where that comes from, by what all
//! nodes around it did. Findings that are a cause themselves, such as a call that was never made, are not asked about.

use std::ops::Range;
use std::time::Duration;

use throughline_telemetry::UnixNanos;

use crate::detect::outer::is_own;
use crate::detect::{Finding, Incident, Kind, Node, State, Subject};
use crate::facts::Facts;
use crate::investigate::{Affected, Investigation, affected, investigate, times};
use crate::question::{Symptom, Window};

/// What is asked about an incident.
#[derive(Clone, Debug, PartialEq)]
pub struct Question {
    asked: Vec<Asked>,
}

/// Where an incident comes from, and who else suffers from that.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// Of the first finding that is explained.
    pub told: Investigation,
    /// What is around the most probable cause.
    pub affected: Affected,
}

#[derive(Clone, Debug, PartialEq)]
struct Asked {
    node: Node,
    symptom: Symptom,
    window: Window,
}

impl Question {
    /// About what can be asked about of an incident, the gravest first; none if there is nothing. Minutes before
    /// `complete` are known.
    pub fn of(incident: &Incident, complete: UnixNanos) -> Option<Self> {
        let ended = match incident.state {
            State::Closed(at) => UnixNanos(at).min(complete),
            State::Open | State::MergedInto(_) => complete,
        };
        let mut asked: Vec<Asked> = Vec::new();
        for known in &incident.findings {
            for next in Asked::of(&known.finding, incident.since, ended) {
                let is_known = |it: &Asked| it.node == next.node && it.symptom == next.symptom;
                if asked.len() < ASKED_MAX && !asked.iter().any(is_known) {
                    asked.push(next);
                }
            }
        }
        (!asked.is_empty()).then_some(Question { asked })
    }

    /// The times that must be known to answer, the earliest first, none of them twice.
    pub fn times(&self) -> Vec<Range<UnixNanos>> {
        let windows = self.asked.iter().map(|asked| &asked.window);
        let mut all: Vec<Range<UnixNanos>> = windows.flat_map(times).collect();
        all.sort_by_key(|times| times.start);
        let mut apart: Vec<Range<UnixNanos>> = Vec::new();
        for next in all {
            match apart.last_mut().filter(|last| next.start <= last.end) {
                Some(last) => last.end = last.end.max(next.end),
                None => apart.push(next),
            }
        }
        apart
    }

    /// From when until when it must be known what the platform told of invocations, if this symptom is asked about:
    /// nothing else knows what costs how much, and what was ended because it took too long.
    pub fn times_of(&self, symptom: Symptom) -> Option<Range<UnixNanos>> {
        let asked = self.asked.iter().filter(|asked| asked.symptom == symptom);
        let all = asked.map(|asked| {
            let [_, now] = times(&asked.window);
            now
        });
        all.reduce(|one, other| one.start.min(other.start)..one.end.max(other.end))
    }

    /// The first of them that is confirmed and has a cause.
    pub fn answer(&self, facts: &Facts) -> Option<Answer> {
        let mut answers = self.asked.iter().filter_map(|it| {
            let told = investigate(facts, &it.node, Some(it.symptom), &it.window);
            let cause = told.found.as_ref()?.causes.first()?;
            let affected = affected(facts, &cause.node, &told.seen());
            Some(Answer { told, affected })
        });
        answers.next()
    }
}

impl Asked {
    /// From a while before the incident began, so that its beginning is in it, or before the finding did, where that is
    /// long after.
    fn of(finding: &Finding, since: UnixNanos, ended: UnixNanos) -> impl Iterator<Item = Asked> {
        let begun = match finding.since.since(since) > LONGEST {
            true => finding.since,
            false => since,
        };
        let window = Window {
            from: begun.minus(BEFORE),
            to: ended.min(begun.plus(LONGEST)),
        };
        let node = match &finding.subject {
            Subject::Node(node)
            | Subject::Operation(node, _)
            | Subject::Edge(node, ..)
            | Subject::Wait(node) => node.clone(),
        };
        let symptoms = match is_own(&node) {
            // There is nothing on the map to ask about.
            true => &[],
            false => symptoms(&finding.kind),
        };
        symptoms.iter().map(move |symptom| Asked {
            node: node.clone(),
            symptom: *symptom,
            window,
        })
    }
}

/// As what somebody would have asked about it, what tells most first.
fn symptoms(kind: &Kind) -> &'static [Symptom] {
    match kind {
        Kind::Latency { .. } => &[Symptom::Slow],
        // What took almost as long as it may was not ended.
        Kind::NearTimeout { clipped, .. } if *clipped > 0.0 => &[Symptom::Timeout, Symptom::Slow],
        Kind::NearTimeout { .. } => &[Symptom::Slow],
        Kind::Errors | Kind::NewError { .. } | Kind::Retries { .. } => &[Symptom::Error],
        Kind::Throttles => &[Symptom::Throttle],
        Kind::ColdStarts { .. } => &[Symptom::ColdStart],
        Kind::Silence => &[Symptom::Silent],
        Kind::Cost { .. } => &[Symptom::Expensive],
        Kind::Outer(alert) => alert.symptoms(),
        Kind::NewEdge { .. }
        | Kind::Memory
        | Kind::Leak { .. }
        | Kind::Waiting { .. }
        | Kind::Backlog { .. }
        | Kind::DeadLetters { .. }
        | Kind::Incomplete => &[],
    }
}

/// What is asked about one incident.
const ASKED_MAX: usize = 4;
/// The minute in which something begins is looked for from here on.
const BEFORE: Duration = Duration::from_secs(10 * 60);
/// Of what lasts longer, the beginning tells.
const LONGEST: Duration = Duration::from_secs(2 * 3600);

#[cfg(test)]
mod tests;
