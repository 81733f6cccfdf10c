//! What one process has: begins invocations and sends them.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use prost::Message;
use serde_json::Value;
use throughline_telemetry::wire::traces_request;
use throughline_telemetry::{Attributes, Resource, Scope, Span, SpanKind};

use crate::clock::now;
use crate::current;
use crate::deadline::Watch;
use crate::ids::{Ids, TraceContext, kept_fields};
use crate::invocation::{Batch, Invocation, Told};
use crate::payload;
use crate::sender::Sender;
use crate::settings::Settings;
use crate::sources::{self, Way, texts};
use crate::span::Open;

#[derive(Debug)]
pub(crate) struct Sdk {
    pub(crate) settings: Settings,
    pub(crate) resource: Arc<Resource>,
    pub(crate) scope: Arc<Scope>,
    sender: Sender,
    had_first: AtomicBool,
    /// Spans that ended after their invocation wait for the next one.
    late: Mutex<Vec<Span>>,
    watch: Watch,
}

/// What the runtime was told of an invocation.
#[derive(Clone, Copy, Debug)]
pub(crate) struct About<'a> {
    pub(crate) request_id: &'a str,
    /// Milliseconds since 1970.
    pub(crate) deadline: u64,
    pub(crate) arn: &'a str,
    /// `Lambda-Runtime-Trace-Id`
    pub(crate) trace_header: &'a str,
    /// `Lambda-Runtime-Client-Context`
    pub(crate) client_context: &'a str,
}

impl Sdk {
    pub(crate) fn new(settings: Settings) -> Arc<Self> {
        let resource = Resource {
            attributes: [
                ("service.name", settings.service.as_str()),
                ("telemetry.sdk.name", "throughline"),
                ("telemetry.sdk.language", "rust"),
                ("telemetry.sdk.version", env!("CARGO_PKG_VERSION")),
                ("process.runtime.name", "rust"),
            ]
            .into_iter()
            .collect(),
        };
        let scope = Scope {
            name: "throughline.rust".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        };
        Arc::new(Sdk {
            sender: Sender::new(settings.extension),
            settings,
            resource: Arc::new(resource),
            scope: Arc::new(scope),
            had_first: AtomicBool::new(false),
            late: Mutex::default(),
            watch: Watch::default(),
        })
    }

    /// Connects to the extension while the function starts, when that costs nobody anything.
    pub(crate) fn open(&self) {
        self.sender.open();
    }

    /// The span of an invocation; nothing if nobody listens.
    pub(crate) fn begin(self: &Arc<Self>, event: &[u8], about: About<'_>) -> Option<Open> {
        if self.sender.is_off() {
            return None;
        }
        let start = now();
        let event: Value = serde_json::from_slice(event).unwrap_or_default();
        let custom: Value = serde_json::from_str(about.client_context).unwrap_or_default();
        let invoked = TraceContext::from_xray(about.trace_header);
        let way = sources::read(&event, about.request_id, &custom, invoked);
        let ids = Ids::new(about.request_id, start);
        let kept = kept_fields(about.trace_header);
        let is_http = way.attributes.text("faas.trigger") == Some("http");
        let batch = batch(&way);
        let invocation = Arc::new(Invocation::new(Arc::clone(self), ids, kept, batch, is_http));
        let name = match self.settings.function.as_str() {
            "" => "invocation",
            name => name,
        };
        let span = Open::begin(&invocation, name, SpanKind::Server, way.parent, start)?;
        span.set("faas.invocation_id", about.request_id);
        span.set(
            "faas.coldstart",
            !self.had_first.swap(true, Ordering::Relaxed),
        );
        if about.arn.starts_with("arn:") {
            span.set("aws.lambda.invoked_arn", about.arn);
            let parts: Vec<&str> = about.arn.split(':').take(7).collect();
            span.set("cloud.resource_id", parts.join(":"));
        }
        span.set_all(way.attributes);
        for link in way.links {
            span.link(link.context, link.attributes);
        }
        span.set("throughline.link.in", texts(&way.keys));
        if !way.path.is_empty() {
            span.set("throughline.in.path", texts(&way.path));
        }
        if self.settings.takes_payloads {
            span.set(
                "throughline.payload.request",
                payload::text(&event, &self.settings),
            );
        }
        self.watch.begin(&invocation, about.deadline);
        if !self.settings.is_many {
            current::set_last(&span);
        }
        Some(span)
    }

    /// The invocation is over: what belongs to it is handed to the kernel.
    pub(crate) fn finish(&self, span: &Open) {
        span.end();
        let invocation = span.invocation();
        self.watch.end(invocation);
        if let Some(told) = invocation.take() {
            self.send(told);
        }
    }

    /// The invocation is about to be ended: what is open is told as it is.
    pub(crate) fn unfinished(&self, invocation: &Invocation) {
        if let Some(told) = invocation.take_unfinished() {
            self.send(told);
        }
    }

    pub(crate) fn keep_late(&self, span: Span) {
        let mut late = self.late.lock().unwrap_or_else(PoisonError::into_inner);
        if late.len() < LATE_MAX {
            late.push(span);
        }
    }

    fn send(&self, told: Told) {
        let late = {
            let mut late = self.late.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::take(&mut *late)
        };
        let (mut spans, mut dropped) = (told.spans, told.dropped);
        // The invocation's own first: what is too much goes from the end.
        spans.sort_by_key(|span| span.kind != SpanKind::Server);
        spans.extend(late);
        let mut room = BODY_BYTES_MAX;
        spans.retain(|span| {
            let bytes = weight(span);
            let fits = bytes <= room;
            room -= if fits { bytes } else { 0 };
            dropped += u64::from(!fits);
            fits
        });
        if let Some(first) = spans.first_mut().filter(|_| dropped > 0) {
            let dropped = i64::try_from(dropped).unwrap_or(i64::MAX);
            first.attributes.set("throughline.dropped.spans", dropped);
        }
        if !spans.is_empty() {
            self.sender.send(&traces_request(&spans).encode_to_vec());
        }
    }
}

fn batch(way: &Way) -> Batch {
    let source = ["messaging.destination.name", "faas.document.collection"];
    let source = source.iter().find_map(|key| way.attributes.text(key));
    let links = way.links.iter().filter_map(|link| {
        let id = link.attributes.text("messaging.message.id")?;
        Some((id.to_owned(), link.clone()))
    });
    Batch {
        source: source.unwrap_or_default().to_owned(),
        links: links.collect(),
    }
}

/// About as many bytes as the span takes.
fn weight(span: &Span) -> usize {
    let events = span.events.iter().map(|event| &event.attributes);
    let links = span.links.iter().map(|link| &link.attributes);
    let attributes = std::iter::once(&span.attributes).chain(events).chain(links);
    SPAN_BYTES
        + span.name.len()
        + span.status_message.len()
        + attributes.map(attribute_bytes).sum::<usize>()
}

fn attribute_bytes(attributes: &Attributes) -> usize {
    let pairs = attributes.iter();
    SPAN_BYTES
        + pairs
            .map(|(key, value)| key.len() + value_bytes(value))
            .sum::<usize>()
}

fn value_bytes(value: &throughline_telemetry::Value) -> usize {
    use throughline_telemetry::Value;
    let payload = match value {
        Value::String(text) => text.len(),
        Value::Array(values) => values.iter().map(value_bytes).sum(),
        _ => 8,
    };
    payload + VALUE_BYTES
}

const LATE_MAX: usize = 256;
/// What one request may take; the extension takes 4 MiB.
const BODY_BYTES_MAX: usize = 1 << 20;
const SPAN_BYTES: usize = 64;
const VALUE_BYTES: usize = 12;
