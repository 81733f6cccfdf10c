//! Findings of one connected cause, from when they begin until they have ended.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use throughline_telemetry::UnixNanos;

use super::finding::{Finding, Severity};
use super::subject::Node;

/// Findings of nodes that are connected with each other.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Incident {
    /// Never used again.
    pub id: u64,
    /// When the first of its findings began.
    #[serde(with = "super::keep::nanos")]
    pub since: UnixNanos,
    /// When it was opened.
    #[serde(with = "super::keep::nanos")]
    pub opened: UnixNanos,
    /// Whether it goes on.
    pub state: State,
    /// What belongs to it, those that go on first, the gravest of them first.
    pub findings: Vec<InIncident>,
}

/// Whether an incident goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum State {
    /// It does.
    Open,
    /// It has ended then.
    Closed(u64),
    /// It turned out to belong to another.
    MergedInto(u64),
}

/// A finding in an incident.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct InIncident {
    /// What was found.
    pub finding: Finding,
    /// Whether it goes on.
    pub goes_on: bool,
}

/// What became of incidents.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Update {
    /// There is a new one.
    Opened(u64),
    /// One that had ended within the last half hour goes on.
    Reopened(u64),
    /// There is more to it.
    Grew(u64),
    /// The first is part of the second.
    Merged(u64, u64),
    /// It has ended.
    Closed(u64),
}

impl Incident {
    /// The gravest of what goes on; of what there was, if nothing does.
    pub fn severity(&self) -> Severity {
        let gravest = |goes_on: bool| {
            let of = self
                .findings
                .iter()
                .filter(|known| known.goes_on || !goes_on);
            of.map(|known| known.finding.severity).max()
        };
        gravest(true).or(gravest(false)).unwrap_or(Severity::Note)
    }

    /// The nodes that it is of.
    pub fn nodes(&self) -> BTreeSet<&Node> {
        let findings = self.findings.iter();
        findings
            .flat_map(|known| known.finding.subject.nodes())
            .collect()
    }
}

/// All incidents, those that have ended for a while too.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Incidents {
    pub(super) all: Vec<Incident>,
    next: u64,
}

impl Incidents {
    /// Takes what goes on now, all of it, and says what has changed.
    pub(super) fn take(
        &mut self,
        findings: Vec<Finding>,
        neighbours: &BTreeSet<(Node, Node)>,
        now: UnixNanos,
    ) -> Vec<Update> {
        let mut updates = Vec::new();
        for incident in self
            .all
            .iter_mut()
            .filter(|known| known.state == State::Open && known.outer().is_none())
        {
            incident
                .findings
                .iter_mut()
                .for_each(|known| known.goes_on = false);
        }
        for group in groups(findings, neighbours) {
            self.place(group, now, &mut updates);
        }
        for incident in self
            .all
            .iter_mut()
            .filter(|known| known.state == State::Open)
        {
            if incident.findings.iter().all(|known| !known.goes_on) {
                incident.state = State::Closed(now.0);
                updates.push(Update::Closed(incident.id));
            }
        }
        while self.all.len() > INCIDENTS_MAX {
            let ended = self.all.iter().position(|known| known.state != State::Open);
            self.all.remove(ended.unwrap_or(0));
        }
        updates
    }

    /// Puts connected findings into the incident that they belong to.
    fn place(&mut self, group: Vec<Finding>, now: UnixNanos, updates: &mut Vec<Update>) {
        let nodes: BTreeSet<Node> = nodes_of(&group).cloned().collect();
        let is_of = |incident: &Incident| {
            let of = incident.nodes();
            incident.outer().is_none() && of.iter().any(|node| nodes.contains(*node))
        };
        let open = |incident: &Incident| incident.state == State::Open && is_of(incident);
        let recent = |incident: &Incident| incident.is_recent(now) && is_of(incident);
        let mut places: Vec<usize> = (0..self.all.len())
            .filter(|at| open(&self.all[*at]))
            .collect();
        if places.is_empty() {
            let last = (0..self.all.len()).rev().find(|at| recent(&self.all[*at]));
            if let Some(at) = last {
                self.all[at].state = State::Open;
                updates.push(Update::Reopened(self.all[at].id));
                places.push(at);
            }
        }
        let Some((first, others)) = places.split_first() else {
            updates.push(Update::Opened(self.open(group, now)));
            return;
        };
        let id = self.all[*first].id;
        for other in others {
            let merged = std::mem::take(&mut self.all[*other].findings);
            self.all[*other].state = State::MergedInto(id);
            updates.push(Update::Merged(self.all[*other].id, id));
            self.all[*first].findings.extend(merged);
        }
        let incident = &mut self.all[*first];
        let mut grew = false;
        for finding in group {
            grew |= incident.add(finding);
        }
        incident.put_in_order();
        if grew && !updates.contains(&Update::Reopened(id)) {
            updates.push(Update::Grew(id));
        }
    }

    /// Opens one, and says its number.
    pub(super) fn open(&mut self, group: Vec<Finding>, now: UnixNanos) -> u64 {
        self.next += 1;
        let mut incident = Incident {
            id: self.next,
            since: now,
            opened: now,
            state: State::Open,
            findings: Vec::new(),
        };
        for finding in group {
            incident.add(finding);
        }
        incident.put_in_order();
        self.all.push(incident);
        self.next
    }
}

impl Incident {
    /// Whether it has ended so shortly before that what comes back is the same.
    pub(super) fn is_recent(&self, now: UnixNanos) -> bool {
        matches!(self.state, State::Closed(at) if at + REOPENED_NANOS > now.0)
    }

    /// Whether it is something that was not there.
    pub(super) fn add(&mut self, finding: Finding) -> bool {
        self.since = self.since.min(finding.since);
        let same = |known: &&mut InIncident| known.finding.is_same(&finding);
        if let Some(known) = self.findings.iter_mut().find(same) {
            let since = known.finding.since;
            known.finding = Finding { since, ..finding };
            known.goes_on = true;
            return false;
        }
        let goes_on = true;
        self.findings.push(InIncident { finding, goes_on });
        true
    }

    fn put_in_order(&mut self) {
        self.findings.sort_by(|a, b| {
            let of = |known: &InIncident| (known.goes_on, known.finding.severity);
            of(b)
                .cmp(&of(a))
                .then(a.finding.since.cmp(&b.finding.since))
        });
        // What goes on is at the front.
        self.findings.truncate(FINDINGS_MAX);
    }
}

/// Findings of which each is of a node, or of the neighbour of a node, that another of them is of.
fn groups(findings: Vec<Finding>, neighbours: &BTreeSet<(Node, Node)>) -> Vec<Vec<Finding>> {
    let suspicious: BTreeSet<Node> = nodes_of(&findings).cloned().collect();
    // Each node's group, by the number of its least member.
    let mut groups: BTreeMap<&Node, usize> = suspicious.iter().zip(0..).collect();
    let own: Vec<(&Node, &Node)> = findings
        .iter()
        .filter_map(|finding| {
            let mut nodes = finding.subject.nodes();
            Some((nodes.next()?, nodes.next()?))
        })
        .collect();
    let between = neighbours
        .iter()
        .map(|(one, other)| (one, other))
        .chain(own);
    for (one, other) in between {
        let (Some(a), Some(b)) = (groups.get(one).copied(), groups.get(other).copied()) else {
            continue;
        };
        groups
            .values_mut()
            .filter(|group| **group == a.max(b))
            .for_each(|group| *group = a.min(b));
    }
    let groups: BTreeMap<Node, usize> = groups
        .into_iter()
        .map(|(node, group)| (node.clone(), group))
        .collect();
    let mut together: BTreeMap<usize, Vec<Finding>> = BTreeMap::new();
    for finding in findings {
        let group = finding.subject.nodes().find_map(|node| groups.get(node));
        together
            .entry(group.copied().unwrap_or(usize::MAX))
            .or_default()
            .push(finding);
    }
    together.into_values().collect()
}

fn nodes_of(findings: &[Finding]) -> impl Iterator<Item = &Node> {
    findings.iter().flat_map(|finding| finding.subject.nodes())
}

/// What comes back within half an hour is the same.
const REOPENED_NANOS: u64 = 30 * 60 * 1_000_000_000;
/// Incidents that are remembered.
const INCIDENTS_MAX: usize = 1000;
/// Findings of one incident.
const FINDINGS_MAX: usize = 200;
