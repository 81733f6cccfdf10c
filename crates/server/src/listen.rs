//! Sockets: accept within a limit, serve HTTP/1 and HTTP/2, stop in order.
//!
//! `axum::serve` would be shorter, but has no limit on connections, no timeout for headers that
//! never come, and no end to waiting for the last request when it stops.

mod opening;

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;

use crate::config::Limits;
use opening::Opening;

/// A bound socket and what it is for.
pub(crate) struct Listener {
    what: &'static str,
    socket: TcpListener,
    address: SocketAddr,
}

impl Listener {
    pub(crate) async fn bind(what: &'static str, address: SocketAddr) -> io::Result<Self> {
        let socket = TcpListener::bind(address).await?;
        let address = socket.local_addr()?;
        Ok(Listener {
            what,
            socket,
            address,
        })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `stop` turns true, then finishes what is in flight, within the drain timeout.
    pub(crate) async fn serve(
        self,
        router: Router,
        limits: Limits,
        mut stop: watch::Receiver<bool>,
    ) {
        let slots = Arc::new(Semaphore::new(limits.connections_max));
        let mut connections = Connections::new(router, limits.headers_timeout);
        loop {
            // The receiver fails only when the sender is gone, which means stop as well.
            let stopped = async { drop(stop.wait_for(|stop| *stop).await) };
            tokio::select! {
                () = stopped => break,
                accepted = accept(&self.socket, &slots) => match accepted {
                    Ok((stream, slot)) => connections.serve(stream, slot),
                    Err(error) => {
                        // Out of file descriptors, mostly: no use in trying again at once.
                        tracing::warn!(listener = self.what, %error, "cannot accept a connection");
                        tokio::time::sleep(ACCEPT_PAUSE).await;
                    }
                },
            }
        }
        drop(self.socket);
        connections.drain(self.what, limits.drain_timeout).await;
    }
}

/// The next connection, once there is a slot for it. The ones that wait, wait in the kernel.
async fn accept(
    socket: &TcpListener,
    slots: &Arc<Semaphore>,
) -> io::Result<(TcpStream, OwnedSemaphorePermit)> {
    let slot = Arc::clone(slots).acquire_owned().await;
    let slot = slot.map_err(io::Error::other)?;
    let (stream, _) = socket.accept().await?;
    stream.set_nodelay(true)?;
    Ok((stream, slot))
}

struct Connections {
    builder: Builder<TokioExecutor>,
    headers_timeout: Duration,
    service: TowerToHyperService<Router>,
    graceful: GracefulShutdown,
    tasks: JoinSet<()>,
}

impl Connections {
    fn new(router: Router, headers_timeout: Duration) -> Self {
        Connections {
            builder: builder(headers_timeout),
            headers_timeout,
            service: TowerToHyperService::new(router),
            graceful: GracefulShutdown::new(),
            tasks: JoinSet::new(),
        }
    }

    fn serve(&mut self, stream: TcpStream, slot: OwnedSemaphorePermit) {
        while self.tasks.try_join_next().is_some() {} // forget the finished ones
        let stream = Opening::new(stream, self.headers_timeout);
        let connection = self
            .builder
            .serve_connection(TokioIo::new(stream), self.service.clone());
        let connection = self.graceful.watch(connection.into_owned());
        self.tasks.spawn(served(connection, slot));
    }

    async fn drain(mut self, what: &'static str, timeout: Duration) {
        let drained = tokio::time::timeout(timeout, self.graceful.shutdown()).await;
        if drained.is_err() {
            let open = self.tasks.len();
            tracing::warn!(
                listener = what,
                open,
                "closing connections that did not finish in time"
            );
        }
        self.tasks.shutdown().await;
    }
}

async fn served<E: std::fmt::Display>(
    connection: impl Future<Output = Result<(), E>>,
    slot: OwnedSemaphorePermit,
) {
    if let Err(error) = connection.await {
        tracing::debug!(%error, "connection ended early"); // mostly the other side going away
    }
    drop(slot);
}

fn builder(headers_timeout: Duration) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(headers_timeout);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(PING_EVERY)
        .keep_alive_timeout(PONG_WITHIN)
        .max_concurrent_streams(STREAMS_MAX)
        .initial_stream_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES);
    builder
}

const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
const PING_EVERY: Duration = Duration::from_secs(30);
const PONG_WITHIN: Duration = Duration::from_secs(20);
/// Calls at once on one connection.
const STREAMS_MAX: u32 = 128;
/// Large enough that a batch of 512 spans needs no second round trip.
const STREAM_WINDOW_BYTES: u32 = 1 << 20;
const CONNECTION_WINDOW_BYTES: u32 = 4 << 20;
