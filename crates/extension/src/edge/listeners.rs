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
    /// Ports of UDP, and how many datagrams of each are known to be lost.
    ports: Vec<(u16, u64)>,
    counters: Arc<Counters>,
}

impl Listeners {
    /// What was held back: to be called when the environment ends.
    pub(super) fn last_words(&mut self, now: UnixNanos) -> Vec<Request> {
        self.count_datagrams();
        let unfinished = self.xray.iter();
        let unfinished = unfinished.filter_map(|open| open.documents().last_words(now));
        let window = self.statsd.iter().flat_map(|open| open.window().drain(now));
        unfinished.chain(window).collect()
    }
}

impl Listeners {
    /// Counts what the kernel had no room for since this was asked last.
    pub(super) fn count_datagrams(&mut self) {
        for (port, known) in &mut self.ports {
            let dropped = datagrams::dropped(*port);
            self.counters
                .add(Counter::Datagrams, dropped.saturating_sub(*known));
            *known = dropped.max(*known);
        }
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
            .extend(socket.local_addr().map(|address| (address.port(), 0)));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn datagrams_that_find_no_room_are_counted_once() {
        let counters = Arc::new(Counters::default());
        let mut listeners = Listeners {
            counters: Arc::clone(&counters),
            ..Listeners::default()
        };
        let socket = listeners.datagrams("a test", "127.0.0.1:0").await.unwrap();
        let client = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        let address = socket.local_addr().unwrap();
        let dropped = || counters.count(Counter::Datagrams);
        for _ in 0..FLOOD_MAX {
            client.send_to(&[0; 60_000], address).unwrap();
            listeners.count_datagrams();
            if dropped() > 0 {
                break;
            }
        }
        assert_eq!(dropped(), 1, "nobody reads");
        listeners.count_datagrams();
        assert_eq!(dropped(), 1, "it is known");
        assert!(listeners.last_words(UnixNanos::default()).is_empty());
        assert_eq!(dropped(), 1, "at the end too");
    }

    /// Far beyond what a socket keeps.
    const FLOOD_MAX: usize = 10_000;
}
