//! The two ways in which assistants connect.

use std::sync::Arc;

use rmcp::ServiceExt;
use rmcp::transport::stdio;
use rmcp::transport::streamable_http_server::session::never::NeverSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};

use crate::{Api, Tools};

/// A service for one path of an HTTP server.
pub type OverHttp<A> = StreamableHttpService<Tools<A>, NeverSessionManager>;

/// Streamable HTTP, without sessions: each request is answered with JSON, by itself. Whoever serves it has
/// looked at keys, host names and origins before.
pub fn over_http<A: Api>(api: A) -> OverHttp<A> {
    let config = StreamableHttpServerConfig::default()
        .with_legacy_session_mode(false)
        .with_json_response(true)
        .with_sse_keep_alive(None)
        .with_max_request_body_bytes(REQUEST_BYTES_MAX)
        .disable_allowed_hosts();
    StreamableHttpService::new(
        move || Ok(Tools::new(api.clone())),
        Arc::new(NeverSessionManager::default()),
        config,
    )
}

/// Answers on the standard output what comes on the standard input, until that ends.
///
/// # Errors
///
/// What the other side does not speak, in words.
pub async fn over_stdio<A: Api>(api: A) -> Result<(), String> {
    let begun = Tools::new(api).serve(stdio()).await;
    let running = match begun {
        Ok(running) => running,
        // Nobody said anything: whoever started this has gone.
        Err(rmcp::service::ServerInitializeError::ConnectionClosed(_)) => return Ok(()),
        Err(error) => return Err(error.to_string()),
    };
    running.waiting().await.map_err(|error| error.to_string())?;
    Ok(())
}

/// A question is at most some kilobytes.
const REQUEST_BYTES_MAX: usize = 256 << 10;
