//! Figures, each beside the same of a program that only registers.

use serde_json::{Value, json};

/// The figures of the benchmark.
#[derive(Default)]
pub(crate) struct Figures(pub(crate) Vec<Value>);

/// What is wanted of a figure.
#[derive(Clone, Copy)]
pub(crate) enum Goal {
    AtMost(f64),
    /// Only to be known.
    None,
}

impl Figures {
    /// Adds the median of what the rounds measured, beside that of the other program.
    pub(crate) fn add(
        &mut self,
        (name, unit): (&str, &str),
        rounds: &[f64],
        beside: Option<&[f64]>,
        goal: Goal,
        note: &str,
    ) {
        let value = round(quantile(rounds, 0.5));
        let mut figure = json!({
            "name": name,
            "value": value,
            "unit": unit,
            "min": round(quantile(rounds, 0.0)),
            "max": round(quantile(rounds, 1.0)),
            "rounds": rounds.len(),
            "note": note,
        });
        if let Goal::AtMost(goal) = goal {
            figure["goal"] = json!(format!("<= {goal}"));
            figure["met"] = json!(value <= goal);
        }
        if let Some(beside) = beside {
            figure["beside"] = json!({ "register-only": round(quantile(beside, 0.5)) });
        }
        eprintln!("{}", row(&figure));
        self.0.push(figure);
    }

    pub(crate) fn table(&self) -> String {
        let head = format!(
            "{:<34} {:>10} {:<5} {:>13}  {:<22} goal",
            "figure", "median", "unit", "register-only", "least to most"
        );
        let rows = self.0.iter().map(row);
        std::iter::once(head)
            .chain(rows)
            .collect::<Vec<_>>()
            .join("\n")
    }
}

fn row(figure: &Value) -> String {
    let number = |value: &Value| {
        value
            .as_f64()
            .map_or(String::new(), |value| format!("{value:.3}"))
    };
    let goal = match (figure["goal"].as_str(), figure["met"].as_bool()) {
        (Some(goal), Some(true)) => format!("{goal}: met"),
        (Some(goal), _) => format!("{goal}: MISSED"),
        _ => String::new(),
    };
    let range = format!("{} to {}", number(&figure["min"]), number(&figure["max"]));
    format!(
        "{:<34} {:>10} {:<5} {:>13}  {range:<22} {goal}",
        figure["name"].as_str().unwrap_or_default(),
        number(&figure["value"]),
        figure["unit"].as_str().unwrap_or_default(),
        number(&figure["beside"]["register-only"]),
    )
}

fn round(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

/// The value below which this share of all lies.
pub(crate) fn quantile(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let last = u32::try_from(sorted.len().max(1) - 1).unwrap();
    let index = (0..=last).find(|index| f64::from(*index) >= share * f64::from(last));
    let value = index.and_then(|index| sorted.get(index as usize));
    value.copied().unwrap_or(f64::NAN)
}
