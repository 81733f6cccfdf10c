//! Who is told of what: `/api/v1/notifications` and what belongs to it.

use axum::body::{Body, Bytes};
use axum::extract::rejection::BytesRejection;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use http::HeaderValue;
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY};
use serde::Deserialize;
use serde_json::json;
use throughline_notify::settings::MASK;
use throughline_notify::{Outcome, RawSettings, SetError, Teller};

use super::error::ApiError;
use super::query::Query;
use super::view;

/// The path of the settings.
pub(super) const NOTIFICATIONS: &str = "/api/v1/notifications";

/// The path that sends a sample.
pub(super) const TEST: &str = "/api/v1/notifications/test";

/// The path that stops mails; without the key of the server, because mail programs do not have it.
pub(super) const STOP: &str = throughline_notify::stop::PATH;

/// Bytes of settings.
pub(super) const SETTINGS_BYTES_MAX: usize = 1 << 20;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Test {
    receiver: String,
}

/// A link to stop mails, as its query says.
struct Link {
    receiver: String,
    address: String,
}

pub(super) async fn show(
    State(teller): State<Teller>,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    Query::parse(query.as_deref(), &[]).finish(())?;
    Ok(answer(&teller))
}

pub(super) async fn set(
    State(teller): State<Teller>,
    RawQuery(query): RawQuery,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, ApiError> {
    let mut query = Query::parse(query.as_deref(), SET_PARAMETERS);
    let edition = query.text("edition");
    let edition = query.finish(edition)?;
    let raw: RawSettings = read(body)?;
    let of_work = teller.clone();
    let setting = move || of_work.set(raw, edition.as_deref());
    let done = tokio::task::spawn_blocking(setting).await;
    taken(done)?;
    Ok(answer(&teller))
}

pub(super) async fn test(
    State(teller): State<Teller>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, ApiError> {
    let Test { receiver } = read(body)?;
    let Some(answers) = teller.test(&receiver).await else {
        return Err(ApiError::BadSettings(format!(
            "there is no receiver {receiver:?}"
        )));
    };
    let answers: Vec<_> = answers
        .into_iter()
        .map(|(address, answer)| {
            let outcome = match answer.outcome {
                Outcome::Sent => "sent",
                Outcome::Later(..) => "later",
                Outcome::Refused(_) => "refused",
            };
            json!({"address": address, "outcome": outcome, "said": answer.said})
        })
        .collect();
    Ok(view::json_response(view::json(
        &json!({"answers": answers}),
    )))
}

/// A page that asks; it changes nothing, because scanners of mails open every link.
pub(super) async fn ask_to_stop(
    State(teller): State<Teller>,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let link = link(&teller, query.as_deref())?;
    Ok(page(&format!(
        "<h1>No more mails to {}?</h1><p>Throughline will send nothing more of “{}” there.</p>\
         <form method=\"post\"><button>Stop these mails</button></form>",
        escaped(&link.address),
        escaped(&link.receiver)
    )))
}

/// Stops mails, with one click of a mail program or with the button of the page.
pub(super) async fn stop(
    State(teller): State<Teller>,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let Link { receiver, address } = link(&teller, query.as_deref())?;
    let said = format!("<h1>No more mails to {}</h1>", escaped(&address));
    let done = tokio::task::spawn_blocking(move || teller.stop(&receiver, &address)).await;
    taken(done)?;
    Ok(page(&said))
}

fn link(teller: &Teller, query: Option<&str>) -> Result<Link, ApiError> {
    let mut query = Query::parse(query, STOP_PARAMETERS);
    let mut text = |name| query.text(name).unwrap_or_default();
    let (receiver, address, k) = (text("receiver"), text("address"), text("k"));
    query.finish(())?;
    match teller.may_stop(&receiver, &address, &k) {
        true => Ok(Link { receiver, address }),
        false => Err(ApiError::BadStopLink),
    }
}

fn answer(teller: &Teller) -> Response {
    let settings = teller.settings();
    let health = teller.health();
    let view = json!({
        "settings": settings.masked(),
        "edition": settings.edition(),
        "mask": MASK,
        "base": settings.base(),
        "report": teller.report(),
        "status": {
            "sent": health.counters.sent,
            "retried": health.counters.retried,
            "refused": health.counters.refused,
            "given_up": health.counters.given_up,
            "no_room": health.counters.no_room,
            "not_told": health.counters.dropped,
            "waiting": health.waiting,
            "held": health.held,
        },
    });
    view::json_response(view::json(&view))
}

fn taken(done: Result<Result<(), SetError>, tokio::task::JoinError>) -> Result<(), ApiError> {
    match done {
        Ok(Ok(())) => Ok(()),
        Ok(Err(SetError::Problems(problems))) => Err(ApiError::BadSettings(problems.to_string())),
        Ok(Err(SetError::Changed)) => Err(ApiError::SettingsChanged),
        Ok(Err(SetError::Keep(error))) => {
            tracing::error!(%error, "cannot write the settings of notifications");
            Err(ApiError::NotKept)
        }
        Err(error) => {
            tracing::error!(%error, "writing the settings of notifications ended badly");
            Err(ApiError::NotKept)
        }
    }
}

fn read<T: serde::de::DeserializeOwned>(
    body: Result<Bytes, BytesRejection>,
) -> Result<T, ApiError> {
    let body = body.map_err(|error| ApiError::BadSettings(error.body_text()))?;
    serde_json::from_slice(&body).map_err(|error| ApiError::BadSettings(error.to_string()))
}

/// A page of its own: whoever stops mails has no key, and the page of the server asks for one.
fn page(body: &str) -> Response {
    let html = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><meta name=\"color-scheme\" content=\"light dark\">\
         <title>Throughline</title></head><body><main>{body}</main></body></html>\n"
    );
    let mut response = Response::new(Body::from(html));
    let headers = response.headers_mut();
    headers.insert(
        CONTENT_TYPE,
        HeaderValue::from_static("text/html; charset=utf-8"),
    );
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    // Under `no-referrer` a form is sent with the origin `null`, which the guard refuses.
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    response
}

fn escaped(text: &str) -> String {
    let text = text
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;");
    text.replace('"', "&quot;").replace('\'', "&#39;")
}

/// Which edition of the settings is replaced.
pub(super) const SET_PARAMETERS: &[&str] = &["edition"];
pub(super) const STOP_PARAMETERS: &[&str] = &["receiver", "address", "k"];
/// The page has a form that leads to itself, and nothing else.
const POLICY: &str =
    "default-src 'none'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
