//! Spans apart from their traces.

use serde::Serialize;
use throughline_telemetry::{Attributes, Span, SpanId, TraceId, UnixNanos};

use super::trace::{EventView, LinkView, ResourceView};
use super::{Scope, Text, nanos};

/// A span that was found.
#[derive(Serialize)]
pub(super) struct FoundSpan<'a> {
    trace_id: Text<TraceId>,
    span_id: Text<SpanId>,
    parent_span_id: Option<Text<SpanId>>,
    name: &'a str,
    kind: &'static str,
    start_unix_nanos: Text<UnixNanos>,
    duration_nanos: Text<u128>,
    status: &'static str,
    status_message: &'a str,
    service: &'a str,
    resource: ResourceView<'a>,
    scope: Scope<'a>,
    attributes: &'a Attributes,
    events: Vec<EventView<'a>>,
    links: Vec<LinkView<'a>>,
}

impl<'a> FoundSpan<'a> {
    pub(super) fn new(span: &'a Span) -> Self {
        FoundSpan {
            trace_id: Text(span.trace_id),
            span_id: Text(span.span_id),
            parent_span_id: span.parent_id.map(Text),
            name: &span.name,
            kind: span.kind.name(),
            start_unix_nanos: Text(span.start),
            duration_nanos: nanos(span.duration()),
            status: span.status.name(),
            status_message: &span.status_message,
            service: span.service(),
            resource: ResourceView {
                attributes: &span.resource.attributes,
            },
            scope: Scope::new(&span.scope),
            attributes: &span.attributes,
            events: span.events.iter().map(EventView::new).collect(),
            links: span.links.iter().map(LinkView::new).collect(),
        }
    }
}
