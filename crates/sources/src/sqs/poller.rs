//! The loop that polls one queue for one function.

use std::collections::BTreeSet;
use std::time::Duration;

use bytes::Bytes;
use throughline_sandbox::{Invoker, SqsSource};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::batch::{Batch, Item, Limits, Scale};
use super::record::{passes, record};
use crate::deliver::{Backoff, Delivered, Stop, deliver};
use crate::pattern::Pattern;
use crate::queue::{Queue, WAIT_SECONDS_MAX};
use crate::reporter::Reporter;

/// Polls one queue for one function.
pub(crate) struct Poller {
    pub(crate) invoker: Invoker,
    pub(crate) reporter: Reporter,
    pub(crate) stop: Stop,
    pub(crate) queue: Queue,
    pub(crate) source: SqsSource,
    pub(crate) filters: Vec<Pattern>,
}

/// What the loop has in hand.
struct Hand {
    scale: Scale,
    backoff: Backoff,
    running: JoinSet<Ended>,
    /// Groups of a FIFO queue that are being worked on.
    groups: BTreeSet<String>,
    /// Received, but too much for its batch.
    over: Vec<Item>,
}

struct Ended {
    groups: BTreeSet<String>,
    failed: bool,
}

impl Poller {
    pub(crate) async fn run(self) {
        let mut hand = Hand {
            scale: Scale::new(self.source.concurrency_max),
            backoff: Backoff::default(),
            running: JoinSet::new(),
            groups: BTreeSet::new(),
            over: Vec::new(),
        };
        while !self.stop.is_set() {
            while hand.running.len() >= hand.scale.allowed() {
                self.one_ends(&mut hand).await;
            }
            let batch = self.gather(&mut hand).await;
            if batch.items.is_empty() {
                continue;
            }
            // SQS itself holds a group back until its messages are deleted or visible again; where an endpoint
            // does not, order would be lost.
            let groups = batch.groups();
            while !hand.groups.is_disjoint(&groups) {
                self.one_ends(&mut hand).await;
            }
            hand.groups.extend(groups);
            self.start(batch, &mut hand);
        }
        let over: Vec<_> = hand.over.drain(..).map(|item| item.receipt).collect();
        self.queue.release(&over).await;
        while !hand.running.is_empty() {
            self.one_ends(&mut hand).await;
        }
    }

    /// Gathers a batch; an empty one where it is worth asking again whether to go on.
    async fn gather(&self, hand: &mut Hand) -> Batch {
        let limits = self.limits();
        let mut batch = Batch::default();
        for item in std::mem::take(&mut hand.over) {
            add(item, &mut batch, hand, &limits);
        }
        loop {
            let wait = match batch.time_left(Instant::now(), &limits) {
                None if !batch.items.is_empty() => return batch,
                None => self.longest_poll(hand),
                // Polls wait for whole seconds.
                Some(left) => left.max(Duration::from_secs(1)),
            };
            let receive = self.queue.receive(batch.room(&limits), wait);
            match self.stop.during(receive).await {
                None => {
                    self.queue.release(&batch.receipts()).await;
                    return Batch::default();
                }
                Some(Ok(messages)) => {
                    hand.backoff.reset();
                    self.take(messages, &mut batch, hand, &limits).await;
                    if !hand.over.is_empty() || batch.items.is_empty() {
                        return batch;
                    }
                }
                Some(Err(error)) => {
                    let delay = hand.backoff.next();
                    self.reporter.backing_off(delay, &error);
                    self.stop.during(tokio::time::sleep(delay)).await;
                    return batch;
                }
            }
        }
    }

    /// A poll that began while a group was held back need not notice that it is free again: moto's does not.
    fn longest_poll(&self, hand: &Hand) -> Duration {
        if self.queue.is_fifo() && !hand.running.is_empty() {
            Duration::from_secs(1)
        } else {
            Duration::from_secs(WAIT_SECONDS_MAX)
        }
    }

    /// Filters what was received and adds it to the batch. What does not match is deleted, as by Lambda.
    async fn take(
        &self,
        messages: Vec<aws_sdk_sqs::types::Message>,
        batch: &mut Batch,
        hand: &mut Hand,
        limits: &Limits,
    ) {
        let mut unwanted = Vec::new();
        for message in messages {
            let record = record(&message, &self.queue.arn);
            let item = Item {
                id: message.message_id.unwrap_or_default(),
                receipt: message.receipt_handle.unwrap_or_default(),
                group: record["attributes"]["MessageGroupId"]
                    .as_str()
                    .filter(|_| self.queue.is_fifo())
                    .map(str::to_owned),
                bytes: record.to_string().len(),
                record,
            };
            if !passes(&self.filters, &item.record) {
                unwanted.push(item.receipt);
            } else {
                add(item, batch, hand, limits);
            }
        }
        self.reporter.filtered(unwanted.len());
        self.queue.delete(&unwanted).await;
    }

    fn start(&self, batch: Batch, hand: &mut Hand) {
        let invoker = self.invoker.clone();
        let reporter = self.reporter.clone();
        let stop = self.stop.clone();
        let queue = self.queue.clone();
        let reports_failures = self.source.report_item_failures;
        hand.running.spawn(async move {
            let payload = Bytes::from(batch.payload());
            let visible_again = queue.visibility_timeout;
            let records = batch.items.len();
            let failed = match deliver(&invoker, &reporter, payload, visible_again, &stop).await {
                Delivered::Returned(answer, _) => {
                    let settled = batch.settle(&answer, reports_failures);
                    queue.delete(&settled.done).await;
                    if !settled.done.is_empty() {
                        reporter.delivered(settled.done.len());
                    }
                    if let Some(why) = &settled.why {
                        reporter.failed(settled.failed, why);
                    }
                    // A function that says which messages failed is not slowed down for it.
                    settled.done.is_empty() && settled.failed > 0
                }
                Delivered::Failed(why, _) => {
                    reporter.failed(records, &why);
                    true
                }
                Delivered::Throttled => {
                    reporter.failed(records, "throttled until the messages are visible again");
                    true
                }
                Delivered::Stopped => {
                    queue.release(&batch.receipts()).await;
                    false
                }
            };
            Ended {
                groups: batch.groups(),
                failed,
            }
        });
    }

    async fn one_ends(&self, hand: &mut Hand) {
        let ended = match hand.running.join_next().await {
            Some(Ok(ended)) => ended,
            Some(Err(_)) => return,
            // Nothing runs, so nothing is held, whatever became of what ran.
            None => return hand.groups.clear(),
        };
        hand.groups.retain(|group| !ended.groups.contains(group));
        if !ended.failed {
            hand.scale.succeeded();
        } else if hand.scale.failed() {
            let why = format!("batches fail, so at most {} at once", hand.scale.allowed());
            self.reporter.backing_off(Duration::ZERO, &why);
        }
    }

    fn limits(&self) -> Limits {
        Limits {
            items: (self.source.batch_size as usize).max(1),
            bytes: PAYLOAD_BYTES_MAX,
            window: self.source.window,
        }
    }
}

/// What follows a message that is left for the next batch is left, too: a group keeps its order.
fn add(item: Item, batch: &mut Batch, hand: &mut Hand, limits: &Limits) {
    if !hand.over.is_empty() {
        hand.over.push(item);
    } else if let Err(item) = batch.add(item, Instant::now(), limits) {
        hand.over.push(item);
    }
}

/// What an invocation takes, with room for the frame around the records.
const PAYLOAD_BYTES_MAX: usize = 6 * 1024 * 1024 - 64;
