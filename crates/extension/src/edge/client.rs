//! An HTTP/1.1 client for one server, with or without TLS.
//!
//! Connections are kept for the next request as long as the server may keep them too. The freeze
//! can break a kept one without a sign, so whoever sends is told whether it was the connection that
//! failed, and tries again over a fresh one. A library with a pool, proxies and redirects would be
//! three parts in a hundred of the binary, for one host.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode, Uri};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::rt::{Read, Write};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio::time::Instant;
use tokio_rustls::TlsConnector;

/// The connections to one server.
pub(super) struct Client {
    server: Server,
    /// Most recently used last.
    idle: Mutex<Vec<Idle>>,
}

/// Where requests go.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Server {
    host: String,
    port: u16,
    tls: bool,
}

struct Idle {
    sender: SendRequest<Full<Bytes>>,
    since: Instant,
}

/// What a server answered.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    /// As far as it came, and at most [`ANSWER_BYTES_MAX`].
    pub(super) body: Bytes,
}

/// Why a request did not come back.
#[derive(Debug)]
pub(super) enum Broken {
    /// There is no connection to be had.
    NoConnection(String),
    /// The connection ended under it.
    Connection(String),
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.server.fmt(f)
    }
}

impl Client {
    /// For the server of `url`. Nothing is connected and no TLS set up before the first request.
    pub(super) fn new(url: &Uri) -> Self {
        let tls = url.scheme_str() == Some("https");
        let host = url.host().unwrap_or_default();
        let server = Server {
            host: host.trim_matches(['[', ']']).to_owned(),
            port: url.port_u16().unwrap_or(if tls { 443 } else { 80 }),
            tls,
        };
        Client {
            server,
            idle: Mutex::default(),
        }
    }

    /// Sends one request, whose URI is only a path. Whoever calls sets the end of the wait.
    pub(super) async fn send(&self, request: Request<Full<Bytes>>) -> Result<Answer, Broken> {
        let mut sender = match self.take_idle() {
            Some(sender) => sender,
            None => connect(&self.server).await.map_err(Broken::NoConnection)?,
        };
        let response = sender.send_request(request).await;
        let response = response.map_err(|error| Broken::Connection(chain(&error)))?;
        let (head, body) = response.into_parts();
        let body = read(body).await;
        let whole = body.is_some();
        if whole && sender.ready().await.is_ok() {
            self.keep(sender);
        }
        Ok(Answer {
            status: head.status,
            headers: head.headers,
            body: body.unwrap_or_default(),
        })
    }

    /// Closes what is kept.
    pub(super) fn forget_connections(&self) {
        self.idle().clear();
    }

    fn take_idle(&self) -> Option<SendRequest<Full<Bytes>>> {
        let mut idle = self.idle();
        idle.retain(|idle| !idle.sender.is_closed() && idle.since.elapsed() < IDLE_MAX);
        idle.pop().map(|idle| idle.sender)
    }

    fn keep(&self, sender: SendRequest<Full<Bytes>>) {
        let mut idle = self.idle();
        if idle.len() < IDLE_CONNECTIONS_MAX {
            let since = Instant::now();
            idle.push(Idle { sender, since });
        }
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Idle>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// `None` if it was cut or is too long; then the connection is of no use any more.
async fn read(body: Incoming) -> Option<Bytes> {
    let body = Limited::new(body, ANSWER_BYTES_MAX).collect().await.ok()?;
    Some(body.to_bytes())
}

async fn connect(server: &Server) -> Result<SendRequest<Full<Bytes>>, String> {
    let connected = tokio::time::timeout(CONNECT_MAX, connect_to_any(server)).await;
    let stream = connected
        .map_err(|_| format!("no connection to {} within {CONNECT_MAX:?}", server.host))?
        .map_err(|error| format!("cannot connect to {}: {error}", server.host))?;
    // Without it small requests may be held back; if it cannot be set they are only slower.
    let _ = stream.set_nodelay(true);
    if !server.tls {
        return converse(TokioIo::new(stream)).await;
    }
    let name = ServerName::try_from(server.host.clone()).map_err(|error| error.to_string())?;
    let secured = tokio::time::timeout(CONNECT_MAX, connector()?.connect(name, stream)).await;
    let stream = secured
        .map_err(|_| format!("no TLS with {} within {CONNECT_MAX:?}", server.host))?
        .map_err(|error| format!("no TLS with {}: {error}", server.host))?;
    converse(TokioIo::new(stream)).await
}

/// IPv4 first: most functions have no way out over IPv6, and some lose packets instead of saying so.
async fn connect_to_any(server: &Server) -> std::io::Result<TcpStream> {
    let address = (server.host.as_str(), server.port);
    let mut addresses: Vec<SocketAddr> = tokio::net::lookup_host(address).await?.collect();
    addresses.sort_by_key(SocketAddr::is_ipv6);
    TcpStream::connect(&addresses[..]).await
}

/// Speaks HTTP over any stream, behind a pointer: hyper's client is compiled once.
pub(super) async fn converse(
    stream: impl Stream + 'static,
) -> Result<SendRequest<Full<Bytes>>, String> {
    let stream: Box<dyn Stream> = Box::new(stream);
    let (sender, connection) = handshake(stream).await.map_err(|error| chain(&error))?;
    tokio::spawn(connection);
    Ok(sender)
}

/// Plain or with TLS.
pub(super) trait Stream: Read + Write + Unpin + Send {}

impl<T: Read + Write + Unpin + Send> Stream for T {}

/// Made once: its roots are data of the binary, but checking them is not free.
fn connector() -> Result<TlsConnector, String> {
    static CONFIG: OnceLock<Result<Arc<ClientConfig>, String>> = OnceLock::new();
    let config = CONFIG.get_or_init(|| {
        let ring = Arc::new(rustls::crypto::ring::default_provider());
        let roots = RootCertStore {
            roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
        };
        let config = ClientConfig::builder_with_provider(ring)
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Arc::new(config))
    });
    config.clone().map(TlsConnector::from)
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
/// Shorter than what load balancers keep, which mostly is a minute: so a function that is called
/// every minute makes one connection for it.
const IDLE_MAX: Duration = Duration::from_secs(55);
/// As many as there are requests at once: one a signal.
const IDLE_CONNECTIONS_MAX: usize = 3;
const ANSWER_BYTES_MAX: usize = 64 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    fn server(url: &str) -> Server {
        Client::new(&url.parse().unwrap()).server
    }

    #[test]
    fn servers_of_addresses() {
        for (url, host, port, tls) in [
            ("http://127.0.0.1:4318/v1", "127.0.0.1", 4318, false),
            ("http://collector", "collector", 80, false),
            (
                "https://otlp.example.com/base",
                "otlp.example.com",
                443,
                true,
            ),
            ("https://[::1]:8443", "::1", 8443, true),
        ] {
            let host = host.to_owned();
            assert_eq!(server(url), Server { host, port, tls }, "{url}");
        }
    }

    #[tokio::test]
    async fn one_connection_serves_one_request_after_the_other() {
        let intake = throughline_testkit::intake::FakeIntake::start().await;
        let client = Client::new(&intake.endpoint().parse().unwrap());
        for _ in 0..3 {
            let request = Request::post("/v1/traces").header("host", "here");
            let request = request.body(Full::default()).unwrap();
            let answer = client.send(request).await.unwrap();
            assert_eq!(answer.status, StatusCode::OK);
            assert_eq!(client.idle().len(), 1);
        }
        client.forget_connections();
        assert!(client.take_idle().is_none());
    }

    #[tokio::test]
    async fn nobody_there_is_no_connection() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        let client = Client::new(&format!("http://{address}").parse().unwrap());
        let request = Request::get("/").body(Full::default()).unwrap();
        let broken = client.send(request).await.unwrap_err();
        assert!(matches!(broken, Broken::NoConnection(_)), "{broken:?}");
    }

    #[test]
    fn the_roots_are_usable() {
        assert!(connector().is_ok());
    }
}
