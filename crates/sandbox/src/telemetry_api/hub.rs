//! Who is told what: the subscribers of one environment and what is kept for those who come late.

use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;
use tokio::sync::{Notify, watch};
use tokio::task::AbortHandle;

use super::delivery;
use super::event::Event;
use super::logs;
use super::queue::{Dropped, Kind, Queue};
use super::sink::{self, Client, Sink};
use crate::faults::{Desk, Occasion, What};
use crate::lifecycle::{LogsOrTelemetry, Subscription};
use crate::logging::LogFormat;
use crate::recording::Recorder;
use crate::time::{Clock, UnixNanos};
use crate::world::Place;

/// The Telemetry API of one environment.
#[derive(Debug)]
pub(crate) struct Hub {
    clock: Clock,
    client: Client,
    place: Place,
    log_format: LogFormat,
    /// Where it asks what goes wrong with the deliveries of a function, if anything can.
    troubles: Option<(Arc<Desk>, String)>,
    recorder: Option<Recorder>,
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
    events: Vec<News>,
    bytes: usize,
    /// What did not fit; a late subscriber is told.
    dropped: Dropped,
}

impl Backlog {
    fn keep(&mut self, news: News) {
        let bytes = news.event.len() + news.object.as_ref().map_or(0, Event::len);
        if self.bytes + bytes > BACKLOG_BYTES_MAX {
            self.dropped.records += 1;
            self.dropped.bytes += news.event.len();
            return;
        }
        self.bytes += bytes;
        self.events.push(news);
    }
}

/// An event in each of its forms.
#[derive(Debug)]
struct News {
    kind: String,
    event: Event,
    /// A line of a JSON log as the object that it is, for those who understand that.
    object: Option<Event>,
    /// What the Logs API tells instead, and whether its first schema has it not.
    legacy: Option<Vec<(Event, bool)>>,
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
    /// A batch arrived, came back or was given up.
    settled: Notify,
}

impl Mailbox {
    pub(super) fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn settle(&self) {
        self.queue().settle();
        self.settled.notify_waiters();
    }

    async fn quiet(&self) {
        loop {
            let mut settled = pin!(self.settled.notified());
            settled.as_mut().enable();
            if self.queue().is_quiet() {
                return;
            }
            settled.await;
        }
    }
}

impl Hub {
    pub(crate) fn new(clock: Clock, log_format: LogFormat, place: Place) -> Self {
        let inner = Inner {
            backlog: Some(Backlog::default()),
            subscribers: Vec::new(),
        };
        Self {
            clock,
            client: sink::client(place.clone()),
            place,
            log_format,
            troubles: None,
            recorder: None,
            frozen: watch::Sender::new(false),
            inner: Mutex::new(inner),
        }
    }

    pub(crate) fn troubled_by(mut self, desk: Arc<Desk>, function: &str) -> Self {
        self.troubles = Some((desk, function.to_owned()));
        self
    }

    /// Deliveries are written down.
    pub(crate) fn recorded_by(mut self, recorder: Option<Recorder>) -> Self {
        self.recorder = recorder;
        self
    }

    /// Tells nobody, and returns what would have been told.
    pub(crate) fn lose(&self, kind: &str, record: &Value) -> Event {
        Event::new(self.clock.now(), kind, record)
    }

    /// Tells every subscriber who wants it, and returns what was told.
    pub(crate) fn emit(&self, kind: &str, record: &Value) -> Event {
        let now = self.clock.now();
        let is_json = kind == "function" && self.log_format == LogFormat::Json;
        let object = Some(record).filter(|_| is_json).and_then(as_object);
        let legacy = logs::legacy(kind, record).map(|told| {
            let event = |told: logs::Legacy| {
                let event = Event::new(now, told.kind, &told.record);
                (event, told.since_2021)
            };
            told.into_iter().map(event).collect()
        });
        let news = News {
            kind: kind.to_owned(),
            event: Event::new(now, kind, record),
            object: object.map(|object| Event::new(now, kind, &object)),
            legacy,
        };
        let told = news.event.clone();
        let mut inner = self.inner();
        for subscriber in &inner.subscribers {
            subscriber.offer(&news, now);
        }
        if let Some(backlog) = &mut inner.backlog {
            backlog.keep(news);
        }
        told
    }

    /// Takes a subscriber in, who replaces an earlier subscription of the same extension.
    pub(crate) fn subscribe(&self, extension: String, subscription: Subscription) {
        let mailbox = Arc::new(Mailbox {
            queue: Mutex::new(Queue::new(&subscription)),
            changed: Notify::new(),
            settled: Notify::new(),
        });
        let (troubles, subscriber) = (self.troubles.clone(), extension.clone());
        let trouble = move || {
            let (desk, function) = troubles.as_ref()?;
            let struck = desk.strike(function, None, Occasion::Delivery(&subscriber));
            struck.into_iter().find_map(|what| match what {
                What::Telemetry(delivery, _) => Some(delivery),
                _ => None,
            })
        };
        let delivery = delivery::run(
            mailbox.clone(),
            subscription.profile,
            Sink::new(&subscription, self.client.clone(), &self.place)
                .recorded(self.recorder.clone(), &extension),
            self.frozen.subscribe(),
            self.clock.clone(),
            trouble,
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
        for news in inner.backlog.iter().flat_map(|backlog| &backlog.events) {
            subscriber.offer(news, now);
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

    /// Waits until everything is delivered or given up.
    pub(crate) fn flushed(&self) -> impl Future<Output = ()> + Send + use<> {
        let subscribers = &self.inner().subscribers;
        let mailboxes: Vec<_> = subscribers
            .iter()
            .map(|subscriber| subscriber.mailbox.clone())
            .collect();
        async move {
            for mailbox in mailboxes {
                mailbox.quiet().await;
            }
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Subscriber {
    fn offer(&self, news: &News, now: UnixNanos) {
        if !self.subscription.wants(&news.kind) {
            return;
        }
        let class = if matches!(news.kind.as_str(), "function" | "extension") {
            Kind::Log
        } else {
            Kind::Platform
        };
        for event in self.forms_of(news) {
            self.mailbox.queue().push(class, event.clone(), now);
        }
        self.mailbox.changed.notify_one();
    }

    /// The event in the words of the API that the subscriber uses.
    fn forms_of<'a>(&self, news: &'a News) -> Vec<&'a Event> {
        let newer = self.subscription.newer_schema;
        match (self.subscription.api, &news.legacy) {
            (LogsOrTelemetry::Telemetry, _) if news.kind == "platform.logsSubscription" => {
                Vec::new()
            }
            (LogsOrTelemetry::Telemetry, _) => {
                let object = news.object.as_ref().filter(|_| newer);
                vec![object.unwrap_or(&news.event)]
            }
            (LogsOrTelemetry::Logs, None) => vec![&news.event],
            (LogsOrTelemetry::Logs, Some(told)) => {
                let known = told.iter().filter(|(_, since_2021)| newer || !since_2021);
                known.map(|(event, _)| event).collect()
            }
        }
    }
}

/// A line that is a JSON object, as that object; any other line stays text.
fn as_object(record: &Value) -> Option<Value> {
    let parsed = serde_json::from_str(record.as_str()?).ok();
    parsed.filter(Value::is_object)
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
