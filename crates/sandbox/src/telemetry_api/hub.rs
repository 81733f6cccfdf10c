//! Who is told what: the subscribers of one environment and what is kept for those who come late.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use serde_json::{Value, json};
use tokio::sync::{Notify, watch};
use tokio::task::AbortHandle;

use super::delivery::{self, Client};
use super::queue::{Dropped, Kind, Queue};
use crate::lifecycle::Subscription;
use crate::time::{Clock, UnixNanos};

/// The Telemetry API of one environment.
#[derive(Debug)]
pub(crate) struct Hub {
    clock: Clock,
    client: Client,
    frozen: watch::Sender<bool>,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    /// Told since the init began; `None` once nobody can subscribe any more.
    backlog: Option<Backlog>,
    subscribers: Vec<Subscriber>,
}

#[derive(Debug, Default)]
struct Backlog {
    events: Vec<(String, Bytes)>,
    bytes: usize,
    /// What did not fit; a late subscriber is told.
    dropped: Dropped,
}

impl Backlog {
    fn keep(&mut self, kind: &str, event: Bytes) {
        if self.bytes + event.len() > BACKLOG_BYTES_MAX {
            self.dropped.records += 1;
            self.dropped.bytes += event.len();
            return;
        }
        self.bytes += event.len();
        self.events.push((kind.to_owned(), event));
    }
}

#[derive(Debug)]
struct Subscriber {
    extension: String,
    subscription: Subscription,
    mailbox: Arc<Mailbox>,
    task: AbortHandle,
}

/// Shared between the hub and the delivery of one subscriber.
#[derive(Debug)]
pub(super) struct Mailbox {
    queue: Mutex<Queue>,
    pub(super) changed: Notify,
}

impl Mailbox {
    pub(super) fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Hub {
    pub(crate) fn new(clock: Clock) -> Self {
        let inner = Inner {
            backlog: Some(Backlog::default()),
            subscribers: Vec::new(),
        };
        Self {
            clock,
            client: delivery::client(),
            frozen: watch::Sender::new(false),
            inner: Mutex::new(inner),
        }
    }

    /// Tells every subscriber who wants it.
    pub(crate) fn emit(&self, kind: &str, record: &Value) {
        let now = self.clock.now();
        let event = Bytes::from(
            json!({"time": now.to_string(), "type": kind, "record": record}).to_string(),
        );
        let mut inner = self.inner();
        for subscriber in &inner.subscribers {
            subscriber.offer(kind, &event, now);
        }
        if let Some(backlog) = &mut inner.backlog {
            backlog.keep(kind, event);
        }
    }

    /// Takes a subscriber in, who replaces an earlier subscription of the same extension.
    pub(crate) fn subscribe(&self, extension: String, subscription: Subscription) {
        let queue = Queue::new(
            subscription.items_max,
            subscription.bytes_max,
            subscription.timeout,
        );
        let mailbox = Arc::new(Mailbox {
            queue: Mutex::new(queue),
            changed: Notify::new(),
        });
        let target = format!(
            "http://127.0.0.1:{}{}",
            subscription.port, subscription.path
        );
        let delivery = delivery::run(
            mailbox.clone(),
            target,
            self.client.clone(),
            self.frozen.subscribe(),
            self.clock.clone(),
        );
        let task = tokio::spawn(delivery).abort_handle();
        let subscriber = Subscriber {
            extension,
            subscription,
            mailbox,
            task,
        };
        let now = self.clock.now();
        let mut inner = self.inner();
        inner
            .subscribers
            .retain(|other| other.extension != subscriber.extension);
        for (kind, event) in inner.backlog.iter().flat_map(|backlog| &backlog.events) {
            subscriber.offer(kind, event, now);
        }
        if let Some(backlog) = &inner.backlog {
            let dropped = backlog.dropped;
            subscriber
                .mailbox
                .queue()
                .drop_records(dropped.records, dropped.bytes);
        }
        inner.subscribers.push(subscriber);
    }

    /// Nobody subscribes any more.
    pub(crate) fn close_subscriptions(&self) {
        self.inner().backlog = None;
    }

    /// Forgets all subscribers: their processes have ended.
    pub(crate) fn reset(&self) {
        let mut inner = self.inner();
        inner.subscribers.clear();
        inner.backlog = Some(Backlog::default());
    }

    pub(crate) fn freeze(&self) {
        self.frozen.send_replace(true);
    }

    pub(crate) fn thaw(&self) {
        self.frozen.send_replace(false);
    }

    /// Sends what is there without waiting for fuller batches.
    pub(crate) fn flush(&self) {
        for subscriber in &self.inner().subscribers {
            subscriber.mailbox.queue().flush();
            subscriber.mailbox.changed.notify_one();
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Subscriber {
    fn offer(&self, kind: &str, event: &Bytes, now: UnixNanos) {
        if self.subscription.wants(kind) {
            let class = if matches!(kind, "function" | "extension") {
                Kind::Log
            } else {
                Kind::Platform
            };
            self.mailbox.queue().push(class, event.clone(), now);
            self.mailbox.changed.notify_one();
        }
    }
}

impl Drop for Subscriber {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// What a late subscriber can still get; an init that says more has bigger worries.
const BACKLOG_BYTES_MAX: usize = 1024 * 1024;

#[cfg(test)]
mod tests;
