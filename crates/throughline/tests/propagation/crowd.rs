//! A thousand user actions at once, by a queue whose batches mix them and by a topic: no trace has anything of another.
//!
//! Nobody waits for an action before the next one is begun: each is an asynchronous call, that stands in line for an
//! environment. Messages to the queue are kept back by it for a while, so that every action has begun before the
//! first one can be over, which the test looks at.

mod overlap;

use std::collections::{BTreeMap, BTreeSet};
use std::time::SystemTime;

use futures_util::StreamExt;
use futures_util::stream;
use serde_json::{Value, json};

use crate::media::{cell, cells_in};
use crate::world::{Got, World, texts};

pub(crate) async fn run() -> Vec<String> {
    let Some(mut world) = World::start(true).await else {
        return Vec::new();
    };
    let sending = stream::iter(0..ACTIONS).map(|number| {
        let world = &world;
        async move {
            let (from, cell) = action(number);
            let event = json!({"send": "crowd", "cell": cell, "password": "none"});
            let function = format!("from-{from}");
            world
                .send_later(&function, &event, &trace_of(number))
                .await?;
            Ok(SystemTime::now())
        }
    });
    let sent = sending
        .buffer_unordered(CALLS_MAX)
        .collect::<Vec<_>>()
        .await;
    let (begun, failed): (Vec<_>, Vec<_>) = sent.into_iter().partition(Result::is_ok);
    let mut problems: Vec<_> = failed.into_iter().filter_map(Result::err).collect();
    // A queue may give a message twice.
    let distinct = |got: &[Got]| {
        let told = got
            .iter()
            .flat_map(|got| got.cells.iter().map(|cell| (&got.function, cell)));
        told.collect::<BTreeSet<_>>().len()
    };
    let got = world.got_when(|got| distinct(got) >= 2 * ACTIONS).await;
    world.end_sandbox();
    if distinct(&got) != 2 * ACTIONS {
        problems.push(format!(
            "{} of {} messages came",
            distinct(&got),
            2 * ACTIONS
        ));
    }

    let spans = world.all("spans").await;
    let logs = world.all("logs").await;
    let mut by_request = BTreeMap::new();
    for span in &spans {
        if let Some(request) = span["attributes"]["faas.invocation_id"].as_str()
            && span["attributes"]["throughline.link.in"].is_array()
        {
            by_request.insert(request, span);
        }
    }
    let mixed = got.iter().filter(|got| got.cells.len() > 1).count();
    let first_over = overlap::first_over(&got, &by_request);
    let begun = begun.into_iter().filter_map(Result::ok);
    let open = begun
        .filter(|begun| first_over.is_some_and(|over| *begun < over))
        .count();
    if open != ACTIONS {
        problems.push(format!(
            "{open} of {ACTIONS} actions had begun when the first was over"
        ));
    }
    println!(
        "    {open} actions begun before the first was over, up to {} invocations at work at once",
        overlap::at_work(&spans)
    );
    println!(
        "    {} invocations got messages, {mixed} of them of several actions",
        got.len()
    );
    problems.extend(got.iter().filter_map(|got| {
        let wrong = match by_request.get(got.request_id.as_str()) {
            Some(span) => stranger(span, got)?,
            None => "it has no span".to_owned(),
        };
        Some(format!("{} {}: {wrong}", got.function, got.request_id))
    }));
    problems.extend(told(&logs));
    problems.extend(keys(&spans));
    problems.truncate(PROBLEMS_MAX);
    problems
}

/// What an invocation's span says that is not of the actions whose messages it got.
fn stranger(span: &Value, got: &Got) -> Option<String> {
    let wanted: BTreeSet<_> = got
        .cells
        .iter()
        .filter_map(|cell| trace_of_cell(cell))
        .collect();
    let links = span["links"].as_array().into_iter().flatten();
    let linked: BTreeSet<_> = links
        .filter_map(|link| link["trace_id"].as_str())
        .map(str::to_owned)
        .collect();
    let trace = span["trace_id"].as_str().unwrap_or_default();
    if !linked.is_empty() && linked != wanted {
        return Some(format!("linked to {linked:?}, got {wanted:?}"));
    }
    match wanted.len() {
        1 => (!wanted.contains(trace)).then(|| format!("in {trace}, got {wanted:?}")),
        _ if linked.is_empty() => Some("no links".to_owned()),
        _ => trace
            .starts_with(TRACES)
            .then(|| format!("a batch of several in {trace}")),
    }
}

/// Actions whose trace lacks a line of their own, or has one of another.
fn told(logs: &[Value]) -> Vec<String> {
    let mut by_trace: BTreeMap<_, (BTreeSet<String>, usize)> = BTreeMap::new();
    for log in logs {
        let Some(trace) = log["trace_id"]
            .as_str()
            .filter(|trace| trace.starts_with(TRACES))
        else {
            continue;
        };
        let text = match &log["body"] {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let cells = cells_in(&text);
        let entry = by_trace.entry(trace.to_owned()).or_default();
        entry.1 += usize::from(!cells.is_empty());
        entry.0.extend(cells);
    }
    let wrong = (0..ACTIONS).filter_map(|number| {
        let (_, cell) = action(number);
        let none = Default::default();
        let (cells, lines) = by_trace.get(&trace_of(number)).unwrap_or(&none);
        // Who sends says so, and who hears of it by the topic.
        let is_its = *cells == BTreeSet::from([cell.clone()]) && *lines >= 2;
        (!is_its).then(|| format!("the trace of {cell} has {lines} lines, of {cells:?}"))
    });
    wrong.collect()
}

/// Keys that two actions have in common, or that nobody got.
fn keys(spans: &[Value]) -> Vec<String> {
    let (mut sent, mut problems) = (BTreeMap::new(), Vec::new());
    let came: BTreeSet<_> = spans
        .iter()
        .flat_map(|span| texts(span, "throughline.link.in"))
        .collect();
    for span in spans {
        let Some(trace) = span["trace_id"]
            .as_str()
            .filter(|trace| trace.starts_with(TRACES))
        else {
            continue;
        };
        for key in texts(span, "throughline.link.out") {
            let exact = ["sqs:", "sns:"].iter().any(|kind| key.starts_with(kind));
            if exact && !came.contains(&key) {
                problems.push(format!("nobody got {key}"));
            }
            match sent.insert(key.clone(), trace) {
                Some(other) if other != trace => {
                    problems.push(format!("{key} is of {trace} and {other}"))
                }
                _ => {}
            }
        }
    }
    problems
}

/// Who sends it, and what the message says of itself.
fn action(number: usize) -> (&'static str, String) {
    let from = ["node", "python"][number % 2];
    (from, format!("{}.{number}", cell("crowd", from)))
}

fn trace_of(number: usize) -> String {
    format!("{TRACES}{number:024x}")
}

fn trace_of_cell(cell: &str) -> Option<String> {
    let (_, number) = cell.rsplit_once('.')?;
    Some(trace_of(number.parse().ok()?))
}

const ACTIONS: usize = 1000;
/// Calls that are on their way to the sandbox at a time. It takes an asynchronous one at once.
const CALLS_MAX: usize = 64;
/// How the traces of actions begin.
const TRACES: &str = "6720c000";
/// Enough to see what is wrong.
const PROBLEMS_MAX: usize = 20;
