//! One environment: what is stored held against what it says.

use std::collections::{BTreeMap, HashMap};

use super::{Ledger, Ranges};

/// What is missing of one environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    /// First and last number of the batches; none if the items never got into a batch.
    pub numbers: Option<(u64, u64)>,
    /// How many items, if that is known.
    pub items: Option<u64>,
    /// Why.
    pub why: Why,
}

/// Why something is missing.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    /// The environment gave it up, for a reason of its own.
    Dropped(String),
    /// The environment still has it, in memory or in `/tmp`.
    OnItsWay,
    /// The environment had it, and was not heard of for longer than any lives unheard of.
    Vanished,
    /// It was written to standard output, and was not read back from there yet.
    Printed,
    /// Nothing says why.
    Unknown,
}

impl Why {
    /// As the API says it.
    pub fn name(&self) -> &str {
        match self {
            Why::Dropped(reason) => reason,
            Why::OnItsWay => "on_its_way",
            Why::Vanished => "vanished",
            Why::Printed => "printed",
            Why::Unknown => "unknown",
        }
    }
}

/// What is to be said of one environment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// Items that it took in, as far as is known.
    pub(crate) accepted: u64,
    /// Items that are stored.
    pub(crate) received: u64,
    /// Whether more may come.
    pub(crate) open: bool,
    /// What is missing, by number.
    pub(crate) missing: Vec<Missing>,
    /// Items that it gave up and that are not stored either, by reason.
    pub(crate) dropped: BTreeMap<String, u64>,
}

impl Verdict {
    /// Whether nothing is missing.
    pub(crate) fn is_whole(&self) -> bool {
        self.missing.is_empty() && self.dropped.is_empty() && self.received >= self.accepted
    }
}

/// Holds the numbers that are stored, and the items in them, against a ledger.
pub(crate) fn account(stored: &Ranges, received: u64, ledger: Option<&Ledger>) -> Verdict {
    let sealed = ledger.map_or(0, |ledger| ledger.sealed);
    let gaps = stored.gaps(sealed);
    let Some(ledger) = ledger else {
        let unknown = |numbers| Missing {
            numbers: Some(numbers),
            items: None,
            why: Why::Unknown,
        };
        return Verdict {
            accepted: received,
            received,
            open: true,
            missing: gaps.into_iter().map(unknown).collect(),
            dropped: BTreeMap::new(),
        };
    };
    let mut missing: Vec<Missing> = Vec::new();
    for gap in gaps {
        explain(gap, ledger, &mut missing);
    }
    place_the_rest(received, ledger, &mut missing);
    Verdict {
        accepted: ledger.accepted.max(received),
        received,
        open: !ledger.last,
        missing,
        dropped: not_stored(stored, ledger),
    }
}

/// Cuts a gap into what the ledger knows to be gone and what lies between.
fn explain((first, last): (u64, u64), ledger: &Ledger, missing: &mut Vec<Missing>) {
    let mut next = first;
    let overlapping = ledger
        .gone
        .iter()
        .filter(|gone| gone.first <= last && gone.last >= first);
    for gone in overlapping {
        let (begin, end) = (gone.first.max(first), gone.last.min(last));
        if next < begin {
            missing.push(unexplained(next, begin - 1, ledger));
        }
        // Of a part nobody knows how many of the items it had.
        let whole = (begin, end) == (gone.first, gone.last);
        missing.push(Missing {
            numbers: Some((begin, end)),
            items: whole.then_some(gone.items),
            why: Why::Dropped(gone.reason.clone()),
        });
        next = end + 1;
    }
    if next <= last {
        missing.push(unexplained(next, last, ledger));
    }
}

fn unexplained(first: u64, last: u64, ledger: &Ledger) -> Missing {
    let why = match elsewhere(ledger) {
        // The list of batches that are gone is cut at its old end, the counts are not.
        Why::Unknown => forgotten(last, ledger).unwrap_or(Why::Unknown),
        why => why,
    };
    Missing {
        numbers: Some((first, last)),
        items: None,
        why,
    }
}

/// Where the environment says to have what was neither delivered nor given up.
fn elsewhere(ledger: &Ledger) -> Why {
    if !ledger.last && ledger.waiting.saturating_add(ledger.spilled) > 0 {
        Why::OnItsWay
    } else if ledger.printed > 0 {
        Why::Printed
    } else {
        Why::Unknown
    }
}

/// The reason of batches that were given up so long ago that the ledger only counts them, if there
/// is but one that it can be.
fn forgotten(last: u64, ledger: &Ledger) -> Option<Why> {
    let oldest = ledger.gone.first()?;
    if ledger.gone.len() < GONE_MAX || last >= oldest.first {
        return None;
    }
    let mut told: HashMap<&str, u64> = HashMap::new();
    for gone in &ledger.gone {
        *told.entry(&gone.reason).or_default() += gone.items;
    }
    let untold = |(reason, items): &(&String, &u64)| {
        **items > told.get(reason.as_str()).copied().unwrap_or(0)
    };
    let mut reasons = ledger.dropped.iter().filter(untold);
    match (reasons.next(), reasons.next()) {
        (Some((reason, _)), None) => Some(Why::Dropped(reason.clone())),
        _ => None,
    }
}

/// Finds a place for the items that no missing batch accounts for.
fn place_the_rest(received: u64, ledger: &Ledger, missing: &mut Vec<Missing>) {
    let told = ledger
        .gone
        .iter()
        .map(|gone| gone.items)
        .fold(0, u64::saturating_add);
    let dropped_before_a_number = ledger.dropped_items().saturating_sub(told);
    let known = missing.iter().filter_map(|missing| missing.items);
    let known = known.fold(received, u64::saturating_add);
    let rest = ledger
        .accepted
        .saturating_sub(known.saturating_add(dropped_before_a_number));
    if rest == 0 {
        return;
    }
    let why = elsewhere(ledger);
    let mut open = missing.iter_mut().filter(|missing| missing.items.is_none());
    match (open.next(), open.next()) {
        (None, _) => missing.push(Missing {
            numbers: None,
            items: Some(rest),
            why,
        }),
        // What waits may not be in a batch yet, so only without it the rest is this one's.
        (Some(only), None) if why != Why::OnItsWay && !matches!(only.why, Why::Dropped(_)) => {
            only.items = Some(rest);
        }
        _ => {}
    }
}

/// What was given up, without what was stored all the same: an acknowledgement may get lost.
fn not_stored(stored: &Ranges, ledger: &Ledger) -> BTreeMap<String, u64> {
    let mut dropped = ledger.dropped.clone();
    let arrived = ledger
        .gone
        .iter()
        .filter(|gone| stored.holds_all(gone.first, gone.last));
    for gone in arrived {
        if let Some(items) = dropped.get_mut(&gone.reason) {
            *items = items.saturating_sub(gone.items);
        }
    }
    dropped.retain(|_, items| *items > 0);
    dropped
}

/// How many ranges a ledger lists at most.
const GONE_MAX: usize = 32;

#[cfg(test)]
mod tests;
