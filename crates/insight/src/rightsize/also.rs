//! What else than the memory size would be better.

use throughline_prices::{Architecture, rates};

use super::curve::{terms, with_headroom};
use super::model::Model;
use super::{Point, Setup};

/// Environments that are kept ready.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Provisioned {
    /// How many.
    pub environments: u32,
    /// The part of their time in which they were at work, 0 to 1.
    pub used: f64,
}

/// What else would be better. As text it is a sentence.
#[derive(Clone, Debug, PartialEq)]
pub enum Hint {
    /// The function has used nearly all of its memory.
    MoreMemory {
        /// The most that it used.
        used_mb: u32,
        /// What it has.
        memory_mb: u32,
        /// What leaves a third of it free.
        enough_mb: u32,
    },
    /// Time costs less on arm64. How much of it is needed there nobody has measured.
    Arm {
        /// By how much the time costs less, as a part of what it costs.
        saves: f64,
    },
    /// The slowest are near the timeout.
    TimeoutNear {
        /// The 99th percentile.
        slow_ms: f64,
        /// The timeout.
        timeout_ms: f64,
        /// Room enough.
        enough_ms: f64,
    },
    /// Whatever hangs is paid for until the timeout, which nothing comes near to.
    TimeoutFar {
        /// The longest that was seen.
        longest_ms: f64,
        /// The timeout.
        timeout_ms: f64,
        /// Room enough.
        enough_ms: f64,
    },
    /// Environments are kept ready that are hardly used: on demand costs less.
    Provisioned(Provisioned),
}

pub(super) fn hints(model: &Model, setup: &Setup<'_>, now: &Point) -> Vec<Hint> {
    let timeout = setup.timeout_ms.filter(|timeout| *timeout > 0.0);
    let found = [
        memory(model),
        timeout.and_then(|timeout_ms| near(model, now, timeout_ms)),
        timeout.and_then(|timeout_ms| far(model, timeout_ms)),
        arm(setup),
        setup
            .provisioned
            .filter(|it| it.environments > 0 && it.used < PROVISIONED_MIN)
            .map(Hint::Provisioned),
    ];
    found.into_iter().flatten().collect()
}

fn memory(model: &Model) -> Option<Hint> {
    let (used_mb, memory_mb) = (model.memory_used_mb?, model.memory_mb);
    let is_tight = u64::from(used_mb) * 10 > u64::from(memory_mb) * 9;
    is_tight.then(|| Hint::MoreMemory {
        used_mb,
        memory_mb,
        enough_mb: with_headroom(used_mb).next_multiple_of(64),
    })
}

fn arm(setup: &Setup<'_>) -> Option<Hint> {
    if setup.architecture != Some(Architecture::X86) {
        return None;
    }
    let price = |of| rates(terms(setup, of)).gb_second;
    let saves = 1.0 - price(Architecture::Arm) / price(Architecture::X86);
    (saves > 0.0).then_some(Hint::Arm { saves })
}

fn near(model: &Model, now: &Point, timeout_ms: f64) -> Option<Hint> {
    let slow_ms = now.slow_ms;
    let enough_ms = whole_seconds(model.longest() * 2.0);
    (slow_ms > timeout_ms * NEAR && enough_ms > timeout_ms).then_some(Hint::TimeoutNear {
        slow_ms,
        timeout_ms,
        enough_ms,
    })
}

fn far(model: &Model, timeout_ms: f64) -> Option<Hint> {
    let longest_ms = model.longest();
    let enough_ms = whole_seconds(longest_ms * 10.0).max(FAR_MS);
    let is_far = model.count() >= FAR_INVOCATIONS && timeout_ms >= 2.0 * enough_ms;
    is_far.then_some(Hint::TimeoutFar {
        longest_ms,
        timeout_ms,
        enough_ms,
    })
}

fn whole_seconds(ms: f64) -> f64 {
    (ms / 1e3).ceil() * 1e3
}

/// Below this part of their time, environments that are kept ready cost more than those on demand: a
/// second that waits costs a quarter of one on demand, one at work 58 % of it (us-east-1).
const PROVISIONED_MIN: f64 = 0.6;
const NEAR: f64 = 0.8;
/// No shorter timeout is proposed.
const FAR_MS: f64 = 15_000.0;
/// What is rare must have had a chance to be seen.
const FAR_INVOCATIONS: usize = 1000;
