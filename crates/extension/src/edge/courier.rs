//! Carries batches to the server, one POST each.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt;
use http::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, HOST, RETRY_AFTER, USER_AGENT};
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::Full;
use prost::Message;
use throughline_extension::config::Endpoint;
use throughline_extension::outbox::{Batch, Outcome};

use super::client::{Answer, Broken, Client};
use super::otlp::ExportResponse;

/// One server, and the connections to it.
#[derive(Debug)]
pub(super) struct Courier {
    endpoint: Endpoint,
    environment: String,
    client: Client,
    request_max: Duration,
}

impl Courier {
    pub(super) fn new(endpoint: Endpoint, environment: &str, request_max: Duration) -> Self {
        Courier {
            client: Client::new(endpoint.base()),
            endpoint,
            environment: environment.to_owned(),
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
                self.client.forget_connections();
                failed(format!("no answer within {:?}", self.request_max))
            }
        }
    }

    /// A connection that ended under a request may have been dead since the last freeze, so the batch
    /// goes again at once, over a fresh one. Its number keeps the server from counting it twice.
    async fn send(&self, batch: &Batch) -> Outcome {
        let response = match self.post(batch).await {
            Err(Broken::Connection(_)) => {
                self.client.forget_connections();
                self.post(batch).await
            }
            other => other,
        };
        match response {
            Ok(answer) => judge(&answer),
            Err(Broken::NoConnection(why) | Broken::Connection(why)) => failed(why),
        }
    }

    async fn post(&self, batch: &Batch) -> Result<Answer, Broken> {
        let request = self
            .request(batch)
            .map_err(|error| Broken::NoConnection(error.to_string()))?;
        self.client.send(request).await
    }

    fn request(&self, batch: &Batch) -> http::Result<Request<Full<Bytes>>> {
        let path = self.endpoint.path(&format!("/v1/{}", batch.signal));
        let mut request = Request::builder()
            .method(Method::POST)
            .uri(path)
            .header(HOST, self.endpoint.authority())
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
}

/// What the server's answer means.
fn judge(answer: &Answer) -> Outcome {
    let status = answer.status;
    if status.is_success() {
        let answer = ExportResponse::decode(answer.body.clone()).unwrap_or_default();
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
            retry_after: retry_after(&answer.headers),
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

#[cfg(test)]
mod tests;
