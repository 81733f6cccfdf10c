//! The batches of one subscriber, one after the other, until it takes them or they are given up.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tracing::{debug, warn};

use super::hub::Mailbox;
use super::queue::{Batch, Due};
use super::sink::Sink;
use crate::faults::Delivery;
use crate::lifecycle::Profile;
use crate::time::Clock;

/// Delivers until the subscriber is dropped.
pub(super) async fn run(
    mailbox: Arc<Mailbox>,
    profile: Profile,
    mut sink: Sink,
    mut frozen: watch::Receiver<bool>,
    clock: Clock,
    trouble: impl Fn() -> Option<Delivery> + Send,
) {
    let mut failures = 0;
    while let Some(batch) = next_batch(&mailbox, &mut frozen, &clock).await {
        let trouble = trouble();
        let sending = async {
            match trouble {
                None => sink.send(&batch, &mut frozen).await,
                Some(trouble) => {
                    send_in_trouble(&mut sink, &batch, &mut frozen, &clock, trouble).await
                }
            }
        };
        let sent = match profile {
            Profile::Classic => sending.await,
            Profile::Managed => dropping_what_is_due(&mailbox, &clock, sending).await,
        };
        mailbox.settle();
        let Err(reason) = sent else {
            failures = 0;
            continue;
        };
        if profile == Profile::Managed {
            warn!(%sink, %reason, "telemetry dropped: on managed instances it is sent once");
            mailbox.queue().give_up(&batch, clock.now());
            continue;
        }
        debug!(%sink, %reason, failures, "telemetry not delivered");
        let lost = mailbox.queue().put_back(batch, clock.now());
        if lost.records > 0 {
            warn!(%sink, %reason, records = lost.records, "telemetry dropped: subscriber does not take it");
        }
        tokio::time::sleep(backoff(failures)).await;
        failures += 1;
    }
}

/// While one batch is on its way, those that become due are dropped and counted, but not the last one at a shutdown.
async fn dropping_what_is_due(
    mailbox: &Mailbox,
    clock: &Clock,
    sending: impl Future<Output = Result<(), String>>,
) -> Result<(), String> {
    let mut sending = pin!(sending);
    loop {
        let now = clock.now();
        let due = {
            let mut queue = mailbox.queue();
            let due = match queue.is_flushing() || queue.is_empty() {
                true => Due::Never,
                false => queue.due(now),
            };
            if due == Due::Now
                && let Some(batch) = queue.take(now)
            {
                queue.give_up(&batch, now);
                continue;
            }
            due
        };
        let timer = async {
            match due {
                Due::At(at) => clock.sleep_until(at).await,
                Due::Now | Due::Never => std::future::pending().await,
            }
        };
        tokio::select! {
            sent = &mut sending => return sent,
            () = timer => {}
            () = mailbox.changed.notified() => {}
        }
    }
}

/// Sends a batch that a fault has struck.
async fn send_in_trouble(
    sink: &mut Sink,
    batch: &Batch,
    frozen: &mut watch::Receiver<bool>,
    clock: &Clock,
    trouble: Delivery,
) -> Result<(), String> {
    match trouble {
        Delivery::Delay(by) => {
            clock.sleep_until(clock.now() + by).await;
            sink.send(batch, frozen).await
        }
        Delivery::Refuse => Err("a fault refuses it".to_owned()),
        Delivery::Status(status) => {
            sink.send(batch, frozen).await?;
            Err(format!("a fault answers {status}"))
        }
        Delivery::Duplicate => {
            sink.send(batch, frozen).await?;
            sink.send(batch, frozen).await
        }
        Delivery::Lose => Ok(()),
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
