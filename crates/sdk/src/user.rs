//! What a function may say itself.

use std::future::Future;

use throughline_telemetry::{SpanKind, Value};

use crate::current::{self, Scoped};
use crate::ids::TraceContext;
use crate::span::Open;

/// Does `work` in a span of its own, below the current one.
///
/// Outside of invocations, and without the extension, it does the work and no more. The span ends with the work.
pub fn in_span<F: Future>(name: &str, work: F) -> impl Future<Output = F::Output> + use<F> {
    let span = current::current().and_then(|current| current.child(name, SpanKind::Internal));
    Scoped::new(span, work)
}

/// Says something of the current span: an order's number, a customer's.
///
/// A span has at most 128 attributes, and a text at most 64 KiB; what is more is left out.
pub fn attribute(key: &str, value: impl Into<Value>) {
    if let Some(current) = current::current() {
        current.set(key, value);
    }
}

/// The current span as the value of a `traceparent` header, for what carries no trace by itself: another HTTP client, a
/// message to Kafka.
pub fn traceparent() -> Option<String> {
    traceparent_of(&current::current()?)
}

pub(crate) fn traceparent_of(span: &Open) -> Option<String> {
    traceparent_to(span.context())
}

pub(crate) fn traceparent_to(context: TraceContext) -> Option<String> {
    let span_id = context.span_id?;
    Some(format!("00-{}-{span_id}-01", context.trace_id))
}
