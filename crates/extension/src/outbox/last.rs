//! The end of the environment: the most valuable first, as long as the server takes it; then what is
//! left is written to stdout; and the last ledger says that it was the last.

use std::sync::Arc;
use std::time::Duration;

use throughline_telemetry::UnixNanos;

use super::lives::{Farewell, Life};
use super::{Export, Flush, Key, OnDisk, Order, Outbox, Parcel, Place};
use crate::counters::Counter;

/// The last flush.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Last {
    /// From when on nothing is sent any more, because printing takes time too.
    print_at: UnixNanos,
    failures: u32,
    printing: bool,
}

impl Last {
    pub(super) fn prints(self) -> bool {
        self.printing
    }
}

impl Outbox {
    /// The environment ends: the server gets one more chance, whatever happened before.
    pub fn give_last_chance(&mut self, now: UnixNanos) {
        self.breaker.give_last_chance(now);
        self.in_doubt = false;
    }

    /// Whether [`Outbox::last_flush`] was called and goes on.
    pub(crate) fn is_in_last_flush(&self) -> bool {
        matches!(self.flush, Flush::Last(_))
    }

    /// All that there will be is sealed and must be out by then.
    pub fn last_flush(&mut self, now: UnixNanos, until: UnixNanos) {
        let was_down = self
            .queue
            .iter()
            .any(|queued| queued.on_disk == OnDisk::Yes);
        self.give_last_chance(now);
        let left = until.since(now);
        // Who was down a moment ago is asked once more, but printing much takes long.
        let print_at = match was_down {
            true => now.plus(left / 4),
            false => until.minus(PRINT_TIME.min(left / 3)),
        };
        self.flush = Flush::Last(Last {
            print_at,
            failures: 0,
            printing: false,
        });
    }

    pub(super) fn last_wakes_at(&self) -> Option<UnixNanos> {
        match self.flush {
            Flush::Last(Last {
                print_at,
                printing: false,
                ..
            }) => Some(print_at),
            _ => None,
        }
    }

    pub(super) fn last_failed(&mut self) {
        if let Flush::Last(last) = &mut self.flush {
            last.failures += 1;
        }
    }

    /// Whether nothing is to be sent any more. Prints what is left, one after the other.
    pub(super) fn pump_last(&mut self, now: UnixNanos) -> bool {
        let Flush::Last(mut last) = self.flush else {
            return false;
        };
        if self.has_nothing(&Arc::clone(&self.lives[0].account.environment)) {
            if self.queue.is_empty() && self.export == Export::On {
                self.say_farewell();
            }
        } else {
            self.take_back_farewell();
        }
        let gave_up = last.failures >= FAILURES_MAX && !self.breaker.is_closed();
        // What is left then is what nobody will take.
        let is_refused = |life: &Life| life.farewell == Farewell::Refused;
        let refused = self.queue.is_empty() && self.lives.iter().any(is_refused);
        last.printing |= now >= last.print_at || gave_up || refused;
        self.flush = Flush::Last(last);
        if last.printing {
            self.print_next();
        }
        last.printing
    }

    fn say_farewell(&mut self) {
        let ours = &mut self.lives[0];
        if ours.farewell == Farewell::NotYet {
            ours.farewell = match ours.account.taken {
                // The server never heard of it and need not.
                0 if ours.account.revision == 0 => Farewell::Done,
                _ => Farewell::Due,
            };
        }
    }

    /// What came after the last ledger makes it one that was not the last.
    fn take_back_farewell(&mut self) {
        let ours = &mut self.lives[0].farewell;
        // On its way it is still waited for.
        if !matches!(ours, Farewell::InFlight | Farewell::Printing) {
            *ours = Farewell::NotYet;
        }
    }

    /// Whether the last ledger of this life was made, so that nothing more may come.
    pub(crate) fn has_said_farewell(&self) -> bool {
        self.is_in_last_flush() && self.lives[0].farewell != Farewell::NotYet
    }

    fn print_next(&mut self) {
        let is_busy = self
            .queue
            .iter()
            .any(|queued| matches!(queued.place, Place::Printing | Place::Loading));
        let is_busy = is_busy
            || self
                .lives
                .iter()
                .any(|life| life.farewell == Farewell::Printing);
        if is_busy {
            return;
        }
        let Some(at) = self.most_valuable(|_| true) else {
            return self.print_farewell();
        };
        let queued = &mut self.queue[at];
        if !queued.is_here() {
            queued.place = Place::Loading;
            let order = Order::Load(queued.batch.key(), queued.batch.signal);
            return self.orders.push(order);
        }
        if queued.bytes > super::BODY_BYTES_MAX {
            self.drop_batch(at, Counter::TooLarge);
            return self.print_next();
        }
        queued.place = Place::Printing;
        let batch = queued.batch.clone();
        let environment = batch.environment.clone();
        let others = self
            .queue
            .iter()
            .filter(|queued| queued.place != Place::Printing);
        let is_last = others
            .filter(|queued| queued.batch.environment == environment)
            .count()
            == 0;
        let is_final = is_last && !(self.is_ours(&environment) && self.unsealed > 0);
        self.life(&environment).account.printed += batch.items;
        let ledger = self.ledger(&environment, is_final);
        self.orders.push(Order::Print(Parcel { batch, ledger }));
    }

    /// A line with a ledger alone, where nothing else can carry the last one.
    fn print_farewell(&mut self) {
        let due = |farewell: Farewell| {
            matches!(
                farewell,
                Farewell::Due | Farewell::InFlight | Farewell::Refused
            )
        };
        let Some(at) = self.lives.iter().position(|life| due(life.farewell)) else {
            return;
        };
        self.lives[at].farewell = Farewell::Printing;
        let parcel = self.farewell(at);
        self.orders.push(Order::Print(parcel));
    }

    /// An envelope was written to stdout, or could not be.
    pub fn printed(&mut self, key: &Key, done: bool) {
        if key.sequence == 0 {
            self.life(&key.environment).farewell = Farewell::Done;
            return self.bury();
        }
        let Some(at) = self
            .find(key)
            .filter(|at| self.queue[*at].place == Place::Printing)
        else {
            return;
        };
        if !done {
            self.unprint(at);
            return self.drop_batch(at, Counter::NotDelivered);
        }
        let queued = self.remove(at);
        let environment = &queued.batch.environment;
        if self.has_nothing(environment) {
            // Its ledger was the last one.
            self.life(environment).farewell = Farewell::Done;
            self.bury();
        }
    }

    /// Whether there is nothing more to come of a life.
    fn has_nothing(&self, environment: &Arc<str>) -> bool {
        let has_unsealed = self.is_ours(environment) && self.unsealed > 0;
        !has_unsealed && !self.has_batches(environment)
    }

    pub(super) fn unprint(&mut self, at: usize) {
        let (environment, items) = (
            self.queue[at].batch.environment.clone(),
            self.queue[at].batch.items,
        );
        self.life(&environment).account.printed -= items;
    }

    pub(super) fn is_last_done(&self) -> bool {
        let is_over = |farewell: Farewell| matches!(farewell, Farewell::Done);
        self.queue.is_empty()
            && (self.export == Export::Off || self.lives.iter().all(|life| is_over(life.farewell)))
    }

    /// The time is over. What is in `/tmp` stays there if another life may follow in this
    /// environment; all else is given up. Returns how many batches and items are given up.
    pub fn abandon(&mut self, another_follows: bool) -> (usize, u64) {
        let (mut batches, mut items) = (0, 0);
        for at in (0..self.queue.len()).rev() {
            if self.queue[at].place == Place::Printing {
                self.unprint(at);
            }
            self.queue[at].place = Place::Waiting;
            if self.queue[at].on_disk == OnDisk::Yes && another_follows {
                continue;
            }
            batches += 1;
            items += self.queue[at].batch.items;
            self.drop_batch(at, Counter::NotDelivered);
        }
        for at in 0..self.lives.len() {
            let environment = self.lives[at].account.environment.clone();
            if !self.has_batches(&environment) {
                self.lives[at].farewell = Farewell::Done;
                self.orders.push(Order::Close(environment));
            }
        }
        (batches, items)
    }

    /// How many items were written to stdout.
    pub fn printed_items(&self) -> u64 {
        self.lives.iter().map(|life| life.account.printed).sum()
    }
}

/// Kept for printing what could not be sent.
const PRINT_TIME: Duration = Duration::from_millis(400);
/// So many failures at the end say that it will not become better.
const FAILURES_MAX: u32 = 3;
