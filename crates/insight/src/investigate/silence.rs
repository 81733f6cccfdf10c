//! What is not called any more, and who stopped calling it.

use std::collections::BTreeMap;
use std::ops::Range;

use throughline_telemetry::UnixNanos;

use super::{Found, Suspect, stretch};
use crate::detect::{Node, Subject};
use crate::facts::{Did, Facts, Failing, Frame, STEP};
use crate::question::Symptom;
use crate::rootcause::Evidence;
use crate::statistics::median;

/// Whether a node that was called all the time is not called for two steps and more, and which of its callers that
/// is due to. Of a caller that is silent itself its own callers are asked.
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
    let sums = Sums {
        normal: by_caller(facts, &frame.normal),
        now: by_caller(facts, &(onset..until)),
        minutes: [&frame.normal, &(onset..until)].map(|times| facts.minutes(times)),
    };
    let causes = sums.causes(facts, node, frame, &(onset..until));
    let explained: f64 = causes.iter().map(|cause| cause.share).sum();
    let after = steps.iter().map(|at| series.now[*at].count).sum::<f64>() / steps.len() as f64;
    let step_minutes = STEP.as_secs_f64() / 60.0;
    Some(Found {
        confirmed: Evidence {
            before: usual / step_minutes,
            after: after / step_minutes,
            // Counts of what comes by chance vary by their root.
            z: (usual - after) / usual.sqrt(),
            calls: usual * steps.len() as f64,
        },
        began_before: onset <= frame.now.start,
        onset,
        until,
        causes,
        beside: Vec::new(),
        ruled_out: Vec::new(),
        unexplained: (1.0 - explained).max(0.0),
        load: after / usual,
        cost_why: Vec::new(),
    })
}

/// Calls of each node by each of its callers.
type ByCaller<'a> = BTreeMap<&'a Node, BTreeMap<&'a Node, Did>>;

struct Sums<'a> {
    normal: ByCaller<'a>,
    now: ByCaller<'a>,
    minutes: [f64; 2],
}

impl<'a> Sums<'a> {
    #[allow(clippy::cast_precision_loss)] // calls of hours
    fn rates(&self, node: &Node, caller: &Node) -> (f64, f64) {
        let count = |sums: &ByCaller<'_>| {
            let did = sums.get(node).and_then(|callers| callers.get(caller));
            did.map_or(0.0, |did| did.counts.count as f64)
        };
        (
            count(&self.normal) / self.minutes[0],
            count(&self.now) / self.minutes[1],
        )
    }

    /// Who stopped calling, those that called most first.
    fn causes(
        &self,
        facts: &Facts,
        node: &'a Node,
        frame: &Frame,
        silent: &Range<UnixNanos>,
    ) -> Vec<Suspect> {
        let mut causes = Vec::new();
        let mut open = vec![(vec![node], 1.0)];
        while let Some((path, share)) = open.pop() {
            let at = path[path.len() - 1];
            let callers = self.normal.get(at).into_iter().flatten();
            let missing: Vec<(&Node, f64)> = callers
                .map(|(caller, _)| {
                    let (before, after) = self.rates(at, caller);
                    (*caller, (before - after).max(0.0))
                })
                .filter(|(caller, missing)| *missing > 0.0 && !path.contains(caller))
                .collect();
            let all: f64 = missing.iter().map(|(_, missing)| missing).sum();
            let stopped = path.len() > 1;
            if (missing.is_empty() || path.len() > PATH_MAX) && stopped {
                causes.push(self.suspect(facts, &path, share, frame, silent));
                continue;
            }
            for (caller, part) in missing {
                let mut path = path.clone();
                path.push(caller);
                let share = share * part / all;
                match is_silent(facts, caller, frame, silent) {
                    true => open.push((path, share)),
                    false => causes.push(self.suspect(facts, &path, share, frame, silent)),
                }
            }
        }
        causes.sort_by(|a, b| b.share.total_cmp(&a.share));
        causes.truncate(CAUSES_MAX);
        causes
    }

    fn suspect(
        &self,
        facts: &Facts,
        path: &[&Node],
        share: f64,
        frame: &Frame,
        silent: &Range<UnixNanos>,
    ) -> Suspect {
        let node = path[path.len() - 1];
        // Of one that goes on by itself, how often it calls the next one.
        let (before, after) = match path {
            [.., to, _] if !is_silent(facts, node, frame, silent) => self.rates(to, node),
            _ => own(facts, node, frame, silent),
        };
        Suspect {
            node: node.clone(),
            symptom: Symptom::Silent,
            share,
            evidence: Evidence {
                before,
                after,
                z: (before - after) / before.max(1.0).sqrt(),
                calls: before * self.minutes[1],
            },
            path: path.iter().map(|node| (*node).clone()).collect(),
        }
    }
}

fn is_silent(facts: &Facts, node: &Node, frame: &Frame, silent: &Range<UnixNanos>) -> bool {
    let (before, after) = own(facts, node, frame, silent);
    before > 0.0 && after <= before * SILENT_PART
}

/// Calls a minute, when all was well and now.
#[allow(clippy::cast_precision_loss)] // calls of hours
fn own(facts: &Facts, node: &Node, frame: &Frame, silent: &Range<UnixNanos>) -> (f64, f64) {
    let subject = Subject::Node(node.clone());
    let count = |times: &Range<UnixNanos>| {
        let of = facts.between(times).filter(|((_, it), _)| *it == subject);
        of.map(|(_, did)| did.counts.count as f64).sum::<f64>() / facts.minutes(times)
    };
    (count(&frame.normal), count(silent))
}

fn by_caller<'a>(facts: &'a Facts, times: &Range<UnixNanos>) -> ByCaller<'a> {
    let mut sums: ByCaller<'a> = BTreeMap::new();
    for ((_, subject), did) in facts.between(times) {
        if let Subject::Edge(from, to, _) = subject {
            let callers = sums.entry(to).or_default();
            callers.entry(from).or_default().add(did);
        }
    }
    sums
}

/// At most a twentieth of what came is nothing.
const SILENT_PART: f64 = 0.05;
/// Calls that should have come, or nobody notices.
const CALLS_MIN: f64 = 15.0;
const PATH_MAX: usize = 8;
const CAUSES_MAX: usize = 10;
