//! Spans and events of `tracing` as spans of the invocation.

use std::cell::RefCell;
use std::error::Error;
use std::fmt::Debug;
use std::mem::ManuallyDrop;

use throughline_telemetry::{Attributes, SpanKind, Value};
use tracing::field::{Field, Visit};
use tracing::span;
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::layer::{Context, Layer};
use tracing_subscriber::registry::LookupSpan;

use crate::current::{self, Entered};
use crate::failure::Failure;
#[cfg(feature = "macros")]
use crate::settings::Settings;
use crate::span::Open;

/// The layer that makes a span of the invocation out of each span of `tracing`, and an event of that span out of each
/// event.
///
/// It takes what has the level `INFO` and above, and nothing of the runtime and the AWS SDK themselves. A field that is
/// an error (`error = &error as &dyn Error`) becomes an exception with its causes, and with the level `ERROR` the span
/// has failed.
///
/// ```
/// use tracing_subscriber::layer::SubscriberExt;
/// use tracing_subscriber::util::SubscriberInitExt;
///
/// let lines = tracing_subscriber::fmt::layer().json();
/// tracing_subscriber::registry().with(lines).with(throughline_sdk::layer()).init();
/// ```
pub fn layer() -> TracingLayer {
    TracingLayer(())
}

/// See [`layer`].
#[derive(Debug)]
pub struct TracingLayer(());

/// Has spans and events told where the function has no subscriber of its own.
#[cfg(feature = "macros")]
pub(crate) fn listen() {
    use tracing_subscriber::filter::LevelFilter;
    use tracing_subscriber::layer::SubscriberExt;
    if Settings::from_env().is_none() {
        return;
    }
    let subscriber = tracing_subscriber::registry().with(LevelFilter::INFO);
    // It is refused where there is one, whose choice it was to have our layer or not.
    let _ = tracing::subscriber::set_global_default(subscriber.with(layer()));
}

thread_local! {
    /// Of each span that this thread is in. When the thread ends, nothing is left to restore them in.
    static ENTERED: RefCell<Vec<ManuallyDrop<Entered>>> = const { RefCell::new(Vec::new()) };
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for TracingLayer {
    fn on_new_span(
        &self,
        attributes: &span::Attributes<'_>,
        id: &span::Id,
        context: Context<'_, S>,
    ) {
        let metadata = attributes.metadata();
        let Some(span) = context.span(id).filter(|_| is_wanted(metadata)) else {
            return;
        };
        let parent = span
            .parent()
            .and_then(|parent| parent.extensions().get::<Open>().cloned());
        let parent = parent.or_else(current::current).filter(is_on);
        let Some(open) =
            parent.and_then(|parent| parent.child(metadata.name(), SpanKind::Internal))
        else {
            return;
        };
        open.set("code.namespace", metadata.target());
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        fields.tell(&open);
        span.extensions_mut().insert(open);
    }

    fn on_record(&self, id: &span::Id, values: &span::Record<'_>, context: Context<'_, S>) {
        if let Some(open) = open_of(id, &context) {
            let mut fields = Fields::default();
            values.record(&mut fields);
            fields.tell(&open);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let metadata = event.metadata();
        if !is_wanted(metadata) {
            return;
        }
        let span = context.event_span(event);
        let open = span.and_then(|span| span.extensions().get::<Open>().cloned());
        let Some(open) = open.or_else(current::named).filter(is_on) else {
            return;
        };
        let mut fields = Fields::default();
        event.record(&mut fields);
        let is_error = *metadata.level() == Level::ERROR;
        if let Some(failure) = &fields.failure {
            match is_error {
                true => open.fail(failure),
                false => open.event("exception", failure.attributes()),
            }
        }
        let mut attributes = Attributes::default();
        attributes.set("level", metadata.level().as_str());
        attributes.set("target", metadata.target());
        attributes.0.extend(fields.attributes.0);
        let message = fields.message.unwrap_or_else(|| metadata.name().to_owned());
        open.event(&message, attributes);
    }

    fn on_enter(&self, id: &span::Id, context: Context<'_, S>) {
        if let Some(open) = open_of(id, &context) {
            let entered = ManuallyDrop::new(current::enter(Some(open)));
            ENTERED.with_borrow_mut(|stack| stack.push(entered));
        }
    }

    fn on_exit(&self, id: &span::Id, context: Context<'_, S>) {
        if open_of(id, &context).is_some() {
            let entered = ENTERED.with_borrow_mut(Vec::pop);
            drop(entered.map(ManuallyDrop::into_inner));
        }
    }

    fn on_close(&self, id: span::Id, context: Context<'_, S>) {
        if let Some(open) = open_of(&id, &context) {
            open.end();
        }
    }
}

fn open_of<S: Subscriber + for<'a> LookupSpan<'a>>(
    id: &span::Id,
    context: &Context<'_, S>,
) -> Option<Open> {
    context.span(id)?.extensions().get::<Open>().cloned()
}

fn is_on(open: &Open) -> bool {
    open.invocation().sdk.settings.hook("tracing")
}

fn is_wanted(metadata: &Metadata<'_>) -> bool {
    let target = metadata.target();
    let is_own = |own: &&str| target.starts_with(*own);
    *metadata.level() <= Level::INFO && !NOT_THE_FUNCTIONS.iter().any(is_own)
}

/// What a span or an event says.
#[derive(Default)]
struct Fields {
    message: Option<String>,
    attributes: Attributes,
    failure: Option<Failure>,
}

impl Fields {
    fn tell(self, open: &Open) {
        open.set_all(self.attributes);
        if let Some(failure) = &self.failure {
            open.event("exception", failure.attributes());
        }
    }

    fn set(&mut self, field: &Field, value: impl Into<Value>) {
        let value = value.into();
        match (field.name(), &value) {
            ("message", Value::String(text)) => self.message = Some(text.clone()),
            (name, _) => self.attributes.set(name, value),
        }
    }
}

impl Visit for Fields {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.set(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.set(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        match i64::try_from(value) {
            Ok(value) => self.set(field, value),
            Err(_) => self.set(field, value.to_string()),
        }
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.set(field, value);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.set(field, value);
    }

    fn record_error(&mut self, _field: &Field, value: &(dyn Error + 'static)) {
        self.failure = Some(Failure::of_error(value));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.set(field, format!("{value:?}"));
    }
}

/// Beginnings of the targets of those who carry a function.
const NOT_THE_FUNCTIONS: &[&str] = &[
    "lambda_runtime",
    "aws_",
    "hyper",
    "h2",
    "tower",
    "rustls",
    "tokio",
    "reqwest",
    "mio",
    "want",
];
