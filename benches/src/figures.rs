//! Figures: what was measured, beside what was wanted.

use std::path::Path;
use std::process::Command;

use anyhow::Context;
use serde_json::{Map, Value, json};

/// What is wanted of a figure.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Goal {
    /// Less is better.
    AtMost(f64),
    /// More is better.
    AtLeast(f64),
    /// Only to be known.
    None,
}

/// One figure.
#[derive(Clone, Debug)]
pub struct Figure {
    /// What was measured.
    pub name: &'static str,
    /// Of `value`.
    pub unit: &'static str,
    /// The figure, unless it cannot be measured: the note then says why.
    pub value: Option<f64>,
    /// What it should be.
    pub goal: Goal,
    /// How it was measured, and what else to know.
    pub note: String,
    /// What was measured in the same run to compare it with.
    pub beside: Vec<(&'static str, f64)>,
}

impl Figure {
    /// A figure without a goal.
    pub fn new(
        name: &'static str,
        unit: &'static str,
        value: f64,
        note: impl Into<String>,
    ) -> Self {
        Figure {
            name,
            unit,
            value: Some(value),
            goal: Goal::None,
            note: note.into(),
            beside: Vec::new(),
        }
    }

    /// A figure that the product cannot be asked for yet.
    pub fn not_yet(name: &'static str, unit: &'static str, why: impl std::fmt::Display) -> Self {
        Figure {
            value: None,
            ..Figure::new(name, unit, 0.0, format!("not yet: {why}"))
        }
    }

    /// With what it should be.
    pub fn goal(self, goal: Goal) -> Self {
        Figure { goal, ..self }
    }

    /// With something to compare it with.
    pub fn beside(mut self, name: &'static str, value: f64) -> Self {
        self.beside.push((name, value));
        self
    }

    fn met(&self) -> Option<bool> {
        let value = self.value?;
        match self.goal {
            Goal::AtMost(most) => Some(value <= most),
            Goal::AtLeast(least) => Some(value >= least),
            Goal::None => None,
        }
    }

    fn goal_text(&self) -> Option<String> {
        match self.goal {
            Goal::AtMost(most) => Some(format!("<= {}", shown(most))),
            Goal::AtLeast(least) => Some(format!(">= {}", shown(least))),
            Goal::None => None,
        }
    }

    /// As it is written to a file.
    pub fn to_json(&self) -> Value {
        let beside = self.beside.iter();
        let beside: Map<String, Value> = beside
            .map(|(name, value)| ((*name).to_owned(), json!(rounded(*value))))
            .collect();
        let mut figure = json!({
            "name": self.name, "unit": self.unit, "value": self.value.map(rounded), "note": self.note,
        });
        if let Some(goal) = self.goal_text() {
            figure["goal"] = json!(goal);
            figure["met"] = json!(self.met());
        }
        if !beside.is_empty() {
            figure["beside"] = Value::Object(beside);
        }
        figure
    }
}

/// Figures as a table that people read; those of a file, too.
pub fn table(figures: &[Value]) -> String {
    let head = format!(
        "{:<34} {:>12} {:<10} {:<22} note",
        "figure", "value", "unit", "goal"
    );
    let row = |figure: &Value| {
        let text = |key: &str| figure[key].as_str().unwrap_or_default().to_owned();
        let value = figure["value"].as_f64().map_or("-".to_owned(), shown);
        let goal = match (figure["goal"].as_str(), figure["met"].as_bool()) {
            (Some(goal), Some(true)) => format!("{goal}: met"),
            (Some(goal), Some(false)) => format!("{goal}: MISSED"),
            (Some(goal), None) => format!("{goal}: unknown"),
            (None, _) => String::new(),
        };
        let beside = figure["beside"].as_object().into_iter().flatten();
        let beside: String = beside
            .map(|(name, value)| {
                format!(" [{name}: {}]", shown(value.as_f64().unwrap_or_default()))
            })
            .collect();
        let (name, unit, note) = (text("name"), text("unit"), text("note"));
        format!("{name:<34} {value:>12} {unit:<10} {goal:<22} {note}{beside}")
    };
    let rows = figures.iter().map(row);
    std::iter::once(head)
        .chain(rows)
        .collect::<Vec<_>>()
        .join("\n")
}

/// Writes `target/bench/NAME.json`, or wherever it is told to; `more` goes beside the figures.
pub fn write(
    file: &Path,
    bench: &str,
    figures: &[Value],
    more: Map<String, Value>,
) -> anyhow::Result<()> {
    let mut document = json!({
        "bench": bench,
        "commit": output("git", &["rev-parse", "--short", "HEAD"]),
        "date": output("date", &["-u", "+%Y-%m-%dT%H:%M:%SZ"]),
        "profile": if cfg!(debug_assertions) { "dev" } else { "release" },
        "machine": machine(),
        "figures": figures,
    });
    for (key, value) in more {
        document[key] = value;
    }
    let folder = file.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)?;
    std::fs::write(file, format!("{document:#}\n"))
        .with_context(|| format!("cannot write {}", file.display()))
}

/// Its cores, its memory, its kernel and what else it does.
pub fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let memory = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let memory = memory
        .split_whitespace()
        .nth(1)
        .and_then(|kib| kib.parse::<f64>().ok());
    format!(
        "{cores} cores, {:.0} GiB, Linux {}, load {}",
        memory.unwrap_or_default() / 1024.0 / 1024.0,
        output("uname", &["-r"]),
        load.split(' ').next().unwrap_or_default()
    )
}

/// The value below which this share of all lies; not a number if there are none.
pub fn quantile(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let last = sorted.len().saturating_sub(1);
    let place = (0..=last).find(|place| *place as f64 >= share * last as f64);
    let value = place.and_then(|place| sorted.get(place));
    value.copied().unwrap_or(f64::NAN)
}

fn output(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    text.unwrap_or_default()
}

fn rounded(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

fn shown(value: f64) -> String {
    if value.abs() >= 1000.0 {
        format!("{value:.0}")
    } else {
        format!("{}", rounded(value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_says_whether_its_goal_is_met() {
        let met =
            |value, goal| Figure::new("a", "ms", value, "").goal(goal).to_json()["met"].clone();
        assert_eq!(met(5.0, Goal::AtMost(5.0)), true);
        assert_eq!(met(5.1, Goal::AtMost(5.0)), false);
        assert_eq!(met(4.9, Goal::AtLeast(5.0)), false);
        assert_eq!(met(4.9, Goal::None), Value::Null);
        let missing = Figure::not_yet("a", "ms", "no such path").goal(Goal::AtMost(5.0));
        assert_eq!(missing.to_json()["value"], Value::Null);
        assert_eq!(missing.to_json()["met"], Value::Null);
        assert!(table(&[missing.to_json()]).contains("<= 5: unknown"));
    }

    #[test]
    fn quantiles_are_values_that_were_measured() {
        let values = [4.0, 1.0, 3.0, 2.0];
        assert_eq!(quantile(&values, 0.0), 1.0);
        assert_eq!(quantile(&values, 0.5), 3.0);
        assert_eq!(quantile(&values, 0.99), 4.0);
        assert!(quantile(&[], 0.5).is_nan());
    }
}
