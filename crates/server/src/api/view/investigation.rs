//! Why it was so, last night around ten.

use std::time::Duration;

use serde::Serialize;
use serde_json::{Value, json};
use throughline_insight::detect::Node;
use throughline_insight::facts::{Did, Failing};
use throughline_insight::investigate::{Figure, Found, Neighbour, Reference, Suspect, Unit};
use throughline_insight::question::{Candidate, Symptom, Wanted};
use throughline_store::Condition;
use throughline_telemetry::UnixNanos;

use super::Text;
use super::incident::Example;
use crate::api::investigations::{Asked, Gathered, Known};

/// An answer.
#[derive(Serialize)]
pub(in crate::api) struct InvestigationView<'a> {
    asked: AskedView<'a>,
    state: &'static str,
    title: String,
    node: Option<&'a Node>,
    symptom: Option<&'static str>,
    reference: Option<ReferenceView>,
    figures: Vec<FigureView>,
    confirmed: Option<SuspectView<'a>>,
    onset_unix_nanos: Option<Text<UnixNanos>>,
    began_before: bool,
    until_unix_nanos: Option<Text<UnixNanos>>,
    causes: Vec<SuspectView<'a>>,
    beside: Vec<SuspectView<'a>>,
    evidence: Vec<Evidence>,
    ruled_out: Vec<RuledOut>,
    unexplained: Option<f64>,
    load: Option<f64>,
    noticed: Vec<Value>,
    upstream: Vec<NeighbourView<'a>>,
    downstream: Vec<NeighbourView<'a>>,
    truncated: bool,
    left_out: &'a [&'static str],
    elapsed_ms: f64,
}

#[derive(Serialize)]
struct AskedView<'a> {
    question: &'a str,
    wanted: &'static str,
    symptom: Option<&'static str>,
    symptom_words: &'a str,
    node: Option<&'a str>,
    node_words: &'a str,
    from_unix_nanos: Text<UnixNanos>,
    to_unix_nanos: Text<UnixNanos>,
    time_words: &'a str,
    is_cut: bool,
    candidates: Vec<CandidateView<'a>>,
}

#[derive(Serialize)]
struct CandidateView<'a> {
    node: &'a str,
    score: f64,
    words: &'a str,
}

#[derive(Serialize)]
struct ReferenceView {
    name: &'static str,
    from_unix_nanos: Text<UnixNanos>,
    to_unix_nanos: Text<UnixNanos>,
}

#[derive(Serialize)]
struct FigureView {
    what: &'static str,
    unit: &'static str,
    before: Option<f64>,
    after: f64,
}

#[derive(Serialize)]
struct SuspectView<'a> {
    node: &'a str,
    symptom: &'static str,
    share: f64,
    unit: &'static str,
    before: f64,
    after: f64,
    calls: f64,
    path: &'a [Node],
}

/// What speaks for it, in a sentence with its numbers.
#[derive(Serialize)]
pub(in crate::api) struct Evidence {
    pub(in crate::api) kind: &'static str,
    pub(in crate::api) title: String,
    pub(in crate::api) node: Option<Node>,
    #[serde(serialize_with = "unit")]
    pub(in crate::api) unit: Option<Unit>,
    pub(in crate::api) before: Option<f64>,
    pub(in crate::api) after: Option<f64>,
    #[serde(rename = "at_unix_nanos", serialize_with = "time")]
    pub(in crate::api) at: Option<UnixNanos>,
    pub(in crate::api) search: Option<RowSearch>,
    /// A statement for `POST /api/v1/sql`, of what no rows show that can be searched.
    pub(in crate::api) sql: Option<String>,
    pub(in crate::api) examples: Vec<Example>,
}

/// A question for `POST /api/v1/search` that finds the rows which show it.
#[derive(Serialize)]
pub(in crate::api) struct RowSearch {
    dataset: &'static str,
    filters: Vec<Condition>,
    q: String,
    from: Text<UnixNanos>,
    to: Text<UnixNanos>,
}

/// What it does not come from.
#[derive(Serialize)]
pub(in crate::api) struct RuledOut {
    node: Option<Node>,
    title: String,
}

/// A node that is connected with another, and how it does.
#[derive(Serialize)]
pub(super) struct NeighbourView<'a> {
    node: &'a str,
    path: &'a [Node],
    worse: Vec<&'static str>,
    calls_per_minute: Pair,
    failed: Pair,
    mean_ms: Pair,
    throttle_count: u64,
    edge_calls_per_minute: Pair,
    edge_failed: Pair,
}

/// When all was well, and now.
#[derive(Serialize)]
struct Pair {
    before: f64,
    after: f64,
}

impl<'a> InvestigationView<'a> {
    pub(in crate::api) fn new(
        asked: &'a Asked,
        known: &'a Known,
        gathered: Gathered,
        left_out: &'a [&'static str],
        elapsed: Duration,
    ) -> Self {
        let told = known.told.as_ref();
        let found = told.and_then(|told| told.found.as_ref());
        let has_changed = told.is_some_and(|told| told.symptom == Symptom::Changed)
            && !gathered.evidence.is_empty();
        let state = match told {
            None if known.names_nothing(asked) => "unknown_name",
            _ if found.is_some() || has_changed => "found",
            _ => "nothing_found",
        };
        let title = match (told, state) {
            (Some(told), "found") if found.is_none() => format!("{} has changed", told.node),
            (Some(told), _) => told.to_string(),
            (None, "unknown_name") => "nothing of that name is known".to_owned(),
            (None, _) => "nothing found: nothing is slow or fails at that time".to_owned(),
        };
        let suspects = |of: fn(&'a Found) -> &'a Vec<Suspect>| {
            let all = found.into_iter().flat_map(of);
            all.map(SuspectView::new).collect()
        };
        InvestigationView {
            asked: AskedView::new(asked, known),
            state,
            title,
            node: told.map(|told| &told.node),
            symptom: told.map(|told| told.symptom.name()),
            reference: told.map(|told| ReferenceView {
                name: match told.reference {
                    Reference::HoursBefore => "hours_before",
                    Reference::DayBefore => "day_before",
                },
                from_unix_nanos: Text(told.frame.normal.start),
                to_unix_nanos: Text(told.frame.normal.end),
            }),
            figures: told.map_or(Vec::new(), |told| {
                told.figures.iter().map(FigureView::new).collect()
            }),
            confirmed: told.zip(found).map(|(told, found)| SuspectView {
                node: &told.node,
                symptom: told.symptom.name(),
                share: 1.0,
                unit: found.unit.name(),
                before: found.confirmed.before,
                after: found.confirmed.after,
                calls: found.confirmed.calls,
                path: &[],
            }),
            onset_unix_nanos: found.map(|found| Text(found.onset)),
            began_before: found.is_some_and(|found| found.began_before),
            until_unix_nanos: found.map(|found| Text(found.until)),
            causes: suspects(|found| &found.causes),
            beside: suspects(|found| &found.beside),
            evidence: gathered.evidence,
            ruled_out: gathered.ruled_out,
            unexplained: found.map(|found| found.unexplained.clamp(0.0, 1.0)),
            load: found.map(|found| found.load),
            noticed: known
                .noticed
                .iter()
                .map(|(node, symptom)| json!({"node": node, "symptom": symptom.name()}))
                .collect(),
            upstream: known
                .affected
                .upstream
                .iter()
                .map(NeighbourView::new)
                .collect(),
            downstream: known
                .affected
                .downstream
                .iter()
                .map(NeighbourView::new)
                .collect(),
            truncated: known.affected.truncated,
            left_out,
            elapsed_ms: elapsed.as_secs_f64() * 1e3,
        }
    }
}

impl<'a> AskedView<'a> {
    fn new(asked: &'a Asked, known: &'a Known) -> Self {
        let chosen = known.chosen.as_ref();
        let node = asked.node.as_deref();
        AskedView {
            question: &asked.question,
            wanted: match asked.wanted {
                Wanted::Cause => "cause",
                Wanted::Affected => "affected",
            },
            symptom: asked.symptom.as_ref().map(|said| said.value.name()),
            symptom_words: asked.symptom.as_ref().map_or("", |said| &said.words),
            node: node.or(chosen.map(|chosen| chosen.node.as_str())),
            node_words: chosen.map_or("", |chosen| &chosen.words),
            from_unix_nanos: Text(asked.window.value.from),
            to_unix_nanos: Text(asked.window.value.to),
            time_words: &asked.window.words,
            is_cut: asked.is_cut,
            candidates: known.candidates.iter().map(CandidateView::new).collect(),
        }
    }
}

impl<'a> CandidateView<'a> {
    fn new(candidate: &'a Candidate) -> Self {
        CandidateView {
            node: &candidate.node,
            score: candidate.score,
            words: &candidate.words,
        }
    }
}

impl FigureView {
    fn new(figure: &Figure) -> Self {
        FigureView {
            what: figure.what,
            unit: figure.unit.name(),
            before: figure.before,
            after: figure.after,
        }
    }
}

impl<'a> SuspectView<'a> {
    fn new(suspect: &'a Suspect) -> Self {
        SuspectView {
            node: &suspect.node,
            symptom: suspect.symptom.name(),
            share: suspect.share.clamp(0.0, 1.0),
            unit: Unit::of(suspect.symptom).name(),
            before: suspect.evidence.before,
            after: suspect.evidence.after,
            calls: suspect.evidence.calls,
            path: &suspect.path,
        }
    }
}

impl<'a> NeighbourView<'a> {
    #[allow(clippy::cast_precision_loss)] // calls of hours
    pub(super) fn new(near: &'a Neighbour) -> Self {
        let pair = |of: &[Did; 2], value: fn(&Did) -> f64| Pair {
            before: value(&of[0]),
            after: value(&of[1]),
        };
        let rate = |of: &[Did; 2]| Pair {
            before: of[0].counts.count as f64 / near.minutes[0],
            after: of[1].counts.count as f64 / near.minutes[1],
        };
        NeighbourView {
            node: &near.node,
            path: &near.path,
            worse: near.worse.iter().map(|symptom| symptom.name()).collect(),
            calls_per_minute: rate(&near.did),
            failed: pair(&near.did, Did::failed),
            mean_ms: pair(&near.did, Did::mean_ms),
            throttle_count: Failing::Throttled.of(&near.edge[1]),
            edge_calls_per_minute: rate(&near.edge),
            edge_failed: pair(&near.edge, Did::failed),
        }
    }
}

impl Evidence {
    /// Of a kind, with nothing said yet.
    pub(in crate::api) fn of(kind: &'static str) -> Self {
        Evidence {
            kind,
            title: String::new(),
            node: None,
            unit: None,
            before: None,
            after: None,
            at: None,
            search: None,
            sql: None,
            examples: Vec::new(),
        }
    }
}

impl RowSearch {
    pub(in crate::api) fn spans(
        filters: Vec<Condition>,
        times: &std::ops::Range<UnixNanos>,
    ) -> Self {
        RowSearch {
            dataset: "spans",
            filters,
            q: String::new(),
            from: Text(times.start),
            to: Text(times.end),
        }
    }

    /// Lines of a service that have the longest run of words which all of them have.
    pub(in crate::api) fn logs(
        service: &str,
        template: &str,
        times: &std::ops::Range<UnixNanos>,
    ) -> Self {
        let runs = template.split('…').map(|run| {
            let words = run.split(|it: char| !it.is_alphanumeric() && it != '_');
            words
                .filter(|word| !word.is_empty())
                .collect::<Vec<_>>()
                .join(" ")
        });
        let longest = runs.max_by_key(String::len).unwrap_or_default();
        let filters = vec![Condition {
            column: "service".to_owned(),
            op: throughline_store::Operator::Eq,
            value: json!(service),
        }];
        RowSearch {
            dataset: "logs",
            q: match longest.is_empty() {
                true => String::new(),
                false => format!("\"{longest}\""),
            },
            ..Self::spans(filters, times)
        }
    }
}

impl RuledOut {
    pub(in crate::api) fn of(title: &str) -> Self {
        RuledOut {
            node: None,
            title: title.to_owned(),
        }
    }

    /// A node that is as usual.
    pub(in crate::api) fn node(node: &Node) -> Self {
        RuledOut {
            node: Some(node.clone()),
            title: format!("{node} is as usual"),
        }
    }
}

#[allow(clippy::ref_option)] // serde hands over the field
fn unit<S: serde::Serializer>(unit: &Option<Unit>, serializer: S) -> Result<S::Ok, S::Error> {
    unit.map(Unit::name).serialize(serializer)
}

#[allow(clippy::ref_option)] // serde hands over the field
fn time<S: serde::Serializer>(time: &Option<UnixNanos>, serializer: S) -> Result<S::Ok, S::Error> {
    time.map(Text).serialize(serializer)
}
