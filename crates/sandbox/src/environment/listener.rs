//! The Runtime, Extensions and Telemetry APIs of one environment over HTTP.
//!
//! This layer knows paths, headers and bodies. What a call means, and whether it is allowed, is the state machine's
//! to say; its [`Reply`] becomes a response in [`render`].

mod error_cause;
mod render;
mod stream;

use std::net::TcpListener;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, Request, State};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::{get, post, put};
use http::{HeaderMap, StatusCode, header};
use serde::Deserialize;
use tokio::sync::{mpsc, oneshot, watch};

use super::actor::Message;
use super::standing::Standing;
use super::variables::CREDENTIALS_PATH;
use crate::body::read_body;
use crate::faults::{Desk, Occasion, What};
use crate::function::Function;
use crate::lifecycle::{
    ApiCall, Body, LogsOrTelemetry, RESPONSE_BYTES_MAX, Refusal, Reply, ResponseMode, RuntimeAnswer,
};
use crate::recording::Recorder;
use crate::time::Clock;

use render::Identity;

/// What the handlers share.
#[derive(Debug)]
pub(super) struct Api {
    pub(super) messages: mpsc::Sender<Message>,
    pub(super) clock: Clock,
    pub(super) identity: Identity,
    pub(super) metadata_token: String,
    /// `None` where the credentials are in the variables.
    pub(super) credentials_token: Option<String>,
    pub(super) standing: watch::Receiver<Standing>,
    pub(super) extensions_off: bool,
    pub(super) desk: Arc<Desk>,
    /// `None` when nobody wants to read it.
    pub(super) recorder: Option<Recorder>,
}

pub(super) fn identity(function: &Function) -> Identity {
    Identity {
        function: function.name.clone(),
        handler: function.handler.clone(),
    }
}

/// Serves until the task that runs it is aborted.
pub(super) async fn serve(listener: TcpListener, api: Api) -> std::io::Result<()> {
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let recorder = api.recorder.clone();
    let mut router = router(Arc::new(api));
    if let Some(recorder) = recorder {
        router = router.layer(middleware::from_fn_with_state(recorder, record));
    }
    axum::serve(listener, router).await
}

async fn record(State(recorder): State<Recorder>, request: Request, next: Next) -> Response {
    recorder
        .watch(request, async |request| next.run(request).await)
        .await
}

fn router(api: Arc<Api>) -> Router {
    // Where extensions are switched off there is nothing at their paths.
    let extensions = match api.extensions_off {
        true => Router::new(),
        false => extensions_router(),
    };
    Router::new()
        .route("/2018-06-01/ping", get(async || "pong"))
        .route("/2018-06-01/runtime/invocation/next", get(runtime_next))
        .route(
            "/2018-06-01/runtime/invocation/{id}/response",
            post(runtime_response),
        )
        .route(
            "/2018-06-01/runtime/invocation/{id}/error",
            post(runtime_error),
        )
        .route("/2018-06-01/runtime/init/error", post(runtime_init_error))
        .route("/2018-06-01/runtime/restore/next", get(restore_next))
        .route("/2018-06-01/runtime/restore/error", post(restore_error))
        .merge(extensions)
        .route("/2022-07-01/telemetry", put(telemetry_subscribe))
        .route("/2020-08-15/logs", put(logs_subscribe))
        .route(CREDENTIALS_PATH, get(credentials))
        .route(
            "/2026-01-15/metadata/execution-environment",
            get(metadata).fallback(no_such_method),
        )
        .fallback(nothing_there)
        .with_state(api)
}

/// Reads what it was sent: a connection whose request was not read is closed, and a client that uses it
/// once more finds it broken.
async fn nothing_there(request: Request) -> StatusCode {
    let _ = read_small(request).await;
    StatusCode::NOT_FOUND
}

fn extensions_router() -> Router<Arc<Api>> {
    Router::new()
        .route("/2020-01-01/extension/register", post(extension_register))
        .route("/2020-01-01/extension/event/next", get(extension_next))
        .route(
            "/2020-01-01/extension/init/error",
            post(extension_init_error),
        )
        .route(
            "/2020-01-01/extension/exit/error",
            post(extension_exit_error),
        )
}

type Shared = State<Arc<Api>>;

async fn runtime_next(State(api): Shared) -> Response {
    api.call(ApiCall::RuntimeNext).await
}

async fn runtime_response(
    State(api): Shared,
    Path(id): Path<String>,
    request: Request,
) -> Response {
    let mode = match request.headers().get(RESPONSE_MODE) {
        None if stream::announced(request.headers()) => {
            return stream::respond(api, id, request).await;
        }
        None => ResponseMode::Response,
        Some(mode) if mode == "streaming" => return stream::respond(api, id, request).await,
        Some(_) => ResponseMode::InvalidMode,
    };
    api.answer(id, mode, request).await
}

async fn runtime_error(State(api): Shared, Path(id): Path<String>, request: Request) -> Response {
    api.answer(id, ResponseMode::Error, request).await
}

async fn runtime_init_error(State(api): Shared, request: Request) -> Response {
    let error_type = text(request.headers(), "lambda-runtime-function-error-type");
    match read_small(request).await {
        Ok(body) => {
            api.call(ApiCall::RuntimeInitError { error_type, body })
                .await
        }
        Err(refusal) => api.render(Reply::Refused(refusal)),
    }
}

async fn restore_next(State(api): Shared) -> Response {
    api.call(ApiCall::RestoreNext).await
}

async fn restore_error(State(api): Shared, request: Request) -> Response {
    let error_type = text(request.headers(), "lambda-runtime-function-error-type");
    match read_small(request).await {
        Ok(body) => api.call(ApiCall::RestoreError { error_type, body }).await,
        Err(refusal) => api.render(Reply::Refused(refusal)),
    }
}

async fn extension_register(State(api): Shared, request: Request) -> Response {
    let name = text(request.headers(), "lambda-extension-name").unwrap_or_default();
    let features = text(request.headers(), "lambda-extension-accept-feature").unwrap_or_default();
    let with_account = features
        .split(',')
        .any(|feature| feature.trim() == "accountId");
    let events = match read_small(request).await {
        // An empty name is refused before anyone looks at the body.
        _ if name.is_empty() => Ok(Vec::new()),
        Ok(body) => parse_registration(&body),
        Err(refusal) => Err(refusal),
    };
    match events {
        Ok(events) => {
            let fresh_id = uuid::Uuid::new_v4().to_string();
            api.call(ApiCall::Register {
                name,
                events,
                fresh_id,
                with_account,
            })
            .await
        }
        Err(refusal) => api.render(Reply::Refused(refusal)),
    }
}

async fn extension_next(State(api): Shared, headers: HeaderMap) -> Response {
    api.call(ApiCall::ExtensionNext {
        identifier: identifier(&headers),
    })
    .await
}

async fn extension_init_error(State(api): Shared, request: Request) -> Response {
    let error_type = text(request.headers(), EXTENSION_ERROR_TYPE);
    let identifier = identifier(request.headers());
    // Whatever it says more; see `nothing_there`.
    let _ = read_small(request).await;
    api.call(ApiCall::ExtensionInitError {
        identifier,
        error_type,
    })
    .await
}

async fn extension_exit_error(State(api): Shared, request: Request) -> Response {
    let error_type = text(request.headers(), EXTENSION_ERROR_TYPE);
    let identifier = identifier(request.headers());
    // Whatever it says more; see `nothing_there`.
    let _ = read_small(request).await;
    api.call(ApiCall::ExtensionExitError {
        identifier,
        error_type,
    })
    .await
}

async fn telemetry_subscribe(State(api): Shared, request: Request) -> Response {
    subscribe(&api, LogsOrTelemetry::Telemetry, request).await
}

async fn logs_subscribe(State(api): Shared, request: Request) -> Response {
    subscribe(&api, LogsOrTelemetry::Logs, request).await
}

async fn subscribe(api: &Api, which: LogsOrTelemetry, request: Request) -> Response {
    let identifier = identifier(request.headers());
    match read_small(request).await {
        Ok(body) => {
            let call = ApiCall::Subscribe {
                api: which,
                identifier,
                body,
            };
            api.call(call).await
        }
        Err(refusal) => api.render(Reply::Refused(refusal)),
    }
}

async fn credentials(State(api): Shared, headers: HeaderMap) -> Response {
    let token = text(&headers, header::AUTHORIZATION.as_str());
    let known = token.is_some() && token == api.credentials_token;
    render::credentials(known.then(|| api.clock.now()))
}

async fn metadata(State(api): Shared, headers: HeaderMap) -> Response {
    let expected = format!("Bearer {}", api.metadata_token);
    let allowed = headers
        .get(header::AUTHORIZATION)
        .is_some_and(|found| found.as_bytes() == expected.as_bytes());
    if !allowed {
        return render::no_metadata(StatusCode::UNAUTHORIZED);
    }
    match api.trouble_with_metadata() {
        Some(status) => render::no_metadata(status),
        None => render::metadata(api.standing.borrow().settled),
    }
}

/// Whoever uses another method hears that before anything else.
async fn no_such_method() -> Response {
    render::no_metadata(StatusCode::METHOD_NOT_ALLOWED)
}

impl Api {
    fn trouble_with_metadata(&self) -> Option<StatusCode> {
        let struck = self
            .desk
            .strike(&self.identity.function, None, Occasion::Metadata);
        struck.into_iter().find_map(|what| match what {
            What::Metadata(status) => StatusCode::from_u16(status).ok(),
            _ => None,
        })
    }

    async fn call(&self, call: ApiCall) -> Response {
        let (sender, receiver) = oneshot::channel();
        let reply = self.ask(Message::Call(call, sender), receiver).await;
        self.render(reply)
    }

    async fn ask(&self, message: Message, receiver: oneshot::Receiver<Reply>) -> Reply {
        let sent = self.messages.send(message).await;
        let reply = if sent.is_ok() {
            receiver.await.ok()
        } else {
            None
        };
        // No reply: the environment ended while the call was waiting.
        reply.unwrap_or_else(|| Reply::Refused(Refusal::internal()))
    }

    async fn answer(&self, request_id: String, mode: ResponseMode, request: Request) -> Response {
        let first_byte = self.clock.now();
        let attempt = text(request.headers(), "lambda-runtime-invocation-id");
        let error_type = text(request.headers(), "lambda-runtime-function-error-type");
        let cause = text(
            request.headers(),
            "lambda-runtime-function-xray-error-cause",
        );
        let cause_in_body = text(request.headers(), header::CONTENT_TYPE.as_str())
            .is_some_and(|content_type| content_type == error_cause::CONTENT_TYPE);
        let mut body = read_body(request, RESPONSE_BYTES_MAX).await;
        let error_cause = match (&mut body, mode) {
            (Body::Whole(whole), ResponseMode::Error) if cause_in_body => {
                let (told, cause) = error_cause::of_body(whole);
                *whole = told;
                cause
            }
            (_, ResponseMode::Error) => cause.as_deref().and_then(error_cause::of_header),
            _ => None,
        };
        self.call(ApiCall::RuntimeAnswer(RuntimeAnswer {
            request_id,
            attempt,
            first_byte,
            body,
            mode,
            error_type,
            error_cause,
        }))
        .await
    }

    fn render(&self, reply: Reply) -> Response {
        render::response(reply, &self.identity)
    }
}

#[derive(Deserialize)]
struct Registration {
    #[serde(default)]
    events: Vec<String>,
    #[serde(default, rename = "configurationKeys")]
    configuration_keys: Vec<serde_json::Value>,
}

fn parse_registration(body: &[u8]) -> Result<Vec<String>, Refusal> {
    let refuse = |message: String| Refusal::forbidden("InvalidRequestFormat", message);
    let registration: Registration =
        serde_json::from_slice(body).map_err(|error| refuse(error.to_string()))?;
    if !registration.configuration_keys.is_empty() {
        return Err(refuse(
            "configurationKeys are deprecated; use environment variables instead".to_owned(),
        ));
    }
    Ok(registration.events)
}

async fn read_small(request: Request) -> Result<bytes::Bytes, Refusal> {
    match read_body(request, SMALL_BYTES_MAX).await {
        Body::Whole(body) => Ok(body),
        Body::TooLarge { .. } => Err(Refusal::new(
            StatusCode::PAYLOAD_TOO_LARGE.as_u16(),
            "RequestEntityTooLarge",
            "Request is too large",
        )),
        Body::Truncated => Err(Refusal::truncated()),
    }
}

fn identifier(headers: &HeaderMap) -> Option<String> {
    text(headers, "lambda-extension-identifier")
}

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    Some(headers.get(name)?.to_str().ok()?.to_owned())
}

const RESPONSE_MODE: &str = "lambda-runtime-function-response-mode";
const EXTENSION_ERROR_TYPE: &str = "lambda-extension-function-error-type";
/// For everything but the payload of a function.
const SMALL_BYTES_MAX: u64 = 1024 * 1024;
