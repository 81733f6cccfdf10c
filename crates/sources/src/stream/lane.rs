//! The order of one lane: which records go into an invocation next, and what becomes of them when it fails.
//!
//! A lane is a shard, or the part of a shard that shares partition keys. What fails stays at its head until it succeeds,
//! is too old or was tried often enough; nothing behind it moves meanwhile. Pure: whoever waits brings the time.

use std::collections::VecDeque;
use std::time::Duration;

use serde_json::Value;
use throughline_sandbox::UnixNanos;

use super::window::{Span, Windows};

/// What a lane must know of a record.
pub(crate) trait Item {
    fn arrived(&self) -> UnixNanos;
    fn bytes(&self) -> usize;
}

/// What the source says of batches and failures.
#[derive(Debug, Clone)]
pub(crate) struct Rules {
    pub(crate) batch_size: usize,
    pub(crate) batch_bytes: usize,
    pub(crate) window: Duration,
    pub(crate) retries_max: Option<u32>,
    pub(crate) record_age_max: Option<Duration>,
    pub(crate) bisect: bool,
    pub(crate) tumbling_window: Option<Duration>,
}

#[derive(Debug)]
pub(crate) struct Lane<T> {
    rules: Rules,
    waiting: VecDeque<T>,
    /// When the first of those that wait was seen.
    opened: Option<UnixNanos>,
    /// The batch that is being worked on, in pieces if it was cut; the first is next.
    chunks: VecDeque<Chunk<T>>,
    not_before: Option<UnixNanos>,
    backoffs: u32,
    windows: Option<Windows>,
    given_up: Option<GivenUp<T>>,
    /// There will be no more records.
    ended: bool,
}

#[derive(Debug)]
struct Chunk<T> {
    items: Vec<T>,
    /// Failures that count against the retries.
    failures: u32,
    invocations: u32,
    span: Option<Span>,
}

/// What to do now.
#[derive(Debug)]
pub(crate) enum Step<'a, T> {
    /// Wait for records, and no longer than until then.
    Wait(Option<UnixNanos>),
    Invoke(Batch<'a, T>),
    GiveUp(GivenUp<T>),
    /// All records are done with, and there will be no more.
    Done,
}

/// The records of an invocation, and the window that they are of.
#[derive(Debug)]
pub(crate) struct Batch<'a, T> {
    pub(crate) items: &'a [T],
    pub(crate) span: Option<Span>,
    pub(crate) state: &'a Value,
}

/// Records that are not tried again.
#[derive(Debug, PartialEq)]
pub(crate) struct GivenUp<T> {
    pub(crate) items: Vec<T>,
    pub(crate) why: Why,
    pub(crate) invocations: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Why {
    RetriesExhausted,
    TooOld,
}

/// How an invocation went.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Outcome {
    /// All records are done with; the state is that of the window, if the function gave one.
    Done(Option<Value>),
    /// The records from this one on are to be tried again, those before are done with.
    FailedFrom(usize, Option<Value>),
    Failed,
    /// It was not made, which is nobody's fault.
    NotMade,
}

impl<T: Item> Lane<T> {
    pub(crate) fn new(rules: Rules) -> Self {
        Self {
            windows: rules.tumbling_window.map(Windows::new),
            rules,
            waiting: VecDeque::new(),
            opened: None,
            chunks: VecDeque::new(),
            not_before: None,
            backoffs: 0,
            given_up: None,
            ended: false,
        }
    }

    pub(crate) fn push(&mut self, item: T, now: UnixNanos) {
        self.opened.get_or_insert(now);
        self.waiting.push_back(item);
    }

    /// Whether it is worth taking in more.
    pub(crate) fn has_room(&self) -> bool {
        self.waiting.len() < self.rules.batch_size
    }

    /// There are no records that arrived before this and were not pushed.
    pub(crate) fn caught_up(&mut self, to: UnixNanos) {
        if let Some(windows) = &mut self.windows {
            windows.caught_up(to);
        }
    }

    pub(crate) fn end(&mut self) {
        self.ended = true;
    }

    pub(crate) fn next(&mut self, now: UnixNanos) -> Step<'_, T> {
        if let Some(given_up) = self.given_up.take().or_else(|| self.too_old(now)) {
            return Step::GiveUp(given_up);
        }
        if self.chunks.is_empty() {
            match self.form(now) {
                Formed::Batch => {
                    // Its first records may have grown too old while they waited.
                    if let Some(given_up) = self.too_old(now) {
                        return Step::GiveUp(given_up);
                    }
                }
                Formed::Nothing(until) => return Step::Wait(until),
                Formed::End => return Step::Done,
            }
        }
        if let Some(until) = self.not_before.filter(|until| now < *until) {
            return Step::Wait(Some(until));
        }
        match self.chunks.front_mut() {
            Some(chunk) => {
                chunk.invocations += 1;
                Step::Invoke(Batch {
                    items: &chunk.items,
                    span: chunk.span,
                    state: self.windows.as_ref().map_or(&Value::Null, Windows::state),
                })
            }
            None => Step::Wait(None),
        }
    }

    /// The invocation that `next` asked for is over.
    pub(crate) fn ended(&mut self, outcome: Outcome, now: UnixNanos) {
        let Some(mut chunk) = self.chunks.pop_front() else {
            return;
        };
        self.not_before = None;
        let state = match &outcome {
            Outcome::Done(state) | Outcome::FailedFrom(_, state) => state.clone(),
            Outcome::Failed | Outcome::NotMade => None,
        };
        if let (Some(windows), Some(span), Some(state)) = (&mut self.windows, chunk.span, state) {
            windows.keep(span, state);
        }
        let counts = match outcome {
            // Worked on => done with
            Outcome::Done(_) => {
                self.backoffs = 0;
                self.close_if_last(chunk.span);
                return;
            }
            // Worked on => worked on again, as if nothing had been
            Outcome::NotMade => {
                chunk.invocations -= 1;
                self.chunks.push_front(chunk);
                return;
            }
            // Worked on => the rest is worked on again. To cut at the record that failed is a bisection, too.
            Outcome::FailedFrom(first, _) if (1..chunk.items.len()).contains(&first) => {
                chunk.items.drain(..first);
                !self.rules.bisect
            }
            // Worked on => two halves, each worked on again
            Outcome::Failed | Outcome::FailedFrom(..)
                if self.rules.bisect && chunk.items.len() > 1 =>
            {
                let later = chunk.items.split_off(chunk.items.len() / 2);
                self.chunks.push_front(Chunk {
                    items: later,
                    ..chunk
                });
                false
            }
            Outcome::Failed | Outcome::FailedFrom(..) => true,
        };
        if counts {
            chunk.failures += 1;
        }
        if self
            .rules
            .retries_max
            .is_some_and(|most| chunk.failures > most)
        {
            // Worked on => given up
            self.backoffs = 0;
            self.close_if_last(chunk.span);
            self.given_up = Some(GivenUp {
                items: chunk.items,
                why: Why::RetriesExhausted,
                invocations: chunk.invocations,
            });
        } else {
            self.chunks.push_front(chunk);
            self.not_before = Some(now + backoff(self.backoffs));
            self.backoffs = self.backoffs.saturating_add(1);
        }
    }

    fn close_if_last(&mut self, span: Option<Span>) {
        if let (Some(windows), Some(span)) = (&mut self.windows, span)
            && span.is_final
        {
            windows.close();
        }
    }

    /// Takes the records off the head that are too old to be tried.
    fn too_old(&mut self, now: UnixNanos) -> Option<GivenUp<T>> {
        let age_max = self.rules.record_age_max?;
        let chunk = self.chunks.front_mut()?;
        let is_old = |item: &T| now.since(item.arrived()) > age_max;
        let old = chunk.items.iter().take_while(|item| is_old(item)).count();
        if old == 0 {
            return None;
        }
        let items = chunk.items.drain(..old).collect();
        let invocations = chunk.invocations;
        if chunk.items.is_empty() {
            self.chunks.pop_front();
            self.not_before = None;
        }
        Some(GivenUp {
            items,
            why: Why::TooOld,
            invocations,
        })
    }

    /// Makes a batch of what waits, if it is time.
    fn form(&mut self, now: UnixNanos) -> Formed {
        let first = self.waiting.front().map(Item::arrived);
        if let Some(windows) = &mut self.windows {
            if let Some(span) = windows.to_finish(first, self.ended) {
                self.chunks.push_back(Chunk::new(Vec::new(), Some(span)));
                return Formed::Batch;
            }
            if let Some(first) = first {
                windows.open(first);
            }
        }
        let Some(opened) = self.opened.filter(|_| first.is_some()) else {
            let idle = match &self.windows {
                Some(windows) if windows.is_open() => Formed::Nothing(None),
                _ if self.ended => Formed::End,
                _ => Formed::Nothing(None),
            };
            return idle;
        };
        let (taken, is_full) = self.fitting();
        let due = opened + self.rules.window;
        if !is_full && !self.ended && now < due {
            return Formed::Nothing(Some(due));
        }
        let items: Vec<_> = self.waiting.drain(..taken).collect();
        self.opened = self.waiting.front().map(|_| now);
        let span = self.windows.as_ref().and_then(Windows::span);
        self.chunks.push_back(Chunk::new(items, span));
        Formed::Batch
    }

    /// How many of those that wait fit into one batch, and whether no more would.
    fn fitting(&self) -> (usize, bool) {
        let mut bytes = 0;
        for (index, item) in self.waiting.iter().enumerate() {
            bytes += item.bytes();
            let windows = self.windows.as_ref();
            let is_later = windows.is_some_and(|windows| windows.is_later(item.arrived()));
            let is_full = index >= self.rules.batch_size || bytes > self.rules.batch_bytes;
            // A record that is too large alone goes on alone, and is refused with a reason.
            if index > 0 && (is_full || is_later) {
                return (index, true);
            }
        }
        (
            self.waiting.len(),
            self.waiting.len() >= self.rules.batch_size,
        )
    }
}

enum Formed {
    Batch,
    Nothing(Option<UnixNanos>),
    End,
}

impl<T> Chunk<T> {
    fn new(items: Vec<T>, span: Option<Span>) -> Self {
        Self {
            items,
            failures: 0,
            invocations: 0,
            span,
        }
    }
}

/// How long a lane waits after so many failures in a row.
fn backoff(failures: u32) -> Duration {
    let delay = RETRY_DELAY_FIRST.saturating_mul(2_u32.saturating_pow(failures));
    delay.min(RETRY_DELAY_MAX)
}

const RETRY_DELAY_FIRST: Duration = Duration::from_millis(100);
const RETRY_DELAY_MAX: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests;
