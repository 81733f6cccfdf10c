//! OpenTelemetry's way into headers and out of them.

use std::borrow::Cow;
use std::sync::LazyLock;

use opentelemetry::Context;
use opentelemetry::propagation::text_map_propagator::FieldIter;
use opentelemetry::propagation::{Extractor, Injector, TextMapPropagator};
use opentelemetry::trace::TraceContextExt;

use super::context::{read, written};
use crate::carriers::{Get, extract};
use crate::user::traceparent_to;

/// Writes `traceparent`, and reads it or whatever else the ways into a function are read from.
#[derive(Clone, Copy, Debug, Default)]
pub struct Propagator(());

impl TextMapPropagator for Propagator {
    fn inject_context(&self, context: &Context, injector: &mut dyn Injector) {
        let named = read(context.span().span_context());
        if let Some(header) = named.and_then(traceparent_to) {
            injector.set(TRACEPARENT, header);
        }
    }

    fn extract_with_context(&self, context: &Context, extractor: &dyn Extractor) -> Context {
        let get: Get<'_> = Box::new(|name| extractor.get(name).map(Cow::Borrowed));
        match extract(&get).filter(|found| found.span_id.is_some()) {
            Some(found) => context.with_remote_span_context(written(found, true)),
            None => context.clone(),
        }
    }

    fn fields(&self) -> FieldIter<'_> {
        static FIELDS: LazyLock<[String; 1]> = LazyLock::new(|| [TRACEPARENT.to_owned()]);
        FieldIter::new(FIELDS.as_slice())
    }
}

const TRACEPARENT: &str = "traceparent";
