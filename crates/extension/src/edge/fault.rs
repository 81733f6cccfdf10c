//! Faults of ours: they are counted, said in one line, and can be made on purpose in debug builds.

use std::sync::Arc;

use throughline_extension::Core;
use throughline_extension::counters::{Counter, Counters};

use super::environment::say;

/// From here on every panic, in whatever task, is counted and said. Only where it was: its message
/// may hold what somebody's function sent.
pub(super) fn count(counters: &Arc<Counters>) {
    let counters = Arc::clone(counters);
    std::panic::set_hook(Box::new(move |info| {
        counters.add(Counter::Panic, 1);
        // Each line costs money, and the count is told at the end.
        if counters.count(Counter::Panic) > SAID_MAX {
            return;
        }
        let place = info
            .location()
            .map(|at| format!("{}:{}", at.file(), at.line()));
        let place = place.unwrap_or_default();
        say(&format!(
            "a fault of ours at {place} was caught; the function goes on"
        ));
    }));
}

/// Panics once if `THROUGHLINE_PANIC` names this place. What is shipped has no such variable.
#[cfg(debug_assertions)]
pub(super) fn here(place: &str) {
    if is_due(place) {
        panic!("as it was asked for");
    }
}

/// The same in the midst of the core, at the next event.
#[cfg(debug_assertions)]
pub(super) fn in_core(core: &mut Core) {
    if is_due("core") {
        core.fail_at(throughline_extension::Place::Join, 1);
    }
}

#[cfg(debug_assertions)]
fn is_due(place: &str) -> bool {
    use std::sync::atomic::{AtomicBool, Ordering};

    use throughline_extension::config::Source;

    static DONE: AtomicBool = AtomicBool::new(false);
    let named = super::Environment.value("THROUGHLINE_PANIC");
    named.as_deref() == Some(place) && !DONE.swap(true, Ordering::Relaxed)
}

#[cfg(not(debug_assertions))]
pub(super) fn here(_place: &str) {}

#[cfg(not(debug_assertions))]
pub(super) fn in_core(_core: &mut Core) {}

const SAID_MAX: u64 = 10;
