//! Where the function is listened to. Addresses are fixed, because its SDKs know them; if one is
//! taken, what would have come there is missing, and everything else works.

use std::fmt::Display;
use std::sync::Arc;

use throughline_extension::config::Config;
use throughline_extension::counters::{Counter, Counters};
use tokio::net::TcpListener;

use super::environment::say;
use super::inbox::Inbox;
use super::intake::Intake;
use super::{grpc, otlp};

/// Binds everything that is switched on.
pub(super) async fn listen(config: &Config, inbox: &Inbox, counters: &Arc<Counters>) {
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
}

async fn bind(what: &str, address: &str, counters: &Counters) -> Option<TcpListener> {
    let bound = TcpListener::bind(address).await;
    bound
        .map_err(|error| not_bound(what, address, &error, counters))
        .ok()
}

fn not_bound(what: &str, address: &str, error: &dyn Display, counters: &Counters) {
    counters.add(Counter::NotBound, 1);
    say(&format!(
        "cannot listen for {what} on {address}: {error}; going on without"
    ));
}
