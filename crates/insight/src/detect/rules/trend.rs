//! When what takes longer from day to day reaches its timeout.

use crate::detect::history::{History, Minute, QUANTILES};
use crate::statistics::median;

/// The slowest hour of a day.
#[derive(Clone, Copy)]
struct Slowest {
    /// How many days ago, in whole ones.
    days_ago: f64,
    /// How many hours ago.
    hours_ago: f64,
    millis: f64,
}

/// In how many days the trend of the slowest hours of the last days reaches the timeout, if it does within a week: the
/// median of all slopes (Theil and Sen), if nine of ten go up. At the highest quantile for which enough of these days
/// have an hour with calls enough.
pub(super) fn days_left(history: &History, to: Minute, timeout_ms: f64) -> Option<f64> {
    let known: Vec<_> = (0..7).map(|day| slowest(history, to, day)).collect();
    let days = (0..QUANTILES.len())
        .map(|at| known.iter().filter_map(|day| day[at]).collect::<Vec<_>>())
        .find(|days| days.len() >= DAYS_MIN)?;
    let mut slopes = Vec::new();
    for (at, later) in days.iter().enumerate() {
        let others = days[at + 1..].iter();
        slopes.extend(
            others.map(|earlier| {
                (later.millis - earlier.millis) / (earlier.days_ago - later.days_ago)
            }),
        );
    }
    let up = slopes.iter().filter(|slope| **slope > 0.0).count();
    let latest = days.first()?;
    if up * 10 < slopes.len() * 9 || latest.millis < timeout_ms / 2.0 {
        return None;
    }
    let left = (timeout_ms - latest.millis).max(0.0) / median(&mut slopes)?;
    // Hours in which something is wrong are left out, so the latest may be from yesterday.
    (left <= DAYS_MAX).then(|| (left - latest.hours_ago / 24.0).max(0.0))
}

/// The slowest hour of each quantile, on a day that ended so many days ago.
#[allow(clippy::cast_precision_loss)] // hours of a week
fn slowest(history: &History, to: Minute, day: u64) -> [Option<Slowest>; QUANTILES.len()] {
    let mut slowest: [Option<Slowest>; QUANTILES.len()] = Default::default();
    for ago in day * 24 + 1..=day * 24 + 24 {
        let Some(hour) = history.hour_before(to, ago) else {
            continue;
        };
        for (slowest, known) in slowest.iter_mut().zip(hour.quantiles) {
            let is_slower = |known: f64| slowest.is_none_or(|slowest| known > slowest.millis);
            if let Some(known) = known.filter(|known| is_slower(known.value)) {
                *slowest = Some(Slowest {
                    days_ago: day as f64,
                    hours_ago: ago as f64,
                    millis: known.value,
                });
            }
        }
    }
    slowest
}

/// Days that must be known.
const DAYS_MIN: usize = 4;
/// What is further away nobody needs to know yet.
const DAYS_MAX: f64 = 7.0;
