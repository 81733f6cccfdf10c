//! Which memory a function should have, from how it runs with the memory that it has.
//!
//! [`advise`] takes invocations and predicts how long they would take, and cost, with any other size.
//! Nothing is deployed for it: the processor time of an invocation is measured, and Lambda gives a function
//! a share of the processors in proportion to its memory. What is not processor time is waiting, which no
//! memory shortens:
//!
//! ```text
//! T(m) = wait + cpu / speed(m) - left     speed(m) = min(m / 1769 MB, processors that it can use)
//! ```
//!
//! What is left is one slice of time, in which a share is given at once, less the share of it: short work is
//! over before its share is.
//!
//! - **Intervals** are those of the mean of the predicted times (normal, 95 %), and beside chance a tenth of
//!   what the prediction moves and another slice: waits hide in slices without a share.
//! - **More than one processor** is predicted only for functions that were seen to use more than one.
//! - **No advice** where there are too few invocations, or where they do not behave as the model says: [`Why`].
//! - **Never too small**: a third more than the most memory used fits into every size that is named.
//!
//! [`verify`] holds what was predicted against what came of it, [`changed`] does so for a change that was seen, and
//! [`settled`] for one that is waited for. [`relief`] names a size for a function that is in trouble now.

mod also;
mod choose;
mod curve;
mod model;
mod relief;
mod verify;
mod words;

pub use throughline_prices::Architecture;

pub use also::{Hint, Provisioned};
pub use choose::{Named, Recommendation};
pub use curve::{Fits, Point};
pub use relief::{Need, Relief, relief};
pub use verify::{Change, Verdict, changed, settled, verify};

use curve::Curve;
use model::Model;

/// One invocation that ended by itself, as it was measured.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Invocation {
    /// How long it took, without its initialisation, in milliseconds.
    pub duration_ms: f64,
    /// The processor time of the function's processes; `None` if nobody measured it.
    pub cpu_ms: Option<f64>,
    /// The initialisation that is billed with it; 0 of a warm one.
    pub init_ms: f64,
    /// The memory that it had.
    pub memory_mb: u32,
    /// The most that its environment had used by then.
    pub memory_used_mb: Option<u32>,
}

/// How a function is set up, as far as that is known.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Setup<'a> {
    /// Where it runs: whose prices count.
    pub region: &'a str,
    /// On what; x86 is priced if that is not known.
    pub architecture: Option<Architecture>,
    /// After what it is ended.
    pub timeout_ms: Option<f64>,
    /// What the 99th percentile may be. Without it no size is recommended that makes it a tenth longer.
    pub slow_ms_max: Option<f64>,
    /// Environments that are kept ready.
    pub provisioned: Option<Provisioned>,
}

/// What is said of a function.
#[derive(Clone, Debug, PartialEq)]
pub struct Advice {
    /// With the memory that it has.
    pub now: Point,
    /// How many invocations this is worked out from.
    pub count: usize,
    /// The mean processor time of an invocation, in milliseconds.
    pub cpu_ms: f64,
    /// The mean of what is left with a processor of its own: waiting for others.
    pub wait_ms: f64,
    /// How many processors it was seen to use at once, at least one.
    pub processors: f64,
    /// The most memory that was used.
    pub memory_used_mb: Option<u32>,
    /// Whose prices were taken.
    pub price_region: &'static str,
    /// From 128 MB to 10,240 MB, every 64 MB, and the size that it has.
    pub curve: Vec<Point>,
    /// Three sizes of the curve; `None` where no size fits.
    pub named: Option<Named>,
    /// The size that it should have; `None` where a change is not worth it.
    pub recommendation: Option<Recommendation>,
    /// What else would be better.
    pub also: Vec<Hint>,
    /// What was predicted from these for invocations that were seen with another size.
    pub seen: Vec<Seen>,
}

/// A prediction that can be looked at: the function has also run with this size.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    /// With how much.
    pub memory_mb: u32,
    /// How many invocations.
    pub count: usize,
    /// What they took in the mean.
    pub duration_ms: f64,
    /// What is predicted for them.
    pub predicted: Measured,
}

/// A number, and where the true one lies at 95 %.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measured {
    /// The best guess.
    pub value: f64,
    /// Hardly less.
    pub low: f64,
    /// Hardly more.
    pub high: f64,
}

/// Why nothing is said.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Why {
    /// Too few invocations with the last memory size and a processor time.
    TooFew {
        /// So many there are.
        count: usize,
        /// So many are needed.
        needed: usize,
    },
    /// Nobody measured processor time: there is no extension, or it cannot see the function's processes.
    NoProcessorTime,
    /// They used more processor time than their share: they are over before Lambda holds them back, and
    /// nothing says what they would do with less memory.
    FasterThanItsShare,
    /// They differ so much that the mean is not known within a third.
    TooUnlike,
}

/// What the memory of a function should be, and what else.
///
/// # Errors
///
/// Why nothing can be said.
pub fn advise(invocations: &[Invocation], setup: &Setup<'_>) -> Result<Advice, Why> {
    let model = Model::fit(invocations)?;
    let curve = Curve::new(&model, setup);
    let points = curve.points();
    let now = curve.at(model.memory_mb);
    Ok(Advice {
        count: model.count(),
        cpu_ms: model.cpu_ms,
        wait_ms: model.wait_ms,
        processors: model.processors,
        memory_used_mb: model.memory_used_mb,
        price_region: curve.rates.region,
        named: choose::named(&points),
        recommendation: choose::recommend(&curve, &points, &now, setup.slow_ms_max),
        also: also::hints(&model, setup, &now),
        seen: curve.seen(invocations),
        curve: points,
        now,
    })
}

/// Fewer say nothing; as many as AWS's own advice asks for.
pub(crate) const INVOCATIONS_MIN: usize = 50;

#[cfg(test)]
mod kernel;
#[cfg(test)]
mod tests;
