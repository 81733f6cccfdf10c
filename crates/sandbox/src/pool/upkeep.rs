//! What a pool does without an invocation: environments ahead of them, and new ones when the code changes.

use std::pin::pin;
use std::sync::{Arc, PoisonError};

use tracing::warn;

use super::{Pool, Slot, State};
use crate::code::Prepared;
use crate::environment::Message;
use crate::function::Initialization;

impl Pool {
    /// How many environments are to be there before anyone asks.
    fn provisioned(&self) -> usize {
        match self.function.initialization {
            Initialization::Provisioned(environments) => environments.min(self.concurrency()),
            Initialization::Managed(instances) => {
                instances.environments_min.min(self.concurrency())
            }
            Initialization::OnDemand | Initialization::SnapStart => 0,
        }
    }

    /// How an environment is started for an invocation: on Managed Instances as one that stays, if too few of those are
    /// there.
    pub(super) fn kept_or_not(&self, state: &State) -> Ahead {
        let managed = self.function.initialization.is_managed();
        if managed && state.kept() < self.provisioned() {
            Ahead::Yes
        } else {
            Ahead::No
        }
    }

    /// Forgets an environment that takes no more invocations. On Managed Instances another one comes in its place, but not
    /// for one that has never served: its code may never work, and then each invocation tries again.
    pub(super) fn replace(self: &Arc<Self>, id: u64) {
        let mut state = self.state();
        let index = state.slots.iter().position(|slot| slot.id == id);
        let slot = index.map(|index| state.slots.remove(index));
        drop(state);
        self.changed.notify_waiters();
        if slot.is_some_and(|slot| slot.served && slot.ahead)
            && let Err(error) = self.provision()
        {
            warn!(function = %self.function.name, %error, "environment not replaced");
        }
    }

    /// Starts as many environments ahead as are missing.
    pub(crate) fn provision(self: &Arc<Self>) -> std::io::Result<()> {
        let mut state = self.state();
        if state.closing {
            return Ok(());
        }
        let there = state.kept();
        let room = self.concurrency().saturating_sub(state.slots.len());
        let missing = self.provisioned().saturating_sub(there).min(room);
        for _ in 0..missing {
            let mut slot = self.start_environment(&mut state, Ahead::Yes)?;
            slot.taken = 1;
            // The queue of a new environment has room.
            let _ = slot.messages.try_send(Message::Init);
            state.slots.push(slot);
        }
        Ok(())
    }

    /// Waits until the environments that were started ahead have had their init, whatever came of it.
    pub(crate) async fn provided(&self) {
        loop {
            let mut changed = pin!(self.changed.notified());
            changed.as_mut().enable();
            if self.state().slots.iter().all(Slot::is_idle) {
                return;
            }
            changed.await;
        }
    }

    /// Takes other parts for environments to come. Those that sleep end now, those that work when they are done.
    pub(crate) fn reload(self: &Arc<Self>, prepared: Prepared) -> std::io::Result<()> {
        *self.prepared.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(prepared);
        let mut state = self.state();
        if state.closing {
            return Ok(());
        }
        for slot in &mut state.slots {
            slot.outdated = true;
        }
        state.end_outdated();
        drop(state);
        self.changed.notify_waiters();
        self.provision()
    }
}

impl State {
    /// The environments that stay, used or not. One with old code ends after its invocation, and is replaced now.
    fn kept(&self) -> usize {
        let stays = |slot: &&Slot| slot.ahead && !slot.outdated;
        self.slots.iter().filter(stays).count()
    }

    /// Ends the environments with old code that have nothing to do.
    pub(super) fn end_outdated(&mut self) {
        self.slots.retain(|slot| {
            let ends = slot.outdated && slot.is_idle();
            if ends {
                end(slot);
            }
            !ends
        });
    }
}

/// Shuts down an environment that sleeps.
pub(super) fn end(slot: &Slot) {
    // Its queue has room, or it has ended already.
    let _ = slot.messages.try_send(Message::Shutdown);
}

/// Whether an environment is started before its invocations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ahead {
    Yes,
    No,
}
