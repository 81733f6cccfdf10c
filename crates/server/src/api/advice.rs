//! `GET /api/v1/functions/{name}/advice`: which memory a function should have, and what came of the last change. Actions
//! that give a function another size are suggested and verified by the same.

mod gather;

use std::time::Duration;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, RawQuery, State};
use axum::response::Response;
use throughline_insight::rightsize::{Advice, Change, Invocation, Why, advise, changed, settled};
use throughline_query::QueryError;
use throughline_telemetry::UnixNanos;

use super::error::ApiError;
use super::queries::{Queries, now};
use super::query::Query;
use super::view;
use gather::{Asked, Size};

/// The path.
pub(super) const ADVICE: &str = "/api/v1/functions/{name}/advice";

/// The parameters, beside the name.
pub(super) const PARAMETERS: &[&str] = &["from", "to", "environment", "slow_ms_max"];

pub(super) async fn show(
    State(queries): State<Queries>,
    name: Result<Path<String>, PathRejection>,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let Ok(Path(name)) = name else {
        let problem = "the name of the function is not UTF-8".to_owned();
        return Err(ApiError::BadParameters(vec![problem]));
    };
    let (asked, slow_ms_max) = asked(name, query.as_deref())?;
    let known = gather::gather(&queries, &asked).await?;
    // Thousands of invocations with each of some hundred sizes.
    let work = move || {
        let setup = known.setup(slow_ms_max);
        let advice = advise(&known.since, &setup);
        let change = known.changed.as_ref().and_then(|before| {
            let change = changed(&before.invocations, &known.since, &setup).ok()?;
            Some((before.until, change))
        });
        view::json(&view::AdviceView::new(
            &asked.function,
            &asked.times,
            &advice,
            change,
        ))
    };
    Ok(view::json_response(queries.blocking(work).await?))
}

/// What is said of a function by its last week; `None` where nothing can be said.
pub(crate) async fn of_last_week(
    queries: &Queries,
    function: &str,
    now: UnixNanos,
) -> Result<Option<Advice>, QueryError> {
    let asked = Asked {
        function: function.to_owned(),
        environment: None,
        times: now.minus(USUAL)..now,
    };
    let known = gather::gather(queries, &asked).await?;
    let work = move || advise(&known.since, &known.setup(None)).ok();
    queries.blocking(work).await
}

/// Another memory size that a function was given.
pub(crate) struct Resized {
    pub(crate) function: String,
    pub(crate) before_mb: u32,
    pub(crate) memory_mb: u32,
    pub(crate) at: UnixNanos,
}

/// What came of it by now, from the week before it and all invocations since; `None` while there are too few of them.
pub(crate) async fn verify(
    queries: &Queries,
    resized: &Resized,
    now: UnixNanos,
) -> Result<Option<Result<Change, Why>>, QueryError> {
    let at = resized.at;
    let before = Size {
        memory_mb: resized.before_mb,
        times: at.minus(USUAL)..at,
    };
    let since = Size {
        memory_mb: resized.memory_mb,
        times: at..now,
    };
    let asked = Asked {
        function: resized.function.clone(),
        environment: None,
        times: at.minus(USUAL)..now,
    };
    let known = gather::gather_sizes(queries, &asked, (before, since)).await?;
    let work = move || {
        let before: &[Invocation] = match &known.changed {
            Some(before) => &before.invocations,
            None => &[],
        };
        settled(before, &known.since, &known.setup(None))
    };
    queries.blocking(work).await
}

fn asked(function: String, query: Option<&str>) -> Result<(Asked, Option<f64>), ApiError> {
    let mut query = Query::parse(query, PARAMETERS);
    let to = query.time("to").unwrap_or_else(now);
    let from = query.time("from").unwrap_or_else(|| to.minus(USUAL));
    if from > to {
        query.problem("`from` must not be after `to`");
    }
    let slow = query.milliseconds("slow_ms_max");
    let asked = Asked {
        function,
        environment: query.text("environment"),
        times: from..to,
    };
    query.finish((asked, slow.map(|slow| slow.as_secs_f64() * 1e3)))
}

/// A week has every hour of every day.
const USUAL: Duration = Duration::from_secs(7 * 24 * 3600);
