//! What was never seen before: ways to fail, and calls.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::finding::EdgeClass;
use super::history::Minute;
use super::subject::Node;

/// What a node is known to do.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Known {
    since: Minute,
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
    /// Counts failures of this signature; how many there were since it was new, if it is new and there are
    /// enough of them.
    pub(super) fn error(
        &mut self,
        signature: &str,
        minute: Minute,
        count: u64,
        is_fatal: bool,
    ) -> Option<u64> {
        let learned = self.began(minute) + LEARNING <= minute;
        forget(&mut self.errors, minute);
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
        let began = self.began(minute);
        forget(&mut self.edges, minute);
        let key = (to.clone(), operation.to_owned());
        let (calls, is_new) = (self.calls, !self.edges.contains_key(&key));
        let once = self.edges.values().filter(|seen| seen.count == 1).count();
        self.calls += count;
        self.edges
            .entry(key)
            .or_default()
            .add(minute, minute, count);
        let knows = calls >= CALLS_MIN && began + EDGES_LEARNING <= minute;
        // Good and Turing: the chance that the next call is one that nobody has seen.
        #[allow(clippy::cast_precision_loss)] // calls of weeks
        let chance = once as f64 / calls.max(1) as f64;
        (is_new && knows && chance < CHANCE_MAX).then_some(chance)
    }

    fn began(&mut self, minute: Minute) -> Minute {
        if self.since == 0 {
            self.since = minute;
        }
        self.since
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

/// Makes room: what was not seen for fourteen days is new when it comes again; of too many, the one that was
/// not seen longest goes.
fn forget<K: Ord + Clone>(seen: &mut BTreeMap<K, Seen>, minute: Minute) {
    if seen.len() < SEEN_MAX {
        return;
    }
    seen.retain(|_, seen| seen.last + REMEMBERED > minute);
    while seen.len() >= SEEN_MAX {
        let oldest = seen.iter().min_by_key(|(_, seen)| seen.last);
        let Some(oldest) = oldest.map(|(key, _)| key.clone()) else {
            return;
        };
        seen.remove(&oldest);
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
