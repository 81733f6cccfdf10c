//! Faults of ours. A panic while an event is handled costs that event and what was in hand, which is
//! counted; everything else goes on with what it knew before. Above all the way to the next event.

use std::panic::{AssertUnwindSafe, catch_unwind};

use throughline_telemetry::UnixNanos;

use super::{Action, Core, Event, Identity};
use crate::lifecycle::{Happened, Pace, State, Telemetry};
use crate::outbox::{Key, Question};

/// What is under way, so that it is known what a panic takes with it.
#[derive(Debug, Default)]
pub(super) struct Hand {
    /// Items of the event that neither the joiner nor the books have.
    pub(super) items: u64,
    /// Whether the event has told all it had to tell.
    pub(super) is_taken: bool,
    /// Panics since the last event that went well.
    in_a_row: u32,
    /// Panics of this life.
    faults: u64,
    #[cfg(debug_assertions)]
    asked_for: Option<(Place, u32)>,
}

/// Where a fault can be asked for; what is shipped has none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Place {
    Take,
    Join,
    Step,
    Effect,
    Seal,
    Pump,
    Record,
}

impl Place {
    /// All of them, in the order in which an event meets them.
    pub const ALL: &[Place] = &[
        Place::Take,
        Place::Join,
        Place::Step,
        Place::Effect,
        Place::Seal,
        Place::Pump,
        Place::Record,
    ];
}

impl Hand {
    #[cfg(debug_assertions)]
    pub(super) fn fault(&mut self, place: Place) {
        if let Some((at, times)) = &mut self.asked_for
            && *at == place
            && *times > 0
        {
            *times -= 1;
            panic!("as it was asked for");
        }
    }

    #[cfg(not(debug_assertions))]
    pub(super) fn fault(&mut self, _place: Place) {}
}

/// What must be known of an event that could not be handled.
enum Outline {
    Subscribed(Telemetry),
    Invoked(String, UnixNanos),
    ShutDown(UnixNanos),
    /// An invocation may be over, or anything else have happened.
    Telemetry,
    /// What was asked about a batch is answered.
    Answer(Question, Key),
    Restored(String),
    Named(String),
    Other,
}

impl Core {
    /// Takes an event in and says what is to be done, in order. Does not panic: see
    /// [`Core::is_lost`].
    pub fn handle(&mut self, event: Event, wall: UnixNanos) -> Vec<Action> {
        let outline = Outline::of(&event);
        self.hand.items = event.items();
        self.hand.is_taken = false;
        let mut actions = Vec::new();
        match guard(|| self.work(event, wall, &mut actions)) {
            Some(()) => self.hand.in_a_row = 0,
            None => self.recover(outline, wall, &mut actions),
        }
        debug_assert!(self.outbox.is_balanced(), "{:?}", self.outbox);
        actions
    }

    /// How many panics there were.
    pub fn faults(&self) -> u64 {
        self.hand.faults
    }

    /// Whether it only goes from one panic to the next. Then nothing but the way to the next event is
    /// worth trying.
    pub fn is_lost(&self) -> bool {
        self.hand.in_a_row >= IN_A_ROW_MAX
    }

    /// Panics at `place`, so often, from the next event on.
    #[cfg(debug_assertions)]
    pub fn fail_at(&mut self, place: Place, times: u32) {
        self.hand.asked_for = Some((place, times));
    }

    fn recover(&mut self, outline: Outline, wall: UnixNanos, actions: &mut Vec<Action>) {
        self.hand.faults += 1;
        self.hand.in_a_row += 1;
        if self.hand.in_a_row > 1 {
            // What is remembered may be what it falls over.
            self.joiner.forget();
        }
        self.write_off();
        if guard(|| self.go_on(&outline, wall, actions)).is_some() {
            return;
        }
        self.hand.faults += 1;
        self.hand.in_a_row += 1;
        self.joiner.forget();
        self.write_off();
        let answer = match outline {
            Outline::Subscribed(telemetry) => Some(telemetry),
            _ => None,
        };
        self.state = self.state.clone().rests(answer);
        let ends = matches!(outline, Outline::ShutDown(_)) || self.state == State::Done;
        if ends {
            self.outbox.abandon(false);
            actions.push(Action::Exit);
        } else if self.state.is_at_rest() {
            actions.push(Action::Next);
        }
    }

    fn write_off(&mut self) {
        let gone = std::mem::take(&mut self.hand.items);
        self.outbox.write_off(self.joiner.pending_items(), gone);
    }

    /// What of the event must not be missed, and the way to the next one.
    fn go_on(&mut self, outline: &Outline, wall: UnixNanos, actions: &mut Vec<Action>) {
        let now = self.clock.at(wall, self.due());
        let is_taken = self.hand.is_taken;
        match outline {
            Outline::Subscribed(telemetry) => {
                self.joiner.subscribed(*telemetry);
                self.blind = *telemetry != Telemetry::On;
                self.step(Happened::Subscribed(*telemetry), now, actions);
            }
            Outline::Invoked(request_id, deadline) => {
                let invoked = Happened::Invoked {
                    request_id: request_id.clone(),
                    deadline: self.clock.ours(*deadline),
                    pace: Pace::Ahead,
                };
                self.step(invoked, now, actions);
            }
            Outline::ShutDown(deadline) => {
                let deadline = self.clock.ours(*deadline);
                self.step(Happened::ShutDown { deadline }, now, actions);
            }
            Outline::Telemetry => self.state = self.state.clone().rests(None),
            Outline::Answer(question, key) if !is_taken => self.outbox.unanswered(*question, key),
            Outline::Restored(environment) if !is_taken => {
                self.identity = Identity::Renewed;
                self.joiner.renew(environment);
                self.outbox.renew(environment);
            }
            Outline::Named(environment) if !is_taken => {
                self.joiner.renew(environment);
                self.outbox.rename(environment);
            }
            Outline::Answer(..) | Outline::Restored(_) | Outline::Named(_) | Outline::Other => {}
        }
        if self.hand.in_a_row > 1 {
            // A deadline that passed is what it fell over, and would be so again at once.
            self.state = self.state.clone().rests(None);
        }
        match &self.state {
            State::AwaitInvoke(_) => actions.push(Action::Next),
            State::AwaitLastFlush(_) if !self.outbox.is_in_last_flush() => {
                let until = self.state.wakes_at().unwrap_or(now);
                self.outbox.last_flush(now, until);
            }
            State::Done => return self.exit(now, actions),
            _ => {}
        }
        self.pump(now, actions);
        self.record(actions);
    }
}

impl Outline {
    fn of(event: &Event) -> Self {
        match event {
            Event::Subscribed(telemetry) => Outline::Subscribed(*telemetry),
            Event::Invoked(invoked) => Outline::Invoked(
                invoked.request_id.clone(),
                UnixNanos::from_millis(invoked.deadline_millis),
            ),
            Event::ShutDown { deadline, .. } => Outline::ShutDown(*deadline),
            Event::Telemetry(_) => Outline::Telemetry,
            Event::Answered { key, .. } => Outline::Answer(Question::Send, key.clone()),
            Event::Saved { key, .. } => Outline::Answer(Question::Save, key.clone()),
            Event::Loaded { key, .. } => Outline::Answer(Question::Load, key.clone()),
            Event::Printed { key, .. } => Outline::Answer(Question::Print, key.clone()),
            Event::Restored(environment) => Outline::Restored(environment.clone()),
            Event::Named(environment) => Outline::Named(environment.clone()),
            Event::Exported(_)
            | Event::Signalled { .. }
            | Event::Measured(..)
            | Event::Found(_)
            | Event::Tick => Outline::Other,
        }
    }
}

/// `None` after a panic. The half of a change that it leaves behind is what `recover` is about.
fn guard<T>(work: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(work)).ok()
}

/// One can be bad luck with what came, so many have another reason.
const IN_A_ROW_MAX: u32 = 8;

#[cfg(test)]
mod tests;
