//! The endpoints.

use std::time::Instant;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, RawQuery, State};
use axum::response::Response;
use axum::routing::{MethodRouter, get};
use http::Uri;
use throughline_store::{CompletenessFilter, ServiceFilter, TraceFilter, TraceStatus};
use throughline_telemetry::UnixNanos;

use super::Reads;
use super::attributes;
use super::error::ApiError;
use super::graph;
use super::graph_query;
use super::query::Query;
use super::story;
use super::view;

/// An endpoint: its path, as in the OpenAPI file, and what answers it.
type Route = (&'static str, fn() -> MethodRouter<Reads>);

/// Every endpoint that reads the store by itself.
pub(super) const ROUTES: &[Route] = &[
    ("/healthz", || get(health)),
    ("/api/v1/openapi.json", || get(openapi)),
    ("/api/v1/traces", || get(find_traces)),
    ("/api/v1/traces/{id}", || get(load_trace)),
    ("/api/v1/services", || get(list_services)),
    ("/api/v1/operations", || get(graph::operations)),
    ("/api/v1/edges", || get(graph::edges)),
    ("/api/v1/costs", || get(graph::costs)),
    ("/api/v1/graph", || get(graph_query::language)),
    ("/api/v1/attributes", || get(attributes::keys)),
    ("/api/v1/attributes/{key}/values", || {
        get(attributes::values)
    }),
    ("/api/v1/completeness", || get(completeness)),
];

async fn health() -> Response {
    view::json_text(r#"{"status":"ok"}"#)
}

async fn openapi() -> Response {
    view::json_text(crate::OPENAPI)
}

async fn find_traces(
    State(reads): State<Reads>,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let filter = trace_filter(query.as_deref())?;
    reads
        .answer(move |store| {
            let begun = clock();
            let page = store.find_traces(&filter)?;
            Ok(view::json(&view::TracePage::new(page, begun.elapsed())))
        })
        .await
}

async fn load_trace(
    State(reads): State<Reads>,
    uri: Uri,
    id: Result<Path<String>, PathRejection>,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let mut query = Query::parse(query.as_deref(), &["anywhere"]);
    let anywhere = query.choice("anywhere", &[("true", true), ("false", false)]);
    let anywhere = query.finish(anywhere.unwrap_or_default())?;
    let id = id_of(&uri, id)?;
    reads
        .answer(move |store| {
            let found = story::find(store, &id, anywhere)?;
            Ok(view::json(&view::Trace::new(&found)))
        })
        .await
}

async fn list_services(
    State(reads): State<Reads>,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let filter = service_filter(query.as_deref())?;
    reads
        .answer(move |store| {
            let begun = clock();
            let list = store.services(&filter)?;
            let elapsed = begun.elapsed();
            let list = view::ServiceList::new(&list, elapsed, SERVICES_MAX);
            Ok(view::json(&list))
        })
        .await
}

async fn completeness(
    State(reads): State<Reads>,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let filter = completeness_filter(query.as_deref())?;
    reads
        .answer(move |store| {
            let begun = clock();
            let report = store.completeness(&filter)?;
            let elapsed = begun.elapsed();
            Ok(view::json(&view::Completeness::new(&report, elapsed)))
        })
        .await
}

/// A path whose last part does not decode to text names nothing either.
fn id_of(uri: &Uri, text: Result<Path<String>, PathRejection>) -> Result<String, ApiError> {
    let Ok(Path(text)) = text else {
        let written = uri.path().rsplit('/').next().unwrap_or_default();
        let why = "it is not UTF-8".to_owned();
        return Err(ApiError::BadId(written.to_owned(), why));
    };
    match text.len() > ID_BYTES_MAX {
        true => {
            let begin = text.chars().take(64).collect();
            let why = format!("it has more than {ID_BYTES_MAX} bytes");
            Err(ApiError::BadId(begin, why))
        }
        false => Ok(text),
    }
}

fn trace_filter(query: Option<&str>) -> Result<TraceFilter, ApiError> {
    let mut query = Query::parse(query, TRACE_PARAMETERS);
    let filter = TraceFilter {
        service: query.text("service"),
        operation: query.text("operation"),
        status: query.choice(
            "status",
            &[("ok", TraceStatus::Ok), ("error", TraceStatus::Error)],
        ),
        min_duration: query.milliseconds("min_duration_ms"),
        attributes: query.attributes("attribute", ATTRIBUTES_MAX),
        from: query.time("from"),
        to: query.time("to"),
        limit: query
            .number("limit", 1, TRACES_MAX)
            .unwrap_or(TRACES_DEFAULT),
        after: query.cursor("cursor"),
    };
    query.finish(filter)
}

fn service_filter(query: Option<&str>) -> Result<ServiceFilter, ApiError> {
    let mut query = Query::parse(query, SERVICE_PARAMETERS);
    let filter = ServiceFilter {
        from: query.time("from"),
        to: query.time("to"),
    };
    query.finish(filter)
}

fn completeness_filter(query: Option<&str>) -> Result<CompletenessFilter, ApiError> {
    let mut query = Query::parse(query, COMPLETENESS_PARAMETERS);
    let filter = CompletenessFilter {
        function: query.text("function"),
        from: query.time("from"),
        to: query.time("to"),
        limit: query
            .number("limit", 1, FUNCTIONS_MAX)
            .unwrap_or(FUNCTIONS_DEFAULT),
        now: now(),
        after: query.cursor("cursor"),
    };
    query.finish(filter)
}

#[allow(clippy::disallowed_methods)] // an edge: how long ago something was depends on when it is asked
fn now() -> UnixNanos {
    std::time::SystemTime::now().into()
}

#[allow(clippy::disallowed_methods)] // an edge: an answer says how long it took
fn clock() -> Instant {
    Instant::now()
}

const SERVICE_PARAMETERS: &[&str] = &["from", "to"];
const TRACE_PARAMETERS: &[&str] = &[
    "service",
    "operation",
    "status",
    "min_duration_ms",
    "attribute",
    "from",
    "to",
    "limit",
    "cursor",
];
const COMPLETENESS_PARAMETERS: &[&str] = &["function", "from", "to", "limit", "cursor"];
const FUNCTIONS_DEFAULT: usize = 50;
const FUNCTIONS_MAX: usize = 200;
const TRACES_DEFAULT: usize = 50;
const TRACES_MAX: usize = 200;
/// Each is looked for in every span that may match.
const ATTRIBUTES_MAX: usize = 16;
/// Longer than any id: keys of objects have 1,024 bytes, and the bucket's name before them.
const ID_BYTES_MAX: usize = 2048;
/// More than a page can show; what is left out is said.
const SERVICES_MAX: usize = 1000;

#[cfg(test)]
mod tests;
