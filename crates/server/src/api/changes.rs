//! `GET /api/v1/changes`: what was changed, as reports of the platform tell it.

use axum::extract::{RawQuery, State};
use axum::response::Response;
use throughline_insight::detect::Change;
use throughline_telemetry::UnixNanos;

use super::error::ApiError;
use super::query::Query;
use super::view;
use crate::detection::Detection;

/// The path.
pub(super) const CHANGES: &str = "/api/v1/changes";

/// Which are asked for.
struct Wanted {
    subject: Option<String>,
    from: UnixNanos,
    to: UnixNanos,
    limit: usize,
}

pub(super) async fn list(
    State(detection): State<Detection>,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let wanted = wanted(query.as_deref())?;
    let json = detection.with(|detector| {
        let newest_first = detector.changes().rev();
        let found: Vec<&Change> = newest_first.filter(|it| wanted.has(it)).collect();
        view::json(&view::ChangeList::new(&found, wanted.limit))
    });
    Ok(view::json_response(json))
}

fn wanted(query: Option<&str>) -> Result<Wanted, ApiError> {
    let mut query = Query::parse(query, PARAMETERS);
    let wanted = Wanted {
        subject: query.text("subject"),
        from: query.time("from").unwrap_or_default(),
        to: query.time("to").unwrap_or(UnixNanos(u64::MAX)),
        limit: query.number("limit", 1, LIMIT_MAX).unwrap_or(LIMIT),
    };
    query.finish(wanted)
}

impl Wanted {
    fn has(&self, change: &Change) -> bool {
        let of = |subject: &String| change.node == *subject;
        self.subject.as_ref().is_none_or(of) && (self.from..self.to).contains(&change.at)
    }
}

pub(super) const PARAMETERS: &[&str] = &["subject", "from", "to", "limit"];
const LIMIT: usize = 50;
const LIMIT_MAX: usize = 200;
