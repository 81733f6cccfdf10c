//! What is unusual, found by itself: no settings, few false alarms.
//!
//! A [`Detector`] takes what functions, operations and edges did, minute by minute, and remembers the last
//! hour by the minute and the last eight days by the hour. [`Detector::tick`], once a minute, holds the last
//! minutes of each subject against the same hours of the seven days before, and says which incidents
//! opened, grew and closed. `docs/insight.md` has the rules and their numbers.
//!
//! - **By chance** at most one in a hundred of what passes is false: everything that has a p-value passes one
//!   Benjamini-Hochberg filter a tick.
//! - **It opens** when it was so in two of the last five ticks, **it closes** after five in which it was not; what
//!   comes back within half an hour is the same incident.
//! - **One cause, one incident**: findings of nodes that call each other are one.
//! - **What is wrong is no reference**: hours in which a subject had a finding are left out of what is usual,
//!   for the first day. What goes on for longer becomes usual.
//!
//! The state can be written down (`serde`) and goes on where it was.

mod allow;
mod durations;
mod finding;
mod history;
mod incident;
mod keep;
mod leak;
mod novelty;
pub(crate) mod outer;
mod queues;
mod rename;
pub(crate) mod rules;
mod subject;
mod throttled;
mod track;
mod when;
pub mod words;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde::{Deserialize, Serialize};
use throughline_telemetry::UnixNanos;

pub use allow::Allowed;
pub use finding::{ColdWhy, CostFactor, EdgeClass, Finding, Kind, Measure, Severity, Worst};
pub use incident::{InIncident, Incident, State, Update};
pub use novelty::class_of;
pub use outer::{Heard, OuterAlert, Source, Told};
pub use queues::{CameAgain, Lying};
pub use subject::{Arrived, Change, Counts, Node, Settings, Subject};
pub use when::When;

use history::{History, Minute};
use incident::Incidents;
use leak::Environments;
use novelty::{Known, New};
use queues::Queues;
use rules::{Scene, Suspicion};
use track::Tracks;

use crate::statistics::false_discovery;

/// Watches everything that it is told of.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Detector {
    #[serde(with = "keep::pairs")]
    watched: BTreeMap<Subject, History>,
    #[serde(with = "keep::pairs")]
    known: BTreeMap<Node, Known>,
    #[serde(with = "keep::pairs")]
    environments: BTreeMap<Node, Environments>,
    #[serde(with = "keep::pairs")]
    settings: BTreeMap<Node, Settings>,
    #[serde(default, with = "keep::pairs")]
    arrived: BTreeMap<Node, Arrived>,
    #[serde(default)]
    queues: Queues,
    changes: VecDeque<Change>,
    /// Before this minute all was judged, but for what was learned from.
    #[serde(default)]
    judged: Minute,
    tracks: Tracks,
    incidents: Incidents,
    left_out: u64,
    /// Whoever knows it says it again after a restart.
    #[serde(skip)]
    allowed: Vec<Allowed>,
}

/// A way to fail, and how often it did in a minute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ErrorSeen<'a> {
    /// The same for errors of the same type, place and message.
    pub signature: &'a str,
    /// How often.
    pub count: u64,
    /// Whether it ended the environment.
    pub is_fatal: bool,
}

impl Detector {
    /// Counts what a subject did in the minute of this time. What is older than an hour is too late.
    pub fn take(&mut self, subject: &Subject, at: UnixNanos, counts: &Counts) {
        let minute = minute_of(at);
        if let Subject::Edge(from, to, operation) = subject
            && has_room(&self.known, NODES_MAX, from)
        {
            let known = self.known.entry(from.clone()).or_default();
            if let Some(new) = known.edge(to, operation, minute, counts) {
                self.saw_edge(subject, class_of(to, operation), new, minute);
            }
        }
        if !has_room(&self.watched, SUBJECTS_MAX, subject) {
            self.left_out += 1;
            return;
        }
        self.watched
            .entry(subject.clone())
            .or_default()
            .add(minute, counts);
    }

    /// Counts errors of a node by their signature.
    pub fn take_error(&mut self, node: &Node, at: UnixNanos, error: ErrorSeen<'_>) {
        let minute = minute_of(at);
        if !has_room(&self.known, NODES_MAX, node) {
            self.left_out += 1;
            return;
        }
        let subject = Subject::Node(node.clone());
        let since = self.watched.get(&subject).map(|history| history.since);
        let known = self.known.entry(node.clone()).or_default();
        known.see(since.map_or(minute, |since| since.min(minute)), minute);
        if let Some(count) = known.error(error.signature, minute, error.count, error.is_fatal) {
            let signature = error.signature.to_owned();
            #[allow(clippy::cast_precision_loss)] // of an hour
            let suspicion = Suspicion {
                kind: Kind::NewError { signature },
                before: None,
                after: Measure::exact(count as f64, count),
                since: minute,
                severity: if error.is_fatal {
                    Severity::Critical
                } else {
                    Severity::Warning
                },
                p_value: 0.0,
            };
            let finding = self.finding(&subject, suspicion, 0.0, minute + 1);
            self.tracks.note(finding, minute + NOTED_FOR);
        }
    }

    /// Takes what the next invocation of an environment used, in bytes.
    pub fn take_memory(&mut self, node: &Node, environment: &str, at: UnixNanos, used: u64) {
        let minute = minute_of(at);
        if !has_room(&self.environments, NODES_MAX, node) {
            self.left_out += 1;
            return;
        }
        let environments = self.environments.entry(node.clone()).or_default();
        let size = self.settings.get(node).and_then(|it| it.memory_bytes);
        let Some((first, last)) = environments.take(environment, minute, used, size) else {
            return;
        };
        #[allow(clippy::cast_precision_loss)] // bytes of a function's memory
        let suspicion = Suspicion {
            kind: Kind::Leak {
                environment: environment.to_owned(),
            },
            before: Some(Measure::exact(first as f64, 1).at(When::First)),
            after: Measure::exact(last as f64, 1),
            since: minute,
            severity: Severity::Warning,
            p_value: 0.0,
        };
        let subject = Subject::Node(node.clone());
        let finding = self.finding(&subject, suspicion, 0.0, minute + 1);
        self.tracks.note(finding, minute + NOTED_FOR);
    }

    /// What lies in a queue, or waits for a function, in the minute of this time: what was told of that minute before
    /// is replaced. It may come some minutes late.
    pub fn take_lying(&mut self, node: &Node, at: UnixNanos, lying: Lying) {
        let has_room = self.queues.lying(node, minute_of(at), lying);
        self.left_out += u64::from(!has_room);
    }

    /// A function was given a message that it, or another, was given before.
    pub fn take_again(&mut self, function: &Node, at: UnixNanos, came: CameAgain<'_>) {
        let has_room = self.queues.again(function, minute_of(at), came);
        self.left_out += u64::from(!has_room);
    }

    /// A function takes from a queue, or a queue from a topic: what is wrong with both is one incident.
    pub fn takes_from(&mut self, taker: &Node, from: &Node, at: UnixNanos) {
        let has_room = self.queues.takes(from, taker, minute_of(at));
        self.left_out += u64::from(!has_room);
    }

    /// Who took from what, and what passed on to what, within about a day: a queue and a function, a topic and a queue.
    pub fn takes(&self) -> impl Iterator<Item = &(Node, Node)> {
        self.queues.takers()
    }

    /// What is given up in the one goes to the other. Where nobody says that, names such as `orders-dlq` do.
    pub fn gives_up_to(&mut self, from: &Node, to: &Node, at: UnixNanos) {
        let has_room = self.queues.gives_up_to(from, to, minute_of(at));
        self.left_out += u64::from(!has_room);
    }

    /// Where what lies in a queue of dead letters was given up: queues, functions, and who takes from those queues. As
    /// somebody has said, else by its name.
    pub fn givers(&self, dead: &Node) -> BTreeSet<Node> {
        self.queues.givers(dead)
    }

    /// What a node may take from now on; what is not told is as it was.
    pub fn set(&mut self, node: &Node, settings: Settings) {
        if has_room(&self.settings, NODES_MAX, node) {
            let known = self.settings.entry(node.clone()).or_default();
            known.timeout_ms = settings.timeout_ms.or(known.timeout_ms);
            known.memory_bytes = settings.memory_bytes.or(known.memory_bytes);
        }
    }

    /// What is all right from now on, and nothing else. What is open because of it ends with the next tick.
    pub fn allow(&mut self, allowed: Vec<Allowed>) {
        self.allowed = allowed;
    }

    /// What a node may take, as far as that is known.
    pub fn settings(&self, node: &Node) -> Settings {
        self.settings.get(node).copied().unwrap_or_default()
    }

    /// What came of the telemetry of all functions of which something is lost, from now on.
    pub fn set_arrived(&mut self, arrived: impl IntoIterator<Item = (Node, Arrived)>) {
        self.arrived = arrived.into_iter().take(NODES_MAX).collect();
    }

    /// Somebody changed something.
    pub fn change(&mut self, change: Change) {
        if self.changes.len() == CHANGES_MAX {
            self.changes.pop_front();
        }
        let place = self.changes.partition_point(|it| it.at <= change.at);
        self.changes.insert(place, change);
    }

    /// What was changed, the newest last: the last thousand changes.
    pub fn changes(&self) -> impl DoubleEndedIterator<Item = &Change> {
        self.changes.iter()
    }

    /// Remembers what was taken up to now without judging it: for the time before anybody watched.
    pub fn learn(&mut self, now: UnixNanos) {
        let now = minute_of(now);
        self.watched
            .values_mut()
            .for_each(|history| history.settle(now));
        let judged = self.judged;
        self.known
            .values_mut()
            .for_each(|known| known.learn(judged, now));
        self.queues.settle(now);
    }

    /// Judges the minutes before this one.
    pub fn tick(&mut self, now: UnixNanos) -> Vec<Update> {
        let to = minute_of(now);
        let mut suspicions: Vec<(Subject, Suspicion)> = Vec::new();
        let mut tests = 0;
        for (subject, history) in &mut self.watched {
            history.settle(to);
            let node = subject.nodes().next();
            let settings = node.and_then(|node| self.settings.get(node)).copied();
            let is_deployed = deployed_before(&self.changes, subject, to);
            let scene = Scene::new(history, to, settings.unwrap_or_default(), is_deployed);
            let (found, made) = scene.suspicions(subject);
            tests += made;
            suspicions.extend(found.into_iter().map(|found| (subject.clone(), found)));
        }
        for (node, arrived) in &self.arrived {
            let found = rules::incomplete(*arrived, to);
            suspicions.extend(found.map(|found| (Subject::Node(node.clone()), found)));
        }
        self.judged = to;
        self.queues.settle(to);
        suspicions.extend(self.queues.judge(to));
        throttled::judge(&mut suspicions, &self.queues);
        let p_values: Vec<f64> = suspicions.iter().map(|(_, found)| found.p_value).collect();
        let adjusted = false_discovery(&p_values, tests);
        let mut found = Vec::new();
        for ((subject, suspicion), chance) in suspicions.into_iter().zip(adjusted) {
            if chance <= FALSE_DISCOVERIES {
                found.push(self.finding(&subject, suspicion, chance, to));
            }
        }
        let open = self.tracks.tick(found, to);
        self.disturb(&open, to);
        let is_allowed = |found: &Finding| self.allowed.iter().any(|it| it.covers(found, now));
        let open = open.into_iter().filter(|found| !is_allowed(found));
        let open = open.collect();
        self.incidents.take(open, &self.neighbours(to), now)
    }

    /// Takes what somebody else's watch says: an alert that begins, goes on or has ended. It needs no tick.
    pub fn hear(&mut self, told: Told, now: UnixNanos) -> Heard {
        let ended = told.ended;
        let mut finding = told.finding(now);
        let begun = minute_of(finding.since);
        finding.change = change_before(&self.changes, &finding.subject, begun + 1).cloned();
        if ended.is_none() && self.allowed.iter().any(|it| it.covers(&finding, now)) {
            return Heard::Ignored;
        }
        self.incidents.hear(finding, ended, now)
    }

    /// Ends alerts of others that nobody has said again in time, and those that are all right by now.
    pub fn end_unrepeated(&mut self, now: UnixNanos) -> Vec<Update> {
        let allowed = &self.allowed;
        let is_allowed = |found: &Finding| allowed.iter().any(|it| it.covers(found, now));
        self.incidents.end_unrepeated(is_allowed, now)
    }

    /// Those that are open, and those that have ended, oldest first; at most a thousand.
    pub fn incidents(&self) -> &[Incident] {
        &self.incidents.all
    }

    /// How many subjects are watched.
    pub fn watched(&self) -> usize {
        self.watched.len()
    }

    /// Who is known to call whom: edges of the last eight days, without their operations.
    pub fn calls(&self) -> impl Iterator<Item = (&Node, &Node)> {
        self.watched.keys().filter_map(|subject| match subject {
            Subject::Edge(from, to, _) => Some((from, to)),
            Subject::Node(_) | Subject::Operation(..) | Subject::Wait(_) => None,
        })
    }

    /// What was told of subjects that there was no room for, and findings beyond those that may be open at once.
    pub fn left_out(&self) -> u64 {
        self.left_out + self.tracks.left_out
    }

    /// Forgets subjects that did nothing for more than eight days, and ways to fail that were not seen for fourteen.
    pub fn forget(&mut self, now: UnixNanos) {
        let now = minute_of(now);
        let oldest = now.saturating_sub(FORGOTTEN);
        self.watched.retain(|_, history| history.last >= oldest);
        let nodes: BTreeSet<Node> = self
            .watched
            .keys()
            .flat_map(Subject::nodes)
            .cloned()
            .collect();
        self.known
            .retain(|node, known| known.forget(now) || nodes.contains(node));
        self.environments.retain(|node, _| nodes.contains(node));
        self.settings.retain(|node, _| nodes.contains(node));
        self.queues.forget(now);
    }

    fn saw_edge(&mut self, edge: &Subject, class: EdgeClass, new: New, minute: Minute) {
        let change = change_before(&self.changes, edge, new.first + 1).cloned();
        let severity = match class {
            // Whoever deploys knows that something is new.
            _ if deployed_before(&self.changes, edge, new.first + 1) => Severity::Note,
            EdgeClass::Read => Severity::Note,
            EdgeClass::Write => Severity::Warning,
            EdgeClass::Admin | EdgeClass::Outside => Severity::Critical,
        };
        // What nobody needs to do anything about is said once.
        if severity == Severity::Note && new.first < minute {
            return;
        }
        #[allow(clippy::cast_precision_loss)] // of a day
        let suspicion = Suspicion {
            kind: Kind::NewEdge { class },
            before: None,
            after: Measure::exact(new.count as f64, new.count),
            since: new.since,
            severity,
            p_value: new.chance,
        };
        let finding = self.finding(edge, suspicion, new.chance, minute + 1);
        self.tracks.note(Finding { change, ..finding }, new.until);
    }

    fn finding(&self, subject: &Subject, suspicion: Suspicion, chance: f64, to: Minute) -> Finding {
        Finding {
            subject: subject.clone(),
            kind: suspicion.kind,
            before: suspicion.before,
            after: suspicion.after,
            since: nanos_of(suspicion.since),
            seen: nanos_of(to),
            confidence: 1.0 - chance,
            severity: suspicion.severity,
            change: change_before(&self.changes, subject, suspicion.since + 1).cloned(),
        }
    }

    /// What is wrong now is no reference for later, unless it has been so for a day.
    fn disturb(&mut self, open: &[Finding], to: Minute) {
        for finding in open {
            let is_young = minute_of(finding.since) + NEW_NORMAL > to;
            if let Some(history) = self.watched.get_mut(&finding.subject).filter(|_| is_young) {
                history.disturbed_until = to;
            }
            if is_young {
                self.queues.disturb(finding, to);
            }
        }
    }

    /// The nodes that have called each other within the last day, or are connected by a queue.
    fn neighbours(&self, to: Minute) -> BTreeSet<(Node, Node)> {
        let recent = self
            .watched
            .iter()
            .filter(|(_, history)| history.last + NEW_NORMAL > to);
        let edges = recent.filter_map(|(subject, _)| match subject {
            Subject::Edge(from, called, _) => Some((from.clone(), called.clone())),
            _ => None,
        });
        edges.chain(self.queues.neighbours(to)).collect()
    }
}

/// Whether a map knows this one, or may have one more.
fn has_room<K: Ord, V>(map: &BTreeMap<K, V>, most: usize, key: &K) -> bool {
    map.len() < most || map.contains_key(key)
}

/// What was changed at a subject just before.
fn change_before<'a>(
    changes: &'a VecDeque<Change>,
    subject: &Subject,
    to: Minute,
) -> Option<&'a Change> {
    changes_before(changes, subject, to).next()
}

/// Whether something was deployed or set there just before. Nothing is by an action.
fn deployed_before(changes: &VecDeque<Change>, subject: &Subject, to: Minute) -> bool {
    changes_before(changes, subject, to).any(|change| change.by.is_none())
}

/// The last first.
fn changes_before<'a>(
    changes: &'a VecDeque<Change>,
    subject: &Subject,
    to: Minute,
) -> impl Iterator<Item = &'a Change> {
    changes.iter().rev().filter(move |change| {
        let at = minute_of(change.at);
        at < to && at + AFTER_CHANGE >= to && subject.nodes().any(|node| *node == change.node)
    })
}

fn minute_of(at: UnixNanos) -> Minute {
    at.0 / MINUTE_NANOS
}

fn nanos_of(minute: Minute) -> UnixNanos {
    UnixNanos(minute.saturating_mul(MINUTE_NANOS))
}

const MINUTE_NANOS: u64 = 60 * 1_000_000_000;
/// The share of false ones among what has a p-value.
const FALSE_DISCOVERIES: f64 = 0.01;
/// Subjects that are watched, some six of each function, at 30 to 80 KiB each after eight days.
const SUBJECTS_MAX: usize = 6_000;
/// Nodes of which is known what they may take, what they call and how they fail, and what their environments use.
const NODES_MAX: usize = 4_000;
/// Minutes for which what happens once goes on.
const NOTED_FOR: Minute = 30;
/// Changes that are remembered.
const CHANGES_MAX: usize = 1000;
/// Minutes within which something new is of a change.
const AFTER_CHANGE: Minute = 15;
/// A day: what is wrong for longer is normal.
const NEW_NORMAL: Minute = 24 * 60;
const FORGOTTEN: Minute = 8 * 24 * 60;

#[cfg(test)]
mod tests;
