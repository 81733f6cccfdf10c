//! Evidence in rows, each a sentence with its numbers.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;
use throughline_insight::contrast::{Differences, Share};
use throughline_insight::detect::{Change, CostFactor, Node, Subject};
use throughline_insight::facts::Facts;
use throughline_insight::investigate::{
    Affected, Figure, Found, Investigation, Pattern, Seen, SelfTimes, Shape, Suspect, Unit,
    Waiting, amount, verb, waiting,
};
use throughline_insight::question::Symptom;
use throughline_store::{Condition, Operator};
use throughline_telemetry::{Span, UnixNanos};

use super::{Times, examples};
use crate::api::shown::{Sought, is};
use crate::api::view::{self, Evidence, Example, RowSearch, RuledOut};
use crate::detection::statement;

/// Evidence, and the spans that show it, if any do.
pub(super) struct Row {
    pub(super) evidence: Evidence,
    pub(super) shown_by: Option<(Sought, Times)>,
}

impl From<Evidence> for Row {
    /// One whose search is known.
    fn from(evidence: Evidence) -> Self {
        Row {
            evidence,
            shown_by: None,
        }
    }
}

/// How a node did.
pub(super) fn of_suspect(
    suspect: &Suspect,
    search: Option<RowSearch>,
    examples: Vec<Example>,
) -> Evidence {
    let unit = Unit::of(suspect.symptom);
    let seen = &suspect.evidence;
    let [before, after] = [seen.before, seen.after].map(|value| amount(unit, value));
    Evidence {
        title: format!(
            "{} {}: {before} → {after}, of {:.0} calls",
            suspect.node,
            verb(suspect.symptom),
            seen.calls
        ),
        node: Some(suspect.node.clone()),
        unit: Some(unit),
        before: Some(seen.before),
        after: Some(seen.after),
        search,
        examples,
        ..Evidence::of("numbers")
    }
}

/// Which steps came, went or are more in traces.
pub(super) fn rows_of_shapes(found: &[Shape], before: &Times, now: &Times) -> Vec<Evidence> {
    let row = |shape: &Shape| {
        let [earlier, later] = shape.often.map(often);
        let (what, times) = match shape.seen {
            Seen::Appeared => (format!("{later} a trace, never before"), now),
            Seen::Vanished => (format!("no more, {earlier} a trace before"), before),
            Seen::More => (format!("{later} a trace, {earlier} before"), now),
        };
        let mut filters = vec![
            is("service", Operator::Eq, json!(shape.service)),
            is("name", Operator::Eq, json!(shape.name)),
        ];
        let on = shape.target.as_ref().map_or(String::new(), |target| {
            filters.push(is(target.column, Operator::Contains, json!(target.name)));
            format!(" on {}", target.name)
        });
        let [of_before, of_now] = shape.traces;
        Evidence {
            title: format!(
                "{}{on} of {}: {what}, in {of_now} traces and {of_before} of before",
                shape.name, shape.service
            ),
            unit: Some(Unit::Count),
            before: Some(shape.often[0]),
            after: Some(shape.often[1]),
            search: Some(RowSearch::spans(filters, times)),
            ..Evidence::of("shape")
        }
    };
    found.iter().take(STEPS).map(row).collect()
}

/// `once`, `40 times`, `2.5 times`, `0.08 times`.
fn often(mean: f64) -> String {
    let digits = if mean < 1.0 { 100.0 } else { 10.0 };
    let rounded = ((mean * digits).round() / digits).to_string();
    match rounded.as_str() {
        "1" => "once".to_owned(),
        _ => format!("{rounded} times"),
    }
}

/// What takes longer in traces by itself, and what is lost between two services.
pub(super) fn rows_of_traces(
    times: &SelfTimes,
    traces: &[Vec<Span>],
    now: &Times,
) -> Vec<Evidence> {
    let [before, after] = times.traces;
    if before == 0 || after == 0 {
        return Vec::new();
    }
    let row = |kind: &'static str, what: String, ms: [f64; 2], of: (Vec<Condition>, Vec<&Span>)| {
        let (filters, spans) = of;
        let [was, takes] = ms.map(|value| amount(Unit::Millis, value));
        Evidence {
            title: format!(
                "{what}: {was} → {takes} a trace, in {after} traces and {before} of before"
            ),
            unit: Some(Unit::Millis),
            before: Some(ms[0]),
            after: Some(ms[1]),
            search: Some(RowSearch::spans(filters, now)),
            examples: spans.into_iter().take(EXAMPLES).map(Example::new).collect(),
            ..Evidence::of(kind)
        }
    };
    let of_service = |service: &str| is("service", Operator::Eq, json!(service));
    let steps = times.steps.iter().take(STEPS).map(|step| {
        let what = format!("{} of {} takes longer by itself", step.name, step.service);
        let name = is("name", Operator::Eq, json!(step.name));
        let spans = examples::of_step(traces, step);
        row(
            "self_time",
            what,
            step.ms,
            (vec![of_service(&step.service), name], spans),
        )
    });
    let gaps = times.gaps.iter().take(STEPS).map(|gap| {
        let what = format!("more is lost between {} and {}", gap.from, gap.to);
        let spans = examples::of_gap(traces, gap);
        let names: BTreeSet<&str> = spans.iter().map(|span| span.name.as_str()).collect();
        let filters = vec![
            of_service(&gap.from),
            is("kind", Operator::Eq, json!("client")),
            match names.first() {
                Some(name) if names.len() == 1 => is("name", Operator::Eq, json!(name)),
                _ => is("name", Operator::In, json!(names)),
            },
        ];
        row("gap", what, gap.ms, (filters, spans))
    });
    steps.chain(gaps).collect()
}

/// Lines that appeared, or are missing.
#[allow(clippy::cast_precision_loss)] // lines of an hour
pub(super) fn rows_of_patterns(found: &[Pattern], before: &Times, now: &Times) -> Vec<Evidence> {
    let row = |pattern: &Pattern| {
        let lines = &pattern.lines;
        let (what, times) = match pattern.seen {
            Seen::Appeared => ("writes what it did not before", now),
            Seen::Vanished => ("does not write any more", before),
            Seen::More => ("writes far more often", now),
        };
        Evidence {
            title: format!("{} {what}: {}", lines.service, lines.template),
            unit: Some(Unit::Count),
            before: Some(lines.before as f64),
            after: Some(lines.now as f64),
            search: Some(RowSearch::logs(&lines.service, &lines.template, times)),
            ..Evidence::of("log")
        }
    };
    found.iter().map(row).collect()
}

/// By which attributes the spans that show it differ.
pub(super) fn rows_of_differences(
    suspect: &Suspect,
    found: &Differences,
    of: &[Condition],
    now: &Times,
) -> Vec<Evidence> {
    let telling = found.found.iter().filter(|it| it.effect >= EFFECT_MIN);
    let row = telling.take(DIFFERENCES).map(|difference| {
        let conditions = difference.conditions.iter().flat_map(view::filters);
        let conditions: Vec<Condition> = conditions.collect();
        let words: Vec<String> = conditions.iter().map(words).collect();
        let [those, others] = [difference.selection, difference.rest].map(Share::part);
        let [shares, of_others] = [those, others].map(|part| amount(Unit::Share, part));
        let filters = of.iter().cloned().chain(conditions).collect();
        Evidence {
            title: format!(
                "{shares} of the calls of {} that show it have {}, and {of_others} of the others",
                suspect.node,
                words.join(" and ")
            ),
            node: Some(suspect.node.clone()),
            unit: Some(Unit::Share),
            before: Some(others),
            after: Some(those),
            search: Some(RowSearch::spans(filters, now)),
            ..Evidence::of("attribute")
        }
    });
    row.collect()
}

/// `version = 42`.
fn words(condition: &Condition) -> String {
    let op = json!(condition.op);
    let op = op.as_str().unwrap_or_default().to_owned();
    match &condition.value {
        serde_json::Value::Null => format!("{} {}", condition.column, op.replace('-', " ")),
        serde_json::Value::String(text) => format!("{} {op} {text}", condition.column),
        // A bound is as exact as it is needed to tell the two apart by eye.
        value => match value.as_f64().filter(|number| number.fract() != 0.0) {
            Some(number) => format!("{} {op} {number:.2}", condition.column),
            None => format!("{} {op} {value}", condition.column),
        },
    }
}

/// What was changed about the time in which it began, of the node and of what is around it.
pub(super) fn changes(
    told: &Investigation,
    changes: &[Change],
    around: &Affected,
    ruled_out: &mut Vec<RuledOut>,
) -> Vec<Row> {
    let (from, to, end) = match &told.found {
        Some(found) => (
            found.onset.minus(CHANGED_BEFORE),
            found.onset.plus(CHANGED_AFTER),
            found.until,
        ),
        None => (
            told.frame.now.start.minus(CHANGED_BEFORE),
            told.frame.now.end,
            told.frame.now.end,
        ),
    };
    let near = around.upstream.iter().chain(&around.downstream);
    let causes = told.found.iter().flat_map(|found| &found.causes);
    let is_near = |node: &Node| {
        *node == told.node
            || near.clone().any(|it| it.node == *node)
            || causes.clone().any(|it| it.path.contains(node))
    };
    let made = changes
        .iter()
        .filter(|change| (from..to).contains(&change.at) && is_near(&change.node));
    let rows: Vec<Row> = made
        .take(CHANGES)
        .map(|change| Row {
            evidence: Evidence {
                title: format!(
                    "{} changed: {}{}",
                    change.node,
                    change.words(),
                    told.found.as_ref().map_or(String::new(), |found| format!(
                        ", {}",
                        relative(change.at, found.onset)
                    ))
                ),
                node: Some(change.node.clone()),
                at: Some(change.at),
                ..Evidence::of("change")
            },
            shown_by: Sought::changed(change).map(|spans| (spans, change.at..end)),
        })
        .collect();
    if rows.is_empty() && told.found.is_some() {
        ruled_out.push(RuledOut::of(
            "nothing is known to have been changed just before",
        ));
    }
    rows
}

/// `2 min before it began`.
fn relative(at: UnixNanos, onset: UnixNanos) -> String {
    let minutes = |time: std::time::Duration| time.as_secs() / 60;
    match (minutes(onset.since(at)), minutes(at.since(onset))) {
        (0, 0) => "in the minute in which it began".to_owned(),
        (before, 0) => format!("{before} min before it began"),
        (_, after) => format!("{after} min after it began"),
    }
}

/// What lies in queues, or waits for functions, around the node: how old the oldest is, and how much there is.
pub(super) fn waits(
    told: &Investigation,
    facts: &Facts,
    around: &Affected,
    ruled_out: &mut Vec<RuledOut>,
) -> Vec<Evidence> {
    let frame = told.seen();
    let own = waiting(facts, [&told.node], &frame);
    // What nothing is known of before is not ruled out by it.
    let is_usual = |it: &&Waiting| it.times.is_none() && it.before.is_some();
    let usual = own.iter().filter(is_usual);
    ruled_out.extend(usual.map(|it| RuledOut::of(&it.to_string())));
    let causes = told.found.iter().flat_map(|found| &found.causes);
    let near = around.upstream.iter().chain(&around.downstream);
    let others = causes.flat_map(|it| &it.path);
    let others = waiting(facts, others.chain(near.map(|it| &it.node)), &frame);
    let is_other = |it: &Waiting| !own.iter().any(|known| known.node == it.node);
    let others = others.into_iter().filter(is_other);
    let row = |it: Waiting| {
        let times = it.times.clone()?;
        let shown = times.start.minus(CHANGED_BEFORE)..times.end;
        Some(Evidence {
            title: it.to_string(),
            unit: Some(it.what.unit()),
            before: it.before,
            after: Some(it.after),
            at: Some(times.start),
            sql: statement(&it.node, it.what, &shown),
            node: Some(it.node),
            ..Evidence::of("numbers")
        })
    };
    let rows = own.clone().into_iter().chain(others).filter_map(row);
    rows.take(WAITS).collect()
}

/// Calls that a node makes and did not make before, for whoever asks what has changed.
#[allow(clippy::cast_precision_loss)] // calls of hours
pub(super) fn new_calls(told: &Investigation, facts: &Facts) -> Vec<Row> {
    if told.symptom != Symptom::Changed {
        return Vec::new();
    }
    let (before, now) = (facts.sums(&told.frame.normal), facts.sums(&told.frame.now));
    let is_known = before
        .keys()
        .any(|of| of.nodes().any(|node| *node == told.node));
    let new = now
        .iter()
        .filter(|(of, _)| is_known && !before.contains_key(*of));
    let mut rows = Vec::new();
    for (of, did) in new.take(CHANGES) {
        if let Subject::Edge(from, to, operation) = of
            && *from == told.node
        {
            let spans = Sought::calls(Some(from), to, Some(operation));
            let evidence = Evidence {
                title: format!("{from} calls {to} ({operation}), which it did not before"),
                node: Some(to.clone()),
                unit: Some(Unit::Count),
                before: Some(0.0),
                after: Some(did.counts.count as f64),
                ..Evidence::of("call")
            };
            rows.push(Row {
                evidence,
                shown_by: spans.map(|spans| (spans, told.frame.now.clone())),
            });
        }
    }
    rows
}

/// What is beside the symptom, or is not: more calls, throttling, cold starts, memory; and what a cost is made of.
pub(super) fn beside(
    told: &Investigation,
    found: &Found,
    now: &Times,
    ruled_out: &mut Vec<RuledOut>,
) -> Vec<Row> {
    let row = |title: String, unit: Unit, [before, after]: [f64; 2], spans: Option<Sought>| Row {
        evidence: Evidence {
            title,
            node: Some(told.node.clone()),
            unit: Some(unit),
            before: Some(before),
            after: Some(after),
            ..Evidence::of("numbers")
        },
        shown_by: spans.map(|spans| (spans, now.clone())),
    };
    let mut rows = Vec::new();
    let figures: BTreeMap<&str, &Figure> = told.figures.iter().map(|it| (it.what, it)).collect();
    let calls = figures
        .get("calls")
        .and_then(|it| Some((it.before?, it.after)));
    match calls {
        Some((before, after)) if told.symptom != Symptom::Silent && before > 0.0 => {
            let times = after / before;
            if (LEAST_LOAD..MOST_LOAD).contains(&times) {
                let what = format!("load: {times:.1} times the usual calls");
                ruled_out.push(RuledOut::of(&what));
            } else {
                let title = format!("{} has {times:.1} times the usual calls", told.node);
                let spans = Sought::of_node(&told.node);
                rows.push(row(title, Unit::PerMinute, [before, after], spans));
            }
        }
        _ => {}
    }
    for (what, symptom) in [
        ("throttled", Symptom::Throttle),
        ("cold starts", Symptom::ColdStart),
    ] {
        if told.symptom == symptom {
            continue;
        }
        let known = figures.get(what).map(|it| (it.before, it.after));
        let (before, after) = match known {
            Some((Some(before), after)) => (before, after),
            _ => (0.0, 0.0),
        };
        if after > before * 2.0 + MORE_SHARE {
            let [was, is] = [before, after].map(|value| amount(Unit::Share, value));
            let title = format!("{} {}: {was} → {is} of its calls", told.node, verb(symptom));
            let spans = spans_beside(&told.node, symptom);
            rows.push(row(title, Unit::Share, [before, after], spans));
        } else {
            let what = format!("{what}: {} of its calls", amount(Unit::Share, after));
            ruled_out.push(RuledOut::of(&what));
        }
    }
    let memory = figures
        .get("memory used")
        .and_then(|it| Some((it.before?, it.after)));
    if let Some((before, after)) = memory {
        let [was, uses] = [before, after].map(|value| amount(Unit::Share, value));
        if after >= before + MORE_MEMORY {
            let title = format!("{} uses more of its memory: {was} → {uses}", told.node);
            rows.push(row(title, Unit::Share, [before, after], None));
        } else {
            let what = format!("memory: at most {uses} of it used, and {was} before");
            ruled_out.push(RuledOut::of(&what));
        }
    }
    for (factor, usd) in found.cost_why.iter().filter(|(_, usd)| usd.abs() > 0.0) {
        let factor = match factor {
            CostFactor::Volume => "calls",
            CostFactor::Retries => "retries",
            CostFactor::Duration => "duration",
            CostFactor::ColdStarts => "cold starts",
            CostFactor::Memory => "memory",
        };
        let (sign, by) = if *usd < 0.0 {
            ("less", -usd)
        } else {
            ("more", *usd)
        };
        let by = amount(Unit::UsdPerHour, by);
        // Reports of the platform tell it, and no spans.
        rows.push(Row::from(Evidence {
            title: format!("{by} {sign} because of {factor}"),
            node: Some(told.node.clone()),
            unit: Some(Unit::UsdPerHour),
            after: Some(*usd),
            ..Evidence::of("cost")
        }));
    }
    let nodes = found.ruled_out.iter().map(RuledOut::node);
    ruled_out.extend(nodes);
    rows
}

/// What was refused, which those who call tell, or what began with a cold start.
fn spans_beside(node: &Node, symptom: Symptom) -> Option<Sought> {
    match symptom {
        Symptom::Throttle => Sought::calls(None, node, None)?.refused(),
        _ => Some(Sought::of_node(node)?.and("faas.coldstart", Operator::Eq, json!(true))),
    }
}

/// Steps of traces that are told, gaps too.
const STEPS: usize = 3;
/// Examples of each.
const EXAMPLES: usize = 3;
/// How much a difference must tell.
const EFFECT_MIN: f64 = 0.1;
const DIFFERENCES: usize = 3;
const CHANGES: usize = 10;
/// Rows of what waits.
const WAITS: usize = 6;
/// A change so long before may be why.
const CHANGED_BEFORE: std::time::Duration = std::time::Duration::from_secs(3600);
/// Of what begins slowly, the minute of its beginning is not sure.
const CHANGED_AFTER: std::time::Duration = std::time::Duration::from_secs(5 * 60);
/// Between these as many calls as usual.
const LEAST_LOAD: f64 = 0.67;
const MOST_LOAD: f64 = 1.5;
/// Of the calls, more than twice the usual.
const MORE_SHARE: f64 = 0.02;
/// Of its memory.
const MORE_MEMORY: f64 = 0.1;

#[cfg(test)]
mod tests {
    use throughline_insight::investigate::Target;

    use super::*;

    #[test]
    fn what_became_of_a_step_is_a_sentence() {
        let told = |seen: Seen, often: [f64; 2], target: Option<&str>| {
            let shape = Shape {
                service: "shop".to_owned(),
                name: "GetItem".to_owned(),
                target: target.map(|name| Target {
                    column: "db.collection.name",
                    name: name.to_owned(),
                }),
                seen,
                often,
                traces: [12, 11],
            };
            let times = UnixNanos(0)..UnixNanos(1);
            rows_of_shapes(&[shape], &times, &times).remove(0).title
        };
        assert_eq!(
            told(Seen::More, [1.0, 40.0], Some("users")),
            "GetItem on users of shop: 40 times a trace, once before, in 11 traces and 12 of before"
        );
        assert_eq!(
            told(Seen::More, [1.0 / 12.0, 2.46], None),
            "GetItem of shop: 2.5 times a trace, 0.08 times before, in 11 traces and 12 of before"
        );
        assert_eq!(
            told(Seen::Appeared, [0.0, 1.0], None),
            "GetItem of shop: once a trace, never before, in 11 traces and 12 of before"
        );
        assert_eq!(
            told(Seen::Vanished, [0.996, 0.0], None),
            "GetItem of shop: no more, once a trace before, in 11 traces and 12 of before"
        );
    }
}
