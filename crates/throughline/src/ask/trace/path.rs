//! Where the time of a story went: its critical path in words, as on the page.

use std::collections::HashMap;
use std::time::Duration;

use serde_json::Value;
use throughline_insight::{
    PathEnd, PathPart, Phase, Role, Stretch, critical_path, goes_on_after_answer, is_asynchronous,
};

use super::super::text::first_line;
use super::super::words::{counted, duration};
use super::story::{Step, Tree, between};

/// Where the time went up to one end.
pub(super) struct Path {
    pub(super) end: PathEnd,
    /// From the first thing that the end waited for.
    pub(super) duration: Duration,
    /// The largest first, in words.
    told: Vec<String>,
}

impl Path {
    /// `452 ms until the answer`: what both the sentence of the story and that of the path say.
    pub(super) fn words(&self) -> String {
        let end = match self.end {
            PathEnd::Answer => "until the answer",
            PathEnd::All => "until the end",
        };
        format!("{} {end}", duration(self.duration))
    }

    /// `Where the 1.00 s until the end went: 57 % init in pay, 30 % waiting in mails.`
    pub(super) fn sentence(&self) -> String {
        format!("Where the {} went: {}.", self.words(), self.told.join(", "))
    }
}

/// Up to the answer, and up to the end of all if that is much later; nothing where there are no spans.
pub(super) fn paths(spans: &[Step]) -> Vec<Path> {
    let stretches = stretches(spans);
    let mut ends = vec![PathEnd::Answer];
    if goes_on_after_answer(&stretches) {
        ends.push(PathEnd::All);
    }
    let each = ends.into_iter().filter_map(|end| {
        let parts = critical_path(&stretches, end);
        let whole = between(parts.first()?.from, parts.last()?.to);
        let told = contributions(spans, &parts).into_iter().take(TOLD_MAX);
        let told =
            told.map(|told| format!("{} {}", share(told.duration, whole), told.words(spans)));
        Some(Path {
            end,
            duration: whole,
            told: told.collect(),
        })
    });
    each.collect()
}

/// The parts of all spans of one service and name, together.
struct Contribution {
    duration: Duration,
    is_waiting: bool,
    /// The spans, with how much of the path each took.
    spans: HashMap<usize, Duration>,
}

impl Contribution {
    fn words(&self, spans: &[Step]) -> String {
        let most = self
            .spans
            .iter()
            .max_by_key(|(place, took)| (**took, std::cmp::Reverse(**place)));
        let Some(span) = most.map(|(place, _)| &spans[*place]) else {
            return String::new();
        };
        let (name, service) = (first_line(&span.name), first_line(&span.service));
        let what = match (self.is_waiting, span.inferred) {
            (true, true) => format!("waiting in {name}"),
            (true, false) => format!("waiting for {service} to begin"),
            (false, _) if name == service => format!("{service} itself"),
            (false, _) => format!("{name} in {service}"),
        };
        match self.spans.len() as u64 {
            1 => what,
            count => format!("{what}, {}", counted(count, "time")),
        }
    }
}

/// The largest first.
fn contributions(spans: &[Step], parts: &[PathPart]) -> Vec<Contribution> {
    let mut found: Vec<Contribution> = Vec::new();
    let mut known: HashMap<(bool, &str, &str), usize> = HashMap::new();
    for part in parts {
        let span = &spans[part.span];
        let place = *known
            .entry((part.is_waiting, &span.service, &span.name))
            .or_insert(found.len());
        if place == found.len() {
            found.push(Contribution {
                duration: Duration::ZERO,
                is_waiting: part.is_waiting,
                spans: HashMap::new(),
            });
        }
        let took = between(part.from, part.to);
        found[place].duration += took;
        *found[place].spans.entry(part.span).or_default() += took;
    }
    found.sort_by_key(|told| std::cmp::Reverse(told.duration));
    found
}

fn stretches(spans: &[Step]) -> Vec<Stretch> {
    let tree = Tree::of(spans);
    let each = spans.iter().zip(&tree.parents);
    each.map(|(span, parent)| Stretch {
        parent: *parent,
        is_orphan: span.parent_missing,
        start: span.start,
        end: span.end(),
        phase: match (span.is_invocation(), span.is_platform()) {
            (true, _) => Phase::Invocation,
            (_, true) => Phase::Platform,
            _ => Phase::Code,
        },
        is_asynchronous: is_asynchronous(role(span), parent.map(|parent| role(&spans[parent]))),
        is_waiting: span.inferred,
    })
    .collect()
}

fn role(span: &Step) -> Role<'_> {
    let attribute = |key: &str| span.attributes.get(key).and_then(Value::as_str);
    let hop = attribute("throughline.hop.kind").unwrap_or_default();
    Role {
        kind: &span.kind,
        service: &span.service,
        invocation: attribute("faas.invocation_id"),
        is_event: attribute("aws.lambda.invocation_type") == Some("Event"),
        hop: span.inferred.then_some(hop),
    }
}

/// `57 %`, and `< 1 %` for what is hardly anything.
fn share(part: Duration, whole: Duration) -> String {
    match part.as_nanos() * 100 {
        percent if percent < whole.as_nanos() => "< 1 %".to_owned(),
        _ => format!("{:.0} %", (part.div_duration_f64(whole) * 100.0).round()),
    }
}

/// How many places the time went to are told.
const TOLD_MAX: usize = 3;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_whole_and_none_is_lost() {
        let told = [4, 10, 574, 1000]
            .map(|part| share(Duration::from_nanos(part), Duration::from_nanos(1000)));
        assert_eq!(told.join(", "), "< 1 %, 1 %, 57 %, 100 %");
    }
}
