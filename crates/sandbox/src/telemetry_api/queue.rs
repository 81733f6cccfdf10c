//! What waits for one subscriber, and when it is to go.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use serde_json::json;

use super::event::Event;
use crate::lifecycle::{Destination, Subscription};
use crate::time::UnixNanos;

/// Events for one subscriber in the order they were told.
#[derive(Debug)]
pub(crate) struct Queue {
    items_max: usize,
    bytes_max: usize,
    timeout: Duration,
    /// Whether an event above `bytes_max` is cut, as it is for POSTs; a line of a connection has no limit.
    cuts: bool,
    events: VecDeque<Waiting>,
    bytes: usize,
    oldest: Option<UnixNanos>,
    flush: bool,
    dropped: Dropped,
    /// A batch is on its way.
    out: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Waiting {
    event: Event,
    /// How often it went out in vain.
    failures: u32,
}

/// What a subscriber was too slow for.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Dropped {
    pub(crate) records: usize,
    pub(crate) bytes: usize,
}

/// Whether a log line may be dropped to keep a platform event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Platform,
    Log,
}

/// When the next batch is to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Due {
    Now,
    At(UnixNanos),
    Never,
}

impl Queue {
    pub(crate) fn new(subscription: &Subscription) -> Self {
        Self {
            items_max: subscription.items_max,
            bytes_max: subscription.bytes_max,
            timeout: subscription.timeout,
            cuts: matches!(subscription.destination, Destination::Http { .. }),
            events: VecDeque::new(),
            bytes: 0,
            oldest: None,
            flush: false,
            dropped: Dropped::default(),
            out: false,
        }
    }

    /// Whether nothing waits and nothing is on its way.
    pub(crate) fn is_quiet(&self) -> bool {
        self.events.is_empty() && !self.out
    }

    /// Whether there is no event, though there may be dropped ones to tell of.
    pub(crate) fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// Whether what is there goes out for the last time, however full it is.
    pub(crate) fn is_flushing(&self) -> bool {
        self.flush
    }

    /// The batch on its way has arrived or come back.
    pub(crate) fn settle(&mut self) {
        self.out = false;
    }

    /// Counts what is in a batch that is not sent again, and what it would have told. That is told even if nothing comes
    /// after it, once: a subscriber that is dead would be told of each telling for ever.
    pub(crate) fn give_up(&mut self, batch: &Batch, now: UnixNanos) {
        if !batch.events.is_empty() {
            self.oldest.get_or_insert(now);
        }
        let bytes = batch.events.iter().map(|waiting| waiting.event.len()).sum();
        self.drop_records(batch.events.len(), bytes);
        self.drop_records(batch.told.records, batch.told.bytes);
    }

    pub(crate) fn push(&mut self, kind: Kind, event: Event, now: UnixNanos) {
        let limit = match kind {
            Kind::Log => QUEUE_BYTES_MAX,
            Kind::Platform => 2 * QUEUE_BYTES_MAX,
        };
        if self.bytes + event.len() > limit {
            self.drop_records(1, event.len());
            return;
        }
        self.bytes += event.len();
        self.oldest.get_or_insert(now);
        self.events.push_back(Waiting { event, failures: 0 });
    }

    /// Counts what is not delivered; the next batch tells it.
    pub(crate) fn drop_records(&mut self, records: usize, bytes: usize) {
        self.dropped.records += records;
        self.dropped.bytes += bytes;
    }

    /// What the next batch will tell as dropped.
    #[cfg(test)]
    pub(crate) fn dropped(&self) -> Dropped {
        self.dropped
    }

    /// Makes whatever is there due.
    pub(crate) fn flush(&mut self) {
        self.flush = !self.events.is_empty();
    }

    pub(crate) fn due(&self, now: UnixNanos) -> Due {
        let Some(oldest) = self.oldest else {
            return Due::Never;
        };
        let at = oldest + self.timeout;
        if self.flush
            || self.events.len() >= self.items_max
            || self.bytes >= self.bytes_max
            || now >= at
        {
            Due::Now
        } else {
            Due::At(at)
        }
    }

    /// The next batch: as much as its limits allow, and what was dropped since the last one.
    pub(crate) fn take(&mut self, now: UnixNanos) -> Option<Batch> {
        self.cut_first();
        if self.events.is_empty() && self.dropped == Dropped::default() {
            self.oldest = None;
            return None;
        }
        self.out = true;
        let told = std::mem::take(&mut self.dropped);
        let mut batch = Batch {
            time: now,
            told,
            events: Vec::new(),
        };
        let mut bytes = 0;
        while let Some(next) = self.events.front() {
            let full =
                batch.events.len() >= self.items_max || bytes + next.event.len() > self.bytes_max;
            if !batch.events.is_empty() && full {
                break;
            }
            bytes += next.event.len();
            batch.events.extend(self.events.pop_front());
        }
        self.bytes -= bytes;
        // What stays behind was told during this batch's time at the earliest; it may go at once.
        if self.events.is_empty() {
            self.oldest = None;
            self.flush = false;
        }
        Some(batch)
    }

    /// Makes two of the first event if it is too large for a batch. Its head then fills a batch so far that nothing
    /// but its tail can be the first of the next one.
    fn cut_first(&mut self) {
        let first = self.events.front().filter(|_| self.cuts);
        let cut = first.and_then(|first| Some((first.event.cut(self.bytes_max)?, first.failures)));
        let Some(((head, tail), failures)) = cut else {
            return;
        };
        let whole = self.events.pop_front();
        self.bytes -= whole.map_or(0, |whole| whole.event.len());
        for event in [tail, head] {
            self.bytes += event.len();
            self.events.push_front(Waiting { event, failures });
        }
    }

    /// Takes back a batch that was not delivered: it goes out again together with what came since. Events that have
    /// failed too often are given up and counted.
    pub(crate) fn put_back(&mut self, batch: Batch, now: UnixNanos) -> Dropped {
        let mut lost = Dropped::default();
        for mut waiting in batch.events.into_iter().rev() {
            waiting.failures += 1;
            if waiting.failures >= ATTEMPTS_MAX {
                lost.records += 1;
                lost.bytes += waiting.event.len();
            } else {
                self.bytes += waiting.event.len();
                self.events.push_front(waiting);
            }
        }
        self.drop_records(lost.records, lost.bytes);
        // Nobody has heard of these either.
        self.drop_records(batch.told.records, batch.told.bytes);
        if !self.events.is_empty() {
            self.oldest.get_or_insert(now);
            self.flush = true;
        }
        lost
    }
}

/// What goes out at once.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Batch {
    time: UnixNanos,
    told: Dropped,
    events: Vec<Waiting>,
}

impl Batch {
    /// As the body of a POST.
    pub(crate) fn array(&self) -> Bytes {
        let mut body = BytesMut::from(&b"["[..]);
        for (index, event) in self.all().enumerate() {
            if index > 0 {
                body.extend_from_slice(b",");
            }
            body.extend_from_slice(event.text());
        }
        body.extend_from_slice(b"]");
        body.freeze()
    }

    /// As lines, one for each event.
    pub(crate) fn lines(&self) -> Bytes {
        let mut lines = BytesMut::new();
        for event in self.all() {
            lines.extend_from_slice(event.text());
            lines.extend_from_slice(b"\n");
        }
        lines.freeze()
    }

    fn all(&self) -> impl Iterator<Item = Event> {
        let told = (self.told != Dropped::default()).then(|| logs_dropped(self.told, self.time));
        let events = self.events.iter().map(|waiting| waiting.event.clone());
        told.into_iter().chain(events)
    }
}

fn logs_dropped(dropped: Dropped, now: UnixNanos) -> Event {
    let record = json!({
        "droppedRecords": dropped.records,
        "droppedBytes": dropped.bytes,
        "reason": "Some logs were dropped because the downstream consumer is slower than the logs production rate",
    });
    Event::new(now, "platform.logsDropped", &record)
}

/// For log lines; platform events, which are few, may use as much again, and a batch that came back is on top.
const QUEUE_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Then an event is dropped and counted.
const ATTEMPTS_MAX: u32 = 5;

#[cfg(test)]
mod tests;
