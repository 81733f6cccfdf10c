//! How often the cause that is known is named, and how often one where there is none.

use std::time::Instant;

use serde_json::{Value, json};
use throughline_insight::rootcause::{Scene, Symptom, explain, symptoms};

use super::petshop::{Incident, Scenario};

/// What came of one scenario.
pub(super) struct Scores {
    pub(super) scenario: String,
    pub(super) rows: Vec<Row>,
    /// Incidents in which any component is unlike itself.
    pub(super) seen: usize,
    pub(super) false_windows_a_day: f64,
    pub(super) investigation_ms: f64,
    /// Incidents whose cause did not come first, and what did.
    pub(super) missed: Vec<String>,
}

/// What came of one symptom.
pub(super) struct Row {
    pub(super) symptom: Symptom,
    pub(super) incidents: usize,
    first: usize,
    third: usize,
    /// Of the quiet times, those in which nothing was said.
    quiet: [usize; 2],
}

impl Row {
    pub(super) fn recall_at_1(&self) -> f64 {
        ratio(self.first, self.incidents)
    }

    pub(super) fn recall_at_3(&self) -> f64 {
        ratio(self.third, self.incidents)
    }

    pub(super) fn specificity(&self) -> f64 {
        ratio(self.quiet[0], self.quiet[1])
    }
}

impl Scores {
    pub(super) fn incidents(&self) -> usize {
        self.rows.iter().map(|row| row.incidents).sum()
    }

    pub(super) fn to_json(&self) -> Value {
        let rows = self.rows.iter().map(|row| {
            json!({
                "symptom": name(row.symptom), "incidents": row.incidents, "recall_at_1": row.recall_at_1(),
                "recall_at_3": row.recall_at_3(), "specificity": row.specificity(),
            })
        });
        json!({
            "scenario": self.scenario, "symptoms": rows.collect::<Vec<_>>(), "missed": self.missed,
            "hit_rate": ratio(self.seen, self.incidents()), "false_windows_a_day": self.false_windows_a_day,
            "investigation_ms": self.investigation_ms,
        })
    }
}

pub(super) fn of(scenario: &Scenario) -> Scores {
    let mut scores = Scores {
        scenario: scenario.name.clone(),
        rows: Vec::new(),
        seen: 0,
        false_windows_a_day: false_windows_a_day(scenario),
        investigation_ms: 0.0,
        missed: Vec::new(),
    };
    let mut took_ms = 0.0;
    for symptom in [Symptom::Slow, Symptom::Failing] {
        let incidents = scenario
            .incidents
            .iter()
            .filter(|incident| incident.symptom == symptom);
        let mut row = Row {
            symptom,
            incidents: 0,
            first: 0,
            third: 0,
            quiet: [0, 0],
        };
        let mut targets: Vec<&str> = Vec::new();
        for incident in incidents {
            let scene = scenario.scene(incident);
            let (rank, first, ms) = rank(&scene, incident);
            took_ms += ms;
            row.incidents += 1;
            row.first += usize::from(rank == Some(0));
            row.third += usize::from(rank.is_some_and(|rank| rank < 3));
            scores.seen += usize::from(!symptoms(&scene).is_empty());
            if rank != Some(0) {
                let found = match (rank, first) {
                    (Some(rank), _) => format!("its cause comes in place {}", rank + 1),
                    (None, Some(first)) => {
                        format!("its cause is not among them, the first is {first}")
                    }
                    (None, None) => "nothing was found".to_owned(),
                };
                let (incident, symptom) = (&incident.name, name(symptom));
                scores
                    .missed
                    .push(format!("{incident} ({symptom}): {found}"));
            }
            if !targets.contains(&incident.target.as_str()) {
                targets.push(&incident.target);
            }
        }
        for target in targets {
            for split in SPLITS {
                let scene = scenario.quiet(split, split, 1.0);
                row.quiet[0] += usize::from(explained(&scene, target, symptom).is_none());
                row.quiet[1] += 1;
            }
        }
        scores.rows.push(row);
    }
    scores.investigation_ms = took_ms / f64::max(1.0, count(scores.incidents()));
    scores
}

/// At which place the cause is, what is at the first, and how long that took in milliseconds.
#[allow(clippy::disallowed_methods)] // it measures
fn rank(scene: &Scene, incident: &Incident) -> (Option<usize>, Option<String>, f64) {
    let begun = Instant::now();
    let causes = explained(scene, &incident.target, incident.symptom).unwrap_or_default();
    let took_ms = begun.elapsed().as_secs_f64() * 1e3;
    let rank = causes.iter().position(|cause| *cause == incident.label);
    (rank, causes.into_iter().next(), took_ms)
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
    let found = (0..windows).filter(is_false).count();
    count(found) / (count(windows * WINDOW) / STEPS_A_DAY)
}

pub(super) fn name(symptom: Symptom) -> &'static str {
    match symptom {
        Symptom::Slow => "latency",
        Symptom::Failing => "availability",
    }
}

fn ratio(part: usize, of: usize) -> f64 {
    if of == 0 {
        0.0
    } else {
        count(part) / count(of)
    }
}

#[allow(clippy::cast_precision_loss)] // some hundreds
fn count(number: usize) -> f64 {
    number as f64
}

/// Where the quiet time is split: what follows is taken for an incident.
const SPLITS: [f64; 5] = [0.5, 0.6, 0.7, 0.8, 0.9];
/// Steps of an incident.
const WINDOW: usize = 5;
/// Of five minutes.
const STEPS_A_DAY: f64 = 288.0;
