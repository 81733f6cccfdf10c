//! A span as OpenTelemetry's API has it.

use std::borrow::Cow;
use std::sync::{Arc, Weak};
use std::time::SystemTime;

use opentelemetry::trace::{self, SpanBuilder, SpanContext, SpanKind, Status};
use opentelemetry::{Array, Context, KeyValue, Value};
use throughline_telemetry::{
    Attributes, Scope, SpanKind as Kind, SpanStatus, UnixNanos, Value as Told,
};

use super::context::{place, read, written};
use crate::clock::now;
use crate::span::{Inner, Open};

/// A span of the invocation. It ends with `end`, or when it is gone.
#[derive(Debug)]
pub struct Span {
    open: Hold,
    context: SpanContext,
}

#[derive(Debug)]
enum Hold {
    /// Its own: it ends with it.
    Own(Open),
    /// Somebody else's, who ends it.
    Seen(Weak<Inner>),
    /// Nobody's: there is no invocation, or no room in it.
    Nothing,
}

impl Span {
    pub(super) fn begin(builder: SpanBuilder, parent: &Context, scope: &Arc<Scope>) -> Self {
        let Some(open) = open(&builder, parent) else {
            // What is below it still belongs to whom it would have belonged to.
            let context = trace::TraceContextExt::span(parent).span_context().clone();
            let open = Hold::Nothing;
            return Span { open, context };
        };
        open.change(|span| span.scope = Arc::clone(scope));
        open.set_all(attributes(builder.attributes.unwrap_or_default()));
        for event in builder.events.unwrap_or_default() {
            let told = attributes(event.attributes);
            open.event_at(event.timestamp.into(), &event.name, told);
        }
        for link in builder.links.unwrap_or_default() {
            add_link(&open, &link.span_context, link.attributes);
        }
        let context = written(open.context(), false);
        let open = Hold::Own(open);
        Span { open, context }
    }

    pub(super) fn seen(open: &Open) -> Self {
        Span {
            context: written(open.context(), false),
            open: Hold::Seen(Arc::downgrade(open.inner())),
        }
    }

    fn open(&self) -> Option<Open> {
        match &self.open {
            Hold::Own(open) => Some(open.clone()),
            Hold::Seen(inner) => inner.upgrade().map(Open::of),
            Hold::Nothing => None,
        }
    }
}

impl trace::Span for Span {
    fn add_event_with_timestamp<T>(&mut self, name: T, timestamp: SystemTime, told: Vec<KeyValue>)
    where
        T: Into<Cow<'static, str>>,
    {
        if let Some(open) = self.open() {
            open.event_at(timestamp.into(), &name.into(), attributes(told));
        }
    }

    fn span_context(&self) -> &SpanContext {
        &self.context
    }

    fn is_recording(&self) -> bool {
        self.open().is_some_and(|open| open.is_open())
    }

    fn set_attribute(&mut self, attribute: KeyValue) {
        if let Some(open) = self.open() {
            open.set(attribute.key.as_str(), told(attribute.value));
        }
    }

    fn set_status(&mut self, status: Status) {
        let (status, message) = match status {
            Status::Unset => return,
            Status::Ok => (SpanStatus::Ok, String::new()),
            Status::Error { description } => (SpanStatus::Error, description.into_owned()),
        };
        if let Some(open) = self.open() {
            open.set_status(status, message);
        }
    }

    fn update_name<T: Into<Cow<'static, str>>>(&mut self, name: T) {
        if let Some(open) = self.open() {
            open.change(|span| span.name = name.into().into_owned());
        }
    }

    fn add_link(&mut self, context: SpanContext, attributes: Vec<KeyValue>) {
        if let Some(open) = self.open() {
            add_link(&open, &context, attributes);
        }
    }

    fn end_with_timestamp(&mut self, timestamp: SystemTime) {
        if let Hold::Own(open) = &self.open {
            open.end_at(timestamp.into());
        }
    }
}

fn open(builder: &SpanBuilder, parent: &Context) -> Option<Open> {
    let (invocation, parent) = place(parent)?;
    if !invocation.sdk.settings.hook("opentelemetry") {
        return None;
    }
    let kind = match builder.span_kind {
        Some(SpanKind::Client) => Kind::Client,
        Some(SpanKind::Producer) => Kind::Producer,
        Some(SpanKind::Consumer) => Kind::Consumer,
        // The server's span is the invocation's.
        Some(SpanKind::Server | SpanKind::Internal) | None => Kind::Internal,
    };
    let start = builder.start_time.map_or_else(now, UnixNanos::from);
    Open::begin(&invocation, &builder.name, kind, Some(parent), start)
}

fn add_link(open: &Open, context: &SpanContext, told: Vec<KeyValue>) {
    if let Some(context) = read(context) {
        open.link(context, attributes(told));
    }
}

fn attributes(pairs: Vec<KeyValue>) -> Attributes {
    let mut attributes = Attributes::default();
    for pair in pairs {
        attributes.set(pair.key.as_str(), told(pair.value));
    }
    attributes
}

fn told(value: Value) -> Told {
    match value {
        Value::Bool(value) => value.into(),
        Value::I64(value) => value.into(),
        Value::F64(value) => value.into(),
        Value::Array(Array::Bool(values)) => list(values),
        Value::Array(Array::I64(values)) => list(values),
        Value::Array(Array::F64(values)) => list(values),
        Value::Array(Array::String(values)) => {
            list(values.iter().map(ToString::to_string).collect())
        }
        // Both grow without a new version of the API.
        text => text.to_string().into(),
    }
}

fn list<T: Into<Told>>(values: Vec<T>) -> Told {
    Told::Array(values.into_iter().map(Into::into).collect())
}
