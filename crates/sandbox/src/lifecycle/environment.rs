//! The machine itself: what it remembers, and how an event reaches it.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use super::effect::Effect;
use super::event::{CallId, Event, Exit, Invocation, Process, Role, Spec};
use super::extension::{Extension, ExtensionKind, ExtensionState, RuntimeState};
use super::fault::Fault;
use super::init::Init;
use super::managed::Crowd;
use super::platform::InitPhase;
use super::restore::Restore;
use super::running::Running;
use super::stop::Stop;
use crate::time::UnixNanos;

/// One environment of a function, from nothing running to nothing running.
#[derive(Debug)]
pub(crate) struct Environment {
    pub(super) spec: Spec,
    pub(super) phase: Phase,
    /// Counts the inits, so that news of processes from before a reset is known as old.
    pub(super) generation: u32,
    pub(super) runtime: RuntimeState,
    /// The runtime's open `next`.
    pub(super) runtime_waiting: Option<CallId>,
    pub(super) extensions: Vec<Extension>,
    /// Processes that were started and have not ended.
    pub(super) alive: BTreeSet<Role>,
    /// The first thing that went wrong since the init began.
    pub(super) fault: Option<Fault>,
    /// An init was asked for that no invocation waits for.
    pub(super) init_wanted: bool,
    /// The environment ends as soon as nothing is in its way.
    pub(super) closing: bool,
    /// Waits for the environment to be ready for it.
    pub(super) queued: Option<Invocation>,
    /// Invocations whose time was over, so that their late answers are told so.
    pub(super) timed_out: VecDeque<String>,
    /// On Managed Instances, instead of `queued` and `runtime_waiting`.
    pub(super) crowd: Crowd,
}

/// What the environment waits for.
#[derive(Debug)]
pub(super) enum Phase {
    /// An invocation or the wish for an init; no process runs.
    Cold(InitPhase),
    /// Every external extension to register.
    AwaitRegistration(Init),
    /// The runtime's first `next` or `restore/next`.
    AwaitRuntime(Init),
    /// The first `next` of every extension.
    AwaitExtensions(Init),
    /// An invocation; all processes are frozen.
    AwaitInvoke(Rest),
    /// The runtime's `next` after a restore.
    AwaitRestored(Restore),
    /// Invocations and answers, several at once; nothing is frozen.
    AwaitInvocations,
    /// The runtime's answer.
    AwaitResponse(Running),
    /// The runtime's `next` after its answer.
    AwaitRuntimeNext(Running),
    /// The `next` of every extension that got INVOKE.
    AwaitExtensionsNext(Running),
    /// The end of the runtime.
    AwaitRuntimeExit(Stop),
    /// The delivery of the last telemetry, after the runtime's end.
    AwaitFlush(Stop),
    /// The end of the extensions, after the runtime's.
    AwaitExtensionsExit(Stop),
    /// The end of what was killed.
    AwaitAllExit(Stop),
    /// Nothing any more.
    Gone,
}

/// What a frozen environment has behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rest {
    /// An invocation.
    Invoked,
    /// An init of this length that no invocation waited for.
    Initialized(Duration),
    /// An init and the snapshot after it, which is restored for the next invocation.
    Snapshot,
}

impl Phase {
    pub(super) fn is_stopping(&self) -> bool {
        matches!(
            self,
            Self::AwaitRuntimeExit(_)
                | Self::AwaitFlush(_)
                | Self::AwaitExtensionsExit(_)
                | Self::AwaitAllExit(_)
        )
    }

    /// The invocation that the runtime may answer.
    pub(super) fn running(&mut self) -> Option<&mut Running> {
        match self {
            Self::AwaitResponse(running)
            | Self::AwaitRuntimeNext(running)
            | Self::AwaitExtensionsNext(running) => Some(running),
            _ => None,
        }
    }
}

impl Environment {
    pub(crate) fn new(spec: Spec) -> Self {
        Self {
            spec,
            phase: Phase::Cold(InitPhase::Init),
            generation: 0,
            runtime: RuntimeState::Started,
            runtime_waiting: None,
            extensions: Vec::new(),
            alive: BTreeSet::new(),
            fault: None,
            init_wanted: false,
            closing: false,
            queued: None,
            timed_out: VecDeque::new(),
            crowd: Crowd::default(),
        }
    }

    /// Takes what happened and says what to do.
    pub(crate) fn step(&mut self, event: Event, now: UnixNanos, out: &mut Vec<Effect>) {
        // What is over is over, even if a call is seen before the timer: an answer after the timeout is a late one.
        let over = self.next_deadline().is_some_and(|at| now >= at);
        if over && matches!(event, Event::Call(..)) {
            self.advance(now, out);
        }
        match event {
            Event::Invoke(invocation) if self.spec.initialization.is_managed() => {
                self.join_crowd(invocation, now, out);
            }
            Event::Invoke(invocation) => {
                debug_assert!(
                    self.queued.is_none(),
                    "the pool gives an environment one invocation at a time"
                );
                self.queued = Some(invocation);
            }
            Event::Init => {
                self.init_wanted = true;
                self.crowd.ahead = true;
            }
            Event::Flushed => self.crowd.flushed = true,
            Event::Shutdown => self.closing = true,
            Event::Lost => {
                self.closing = true;
                self.fail(Fault::new("Sandbox.Failure", "the environment was lost"));
            }
            Event::Call(call, api_call) => self.call(call, api_call, now, out),
            Event::Undelivered(call) => self.owe_again(call),
            Event::Exited(process, exit) => self.exited(process, exit),
            Event::NotStarted(process, fault) => self.not_started(process, fault),
            Event::Tick => {}
        }
        self.advance(now, out);
    }

    /// When to send [`Event::Tick`] if nothing else happens.
    pub(crate) fn next_deadline(&self) -> Option<UnixNanos> {
        match &self.phase {
            Phase::AwaitRegistration(init)
            | Phase::AwaitRuntime(init)
            | Phase::AwaitExtensions(init) => Some(init.deadline),
            Phase::AwaitRestored(restore) => Some(restore.deadline),
            Phase::AwaitResponse(running)
            | Phase::AwaitRuntimeNext(running)
            | Phase::AwaitExtensionsNext(running) => Some(running.deadline),
            Phase::AwaitRuntimeExit(stop) => Some(if stop.runtime_killed {
                stop.deadline
            } else {
                stop.runtime_deadline
            }),
            Phase::AwaitInvocations => self.crowd.next_deadline(),
            Phase::AwaitFlush(stop) => Some(stop.flush_deadline),
            Phase::AwaitExtensionsExit(stop) | Phase::AwaitAllExit(stop) => Some(stop.deadline),
            Phase::Cold(_) | Phase::AwaitInvoke(_) | Phase::Gone => None,
        }
    }

    pub(super) fn process(&self, role: Role) -> Process {
        Process {
            generation: self.generation,
            role,
        }
    }

    pub(super) fn fail(&mut self, fault: Fault) {
        self.fault.get_or_insert(fault);
    }

    fn exited(&mut self, process: Process, exit: Exit) {
        if process.generation != self.generation || !self.alive.remove(&process.role) {
            return;
        }
        let stopping = self.phase.is_stopping();
        if let Some(extension) = self.extension_of(process.role) {
            let asked = stopping && exit == Exit::Code(0);
            extension.state = if asked || !stopping {
                ExtensionState::Exited
            } else {
                ExtensionState::ShutdownFailed
            };
            extension.waiting = None;
        }
        if stopping {
            return;
        }
        let managed = self.spec.initialization.is_managed();
        self.fail(match (process.role, exit) {
            (Role::Runtime, Exit::OutOfMemory) if managed => Fault::new(
                "Runtime.OutOfMemory",
                format!("Runtime exited with error: {exit}"),
            ),
            (Role::Runtime, Exit::Code(0)) => Fault::new(
                "Runtime.ExitError",
                "Runtime exited without providing a reason",
            ),
            (Role::Runtime, exit) => Fault::new(
                "Runtime.ExitError",
                format!("Runtime exited with error: {exit}"),
            ),
            (Role::Extension(_), Exit::Code(0)) => Fault::new("Extension.Crash", "exit code 0"),
            (Role::Extension(_), exit) => Fault::new("Extension.Crash", exit.to_string()),
        });
    }

    fn not_started(&mut self, process: Process, fault: Fault) {
        if process.generation != self.generation {
            return;
        }
        self.alive.remove(&process.role);
        if let Some(extension) = self.extension_of(process.role) {
            extension.state = ExtensionState::LaunchError;
            // Lambda's words for it, which the message ends with.
            let denied = fault.message.ends_with("permission denied");
            let error_type = if denied {
                "PermissionDenied"
            } else {
                "UnknownError"
            };
            extension.error_type = Some(error_type.to_owned());
        }
        self.fail(fault);
    }

    fn extension_of(&mut self, role: Role) -> Option<&mut Extension> {
        let Role::Extension(index) = role else {
            return None;
        };
        self.extensions
            .iter_mut()
            .find(|extension| extension.kind == ExtensionKind::External(index))
    }

    /// The runtime needs nothing here: in `Running` its next `next` gets the invocation again. One of several workers may
    /// never ask again, and another one gets it.
    fn owe_again(&mut self, call: CallId) {
        self.crowd.give_back(call);
        for extension in &mut self.extensions {
            if let Some((_, event)) = extension.delivered.take_if(|(carrier, _)| *carrier == call) {
                extension.owed = Some(event);
            }
        }
    }
}

/// As many extensions as a function may have, external and internal.
pub(super) const EXTENSIONS_MAX: usize = 10;
/// Late answers to older invocations get 400 instead of 410.
pub(super) const TIMED_OUT_MAX: usize = 64;
