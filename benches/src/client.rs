//! The senders and the readers of a benchmark, which do as little as they can.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use bytes::{Bytes, BytesMut};
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use throughline_telemetry::Signal;
use tokio::net::TcpStream;

/// How bodies are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// OTLP/gRPC.
    Grpc,
    /// OTLP/HTTP with protobuf.
    Http,
}

/// What became of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sent {
    /// It is stored.
    Acknowledged,
    /// The server has too much to do: again after this time.
    TryAgain(Duration),
}

/// A connection that bodies of one signal are sent over.
#[derive(Debug)]
pub struct Sender {
    connection: Connection,
    uri: String,
}

#[derive(Debug)]
enum Connection {
    Grpc(http2::SendRequest<Full<Bytes>>),
    Http(http1::SendRequest<Full<Bytes>>),
}

/// A body with room for what gRPC puts before it.
#[derive(Clone, Debug)]
pub struct Framed(Bytes);

impl Framed {
    /// Copies a body.
    pub fn new(body: &[u8]) -> anyhow::Result<Self> {
        let mut bytes = BytesMut::with_capacity(FRAME + body.len());
        bytes.extend_from_slice(&[0]); // not compressed
        bytes.extend_from_slice(&u32::try_from(body.len())?.to_be_bytes());
        bytes.extend_from_slice(body);
        Ok(Framed(bytes.freeze()))
    }

    fn plain(&self) -> Bytes {
        self.0.slice(FRAME..)
    }
}

impl Sender {
    /// Connects.
    pub async fn connect(
        protocol: Protocol,
        address: SocketAddr,
        signal: Signal,
    ) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let io = TokioIo::new(stream);
        let (connection, path) = match protocol {
            Protocol::Grpc => {
                let (sender, connection) = http2::handshake(TokioExecutor::new(), io).await?;
                tokio::spawn(connection);
                (Connection::Grpc(sender), grpc_path(signal).to_owned())
            }
            Protocol::Http => {
                let (sender, connection) = http1::handshake(io).await?;
                tokio::spawn(connection);
                (Connection::Http(sender), format!("/v1/{signal}"))
            }
        };
        let uri = match protocol {
            Protocol::Grpc => format!("http://{address}{path}"),
            Protocol::Http => path,
        };
        Ok(Sender { connection, uri })
    }

    /// Another sender over the same connection, if it can carry several requests at once.
    pub fn share(&self) -> Option<Self> {
        match &self.connection {
            Connection::Grpc(connection) => Some(Sender {
                connection: Connection::Grpc(connection.clone()),
                uri: self.uri.clone(),
            }),
            Connection::Http(_) => None,
        }
    }

    /// Sends a body and waits for the answer.
    pub async fn send(&mut self, body: &Framed) -> anyhow::Result<Sent> {
        match &mut self.connection {
            Connection::Grpc(connection) => {
                let request = Request::post(&self.uri)
                    .header(CONTENT_TYPE, "application/grpc")
                    .header("te", "trailers")
                    .body(Full::new(body.0.clone()))?;
                connection.ready().await?;
                let response = connection.send_request(request).await?;
                grpc_answer(response).await
            }
            Connection::Http(connection) => {
                let request = Request::post(&self.uri)
                    .header("host", "localhost")
                    .header(CONTENT_TYPE, "application/x-protobuf")
                    .body(Full::new(body.plain()))?;
                connection.ready().await?;
                let response = connection.send_request(request).await?;
                http_answer(response).await
            }
        }
    }
}

fn grpc_path(signal: Signal) -> &'static str {
    match signal {
        Signal::Traces => "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
        Signal::Logs => "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
        Signal::Metrics => "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
    }
}

async fn grpc_answer(response: Response<Incoming>) -> anyhow::Result<Sent> {
    let (head, body) = response.into_parts();
    let collected = body.collect().await?;
    let trailers = collected.trailers().unwrap_or(&head.headers);
    let text = |headers: &HeaderMap, name: &str| {
        let value = headers.get(name).map(|value| value.as_bytes());
        String::from_utf8_lossy(value.unwrap_or_default()).into_owned()
    };
    match text(trailers, "grpc-status").as_str() {
        "0" => Ok(Sent::Acknowledged),
        "14" => Ok(Sent::TryAgain(PAUSE)), // UNAVAILABLE
        status => bail!("gRPC status {status}: {}", text(trailers, "grpc-message")),
    }
}

async fn http_answer(response: Response<Incoming>) -> anyhow::Result<Sent> {
    let (head, body) = response.into_parts();
    let body = body.collect().await?.to_bytes();
    match head.status {
        StatusCode::OK => Ok(Sent::Acknowledged),
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
            let after = head.headers.get(RETRY_AFTER);
            let seconds = after.and_then(|value| value.to_str().ok()?.parse().ok());
            Ok(Sent::TryAgain(seconds.map_or(PAUSE, Duration::from_secs)))
        }
        status => bail!("{status}: {}", String::from_utf8_lossy(&body)),
    }
}

/// A connection to the API.
#[derive(Debug)]
pub struct Reader {
    connection: http1::SendRequest<Full<Bytes>>,
}

/// What the API answered.
#[derive(Debug)]
pub struct Answer {
    /// 200 if it is an answer.
    pub status: StatusCode,
    /// JSON.
    pub body: Bytes,
}

impl Answer {
    /// The JSON in it.
    pub fn json(&self) -> anyhow::Result<serde_json::Value> {
        serde_json::from_slice(&self.body).context("the answer is not JSON")
    }

    /// Why it is none, in one line.
    pub fn why(&self) -> String {
        let json = self.json().unwrap_or_default();
        let message = json["message"].as_str().unwrap_or("no message");
        format!("{}: {message}", self.status.as_u16())
    }
}

impl Reader {
    /// Connects.
    pub async fn connect(address: SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let (connection, driver) = http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(driver);
        Ok(Reader { connection })
    }

    /// GET, to the last byte of the answer.
    pub async fn get(&mut self, path: &str) -> anyhow::Result<Answer> {
        let request = Request::get(path).header("host", "localhost");
        self.ask(request.body(Full::default())?).await
    }

    /// POST with JSON, to the last byte of the answer.
    pub async fn post(&mut self, path: &str, json: String) -> anyhow::Result<Answer> {
        let request = Request::post(path)
            .header("host", "localhost")
            .header(CONTENT_TYPE, "application/json");
        self.ask(request.body(Full::new(json.into()))?).await
    }

    async fn ask(&mut self, request: Request<Full<Bytes>>) -> anyhow::Result<Answer> {
        self.connection.ready().await?;
        let response = self.connection.send_request(request).await?;
        let status = response.status();
        ensure!(status.as_u16() >= 200, "an interim answer");
        let body = response.into_body().collect().await?.to_bytes();
        Ok(Answer { status, body })
    }
}

/// What gRPC puts before a message.
const FRAME: usize = 5;
/// Where the server does not say how long to wait.
const PAUSE: Duration = Duration::from_millis(100);
