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
use throughline_extension::grpc::{RetryInfo, Status};
use throughline_extension::outbox::{Batch, Outcome, Parcel};
use tokio::time::Instant;

use super::client::{Answer, Broken, Client};
use super::fault;
use super::keeper::Keeper;
use super::otlp::ExportResponse;

/// One server, and the connections to it.
#[derive(Debug)]
pub(super) struct Courier {
    endpoint: Endpoint,
    client: Client,
    keeper: Option<Keeper>,
    request_max: Duration,
}

impl Courier {
    pub(super) fn new(endpoint: Endpoint, request_max: Duration) -> Self {
        Courier {
            client: Client::new(endpoint.base()),
            endpoint,
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

    /// The address that a batch goes to.
    pub(super) fn url(&self, batch: &Batch) -> String {
        self.endpoint.url(&format!("/v1/{}", batch.signal))
    }

    /// Sends one batch. Comes back with an outcome whatever happens, a panic included.
    pub(super) async fn deliver(&self, parcel: &Parcel) -> Outcome {
        let sent = AssertUnwindSafe(self.send_awake(parcel)).catch_unwind();
        match sent.await {
            Ok(outcome) => outcome,
            Err(_) => failed("the courier panicked".to_owned()),
        }
    }

    /// A frozen environment does not hear the answer, so only the time awake counts against the
    /// server. Who slept under a request gets its answer soon, or sends it again on a fresh
    /// connection: the old one may be dead without a sign.
    async fn send_awake(&self, parcel: &Parcel) -> Outcome {
        match awake(self.request_max, self.send(parcel)).await {
            Awake::Done(outcome) => return outcome,
            Awake::TooLong => {}
            Awake::Slept => {
                self.client.forget_connections();
                if let Awake::Done(outcome) = awake(self.request_max, self.send(parcel)).await {
                    return outcome;
                }
            }
        }
        // A connection that swallowed one request would swallow the next.
        self.client.forget_connections();
        failed(format!("no answer within {:?}", self.request_max))
    }

    async fn send(&self, parcel: &Parcel) -> Outcome {
        fault::here("courier");
        let answered = match &self.keeper {
            None => self.exchange(parcel, self.endpoint.api_key()).await,
            Some(keeper) => self.exchange_with(parcel, keeper).await,
        };
        answered.map_or_else(failed, |answer| judge(&answer))
    }

    /// A refused key may have been changed where it is kept, so it is looked up again, and until there
    /// is another one the batch waits.
    async fn exchange_with(&self, parcel: &Parcel, keeper: &Keeper) -> Result<Answer, String> {
        let key = keeper.key().await?;
        let answer = self.exchange(parcel, Some(&key)).await?;
        if !is_key_refused(&answer) {
            keeper.was_of_use().await;
            return Ok(answer);
        }
        keeper.refused(&key).await;
        let other = keeper.key().await?;
        if other != key {
            let answer = self.exchange(parcel, Some(&other)).await?;
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
    async fn exchange(&self, parcel: &Parcel, key: Option<&str>) -> Result<Answer, String> {
        let answer = match self.post(parcel, key).await {
            Err(Broken::Connection(_)) => {
                self.client.forget_connections();
                self.post(parcel, key).await
            }
            other => other,
        };
        answer.map_err(|(Broken::NoConnection(why) | Broken::Connection(why))| why)
    }

    async fn post(&self, parcel: &Parcel, key: Option<&str>) -> Result<Answer, Broken> {
        let request = self
            .request(parcel, key)
            .map_err(|error| Broken::NoConnection(error.to_string()))?;
        self.client.send(request).await
    }

    fn request(&self, parcel: &Parcel, key: Option<&str>) -> http::Result<Request<Full<Bytes>>> {
        let batch = &parcel.batch;
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
            .header("x-throughline-environment", &*batch.environment)
            .header("x-throughline-function", &*batch.function)
            .header("x-throughline-ledger", &*parcel.ledger);
        if batch.sequence > 0 {
            request = request.header("x-throughline-sequence", batch.sequence);
        }
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
            retry_after: retry_after(&answer.headers).max(retry_info(&answer.body)),
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

/// What the body of an error says about it, in protobuf.
fn retry_info(body: &Bytes) -> Option<Duration> {
    let status = Status::decode(&body[..]).ok()?;
    let is_retry = |url: &str| url.ends_with("/google.rpc.RetryInfo");
    let detail = status
        .details
        .iter()
        .find(|detail| is_retry(&detail.type_url))?;
    let delay = RetryInfo::decode(&detail.value[..]).ok()?.delay?;
    let (seconds, nanos) = (delay.seconds.try_into().ok()?, delay.nanos.try_into().ok()?);
    // The wait has a limit anyway; more than that would only overflow.
    (seconds < u64::from(u32::MAX) && nanos < 1_000_000_000).then(|| Duration::new(seconds, nanos))
}

/// How a wait went.
enum Awake<T> {
    Done(T),
    /// It took too long, and nobody slept.
    TooLong,
    /// It took too long after a sleep.
    Slept,
}

/// Waits at most `max`, not counting the time in which the environment was frozen.
async fn awake<T>(max: Duration, work: impl Future<Output = T>) -> Awake<T> {
    let mut work = std::pin::pin!(work);
    let (mut left, mut slept) = (max, false);
    while !left.is_zero() {
        let slice = SLICE.min(left);
        let begun = Instant::now();
        match tokio::time::timeout(slice, &mut work).await {
            Ok(done) => return Awake::Done(done),
            Err(_) => left -= slice,
        }
        if begun.elapsed() > slice + SLEEP_MIN {
            slept = true;
            left = left.min(THAW_MAX);
        }
    }
    if slept { Awake::Slept } else { Awake::TooLong }
}

fn failed(why: String) -> Outcome {
    Outcome::Failed {
        why,
        retry_after: None,
    }
}

/// A wait is made of waits of this length, so that a sleep costs one of them.
const SLICE: Duration = Duration::from_millis(100);
/// A wait that took so much longer was a sleep.
const SLEEP_MIN: Duration = Duration::from_millis(400);
/// So long after a sleep an answer that was on its way has come.
const THAW_MAX: Duration = Duration::from_millis(300);

#[cfg(test)]
mod tests;
