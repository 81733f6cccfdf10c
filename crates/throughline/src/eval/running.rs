//! A server in this process, on ports of its own, with a clock that is set.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow, bail};
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::header::CONTENT_TYPE;
use hyper::{Method, Request};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;
use throughline_server::{Addresses, Clock, Config, Listen, Server, StopError};
use throughline_telemetry::wire::{self, Request as Otlp};
use throughline_telemetry::{Span, UnixNanos};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

pub(super) struct Running {
    addresses: Addresses,
    clock: Arc<AtomicU64>,
    client: Client<HttpConnector, Full<Bytes>>,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<Result<(), StopError>>,
}

impl Running {
    /// Serves what is in the folder, at this time.
    pub(super) async fn start(data_dir: &Path, now: UnixNanos) -> anyhow::Result<Self> {
        let clock = Arc::new(AtomicU64::new(now.0));
        let shown = Arc::clone(&clock);
        let config = Config::try_new(data_dir.to_owned(), Listen::on_free_ports(), None)?
            .with_clock(Clock::new(move || UnixNanos(shown.load(Ordering::SeqCst))));
        let server = Server::bind(config).await?;
        let addresses = server.addresses();
        let (stop, stopped) = oneshot::channel();
        let serving = tokio::spawn(server.run(async { drop(stopped.await) }));
        Ok(Running {
            addresses,
            clock,
            client: Client::builder(TokioExecutor::new()).build_http(),
            stop,
            serving,
        })
    }

    /// What is stored up to then has to be sent before.
    pub(super) fn set_clock(&self, now: UnixNanos) {
        self.clock.store(now.0, Ordering::SeqCst);
    }

    /// Sends spans, which are on disk afterwards.
    pub(super) async fn send(&self, spans: &[Span]) -> anyhow::Result<()> {
        let body = Otlp::Traces(wire::traces_request(spans)).to_protobuf();
        let url = format!("http://{}/v1/traces", self.addresses.otlp_http);
        let request = Request::post(url).header(CONTENT_TYPE, "application/x-protobuf");
        let request = request.body(Full::new(body.into()))?;
        let answer = self.exchange(request).await;
        drop(answer.context("the server does not take spans")?);
        Ok(())
    }

    /// The answer of the API to a question.
    pub(super) async fn ask(&self, path: &str, question: &Value) -> anyhow::Result<Value> {
        self.api(Method::POST, path, question.to_string().into())
            .await
    }

    /// What the API shows.
    pub(super) async fn load(&self, path: &str) -> anyhow::Result<Value> {
        self.api(Method::GET, path, Bytes::new()).await
    }

    /// Until detection has looked at every minute that is complete.
    pub(super) async fn until_watched(&self) -> anyhow::Result<()> {
        let begun = moment();
        while begun.elapsed() < WATCHED_WITHIN {
            let status = self.load("/api/v1/status").await?;
            let behind = status["detection"]["behind_seconds"].as_f64();
            if behind.is_some_and(|seconds| seconds < BEHIND_SECONDS) {
                return Ok(());
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        bail!("detection did not look at everything within {WATCHED_WITHIN:?}")
    }

    /// Stops in order: what it knows is in its folder afterwards.
    pub(super) async fn stop(self) -> anyhow::Result<()> {
        drop(self.stop);
        self.serving.await.context("the server fell over")??;
        Ok(())
    }

    async fn api(&self, method: Method, path: &str, body: Bytes) -> anyhow::Result<Value> {
        let url = format!("http://{}{path}", self.addresses.http);
        let request = Request::builder().method(method).uri(url);
        let request = request.header(CONTENT_TYPE, "application/json");
        let request = request.body(Full::new(body))?;
        let answer = self.exchange(request).await;
        let answer = answer.with_context(|| format!("the server does not answer {path}"))?;
        serde_json::from_slice(&answer).with_context(|| format!("{path} is not answered in JSON"))
    }

    async fn exchange(&self, request: Request<Full<Bytes>>) -> anyhow::Result<Bytes> {
        let exchange = async {
            let (head, body) = self.client.request(request).await?.into_parts();
            let body = Limited::new(body, ANSWER_BYTES_MAX).collect().await;
            let body = body.map_err(|error| anyhow!("the answer broke off: {error}"))?;
            anyhow::Ok((head.status, body.to_bytes()))
        };
        let (status, body) = tokio::time::timeout(PATIENCE, exchange)
            .await
            .map_err(|_| anyhow!("no answer within {PATIENCE:?}"))??;
        if !status.is_success() {
            bail!("{status}: {}", String::from_utf8_lossy(&body));
        }
        Ok(body)
    }
}

#[allow(clippy::disallowed_methods)] // an edge: it measures, and waits
pub(super) fn moment() -> Instant {
    Instant::now()
}

/// A minute is complete two minutes after its end; what is further behind is looked at now.
const BEHIND_SECONDS: f64 = 180.0;
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// Two days of minutes on a busy machine.
const WATCHED_WITHIN: Duration = Duration::from_secs(1800);
/// For a request on a machine that is busy with others.
const PATIENCE: Duration = Duration::from_secs(900);
const ANSWER_BYTES_MAX: usize = 64 << 20;
