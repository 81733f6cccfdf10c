//! Faults of ours: they are counted, said in one line, and can be made on purpose in debug builds.

use std::sync::Arc;

use throughline_extension::counters::{Counter, Counters};

use super::environment::say;

/// From here on every panic, in whatever task, is counted and said. Only where it was: its message
/// may hold what somebody's function sent.
pub(super) fn count(counters: &Arc<Counters>) {
    let counters = Arc::clone(counters);
    std::panic::set_hook(Box::new(move |info| {
        counters.add(Counter::Panic, 1);
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
    use std::sync::atomic::{AtomicBool, Ordering};

    use throughline_extension::config::Source;

    static DONE: AtomicBool = AtomicBool::new(false);
    let named = super::Environment.value("THROUGHLINE_PANIC");
    if named.as_deref() == Some(place) && !DONE.swap(true, Ordering::Relaxed) {
        panic!("as it was asked for");
    }
}

#[cfg(not(debug_assertions))]
pub(super) fn here(_place: &str) {}
