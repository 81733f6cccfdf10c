//! Questions to a running server.

pub(crate) mod advice;
pub(crate) mod completeness;
mod follow;
mod found;
pub(crate) mod functions;
pub(crate) mod graph;
pub(crate) mod investigate;
mod line;
pub(crate) mod logs;
pub(crate) mod mcp;
pub(crate) mod query;
pub(crate) mod replay;
mod table;
pub(crate) mod tail;
mod text;
pub(crate) mod trace;
pub(crate) mod traces;
mod words;

use std::borrow::Cow;
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, RETRY_AFTER};
use hyper::http::request::Builder;
use hyper::{Method, Request, Response, StatusCode};
use hyper_rustls::{ConfigBuilderExt, HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use rustls::{ClientConfig, RootCertStore};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use throughline_telemetry::UnixNanos;

use crate::cli::{Target, Times};

/// A server to ask.
struct Server<'a> {
    target: &'a Target,
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
}

/// What a server answered.
struct Answer {
    status: StatusCode,
    /// How long it wants to be left alone.
    retry_after: Option<Duration>,
    json: Value,
    headers: HeaderMap,
    body: Bytes,
}

impl<'a> Server<'a> {
    fn new(target: &'a Target) -> anyhow::Result<Self> {
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(trust(target.server.starts_with("https:"))?)
            .https_or_http()
            .enable_http1()
            .build();
        Ok(Server {
            target,
            client: Client::builder(TokioExecutor::new()).build(connector),
        })
    }

    /// The answer to a question that must go well.
    async fn load(&self, path: &str) -> anyhow::Result<Value> {
        Ok(self.load_answer(path).await?.json)
    }

    async fn load_answer(&self, path: &str) -> anyhow::Result<Answer> {
        let answer = self.send(Method::GET, path, Bytes::new()).await?;
        if !answer.status.is_success() {
            bail!(self.refusal(answer.status, &answer.json));
        }
        Ok(answer)
    }

    /// Why the server does not answer as asked, and what to do.
    fn refusal(&self, status: StatusCode, error: &Value) -> String {
        let server = &self.target.server;
        let said = (error["code"].as_str(), error["message"].as_str());
        match (status, &self.target.api_key) {
            (StatusCode::UNAUTHORIZED, None) => format!(
                "{server} wants a key: put the one that it was started with into THROUGHLINE_API_KEY"
            ),
            (StatusCode::UNAUTHORIZED, Some(_)) => format!(
                "{server} does not take this key: it wants the one that it was started with"
            ),
            _ => match said {
                (Some(code), Some(message)) => format!("{server} says: {message} ({code})"),
                _ => format!(
                    "{server} answers {status}: is it the address of a server's page, such as 127.0.0.1:4300?"
                ),
            },
        }
    }

    async fn send(&self, method: Method, path: &str, body: Bytes) -> anyhow::Result<Answer> {
        self.ask(method, path, "application/json", body).await
    }

    /// With the form that the answer should have.
    async fn ask(
        &self,
        method: Method,
        path: &str,
        accept: &str,
        body: Bytes,
    ) -> anyhow::Result<Answer> {
        let server = &self.target.server;
        let request = self
            .request(method, path)
            .header(CONTENT_TYPE, "text/plain")
            .header(ACCEPT, accept);
        let request = self.whole(request, body)?;
        let exchange = tokio::time::timeout(PATIENCE, self.exchange(request)).await;
        exchange.map_err(|_| anyhow!("{server} did not answer within {PATIENCE:?}"))?
    }

    /// An answer that comes bit by bit and may never end.
    async fn stream(&self, path: &str, last_id: &str) -> anyhow::Result<Response<Incoming>> {
        let mut request = self
            .request(Method::GET, path)
            .header(ACCEPT, "text/event-stream");
        if !last_id.is_empty() {
            request = request.header("last-event-id", last_id);
        }
        let request = self.whole(request, Bytes::new())?;
        let answer = tokio::time::timeout(PATIENCE, self.answer(request)).await;
        let server = &self.target.server;
        answer.map_err(|_| anyhow!("{server} did not answer within {PATIENCE:?}"))?
    }

    fn request(&self, method: Method, path: &str) -> Builder {
        let server = &self.target.server;
        let request = Request::builder()
            .method(method)
            .uri(match server.contains("://") {
                true => format!("{server}{path}"),
                false => format!("http://{server}{path}"),
            });
        match &self.target.api_key {
            Some(key) => request.header(AUTHORIZATION, format!("Bearer {key}")),
            None => request,
        }
    }

    fn whole(&self, request: Builder, body: Bytes) -> anyhow::Result<Request<Full<Bytes>>> {
        let server = &self.target.server;
        let request = request.body(Full::new(body));
        request.with_context(|| format!("{server:?} cannot be an address, or the key a key"))
    }

    async fn answer(&self, request: Request<Full<Bytes>>) -> anyhow::Result<Response<Incoming>> {
        let server = &self.target.server;
        self.client.request(request).await.map_err(|error| {
            let next = "start one with `throughline serve`, or say where it is with --server";
            match error.is_connect() {
                true if server.starts_with("https:") => {
                    anyhow!(error).context(format!("cannot connect to {server}"))
                }
                true => anyhow!("no server listens on {server}: {next}"),
                false => anyhow!(error).context(format!("the request to {server} broke off")),
            }
        })
    }

    async fn exchange(&self, request: Request<Full<Bytes>>) -> anyhow::Result<Answer> {
        let server = &self.target.server;
        let response = self.answer(request).await?;
        let (head, body) = response.into_parts();
        let body = Limited::new(body, ANSWER_BYTES_MAX).collect().await;
        let body = body.map_err(|error| anyhow!("the answer of {server} broke off: {error}"))?;
        let body = body.to_bytes();
        let seconds = head
            .headers
            .get(RETRY_AFTER)
            .and_then(|after| after.to_str().ok());
        Ok(Answer {
            status: head.status,
            retry_after: seconds
                .and_then(|seconds| seconds.parse().ok())
                .map(Duration::from_secs),
            json: serde_json::from_slice(&body).unwrap_or_default(),
            headers: head.headers,
            body,
        })
    }
}

impl Answer {
    fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name).and_then(|value| value.to_str().ok());
        value.unwrap_or_default()
    }

    /// The server's own words where it has some.
    fn message(&self) -> String {
        let message = self.json["message"].as_str();
        message.map_or_else(|| self.status.to_string(), str::to_owned)
    }
}

/// Whom to trust: whoever this machine trusts, which is read only if somebody is to be trusted.
fn trust(tls: bool) -> anyhow::Result<ClientConfig> {
    let ring = rustls::crypto::ring::default_provider();
    let builder = ClientConfig::builder_with_provider(ring.into())
        .with_safe_default_protocol_versions()
        .context("cannot set up TLS")?;
    let builder = match tls {
        true => builder
            .with_native_roots()
            .context("cannot read the certificates that this machine trusts")?,
        false => builder.with_root_certificates(RootCertStore::empty()),
    };
    Ok(builder.with_no_client_auth())
}

/// The first and the last moment of what is asked for, as the API takes them.
fn bounds(times: &Times, now: UnixNanos) -> Vec<(&'static str, String)> {
    let ago = |since: Duration| UnixNanos(now.0.saturating_sub(nanos(since)));
    let from = times.from.or(times.since.map(ago));
    let bounds = [("from", from), ("to", times.to)];
    let bounds = bounds.into_iter();
    bounds
        .filter_map(|(name, at)| Some((name, at?.0.to_string())))
        .collect()
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// The path with these parameters behind it.
fn with_query<'a>(path: &str, pairs: impl IntoIterator<Item = (&'a str, String)>) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    for (name, value) in pairs {
        query.append_pair(name, &value);
    }
    match query.finish() {
        query if query.is_empty() => path.to_owned(),
        query => format!("{path}?{query}"),
    }
}

/// As a part of a path.
fn percent_encoded(text: &str) -> String {
    let encode = |byte: u8| match byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
        true => char::from(byte).to_string(),
        false => format!("%{byte:02X}"),
    };
    text.bytes().map(encode).collect()
}

/// A number that the API writes as a text of digits.
fn digits<'de, D: Deserializer<'de>>(from: D) -> Result<u64, D::Error> {
    let text = Cow::<'de, str>::deserialize(from)?;
    text.parse().map_err(serde::de::Error::custom)
}

fn moment<'de, D: Deserializer<'de>>(from: D) -> Result<UnixNanos, D::Error> {
    digits(from).map(UnixNanos)
}

fn length<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
    digits(from).map(Duration::from_nanos)
}

/// The runtime for one command.
fn block_on<T>(future: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime
        .context("cannot start the async runtime")?
        .block_on(future)
}

/// A server that replays its log, or whose disk is slow, answers later than usual.
const PATIENCE: Duration = Duration::from_secs(60);

/// Far above the largest page.
const ANSWER_BYTES_MAX: usize = 64 << 20;
