//! `POST /api/v1/graph/query`: questions to the graph of who called whom, and `GET /api/v1/graph`: what can be asked.
//!
//! The graph is derived from edges, operations and costs of the window that the query is about ([`gather`]), of as
//! much as it speaks of, and forgotten with the answer.

mod gather;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::response::Response;
use serde::Deserialize;
use serde_json::Value;
use throughline_insight::detect::Change;
use throughline_insight::graph::{Asked, Limits, Mistake, Query, Windows};
use throughline_insight::question::{Window, Zone};
use throughline_query::Engine;
use throughline_store::Store;
use throughline_telemetry::UnixNanos;
use tokio::sync::Semaphore;

use super::error::ApiError;
use super::queries::{Queries, read};
use super::view;
use crate::alerts::AskError;
use crate::config;
use crate::detection::Detection;
use gather::Gather;
pub(super) use gather::Gathered;

/// The path that takes queries.
pub(super) const QUERY: &str = "/api/v1/graph/query";

/// What answers questions to the graph. Cheap to clone.
#[derive(Clone)]
pub(super) struct Graphs {
    detection: Detection,
    queries: Queries,
    turns: Arc<Semaphore>,
    wait: Duration,
}

impl Graphs {
    pub(super) fn new(detection: Detection, queries: Queries, limits: &config::Limits) -> Self {
        Graphs {
            detection,
            queries,
            turns: Arc::new(Semaphore::new(limits.reads_max.min(AT_ONCE))),
            wait: limits.read_wait,
        }
    }
}

/// What is asked. The times are those of a query without DURING.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Request {
    query: String,
    from: Option<String>,
    to: Option<String>,
    #[serde(default)]
    utc_offset_minutes: i32,
}

pub(super) async fn answer(
    State(graphs): State<Graphs>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, ApiError> {
    let begun = moment();
    let request: Request = read(body)?;
    let Graphs {
        detection, queries, ..
    } = &graphs;
    let query = Query::parse(&request.query)?;
    let windows = query.windows(&request.asked(detection.now())?)?;
    let turn = tokio::time::timeout(graphs.wait, Arc::clone(&graphs.turns).acquire_owned()).await;
    let Ok(Ok(turn)) = turn else {
        return Err(ApiError::ReadsBusy);
    };
    // What changed is the lesser part of what somebody waits for.
    let changes = match query.uses().changed {
        true => changes(detection, &windows, REPORTS).await,
        false => Some(Vec::new()),
    };
    let changes = changes.unwrap_or_default();
    let gather = gather(detection, queries.store(), &query, changes);
    let waiting = Waiting::default();
    let is_wanted = Arc::clone(&waiting.0);
    let work = move || -> Result<Vec<u8>, ApiError> {
        let _turn = turn; // held here, because a caller that goes away does not stop a read
        let gathered = gather.all(&windows)?;
        let may_go_on = || begun.elapsed() < BUDGET && is_wanted.load(Ordering::Relaxed);
        let found = query.answer(&gathered.graph, &Limits::default(), &may_go_on);
        let view = view::GraphAnswer::new(&found, &gathered, &windows, begun.elapsed());
        Ok(view::json(&view))
    };
    let json = queries.blocking(work).await??;
    drop(waiting);
    Ok(view::json_response(json))
}

/// Columns and rows, as in the API, of a question that somebody has set to be asked again and again: of the hour before
/// `at`, unless it says of when. `cut` says why these are not all.
pub(crate) async fn standing(
    engine: &Engine,
    store: &Store,
    detection: &Detection,
    text: &str,
    at: UnixNanos,
) -> Result<Value, AskError> {
    let begun = moment();
    let query = Query::parse(text)?;
    let windows = query.windows(&Asked {
        now: at,
        zone: Zone::of_minutes(0),
        window: Window {
            from: at.minus(USUAL),
            to: at,
        },
    })?;
    let changes = match query.uses().changed {
        true => changes(detection, &windows, STANDING_BUDGET).await,
        false => Some(Vec::new()),
    };
    let changes = changes.ok_or(AskError::ChangesNotKnown)?;
    let gather = gather(detection, store, &query, changes);
    let work = move || -> Result<Value, AskError> {
        let gathered = gather.all(&windows)?;
        let may_go_on = || begun.elapsed() < STANDING_BUDGET;
        let found = query.answer(&gathered.graph, &Limits::default(), &may_go_on);
        let view = view::GraphAnswer::new(&found, &gathered, &windows, begun.elapsed());
        Ok(view.to_rows())
    };
    engine.blocking(work).await?
}

fn gather(detection: &Detection, store: &Store, query: &Query, changes: Vec<Change>) -> Gather {
    Gather {
        store: store.clone(),
        names: detection.services(),
        uses: query.uses(),
        changes,
    }
}

pub(super) async fn language() -> Response {
    view::json_response(view::json(&view::GraphLanguage::new()))
}

/// Says that nobody waits any more, when it is dropped.
struct Waiting(Arc<AtomicBool>);

impl Default for Waiting {
    fn default() -> Self {
        Waiting(Arc::new(AtomicBool::new(true)))
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Relaxed);
    }
}

/// When functions changed, as the platform's reports tell it; none where they cannot be read in time.
async fn changes(detection: &Detection, windows: &Windows, time: Duration) -> Option<Vec<Change>> {
    let Window { from, to } = windows.during;
    let asked = tokio::time::timeout(time, detection.reports(&(from..to))).await;
    match asked {
        Ok(Ok(reports)) => {
            let mut changes = detection.changes(&reports);
            changes.retain(|change| (from..to).contains(&change.at));
            Some(changes)
        }
        Ok(Err(error)) => {
            tracing::warn!(%error, "reports cannot be read for a question to the graph");
            None
        }
        Err(_) => None,
    }
}

impl Request {
    fn asked(&self, now: UnixNanos) -> Result<Asked, ApiError> {
        let time = |text: &Option<String>, otherwise: UnixNanos| match text {
            None => Ok(otherwise),
            Some(text) => text.parse().map(UnixNanos).map_err(|_| {
                ApiError::BadQuery("`from` and `to` are Unix nanoseconds, as text".to_owned())
            }),
        };
        let to = time(&self.to, now)?;
        let from = time(&self.from, to.minus(USUAL))?;
        if from > to {
            return Err(ApiError::BadQuery(
                "`from` must not be after `to`".to_owned(),
            ));
        }
        Ok(Asked {
            now,
            zone: Zone::of_minutes(self.utc_offset_minutes),
            window: Window { from, to },
        })
    }
}

impl From<Mistake> for ApiError {
    fn from(mistake: Mistake) -> Self {
        ApiError::BadQuery(mistake.to_string())
    }
}

#[allow(clippy::disallowed_methods)] // an edge: an answer says how long it took
fn moment() -> Instant {
    Instant::now()
}

/// Until the answer: then rows are no longer looked for, and those that were found are answered.
const BUDGET: Duration = Duration::from_secs(3);
/// The same where nobody waits for it.
const STANDING_BUDGET: Duration = Duration::from_secs(10);
/// What reports of the platform may take of it.
const REPORTS: Duration = Duration::from_millis(1200);
/// What is looked at where nothing else is said.
const USUAL: Duration = Duration::from_secs(3600);
/// Questions at once, each of which has a graph.
const AT_ONCE: usize = 2;
