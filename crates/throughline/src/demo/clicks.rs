//! Steady traffic for the small example: mostly good orders, now and then a slow or a failing one.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;
use tokio::sync::Semaphore;
use tokio::time::{MissedTickBehavior, interval};

/// What the traffic has met with so far.
#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) sent: AtomicU64,
    pub(super) failed: AtomicU64,
    pub(super) skipped: AtomicU64,
}

/// Sends one order every `every` to the checkout's URL until it is dropped. A tick at which too
/// many orders are still open is skipped and counted: a slow machine gets less traffic, not a queue.
pub(super) async fn run(checkout: SocketAddr, every: Duration, counts: Arc<Counts>) {
    let client = Client::builder(TokioExecutor::new()).build_http();
    let open = Arc::new(Semaphore::new(OPEN_ORDERS_MAX));
    let mut ticks = interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    for order in 1u64.. {
        ticks.tick().await;
        let Ok(permit) = Arc::clone(&open).try_acquire_owned() else {
            counts.skipped.fetch_add(1, Ordering::Relaxed);
            continue;
        };
        let (client, counts) = (client.clone(), Arc::clone(&counts));
        let uri = format!("http://{checkout}/{}", query(order));
        tokio::spawn(async move {
            let good = answered_well(&client, &uri).await;
            counts.sent.fetch_add(1, Ordering::Relaxed);
            counts.failed.fetch_add(u64::from(!good), Ordering::Relaxed);
            drop(permit);
        });
    }
}

async fn answered_well(client: &Client<HttpConnector, Empty<Bytes>>, uri: &str) -> bool {
    let Ok(uri) = uri.parse() else { return false };
    let Ok(answer) = client.get(uri).await else {
        return false;
    };
    let good = answer.status().is_success();
    good && answer.into_body().collect().await.is_ok()
}

/// Which order misbehaves follows from its number alone, so that two runs look the same.
fn query(order: u64) -> String {
    let trouble = match order % 40 {
        9 => "&slow=inventory",
        17 => "&fail=inventory",
        23 => "&slow=notify",
        29 => "&fail=notify",
        35 => "&slow=checkout",
        39 => "&fail=checkout",
        _ => "",
    };
    format!("?order={order}{trouble}")
}

/// Each function has at most ten environments; more open orders than that would only be throttled.
const OPEN_ORDERS_MAX: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_orders_in_a_hundred_misbehave() {
        let troubled = (1..=400).filter(|order| query(*order).contains('&'));
        assert_eq!(troubled.count(), 60);
        assert_eq!(query(1), "?order=1");
        assert_eq!(query(57), "?order=57&fail=inventory");
    }
}
