//! Numbered batches on their way to the server: what is sent when, what is tried again, what is kept
//! where, what goes, and the books of it all.
//!
//! A pure machine. It is told what happened, and [`Outbox::orders`] says what is to be done. A batch
//! is in memory, in `/tmp`, or both; it leaves when the server has it, when it is written to stdout at
//! the end, or when there is no room for it, and then it is counted. What is worth most is sent first
//! and dropped last ([`Worth`]).
//!
//! The verdict that the server is down survives invocations, so that a dead server costs one bounded
//! wait and after that nothing: while the breaker is open, only one batch at a time is sent to see
//! whether the server is back, and nobody waits for it.

mod batch;
mod breaker;
mod envelope;
pub mod frame;
mod last;
pub mod ledger;
mod lives;
mod patience;
mod room;
mod split;
mod worth;

use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use throughline_scrub::Scrubbed;
use throughline_telemetry::UnixNanos;
use throughline_telemetry::wire::Request;

use crate::counters::{Counter, Counters};
use breaker::Breaker;
use last::Last;
use lives::Life;
use patience::Patience;
use room::Disk;

pub use batch::{Batch, Key, Outcome, Parcel};
pub use envelope::{BODY_BYTES_MAX, envelope};
pub use ledger::{Account, Held};
pub use lives::{Leftover, TakenOver};
pub(crate) use worth::Failures;
pub use worth::Worth;

/// The batches of one environment, and of those before it whose extension was killed.
#[derive(Debug)]
pub struct Outbox {
    export: Export,
    limits: Limits,
    packing: Packing,
    counters: Arc<Counters>,
    /// Ours first.
    lives: Vec<Life>,
    /// In the order in which they were sealed or found.
    queue: Vec<Queued>,
    /// Items that were taken in and are not in a batch yet.
    unsealed: u64,
    disk: Disk,
    breaker: Breaker,
    patience: Patience,
    flush: Flush,
    /// A flush gave up on what is still unanswered.
    in_doubt: bool,
    orders: Vec<Order>,
}

/// Whether there is somewhere to send to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Export {
    /// There is.
    On,
    /// There is not: what comes is counted and dropped.
    Off,
}

/// How batches are packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packing {
    /// gzip, where it is worth it.
    Gzip,
    /// Not at all.
    None,
}

/// How much may be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes in memory: of batches, and for the core also of what is in none yet.
    pub memory_bytes: usize,
    /// Bytes of batches in `/tmp`; none are kept there if it is 0.
    pub spill_bytes: u64,
    /// Stands for the function and the server: see [`frame`].
    pub home: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            memory_bytes: BUFFER_BYTES_MAX,
            spill_bytes: 0,
            home: 0,
        }
    }
}

/// What whoever has sockets and files is to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Order {
    /// Send it and come back with [`Outbox::answered`].
    Send(Parcel),
    /// Write it to `/tmp` and come back with [`Outbox::saved`].
    Save(Batch),
    /// Read it from `/tmp` and come back with [`Outbox::loaded`].
    Load(Key, throughline_telemetry::Signal),
    /// Delete it from `/tmp`.
    Remove(Key, throughline_telemetry::Signal),
    /// Write its envelope to stdout and come back with [`Outbox::printed`].
    Print(Parcel),
    /// Delete the record of a life that is over.
    Close(Arc<str>),
}

/// What an order asks for, of those that are answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Question {
    /// [`Order::Send`].
    Send,
    /// [`Order::Save`].
    Save,
    /// [`Order::Load`].
    Load,
    /// [`Order::Print`].
    Print,
}

#[derive(Debug)]
struct Queued {
    /// Without its body if that is only in `/tmp`.
    batch: Batch,
    bytes: usize,
    place: Place,
    on_disk: OnDisk,
    /// Somebody waits for it.
    awaited: bool,
}

/// Where a batch is on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Waiting,
    /// It is being read from `/tmp`, to be sent or printed.
    Loading,
    InFlight {
        since: UnixNanos,
        /// The environment may have been frozen since.
        slept: bool,
    },
    /// It is being written to stdout, and booked as printed.
    Printing,
}

/// Whether a batch is in `/tmp`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum OnDisk {
    No,
    Writing,
    Yes,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flush {
    /// Nobody waits.
    None,
    /// Somebody waits until all that is new is sent or the server counts as down.
    Waiting,
    /// Nobody needs to wait.
    InVain,
    /// The environment ends: somebody waits until all is sent or printed.
    Last(Last),
}

impl Outbox {
    /// An empty one. The environment's id also spreads its retries.
    pub fn new(
        environment: &str,
        function: &str,
        export: Export,
        limits: Limits,
        counters: Arc<Counters>,
    ) -> Self {
        Outbox {
            export,
            limits,
            packing: Packing::Gzip,
            counters,
            lives: vec![Life::new(Account::new(environment, function))],
            queue: Vec::new(),
            unsealed: 0,
            disk: Disk::default(),
            breaker: Breaker::new(crate::ids::hash(&[environment])),
            patience: Patience::default(),
            flush: Flush::None,
            in_doubt: false,
            orders: Vec::new(),
        }
    }

    /// Changes how much may be kept, before anything is.
    pub fn limit(&mut self, limits: Limits, packing: Packing) {
        self.limits = limits;
        self.packing = packing;
    }

    /// What is to be done, in order. Each is told once.
    pub fn orders(&mut self) -> Vec<Order> {
        std::mem::take(&mut self.orders)
    }

    /// So many items were taken in that are in no batch yet. Fewer than before if some turned out to
    /// be the same.
    pub fn unsealed(&mut self, items: u64) {
        let account = &mut self.lives[0].account;
        account.taken = (account.taken + items).saturating_sub(self.unsealed);
        self.unsealed = items;
    }

    /// Takes a request, numbers it and makes room for it. What is too large for an envelope is halved.
    pub fn seal(&mut self, request: Scrubbed<Request>, worth: Worth, now: UnixNanos) {
        // What was not announced is announced now.
        let items = request.items() as u64;
        self.unsealed(self.unsealed.max(items));
        if self.export == Export::Off {
            self.unsealed -= items;
            self.drop_items(Counter::ExportOff, items);
            return;
        }
        self.seal_parts(request.into_inner(), worth, now);
        self.make_room(now);
    }

    fn seal_parts(&mut self, request: Request, worth: Worth, now: UnixNanos) {
        let mut parts = vec![request];
        while let Some(part) = parts.pop() {
            let (body, packed) = pack(part.to_protobuf(), self.packing);
            let items = part.items() as u64;
            let signal = part.signal();
            if body.len() > BODY_BYTES_MAX && items > 1 {
                if let Some((first, second)) = split::halve(part) {
                    parts.extend([second, first]);
                }
                continue;
            }
            let account = &mut self.lives[0].account;
            account.sealed += 1;
            self.unsealed -= items;
            let bytes = body.len();
            let batch = Batch {
                environment: Arc::clone(&account.environment),
                function: Arc::clone(&account.function),
                sequence: account.sealed,
                signal,
                worth,
                items,
                body,
                packed,
            };
            self.queue.push(Queued {
                batch,
                bytes,
                place: Place::Waiting,
                on_disk: OnDisk::No,
                awaited: false,
            });
            self.make_room(now);
        }
    }

    /// Somebody waits from now on, at most until then; see [`Outbox::is_flushed`].
    pub fn flush(&mut self, now: UnixNanos, until: UnixNanos) {
        let is_worth_it = self.breaker.is_closed()
            && !self.in_doubt
            && self.queue.iter().any(|queued| queued.is_fresh())
            && self.patience.waits(until.since(now));
        self.flush = if is_worth_it {
            Flush::Waiting
        } else {
            Flush::InVain
        };
        for queued in &mut self.queue {
            queued.awaited = queued.is_fresh();
        }
    }

    /// The wait took too long. What is in flight stays in flight; its answer will tell.
    pub fn give_up_flush(&mut self) {
        if self.flush == Flush::Waiting {
            self.patience.gave_up();
            self.in_doubt = true;
        }
        self.flush = Flush::None;
    }

    /// Whether somebody waits in vain: all is sent, or no more can be sent now. Ends the wait.
    pub fn is_flushed(&mut self) -> bool {
        let flushed = match self.flush {
            Flush::None => return false,
            Flush::InVain => true,
            Flush::Waiting => {
                let sent = self.queue.iter().all(|queued| !queued.awaited);
                if sent {
                    self.patience.kept();
                }
                sent || !self.breaker.is_closed()
            }
            Flush::Last(_) => self.is_last_done(),
        };
        if flushed {
            self.flush = Flush::None;
        }
        flushed
    }

    /// The environment may freeze from here on, so that times say nothing.
    pub fn rests(&mut self) {
        for queued in &mut self.queue {
            if let Place::InFlight { slept, .. } = &mut queued.place {
                *slept = true;
            }
        }
    }

    /// Orders what may be done now: sending, keeping what a kill must not lose, printing at the end.
    pub fn pump(&mut self, now: UnixNanos) {
        if self.pump_last(now) {
            return;
        }
        while self.in_flight() < IN_FLIGHT_MAX {
            let waiting = |queued: &Queued| queued.place == Place::Waiting;
            let Some(at) = self.most_valuable(waiting) else {
                self.pump_ledgers(now);
                break;
            };
            if !self.breaker.allows(now) {
                break;
            }
            self.send(at, now);
        }
        self.keep_safe(now);
    }

    /// A POST came back.
    pub fn answered(&mut self, key: &Key, outcome: &Outcome, now: UnixNanos) {
        match outcome {
            Outcome::Delivered { .. } | Outcome::Rejected { .. } => {
                self.breaker.answered();
                self.in_doubt = false;
            }
            Outcome::Failed { retry_after, .. } => {
                self.counters.add(Counter::FailedAttempt, 1);
                self.breaker.failed(now, *retry_after);
                self.last_failed();
            }
        }
        if key.sequence == 0 {
            return self.ledger_answered(key, outcome);
        }
        let Some(at) = self.find(key) else {
            return;
        };
        let Place::InFlight { since, slept } = self.queue[at].place else {
            return;
        };
        match outcome {
            Outcome::Delivered { refused } => {
                if !slept {
                    self.patience.measured(now.since(since));
                }
                self.delivered(at, *refused);
            }
            Outcome::Rejected { .. } => self.drop_batch(at, Counter::Rejected),
            Outcome::Failed { .. } => {
                let queued = &mut self.queue[at];
                queued.place = Place::Waiting;
                queued.awaited = false;
                queued.forget_body();
            }
        }
    }

    /// When [`Outbox::pump`] should be asked again even if nothing happens.
    pub fn wakes_at(&self) -> Option<UnixNanos> {
        let waits = self
            .queue
            .iter()
            .any(|queued| queued.place == Place::Waiting);
        let prints = matches!(self.flush, Flush::Last(last) if last.prints());
        let waits = (waits || self.has_ledgers()) && !prints;
        let can_send = waits && self.in_flight() < IN_FLIGHT_MAX;
        let again = self.breaker.opens_again_at().filter(|_| can_send);
        [again, self.last_wakes_at()].into_iter().flatten().min()
    }

    /// Whether the server counts as up.
    pub fn is_healthy(&self) -> bool {
        self.export == Export::On && self.breaker.is_closed()
    }

    /// Whether the server failed last time, so that there is no point in waiting for it.
    pub fn is_down(&self) -> bool {
        !self.breaker.is_closed()
    }

    /// Whether a flush was given up, and nothing was answered since.
    pub fn is_in_doubt(&self) -> bool {
        self.in_doubt
    }

    /// Bytes of batches in memory.
    pub fn memory_bytes(&self) -> usize {
        let here = self.queue.iter().filter(|queued| queued.is_here());
        here.map(|queued| queued.bytes).sum()
    }

    fn send(&mut self, at: usize, now: UnixNanos) {
        let queued = &mut self.queue[at];
        if !queued.is_here() {
            queued.place = Place::Loading;
            let order = Order::Load(queued.batch.key(), queued.batch.signal);
            self.orders.push(order);
            return;
        }
        queued.place = Place::InFlight {
            since: now,
            slept: false,
        };
        let batch = queued.batch.clone();
        let ledger = self.ledger(&batch.environment, false);
        self.orders.push(Order::Send(Parcel { batch, ledger }));
    }

    fn delivered(&mut self, at: usize, refused: u64) {
        let queued = self.remove(at);
        let refused = refused.min(queued.batch.items);
        let life = self.life(&queued.batch.environment);
        life.account.delivered += queued.batch.items - refused;
        life.account.drop_items(Counter::Rejected.name(), refused);
        if self.is_ours(&queued.batch.environment) {
            self.counters.add(Counter::Rejected, refused);
        }
        self.settle(&queued.batch.environment);
    }

    fn drop_batch(&mut self, at: usize, why: Counter) {
        let queued = self.remove(at);
        let Batch {
            environment,
            sequence,
            items,
            ..
        } = &queued.batch;
        let account = &mut self.life(environment).account;
        account.drop_batch(why.name(), *sequence, *items);
        if self.is_ours(environment) {
            self.counters.add(why, *items);
        }
        self.settle(environment);
    }

    /// Items of ours that never were in a batch.
    fn drop_items(&mut self, why: Counter, items: u64) {
        self.lives[0].account.drop_items(why.name(), items);
        self.counters.add(why, items);
    }

    fn remove(&mut self, at: usize) -> Queued {
        let queued = self.queue.remove(at);
        self.disk.forget(&queued, &mut self.orders);
        queued
    }

    fn in_flight(&self) -> usize {
        let batches = self.queue.iter();
        let batches = batches
            .filter(|queued| matches!(queued.place, Place::InFlight { .. } | Place::Loading));
        batches.count() + self.ledgers_in_flight()
    }

    fn most_valuable(&self, of: impl Fn(&Queued) -> bool) -> Option<usize> {
        let places = (0..self.queue.len()).filter(|at| of(&self.queue[*at]));
        places.min_by_key(|at| (self.queue[*at].batch.worth, *at))
    }

    fn find(&self, key: &Key) -> Option<usize> {
        self.queue.iter().position(|queued| queued.is(key))
    }
}

impl Queued {
    fn is_here(&self) -> bool {
        self.bytes == self.batch.body.len()
    }

    fn is(&self, key: &Key) -> bool {
        self.batch.sequence == key.sequence
            && frame::is_same(&self.batch.environment, &key.environment)
    }

    /// Not one that is here because the server was down.
    fn is_fresh(&self) -> bool {
        self.on_disk == OnDisk::No
    }

    /// What is in `/tmp` and goes nowhere need not be here too.
    fn forget_body(&mut self) {
        if self.on_disk == OnDisk::Yes && self.place == Place::Waiting {
            self.batch.body = Bytes::new();
        }
    }
}

/// gzip at its fastest; small bodies go as they are, because packing costs more than it saves.
fn pack(plain: Vec<u8>, packing: Packing) -> (Bytes, bool) {
    if plain.len() < PACK_BYTES_MIN || packing == Packing::None {
        return (Bytes::from(plain), false);
    }
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    match encoder.write_all(&plain).and_then(|()| encoder.finish()) {
        Ok(packed) => (Bytes::from(packed), true),
        // Writing to memory does not fail; if it ever does, the plain body is as good.
        Err(_) => (Bytes::from(plain), false),
    }
}

/// What may wait for the server in memory if nobody says otherwise, as it goes over the wire.
pub const BUFFER_BYTES_MAX: usize = 4 << 20;
/// One for each signal.
const IN_FLIGHT_MAX: usize = 3;
const PACK_BYTES_MIN: usize = 1024;
/// After that long a disk that failed is tried again.
const DISK_PAUSE: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests;
