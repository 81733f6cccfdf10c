//! Freezing the environment's processes, and holding them to their memory.

use std::time::Duration;

use nix::sys::signal::Signal as UnixSignal;
use tracing::debug;

use super::super::memory;
use super::Actor;
use crate::control::Pressure;

impl Actor {
    /// Pages that several processes share count for each; with a limit no more than that can have been used.
    pub(super) fn limited_mb(&self, used_mb: u64) -> u64 {
        let limit_mb = u64::from(self.host.function.memory_mb);
        match self.out_of_memory {
            Some(_) => limit_mb,
            None if self.host.memory_limited => used_mb.min(limit_mb),
            None => used_mb,
        }
    }

    pub(super) fn watches_memory(&self) -> bool {
        self.host.memory_limited && !self.frozen && !self.processes.is_empty()
    }

    pub(super) fn memory_pause(&self) -> Duration {
        match &self.host.group {
            Some(group) if group.limits_memory() => PAUSE,
            _ => PAUSE_WITHOUT_GROUP,
        }
    }

    /// Kills the process that uses most when all of them use more than the function has, as the kernel does on Lambda.
    pub(super) fn watch_memory(&mut self) {
        if self.out_of_memory.is_some_and(memory::is_alive) {
            return; // it takes a moment to give its memory back
        }
        let killed = match &self.host.group {
            Some(group) if group.limits_memory() => match group.pressure() {
                Pressure::Fits => None,
                Pressure::Exceeded => group.kill_largest(),
            },
            _ => {
                let groups = self.processes.values().map(|running| running.group);
                memory::kill_beyond(self.host.function.memory_mb, &groups.collect::<Vec<_>>())
            }
        };
        if killed.is_some() {
            debug!(function = %self.host.function.name, ?killed, "out of memory");
            self.out_of_memory = killed;
        }
    }

    pub(super) fn freeze(&mut self) {
        self.frozen = true;
        match &self.host.group {
            Some(group) if group.freezes() => group.freeze(),
            _ => self.signal_all(UnixSignal::SIGSTOP),
        }
    }

    pub(super) fn thaw(&mut self) {
        self.frozen = false;
        if let Some(group) = &self.host.group {
            group.thaw();
        }
        self.thaw_processes();
    }

    /// Kills whatever is left, wherever it hides.
    pub(super) fn kill_group(&self) {
        if let Some(group) = &self.host.group {
            group.kill();
        }
    }
}

/// How often to look at the memory. At the limit of a control group everything stands still until then.
const PAUSE: Duration = Duration::from_millis(20);
/// Without a control group each look reads all of `/proc`.
const PAUSE_WITHOUT_GROUP: Duration = Duration::from_millis(250);
