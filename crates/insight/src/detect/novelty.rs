//! What was never seen before: ways to fail, and calls.

mod fresh;

use std::borrow::Borrow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::finding::EdgeClass;
use super::history::Minute;
use super::subject::{Counts, Node};
use fresh::Fresh;
pub(super) use fresh::New;

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
    /// Those of them that are not usual yet.
    #[serde(default, with = "super::keep::pairs")]
    fresh: BTreeMap<(Node, String), Fresh>,
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

    /// Counts calls of this edge; what is to be said of them if nobody had ever seen it before, and that says
    /// something, up to a day ago.
    pub(super) fn edge(
        &mut self,
        to: &Node,
        operation: &str,
        minute: Minute,
        counts: &Counts,
    ) -> Option<New> {
        self.see(minute, minute);
        let key = (to.clone(), operation.to_owned());
        if let Some(oldest) = make_room(&mut self.edges, &key) {
            self.fresh.remove(&oldest);
        }
        let (calls, is_new) = (self.calls, !self.edges.contains_key(&key));
        let once = match is_new {
            true => self.edges.values().filter(|seen| seen.count == 1).count(),
            false => 0,
        };
        self.calls += counts.count;
        let seen = self.edges.entry(key.clone()).or_default();
        seen.add(minute, minute, counts.count);
        let count = seen.count;
        if !is_new {
            // Whatever a foreign host answers, it has got what was sent.
            let is_outside = class_of(to, operation) == EdgeClass::Outside;
            let is_refused = counts.errors >= counts.count && !is_outside;
            let fresh = self.again(&key, minute, is_refused)?;
            return Some(fresh.told(count));
        }
        let knows = calls >= CALLS_MIN && self.since + EDGES_LEARNING <= minute;
        // Good and Turing: the chance that the next call is one that nobody has seen.
        #[allow(clippy::cast_precision_loss)] // calls of weeks
        let chance = once as f64 / calls.max(1) as f64;
        (knows && chance < CHANCE_MAX).then(|| {
            let fresh = Fresh::new(minute, chance);
            let told = fresh.told(count);
            self.fresh.insert(key, fresh);
            told
        })
    }

    /// Calls of an edge that was there before: whether it is new still, and goes on.
    fn again(
        &mut self,
        key: &(Node, String),
        minute: Minute,
        is_refused: bool,
    ) -> Option<&mut Fresh> {
        if is_refused {
            self.fresh.get_mut(key)?.refused(minute);
            return None;
        }
        if !self.fresh.get(key)?.is_new(minute) {
            self.fresh.remove(key);
            return None;
        }
        let fresh = self.fresh.get_mut(key)?;
        fresh.made(minute);
        Some(fresh)
    }

    /// What was new up to half an hour ago and after this minute, in which somebody judged last, nobody is told of.
    pub(super) fn learn(&mut self, judged: Minute, minute: Minute) {
        self.fresh
            .retain(|_, fresh| fresh.first <= judged || fresh.first + TOLD_WITHIN > minute);
    }

    /// Forgets ways to fail that it has not failed in for fourteen days: they are new when they come again. Whether
    /// the node itself was there within that time.
    pub(super) fn forget(&mut self, minute: Minute) -> bool {
        let is_recent = |last: Minute| last + REMEMBERED > minute;
        self.errors.retain(|_, seen| is_recent(seen.last));
        let Known { edges, fresh, .. } = self;
        fresh.retain(|key, _| edges.get(key).is_some_and(|seen| is_recent(seen.last)));
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
fn make_room<K: Ord + Clone + Borrow<Q>, Q: Ord + ?Sized>(
    seen: &mut BTreeMap<K, Seen>,
    key: &Q,
) -> Option<K> {
    if seen.len() < SEEN_MAX || seen.contains_key(key) {
        return None;
    }
    let oldest = seen.iter().min_by_key(|(_, seen)| seen.last);
    let oldest = oldest.map(|(key, _)| key.clone())?;
    seen.remove(oldest.borrow());
    Some(oldest)
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
/// Minutes for which what is new waits for somebody to judge it.
const TOLD_WITHIN: Minute = 30;
/// An error is new for an hour.
const NEW_FOR: Minute = 60;
const ERRORS_MIN: u64 = 3;
const REMEMBERED: Minute = 14 * 24 * 60;
/// Signatures, and edges, of one node.
const SEEN_MAX: usize = 1000;
