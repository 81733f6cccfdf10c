//! What can be done about an incident, and what was: proposing, showing, confirming, undoing, the audit log.
//!
//! `GET` never acts. `POST /act/{id}` takes JSON alone, which no page of another origin can send without being asked
//! first, and a key of the link besides that of the server.

mod radius;

use axum::extract::rejection::{JsonRejection, PathRejection};
use axum::extract::{DefaultBodyLimit, Path, RawQuery, State};
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use throughline_act::{Action, ActionId, BadAction, Digest, FunctionName};
use throughline_notify::Teller;
use throughline_notify::settings::Channel;

use super::error::ApiError;
use super::queries::Queries;
use super::query::Query;
use super::{Reads, view};
use crate::actions::{
    ActError, Actions, Confirmation, Sources, advised_fit, consumers, fitting, needs, takers,
    with_sources,
};
use crate::detection::Detection;
use crate::page;

/// The path of what can be done about an incident.
pub(super) const FITTING: &str = "/api/v1/incidents/{id}/actions";
/// The path of all actions.
pub(super) const ACTIONS: &str = "/api/v1/actions";
/// The path at which they are proposed.
pub(super) const PROPOSE: &str = "/api/v1/actions/propose";
/// The path of what could be disabled: from where a function takes events.
pub(super) const SOURCES: &str = "/api/v1/actions/sources";
/// The path of one, for whoever has its link.
pub(super) const ACTION: &str = "/api/v1/actions/{id}";
/// The path at which one is undone.
pub(super) const UNDO: &str = "/api/v1/actions/{id}/undo";
/// The path at which one is kept that would be put back by itself.
pub(super) const KEEP: &str = "/api/v1/actions/{id}/keep";
/// The path of the switch that stops all of them.
pub(super) const SWITCH: &str = "/api/v1/actions/switch";
/// The path of the audit log.
pub(super) const AUDIT: &str = "/api/v1/audit";
/// The path that links lead to: the page for `GET`, the deed for `POST`.
pub(super) const ACT: &str = "/act/{id}";

/// What endpoints of actions need. Cheap to clone.
#[derive(Clone)]
pub(super) struct Acts {
    pub(super) actions: Actions,
    pub(super) detection: Detection,
    pub(super) teller: Teller,
    pub(super) queries: Queries,
}

/// Everything that is about actions.
pub(super) fn router(acts: Acts) -> Router<Reads> {
    let router = Router::new()
        .route(FITTING, get(fit))
        .route(ACTIONS, get(list))
        .route(PROPOSE, post(propose))
        .route(SOURCES, get(sources))
        .route(ACTION, get(show))
        .route(UNDO, post(undo))
        .route(KEEP, post(keep))
        .route(SWITCH, post(switch))
        .route(AUDIT, get(audit))
        .route(ACT, get(page::show).post(act));
    router
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .with_state(acts)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Proposal {
    action: Action,
    incident: Option<u64>,
    who: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Confirmed {
    k: String,
    who: String,
    typed: Option<String>,
    seen: Option<Digest>,
    #[serde(default)]
    keep: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Someone {
    who: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Switched {
    who: String,
    /// Why all are stopped; absent to go on.
    why: Option<String>,
}

pub(super) async fn fit(
    State(acts): State<Acts>,
    id: Result<Path<String>, PathRejection>,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    Query::parse(query.as_deref(), &[]).finish(())?;
    let Ok(Path(id)) = id else {
        return Err(ApiError::UnknownIncident("of that name".to_owned()));
    };
    let settings = acts.teller.settings();
    let told = settings.raw().receivers.first();
    let told = told.map(|receiver| receiver.name.as_str());
    let found = acts.detection.with(|detector| {
        let number = id.parse::<u64>().ok()?;
        let incident = detector.incidents().iter().find(|it| it.id == number)?;
        let fit = fitting(incident, detector, told);
        Some((number, fit, needs(incident), takers(incident, detector)))
    });
    let (number, fit, needs, takers) = found.ok_or(ApiError::UnknownIncident(id))?;
    let (fit, sources) = tokio::join!(
        advised_fit(&acts.queries, fit, &needs, acts.detection.now()),
        Sources::of(&acts.actions, &takers)
    );
    let fit = view::Fitting {
        fit: &with_sources(fit, &takers, &sources),
        named: &sources.named(),
        consumers: consumers(&takers),
    };
    let place = acts.actions.place();
    let json = acts.actions.with(|record, _| {
        let known = record.actions().rev();
        let of = known
            .filter(|it| it.incident == Some(number))
            .take(ACTIONS_MAX);
        let stopped = record.gate().stopped();
        view::json(&view::FittingActions::new(&place, stopped, fit, of))
    });
    Ok(view::json_response(json))
}

pub(super) async fn list(
    State(Acts { actions, .. }): State<Acts>,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let mut query = Query::parse(query.as_deref(), LIST_PARAMETERS);
    let limit = query.number("limit", 1, ACTIONS_MAX).unwrap_or(ACTIONS_MAX);
    let is_in_force = query.choice("in_force", &[("true", true), ("false", false)]);
    let before: Option<ActionId> = query.cursor("cursor");
    let (limit, is_in_force, before) = query.finish((limit, is_in_force, before))?;
    let place = actions.place();
    let json = actions.with(|record, _| {
        let newest_first = record.actions().rev();
        let of = newest_first
            .filter(|it| is_in_force.is_none_or(|wanted| it.is_in_force() == wanted))
            // They are named by when they were proposed.
            .filter(|it| before.as_ref().is_none_or(|before| it.id < *before));
        let known = of.collect();
        let stopped = record.gate().stopped();
        view::json(&view::ActionList::new(&place, stopped, known, limit))
    });
    Ok(view::json_response(json))
}

/// Reads the account: where nothing in it may be changed, nothing of it is read either.
pub(super) async fn sources(
    State(Acts { actions, .. }): State<Acts>,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let mut query = Query::parse(query.as_deref(), SOURCES_PARAMETERS);
    let function = query.needed("function");
    let function = query.finish(function)?;
    let named: FunctionName = function
        .parse()
        .map_err(|error: BadAction| ApiError::BadParameters(vec![error.to_string()]))?;
    let known = actions.sources(named).await?;
    let list = view::SourceList::new(&function, &known);
    Ok(view::json_response(view::json(&list)))
}

pub(super) async fn propose(
    State(Acts {
        actions, teller, ..
    }): State<Acts>,
    body: Result<Json<Proposal>, JsonRejection>,
) -> Result<Response, ApiError> {
    let Proposal {
        action,
        incident,
        who,
    } = read(body)?;
    if let Action::Mute { person, .. } = &action
        && !is_told(&teller, person)
    {
        let problem = format!(
            "nobody is told as {person}: `person` must be the name of a receiver or a mail address of one, as \
             GET /api/v1/notifications has them"
        );
        return Err(ApiError::BadParameters(vec![problem]));
    }
    let (id, path, expires) = actions.propose(action, incident, who, "page").await?;
    Ok(view::json_response(view::json(&view::Proposed::new(
        &id, path, expires,
    ))))
}

pub(super) async fn show(
    State(Acts {
        actions, detection, ..
    }): State<Acts>,
    id: Result<Path<String>, PathRejection>,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let mut query = Query::parse(query.as_deref(), SHOW_PARAMETERS);
    let key = query.text("k").unwrap_or_default();
    let key = query.finish(key)?;
    let id = named(id)?;
    let shown = actions.show(&id, &key).await?;
    let radius = radius::of(&detection, &shown.standing.action).await;
    let place = actions.place();
    let view = view::ActionShown::new(&place, &shown, radius);
    Ok(view::json_response(view::json(&view)))
}

pub(super) async fn act(
    State(Acts { actions, .. }): State<Acts>,
    id: Result<Path<String>, PathRejection>,
    body: Result<Json<Confirmed>, JsonRejection>,
) -> Result<Response, ApiError> {
    let Confirmed {
        k,
        who,
        typed,
        seen,
        keep,
    } = read(body)?;
    let confirmation = Confirmation {
        who,
        typed,
        seen,
        keep,
    };
    // Whoever closes the page must not leave it half done and unwritten.
    let id = named(id)?;
    let acting = tokio::spawn(async move { actions.act(&id, &k, confirmation).await });
    let standing = finished(acting).await?;
    Ok(view::json_response(view::json(&view::ActionView::new(
        &standing,
    ))))
}

pub(super) async fn undo(
    State(Acts { actions, .. }): State<Acts>,
    id: Result<Path<String>, PathRejection>,
    body: Result<Json<Someone>, JsonRejection>,
) -> Result<Response, ApiError> {
    let Someone { who } = read(body)?;
    let id = named(id)?;
    let undoing = tokio::spawn(async move { actions.undo(&id, &who).await });
    let standing = finished(undoing).await?;
    Ok(view::json_response(view::json(&view::ActionView::new(
        &standing,
    ))))
}

pub(super) async fn keep(
    State(Acts { actions, .. }): State<Acts>,
    id: Result<Path<String>, PathRejection>,
    body: Result<Json<Someone>, JsonRejection>,
) -> Result<Response, ApiError> {
    let Someone { who } = read(body)?;
    let standing = actions.keep(&named(id)?, &who).await?;
    Ok(view::json_response(view::json(&view::ActionView::new(
        &standing,
    ))))
}

pub(super) async fn switch(
    State(Acts { actions, .. }): State<Acts>,
    body: Result<Json<Switched>, JsonRejection>,
) -> Result<Response, ApiError> {
    let Switched { who, why } = read(body)?;
    actions.switch(&who, why).await?;
    let place = actions.place();
    let json = actions.with(|record, _| {
        let known = record.actions().collect();
        view::json(&view::ActionList::new(
            &place,
            record.gate().stopped(),
            known,
            0,
        ))
    });
    Ok(view::json_response(json))
}

pub(super) async fn audit(
    State(Acts { actions, .. }): State<Acts>,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let mut query = Query::parse(query.as_deref(), AUDIT_PARAMETERS);
    let limit = query.number("limit", 1, ENTRIES_MAX).unwrap_or(ENTRIES);
    let before = query.number("cursor", 1, usize::MAX);
    let (limit, before) = query.finish((limit, before))?;
    let json = actions.with(|record, entries| {
        let end = before.unwrap_or(usize::MAX).min(entries.len());
        view::json(&view::AuditPage::new(&entries[..end], record, limit))
    });
    Ok(view::json_response(json))
}

/// Whether there is anybody of this name who is told of incidents.
fn is_told(teller: &Teller, person: &str) -> bool {
    let settings = teller.settings();
    let mut receivers = settings.raw().receivers.iter();
    receivers.any(|receiver| match &receiver.channel {
        Channel::Email(email) if email.to.iter().any(|address| address == person) => true,
        _ => receiver.name == person,
    })
}

fn read<T: DeserializeOwned>(body: Result<Json<T>, JsonRejection>) -> Result<T, ApiError> {
    match body {
        Ok(Json(read)) => Ok(read),
        Err(error) => Err(ApiError::BadParameters(vec![error.body_text()])),
    }
}

fn named(id: Result<Path<String>, PathRejection>) -> Result<ActionId, ApiError> {
    let id = id.map_or_else(|_| String::new(), |Path(id)| id);
    let named = id.parse();
    named.map_err(|_| ApiError::Action(ActError::Unknown(id)))
}

async fn finished<T>(working: tokio::task::JoinHandle<Result<T, ActError>>) -> Result<T, ApiError> {
    match working.await {
        Ok(done) => Ok(done?),
        Err(failed) => std::panic::resume_unwind(failed.into_panic()),
    }
}

pub(super) const LIST_PARAMETERS: &[&str] = &["limit", "in_force", "cursor"];
pub(super) const SHOW_PARAMETERS: &[&str] = &["k"];
pub(super) const SOURCES_PARAMETERS: &[&str] = &["function"];
pub(super) const AUDIT_PARAMETERS: &[&str] = &["limit", "cursor"];
const ACTIONS_MAX: usize = 200;
const ENTRIES: usize = 100;
const ENTRIES_MAX: usize = 1000;
const BODY_BYTES_MAX: usize = 64 << 10;
