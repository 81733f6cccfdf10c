//! The numbers go straight into the analysis.

use std::time::Instant;

use throughline_insight::rootcause::{Scene, Symptom, explain, symptoms};

use super::petshop::Scenario;
use super::score::{Answer, SPLITS, Scores, WINDOW, a_day, ratio};

pub(super) fn of(scenario: &Scenario) -> Scores {
    let mut scores = Scores::new(&scenario.name);
    scores.false_windows_a_day = false_windows_a_day(scenario);
    for incident in &scenario.incidents {
        let scene = scenario.scene(incident);
        let unlike = symptoms(&scene).into_iter();
        let unlike = unlike.map(|(at, _)| scene.nodes[at].name.clone()).collect();
        let begun = moment();
        let causes = explained(&scene, &incident.target, incident.symptom).unwrap_or_default();
        let answer = Answer {
            causes,
            took: begun.elapsed(),
            unlike,
        };
        scores.count(incident, &answer);
    }
    for (target, symptom) in scenario.targets() {
        for split in SPLITS {
            let scene = scenario.quiet(split, split, 1.0);
            let is_quiet = explained(&scene, target, symptom).is_none();
            scores.count_quiet(symptom, is_quiet);
        }
    }
    scores
}

/// The causes by name; `None` if there is no symptom.
fn explained(scene: &Scene, target: &str, symptom: Symptom) -> Option<Vec<String>> {
    let node = scene.nodes.iter().position(|node| node.name == target)?;
    let found = explain(scene, node, symptom)?;
    Some(found.causes.into_iter().map(|cause| cause.node).collect())
}

/// In how many windows of the second half of the quiet time any component seems unlike itself in the first.
fn false_windows_a_day(scenario: &Scenario) -> f64 {
    let steps = scenario.normal_steps();
    let (from, windows) = (steps / 2, steps / 2 / WINDOW);
    let part = |step: usize| ratio(step, steps);
    let is_false = |window: &usize| {
        let first = from + window * WINDOW;
        !symptoms(&scenario.quiet(0.5, part(first), part(first + WINDOW))).is_empty()
    };
    a_day((0..windows).filter(is_false).count(), windows)
}

#[allow(clippy::disallowed_methods)] // it measures
fn moment() -> Instant {
    Instant::now()
}
