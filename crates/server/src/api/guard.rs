//! What every request must pass before it reaches an endpoint or the page.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::error::ApiError;
use super::health::METRICS;
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
    let data = path == "/api" || path.starts_with("/api/") || path == METRICS || path == mcp::PATH;
    let opened = match path {
        cloudwatch::PATH => access.key_in_opens(request.headers(), &cloudwatch::FIREHOSE_KEY),
        _ => access.key_opens(request.headers()),
    };
    if data && !opened {
        return ApiError::KeyRequired.into_response();
    }
    next.run(request).await
}
