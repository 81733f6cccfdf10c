//! The minute in which something begins.

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Duration;

use throughline_telemetry::UnixNanos;

use crate::detect::{Node, Subject};
use crate::facts::{Did, Facts, Failing};
use crate::question::Symptom;

/// When a symptom begins that is in these steps: the minute that best tells what is before it from what is after,
/// looked for from a while before the first step on. It is the first step where that cannot be told.
pub(super) fn find(
    facts: &Facts,
    node: &Node,
    symptom: Symptom,
    steps: Range<UnixNanos>,
) -> UnixNanos {
    let times = steps.start.minus(LOOK_BACK)..steps.end.min(steps.start.plus(LOOK_ON));
    let subject = Subject::Node(node.clone());
    let minutes: BTreeMap<UnixNanos, f64> = facts
        .between(&times)
        .filter(|((_, of), _)| *of == subject)
        .map(|((minute, _), did)| (*minute, value(did, symptom)))
        .collect();
    let minutes: Vec<(UnixNanos, f64)> = minutes.into_iter().collect();
    let values: Vec<f64> = minutes.iter().map(|(_, value)| *value).collect();
    split(&values).map_or(steps.start, |at| minutes[at].0)
}

/// Where the values after are most unlike those before, and higher: least squares.
#[allow(clippy::cast_precision_loss)] // some minutes
fn split(values: &[f64]) -> Option<usize> {
    let mean = |part: &[f64]| part.iter().sum::<f64>() / part.len() as f64;
    let better = (1..values.len()).filter_map(|at| {
        let (before, after) = values.split_at(at);
        let rise = mean(after) - mean(before);
        let weight = before.len() as f64 * after.len() as f64;
        (rise > 0.0).then_some((at, weight * rise * rise))
    });
    better.max_by(|a, b| a.1.total_cmp(&b.1)).map(|(at, _)| at)
}

fn value(did: &Did, symptom: Symptom) -> f64 {
    match symptom {
        Symptom::Error => did.part(Failing::All),
        Symptom::Timeout => did.part(Failing::TimedOut),
        Symptom::Throttle => did.part(Failing::Throttled),
        Symptom::ColdStart => did.part(Failing::Cold),
        _ => did.mean_ms(),
    }
}

const LOOK_BACK: Duration = Duration::from_secs(20 * 60);
/// Of what lasts longer, the beginning tells.
const LOOK_ON: Duration = Duration::from_secs(20 * 60);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_split_where_they_rise() {
        assert_eq!(split(&[1.0, 2.0, 1.0, 9.0, 8.0, 9.0, 9.0]), Some(3));
        assert_eq!(split(&[1.0, 1.0, 9.0]), Some(2));
        assert_eq!(split(&[9.0, 8.0, 1.0]), None);
        assert_eq!(split(&[]), None);
        assert_eq!(split(&[4.0]), None);
    }
}
