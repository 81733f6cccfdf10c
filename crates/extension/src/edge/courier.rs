//! Carries batches to the server, one POST each.

use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt;
use http::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, RETRY_AFTER, USER_AGENT};
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::{self, connect::HttpConnector};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use prost::Message;
use throughline_extension::config::Endpoint;
use throughline_extension::outbox::{Batch, Outcome};

use super::otlp::ExportResponse;

/// One server, and the connections to it.
#[derive(Debug)]
pub(super) struct Courier {
    endpoint: Endpoint,
    environment: String,
    client: Mutex<Option<Arc<Client>>>,
    request_max: Duration,
}

/// Plain or with TLS. TLS is set up when the first batch leaves, which is after the function's start.
#[derive(Debug)]
enum Client {
    Plain(legacy::Client<HttpConnector, Full<Bytes>>),
    Tls(legacy::Client<HttpsConnector<HttpConnector>, Full<Bytes>>),
}

/// Why a request did not come back.
enum Broken {
    /// There is no connection to be had.
    NoConnection(String),
    /// The connection ended under it.
    Connection(String),
}

impl Courier {
    pub(super) fn new(endpoint: Endpoint, environment: &str, request_max: Duration) -> Self {
        Courier {
            endpoint,
            environment: environment.to_owned(),
            client: Mutex::new(None),
            request_max,
        }
    }

    /// Sends one batch. Comes back with an outcome whatever happens, a panic included.
    pub(super) async fn deliver(&self, batch: &Batch) -> Outcome {
        let sent = AssertUnwindSafe(self.send(batch)).catch_unwind();
        match tokio::time::timeout(self.request_max, sent).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_)) => failed("the courier panicked".to_owned()),
            Err(_) => {
                // A connection that swallowed one request would swallow the next.
                self.forget_connections();
                failed(format!("no answer within {:?}", self.request_max))
            }
        }
    }

    /// A connection that ended under a request may have been dead since the last freeze, so the batch
    /// goes again at once, over a fresh one. Its number keeps the server from counting it twice.
    async fn send(&self, batch: &Batch) -> Outcome {
        let response = match self.post(batch).await {
            Err(Broken::Connection(_)) => {
                self.forget_connections();
                self.post(batch).await
            }
            other => other,
        };
        match response {
            Ok(response) => judge(response).await,
            Err(Broken::NoConnection(why) | Broken::Connection(why)) => failed(why),
        }
    }

    async fn post(&self, batch: &Batch) -> Result<Response<Incoming>, Broken> {
        let request = self
            .request(batch)
            .map_err(|error| Broken::NoConnection(error.to_string()))?;
        let client = self.client();
        let response = match &*client {
            Client::Plain(client) => client.request(request).await,
            Client::Tls(client) => client.request(request).await,
        };
        response.map_err(|error| {
            let why = chain(&error);
            if error.is_connect() {
                Broken::NoConnection(why)
            } else {
                Broken::Connection(why)
            }
        })
    }

    fn request(&self, batch: &Batch) -> http::Result<Request<Full<Bytes>>> {
        let url = self.endpoint.url(&format!("/v1/{}", batch.signal));
        let mut request = Request::builder()
            .method(Method::POST)
            .uri(url)
            .header(CONTENT_TYPE, "application/x-protobuf")
            .header(
                USER_AGENT,
                concat!("throughline-extension/", env!("CARGO_PKG_VERSION")),
            )
            .header("x-throughline-environment", &self.environment)
            .header("x-throughline-sequence", batch.sequence);
        for (name, value) in self.endpoint.headers() {
            request = request.header(name, value);
        }
        if batch.packed {
            request = request.header(CONTENT_ENCODING, "gzip");
        }
        if let Some(key) = self.endpoint.api_key() {
            request = request.header(AUTHORIZATION, format!("Bearer {key}"));
        }
        request.body(Full::new(batch.body.clone()))
    }

    fn client(&self) -> Arc<Client> {
        let mut client = self.client.lock().unwrap_or_else(PoisonError::into_inner);
        let client = client.get_or_insert_with(|| Arc::new(Client::new(self.endpoint.is_tls())));
        Arc::clone(client)
    }

    fn forget_connections(&self) {
        *self.client.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

impl Client {
    fn new(tls: bool) -> Self {
        let mut http = HttpConnector::new();
        http.set_nodelay(true);
        http.set_connect_timeout(Some(CONNECT_MAX));
        http.enforce_http(!tls);
        let mut builder = legacy::Client::builder(TokioExecutor::new());
        builder
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_MAX);
        if !tls {
            return Client::Plain(builder.build(http));
        }
        let ring = rustls::crypto::ring::default_provider();
        let roots = HttpsConnectorBuilder::new().with_provider_and_webpki_roots(ring);
        // It fails only for a provider without TLS 1.2 or 1.3, and this one has both.
        let roots = roots.expect("ring has the protocol versions");
        Client::Tls(builder.build(roots.https_only().enable_http1().wrap_connector(http)))
    }
}

/// What the server's answer means.
async fn judge(response: Response<Incoming>) -> Outcome {
    let (head, body) = response.into_parts();
    let body = Limited::new(body, ANSWER_BYTES_MAX).collect().await;
    let body = body.map(|body| body.to_bytes()).unwrap_or_default();
    let status = head.status;
    if status.is_success() {
        let answer = ExportResponse::decode(body).unwrap_or_default();
        let rejected = answer.partial_success.map_or(0, |partial| partial.rejected);
        return Outcome::Delivered {
            refused: u64::try_from(rejected).unwrap_or(0),
        };
    }
    match status {
        StatusCode::TOO_MANY_REQUESTS
        | StatusCode::BAD_GATEWAY
        | StatusCode::SERVICE_UNAVAILABLE
        | StatusCode::GATEWAY_TIMEOUT => Outcome::Failed {
            why: format!("the server answered {status}"),
            retry_after: retry_after(&head.headers),
        },
        _ => Outcome::Rejected {
            why: format!("the server answered {status}"),
        },
    }
}

/// Only seconds: a date would need the server's clock to be ours.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers
        .get(RETRY_AFTER)?
        .to_str()
        .ok()?
        .trim()
        .parse()
        .ok()?;
    Some(Duration::from_secs(seconds))
}

fn failed(why: String) -> Outcome {
    Outcome::Failed {
        why,
        retry_after: None,
    }
}

/// The error with its causes: hyper tells the interesting part last.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

const CONNECT_MAX: Duration = Duration::from_secs(2);
/// Shorter than what load balancers keep.
const IDLE_MAX: Duration = Duration::from_secs(30);
const ANSWER_BYTES_MAX: usize = 64 << 10;

#[cfg(test)]
mod tests;
