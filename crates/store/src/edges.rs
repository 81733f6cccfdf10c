//! Edges: what calls what, by the minute.
//!
//! ```text
//! rollups/spans-0000000007-000.edges.parquet   of segments/spans-0000000007-000.parquet
//! ```
//!
//! An edge goes from a service, or one of its functions, to whom it called, with an operation. There are
//! two ways to know of one:
//!
//! - **A span of somebody else below it.** Where the parent of a span belongs to another service or function,
//!   or is a client span and the span a server's, the parent's owner called the span's. It counts when the
//!   span below began, takes as long as that took, and failed if that failed or the client span did.
//! - **What a client span says** of whom it calls ([`call`]): a table, a queue, a bucket, a host. It counts
//!   unless it names a function, a service or a host whose own span is below it, and is an edge already.
//!
//! Both ends have to be in one segment, or a call is known from the client's side alone: such as the host or
//! the function that it names. What is merged is counted anew from the merged rows, in which both
//! ends meet. Links are no edges: which of many messages a span goes back to, only the
//! trace says.
//!
//! Edges are summed up while the rows of a segment are written ([`EdgeFold`]), live and die with them, and are
//! made of the rows again where they are missing or damaged. A minute has a limit of edges
//! ([`EDGES_A_MINUTE_MAX`](crate::limits::EDGES_A_MINUTE_MAX)); calls beyond it count under
//! [`OTHER`](crate::OTHER), in a row of their own, and answers say how many those are.
//!
//! **Invariant**: for every minute, what a segment's edges count is what its rows count.

mod call;
mod client;
mod file;
mod fold;
mod invoked;
mod read;

use std::fmt;

pub use call::THROTTLES;
pub use client::ClientCall;
pub(crate) use file::{load, write};
pub(crate) use fold::EdgeFold;
pub use invoked::FunctionCall;
pub(crate) use invoked::{INVOKED_NAME, may_be as may_be_a_call};
pub use read::{Edge, EdgeList};

/// What the catalog knows of the edges of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct EdgesMeta {
    /// On disk.
    pub(crate) bytes: u64,
    /// CRC-32C of the file.
    pub(crate) crc: u32,
}

/// Who calls: a service, or one of its functions.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Caller {
    /// Its `service.name`.
    pub service: String,
    /// Its `faas.name`; empty for what is no function.
    pub function: String,
}

/// Who is called.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Callee {
    /// What it is.
    pub kind: NodeKind,
    /// The service that a function belongs to; empty unless its own spans say so.
    pub service: String,
    /// Its name: of a function its `faas.name`, of a service its `service.name`, of anything else what the
    /// caller calls it.
    pub name: String,
}

/// What may be called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum NodeKind {
    /// A function.
    Function,
    /// Something else that sends spans, or a service that a client names.
    Service,
    /// A table of a database without servers.
    Table,
    /// A queue.
    Queue,
    /// A topic.
    Topic,
    /// A bus of events.
    Bus,
    /// A stream.
    Stream,
    /// A bucket of objects.
    Bucket,
    /// A database with all its tables.
    Database,
    /// A cache.
    Cache,
    /// A host of which nothing else is known.
    Host,
    /// Any of those that there was no room for.
    Other,
}

impl NodeKind {
    /// All of them.
    pub const ALL: [NodeKind; 12] = [
        NodeKind::Function,
        NodeKind::Service,
        NodeKind::Table,
        NodeKind::Queue,
        NodeKind::Topic,
        NodeKind::Bus,
        NodeKind::Stream,
        NodeKind::Bucket,
        NodeKind::Database,
        NodeKind::Cache,
        NodeKind::Host,
        NodeKind::Other,
    ];

    /// Its name, in files and in the API.
    pub fn name(self) -> &'static str {
        match self {
            NodeKind::Function => "function",
            NodeKind::Service => "service",
            NodeKind::Table => "table",
            NodeKind::Queue => "queue",
            NodeKind::Topic => "topic",
            NodeKind::Bus => "bus",
            NodeKind::Stream => "stream",
            NodeKind::Bucket => "bucket",
            NodeKind::Database => "database",
            NodeKind::Cache => "cache",
            NodeKind::Host => "host",
            NodeKind::Other => "other",
        }
    }

    /// The one of a name; what a newer version may have written is something else.
    pub(crate) fn named(name: &str) -> Self {
        let mut kinds = NodeKind::ALL.into_iter();
        kinds
            .find(|kind| kind.name() == name)
            .unwrap_or(NodeKind::Other)
    }

    /// Whether it may be somebody whose own spans are below the call.
    fn may_answer(self) -> bool {
        matches!(
            self,
            NodeKind::Function | NodeKind::Service | NodeKind::Host
        )
    }

    /// Whether nobody waits for what it does with what it gets.
    fn is_handed_over(self) -> bool {
        matches!(
            self,
            NodeKind::Queue | NodeKind::Topic | NodeKind::Bus | NodeKind::Stream
        )
    }
}

impl fmt::Display for NodeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests;
