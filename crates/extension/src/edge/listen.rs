//! A small HTTP/1.1 server: connections up to a limit, a handler for each request.

use std::convert::Infallible;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

/// Why a body could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BadBody {
    TooLarge,
    Broken,
}

/// Serves until the process ends. A panic in a handler ends its connection and nothing else.
pub(super) async fn serve<H, F>(listener: TcpListener, handler: H)
where
    H: Fn(Request<Incoming>) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Response<Full<Bytes>>> + Send + 'static,
{
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else {
            return;
        };
        match listener.accept().await {
            Ok((stream, _)) => {
                let handler = handler.clone();
                tokio::spawn(async move {
                    converse(stream, handler).await;
                    drop(place);
                });
            }
            // Out of file descriptors, for instance: others must end first.
            Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
        }
    }
}

async fn converse<H, F>(stream: TcpStream, handler: H)
where
    H: Fn(Request<Incoming>) -> F,
    F: Future<Output = Response<Full<Bytes>>>,
{
    // Without it answers may be held back; if it cannot be set they are only slower.
    let _ = stream.set_nodelay(true);
    let service = hyper::service::service_fn(move |request| {
        let response = handler(request);
        async move { Ok::<_, Infallible>(response.await) }
    });
    let mut server = hyper::server::conn::http1::Builder::new();
    let server = server
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_MAX);
    // A client that goes away in the middle is no news.
    let _ = server.serve_connection(TokioIo::new(stream), service).await;
}

/// The whole body, if it has at most `max` bytes.
pub(super) async fn body(body: Incoming, max: usize) -> Result<Bytes, BadBody> {
    match Limited::new(body, max).collect().await {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(BadBody::TooLarge),
        Err(_) => Err(BadBody::Broken),
    }
}

/// An answer without a body.
pub(super) fn empty(status: StatusCode) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = status;
    response
}

/// The platform uses one connection, an SDK a handful.
const CONNECTIONS_MAX: usize = 64;
const ACCEPT_PAUSE: Duration = Duration::from_millis(10);
/// Also how long an idle connection is kept.
const HEADER_MAX: Duration = Duration::from_secs(300);
