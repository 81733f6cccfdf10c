//! The end of an environment's processes: the runtime first, the extensions after it, and then whatever follows.

use super::advance::Move::{self, On, Stay};
use super::effect::{Effect, Reply, Report, Signal, Verdict};
use super::environment::{Environment, Phase};
use super::event::{Process, Role, ShutdownReason};
use super::extension::{ExtensionKind, ExtensionState};
use super::platform::InitPhase;
use crate::function::Initialization;
use crate::time::UnixNanos;

/// A shutdown under way.
#[derive(Debug)]
pub(super) struct Stop {
    pub(super) reason: ShutdownReason,
    pub(super) runtime_deadline: UnixNanos,
    pub(super) runtime_killed: bool,
    /// For the last telemetry, on Managed Instances.
    pub(super) flush_deadline: UnixNanos,
    /// For all that is left, whatever it is.
    pub(super) deadline: UnixNanos,
    pub(super) then: Then,
}

/// What comes when no process is left.
#[derive(Debug)]
pub(super) enum Then {
    /// The invocation failed.
    Finish {
        report: Box<Report>,
        verdict: Option<Verdict>,
    },
    /// A new init, in this phase, when one is wanted.
    Cold(InitPhase),
    /// It is no longer needed.
    Gone,
}

impl Environment {
    pub(super) fn start_stop(
        &mut self,
        reason: ShutdownReason,
        then: Then,
        now: UnixNanos,
        out: &mut Vec<Effect>,
    ) -> Phase {
        let limits = self.spec.limits;
        let managed = self.spec.initialization.is_managed();
        if !managed {
            out.push(Effect::Thaw);
            out.push(Effect::FlushTelemetry);
        }
        self.fault = None;
        let external = self
            .extensions
            .iter()
            .any(|extension| extension.is_external());
        let mut stop = Stop {
            reason,
            runtime_deadline: now
                + match external {
                    _ if managed => limits.runtime_exit_managed,
                    true => limits.runtime_exit,
                    false => limits.runtime_exit_internal,
                },
            runtime_killed: false,
            flush_deadline: now + limits.shutdown,
            deadline: now + limits.shutdown,
            then,
        };
        if self.extensions.is_empty() {
            stop.runtime_killed = true;
            stop.deadline = now + limits.kill;
        }
        if self.alive.contains(&Role::Runtime) {
            let signal = if stop.runtime_killed {
                Signal::Kill
            } else {
                Signal::Terminate
            };
            out.push(Effect::Signal(self.process(Role::Runtime), signal));
        }
        Phase::AwaitRuntimeExit(stop)
    }

    pub(super) fn advance_stop(
        &mut self,
        phase: Phase,
        now: UnixNanos,
        out: &mut Vec<Effect>,
    ) -> Move {
        match phase {
            // AwaitRuntimeExit => (AwaitFlush | AwaitExtensionsExit)
            // Extensions are told only when the runtime has ended, so that they see its last words.
            Phase::AwaitRuntimeExit(mut stop) => {
                if self.alive.contains(&Role::Runtime) && now < stop.deadline {
                    if now >= stop.runtime_deadline && !stop.runtime_killed {
                        stop.runtime_killed = true;
                        out.push(Effect::Signal(self.process(Role::Runtime), Signal::Kill));
                    }
                    return Stay(Phase::AwaitRuntimeExit(stop));
                }
                if self.spec.initialization.is_managed() && !self.alive.is_empty() {
                    self.crowd.flushed = false;
                    out.push(Effect::FlushTelemetry);
                    stop.flush_deadline = stop.deadline.min(now + self.spec.limits.flush);
                    return On(Phase::AwaitFlush(stop));
                }
                self.end_extensions(&stop, out);
                On(Phase::AwaitExtensionsExit(stop))
            }

            // AwaitFlush => AwaitExtensionsExit
            // Nothing freezes here, so the subscribers can have all of it before they hear that they are to end.
            Phase::AwaitFlush(stop) => {
                let listened_to = self.alive.iter().any(|role| *role != Role::Runtime);
                if !self.crowd.flushed && listened_to && now < stop.flush_deadline {
                    return Stay(Phase::AwaitFlush(stop));
                }
                self.end_extensions(&stop, out);
                On(Phase::AwaitExtensionsExit(stop))
            }

            // AwaitExtensionsExit => AwaitAllExit
            Phase::AwaitExtensionsExit(mut stop) => {
                if self.alive.iter().any(|role| *role != Role::Runtime) && now < stop.deadline {
                    return Stay(Phase::AwaitExtensionsExit(stop));
                }
                // Also when all have ended: they may have left children in their groups.
                out.push(Effect::KillAll);
                stop.deadline = now + self.spec.limits.kill;
                On(Phase::AwaitAllExit(stop))
            }

            // AwaitAllExit => Cold
            // A process that outlives SIGKILL hangs in the kernel; waiting longer would not help it.
            Phase::AwaitAllExit(stop) => {
                if !self.alive.is_empty() && now < stop.deadline {
                    return Stay(Phase::AwaitAllExit(stop));
                }
                self.alive.clear();
                self.extensions.clear();
                self.runtime_waiting = None;
                self.crowd.workers.clear();
                out.push(Effect::ResetTelemetry);
                On(self.after_stop(stop.then, out))
            }

            settled => Stay(settled),
        }
    }

    fn end_extensions(&mut self, stop: &Stop, out: &mut Vec<Effect>) {
        for extension in &mut self.extensions {
            let ExtensionKind::External(index) = extension.kind else {
                continue;
            };
            let role = Role::Extension(index);
            if !self.alive.contains(&role) {
                continue;
            }
            if !extension.shutdown {
                let process = Process {
                    generation: self.generation,
                    role,
                };
                out.push(Effect::Signal(process, Signal::Kill));
                continue;
            }
            // It has said that it cannot go on, and no call of it succeeds any more: it has to end by itself.
            if matches!(
                extension.state,
                ExtensionState::InitError | ExtensionState::ExitError
            ) {
                continue;
            }
            let event = Reply::Shutdown {
                reason: stop.reason,
                deadline: stop.deadline,
            };
            if let Some((call, event)) = extension.release(event) {
                out.push(Effect::Reply(call, event));
            }
        }
    }

    fn after_stop(&mut self, then: Then, out: &mut Vec<Effect>) -> Phase {
        match then {
            Then::Finish { report, verdict } => {
                let request_id = &report.invocation.request_id;
                out.extend(verdict.map(|verdict| Effect::Answer(request_id.clone(), verdict)));
                if !self.closing {
                    out.push(Effect::Idle);
                }
                out.push(Effect::Report(*report));
                Phase::Cold(self.next_init())
            }
            Then::Cold(phase) => Phase::Cold(phase),
            Then::Gone => {
                self.closing = true;
                Phase::Cold(self.next_init())
            }
        }
    }

    /// Where the next init belongs after a reset: inside an invocation, or, where environments come from a snapshot,
    /// before it as the first one did.
    pub(super) fn next_init(&self) -> InitPhase {
        match self.spec.initialization {
            Initialization::SnapStart => InitPhase::Init,
            Initialization::OnDemand | Initialization::Provisioned(_) => InitPhase::Invoke,
            // It has only one.
            Initialization::Managed(_) => InitPhase::Init,
        }
    }
}
