//! What goes over the wire at once, and what came of it.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use throughline_telemetry::Signal;

use super::Worth;

/// Which batch of which environment: what an answer speaks of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// The id of the environment that sealed it.
    pub environment: Arc<str>,
    /// Its number there. A ledger that travels alone has 0.
    pub sequence: u64,
}

/// One POST to be made.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    /// The environment that sealed it: this one, or one whose extension was killed.
    pub environment: Arc<str>,
    /// The function of that environment.
    pub function: Arc<str>,
    /// Its number in the environment, from 1. Sent again it keeps it, so the server can tell a
    /// repeat from news. 0 for a ledger that travels alone.
    pub sequence: u64,
    /// What it carries, and so where it goes.
    pub signal: Signal,
    /// What it is worth when not everything can be kept.
    pub worth: Worth,
    /// How many spans, records or metrics are in it.
    pub items: u64,
    /// Protobuf, packed if [`Batch::packed`].
    pub body: Bytes,
    /// Whether the body is gzip.
    pub packed: bool,
}

impl Batch {
    /// Its name.
    pub fn key(&self) -> Key {
        Key {
            environment: Arc::clone(&self.environment),
            sequence: self.sequence,
        }
    }
}

/// A batch on its way, with the ledger as it is when it leaves.
#[derive(Clone, Debug, PartialEq)]
pub struct Parcel {
    /// What is sent.
    pub batch: Batch,
    /// `x-throughline-ledger`: compact JSON, ASCII.
    pub ledger: Arc<str>,
}

/// How a POST went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The server has it, except for so many items that it refused.
    Delivered {
        /// How many it refused.
        refused: u64,
    },
    /// The server will never take it.
    Rejected {
        /// Why.
        why: String,
    },
    /// It may go better later.
    Failed {
        /// Why.
        why: String,
        /// How long the server wants to be left alone.
        retry_after: Option<Duration>,
    },
}
