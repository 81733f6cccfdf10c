//! A thread that sends what is open when an invocation is about to run out of its time, also while the function's own
//! threads are busy.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use crate::clock::now_millis;
use crate::invocation::Invocation;

#[derive(Debug, Default)]
pub(crate) struct Watch(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    is_running: bool,
    /// When the thread looks again, in milliseconds since 1970.
    looks_at: u64,
    watched: Vec<(u64, Weak<Invocation>)>,
}

impl Watch {
    /// Watches an invocation that the platform ends at `deadline`, in milliseconds since 1970.
    pub(crate) fn begin(&self, invocation: &Arc<Invocation>, deadline: u64) {
        let now = now_millis();
        let left = deadline.saturating_sub(now);
        let due = deadline.saturating_sub(BEFORE_DEADLINE_MS.min(left / 10));
        if left == 0 || left > LONGEST_MS {
            return;
        }
        let mut state = self.0.lock();
        state.watched.push((due, Arc::downgrade(invocation)));
        if !state.is_running {
            state.is_running = true;
            state.looks_at = due;
            let shared = Arc::clone(&self.0);
            let thread = std::thread::Builder::new().name("throughline".to_owned());
            // Without the thread a timeout is told by the extension alone.
            drop(thread.stack_size(STACK_BYTES).spawn(move || shared.run()));
        } else if due < state.looks_at {
            state.looks_at = due;
            self.0.changed.notify_one();
        }
    }

    pub(crate) fn end(&self, invocation: &Arc<Invocation>) {
        let mut state = self.0.lock();
        let other = |watched: &Weak<Invocation>| watched.as_ptr() != Arc::as_ptr(invocation);
        state.watched.retain(|(_, watched)| other(watched));
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self) {
        let mut state = self.lock();
        loop {
            let now = now_millis();
            let late = state.watched.extract_if(.., |(due, _)| *due <= now);
            let late: Vec<_> = late.filter_map(|(_, watched)| watched.upgrade()).collect();
            if !late.is_empty() {
                drop(state);
                late.iter()
                    .for_each(|invocation| invocation.sdk.unfinished(invocation));
                drop(late);
                state = self.lock();
                continue;
            }
            let next = state.watched.iter().map(|(due, _)| *due).min();
            state.looks_at = next.unwrap_or(u64::MAX);
            let wait = next.map_or(LONGEST_MS, |next| next - now);
            let wait = Duration::from_millis(wait);
            let waited = self.changed.wait_timeout(state, wait);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

/// So long before the deadline what is open is sent as unfinished; a tenth of the time if that is less.
const BEFORE_DEADLINE_MS: u64 = 100;
/// Lambda gives a function 15 minutes; what says more is no deadline.
const LONGEST_MS: u64 = 24 * 60 * 60 * 1_000;
const STACK_BYTES: usize = 256 << 10;
