//! OpenTelemetry's API over our spans: code that is written against it makes spans of the invocation, below whichever
//! span is the current one here, and finds that span in its own context.
//!
//! ```no_run
//! use opentelemetry::global;
//! use opentelemetry::trace::{Tracer, TraceContextExt};
//! use opentelemetry::KeyValue;
//!
//! throughline_sdk::opentelemetry::install(); // once, in `main`
//!
//! // Anywhere below, in code that knows OpenTelemetry alone:
//! global::tracer("shop").in_span("charge the card", |context| {
//!     context.span().set_attribute(KeyValue::new("card", "visa"));
//! });
//! ```
//!
//! It is for the API's version 0.33, and for traces: metrics and logs go where they went. A function that brings
//! OpenTelemetry's SDK exports to the extension by itself, and needs nothing of this.

mod context;
mod propagator;
mod span;

use std::sync::Arc;

use opentelemetry::trace::{self, SpanBuilder};
use opentelemetry::{Context, InstrumentationScope, global};
use throughline_telemetry::Scope;

pub use propagator::Propagator;
pub use span::Span;

pub(crate) use context::{Active, named};

/// Makes [`TracerProvider`] and [`Propagator`] the global ones, and names the current span in OpenTelemetry's context
/// from now on. An SDK that is installed later takes the place of the provider.
pub fn install() {
    global::set_tracer_provider(TracerProvider::default());
    global::set_text_map_propagator(Propagator::default());
    context::mirror();
}

/// Gives tracers whose spans are the invocation's.
#[derive(Clone, Copy, Debug, Default)]
pub struct TracerProvider(());

impl trace::TracerProvider for TracerProvider {
    type Tracer = Tracer;

    fn tracer_with_scope(&self, scope: InstrumentationScope) -> Tracer {
        Tracer(Arc::new(Scope {
            name: scope.name().to_owned(),
            version: scope.version().unwrap_or_default().to_owned(),
        }))
    }
}

/// Makes spans of the invocation; outside of invocations they record nothing.
#[derive(Clone, Debug)]
pub struct Tracer(Arc<Scope>);

impl trace::Tracer for Tracer {
    type Span = Span;

    fn build_with_context(&self, builder: SpanBuilder, parent: &Context) -> Span {
        Span::begin(builder, parent, &self.0)
    }
}

#[cfg(test)]
mod tests;
