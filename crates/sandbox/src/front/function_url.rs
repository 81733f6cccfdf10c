//! Function URLs: an HTTP request becomes an event of payload format 2.0, and the answer becomes a response.

mod prelude;
mod streaming;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::{ConnectInfo, Request, State};
use axum::response::Response;
use http::StatusCode;

use super::format_2::{self, answer};
use super::received::{Received, Unreadable, told};
use crate::environment::Answered;
use crate::gateway::{Gateway, SYNCHRONOUS_BYTES_MAX};
use crate::invoke::{Invoke, InvokeError, Outcome};
use crate::time::Clock;

/// The URL of one function.
pub(crate) struct FunctionUrl {
    pub(crate) gateway: Arc<Gateway>,
    pub(crate) function: String,
    pub(crate) invoke_mode: InvokeMode,
    pub(crate) clock: Clock,
}

/// What becomes of an answer that the function streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum InvokeMode {
    /// It is gathered first.
    Buffered,
    /// It is passed on as it comes.
    ResponseStream,
}

pub(crate) fn router(url: FunctionUrl) -> Router {
    Router::new().fallback(handle).with_state(Arc::new(url))
}

async fn handle(
    State(url): State<Arc<FunctionUrl>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response {
    let limit = SYNCHRONOUS_BYTES_MAX as u64;
    let received = match Received::read(request, peer, url.clock.now(), limit).await {
        Ok(received) => received,
        Err(Unreadable::TooLarge) => return too_long(),
        Err(Unreadable::Truncated) => {
            return told(StatusCode::BAD_REQUEST, "Message", "Bad Request");
        }
    };
    let gateway = format_2::Gateway {
        account_id: "anonymous",
        api_id: URL_ID,
        stage: "$default",
        route_key: "$default",
        path_parameters: BTreeMap::new(),
        stage_variables: BTreeMap::new(),
    };
    let mut invoke = Invoke::new(url.function.clone())
        .payload(format_2::event(&received, &gateway).to_string())
        .trace_header(received.trace_header);
    invoke.request_id = Some(received.request_id);
    let answered = match url.gateway.start(invoke) {
        Ok(mut ticket) => ticket.answered().await,
        Err(error) => Err(error),
    };
    match answered {
        Ok(Answered::Stream(stream)) => match url.invoke_mode {
            InvokeMode::ResponseStream => streaming::response(stream).await,
            InvokeMode::Buffered => streaming::gathered(stream).await,
        },
        Ok(Answered::Whole(verdict)) if verdict.outcome == Outcome::Returned => {
            answer::of_payload(&verdict.payload).unwrap_or_else(bad_gateway)
        }
        Ok(Answered::Whole(_) | Answered::Rejected) => bad_gateway(),
        Err(InvokeError::Throttled { .. }) => {
            told(StatusCode::TOO_MANY_REQUESTS, "Message", "Rate Exceeded")
        }
        Err(InvokeError::PayloadTooLarge { .. }) => too_long(),
        Err(error) => {
            tracing::warn!(%error, function = %url.function, "function URL request failed");
            bad_gateway()
        }
    }
}

/// The function failed, or what it returned cannot be a response. Lambda spells the key with a capital where it
/// refuses, and without one here.
fn bad_gateway() -> Response {
    told(StatusCode::BAD_GATEWAY, "message", "Internal Server Error")
}

fn too_long() -> Response {
    told(StatusCode::PAYLOAD_TOO_LARGE, "Message", "Request Too Long")
}

/// On Lambda the random label of the host name.
const URL_ID: &str = "sandbox";
