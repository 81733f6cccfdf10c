//! What share must be good, over which time.

use std::time::Duration;

use super::Counts;

/// A share of good events that is to be reached, and over which time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Goal {
    target: f64,
    days: u32,
}

/// Why something is no goal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadGoal {
    /// The share is too small to be one, or leaves nothing that may be bad.
    Target,
    /// The time is none, or longer than what is remembered.
    Days,
}

impl Goal {
    /// A share from [`TARGET_MIN`] to [`TARGET_MAX`], over 1 to [`DAYS_MAX`] days.
    ///
    /// # Errors
    ///
    /// Which of the two is not within its bounds.
    pub fn try_new(target: f64, days: u32) -> Result<Goal, BadGoal> {
        match () {
            () if !(TARGET_MIN..=TARGET_MAX).contains(&target) => Err(BadGoal::Target),
            () if !(1..=DAYS_MAX).contains(&days) => Err(BadGoal::Days),
            () => Ok(Goal { target, days }),
        }
    }

    /// The share that must be good: 0.999.
    pub fn target(self) -> f64 {
        self.target
    }

    /// Over how many days.
    pub fn days(self) -> u32 {
        self.days
    }

    /// Over which time.
    pub fn window(self) -> Duration {
        DAY * self.days
    }

    /// The share that may be bad; above zero.
    pub fn budget(self) -> f64 {
        1.0 - self.target
    }

    /// How many times faster than evenly the budget goes; not known where nothing happened.
    pub fn burn(self, counts: Counts) -> Option<f64> {
        Some(counts.bad_share()? / self.budget())
    }

    /// The share of the budget that is left, when this is what happened in the part of the window that is known; below
    /// zero once it is used up. All of it where nothing happened.
    ///
    /// The budget is that of a whole window, in which as much happens all the time as in what is known of it.
    pub fn left(self, counts: Counts, known: Duration) -> f64 {
        let part = known.div_duration_f64(self.window()).min(1.0);
        1.0 - self.burn(counts).unwrap_or(0.0) * part
    }
}

const DAY: Duration = Duration::from_secs(24 * 3600);

/// Where half may be bad, nobody has an objective.
pub const TARGET_MIN: f64 = 0.5;
/// One of a hundred thousand may be bad. A server that is asked less often than that a day cannot tell more.
pub const TARGET_MAX: f64 = 0.99999;
/// A quarter of a year.
pub const DAYS_MAX: u32 = 90;
