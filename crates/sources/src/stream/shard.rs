//! Reads one shard and deals its records out to lanes.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tracing::debug;

use super::client::{Page, Position, ReadError};
use super::coordinator::Shared;
use super::record::Record;
use super::worker::{Feed, Worker};
use crate::clock::now;
use crate::deliver::Backoff;
use crate::names::fnv1a;

/// Reads one shard to its end.
pub(super) struct Reader {
    pub(super) shared: Arc<Shared>,
    pub(super) shard: String,
    pub(super) position: Position,
    /// The first iterator, if there is one already.
    pub(super) iterator: Option<String>,
}

/// The lanes of a shard, by partition key.
struct Lanes(Vec<mpsc::Sender<Feed>>);

impl Lanes {
    /// Waits while the lane of the record is full, so that a shard is not read faster than it is worked off.
    /// `None` when there is nobody to work on it any more.
    async fn record(&self, record: Record) -> Option<()> {
        let lanes = u64::try_from(self.0.len()).unwrap_or(1).max(1);
        let index = usize::try_from(fnv1a(record.key.as_bytes()) % lanes).unwrap_or(0);
        self.0.get(index)?.send(Feed::Record(record)).await.ok()
    }

    async fn all(&self, feed: impl Fn() -> Feed) -> Option<()> {
        for lane in &self.0 {
            lane.send(feed()).await.ok()?;
        }
        Some(())
    }
}

impl Reader {
    /// Ends when all records of the shard are done with, or the sources are to end. The answer is the shard's id.
    pub(super) async fn run(mut self) -> String {
        let mut workers = JoinSet::new();
        let source = &self.shared.source;
        // A window's state belongs to the shard, so that such a shard has one lane.
        let lanes = match source.tumbling_window {
            Some(_) => 1,
            None => source.parallelization.clamp(1, PARALLELIZATION_MAX),
        };
        let lanes = (0..lanes).map(|_| {
            let (sender, receiver) = mpsc::channel(LANE_RECORDS_MAX);
            workers.spawn(Worker::new(&self.shared, &self.shard).run(receiver));
            sender
        });
        let lanes = Lanes(lanes.collect());
        debug!(source = %self.shared.reporter.source, shard = self.shard, "shard begun");
        let stop = self.shared.stop.clone();
        let read_to_end = stop.during(self.read(&lanes)).await.flatten().is_some();
        drop(lanes);
        while workers.join_next().await.is_some() {}
        debug!(source = %self.shared.reporter.source, shard = self.shard, read_to_end, "shard ended");
        self.shard
    }

    async fn read(&mut self, lanes: &Lanes) -> Option<()> {
        let mut backoff = Backoff::default();
        let mut empty_reads = 0;
        loop {
            let begun = now();
            match self.page().await {
                Ok(page) => {
                    backoff.reset();
                    let is_empty = page.records.is_empty();
                    let is_tip = page.is_tip;
                    let is_end = self.deal(page, lanes).await?;
                    if is_tip && is_empty {
                        lanes.all(|| Feed::CaughtUp(begun)).await?;
                    }
                    empty_reads = if is_empty { empty_reads + 1 } else { 0 };
                    if is_end
                        || (empty_reads % EMPTY_READS_TO_ASK == EMPTY_READS_TO_ASK - 1
                            && self.is_closed().await)
                    {
                        return lanes.all(|| Feed::End).await;
                    }
                    if is_empty {
                        tokio::time::sleep(self.pause()).await;
                    }
                }
                Err(ReadError::Expired) => self.iterator = None,
                Err(ReadError::Other(error)) => {
                    let delay = backoff.next();
                    self.shared.reporter.backing_off(delay, &error);
                    tokio::time::sleep(delay).await;
                }
            }
        }
    }

    async fn page(&mut self) -> Result<Page, ReadError> {
        let stream = &self.shared.stream;
        let iterator = match &self.iterator {
            Some(iterator) => iterator,
            None => {
                let iterator = stream.iterator(&self.shard, &self.position).await;
                self.iterator.insert(iterator.map_err(ReadError::Other)?)
            }
        };
        stream.read(&self.shard, iterator, PAGE_RECORDS).await
    }

    /// Whether this was the end of the shard.
    async fn deal(&mut self, page: Page, lanes: &Lanes) -> Option<bool> {
        let mut filtered = 0;
        for record in page.records {
            self.position = Position::After(record.sequence.clone());
            if record.passes(&self.shared.filters) {
                lanes.record(record).await?;
            } else {
                filtered += 1;
            }
        }
        self.shared.reporter.filtered(filtered);
        self.iterator = page.next;
        Some(self.iterator.is_none())
    }

    /// Not every endpoint says with a read that a closed shard is at its end: moto's does not.
    async fn is_closed(&self) -> bool {
        if self.shared.aws.endpoint.is_amazon() {
            return false;
        }
        let listed = self.shared.stream.shards().await.unwrap_or_default();
        let mut listed = listed.iter();
        listed.any(|shard| shard.id == self.shard && shard.is_closed)
    }

    /// AWS allows five reads of a shard in a second, for all who read it.
    fn pause(&self) -> Duration {
        if self.shared.aws.endpoint.is_amazon() {
            Duration::from_secs(1)
        } else {
            Duration::from_millis(200)
        }
    }
}

/// Records that a lane may have before it, beside its batch.
const LANE_RECORDS_MAX: usize = 1000;
/// Lambda's limit.
const PARALLELIZATION_MAX: u32 = 10;
const PAGE_RECORDS: usize = 1000;
/// After so many empty reads in a row it is asked whether the shard is closed.
const EMPTY_READS_TO_ASK: u32 = 5;
