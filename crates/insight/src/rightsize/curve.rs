//! Time and cost over all sizes.

use throughline_prices::{Architecture, Rates, Terms, rates};

use super::model::Model;
use super::{INVOCATIONS_MIN, Invocation, Measured, Seen, Setup};

/// A function with some size.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    /// The size.
    pub memory_mb: u32,
    /// How long an invocation takes in the mean, in milliseconds.
    pub duration_ms: Measured,
    /// The 99th percentile of it; of fewer than a hundred the longest.
    pub slow_ms: f64,
    /// What an invocation costs in the mean, in US dollars, its part of the initialisations included.
    pub usd: Measured,
    /// Whether the function should have this size at all.
    pub fits: Fits,
}

/// Whether a function should have a size at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fits {
    /// It may.
    Yes,
    /// A third more than the most that it used does not fit, or nobody knows what it uses and this is less
    /// than it has.
    TooLittleMemory,
    /// It would take longer than now and more than half of its timeout.
    NearTimeout,
}

pub(super) struct Curve<'a> {
    pub(super) model: &'a Model,
    pub(super) rates: Rates,
    timeout_ms: Option<f64>,
    memory_mb_min: u32,
    slow_now: f64,
}

impl<'a> Curve<'a> {
    pub(super) fn new(model: &'a Model, setup: &Setup<'_>) -> Self {
        Curve {
            rates: rates(terms(
                setup,
                setup.architecture.unwrap_or(Architecture::X86),
            )),
            timeout_ms: setup.timeout_ms,
            memory_mb_min: model.memory_used_mb.map_or(model.memory_mb, with_headroom),
            slow_now: model.slow(model.memory_mb),
            model,
        }
    }

    pub(super) fn points(&self) -> Vec<Point> {
        let steps = (MEMORY_MB_MIN..=MEMORY_MB_MAX).step_by(STEP_MB);
        let mut sizes: Vec<u32> = steps.chain([self.model.memory_mb]).collect();
        sizes.sort_unstable();
        sizes.dedup();
        sizes.into_iter().map(|size| self.at(size)).collect()
    }

    pub(super) fn at(&self, memory_mb: u32) -> Point {
        let slow_ms = self.model.slow(memory_mb);
        let is_near = |timeout: f64| slow_ms > (timeout * PART_OF_TIMEOUT).max(self.slow_now);
        Point {
            memory_mb,
            duration_ms: self.model.duration(memory_mb),
            slow_ms,
            usd: self.model.cost(memory_mb, self.price()),
            fits: if memory_mb < self.memory_mb_min {
                Fits::TooLittleMemory
            } else if self.timeout_ms.is_some_and(is_near) {
                Fits::NearTimeout
            } else {
                Fits::Yes
            },
        }
    }

    pub(super) fn cost_ratio(&self, memory_mb: u32) -> Measured {
        self.model.cost_ratio(memory_mb, self.price())
    }

    /// What is predicted for sizes that the function had before, beside what was seen of them.
    pub(super) fn seen(&self, invocations: &[Invocation]) -> Vec<Seen> {
        let mut sizes: Vec<u32> = invocations.iter().map(|it| it.memory_mb).collect();
        sizes.sort_unstable();
        sizes.dedup();
        let others = sizes
            .into_iter()
            .filter(|size| *size != self.model.memory_mb);
        let of = |size: u32| invocations.iter().filter(move |it| it.memory_mb == size);
        let known = others.filter(|size| of(*size).count() >= INVOCATIONS_MIN);
        #[allow(clippy::cast_precision_loss)] // thousands
        let seen = known.map(|memory_mb| {
            let sum: f64 = of(memory_mb).map(|it| it.duration_ms).sum();
            let count = of(memory_mb).count();
            Seen {
                memory_mb,
                count,
                duration_ms: sum / count as f64,
                predicted: self.model.duration(memory_mb),
            }
        });
        seen.collect()
    }

    /// What invocations with a size cost in the mean, in US dollars.
    #[allow(clippy::cast_precision_loss)] // thousands
    pub(super) fn usd(&self, memory_mb: u32, invocations: &[Invocation]) -> f64 {
        let price = self.price();
        let of = || invocations.iter().filter(|it| it.memory_mb == memory_mb);
        let billed = of().map(|it| it.duration_ms + it.init_ms.max(0.0));
        let sum: f64 = billed.map(|ms| price(ms, memory_mb)).sum();
        sum / of().count().max(1) as f64
    }

    /// The price of milliseconds with a size.
    fn price(&self) -> impl Fn(f64, u32) -> f64 {
        let rates = self.rates;
        move |ms, memory_mb| rates.usd(ms, f64::from(memory_mb))
    }
}

/// What is paid for a function on some processors.
pub(super) fn terms<'a>(setup: &Setup<'a>, architecture: Architecture) -> Terms<'a> {
    Terms {
        region: setup.region,
        architecture,
        initialization: "on-demand",
        ephemeral_bytes: 0,
        // What it will cost is asked, not what it did.
        day: None,
    }
}

/// The least that somebody should have who uses so much.
pub(super) fn with_headroom(used_mb: u32) -> u32 {
    (used_mb.saturating_mul(13)).div_ceil(10)
}

const MEMORY_MB_MIN: u32 = 128;
/// Lambda takes more, which runs on instances of one's own.
const MEMORY_MB_MAX: u32 = 10_240;
const STEP_MB: usize = 64;
/// The 99th percentile with another size is to be no more of the timeout.
const PART_OF_TIMEOUT: f64 = 0.5;
