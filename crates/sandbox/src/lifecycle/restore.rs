//! The restore of a snapshot: what comes before the first invocation of an environment that was initialized long ago.
//!
//! No process can be copied here, so the one that was initialized and frozen is the one that goes on.

use super::effect::{Effect, Reply};
use super::environment::{Environment, Phase};
use super::event::Invocation;
use super::extension::RuntimeState;
use super::platform;
use super::running::{Failure, Running};
use crate::invoke::Status;
use crate::time::UnixNanos;

/// A restore under way.
#[derive(Debug)]
pub(super) struct Restore {
    pub(super) started: UnixNanos,
    pub(super) deadline: UnixNanos,
    pub(super) invocation: Invocation,
}

impl Environment {
    pub(super) fn start_restore(
        &mut self,
        invocation: Invocation,
        now: UnixNanos,
        out: &mut Vec<Effect>,
    ) -> Phase {
        out.push(Effect::Emit(platform::restore_start(&self.spec)));
        if self.runtime == RuntimeState::RestoreReady {
            self.runtime = RuntimeState::Restoring;
            let waiting = self.runtime_waiting.take();
            out.extend(waiting.map(|call| Effect::Reply(call, Reply::Restored)));
        }
        Phase::AwaitRestored(Restore {
            started: now,
            deadline: now + self.spec.limits.restore,
            invocation,
        })
    }

    pub(super) fn end_restore(
        &mut self,
        restore: Restore,
        now: UnixNanos,
        out: &mut Vec<Effect>,
    ) -> Phase {
        restore.tell_over(Status::Success, None, now, out);
        let running = restore.into_running(now, now + self.spec.timeout);
        self.release(running, out)
    }

    pub(super) fn fail_restore(
        &mut self,
        restore: Restore,
        failure: Failure,
        now: UnixNanos,
        out: &mut Vec<Effect>,
    ) -> Phase {
        let failure = failure.of_restore(self.spec.limits.restore);
        restore.tell_over(failure.status(), failure.error_type(), now, out);
        let running = restore.into_running(now, now + self.spec.timeout);
        out.push(Effect::Emit(platform::start(&running.invocation)));
        self.fail_invocation(running, failure, now, out)
    }
}

impl Restore {
    fn tell_over(
        &self,
        status: Status,
        error_type: Option<&str>,
        now: UnixNanos,
        out: &mut Vec<Effect>,
    ) {
        let done = platform::restore_runtime_done(status, error_type);
        let report = platform::restore_report(status, error_type, now.since(self.started));
        out.extend([Effect::Emit(done), Effect::Emit(report)]);
    }

    fn into_running(self, now: UnixNanos, deadline: UnixNanos) -> Running {
        Running {
            restore: Some(now.since(self.started)),
            cold_start: true,
            ..Running::new(self.invocation, now, now, deadline)
        }
    }
}
