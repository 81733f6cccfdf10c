//! What the detector finds in towns where something goes wrong, and in towns where nothing does.

use fastrand::Rng;
use serde_json::{Value, json};
use throughline_insight::detect::{Counts, Detector, Subject, Update};
use throughline_telemetry::{Histogram, HistogramSum, UnixNanos};

use crate::town::{Plan, Town, Trouble};
use crate::{figure, worked};

/// A Monday.
const START: u64 = 20_000 * DAY;
const DAY: u64 = 1440;
const FUNCTIONS: usize = 6;
const CALLS_A_MINUTE: f64 = 100.0;
const QUIET_TOWNS: u64 = 10;
const QUIET_WEEKS: u64 = 2;
const TROUBLED_TOWNS: u64 = 20;
/// Functions whose minutes are timed.
const WATCHED: usize = 1000;

pub(crate) fn figures() -> Vec<Value> {
    let mut figures = quiet();
    figures.extend(troubled());
    figures.extend(cost());
    figures
}

fn at(minute: u64) -> UnixNanos {
    UnixNanos(minute * 60_000_000_000)
}

fn known(seed: u64, until: u64) -> (Town, Detector) {
    let mut town = Town::new(seed, FUNCTIONS, CALLS_A_MINUTE);
    let mut detector = Detector::default();
    town.settle(&mut detector);
    for minute in START..until {
        town.minute(minute, &mut detector, None);
        detector.learn(at(minute + 1));
    }
    (town, detector)
}

/// Weeks in which nothing goes wrong.
fn quiet() -> Vec<Value> {
    let mut told = Vec::new();
    let mut weeks = Vec::new();
    for seed in 0..QUIET_TOWNS {
        let (mut town, mut detector) = known(seed, START + 8 * DAY);
        for week in 0..QUIET_WEEKS {
            let mut opened = 0;
            let begins = START + (8 + 7 * week) * DAY;
            for minute in begins..begins + 7 * DAY {
                town.minute(minute, &mut detector, None);
                let updates = detector.tick(at(minute + 1));
                opened += updates
                    .iter()
                    .filter(|update| matches!(update, Update::Opened(_)))
                    .count();
            }
            weeks.push(opened);
        }
        for incident in detector.incidents() {
            let first = &incident.findings[0].finding;
            told.push(format!(
                "town {seed}: {:?} of {:?}",
                first.kind, first.subject
            ));
        }
    }
    let count = weeks.len() as f64;
    let sum: usize = weeks.iter().sum();
    let most = weeks.iter().max().copied().unwrap_or(0);
    let note =
        format!("{count} weeks of {FUNCTIONS} functions with 11 edges, drift and bursts: {told:?}");
    let mean = sum as f64 / count;
    vec![
        figure(
            "detect.false_a_week",
            mean,
            "incidents",
            ("<= 1", mean <= 1.0),
            &note,
        ),
        figure(
            "detect.false_worst_week",
            most as f64,
            "incidents",
            ("<= 1", most <= 1),
            "",
        ),
    ]
}

/// Something goes wrong for 40 minutes (what costs more, for two hours), at any time of any day.
fn troubled() -> Vec<Value> {
    let mut minutes = Vec::new();
    let mut missed = Vec::new();
    let mut others = 0;
    for seed in 100..100 + TROUBLED_TOWNS {
        let mut random = Rng::with_seed(seed);
        let begins = START + 8 * DAY + random.u64(..7 * DAY);
        let (town, learned) = known(seed, begins - 10);
        for trouble in Trouble::ALL {
            let plan = Plan {
                trouble,
                function: random.usize(..FUNCTIONS),
                strength: random.f64(),
            };
            let lasts = if trouble == Trouble::Cost { 120 } else { 40 };
            let (mut town, mut detector) = (town.clone(), learned.clone());
            let mut found = None;
            for minute in begins - 10..begins + lasts {
                town.minute(minute, &mut detector, (minute >= begins).then_some(plan));
                detector.tick(at(minute + 1));
                let node = town.node(plan.function);
                let mut all = detector
                    .incidents()
                    .iter()
                    .flat_map(|incident| &incident.findings);
                let is = all.any(|known| {
                    trouble.is(&known.finding.kind)
                        && known.finding.subject.nodes().any(|of| of == node)
                });
                if is && found.is_none() {
                    found = Some(minute + 1 - begins);
                }
            }
            others += detector.incidents().len().saturating_sub(1);
            match found {
                Some(after) => minutes.push(after as f64),
                None => missed.push(format!("{trouble:?} {seed}")),
            }
        }
    }
    let count = (minutes.len() + missed.len()) as f64;
    minutes.sort_by(f64::total_cmp);
    let quantile = |part: f64| minutes[((minutes.len() - 1) as f64 * part) as usize];
    let hits = minutes.len() as f64 / count;
    let note = format!("{count} planted, 10 kinds, at any hour; missed: {missed:?}");
    let p90 = format!("90th percentile {}", quantile(0.9));
    vec![
        figure(
            "detect.hit_rate",
            hits,
            "share",
            (">= 0.95", hits >= 0.95),
            &note,
        ),
        figure("detect.minutes", quantile(0.5), "min", ("", true), &p90),
        figure(
            "detect.others",
            others as f64 / count,
            "incidents",
            ("", true),
            "besides that of the trouble",
        ),
    ]
}

/// A thousand functions with eight days of history.
/// What a minute of 1,000 functions takes: each with an operation and four calls of others.
fn cost() -> Vec<Value> {
    let mut detector = Detector::default();
    let mut histogram = Histogram::default();
    let mut random = Rng::with_seed(7);
    (0..50).for_each(|_| histogram.record(20.0 * (1.0 + 4.0 * random.f64())));
    let mut durations = HistogramSum::default();
    durations.add(&histogram.to_bytes());
    let counts = Counts {
        count: 50,
        durations,
        ..Counts::default()
    };
    let subjects: Vec<Subject> = (0..WATCHED).flat_map(subjects_of).collect();
    let take = |detector: &mut Detector, minute: u64| {
        let at = at(minute);
        subjects
            .iter()
            .for_each(|subject| detector.take(subject, at, &counts));
    };
    let end = START + 8 * DAY;
    for minute in (START..end).step_by(5) {
        take(&mut detector, minute);
        if minute % 60 == 0 {
            detector.learn(at(minute));
        }
    }
    let (mut taking, mut ticking) = (Vec::new(), Vec::new());
    for minute in end..end + 30 {
        let begun = worked();
        take(&mut detector, minute);
        let taken = worked();
        detector.tick(at(minute + 1));
        taking.push((taken - begun) * 1e3);
        ticking.push((worked() - taken) * 1e3);
    }
    let of = format!("{} subjects of {WATCHED} functions", detector.watched());
    let figure = |name: &str, mut took: Vec<f64>| {
        took.sort_by(f64::total_cmp);
        let note = format!("{of}; {:.1} to {:.1}", took[0], took[29]);
        json!({"name": name, "value": took[15], "unit": "ms", "note": note})
    };
    vec![
        figure("detect.take", taking),
        figure("detect.tick", ticking),
    ]
}

fn subjects_of(number: usize) -> Vec<Subject> {
    let function = format!("function:f{number}");
    let table = |nth: usize| format!("table:t{}", (number * 7 + nth) % WATCHED);
    let mut of = vec![
        Subject::Node(function.clone()),
        Subject::Operation(function.clone(), "handle".to_owned()),
    ];
    of.extend((0..4).map(|nth| Subject::Edge(function.clone(), table(nth), "PutItem".to_owned())));
    of
}
