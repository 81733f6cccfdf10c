//! What every request must pass before it reaches an endpoint or the page.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::Method;

use super::error::ApiError;
use super::health::METRICS;
use super::notifications;
use crate::access::Access;
use crate::cloudwatch;
use crate::mcp;

/// Refuses foreign host names everywhere, and requests for data without the key. The page itself
/// holds no data, and must load to be able to ask for the key.
pub(super) async fn check(
    State(access): State<Arc<Access>>,
    request: Request,
    next: Next,
) -> Response {
    let host = access.foreign_host(request.uri(), request.headers());
    if let Some(host) = host.or_else(|| access.foreign_origin(request.headers())) {
        return ApiError::HostNotAllowed(host).into_response();
    }
    let path = request.uri().path();
    // The page of an action holds no data either; doing it is another matter.
    let acts = path.starts_with("/act/") && request.method() == Method::POST;
    let data = path == "/api" || path.starts_with("/api/") || path == METRICS || path == mcp::PATH;
    let opened = match path {
        // Its link is signed, and mail programs have no key.
        notifications::STOP => true,
        cloudwatch::PATH => access.key_in_opens(request.headers(), &cloudwatch::FIREHOSE_KEY),
        _ => access.key_opens(request.headers()),
    };
    if (data || acts) && !opened {
        return ApiError::KeyRequired.into_response();
    }
    next.run(request).await
}
