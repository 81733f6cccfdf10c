//! Queries that are kept under a name for everybody: `/api/v1/saved`.

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use serde_json::json;

use super::alerts;
use super::error::ApiError;
use super::query::Query;
use super::view;
use crate::alerts::{Alerts, RawSaved};

/// The path.
pub(super) const SAVED: &str = "/api/v1/saved";

/// Bytes of saved queries: as many as there may be, of the most characters.
pub(super) const SAVED_BYTES_MAX: usize = 8 << 20;

pub(super) async fn show(
    State(kept): State<Alerts>,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    Query::parse(query.as_deref(), &[]).finish(())?;
    Ok(answer(&kept))
}

pub(super) async fn set(
    State(kept): State<Alerts>,
    RawQuery(query): RawQuery,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, ApiError> {
    let mut query = Query::parse(query.as_deref(), SET_PARAMETERS);
    let edition = query.text("edition");
    let edition = query.finish(edition)?;
    let raw: RawSaved = alerts::read(body)?;
    let of_work = kept.clone();
    let setting = move || of_work.set_saved(raw, edition.as_deref());
    let done = tokio::task::spawn_blocking(setting).await;
    alerts::taken(done)?;
    Ok(answer(&kept))
}

fn answer(kept: &Alerts) -> Response {
    let settings = kept.settings();
    let saved = settings.saved();
    view::json_response(view::json(&json!({
        "queries": saved.raw().queries,
        "edition": saved.edition(),
    })))
}

/// Which edition of the list is replaced.
pub(super) const SET_PARAMETERS: &[&str] = &["edition"];
