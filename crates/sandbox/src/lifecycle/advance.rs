//! From phase to phase: the one place where the order of init and invoke is written down.

use std::mem;

use super::effect::{Effect, Reply};
use super::environment::{Environment, Phase, Rest, TIMED_OUT_MAX};
use super::event::{Invocation, Role, ShutdownReason};
use super::extension::{ExtensionState, RuntimeState};
use super::fault::Fault;
use super::init::Init;
use super::platform::{self, Span};
use super::running::{Failure, Running};
use super::stop::Then;
use crate::invoke::{Outcome, Status};
use crate::time::UnixNanos;

/// Whether the next phase may already be over, too.
pub(super) enum Move {
    Stay(Phase),
    On(Phase),
}

use Move::{On, Stay};

impl Environment {
    /// Goes on as far as what is known allows.
    pub(super) fn advance(&mut self, now: UnixNanos, out: &mut Vec<Effect>) {
        loop {
            match self.next_phase(now, out) {
                On(phase) => self.phase = phase,
                Stay(phase) => {
                    self.phase = phase;
                    return;
                }
            }
        }
    }

    fn next_phase(&mut self, now: UnixNanos, out: &mut Vec<Effect>) -> Move {
        match mem::replace(&mut self.phase, Phase::Gone) {
            // Cold => (AwaitRegistration | Gone)
            // An invocation that is already here is still handled: its caller was promised an environment.
            Phase::Cold(init_phase) if self.spec.initialization.is_managed() => {
                self.managed_cold(init_phase, now, out)
            }
            Phase::Cold(init_phase) => {
                if self.queued.is_some() || self.init_wanted && !self.closing {
                    return On(self.start_init(init_phase, now, out));
                }
                if self.closing {
                    out.push(Effect::Gone);
                    return Stay(Phase::Gone);
                }
                Stay(Phase::Cold(init_phase))
            }

            // AwaitRegistration => (AwaitRuntime | AwaitRuntimeExit)
            // The runtime starts only when every external extension has registered.
            Phase::AwaitRegistration(mut init) => {
                if let Some(failed) = self.init_failure(&init, now) {
                    return On(self.fail_init(init, failed, now, out));
                }
                if self
                    .extensions
                    .iter()
                    .any(|extension| extension.state == ExtensionState::Started)
                {
                    return Stay(Phase::AwaitRegistration(init));
                }
                self.alive.insert(Role::Runtime);
                init.runtime_started = true;
                out.push(Effect::Spawn(self.process(Role::Runtime)));
                On(Phase::AwaitRuntime(init))
            }

            // AwaitRuntime => (AwaitExtensions | AwaitRuntimeExit)
            // From here on nobody can register.
            Phase::AwaitRuntime(mut init) => {
                if let Some(failed) = self.init_failure(&init, now) {
                    return On(self.fail_init(init, failed, now, out));
                }
                if !matches!(
                    self.runtime,
                    RuntimeState::Ready | RuntimeState::RestoreReady
                ) {
                    return Stay(Phase::AwaitRuntime(init));
                }
                init.runtime_done = true;
                out.push(Effect::Emit(platform::init_runtime_done(
                    self.spec.initialization,
                    init.phase,
                    Status::Success,
                    None,
                )));
                On(Phase::AwaitExtensions(init))
            }

            // AwaitExtensions => (AwaitResponse | AwaitInvoke | AwaitRuntimeExit)
            // Subscribed or not, each extension's first `next` ends its init. From here on nobody can subscribe.
            Phase::AwaitExtensions(init) => {
                if let Some(failed) = self.init_failure(&init, now) {
                    return On(self.fail_init(init, failed, now, out));
                }
                if self
                    .extensions
                    .iter()
                    .any(|extension| extension.state != ExtensionState::Ready)
                {
                    return Stay(Phase::AwaitExtensions(init));
                }
                out.push(Effect::CloseSubscriptions);
                self.tell_init_over(&init, Status::Success, None, now, out);
                On(self.after_init(&init, now, out))
            }

            // AwaitInvoke => (AwaitResponse | AwaitRestored | AwaitRuntimeExit)
            // A process that died in its sleep costs the environment its processes, not the next caller its answer.
            Phase::AwaitInvoke(rest) => {
                self.init_wanted = false;
                if self.fault.is_some() {
                    let then = Then::Cold(self.next_init());
                    return On(self.start_stop(ShutdownReason::Failure, then, now, out));
                }
                if let Some(invocation) = self.queued.take() {
                    return On(self.wake(rest, invocation, now, out));
                }
                if self.closing {
                    return On(self.start_stop(ShutdownReason::Spindown, Then::Gone, now, out));
                }
                Stay(Phase::AwaitInvoke(rest))
            }

            // AwaitRestored => (AwaitResponse | AwaitRuntimeExit)
            // A runtime that has nothing to do after a restore has long asked for its event.
            Phase::AwaitRestored(restore) => {
                if let Some(failed) = self.failure_by(restore.deadline, now) {
                    return On(self.fail_restore(restore, failed, now, out));
                }
                if self.runtime != RuntimeState::Ready {
                    return Stay(Phase::AwaitRestored(restore));
                }
                On(self.end_restore(restore, now, out))
            }

            // AwaitResponse => (AwaitRuntimeNext | AwaitRuntimeExit)
            // The caller got its answer, or the end of it, when the runtime's call was handled.
            Phase::AwaitResponse(running) => {
                if let Some(failed) = self.invoke_failure(&running, now) {
                    return On(self.fail_invocation(running, failed, now, out));
                }
                if matches!(
                    self.runtime,
                    RuntimeState::Running | RuntimeState::Responding
                ) {
                    return Stay(Phase::AwaitResponse(running));
                }
                On(Phase::AwaitRuntimeNext(running))
            }

            // AwaitRuntimeNext => (AwaitExtensionsNext | AwaitRuntimeExit)
            // A stream that broke off was the runtime's doing if it goes on; had it died, that would be what is told.
            Phase::AwaitRuntimeNext(mut running) => {
                if let Some(failed) = self.invoke_failure(&running, now) {
                    return On(self.fail_invocation(running, failed, now, out));
                }
                if self.runtime != RuntimeState::Ready {
                    return Stay(Phase::AwaitRuntimeNext(running));
                }
                if running.truncated {
                    running.end_truncated(out);
                }
                running.tell_done(Status::Success, None, now, out);
                On(Phase::AwaitExtensionsNext(running))
            }

            // AwaitExtensionsNext => (AwaitInvoke | AwaitRuntimeExit)
            // Frozen first and reported then: that is why the report reaches extensions with the next invocation.
            Phase::AwaitExtensionsNext(running) => {
                if let Some(failed) = self.invoke_failure(&running, now) {
                    return On(self.fail_invocation(running, failed, now, out));
                }
                if self
                    .extensions
                    .iter()
                    .any(|extension| extension.invoke && extension.state != ExtensionState::Ready)
                {
                    return Stay(Phase::AwaitExtensionsNext(running));
                }
                out.push(Effect::Freeze);
                let overhead = self.extension_overhead(&running, now);
                out.push(Effect::Idle);
                out.push(Effect::Report(running.into_report(
                    Status::Success,
                    None,
                    now,
                    overhead,
                )));
                On(Phase::AwaitInvoke(Rest::Invoked))
            }

            // AwaitInvocations => AwaitRuntimeExit
            Phase::AwaitInvocations => self.advance_crowd(now, out),

            stopping => self.advance_stop(stopping, now, out),
        }
    }

    fn wake(
        &mut self,
        rest: Rest,
        invocation: Invocation,
        now: UnixNanos,
        out: &mut Vec<Effect>,
    ) -> Phase {
        out.push(Effect::Thaw);
        let running = |invocation| Running::new(invocation, now, now, now + self.spec.timeout);
        match rest {
            Rest::Snapshot => self.start_restore(invocation, now, out),
            Rest::Invoked => self.release(running(invocation), out),
            Rest::Initialized(init) => {
                let first = Running {
                    init: Some(init),
                    ..running(invocation)
                };
                self.release(first, out)
            }
        }
    }

    /// Extensions get INVOKE before the runtime gets the event.
    pub(super) fn release(&mut self, running: Running, out: &mut Vec<Effect>) -> Phase {
        out.push(Effect::Emit(platform::start(&running.invocation)));
        for extension in self
            .extensions
            .iter_mut()
            .filter(|extension| extension.invoke)
        {
            let event = Reply::Invoke {
                invocation: running.invocation.clone(),
                deadline: running.deadline,
            };
            if let Some((call, event)) = extension.release(event) {
                out.push(Effect::Reply(call, event));
            }
        }
        self.runtime = RuntimeState::Running;
        if let Some(call) = self.runtime_waiting.take() {
            let event = Reply::Invocation {
                invocation: running.invocation.clone(),
                deadline: running.deadline,
            };
            out.push(Effect::Reply(call, event));
        }
        Phase::AwaitResponse(running)
    }

    fn init_failure(&mut self, init: &Init, now: UnixNanos) -> Option<Failure> {
        self.failure_by(init.deadline, now)
    }

    fn invoke_failure(&mut self, running: &Running, now: UnixNanos) -> Option<Failure> {
        self.failure_by(running.deadline, now)
    }

    pub(super) fn failure_by(&mut self, deadline: UnixNanos, now: UnixNanos) -> Option<Failure> {
        if let Some(fault) = self.fault.take() {
            return Some(Failure::Fault(fault));
        }
        if now >= deadline {
            return Some(Failure::Timeout);
        }
        self.closing.then(|| {
            Failure::Fault(Fault::new(
                "Sandbox.Failure",
                "the sandbox is shutting down",
            ))
        })
    }

    /// Told at once, then the processes are shut down, and only then the caller is answered and the report written.
    pub(super) fn fail_invocation(
        &mut self,
        mut running: Running,
        failure: Failure,
        now: UnixNanos,
        out: &mut Vec<Effect>,
    ) -> Phase {
        let status = failure.status();
        if running.runtime_done.is_none() {
            running.tell_done(status, failure.error_type(), now, out);
        }
        let verdict = running.outcome.is_none().then(|| {
            let request_id = &running.invocation.request_id;
            failure.verdict(request_id, self.spec.timeout)
        });
        if matches!(failure, Failure::Timeout) {
            self.remember_timed_out(&running.invocation.request_id);
        }
        running.outcome.get_or_insert(Outcome::FunctionError);
        // The end is charged by the clock's face, not by when it was noticed: nothing lasts longer than it may.
        let ended = now.min(running.deadline);
        let overhead = running
            .runtime_done
            .filter(|done| *done < ended)
            .map(|_| self.extension_overhead(&running, ended))
            .unwrap_or_default();
        let report = running.into_report(status, failure.error_type(), ended, overhead);
        self.start_stop(
            failure.reason(),
            Then::Finish {
                report: Box::new(report),
                verdict,
            },
            now,
            out,
        )
    }

    /// So that its late answer is told so.
    pub(super) fn remember_timed_out(&mut self, request_id: &str) {
        if self.timed_out.len() == TIMED_OUT_MAX {
            self.timed_out.pop_front();
        }
        self.timed_out.push_back(request_id.to_owned());
    }

    fn extension_overhead(&self, running: &Running, now: UnixNanos) -> Vec<Span> {
        let start = running.runtime_done.filter(|_| !self.extensions.is_empty());
        let span = start.map(|start| Span {
            name: "extensionOverhead",
            start,
            duration: now.since(start),
        });
        span.into_iter().collect()
    }
}
