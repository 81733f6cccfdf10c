//! What lies in queues, what is given up, and what comes again and again.
//!
//! Of what lies in a queue somebody must tell, such as CloudWatch: those who take from it know what they took. What
//! comes again says so itself, in the invocation that is given it.

mod again;
mod level;
mod lying;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::NODES_MAX;
use super::finding::{Finding, Kind, Worst};
use super::history::Minute;
use super::rules::Suspicion;
use super::subject::{Node, Subject};
use again::Again;
use lying::Known;

/// What is told of a queue, or of what waits for a function, in one minute. What nobody tells is none.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Lying {
    /// Messages that are in it: those that can be taken, those that somebody has, those that are held back.
    pub messages: Option<f64>,
    /// Messages that were sent to it in this minute. What a queue moves to another by itself is none.
    pub sent: Option<f64>,
    /// How long the oldest has been there, in milliseconds.
    pub oldest_ms: Option<f64>,
    /// Events of a function that were given up in this minute.
    pub given_up: Option<f64>,
    /// Those that could not be put where events go that are given up.
    pub lost: Option<f64>,
}

impl Lying {
    /// Without what is no number, which nothing can be held against, and which the state could not be written with.
    fn numbers(self) -> Self {
        let number = |told: Option<f64>| told.filter(|told| told.is_finite());
        Lying {
            messages: number(self.messages),
            sent: number(self.sent),
            oldest_ms: number(self.oldest_ms),
            given_up: number(self.given_up),
            lost: number(self.lost),
        }
    }
}

/// A message that a function was given once more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CameAgain<'a> {
    /// The key that both sides know it by: `sqs:ID`.
    pub key: &'a str,
    /// For the how-manieth time.
    pub times: u64,
    /// Whether the function failed this time, too.
    pub is_failed: bool,
}

/// All that is known of queues.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Queues {
    /// From when until when somebody has told of queues, without a pause.
    told: (Minute, Minute),
    #[serde(with = "super::keep::pairs")]
    lying: BTreeMap<Node, Known>,
    #[serde(with = "super::keep::pairs")]
    again: BTreeMap<Node, Again>,
    /// By a queue and a function that takes from it, or by a topic and that queue, when it last did.
    #[serde(with = "super::keep::pairs")]
    takers: BTreeMap<(Node, Node), Minute>,
    /// By a queue and where what lies in it was given up, when that was last said.
    #[serde(with = "super::keep::pairs")]
    givers: BTreeMap<(Node, Node), Minute>,
}

impl Queues {
    /// Whether there was room for it.
    pub(super) fn lying(&mut self, node: &Node, minute: Minute, lying: Lying) -> bool {
        if self.told.1 + PAUSE < minute {
            self.told.0 = minute;
        }
        self.told.1 = self.told.1.max(minute);
        if self.lying.len() >= NODES_MAX && !self.lying.contains_key(node) {
            return false;
        }
        // CloudWatch tells nothing of a queue that has been empty for some hours.
        let is_steady = self.told.0 + STEADY <= minute;
        let known = self.lying.entry(node.clone()).or_default();
        known.take(minute, lying.numbers(), is_steady);
        true
    }

    pub(super) fn again(&mut self, function: &Node, minute: Minute, came: CameAgain<'_>) -> bool {
        if self.again.len() >= NODES_MAX && !self.again.contains_key(function) {
            return false;
        }
        let known = self.again.entry(function.clone()).or_default();
        known.take(minute, came);
        true
    }

    pub(super) fn takes(&mut self, queue: &Node, function: &Node, minute: Minute) -> bool {
        remember(&mut self.takers, queue, function, minute)
    }

    pub(super) fn gives_up_to(&mut self, from: &Node, to: &Node, minute: Minute) -> bool {
        remember(&mut self.givers, to, from, minute)
    }

    /// Puts away what is not needed minute by minute any more.
    pub(super) fn settle(&mut self, now: Minute) {
        self.lying.values_mut().for_each(|known| known.settle(now));
        self.again.values_mut().for_each(|known| known.settle(now));
    }

    /// What is suspicious up to this minute.
    pub(super) fn judge(&self, to: Minute) -> Vec<(Subject, Suspicion)> {
        let mut found = Vec::new();
        for (node, known) in &self.lying {
            let is_dead = pairs_of(&self.givers, node).next().is_some()
                || is_named(node)
                || known.gets_what_nobody_sent(to);
            let (subject, is_function) = match node.starts_with("function:") {
                true => (Subject::Node(node.clone()), true),
                false => (Subject::Wait(node.clone()), false),
            };
            let suspicions = match (is_function, is_dead) {
                (true, _) => [known.given_up(to), known.backlog(to)],
                (false, true) => [known.grown(to, || self.worst_of(node, to)), None],
                (false, false) => [known.backlog(to), None],
            };
            let suspicions = suspicions.into_iter().flatten();
            found.extend(suspicions.map(|found| (subject.clone(), found)));
        }
        for (function, known) in &self.again {
            let suspicion = known.judge(to);
            found.extend(suspicion.map(|found| (Subject::Node(function.clone()), found)));
        }
        found
    }

    /// Which nodes are connected by what is not a call: a queue with who takes from it, and with where what cannot be
    /// handled goes, which whoever cannot handle it is connected with as well.
    pub(super) fn neighbours(&self, to: Minute) -> impl Iterator<Item = (Node, Node)> {
        let recent = move |(_, at): &(&(Node, Node), &Minute)| **at + FORGOTTEN > to;
        let takers = self
            .takers
            .iter()
            .filter(recent)
            .map(|(pair, _)| pair.clone());
        let dead = self.lying.keys().flat_map(|node| {
            let givers = self.givers(node).into_iter();
            givers.map(|giver| (giver, node.clone()))
        });
        takers.chain(dead)
    }

    pub(super) fn takers(&self) -> impl Iterator<Item = &(Node, Node)> {
        self.takers.keys()
    }

    /// What a function takes from.
    pub(super) fn taken_by(&self, function: &Node) -> impl Iterator<Item = &Node> {
        let pairs = self.takers.keys();
        let of = pairs.filter(move |(_, taker)| taker == function);
        of.map(|(queue, _)| queue)
    }

    /// What is found is no reference for later.
    pub(super) fn disturb(&mut self, finding: &Finding, until: Minute) {
        let Some(node) = finding.subject.nodes().next() else {
            return;
        };
        match finding.kind {
            Kind::Backlog { .. } | Kind::DeadLetters { .. } => {
                if let Some(known) = self.lying.get_mut(node) {
                    known.disturb(until);
                }
            }
            Kind::Retries { .. } => {
                if let Some(known) = self.again.get_mut(node) {
                    known.disturb(until);
                }
            }
            _ => {}
        }
    }

    pub(super) fn forget(&mut self, now: Minute) {
        let oldest = now.saturating_sub(REMEMBERED);
        self.lying.retain(|_, known| known.last() >= oldest);
        self.again.retain(|_, known| known.last() >= oldest);
        let is_recent = |at: &Minute| *at + FORGOTTEN > now;
        self.takers.retain(|_, at| is_recent(at));
        self.givers.retain(|_, at| is_recent(at));
    }

    /// Of which queues and functions this queue gets what they give up, with who takes from those queues: as somebody
    /// has said, else by its name.
    pub(super) fn givers(&self, dead: &Node) -> BTreeSet<Node> {
        let mut from: BTreeSet<Node> = pairs_of(&self.givers, dead).cloned().collect();
        if from.is_empty() {
            from.extend(named_after(dead));
        }
        let takers = from.iter().flat_map(|queue| pairs_of(&self.takers, queue));
        let takers: Vec<Node> = takers.cloned().collect();
        from.extend(takers);
        from
    }

    /// The message that came most often of late, of those whose functions give up to this queue.
    fn worst_of(&self, dead: &Node, to: Minute) -> Option<Worst> {
        let worst = self.givers(dead).into_iter().filter_map(|function| {
            let (message, times) = self.again.get(&function)?.worst(to)?;
            Some(Worst {
                message: message.to_owned(),
                times,
                function,
            })
        });
        worst.max_by_key(|worst| worst.times)
    }
}

/// What a node is paired with.
fn pairs_of<'a>(
    known: &'a BTreeMap<(Node, Node), Minute>,
    one: &'a Node,
) -> impl Iterator<Item = &'a Node> {
    let pairs = known.range((one.clone(), Node::new())..);
    let pairs = pairs.map(|(pair, _)| pair);
    pairs
        .take_while(move |(first, _)| first == one)
        .map(|(_, other)| other)
}

fn remember(
    known: &mut BTreeMap<(Node, Node), Minute>,
    one: &Node,
    other: &Node,
    minute: Minute,
) -> bool {
    let pair = (one.clone(), other.clone());
    if known.len() >= PAIRS_MAX && !known.contains_key(&pair) {
        return false;
    }
    let at = known.entry(pair).or_default();
    *at = minute.max(*at);
    true
}

/// Whether a queue is called what people call those that get what nobody could handle.
fn is_named(node: &Node) -> bool {
    let Some(name) = node.strip_prefix("queue:") else {
        return false;
    };
    let name = name.to_ascii_lowercase();
    let mut words = name.split(|it: char| !it.is_ascii_alphanumeric());
    let together: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
    words.any(|word| word == "dlq" || word == "dead")
        || together.ends_with("dlq")
        || ["deadletter", "undeliverable"]
            .iter()
            .any(|known| together.contains(known))
}

/// The queue that one of `orders-dlq`, `dlq-orders`, `orders_dead_letter_queue` and the like is the other end of.
fn named_after(dead: &Node) -> Option<Node> {
    let name = dead.strip_prefix("queue:")?;
    let separators = ['-', '_', '.'];
    let stripped = ADDITIONS.iter().find_map(|addition| {
        let end = name.len().checked_sub(addition.len())?;
        let (first, last) = (name.get(..addition.len())?, name.get(end..)?);
        if last.eq_ignore_ascii_case(addition) {
            return name.get(..end);
        }
        let is_first = first.eq_ignore_ascii_case(addition);
        is_first.then(|| &name[addition.len()..])
    })?;
    let other = stripped.trim_matches(separators);
    (!other.is_empty()).then(|| format!("queue:{other}"))
}

/// What is added to the name of a queue, the longest first.
const ADDITIONS: [&str; 9] = [
    "dead-letter-queue",
    "dead_letter_queue",
    "deadletterqueue",
    "dead-letters",
    "dead-letter",
    "dead_letter",
    "deadletters",
    "deadletter",
    "dlq",
];
/// Minutes without a word after which nobody knows what was meanwhile.
const PAUSE: Minute = 15;
/// Minutes after which whoever tells of queues would have told of this one.
const STEADY: Minute = 60;
/// A day: who takes from what is forgotten then.
const FORGOTTEN: Minute = 24 * 60;
const REMEMBERED: Minute = 8 * 24 * 60;
/// Queues with who takes from them.
const PAIRS_MAX: usize = 10_000;

#[cfg(test)]
mod tests;
