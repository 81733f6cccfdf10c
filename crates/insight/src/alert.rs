//! A number that must not cross a bound: when that is worth saying, and when it is over.
//!
//! [`Bound::step`] takes what a query answered and gives the next [`State`]. It begins to fire after the number was
//! beyond the bound for as long as is asked, and stops after it was not for as long, five minutes at least. What is
//! not known begins nothing, and ends what goes on as a number within the bound would.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use throughline_telemetry::UnixNanos;

/// How a number is held against a bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Compare {
    /// It is greater.
    #[serde(rename = ">")]
    Above,
    /// It is greater or the same.
    #[serde(rename = ">=")]
    AtLeast,
    /// It is less.
    #[serde(rename = "<")]
    Below,
    /// It is less or the same.
    #[serde(rename = "<=")]
    AtMost,
}

impl Compare {
    /// Whether a number is beyond a bound.
    pub fn holds(self, value: f64, bound: f64) -> bool {
        match self {
            Compare::Above => value > bound,
            Compare::AtLeast => value >= bound,
            Compare::Below => value < bound,
            Compare::AtMost => value <= bound,
        }
    }

    /// Whether more is worse.
    pub fn is_upwards(self) -> bool {
        matches!(self, Compare::Above | Compare::AtLeast)
    }

    /// As it is written: `>=`.
    pub fn name(self) -> &'static str {
        match self {
            Compare::Above => ">",
            Compare::AtLeast => ">=",
            Compare::Below => "<",
            Compare::AtMost => "<=",
        }
    }
}

/// What a number must not be, and for how long.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bound {
    /// How it is compared.
    pub compare: Compare,
    /// With what.
    pub value: f64,
    /// For how long it must be so before somebody is told.
    pub lasting: Duration,
}

/// Whether a number is where it must not be. Times are nanoseconds since 1970.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// There was no number, or none yet.
    #[default]
    NoData,
    /// It is where it may be.
    Ok,
    /// It is beyond the bound, but not for long enough.
    Pending {
        /// Since then.
        since: u64,
    },
    /// It is beyond the bound, and somebody should know.
    Firing {
        /// Since when it is told.
        since: u64,
        /// Since when it is not beyond the bound, if that is so.
        eased: Option<u64>,
    },
}

impl State {
    /// The word for it, as in the API: `no_data`.
    pub fn name(self) -> &'static str {
        match self {
            State::NoData => "no_data",
            State::Ok => "ok",
            State::Pending { .. } => "pending",
            State::Firing { .. } => "firing",
        }
    }

    /// Since when it is so, where that is known.
    pub fn since(self) -> Option<UnixNanos> {
        match self {
            State::NoData | State::Ok => None,
            State::Pending { since } | State::Firing { since, .. } => Some(UnixNanos(since)),
        }
    }
}

impl Bound {
    /// Takes the number of now; none if the query had no answer.
    pub fn step(&self, state: State, value: Option<f64>, now: UnixNanos) -> State {
        let is_beyond = value.map(|value| self.compare.holds(value, self.value));
        let quiet = match value {
            Some(_) => State::Ok,
            None => State::NoData,
        };
        match (state, is_beyond) {
            (State::NoData | State::Ok, Some(true)) => self.beyond_since(now.0, now),
            (State::Pending { since }, Some(true)) => self.beyond_since(since, now),
            (State::Firing { since, .. }, Some(true)) => State::Firing { since, eased: None },
            (State::Firing { since, eased }, _) => {
                let eased = eased.unwrap_or(now.0);
                match now.since(UnixNanos(eased)) >= self.lasting.max(OVER_AFTER) {
                    true => quiet,
                    false => State::Firing {
                        since,
                        eased: Some(eased),
                    },
                }
            }
            (State::NoData | State::Ok | State::Pending { .. }, _) => quiet,
        }
    }

    fn beyond_since(&self, since: u64, now: UnixNanos) -> State {
        match now.since(UnixNanos(since)) >= self.lasting {
            true => State::Firing {
                since: now.0,
                eased: None,
            },
            false => State::Pending { since },
        }
    }
}

/// For how long a number must be back before it is over, at least.
const OVER_AFTER: Duration = Duration::from_secs(5 * 60);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BOUND: Bound = Bound {
        compare: Compare::Above,
        value: 10.0,
        lasting: Duration::from_secs(120),
    };

    fn at(minute: u64) -> UnixNanos {
        UnixNanos(minute * 60 * 1_000_000_000)
    }

    /// The names of the states that a number a minute leads to, shortened where they are the same.
    fn check(bound: Bound, values: &[Option<f64>], expected: &[&str]) {
        let mut state = State::default();
        let mut names: Vec<&str> = Vec::new();
        for (minute, value) in (100..).zip(values) {
            state = bound.step(state, *value, at(minute));
            if names.last() != Some(&state.name()) {
                names.push(state.name());
            }
        }
        assert_eq!(names, expected, "{values:?}");
    }

    #[test]
    fn it_fires_when_it_was_beyond_for_long_enough() {
        let (low, high) = (Some(10.0), Some(11.0));
        check(BOUND, &[low, high, high, low], &["ok", "pending", "ok"]);
        check(
            BOUND,
            &[low, high, high, high],
            &["ok", "pending", "firing"],
        );
        check(
            BOUND,
            &[None, high, None],
            &["no_data", "pending", "no_data"],
        );
        let at_once = Bound {
            lasting: Duration::ZERO,
            ..BOUND
        };
        check(at_once, &[high], &["firing"]);
    }

    #[test]
    fn it_is_over_only_after_a_while() {
        let (low, high) = (Some(1.0), Some(11.0));
        let mut values = vec![high; 3];
        values.extend([low; 5]);
        check(BOUND, &values, &["pending", "firing"]);
        values.push(high);
        values.extend([low; 6]);
        check(BOUND, &values, &["pending", "firing", "ok"]);
        let mut values = vec![high; 3];
        values.extend([None; 6]);
        check(BOUND, &values, &["pending", "firing", "no_data"]);
    }

    #[test]
    fn what_is_too_small_fires_as_well() {
        let silent = Bound {
            compare: Compare::Below,
            value: 1.0,
            lasting: Duration::ZERO,
        };
        check(silent, &[Some(1.0), Some(0.0)], &["ok", "firing"]);
        let not_a_number = Bound {
            compare: Compare::AtMost,
            ..silent
        };
        check(not_a_number, &[Some(f64::NAN)], &["ok"]);
    }

    proptest! {
        /// Between two beginnings there are five minutes at least in which it is not beyond its bound.
        #[test]
        fn it_does_not_flap(values in prop::collection::vec(prop::option::of(0.0..20.0_f64), 1..300)) {
            let mut state = State::default();
            let mut quiet_minutes = 5;
            for (minute, value) in (100..).zip(&values) {
                let before = state;
                state = BOUND.step(state, *value, at(minute));
                let is_firing = |state: State| state.name() == "firing";
                if is_firing(state) && !is_firing(before) {
                    prop_assert!(quiet_minutes >= 5, "{values:?}");
                }
                match value.is_some_and(|value| value > 10.0) {
                    true => quiet_minutes = if is_firing(state) { 0 } else { quiet_minutes },
                    false => quiet_minutes += 1,
                }
            }
        }
    }
}
