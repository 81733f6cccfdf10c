//! API Gateway: routes of a REST API or an HTTP API, and the functions behind them.

mod authorizer;
mod plan;
mod routes;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::{ConnectInfo, Request, State};
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE as BASE64;
use http::{HeaderName, HeaderValue, StatusCode};
use serde_json::Value;

use super::format_1::answer::Base64Body;
use super::received::{Received, Unreadable, told};
use super::{format_1, format_2};
use crate::gateway::Gateway;
use crate::invoke::{Answer, Invoke, InvokeError, Outcome};
use crate::source::{Authorizer, AuthorizerEvent, HttpApiKind};
use crate::time::{Clock, UnixNanos};
use authorizer::Ruling;
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
    pub(crate) kept: Kept,
}

/// What authorizers have answered, and until when it holds.
#[derive(Debug, Default)]
pub(crate) struct Kept(Mutex<HashMap<Asked, (UnixNanos, Answer)>>);

/// An authorizer, and the identity of a request.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Asked {
    authorizer: String,
    identities: Vec<String>,
}

/// What a caller is told who gets no answer of a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Refusal {
    NoRoute,
    /// The authorizer does not know the caller.
    Unauthorized,
    /// The authorizer does not let the caller pass.
    Denied {
        explicit: bool,
    },
    /// The authorizer failed, or its answer is none.
    NoRuling,
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
        let mut event = self.event(received, &matched, self.plan.kind);
        if let Some(authorizer) = &matched.route.authorizer {
            let told = self.authorize(authorizer, received, &matched).await?;
            event["requestContext"]["authorizer"] = told;
        }
        let answer = self.invoke(&function, received, &event).await?;
        self.response(&function, received, &answer)
    }

    async fn invoke(
        &self,
        function: &str,
        received: &Received,
        event: &Value,
    ) -> Result<Answer, Refusal> {
        let invoke = Invoke::new(function)
            .payload(event.to_string())
            .trace_header(received.trace_header.clone());
        let mut ticket = self
            .gateway
            .start(invoke)
            .map_err(|error| self.not_invoked(&error))?;
        // The function goes on when nobody waits for it any more.
        let waited = tokio::time::timeout(self.timeout(), ticket.answer()).await;
        let answered = waited.map_err(|_| Refusal::TimedOut)?;
        answered.map_err(|error| self.not_invoked(&error))
    }

    /// What the authorizer has to tell the function.
    async fn authorize(
        &self,
        authorizer: &Authorizer,
        received: &Received,
        matched: &Matched<'_>,
    ) -> Result<Value, Refusal> {
        let api = &self.plan.api;
        let format = match authorizer.event {
            AuthorizerEvent::Request2 { .. } => HttpApiKind::Http,
            AuthorizerEvent::Token | AuthorizerEvent::Request1 => HttpApiKind::Rest,
        };
        let event = self.event(received, matched, format);
        let identities = authorizer::identities(authorizer, received, api, &event);
        let identities = identities.ok_or(Refusal::Unauthorized)?;
        let (method, path) = (&received.parts.method, received.path());
        let arn = format!(
            "arn:aws:execute-api:{REGION}:{ACCOUNT_ID}:{}/{}/{method}{path}",
            api.name, api.stage
        );
        let asked = Asked {
            authorizer: authorizer.name.clone(),
            identities,
        };
        let now = self.clock.now();
        let answer = match self.kept.find(&asked, now) {
            Some(answer) => answer,
            None => {
                let mut event = authorizer::event(authorizer, event, &arn, &asked.identities);
                if self.plan.kind == HttpApiKind::Http && format == HttpApiKind::Rest {
                    event = authorizer::of_http_api(event, &asked.identities);
                }
                let answered = self.invoke(&authorizer.function, received, &event).await;
                let answer = answered.map_err(|_| Refusal::NoRuling)?;
                self.kept.keep(asked, now + authorizer.keep, &answer);
                answer
            }
        };
        match authorizer::ruling(self.plan.kind, authorizer, &answer, &arn) {
            Ruling::Pass(told) => Ok(told),
            Ruling::Deny { explicit } => Err(Refusal::Denied { explicit }),
            Ruling::Unauthorized => Err(Refusal::Unauthorized),
            Ruling::Broken(reason) => {
                // As with answers of functions: API Gateway says this in its own log only.
                tracing::warn!(api = %api.name, authorizer = %authorizer.name, reason, "authorizer gave no answer");
                Err(Refusal::NoRuling)
            }
        }
    }

    fn not_invoked(&self, error: &InvokeError) -> Refusal {
        match error {
            InvokeError::Throttled { .. } => Refusal::Throttled,
            InvokeError::PayloadTooLarge { .. } => Refusal::TooLarge,
            error => {
                tracing::warn!(%error, api = %self.plan.api.name, "API request failed");
                Refusal::NotInvoked
            }
        }
    }

    fn event(&self, received: &Received, matched: &Matched<'_>, format: HttpApiKind) -> Value {
        match format {
            HttpApiKind::Rest => {
                let api = format_1::Api {
                    account_id: ACCOUNT_ID,
                    api_id: &self.plan.api.name,
                    stage: &self.plan.api.stage,
                    resource: &matched.route.path,
                    path_parameters: &matched.path_parameters,
                    stage_variables: &self.plan.api.stage_variables,
                    binary_media_types: self.plan.api.binary_media_types.as_deref(),
                };
                format_1::event(received, &api)
            }
            HttpApiKind::Http => {
                let gateway = format_2::Gateway {
                    account_id: ACCOUNT_ID,
                    api_id: &self.plan.api.name,
                    stage: &self.plan.api.stage,
                    route_key: &matched.route.key(),
                    path_parameters: matched.path_parameters.clone(),
                    stage_variables: self.plan.api.stage_variables.clone(),
                };
                format_2::event(received, &gateway)
            }
        }
    }

    fn response(
        &self,
        function: &str,
        received: &Received,
        answer: &Answer,
    ) -> Result<Response, Refusal> {
        if answer.outcome != Outcome::Returned {
            return Err(Refusal::Failed);
        }
        let response = match self.plan.kind {
            HttpApiKind::Rest => {
                format_1::answer::of_payload(&answer.payload, self.base64_body(received))
            }
            HttpApiKind::Http => format_2::answer::of_payload(&answer.payload)
                .ok_or("statusCode, headers or body cannot be a response"),
        };
        response.map_err(|reason| {
            // API Gateway says this in its own log only, where people look last.
            tracing::warn!(api = %self.plan.api.name, %function, reason, "malformed proxy response");
            Refusal::Failed
        })
    }

    /// A REST API gives bytes to those who ask first for a media type that is a binary one.
    fn base64_body(&self, received: &Received) -> Base64Body {
        let Some(binary) = &self.plan.api.binary_media_types else {
            return Base64Body::Decoded;
        };
        let accept = received.header("accept");
        let first = accept.split(',').next().unwrap_or_default();
        match format_1::is_one_of(binary, first) {
            true => Base64Body::Decoded,
            false => Base64Body::AsItIs,
        }
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
        match (self.plan.kind, refusal) {
            (HttpApiKind::Rest, Refusal::Denied { .. }) => told(status, "Message", message),
            (HttpApiKind::Rest, Refusal::NoRuling) => told(status, "message", Value::Null),
            _ => told(status, "message", message),
        }
    }
}

impl Kept {
    fn find(&self, asked: &Asked, now: UnixNanos) -> Option<Answer> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (until, answer) = kept.get(asked)?;
        (now < *until).then(|| answer.clone())
    }

    fn keep(&self, asked: Asked, until: UnixNanos, answer: &Answer) {
        // A request without an identity could be anybody's.
        if asked.identities.is_empty() || answer.outcome != Outcome::Returned {
            return;
        }
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= KEPT_MAX {
            kept.clear();
        }
        kept.insert(asked, (until, answer.clone()));
    }
}

fn rest_refusal(refusal: Refusal) -> (StatusCode, &'static str) {
    match refusal {
        Refusal::NoRoute => (StatusCode::FORBIDDEN, "Missing Authentication Token"),
        Refusal::Unauthorized => (StatusCode::UNAUTHORIZED, "Unauthorized"),
        Refusal::Denied { explicit: true } => (
            StatusCode::FORBIDDEN,
            "User is not authorized to access this resource with an explicit deny",
        ),
        Refusal::Denied { explicit: false } => (
            StatusCode::FORBIDDEN,
            "User is not authorized to access this resource",
        ),
        Refusal::NoRuling => (StatusCode::INTERNAL_SERVER_ERROR, ""),
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
        Refusal::Unauthorized => (StatusCode::UNAUTHORIZED, "Unauthorized"),
        Refusal::Denied { .. } => (StatusCode::FORBIDDEN, "Forbidden"),
        Refusal::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large"),
        Refusal::Truncated => (StatusCode::BAD_REQUEST, "Bad Request"),
        Refusal::Failed | Refusal::NotInvoked | Refusal::NoRuling => {
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
const REGION: &str = "us-east-1";
/// Answers of authorizers that an API keeps; beyond that it forgets all of them.
const KEPT_MAX: usize = 1000;
/// What API Gateway takes; Lambda itself takes less.
const REQUEST_BYTES_MAX: u64 = 10 * 1024 * 1024;
const REST_TIMEOUT: Duration = Duration::from_secs(29);
const HTTP_TIMEOUT: Duration = Duration::from_secs(30);
