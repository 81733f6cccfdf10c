//! The batches of one subscriber, one after the other, until it takes them or they are given up.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tracing::{debug, warn};

use super::hub::Mailbox;
use super::queue::{Batch, Due};
use super::sink::Sink;
use crate::time::Clock;

/// Delivers until the subscriber is dropped.
pub(super) async fn run(
    mailbox: Arc<Mailbox>,
    mut sink: Sink,
    mut frozen: watch::Receiver<bool>,
    clock: Clock,
) {
    let mut failures = 0;
    while let Some(batch) = next_batch(&mailbox, &mut frozen, &clock).await {
        let Err(reason) = sink.send(&batch, &mut frozen).await else {
            failures = 0;
            continue;
        };
        debug!(%sink, %reason, failures, "telemetry not delivered");
        let lost = mailbox.queue().put_back(batch, clock.now());
        if lost.records > 0 {
            warn!(%sink, %reason, records = lost.records, "telemetry dropped: subscriber does not take it");
        }
        tokio::time::sleep(backoff(failures)).await;
        failures += 1;
    }
}

/// How long to wait after so many failures in a row before this one.
fn backoff(failures: u32) -> Duration {
    BACKOFF * 2_u32.pow(failures.min(BACKOFF_DOUBLINGS))
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
                Due::At(at) => clock.sleep_until(at).await,
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

/// Doubled with each failure in a row, to 800 ms.
const BACKOFF: Duration = Duration::from_millis(50);
const BACKOFF_DOUBLINGS: u32 = 4;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backoff_doubles_and_stays_bounded() {
        let millis: Vec<_> = [0, 1, 2, 3, 4, 5, u32::MAX]
            .map(|failures| backoff(failures).as_millis())
            .into();
        assert_eq!(millis, [50, 100, 200, 400, 800, 800, 800]);
    }
}
