//! A span that is open.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use throughline_telemetry::{
    Attributes, Event, Link, Span, SpanId, SpanKind, SpanStatus, TraceId, UnixNanos, Value,
};

use crate::clock::now;
use crate::failure::Failure;
use crate::ids::TraceContext;
use crate::invocation::Invocation;

/// A handle of an open span. The span ends with [`Open::end`], or when its last handle is gone.
#[derive(Clone, Debug)]
pub(crate) struct Open(Arc<Inner>);

#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) invocation: Arc<Invocation>,
    pub(crate) trace_id: TraceId,
    pub(crate) span_id: SpanId,
    /// Nothing once it has ended.
    span: Mutex<Option<Box<Span>>>,
}

impl Open {
    /// Begins a span; `None` if the invocation has no room for more.
    pub(crate) fn begin(
        invocation: &Arc<Invocation>,
        name: &str,
        kind: SpanKind,
        parent: Option<TraceContext>,
        start: UnixNanos,
    ) -> Option<Self> {
        let trace_id = parent.map(|parent| parent.trace_id);
        let trace_id = trace_id.unwrap_or_else(|| invocation.ids.trace_id(start));
        let span_id = invocation.ids.span_id();
        let span = Span {
            trace_id,
            span_id,
            parent_id: parent.and_then(|parent| parent.span_id),
            trace_state: String::new(),
            name: name.to_owned(),
            kind,
            start,
            end: UnixNanos(0),
            status: SpanStatus::Unset,
            status_message: String::new(),
            attributes: Attributes::default(),
            events: Vec::new(),
            links: Vec::new(),
            resource: Arc::clone(&invocation.sdk.resource),
            scope: Arc::clone(&invocation.sdk.scope),
        };
        let open = Arc::new(Inner {
            invocation: Arc::clone(invocation),
            trace_id,
            span_id,
            span: Mutex::new(Some(Box::new(span))),
        });
        invocation.begin(&open).then_some(Open(open))
    }

    /// A span below this one.
    pub(crate) fn child(&self, name: &str, kind: SpanKind) -> Option<Self> {
        Self::begin(&self.0.invocation, name, kind, Some(self.context()), now())
    }

    pub(crate) fn of(inner: Arc<Inner>) -> Self {
        Open(inner)
    }

    pub(crate) fn inner(&self) -> &Arc<Inner> {
        &self.0
    }

    pub(crate) fn invocation(&self) -> &Arc<Invocation> {
        &self.0.invocation
    }

    pub(crate) fn context(&self) -> TraceContext {
        TraceContext {
            trace_id: self.0.trace_id,
            span_id: Some(self.0.span_id),
        }
    }

    /// Changes the span, if it has not ended.
    pub(crate) fn change(&self, change: impl FnOnce(&mut Span)) {
        if let Some(span) = self.0.lock().as_mut() {
            change(span);
        }
    }

    pub(crate) fn set(&self, key: &str, value: impl Into<Value>) {
        self.change(|span| set(&mut span.attributes, key, value.into()));
    }

    pub(crate) fn set_all(&self, attributes: Attributes) {
        self.change(|span| {
            for (key, value) in attributes.0 {
                set(&mut span.attributes, &key, value);
            }
        });
    }

    #[cfg(feature = "tracing")]
    pub(crate) fn event(&self, name: &str, attributes: Attributes) {
        self.change(|span| add_event(span, now(), name, attributes));
    }

    #[cfg(feature = "opentelemetry")]
    pub(crate) fn event_at(&self, time: UnixNanos, name: &str, attributes: Attributes) {
        self.change(|span| add_event(span, time, name, attributes));
    }

    #[cfg(feature = "opentelemetry")]
    pub(crate) fn set_status(&self, status: SpanStatus, message: String) {
        self.change(|span| {
            span.status = status;
            span.status_message = cut(message);
        });
    }

    pub(crate) fn link(&self, context: TraceContext, attributes: Attributes) {
        self.change(|span| {
            let Some(span_id) = context.span_id.filter(|_| span.links.len() < LINKS_MAX) else {
                return;
            };
            span.links.push(Link {
                trace_id: context.trace_id,
                span_id,
                trace_state: String::new(),
                attributes,
            });
        });
    }

    /// Marks it as failed, with the exception.
    pub(crate) fn fail(&self, failure: &Failure) {
        self.change(|span| {
            add_event(span, now(), "exception", failure.attributes());
            set(
                &mut span.attributes,
                "error.type",
                failure.kind.as_str().into(),
            );
            span.status = SpanStatus::Error;
            span.status_message = cut(failure.message.clone());
        });
    }

    pub(crate) fn end(&self) {
        self.0.end(now());
    }

    #[cfg(feature = "opentelemetry")]
    pub(crate) fn end_at(&self, time: UnixNanos) {
        self.0.end(time);
    }

    #[cfg(feature = "opentelemetry")]
    pub(crate) fn is_open(&self) -> bool {
        self.0.lock().is_some()
    }
}

impl Inner {
    fn lock(&self) -> MutexGuard<'_, Option<Box<Span>>> {
        self.span.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The span as it is now, for one that cannot be waited for.
    pub(crate) fn unfinished(&self) -> Option<Span> {
        let mut span = self.lock().as_deref()?.clone();
        span.end = now().max(span.start);
        span.attributes.set("throughline.unfinished", true);
        Some(span)
    }

    fn end(&self, time: UnixNanos) {
        let Some(mut span) = self.lock().take() else {
            return;
        };
        span.end = time.max(span.start);
        self.invocation.ended(*span);
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.end(now());
    }
}

fn set(attributes: &mut Attributes, key: &str, value: Value) {
    let is_new = attributes.get(key).is_none();
    if is_new && attributes.0.len() >= ATTRIBUTES_MAX {
        return;
    }
    let value = match value {
        Value::String(text) => Value::String(cut(text)),
        other => other,
    };
    attributes.set(key, value);
}

fn add_event(span: &mut Span, time: UnixNanos, name: &str, attributes: Attributes) {
    if span.events.len() < EVENTS_MAX {
        span.events.push(Event {
            time,
            name: name.to_owned(),
            attributes,
        });
    }
}

/// At most so many bytes of a text, and whole letters.
fn cut(mut text: String) -> String {
    if text.len() > TEXT_BYTES_MAX {
        text.truncate(text.floor_char_boundary(TEXT_BYTES_MAX));
    }
    text
}

const ATTRIBUTES_MAX: usize = 128;
const EVENTS_MAX: usize = 128;
const LINKS_MAX: usize = 1_000;
const TEXT_BYTES_MAX: usize = 64 << 10;
