//! The POSTs to one subscriber.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, header};
use http_body_util::Full;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::sync::watch;
use tracing::{debug, warn};

use super::hub::Mailbox;
use super::queue::{Batch, Due};
use crate::time::Clock;

pub(super) type Client = hyper_util::client::legacy::Client<HttpConnector, Full<Bytes>>;

pub(super) fn client() -> Client {
    hyper_util::client::legacy::Client::builder(TokioExecutor::new()).build_http()
}

/// Delivers until the subscriber is dropped.
pub(super) async fn run(
    mailbox: Arc<Mailbox>,
    target: String,
    client: Client,
    mut frozen: watch::Receiver<bool>,
    clock: Clock,
) {
    while let Some(batch) = next_batch(&mailbox, &mut frozen, &clock).await {
        let mut attempt = 0;
        while let Err(reason) = post(&client, &target, batch.body.clone(), &mut frozen).await {
            attempt += 1;
            debug!(%target, %reason, attempt, "telemetry not delivered");
            if attempt == ATTEMPTS_MAX {
                warn!(%target, %reason, records = batch.records, "telemetry dropped: subscriber does not take it");
                mailbox.queue().drop_records(batch.records, batch.bytes);
                break;
            }
            tokio::time::sleep(BACKOFF * 2_u32.pow(attempt - 1)).await;
        }
    }
}

/// `None` when the hub is gone.
async fn next_batch(
    mailbox: &Mailbox,
    frozen: &mut watch::Receiver<bool>,
    clock: &Clock,
) -> Option<Batch> {
    loop {
        frozen.wait_for(|frozen| !frozen).await.ok()?;
        let now = clock.now();
        // Freezing and taking must not cross: a batch taken after the freeze would leave a frozen environment.
        let due = {
            let mut queue = mailbox.queue();
            match queue.due(now) {
                Due::Now if !*frozen.borrow() => return queue.take(now),
                due => due,
            }
        };
        let timer = async {
            match due {
                Due::At(at) => tokio::time::sleep_until(clock.instant_of(at)).await,
                Due::Now => {}
                Due::Never => std::future::pending().await,
            }
        };
        tokio::select! {
            () = timer => {}
            () = mailbox.changed.notified() => {}
            changed = frozen.changed() => changed.ok()?,
        }
    }
}

async fn post(
    client: &Client,
    target: &str,
    body: Bytes,
    frozen: &mut watch::Receiver<bool>,
) -> Result<(), String> {
    let request = Request::builder()
        .method(Method::POST)
        .uri(target)
        .header(header::CONTENT_TYPE, "application/json")
        .body(Full::new(body))
        .map_err(|error| error.to_string())?;
    let response = client.request(request);
    tokio::pin!(response);
    loop {
        // A frozen subscriber cannot answer; its time starts anew when it thaws.
        let is_frozen = *frozen.borrow_and_update();
        tokio::select! {
            answered = &mut response => {
                let status = answered.map_err(|error| error.to_string())?.status();
                return if status.is_success() { Ok(()) } else { Err(format!("status {status}")) };
            }
            changed = frozen.changed() => changed.map_err(|_| "environment ended".to_owned())?,
            () = tokio::time::sleep(POST_TIMEOUT), if !is_frozen => {
                return Err(format!("no answer within {} s", POST_TIMEOUT.as_secs()));
            }
        }
    }
}

/// Then the batch is dropped and counted.
const ATTEMPTS_MAX: u32 = 5;
/// Doubled with each attempt: 750 ms in all.
const BACKOFF: Duration = Duration::from_millis(50);
const POST_TIMEOUT: Duration = Duration::from_secs(5);
