//! An incident as a notice.

use throughline_insight::detect::words;
use throughline_insight::detect::{Finding, Incident, State, Subject};
use throughline_insight::rootcause::{Cause, Explanation, Symptom};
use throughline_telemetry::UnixNanos;

use crate::notice::{Likely, Line, Link, Matter, Notice, Phase};

/// What is known of an incident besides what it is.
#[derive(Clone, Copy, Debug, Default)]
pub struct Besides<'a> {
    /// Where it comes from.
    pub explanation: Option<&'a Explanation>,
    /// Where it can be seen.
    pub evidence: &'a [Link],
    /// What can be done about it.
    pub actions: &'a [Link],
    /// What the telemetry is of.
    pub environment: &'a str,
    /// What addresses of pages begin with.
    pub base: &'a str,
}

/// By what an incident is known.
pub fn about(id: u64) -> String {
    format!("incident-{id}")
}

/// A notice of an incident as it is now.
pub fn notice(incident: &Incident, phase: Phase, besides: Besides, now: UnixNanos) -> Notice {
    let first = incident.findings.first();
    let title = first.map_or_else(|| "an incident".to_owned(), |it| it.finding.to_string());
    let findings = incident.findings.iter().take(MATTERS_MAX);
    Notice {
        about: about(incident.id),
        phase,
        severity: incident.severity(),
        title: Line::new(&title),
        matters: findings.map(|known| matter(&known.finding)).collect(),
        environment: besides.environment.to_owned(),
        since: incident.since,
        at: match incident.state {
            State::Closed(at) => UnixNanos(at),
            State::Open | State::MergedInto(_) => now,
        },
        cause: besides
            .explanation
            .and_then(|told| likely(told.causes.first()?)),
        evidence: besides.evidence.to_vec(),
        actions: besides.actions.to_vec(),
        page: format!("{}/incidents/{}", besides.base, incident.id),
    }
}

fn matter(finding: &Finding) -> Matter {
    let nodes = match &finding.subject {
        Subject::Node(node) | Subject::Operation(node, _) => vec![node.clone()],
        Subject::Edge(from, to, _) => vec![from.clone(), to.clone()],
    };
    Matter {
        kind: finding.kind.name().to_owned(),
        nodes,
        title: Line::new(&finding.to_string()),
    }
}

fn likely(cause: &Cause) -> Option<Likely> {
    let (before, after) = (cause.evidence.before, cause.evidence.after);
    let text = match cause.symptom {
        Symptom::Slow => format!(
            "{}: mean {} → {}",
            cause.node,
            words::duration(before),
            words::duration(after)
        ),
        Symptom::Failing => format!(
            "{}: {} → {} fail",
            cause.node,
            words::share(before),
            words::share(after)
        ),
    };
    (cause.share > 0.0).then(|| Likely {
        text: Line::new(&text),
        share: cause.share.clamp(0.0, 1.0),
    })
}

/// Findings of one incident that are told.
const MATTERS_MAX: usize = 50;

#[cfg(test)]
mod tests;
