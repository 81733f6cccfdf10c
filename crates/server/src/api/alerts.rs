//! What somebody has set to be watched, and how it does: `/api/v1/alerts`.

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use serde::de::DeserializeOwned;
use tokio::task::JoinError;

use super::error::ApiError;
use super::query::Query;
use super::view;
use crate::alerts::{Alerts, RawSettings, SetError};

/// The path.
pub(super) const ALERTS: &str = "/api/v1/alerts";

/// Bytes of settings.
pub(super) const SETTINGS_BYTES_MAX: usize = 1 << 20;

pub(super) async fn show(
    State(alerts): State<Alerts>,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    Query::parse(query.as_deref(), &[]).finish(())?;
    Ok(answer(&alerts))
}

pub(super) async fn set(
    State(alerts): State<Alerts>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, ApiError> {
    let raw: RawSettings = read(body)?;
    let of_work = alerts.clone();
    let done = tokio::task::spawn_blocking(move || of_work.set(raw)).await;
    taken(done)?;
    Ok(answer(&alerts))
}

/// Settings as they were sent.
pub(super) fn read<T: DeserializeOwned>(
    body: Result<Bytes, BytesRejection>,
) -> Result<T, ApiError> {
    let body = body.map_err(|error| ApiError::BadSettings(error.body_text()))?;
    serde_json::from_slice(&body).map_err(|error| ApiError::BadSettings(error.to_string()))
}

/// What came of setting them.
pub(super) fn taken(done: Result<Result<(), SetError>, JoinError>) -> Result<(), ApiError> {
    match done {
        Ok(Ok(())) => Ok(()),
        Ok(Err(SetError::Problems(problems))) => Err(ApiError::BadSettings(problems.to_string())),
        Ok(Err(SetError::Changed)) => Err(ApiError::SettingsChanged),
        Ok(Err(SetError::Keep(error))) => {
            tracing::error!(%error, "cannot write what is to be watched");
            Err(ApiError::NotKept)
        }
        Err(error) => {
            tracing::error!(%error, "writing what is to be watched ended badly");
            Err(ApiError::NotKept)
        }
    }
}

fn answer(alerts: &Alerts) -> Response {
    let json = alerts.with(|settings, kept| view::json(&view::AlertList::new(settings, kept)));
    view::json_response(json)
}
