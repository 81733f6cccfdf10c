//! The task that makes the asynchronous invocations of one function.

use std::collections::{BTreeMap, VecDeque};
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};

use tokio::sync::{broadcast, mpsc};
use tokio::task::JoinSet;
use tracing::{debug, warn};

use super::{After, Event, EventSettings, backoff};
use crate::destination::function_of;
use crate::gateway::Gateway;
use crate::invoke::{Activity, Answer, EventEnd, EventEnded, Invoke, InvokeError, Outcome};
use crate::pool::Pool;
use crate::time::{Clock, UnixNanos};
use crate::trace_header;

/// The events of one function, wherever they are on their way.
pub(crate) struct Worker {
    pub(crate) gateway: Weak<Gateway>,
    pub(crate) pool: Arc<Pool>,
    pub(crate) settings: EventSettings,
    pub(crate) clock: Clock,
    pub(crate) activity: broadcast::Sender<Activity>,
    /// Counts the events that were given up, of all functions.
    pub(crate) given_up: Arc<AtomicU64>,
}

/// What the worker has in hand. All of it together is bounded by the places that events take up.
#[derive(Default)]
struct Hand {
    /// To be made in this order as soon as there is an environment.
    ready: VecDeque<Event>,
    /// To be tried again then; the number keeps those of one moment apart.
    later: BTreeMap<(UnixNanos, u64), Event>,
    later_next: u64,
    running: JoinSet<(Event, Attempt)>,
    /// No attempt before this, unless an environment becomes free.
    blocked_until: Option<UnixNanos>,
    throttled: u32,
}

/// What came of an attempt that was begun.
enum Attempt {
    Ended(Answer, Outcome),
    /// No worker of the environment was free.
    Rejected,
    /// The sandbox ended first.
    Lost,
}

impl Worker {
    /// Works until the sandbox ends.
    pub(crate) async fn run(self, mut queue: mpsc::Receiver<Event>) {
        let mut hand = Hand::default();
        loop {
            let mut changed = pin!(self.pool.changed());
            changed.as_mut().enable();
            if self.start_ready(&mut hand).is_none() {
                return;
            }
            let wake = hand.wake();
            tokio::select! {
                event = queue.recv() => match event {
                    Some(event) => hand.ready.push_back(event),
                    None => return,
                },
                Some(done) = hand.running.join_next() => {
                    match done {
                        Ok((mut event, Attempt::Ended(answer, outcome))) => {
                            event.answer = Some(answer);
                            self.attempted(event, outcome, &mut hand);
                        }
                        Ok((event, Attempt::Rejected)) => self.back_off(event, &mut hand),
                        Ok((_, Attempt::Lost)) | Err(_) => {}
                    }
                }
                () = changed, if hand.blocked_until.is_some() => hand.blocked_until = None,
                () = sleep_until(&self.clock, wake) => {}
            }
        }
    }

    /// Makes what can be made; `None` when there is nobody to make it any more.
    fn start_ready(&self, hand: &mut Hand) -> Option<()> {
        let now = self.clock.now();
        hand.take_due(now);
        if hand.blocked_until.is_some_and(|until| now < until) {
            return Some(());
        }
        hand.blocked_until = None;
        let gateway = self.gateway.upgrade()?;
        while let Some(event) = hand.ready.pop_front() {
            if event.is_too_old(now, &self.settings) {
                self.end(event, EventEnd::EventAgeExceeded);
                continue;
            }
            match gateway.start(event.invoke.clone()) {
                Ok(mut ticket) => {
                    debug!(request_id = %ticket.request_id, "asynchronous invocation started");
                    hand.running.spawn(async move {
                        let Ok(answer) = ticket.answer().await else {
                            return (event, Attempt::Rejected);
                        };
                        let attempt = match ticket.ended().await {
                            Some(ended) => Attempt::Ended(answer, ended.finished.outcome),
                            None => Attempt::Lost,
                        };
                        (event, attempt)
                    });
                }
                Err(InvokeError::Throttled { .. }) => {
                    self.back_off(event, hand);
                    break;
                }
                Err(error) => self.end(event, EventEnd::NotInvoked(error.to_string())),
            }
        }
        Some(())
    }

    /// It is the next one to be made, but not at once.
    fn back_off(&self, event: Event, hand: &mut Hand) {
        hand.ready.push_front(event);
        hand.blocked_until = Some(self.clock.now() + backoff(hand.throttled));
        hand.throttled = hand.throttled.saturating_add(1);
    }

    fn attempted(&self, mut event: Event, outcome: Outcome, hand: &mut Hand) {
        hand.throttled = 0;
        match event.attempted(outcome, self.clock.now(), &self.settings) {
            After::RetryAt(at) => {
                hand.later.insert((at, hand.later_next), event);
                hand.later_next += 1;
            }
            After::End(end) => self.end(event, end),
        }
    }

    fn end(&self, event: Event, end: EventEnd) {
        let request_id = event.invoke.request_id.unwrap_or_default();
        if end != EventEnd::Success {
            self.given_up.fetch_add(1, Ordering::Relaxed);
            let attempts = event.attempts;
            warn!(function = %event.invoke.function, request_id, attempts, why = end.condition(), "asynchronous invocation given up");
        }
        let ended = EventEnded {
            function: event.invoke.function,
            request_id,
            end,
            attempts: event.attempts,
            payload: event.invoke.payload,
            answer: event.answer,
            trace_header: event.invoke.trace_header.unwrap_or_default(),
        };
        self.tell_destination(&ended);
        // Nobody has to watch.
        let _ = self.activity.send(Activity::EventEnded(ended));
    }

    /// Invokes the function that is told of such ends. Other kinds of destinations are told by whoever reaches them.
    fn tell_destination(&self, ended: &EventEnded) {
        let destinations = &self.pool.function.destinations;
        let destination = match ended.end {
            EventEnd::Success => &destinations.on_success,
            _ => &destinations.on_failure,
        };
        let Some(gateway) = self.gateway.upgrade() else {
            return;
        };
        let function = destination.as_deref().and_then(function_of);
        let Some((function, arn)) =
            function.and_then(|function| Some((function, gateway.arn(function)?)))
        else {
            return;
        };
        let record = ended.record(self.clock.now()).to_string();
        let invoke = Invoke::new(function).payload(record.clone());
        let told = match trace_header::hop(&ended.trace_header, &arn) {
            Some(header) => gateway
                .queue(invoke.trace_header(header))
                .map_err(|error| error.to_string()),
            None => Err("a loop of destinations was stopped".to_owned()),
        };
        if let Err(reason) = told {
            self.given_up.fetch_add(1, Ordering::Relaxed);
            warn!(function, request_id = %ended.request_id, reason, "destination not told");
            let _ = self.activity.send(Activity::EventEnded(EventEnded {
                function: function.to_owned(),
                request_id: ended.request_id.clone(),
                end: EventEnd::NotInvoked(reason),
                attempts: 0,
                payload: record.into(),
                answer: None,
                trace_header: ended.trace_header.clone(),
            }));
        }
    }
}

impl Hand {
    fn take_due(&mut self, now: UnixNanos) {
        while let Some(entry) = self.later.first_entry()
            && entry.key().0 <= now
        {
            self.ready.push_back(entry.remove());
        }
    }

    /// When there is something to do even if nothing happens.
    fn wake(&self) -> Option<UnixNanos> {
        let retry = self.later.first_key_value().map(|((at, _), _)| *at);
        [retry, self.blocked_until].into_iter().flatten().min()
    }
}

async fn sleep_until(clock: &Clock, at: Option<UnixNanos>) {
    match at {
        Some(at) => clock.sleep_until(at).await,
        None => std::future::pending().await,
    }
}
