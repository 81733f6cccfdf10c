//! Numbered batches on their way to the server: what is sent when, what is tried again, what goes.
//!
//! A pure machine. [`Outbox::pump`] says which batches to send now; whoever sends them comes back
//! with [`Outbox::answered`]. The verdict that the server is down survives invocations, so that a
//! dead server costs one bounded wait and after that nothing: while the breaker is open, only one
//! batch at a time is sent to see whether the server is back, and nobody waits for it.

mod breaker;

use std::collections::VecDeque;
use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use throughline_scrub::Scrubbed;
use throughline_telemetry::wire::Request;
use throughline_telemetry::{Signal, UnixNanos};

use crate::counters::{Counter, Counters};
use breaker::Breaker;

/// One POST to be made.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    /// Its number in this environment, from 1 without gaps. Sent again it keeps it, so the server
    /// can tell a repeat from news.
    pub sequence: u64,
    /// What it carries, and so where it goes.
    pub signal: Signal,
    /// How many spans, records or metrics are in it.
    pub items: u64,
    /// Protobuf, packed if [`Batch::packed`].
    pub body: Bytes,
    /// Whether the body is gzip.
    pub packed: bool,
}

/// How a POST went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The server has it, except for so many items that it refused.
    Delivered {
        /// How many it refused.
        refused: u64,
    },
    /// The server will never take it.
    Rejected {
        /// Why.
        why: String,
    },
    /// It may go better later.
    Failed {
        /// Why.
        why: String,
        /// How long the server wants to be left alone.
        retry_after: Option<Duration>,
    },
}

/// The batches of one environment.
#[derive(Debug)]
pub struct Outbox {
    export: Export,
    counters: Arc<Counters>,
    last_sequence: u64,
    /// Oldest first.
    queue: VecDeque<Queued>,
    bytes: usize,
    breaker: Breaker,
    flush: Flush,
}

/// Whether there is somewhere to send to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Export {
    /// There is.
    On,
    /// There is not: what comes is counted and dropped.
    Off,
}

#[derive(Debug)]
struct Queued {
    batch: Batch,
    in_flight: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flush {
    /// Nobody waits.
    None,
    /// Somebody waits until all is sent or the server counts as down.
    Waiting,
    /// The environment ends: somebody waits until all is sent, retries included.
    Last,
}

impl Outbox {
    /// An empty one. `seed` spreads the retries of many environments.
    pub fn new(export: Export, seed: u64, counters: Arc<Counters>) -> Self {
        Outbox {
            export,
            counters,
            last_sequence: 0,
            queue: VecDeque::new(),
            bytes: 0,
            breaker: Breaker::new(seed),
            flush: Flush::None,
        }
    }

    /// Takes a request, numbers it and makes room for it.
    pub fn seal(&mut self, request: &Scrubbed<Request>) {
        let items = request.items() as u64;
        if self.export == Export::Off {
            self.counters.add(Counter::ExportOff, items);
            return;
        }
        self.last_sequence += 1;
        let (body, packed) = pack(request.to_protobuf());
        let signal = request.signal();
        self.bytes += body.len();
        let batch = Batch {
            sequence: self.last_sequence,
            signal,
            items,
            body,
            packed,
        };
        self.queue.push_back(Queued {
            batch,
            in_flight: false,
        });
        self.make_room();
    }

    /// Somebody waits from now on; see [`Outbox::is_flushed`].
    pub fn flush(&mut self) {
        self.flush = Flush::Waiting;
    }

    /// The environment ends: the server gets one more chance, whatever happened before.
    pub fn last_flush(&mut self, now: UnixNanos) {
        self.flush = Flush::Last;
        self.breaker.give_last_chance(now);
    }

    /// The wait took too long. What is in flight stays in flight; its answer will tell.
    pub fn give_up_flush(&mut self, now: UnixNanos) {
        self.flush = Flush::None;
        self.breaker.failed(now, None);
    }

    /// Whether somebody waits in vain: all is sent, or no more can be sent now. Ends the wait.
    pub fn is_flushed(&mut self) -> bool {
        let flushed = match self.flush {
            Flush::None => return false,
            Flush::Waiting => self.queue.is_empty() || !self.breaker.is_closed(),
            Flush::Last => self.queue.is_empty(),
        };
        if flushed {
            self.flush = Flush::None;
        }
        flushed
    }

    /// The batches to send now; they are in flight from here on.
    pub fn pump(&mut self, now: UnixNanos) -> Vec<Batch> {
        let in_flight = self.queue.iter().filter(|queued| queued.in_flight).count();
        let places = IN_FLIGHT_MAX.saturating_sub(in_flight);
        let waiting = self.queue.iter_mut().filter(|queued| !queued.in_flight);
        let mut batches = Vec::new();
        for queued in waiting.take(places) {
            if !self.breaker.allows(now) {
                break;
            }
            queued.in_flight = true;
            batches.push(queued.batch.clone());
        }
        batches
    }

    /// A POST came back.
    pub fn answered(&mut self, sequence: u64, outcome: &Outcome, now: UnixNanos) {
        let Some(at) = self
            .queue
            .iter()
            .position(|queued| queued.batch.sequence == sequence)
        else {
            return;
        };
        match outcome {
            Outcome::Delivered { refused } => {
                self.breaker.answered();
                self.counters.add(Counter::Rejected, *refused);
                self.remove(at);
            }
            Outcome::Rejected { .. } => {
                self.breaker.answered();
                let items = self.remove(at);
                self.counters.add(Counter::Rejected, items);
            }
            Outcome::Failed { retry_after, .. } => {
                self.counters.add(Counter::FailedAttempt, 1);
                self.queue[at].in_flight = false;
                self.breaker.failed(now, *retry_after);
            }
        }
    }

    /// When [`Outbox::pump`] should be asked again even if nothing happens.
    pub fn wakes_at(&self) -> Option<UnixNanos> {
        let in_flight = self.queue.iter().filter(|queued| queued.in_flight).count();
        let can_send = in_flight < IN_FLIGHT_MAX.min(self.queue.len());
        self.breaker.opens_again_at().filter(|_| can_send)
    }

    /// Whether the server counts as up.
    pub fn is_healthy(&self) -> bool {
        self.export == Export::On && self.breaker.is_closed()
    }

    /// Gives up what is still here and returns how many batches and items that were.
    pub fn abandon(&mut self) -> (usize, u64) {
        let items = self.queue.iter().map(|queued| queued.batch.items).sum();
        let batches = self.queue.len();
        self.counters.add(Counter::NotDelivered, items);
        self.queue.clear();
        self.bytes = 0;
        (batches, items)
    }

    /// Drops the oldest batches that are not in flight until the rest fits.
    fn make_room(&mut self) {
        while self.bytes > BUFFER_BYTES_MAX {
            let Some(oldest) = self.queue.iter().position(|queued| !queued.in_flight) else {
                return;
            };
            let items = self.remove(oldest);
            self.counters.add(Counter::BufferFull, items);
        }
    }

    fn remove(&mut self, at: usize) -> u64 {
        let Some(removed) = self.queue.remove(at) else {
            return 0;
        };
        self.bytes -= removed.batch.body.len();
        removed.batch.items
    }
}

/// gzip at its fastest; small bodies go as they are, because packing costs more than it saves.
fn pack(plain: Vec<u8>) -> (Bytes, bool) {
    if plain.len() < PACK_BYTES_MIN {
        return (Bytes::from(plain), false);
    }
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    match encoder.write_all(&plain).and_then(|()| encoder.finish()) {
        Ok(packed) => (Bytes::from(packed), true),
        // Writing to memory does not fail; if it ever does, the plain body is as good.
        Err(_) => (Bytes::from(plain), false),
    }
}

/// What may wait for the server, as it goes over the wire. Telemetry of about a minute of a busy
/// function, and small beside the 128 MB of the smallest one.
pub const BUFFER_BYTES_MAX: usize = 4 << 20;
/// One for each signal.
const IN_FLIGHT_MAX: usize = 3;
const PACK_BYTES_MIN: usize = 1024;

#[cfg(test)]
mod tests;
