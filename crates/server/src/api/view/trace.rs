//! Traces and spans.

use std::collections::HashMap;
use std::sync::Arc;

use serde::Serialize;
use throughline_insight as insight;
use throughline_telemetry::{Attributes, Event, Link, Resource, SpanId, TraceId, UnixNanos};

use super::story::{Story, Told};
use super::{Log, Scope, Text, nanos};
use crate::api::story::FoundStory;

/// One line of the list of traces.
#[derive(Serialize)]
pub(in crate::api) struct Summary {
    trace_id: Text<TraceId>,
    root_service: Option<String>,
    root_name: Option<String>,
    start_unix_nanos: Text<UnixNanos>,
    duration_nanos: Text<u128>,
    span_count: usize,
    error_count: usize,
    cold_start_count: usize,
    status: &'static str,
    services: Vec<ServiceCount>,
    continues: bool,
}

#[derive(Serialize)]
struct ServiceCount {
    name: String,
    span_count: usize,
    error_count: usize,
}

impl Summary {
    pub(in crate::api) fn new(id: TraceId, summary: &insight::Summary) -> Self {
        let root = summary.root.as_ref();
        let services = summary.services.iter().map(|share| ServiceCount {
            name: share.name.clone(),
            span_count: share.span_count,
            error_count: share.error_count,
        });
        Summary {
            trace_id: Text(id),
            root_service: root.map(|root| root.service.clone()),
            root_name: root.map(|root| root.name.clone()),
            start_unix_nanos: Text(summary.start),
            duration_nanos: nanos(summary.duration),
            span_count: summary.span_count,
            error_count: summary.error_count,
            cold_start_count: summary.cold_start_count,
            status: summary.outcome().name(),
            services: services.collect(),
            continues: summary.continues,
        }
    }
}

/// One trace.
#[derive(Serialize)]
pub(in crate::api) struct Trace<'a> {
    #[serde(flatten)]
    summary: Summary,
    resources: Vec<ResourceView<'a>>,
    spans: Vec<Span<'a>>,
    logs: Vec<Log<'a>>,
    #[serde(flatten)]
    story: Story<'a>,
}

#[derive(Serialize)]
pub(super) struct ResourceView<'a> {
    pub(super) attributes: &'a Attributes,
}

#[derive(Serialize)]
struct Span<'a> {
    trace_id: Text<TraceId>,
    span_id: Text<SpanId>,
    parent_span_id: Option<Text<SpanId>>,
    parent_missing: bool,
    depth: usize,
    name: &'a str,
    kind: &'static str,
    start_unix_nanos: Text<UnixNanos>,
    duration_nanos: Text<u128>,
    status: &'static str,
    status_message: &'a str,
    service: &'a str,
    resource: usize,
    scope: Scope<'a>,
    attributes: &'a Attributes,
    events: Vec<EventView<'a>>,
    links: Vec<LinkView<'a>>,
    #[serde(flatten)]
    told: Told<'a>,
}

#[derive(Serialize)]
pub(super) struct EventView<'a> {
    time_unix_nanos: Text<UnixNanos>,
    name: &'a str,
    attributes: &'a Attributes,
}

#[derive(Serialize)]
pub(super) struct LinkView<'a> {
    trace_id: Text<TraceId>,
    span_id: Text<SpanId>,
    attributes: &'a Attributes,
}

impl<'a> Trace<'a> {
    pub(in crate::api) fn new(found: &'a FoundStory) -> Self {
        let story = &found.story;
        let mut resources = Resources::default();
        let spans = story.spans.iter();
        let spans = spans.map(|told| Span::new(told, resources.index(&told.span.resource)));
        Trace {
            summary: Summary::new(found.trace_id, &story.summary),
            spans: spans.collect(),
            resources: resources.views,
            logs: story.logs.iter().map(Log::new).collect(),
            story: Story::new(found),
        }
    }
}

/// The resources of a trace, each once.
#[derive(Default)]
struct Resources<'a> {
    views: Vec<ResourceView<'a>>,
    /// Most spans of a resource share one allocation, which is quicker to compare than attributes.
    by_address: HashMap<*const Resource, usize>,
}

impl<'a> Resources<'a> {
    fn index(&mut self, resource: &'a Arc<Resource>) -> usize {
        if let Some(index) = self.by_address.get(&Arc::as_ptr(resource)) {
            return *index;
        }
        let attributes = &resource.attributes;
        let same = self
            .views
            .iter()
            .position(|view| view.attributes == attributes);
        let index = same.unwrap_or_else(|| {
            self.views.push(ResourceView { attributes });
            self.views.len() - 1
        });
        self.by_address.insert(Arc::as_ptr(resource), index);
        index
    }
}

impl<'a> Span<'a> {
    fn new(placed: &'a insight::Told, resource: usize) -> Self {
        let span = &placed.span;
        let parent = placed.parent.map(|parent| parent.span_id);
        Span {
            trace_id: Text(span.trace_id),
            span_id: Text(span.span_id),
            parent_span_id: parent.or(span.parent_id).map(Text),
            parent_missing: placed.parent_missing,
            depth: placed.depth,
            name: &span.name,
            kind: span.kind.name(),
            start_unix_nanos: Text(span.start),
            duration_nanos: nanos(span.duration()),
            status: span.status.name(),
            status_message: &span.status_message,
            service: span.service(),
            resource,
            scope: Scope::new(&span.scope),
            attributes: &span.attributes,
            events: span.events.iter().map(EventView::new).collect(),
            links: span.links.iter().map(LinkView::new).collect(),
            told: Told::new(placed),
        }
    }
}

impl<'a> EventView<'a> {
    pub(super) fn new(event: &'a Event) -> Self {
        EventView {
            time_unix_nanos: Text(event.time),
            name: &event.name,
            attributes: &event.attributes,
        }
    }
}

impl<'a> LinkView<'a> {
    pub(super) fn new(link: &'a Link) -> Self {
        LinkView {
            trace_id: Text(link.trace_id),
            span_id: Text(link.span_id),
            attributes: &link.attributes,
        }
    }
}
