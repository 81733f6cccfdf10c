//! What was found, for a terminal.

use serde::Deserialize;
use serde_json::Value;
use throughline_telemetry::UnixNanos;

use crate::ask::text::{first_line, left, right, width, wrapped};
use crate::ask::{moment, words};
use crate::terminal::Paint;

/// All of it, times as the clock of the question shows them.
pub(super) fn render(
    answer: &Value,
    offset_minutes: i32,
    (paint, columns): (Paint, usize),
) -> Result<String, serde_json::Error> {
    let told = Told::deserialize(answer)?;
    let page = Page {
        offset_minutes,
        paint,
        columns,
    };
    let title = first_line(&told.title);
    let mut text = match told.state.as_str() {
        "found" => paint.strong(title),
        _ => paint.notable(title),
    };
    text.push('\n');
    text += &page.asked(&told);
    text += &page.figures(&told);
    text += &page.causes(&told);
    text += &page.evidence(&told);
    text += &page.ruled_out(&told);
    text += &page.around("Who calls it", &told.upstream);
    text += &page.around("What it calls", &told.downstream);
    Ok(text)
}

/// What is said about the answer, in a line.
pub(super) fn summary(answer: &Value) -> String {
    let millis = words::millis(answer["elapsed_ms"].as_f64().unwrap_or_default());
    let left_out: Vec<&str> = answer["left_out"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    match left_out.is_empty() {
        true => format!("answered in {millis}"),
        false => format!(
            "answered in {millis}, without what there was no time for: {}",
            left_out.join(", ")
        ),
    }
}

#[derive(Deserialize)]
struct Told {
    asked: Asked,
    state: String,
    title: String,
    reference: Option<Reference>,
    figures: Vec<Figure>,
    onset_unix_nanos: Option<String>,
    began_before: bool,
    causes: Vec<Cause>,
    beside: Vec<Cause>,
    evidence: Vec<Row>,
    ruled_out: Vec<RuledOut>,
    unexplained: Option<f64>,
    noticed: Vec<Noticed>,
    upstream: Vec<Neighbour>,
    downstream: Vec<Neighbour>,
}

#[derive(Deserialize)]
struct Asked {
    symptom: Option<String>,
    node: Option<String>,
    #[serde(deserialize_with = "moment")]
    from_unix_nanos: UnixNanos,
    #[serde(deserialize_with = "moment")]
    to_unix_nanos: UnixNanos,
    is_cut: bool,
    candidates: Vec<Candidate>,
}

#[derive(Deserialize)]
struct Candidate {
    node: String,
}

#[derive(Deserialize)]
struct Reference {
    name: String,
}

#[derive(Deserialize)]
struct Figure {
    what: String,
    unit: String,
    before: Option<f64>,
    after: f64,
}

#[derive(Deserialize)]
struct Cause {
    node: String,
    symptom: String,
    share: f64,
    unit: String,
    before: f64,
    after: f64,
    path: Vec<String>,
}

#[derive(Deserialize)]
struct Row {
    title: String,
    examples: Vec<Example>,
}

#[derive(Deserialize)]
struct Example {
    trace_id: String,
}

#[derive(Deserialize)]
struct RuledOut {
    title: String,
}

#[derive(Deserialize)]
struct Noticed {
    node: String,
    symptom: String,
}

#[derive(Deserialize)]
struct Neighbour {
    node: String,
    path: Vec<String>,
    worse: Vec<String>,
    calls_per_minute: Pair,
    failed: Pair,
    mean_ms: Pair,
    throttle_count: u64,
}

#[derive(Deserialize)]
struct Pair {
    before: f64,
    after: f64,
}

struct Page {
    offset_minutes: i32,
    paint: Paint,
    columns: usize,
}

impl Page {
    /// How it was understood.
    fn asked(&self, told: &Told) -> String {
        let asked = &told.asked;
        let what = asked.symptom.as_deref().unwrap_or("whatever shows");
        let of = asked.node.as_deref().unwrap_or("whatever shows it");
        let from = self.time(asked.from_unix_nanos);
        let to = self.time(asked.to_unix_nanos);
        let cut = match asked.is_cut {
            true => ", the last day of what was asked",
            false => "",
        };
        let zone = self.zone();
        let mut text = self.line(
            "asked",
            &format!("{what} · {of} · {from} to {to} {zone}{cut}"),
        );
        let others = asked.candidates.iter().map(|it| it.node.as_str());
        let others: Vec<&str> = others.filter(|node| *node != of).take(OTHERS).collect();
        if !others.is_empty() {
            text += &self.line("or", &others.join(", "));
        }
        let onset = told.onset_unix_nanos.as_deref();
        let onset = onset.and_then(|at| at.parse().ok()).map(UnixNanos);
        if let Some(onset) = onset {
            let before = match told.began_before {
                true => " or before",
                false => "",
            };
            text += &self.line("since", &format!("{}{before}", self.time(onset)));
        }
        let against = told.reference.as_ref().map(|it| it.name.as_str());
        if let Some(against) = against.filter(|_| told.state == "found") {
            text += &self.line(
                "against",
                match against {
                    "day_before" => "the same hours of the day before",
                    _ => "the four hours before",
                },
            );
        }
        if told.state != "found" && !told.noticed.is_empty() {
            let noticed: Vec<String> = told
                .noticed
                .iter()
                .map(|it| format!("{} ({})", it.node, it.symptom))
                .collect();
            text += &self.line("instead", &noticed.join(", "));
        }
        text
    }

    fn figures(&self, told: &Told) -> String {
        let figures: Vec<String> = told
            .figures
            .iter()
            .map(|it| {
                let after = amount(&it.unit, it.after);
                match it.before {
                    Some(before) => format!("{} {} → {after}", it.what, amount(&it.unit, before)),
                    None => format!("{} {after}", it.what),
                }
            })
            .collect();
        match figures.is_empty() {
            true => String::new(),
            false => self.line("numbers", &figures.join(", ")),
        }
    }

    fn causes(&self, told: &Told) -> String {
        if told.causes.is_empty() {
            return String::new();
        }
        let mut text = self.heading("Where it comes from");
        let widest = told.causes.iter().map(|it| width(&it.node)).max();
        let widest = widest.unwrap_or(0).min(self.columns / 2);
        for cause in &told.causes {
            let (before, after) = (
                amount(&cause.unit, cause.before),
                amount(&cause.unit, cause.after),
            );
            let way = match cause.path.len() {
                0..=2 => String::new(),
                length => {
                    let between = cause.path[1..length - 1].join(", ");
                    format!("  by way of {}", first_line(&between))
                }
            };
            let node = left(&first_line(&cause.node), widest);
            text += &format!(
                "{}  {}  {}  {before} → {after}{}\n",
                right(&share(cause.share), 6),
                self.paint.bad(bar(cause.share)),
                self.paint.strong(node),
                self.paint.faint(way)
            );
        }
        let unexplained = told.unexplained.unwrap_or(0.0);
        if unexplained >= UNEXPLAINED_MIN {
            let (part, bar) = (right(&share(unexplained), 6), bar(unexplained));
            text += &format!("{part}  {}  unexplained\n", self.paint.faint(bar));
        }
        if !told.beside.is_empty() {
            let nodes = told.beside.iter();
            let nodes = nodes.map(|it| format!("{} ({})", it.node, it.symptom));
            let nodes: Vec<String> = nodes.collect();
            text += &self.line("beside", &nodes.join(", "));
        }
        text
    }

    fn evidence(&self, told: &Told) -> String {
        if told.evidence.is_empty() {
            return String::new();
        }
        let mut text = self.heading("Evidence");
        for row in &told.evidence {
            text += &self.item(&first_line(&row.title));
            let traces: Vec<&str> = row.examples.iter().map(|it| it.trace_id.as_str()).collect();
            if let Some(first) = traces.first() {
                let shown = format!("    throughline trace {first}");
                text += &format!("{}\n", self.paint.faint(shown));
            }
        }
        text
    }

    fn ruled_out(&self, told: &Told) -> String {
        if told.ruled_out.is_empty() {
            return String::new();
        }
        let mut text = self.heading("Ruled out");
        for each in &told.ruled_out {
            text += &self.item(&first_line(&each.title));
        }
        text
    }

    fn around(&self, heading: &str, nodes: &[Neighbour]) -> String {
        if nodes.is_empty() {
            return String::new();
        }
        let mut text = self.heading(heading);
        for near in nodes.iter().take(NEIGHBOURS) {
            let hops = near.path.len().saturating_sub(1);
            let mut numbers = vec![
                format!("{:.1} calls a minute", near.calls_per_minute.after),
                format!(
                    "{} → {} fail",
                    share(near.failed.before),
                    share(near.failed.after)
                ),
                format!(
                    "{} → {}",
                    words::millis(near.mean_ms.before),
                    words::millis(near.mean_ms.after)
                ),
            ];
            if near.throttle_count > 0 {
                numbers.push(format!("{} throttled", words::number(near.throttle_count)));
            }
            if hops > 1 {
                numbers.push(format!("{hops} calls away"));
            }
            let node = first_line(&near.node);
            let node = match near.worse.is_empty() {
                true => format!("  {node}"),
                false => self.paint.bad(format!("✗ {node}")),
            };
            text += &format!("{node}  {}\n", numbers.join(", "));
        }
        let more = nodes.len().saturating_sub(NEIGHBOURS);
        if more > 0 {
            text += &format!("  and {more} more; --json has them all\n");
        }
        text
    }

    fn heading(&self, text: &str) -> String {
        format!("\n{}\n", self.paint.strong(text))
    }

    fn line(&self, name: &str, text: &str) -> String {
        let text = wrapped(
            &first_line(text),
            self.columns.saturating_sub(NAME).max(NAME),
        );
        let text = text
            .trim_end()
            .replace('\n', &format!("\n{}", " ".repeat(NAME)));
        format!("{}{text}\n", self.paint.faint(left(name, NAME)))
    }

    fn item(&self, text: &str) -> String {
        let text = wrapped(text, self.columns.saturating_sub(2).max(NAME));
        format!("· {}\n", text.trim_end().replace('\n', "\n  "))
    }

    /// To the minute.
    fn time(&self, at: UnixNanos) -> String {
        let seconds = i64::from(self.offset_minutes) * 60;
        let local = UnixNanos(at.0.saturating_add_signed(seconds * 1_000_000_000));
        words::moment(local).chars().take(16).collect()
    }

    fn zone(&self) -> String {
        let minutes = self.offset_minutes.unsigned_abs();
        let sign = if self.offset_minutes < 0 { '-' } else { '+' };
        match minutes {
            0 => "UTC".to_owned(),
            minutes => format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60),
        }
    }
}

fn amount(unit: &str, value: f64) -> String {
    match unit {
        "ms" => words::millis(value),
        "share" => share(value),
        "per_minute" => format!("{value:.1} a minute"),
        "usd_per_hour" => format!("{} an hour", words::dollars(value)),
        _ => format!("{value:.0}"),
    }
}

fn share(part: f64) -> String {
    match part * 100.0 {
        percent if percent > 0.0 && percent < 9.95 => format!("{percent:.1} %"),
        percent => format!("{percent:.0} %"),
    }
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // between 0 and 1
fn bar(part: f64) -> String {
    let full = (part.clamp(0.0, 1.0) * BAR as f64).round() as usize;
    format!("{}{}", "█".repeat(full), "·".repeat(BAR - full))
}

/// Columns of the names before lines.
const NAME: usize = 9;
const BAR: usize = 20;
/// Other nodes that may have been meant.
const OTHERS: usize = 4;
const NEIGHBOURS: usize = 10;
/// Less is not told.
const UNEXPLAINED_MIN: f64 = 0.01;

#[cfg(test)]
mod tests;
