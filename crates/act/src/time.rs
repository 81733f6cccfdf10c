//! Times, to the second: no action needs more.

use std::fmt;

use chrono::DateTime;
use serde::{Deserialize, Serialize};

/// Seconds since 1970, UTC.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct UnixSeconds(pub u64);

impl UnixSeconds {
    /// So many seconds later; the last second that there is, if that is beyond it.
    #[must_use]
    pub fn plus(self, seconds: u64) -> Self {
        UnixSeconds(self.0.saturating_add(seconds))
    }
}

/// As policies have it: `2026-11-22T22:00:00Z`.
impl fmt::Display for UnixSeconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = i64::try_from(self.0).unwrap_or(i64::MAX);
        match DateTime::from_timestamp(seconds, 0) {
            Some(time) => write!(f, "{}", time.format("%Y-%m-%dT%H:%M:%SZ")),
            // Beyond every calendar.
            None => write!(f, "{seconds} s"),
        }
    }
}
