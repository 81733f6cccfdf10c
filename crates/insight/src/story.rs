//! One user action, whichever traces it is in.
//!
//! A queue, a stream or a table starts a new trace for whoever reads from it. What was sent and what was
//! received is named on both sides, though, so [`gather`] goes from trace to trace by what they have in
//! common, and [`tell`] makes one tree of them. Both look at what is there when somebody asks: nothing is
//! remembered, so telemetry may come in any order, late and twice.
//!
//! - **Which traces belong to it**: those that the trace asked for goes back to, and what theirs went back
//!   to (upstream); then those that go on from any of these (downstream). A function that took a batch of ten
//!   messages goes on from ten user actions, and is in the story of each; the other nine are not.
//! - **How it is known** ([`How`]): *carried*, by a parent or a span link that names a span; *matched*, by a
//!   key that both sides have and nobody else (a message's id, a request's id); *inferred*, by a key that is
//!   probably of one message only (the digest of a body, the keys of an item): then the span that
//!   sent it last before it was received, and only where nothing better is known.
//! - **Which span is the parent**: the one that a matched key names, even where a header names another, because
//!   a header often knows the invocation only and a key the very call; else the one that was carried.
//!
//! What a record passed on its way, queue or topic or bus, becomes a span of its own ([`Told::is_inferred`]),
//! as long as the record waited there.

mod cost;
mod gather;
mod hops;
mod keys;
mod tell;
mod tree;
mod until;

use std::collections::BTreeMap;

use throughline_telemetry::correlation::End;
use throughline_telemetry::{LogRecord, Span, SpanId, TraceId};

pub use cost::{Cost, SpanCost};
pub use gather::gather;
pub(crate) use hops::{Hop, parse};
pub(crate) use keys::texts;
pub use tell::{Attempts, Story, Told, tell};
pub use until::{Reached, reached};

/// Where the traces are.
pub trait Source {
    /// Why something cannot be read.
    type Error;

    /// A trace; nothing in it if it is not known.
    fn load(&mut self, id: TraceId) -> Result<Part, Self::Error>;

    /// The traces that have spans with these ends, as many as ends were asked for.
    fn linked(&mut self, ends: &[End]) -> Result<Found, Self::Error>;
}

/// One trace.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Part {
    /// Its spans, each once.
    pub spans: Vec<Span>,
    /// Its log records.
    pub logs: Vec<LogRecord>,
    /// Whether it has more of them.
    pub truncated: bool,
}

/// What was found by ends.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Found {
    /// The traces of each.
    pub traces: Vec<Vec<TraceId>>,
    /// Whether there may be others.
    pub truncated: bool,
}

/// How much a story may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Traces.
    pub traces_max: usize,
    /// Spans, unless one trace alone has more.
    pub spans_max: usize,
    /// Traces that are looked at to find out whether they belong to it.
    pub loads_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            traces_max: 100,
            spans_max: 10_000,
            loads_max: 300,
        }
    }
}

/// The traces of a story, and how they belong together.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Gathered {
    /// The traces, those asked for and what they go back to first.
    pub order: Vec<TraceId>,
    /// What they are.
    pub parts: BTreeMap<TraceId, Part>,
    /// How their spans belong together beyond the parents within a trace.
    pub joins: Vec<Join>,
    /// What is not here.
    pub left_out: LeftOut,
}

/// What a story has no room for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LeftOut {
    /// Traces that belong to it, at least.
    pub traces: usize,
    /// Whether there may be others that were not looked for, or spans of its traces that were not loaded.
    pub is_partial: bool,
}

/// A span and its trace: span ids alone are unique in their trace only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SpanAt {
    /// The trace.
    pub trace_id: TraceId,
    /// The span.
    pub span_id: SpanId,
}

impl SpanAt {
    fn of(span: &Span) -> Self {
        SpanAt {
            trace_id: span.trace_id,
            span_id: span.span_id,
        }
    }
}

/// That one span goes on from another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Join {
    /// The span that it goes back to.
    pub from: SpanAt,
    /// The span that goes on.
    pub to: SpanAt,
    /// How that is known.
    pub how: How,
    /// The key that both have, if that is how.
    pub key: Option<String>,
}

/// How it is known that a span goes on from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum How {
    /// It names it, as its parent or in a link.
    Carried,
    /// Both have a key that nobody else has.
    Matched,
    /// Both have a key that probably nobody else has.
    Inferred,
}

impl How {
    /// The name used by the API.
    pub fn name(self) -> &'static str {
        match self {
            How::Carried => "carried",
            How::Matched => "matched",
            How::Inferred => "inferred",
        }
    }
}

#[cfg(test)]
mod tests;
