//! Keys and values of attributes, for those who are about to name one.

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, RawQuery, State};
use axum::response::Response;
use throughline_telemetry::Signal;

use super::Reads;
use super::error::ApiError;
use super::query::Query;
use super::view;

/// What is asked for.
struct Asked {
    signal: Signal,
    prefix: String,
    limit: usize,
}

pub(super) async fn keys(
    State(reads): State<Reads>,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let asked = asked(query.as_deref())?;
    reads
        .answer(move |store| {
            let keys = store.attribute_keys(asked.signal, &asked.prefix, asked.limit)?;
            Ok(view::json(&view::AttributeList::new(&keys)))
        })
        .await
}

pub(super) async fn values(
    State(reads): State<Reads>,
    key: Result<Path<String>, PathRejection>,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let asked = asked(query.as_deref())?;
    let Ok(Path(key)) = key else {
        let problem = "the key in the path must be UTF-8".to_owned();
        return Err(ApiError::BadParameters(vec![problem]));
    };
    reads
        .answer(move |store| {
            let values = store.attribute_values(asked.signal, &key, &asked.prefix, asked.limit)?;
            Ok(view::json(&view::ValueList::new(&values)))
        })
        .await
}

fn asked(query: Option<&str>) -> Result<Asked, ApiError> {
    let mut query = Query::parse(query, &["dataset", "prefix", "limit"]);
    let datasets = [
        ("spans", Signal::Traces),
        ("logs", Signal::Logs),
        ("metrics", Signal::Metrics),
    ];
    let asked = Asked {
        signal: query.choice("dataset", &datasets).unwrap_or(Signal::Traces),
        prefix: query.text("prefix").unwrap_or_default(),
        limit: query.number("limit", 1, LIMIT_MAX).unwrap_or(LIMIT),
    };
    query.finish(asked)
}

const LIMIT: usize = 100;
const LIMIT_MAX: usize = 1000;
