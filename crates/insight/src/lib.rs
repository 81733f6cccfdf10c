//! Pure analysis of telemetry: what a heap of spans and logs means.
//!
//! It knows seventeen things. [`Contrast`] says by what a selection of events differs from the rest.
//! [`Detector`] watches, and says what is unusual; [`explain`] says where it comes from,
//! [`investigate`](investigate::investigate) asks it what somebody wants to know of the past, and
//! [`cause`] what is to be known of an incident.
//! [`question`] reads what somebody asks, and [`graph`] answers queries about who depends on whom.
//! [`advise`](rightsize::advise) says which memory a function should have. [`lines`] makes lines of a chart from the
//! points of a metric. A [`Wall`] has
//! what each function does right now, held against what is normal for it; [`waits`] says how long records lay in
//! queues before it had them. [`gather`] and [`tell`]
//! follow one user action through several traces, [`critical_path`] says what its end waited for, and [`reached`]
//! whether it came in time. [`slo`] says how quickly the budget of an objective goes, and [`alert`] when a number is
//! where it must not be for too long. [`reach`] says who would notice through others that a function stops.
//! The rest are traces: [`assemble`] lays the spans of one trace out as a tree and
//! puts its logs in order of time, [`Summary`] is the line that a list of traces shows. The spans
//! may arrive in any order, with parents missing, named twice or in circles; every span comes out
//! exactly once, and no parent after its child.
//!
//! ```
//! use throughline_insight::assemble;
//! use throughline_telemetry::{Signal, wire, wire::Request};
//!
//! let body = br#"{"resourceSpans":[{"scopeSpans":[{"spans":[
//!     {"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174",
//!      "parentSpanId":"00f067aa0ba902b7","name":"query","startTimeUnixNano":"20","endTimeUnixNano":"30"},
//!     {"traceId":"5b8efff798038103d269b633813fc60c","spanId":"00f067aa0ba902b7",
//!      "name":"checkout","startTimeUnixNano":"10","endTimeUnixNano":"50"}]}]}]}"#;
//! let Request::Traces(request) = Request::from_json(Signal::Traces, body)? else { unreachable!() };
//! let trace = assemble(wire::spans(request)?, Vec::new());
//!
//! assert_eq!(trace.summary.root.as_ref().map(|root| root.name.as_str()), Some("checkout"));
//! let tree: Vec<_> = trace.spans.iter().map(|placed| (placed.depth, placed.span.name.as_str())).collect();
//! assert_eq!(tree, [(0, "checkout"), (1, "query")]);
//! # Ok::<(), throughline_telemetry::wire::WireError>(())
//! ```
//!
//! What it deliberately does not do: no I/O, no clock, no storage, no JSON.

mod again;
pub mod alert;
pub mod cause;
pub mod contrast;
mod critical;
pub mod detect;
pub mod facts;
pub mod graph;
pub mod investigate;
pub mod question;
pub mod reach;
pub mod rightsize;
pub mod rootcause;
mod series;
pub mod slo;
mod statistics;
mod story;
mod summary;
#[cfg(test)]
mod testing;
mod trace;
mod tree;
mod waits;
mod wall;

pub use again::{came_again, is_retry};
pub use contrast::Contrast;
pub use critical::{
    PathEnd, PathPart, Phase, Role, Stretch, critical_path, goes_on_after_answer, is_asynchronous,
};
pub use detect::Detector;
pub use rootcause::explain;
pub use series::{Line, LineCalculation, LineQuery, Lines, lines};
pub use story::{
    Attempts, Cost, Found, Gathered, How, Join, LeftOut, Limits, Part, Reached, Source, SpanAt,
    SpanCost, Story, Told, gather, reached, tell,
};
pub use summary::{Outcome, Root, ServiceShare, Summary};
pub use trace::{Trace, assemble};
pub use tree::{Placed, place};
pub use waits::{Wait, WaitAt, takers, waits};
pub use wall::{Call, Card, Deviation, FUNCTIONS_MAX, Normal, SECONDS, WINDOW, Wall, Window};
