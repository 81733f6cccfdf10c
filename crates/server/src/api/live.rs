//! `GET /api/v1/live`: what each function does right now, every second, as events that the server sends.
//!
//! Invocations are followed only while somebody listens. Whoever comes first has what the store knows of
//! the last two minutes looked up; everyone else who looks at the same environment shares what was
//! gathered since.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use axum::extract::{RawQuery, State};
use axum::response::Response;
use bytes::Bytes;
use serde_json::Value;
use throughline_insight::{Call, Normal, SECONDS, Wall};
use throughline_store::{
    Count, Filter, Fresh, FunctionCall, OperationFilter, Operator, SearchQuery, Store,
};
use throughline_telemetry::{Resource, Span, SpanId, SpanKind, TraceId, UnixNanos};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, MissedTickBehavior};

use super::error::ApiError;
use super::events;
use super::queries::{Queries, now};
use super::query::Query;
use super::view;

/// The path.
pub(super) const LIVE: &str = "/api/v1/live";

/// Who listens shares this. Cheap to clone.
#[derive(Clone)]
pub(super) struct Live {
    queries: Queries,
    sessions: Arc<Mutex<HashMap<Which, Weak<Session>>>>,
}

/// Whose functions are looked at: those of one environment, or all.
type Which = Option<String>;

/// What is gathered, as long as anybody listens.
#[derive(Default)]
struct Session {
    wall: Mutex<Wall>,
    /// Whether what the store knows is on the wall.
    recalled: watch::Sender<bool>,
}

impl Live {
    pub(super) fn new(queries: Queries) -> Self {
        Live {
            queries,
            sessions: Arc::default(),
        }
    }

    /// As many as there are listeners at most.
    fn join(&self, which: Which) -> Arc<Session> {
        let sessions = &self.sessions;
        let mut sessions = sessions.lock().unwrap_or_else(PoisonError::into_inner);
        sessions.retain(|_, session| session.strong_count() > 0);
        if let Some(session) = sessions.get(&which).and_then(Weak::upgrade) {
            return session;
        }
        let session = Arc::new(Session::default());
        sessions.insert(which.clone(), Arc::downgrade(&session));
        let gather = gather(self.queries.clone(), which, Arc::downgrade(&session));
        tokio::spawn(gather);
        session
    }
}

impl Session {
    fn wall<T>(&self, work: impl FnOnce(&mut Wall) -> T) -> T {
        work(&mut self.wall.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

pub(super) async fn live(
    State(live): State<Live>,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let mut query = Query::parse(query.as_deref(), &["environment"]);
    let which = query.text("environment");
    let which = query.finish(which)?;
    let turn = live.queries.tail_turn().ok_or(ApiError::ReadsBusy)?;
    let session = live.join(which);
    let (sender, response) = events::answer();
    tokio::spawn(async move {
        let mut stopped = live.queries.stopped();
        tokio::select! {
            () = tell(&session, &sender) => {}
            // A server that stops must not wait for those who would listen for ever.
            _ = stopped.wait_for(|stopped| *stopped) => {}
            () = sender.closed() => {}
        }
        drop(turn);
    });
    Ok(response)
}

/// Sends every card every second until nobody listens, once what came before is known: a wall without
/// it would say that nothing was called.
async fn tell(session: &Session, events: &mpsc::Sender<Bytes>) {
    let mut recalled = session.recalled.subscribe();
    if recalled.wait_for(|recalled| *recalled).await.is_err() {
        return;
    }
    let mut ticks = tokio::time::interval(TELL_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let now = now();
        let json = session.wall(|wall| view::json(&view::WallView::new(wall, now)));
        let text = [b"event: wall\ndata: ", &json[..], b"\n\n"].concat();
        if events.send(Bytes::from(text)).await.is_err() {
            return;
        }
    }
}

/// Fills the wall until nobody listens any more.
async fn gather(queries: Queries, which: Which, session: Weak<Session>) {
    let mut follower = queries.store().follow();
    let known = recall(&queries, &which, &session).await;
    let mut stopped = queries.stopped();
    let mut learn_at = Instant::now();
    let mut ticks = tokio::time::interval(TELL_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let fresh = tokio::select! {
            fresh = follower.next() => match fresh {
                Some(fresh) => Some(fresh),
                None => return,
            },
            _ = ticks.tick() => None,
            _ = stopped.wait_for(|stopped| *stopped) => return,
        };
        let Some(session) = session.upgrade() else {
            return;
        };
        match fresh {
            Some(fresh) => session.wall(|wall| add(wall, &fresh, (&which, &known))),
            None => session.wall(|wall| wall.forget(now())),
        }
        if Instant::now() >= learn_at {
            learn_at = Instant::now() + LEARN_EVERY;
            tokio::spawn(learn(queries.clone(), Arc::downgrade(&session)));
        }
    }
}

fn add(wall: &mut Wall, fresh: &Fresh, (which, known): (&Which, &HashSet<(TraceId, SpanId)>)) {
    let now = now();
    for span in &fresh.spans {
        // What came while the store was asked is in both.
        let is_known = known.contains(&(span.trace_id, span.span_id));
        if !is_known && is_of(which, &span.resource) {
            wall.take(span, now);
        }
    }
    for span in &fresh.calls {
        let is_known = known.contains(&(span.trace_id, span.span_id));
        if !is_known && is_of(which, &span.resource) {
            add_call(wall, span, now);
        }
    }
    for report in &fresh.reports {
        if is_of(which, &report.resource) {
            wall.take_report(report, now);
        }
    }
    wall.missed(fresh.missed);
}

fn add_call(wall: &mut Wall, span: &Span, now: UnixNanos) {
    let Some(FunctionCall {
        function,
        is_throttled,
    }) = FunctionCall::of(span)
    else {
        return;
    };
    let call = match is_throttled {
        true => Call::Throttled,
        false => Call::Taken,
    };
    wall.take_call(function, span.end, call, now);
}

fn is_of(which: &Which, resource: &Resource) -> bool {
    let environment = resource.attributes.text(ENVIRONMENT);
    which.is_none() || which.as_deref() == environment
}

/// What the store knows of the last two minutes, and which spans that were.
async fn recall(
    queries: &Queries,
    which: &Which,
    session: &Weak<Session>,
) -> HashSet<(TraceId, SpanId)> {
    let end = now();
    let begin = end.minus(Duration::from_secs(SECONDS as u64));
    let invocations = Filter::is("throughline.phase", Operator::Eq, "invoke");
    let invocations = found(queries, which, invocations, begin).await;
    let calls = Filter::is("faas.invoked_name", Operator::Exists, Value::Null);
    let calls = found(queries, which, calls, begin).await;
    let Some(session) = session.upgrade() else {
        return HashSet::new();
    };
    let all_of_it = invocations.len() < RECALLED_MAX;
    let oldest = invocations.iter().map(|span| span.end).min();
    let since = oldest.filter(|_| !all_of_it).unwrap_or(begin);
    session.wall(|wall| {
        wall.seen_since(since);
        invocations.iter().for_each(|span| wall.take(span, end));
        calls.iter().for_each(|span| add_call(wall, span, end));
    });
    session.recalled.send_replace(true);
    let spans = invocations.iter().chain(&calls);
    spans.map(|span| (span.trace_id, span.span_id)).collect()
}

/// The newest spans of a kind; none if they cannot be looked up.
async fn found(queries: &Queries, which: &Which, filter: Filter, from: UnixNanos) -> Vec<Span> {
    let query = SearchQuery {
        filter: match which {
            Some(environment) => {
                filter.and(Filter::is(ENVIRONMENT, Operator::Eq, environment.as_str()))
            }
            None => filter,
        },
        from: Some(from),
        limit: Some(RECALLED_MAX),
        count: Count::Page,
        ..SearchQuery::default()
    };
    match queries.search::<Span>(query).await {
        Ok((page, _)) => page.rows,
        Err(error) => {
            tracing::warn!(%error, "the last two minutes cannot be looked up; what comes is shown");
            Vec::new()
        }
    }
}

/// What functions have done for a day is what is normal for them.
async fn learn(queries: Queries, session: Weak<Session>) {
    let store = queries.store().clone();
    let looked = queries.blocking(move || normals(&store, now())).await;
    let Some(session) = session.upgrade() else {
        return;
    };
    match looked {
        Ok(Ok(normals)) => session.wall(|wall| wall.learn(normals)),
        Ok(Err(error)) => tracing::warn!(%error, "what is normal for functions is not known"),
        Err(error) => tracing::warn!(%error, "what is normal for functions is not known"),
    }
}

/// The invocation's span has the name of its service.
fn normals(
    store: &Store,
    now: UnixNanos,
) -> Result<HashMap<String, Normal>, throughline_store::ReadError> {
    let filter = OperationFilter {
        from: now.minus(NORMAL_OF),
        // The last minutes may be what is not normal.
        to: now.minus(NORMAL_UNTIL),
        service: None,
        environment: None,
        limit: throughline_insight::FUNCTIONS_MAX * 4,
    };
    let rows = store.operations(&filter)?.operations;
    let of_functions = rows
        .into_iter()
        .filter(|row| row.kind == SpanKind::Server && row.name == row.service);
    Ok(of_functions
        .map(|row| {
            #[allow(clippy::cast_precision_loss)] // a day's invocations
            let error_ratio = row.errors as f64 / (row.count.max(1)) as f64;
            let percentile = |percent| row.durations.percentile(percent).unwrap_or_default();
            let normal = Normal {
                invocations: row.count,
                error_ratio,
                p50_ms: percentile(50.0),
                p99_ms: percentile(99.0),
            };
            (row.name, normal)
        })
        .collect())
}

/// What a resource calls its environment.
pub(super) const ENVIRONMENT: &str = "deployment.environment.name";
const TELL_EVERY: Duration = Duration::from_secs(1);
const LEARN_EVERY: Duration = Duration::from_secs(300);
const NORMAL_OF: Duration = Duration::from_secs(24 * 3600);
const NORMAL_UNTIL: Duration = Duration::from_secs(180);
/// Invocations, and calls, of the last two minutes that are looked up: the most that a search gives at once.
const RECALLED_MAX: usize = 1000;
