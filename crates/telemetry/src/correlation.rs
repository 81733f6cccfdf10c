//! What spans say about what reaches them and what they send on, so that those of two traces can be
//! told to belong together.

use crate::TraceId;

/// The attribute of what a span has sent: texts `kind:value`, one or more for each message or call.
pub const LINK_OUT: &str = "throughline.link.out";

/// The attribute of what an invocation has received: the same texts.
pub const LINK_IN: &str = "throughline.link.in";

/// The attribute of how each record has come to an invocation: managed services, the oldest first.
pub const IN_PATH: &str = "throughline.in.path";

/// The attribute of which records came to an invocation that were received before: texts `TIMES#KEY`, this time included.
pub const IN_AGAIN: &str = "throughline.in.again";

/// The attribute of which invocation a span or log record is of: Lambda's request id.
pub const INVOCATION_ID: &str = "faas.invocation_id";

/// The kind of key that a request id of Lambda is.
pub const LAMBDA_KIND: &str = "lam";

/// The attribute of what an invocation is estimated to have cost, in US dollars.
pub const COST_USD: &str = "throughline.cost.usd";

/// One end of what joins two traces, by which spans that have it can be found.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum End {
    /// Has sent what this key names.
    Out(String),
    /// Has received what this key names. An invocation has received its own request id.
    In(String),
    /// Has a span link to this trace.
    LinkTo(TraceId),
}
