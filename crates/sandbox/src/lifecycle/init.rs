//! The init of an environment: its own, and the late one inside an invocation.

use super::effect::Effect;
use super::environment::{EXTENSIONS_MAX, Environment, Phase};
use super::event::{Invocation, Role};
use super::extension::{Extension, ExtensionState, RuntimeState};
use super::fault::Fault;
use super::platform::{self, InitPhase};
use super::running::{Failure, Running};
use super::stop::Then;
use crate::invoke::Status;
use crate::time::UnixNanos;

/// An init under way. There is always an invocation that waits for it.
#[derive(Debug)]
pub(super) struct Init {
    pub(super) phase: InitPhase,
    pub(super) started: UnixNanos,
    pub(super) deadline: UnixNanos,
    pub(super) runtime_started: bool,
    pub(super) runtime_done: bool,
    pub(super) invocation: Invocation,
}

impl Environment {
    pub(super) fn start_init(
        &mut self,
        phase: InitPhase,
        invocation: Invocation,
        now: UnixNanos,
        out: &mut Vec<Effect>,
    ) -> Phase {
        self.generation += 1;
        self.runtime = RuntimeState::Started;
        self.runtime_waiting = None;
        self.fault = None;
        let named = self.spec.extensions.iter().enumerate();
        self.extensions = named
            .map(|(index, name)| Extension::external(name, index))
            .collect();
        // Whatever was told after the last processes ended, such as the report of a crash, nobody can have heard.
        out.push(Effect::ResetTelemetry);
        out.push(Effect::Emit(platform::init_start(&self.spec, phase)));
        if self.extensions.len() > EXTENSIONS_MAX {
            self.refuse_extensions();
        } else {
            for index in 0..self.extensions.len() {
                self.alive.insert(Role::Extension(index));
                out.push(Effect::Spawn(self.process(Role::Extension(index))));
            }
        }
        let budget = match phase {
            InitPhase::Init => self.spec.limits.init,
            InitPhase::Invoke => self.spec.timeout,
        };
        let deadline = now + budget;
        Phase::AwaitRegistration(Init {
            phase,
            started: now,
            deadline,
            runtime_started: false,
            runtime_done: false,
            invocation,
        })
    }

    fn refuse_extensions(&mut self) {
        for extension in &mut self.extensions {
            extension.state = ExtensionState::LaunchError;
            extension.error_type = Some("TooManyExtensions".to_owned());
        }
        self.fail(Fault::new(
            "Extension.LaunchError",
            format!("Extension limit ({EXTENSIONS_MAX}) reached"),
        ));
    }

    pub(super) fn start_invocation_after(
        &mut self,
        init: Init,
        now: UnixNanos,
        out: &mut Vec<Effect>,
    ) -> Phase {
        let mut running = match init.phase {
            InitPhase::Init => {
                let deadline = now + self.spec.timeout;
                let running = Running::new(init.invocation, now, now, deadline);
                Running {
                    init: Some(now.since(init.started)),
                    ..running
                }
            }
            // The late init has already used up some of the invocation's time.
            InitPhase::Invoke => Running::new(init.invocation, init.started, now, init.deadline),
        };
        running.cold_start = true;
        self.release(running, out)
    }

    /// The first init gets a second try inside the invocation; the second one's failure is the invocation's.
    pub(super) fn fail_init(
        &mut self,
        init: Init,
        failure: Failure,
        now: UnixNanos,
        out: &mut Vec<Effect>,
    ) -> Phase {
        let status = failure.status();
        if init.runtime_started && !init.runtime_done {
            out.push(Effect::Emit(platform::init_runtime_done(
                init.phase,
                status,
                failure.error_type(),
            )));
        }
        out.push(Effect::CloseSubscriptions);
        self.tell_init_over(&init, status, failure.error_type(), now, out);
        match init.phase {
            InitPhase::Init if !self.closing => {
                self.start_stop(failure.reason(), Then::InitAgain(init.invocation), now, out)
            }
            _ => {
                let running =
                    Running::new(init.invocation, init.started, init.started, init.deadline);
                let running = Running {
                    cold_start: true,
                    ..running
                };
                out.push(Effect::Emit(platform::start(&running.invocation)));
                self.fail_invocation(running, failure, now, out)
            }
        }
    }

    pub(super) fn tell_init_over(
        &self,
        init: &Init,
        status: Status,
        error_type: Option<&str>,
        now: UnixNanos,
        out: &mut Vec<Effect>,
    ) {
        out.extend(
            self.extensions
                .iter()
                .map(|extension| Effect::Emit(platform::extension(extension))),
        );
        let duration = now.since(init.started);
        out.push(Effect::Emit(platform::init_report(
            init.phase, status, error_type, duration,
        )));
    }
}
