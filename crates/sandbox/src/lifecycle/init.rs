//! The init of an environment: its own, and the late one inside an invocation.

use std::time::Duration;

use super::effect::Effect;
use super::environment::{EXTENSIONS_MAX, Environment, Phase, Rest};
use super::event::Role;
use super::extension::{Extension, ExtensionState, RuntimeState};
use super::fault::Fault;
use super::platform::{self, InitPhase};
use super::running::{Failure, Running};
use super::stop::Then;
use crate::function::Initialization;
use crate::invoke::Status;
use crate::time::UnixNanos;

/// An init under way. If an invocation waits for it, that is in `queued`.
#[derive(Debug)]
pub(super) struct Init {
    pub(super) phase: InitPhase,
    pub(super) started: UnixNanos,
    pub(super) deadline: UnixNanos,
    pub(super) runtime_started: bool,
    pub(super) runtime_done: bool,
}

impl Environment {
    pub(super) fn start_init(
        &mut self,
        phase: InitPhase,
        now: UnixNanos,
        out: &mut Vec<Effect>,
    ) -> Phase {
        self.generation += 1;
        self.runtime = RuntimeState::Started;
        self.runtime_waiting = None;
        self.fault = None;
        self.init_wanted = false;
        let named = self.spec.extensions.iter().enumerate();
        self.extensions = named
            .map(|(index, name)| Extension::external(name, index))
            .collect();
        // Whatever was told after the last processes ended, such as the report of a crash, nobody can have heard.
        out.push(Effect::ResetTelemetry);
        out.push(Effect::Emit(platform::init_start(&self.spec, phase)));
        for index in 0..self.extensions.len().min(EXTENSIONS_MAX) {
            self.alive.insert(Role::Extension(index));
            out.push(Effect::Spawn(self.process(Role::Extension(index))));
        }
        self.refuse_extensions();
        Phase::AwaitRegistration(Init {
            phase,
            started: now,
            deadline: now + self.init_budget(phase),
            runtime_started: false,
            runtime_done: false,
        })
    }

    fn init_budget(&self, phase: InitPhase) -> Duration {
        let limits = self.spec.limits;
        match (phase, self.spec.initialization) {
            (_, Initialization::Managed(_)) => limits.init_managed,
            (InitPhase::Invoke, _) => self.spec.timeout,
            (InitPhase::Init, Initialization::OnDemand) => limits.init,
            (InitPhase::Init, Initialization::Provisioned(_) | Initialization::SnapStart) => {
                limits.init_ahead.max(self.spec.timeout).min(INIT_MAX)
            }
        }
    }

    /// Lambda finds out that there are too many when it has started as many as there may be.
    fn refuse_extensions(&mut self) {
        let too_many = self.extensions.iter_mut().skip(EXTENSIONS_MAX);
        let mut refused = 0;
        for extension in too_many {
            extension.state = ExtensionState::LaunchError;
            extension.error_type = Some("TooManyExtensions".to_owned());
            refused += 1;
        }
        if refused == 0 {
            return;
        }
        self.fail(Fault::new(
            "Extension.LaunchError",
            format!("Extension limit ({EXTENSIONS_MAX}) reached"),
        ));
    }

    /// Goes on with the invocation that waited for the init, or sleeps until there is one.
    pub(super) fn after_init(
        &mut self,
        init: &Init,
        now: UnixNanos,
        out: &mut Vec<Effect>,
    ) -> Phase {
        if self.spec.initialization.is_managed() {
            return self.open_to_crowd(out);
        }
        if self.spec.initialization == Initialization::SnapStart {
            return self.rest(Rest::Snapshot, out);
        }
        let Some(invocation) = self.queued.take() else {
            return self.rest(Rest::Initialized(now.since(init.started)), out);
        };
        let running = match init.phase {
            InitPhase::Init => Running {
                init: Some(now.since(init.started)),
                ..Running::new(invocation, now, now, now + self.spec.timeout)
            },
            // The late init has already used up some of the invocation's time.
            InitPhase::Invoke => Running::new(invocation, init.started, now, init.deadline),
        };
        self.release(
            Running {
                cold_start: true,
                ..running
            },
            out,
        )
    }

    fn rest(&mut self, rest: Rest, out: &mut Vec<Effect>) -> Phase {
        out.push(Effect::Freeze);
        if self.queued.is_none() {
            out.push(Effect::Idle);
        }
        Phase::AwaitInvoke(rest)
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
                self.spec.initialization,
                init.phase,
                status,
                failure.error_type(),
            )));
        }
        out.push(Effect::CloseSubscriptions);
        self.tell_init_over(&init, status, failure.error_type(), now, out);
        if self.spec.initialization.is_managed() {
            return self.fail_crowd(failure, now, out);
        }
        let second_try = init.phase == InitPhase::Init && !self.closing;
        let Some(invocation) = self.queued.take_if(|_| !second_try) else {
            if self.queued.is_none() && !self.closing {
                // An invocation may come for it as for one that sleeps.
                out.push(Effect::Idle);
            }
            let again = Then::Cold(InitPhase::Invoke);
            return self.start_stop(failure.reason(), again, now, out);
        };
        let running = Running {
            cold_start: true,
            ..Running::new(invocation, init.started, init.started, init.deadline)
        };
        out.push(Effect::Emit(platform::start(&running.invocation)));
        self.fail_invocation(running, failure, now, out)
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
            self.spec.initialization,
            init.phase,
            status,
            error_type,
            duration,
        )));
    }
}

/// However long the function itself may take.
const INIT_MAX: Duration = Duration::from_secs(900);
