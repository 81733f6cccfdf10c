//! Whether anything may be done at all.

use std::collections::VecDeque;

use crate::action::ActionId;
use crate::time::UnixSeconds;

/// The switch that stops everything, and how much may be done in an hour.
#[derive(Clone, Debug, Default)]
pub struct Gate {
    /// Who stopped everything, and why; none if nobody did.
    stopped: Option<(String, String)>,
    /// When something was done: the last ones.
    recent: VecDeque<UnixSeconds>,
}

/// Why nothing may be done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Somebody stopped everything.
    #[error("{who} has stopped all actions: {why}")]
    Stopped {
        /// Who.
        who: String,
        /// Why.
        why: String,
    },
    /// There was too much.
    #[error("{ACTS_PER_HOUR} actions were done within the last hour; the next may be done at {at}")]
    TooMany {
        /// From when on.
        at: UnixSeconds,
    },
    /// Another memory size of the function is tried, and would be put back in between.
    #[error("\"{title}\" is tried until {until} (action {id}): undo or keep it first")]
    Tried {
        /// Its name.
        id: ActionId,
        /// What.
        title: String,
        /// Until when.
        until: UnixSeconds,
    },
}

impl Gate {
    /// Whether an action that changes something in the account may be done now. Undoing never asks.
    pub fn check(&self, now: UnixSeconds) -> Result<(), Refused> {
        if let Some((who, why)) = self.stopped.clone() {
            return Err(Refused::Stopped { who, why });
        }
        let oldest = self
            .recent
            .front()
            .filter(|_| self.recent.len() >= ACTS_PER_HOUR);
        match oldest.map(|oldest| oldest.plus(HOUR)) {
            Some(at) if at > now => Err(Refused::TooMany { at }),
            _ => Ok(()),
        }
    }

    /// Counts one.
    pub(crate) fn passed(&mut self, at: UnixSeconds) {
        self.recent.push_back(at);
        while self.recent.len() > ACTS_PER_HOUR {
            self.recent.pop_front();
        }
    }

    /// Stops everything.
    pub(crate) fn stop(&mut self, who: String, why: String) {
        self.stopped = Some((who, why));
    }

    /// Lets actions through again.
    pub(crate) fn resume(&mut self) {
        self.stopped = None;
    }

    /// Who stopped everything, and why.
    pub fn stopped(&self) -> Option<(&str, &str)> {
        let (who, why) = self.stopped.as_ref()?;
        Some((who, why))
    }
}

const HOUR: u64 = 3600;
/// Whoever does more than that by hand within an hour should rather think.
pub(crate) const ACTS_PER_HOUR: usize = 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_an_hour_then_one_at_a_time() {
        let mut gate = Gate::default();
        for minute in 0..10 {
            assert_eq!(gate.check(UnixSeconds(minute * 60)), Ok(()));
            gate.passed(UnixSeconds(minute * 60));
        }
        let at = UnixSeconds(HOUR);
        assert_eq!(gate.check(UnixSeconds(600)), Err(Refused::TooMany { at }));
        assert_eq!(gate.check(at), Ok(()));
        gate.passed(at);
        assert!(gate.check(at).is_err());
        assert_eq!(gate.check(UnixSeconds(HOUR + 60)), Ok(()));
    }

    #[test]
    fn nothing_passes_when_stopped() {
        let mut gate = Gate::default();
        gate.stop("ada".to_owned(), "game day".to_owned());
        let refused = gate.check(UnixSeconds(0)).unwrap_err();
        assert_eq!(refused.to_string(), "ada has stopped all actions: game day");
        gate.resume();
        assert_eq!(gate.check(UnixSeconds(0)), Ok(()));
    }
}
