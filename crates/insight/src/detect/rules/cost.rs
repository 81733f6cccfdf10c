//! What costs more than it did, and why.

use super::{Scene, Suspicion};
use crate::detect::finding::{CostFactor, Kind, Measure, Severity};
use crate::detect::subject::Counts;
use crate::statistics::{median, spread};

/// Whether the last hour costs far more than the same hours of the last days.
#[allow(clippy::cast_precision_loss)] // counts of a week
pub(super) fn judge(scene: &Scene<'_>) -> Option<Suspicion> {
    let now = scene.history.sum(scene.to.saturating_sub(60), scene.to);
    let hours = &scene.usual.hours;
    let known: Vec<f64> = hours
        .iter()
        .map(|hour| hour.counts.cost_usd)
        .filter(|cost| *cost > 0.0)
        .map(f64::ln)
        .collect();
    let usual = median(&mut known.clone())?;
    if known.len() < HOURS_MIN || (now.cost_usd - usual.exp()) * 24.0 < DAY_USD {
        return None;
    }
    let off = now.cost_usd.ln() - usual;
    let scale = spread(&known, usual).max(SCALE_MIN);
    let before = mean(&scene.usual.sum, hours.len() as f64);
    let why = split(&before, &mean(&now, 1.0));
    // More work costs more: that alone is worth a word where it is three times as much.
    let grown = why.iter().any(|(factor, part)| {
        *factor != CostFactor::Volume && *part > (now.cost_usd - before.cost) / 4.0
    });
    let least = if grown { MORE } else { MORE_VOLUME };
    (off > least.ln() && off > SURE * scale).then(|| Suspicion {
        before: Some(Measure {
            value: usual.exp(),
            low: (usual - 1.96 * scale).exp(),
            high: (usual + 1.96 * scale).exp(),
            of: known.len() as u64,
            when: Some(scene.usual.when()),
        }),
        kind: Kind::Cost { why },
        after: Measure::exact(now.cost_usd, now.count),
        since: scene.to.saturating_sub(60),
        severity: Severity::Warning,
        p_value: libm::erfc(off / scale / std::f64::consts::SQRT_2) / 2.0,
    })
}

/// What a cost is the product of, and the cost.
struct Factors {
    cost: f64,
    parts: [(CostFactor, f64); 5],
}

/// What of a difference in cost is due to what, in US dollars an hour, the most first: of what was done in so many
/// hours, each.
pub(crate) fn why(before: (&Counts, f64), now: (&Counts, f64)) -> Vec<(CostFactor, f64)> {
    split(&mean(before.0, before.1), &mean(now.0, now.1))
}

#[allow(clippy::cast_precision_loss)] // counts of a week
fn mean(counts: &Counts, hours: f64) -> Factors {
    let some = |value: f64| value.max(1e-12);
    // Where all are retries, what they retry was before. One is as good as none, and has a logarithm.
    let first = match counts.count {
        0 => some(0.0),
        count => count.saturating_sub(counts.retries).max(1) as f64,
    };
    let warm = some(counts.billed_ms - counts.init_ms);
    let billed = some(counts.billed_ms);
    let count = some(counts.count as f64);
    Factors {
        cost: counts.cost_usd / hours,
        parts: [
            (CostFactor::Volume, first / hours),
            (CostFactor::Retries, count / first),
            (CostFactor::Duration, warm / count),
            (CostFactor::ColdStarts, billed / warm),
            (CostFactor::Memory, some(counts.cost_usd) / billed),
        ],
    }
}

/// What of the difference is due to what, without a rest: the logarithmic mean Divisia index.
fn split(before: &Factors, now: &Factors) -> Vec<(CostFactor, f64)> {
    let (one, other) = (now.cost.max(1e-12), before.cost.max(1e-12));
    let weight = match (one / other).ln() {
        log if log.abs() < 1e-9 => one,
        log => (one - other) / log,
    };
    let parts = now.parts.iter().zip(&before.parts);
    let mut why: Vec<(CostFactor, f64)> = parts
        .map(|((factor, now), (_, before))| (*factor, weight * (now / before).ln()))
        .collect();
    why.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()));
    why
}

/// Hours that a usual cost is known of.
const HOURS_MIN: usize = 3;
/// Less than this more a day, and nobody cares.
const DAY_USD: f64 = 1.0;
/// Half as much again; three times if there is only more to do.
const MORE: f64 = 1.5;
const MORE_VOLUME: f64 = 3.0;
/// Times the spread.
const SURE: f64 = 4.0;
/// A tenth: costs are never steadier than that.
const SCALE_MIN: f64 = 0.1;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_is_split_without_a_rest() {
        let counts = |count, retries, billed_ms, init_ms, cost_usd| Counts {
            count,
            retries,
            billed_ms,
            init_ms,
            cost_usd,
            ..Counts::default()
        };
        let before = counts(1000, 0, 100_000.0, 1_000.0, 2.0);
        let now = counts(1500, 300, 450_000.0, 9_000.0, 9.0);
        let why = why((&before, 1.0), (&now, 1.0));
        let sum: f64 = why.iter().map(|(_, part)| part).sum();
        assert!((sum - 7.0).abs() < 1e-9, "{why:?}");
        assert_eq!(why[0].0, CostFactor::Duration, "{why:?}");

        // Nothing but what was tried before.
        let now = counts(1200, 1300, 120_000.0, 0.0, 2.4);
        let why = super::why((&before, 1.0), (&now, 1.0));
        let sum: f64 = why.iter().map(|(_, part)| part).sum();
        assert!((sum - 0.4).abs() < 1e-9, "{why:?}");
        assert_eq!(why[0].0, CostFactor::Retries, "{why:?}");
        assert!(why[0].1 < 20.0, "not thousands of what it costs: {why:?}");
    }
}
