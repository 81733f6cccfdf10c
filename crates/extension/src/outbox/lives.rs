//! This life and those before it in the same environment, whose extension was killed: each has its
//! own id, books and batches, and what is left of an old one is sent under its own name.

use std::sync::Arc;

use bytes::Bytes;
use throughline_telemetry::{Signal, UnixNanos};

use super::breaker::Breaker;
use super::frame::{self, OPEN_MAX, Record, Stored};
use super::ledger::{Account, Held};
use super::patience::Patience;
use super::{
    Batch, IN_FLIGHT_MAX, Key, OnDisk, Order, Outbox, Outcome, Parcel, Place, Question, Queued,
    Worth,
};
use crate::counters::{Counter, Kind};

/// One life, and what the server knows of its end.
#[derive(Debug)]
pub(super) struct Life {
    pub(super) account: Account,
    pub(super) farewell: Farewell,
    /// The revision of the ledger that was made to be the last one.
    last: u64,
}

/// The last ledger of a life, which travels alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Farewell {
    /// There is more to come before.
    NotYet,
    /// It is to be sent.
    Due,
    InFlight,
    /// The server does not want it: it is written to stdout at the end.
    Refused,
    /// It is being written to stdout.
    Printing,
    /// Nothing more is to be done for this life.
    Done,
}

impl Life {
    pub(super) fn new(account: Account) -> Self {
        Life {
            account,
            farewell: Farewell::NotYet,
            last: 0,
        }
    }
}

/// What a life before this one left in `/tmp`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Leftover {
    /// Its books, if they can be read.
    pub record: Option<Record>,
    /// Its batches.
    pub batches: Vec<Stored>,
}

/// What came of what killed lives left.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TakenOver {
    /// Lives whose batches are sent from here on.
    pub lives: u64,
    /// Items that they had in memory, which are lost.
    pub killed: u64,
    /// Lives for which there is no room: what they have in `/tmp` stays there.
    pub left: u64,
}

impl Outbox {
    /// Takes over what killed lives left: their batches are sent, and what they had besides is lost.
    pub fn take_over(&mut self, leftovers: Vec<Leftover>) -> TakenOver {
        let mut taken = TakenOver::default();
        for leftover in leftovers {
            if self.lives.len() >= LIVES_MAX {
                taken.left += 1;
            } else if let Some(lost) = self.take_over_one(leftover) {
                taken.lives += 1;
                taken.killed += lost;
            }
        }
        self.counters.add(Counter::LivesLeft, taken.left);
        taken
    }

    fn take_over_one(&mut self, leftover: Leftover) -> Option<u64> {
        let Leftover { record, batches } = leftover;
        let first = batches.first().map(|stored| &stored.batch);
        let (mut account, open) = match record {
            Some(Record { account, open }) => (account, open),
            None => (
                Account::new(&first?.environment, &first?.function),
                Vec::new(),
            ),
        };
        if self
            .lives
            .iter()
            .any(|life| life.account.environment == account.environment)
        {
            return None;
        }
        let found: u64 = batches.iter().map(|stored| stored.batch.items).sum();
        let settled = account.delivered + account.printed + account.dropped.values().sum::<u64>();
        // What was written between the last record and the kill.
        account.taken = account.taken.max(settled + found);
        let killed = account.taken - settled - found;
        let is_found = |sequence: u64| {
            batches
                .iter()
                .any(|stored| stored.batch.sequence == sequence)
        };
        let mut unnamed = killed;
        for (sequence, items) in open {
            if !is_found(sequence) && items <= unnamed {
                account.drop_batch(Counter::Killed.name(), sequence, items);
                unnamed -= items;
            }
        }
        account.drop_items(Counter::Killed.name(), unnamed);
        let environment = Arc::clone(&account.environment);
        let highest = batches.iter().map(|stored| stored.batch.sequence).max();
        account.sealed = account.sealed.max(highest.unwrap_or(0));
        self.lives.push(Life::new(account));
        for Stored { batch, bytes } in batches {
            self.disk.found(bytes);
            self.queue.push(Queued {
                batch,
                bytes,
                place: Place::Waiting,
                on_disk: OnDisk::Yes,
                awaited: false,
            });
        }
        self.settle(&environment);
        Some(killed)
    }

    /// The environment was made from a snapshot and is another one from here on, which knows nothing of
    /// the server.
    pub fn renew(&mut self, environment: &str) {
        self.rename(environment);
        self.breaker = Breaker::new(crate::ids::hash(&[environment]));
        self.patience = Patience::default();
        self.in_doubt = false;
    }

    /// From here on everything goes under another id, with books of its own. What was sealed before
    /// goes under the id and the numbers that it has: all environments made from one snapshot send it,
    /// and the server keeps it once. What is in no batch yet is of the new one.
    pub fn rename(&mut self, environment: &str) {
        let function = Arc::clone(&self.lives[0].account.function);
        let mut new = Life::new(Account::new(environment, &function));
        new.account.taken = self.unsealed;
        let mut old = std::mem::replace(&mut self.lives[0], new);
        old.account.taken = old.account.taken.saturating_sub(self.unsealed);
        let id = Arc::clone(&old.account.environment);
        if old.account.taken == 0 {
            self.orders.push(Order::Close(id));
        } else {
            self.lives.push(old);
            self.settle(&id);
        }
    }

    /// A batch of a life is gone from here; if it was the last, the server is told so.
    pub(super) fn settle(&mut self, environment: &Arc<str>) {
        let has_more = self.has_batches(environment);
        if !has_more && !self.is_ours(environment) {
            self.life(environment).farewell = Farewell::Due;
        }
    }

    pub(super) fn has_batches(&self, environment: &Arc<str>) -> bool {
        let of_life = |queued: &Queued| frame::is_same(&queued.batch.environment, environment);
        self.queue.iter().any(of_life)
    }

    /// Orders the ledgers that travel alone.
    pub(super) fn pump_ledgers(&mut self, now: UnixNanos) {
        for at in 0..self.lives.len() {
            let is_due = self.lives[at].farewell == Farewell::Due;
            if !is_due || self.in_flight() >= IN_FLIGHT_MAX || !self.breaker.allows(now) {
                continue;
            }
            self.lives[at].farewell = Farewell::InFlight;
            let parcel = self.farewell(at);
            self.orders.push(Order::Send(parcel));
        }
    }

    pub(super) fn farewell(&mut self, at: usize) -> Parcel {
        let environment = Arc::clone(&self.lives[at].account.environment);
        let ledger = self.ledger(&environment, true);
        self.lives[at].last = self.lives[at].account.revision;
        let batch = Batch {
            environment,
            function: Arc::clone(&self.lives[at].account.function),
            sequence: 0,
            signal: Signal::Logs,
            worth: Worth::Logs,
            items: 0,
            body: Bytes::new(),
            packed: false,
        };
        Parcel { batch, ledger }
    }

    pub(super) fn ledger_answered(&mut self, key: &Key, outcome: &Outcome) {
        // It may have been printed meanwhile, and its life be buried.
        let Some(life) = self.find_life(&key.environment) else {
            return;
        };
        if life.farewell == Farewell::InFlight {
            life.farewell = match outcome {
                Outcome::Delivered { .. } if life.last < life.account.revision => Farewell::NotYet,
                Outcome::Delivered { .. } => Farewell::Done,
                Outcome::Rejected { .. } => Farewell::Refused,
                Outcome::Failed { .. } => Farewell::Due,
            };
        }
        self.bury();
    }

    /// Forgets old lives whose last ledger is out.
    pub(super) fn bury(&mut self) {
        for at in (1..self.lives.len()).rev() {
            if self.lives[at].farewell == Farewell::Done {
                let life = self.lives.remove(at);
                self.orders.push(Order::Close(life.account.environment));
            }
        }
    }

    pub(super) fn ledgers_in_flight(&self) -> usize {
        let lives = self.lives.iter();
        lives
            .filter(|life| life.farewell == Farewell::InFlight)
            .count()
    }

    pub(super) fn has_ledgers(&self) -> bool {
        self.lives.iter().any(|life| life.farewell == Farewell::Due)
    }

    pub(super) fn is_ours(&self, environment: &Arc<str>) -> bool {
        frame::is_same(&self.lives[0].account.environment, environment)
    }

    fn place_of_life(&self, environment: &Arc<str>) -> Option<usize> {
        let is_its = |life: &Life| frame::is_same(&life.account.environment, environment);
        self.lives.iter().position(is_its)
    }

    /// The life of this name, if it is not buried.
    fn find_life(&mut self, environment: &Arc<str>) -> Option<&mut Life> {
        let at = self.place_of_life(environment)?;
        Some(&mut self.lives[at])
    }

    /// The life of a batch, which is there as long as the batch is.
    pub(super) fn life(&mut self, environment: &Arc<str>) -> &mut Life {
        let at = self.place_of_life(environment);
        debug_assert!(at.is_some(), "a batch of no life");
        &mut self.lives[at.unwrap_or(0)]
    }

    /// What is held of a life, in memory and in `/tmp`.
    pub(super) fn held(&self, environment: &Arc<str>) -> Held {
        let mut held = Held::default();
        if self.is_ours(environment) {
            held.waiting = self.unsealed;
        }
        let of_life = |queued: &&Queued| frame::is_same(&queued.batch.environment, environment);
        for queued in self.queue.iter().filter(of_life) {
            match (queued.place, queued.on_disk) {
                (Place::Printing, _) => {}
                (_, OnDisk::Yes) => held.spilled += queued.batch.items,
                (_, OnDisk::No | OnDisk::Writing) => held.waiting += queued.batch.items,
            }
        }
        held
    }

    /// Whether the books of every life are right: whatever was taken in is somewhere.
    pub fn is_balanced(&self) -> bool {
        let right = |life: &Life| {
            life.account
                .is_balanced(self.held(&life.account.environment))
        };
        self.lives.iter().all(right)
    }

    /// The books of every life, and what is held of each.
    pub fn books(&self) -> Vec<(Account, Held)> {
        let accounts = self.lives.iter().map(|life| &life.account);
        let books = accounts.map(|account| (account.clone(), self.held(&account.environment)));
        books.collect()
    }

    /// The ledger that leaves now.
    pub(super) fn ledger(&mut self, environment: &Arc<str>, is_final: bool) -> Arc<str> {
        let (held, missed) = (self.held(environment), self.missed(environment));
        self.life(environment)
            .account
            .ledger(held, &missed, is_final)
            .into()
    }

    /// What is written to `/tmp` of each life, so that it survives a kill: its id and a line.
    pub fn records(&self) -> Vec<(Arc<str>, String)> {
        let lives = self
            .lives
            .iter()
            .filter(|life| life.farewell != Farewell::Done);
        let records = lives.map(|life| {
            let environment = &life.account.environment;
            let open = self.queue.iter().rev();
            let open = open.filter(|queued| frame::is_same(&queued.batch.environment, environment));
            let open = open.map(|queued| (queued.batch.sequence, queued.batch.items));
            let open: Vec<_> = open.take(OPEN_MAX).collect();
            let (account, held) = self.as_if_killed(life);
            let missed = self.missed(environment);
            let line = frame::encode_record(&account, held, &missed, &open, self.limits.home);
            (Arc::clone(environment), line)
        });
        records.collect()
    }

    /// The books of a life as the next one would find them: what is being printed may not be out, and is
    /// still where it was.
    fn as_if_killed(&self, life: &Life) -> (Account, Held) {
        let mut account = life.account.clone();
        let mut held = self.held(&account.environment);
        let printing = |queued: &&Queued| queued.place == Place::Printing;
        for queued in self.queue.iter().filter(printing) {
            let items = queued.batch.items;
            if frame::is_same(&queued.batch.environment, &account.environment) {
                account.printed -= items;
                match queued.on_disk {
                    OnDisk::Yes => held.spilled += items,
                    OnDisk::No | OnDisk::Writing => held.waiting += items,
                }
            }
        }
        (account, held)
    }

    /// After a panic: so many items are still in no batch, and so many more were taken in that are
    /// gone. Whatever else is not where the books say is gone as well.
    pub fn write_off(&mut self, unsealed: u64, gone: u64) {
        self.unsealed = unsealed;
        self.lives[0].account.taken += gone;
        for at in 0..self.lives.len() {
            let held = self.held(&self.lives[at].account.environment);
            let account = &mut self.lives[at].account;
            let lost = account.balance(held);
            if at == 0 {
                self.counters.add(Counter::Fault, lost);
            }
            account.drop_items(Counter::Fault.name(), lost);
        }
    }

    /// The answer about a batch was lost in a panic: it is as if that had never been asked for. What is
    /// sent or written twice has the same number.
    pub fn unanswered(&mut self, question: Question, key: &Key) {
        if key.sequence == 0 {
            let Some(life) = self.find_life(&key.environment) else {
                return;
            };
            let asked = match question {
                Question::Send => Farewell::InFlight,
                Question::Print => Farewell::Printing,
                Question::Save | Question::Load => return,
            };
            if life.farewell == asked {
                life.farewell = Farewell::Due;
            }
            return;
        }
        let Some(at) = self.find(key) else {
            return;
        };
        let place = self.queue[at].place;
        match (question, place) {
            (Question::Save, _) if self.queue[at].on_disk == OnDisk::Writing => {
                self.queue[at].on_disk = OnDisk::No;
                self.disk.never_came(self.queue[at].bytes);
                // If it is there after all, nobody else would remove it.
                let order = Order::Remove(key.clone(), self.queue[at].batch.signal);
                self.orders.push(order);
            }
            (Question::Print, Place::Printing) => {
                self.unprint(at);
                self.queue[at].place = Place::Waiting;
            }
            (Question::Send, Place::InFlight { .. }) | (Question::Load, Place::Loading) => {
                self.queue[at].place = Place::Waiting;
                self.queue[at].awaited = false;
            }
            _ => {}
        }
    }

    /// What was lost before it could be taken in, by reason: that is known of this life only.
    fn missed(&self, environment: &Arc<str>) -> Vec<(&'static str, u64)> {
        if !self.is_ours(environment) {
            return Vec::new();
        }
        let dropped = &self.lives[0].account.dropped;
        let lost = self.counters.of(Kind::Lost).map(|(counter, count)| {
            let taken = dropped.get(counter.name()).copied().unwrap_or(0);
            (counter.name(), count.saturating_sub(taken))
        });
        lost.filter(|(_, count)| *count > 0).collect()
    }
}

/// This one and those before it. An environment whose extension is killed more often has no hope.
const LIVES_MAX: usize = 8;
