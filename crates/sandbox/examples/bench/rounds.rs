//! What several rounds say together.

use std::time::Duration;

use serde_json::{Value, json};

/// The figures of a benchmark.
#[derive(Default)]
pub(crate) struct Figures(pub(crate) Vec<Value>);

impl Figures {
    /// Adds what each round measured; with a goal, the median is to be at most that.
    pub(crate) fn add(
        &mut self,
        name: &str,
        unit: &str,
        rounds: &[f64],
        goal: Option<f64>,
        note: &str,
    ) {
        let at = |share| (quantile(rounds, share) * 1000.0).round() / 1000.0;
        let mut figure = json!({
            "name": name, "unit": unit, "value": at(0.5), "min": at(0.0), "max": at(1.0), "note": note,
        });
        if let Some(goal) = goal {
            figure["goal"] = json!(format!("<= {goal}"));
            figure["met"] = json!(at(0.5) <= goal);
        }
        self.0.push(figure);
    }

    pub(crate) fn table(&self) -> String {
        let row = |figure: &Value| {
            let number = |key: &str| figure[key].as_f64().unwrap_or(0.0);
            let goal = match (figure["goal"].as_str(), figure["met"].as_bool()) {
                (Some(goal), Some(true)) => format!("{goal}: met"),
                (Some(goal), _) => format!("{goal}: missed"),
                _ => String::new(),
            };
            format!(
                "{:<32} {:>10.3} {:<4} ({:.3} to {:.3})  {goal}",
                figure["name"].as_str().unwrap_or_default(),
                number("value"),
                figure["unit"].as_str().unwrap_or_default(),
                number("min"),
                number("max"),
            )
        };
        self.0.iter().map(row).collect::<Vec<_>>().join("\n")
    }
}

/// The value below which this share of all lies.
pub(crate) fn quantile(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let last = u32::try_from(sorted.len() - 1).unwrap();
    let index = (0..=last).find(|index| f64::from(*index) >= share * f64::from(last));
    sorted[index.map_or(0, |index| index as usize)]
}

pub(crate) fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}
