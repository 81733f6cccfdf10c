//! Which sizes have names, and which one is worth a change.

use super::curve::Curve;
use super::{Fits, Measured, Point};

/// Three sizes that fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Named {
    /// Costs least.
    pub cheapest_mb: u32,
    /// The least sum of cost and time, each as a part of the most of it on the curve.
    pub balanced_mb: u32,
    /// The smallest of those that are within a hundredth of the least time.
    pub fastest_mb: u32,
}

/// A size that is worth a change. As text it is what can be: `can run 2.1x faster for 4 % less with 1,024 MB`.
#[derive(Clone, Debug, PartialEq)]
pub struct Recommendation {
    /// What is predicted with it.
    pub point: Point,
    /// Its mean time as a part of what it is now.
    pub duration_ratio: Measured,
    /// What it costs as a part of what it costs now.
    pub cost_ratio: Measured,
}

pub(super) fn named(points: &[Point]) -> Option<Named> {
    let fitting = || points.iter().filter(|point| point.fits == Fits::Yes);
    let most = |of: fn(&Point) -> f64| fitting().map(of).fold(0.0, f64::max);
    let (cost_max, time_max) = (most(cost), most(time));
    let both = |point: &Point| cost(point) / cost_max + time(point) / time_max;
    let least = fitting().map(time).fold(f64::INFINITY, f64::min);
    Some(Named {
        cheapest_mb: lowest(fitting(), cost)?.memory_mb,
        balanced_mb: lowest(fitting(), both)?.memory_mb,
        fastest_mb: fitting()
            .find(|point| time(point) <= least * (1.0 + AS_FAST))?
            .memory_mb,
    })
}

/// The best balanced one of those that are worth it.
pub(super) fn recommend(
    curve: &Curve<'_>,
    points: &[Point],
    now: &Point,
    slow_ms_max: Option<f64>,
) -> Option<Recommendation> {
    let slow_ms_max = match slow_ms_max {
        Some(wanted) => wanted.max(now.slow_ms),
        None => now.slow_ms * (1.0 + SLOWER_MAX),
    };
    let others = points.iter().filter(|point| {
        point.fits == Fits::Yes && point.memory_mb != now.memory_mb && point.slow_ms <= slow_ms_max
    });
    let candidates = others.map(|point| Recommendation {
        duration_ratio: curve.model.duration_ratio(point.memory_mb),
        cost_ratio: curve.cost_ratio(point.memory_mb),
        point: point.clone(),
    });
    let both = |it: &Recommendation| it.cost_ratio.value + it.duration_ratio.value;
    candidates
        .filter(Recommendation::is_worth_it)
        .min_by(|one, other| both(one).total_cmp(&both(other)))
}

impl Recommendation {
    /// A tenth cheaper, or 15 % faster for at most 2 % more, and neither by chance.
    fn is_worth_it(&self) -> bool {
        let (time, cost) = (self.duration_ratio, self.cost_ratio);
        let saves = cost.value <= 1.0 - SAVING_MIN && cost.high < 1.0;
        let faster = time.value <= 1.0 - FASTER_MIN && time.high < 1.0;
        saves || (faster && cost.value <= 1.0 + DEARER_MAX)
    }
}

fn lowest<'a>(
    points: impl Iterator<Item = &'a Point>,
    of: impl Fn(&Point) -> f64,
) -> Option<&'a Point> {
    points.min_by(|one, other| of(one).total_cmp(&of(other)))
}

fn cost(point: &Point) -> f64 {
    point.usd.value
}

fn time(point: &Point) -> f64 {
    point.duration_ms.value
}

const AS_FAST: f64 = 0.01;
const SAVING_MIN: f64 = 0.1;
const FASTER_MIN: f64 = 0.15;
const DEARER_MAX: f64 = 0.02;
/// Half of what would be noticed as a regression.
const SLOWER_MAX: f64 = 0.1;
