//! What is called once an hour or once a day, and is not called any more.

use super::Suspicion;
use crate::detect::finding::{Kind, Measure, Severity};
use crate::detect::history::{History, Minute};

/// Whether hours went by without a call that had one on each of the last seven days. Of calls that come by chance, as
/// many an hour as makes it most probable, each such hour has a chance of a twentieth, and one of that kind that has
/// no other hour with calls near it on any day has one in a million.
pub(super) fn judge(history: &History, to: Minute) -> Option<Suspicion> {
    let silent = (to / 60).checked_sub(history.last / 60 + 1)?;
    let mut p_value: f64 = 1.0;
    for hours in 1..=silent.min(HOURS_MAX) {
        let Some(days) = days_with_calls(history, to, hours) else {
            continue;
        };
        p_value *= (days / (days + 1.0)).powf(days) / (days + 1.0);
        let alone = [-2, -1, 1, 2].into_iter().all(|beside| {
            let beside = hours.checked_add_signed(beside);
            beside.is_some_and(|hours| hours > 0 && is_empty(history, to, hours))
        });
        if alone {
            p_value = p_value.min(ALONE.powf(days));
        }
    }
    (p_value < super::WORTH_KEEPING).then(|| Suspicion {
        kind: Kind::Silence,
        // Too rare for a number in a quarter of an hour.
        before: None,
        after: Measure::exact(0.0, 1),
        since: history.last + 1,
        severity: Severity::Warning,
        p_value,
    })
}

/// On how many days the hour so many hours before this one had calls, if it had some on all that are known and a week
/// before, and nothing was wrong on five and more of them.
fn days_with_calls(history: &History, to: Minute, hours: u64) -> Option<f64> {
    let days = (1..=7).map(|day| history.calls_before(to, hours + 24 * day));
    let days: Vec<Option<u64>> = days.collect();
    let known = days.iter().flatten();
    let is_rhythm = known.clone().count() >= DAYS_MIN
        && known.clone().all(|calls| *calls > 0)
        && days[6].is_some();
    #[allow(clippy::cast_precision_loss)] // seven at most
    is_rhythm.then(|| known.count() as f64)
}

/// Whether the hour so many hours before this one had no calls on any day.
fn is_empty(history: &History, to: Minute, hours: u64) -> bool {
    let mut days = (1..=7).filter_map(|day| history.calls_before(to, hours + 24 * day));
    days.all(|calls| calls == 0)
}

/// Days that must be known.
const DAYS_MIN: usize = 5;
/// After a day it is usual.
const HOURS_MAX: u64 = 24;
/// The chance of an hour with calls between four without, at most.
const ALONE: f64 = 0.082;
