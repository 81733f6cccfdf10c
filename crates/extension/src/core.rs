//! The whole extension without its sockets: events in, actions out.

use std::sync::Arc;

use bytes::Bytes;
use throughline_scrub::{Rules, Scrubber};
use throughline_telemetry::UnixNanos;
use throughline_telemetry::wire::Request;

use crate::counters::{Counter, Counters, Kind};
use crate::join::{Function, Invoked, Joiner, ShutdownReason, Signals};
use crate::lifecycle::{Effect, Effects, Happened, State, Telemetry};
use crate::outbox::{Batch, Export, Outbox, Outcome};
use crate::platform::{self, PlatformEvent};
use crate::process::{Snapshot, When};

/// What comes in.
#[derive(Clone, Debug)]
pub enum Event {
    /// The platform answered the subscription.
    Subscribed(Telemetry),
    /// `/next` answered with an invocation.
    Invoked(Invoked),
    /// `/next` answered with the end.
    ShutDown {
        /// Why.
        reason: ShutdownReason,
        /// When the extension is killed.
        deadline: UnixNanos,
    },
    /// The body of a POST of the Telemetry API.
    Telemetry(Bytes),
    /// A request of the function's SDK, decoded and checked.
    Exported(Request),
    /// A batch came back.
    Answered {
        /// Which.
        sequence: u64,
        /// How it went.
        outcome: Outcome,
    },
    /// What the kernel says of the function's processes when an invocation begins, or right before
    /// the POST that tells its end.
    Measured(When, Box<Snapshot>),
    /// Nothing but time passed.
    Tick,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Ask for the next event.
    Next,
    /// Send a batch and come back with [`Event::Answered`].
    Send(Batch),
    /// Say something on stderr.
    Say(String),
    /// End.
    Exit,
}

/// The pure core.
#[derive(Debug)]
pub struct Core {
    state: State,
    joiner: Joiner,
    scrubber: Scrubber,
    outbox: Outbox,
    counters: Arc<Counters>,
    blind: bool,
    shutdown_reason: ShutdownReason,
    /// How much of the loss the server was told of.
    reported_lost: u64,
    complained: bool,
    refused: bool,
}

impl Core {
    /// For one environment. Its id also spreads its retries.
    pub fn new(
        function: Function,
        environment: &str,
        rules: Rules,
        export: Export,
        counters: Arc<Counters>,
    ) -> Self {
        let seed = crate::ids::hash(&[environment]);
        let mut joiner = Joiner::new(function, environment, Arc::clone(&counters));
        if rules.needs_fate() {
            joiner.hold_payloads();
        }
        Core {
            state: State::AwaitSubscribed,
            joiner,
            scrubber: Scrubber::new(rules),
            outbox: Outbox::new(export, seed, Arc::clone(&counters)),
            counters,
            blind: false,
            shutdown_reason: ShutdownReason::Spindown,
            reported_lost: 0,
            complained: false,
            refused: false,
        }
    }

    /// What to make beside spans and log records; nothing if this is not called.
    pub fn make(&mut self, signals: Signals) {
        self.joiner.make(signals);
    }

    /// When [`Event::Tick`] is due at the latest.
    pub fn wakes_at(&self) -> Option<UnixNanos> {
        let due = [self.state.wakes_at(), self.outbox.wakes_at()];
        due.into_iter().flatten().min()
    }

    /// Takes an event in and says what is to be done, in order.
    pub fn handle(&mut self, event: Event, now: UnixNanos) -> Vec<Action> {
        let mut actions = Vec::new();
        for happened in self.take(event, now, &mut actions) {
            self.step(happened, now, &mut actions);
        }
        // Deadlines pass while other things happen.
        self.step(Happened::Tick, now, &mut actions);
        if self.joiner.pending_bytes() > PENDING_BYTES_MAX || self.sends_at_once() {
            self.seal();
        }
        self.pump(now, &mut actions);
        actions
    }

    /// What the event means for the lifecycle, once the joiner knows of it.
    fn take(&mut self, event: Event, now: UnixNanos, actions: &mut Vec<Action>) -> Vec<Happened> {
        match event {
            Event::Subscribed(telemetry) => {
                self.joiner.subscribed(telemetry);
                self.blind = telemetry != Telemetry::On;
                vec![Happened::Subscribed(telemetry)]
            }
            Event::Invoked(invoked) => {
                self.joiner.invoked(&invoked, now);
                let deadline = UnixNanos::from_millis(invoked.deadline_millis);
                vec![Happened::Invoked {
                    request_id: invoked.request_id,
                    deadline,
                }]
            }
            Event::ShutDown { reason, deadline } => {
                self.shutdown_reason = reason;
                vec![Happened::ShutDown { deadline }]
            }
            Event::Telemetry(body) => self.told(&body, now),
            Event::Exported(request) => {
                self.joiner.exported(request);
                Vec::new()
            }
            Event::Answered { sequence, outcome } => {
                self.answered(sequence, &outcome, now, actions);
                Vec::new()
            }
            Event::Measured(when, snapshot) => {
                self.joiner.measured(when, &snapshot);
                Vec::new()
            }
            Event::Tick => Vec::new(),
        }
    }

    /// All of a POST is known to the joiner before its first event moves the lifecycle on, so that
    /// the log lines behind `runtimeDone` leave with their invocation.
    fn told(&mut self, body: &[u8], now: UnixNanos) -> Vec<Happened> {
        let parsed = platform::parse(body);
        self.counters.add(Counter::Malformed, parsed.malformed);
        self.counters.add(Counter::UnknownEvent, parsed.unknown);
        let mut news = Vec::new();
        for event in parsed.events {
            let (time, happened) = (event.time_or(now), happened(&event));
            self.joiner.told(event, now);
            news.extend(happened.filter(|happened| self.is_news(happened, time)));
        }
        news
    }

    /// Not what comes late of an invocation that was retried under the same request id.
    fn is_news(&self, happened: &Happened, time: UnixNanos) -> bool {
        match happened {
            Happened::RuntimeDone { request_id } | Happened::Reported { request_id } => {
                !self.joiner.is_of_earlier_attempt(request_id, time)
            }
            _ => true,
        }
    }

    fn answered(
        &mut self,
        sequence: u64,
        outcome: &Outcome,
        now: UnixNanos,
        actions: &mut Vec<Action>,
    ) {
        self.outbox.answered(sequence, outcome, now);
        match outcome {
            Outcome::Delivered { .. } if self.complained => {
                self.complained = false;
                actions.push(Action::Say("the server takes batches again".to_owned()));
            }
            Outcome::Delivered { .. } => {}
            // A wrong key or path is wrong for every batch, and each line here costs money.
            Outcome::Rejected { why } => {
                if !std::mem::replace(&mut self.refused, true) {
                    let text = format!(
                        "the server refused batch {sequence}: {why}; others are only counted"
                    );
                    actions.push(Action::Say(text));
                }
            }
            Outcome::Failed { why, .. } => {
                if !std::mem::replace(&mut self.complained, true) {
                    let text = format!(
                        "cannot deliver batch {sequence}: {why}; it is kept and tried again"
                    );
                    actions.push(Action::Say(text));
                }
            }
        }
    }

    fn step(&mut self, happened: Happened, now: UnixNanos, actions: &mut Vec<Action>) {
        let mut effects = Effects::new();
        let state = std::mem::replace(&mut self.state, State::Done);
        self.state = state.step(happened, now, &mut effects);
        for effect in effects {
            match effect {
                Effect::Next => actions.push(Action::Next),
                Effect::Flush => {
                    self.report_loss(now);
                    self.seal();
                    self.outbox.flush();
                }
                Effect::GiveUpFlush => self.outbox.give_up_flush(now),
                Effect::LastFlush => {
                    self.joiner.shut_down(self.shutdown_reason, now);
                    self.report_loss(now);
                    self.seal();
                    self.outbox.last_flush(now);
                }
                Effect::Exit => self.exit(actions),
            }
        }
    }

    /// Sends what may be sent, and tells the lifecycle when there is nothing more to wait for.
    fn pump(&mut self, now: UnixNanos, actions: &mut Vec<Action>) {
        let batches = self.outbox.pump(now);
        actions.extend(batches.into_iter().map(Action::Send));
        if self.outbox.is_flushed() {
            self.step(Happened::Flushed, now, actions);
        }
    }

    fn seal(&mut self) {
        for request in self.joiner.drain() {
            let origin = |trace: &[u8], at| self.joiner.origin(trace, at);
            self.outbox
                .seal(&self.scrubber.request_of(request, &origin));
        }
    }

    /// Without telemetry nothing says when an invocation ends, so what comes from the function while
    /// nobody waits leaves at once. So does what comes while the environment ends: no flush follows.
    fn sends_at_once(&self) -> bool {
        let without_flush = (self.blind && self.state.is_at_rest()) || self.state.is_last_flush();
        without_flush && self.joiner.pending_bytes() > 0
    }

    fn report_loss(&mut self, now: UnixNanos) {
        let lost = self.counters.lost();
        if lost != self.reported_lost && self.outbox.is_healthy() {
            self.reported_lost = lost;
            self.joiner.loss_report(now);
        }
    }

    fn exit(&mut self, actions: &mut Vec<Action>) {
        self.seal();
        let (batches, items) = self.outbox.abandon();
        if batches > 0 {
            let text =
                format!("{items} items in {batches} batches could not be delivered and are lost");
            actions.push(Action::Say(text));
        }
        for (kind, word) in [(Kind::Lost, "lost"), (Kind::Odd, "odd")] {
            let outline = self.counters.outline(kind);
            if !outline.is_empty() {
                actions.push(Action::Say(format!(
                    "{word} in this environment: {outline}"
                )));
            }
        }
        let redacted: Vec<_> = self
            .scrubber
            .counts()
            .iter()
            .map(|(rule, count)| format!("{rule} {count}"))
            .collect();
        if !redacted.is_empty() {
            let text = format!("redacted in this environment: {}", redacted.join(", "));
            actions.push(Action::Say(text));
        }
        actions.push(Action::Exit);
    }
}

fn happened(event: &PlatformEvent) -> Option<Happened> {
    match &event.kind {
        platform::Kind::RuntimeDone { request_id, .. } => Some(Happened::RuntimeDone {
            request_id: request_id.clone(),
        }),
        platform::Kind::Report { request_id, .. } => Some(Happened::Reported {
            request_id: request_id.clone(),
        }),
        _ => None,
    }
}

/// So much is joined late; what comes beyond it is joined with what is known by then.
const PENDING_BYTES_MAX: usize = 1 << 20;

#[cfg(test)]
mod tests;
