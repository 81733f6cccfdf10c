//! A server in this process, on ports of its own, with a clock that is set.

use std::fs;
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
use throughline_telemetry::wire::Request as Otlp;
use throughline_telemetry::{Signal, UnixNanos};
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

    /// What is stored up to then has to be sent before. A clock that is later stays as it is.
    pub(super) fn set_clock(&self, now: UnixNanos) {
        self.clock.fetch_max(now.0, Ordering::SeqCst);
    }

    /// Sends spans or log records, which are on disk afterwards.
    pub(super) async fn send(&self, told: &Otlp) -> anyhow::Result<()> {
        let path = match told.signal() {
            Signal::Traces => "traces",
            Signal::Logs => "logs",
            Signal::Metrics => "metrics",
        };
        let url = format!("http://{}/v1/{path}", self.addresses.otlp_http);
        let request = Request::post(url).header(CONTENT_TYPE, "application/x-protobuf");
        let request = request.body(Full::new(told.to_protobuf().into()))?;
        let answer = self.exchange(request).await;
        drop(answer.with_context(|| format!("the server does not take {path}"))?);
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

    /// The incidents that were opened from then on, the newest first.
    pub(super) async fn opened(&self, from: UnixNanos) -> anyhow::Result<Vec<Value>> {
        let mut found = Vec::new();
        let mut path = INCIDENTS.to_owned();
        for _ in 0..PAGES_MAX {
            let page = self.load(&path).await?;
            let incidents = page["incidents"].as_array().into_iter().flatten();
            found.extend(incidents.filter(|it| opened_at(it) >= from).cloned());
            let Some(next) = page["next_cursor"].as_str() else {
                break;
            };
            path = format!("{INCIDENTS}&cursor={next}");
        }
        Ok(found)
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

pub(super) fn opened_at(incident: &Value) -> UnixNanos {
    let text = incident["opened_unix_nanos"].as_str().unwrap_or_default();
    UnixNanos(text.parse().unwrap_or(0))
}

/// Copies what a server has left. Files that are written once and never again are shared.
pub(super) fn copied(from: &Path, to: &Path) -> anyhow::Result<()> {
    let shown = || format!("cannot copy {} to {}", from.display(), to.display());
    fs::create_dir_all(to).with_context(shown)?;
    for entry in fs::read_dir(from).with_context(shown)? {
        let entry = entry.with_context(shown)?;
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        let is_shared = source.extension().is_some_and(|it| it == "parquet");
        if entry.file_type().with_context(shown)?.is_dir() {
            copied(&source, &target)?;
        } else if !is_shared || fs::hard_link(&source, &target).is_err() {
            fs::copy(source, target).with_context(shown)?;
        }
    }
    Ok(())
}

#[allow(clippy::disallowed_methods)] // an edge: it measures, and waits
pub(super) fn moment() -> Instant {
    Instant::now()
}

const INCIDENTS: &str = "/api/v1/incidents?limit=200";
/// Of 200 incidents each.
const PAGES_MAX: usize = 100;
/// After its end a minute is complete for the server.
pub(super) const COMPLETE: Duration = Duration::from_secs(120);
/// A minute is complete two minutes after its end; what is further behind is looked at now.
const BEHIND_SECONDS: f64 = 180.0;
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// Two days of minutes on a busy machine.
const WATCHED_WITHIN: Duration = Duration::from_secs(1800);
/// For a request on a machine that is busy with others.
const PATIENCE: Duration = Duration::from_secs(900);
const ANSWER_BYTES_MAX: usize = 64 << 20;
