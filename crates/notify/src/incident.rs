//! An incident as a notice.

use std::collections::BTreeSet;

use throughline_insight::cause::Answer;
use throughline_insight::detect::{Finding, Incident, State};
use throughline_insight::investigate::{Suspect, Unit, amount, verb};
use throughline_telemetry::UnixNanos;

use crate::notice::{Concern, Likely, Line, Link, Matter, Notice, Phase, Whose};

/// What is known of an incident besides what it is.
#[derive(Clone, Copy, Debug, Default)]
pub struct Besides<'a> {
    /// Where it comes from, and who else suffers.
    pub cause: Option<&'a Answer>,
    /// Where it can be seen.
    pub evidence: &'a [Link],
    /// What can be done about it.
    pub actions: &'a [Link],
    /// What the telemetry of the server is of.
    pub environment: &'a str,
    /// Where it is, and whose.
    pub whose: Option<&'a Whose>,
    /// What addresses of pages begin with.
    pub base: &'a str,
}

/// By what an incident is known: its number, and the second in which it opened, because numbers begin with 1 again
/// after what detection remembered is lost.
pub fn about(incident: &Incident) -> String {
    format!(
        "{INCIDENT}{}-{}",
        incident.id,
        incident.opened.0 / 1_000_000_000
    )
}

/// A notice of an incident as it is now.
pub fn notice(incident: &Incident, phase: Phase, besides: Besides, now: UnixNanos) -> Notice {
    let first = incident.findings.first();
    let title = first.map_or_else(|| "an incident".into(), |it| title(&it.finding));
    let findings = incident.findings.iter().take(MATTERS_MAX);
    Notice {
        about: about(incident),
        phase,
        severity: incident.severity(),
        title,
        matters: findings.map(|known| matter(&known.finding)).collect(),
        environment: besides.environment.to_owned(),
        whose: besides.whose.cloned().unwrap_or_default(),
        since: incident.since,
        at: match incident.state {
            State::Closed(at) => UnixNanos(at),
            State::Open | State::MergedInto(_) => now,
        },
        cause: besides
            .cause
            .and_then(|answer| likely(answer.told.found.as_ref()?.causes.first()?)),
        affected: besides.cause.map_or_else(Vec::new, affected),
        evidence: besides.evidence.to_vec(),
        actions: besides.actions.to_vec(),
        page: format!("{}/incidents/{}", besides.base, incident.id),
    }
}

/// What an incident makes somebody worry about.
pub fn concerns(incident: &Incident) -> BTreeSet<Concern> {
    let findings = incident.findings.iter().take(MATTERS_MAX);
    let matters = findings.map(|known| matter(&known.finding));
    matters.map(|matter| matter.concern()).collect()
}

fn affected(answer: &Answer) -> Vec<Line> {
    let worse = answer.affected.worse();
    let lines = worse.map(|near| Line::new(&near.to_string()));
    lines.take(AFFECTED_MAX).collect()
}

fn matter(finding: &Finding) -> Matter {
    Matter {
        kind: finding.kind.name().to_owned(),
        nodes: finding.subject.nodes().cloned().collect(),
        title: title(finding),
        severity: finding.severity,
    }
}

/// What and how bad, and what was changed before: `function:pay is slower: p99 100 ms → 147 ms (+47 %), since version 42`.
fn title(finding: &Finding) -> Line {
    let since = finding.change.as_ref().map_or_else(String::new, |change| {
        let is_its_own = finding.subject.nodes().next() == Some(&change.node);
        match is_its_own {
            true => format!(", since {}", change.words()),
            false => format!(", since {} of {}", change.words(), change.node),
        }
    });
    Line::new(&format!("{finding}{since}"))
}

/// `table:user is slow: 4.00 ms → 133 ms`.
fn likely(cause: &Suspect) -> Option<Likely> {
    let unit = Unit::of(cause.symptom);
    let [before, after] =
        [cause.evidence.before, cause.evidence.after].map(|value| amount(unit, value));
    let text = format!("{} {}: {before} → {after}", cause.node, verb(cause.symptom));
    (cause.share > 0.0).then(|| Likely {
        node: cause.node.clone(),
        text: Line::new(&text),
        share: cause.share.clamp(0.0, 1.0),
    })
}

/// How what is about incidents begins.
pub(crate) const INCIDENT: &str = "incident-";
/// Findings of one incident that are told.
const MATTERS_MAX: usize = 50;
/// Of those around its cause.
const AFFECTED_MAX: usize = 50;

#[cfg(test)]
mod tests;
