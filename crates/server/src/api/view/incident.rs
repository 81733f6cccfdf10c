//! Incidents: what is unusual, and what was.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::{Value, json};
use throughline_insight::cause::Answer;
use throughline_insight::detect::{
    ColdWhy, CostFactor, Finding, Incident, Kind, Measure, Node, Severity, State, Subject,
};
use throughline_insight::investigate::{Affected, Found, Investigation, Neighbour, Suspect};
use throughline_notify::{Line, Whose};
use throughline_store::Condition;
use throughline_telemetry::{Span, SpanId, TraceId, UnixNanos};

use super::Text;
use super::change::ChangeView;
use super::investigation::NeighbourView;

/// Some of the incidents.
#[derive(Serialize)]
pub(in crate::api) struct IncidentPage<'a> {
    incidents: Vec<Summary<'a>>,
    total: usize,
    truncated: bool,
    next_cursor: Option<Text<u64>>,
}

/// One of them in a line.
#[derive(Serialize)]
struct Summary<'a> {
    id: u64,
    state: &'static str,
    severity: &'static str,
    title: String,
    since_unix_nanos: Text<UnixNanos>,
    opened_unix_nanos: Text<UnixNanos>,
    closed_unix_nanos: Option<Text<u64>>,
    merged_into: Option<u64>,
    nodes: BTreeSet<&'a Node>,
    finding_count: usize,
}

/// One of them with all that is known of it.
#[derive(Serialize)]
pub(in crate::api) struct IncidentView<'a> {
    #[serde(flatten)]
    summary: Summary<'a>,
    environments: &'a [Line],
    owners: &'a [Line],
    findings: Vec<FindingView<'a>>,
    callers: BTreeSet<&'a Node>,
    callees: BTreeSet<&'a Node>,
    cause: Option<CauseView<'a>>,
    affected: Option<AffectedView<'a>>,
}

/// Who suffers from the most probable cause.
#[derive(Serialize)]
struct AffectedView<'a> {
    upstream: Vec<NeighbourView<'a>>,
    downstream: Vec<NeighbourView<'a>>,
}

#[derive(Serialize)]
struct FindingView<'a> {
    kind: &'static str,
    title: String,
    subject: SubjectView<'a>,
    unit: &'static str,
    before: Option<MeasureView>,
    /// Which time it is of, in words.
    before_when: Option<String>,
    after: MeasureView,
    severity: &'static str,
    confidence: f64,
    since_unix_nanos: Text<UnixNanos>,
    seen_unix_nanos: Text<UnixNanos>,
    goes_on: bool,
    change: Option<ChangeView<'a>>,
    detail: Value,
    /// Filters of the spans that show it.
    filters: Option<Vec<Condition>>,
    examples: Vec<Example>,
}

#[derive(Serialize)]
struct SubjectView<'a> {
    node: &'a Node,
    operation: Option<&'a str>,
    to: Option<&'a Node>,
}

#[derive(Serialize)]
struct MeasureView {
    value: f64,
    low: f64,
    high: f64,
    of: u64,
}

/// What shows a finding.
#[derive(Default)]
pub(in crate::api) struct Shown {
    /// Filters of the spans that do; none where none do.
    pub(in crate::api) filters: Option<Vec<Condition>>,
    pub(in crate::api) examples: Vec<Example>,
}

/// A span that shows a finding.
#[derive(Serialize)]
pub(in crate::api) struct Example {
    trace_id: Text<TraceId>,
    span_id: Text<SpanId>,
    start_unix_nanos: Text<UnixNanos>,
    duration_ms: f64,
}

#[derive(Serialize)]
struct CauseView<'a> {
    node: &'a Node,
    symptom: &'static str,
    before: f64,
    after: f64,
    causes: Vec<CauseNode<'a>>,
    beside: Vec<CauseNode<'a>>,
    ruled_out: &'a [String],
    unexplained: f64,
    load: f64,
}

#[derive(Serialize)]
struct CauseNode<'a> {
    node: &'a str,
    symptom: &'static str,
    share: f64,
    before: f64,
    after: f64,
    calls: f64,
    path: &'a [String],
}

impl<'a> IncidentPage<'a> {
    /// `total` counts those from here on.
    pub(in crate::api) fn new(page: &[&'a Incident], total: usize) -> Self {
        let more = total > page.len();
        IncidentPage {
            incidents: page.iter().copied().map(Summary::new).collect(),
            total,
            truncated: false,
            next_cursor: page.last().filter(|_| more).map(|last| Text(last.id)),
        }
    }
}

impl<'a> Summary<'a> {
    fn new(incident: &'a Incident) -> Self {
        let (state, closed, merged_into) = match incident.state {
            State::Open => ("open", None, None),
            State::Closed(at) => ("closed", Some(Text(at)), None),
            State::MergedInto(id) => ("merged", None, Some(id)),
        };
        let first = incident.findings.first();
        Summary {
            id: incident.id,
            state,
            severity: severity_name(incident.severity()),
            title: first.map_or_else(String::new, |known| known.finding.to_string()),
            since_unix_nanos: Text(incident.since),
            opened_unix_nanos: Text(incident.opened),
            closed_unix_nanos: closed,
            merged_into,
            nodes: incident.nodes(),
            finding_count: incident.findings.len(),
        }
    }
}

impl<'a> IncidentView<'a> {
    /// `around` are calls from or to its nodes; `shown` is what shows the first findings.
    pub(in crate::api) fn new(
        incident: &'a Incident,
        around: &'a [(Node, Node)],
        whose: &'a Whose,
        cause: Option<&'a Answer>,
        shown: Vec<Shown>,
    ) -> Self {
        let nodes = incident.nodes();
        let callers = around.iter().filter(|(_, to)| nodes.contains(to));
        let callees = around.iter().filter(|(from, _)| nodes.contains(from));
        let shown = shown
            .into_iter()
            .chain(std::iter::repeat_with(Shown::default));
        let findings = incident.findings.iter().zip(shown);
        IncidentView {
            summary: Summary::new(incident),
            environments: &whose.environments,
            owners: &whose.owners,
            findings: findings
                .map(|(known, shown)| FindingView::new(&known.finding, known.goes_on, shown))
                .collect(),
            callers: callers.map(|(from, _)| from).collect(),
            callees: callees.map(|(_, to)| to).collect(),
            cause: cause.and_then(|answer| CauseView::new(&answer.told)),
            affected: cause.map(|answer| AffectedView::new(&answer.affected)),
        }
    }
}

impl<'a> FindingView<'a> {
    fn new(finding: &'a Finding, goes_on: bool, shown: Shown) -> Self {
        let (unit, detail) = detail(&finding.kind);
        let before_when = finding.before.and_then(|before| before.when);
        FindingView {
            kind: finding.kind.name(),
            title: finding.to_string(),
            subject: SubjectView::new(&finding.subject),
            unit,
            before: finding.before.map(MeasureView::new),
            before_when: before_when.map(|when| when.to_string()),
            after: MeasureView::new(finding.after),
            severity: severity_name(finding.severity),
            confidence: finding.confidence,
            since_unix_nanos: Text(finding.since),
            seen_unix_nanos: Text(finding.seen),
            goes_on,
            change: finding.change.as_ref().map(ChangeView::new),
            detail,
            filters: shown.filters,
            examples: shown.examples,
        }
    }
}

impl<'a> SubjectView<'a> {
    fn new(subject: &'a Subject) -> Self {
        let (node, operation, to) = match subject {
            Subject::Node(node) | Subject::Wait(node) => (node, None, None),
            Subject::Operation(node, operation) => (node, Some(operation.as_str()), None),
            Subject::Edge(from, to, operation) => (from, Some(operation.as_str()), Some(to)),
        };
        SubjectView {
            node,
            operation,
            to,
        }
    }
}

impl MeasureView {
    fn new(measure: Measure) -> Self {
        MeasureView {
            value: measure.value,
            low: measure.low,
            high: measure.high,
            of: measure.of,
        }
    }
}

impl Example {
    pub(in crate::api) fn new(span: &Span) -> Self {
        Example {
            trace_id: Text(span.trace_id),
            span_id: Text(span.span_id),
            start_unix_nanos: Text(span.start),
            duration_ms: span.duration().as_secs_f64() * 1e3,
        }
    }
}

impl<'a> AffectedView<'a> {
    fn new(around: &'a Affected) -> Self {
        let worse = |all: &'a [Neighbour]| {
            let worse = all.iter().filter(|near| !near.worse.is_empty());
            worse.map(NeighbourView::new).collect()
        };
        AffectedView {
            upstream: worse(&around.upstream),
            downstream: worse(&around.downstream),
        }
    }
}

impl<'a> CauseView<'a> {
    fn new(told: &'a Investigation) -> Option<Self> {
        let Found {
            confirmed,
            causes,
            beside,
            ruled_out,
            unexplained,
            load,
            ..
        } = told.found.as_ref()?;
        Some(CauseView {
            node: &told.node,
            symptom: told.symptom.name(),
            before: confirmed.before,
            after: confirmed.after,
            causes: causes.iter().map(CauseNode::new).collect(),
            beside: beside.iter().map(CauseNode::new).collect(),
            ruled_out,
            unexplained: *unexplained,
            load: *load,
        })
    }
}

impl<'a> CauseNode<'a> {
    fn new(suspect: &'a Suspect) -> Self {
        CauseNode {
            node: &suspect.node,
            symptom: suspect.symptom.name(),
            share: suspect.share,
            before: suspect.evidence.before,
            after: suspect.evidence.after,
            calls: suspect.evidence.calls,
            path: &suspect.path,
        }
    }
}

/// The unit of a kind's numbers, and what else it says.
fn detail(kind: &Kind) -> (&'static str, Value) {
    match kind {
        Kind::Latency { quantile } => ("ms", json!({"quantile": quantile})),
        Kind::Errors => ("share", json!({})),
        Kind::NewError { signature } => ("count", json!({"signature": signature})),
        Kind::NewEdge { class } => ("count", json!({"class": class.name()})),
        Kind::NearTimeout {
            quantile,
            timeout_ms,
            clipped,
            days_left,
        } => (
            "ms",
            json!({"quantile": quantile, "timeout_ms": timeout_ms, "clipped": clipped,
                "days_left": days_left}),
        ),
        Kind::Memory => ("share", json!({})),
        Kind::Leak { environment } => ("bytes", json!({"environment": environment})),
        Kind::Throttles => ("count", json!({})),
        Kind::ColdStarts { why } => {
            let why = match why {
                ColdWhy::Change => "change",
                ColdWhy::ScaleOut => "scale_out",
                ColdWhy::Recycled => "recycled",
            };
            ("share", json!({"why": why}))
        }
        Kind::Silence => ("count", json!({})),
        Kind::Waiting { quantile } => ("ms", json!({"quantile": quantile})),
        Kind::Backlog { is_stuck } => ("ms", json!({"is_stuck": is_stuck})),
        Kind::DeadLetters { worst, lost } => {
            let worst = worst.as_ref().map(|worst| {
                json!({"function": worst.function, "message": worst.message, "times": worst.times})
            });
            ("count", json!({"worst": worst, "lost": lost}))
        }
        Kind::Retries {
            message,
            times,
            is_failed,
        } => (
            "count",
            json!({"message": message, "times": times, "is_failed": is_failed}),
        ),
        Kind::Incomplete => ("share", json!({})),
        Kind::Cost { why } => {
            let why: Vec<Value> = why.iter().map(factor).collect();
            ("usd_per_hour", json!({"why": why}))
        }
        Kind::Outer(alert) => (
            "count",
            json!({"source": alert.source.title(), "name": alert.name, "says": alert.says,
                "labels": alert.labels, "href": alert.href}),
        ),
    }
}

fn factor((factor, usd): &(CostFactor, f64)) -> Value {
    let factor = match factor {
        CostFactor::Volume => "calls",
        CostFactor::Retries => "retries",
        CostFactor::Duration => "duration",
        CostFactor::ColdStarts => "cold_starts",
        CostFactor::Memory => "memory",
    };
    json!({"factor": factor, "usd_per_hour": usd})
}

fn severity_name(severity: Severity) -> &'static str {
    match severity {
        Severity::Note => "note",
        Severity::Warning => "warning",
        Severity::Critical => "critical",
    }
}
