//! `GET /api/v1/waits`: how long records lay in queues and the like before functions had them.

use std::time::Duration;

use axum::extract::{RawQuery, State};
use axum::response::Response;
use serde_json::Value;
use throughline_insight::waits as waits_of;
use throughline_store::{Count, Filter, Operator, SearchQuery};
use throughline_telemetry::Span;
use throughline_telemetry::correlation::IN_PATH;

use super::error::ApiError;
use super::live::ENVIRONMENT;
use super::queries::{Queries, now};
use super::query::Query;
use super::view;

/// The path.
pub(super) const WAITS: &str = "/api/v1/waits";

/// The parameters.
pub(super) const PARAMETERS: &[&str] = &["from", "to", "environment"];

pub(super) async fn list(
    State(queries): State<Queries>,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let search = search(query.as_deref())?;
    let (page, cost) = queries.search::<Span>(search).await?;
    let waits = waits_of(&page.rows);
    let is_all = page.rows.len() < SPANS_MAX;
    let answer = view::WaitList::new(&waits, page.rows.len(), is_all, &cost);
    Ok(view::json_response(view::json(&answer)))
}

fn search(query: Option<&str>) -> Result<SearchQuery, ApiError> {
    let mut query = Query::parse(query, PARAMETERS);
    let to = query.time("to").unwrap_or_else(now);
    let from = query.time("from").unwrap_or_else(|| to.minus(USUAL));
    if from > to {
        query.problem("`from` must not be after `to`");
    }
    let taken = Filter::is(IN_PATH, Operator::Exists, Value::Null);
    let filter = match query.text("environment") {
        Some(there) => taken.and(Filter::is(ENVIRONMENT, Operator::Eq, there)),
        None => taken,
    };
    query.finish(SearchQuery {
        filter,
        from: Some(from),
        to: Some(to),
        limit: Some(SPANS_MAX),
        count: Count::Page,
        ..SearchQuery::default()
    })
}

const USUAL: Duration = Duration::from_secs(60);
/// Spans of functions that are looked at, the newest ones: the most that a search gives at once.
const SPANS_MAX: usize = 1000;
