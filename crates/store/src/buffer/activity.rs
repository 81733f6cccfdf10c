//! What environments did during one generation.

use std::collections::HashMap;

use throughline_telemetry::UnixNanos;

use crate::completeness::{Ledger, Ranges};
use crate::origin::{EnvironmentId, Origin};

/// The environments that bodies of one generation, or of several, came from.
pub(crate) type Activities = HashMap<EnvironmentId, Activity>;

/// What one environment sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Activity {
    /// The newest name that it gave; empty if none.
    pub(crate) function: String,
    /// When its first body of the generation came.
    pub(crate) first_seen: UnixNanos,
    /// When its last one came.
    pub(crate) last_seen: UnixNanos,
    /// Its numbered bodies, with the items in them.
    pub(crate) stored: Ranges,
    /// The ledger with the largest revision.
    pub(crate) ledger: Option<Ledger>,
}

impl Activity {
    fn begun(at: UnixNanos) -> Self {
        Activity {
            function: String::new(),
            first_seen: at,
            last_seen: at,
            stored: Ranges::default(),
            ledger: None,
        }
    }

    /// Adds what came later.
    pub(crate) fn merge(&mut self, later: &Activity) {
        self.first_seen = self.first_seen.min(later.first_seen);
        self.last_seen = self.last_seen.max(later.last_seen);
        if !later.function.is_empty() {
            self.function.clone_from(&later.function);
        }
        for (first, last, items) in later.stored.iter() {
            self.stored.add(first, last, items);
        }
        self.account(later.ledger.clone());
    }

    /// Keeps a ledger if it is newer.
    pub(crate) fn account(&mut self, ledger: Option<Ledger>) {
        let newest = self.ledger.as_ref().map(|ledger| ledger.revision);
        if let Some(ledger) = ledger
            && newest.is_none_or(|newest| ledger.revision > newest)
        {
            self.ledger = Some(ledger);
        }
    }
}

/// Adds a body with this many items.
pub(super) fn note(to: &mut Activities, origin: Origin, items: u64, received: UnixNanos) {
    let activity = to.entry(origin.environment);
    let activity = activity.or_insert_with(|| Activity::begun(received));
    activity.first_seen = activity.first_seen.min(received);
    activity.last_seen = activity.last_seen.max(received);
    if !origin.function.is_empty() {
        activity.function = origin.function;
    }
    if let Some(sequence) = origin.sequence {
        let number = sequence.number();
        // The writer stores each number once; a WAL that says otherwise must not break the ranges.
        if !activity.stored.holds(number) {
            activity.stored.add(number, number, items);
        }
    }
    activity.account(origin.ledger);
}
