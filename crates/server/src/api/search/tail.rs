//! `GET /api/v1/logs/tail`: log records as they arrive, as events that the server sends.
//!
//! What a client has not read yet waits in the store and not in memory: the next records are taken once
//! the last ones are on their way. A client that is so slow that more than [`BEHIND_MAX`] have come
//! meanwhile gets the newest of them, and is told how many it missed.

use std::fmt::Write;
use std::time::Duration;

use axum::extract::{RawQuery, State};
use axum::response::Response;
use bytes::Bytes;
use http::{HeaderMap, HeaderName};
use throughline_store::{Arrived, LogCursor, Tail};
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior};

use super::super::error::ApiError;
use super::super::events;
use super::super::queries::{Queries, now};
use super::super::view;
use super::question::tail_filter;

pub(in crate::api) async fn tail(
    State(queries): State<Queries>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let filter = tail_filter(query.as_deref())?;
    let after = after(&headers)?;
    let turn = queries.tail_turn().ok_or(ApiError::ReadsBusy)?;
    let store = queries.store().clone();
    let tail = queries.blocking(move || Tail::new(store, filter, after, now()));
    let tail = tail.await?.map_err(ApiError::from)?;
    let (events, response) = events::answer();
    tokio::spawn(async move {
        let mut stopped = queries.stopped();
        tokio::select! {
            () = follow(&queries, tail, &events) => {}
            // A server that stops must not wait for those who would listen for ever.
            _ = stopped.wait_for(|stopped| *stopped) => {}
            () = events.closed() => {}
        }
        drop(turn);
    });
    Ok(response)
}

/// Sends what comes until nobody listens.
async fn follow(queries: &Queries, mut tail: Tail, events: &mpsc::Sender<Bytes>) {
    let mut looks = tokio::time::interval(LOOK_EVERY);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut text = String::from(": following\n\n");
    let mut last = Instant::now();
    let mut more = false;
    loop {
        if text.is_empty() && last.elapsed() > HEARTBEAT_EVERY {
            text.push_str(": nothing new\n\n");
        }
        if !text.is_empty() {
            if events
                .send(Bytes::from(std::mem::take(&mut text)))
                .await
                .is_err()
            {
                return;
            }
            last = Instant::now();
        }
        if !more {
            looks.tick().await;
        }
        let looked = queries.blocking(move || {
            let arrived = tail.next(AT_ONCE_MAX, BEHIND_MAX);
            (
                tail,
                arrived.map(|arrived| (written(&arrived), arrived.more)),
            )
        });
        let Ok((same, arrived)) = looked.await else {
            return;
        };
        tail = same;
        match arrived {
            Ok(arrived) => (text, more) = arrived,
            Err(error) => {
                tracing::warn!(%error, "cannot follow log records any further");
                let _ = events.send(Bytes::from_static(FAILED)).await;
                return;
            }
        }
    }
}

/// Events as they go over the wire.
fn written(arrived: &Arrived) -> String {
    let mut text = String::new();
    if arrived.dropped > 0 {
        let dropped = arrived.dropped;
        let _ = write!(text, "event: dropped\ndata: {{\"dropped\":{dropped}}}\n\n");
    }
    for (place, log) in &arrived.logs {
        let json = view::json(&view::Log::new(log));
        let json = String::from_utf8_lossy(&json);
        let _ = write!(text, "id: {place}\nevent: log\ndata: {json}\n\n");
    }
    text
}

/// What a client that comes back had last.
fn after(headers: &HeaderMap) -> Result<Option<LogCursor>, ApiError> {
    let Some(id) = headers.get(LAST_EVENT_ID) else {
        return Ok(None);
    };
    let id = id.to_str().ok().and_then(|id| id.parse().ok());
    let bad = || vec!["`Last-Event-ID` must be the id of an event of this server".to_owned()];
    id.map(Some).ok_or_else(|| ApiError::BadParameters(bad()))
}

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
const FAILED: &[u8] = b"event: failed\ndata: {\"message\":\"stored data could not be read\"}\n\n";
/// Far below the quarter of a second within which a record is to be seen.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// Below the time after which proxies close what is silent.
const HEARTBEAT_EVERY: Duration = Duration::from_secs(15);
/// Records that are sent at once.
const AT_ONCE_MAX: usize = 500;
/// Records that a client may be behind.
const BEHIND_MAX: usize = 10_000;
