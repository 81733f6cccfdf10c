//! Whether it came as it was predicted.

use super::curve::Curve;
use super::model::Model;
use super::{Invocation, Measured, Point, Setup, Why};

/// A change of memory that was made, held against what would have been said of it before.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// What it was like before, predicted of itself.
    pub before: Point,
    /// What was predicted for the size that it has now, from the invocations before.
    pub predicted: Point,
    /// What came of it.
    pub verdict: Verdict,
    /// What an invocation costs since, as a part of what it did before.
    pub cost_ratio: f64,
}

/// What came of a change of memory.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Verdict {
    /// Fewer than 200 invocations with the new size.
    TooEarly {
        /// How many there are.
        count: usize,
    },
    /// It is as was predicted, or better.
    AsPredicted {
        /// The mean time of these.
        duration_ms: f64,
    },
    /// It is slower than the change is worth: undo it.
    Slower {
        /// The mean time of these.
        duration_ms: Measured,
        /// What was predicted.
        predicted: Measured,
    },
}

/// What came of a change of memory, of the invocations before and of those since, which have the size that
/// the last one of them has.
///
/// # Errors
///
/// Why nothing could have been said before; and too few if there are none since.
pub fn changed(
    before: &[Invocation],
    since: &[Invocation],
    setup: &Setup<'_>,
) -> Result<Change, Why> {
    let needed = VERIFIED_MIN;
    let memory_mb = since
        .last()
        .ok_or(Why::TooFew { count: 0, needed })?
        .memory_mb;
    let model = Model::fit(before)?;
    let curve = Curve::new(&model, setup);
    let predicted = curve.at(memory_mb);
    let before = curve.at(model.memory_mb);
    Ok(Change {
        verdict: verify(&predicted, since),
        cost_ratio: curve.usd(memory_mb, since) / before.usd.value,
        predicted,
        before,
    })
}

/// The same once there is something to say for good: `None` while there are too few invocations since.
pub fn settled(
    before: &[Invocation],
    since: &[Invocation],
    setup: &Setup<'_>,
) -> Option<Result<Change, Why>> {
    if since.len() < VERIFIED_MIN {
        return None;
    }
    match changed(before, since, setup) {
        Ok(change) if matches!(change.verdict, Verdict::TooEarly { .. }) => None,
        settled => Some(settled),
    }
}

/// Holds the invocations after a change against what was predicted of it; those with other sizes do not
/// count.
pub fn verify(predicted: &Point, invocations: &[Invocation]) -> Verdict {
    let Point {
        memory_mb,
        duration_ms,
        ..
    } = *predicted;
    // What they waited for does not matter here, so that all of their time counts as a wait.
    let since = invocations.iter().filter(|it| it.memory_mb == memory_mb);
    let since: Vec<Invocation> = since
        .map(|it| Invocation {
            cpu_ms: Some(0.0),
            ..*it
        })
        .collect();
    if since.len() < VERIFIED_MIN {
        return Verdict::TooEarly { count: since.len() };
    }
    match Model::fit(&since).map(|model| model.duration(memory_mb)) {
        Err(Why::TooFew { count, .. }) => Verdict::TooEarly { count },
        Err(_) => Verdict::TooEarly { count: since.len() },
        Ok(seen) if seen.low > duration_ms.high => Verdict::Slower {
            duration_ms: seen,
            predicted: duration_ms,
        },
        Ok(seen) => Verdict::AsPredicted {
            duration_ms: seen.value,
        },
    }
}

/// Enough to tell a tenth from chance, for most functions.
pub(super) const VERIFIED_MIN: usize = 200;
