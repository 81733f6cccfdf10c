//! Errors of the API: a status, a code, a message for the caller. Details for us go to the log.

use axum::response::{IntoResponse, Response};
use http::header::{ALLOW, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderName, HeaderValue, Method, StatusCode, Uri};
use throughline_query::QueryError;
use throughline_store::{ReadError, SearchError};
use throughline_telemetry::TraceId;

use super::{
    actions, alerts, contrast, graph_query, investigations, notifications, outer, queries, saved,
    search, view,
};
use crate::actions::ActError;
use crate::cloudwatch;
use crate::codes::{self, Code};

/// Why a request is not answered as asked.
#[derive(Debug)]
pub(super) enum ApiError {
    BadParameters(Vec<String>),
    BadId(String, String),
    UnknownTrace(TraceId),
    /// And whether not everything was looked at.
    UnknownId(String, bool),
    /// And how many traces it is in, at least.
    AmbiguousId(String, usize),
    UnknownIncident(String),
    Action(ActError),
    NoSuchEndpoint(String),
    MethodNotAllowed(Method, &'static str),
    KeyRequired,
    HostNotAllowed(String),
    ReadFailed,
    ReadsBusy,
    BadQuery(String),
    QueryTooDear(String),
    QueryFailed,
    BadSettings(String),
    BadAlerts(String),
    BadStopLink,
    SettingsChanged,
    NotKept,
}

pub(super) async fn no_such_endpoint(uri: Uri) -> ApiError {
    ApiError::NoSuchEndpoint(uri.path().to_owned())
}

pub(super) async fn method_not_allowed(method: Method, uri: Uri) -> ApiError {
    let allowed = match uri.path() {
        cloudwatch::PATH
        | contrast::CONTRAST
        | graph_query::QUERY
        | investigations::INVESTIGATIONS
        | queries::SQL
        | queries::QUERY
        | search::SEARCH
        | notifications::TEST
        | outer::ALERTS
        | outer::WEBHOOK
        | actions::PROPOSE
        | actions::SWITCH => "POST",
        path if path.starts_with(actions::ACTIONS)
            && (path.ends_with("/undo") || path.ends_with("/keep")) =>
        {
            "POST"
        }
        path if path.starts_with("/act/") => "GET, HEAD, POST",
        alerts::ALERTS | notifications::NOTIFICATIONS | saved::SAVED => "GET, HEAD, PUT",
        notifications::STOP => "GET, HEAD, POST",
        _ => "GET, HEAD",
    };
    ApiError::MethodNotAllowed(method, allowed)
}

impl ApiError {
    fn answer(&self) -> (StatusCode, Code) {
        match self {
            ApiError::BadParameters(_) => (StatusCode::BAD_REQUEST, codes::BAD_PARAMETER),
            ApiError::BadId(..) | ApiError::AmbiguousId(..) => {
                (StatusCode::BAD_REQUEST, codes::BAD_ID)
            }
            ApiError::UnknownTrace(_) | ApiError::UnknownId(..) => {
                (StatusCode::NOT_FOUND, codes::UNKNOWN_TRACE)
            }
            ApiError::UnknownIncident(_) => (StatusCode::NOT_FOUND, codes::UNKNOWN_INCIDENT),
            ApiError::Action(error) => of_action(error),
            ApiError::NoSuchEndpoint(_) => (StatusCode::NOT_FOUND, codes::NO_SUCH_ENDPOINT),
            ApiError::MethodNotAllowed(..) => {
                (StatusCode::METHOD_NOT_ALLOWED, codes::METHOD_NOT_ALLOWED)
            }
            ApiError::KeyRequired => (StatusCode::UNAUTHORIZED, codes::KEY_REQUIRED),
            ApiError::HostNotAllowed(_) => (StatusCode::FORBIDDEN, codes::HOST_NOT_ALLOWED),
            ApiError::ReadFailed => (StatusCode::INTERNAL_SERVER_ERROR, codes::READ_FAILED),
            ApiError::ReadsBusy => (StatusCode::SERVICE_UNAVAILABLE, codes::READS_BUSY),
            ApiError::BadQuery(_) => (StatusCode::BAD_REQUEST, codes::BAD_QUERY),
            ApiError::QueryTooDear(_) => (StatusCode::UNPROCESSABLE_ENTITY, codes::QUERY_TOO_DEAR),
            ApiError::QueryFailed => (StatusCode::INTERNAL_SERVER_ERROR, codes::QUERY_FAILED),
            ApiError::BadSettings(_) => (StatusCode::BAD_REQUEST, codes::BAD_SETTINGS),
            ApiError::BadAlerts(_) => (StatusCode::BAD_REQUEST, codes::BAD_ALERTS),
            ApiError::BadStopLink => (StatusCode::FORBIDDEN, codes::BAD_STOP_LINK),
            ApiError::SettingsChanged => (StatusCode::CONFLICT, codes::SETTINGS_CHANGED),
            ApiError::NotKept => (StatusCode::INTERNAL_SERVER_ERROR, codes::NOT_KEPT),
        }
    }

    fn message(&self) -> String {
        match self {
            ApiError::BadParameters(problems) => problems.join("; "),
            ApiError::BadId(given, bad) => format!("`{given}` is no id: {bad}"),
            ApiError::AmbiguousId(given, traces) => format!(
                "`{given}` is in {traces} traces or more, which is no id: GET /api/v1/traces lists them by attribute"
            ),
            ApiError::UnknownTrace(id) => format!("no span and no log of trace {id} is stored"),
            ApiError::UnknownId(given, false) => {
                format!("nothing that is stored has the id `{given}`")
            }
            ApiError::UnknownId(given, true) => format!(
                "no trace, request or message has the id `{given}`, and no value that could be looked at in two seconds is it"
            ),
            ApiError::UnknownIncident(id) => {
                format!("there is no incident {id}: GET /api/v1/incidents lists them all")
            }
            ApiError::Action(error) => error.to_string(),
            ApiError::NoSuchEndpoint(path) => {
                format!("no such endpoint {path}: /api/v1/openapi.json lists them all")
            }
            ApiError::MethodNotAllowed(method, allowed) => {
                format!("this endpoint takes {allowed}, not {method}")
            }
            ApiError::KeyRequired => {
                "a key is required: send `authorization: Bearer <key>`".to_owned()
            }
            ApiError::HostNotAllowed(host) => format!(
                "this server does not answer for {host}: open it as localhost, 127.0.0.1 or [::1]"
            ),
            ApiError::ReadFailed => {
                "stored data could not be read; the server's log says why".to_owned()
            }
            ApiError::ReadsBusy => "too many reads at once: try again in a second".to_owned(),
            ApiError::BadQuery(what) | ApiError::QueryTooDear(what) => what.clone(),
            ApiError::QueryFailed => "the query failed; the server's log says why".to_owned(),
            ApiError::BadSettings(what) | ApiError::BadAlerts(what) => what.clone(),
            ApiError::SettingsChanged => {
                "somebody else has changed the settings since they were read: read them again"
                    .to_owned()
            }
            ApiError::BadStopLink => {
                "this link is not whole, or not of this server: take the newest mail's".to_owned()
            }
            ApiError::NotKept => {
                "the settings could not be written; the server's log says why".to_owned()
            }
        }
    }

    fn header(&self) -> Option<(HeaderName, &'static str)> {
        match self {
            ApiError::MethodNotAllowed(_, allowed) => Some((ALLOW, allowed)),
            ApiError::KeyRequired => Some((WWW_AUTHENTICATE, "Bearer")),
            ApiError::ReadsBusy => Some((RETRY_AFTER, "1")),
            _ => None,
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let (status, code) = self.answer();
        let message = self.message();
        tracing::debug!(status = status.as_u16(), %code, message, "refused");
        let mut response = view::json_response(view::json(&view::Error {
            code: code.id,
            message,
        }));
        *response.status_mut() = status;
        if let Some((name, value)) = self.header() {
            response
                .headers_mut()
                .insert(name, HeaderValue::from_static(value));
        }
        response
    }
}

fn of_action(error: &ActError) -> (StatusCode, Code) {
    match error {
        ActError::Unknown(_) => (StatusCode::NOT_FOUND, codes::UNKNOWN_ACTION),
        ActError::Link(_) => (StatusCode::FORBIDDEN, codes::BAD_LINK),
        ActError::Bad(_) | ActError::Nobody => (StatusCode::BAD_REQUEST, codes::BAD_PARAMETER),
        ActError::State(_)
        | ActError::Typed(_)
        | ActError::Unseen
        | ActError::Changed
        | ActError::Refused(_)
        | ActError::Full => (StatusCode::CONFLICT, codes::ACTION_REFUSED),
        ActError::Failure(failure) => match failure.code.as_str() {
            "refused" | "unreachable" => (StatusCode::BAD_GATEWAY, codes::ACTION_FAILED),
            _ => (StatusCode::CONFLICT, codes::ACTION_REFUSED),
        },
        ActError::Audit(_) | ActError::Unwritten(_) => {
            (StatusCode::INTERNAL_SERVER_ERROR, codes::ACTION_FAILED)
        }
    }
}

impl From<ActError> for ApiError {
    fn from(error: ActError) -> Self {
        if let ActError::Audit(error) | ActError::Unwritten(error) = &error {
            tracing::error!(%error, "cannot write the audit log");
        }
        ApiError::Action(error)
    }
}

impl From<ReadError> for ApiError {
    fn from(error: ReadError) -> Self {
        tracing::error!(%error, "cannot read");
        ApiError::ReadFailed
    }
}

impl From<SearchError> for ApiError {
    fn from(error: SearchError) -> Self {
        match error {
            SearchError::Invalid(what) => ApiError::BadQuery(what),
            SearchError::Read(error) => ApiError::from(error),
        }
    }
}

impl From<QueryError> for ApiError {
    fn from(error: QueryError) -> Self {
        match error {
            QueryError::Invalid(what) => ApiError::BadQuery(what),
            QueryError::TooSlow(_) | QueryError::TooLarge(_) => {
                ApiError::QueryTooDear(error.to_string())
            }
            QueryError::Failed(_) => {
                tracing::error!(%error, "cannot answer a query");
                ApiError::QueryFailed
            }
        }
    }
}
