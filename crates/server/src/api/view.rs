//! What the API's JSON looks like: one struct for each schema of the OpenAPI file.

mod action;
mod advice;
mod alerts;
mod attributes;
mod change;
mod completeness;
mod contrast;
mod graph;
mod graph_query;
mod incident;
mod investigation;
mod log;
mod page;
mod span;
mod story;
mod trace;
mod waits;
mod wall;

use std::fmt::Display;

use axum::body::Body;
use axum::response::Response;
use http::HeaderValue;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use serde::{Serialize, Serializer};
use throughline_telemetry as telemetry;

pub(super) use action::{
    ActionList, ActionShown, ActionView, AuditPage, Behind, Fitting, FittingActions, Proposed,
    Radius, SourceList, Touched,
};
pub(super) use advice::AdviceView;
pub(super) use alerts::{AlertList, AlertsTaken};
pub(super) use attributes::{AttributeList, ValueList};
pub(super) use change::ChangeList;
pub(super) use completeness::Completeness;
pub(super) use contrast::{ContrastAnswer, filters};
pub(super) use graph::{CostPage, EdgeMap, OperationPage};
pub(super) use graph_query::{GraphAnswer, GraphLanguage};
pub(super) use incident::{Example, IncidentPage, IncidentView, Shown};
pub(super) use investigation::{Evidence, InvestigationView, RowSearch, RuledOut};
pub(super) use log::Log;
pub(super) use page::{LogPage, ServiceList, SpanPage, TracePage};
pub(super) use trace::{Summary, Trace};
pub(super) use waits::WaitList;
pub(super) use wall::WallView;

/// An error.
#[derive(Serialize)]
pub(super) struct Error {
    pub(super) code: &'static str,
    pub(super) message: String,
}

/// The library, or the stream of the platform, that made something.
#[derive(Serialize)]
struct Scope<'a> {
    name: &'a str,
    version: &'a str,
}

impl<'a> Scope<'a> {
    fn new(scope: &'a telemetry::Scope) -> Self {
        Scope {
            name: &scope.name,
            version: &scope.version,
        }
    }
}

/// Ids, times and durations: text in JSON.
struct Text<T>(T);

impl<T: Display> Serialize for Text<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

fn nanos(duration: std::time::Duration) -> Text<u128> {
    Text(duration.as_nanos())
}

/// JSON of a view.
pub(super) fn json(view: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(view).expect("views have text keys, and writing to memory does not fail")
}

/// A response with this JSON. It is never cached: the next one may know more.
pub(super) fn json_response(json: impl Into<Body>) -> Response {
    let mut response = Response::new(json.into());
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// A response with JSON that is written down already.
pub(super) fn json_text(json: &'static str) -> Response {
    json_response(json)
}
