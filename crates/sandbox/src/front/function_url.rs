//! Function URLs: an HTTP request becomes an event of payload format 2.0, and the answer becomes a response.

mod event;
mod prelude;
mod response;
mod streaming;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::{ConnectInfo, Request, State};
use axum::response::Response;
use http::StatusCode;

use crate::body::read_body;
use crate::environment::Answered;
use crate::gateway::{Gateway, SYNCHRONOUS_BYTES_MAX};
use crate::invoke::{Invoke, InvokeError, Outcome};
use crate::lifecycle::Body;
use crate::time::Clock;
use crate::trace_header;

use event::UrlRequest;

/// The URL of one function.
pub(crate) struct FunctionUrl {
    pub(crate) gateway: Arc<Gateway>,
    pub(crate) function: String,
    pub(crate) clock: Clock,
}

pub(crate) fn router(url: FunctionUrl) -> Router {
    Router::new().fallback(handle).with_state(Arc::new(url))
}

async fn handle(
    State(url): State<Arc<FunctionUrl>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response {
    let now = url.clock.now();
    let (parts, body) = request.into_parts();
    let incoming = parts
        .headers
        .get("x-amzn-trace-id")
        .and_then(|header| header.to_str().ok());
    let trace_header = trace_header::complete(incoming, now);
    let body = match read_body(Request::new(body), SYNCHRONOUS_BYTES_MAX as u64).await {
        Body::Whole(body) => body,
        Body::TooLarge { .. } => {
            return response::message(StatusCode::PAYLOAD_TOO_LARGE, "Request Too Long");
        }
        Body::Truncated => return response::message(StatusCode::BAD_REQUEST, "Bad Request"),
    };
    let request_id = uuid::Uuid::new_v4().to_string();
    let seen = UrlRequest {
        parts: &parts,
        body: &body,
        peer,
        request_id: &request_id,
        trace_header: &trace_header,
        now,
    };
    let mut invoke = Invoke::new(url.function.clone())
        .payload(seen.to_event().to_string())
        .trace_header(trace_header);
    invoke.request_id = Some(request_id);
    match url.gateway.start(invoke) {
        Ok(mut ticket) => match ticket.answered().await {
            Answered::Stream(stream) => streaming::response(stream).await,
            Answered::Whole(verdict) if verdict.outcome == Outcome::Returned => {
                response::of_payload(&verdict.payload)
            }
            Answered::Whole(_) => response::bad_gateway(),
        },
        Err(InvokeError::Throttled { .. }) => {
            response::message(StatusCode::TOO_MANY_REQUESTS, "Rate Exceeded")
        }
        Err(InvokeError::PayloadTooLarge { .. }) => {
            response::message(StatusCode::PAYLOAD_TOO_LARGE, "Request Too Long")
        }
        Err(error) => {
            tracing::warn!(%error, function = %url.function, "function URL request failed");
            response::bad_gateway()
        }
    }
}
