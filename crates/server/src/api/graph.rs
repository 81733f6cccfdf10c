//! What calls what, what services do, and what functions cost: from what was summed up.

use std::time::{Duration, Instant};

use axum::extract::{RawQuery, State};
use axum::response::Response;
use throughline_query::Cost;
use throughline_store::{Looked, OperationFilter, SumFilter};
use throughline_telemetry::UnixNanos;

use super::Reads;
use super::error::ApiError;
use super::queries::now;
use super::query::Query;
use super::view;

pub(super) async fn edges(
    State(reads): State<Reads>,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let mut query = Query::parse(query.as_deref(), &[&SUMS[..], &["environment"]].concat());
    let environment = query.text("environment");
    let filter = sum_filter(query)?;
    reads
        .answer(move |store| {
            let begun = moment();
            let found = store.edges(&filter, environment.as_deref())?;
            let cost = cost(found.looked, begun);
            Ok(view::json(&view::EdgeMap::new(&found, &cost)))
        })
        .await
}

pub(super) async fn costs(
    State(reads): State<Reads>,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let filter = sum_filter(Query::parse(query.as_deref(), &SUMS))?;
    reads
        .answer(move |store| {
            let begun = moment();
            let found = store.costs(&filter)?;
            let cost = cost(found.looked, begun);
            Ok(view::json(&view::CostPage::new(&found, &cost)))
        })
        .await
}

pub(super) async fn operations(
    State(reads): State<Reads>,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let mut query = Query::parse(
        query.as_deref(),
        &["from", "to", "service", "environment", "limit"],
    );
    let (from, to) = times(&mut query);
    let filter = OperationFilter {
        from,
        to,
        service: query.text("service"),
        environment: query.text("environment"),
        limit: query.number("limit", 1, LIMIT_MAX).unwrap_or(LIMIT),
    };
    let filter = query.finish(filter)?;
    reads
        .answer(move |store| {
            let begun = moment();
            let found = store.operations(&filter)?;
            let cost = cost(found.looked, begun);
            Ok(view::json(&view::OperationPage::new(&found, &cost)))
        })
        .await
}

fn sum_filter(mut query: Query) -> Result<SumFilter, ApiError> {
    let (from, to) = times(&mut query);
    let filter = SumFilter {
        from,
        to,
        service: query.text("service"),
        function: query.text("function"),
        limit: query.number("limit", 1, LIMIT_MAX).unwrap_or(LIMIT),
    };
    query.finish(filter)
}

/// The times that are asked about: the last hour, unless they are given.
fn times(query: &mut Query) -> (UnixNanos, UnixNanos) {
    let to = query.time("to").unwrap_or_else(now);
    let from = query.time("from").unwrap_or_else(|| to.minus(USUAL));
    if from > to {
        query.problem("`from` must not be after `to`");
    }
    (from, to)
}

fn cost(looked: Looked, begun: Instant) -> Cost {
    Cost {
        rows: looked.rows,
        bytes: looked.bytes,
        segments: looked.parts,
        rollups: looked.rollups,
        elapsed: begun.elapsed(),
    }
}

#[allow(clippy::disallowed_methods)] // the edge that measures how long an answer takes
fn moment() -> Instant {
    Instant::now()
}

/// What sums can be asked by.
const SUMS: [&str; 5] = ["from", "to", "service", "function", "limit"];
const USUAL: Duration = Duration::from_secs(3600);
const LIMIT: usize = 500;
const LIMIT_MAX: usize = 10_000;
