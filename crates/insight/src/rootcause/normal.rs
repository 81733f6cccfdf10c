//! What is normal for a node, and how far from it something is.

use super::{Evidence, NodeSeries, Step, Symptom};
use crate::statistics::{median, spread};

/// What a node varies by when all is well.
pub(super) struct Normal {
    symptom: Symptom,
    /// The level that things are held against.
    median: f64,
    /// What it was when all was well.
    middle: f64,
    scale: f64,
    /// The most that two steps in a row both reached.
    worst: f64,
}

/// How far it is from that.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Excess {
    evidence: Evidence,
    /// Whether it is worse than ever.
    is_worst: bool,
}

impl Normal {
    /// None of what was never called. `now` may lower the level: days differ, and what is worse than the better
    /// steps of its own hour has become worse, even if it was so on another day.
    pub(super) fn of(node: &NodeSeries, symptom: Symptom) -> Option<Self> {
        let values = |steps: &[Step]| -> Vec<f64> {
            steps
                .iter()
                .filter_map(|step| value(step, symptom))
                .collect()
        };
        let (mut known, mut now) = (values(&node.normal), values(&node.now));
        let worst = known
            .windows(2)
            .map(|two| two[0].min(two[1]))
            .fold(0.0, f64::max);
        let middle = median(&mut known)?;
        now.sort_by(f64::total_cmp);
        now.truncate(now.len().div_ceil(BETTER_OF));
        let level = median(&mut now).map_or(middle, |level| level.min(middle));
        let floor = match symptom {
            Symptom::Slow => middle * STEADIEST,
            Symptom::Failing => STEADIEST_SHARE,
        };
        let scale = spread(&known, middle).max(floor).max(f64::MIN_POSITIVE);
        Some(Normal {
            symptom,
            median: level,
            middle,
            scale,
            worst,
        })
    }

    /// The same, for the steps when all was well: held against what they were.
    pub(super) fn when_all_was_well(&self) -> Self {
        Normal {
            median: self.middle,
            ..*self
        }
    }

    /// The same, held against the steps in which the symptom is not there, if there are some: what was as bad before
    /// it began and after it ended is not where it comes from.
    pub(super) fn around(node: &NodeSeries, symptom: Symptom, steps: &[usize]) -> Option<Self> {
        let normal = Self::of(node, symptom)?;
        let others = node
            .now
            .iter()
            .enumerate()
            .filter(|(at, _)| !steps.contains(at));
        let mut others: Vec<f64> = others
            .filter_map(|(_, step)| value(step, symptom))
            .collect();
        let level = median(&mut others).filter(|_| others.len() >= OTHERS_MIN);
        Some(Normal {
            median: level.unwrap_or(normal.median),
            ..normal
        })
    }

    /// What is less is nothing, where nobody has asked.
    fn least(&self) -> f64 {
        match self.symptom {
            Symptom::Slow => SLOWER_MS,
            Symptom::Failing => MORE_FAIL,
        }
    }

    /// None where nothing was called.
    pub(super) fn excess(&self, step: &Step) -> Option<Excess> {
        let after = value(step, self.symptom)?;
        let scale = match self.symptom {
            Symptom::Slow => self.scale,
            // One failure more or less is chance.
            Symptom::Failing => {
                let share = self.median.max(1.0 / step.count);
                self.scale.max((share / step.count).sqrt())
            }
        };
        Some(Excess {
            evidence: Evidence {
                before: self.median,
                after,
                z: (after - self.median) / scale,
                calls: step.count,
            },
            is_worst: after > self.worst * SLOWER && after > self.worst + self.least(),
        })
    }
}

impl Excess {
    pub(super) fn evidence(&self) -> Evidence {
        self.evidence
    }

    pub(super) fn calls(&self) -> f64 {
        self.evidence.calls
    }

    fn is_bad(&self, symptom: Symptom, z_min: f64) -> bool {
        let Evidence {
            before, after, z, ..
        } = self.evidence;
        let is_much = match symptom {
            Symptom::Slow => after > before * SLOWER,
            Symptom::Failing => after > before + MORE_FAIL,
        };
        z >= z_min && is_much
    }

    fn is_alarming(&self, symptom: Symptom) -> bool {
        self.is_bad(symptom, Z_MIN) && self.is_worst && self.calls() >= CALLS_MIN
    }

    /// What there is more than usual, in all calls; 0 if it varies by so much anyhow.
    pub(super) fn total(&self) -> f64 {
        let Evidence {
            before,
            after,
            z,
            calls,
        } = self.evidence;
        if z >= Z_MIN {
            (after - before) * calls
        } else {
            0.0
        }
    }

    /// Near 1 of what is far beyond what it varies by; a half at ten times.
    pub(super) fn certainty(&self) -> f64 {
        self.evidence.z / (self.evidence.z + 10.0)
    }
}

/// Whether two steps in a row are bad enough to be told when somebody asks about them: together what one would have
/// to be, and each by itself half of it.
pub(super) fn are_bad(one: &Excess, other: &Excess, symptom: Symptom) -> bool {
    let each = [one, other]
        .into_iter()
        .all(|excess| excess.is_bad(symptom, Z_MIN / 2.0));
    each && one.evidence.z + other.evidence.z >= 2.0 * Z_MIN
}

/// Whether they are so bad that they should be told when nobody asks.
pub(super) fn are_alarming(one: &Excess, other: &Excess, symptom: Symptom) -> bool {
    [one, other]
        .into_iter()
        .all(|excess| excess.is_alarming(symptom))
}

fn value(step: &Step, symptom: Symptom) -> Option<f64> {
    match symptom {
        Symptom::Slow => step.mean_ms,
        Symptom::Failing => (step.count > 0.0).then(|| step.errors / step.count),
    }
}

/// Iglewicz and Hoaglin's bound for what is no chance.
pub(super) const Z_MIN: f64 = 3.5;
/// A tenth slower, or half a percent more that fail, or nobody asks.
const SLOWER: f64 = 1.1;
const MORE_FAIL: f64 = 0.005;
/// What a mean varies by at least, of itself; and a share of failures.
const STEADIEST: f64 = 0.02;
const STEADIEST_SHARE: f64 = 0.001;
/// Milliseconds that somebody notices.
const SLOWER_MS: f64 = 20.0;
/// Calls in a step, or nobody is woken.
const CALLS_MIN: f64 = 20.0;
/// One in so many steps, the better ones, is the level of now: two of five.
const BETTER_OF: usize = 3;
/// Steps without the symptom, or they say nothing of how it was just before.
const OTHERS_MIN: usize = 2;
