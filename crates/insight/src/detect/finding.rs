//! What was found, as the ingredients of a sentence.

use serde::{Deserialize, Serialize};
use throughline_telemetry::UnixNanos;

use super::outer::OuterAlert;
use super::subject::{Change, Node, Subject};
use super::when::When;

/// One thing that is unusual about one subject.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// Of what.
    pub subject: Subject,
    /// What is unusual.
    pub kind: Kind,
    /// How it was before, if that is known; in the unit of the kind.
    pub before: Option<Measure>,
    /// How it is now, or was when it was last seen.
    pub after: Measure,
    /// Since when, to the minute.
    #[serde(with = "super::keep::nanos")]
    pub since: UnixNanos,
    /// When it was last seen.
    #[serde(with = "super::keep::nanos")]
    pub seen: UnixNanos,
    /// How improbable it is that this is chance: 1 less the share of false ones among findings like this.
    pub confidence: f64,
    /// How much it matters.
    pub severity: Severity,
    /// What somebody did to the subject within the quarter of an hour before.
    pub change: Option<Change>,
}

/// A number that was measured, with the interval that it lies in at 95 %.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Measure {
    /// What was measured.
    pub value: f64,
    /// The low end of what it may be.
    pub low: f64,
    /// The high end.
    pub high: f64,
    /// Of how many.
    pub of: u64,
    /// Of a number from before, the time that it is of; `None` if that was not written down.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<When>,
}

impl Measure {
    /// A number that is what it is.
    pub fn exact(value: f64, of: u64) -> Self {
        Measure {
            value,
            low: value,
            high: value,
            of,
            when: None,
        }
    }

    /// The same, of that time.
    pub(super) fn at(self, when: When) -> Self {
        Measure {
            when: Some(when),
            ..self
        }
    }
}

/// How much something matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Severity {
    /// Good to know; nobody is woken.
    Note,
    /// Somebody should look.
    Warning,
    /// Users notice.
    Critical,
}

/// What is unusual.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Kind {
    /// It takes longer, in milliseconds at this quantile (0.99: p99).
    Latency {
        /// From 0 to 1.
        quantile: f64,
    },
    /// A greater share fails, 0 to 1.
    Errors,
    /// It fails in a way that it has not in the last fourteen days; how often.
    NewError {
        /// The fingerprint.
        signature: String,
    },
    /// It calls something that it never called; how often.
    NewEdge {
        /// What the operation does there.
        class: EdgeClass,
    },
    /// It comes near its timeout; milliseconds at this quantile, or the longest with 1.
    NearTimeout {
        /// From 0 to 1.
        quantile: f64,
        /// The timeout in milliseconds.
        timeout_ms: f64,
        /// The share that ended within 1 % of the timeout, or there.
        clipped: f64,
        /// In how many days the trend reaches it, if it does within a week.
        days_left: Option<f64>,
    },
    /// It uses more than nine tenths of its memory; the share used, 0 to 1.
    Memory,
    /// The memory used by one environment grows with every invocation, in bytes.
    Leak {
        /// Of that one.
        environment: String,
    },
    /// It is refused, or refuses; how often.
    Throttles,
    /// A greater share begins with a cold start, 0 to 1.
    ColdStarts {
        /// What brings them.
        why: ColdWhy,
    },
    /// What should come does not; how often it came in a quarter of an hour.
    Silence,
    /// What lies in it waits longer, in milliseconds at this quantile.
    Waiting {
        /// From 0 to 1.
        quantile: f64,
    },
    /// The oldest of what lies in it, or waits for it, is older, in milliseconds.
    Backlog {
        /// Whether nothing is taken any more: it grows older as time passes.
        is_stuck: bool,
    },
    /// More is put there than usual of what nobody could handle, or is given up of what it should have handled; how
    /// many since then. Before: in the worst hour.
    DeadLetters {
        /// Of where it comes from, what came most often, if that is known.
        worst: Option<Worst>,
        /// How many of them are nowhere now.
        lost: u64,
    },
    /// It is given the same again and again; how many of them came three times and more within an hour. Before: how
    /// often that was so in the worst hour.
    Retries {
        /// The one that came most often of late, by the key that both its sides know: `sqs:ID`.
        message: String,
        /// How often.
        times: u64,
        /// Whether it failed then, too.
        is_failed: bool,
    },
    /// Part of its telemetry is lost; the share, 0 to 1.
    Incomplete,
    /// It costs more, in US dollars an hour.
    Cost {
        /// What of the difference is due to what, in US dollars an hour, the most first.
        why: Vec<(CostFactor, f64)>,
    },
    /// Somebody else's watch says so.
    Outer(Box<OuterAlert>),
}

/// A message that came again and again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Worst {
    /// To which function.
    pub function: Node,
    /// Its key: `sqs:ID`.
    pub message: String,
    /// How often.
    pub times: u64,
}

impl EdgeClass {
    /// Its name, as the API and rules have it.
    pub fn name(self) -> &'static str {
        match self {
            EdgeClass::Read => "read",
            EdgeClass::Write => "write",
            EdgeClass::Admin => "admin",
            EdgeClass::Outside => "outside",
        }
    }
}

/// What an operation does to what it calls. Later ones matter more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum EdgeClass {
    /// It looks.
    Read,
    /// It changes data, or hands something over.
    Write,
    /// It changes what there is, or who may do what.
    Admin,
    /// It goes to a host that is not AWS's.
    Outside,
}

/// What brings cold starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ColdWhy {
    /// There is a new version or setting.
    Change,
    /// There is more to do than before.
    ScaleOut,
    /// Environments end sooner than before, and nobody knows why.
    Recycled,
}

/// What a cost is made of: the product of all of them is the cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CostFactor {
    /// How many first attempts there are.
    Volume,
    /// How many attempts each takes.
    Retries,
    /// How long one takes, without its start.
    Duration,
    /// How much longer it is billed for because of starts.
    ColdStarts,
    /// What a millisecond costs: memory and architecture.
    Memory,
}
