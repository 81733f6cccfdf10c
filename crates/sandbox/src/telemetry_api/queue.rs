//! What waits for one subscriber, and when it is to go.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use serde_json::json;

use crate::time::UnixNanos;

/// Events for one subscriber in the order they were told.
#[derive(Debug)]
pub(crate) struct Queue {
    items_max: usize,
    bytes_max: usize,
    timeout: Duration,
    events: VecDeque<Bytes>,
    bytes: usize,
    oldest: Option<UnixNanos>,
    flush: bool,
    dropped: Dropped,
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
    pub(crate) fn new(items_max: usize, bytes_max: usize, timeout: Duration) -> Self {
        Self {
            items_max,
            bytes_max,
            timeout,
            events: VecDeque::new(),
            bytes: 0,
            oldest: None,
            flush: false,
            dropped: Dropped::default(),
        }
    }

    pub(crate) fn push(&mut self, kind: Kind, event: Bytes, now: UnixNanos) {
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
        self.events.push_back(event);
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

    /// The next batch as a JSON array, and how many of its records would be lost with it.
    pub(crate) fn take(&mut self, now: UnixNanos) -> Option<Batch> {
        self.events.front()?;
        let mut body = BytesMut::from(&b"["[..]);
        if self.dropped != Dropped::default() {
            body.extend_from_slice(&logs_dropped(std::mem::take(&mut self.dropped), now));
        }
        let (mut records, mut bytes) = (0, 0);
        while let Some(event) = self.events.front() {
            let full = records >= self.items_max || bytes + event.len() > self.bytes_max;
            if records > 0 && full {
                break;
            }
            if body.len() > 1 {
                body.extend_from_slice(b",");
            }
            body.extend_from_slice(event);
            records += 1;
            bytes += event.len();
            self.events.pop_front();
        }
        body.extend_from_slice(b"]");
        self.bytes -= bytes;
        // What stays behind was told during this batch's time at the earliest; it may go at once.
        if self.events.is_empty() {
            self.oldest = None;
            self.flush = false;
        }
        Some(Batch {
            body: body.freeze(),
            records,
            bytes,
        })
    }
}

/// What goes out in one POST.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Batch {
    pub(crate) body: Bytes,
    pub(crate) records: usize,
    pub(crate) bytes: usize,
}

fn logs_dropped(dropped: Dropped, now: UnixNanos) -> Vec<u8> {
    let event = json!({
        "time": now.to_string(),
        "type": "platform.logsDropped",
        "record": {
            "droppedRecords": dropped.records,
            "droppedBytes": dropped.bytes,
            "reason": "Some logs were dropped because the downstream consumer is slower than the logs production rate",
        },
    });
    event.to_string().into_bytes()
}

/// For log lines; platform events, which are few, may use as much again.
const QUEUE_BYTES_MAX: usize = 8 * 1024 * 1024;

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    fn at(millis: u64) -> UnixNanos {
        UnixNanos::from_millis(millis)
    }

    fn queue() -> Queue {
        Queue::new(3, 100, Duration::from_millis(25))
    }

    fn text(batch: Option<Batch>) -> String {
        batch.map_or("nothing".to_owned(), |batch| {
            String::from_utf8_lossy(&batch.body).into_owned()
        })
    }

    #[test]
    fn batch_is_due_by_time_count_or_size() {
        let mut queue = queue();
        assert_eq!(queue.due(at(0)), Due::Never);
        queue.push(Kind::Log, Bytes::from_static(b"1"), at(10));
        queue.push(Kind::Log, Bytes::from_static(b"2"), at(20));
        assert_eq!(queue.due(at(34)), Due::At(at(35)));
        assert_eq!(queue.due(at(35)), Due::Now);
        queue.push(Kind::Log, Bytes::from_static(b"3"), at(21));
        assert_eq!(queue.due(at(21)), Due::Now);
        queue.push(Kind::Log, Bytes::from_static(b"4"), at(22));
        assert_eq!(text(queue.take(at(22))), "[1,2,3]");
        assert_eq!(queue.due(at(35)), Due::Now);
        assert_eq!(text(queue.take(at(35))), "[4]");
        assert_eq!(queue.due(at(99)), Due::Never);

        queue.push(Kind::Log, Bytes::from(vec![b'7'; 100]), at(40));
        assert_eq!(queue.due(at(40)), Due::Now);
    }

    #[test]
    fn flush_makes_due_what_is_there_and_nothing_else() {
        let mut queue = queue();
        queue.flush();
        queue.push(Kind::Platform, Bytes::from_static(b"1"), at(0));
        assert_eq!(queue.due(at(0)), Due::At(at(25)));
        queue.flush();
        assert_eq!(queue.due(at(0)), Due::Now);
    }

    #[test]
    fn record_larger_than_a_batch_goes_alone() {
        let mut queue = queue();
        queue.push(Kind::Log, Bytes::from_static(b"1"), at(0));
        queue.push(Kind::Log, Bytes::from(vec![b'7'; 150]), at(0));
        assert_eq!(text(queue.take(at(0))), "[1]");
        assert_eq!(text(queue.take(at(0))).len(), 152);
    }

    #[test]
    fn full_queue_drops_logs_before_platform_events_and_tells_so() {
        let mut queue = queue();
        queue.push(Kind::Log, Bytes::from(vec![b'1'; QUEUE_BYTES_MAX]), at(0));
        queue.push(Kind::Log, Bytes::from_static(b"lost"), at(1));
        queue.push(Kind::Platform, Bytes::from_static(b"2"), at(2));
        queue.take(at(3)).expect("the large one");
        queue.drop_records(5, 50);
        expect![[r#"[{"record":{"droppedBytes":50,"droppedRecords":5,"reason":"Some logs were dropped because the downstream consumer is slower than the logs production rate"},"time":"1970-01-01T00:00:00.004Z","type":"platform.logsDropped"},2]"#]]
            .assert_eq(&text(queue.take(at(4))));
    }
}
