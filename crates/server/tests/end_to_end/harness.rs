//! A server on free ports with a data directory that goes away, and clients for it.

use std::net::SocketAddr;
use std::path::Path;

use bytes::{Buf, BufMut, Bytes};
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;
use tempfile::TempDir;
use throughline_server::{Actuation, Addresses, Clock, Config, Limits, Listen, Server, StopError};
use throughline_telemetry::Signal;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tonic::codec::{Codec, CompressionEncoding, DecodeBuf, Decoder, EncodeBuf, Encoder};

/// A running server.
pub(crate) struct TestServer {
    pub(crate) addresses: Addresses,
    data_dir: TempDir,
    stop: oneshot::Sender<()>,
    running: JoinHandle<Result<(), StopError>>,
}

/// An answer, read whole.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl TestServer {
    pub(crate) async fn start() -> Self {
        Self::start_with(None, Limits::default()).await
    }

    pub(crate) async fn start_with(key: Option<&str>, limits: Limits) -> Self {
        let data_dir = tempfile::tempdir().expect("a temporary directory");
        Self::serve(
            data_dir,
            key,
            limits,
            Clock::default(),
            Actuation::default(),
        )
        .await
    }

    /// With another clock.
    pub(crate) async fn start_at(clock: Clock) -> Self {
        let data_dir = tempfile::tempdir().expect("a temporary directory");
        Self::start_on(data_dir, clock).await
    }

    /// With what another run left.
    pub(crate) async fn start_on(data_dir: TempDir, clock: Clock) -> Self {
        Self::start_acting(data_dir, clock, Actuation::default()).await
    }

    /// The same with somebody who changes things in the account.
    pub(crate) async fn start_acting(
        data_dir: TempDir,
        clock: Clock,
        actuation: Actuation,
    ) -> Self {
        Self::serve(data_dir, None, Limits::default(), clock, actuation).await
    }

    async fn serve(
        data_dir: TempDir,
        key: Option<&str>,
        limits: Limits,
        clock: Clock,
        actuation: Actuation,
    ) -> Self {
        let key = key.map(|key| key.parse().expect("a good key"));
        let config = Config::try_new(data_dir.path().join("data"), Listen::on_free_ports(), key);
        let config = config.expect("a good configuration");
        let config = config.with_limits(limits).with_clock(clock);
        let config = config.with_actuation(actuation);
        let server = Server::bind(config).await.expect("the server starts");
        let addresses = server.addresses();
        let (stop, stopped) = oneshot::channel();
        let running = tokio::spawn(server.run(async { drop(stopped.await) }));
        TestServer {
            addresses,
            data_dir,
            stop,
            running,
        }
    }

    /// Stops in order. The directory stays until the result is dropped.
    pub(crate) async fn stop(self) -> TempDir {
        drop(self.stop);
        let stopped = self.running.await.expect("the server does not panic");
        stopped.expect("the server stops cleanly");
        self.data_dir
    }

    /// With one header more, or another `Host`.
    pub(crate) async fn get_with(&self, path: &str, header: (&str, &str)) -> Answer {
        send(
            Request::get(url(self.addresses.http, path))
                .header(header.0, header.1)
                .body(Full::default())
                .expect("a good request"),
        )
        .await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        method(Method::GET, self.addresses.http, path).await
    }

    /// The JSON of a good answer of the API.
    pub(crate) async fn json(&self, path: &str) -> Value {
        let answer = self.get(path).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        answer.json()
    }

    /// Sends a body to the OTLP/HTTP port, with these headers.
    pub(crate) async fn post(
        &self,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Answer {
        post_to(self.addresses.otlp_http, path, headers, body.into()).await
    }

    /// Sends a body to the API, with these headers.
    pub(crate) async fn post_api(
        &self,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Answer {
        post_to(self.addresses.http, path, headers, body.into()).await
    }

    /// Sends a protobuf body to the OTLP/HTTP port.
    pub(crate) async fn post_protobuf(&self, signal: Signal, body: impl Into<Bytes>) -> Answer {
        let headers = [("content-type", "application/x-protobuf")];
        self.post(&format!("/v1/{signal}"), &headers, body).await
    }

    /// Sends a message to the OTLP/gRPC port.
    pub(crate) async fn export(
        &self,
        signal: Signal,
        encoding: Option<CompressionEncoding>,
        message: impl Into<Bytes>,
    ) -> Result<Bytes, tonic::Status> {
        self.export_with(signal, encoding, message, |_| ()).await
    }

    pub(crate) async fn export_with(
        &self,
        signal: Signal,
        encoding: Option<CompressionEncoding>,
        message: impl Into<Bytes>,
        prepare: impl FnOnce(&mut tonic::Request<Bytes>),
    ) -> Result<Bytes, tonic::Status> {
        let endpoint =
            tonic::transport::Endpoint::new(format!("http://{}", self.addresses.otlp_grpc));
        let channel = endpoint
            .expect("a good address")
            .connect()
            .await
            .expect("the server listens");
        let mut client = tonic::client::Grpc::new(channel).max_encoding_message_size(usize::MAX);
        if let Some(encoding) = encoding {
            client = client.send_compressed(encoding);
        }
        client.ready().await.expect("a ready channel");
        let mut request = tonic::Request::new(message.into());
        prepare(&mut request);
        let path = http::uri::PathAndQuery::from_static(grpc_path(signal));
        let answer = client.unary(request, path, Raw).await?;
        Ok(answer.into_inner())
    }

    pub(crate) fn data_dir(&self) -> &Path {
        self.data_dir.path()
    }
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error} in {}", self.text()))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        let value = self
            .headers
            .get(name)
            .map(|value| value.to_str().expect("text"));
        value.unwrap_or_default()
    }
}

pub(crate) fn url(address: SocketAddr, path: &str) -> String {
    format!("http://{address}{path}")
}

async fn post_to(address: SocketAddr, path: &str, headers: &[(&str, &str)], body: Bytes) -> Answer {
    let mut request = Request::post(url(address, path));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    send(request.body(Full::new(body)).expect("a good request")).await
}

/// Sends a request without a body.
pub(crate) async fn method(method: Method, address: SocketAddr, path: &str) -> Answer {
    let request = Request::builder().method(method).uri(url(address, path));
    send(request.body(Full::default()).expect("a good request")).await
}

pub(crate) async fn send(request: Request<Full<Bytes>>) -> Answer {
    let client = Client::builder(TokioExecutor::new()).build_http();
    let answer = client.request(request).await.expect("the server answers");
    let (parts, body) = answer.into_parts();
    let body = body.collect().await.expect("a whole answer").to_bytes();
    Answer {
        status: parts.status,
        headers: parts.headers,
        body,
    }
}

fn grpc_path(signal: Signal) -> &'static str {
    match signal {
        Signal::Traces => "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
        Signal::Logs => "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
        Signal::Metrics => "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
    }
}

/// Messages as bytes, so that a test can also send what is no message.
#[derive(Clone, Copy)]
struct Raw;

impl Codec for Raw {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Raw;
    type Decoder = Raw;

    fn encoder(&mut self) -> Raw {
        Raw
    }

    fn decoder(&mut self) -> Raw {
        Raw
    }
}

impl Encoder for Raw {
    type Item = Bytes;
    type Error = tonic::Status;

    fn encode(&mut self, item: Bytes, out: &mut EncodeBuf<'_>) -> Result<(), tonic::Status> {
        out.put(item);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Bytes;
    type Error = tonic::Status;

    fn decode(&mut self, message: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, tonic::Status> {
        Ok(Some(message.copy_to_bytes(message.remaining())))
    }
}
