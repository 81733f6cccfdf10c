//! An incident as a notice.

use throughline_insight::detect::{Finding, Incident, State};
use throughline_insight::investigate::{Investigation, Suspect, Unit, amount, verb};
use throughline_telemetry::UnixNanos;

use crate::notice::{Likely, Line, Link, Matter, Notice, Phase};

/// What is known of an incident besides what it is.
#[derive(Clone, Copy, Debug, Default)]
pub struct Besides<'a> {
    /// Where it comes from.
    pub cause: Option<&'a Investigation>,
    /// Where it can be seen.
    pub evidence: &'a [Link],
    /// What can be done about it.
    pub actions: &'a [Link],
    /// What the telemetry is of.
    pub environment: &'a str,
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
    let title = first.map_or_else(|| "an incident".to_owned(), |it| it.finding.to_string());
    let findings = incident.findings.iter().take(MATTERS_MAX);
    Notice {
        about: about(incident),
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
            .cause
            .and_then(|told| likely(told.found.as_ref()?.causes.first()?)),
        evidence: besides.evidence.to_vec(),
        actions: besides.actions.to_vec(),
        page: format!("{}/incidents/{}", besides.base, incident.id),
    }
}

fn matter(finding: &Finding) -> Matter {
    Matter {
        kind: finding.kind.name().to_owned(),
        nodes: finding.subject.nodes().cloned().collect(),
        title: Line::new(&finding.to_string()),
    }
}

/// `table:user is slow: 4.00 ms → 133 ms`.
fn likely(cause: &Suspect) -> Option<Likely> {
    let unit = Unit::of(cause.symptom);
    let [before, after] =
        [cause.evidence.before, cause.evidence.after].map(|value| amount(unit, value));
    let text = format!("{} {}: {before} → {after}", cause.node, verb(cause.symptom));
    (cause.share > 0.0).then(|| Likely {
        text: Line::new(&text),
        share: cause.share.clamp(0.0, 1.0),
    })
}

/// How what is about incidents begins.
pub(crate) const INCIDENT: &str = "incident-";
/// Findings of one incident that are told.
const MATTERS_MAX: usize = 50;

#[cfg(test)]
mod tests;
