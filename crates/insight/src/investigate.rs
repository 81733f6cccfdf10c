//! What somebody wants to know of the past: is it so, since when, where does it come from, who else suffers.
//!
//! [`investigate`] answers from [`Facts`] alone, which are rollups and edges. It confirms the symptom first, against the
//! hours before or the same hours of the day before; says nothing where it is not so;
//! finds the minute in which it begins; and lets [`explain`] rank the causes.
//! What traces and log records add to it is worked out by [`self_times`], [`shapes`] and [`patterns`].

mod affected;
mod onset;
mod path;
mod patterns;
mod shapes;
mod silence;
mod spans;
mod waiting;
mod words;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::time::Duration;

use throughline_telemetry::UnixNanos;

pub use affected::{Affected, Neighbour, affected};
pub use patterns::{Lines, Pattern, Seen, patterns};
pub use shapes::{Shape, Target, shapes};
pub use spans::{Gap, SelfTime, SelfTimes, part_in, self_times};
pub use waiting::{Measured, Waiting, waiting};
pub use words::{Figure, Unit, amount, verb};

use crate::detect::rules::cost;
use crate::detect::{CostFactor, Node, Subject};
use crate::explain;
use crate::facts::{Did, Facts, Failing, Frame, steps};
use crate::question::{Candidate, Symptom, Window};
use crate::rootcause::{self, Evidence, Explanation, NodeSeries, Scene, Step, View};

/// What was found about a node.
#[derive(Clone, Debug, PartialEq)]
pub struct Investigation {
    /// The node.
    pub node: Node,
    /// What is wrong, or was asked about if nothing is.
    pub symptom: Symptom,
    /// What it is held against.
    pub reference: Reference,
    /// The times of both.
    pub frame: Frame,
    /// How the node did at these times, in each way: what shows that it is so, or that it is not.
    pub figures: Vec<Figure>,
    /// What is wrong; none if nothing is.
    pub found: Option<Found>,
}

/// What something is held against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reference {
    /// The four hours before.
    HoursBefore,
    /// The same hours of the day before.
    DayBefore,
}

/// A symptom, and where it comes from.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// How it was and how it is.
    pub confirmed: Evidence,
    /// What these numbers count.
    pub unit: Unit,
    /// The minute in which it begins.
    pub onset: UnixNanos,
    /// Whether it was so already when the time that is asked about begins.
    pub began_before: bool,
    /// When it was seen last.
    pub until: UnixNanos,
    /// Where it comes from, the most probable first.
    pub causes: Vec<Suspect>,
    /// Nodes below that are worse in another way in the same minutes.
    pub beside: Vec<Suspect>,
    /// Nodes that it reaches and that are as usual.
    pub ruled_out: Vec<Node>,
    /// The part that no cause explains, 0 to 1.
    pub unexplained: f64,
    /// How many times as many calls as usual there are.
    pub load: f64,
    /// Of a cost, what of the difference is due to what, in US dollars an hour, the most first.
    pub cost_why: Vec<(CostFactor, f64)>,
}

/// A node that it comes from.
#[derive(Clone, Debug, PartialEq)]
pub struct Suspect {
    /// The node.
    pub node: Node,
    /// In which way it is worse.
    pub symptom: Symptom,
    /// The part of the symptom that enters here and that nothing below explains, 0 to 1.
    pub share: f64,
    /// What is seen of it.
    pub evidence: Evidence,
    /// How it reaches the node that was asked about, from that one to this one.
    pub path: Vec<Node>,
}

impl Investigation {
    /// When all was well, and from when until when it was not: what was well in the time that is asked about would water
    /// that down.
    pub fn seen(&self) -> Frame {
        let mut frame = self.frame.clone();
        if let Some(found) = &self.found {
            frame.now = found.onset.min(found.until)..found.until;
        }
        frame
    }
}

/// What is known of a node between these times: whether it has the symptom, or any if none is named, and why.
pub fn investigate(
    facts: &Facts,
    node: &Node,
    symptom: Option<Symptom>,
    window: &Window,
) -> Investigation {
    let symptoms: &[Symptom] = match &symptom {
        // What is slow about a queue is what lies in it, and who waits for something else finds it slow.
        Some(Symptom::Slow) if lies(node) => &WAITING,
        Some(Symptom::Waiting) => &WAITING,
        Some(symptom) => std::slice::from_ref(symptom),
        None => &UNSAID,
    };
    let mut best: Option<(Symptom, Reference, Found)> = None;
    for symptom in symptoms {
        for reference in references(facts, *symptom, window) {
            let frame = frame(window, *reference);
            let Some(found) = attempt(facts, node, *symptom, &frame) else {
                continue;
            };
            let is_surer = |known: &(_, _, Found)| found.confirmed.z > known.2.confirmed.z * SURER;
            if best.as_ref().is_none_or(is_surer) {
                best = Some((*symptom, *reference, found));
            }
            break;
        }
        // What was asked about comes before what is tried where that is not so.
        if symptoms.len() < UNSAID.len() && best.is_some() {
            break;
        }
    }
    let (symptom, reference, found) = match best {
        Some((symptom, reference, found)) => (symptom, reference, Some(found)),
        None => {
            let symptom = symptom.unwrap_or(UNSAID[0]);
            (symptom, references(facts, symptom, window)[0], None)
        }
    };
    let frame = frame(window, reference);
    let times = match &found {
        Some(found) => found.onset..found.until,
        None => frame.now.clone(),
    };
    Investigation {
        node: node.clone(),
        symptom,
        reference,
        figures: words::figures(facts, node, &frame.normal, &times),
        frame,
        found,
    }
}

/// The first of the candidates that has the symptom, of those that are about as probable as the first; else the first.
pub fn choose<'a>(
    facts: &Facts,
    candidates: &'a [Candidate],
    symptom: Option<Symptom>,
    window: &Window,
) -> Option<&'a Candidate> {
    let first = candidates.first()?;
    let close = candidates
        .iter()
        .filter(|it| it.score >= first.score - CLOSE)
        .take(CLOSE_MAX);
    let mut close = close.peekable();
    let has_it = |it: &&Candidate| {
        investigate(facts, &it.node, symptom, window)
            .found
            .is_some()
    };
    close.find(has_it).or(Some(first))
}

/// What there is to see where no name was said, and what else there is where nothing was found: nodes that are slow or
/// fail so much that it should be told unasked, those that others call last.
pub fn noticed(facts: &Facts, window: &Window) -> Vec<(Node, Symptom)> {
    let frame = frame(window, references(facts, UNSAID[0], window)[0]);
    let (scene, _) = facts.scene(&frame, Failing::All);
    let mut found = rootcause::symptoms(&scene);
    let is_called = |node: usize| {
        let by = |from: usize| found.iter().any(|(at, _)| *at == from);
        scene
            .calls
            .iter()
            .any(|(from, to)| *to == node && *from != node && by(*from))
    };
    let called: BTreeMap<usize, bool> = found.iter().map(|(at, _)| (*at, is_called(*at))).collect();
    found.sort_by_key(|(at, _)| called[at]);
    found.truncate(NOTICED_MAX);
    let waits = waiting(facts, facts.lying.keys(), &frame).into_iter();
    let waits = waits.filter(|it| it.times.is_some());
    let mut waits: Vec<Node> = waits.map(|it| it.node).collect();
    let mut seen = BTreeSet::new();
    waits.retain(|node| seen.insert(node.clone()));
    waits.truncate(NOTICED_MAX);
    let waits = waits.into_iter().map(|node| (node, Symptom::Waiting));
    let of = |(at, symptom): (usize, rootcause::Symptom)| {
        (scene.nodes[at].name.clone(), of_symptom(symptom))
    };
    found.into_iter().map(of).chain(waits).collect()
}

/// The times that have to be known to investigate a window, the earliest first, no time twice.
pub fn times(window: &Window) -> [Range<UnixNanos>; 2] {
    let before = frame(window, Reference::DayBefore).normal;
    let now = frame(window, Reference::HoursBefore);
    let begin = now.normal.start;
    [before.start..before.end.min(begin), begin..now.now.end]
}

/// What a time is held against, one after the other until it is worse. What is longer than the hours before is held
/// against the day before alone, if more is known of that: four hours of a night tell nothing of a morning.
fn references(facts: &Facts, symptom: Symptom, window: &Window) -> &'static [Reference] {
    let minutes = |reference: Reference| facts.minutes(&frame(window, reference).normal);
    match symptom {
        // What reports alone tell is not read of the day before.
        Symptom::Expensive | Symptom::Timeout => &BOTH,
        _ if window.to.since(window.from) <= HOURS_BEFORE => &BOTH,
        _ if minutes(Reference::DayBefore) > minutes(Reference::HoursBefore) => {
            &[Reference::DayBefore]
        }
        _ => &BOTH,
    }
}

fn frame(window: &Window, reference: Reference) -> Frame {
    let now = window.from..window.to;
    let normal = match reference {
        Reference::HoursBefore => now.start.minus(HOURS_BEFORE)..now.start,
        Reference::DayBefore => {
            let [from, to] = [now.start, now.end].map(|at| at.minus(DAY));
            from.minus(BESIDE)..to.plus(BESIDE).min(now.start)
        }
    };
    Frame { normal, now }
}

fn attempt(facts: &Facts, node: &Node, symptom: Symptom, frame: &Frame) -> Option<Found> {
    let (failing, way) = match symptom {
        Symptom::Slow => (Failing::All, rootcause::Symptom::Slow),
        Symptom::Error => (Failing::All, rootcause::Symptom::Failing),
        Symptom::Timeout => return timed_out(facts, node, frame),
        Symptom::Throttle => (Failing::Throttled, rootcause::Symptom::Failing),
        Symptom::ColdStart => (Failing::Cold, rootcause::Symptom::Failing),
        Symptom::Expensive => return costly(facts, node, frame),
        Symptom::Silent => return silence::find(facts, node, frame),
        Symptom::Waiting => return waiting::find(facts, node, frame),
        Symptom::Changed => return None,
    };
    let (mut scene, places) = facts.scene(frame, failing);
    match symptom {
        // A cold start is a function's own.
        Symptom::ColdStart => scene.calls.clear(),
        Symptom::Error | Symptom::Throttle => believe_refusals(&mut scene, facts, frame),
        _ => {}
    }
    let explanation = explain(&scene, *places.get(node)?, way)?;
    Some(told(facts, node, symptom, frame, explanation))
}

/// A refusal is what a node answers, whoever tells of it: of one that mostly refuses its callers are believed.
fn believe_refusals(scene: &mut Scene, facts: &Facts, frame: &Frame) {
    let done = facts.sums(&frame.now);
    for node in &mut scene.nodes {
        let did = done.get(&Subject::Node(node.name.clone()));
        if did.is_some_and(|did| 2 * Failing::Throttled.of(did) > Failing::All.of(did)) {
            node.view = View::Own;
        }
    }
}

/// What does not end in time. Where it spends its time it comes from: a call that it waits for, or itself.
fn timed_out(facts: &Facts, node: &Node, frame: &Frame) -> Option<Found> {
    let (scene, places) = facts.scene(frame, Failing::TimedOut);
    let place = *places.get(node)?;
    let explanation = explain(&scene, place, rootcause::Symptom::Failing)?;
    let mut found = told(facts, node, Symptom::Timeout, frame, explanation);
    let slow = explain(&scene, place, rootcause::Symptom::Slow);
    if let Some(slow) = slow.filter(|slow| !slow.causes.is_empty()) {
        let slow = told(facts, node, Symptom::Slow, frame, slow);
        found.causes = slow.causes;
        found.unexplained = slow.unexplained;
    }
    Some(found)
}

/// An explanation with times instead of steps.
fn told(
    facts: &Facts,
    node: &Node,
    symptom: Symptom,
    frame: &Frame,
    explanation: Explanation,
) -> Found {
    let suspect = |cause: rootcause::Cause| Suspect {
        symptom: match (cause.symptom, symptom) {
            (rootcause::Symptom::Slow, Symptom::Expensive) => Symptom::Expensive,
            (rootcause::Symptom::Slow, _) => Symptom::Slow,
            (rootcause::Symptom::Failing, Symptom::Slow | Symptom::Expensive) => Symptom::Error,
            (rootcause::Symptom::Failing, symptom) => symptom,
        },
        node: cause.node,
        share: cause.share.clamp(0.0, 1.0),
        evidence: cause.evidence,
        path: cause.path,
    };
    let (first, until) = stretch(&explanation.steps, frame);
    let onset = onset::find(facts, node, symptom, first..until);
    Found {
        confirmed: explanation.confirmed,
        unit: Unit::of(symptom),
        onset,
        began_before: first <= frame.now.start && onset <= frame.now.start,
        until,
        causes: explanation
            .causes
            .into_iter()
            .filter(|cause| cause.share >= SHARE_MIN)
            .map(suspect)
            .collect(),
        beside: explanation.beside.into_iter().map(suspect).collect(),
        ruled_out: explanation.ruled_out,
        unexplained: explanation.unexplained,
        load: explanation.load,
        cost_why: Vec::new(),
    }
}

/// From the first of the steps to the end of the last.
fn stretch(found: &[usize], frame: &Frame) -> (UnixNanos, UnixNanos) {
    let all = steps(&frame.now, frame.step());
    let at = |place: Option<&usize>| place.and_then(|at| all.get(*at)).copied();
    let first = at(found.first()).unwrap_or(frame.now.start);
    let last = at(found.last()).unwrap_or(frame.now.end);
    (first, last.plus(frame.step()).min(frame.now.end.max(first)))
}

/// Whether it is where messages lie until somebody takes them.
fn lies(node: &Node) -> bool {
    node.starts_with("queue:") || node.starts_with("stream:")
}

/// What costs more, by the dollars of each step.
fn costly(facts: &Facts, node: &Node, frame: &Frame) -> Option<Found> {
    let mut dollars = Facts::default();
    let subject = Subject::Node(node.clone());
    for ((minute, of), did) in &facts.subjects {
        if *of == subject {
            let known = dollars.at(*minute, subject.clone());
            known.counts.count = 1;
            // In millionths, which is what an invocation costs.
            known.sum_ms = did.counts.cost_usd * 1e6;
        }
    }
    // What nobody reported was not free.
    let mut before = dollars.between(&frame.normal);
    if before.all(|(_, did)| did.sum_ms <= 0.0) {
        return None;
    }
    let (scene, places) = dollars.scene(frame, Failing::All);
    let place = *places.get(node)?;
    let scene = Scene {
        nodes: vec![by_step(&scene.nodes[place])],
        calls: Vec::new(),
    };
    let explanation = explain(&scene, 0, rootcause::Symptom::Slow)?;
    let mut found = told(&dollars, node, Symptom::Expensive, frame, explanation);
    let an_hour = |usd_millionths: f64| usd_millionths / 1e6 * HOUR / frame.step().as_secs_f64();
    let [normal, now] = [&frame.normal, &(found.onset..found.until)].map(|times| {
        let done = facts.sums(times).remove(&subject).unwrap_or_default();
        (done, facts.minutes(times) * 60.0 / HOUR)
    });
    found.load = rate(&now.0, now.1) / rate(&normal.0, normal.1).max(f64::MIN_POSITIVE);
    found.cost_why = cost::why((&normal.0.counts, normal.1), (&now.0.counts, now.1));
    for evidence in found
        .causes
        .iter_mut()
        .map(|cause| &mut cause.evidence)
        .chain([&mut found.confirmed])
    {
        evidence.before = an_hour(evidence.before);
        evidence.after = an_hour(evidence.after);
        evidence.calls = rate(&now.0, 1.0);
    }
    Some(found)
}

/// The dollars of a step as the time of one call.
fn by_step(node: &NodeSeries) -> NodeSeries {
    let one = |step: &Step| Step {
        count: 1.0,
        errors: 0.0,
        mean_ms: Some(step.mean_ms.unwrap_or(0.0) * step.count),
    };
    NodeSeries {
        name: node.name.clone(),
        view: View::Own,
        normal: node.normal.iter().map(one).collect(),
        now: node.now.iter().map(one).collect(),
    }
}

#[allow(clippy::cast_precision_loss)] // calls of hours
fn rate(did: &Did, hours: f64) -> f64 {
    did.counts.count as f64 / hours.max(f64::MIN_POSITIVE)
}

fn of_symptom(symptom: rootcause::Symptom) -> Symptom {
    match symptom {
        rootcause::Symptom::Slow => Symptom::Slow,
        rootcause::Symptom::Failing => Symptom::Error,
    }
}

/// A smaller part is none.
const SHARE_MIN: f64 = 0.005;
/// What is looked for when no symptom is said; the first of those that show about as well.
const UNSAID: [Symptom; 6] = [
    Symptom::Slow,
    Symptom::Error,
    Symptom::Throttle,
    Symptom::Silent,
    Symptom::ColdStart,
    Symptom::Waiting,
];
/// What is looked for where something waits.
const WAITING: [Symptom; 2] = [Symptom::Waiting, Symptom::Slow];
/// Times as far from normal as another, or it is not surer.
const SURER: f64 = 1.5;
const BOTH: [Reference; 2] = [Reference::HoursBefore, Reference::DayBefore];
const HOURS_BEFORE: Duration = Duration::from_secs(4 * 3600);
const DAY: Duration = Duration::from_secs(24 * 3600);
/// Before and after the same time of the day before.
const BESIDE: Duration = Duration::from_secs(3600);
const HOUR: f64 = 3600.0;
/// How much less a name may fit to be as probable.
const CLOSE: f64 = 0.06;
const CLOSE_MAX: usize = 4;
const NOTICED_MAX: usize = 10;

#[cfg(test)]
mod tests;
