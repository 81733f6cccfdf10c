//! The numbers go the way that telemetry goes: spans to a server of their own, questions to its API.
//!
//! Each scenario has a server with an empty folder. It gets the time when all was well, row after row, and its clock
//! goes with them, so that what it watches it watches as it would have then. Each incident is sent to a server with a
//! copy of that folder, as if it followed at once. What is read are answers of the API.

use std::fs;
use std::path::Path;

use anyhow::{Context, ensure};
use serde_json::{Value, json};
use throughline_insight::rootcause::Symptom;
use throughline_telemetry::UnixNanos;
use throughline_telemetry::wire::{self, Request};

use super::petshop::{Incident, Metrics, Scenario, place, steps_of};
use super::running::{self, COMPLETE, Running, copied, opened_at};
use super::score::{Answer, SPLITS, Scores, WINDOW, a_day};
use super::spans::{STEP, Sender};
use crate::progress::Line;

/// Puts everything into this folder and takes it away again.
pub(super) async fn of(
    scenario: &Scenario,
    folder: &Path,
    line: &mut Line,
) -> anyhow::Result<Scores> {
    let name = &scenario.name;
    is_small_enough(scenario)?;
    let mut scores = Scores::new(name);
    let quiet = folder.join("quiet");
    let server = Running::start(&quiet, BEGIN).await?;
    let mut sender = Sender::new(&scenario.calls, &[&scenario.normal]);
    let steps = scenario.normal_steps();
    for step in 0..steps {
        scores.spans += send(&server, &mut sender, &scenario.normal, step, step).await?;
        server.set_clock(at(step + 1));
        let sent = scores.spans;
        line.show(|| {
            format!("{name}: step {step} of {steps} in which all was well, {sent} spans sent")
        });
    }
    server.set_clock(at(steps).plus(COMPLETE));
    line.show(|| format!("{name}: what is unusual is looked for"));
    server.until_watched().await?;
    let opened = server.opened(at(steps / 2)).await?;
    scores.false_windows_a_day = false_windows_a_day(steps, &opened);
    for (target, symptom) in scenario.targets() {
        for split in SPLITS {
            line.show(|| format!("{name}: {target} is asked about where all was well"));
            let times = (at(place(split, steps)), at(steps));
            let answer = ask(&server, target, symptom, times).await?;
            scores.count_quiet(symptom, answer["state"] != "found");
        }
    }
    server.stop().await?;
    for incident in &scenario.incidents {
        line.show(|| format!("{name}: {} is replayed and asked about", incident.name));
        let copy = folder.join("incident");
        copied(&quiet, &copy)?;
        let (answer, spans) = replay(scenario, incident, &copy).await?;
        scores.spans += spans;
        scores.count(incident, &answer);
        fs::remove_dir_all(&copy).with_context(|| format!("cannot delete {}", copy.display()))?;
    }
    fs::remove_dir_all(&quiet).with_context(|| format!("cannot delete {}", quiet.display()))?;
    Ok(scores)
}

/// What a server that has known the quiet time says of an incident that follows it, and how many spans that took.
async fn replay(
    scenario: &Scenario,
    incident: &Incident,
    data: &Path,
) -> anyhow::Result<(Answer, u64)> {
    let (begin, steps) = (scenario.normal_steps(), steps_of(&incident.metrics));
    let times = (at(begin), at(begin + steps));
    let server = Running::start(data, times.0.plus(COMPLETE)).await?;
    let mut sender = Sender::new(&scenario.calls, &[&scenario.normal, &incident.metrics]);
    let mut spans = 0;
    for step in 0..steps {
        spans += send(&server, &mut sender, &incident.metrics, step, begin + step).await?;
    }
    server.set_clock(times.1.plus(COMPLETE));
    let begun = running::moment();
    let found = ask(&server, &incident.target, incident.symptom, times).await?;
    let took = begun.elapsed();
    server.until_watched().await?;
    let opened = server.opened(times.0).await?;
    server.stop().await?;
    let names = |nodes: &Value| -> Vec<String> {
        let nodes = nodes.as_array().into_iter().flatten();
        nodes.filter_map(node_name).collect()
    };
    let causes = found["causes"].as_array().into_iter().flatten();
    let answer = Answer {
        causes: causes
            .filter_map(|cause| node_name(&cause["node"]))
            .collect(),
        took,
        unlike: opened.iter().flat_map(|it| names(&it["nodes"])).collect(),
    };
    Ok((answer, spans))
}

/// Sends a step of the metrics as what happened in a step of the replay, and says how many spans that were.
async fn send(
    server: &Running,
    sender: &mut Sender,
    metrics: &Metrics,
    step: usize,
    of_replay: usize,
) -> anyhow::Result<u64> {
    let spans = sender.spans(metrics, step, at(of_replay));
    for some in spans.chunks(SPANS_A_REQUEST) {
        let told = Request::Traces(wire::traces_request(some));
        server.send(&told).await?;
    }
    Ok(spans.len() as u64)
}

async fn ask(
    server: &Running,
    target: &str,
    symptom: Symptom,
    (from, to): (UnixNanos, UnixNanos),
) -> anyhow::Result<Value> {
    let symptom = match symptom {
        Symptom::Slow => "slow",
        Symptom::Failing => "error",
    };
    let question = json!({
        "node": format!("{NODE}{target}"), "symptom": symptom,
        "from": from.0.to_string(), "to": to.0.to_string(),
    });
    server.ask("/api/v1/investigations", &question).await
}

/// In how many windows of the second half of the quiet time an incident was opened.
fn false_windows_a_day(steps: usize, opened: &[Value]) -> f64 {
    let (from, windows) = (steps / 2, steps / 2 / WINDOW);
    let window = |number: usize| at(from + number * WINDOW)..at(from + (number + 1) * WINDOW);
    let is_false = |number: &usize| {
        let window = window(*number);
        opened.iter().any(|it| window.contains(&opened_at(it)))
    };
    a_day((0..windows).filter(is_false).count(), windows)
}

/// A component, by the node that it is for the server.
fn node_name(node: &Value) -> Option<String> {
    node.as_str()?.strip_prefix(NODE).map(str::to_owned)
}

fn is_small_enough(scenario: &Scenario) -> anyhow::Result<()> {
    let calls = |metrics: &Metrics| -> f64 {
        let steps = metrics.values().flatten();
        steps.map(|it| it.step.count).sum()
    };
    let incidents = scenario.incidents.iter().map(|it| &it.metrics);
    let most = incidents.map(calls).fold(calls(&scenario.normal), f64::max);
    ensure!(
        most <= CALLS_MAX,
        "{} has {most} calls, each of which would be a span; at most {CALLS_MAX} are sent: see --direct",
        scenario.name
    );
    Ok(())
}

/// When a step of the replay begins.
fn at(step: usize) -> UnixNanos {
    let steps = u32::try_from(step).unwrap_or(u32::MAX);
    BEGIN.plus(STEP.saturating_mul(steps))
}

/// 2023-09-05T14:00:00Z. What is replayed begins at any time.
const BEGIN: UnixNanos = UnixNanos(1_693_922_400 * 1_000_000_000);
/// Each component is a service.
const NODE: &str = "service:";
const SPANS_A_REQUEST: usize = 20_000;
/// Of the quiet time, and of each incident: what fits into one or two GB of disk.
const CALLS_MAX: f64 = 20e6;
