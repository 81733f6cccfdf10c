//! What spans, logs and metrics are, and how they look on the wire.
//!
//! Everything else in Throughline speaks in the types of [`model`]; [`wire`] turns the bytes of
//! OTLP into them and back. The three names to know are [`Span`], [`LogRecord`] and
//! [`wire::Request`].
//!
//! ```
//! use throughline_telemetry::{Signal, wire::Request};
//!
//! let body = br#"{"resourceSpans":[{"scopeSpans":[{"spans":[{
//!     "traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174",
//!     "name":"hello","startTimeUnixNano":"1","endTimeUnixNano":"3"}]}]}]}"#;
//! let Request::Traces(request) = Request::from_json(Signal::Traces, body)? else { unreachable!() };
//! let spans = throughline_telemetry::wire::spans(request)?;
//! assert_eq!(spans[0].name, "hello");
//! assert_eq!(spans[0].duration().as_nanos(), 2);
//! # Ok::<(), throughline_telemetry::wire::WireError>(())
//! ```
//!
//! What it deliberately does not do: no I/O, no async, no clock, no storage layout.

pub mod correlation;
mod histogram;
pub mod model;
pub mod wire;

pub use histogram::{Histogram, HistogramSum};
pub use model::{
    Attributes, Event, Link, LogRecord, MetricPoint, Resource, Scope, Signal, Span, SpanId,
    SpanKind, SpanStatus, TraceId, UnixNanos, Value,
};
