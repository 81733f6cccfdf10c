//! A small HTTP server: connections up to a limit, bodies that end, a handler for each request.

mod ending;

use std::convert::Infallible;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::FutureExt;
use http::{Request, Response, StatusCode};
use http_body_util::BodyExt;
use http_body_util::combinators::UnsyncBoxBody;
use hyper::body::{Body, Incoming};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use throughline_extension::counters::{Counter, Counters};
use throughline_extension::room::{Charge, Full};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;

use super::seats::{Seat, Seats};
use ending::{Ending, Requests};

/// Which HTTP is spoken on a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Speaks {
    Http1,
    /// HTTP/1.1, for the platform's telemetry.
    Platform,
    /// Without TLS and without an upgrade, as gRPC does on a plain port.
    Http2,
}

/// Why a body could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BadBody {
    /// It has more bytes than allowed.
    TooLarge,
    /// The sender went away.
    Broken,
    /// It did not end in time.
    Stalled,
    /// There was no room for it.
    Full,
}

/// Serves until the process ends. A panic in a handler is counted as the loss of what came, and
/// answered as [`Speaks`] says.
pub(super) async fn serve<H, F, B>(
    listener: TcpListener,
    speaks: Speaks,
    counters: Arc<Counters>,
    handler: H,
) where
    H: Fn(Request<Incoming>) -> F + Send + Sync + 'static,
    F: Future<Output = Response<B>> + Send + 'static,
    B: hyper::body::Body<Data = Bytes, Error = Infallible> + Send + 'static,
{
    let handler = move |request| -> Answering {
        let answer = handler(request);
        Box::pin(async move { answer.await.map(UnsyncBoxBody::new) })
    };
    let handler: Handler = Arc::new(handler);
    loop {
        let accepting = accept(&listener, speaks, &counters, &handler);
        // It has no end of its own.
        let _ = AssertUnwindSafe(accepting).catch_unwind().await;
    }
}

/// The platform would send what was refused again, and the next thing with it, for ever.
fn after_fault(speaks: Speaks) -> Response<UnsyncBoxBody<Bytes, Infallible>> {
    let status = match speaks {
        Speaks::Platform => StatusCode::OK,
        Speaks::Http1 | Speaks::Http2 => StatusCode::INTERNAL_SERVER_ERROR,
    };
    empty(status).map(UnsyncBoxBody::new)
}

/// Behind a pointer, because hyper's servers would otherwise be compiled once for each kind of
/// handler, which makes the binary a tenth larger.
type Handler = Arc<dyn Fn(Request<Incoming>) -> Answering + Send + Sync>;
type Answering = Pin<Box<dyn Future<Output = Response<UnsyncBoxBody<Bytes, Infallible>>> + Send>>;

async fn accept(
    listener: &TcpListener,
    speaks: Speaks,
    counters: &Arc<Counters>,
    handler: &Handler,
) {
    let seats = Seats::new(CONNECTIONS_MAX);
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                let Some((seat, closed)) = seats.sit(Instant::now()) else {
                    counters.add(Counter::Closed, 1);
                    continue;
                };
                counters.add(Counter::Closed, closed);
                let (id, handler) = (seat.id(), Arc::clone(handler));
                let counters = Arc::clone(counters);
                let task = tokio::spawn(converse(stream, speaks, seat, counters, handler));
                seats.held_by(id, task.abort_handle());
            }
            // Out of file descriptors, for instance: others must end first.
            Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
        }
    }
}

async fn converse(
    stream: TcpStream,
    speaks: Speaks,
    seat: Seat,
    counters: Arc<Counters>,
    handler: Handler,
) {
    // Without it answers may be held back; if it cannot be set they are only slower.
    let _ = stream.set_nodelay(true);
    let (stream, requests) = match speaks {
        Speaks::Http1 | Speaks::Platform => (Ending::new(stream), None),
        Speaks::Http2 => {
            let (stream, requests) = Ending::held_back(stream);
            (stream, Some(requests))
        }
    };
    let service = hyper::service::service_fn(move |request| {
        seat.is_active(Instant::now());
        let (counters, response) = (Arc::clone(&counters), handler(request));
        let under_way = requests.as_ref().map(Requests::begin);
        async move {
            let _under_way = under_way;
            let response = AssertUnwindSafe(response).catch_unwind().await;
            Ok::<_, Infallible>(response.unwrap_or_else(|_| {
                counters.add(Counter::Fault, 1);
                after_fault(speaks)
            }))
        }
    });
    let stream = TokioIo::new(stream);
    // A client that goes away in the middle is no news.
    match speaks {
        Speaks::Http1 | Speaks::Platform => {
            let mut server = hyper::server::conn::http1::Builder::new();
            // An idle connection is kept however long: after a thaw a client may use one that was
            // frozen with it, and must not find it closed. Who needs its place takes it.
            let server = server
                .timer(TokioTimer::new())
                .header_read_timeout(None)
                .half_close(true)
                .max_buf_size(HEADER_BYTES_MAX);
            let _ = server.serve_connection(stream, service).await;
        }
        Speaks::Http2 => {
            let mut server = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
            let server = server
                .timer(TokioTimer::new())
                .max_concurrent_streams(STREAMS_MAX)
                .initial_stream_window_size(WINDOW_BYTES)
                .initial_connection_window_size(WINDOW_BYTES)
                .max_header_list_size(HEADER_LIST_BYTES_MAX)
                .max_send_buf_size(SEND_BYTES_MAX);
            let _ = server.serve_connection(stream, service).await;
        }
    }
}

/// The whole body, if it has at most `bytes_max` bytes, finds room and ends in time. It is on the
/// charge from the moment that it arrives.
///
/// What is not kept is read to its end all the same: a client whose upload breaks off never sees
/// the answer, and tries the same again. `lost` is told of it, piece by piece.
pub(super) async fn body(
    body: Incoming,
    bytes_max: usize,
    charge: Result<Charge, Full>,
    lost: impl FnMut(&[u8]),
) -> Result<(Bytes, Charge), BadBody> {
    tokio::select! {
        biased;
        read = read(body, bytes_max, charge, lost) => read,
        () = patience() => Err(BadBody::Stalled),
    }
}

async fn read(
    mut body: Incoming,
    bytes_max: usize,
    charge: Result<Charge, Full>,
    mut lost: impl FnMut(&[u8]),
) -> Result<(Bytes, Charge), BadBody> {
    let mut kept = charge.map_err(|Full| BadBody::Full);
    // Grown step by step it would take twice what it has.
    let announced = body.size_hint().exact().unwrap_or(0);
    let announced = usize::try_from(announced).unwrap_or(0).min(bytes_max);
    let room = kept.as_ref().map_or(0, |_| announced);
    let (mut whole, mut discarded) = (BytesMut::with_capacity(room), 0_usize);
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame.map_err(|_| BadBody::Broken)?.into_data() else {
            continue; // trailers
        };
        kept = kept.and_then(|mut charge| {
            if whole.len() + frame.len() > bytes_max {
                return Err(BadBody::TooLarge);
            }
            charge.grow(frame.len()).map_err(|Full| BadBody::Full)?;
            whole.extend_from_slice(&frame);
            Ok(charge)
        });
        if let Err(bad) = kept {
            lost(&std::mem::take(&mut whole));
            lost(&frame);
            discarded += frame.len();
            if discarded > DISCARD_BYTES_MAX {
                return Err(bad);
            }
        }
    }
    kept.map(|charge| (whole.freeze(), charge))
}

/// Ends after [`BODY_MAX`] in which this process ran. One long timer would also count the time in
/// which everything here was frozen, and end what only waited for the thaw; of many short ones a
/// freeze ends one.
async fn patience() {
    for _ in 0..BODY_TICKS {
        tokio::time::sleep(BODY_MAX / BODY_TICKS).await;
    }
}

/// An answer without a body.
pub(super) fn empty(status: StatusCode) -> Response<http_body_util::Full<Bytes>> {
    let mut response = Response::new(http_body_util::Full::default());
    *response.status_mut() = status;
    response
}

/// The platform uses one connection, an SDK a handful.
pub(super) const CONNECTIONS_MAX: usize = 64;
/// An SDK has one call under way for each signal.
const STREAMS_MAX: u32 = 16;
/// What a connection may send before it is read.
const WINDOW_BYTES: u32 = 256 << 10;
const SEND_BYTES_MAX: usize = 16 << 10;
/// Keys and tokens are a few hundred bytes.
const HEADER_LIST_BYTES_MAX: u32 = 16 << 10;
const HEADER_BYTES_MAX: usize = 64 << 10;
const ACCEPT_PAUSE: Duration = Duration::from_millis(10);
/// Megabytes take milliseconds on loopback; a small function may be given a fifteenth of a core.
const BODY_MAX: Duration = Duration::from_secs(2);
const BODY_TICKS: u32 = 10;
const DISCARD_BYTES_MAX: usize = 64 << 20;

#[cfg(test)]
mod tests;
