//! Which messages make a batch, and how many batches may be worked on. Pure: whoever waits brings the time.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

use crate::report::{self, Report};

/// A message that was received and has passed the filters.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Item {
    pub(super) id: String,
    pub(super) receipt: String,
    pub(super) group: Option<String>,
    pub(super) record: Value,
    pub(super) bytes: usize,
}

/// What ends a batch.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    pub(super) items: usize,
    pub(super) bytes: usize,
    pub(super) window: Duration,
}

/// Messages on their way into one invocation, in the order in which they came.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub(super) items: Vec<Item>,
    bytes: usize,
    opened: Option<Instant>,
}

impl Batch {
    /// Takes a message in; gives it back when the batch would grow too large.
    pub(super) fn add(&mut self, item: Item, now: Instant, limits: &Limits) -> Result<(), Item> {
        // A window that outlasts the visibility timeout brings messages a second time; the later receipt is the valid one.
        if let Some(known) = self.items.iter_mut().find(|known| known.id == item.id) {
            *known = item;
            return Ok(());
        }
        let bytes = self.bytes + item.bytes + RECORD_OVERHEAD_BYTES;
        let full = self.items.len() >= limits.items || bytes > limits.bytes;
        // A message that is too large alone goes on alone, and the sandbox refuses it with a reason.
        if full && !self.items.is_empty() {
            return Err(item);
        }
        self.bytes = bytes;
        self.opened.get_or_insert(now);
        self.items.push(item);
        Ok(())
    }

    /// How long to go on gathering; `None` when the batch shall go.
    pub(super) fn time_left(&self, now: Instant, limits: &Limits) -> Option<Duration> {
        let opened = self.opened?;
        let left = (opened + limits.window).saturating_duration_since(now);
        (self.items.len() < limits.items && !left.is_zero()).then_some(left)
    }

    pub(super) fn room(&self, limits: &Limits) -> usize {
        limits.items.saturating_sub(self.items.len())
    }

    pub(super) fn groups(&self) -> BTreeSet<String> {
        let groups = self.items.iter().filter_map(|item| item.group.clone());
        groups.collect()
    }

    pub(super) fn payload(&self) -> Vec<u8> {
        let records: Vec<_> = self.items.iter().map(|item| &item.record).collect();
        serde_json::json!({ "Records": records })
            .to_string()
            .into_bytes()
    }

    pub(super) fn receipts(&self) -> Vec<String> {
        self.items.iter().map(|item| item.receipt.clone()).collect()
    }

    /// What becomes of the messages when the function has returned this.
    pub(super) fn settle(&self, answer: &[u8], reports_failures: bool) -> Settled {
        let ids: Vec<_> = self.items.iter().map(|item| item.id.as_str()).collect();
        let report = match reports_failures {
            true => report::read(answer, &ids),
            false => Report::Success,
        };
        match report {
            Report::Success => Settled {
                done: self.receipts(),
                failed: 0,
                why: None,
            },
            Report::Failure(why) => Settled {
                done: Vec::new(),
                failed: self.items.len(),
                why: Some(why),
            },
            Report::Some(failed) => {
                let done = self.items.iter().enumerate();
                let done = done.filter(|(index, _)| !failed.contains(index));
                Settled {
                    done: done.map(|(_, item)| item.receipt.clone()).collect(),
                    failed: failed.len(),
                    why: Some("the function reports them as failed".to_owned()),
                }
            }
        }
    }
}

/// Receipts of messages to delete, and how many are left to come again.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Settled {
    pub(super) done: Vec<String>,
    pub(super) failed: usize,
    pub(super) why: Option<String>,
}

/// How many batches of one queue may be worked on at once: fewer while they fail.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scale {
    most: usize,
    allowed: usize,
}

impl Scale {
    pub(super) fn new(concurrency_max: Option<u32>) -> Self {
        let most = concurrency_max.map_or(BATCHES_AT_ONCE, |most| most as usize);
        Self {
            most: most.max(1),
            allowed: most.max(1),
        }
    }

    pub(super) fn allowed(self) -> usize {
        self.allowed
    }

    pub(super) fn succeeded(&mut self) {
        self.allowed = (self.allowed + 1).min(self.most);
    }

    /// Whether there are fewer now.
    pub(super) fn failed(&mut self) -> bool {
        let before = self.allowed;
        self.allowed = (self.allowed / 2).max(1);
        self.allowed < before
    }
}

/// What Lambda begins with. It goes on to 1,250; a machine does not.
const BATCHES_AT_ONCE: usize = 5;
/// Comma and brackets around a record.
const RECORD_OVERHEAD_BYTES: usize = 16;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn item(id: &str, bytes: usize) -> Item {
        Item {
            id: id.to_owned(),
            receipt: format!("receipt {id}"),
            group: id.split_once('/').map(|(group, _)| group.to_owned()),
            record: json!({ "messageId": id }),
            bytes,
        }
    }

    fn limits(items: usize, bytes: usize, window_seconds: u64) -> Limits {
        let window = Duration::from_secs(window_seconds);
        Limits {
            items,
            bytes,
            window,
        }
    }

    #[test]
    fn batch_ends_by_number_size_and_window() {
        let start = Instant::now();
        let second = Duration::from_secs(1);
        let mut batch = Batch::default();
        let limits = limits(3, 1000, 5);
        assert_eq!(batch.time_left(start, &limits), None, "nothing to wait for");
        batch.add(item("a", 100), start, &limits).unwrap();
        assert_eq!(batch.time_left(start + second, &limits), Some(4 * second));
        assert_eq!(
            batch.time_left(start + 5 * second, &limits),
            None,
            "window is over"
        );
        batch.add(item("b", 100), start + second, &limits).unwrap();
        let refused = batch.add(item("large", 900), start, &limits).unwrap_err();
        assert_eq!(refused.id, "large");
        batch.add(item("c", 1), start + second, &limits).unwrap();
        assert_eq!(batch.time_left(start + second, &limits), None, "full");
        assert!(batch.add(item("d", 1), start, &limits).is_err());
        assert_eq!(
            batch.payload(),
            br#"{"Records":[{"messageId":"a"},{"messageId":"b"},{"messageId":"c"}]}"#
        );
    }

    #[test]
    fn message_that_is_too_large_goes_alone() {
        let mut batch = Batch::default();
        let limits = limits(10, 100, 0);
        batch
            .add(item("large", 200), Instant::now(), &limits)
            .unwrap();
        assert!(batch.add(item("a", 1), Instant::now(), &limits).is_err());
    }

    #[test]
    fn message_that_comes_twice_is_in_the_batch_once() {
        let mut batch = Batch::default();
        let limits = limits(10, 1000, 0);
        for receipt in ["old", "new"] {
            let item = Item {
                receipt: receipt.to_owned(),
                ..item("a", 1)
            };
            batch.add(item, Instant::now(), &limits).unwrap();
        }
        assert_eq!(batch.receipts(), ["new"]);
    }

    #[test]
    fn messages_are_settled_by_what_the_function_says() {
        let mut batch = Batch::default();
        for id in ["g/a", "h/b", "g/c"] {
            let limits = limits(10, 1000, 0);
            batch.add(item(id, 1), Instant::now(), &limits).unwrap();
        }
        assert_eq!(batch.groups().into_iter().collect::<Vec<_>>(), ["g", "h"]);
        let all = || batch.receipts();
        let one = br#"{"batchItemFailures":[{"itemIdentifier":"h/b"}]}"#.as_slice();
        let bad = br#"{"batchItemFailures":[{"itemIdentifier":"x"}]}"#.as_slice();
        let others = vec!["receipt g/a".to_owned(), "receipt g/c".to_owned()];
        let cases = [
            (one, true, others, 1),
            (one, false, all(), 0),
            (bad, true, vec![], 3),
            (b"null", true, all(), 0),
        ];
        for (answer, reports, done, failed) in cases {
            let settled = batch.settle(answer, reports);
            assert_eq!((settled.done, settled.failed), (done, failed));
        }
    }

    #[test]
    fn failures_halve_and_successes_add_one() {
        let mut scale = Scale::new(Some(8));
        let mut after = |fails: bool| {
            match fails {
                true => drop(scale.failed()),
                false => scale.succeeded(),
            }
            scale.allowed()
        };
        let seen: Vec<_> = [true, true, true, true, false, false]
            .into_iter()
            .map(&mut after)
            .collect();
        assert_eq!(seen, [4, 2, 1, 1, 2, 3]);
        assert_eq!(Scale::new(None).allowed(), 5);
    }
}
