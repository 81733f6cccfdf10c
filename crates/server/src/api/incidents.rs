//! `GET /api/v1/incidents` and `GET /api/v1/incidents/{id}`: what is unusual, and what was.

mod spans;
mod whose;

use std::time::Duration;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, RawQuery, State};
use axum::response::Response;
use throughline_insight::Detector;
use throughline_insight::detect::{self, Incident, Node, Severity};
use throughline_store::{Condition, Count, Filter, SearchQuery};
use throughline_telemetry::{Span, UnixNanos};

use super::error::ApiError;
use super::investigations::cause_of;
use super::queries::Queries;
use super::query::Query;
use super::view::{self, Example, Shown};
use crate::detection::Detection;
pub(crate) use whose::whose_of;

/// The path that lists them.
pub(super) const INCIDENTS: &str = "/api/v1/incidents";

/// The path of one.
pub(super) const INCIDENT: &str = "/api/v1/incidents/{id}";

/// What one is shown from. Cheap to clone.
#[derive(Clone)]
pub(super) struct Incidents {
    pub(super) detection: Detection,
    pub(super) queries: Queries,
}

/// Which are asked for.
struct Wanted {
    is_open: Option<bool>,
    least: Severity,
    subject: Option<String>,
    from: UnixNanos,
    to: UnixNanos,
    before: u64,
    limit: usize,
}

pub(super) async fn list(
    State(detection): State<Detection>,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let wanted = wanted(query.as_deref())?;
    let json = detection.with(|detector| {
        // The newest last, and none is ever put in between.
        let found = detector.incidents().iter().rev();
        let found: Vec<&Incident> = found.filter(|incident| wanted.has(incident)).collect();
        let all = found.iter();
        let total = all.filter(|incident| incident.id < wanted.before).count();
        let page = found
            .into_iter()
            .filter(|incident| incident.id < wanted.before);
        let page: Vec<&Incident> = page.take(wanted.limit).collect();
        view::json(&view::IncidentPage::new(&page, total))
    });
    Ok(view::json_response(json))
}

pub(super) async fn show(
    State(Incidents { detection, queries }): State<Incidents>,
    id: Result<Path<String>, PathRejection>,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    Query::parse(query.as_deref(), &[]).finish(())?;
    let Ok(Path(id)) = id else {
        return Err(ApiError::UnknownIncident("of that name".to_owned()));
    };
    let known = detection.with(|detector| {
        let number = id.parse::<u64>().ok()?;
        let mut all = detector.incidents().iter();
        let incident = all.find(|incident| incident.id == number)?.clone();
        let around = around(detector, &incident);
        Some((incident, around))
    });
    let Some((incident, around)) = known else {
        return Err(ApiError::UnknownIncident(id));
    };
    let (cause, whose) = tokio::join!(
        cause_of(&detection, &queries, &incident),
        whose_of(&queries, &incident)
    );
    let whose = whose.unwrap_or_default();
    let shown = shown(&queries, &incident).await;
    let view = view::IncidentView::new(&incident, &around, &whose, cause.as_ref(), shown);
    Ok(view::json_response(view::json(&view)))
}

/// Calls from its nodes or to them, of which the other end is none of them.
fn around(detector: &Detector, incident: &Incident) -> Vec<(Node, Node)> {
    let nodes = incident.nodes();
    let calls = detector.calls();
    let calls = calls.filter(|(from, to)| nodes.contains(from) != nodes.contains(to));
    calls.map(|(from, to)| (from.clone(), to.clone())).collect()
}

/// What shows its findings, of as many as there is time for.
async fn shown(queries: &Queries, incident: &Incident) -> Vec<Shown> {
    let mut shown = Vec::new();
    let look = async {
        for (at, known) in incident.findings.iter().enumerate() {
            let examples = if at < WITH_EXAMPLES { EXAMPLES } else { 0 };
            let found = find(queries, &known.finding, examples).await;
            shown.push(found.unwrap_or_else(|error| {
                tracing::warn!(
                    ?error,
                    incident = incident.id,
                    "spans of a finding cannot be found"
                );
                Shown::default()
            }));
        }
    };
    if tokio::time::timeout(PATIENCE, look).await.is_err() {
        tracing::warn!(
            incident = incident.id,
            "an incident is shown without some of its spans, which take too long to find"
        );
    }
    shown
}

/// Filters of the spans that show a finding, and the newest of them.
async fn find(
    queries: &Queries,
    finding: &detect::Finding,
    examples: usize,
) -> Result<Shown, ApiError> {
    let Some(sought) = spans::that_show(finding) else {
        return Ok(Shown::default());
    };
    let filters = sought
        .filters(queries, &(finding.since..finding.seen))
        .await?;
    let examples = match &filters {
        Some(filters) if examples > 0 => newest(queries, finding, filters, examples).await?,
        _ => Vec::new(),
    };
    Ok(Shown { filters, examples })
}

async fn newest(
    queries: &Queries,
    finding: &detect::Finding,
    filters: &[Condition],
    limit: usize,
) -> Result<Vec<Example>, ApiError> {
    let query = SearchQuery {
        filter: Filter::All(filters.iter().cloned().map(Filter::Is).collect()),
        from: Some(finding.since),
        to: Some(finding.seen),
        limit: Some(limit),
        count: Count::Page,
        ..SearchQuery::default()
    };
    let (page, _) = queries.search::<Span>(query).await?;
    Ok(page.rows.iter().map(Example::new).collect())
}

fn wanted(query: Option<&str>) -> Result<Wanted, ApiError> {
    let mut query = Query::parse(query, LIST_PARAMETERS);
    let wanted = Wanted {
        is_open: query.choice("state", &[("open", true), ("closed", false)]),
        least: query
            .choice(
                "severity",
                &[
                    ("note", Severity::Note),
                    ("warning", Severity::Warning),
                    ("critical", Severity::Critical),
                ],
            )
            .unwrap_or(Severity::Note),
        subject: query.text("subject"),
        from: query.time("from").unwrap_or_default(),
        to: query.time("to").unwrap_or(UnixNanos(u64::MAX)),
        before: query.number("cursor", 1, u64::MAX).unwrap_or(u64::MAX),
        limit: query.number("limit", 1, LIMIT_MAX).unwrap_or(LIMIT),
    };
    query.finish(wanted)
}

impl Wanted {
    fn has(&self, incident: &Incident) -> bool {
        let is_open = incident.state == detect::State::Open;
        let ended = match incident.state {
            detect::State::Closed(at) => UnixNanos(at),
            detect::State::Open | detect::State::MergedInto(_) => UnixNanos(u64::MAX),
        };
        // What is part of another is shown there.
        let is_itself = !matches!(incident.state, detect::State::MergedInto(_));
        let of = |subject: &String| incident.nodes().contains(subject);
        is_itself
            && self.is_open.is_none_or(|wanted| wanted == is_open)
            && incident.severity() >= self.least
            && self.subject.as_ref().is_none_or(of)
            && incident.since < self.to
            && ended >= self.from
    }
}

pub(super) const LIST_PARAMETERS: &[&str] = &[
    "state", "severity", "subject", "from", "to", "limit", "cursor",
];
const LIMIT: usize = 50;
const LIMIT_MAX: usize = 200;
/// Findings, the first ones, of which spans are shown, and how many of each.
const WITH_EXAMPLES: usize = 5;
const EXAMPLES: usize = 3;
/// How long spans are looked for.
const PATIENCE: Duration = Duration::from_secs(10);
