//! Whether it came as it was predicted.

use super::model::Model;
use super::{Invocation, Measured, Point, Recommendation, Why};

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

/// Holds the invocations after a change against what was predicted of it; those with other sizes do not
/// count.
pub fn verify(predicted: &Recommendation, invocations: &[Invocation]) -> Verdict {
    let Point {
        memory_mb,
        duration_ms,
        ..
    } = predicted.point;
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
const VERIFIED_MIN: usize = 200;
