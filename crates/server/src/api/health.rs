//! How the server does: `GET /metrics` for Prometheus, `GET /api/v1/status` as JSON.

mod exposition;
mod status;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use http::HeaderValue;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use throughline_notify::TellerHealth;
use throughline_query::{Counts, Engine};
use throughline_store::{Health, ReadError, Store};

use super::error::ApiError;
use super::query::Query;
use super::view;
use crate::actions::{Actions, ActionsHealth};
use crate::alerts::{Alerts, AlertsHealth};
use crate::detection::{Detection, DetectionHealth};
use crate::ingest::Refusals;
use crate::telling::Telling;

/// The path that Prometheus asks.
pub(super) const METRICS: &str = "/metrics";

/// The path that answers in JSON.
pub(super) const STATUS: &str = "/api/v1/status";

/// What there is to look at. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Watch(Arc<Parts>);

struct Parts {
    store: Store,
    engine: Arc<Engine>,
    refusals: Arc<Refusals>,
    detection: Detection,
    actions: Actions,
    telling: Telling,
    alerts: Alerts,
    data_dir: PathBuf,
    begun: Instant,
}

/// Everything at one moment.
pub(crate) struct Seen {
    store: Health,
    queries: Counts,
    refusals: Vec<(&'static str, u64)>,
    detection: DetectionHealth,
    actions: ActionsHealth,
    telling: TellerHealth,
    alerts: AlertsHealth,
    disk: Option<Disk>,
    uptime: Duration,
}

/// The file system of the data directory.
struct Disk {
    free_bytes: u64,
    bytes: u64,
}

impl Watch {
    #[allow(clippy::disallowed_methods)] // the edge that knows since when the server is up
    pub(crate) fn new(
        store: Store,
        engine: Arc<Engine>,
        refusals: Arc<Refusals>,
        (detection, actions): (Detection, Actions),
        (telling, alerts): (Telling, Alerts),
        data_dir: PathBuf,
    ) -> Self {
        Watch(Arc::new(Parts {
            store,
            engine,
            refusals,
            detection,
            actions,
            telling,
            alerts,
            data_dir,
            begun: Instant::now(),
        }))
    }

    pub(super) fn detection(&self) -> Detection {
        self.0.detection.clone()
    }

    pub(super) fn actions(&self) -> Actions {
        self.0.actions.clone()
    }

    pub(super) fn telling(&self) -> Telling {
        self.0.telling.clone()
    }

    pub(super) fn alerts(&self) -> Alerts {
        self.0.alerts.clone()
    }

    /// Looks on a thread that may block. Not with the reads, whose turns may be taken when it matters.
    async fn see(&self) -> Result<Seen, ApiError> {
        let watch = self.clone();
        let seen = tokio::task::spawn_blocking(move || watch.0.see()).await;
        match seen {
            Ok(seen) => Ok(seen?),
            Err(error) => {
                tracing::error!(%error, "looking at the server's own state ended badly");
                Err(ApiError::ReadFailed)
            }
        }
    }
}

impl Parts {
    #[allow(clippy::disallowed_methods)] // the edge that says what is now
    fn see(&self) -> Result<Seen, ReadError> {
        let disk = rustix::fs::statvfs(&self.data_dir).ok();
        Ok(Seen {
            store: self.store.health(SystemTime::now().into())?,
            queries: self.engine.counts(),
            refusals: self.refusals.read().collect(),
            detection: self.detection.health(),
            actions: self.actions.health(),
            telling: self.telling.teller().health(),
            alerts: self.alerts.health(),
            disk: disk.map(|disk| Disk {
                free_bytes: disk.f_bavail.saturating_mul(disk.f_frsize),
                bytes: disk.f_blocks.saturating_mul(disk.f_frsize),
            }),
            uptime: self.begun.elapsed(),
        })
    }
}

pub(super) async fn metrics(State(watch): State<Watch>) -> Result<Response, ApiError> {
    let text = exposition::render(&watch.see().await?);
    let mut response = Response::new(Body::from(text));
    let headers = response.headers_mut();
    headers.insert(
        CONTENT_TYPE,
        HeaderValue::from_static(exposition::CONTENT_TYPE),
    );
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

pub(super) async fn status(
    State(watch): State<Watch>,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    Query::parse(query.as_deref(), &[]).finish(())?;
    let status = status::render(&watch.see().await?);
    Ok(view::json_response(view::json(&status)))
}

/// The version of this server.
const VERSION: &str = env!("CARGO_PKG_VERSION");
