//! Alerts that others tell become incidents: `POST /api/v1/alertmanager` for the webhook of an Alertmanager, and
//! `POST /api/v2/alerts`, where a Prometheus expects one. Both take either form.

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use throughline_notify::{Nodes, parse_alerts};

use super::error::ApiError;
use super::query::Query;
use super::view;
use crate::detection::Detection;

/// The path for an Alertmanager.
pub(super) const WEBHOOK: &str = "/api/v1/alertmanager";

/// The path for a Prometheus.
pub(super) const ALERTS: &str = "/api/v2/alerts";

/// Bytes of a body: some hundred alerts with long annotations.
pub(super) const BODY_BYTES_MAX: usize = 2 << 20;

pub(super) async fn take(
    State(detection): State<Detection>,
    RawQuery(query): RawQuery,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, ApiError> {
    Query::parse(query.as_deref(), &[]).finish(())?;
    let body = body.map_err(|error| ApiError::BadAlerts(error.body_text()))?;
    // What detection knows may be in use for a while.
    let taking = tokio::task::spawn_blocking(move || {
        let nodes = Nodes::new(&detection.names());
        let received = parse_alerts(&body, detection.now(), &nodes);
        received.map(|received| detection.hear(received))
    });
    match taking.await {
        Ok(Ok(taken)) => Ok(view::json_response(view::json(&view::AlertsTaken::new(
            taken,
        )))),
        Ok(Err(error)) => Err(ApiError::BadAlerts(error.to_string())),
        Err(failed) => std::panic::resume_unwind(failed.into_panic()),
    }
}
