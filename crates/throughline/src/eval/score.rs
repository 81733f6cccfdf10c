//! How often the cause that is known is named, and how often one where there is none.

use std::time::Duration;

use serde_json::{Value, json};
use throughline_insight::rootcause::Symptom;

use super::petshop::Incident;

/// What came of one scenario.
#[derive(Debug)]
pub(super) struct Scores {
    pub(super) scenario: String,
    pub(super) rows: [Row; 2],
    /// Incidents in which anything seems unlike itself.
    pub(super) seen: usize,
    /// Those of them in which what was asked about, or what it comes from, does.
    pub(super) seen_there: usize,
    pub(super) false_windows_a_day: f64,
    /// Incidents whose cause did not come first, and what did.
    pub(super) missed: Vec<String>,
    /// Spans that were sent for it; none where the numbers went the direct way.
    pub(super) spans: u64,
    took: Duration,
    slowest: Duration,
}

/// What came of one symptom.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) symptom: Symptom,
    pub(super) incidents: usize,
    first: usize,
    third: usize,
    /// Of the quiet times, those in which nothing was said.
    quiet: [usize; 2],
}

/// What was said of an incident.
pub(super) struct Answer {
    /// The components that it comes from, the most probable first.
    pub(super) causes: Vec<String>,
    pub(super) took: Duration,
    /// The components that seem unlike themselves, without being asked about.
    pub(super) unlike: Vec<String>,
}

impl Row {
    fn new(symptom: Symptom) -> Self {
        Row {
            symptom,
            incidents: 0,
            first: 0,
            third: 0,
            quiet: [0, 0],
        }
    }

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
    pub(super) fn new(scenario: &str) -> Self {
        Scores {
            scenario: scenario.to_owned(),
            rows: [Symptom::Slow, Symptom::Failing].map(Row::new),
            seen: 0,
            seen_there: 0,
            false_windows_a_day: 0.0,
            missed: Vec::new(),
            spans: 0,
            took: Duration::ZERO,
            slowest: Duration::ZERO,
        }
    }

    /// Counts what was said of an incident. Nothing else looks at what it really comes from.
    pub(super) fn count(&mut self, incident: &Incident, answer: &Answer) {
        let causes = &answer.causes;
        let rank = causes.iter().position(|cause| *cause == incident.label);
        let row = self.row(incident.symptom);
        row.incidents += 1;
        row.first += usize::from(rank == Some(0));
        row.third += usize::from(rank.is_some_and(|rank| rank < 3));
        let is_there = |node: &String| *node == incident.target || *node == incident.label;
        self.seen += usize::from(!answer.unlike.is_empty());
        self.seen_there += usize::from(answer.unlike.iter().any(is_there));
        self.took += answer.took;
        self.slowest = self.slowest.max(answer.took);
        let found = match (rank, causes.first()) {
            (Some(0), _) => return,
            (Some(rank), _) => format!("its cause comes in place {}", rank + 1),
            (None, Some(first)) => format!("its cause is not among them, the first is {first}"),
            (None, None) => "nothing was found".to_owned(),
        };
        let (incident, symptom) = (&incident.name, name(incident.symptom));
        self.missed.push(format!("{incident} ({symptom}): {found}"));
    }

    /// Counts what was said of a time in which all was well.
    pub(super) fn count_quiet(&mut self, symptom: Symptom, is_quiet: bool) {
        let row = self.row(symptom);
        row.quiet[0] += usize::from(is_quiet);
        row.quiet[1] += 1;
    }

    pub(super) fn incidents(&self) -> usize {
        self.rows.iter().map(|row| row.incidents).sum()
    }

    /// How long an investigation took in the mean, in milliseconds.
    pub(super) fn investigation_ms(&self) -> f64 {
        self.took.as_secs_f64() * 1e3 / f64::max(1.0, number(self.incidents()))
    }

    /// How long the longest took, in milliseconds.
    pub(super) fn slowest_ms(&self) -> f64 {
        self.slowest.as_secs_f64() * 1e3
    }

    pub(super) fn to_json(&self) -> Value {
        let rows = self.rows.iter().map(|row| {
            json!({
                "symptom": name(row.symptom), "incidents": row.incidents, "recall_at_1": row.recall_at_1(),
                "recall_at_3": row.recall_at_3(), "specificity": row.specificity(),
            })
        });
        let incidents = self.incidents();
        json!({
            "scenario": self.scenario, "symptoms": rows.collect::<Vec<_>>(), "missed": self.missed,
            "hit_rate": ratio(self.seen, incidents), "hit_rate_there": ratio(self.seen_there, incidents),
            "false_windows_a_day": self.false_windows_a_day, "investigation_ms": self.investigation_ms(),
            "slowest_investigation_ms": self.slowest_ms(), "spans": self.spans,
        })
    }

    fn row(&mut self, symptom: Symptom) -> &mut Row {
        match symptom {
            Symptom::Slow => &mut self.rows[0],
            Symptom::Failing => &mut self.rows[1],
        }
    }
}

/// Of windows of quiet time, one after the other, how many a day are not quiet.
pub(super) fn a_day(found: usize, windows: usize) -> f64 {
    number(found) * STEPS_A_DAY / f64::max(1.0, number(windows * WINDOW))
}

pub(super) fn name(symptom: Symptom) -> &'static str {
    match symptom {
        Symptom::Slow => "latency",
        Symptom::Failing => "availability",
    }
}

pub(super) fn ratio(part: usize, of: usize) -> f64 {
    number(part) / f64::max(1.0, number(of))
}

#[allow(clippy::cast_precision_loss)] // some hundreds
fn number(number: usize) -> f64 {
    number as f64
}

/// Where the quiet time is split: what follows is taken for an incident.
pub(super) const SPLITS: [f64; 5] = [0.5, 0.6, 0.7, 0.8, 0.9];
/// Steps of an incident.
pub(super) const WINDOW: usize = 5;
/// Of five minutes.
const STEPS_A_DAY: f64 = 288.0;
