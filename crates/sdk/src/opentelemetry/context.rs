//! The current span, in OpenTelemetry's context as in our own.
//!
//! Where one of our spans becomes current, a context that has it is attached. So the newer of the two is always
//! OpenTelemetry's, and ours need only be asked where that names nothing of ours.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use opentelemetry::trace::{SpanContext, TraceContextExt, TraceFlags, TraceState};
use opentelemetry::{Context, ContextGuard};
use throughline_telemetry::{SpanId, TraceId};

use super::span::Span;
use crate::current;
use crate::ids::TraceContext;
use crate::invocation::Invocation;
use crate::span::Open;

/// Set once somebody wants it: it costs something whenever a future is polled.
static MIRRORS: AtomicBool = AtomicBool::new(false);

pub(super) fn mirror() {
    MIRRORS.store(true, Ordering::Relaxed);
}

/// A context that names one of our spans, attached to this thread.
pub(crate) struct Active(#[allow(dead_code)] ContextGuard); // dropped, and no more

impl Active {
    pub(crate) fn attach(span: Option<&Open>) -> Option<Self> {
        let span = span.filter(|_| MIRRORS.load(Ordering::Relaxed))?;
        let invocation = Arc::clone(span.invocation());
        let context = Context::current_with_value(Of(invocation));
        let context = context.with_span(Span::seen(span));
        Some(Active(context.attach()))
    }
}

/// The invocation that a context belongs to, whatever span it names, and whichever thread it has been carried to.
pub(super) struct Of(Arc<Invocation>);

/// Our span that OpenTelemetry's context names, if it is open.
pub(crate) fn named() -> Option<Open> {
    if !MIRRORS.load(Ordering::Relaxed) {
        return None;
    }
    Context::map_current(|context| {
        let active = read(context.span().span_context())?;
        context.get::<Of>()?.0.open(active.span_id?)
    })
}

/// Where a span begins whose parent is to be what `context` names: its invocation, and the parent.
pub(super) fn place(context: &Context) -> Option<(Arc<Invocation>, TraceContext)> {
    let of = context.get::<Of>().map(|of| Arc::clone(&of.0));
    let named = read(context.span().span_context());
    match (of, named) {
        (Some(invocation), Some(parent)) => Some((invocation, parent)),
        (_, named) => {
            let current = current::current()?;
            let parent = named.unwrap_or_else(|| current.context());
            Some((Arc::clone(current.invocation()), parent))
        }
    }
}

pub(super) fn read(context: &SpanContext) -> Option<TraceContext> {
    Some(TraceContext {
        trace_id: TraceId::new(context.trace_id().to_bytes()).ok()?,
        span_id: Some(SpanId::new(context.span_id().to_bytes()).ok()?),
    })
}

pub(super) fn written(context: TraceContext, is_remote: bool) -> SpanContext {
    let span_id = context.span_id.map_or([0; 8], |id| *id.as_bytes());
    SpanContext::new(
        opentelemetry::TraceId::from_bytes(*context.trace_id.as_bytes()),
        opentelemetry::SpanId::from_bytes(span_id),
        TraceFlags::SAMPLED,
        is_remote,
        TraceState::default(),
    )
}
