//! What is watched, and what is counted of it in a minute.

use serde::{Deserialize, Serialize};
use throughline_telemetry::{HistogramSum, UnixNanos};

use super::durations::merge;

/// A node of the map, by its name there: `function:checkout`, `table:orders`.
pub type Node = String;

/// What is watched.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Subject {
    /// A function, or whatever else answers: its invocations.
    Node(Node),
    /// One of the things that it does.
    Operation(Node, String),
    /// Its calls of another, by operation.
    Edge(Node, Node, String),
    /// What lies in it until a function has it: records, and how long they waited.
    Wait(Node),
}

impl Subject {
    /// The nodes that it is of.
    pub fn nodes(&self) -> impl Iterator<Item = &Node> {
        let (one, other) = self.ends();
        std::iter::once(one).chain(other)
    }

    /// The node that it is about and, of its calls, the one that is called.
    pub fn ends(&self) -> (&Node, Option<&Node>) {
        match self {
            Subject::Node(node) | Subject::Operation(node, _) | Subject::Wait(node) => (node, None),
            Subject::Edge(from, to, _) => (from, Some(to)),
        }
    }

    /// What is done, or called for, if it is of one operation alone.
    pub fn operation(&self) -> Option<&str> {
        match self {
            Subject::Node(_) | Subject::Wait(_) => None,
            Subject::Operation(_, operation) | Subject::Edge(_, _, operation) => Some(operation),
        }
    }
}

/// What a subject did in a minute, or in several.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Counts {
    /// Invocations, or calls, that ended.
    pub count: u64,
    /// Those that failed.
    pub errors: u64,
    /// Those of them that were ended because they took too long, where the platform tells it.
    #[serde(default)]
    pub timeouts: u64,
    /// Those that were refused because there were too many.
    pub throttles: u64,
    /// Those that began with a cold start.
    pub cold_starts: u64,
    /// Those that were tried again by whoever called.
    pub retries: u64,
    /// How long they took.
    #[serde(with = "super::keep::histogram")]
    pub durations: HistogramSum,
    /// What they cost, in US dollars.
    pub cost_usd: f64,
    /// What they were billed for, in milliseconds, of those whose cost is known.
    pub billed_ms: f64,
    /// That part of it which was spent on starting.
    pub init_ms: f64,
    /// The most memory that one of them used.
    pub memory_bytes_max: u64,
}

impl Counts {
    /// Adds what was done in another minute.
    pub fn add(&mut self, other: &Counts) {
        self.count += other.count;
        self.errors += other.errors;
        self.timeouts += other.timeouts;
        self.throttles += other.throttles;
        self.cold_starts += other.cold_starts;
        self.retries += other.retries;
        merge(&mut self.durations, &other.durations);
        self.cost_usd += other.cost_usd;
        self.billed_ms += other.billed_ms;
        self.init_ms += other.init_ms;
        self.memory_bytes_max = self.memory_bytes_max.max(other.memory_bytes_max);
    }
}

/// What a function may take at most.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// Its timeout in milliseconds, if that is known.
    pub timeout_ms: Option<f64>,
    /// Its memory, if that is known.
    pub memory_bytes: Option<u64>,
}

/// What came of a function's telemetry, as far as its environments tell, of those that were heard of within the last hour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Arrived {
    /// Items that they took in.
    pub accepted: u64,
    /// Those of them that are lost.
    pub lost: u64,
}

/// Something that somebody did to a node: a deployment, a new setting, an action.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// To which one.
    pub node: Node,
    /// When.
    #[serde(with = "super::keep::nanos")]
    pub at: UnixNanos,
    /// What: `version 42`, `memory 512 MB`, `a stop`.
    pub what: String,
    /// What it was until then, in the same words, if that is known.
    #[serde(default)]
    pub before: Option<String>,
    /// Who did it, of what was done with an action: then nothing was deployed.
    #[serde(default)]
    pub by: Option<String>,
}

impl Change {
    /// What it is, and who did it: `version 42`, `a stop by ada`.
    pub fn words(&self) -> String {
        match &self.by {
            Some(who) => format!("{} by {who}", self.what),
            None => self.what.clone(),
        }
    }
}
