//! What was never seen before: ways to fail, and calls.

use std::borrow::Borrow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::finding::EdgeClass;
use super::history::Minute;
use super::subject::Node;

/// What a node is known to do.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Known {
    /// When it was first seen, and last.
    since: Minute,
    #[serde(default)]
    last: Minute,
    /// All calls, of whichever edge.
    calls: u64,
    #[serde(with = "super::keep::pairs")]
    errors: BTreeMap<String, Seen>,
    #[serde(with = "super::keep::pairs")]
    edges: BTreeMap<(Node, String), Seen>,
}

#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct Seen {
    first: Minute,
    last: Minute,
    count: u64,
}

impl Known {
    /// It was there in this minute, and has been since that one.
    pub(super) fn see(&mut self, since: Minute, minute: Minute) {
        self.since = match self.since {
            0 => since,
            known => known.min(since),
        };
        self.last = self.last.max(minute);
    }

    /// Counts failures of this signature in a minute in which it was [seen](Self::see); how many there were since it was
    /// new, if it is new and there are enough of them.
    pub(super) fn error(
        &mut self,
        signature: &str,
        minute: Minute,
        count: u64,
        is_fatal: bool,
    ) -> Option<u64> {
        let learned = self.since + LEARNING <= minute;
        make_room(&mut self.errors, signature);
        let seen = self.errors.entry(signature.to_owned()).or_default();
        // What was there while the node was learned is not new, ever.
        seen.add(if learned { minute } else { 0 }, minute, count);
        let is_new = seen.first + NEW_FOR > minute && seen.first > 0;
        (is_new && (seen.count >= ERRORS_MIN || is_fatal)).then_some(seen.count)
    }

    /// Counts calls of this edge; how improbable it is that it comes by chance if nobody has ever seen it
    /// and that says something.
    pub(super) fn edge(
        &mut self,
        to: &Node,
        operation: &str,
        minute: Minute,
        count: u64,
    ) -> Option<f64> {
        self.see(minute, minute);
        let key = (to.clone(), operation.to_owned());
        make_room(&mut self.edges, &key);
        let (calls, is_new) = (self.calls, !self.edges.contains_key(&key));
        let once = self.edges.values().filter(|seen| seen.count == 1).count();
        self.calls += count;
        self.edges
            .entry(key)
            .or_default()
            .add(minute, minute, count);
        let knows = calls >= CALLS_MIN && self.since + EDGES_LEARNING <= minute;
        // Good and Turing: the chance that the next call is one that nobody has seen.
        #[allow(clippy::cast_precision_loss)] // calls of weeks
        let chance = once as f64 / calls.max(1) as f64;
        (is_new && knows && chance < CHANCE_MAX).then_some(chance)
    }

    /// Forgets ways to fail that it has not failed in for fourteen days: they are new when they come again. Whether
    /// the node itself was there within that time.
    pub(super) fn forget(&mut self, minute: Minute) -> bool {
        let is_recent = |last: Minute| last + REMEMBERED > minute;
        self.errors.retain(|_, seen| is_recent(seen.last));
        is_recent(self.last)
    }
}

impl Seen {
    fn add(&mut self, first: Minute, minute: Minute, count: u64) {
        if self.count == 0 {
            self.first = first;
        }
        self.last = self.last.max(minute);
        self.count += count;
    }
}

/// Makes room for this one: of too many, the one that was not seen longest goes.
fn make_room<K: Ord + Clone + Borrow<Q>, Q: Ord + ?Sized>(seen: &mut BTreeMap<K, Seen>, key: &Q) {
    if seen.len() < SEEN_MAX || seen.contains_key(key) {
        return;
    }
    let oldest = seen.iter().min_by_key(|(_, seen)| seen.last);
    if let Some(oldest) = oldest.map(|(key, _)| key.clone()) {
        seen.remove::<K>(&oldest);
    }
}

/// What an operation does, by its name, as AWS's and OpenTelemetry's are made: a service and a verb.
pub fn class_of(to: &str, operation: &str) -> EdgeClass {
    if to.starts_with("host:") && !to.contains("amazonaws.com") {
        return EdgeClass::Outside;
    }
    let verb = operation
        .rsplit(['.', '/', ' ', ':'])
        .next()
        .unwrap_or_default();
    let verb = verb.to_ascii_lowercase();
    let begins = |words: &[&str]| words.iter().any(|word| verb.starts_with(word));
    let admin = [
        "createtable",
        "deletetable",
        "updatetable",
        "createbucket",
        "deletebucket",
        "putbucket",
        "createqueue",
        "deletequeue",
        "setqueue",
        "createfunction",
        "deletefunction",
        "updatefunction",
        "attach",
        "detach",
        "putrole",
        "createrole",
        "assumerole",
        "createuser",
        "createaccess",
        "addpermission",
        "drop",
        "alter",
        "grant",
        "truncate",
    ];
    if begins(&admin) {
        return EdgeClass::Admin;
    }
    let read = [
        "get",
        "head",
        "list",
        "describe",
        "query",
        "scan",
        "batchget",
        "receive",
        "select",
        "search",
        "read",
        "transactget",
        "find",
        "count",
    ];
    if begins(&read) {
        EdgeClass::Read
    } else {
        EdgeClass::Write
    }
}

/// A day: what comes within it was there before anybody looked.
const LEARNING: Minute = 24 * 60;
/// Edges are learned for three days and 200 calls.
const EDGES_LEARNING: Minute = 3 * 24 * 60;
const CALLS_MIN: u64 = 200;
/// The chance that an unseen edge comes by itself, at most.
const CHANCE_MAX: f64 = 0.001;
/// An error is new for an hour.
const NEW_FOR: Minute = 60;
const ERRORS_MIN: u64 = 3;
const REMEMBERED: Minute = 14 * 24 * 60;
/// Signatures, and edges, of one node.
const SEEN_MAX: usize = 2000;
