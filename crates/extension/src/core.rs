//! The whole extension without its sockets: events in, actions out.

mod clock;
mod event;
mod fault;
mod pace;

use std::sync::Arc;
use std::time::Duration;

use throughline_scrub::{Rules, Scrubber};
use throughline_telemetry::UnixNanos;

use crate::counters::{Counter, Counters, Kind};
use crate::intake::GROWTH_USUAL;
use crate::join::{Function, Joiner, ShutdownReason, Signals};
use crate::lifecycle::{Effect, Effects, Happened, Pace, State, Telemetry};
use crate::outbox::{Account, Export, Failures, Held, Key, Leftover, Outbox, Outcome, TakenOver};
use crate::platform::{self, Parsed};
use clock::Clock;
use event::happened;
use fault::Hand;
use pace::{BUSY_BYTES_MAX, BUSY_PAUSE, Rhythm};

pub use event::{Action, Event};
pub use fault::Place;
pub(crate) use pace::PERIOD;
pub use pace::{Delivery, Strategy};

/// Whose the environment's id is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Identity {
    /// It may stand in a snapshot. Environments that are made from it may differ in what happens
    /// before each knows that it was restored, so a number under this id would not stand for the
    /// same batch in all of them: what comes waits for an id of its own.
    OfSnapshot,
    /// This environment's, as long as the platform does not tell of a restore.
    Own,
    /// This environment's, and it was restored.
    Renewed,
}

/// The pure core.
#[derive(Debug)]
pub struct Core {
    state: State,
    joiner: Joiner,
    scrubber: Scrubber,
    failures: Failures,
    outbox: Outbox,
    counters: Arc<Counters>,
    delivery: Delivery,
    clock: Clock,
    rhythm: Rhythm,
    /// When what waits was sealed last.
    sealed_at: UnixNanos,
    /// Whether something is to be delivered that came too soon after the last delivery.
    owes: bool,
    /// When batches were put off until who exported has an answer: with no more than one export on top.
    put_off: Option<UnixNanos>,
    blind: bool,
    /// When the end of the invocation that runs is not waited for any more, should the server not have answered
    /// by then.
    hopes_until: Option<UnixNanos>,
    shutdown_reason: ShutdownReason,
    identity: Identity,
    /// How much of the loss, and of what was refused, the server was told of.
    reported_lost: u64,
    /// What was last written to `/tmp` about each life.
    recorded: Vec<(Arc<str>, String)>,
    complained: bool,
    refused: bool,
    hand: Hand,
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
        let delivery = Delivery::default();
        let outbox = Outbox::new(
            environment,
            &function.name,
            export,
            delivery.limits,
            Arc::clone(&counters),
        );
        let mut joiner = Joiner::new(function, environment, Arc::clone(&counters));
        if rules.needs_fate() {
            joiner.hold_payloads();
        }
        Core {
            state: State::AwaitSubscribed {
                flush_max: delivery.flush_max,
            },
            joiner,
            scrubber: Scrubber::new(rules),
            failures: Failures::default(),
            outbox,
            counters,
            delivery,
            clock: Clock::default(),
            rhythm: Rhythm::default(),
            sealed_at: UnixNanos::default(),
            owes: false,
            put_off: None,
            blind: false,
            hopes_until: None,
            shutdown_reason: ShutdownReason::Spindown,
            identity: Identity::Own,
            reported_lost: 0,
            recorded: Vec::new(),
            complained: false,
            refused: false,
            hand: Hand::default(),
        }
    }

    /// What to make beside spans and log records; nothing if this is not called.
    pub fn make(&mut self, signals: Signals) {
        self.joiner.make(signals);
    }

    /// The same, delivering in another way than the usual one.
    #[must_use]
    pub fn with_delivery(mut self, delivery: Delivery) -> Self {
        self.delivery = delivery;
        let mut limits = delivery.limits;
        let pending = pending_bytes_max(limits.memory_bytes);
        limits.memory_bytes -= GROWTH_USUAL * pending;
        self.joiner.hold_at_most(pending / 4 * 3);
        self.outbox.limit(limits, delivery.packing);
        if let State::AwaitSubscribed { flush_max } = &mut self.state {
            *flush_max = delivery.flush_max;
        }
        self
    }

    /// On Managed Instances: many invocations run at once, and the platform's telemetry is all that tells of them.
    pub fn expect_a_crowd(&mut self) {
        self.joiner.expect_a_crowd();
    }

    /// The environment is made from a snapshot that is taken before its first invocation:
    /// [`Event::Restored`] comes before that.
    pub fn expect_a_restore(&mut self) {
        self.identity = Identity::OfSnapshot;
    }

    /// When [`Event::Tick`] is due at the latest.
    pub fn wakes_at(&self) -> Option<UnixNanos> {
        self.due().map(|ours| self.clock.walls(ours))
    }

    fn due(&self) -> Option<UnixNanos> {
        let due = [
            self.state.wakes_at(),
            self.outbox.wakes_at(),
            self.period_ends_at(),
            self.hopes_until,
            self.put_off,
        ];
        due.into_iter().flatten().min()
    }

    /// Whether batches wait for [`Event::Tick`], which is due: who exported has an answer before.
    pub fn has_put_off(&self) -> bool {
        self.put_off.is_some()
    }

    /// What [`Core::handle`] does while all goes well.
    fn work(&mut self, event: Event, wall: UnixNanos, actions: &mut Vec<Action>) {
        let now = self.clock.at(wall, self.due());
        let is_named = matches!(event, Event::Named(_));
        let is_export = matches!(event, Event::Exported(_));
        let was_put_off = self.put_off.take().is_some();
        let news = self.take(event, now, actions);
        self.hand.is_taken = true;
        for happened in news {
            self.step(happened, now, actions);
        }
        // Deadlines pass while other things happen.
        self.step(Happened::Tick, now, actions);
        let is_over = |until: &mut UnixNanos| now >= *until;
        if self.hopes_until.take_if(is_over).is_some() && self.outbox.is_in_doubt() {
            self.step(Happened::Hopeless, now, actions);
        }
        if self.state == State::Done {
            return; // what was given up stays so
        }
        self.book();
        let is_full =
            self.joiner.pending_bytes() > pending_bytes_max(self.delivery.limits.memory_bytes);
        let is_due = self.period_ends_at().is_some_and(|due| now >= due);
        match self.identity {
            Identity::OfSnapshot if is_named => self.seal(now),
            Identity::OfSnapshot if is_full => actions.push(Action::Name),
            Identity::OfSnapshot => {}
            _ if !(is_full || is_due || self.sends_at_once()) => {}
            _ if is_export && !was_put_off => self.put_off = Some(now),
            _ => self.seal(now),
        }
        self.pump(now, actions);
        self.record(actions);
    }

    /// What the joiner has is in the books.
    fn book(&mut self) {
        self.outbox.unsealed(self.joiner.pending_items());
    }

    /// Whether the last ledger was made. What would be taken in after it nobody would hear of.
    pub fn has_said_farewell(&self) -> bool {
        self.outbox.has_said_farewell()
    }

    /// Bytes of telemetry in memory: about, for what is not sealed yet.
    pub fn memory_bytes(&self) -> usize {
        GROWTH_USUAL * self.joiner.pending_bytes() + self.outbox.memory_bytes()
    }

    /// The books of this life and of those that it took over, and what is held of each.
    pub fn books(&self) -> Vec<(Account, Held)> {
        self.outbox.books()
    }

    /// Whether whatever was taken in is somewhere.
    pub fn is_balanced(&self) -> bool {
        self.outbox.is_balanced()
    }

    /// What the event means for the lifecycle, once the joiner knows of it.
    fn take(&mut self, event: Event, now: UnixNanos, actions: &mut Vec<Action>) -> Vec<Happened> {
        let wall = self.clock.walls(now);
        self.hand.fault(Place::Take);
        match event {
            Event::Subscribed(telemetry) => {
                self.joiner.subscribed(telemetry);
                self.blind = telemetry != Telemetry::On;
                vec![Happened::Subscribed(telemetry)]
            }
            Event::Invoked(invoked) => {
                self.joiner.invoked(&invoked, wall);
                let deadline = UnixNanos::from_millis(invoked.deadline_millis);
                vec![Happened::Invoked {
                    request_id: invoked.request_id,
                    deadline: self.clock.ours(deadline),
                    pace: self.pace(now),
                }]
            }
            Event::ShutDown { reason, deadline } => {
                self.shutdown_reason = reason;
                self.outbox.give_last_chance(now);
                let deadline = self.clock.ours(deadline);
                vec![Happened::ShutDown { deadline }]
            }
            Event::Telemetry(body) => {
                let parsed = platform::parse(&body);
                if self.identity != Identity::Renewed && parsed.tells_of_restore() {
                    // It comes again.
                    self.hand.items = 0;
                    actions.push(Action::Renew(body));
                    return Vec::new();
                }
                self.told(parsed, wall)
            }
            Event::Exported(request) => {
                self.hand.fault(Place::Join);
                self.joiner.exported(request);
                self.hand.items = 0;
                self.book();
                Vec::new()
            }
            Event::Signalled { request_id } => vec![Happened::Signalled { request_id }],
            Event::Answered { key, outcome } => {
                self.answered(&key, &outcome, now, actions);
                Vec::new()
            }
            Event::Saved { key, kept } => {
                self.outbox.saved(&key, kept, now);
                Vec::new()
            }
            Event::Loaded { key, body } => {
                self.outbox.loaded(&key, body, now);
                Vec::new()
            }
            Event::Printed { key, done } => {
                self.outbox.printed(&key, done);
                Vec::new()
            }
            Event::Found(leftovers) => {
                self.found(leftovers, actions);
                Vec::new()
            }
            Event::Restored(environment) => {
                self.identity = Identity::Renewed;
                self.joiner.renew(&environment);
                self.outbox.renew(&environment);
                Vec::new()
            }
            Event::Named(environment) => {
                self.joiner.renew(&environment);
                self.outbox.rename(&environment);
                Vec::new()
            }
            Event::Measured(when, snapshot) => {
                self.joiner.measured(when, &snapshot);
                Vec::new()
            }
            Event::Tick => Vec::new(),
        }
    }

    /// Whether this invocation's end is waited for. Where the server is down there is nothing to
    /// wait for.
    fn pace(&mut self, now: UnixNanos) -> Pace {
        let is_busy = self.rhythm.begin(now);
        match self.delivery.strategy {
            Strategy::Periodic(_) => Pace::Ahead,
            _ if self.outbox.is_down() => Pace::Ahead,
            Strategy::Auto if is_busy => Pace::Ahead,
            Strategy::Auto | Strategy::End => {
                // What it answered may lie in the socket since before a freeze.
                self.hopes_until = self.outbox.is_in_doubt().then(|| now.plus(ANSWER_GRACE));
                Pace::AtEnd
            }
        }
    }

    /// All of a POST is known to the joiner before its first event moves the lifecycle on, so that
    /// the log lines behind `runtimeDone` leave with their invocation.
    fn told(&mut self, parsed: Parsed, now: UnixNanos) -> Vec<Happened> {
        self.counters.add(Counter::Malformed, parsed.malformed);
        self.counters.add(Counter::UnknownEvent, parsed.unknown);
        self.hand.items = parsed.events.len() as u64;
        let mut news = Vec::new();
        for event in parsed.events {
            let time = event.time_or(now);
            let happened = happened(&event, self.clock.ours(time));
            self.hand.fault(Place::Join);
            self.joiner.told(event, now);
            self.hand.items -= 1;
            self.book();
            news.extend(happened.filter(|happened| self.is_news(happened, time)));
        }
        news
    }

    /// Not what comes late of an invocation that was retried under the same request id.
    fn is_news(&self, happened: &Happened, time: UnixNanos) -> bool {
        match happened {
            Happened::RuntimeDone { request_id, .. } | Happened::Reported { request_id } => {
                !self.joiner.is_of_earlier_attempt(request_id, time)
            }
            _ => true,
        }
    }

    fn found(&mut self, leftovers: Vec<Leftover>, actions: &mut Vec<Action>) {
        let TakenOver {
            lives,
            killed,
            left,
        } = self.outbox.take_over(leftovers);
        if lives > 0 {
            let text = format!(
                "an extension before this one was killed: what it left in /tmp is sent, {killed} items that it had in memory are lost"
            );
            actions.push(Action::Say(text));
        }
        if left > 0 {
            let text = format!(
                "{left} more were killed: what they left stays in /tmp, because so many are not taken over"
            );
            actions.push(Action::Say(text));
        }
    }

    fn answered(
        &mut self,
        key: &Key,
        outcome: &Outcome,
        now: UnixNanos,
        actions: &mut Vec<Action>,
    ) {
        self.outbox.answered(key, outcome, now);
        let sequence = key.sequence;
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
        self.hand.fault(Place::Step);
        // A clone, because a panic would leave nothing behind.
        self.state = self.state.clone().step(happened, now, &mut effects);
        self.hand.fault(Place::Effect);
        for effect in effects {
            match effect {
                Effect::Next => {
                    self.outbox.rests();
                    actions.push(Action::Next);
                }
                Effect::Deliver => {
                    if self.is_too_soon(now) {
                        self.owes = true;
                    } else if !matches!(self.delivery.strategy, Strategy::Periodic(_)) {
                        self.report_loss(now);
                        self.seal(now);
                    }
                }
                Effect::Flush { until } => {
                    self.report_loss(now);
                    self.seal(now);
                    self.outbox.flush(now, until);
                }
                Effect::GiveUpFlush => {
                    self.outbox.give_up_flush();
                    // Before the way to a freeze is open.
                    self.outbox.keep_safe(now);
                    self.execute(actions);
                }
                Effect::LastFlush { until } => {
                    let wall = self.clock.walls(now);
                    self.joiner.shut_down(self.shutdown_reason, wall);
                    self.report_loss(now);
                    self.seal(now);
                    self.outbox.last_flush(now, until);
                }
                Effect::Exit => self.exit(now, actions),
            }
        }
    }

    /// Sends what may be sent, and tells the lifecycle when there is nothing more to wait for.
    fn pump(&mut self, now: UnixNanos, actions: &mut Vec<Action>) {
        self.hand.fault(Place::Pump);
        self.outbox.pump(now);
        self.execute(actions);
        if self.outbox.is_flushed() {
            self.step(Happened::Flushed, now, actions);
        }
    }

    fn execute(&mut self, actions: &mut Vec<Action>) {
        actions.extend(self.outbox.orders().into_iter().map(Action::Order));
    }

    fn seal(&mut self, now: UnixNanos) {
        self.sealed_at = now;
        self.owes = false;
        let requests = self.joiner.drain();
        // Joining may make more of what was taken, such as metrics of log lines.
        let items: u64 = requests.iter().map(|request| request.items() as u64).sum();
        self.outbox.unsealed(items + self.joiner.pending_items());
        self.hand.fault(Place::Seal);
        for (worth, request) in self.failures.set_apart(requests) {
            let origin = |trace: &[u8], at| self.joiner.origin(trace, at);
            let request = self.scrubber.request_of(request, &origin);
            self.outbox.seal(request, worth, now);
        }
        self.book();
    }

    /// Writes what changed in the books, so that a kill cannot make it unknown.
    fn record(&mut self, actions: &mut Vec<Action>) {
        if self.delivery.limits.spill_bytes == 0 {
            return;
        }
        self.hand.fault(Place::Record);
        let records = self.outbox.records();
        let changed = records
            .iter()
            .filter(|record| !self.recorded.contains(record));
        actions.extend(changed.map(|(environment, line)| Action::Record {
            environment: Arc::clone(environment),
            line: line.clone(),
        }));
        self.recorded = records;
    }

    /// Without telemetry nothing says when an invocation ends, so what comes from the function while
    /// nobody waits leaves at once. So does what comes while the environment ends: no flush follows.
    fn sends_at_once(&self) -> bool {
        let is_periodic = matches!(self.delivery.strategy, Strategy::Periodic(_));
        let without_end = self.blind && self.state.is_at_rest() && !is_periodic;
        (without_end || self.state.is_last_flush()) && self.joiner.pending_bytes() > 0
    }

    fn period_ends_at(&self) -> Option<UnixNanos> {
        match self.delivery.strategy {
            Strategy::Periodic(period)
                if self.joiner.pending_items() > 0 && self.identity != Identity::OfSnapshot =>
            {
                Some(self.sealed_at.plus(period))
            }
            Strategy::Auto if self.owes => Some(self.sealed_at.plus(BUSY_PAUSE)),
            _ => None,
        }
    }

    /// Where a function is busy a delivery for each invocation would cost more than the invocation: what
    /// a few of them left goes together.
    fn is_too_soon(&self, now: UnixNanos) -> bool {
        let is_waited_for = !self.state.is_at_rest() || !self.rhythm.is_busy();
        self.delivery.strategy == Strategy::Auto
            && !is_waited_for
            && now.since(self.sealed_at) < BUSY_PAUSE
            && self.joiner.pending_bytes() < BUSY_BYTES_MAX
    }

    fn report_loss(&mut self, now: UnixNanos) {
        let time = self.clock.walls(now);
        self.joiner.redacted(self.scrubber.news(), time);
        let lost = self.counters.lost() + self.counters.count(Counter::RefusedRequests);
        if lost != self.reported_lost && self.outbox.is_healthy() {
            self.reported_lost = lost;
            self.joiner.loss_report(time);
        }
    }

    fn exit(&mut self, now: UnixNanos, actions: &mut Vec<Action>) {
        self.seal(now);
        // After a failure the environment may live on, with its `/tmp` and a new extension.
        let another_follows = self.shutdown_reason != ShutdownReason::Spindown;
        let (batches, items) = self.outbox.abandon(another_follows);
        let printed = self.outbox.printed_items();
        if printed > 0 {
            let text = "items could not be delivered and were written to the log";
            actions.push(Action::Say(format!("{printed} {text}")));
        }
        if batches > 0 {
            let text =
                format!("{items} items in {batches} batches could not be delivered and are lost");
            actions.push(Action::Say(text));
        }
        self.execute(actions);
        self.record(actions);
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

/// Of what may be kept, so much is joined late, in bytes on the wire: decoded it is half of it. What
/// comes beyond it is joined with what is known by then.
fn pending_bytes_max(memory_bytes: usize) -> usize {
    PENDING_BYTES_MAX.min(memory_bytes / 2 / GROWTH_USUAL)
}

/// How long after a thaw an answer that came before it takes to be read.
const ANSWER_GRACE: Duration = Duration::from_millis(2);
/// However much may be kept, an invocation's telemetry leaves in pieces of this size.
const PENDING_BYTES_MAX: usize = 1 << 20;

#[cfg(test)]
mod tests;
