//! What the process around the core does: clocks, files, requests, stdout.

use std::collections::VecDeque;

use throughline_extension::outbox::{Order, Outcome};
use throughline_extension::{Action, Event};
use throughline_telemetry::UnixNanos;

use super::super::server;
use super::{Thing, World};

impl World {
    pub(super) fn feed(&mut self, event: Event) {
        let mut events = VecDeque::from([event]);
        while let Some(event) = events.pop_front() {
            if self.loud {
                let text = format!("{event:?}");
                self.say(&text.chars().take(200).collect::<String>());
            }
            let wall = UnixNanos::from_millis(self.wall_millis(self.now));
            let faults = self.core.faults();
            let actions = self.core.handle(event, wall);
            // One panic, and what is done about it makes a record. After a second one nothing did.
            self.is_behind |= self.core.faults() > faults + 1;
            for action in actions {
                if self.loud {
                    let text = format!("  -> {action:?}");
                    self.say(&text.chars().take(200).collect::<String>());
                }
                match action {
                    Action::Next => self.asked = true,
                    Action::Say(_) => {}
                    Action::Name | Action::Renew(_) => unreachable!("no snapshots here"),
                    Action::Record { environment, line } => {
                        self.is_behind &= *environment != *self.environment;
                        self.tmp.record(&environment, &line);
                    }
                    Action::Order(order) => events.extend(self.perform(order)),
                    Action::Exit => return self.ended(),
                }
            }
            self.check();
        }
        let wall = UnixNanos::from_millis(self.wall_millis(self.now));
        let wait =
            |at: UnixNanos| u64::try_from(at.since(wall).as_nanos().div_ceil(1_000_000)).unwrap();
        self.wake = self
            .core
            .wakes_at()
            .map(|at| self.now + wait(at).min(60_000));
        self.note_books();
    }

    pub(super) fn perform(&mut self, order: Order) -> Option<Event> {
        let life = self.tally.kills + self.tally.timeouts;
        match order {
            Order::Save(batch) => {
                let (key, kept) = (batch.key(), self.tmp.save(&batch));
                self.tally.spilled += u64::from(kept);
                return Some(Event::Saved { key, kept });
            }
            Order::Load(key, signal) => {
                let body = self.tmp.load(&key, signal);
                return Some(Event::Loaded { key, body });
            }
            Order::Remove(key, signal) => self.tmp.remove(&key, signal),
            Order::Close(environment) => self.tmp.close(&environment),
            Order::Send(parcel) => {
                let key = parcel.batch.key();
                check_ledger(&parcel.ledger);
                let flight = (key.environment.to_string(), key.sequence);
                let known = self.in_flight_bytes.insert(flight, parcel.batch.body.len());
                assert!(
                    known.is_none(),
                    "seed {}: {key:?} is sent twice at once",
                    self.seed
                );
                assert!(self.in_flight_bytes.len() <= 12, "too many at once");
                let (takes, outcome) = self.server.take(&parcel, &mut self.random);
                let answered = matches!(outcome, Outcome::Delivered { .. });
                if answered && parcel.batch.sequence > 0 {
                    self.tally.delivered += parcel.batch.items;
                }
                let event = Event::Answered { key, outcome };
                self.after(takes, Thing::Answer { event, life });
            }
            Order::Print(parcel) => {
                check_ledger(&parcel.ledger);
                let done = self.prints || self.random.chance(500);
                if done {
                    self.tally.printed += parcel.batch.items;
                    self.printed.extend(server::ids(&parcel.batch));
                }
                let event = Event::Printed {
                    key: parcel.batch.key(),
                    done,
                };
                // A pipe that nobody reads takes nothing more and does not say so.
                if done || self.random.chance(500) {
                    let takes = self.random.from(0, 3);
                    self.after(takes, Thing::Answer { event, life });
                }
            }
        }
        None
    }

    /// What holds after every step.
    pub(super) fn check(&self) {
        assert!(
            self.core.is_balanced(),
            "seed {}: the books are wrong",
            self.seed
        );
        let limit = self.delivery.limits.memory_bytes;
        let in_flight: usize = self.in_flight_bytes.values().sum();
        let bytes = self.core.memory_bytes();
        // One event may be on top of what is pending before it is sealed, and one export where that is put off.
        let put_off = usize::from(self.core.has_put_off()) * EXPORT_BYTES_MAX;
        let most = limit + in_flight + EVENT_BYTES_MAX + put_off;
        assert!(
            bytes <= most,
            "seed {}: {bytes} bytes in memory, {limit} allowed",
            self.seed
        );
    }

    pub(super) fn note_books(&mut self) {
        for (account, held) in self.core.books() {
            self.books
                .insert(account.environment.to_string(), (account, held));
        }
    }
}

/// What leaves says the truth about itself.
fn check_ledger(text: &str) {
    assert!(text.len() <= 4096 && text.is_ascii());
    let ledger: serde_json::Value = serde_json::from_str(text).expect("JSON");
    let number = |name: &str| ledger[name].as_u64().unwrap();
    let dropped = ledger["dropped"].as_object().unwrap().values();
    let dropped: u64 = dropped.map(|items| items.as_u64().unwrap()).sum();
    let parts = ["delivered", "waiting", "spilled", "printed"].map(number);
    assert_eq!(
        number("accepted"),
        parts.iter().sum::<u64>() + dropped,
        "{text}"
    );
}

/// One event.
const EVENT_BYTES_MAX: usize = 16 << 10;
/// Twenty spans, decoded.
const EXPORT_BYTES_MAX: usize = 32 << 10;
