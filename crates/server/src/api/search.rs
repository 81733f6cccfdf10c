//! `GET /api/v1/spans`, `GET /api/v1/logs` and `POST /api/v1/search`: rows that a filter lets through.

mod question;
mod tail;
pub(super) mod terms;

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use throughline_store::{Dataset, SearchQuery};
use throughline_telemetry::{LogRecord, Span};

use super::error::ApiError;
use super::queries::{Queries, read};
use super::view;
pub(super) use question::log_query;
#[cfg(test)]
pub(super) use question::{LOG_PARAMETERS, SPAN_PARAMETERS, TAIL_PARAMETERS};
use question::{Question, span_query};
pub(super) use tail::tail;

/// The path that finds spans.
pub(super) const SPANS: &str = "/api/v1/spans";

/// The path that finds log records.
pub(super) const LOGS: &str = "/api/v1/logs";

/// The path that sends log records as they arrive.
pub(super) const TAIL: &str = "/api/v1/logs/tail";

/// The path that takes filters as JSON.
pub(super) const SEARCH: &str = "/api/v1/search";

pub(super) async fn spans(
    State(queries): State<Queries>,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    find_spans(&queries, span_query(query.as_deref())?).await
}

pub(super) async fn logs(
    State(queries): State<Queries>,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    find_logs(&queries, log_query(query.as_deref())?).await
}

pub(super) async fn search(
    State(queries): State<Queries>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, ApiError> {
    let question: Question = read(body)?;
    let dataset = question.dataset;
    let query = question.query()?;
    match dataset {
        Dataset::Spans => find_spans(&queries, query).await,
        Dataset::Logs => find_logs(&queries, query).await,
        Dataset::Metrics => Err(ApiError::BadQuery(
            "spans and logs can be searched; metrics can be asked with SQL".to_owned(),
        )),
    }
}

async fn find_spans(queries: &Queries, query: SearchQuery) -> Result<Response, ApiError> {
    let (page, cost) = queries.search::<Span>(query).await?;
    Ok(view::json_response(view::json(&view::SpanPage::new(
        &page, &cost,
    ))))
}

async fn find_logs(queries: &Queries, query: SearchQuery) -> Result<Response, ApiError> {
    let (page, cost) = queries.search::<LogRecord>(query).await?;
    Ok(view::json_response(view::json(&view::LogPage::new(
        &page, &cost,
    ))))
}
