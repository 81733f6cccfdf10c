//! Which invocation an event speaks of: a retried event keeps its request id, and comes to the same
//! environment more often than not.

use throughline_telemetry::UnixNanos;

use super::Joiner;
use super::invocation::{Ending, Invocation, Invoked};
use super::lines::CLOCK_TOLERANCE;

impl Joiner {
    /// The last attempt that had begun at this time, else the oldest.
    pub(super) fn attempt(&self, request_id: &str, time: UnixNanos) -> Option<usize> {
        let latest_start = time.plus(CLOCK_TOLERANCE);
        let is_its = |known: &Invocation| known.request_id == request_id;
        let begun = |known: &Invocation| is_its(known) && known.start() <= latest_start;
        let mut all = self.invocations.iter();
        let last = self.invocations.iter().rposition(begun);
        last.or_else(|| all.position(is_its))
    }

    /// Whether news of this time speak of an attempt that a later one has followed.
    pub(crate) fn is_of_earlier_attempt(&self, request_id: &str, time: UnixNanos) -> bool {
        self.attempt(request_id, time) < self.last_attempt(request_id)
    }

    /// The invocation that runs at this time, made if it is new: its events may come in any order.
    pub(super) fn running(
        &mut self,
        request_id: &str,
        time: UnixNanos,
        now: UnixNanos,
    ) -> &mut Invocation {
        let known = self.attempt(request_id, time);
        self.at_or_new(known, request_id, now)
    }

    /// The invocation that the platform says to begin.
    pub(super) fn starting(
        &mut self,
        request_id: &str,
        time: UnixNanos,
        now: UnixNanos,
    ) -> &mut Invocation {
        let last = self.last_attempt(request_id);
        let awaits_start = |at: &usize| {
            let last = &self.invocations[*at];
            last.started.is_none() && last.ending().is_none()
        };
        // INVOKE may be read after the time that the platform writes on the start.
        let known = last.filter(awaits_start).or_else(|| {
            let known = self.attempt(request_id, time);
            known.filter(|at| !self.invocations[*at].ended_before(time))
        });
        self.at_or_new(known, request_id, now)
    }

    /// The invocation that INVOKE speaks of. Each attempt has a deadline of its own.
    pub(super) fn invoking(&mut self, invoked: &Invoked, now: UnixNanos) -> &mut Invocation {
        let last = self.last_attempt(&invoked.request_id);
        let known = last.filter(|at| {
            let deadline = self.invocations[*at].deadline_millis();
            deadline.is_none_or(|known| known == invoked.deadline_millis)
        });
        self.at_or_new(known, &invoked.request_id, now)
    }

    fn last_attempt(&self, request_id: &str) -> Option<usize> {
        let is_its = |known: &Invocation| known.request_id == request_id;
        self.invocations.iter().rposition(is_its)
    }

    fn at_or_new(
        &mut self,
        known: Option<usize>,
        request_id: &str,
        now: UnixNanos,
    ) -> &mut Invocation {
        let at = known.unwrap_or_else(|| {
            self.make_room(now);
            self.invocations.push_back(Invocation::new(request_id));
            self.invocations.len() - 1
        });
        &mut self.invocations[at]
    }
}

impl Invocation {
    /// Whether the platform said that it was over before this time.
    fn ended_before(&self, time: UnixNanos) -> bool {
        match self.ending() {
            Some(Ending::RuntimeDone { time: ended, .. } | Ending::Report { time: ended, .. }) => {
                *ended < time
            }
            Some(Ending::ShutDown(_) | Ending::Unknown) | None => false,
        }
    }
}
