//! What holds after each step, whatever happened before it. Each promise is a function of its own.

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::invoke::Status;
use crate::lifecycle::extension::{Extension, ExtensionKind};

/// Who watches a play from outside: it knows only what went in and what came out.
pub(super) struct Watcher {
    limits: Limits,
    /// What came up, for the sum over all plays.
    pub(super) seen: BTreeSet<&'static str>,
    /// Calls that were made and not answered.
    open: BTreeSet<CallId>,
    callers: BTreeMap<CallId, Process>,
    /// Processes that were started and have not ended.
    alive: BTreeSet<Process>,
    killed: BTreeSet<Process>,
    asked: BTreeSet<Process>,
    /// The invocation in hand.
    invocation: Option<String>,
    /// Whether the pool holds it for busy.
    busy: bool,
    frozen: bool,
    shutdown: Option<UnixNanos>,
    gone: bool,
    told: Vec<&'static str>,
    call: Option<CallId>,
}

type Kept = Result<(), String>;

impl Watcher {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            limits,
            seen: BTreeSet::new(),
            open: BTreeSet::new(),
            callers: BTreeMap::new(),
            alive: BTreeSet::new(),
            killed: BTreeSet::new(),
            asked: BTreeSet::new(),
            invocation: None,
            busy: false,
            frozen: false,
            shutdown: None,
            gone: false,
            told: Vec::new(),
            call: None,
        }
    }

    pub(super) fn is_gone(&self) -> bool {
        self.gone
    }

    pub(super) fn is_shutting_down(&self) -> bool {
        self.shutdown.is_some()
    }

    /// Whether the pool would give it an invocation.
    pub(super) fn is_idle(&self) -> bool {
        !self.busy && self.invocation.is_none() && self.shutdown.is_none() && !self.gone
    }

    /// A process that was killed and has not ended.
    pub(super) fn killed(&self) -> Option<Process> {
        self.killed.intersection(&self.alive).next().copied()
    }

    /// A process that has to end and knows it.
    pub(super) fn told_to_end(&self) -> Option<Process> {
        let told = self.killed.union(&self.asked).copied();
        told.into_iter()
            .find(|process| self.alive.contains(process))
    }

    pub(super) fn any_alive(&self, rng: &mut Rng) -> Option<Process> {
        let count = self.alive.len();
        (count > 0).then(|| self.alive.iter().nth(rng.usize(0..count)).copied())?
    }

    pub(super) fn before(&mut self, event: &Event, now: UnixNanos) {
        self.call = None;
        match event {
            Event::Call(call, _) => {
                self.open.insert(*call);
                self.call = Some(*call);
            }
            Event::Exited(process, _) | Event::NotStarted(process, _) => {
                self.alive.remove(process);
            }
            Event::Invoke(invocation) => {
                self.invocation = Some(invocation.request_id.clone());
                self.busy = true;
                self.told.retain(|told| {
                    told.starts_with("platform.init") || *told == "platform.extension"
                });
            }
            Event::Init => self.busy = true,
            Event::Shutdown | Event::Lost => {
                self.shutdown.get_or_insert(now);
            }
            Event::Undelivered(_) | Event::Flushed | Event::Tick => {}
        }
    }

    pub(super) fn after(
        &mut self,
        environment: &Environment,
        now: UnixNanos,
        effects: &[Effect],
    ) -> Kept {
        for effect in effects {
            self.one_effect(environment, effect)?;
        }
        if let Some(call) = self.call {
            self.remember_caller(environment, call);
        }
        let reset = effects.contains(&Effect::ResetTelemetry);
        self.calls_are_answered_or_wait(environment, reset)?;
        deadline_is_ahead(environment, now)?;
        self.shutdown_ends_in_time(now)?;
        self.nothing_is_forgotten_at_the_end(effects)
    }

    fn one_effect(&mut self, environment: &Environment, effect: &Effect) -> Kept {
        match effect {
            Effect::Reply(call, reply) => self.reply(*call, reply),
            Effect::OpenStream(call, _, _) => self.stream_is_of_the_call_at_hand(*call),
            Effect::Spawn(process) => self.spawn(environment, *process),
            Effect::Signal(process, signal) => self.signal(environment, *process, *signal),
            Effect::KillAll => {
                self.killed.extend(self.alive.iter().copied());
                Ok(())
            }
            Effect::Freeze => {
                self.frozen = true;
                self.seen.insert("frozen");
                Ok(())
            }
            Effect::Thaw => {
                self.frozen = false;
                Ok(())
            }
            Effect::Answer(..) => {
                ensure(self.invocation.is_some(), || {
                    "an answer without an invocation".to_owned()
                })?;
                self.told_in_order("answer")
            }
            Effect::Emit(event) => self.platform_event(event),
            Effect::Report(report) => self.report(report),
            Effect::Idle => self.idle(),
            Effect::Gone => {
                self.gone = true;
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Every call is answered at most once, and nobody who did not call.
    fn reply(&mut self, call: CallId, reply: &Reply) -> Kept {
        if !self.open.remove(&call) {
            return Err(format!(
                "call {} is not open and gets {}",
                call.0,
                reply_line(reply)
            ));
        }
        match reply {
            Reply::Invocation { invocation, .. } | Reply::Invoke { invocation, .. } => {
                if self.frozen {
                    return Err("an event for the frozen".to_owned());
                }
                let in_hand = self.invocation.as_ref();
                if in_hand != Some(&invocation.request_id) && Some(call) != self.call {
                    return Err(format!(
                        "{} is released and not in hand",
                        invocation.request_id
                    ));
                }
            }
            Reply::Refused(refusal) if refusal.status == 410 => {
                self.seen.insert("late answer");
            }
            Reply::Restored => {
                self.seen.insert("restored");
            }
            Reply::GoOn => {
                self.seen.insert("streamed");
            }
            Reply::Shutdown { .. } => {
                self.asked.extend(
                    self.alive
                        .iter()
                        .filter(|process| process.role != Role::Runtime),
                );
            }
            _ => {}
        }
        Ok(())
    }

    fn stream_is_of_the_call_at_hand(&self, call: CallId) -> Kept {
        ensure(self.call == Some(call), || {
            "a stream of another call".to_owned()
        })
    }

    /// The runtime starts after all external extensions have registered, and no role has two processes.
    fn spawn(&mut self, environment: &Environment, process: Process) -> Kept {
        ensure(process.generation == environment.generation, || {
            format!("starts {process:?}, which is old")
        })?;
        let unregistered = |extension: &Extension| {
            process.role == Role::Runtime && extension.state == ExtensionState::Started
        };
        ensure(!environment.extensions.iter().any(unregistered), || {
            "the runtime starts before an extension has registered".to_owned()
        })?;
        ensure(self.alive.insert(process), || {
            format!("starts {process:?} twice")
        })
    }

    /// Only what lives and belongs to the present is signalled.
    fn signal(&mut self, environment: &Environment, process: Process, signal: Signal) -> Kept {
        ensure(process.generation == environment.generation, || {
            format!("signals {process:?}, which is old")
        })?;
        ensure(self.alive.contains(&process), || {
            format!("signals {process:?}, which has ended")
        })?;
        ensure(!self.killed.contains(&process), || {
            format!("signals {process:?}, which was killed")
        })?;
        match signal {
            Signal::Kill => self.killed.insert(process),
            Signal::Terminate => self.asked.insert(process),
        };
        Ok(())
    }

    /// `initStart`, `initRuntimeDone`, `extension`, `initReport`, the restore's, `start`, `runtimeDone`; after a failed
    /// first init its own ones again.
    fn platform_event(&mut self, event: &PlatformEvent) -> Kept {
        if event.kind == "platform.initStart" && event.record["phase"] == "invoke" {
            self.seen.insert("late init");
        }
        if let Some(told) = event.record["requestId"].as_str() {
            let in_hand = self.invocation.as_deref();
            ensure(in_hand == Some(told), || {
                format!("{} of {told}, which is not in hand", event.kind)
            })?;
        }
        self.told_in_order(event.kind)
    }

    fn report(&mut self, report: &Report) -> Kept {
        self.seen.insert(match report.status {
            Status::Success => "success",
            Status::Error => "error",
            Status::Failure => "failure",
            Status::Timeout => "timeout",
        });
        let Some(request_id) = self.invocation.take() else {
            return Err("a report without an invocation".to_owned());
        };
        ensure(request_id == report.invocation.request_id, || {
            format!("a report of {}", report.invocation.request_id)
        })?;
        let told = |what: &str| self.told.iter().filter(|told| **told == what).count();
        for what in ["platform.start", "platform.runtimeDone", "answer"] {
            ensure(told(what) == 1, || {
                format!("{what} {} times before the report", told(what))
            })?;
        }
        ensure(self.shutdown.is_some() || !self.busy, || {
            "a report of an environment that is still busy".to_owned()
        })?;
        self.told.clear();
        Ok(())
    }

    /// Idle once for each time that it was busy.
    fn idle(&mut self) -> Kept {
        ensure(self.busy || self.shutdown.is_some(), || {
            "idle, and was not busy".to_owned()
        })?;
        self.busy = false;
        if self.invocation.is_none() {
            self.seen.insert("initialized ahead");
        }
        self.told_in_order("idle")
    }

    fn told_in_order(&mut self, kind: &'static str) -> Kept {
        let last =
            self.told.iter().rev().find(|told| {
                !matches!(**told, "answer" | "idle" | "platform.telemetrySubscription")
            });
        let allowed: &[Option<&str>] = match kind {
            "platform.initStart" => &[None, Some("platform.initReport")],
            "platform.initRuntimeDone" => &[Some("platform.initStart")],
            "platform.extension" => &[
                Some("platform.initStart"),
                Some("platform.initRuntimeDone"),
                Some("platform.extension"),
            ],
            "platform.initReport" => &[
                Some("platform.initStart"),
                Some("platform.initRuntimeDone"),
                Some("platform.extension"),
            ],
            "platform.restoreStart" => &[None, Some("platform.initReport")],
            "platform.restoreRuntimeDone" => &[Some("platform.restoreStart")],
            "platform.restoreReport" => &[Some("platform.restoreRuntimeDone")],
            "platform.start" => &[
                None,
                Some("platform.initReport"),
                Some("platform.restoreReport"),
            ],
            "platform.runtimeDone" => &[Some("platform.start")],
            _ => {
                self.told.push(kind);
                return Ok(());
            }
        };
        let last = last.copied();
        self.told.push(kind);
        ensure(allowed.contains(&last), || format!("{kind} after {last:?}"))
    }

    /// A call gets its reply at once, or it is a `next` that the machine remembers as long as its process lives.
    fn calls_are_answered_or_wait(&mut self, environment: &Environment, reset: bool) -> Kept {
        let waits = |call: &CallId| {
            environment.runtime_waiting == Some(*call)
                || environment
                    .extensions
                    .iter()
                    .any(|extension| extension.waiting == Some(*call))
        };
        let forgotten: Vec<_> = self
            .open
            .iter()
            .copied()
            .filter(|call| !waits(call))
            .collect();
        for call in forgotten {
            ensure(Some(call) != self.call || reset, || {
                format!("call {} neither waits nor was answered", call.0)
            })?;
            let caller = self.callers.get(&call);
            ensure(caller.is_none_or(|caller| self.is_done_for(caller)), || {
                format!("call {} of {caller:?} was forgotten", call.0)
            })?;
            self.open.remove(&call);
        }
        Ok(())
    }

    fn is_done_for(&self, process: &Process) -> bool {
        !self.alive.contains(process) || self.killed.contains(process)
    }

    /// Whose `next` this is, as far as the world can know.
    fn remember_caller(&mut self, environment: &Environment, call: CallId) {
        let role = if environment.runtime_waiting == Some(call) {
            Some(Role::Runtime)
        } else {
            let mut extensions = environment.extensions.iter();
            extensions
                .find(|extension| extension.waiting == Some(call))
                .map(|extension| match extension.kind {
                    ExtensionKind::External(index) => Role::Extension(index),
                    ExtensionKind::Internal => Role::Runtime,
                })
        };
        if let Some(role) = role {
            let generation = environment.generation;
            self.callers.insert(call, Process { generation, role });
        }
    }

    /// From a shutdown on: one stop under way, one more, and the time that the killed take each time.
    fn shutdown_ends_in_time(&self, now: UnixNanos) -> Kept {
        let limits = self.limits;
        let most = (limits.shutdown + limits.kill) * 2;
        let late = self
            .shutdown
            .filter(|asked| !self.gone && now.since(*asked) > most + DAWDLE);
        ensure(late.is_none(), || {
            format!("not gone {most:?} after the shutdown")
        })
    }

    fn nothing_is_forgotten_at_the_end(&self, effects: &[Effect]) -> Kept {
        if !effects.contains(&Effect::Gone) {
            return Ok(());
        }
        let forgotten: Vec<_> = self.alive.difference(&self.killed).collect();
        ensure(forgotten.is_empty(), || {
            format!("gone, and nobody killed {forgotten:?}")
        })?;
        ensure(self.invocation.is_none(), || {
            "gone, and an invocation has no report".to_owned()
        })
    }
}

/// What is over is never waited for.
fn deadline_is_ahead(environment: &Environment, now: UnixNanos) -> Kept {
    let deadline = environment.next_deadline();
    ensure(deadline.is_none_or(|at| at > now), || {
        format!("waits until {deadline:?}, and it is {now:?}")
    })
}

fn ensure(holds: bool, broken: impl FnOnce() -> String) -> Kept {
    if holds { Ok(()) } else { Err(broken()) }
}

/// Time passes in leaps here, and a leap may go past a deadline.
const DAWDLE: Duration = Duration::from_millis(1000);
