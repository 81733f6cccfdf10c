//! `GET /api/v1/functions/{name}/advice`: which memory a function should have, and what came of the last change.

mod gather;

use std::time::Duration;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, RawQuery, State};
use axum::response::Response;
use throughline_insight::rightsize::{advise, changed};

use super::error::ApiError;
use super::queries::{Queries, now};
use super::query::Query;
use super::view;
use gather::Asked;

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
