//! Alerts that somebody else's watch tells: each is an incident of its own, and is never part of another.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use throughline_telemetry::UnixNanos;

use super::finding::{Finding, Kind, Measure, Severity};
use super::incident::{Incident, Incidents, State, Update};
use super::subject::{Node, Subject};
use crate::question::{self, Symptom, Zone};

/// What an Alertmanager or a Prometheus says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OuterAlert {
    /// The same for the same alert, whoever tells it.
    pub key: String,
    /// Who says it.
    pub source: Source,
    /// Its name: `HighLatency`.
    pub name: String,
    /// What it says; empty if that is nothing.
    pub says: String,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Where it comes from; empty if that is no web address.
    pub href: String,
    /// When it ends if nobody says it again.
    #[serde(with = "super::keep::nanos")]
    pub until: UnixNanos,
}

/// Who tells alerts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// An Alertmanager, by its webhook.
    Alertmanager,
    /// A Prometheus, or what else speaks to an Alertmanager.
    Prometheus,
}

impl Source {
    /// As people write it.
    pub fn title(self) -> &'static str {
        match self {
            Source::Alertmanager => "Alertmanager",
            Source::Prometheus => "Prometheus",
        }
    }

    /// The word for it, as in the API: `alertmanager`.
    pub fn name(self) -> &'static str {
        match self {
            Source::Alertmanager => "alertmanager",
            Source::Prometheus => "prometheus",
        }
    }
}

/// An alert, and what is known of it beside what it says.
#[derive(Clone, Debug, PartialEq)]
pub struct Told {
    /// The alert.
    pub alert: OuterAlert,
    /// What it is of, as on the map; `alert:HighLatency` if its labels name nothing there.
    pub node: Node,
    /// How much it matters.
    pub severity: Severity,
    /// When it began.
    pub since: UnixNanos,
    /// When it ended, if it has.
    pub ended: Option<UnixNanos>,
}

/// What came of an alert that was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    /// It is an incident now, or none any more.
    News(Update),
    /// All of it was known.
    Known,
    /// Somebody has said that such ones are all right.
    Ignored,
    /// There are too many that go on.
    NoRoom,
}

impl OuterAlert {
    /// The node of an alert whose labels name nothing that is known.
    pub fn own_node(&self) -> Node {
        format!("{OWN}{}", self.name)
    }

    /// What somebody would ask about it, by its words.
    pub(crate) fn symptoms(&self) -> &'static [Symptom] {
        let text = format!("{} {}", apart(&self.name), apart(&self.says));
        let said = question::read(&text, self.until, Zone::default()).symptom;
        let said = said.map_or(Symptom::Changed, |said| said.value);
        match Symptom::ALL.iter().find(|it| **it == said) {
            // Of an incident it is not known what lies where.
            Some(Symptom::Changed | Symptom::Waiting) | None => UNSAID,
            Some(said) => std::slice::from_ref(said),
        }
    }
}

/// Whether a node is none of the map, but an alert itself.
pub(crate) fn is_own(node: &Node) -> bool {
    node.starts_with(OWN)
}

impl Told {
    /// As a finding.
    pub(super) fn finding(self, now: UnixNanos) -> Finding {
        Finding {
            subject: Subject::Node(self.node),
            kind: Kind::Outer(Box::new(self.alert)),
            before: None,
            after: Measure::exact(1.0, 1),
            since: self.since.min(now),
            seen: now,
            confidence: 1.0,
            severity: self.severity,
            change: None,
        }
    }
}

impl Incident {
    /// The alert of somebody else that it is, if it is one.
    pub fn outer(&self) -> Option<&OuterAlert> {
        match &self.findings.first()?.finding.kind {
            Kind::Outer(alert) => Some(alert),
            _ => None,
        }
    }
}

impl Incidents {
    /// Takes what is said of an alert now.
    pub(super) fn hear(
        &mut self,
        finding: Finding,
        ended: Option<UnixNanos>,
        now: UnixNanos,
    ) -> Heard {
        let Kind::Outer(alert) = &finding.kind else {
            return Heard::Known;
        };
        let is_it = |it: &Incident| it.outer().is_some_and(|known| known.key == alert.key);
        let last = self.all.iter().rposition(is_it);
        let last =
            last.filter(|at| self.all[*at].state == State::Open || self.all[*at].is_recent(now));
        let is_open = last.is_some_and(|at| self.all[at].state == State::Open);
        match (last, ended) {
            (Some(at), Some(ended)) if is_open => Heard::News(self.all[at].end(ended, now)),
            (_, Some(_)) => Heard::Known,
            (Some(at), None) if is_open => {
                self.all[at].say(finding);
                Heard::Known
            }
            _ if self.open_outer() >= OPEN_MAX => Heard::NoRoom,
            (Some(at), None) => {
                self.all[at].state = State::Open;
                self.all[at].say(finding);
                Heard::News(Update::Reopened(self.all[at].id))
            }
            (None, None) => {
                let id = self.open(vec![finding], now);
                self.forget_outer();
                Heard::News(Update::Opened(id))
            }
        }
    }

    /// Ends what nobody has said again in time, and what is all right by now.
    pub(super) fn end_unrepeated(
        &mut self,
        is_allowed: impl Fn(&Finding) -> bool,
        now: UnixNanos,
    ) -> Vec<Update> {
        let open = self.all.iter_mut().filter(|it| it.state == State::Open);
        let ended = open.filter_map(|incident| {
            let until = incident.outer()?.until;
            let allowed = incident.findings.iter().any(|it| is_allowed(&it.finding));
            (allowed || until <= now).then(|| incident.end(until, now))
        });
        ended.collect()
    }

    fn open_outer(&self) -> usize {
        let open = self.all.iter().filter(|it| it.state == State::Open);
        open.filter(|it| it.outer().is_some()).count()
    }

    /// So that alerts of others do not displace what was found here.
    fn forget_outer(&mut self) {
        let outer = self.all.iter().filter(|it| it.outer().is_some()).count();
        for _ in OUTER_MAX..outer {
            let mut all = self.all.iter();
            if let Some(at) = all.position(|it| it.outer().is_some() && it.state != State::Open) {
                self.all.remove(at);
            }
        }
    }
}

impl Incident {
    /// The same alert, said again.
    fn say(&mut self, finding: Finding) {
        let begun = self.findings.iter().map(|it| it.finding.since).min();
        let since = begun.map_or(finding.since, |begun| begun.min(finding.since));
        self.since = self.since.min(since);
        self.findings.clear();
        self.add(Finding { since, ..finding });
    }

    fn end(&mut self, ended: UnixNanos, now: UnixNanos) -> Update {
        let at = ended.max(self.since).min(now);
        self.state = State::Closed(at.0);
        self.findings.iter_mut().for_each(|it| it.goes_on = false);
        Update::Closed(self.id)
    }
}

/// `HighLatency_p99` is `High Latency p99`.
fn apart(name: &str) -> String {
    let mut words = String::new();
    let mut was_small = false;
    for letter in name.chars() {
        if letter.is_uppercase() && was_small {
            words.push(' ');
        }
        was_small = letter.is_lowercase() || letter.is_numeric();
        words.push(if letter == '_' { ' ' } else { letter });
    }
    words
}

/// How the node of an alert begins that is of nothing on the map.
const OWN: &str = "alert:";
/// What is asked about an alert whose words say nothing.
const UNSAID: &[Symptom] = &[Symptom::Error, Symptom::Slow];
/// Alerts that go on at once.
const OPEN_MAX: usize = 200;
/// Alerts that are remembered.
const OUTER_MAX: usize = 300;

#[cfg(test)]
mod tests;
