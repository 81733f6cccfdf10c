//! A call that nobody had seen, until it is usual.

use serde::{Deserialize, Serialize};

use crate::detect::history::Minute;

/// What is known of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Fresh {
    /// How improbable it was that it came by chance.
    chance: f64,
    /// When it was made first.
    pub(super) first: Minute,
    /// Since when it goes on without a pause.
    since: Minute,
    /// When it was made last, and last tried in vain.
    used: Minute,
    tried: Minute,
    /// For how many minutes without one it still goes on.
    stays: Minute,
    /// From when on it is usual.
    usual_at: Minute,
}

/// A new call that goes on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::detect) struct New {
    /// How improbable it was that it came by chance.
    pub(in crate::detect) chance: f64,
    /// When it was made first.
    pub(in crate::detect) first: Minute,
    /// Since when it goes on without a pause.
    pub(in crate::detect) since: Minute,
    /// Until when it goes on if nobody makes it again.
    pub(in crate::detect) until: Minute,
    /// How often it was made, all in all.
    pub(in crate::detect) count: u64,
}

impl Fresh {
    /// One that was made for the first time.
    pub(super) fn new(minute: Minute, chance: f64) -> Self {
        Fresh {
            chance,
            first: minute,
            since: minute,
            used: minute,
            tried: minute,
            stays: STAYS,
            usual_at: minute + USUAL_AFTER,
        }
    }

    /// Whether it is not usual yet.
    pub(super) fn is_new(&self, minute: Minute) -> bool {
        minute < self.usual_at
    }

    /// It was made in this minute.
    pub(super) fn made(&mut self, minute: Minute) {
        let rest = minute.saturating_sub(self.used.max(self.tried));
        if self.used + self.stays <= minute {
            self.since = minute;
        }
        // What runs once an hour does not begin anew each hour.
        self.stays = (2 * rest).clamp(self.stays, STAYS_MAX);
        self.used = self.used.max(minute);
    }

    /// It was tried in this minute, and refused. What somebody keeps from being made does not become usual meanwhile.
    pub(super) fn refused(&mut self, minute: Minute) {
        let last = self.used.max(self.tried);
        self.usual_at += minute.saturating_sub(last);
        self.tried = self.tried.max(minute);
    }

    /// What is to be said of it that was made so often.
    pub(super) fn told(&self, count: u64) -> New {
        New {
            chance: self.chance,
            first: self.first,
            since: self.since,
            until: (self.used + 1 + self.stays).min(self.usual_at),
            count,
        }
    }
}

/// Minutes for which it goes on after it was made, at first; then twice its longest rest, up to six hours.
const STAYS: Minute = 30;
const STAYS_MAX: Minute = 6 * 60;
/// A day: what is new goes on for so long at most.
const USUAL_AFTER: Minute = 24 * 60;
