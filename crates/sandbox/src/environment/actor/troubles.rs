//! Faults that strike this environment.

use std::collections::BTreeSet;

use nix::sys::signal::Signal as UnixSignal;
use tracing::debug;

use super::{Actor, Message};
use crate::faults::{Occasion, Strike, Victim, What};
use crate::lifecycle::{Event, PlatformEvent, Process, Role};

/// What is to happen to the invocations in hand, and what has happened to the processes.
#[derive(Debug, Default)]
pub(super) struct Troubles {
    invocations: BTreeSet<String>,
    /// To strike when this invocation is released.
    expected: Vec<(String, Strike)>,
    /// To strike when the effects of this step are done.
    released: Vec<(String, Strike)>,
    /// Stopped, and not to be woken by a thaw.
    hung: BTreeSet<Process>,
}

impl Actor {
    /// Asks what goes wrong with an invocation that has just come, before its time begins.
    pub(super) fn expect_troubles(&mut self, request_id: &str) {
        self.troubles.invocations.insert(request_id.to_owned());
        let strikes = self
            .host
            .desk
            .decide(&self.host.function.name, Occasion::Invocation);
        for strike in strikes {
            if let What::ClockJump(frozen) = strike.fault.what {
                self.tell_strike(&strike);
                self.host.clock.jump(frozen);
            } else {
                self.troubles.expected.push((request_id.to_owned(), strike));
            }
        }
    }

    /// The function has got its event: now it can be struck.
    pub(super) fn note_release(&mut self, event: &PlatformEvent) {
        if event.kind == "platform.start" {
            let troubles = &mut self.troubles;
            let is_its = |(request_id, _): &mut (String, Strike)| {
                event.record["requestId"] == request_id.as_str()
            };
            let released = troubles.expected.extract_if(.., is_its);
            troubles.released.extend(released);
        }
    }

    pub(super) fn strike_released(&mut self) {
        for (request_id, strike) in std::mem::take(&mut self.troubles.released) {
            if strike.fault.into.is_zero() {
                let event = self.strike(&strike);
                self.consequences.extend(event);
                continue;
            }
            let (clock, messages) = (self.host.clock.clone(), self.messages.clone());
            let at = clock.now() + strike.fault.into;
            tokio::spawn(async move {
                clock.sleep_until(at).await;
                // An environment that has ended is spared.
                let late = Message::Strike(strike, Some(request_id));
                let _ = messages.send(late).await;
            });
        }
    }

    /// One that comes too late for its invocation strikes nobody.
    pub(super) fn strike_if_still(&mut self, strike: &Strike, invocation: Option<String>) -> Event {
        let over = |request_id: &String| !self.troubles.invocations.contains(request_id);
        if invocation.as_ref().is_some_and(over) {
            return Event::Tick;
        }
        self.strike(strike).unwrap_or(Event::Tick)
    }

    pub(super) fn end_troubles(&mut self, request_id: &str) {
        let troubles = &mut self.troubles;
        troubles.invocations.remove(request_id);
        troubles
            .expected
            .retain(|(expected, _)| expected != request_id);
    }

    /// Wakes all processes but those that a fault has stopped.
    pub(super) fn thaw_processes(&mut self) {
        let processes = &self.processes;
        self.troubles
            .hung
            .retain(|process| processes.contains_key(process));
        for (process, running) in processes {
            if !self.troubles.hung.contains(process) {
                running.signal(UnixSignal::SIGCONT);
            }
        }
    }

    /// Whether subscribers are to hear of this event.
    pub(super) fn is_lost(&self, event: &PlatformEvent) -> bool {
        event.kind == "platform.report"
            && !self
                .host
                .desk
                .strike(
                    &self.host.function.name,
                    Some(&self.host.variables.instance),
                    Occasion::Report,
                )
                .is_empty()
    }

    fn strike(&mut self, strike: &Strike) -> Option<Event> {
        debug!(function = %self.host.function.name, what = %strike.fault.what, "fault strikes");
        self.tell_strike(strike);
        match &strike.fault.what {
            What::Kill(victim) => {
                self.signal_victim(victim, UnixSignal::SIGKILL);
                None
            }
            What::Hang(victim) => {
                let hung = self.signal_victim(victim, UnixSignal::SIGSTOP);
                self.troubles.hung.extend(hung);
                None
            }
            What::OutOfMemory => {
                let all = u64::from(self.host.function.memory_mb);
                self.memory_max_mb = self.memory_max_mb.max(all);
                let killed = self.signal_victim(&Victim::Runtime, UnixSignal::SIGKILL);
                let killed = killed.and_then(|process| self.processes.get(&process));
                self.out_of_memory = killed.map(|running| running.group);
                None
            }
            What::DropEnvironment => {
                self.signal_all(UnixSignal::SIGKILL);
                self.kill_group();
                self.kill_strays();
                // If it is idle, the pool must not give it another invocation.
                (self.host.may_retire)();
                Some(Event::Lost)
            }
            _ => None,
        }
    }

    fn signal_victim(&self, victim: &Victim, signal: UnixSignal) -> Option<Process> {
        let is_victim = |role: Role| match (victim, role) {
            (Victim::Runtime, Role::Runtime) => true,
            (Victim::Extension(name), Role::Extension(index)) => self
                .host
                .extensions
                .get(index)
                .and_then(|path| path.file_name())
                .is_some_and(|own| own.to_string_lossy() == *name),
            _ => false,
        };
        let (process, running) = self
            .processes
            .iter()
            .find(|(process, _)| is_victim(process.role))?;
        running.signal(signal);
        Some(*process)
    }

    fn tell_strike(&self, strike: &Strike) {
        let environment = Some(self.host.variables.instance.as_str());
        self.host
            .desk
            .tell(strike, Some(&self.host.function.name), environment);
    }
}
