//! API Gateway: routes of a REST API or an HTTP API, and the functions behind them.

mod plan;
mod routes;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{ConnectInfo, Request, State};
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE as BASE64;
use http::{HeaderName, HeaderValue, StatusCode};

use super::received::{Received, Unreadable, told};
use super::{format_1, format_2};
use crate::gateway::Gateway;
use crate::invoke::{Answer, Invoke, InvokeError, Outcome};
use crate::source::HttpApiKind;
use crate::time::Clock;
use routes::Matched;

pub(crate) use plan::{Plan, plan};
pub(crate) use routes::Route;

/// One API that listens.
pub(crate) struct Api {
    pub(crate) gateway: Arc<Gateway>,
    pub(crate) clock: Clock,
    pub(crate) plan: Plan,
    /// How long it waits for a function, if not as long as API Gateway does.
    pub(crate) integration_timeout: Option<Duration>,
}

/// What a caller is told who gets no answer of a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Refusal {
    NoRoute,
    TooLarge,
    Truncated,
    /// Lambda did not take the call.
    NotInvoked,
    Throttled,
    /// The function failed, or its answer cannot be a response.
    Failed,
    TimedOut,
}

pub(crate) fn router(api: Api) -> Router {
    Router::new().fallback(handle).with_state(Arc::new(api))
}

async fn handle(
    State(api): State<Arc<Api>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response {
    let mut received = match Received::read(request, peer, api.clock.now(), REQUEST_BYTES_MAX).await
    {
        Ok(received) => received,
        Err(Unreadable::TooLarge) => return api.refuse(Refusal::TooLarge),
        Err(Unreadable::Truncated) => return api.refuse(Refusal::Truncated),
    };
    let kind = api.plan.kind;
    if kind == HttpApiKind::Http {
        received.request_id = short_id(&received.request_id);
    }
    let answered = api.answer(&received).await;
    let mut response = answered.unwrap_or_else(|refusal| api.refuse(refusal));
    let own: &[(&'static str, &str)] = match kind {
        HttpApiKind::Rest => &[
            ("x-amzn-requestid", &received.request_id),
            ("x-amz-apigw-id", &received.request_id),
        ],
        HttpApiKind::Http => &[("apigw-requestid", &received.request_id)],
    };
    for (name, value) in own {
        if let Ok(value) = HeaderValue::from_str(value) {
            let name = HeaderName::from_static(name);
            response.headers_mut().insert(name, value);
        }
    }
    response
}

impl Api {
    async fn answer(&self, received: &Received) -> Result<Response, Refusal> {
        let routes = &self.plan.routes;
        let matched = routes
            .find(received.parts.method.as_str(), received.path())
            .ok_or(Refusal::NoRoute)?;
        let function = matched.route.function.clone();
        let event = self.event(received, matched);
        let invoke = Invoke::new(function.clone())
            .payload(event.to_string())
            .trace_header(received.trace_header.clone());
        let mut ticket = self
            .gateway
            .start(invoke)
            .map_err(|error| self.not_invoked(&error))?;
        // The function goes on when nobody waits for it any more.
        let waited = tokio::time::timeout(self.timeout(), ticket.answer()).await;
        let answered = waited.map_err(|_| Refusal::TimedOut)?;
        let answer = answered.map_err(|error| self.not_invoked(&error))?;
        self.response(&function, &answer)
    }

    fn not_invoked(&self, error: &InvokeError) -> Refusal {
        match error {
            InvokeError::Throttled { .. } => Refusal::Throttled,
            InvokeError::PayloadTooLarge { .. } => Refusal::TooLarge,
            error => {
                tracing::warn!(%error, api = %self.plan.name, "API request failed");
                Refusal::NotInvoked
            }
        }
    }

    fn event(&self, received: &Received, matched: Matched<'_>) -> serde_json::Value {
        match self.plan.kind {
            HttpApiKind::Rest => {
                let api = format_1::Api {
                    account_id: ACCOUNT_ID,
                    api_id: &self.plan.name,
                    stage: &self.plan.stage,
                    resource: &matched.route.path,
                    path_parameters: matched.path_parameters,
                };
                format_1::event(received, &api)
            }
            HttpApiKind::Http => {
                let gateway = format_2::Gateway {
                    account_id: ACCOUNT_ID,
                    api_id: &self.plan.name,
                    stage: &self.plan.stage,
                    route_key: &matched.route.key(),
                    path_parameters: matched.path_parameters,
                };
                format_2::event(received, &gateway)
            }
        }
    }

    fn response(&self, function: &str, answer: &Answer) -> Result<Response, Refusal> {
        if answer.outcome != Outcome::Returned {
            return Err(Refusal::Failed);
        }
        let response = match self.plan.kind {
            HttpApiKind::Rest => format_1::answer::of_payload(&answer.payload),
            HttpApiKind::Http => format_2::answer::of_payload(&answer.payload)
                .ok_or("statusCode, headers or body cannot be a response"),
        };
        response.map_err(|reason| {
            // API Gateway says this in its own log only, where people look last.
            tracing::warn!(api = %self.plan.name, %function, reason, "malformed proxy response");
            Refusal::Failed
        })
    }

    fn timeout(&self) -> Duration {
        self.integration_timeout.unwrap_or(match self.plan.kind {
            HttpApiKind::Rest => REST_TIMEOUT,
            HttpApiKind::Http => HTTP_TIMEOUT,
        })
    }

    fn refuse(&self, refusal: Refusal) -> Response {
        let (status, message) = match self.plan.kind {
            HttpApiKind::Rest => rest_refusal(refusal),
            HttpApiKind::Http => http_refusal(refusal),
        };
        told(status, "message", message)
    }
}

fn rest_refusal(refusal: Refusal) -> (StatusCode, &'static str) {
    match refusal {
        Refusal::NoRoute => (StatusCode::FORBIDDEN, "Missing Authentication Token"),
        Refusal::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "Request Too Long"),
        Refusal::Truncated => (StatusCode::BAD_REQUEST, "Bad Request"),
        Refusal::NotInvoked | Refusal::Throttled => {
            (StatusCode::INTERNAL_SERVER_ERROR, "Internal server error")
        }
        Refusal::Failed => (StatusCode::BAD_GATEWAY, "Internal server error"),
        Refusal::TimedOut => (StatusCode::GATEWAY_TIMEOUT, "Endpoint request timed out"),
    }
}

fn http_refusal(refusal: Refusal) -> (StatusCode, &'static str) {
    match refusal {
        Refusal::NoRoute => (StatusCode::NOT_FOUND, "Not Found"),
        Refusal::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large"),
        Refusal::Truncated => (StatusCode::BAD_REQUEST, "Bad Request"),
        Refusal::Failed | Refusal::NotInvoked => {
            (StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error")
        }
        Refusal::Throttled | Refusal::TimedOut => {
            (StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable")
        }
    }
}

/// HTTP APIs have ids such as `LV7fzho-PHcEJPw=`.
fn short_id(id: &str) -> String {
    let bytes: Vec<u8> = id.bytes().filter(u8::is_ascii_hexdigit).collect();
    let number = |pair: &[u8]| {
        let text = std::str::from_utf8(pair).ok()?;
        u8::from_str_radix(text, 16).ok()
    };
    let bytes: Vec<u8> = bytes.chunks(2).filter_map(number).take(11).collect();
    BASE64.encode(bytes)
}

const ACCOUNT_ID: &str = "123456789012";
/// What API Gateway takes; Lambda itself takes less.
const REQUEST_BYTES_MAX: u64 = 10 * 1024 * 1024;
const REST_TIMEOUT: Duration = Duration::from_secs(29);
const HTTP_TIMEOUT: Duration = Duration::from_secs(30);
