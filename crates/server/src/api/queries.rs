//! `POST /api/v1/sql` and `POST /api/v1/query`: questions that need grouping.

use std::sync::Arc;
use std::time::SystemTime;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::response::Response;
use http::header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue};
use serde::Deserialize;
use serde_json::json;
use throughline_query::{Answer, Cost, Engine, QueryError, Spec, Split};
use throughline_store::{
    Filter, FoundPoints, SearchPage, SearchQuery, Searched, SplitQuery, Store, Viewer,
};
use throughline_telemetry::UnixNanos;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use super::error::ApiError;
use super::view;

/// The path that takes SQL.
pub(super) const SQL: &str = "/api/v1/sql";

/// The path that takes the product's own form of a query.
pub(super) const QUERY: &str = "/api/v1/query";

/// Bytes of a question.
pub(super) const QUESTION_BYTES_MAX: usize = 1 << 20;

/// Whether there were more rows than an answer may have, for forms that have no place for it.
const TRUNCATED: HeaderName = HeaderName::from_static("x-throughline-truncated");

/// What the query took, as JSON, for the same.
const COST: HeaderName = HeaderName::from_static("x-throughline-cost");

/// What answers questions. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Queries {
    store: Store,
    engine: Arc<Engine>,
    tails: Arc<Semaphore>,
    stopped: watch::Receiver<bool>,
}

impl Queries {
    /// Whether the server stops, `stopped` says.
    pub(crate) fn new(
        store: Store,
        engine: Arc<Engine>,
        tails_max: usize,
        stopped: watch::Receiver<bool>,
    ) -> Self {
        Queries {
            store,
            engine,
            tails: Arc::new(Semaphore::new(tails_max)),
            stopped,
        }
    }
}

impl Queries {
    pub(super) async fn search<T: Searched + 'static>(
        &self,
        query: SearchQuery,
    ) -> Result<(SearchPage<T>, Cost), QueryError> {
        self.engine.search(&self.store, query).await
    }

    pub(super) async fn sql(&self, sql: &str) -> Result<Answer, QueryError> {
        self.engine.sql(self.store.scan(), sql).await
    }

    pub(super) async fn points(
        &self,
        filter: Filter,
        from: UnixNanos,
        to: UnixNanos,
        max: usize,
    ) -> Result<(FoundPoints, Cost), QueryError> {
        let store = &self.store;
        self.engine.points(store, filter, from, to, max).await
    }

    pub(super) async fn split<V: Viewer + Send + 'static>(
        &self,
        query: SplitQuery,
        viewer: impl Fn() -> V + Send + 'static,
    ) -> Result<Split<V>, QueryError> {
        self.engine.split(&self.store, query, viewer).await
    }

    pub(super) fn store(&self) -> &Store {
        &self.store
    }

    /// A turn to follow, if there is one.
    pub(super) fn tail_turn(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.tails).try_acquire_owned().ok()
    }

    pub(super) fn stopped(&self) -> watch::Receiver<bool> {
        self.stopped.clone()
    }

    /// Does something on the threads of queries that may block.
    pub(super) async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, QueryError> {
        self.engine.blocking(work).await
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Sql {
    sql: String,
}

pub(super) async fn sql(
    State(queries): State<Queries>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, ApiError> {
    let question: Sql = read(body)?;
    let answer = queries.sql(&question.sql).await?;
    let (body, content_type) = Form::of(&headers).render(&answer)?;
    let mut response = Response::new(Body::from(body));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(
        TRUNCATED,
        HeaderValue::from_static(match answer.truncated {
            true => "true",
            false => "false",
        }),
    );
    if let Ok(cost) = HeaderValue::try_from(answer.cost.to_json().to_string()) {
        headers.insert(COST, cost);
    }
    Ok(response)
}

pub(super) async fn query(
    State(queries): State<Queries>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, ApiError> {
    let spec: Spec = read(body)?;
    let answer = queries
        .engine
        .query(queries.store.scan(), &spec, now())
        .await?;
    let heatmaps = answer.heatmaps.iter().map(Answer::to_json);
    let series = answer.series.as_ref().map(Answer::to_json).transpose();
    Ok(view::json_response(view::json(&json!({
        "results": answer.results.to_json()?,
        "series": series?,
        "heatmaps": heatmaps.collect::<Result<Vec<_>, _>>()?,
    }))))
}

/// The question in a body.
pub(super) fn read<T: serde::de::DeserializeOwned>(
    body: Result<Bytes, BytesRejection>,
) -> Result<T, ApiError> {
    let body = body.map_err(|error| ApiError::BadQuery(error.body_text()))?;
    serde_json::from_slice(&body).map_err(|error| ApiError::BadQuery(error.to_string()))
}

/// How an answer is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Json,
    Csv,
    Text,
    Arrow,
}

impl Form {
    fn of(headers: &HeaderMap) -> Self {
        let accept = headers.get(ACCEPT).and_then(|accept| accept.to_str().ok());
        let asks = |content_type: &str| accept.is_some_and(|accept| accept.contains(content_type));
        match () {
            () if asks("json") => Form::Json,
            () if asks("text/csv") => Form::Csv,
            () if asks("text/plain") => Form::Text,
            () if asks("arrow.stream") => Form::Arrow,
            () => Form::Json,
        }
    }

    fn render(self, answer: &Answer) -> Result<(Vec<u8>, &'static str), QueryError> {
        Ok(match self {
            Form::Json => (view::json(&answer.to_json()?), "application/json"),
            Form::Csv => (answer.to_csv()?.into_bytes(), "text/csv; charset=utf-8"),
            Form::Text => (answer.to_text()?.into_bytes(), "text/plain; charset=utf-8"),
            Form::Arrow => (answer.to_arrow()?, "application/vnd.apache.arrow.stream"),
        })
    }
}

#[allow(clippy::disallowed_methods)] // the edge that says what "the last hour" is
pub(super) fn now() -> UnixNanos {
    SystemTime::now().into()
}
