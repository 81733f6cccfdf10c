//! Objectives: how much of something must be good, how quickly that is used up, and when to say so.
//!
//! A [`Goal`] is a share of good events and a time: 99.9 % of thirty days. The share that may be bad is its budget. How
//! many times faster than evenly the budget goes is the *burn rate*: at 1 it lasts exactly as long as the goal's time,
//! at 14.4 thirty days' worth is gone after two. [`RULES`] hold it over two windows each, as the workbook of Google's
//! site reliability engineers has it: over a long one, so that it matters, and over a short one, so that it is still so.
//!
//! A [`Series`] is fed with what was good and bad in each minute, once and when the minute is complete. [`Burning`]
//! remembers which rules hold: a rule ends later than it begins, so that what hovers around its bound is one alert and
//! not many. [`Standing`] is what there is to say at a moment.
//!
//! Deliberately not here: what counts as good (the server asks its store), and whom to tell.

mod goal;
mod series;
mod standing;
mod watch;

pub use goal::{BadGoal, DAYS_MAX, Goal, TARGET_MAX, TARGET_MIN};
pub use series::{Counts, Series};
pub use standing::Standing;
pub use watch::{Burning, RULES, Rule};

#[cfg(test)]
mod tests;
