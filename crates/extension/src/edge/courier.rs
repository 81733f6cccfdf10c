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
use super::fault;
use super::keeper::Keeper;
use super::otlp::ExportResponse;

/// One server, and the connections to it.
#[derive(Debug)]
pub(super) struct Courier {
    endpoint: Endpoint,
    environment: String,
    client: Client,
    keeper: Option<Keeper>,
    request_max: Duration,
}

impl Courier {
    pub(super) fn new(endpoint: Endpoint, environment: &str, request_max: Duration) -> Self {
        Courier {
            client: Client::new(endpoint.base()),
            endpoint,
            environment: environment.to_owned(),
            keeper: None,
            request_max,
        }
    }

    /// With a key that is looked up under a name.
    pub(super) fn with_keeper(self, keeper: Option<Keeper>) -> Self {
        Courier { keeper, ..self }
    }

    /// After a restore connections are dead, and the key may be another one.
    pub(super) async fn renew(&self) {
        self.client.forget_connections();
        if let Some(keeper) = &self.keeper {
            keeper.renew().await;
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

    async fn send(&self, batch: &Batch) -> Outcome {
        fault::here("courier");
        let answered = match &self.keeper {
            None => self.exchange(batch, self.endpoint.api_key()).await,
            Some(keeper) => self.exchange_with(batch, keeper).await,
        };
        answered.map_or_else(failed, |answer| judge(&answer))
    }

    /// A refused key may have been changed where it is kept, so it is looked up again, and until there
    /// is another one the batch waits.
    async fn exchange_with(&self, batch: &Batch, keeper: &Keeper) -> Result<Answer, String> {
        let key = keeper.key().await?;
        let answer = self.exchange(batch, Some(&key)).await?;
        if !is_key_refused(&answer) {
            keeper.was_of_use().await;
            return Ok(answer);
        }
        keeper.refused(&key).await;
        let other = keeper.key().await?;
        if other != key {
            let answer = self.exchange(batch, Some(&other)).await?;
            if !is_key_refused(&answer) {
                keeper.was_of_use().await;
                return Ok(answer);
            }
        }
        keeper.refused(&other).await;
        Err(format!("the server answered {} to the key", answer.status))
    }

    /// A connection that ended under a request may have been dead since the last freeze, so the batch
    /// goes again at once, over a fresh one. Its number keeps the server from counting it twice.
    async fn exchange(&self, batch: &Batch, key: Option<&str>) -> Result<Answer, String> {
        let answer = match self.post(batch, key).await {
            Err(Broken::Connection(_)) => {
                self.client.forget_connections();
                self.post(batch, key).await
            }
            other => other,
        };
        answer.map_err(|(Broken::NoConnection(why) | Broken::Connection(why))| why)
    }

    async fn post(&self, batch: &Batch, key: Option<&str>) -> Result<Answer, Broken> {
        let request = self
            .request(batch, key)
            .map_err(|error| Broken::NoConnection(error.to_string()))?;
        self.client.send(request).await
    }

    fn request(&self, batch: &Batch, key: Option<&str>) -> http::Result<Request<Full<Bytes>>> {
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
            if key.is_none() || name != AUTHORIZATION {
                request = request.header(name, value);
            }
        }
        if batch.packed {
            request = request.header(CONTENT_ENCODING, "gzip");
        }
        if let Some(key) = key {
            request = request.header(AUTHORIZATION, format!("Bearer {key}"));
        }
        request.body(Full::new(batch.body.clone()))
    }
}

fn is_key_refused(answer: &Answer) -> bool {
    matches!(
        answer.status,
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN
    )
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
