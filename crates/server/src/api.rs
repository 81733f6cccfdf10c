//! The HTTP API under `/api/v1`, and the page around it.
//!
//! `openapi.json` beside this crate's manifest describes it; tests hold the two together. Every
//! question is a line of [`ROUTES`](routes) or of [`router`], every parameter is named in `query`, every answer is a struct of
//! `view`, every error is a line of `error`.

mod actions;
mod advice;
mod alerts;
mod attributes;
mod changes;
mod compressed;
mod contrast;
mod error;
mod events;
mod graph;
mod graph_query;
mod guard;
mod health;
mod incidents;
mod investigations;
mod live;
mod metrics;
mod notifications;
mod outer;
mod queries;
mod query;
mod read;
mod routes;
mod saved;
mod search;
mod shown;
mod story;
mod view;
mod waits;

use std::sync::Arc;

use axum::extract::DefaultBodyLimit;
use axum::routing::{MethodRouter, get, post};
use axum::{Router, middleware};
use throughline_query::Engine;
use throughline_store::Store;
use tokio::sync::watch;

use crate::access::Access;
use crate::cloudwatch;
use crate::config::Limits;
use crate::detection::Detection;
use crate::ingest::Intake;
use crate::mcp;
use crate::page;

pub(crate) use advice::{Resized, of_last_week, verify};
pub(crate) use graph_query::standing as standing_graph;
pub(crate) use health::Watch;
pub(crate) use incidents::whose_of;
pub(crate) use investigations::cause_of;
pub(crate) use queries::Queries;
pub(crate) use read::Reads;

/// Everything that arrives on the HTTP port. Tools of assistants ask the endpoints as the page does.
pub(crate) fn router(
    store: Store,
    engine: Arc<Engine>,
    health: Watch,
    access: Access,
    limits: Limits,
    intake: Intake,
    stopped: watch::Receiver<bool>,
) -> Router {
    let detection = health.detection();
    let telling = health.telling();
    let alerts = health.alerts();
    let queries = Queries::new(store.clone(), engine, limits.tails_max, stopped);
    let reads = Reads::new(store, limits.reads_max, limits.read_wait);
    let routes = routes::ROUTES
        .iter()
        .fold(Router::new(), |router, (path, route)| {
            router.route(path, route())
        });
    let acts = actions::Acts {
        actions: health.actions(),
        detection: detection.clone(),
        teller: telling.teller().clone(),
        queries: queries.clone(),
    };
    let api = routes
        .merge(actions::router(acts))
        .route(
            cloudwatch::PATH,
            post(cloudwatch::take).with_state(cloudwatch::Reader::new(intake)),
        )
        .route(
            queries::SQL,
            question(post(queries::sql)).with_state(queries.clone()),
        )
        .route(
            queries::QUERY,
            question(post(queries::query)).with_state(queries.clone()),
        )
        .route(
            contrast::CONTRAST,
            question(post(contrast::contrast)).with_state(queries.clone()),
        )
        .route(
            search::SEARCH,
            question(post(search::search)).with_state(queries.clone()),
        )
        .route(
            search::SPANS,
            get(search::spans).with_state(queries.clone()),
        )
        .route(search::LOGS, get(search::logs).with_state(queries.clone()))
        .route(search::TAIL, get(search::tail).with_state(queries.clone()))
        .route(waits::WAITS, get(waits::list).with_state(queries.clone()))
        .route(
            advice::ADVICE,
            get(advice::show).with_state(queries.clone()),
        )
        .route(
            live::LIVE,
            get(live::live).with_state(live::Live::new(queries.clone())),
        )
        .route(
            incidents::INCIDENTS,
            get(incidents::list).with_state(detection.clone()),
        )
        .route(
            changes::CHANGES,
            get(changes::list).with_state(detection.clone()),
        )
        .route(outer::WEBHOOK, alerts_of_others(&detection))
        .route(outer::ALERTS, alerts_of_others(&detection))
        .route(
            investigations::INVESTIGATIONS,
            post(investigations::answer)
                .layer(DefaultBodyLimit::max(queries::QUESTION_BYTES_MAX))
                .with_state(investigations::Investigations::new(
                    detection.clone(),
                    queries.clone(),
                    &limits,
                )),
        )
        .route(
            graph_query::QUERY,
            post(graph_query::answer)
                .layer(DefaultBodyLimit::max(queries::QUESTION_BYTES_MAX))
                .with_state(graph_query::Graphs::new(
                    detection.clone(),
                    queries.clone(),
                    &limits,
                )),
        )
        .route(
            incidents::INCIDENT,
            get(incidents::show).with_state(incidents::Incidents {
                detection,
                queries: queries.clone(),
            }),
        )
        .route(
            alerts::ALERTS,
            get(alerts::show)
                .put(alerts::set)
                .layer(DefaultBodyLimit::max(alerts::SETTINGS_BYTES_MAX))
                .with_state(alerts.clone()),
        )
        .route(
            saved::SAVED,
            get(saved::show)
                .put(saved::set)
                .layer(DefaultBodyLimit::max(saved::SAVED_BYTES_MAX))
                .with_state(alerts),
        )
        .route(
            notifications::NOTIFICATIONS,
            get(notifications::show)
                .put(notifications::set)
                .layer(DefaultBodyLimit::max(notifications::SETTINGS_BYTES_MAX))
                .with_state(telling.teller().clone()),
        )
        .route(
            notifications::TEST,
            post(notifications::test)
                .layer(DefaultBodyLimit::max(queries::QUESTION_BYTES_MAX))
                .with_state(telling.teller().clone()),
        )
        .route(
            notifications::STOP,
            get(notifications::ask_to_stop)
                .post(notifications::stop)
                .with_state(telling.teller().clone()),
        )
        .route(
            metrics::METRICS,
            get(metrics::list).with_state(queries.clone()),
        )
        .route(metrics::RANGE, get(metrics::range).with_state(queries))
        .route(
            health::METRICS,
            get(health::metrics).with_state(health.clone()),
        )
        .route(health::STATUS, get(health::status).with_state(health))
        .method_not_allowed_fallback(error::method_not_allowed)
        .route("/api", axum::routing::any(error::no_such_endpoint))
        .route("/api/", axum::routing::any(error::no_such_endpoint))
        .route("/api/{*rest}", axum::routing::any(error::no_such_endpoint))
        .with_state(reads);
    api.clone()
        .route_service(mcp::PATH, mcp::service(api))
        .fallback(page::show)
        .layer(compressed::layer())
        .layer(middleware::from_fn_with_state(
            Arc::new(access),
            guard::check,
        ))
        .layer(middleware::map_response(page::secure))
}

/// An endpoint at which others tell their alerts.
fn alerts_of_others(detection: &Detection) -> MethodRouter<Reads> {
    post(outer::take)
        .layer(DefaultBodyLimit::max(outer::BODY_BYTES_MAX))
        .with_state(detection.clone())
}

/// An endpoint that takes a question as its body.
fn question(endpoint: MethodRouter<Queries>) -> MethodRouter<Queries> {
    endpoint.layer(DefaultBodyLimit::max(queries::QUESTION_BYTES_MAX))
}
