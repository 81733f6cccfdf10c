//! Where batches are kept: in memory within one budget, in `/tmp` within another. What is worth least
//! leaves first, and is counted.

use bytes::Bytes;
use throughline_telemetry::UnixNanos;

use super::{DISK_PAUSE, Flush, Key, OnDisk, Order, Outbox, Place, Queued};
use crate::counters::Counter;

/// What is known of `/tmp`.
#[derive(Debug, Default)]
pub(super) struct Disk {
    bytes: u64,
    /// It failed: full, or not to be written to.
    broken_until: Option<UnixNanos>,
}

impl Disk {
    pub(super) fn found(&mut self, bytes: usize) {
        self.bytes += bytes as u64;
    }

    pub(super) fn never_came(&mut self, bytes: usize) {
        self.bytes = self.bytes.saturating_sub(bytes as u64);
    }

    pub(super) fn forget(&mut self, queued: &Queued, orders: &mut Vec<Order>) {
        if queued.on_disk != OnDisk::No {
            self.bytes = self.bytes.saturating_sub(queued.bytes as u64);
            orders.push(Order::Remove(queued.batch.key(), queued.batch.signal));
        }
    }
}

impl Outbox {
    /// A batch was written to `/tmp`, or could not be.
    pub fn saved(&mut self, key: &Key, kept: bool, now: UnixNanos) {
        let found = self.find(key);
        if !kept {
            self.counters.add(Counter::SpillFailed, 1);
            self.disk.broken_until = Some(now.plus(DISK_PAUSE));
        }
        let Some(queued) = found.map(|at| &mut self.queue[at]) else {
            return;
        };
        if queued.on_disk != OnDisk::Writing {
            return;
        }
        if kept {
            queued.on_disk = OnDisk::Yes;
            queued.forget_body();
        } else {
            queued.on_disk = OnDisk::No;
            self.disk.never_came(queued.bytes);
            self.make_room(now);
        }
    }

    /// A body was read from `/tmp`, or is not there any more as it was.
    pub fn loaded(&mut self, key: &Key, body: Option<Bytes>, now: UnixNanos) {
        let Some(at) = self.find(key) else {
            return;
        };
        let queued = &mut self.queue[at];
        if queued.place != Place::Loading {
            return;
        }
        queued.place = Place::Waiting;
        match body.filter(|body| body.len() == queued.bytes) {
            Some(body) => {
                queued.batch.body = body;
                if !matches!(self.flush, Flush::Last(last) if last.prints()) {
                    self.send(at, now);
                }
            }
            None => {
                self.breaker.never_left(now);
                self.drop_batch(at, Counter::SpillTorn);
            }
        }
    }

    /// While the server is down, what is sealed is kept where a kill does not reach it.
    pub(crate) fn keep_safe(&mut self, now: UnixNanos) {
        if !self.is_down() && !self.in_doubt {
            return;
        }
        for worth in super::Worth::ALL {
            let mut at = 0;
            while let Some(queued) = self.queue.get(at) {
                let is_next = queued.batch.worth == worth && queued.on_disk == OnDisk::No;
                let before = self.queue.len();
                if is_next && !self.save(at, now) {
                    return;
                }
                // Others may have gone to make room for it.
                at = (at + 1).saturating_sub(before - self.queue.len());
            }
        }
    }

    /// Brings memory below its limit: to `/tmp` where that is possible, else the least valuable goes.
    pub(super) fn make_room(&mut self, now: UnixNanos) {
        while self.memory_bytes() - self.leaving_bytes() > self.limits.memory_bytes {
            let movable = |queued: &Queued| {
                queued.place == Place::Waiting && queued.is_here() && queued.on_disk == OnDisk::No
            };
            let Some(at) = self.least_valuable(movable) else {
                return;
            };
            let key = self.queue[at].batch.key();
            if !self.save(at, now)
                && let Some(at) = self.find(&key)
            {
                self.drop_batch(at, Counter::BufferFull);
            }
        }
    }

    /// Orders a batch to be written to `/tmp`. Less valuable ones make way for it there.
    fn save(&mut self, at: usize, now: UnixNanos) -> bool {
        let bytes = self.queue[at].bytes as u64;
        let is_broken = self.disk.broken_until.is_some_and(|until| now < until);
        if is_broken || bytes > self.limits.spill_bytes {
            return false;
        }
        let worth = self.queue[at].batch.worth;
        let key = self.queue[at].batch.key();
        let is_lesser = |queued: &Queued| {
            let is_kept = queued.on_disk == OnDisk::Yes && queued.place == Place::Waiting;
            is_kept && queued.batch.worth >= worth
        };
        let lesser = self.queue.iter().filter(|queued| is_lesser(queued));
        let lesser: u64 = lesser.map(|queued| queued.bytes as u64).sum();
        if (self.disk.bytes + bytes).saturating_sub(lesser) > self.limits.spill_bytes {
            return false;
        }
        while self.disk.bytes + bytes > self.limits.spill_bytes {
            let Some(lesser) = self.least_valuable(is_lesser) else {
                return false;
            };
            self.drop_batch(lesser, Counter::SpillFull);
        }
        let Some(at) = self.find(&key) else {
            return false;
        };
        self.disk.bytes += bytes;
        self.queue[at].on_disk = OnDisk::Writing;
        self.orders.push(Order::Save(self.queue[at].batch.clone()));
        true
    }

    /// The oldest of those that are worth least.
    fn least_valuable(&self, of: impl Fn(&Queued) -> bool) -> Option<usize> {
        let places = (0..self.queue.len()).filter(|at| of(&self.queue[*at]));
        places.min_by_key(|at| (std::cmp::Reverse(self.queue[*at].batch.worth), *at))
    }

    /// What is being written and will then be in `/tmp` only.
    fn leaving_bytes(&self) -> usize {
        let leaving = self.queue.iter().filter(|queued| {
            queued.on_disk == OnDisk::Writing && queued.place == Place::Waiting && queued.is_here()
        });
        leaving.map(|queued| queued.bytes).sum()
    }
}
