//! `make bench-insight`: how good and how quick the analysis is. Writes `target/bench/insight.json`, or the file that
//! is named, and prints the same. Names of parts behind it leave out the others, whose figures stay as they were measured:
//! `make bench-insight PARTS='watch quota'`.

#![allow(clippy::unwrap_used)] // whoever measures wants to see why it cannot
#![allow(clippy::disallowed_methods)] // the clock is what this is about
#![allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss
)] // counts of an experiment

mod evaluated;
mod graph;
mod incidents;
mod mouth;
mod planted;
mod quota;
mod town;
mod watch;

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use serde_json::{Value, json};
use throughline_insight::Contrast;
use throughline_insight::contrast::Limits;

use planted::{Event, Planted, differences};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.first().is_some_and(|first| first == quota::WORK) {
        quota::work(&arguments[1..]);
        return;
    }
    let (file, wanted): (&str, &[String]) = match arguments.split_first() {
        Some((file, wanted)) => (file.as_str(), wanted),
        None => ("target/bench/insight.json", &[]),
    };
    let is_wanted = |part: &str| wanted.is_empty() || wanted.iter().any(|it| it == part);
    let parts = PARTS.into_iter().filter(|(part, _)| is_wanted(part));
    let measured: Vec<Value> = parts.flat_map(|(_, measure)| measure()).collect();
    let how = json!({
        "commit": output("git", &["rev-parse", "--short", "HEAD"]),
        "date": output("date", &["-u", "+%Y-%m-%dT%H:%M:%SZ"]),
        "profile": if cfg!(debug_assertions) { "dev" } else { "release" },
        "machine": machine(),
    });
    let file = Path::new(file);
    let mut figures = before(file, &measured);
    for figure in &measured {
        let mut figure = figure.clone();
        figure["measured"] = how.clone();
        figures.push(figure);
    }
    let document = json!({"bench": "insight", "figures": figures});
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(file, format!("{document:#}\n")).unwrap();
    for figure in &measured {
        let text = |key: &str| figure[key].as_str().unwrap_or_default().to_owned();
        let met = figure["met"]
            .as_bool()
            .map_or("", |met| if met { ": met" } else { ": MISSED" });
        let goal = format!("{}{met}", text("goal"));
        let (name, value) = (text("name"), figure["value"].as_f64().unwrap_or_default());
        println!(
            "{name:<34} {value:>12.3} {:<10} {goal:<18} {}",
            text("unit"),
            text("note")
        );
    }
    println!("\nwritten to {}", file.display());
}

/// The figures of an earlier run that are not measured anew.
fn before(file: &Path, measured: &[Value]) -> Vec<Value> {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let known: Value = serde_json::from_str(&text).unwrap_or_default();
    let known = known["figures"].as_array().cloned().unwrap_or_default();
    let is_anew = |it: &Value| measured.iter().any(|figure| figure["name"] == it["name"]);
    let is_kept = |it: &Value| it["measured"].is_object() && !is_anew(it);
    known.into_iter().filter(is_kept).collect()
}

type Measure = fn() -> Vec<Value>;

/// `quota` and `recorded` take half an hour each, `petshop` a quarter, the others some minutes together.
const PARTS: [(&str, Measure); 7] = [
    ("contrast", contrast),
    ("graph", graph::figures),
    ("watch", watch::figures),
    ("incidents", incidents::figures),
    ("petshop", evaluated::petshop),
    ("recorded", evaluated::recorded),
    ("quota", quota::figures),
];

fn contrast() -> Vec<Value> {
    let mut first = 0;
    let mut missed = Vec::new();
    for seed in 1_000..1_000 + CASES {
        let planted = Planted::new(seed);
        let found = differences(&planted.events(4_000), Limits::default()).found;
        let is = found
            .first()
            .is_some_and(|found| planted.is(&found.conditions));
        first += u64::from(is);
        if !is {
            missed.push(format!("{seed} ({:?})", planted.kind));
        }
    }
    let events = Planted::new(3).events(100_000);
    let mut rates: Vec<(f64, f64)> = (0..5).map(|_| rate(&events)).collect();
    rates.sort_by(|a, b| a.1.total_cmp(&b.1));
    let (by_clock, by_cpu) = rates[2];
    let attributes = events.iter().map(|event| event.1.len()).sum::<usize>() / events.len();
    let note = format!("500 seeded cases of 4,000 events, 13 to 26 attributes; missed: {missed:?}");
    vec![
        figure(
            "contrast.first",
            first as f64 / CASES as f64,
            "share",
            (">= 1", first == CASES),
            &note,
        ),
        figure(
            "contrast.rate",
            by_cpu / 1e6,
            "M events/s",
            (">= 10", by_cpu >= 10e6),
            &format!(
                "10 million events of {attributes} attributes with the ranking, a second of one core, median of 5 ({:.1} to \
                 {:.1}); {:.1} by the clock; at most 25,000 of each side are compared",
                rates[0].1 / 1e6,
                rates[4].1 / 1e6,
                by_clock / 1e6
            ),
        ),
    ]
}

/// Events a second, from the first one to the answer: by the clock, and by the processor's time, which is less
/// where others use it too.
fn rate(events: &[Event]) -> (f64, f64) {
    let (begun, worked) = (Instant::now(), worked());
    let mut contrast = Contrast::new(Limits::default());
    for (side, attributes) in events.iter().cycle().take(EVENTS) {
        contrast.event(*side, || {
            attributes
                .iter()
                .map(|(key, value)| (key.as_str(), value.given()))
        });
    }
    let found = contrast.finish();
    assert!(!found.found.is_empty());
    let worked = self::worked() - worked;
    let count = EVENTS as f64;
    (count / begun.elapsed().as_secs_f64(), count / worked)
}

/// Seconds for which the kernel let this thread run.
fn worked() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    text.split(' ').next().unwrap().parse::<f64>().unwrap() / 1e9
}

fn figure(name: &str, value: f64, unit: &str, (goal, met): (&str, bool), note: &str) -> Value {
    json!({"name": name, "value": value, "unit": unit, "goal": goal, "met": met, "note": note})
}

fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().unwrap_or_default();
    format!(
        "{cores} cores, Linux {}, load {load}",
        output("uname", &["-r"])
    )
}

fn output(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    text.unwrap_or_default()
}

const CASES: u64 = 500;
const EVENTS: usize = 10_000_000;
