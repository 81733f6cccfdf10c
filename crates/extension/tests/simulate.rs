//! The whole core in a simulated world: a platform that freezes, times out and kills, a server that
//! is slow, down, or answers nonsense, a `/tmp` that is full or gone, a clock that jumps. One seed
//! decides everything; after every step the books must be right, and at the end every id that was
//! accepted is delivered, printed, or counted under a reason.
//!
//! `THROUGHLINE_SEEDS=100000` runs more seeds, `THROUGHLINE_SEED=17` only that one and says what happens.

#![allow(clippy::unwrap_used)]
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    reason = "numbers of a simulated world, all of them small"
)]

#[path = "simulate/platform.rs"]
mod platform;
#[path = "simulate/random.rs"]
mod random;
#[path = "simulate/server.rs"]
mod server;
#[path = "simulate/tmp.rs"]
mod tmp;
#[path = "simulate/world.rs"]
mod world;

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

use world::{Tally, World};

#[test]
fn whatever_happens_nothing_is_lost_silently_and_nobody_waits() {
    say_no_asked_for_panics();
    if let Some(seed) = number("THROUGHLINE_SEED") {
        let tally = World::new(seed, true).live();
        println!("{tally:?}");
        assert!(!PANICKED.get());
        return;
    }
    let seeds = number("THROUGHLINE_SEEDS").unwrap_or(1000);
    let threads = std::thread::available_parallelism().map_or(1, |count| count.get() as u64);
    let workers = (0..threads).map(|worker| {
        std::thread::spawn(move || {
            let mut sum = Tally::default();
            for seed in (worker..seeds).step_by(threads as usize) {
                match catch_unwind(AssertUnwindSafe(|| World::new(seed, false).live())) {
                    Ok(tally) if !PANICKED.take() => sum.add(&tally),
                    _ => panic!("seed {seed} failed: THROUGHLINE_SEED={seed} repeats it"),
                }
            }
            sum
        })
    });
    let mut sum = Tally::default();
    for worker in workers.collect::<Vec<_>>() {
        sum.add(&worker.join().expect("the seed is said above"));
    }
    println!("{seeds} seeds: {sum:?}");
    // A world in which nothing ever goes wrong proves nothing.
    assert!(sum.delivered > 0 && sum.printed > 0 && sum.dropped > 0 && sum.kills > 0);
    assert!(sum.faults > 0);
    assert!(sum.freezes > 0 && sum.timeouts > 0 && sum.spilled > 0 && sum.jumps > 0);
}

thread_local! {
    /// Whether this thread panicked otherwise: the core goes on after that as after what was asked for.
    static PANICKED: Cell<bool> = const { Cell::new(false) };
}

/// There are thousands of them.
fn say_no_asked_for_panics() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if info.payload().downcast_ref::<&str>() != Some(&"as it was asked for") {
            PANICKED.set(true);
            usual(info);
        }
    }));
}

#[allow(clippy::disallowed_methods)] // What a test is told.
fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}
