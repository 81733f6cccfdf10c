//! The control API of the faults, beside the AWS API: `GET`, `POST` and `DELETE` of `/throughline/faults`.
//!
//! Whoever reaches it can kill what runs here, so a web page must not: a request has to name this machine in `Host`, must
//! not come from a page of somewhere else, and a body has to say that it is JSON, which no form of a page can.

use std::sync::Arc;

use axum::Router;
use axum::body::Body as HttpBody;
use axum::extract::{Path, Request, State};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::{delete, get};
use http::{HeaderValue, StatusCode, header};
use serde_json::{Value, json};

use super::sender::check_sender;
use crate::body::read_body;
use crate::faults::{Desk, FaultError, parse, told};
use crate::lifecycle::Body;

pub(crate) fn router(desk: Arc<Desk>) -> Router {
    Router::new()
        .route(
            "/throughline/faults",
            get(list).post(add).delete(remove_all),
        )
        .route("/throughline/faults/{id}", delete(remove))
        .layer(middleware::from_fn(guard))
        .with_state(desk)
}

async fn guard(request: Request, next: Next) -> Response {
    match check_sender(request.headers()) {
        Ok(()) => next.run(request).await,
        Err(why) => failed(StatusCode::FORBIDDEN, "Forbidden", why),
    }
}

async fn list(State(desk): State<Arc<Desk>>) -> Response {
    let faults: Vec<Value> = desk.list().iter().map(told).collect();
    respond(StatusCode::OK, &json!({"faults": faults}))
}

async fn add(State(desk): State<Arc<Desk>>, request: Request) -> Response {
    let is_json = request
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(is_json);
    if !is_json {
        let message = "send the fault as application/json";
        return failed(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "UnsupportedMediaType",
            message,
        );
    }
    let body = match read_body(request, FAULT_BYTES_MAX).await {
        Body::Whole(body) => body,
        Body::TooLarge { .. } => {
            return failed(
                StatusCode::PAYLOAD_TOO_LARGE,
                "TooLarge",
                "a fault has at most 64 KiB",
            );
        }
        Body::Truncated => {
            return failed(StatusCode::BAD_REQUEST, "Truncated", "the request was cut");
        }
    };
    match parse(&body).and_then(|fault| desk.add(fault)) {
        Ok(id) => respond(StatusCode::CREATED, &json!({"id": id})),
        Err(error) => {
            let status = match error {
                FaultError::TooMany { .. } => StatusCode::TOO_MANY_REQUESTS,
                _ => StatusCode::BAD_REQUEST,
            };
            failed(status, "BadFault", &error.to_string())
        }
    }
}

async fn remove(State(desk): State<Arc<Desk>>, Path(id): Path<String>) -> Response {
    match id.parse() {
        Ok(number) if desk.remove(number) => respond(StatusCode::OK, &json!({"removed": 1})),
        _ => failed(
            StatusCode::NOT_FOUND,
            "NoSuchFault",
            &format!("there is no fault {id}"),
        ),
    }
}

async fn remove_all(State(desk): State<Arc<Desk>>) -> Response {
    respond(StatusCode::OK, &json!({"removed": desk.remove_all()}))
}

fn is_json(value: &HeaderValue) -> bool {
    let kind = value
        .to_str()
        .unwrap_or_default()
        .split(';')
        .next()
        .unwrap_or_default();
    kind.trim().eq_ignore_ascii_case("application/json")
}

fn failed(status: StatusCode, code: &str, message: &str) -> Response {
    respond(status, &json!({"code": code, "message": message}))
}

fn respond(status: StatusCode, body: &Value) -> Response {
    let mut response = Response::new(HttpBody::from(format!("{body}\n")));
    *response.status_mut() = status;
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}

const FAULT_BYTES_MAX: u64 = 64 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn body_has_to_say_that_it_is_json() {
        let cases = [
            ("application/json", true),
            ("Application/JSON; charset=utf-8", true),
            ("text/plain", false),
            ("application/x-www-form-urlencoded", false),
            ("application/jsonp", false),
        ];
        for (kind, expected) in cases {
            assert_eq!(is_json(&HeaderValue::from_static(kind)), expected, "{kind}");
        }
    }
}
