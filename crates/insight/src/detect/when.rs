//! The time that a number from before is of.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What something is held against.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum When {
    /// One hour, so many hours before.
    HoursBefore(u64),
    /// The same hour and those beside it, on so many of the last seven days.
    Days(u64),
    /// So many of the last three hours: of no day more is known.
    Hours(u64),
    /// Three times the quietest five minutes of the same hour and those beside it, on so many days.
    Quietest(u64),
    /// The worst of the same hour and those beside it, on the last seven days.
    WorstOfDays,
    /// The worst of the last three hours.
    WorstOfHours,
    /// The first of the invocations that it is about.
    First,
}

/// `the same hour of the day before`.
impl fmt::Display for When {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            When::HoursBefore(1) => f.write_str("the hour before"),
            When::HoursBefore(24) => f.write_str("the same hour of the day before"),
            When::HoursBefore(hours) if hours > 0 && hours % 24 == 0 => {
                write!(f, "the same hour {} days before", hours / 24)
            }
            When::HoursBefore(hours) => write!(f, "the hour {hours} hours before"),
            When::Days(days) => write!(f, "the same time of {}", days_before(days)),
            When::Hours(1) => f.write_str("the hour before"),
            When::Hours(hours) => write!(f, "the {hours} hours before"),
            When::Quietest(days) => write!(
                f,
                "three times the quietest five minutes at the same time of {}",
                days_before(days)
            ),
            When::WorstOfDays => f.write_str("the worst hour at the same time of the days before"),
            When::WorstOfHours => f.write_str("the worst of the three hours before"),
            When::First => f.write_str("the first of these invocations"),
        }
    }
}

fn days_before(days: u64) -> String {
    match days {
        1 => "the day before".to_owned(),
        days => format!("{days} days before"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_in_words() {
        for (when, told) in [
            (When::HoursBefore(1), "the hour before"),
            (When::HoursBefore(2), "the hour 2 hours before"),
            (When::HoursBefore(24), "the same hour of the day before"),
            (When::HoursBefore(25), "the hour 25 hours before"),
            (When::HoursBefore(72), "the same hour 3 days before"),
            (When::Days(1), "the same time of the day before"),
            (When::Days(7), "the same time of 7 days before"),
            (When::Hours(1), "the hour before"),
            (When::Hours(3), "the 3 hours before"),
            (
                When::Quietest(7),
                "three times the quietest five minutes at the same time of 7 days before",
            ),
        ] {
            assert_eq!(when.to_string(), told);
        }
    }
}
