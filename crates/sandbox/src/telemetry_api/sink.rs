//! Where batches go: POSTs to a listener, or lines on a connection.

use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::task::{Context, Poll};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{HeaderMap, Method, Request, Uri, header};
use http_body_util::Full;
use hyper_util::rt::{TokioExecutor, TokioIo};
use sha2::{Digest, Sha256};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::sync::watch;

use super::queue::Batch;
use crate::lifecycle::{Destination, Profile, Subscription};
use crate::recording::{Delivered, Recorder};
use crate::world::Place;

pub(super) type Client = hyper_util::client::legacy::Client<Connector, Full<Bytes>>;

pub(super) fn client(place: Place) -> Client {
    hyper_util::client::legacy::Client::builder(TokioExecutor::new()).build(Connector(place))
}

/// Connects to loopback ports of the world that the subscriber is in.
#[derive(Debug, Clone)]
pub(super) struct Connector(Place);

impl tower::Service<Uri> for Connector {
    type Response = TokioIo<TcpStream>;
    type Error = io::Error;
    type Future = BoxFuture<'static, io::Result<TokioIo<TcpStream>>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let place = self.0.clone();
        let port = uri.port_u16().unwrap_or(80);
        Box::pin(async move {
            let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
            place.connect(address).await.map(TokioIo::new)
        })
    }
}

/// One subscriber's end.
#[derive(Debug)]
pub(super) struct Sink {
    end: End,
    recorded: Option<(Recorder, String)>,
}

#[derive(Debug)]
enum End {
    Http {
        client: Box<Client>,
        target: String,
        method: Method,
        profile: Profile,
    },
    /// Nobody acknowledges: what the system has taken counts as delivered.
    Tcp {
        address: SocketAddr,
        place: Place,
        stream: Option<TcpStream>,
    },
}

impl fmt::Display for Sink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.end {
            End::Http { target, .. } => f.write_str(target),
            End::Tcp { address, .. } => write!(f, "tcp://{address}"),
        }
    }
}

impl Sink {
    pub(super) fn new(subscription: &Subscription, client: Client, place: &Place) -> Self {
        let end = match &subscription.destination {
            Destination::Http { port, path, put } => End::Http {
                client: Box::new(client),
                target: format!("http://127.0.0.1:{port}{path}"),
                method: if *put { Method::PUT } else { Method::POST },
                profile: subscription.profile,
            },
            Destination::Tcp { port } => End::Tcp {
                address: SocketAddr::from((Ipv4Addr::LOCALHOST, *port)),
                place: place.clone(),
                stream: None,
            },
        };
        Self {
            end,
            recorded: None,
        }
    }

    /// Deliveries to this subscriber are written down, if there is someone who does it.
    pub(super) fn recorded(self, recorder: Option<Recorder>, subscriber: &str) -> Self {
        Self {
            recorded: recorder.map(|recorder| (recorder, subscriber.to_owned())),
            ..self
        }
    }

    /// Delivers a batch, or says why it could not.
    pub(super) async fn send(
        &mut self,
        batch: &Batch,
        frozen: &mut watch::Receiver<bool>,
    ) -> Result<(), String> {
        let name = self.to_string();
        let record = |method: &str, headers: &HeaderMap, body: &Bytes| {
            let (recorder, subscriber) = self.recorded.as_ref()?;
            Some(recorder.delivery(subscriber, (method, &name), headers, body))
        };
        match &mut self.end {
            End::Http {
                client,
                target,
                method,
                profile,
            } => {
                let request = request(method, target, *profile, batch.array())?;
                let written = record(method.as_str(), request.headers(), &batch.array());
                within(frozen, post(client, *profile, request, written)).await
            }
            End::Tcp {
                address,
                place,
                stream,
            } => {
                record("TCP", &HeaderMap::new(), &batch.lines());
                let written = within(frozen, write(place, *address, stream, &batch.lines())).await;
                if written.is_err() {
                    // What is half written ends with its connection; the next one begins with a whole line.
                    *stream = None;
                }
                written
            }
        }
    }
}

/// A frozen subscriber cannot answer; its time starts anew when it thaws.
async fn within(
    frozen: &mut watch::Receiver<bool>,
    delivery: impl Future<Output = Result<(), String>>,
) -> Result<(), String> {
    tokio::pin!(delivery);
    loop {
        let is_frozen = *frozen.borrow_and_update();
        tokio::select! {
            delivered = &mut delivery => return delivered,
            changed = frozen.changed() => changed.map_err(|_| "environment ended".to_owned())?,
            () = tokio::time::sleep(ANSWER_TIMEOUT), if !is_frozen => {
                return Err(format!("no answer within {} s", ANSWER_TIMEOUT.as_secs()));
            }
        }
    }
}

fn request(
    method: &Method,
    target: &str,
    profile: Profile,
    body: Bytes,
) -> Result<Request<Full<Bytes>>, String> {
    let mut request = Request::builder()
        .method(method)
        .uri(target)
        .header(header::CONTENT_TYPE, "application/json");
    if profile == Profile::Managed {
        request = request.header("Sequence-Id", sequence_id(&body));
    }
    request
        .body(Full::new(body))
        .map_err(|error| error.to_string())
}

async fn post(
    client: &Client,
    profile: Profile,
    request: Request<Full<Bytes>>,
    written: Option<Delivered>,
) -> Result<(), String> {
    let answered = client.request(request).await;
    let answered = answered.map_err(|error| error.to_string())?;
    let status = answered.status();
    if let Some(written) = written {
        written.answered(status.as_u16(), answered.headers());
    }
    let taken = match profile {
        Profile::Classic => status.is_success(),
        Profile::Managed => status.as_u16() < 400,
    };
    if taken {
        Ok(())
    } else {
        Err(format!("status {status}"))
    }
}

/// What names a batch: its hash.
fn sequence_id(body: &[u8]) -> String {
    BASE64.encode(Sha256::digest(body))
}

async fn write(
    place: &Place,
    address: SocketAddr,
    stream: &mut Option<TcpStream>,
    lines: &[u8],
) -> Result<(), String> {
    if stream.as_ref().is_some_and(has_ended) {
        *stream = None;
    }
    let stream = match stream {
        Some(stream) => stream,
        None => {
            let connected = place.connect(address).await;
            stream.insert(connected.map_err(|error| error.to_string())?)
        }
    };
    let written = stream.write_all(lines).await;
    written.map_err(|error| error.to_string())
}

/// Whether the peer has closed. Without a look the first lines after that would be written to nobody.
fn has_ended(stream: &TcpStream) -> bool {
    let mut unasked = [0; 512];
    loop {
        match stream.try_read(&mut unasked) {
            Ok(0) => return true,
            Ok(_) => {}
            Err(error) => return error.kind() != std::io::ErrorKind::WouldBlock,
        }
    }
}

const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);
