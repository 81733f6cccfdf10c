//! What a function had lately of one kind: its versions, its sizes, its timeouts.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use throughline_telemetry::UnixNanos;

/// What was seen of a function by the minute, and which of it the function has.
///
/// It has what alone was seen in [`ALONE`] minutes in a row in which it was called. Two versions that are called side by
/// side, by two aliases, change nothing, however seldom one of them is called.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Recent {
    seen: BTreeMap<String, Seen>,
    /// What the function has; empty while that is not known.
    has: String,
    alone: Alone,
}

/// Times in nanoseconds since 1970.
#[derive(Default, Serialize, Deserialize)]
struct Seen {
    last: u64,
    /// When it was told as something new, until the function has it.
    told: Option<u64>,
}

/// What alone was seen lately.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct Alone {
    what: String,
    /// In nanoseconds since 1970.
    since: u64,
    minutes: u32,
}

/// What a function has instead of what.
#[derive(Debug, PartialEq)]
pub(super) struct Replaced {
    pub(super) before: String,
    pub(super) after: String,
    pub(super) at: UnixNanos,
}

impl Recent {
    /// What is another since what was seen in a minute: what was never seen before, and what the function has again. What
    /// is not known is nothing new, and neither are the first, which may be several.
    pub(super) fn minute(&mut self, seen: &BTreeSet<String>, at: UnixNanos) -> Vec<Replaced> {
        let seen: BTreeSet<&String> = seen.iter().filter(|it| !it.is_empty()).collect();
        if seen.is_empty() {
            return Vec::new();
        }
        let before = self.before();
        let mut replaced = Vec::new();
        for what in &seen {
            if let Some(known) = self.seen.get_mut(*what) {
                known.last = at.0;
                continue;
            }
            if self.seen.len() >= KNOWN_AT_ONCE {
                continue;
            }
            let told = before.as_ref().map(|_| at.0);
            self.seen.insert((*what).clone(), Seen { last: at.0, told });
            replaced.extend(before.clone().map(|before| Replaced {
                before,
                after: (*what).clone(),
                at,
            }));
        }
        let mut seen = seen.into_iter();
        let only = seen.next().filter(|_| seen.next().is_none());
        replaced.extend(self.taken_over(only, at));
        while self.seen.len() > KNOWN_MAX {
            // Not what is called now, or it would be new in the next minute.
            let others = self.seen.iter();
            let others = others.filter(|(what, seen)| seen.last < at.0 && **what != self.has);
            let oldest = others.min_by_key(|(_, seen)| seen.last);
            let Some(oldest) = oldest.map(|(what, _)| what.clone()) else {
                break;
            };
            self.seen.remove(&oldest);
        }
        replaced
    }

    /// What a function had until now: what it has if that was seen last, else one of those that were.
    fn before(&self) -> Option<String> {
        let last = self.seen.values().map(|seen| seen.last).max()?;
        let is_last = |what: &String| self.seen.get(what).is_some_and(|seen| seen.last == last);
        let mut others = self.seen.keys();
        match is_last(&self.has) {
            true => Some(self.has.clone()),
            false => others.rfind(|what| is_last(what)).cloned(),
        }
    }

    /// What the function has from now on, if that was not told shortly before, when it was seen first.
    fn taken_over(&mut self, only: Option<&String>, at: UnixNanos) -> Option<Replaced> {
        let Some(only) = only else {
            self.alone = Alone::default();
            return None;
        };
        if self.alone.what != *only {
            self.alone = Alone {
                what: only.clone(),
                since: at.0,
                minutes: 0,
            };
        }
        self.alone.minutes = self.alone.minutes.saturating_add(1);
        if self.alone.minutes < ALONE || self.has == *only {
            return None;
        }
        let before = std::mem::replace(&mut self.has, only.clone());
        let since = UnixNanos(self.alone.since);
        let told = self.seen.get_mut(only).and_then(|seen| seen.told.take());
        let is_told = told.is_some_and(|told| since.since(UnixNanos(told)) <= ROLLED_OUT);
        (!is_told && !before.is_empty()).then(|| Replaced {
            before,
            after: only.clone(),
            at: since,
        })
    }
}

/// Minutes in which it is called, after which a function has what alone was seen in them: one call of an alias between
/// two of another is none, and whoever goes back is told of soon.
const ALONE: u32 = 3;
/// What has not taken over within this time was side by side with what was there.
const ROLLED_OUT: Duration = Duration::from_secs(15 * 60);
/// Versions, codes, sizes and timeouts of one function that are remembered.
const KNOWN_MAX: usize = 8;
/// Values that are remembered while all of them are called in one minute.
const KNOWN_AT_ONCE: usize = 64;

#[cfg(test)]
mod tests;
