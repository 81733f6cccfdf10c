//! What is not called any more, and where that begins.
//!
//! What falls silent because what feeds it did is an effect. So from a silent node one goes upwards, to whoever called it
//! and does not any more: over all that are silent too, to where something goes on. There two things may be:
//!
//! - **It stopped calling**: a function that goes on, but calls the next one no more, is the cause.
//! - **The next one takes nothing**: a queue, a stream or a bucket calls nobody, it is taken from. If it goes on, or nobody
//!   tells, then the function that took from it is the cause. So it is where a producer goes on handing over all that it
//!   did, and who took it is silent.
//!
//! A silent function that nobody is known to feed is a cause too: further up nothing is known.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use throughline_telemetry::UnixNanos;

use super::words::Unit;
use super::{Found, Suspect, stretch};
use crate::detect::{EdgeClass, Node, Subject, class_of};
use crate::facts::{Facts, Failing, Frame};
use crate::question::Symptom;
use crate::rootcause::Evidence;
use crate::statistics::median;

/// Whether a node that was called all the time is not called for two steps and more, and where that begins.
#[allow(clippy::cast_precision_loss)] // calls of hours
pub(super) fn find(facts: &Facts, node: &Node, frame: &Frame) -> Option<Found> {
    let (scene, places) = facts.scene(frame, Failing::All);
    let series = &scene.nodes[*places.get(node)?];
    let mut counts: Vec<f64> = series.normal.iter().map(|step| step.count).collect();
    let usual = median(&mut counts)?;
    let is_silent = |at: usize| {
        let step = series.now.get(at);
        step.is_some_and(|step| step.count <= usual * SILENT_PART)
    };
    let steps: Vec<usize> = (0..series.now.len())
        .filter(|at| is_silent(*at) && (is_silent(at + 1) || *at > 0 && is_silent(at - 1)))
        .collect();
    if steps.is_empty() || usual * steps.len() as f64 <= CALLS_MIN {
        return None;
    }
    let (onset, until) = stretch(&steps, frame);
    let rates = Rates::of(facts, frame, &(onset..until));
    let upwards = rates.upwards(node);
    let causes = upwards.suspects(node, rates.minutes);
    let as_usual = upwards.goes_on.iter().copied();
    let as_usual = as_usual.filter(|node| !upwards.causes.contains_key(*node));
    let ruled_out = as_usual.cloned().collect();
    let explained: f64 = causes.iter().map(|cause| cause.share).sum();
    let after = steps.iter().map(|at| series.now[*at].count).sum::<f64>() / steps.len() as f64;
    let step_minutes = frame.step().as_secs_f64() / 60.0;
    Some(Found {
        confirmed: Evidence {
            before: usual / step_minutes,
            after: after / step_minutes,
            // Counts of what comes by chance vary by their root.
            z: (usual - after) / usual.sqrt(),
            calls: usual * steps.len() as f64,
        },
        unit: Unit::of(Symptom::Silent),
        began_before: onset <= frame.now.start,
        onset,
        until,
        causes,
        beside: Vec::new(),
        ruled_out,
        unexplained: (1.0 - explained).max(0.0),
        load: after / usual,
        cost_why: Vec::new(),
    })
}

/// Calls a minute, when all was well and in the silence.
#[derive(Clone, Copy, Default)]
struct Rate {
    before: f64,
    after: f64,
}

impl Rate {
    fn is_silent(self) -> bool {
        self.before > 0.0 && self.after <= self.before * SILENT_PART
    }

    fn goes_on(self) -> bool {
        self.before > 0.0 && !self.is_silent()
    }

    fn missing(self) -> f64 {
        self.before - self.after
    }

    /// Of what comes to a silent node: some of it may be left, but chance alone does not halve it.
    fn has_stopped(self) -> bool {
        self.before > 0.0 && self.after <= self.before * STOPPED_PART
    }
}

/// What nodes were called, and by whom.
struct Rates<'a> {
    facts: &'a Facts,
    nodes: BTreeMap<&'a Node, Rate>,
    /// By who is called.
    callers: BTreeMap<&'a Node, BTreeMap<&'a Node, Calls>>,
    /// By who takes, or gets what is passed on: what lies where it is taken from.
    sources: BTreeMap<&'a Node, BTreeSet<&'a Node>>,
    /// The other way round.
    takers: BTreeMap<&'a Node, BTreeSet<&'a Node>>,
    /// Of the silence.
    minutes: f64,
}

/// From one node to another.
#[derive(Clone, Copy, Default)]
struct Calls {
    all: Rate,
    /// Those that do not only read.
    feeding: Rate,
}

/// Where a silence begins, as far as it has been followed.
#[derive(Default)]
struct Upwards<'a> {
    /// Of each node, whom it was reached from first: who is called by it, or takes from it.
    reached: BTreeMap<&'a Node, &'a Node>,
    /// Silent nodes to be followed, with the part of the silence that comes through them.
    open: BTreeMap<&'a Node, f64>,
    /// Where it begins, the part that does, and what is missing there.
    causes: BTreeMap<&'a Node, (f64, Rate)>,
    /// What feeds the causes, and goes on.
    goes_on: BTreeSet<&'a Node>,
}

impl<'a> Rates<'a> {
    #[allow(clippy::cast_precision_loss)] // calls of hours
    fn of(facts: &'a Facts, frame: &Frame, silent: &Range<UnixNanos>) -> Self {
        let mut rates = Rates {
            facts,
            nodes: BTreeMap::new(),
            callers: BTreeMap::new(),
            sources: BTreeMap::new(),
            takers: BTreeMap::new(),
            minutes: facts.minutes(silent),
        };
        for (source, taker) in &facts.takes {
            rates.sources.entry(taker).or_default().insert(source);
            rates.takers.entry(source).or_default().insert(taker);
        }
        let normal_minutes = facts.minutes(&frame.normal);
        for ((_, subject), did) in facts.between(&frame.normal) {
            let before = did.counts.count as f64 / normal_minutes;
            rates.add(subject, Rate { before, after: 0.0 });
        }
        for ((_, subject), did) in facts.between(silent) {
            let after = did.counts.count as f64 / rates.minutes;
            rates.add(subject, Rate { before: 0.0, after });
        }
        rates
    }

    fn add(&mut self, subject: &'a Subject, more: Rate) {
        match subject {
            Subject::Node(node) => *self.nodes.entry(node).or_default() += more,
            Subject::Edge(from, to, operation) => {
                let callers = self.callers.entry(to).or_default();
                let calls = callers.entry(from).or_default();
                calls.all += more;
                if class_of(to, operation) != EdgeClass::Read {
                    calls.feeding += more;
                }
            }
            Subject::Operation(..) | Subject::Wait(_) => {}
        }
    }

    fn node(&self, node: &Node) -> Rate {
        self.nodes.get(node).copied().unwrap_or_default()
    }

    /// Whether it does something by itself; what does not is called, or taken from.
    fn acts(&self, node: &Node) -> bool {
        self.facts.own.contains(node)
    }

    /// What is handed to whoever takes from it: what is only read in a table feeds nobody. Of what is passed on those that
    /// take it tell.
    fn fed(&self, node: &Node) -> Rate {
        self.flow(node, PASSED_ON_MAX)
    }

    fn flow(&self, node: &Node, hops: usize) -> Rate {
        if self.acts(node) || hops == 0 {
            return self.node(node);
        }
        let mut fed = Rate::default();
        let callers = self.callers.get(node).into_iter().flatten();
        callers.for_each(|(_, calls)| fed += calls.feeding);
        if fed.before <= 0.0 {
            fed = self.node(node);
        }
        if !self.sources.contains_key(node) {
            return fed;
        }
        let mut taken = Rate::default();
        let takers = self.takers.get(node).into_iter().flatten();
        takers.for_each(|taker| taken += self.flow(taker, hops - 1));
        Rate {
            before: fed.before.max(taken.before),
            after: fed.after.max(taken.after),
        }
    }

    /// Whether this one is known to hand over to queues and the like, and to all of them as ever.
    fn hands_over(&self, node: &Node) -> bool {
        let by = self.callers.iter().filter(|(to, _)| {
            let key = (node.clone(), (**to).clone());
            !self.acts(to) && self.facts.handed.contains(&key)
        });
        let mut rates = by.filter_map(|(_, callers)| callers.get(node));
        let mut is_known = false;
        let go_on = rates.all(|calls| {
            is_known = true;
            !calls.all.has_stopped()
        });
        is_known && go_on
    }

    /// From a silent node to where its silence begins.
    fn upwards(&self, node: &'a Node) -> Upwards<'a> {
        let mut found = Upwards::default();
        found.open.insert(node, 1.0);
        for _ in 0..HOPS_MAX {
            for (at, share) in std::mem::take(&mut found.open) {
                self.follow(node, at, share, &mut found);
            }
        }
        // What goes round in circles has left them by now, if there is a way out; else whoever acts in them is the cause.
        for acts_only in [true, false] {
            let mut left = std::mem::take(&mut found.open);
            left.retain(|_, share| *share >= SHARE_MIN);
            for (at, share) in left {
                match self.acts(at) || !acts_only {
                    true => found.begins(at, share, self.fed(at)),
                    false => self.follow(node, at, share, &mut found),
                }
            }
        }
        found
    }

    /// From a silent node to those that fed it.
    fn follow(&self, asked: &Node, at: &'a Node, share: f64, found: &mut Upwards<'a>) {
        let stopped = self.stopped(at, at != asked);
        if stopped.is_empty() {
            let callers = self.callers.get(at).into_iter().flatten();
            let goes_on = callers.map(|(from, _)| *from);
            let goes_on = goes_on.filter(|from| self.fed(from).goes_on());
            found.goes_on.extend(goes_on);
            found.begins(at, share, self.fed(at));
        }
        let missing: f64 = stopped.iter().map(|(_, rate)| rate.missing()).sum();
        for (from, rate) in stopped {
            let share = share * rate.missing() / missing;
            let fed = self.fed(from);
            if !fed.is_silent() && self.is_taken(from, at) {
                found.goes_on.extend(fed.goes_on().then_some(from));
                found.begins(at, share, self.fed(at));
                continue;
            }
            found.reached.entry(from).or_insert(at);
            match fed.is_silent() {
                true => *found.open.entry(from).or_default() += share,
                false => found.begins(from, share, rate),
            }
        }
    }

    /// Who called it, or was taken from, and is not any more, and how often: of what is `taken` from, only what feeds it.
    fn stopped(&self, node: &'a Node, taken: bool) -> Vec<(&'a Node, Rate)> {
        let feeding_only = taken && !self.acts(node);
        let sources = self.sources_of(node);
        // What was handed to a function came by where that takes it from, if anybody tells what lies there.
        let is_told = self.acts(node) && sources.iter().any(|(_, told)| *told > 0.0);
        let callers = self.callers.get(node).into_iter().flatten();
        let callers = callers.filter(|(from, _)| {
            let key = ((**from).clone(), node.clone());
            !is_told || !self.facts.handed.contains(&key)
        });
        // Who takes from it is behind it, whatever it reads there.
        let behind = self.takers.get(node);
        let rates = callers.map(|(from, calls)| {
            match feeding_only || behind.is_some_and(|takers| takers.contains(from)) {
                true => (*from, calls.feeding),
                false => (*from, calls.all),
            }
        });
        let mut rates: Vec<(&Node, Rate)> = rates.collect();
        // What nobody called it for was taken.
        let mut rest = self.fed(node);
        for (_, rate) in &rates {
            rest.before = (rest.before - rate.before).max(0.0);
            rest.after = (rest.after - rate.after).max(0.0);
        }
        let told: f64 = sources.iter().map(|(_, told)| told).sum();
        let taken = sources.iter().map(|(source, of)| {
            let part = match told > 0.0 {
                true => of / told,
                false => 1.0 / sources.len() as f64,
            };
            let [before, after] = [rest.before, rest.after].map(|rate| rate * part);
            (*source, Rate { before, after })
        });
        rates.extend(taken);
        rates.retain(|(_, rate)| rate.has_stopped());
        rates
    }

    /// From what it takes, and how much lay there when all was well: those of which that is known, if any is; and of these
    /// those that are silent, if any is.
    fn sources_of(&self, node: &Node) -> Vec<(&'a Node, f64)> {
        let sources = self.sources.get(node).into_iter().flatten();
        let mut sources: Vec<(&Node, Rate)> =
            sources.map(|source| (*source, self.fed(source))).collect();
        for is_it in [|rate: Rate| rate.before > 0.0, Rate::is_silent] {
            if sources.iter().any(|(_, rate)| is_it(*rate)) {
                sources.retain(|(_, rate)| is_it(*rate));
            }
        }
        let told = sources.into_iter();
        told.map(|(source, rate)| (source, rate.before)).collect()
    }

    /// Whether it is up to this one that nothing comes from another that goes on: it takes what lies there.
    fn is_taken(&self, from: &Node, by: &Node) -> bool {
        let handed = || self.facts.handed.contains(&(from.clone(), by.clone()));
        match (self.acts(from), self.acts(by)) {
            (false, _) => true,
            (true, true) => handed() && self.hands_over(from),
            (true, false) => false,
        }
    }
}

impl<'a> Upwards<'a> {
    fn begins(&mut self, at: &'a Node, share: f64, rate: Rate) {
        self.causes.entry(at).or_insert((0.0, rate)).0 += share;
    }

    /// Those of most first. The silence lasted for so many minutes.
    fn suspects(&self, asked: &'a Node, minutes: f64) -> Vec<Suspect> {
        let causes = self.causes.iter();
        let suspects = causes.map(|(node, (share, Rate { before, after }))| Suspect {
            node: (*node).clone(),
            symptom: Symptom::Silent,
            share: *share,
            evidence: Evidence {
                before: *before,
                after: *after,
                z: (before - after) / before.max(1.0).sqrt(),
                calls: before * minutes,
            },
            path: self.path(asked, node),
        });
        let mut suspects: Vec<Suspect> = suspects.collect();
        suspects.sort_by(|a, b| b.share.total_cmp(&a.share));
        suspects.truncate(CAUSES_MAX);
        suspects
    }

    /// The shortest way, from what was asked about.
    fn path(&self, asked: &'a Node, to: &'a Node) -> Vec<Node> {
        let mut path = vec![to.clone()];
        let mut at = to;
        while at != asked
            && let Some(next) = self.reached.get(at)
        {
            at = next;
            path.push(at.clone());
        }
        path.reverse();
        path
    }
}

impl std::ops::AddAssign for Rate {
    fn add_assign(&mut self, other: Rate) {
        self.before += other.before;
        self.after += other.after;
    }
}

/// At most a twentieth of what came is nothing.
const SILENT_PART: f64 = 0.05;
const STOPPED_PART: f64 = 0.5;
/// Calls that should have come, or nobody notices.
const CALLS_MIN: f64 = 15.0;
/// From what is asked about to where it begins; a circle is gone round half as often.
const HOPS_MAX: usize = 64;
/// From a queue to whoever takes what it passes on.
const PASSED_ON_MAX: usize = 4;
/// A smaller part of what is left in a circle is none.
const SHARE_MIN: f64 = 0.01;
const CAUSES_MAX: usize = 10;

#[cfg(test)]
mod tests;
