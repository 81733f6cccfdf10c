//! Where the function is listened to. Addresses are fixed, because its SDKs know them; if one is
//! taken, what would have come there is missing, and everything else works.

use std::io;
use std::sync::Arc;

use throughline_extension::config::Config;
use throughline_extension::counters::{Counter, Counters};
use throughline_telemetry::UnixNanos;
use throughline_telemetry::wire::Request;
use tokio::net::{TcpListener, UdpSocket};

use super::environment::say;
use super::inbox::Inbox;
use super::intake::Intake;
use super::{datagrams, grpc, otlp, statsd, xray};

/// What listens, as far as it holds something back.
#[derive(Debug, Default)]
pub(super) struct Listeners {
    xray: Option<xray::Open>,
    statsd: Option<statsd::Open>,
    /// Ports of UDP.
    ports: Vec<u16>,
    counters: Arc<Counters>,
}

impl Listeners {
    /// What was held back: to be called when the environment ends.
    pub(super) fn last_words(&self, now: UnixNanos) -> Vec<Request> {
        for port in &self.ports {
            self.counters
                .add(Counter::Datagrams, datagrams::dropped(*port));
        }
        let unfinished = self.xray.iter();
        let unfinished = unfinished.filter_map(|open| open.documents().last_words(now));
        let window = self.statsd.iter().flat_map(|open| open.window().drain(now));
        unfinished.chain(window).collect()
    }
}

/// Binds everything that is switched on.
pub(super) async fn listen(config: &Config, inbox: &Inbox, counters: &Arc<Counters>) -> Listeners {
    let mut listeners = Listeners {
        counters: Arc::clone(counters),
        ..Listeners::default()
    };
    let intake = Intake {
        inbox: inbox.clone(),
        counters: Arc::clone(counters),
    };
    if let Some(listener) = bind("OTLP/HTTP", &config.otlp_listen, counters).await {
        tokio::spawn(otlp::receive(listener, intake.clone()));
    }
    if let Some(address) = &config.otlp_grpc_listen
        && let Some(listener) = bind("OTLP/gRPC", address, counters).await
    {
        tokio::spawn(grpc::receive(listener, intake.clone()));
    }
    if let Some(address) = &config.xray_listen {
        let open = xray::Open::default();
        if let Some(listener) = bind("X-Ray's calls", address, counters).await {
            tokio::spawn(xray::answer(listener, open.clone(), intake.clone()));
        }
        if let Some(socket) = listeners.datagrams("X-Ray segments", address).await {
            tokio::spawn(xray::receive(socket, open.clone(), intake.clone()));
        }
        listeners.xray = Some(open);
    }
    if let Some(address) = &config.statsd_listen
        && let Some(socket) = listeners.datagrams("StatsD", address).await
    {
        let open = statsd::Open::default();
        tokio::spawn(statsd::receive(socket, open.clone(), intake));
        listeners.statsd = Some(open);
    }
    listeners
}

impl Listeners {
    async fn datagrams(&mut self, what: &str, address: &str) -> Option<UdpSocket> {
        let bound = UdpSocket::bind(address).await;
        let socket = bound_or_said(bound, what, address, &self.counters)?;
        self.ports
            .extend(socket.local_addr().map(|address| address.port()));
        Some(socket)
    }
}

async fn bind(what: &str, address: &str, counters: &Counters) -> Option<TcpListener> {
    let bound = TcpListener::bind(address).await;
    bound_or_said(bound, what, address, counters)
}

fn bound_or_said<T>(
    bound: io::Result<T>,
    what: &str,
    address: &str,
    counters: &Counters,
) -> Option<T> {
    let failed = |error: io::Error| {
        counters.add(Counter::NotBound, 1);
        say(&format!(
            "cannot listen for {what} on {address}: {error}; going on without"
        ));
    };
    bound.map_err(failed).ok()
}
