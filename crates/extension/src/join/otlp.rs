//! What the function's SDK exports: checked, completed, hung under its invocation, merged.
//!
//! The messages are changed in place rather than turned into the model and back, so that fields
//! that Throughline does not look at arrive as they were sent.

use std::time::Duration;

use prost::Message;
use throughline_telemetry::wire::otlp::{
    ExportLogsServiceRequest, ExportMetricsServiceRequest, ExportTraceServiceRequest,
    common::v1::{KeyValue, any_value::Value as Any},
    logs::v1::LogRecord,
    resource::v1::Resource,
    trace::v1::{Span, span::SpanKind},
};
use throughline_telemetry::wire::{Request, attributes_to_otlp};
use throughline_telemetry::{SpanId, TraceId, UnixNanos};

use super::Joiner;
use super::failure::Failure;
use super::invocation::Invocation;
use super::lines::span_at;
use crate::ids::TraceContext;

/// Takes out the spans that no server could take, because their ids are none, and returns how many.
/// Of log records only the bad id goes, because the text is worth more than it.
pub fn remove_unusable(request: &mut Request) -> u64 {
    let before = request.items();
    match request {
        Request::Traces(traces) => {
            let scopes = traces
                .resource_spans
                .iter_mut()
                .flat_map(|from| &mut from.scope_spans);
            scopes.for_each(|scope| scope.spans.retain(usable));
        }
        Request::Logs(logs) => {
            let scopes = logs
                .resource_logs
                .iter_mut()
                .flat_map(|from| &mut from.scope_logs);
            for record in scopes.flat_map(|scope| &mut scope.log_records) {
                if TraceId::from_slice(&record.trace_id).is_err() {
                    record.trace_id.clear();
                }
                if SpanId::from_slice(&record.span_id).is_err() {
                    record.span_id.clear();
                }
            }
        }
        Request::Metrics(_) => {}
    }
    (before - request.items()) as u64
}

fn usable(span: &Span) -> bool {
    let parent = &span.parent_span_id;
    TraceId::from_slice(&span.trace_id).is_ok()
        && SpanId::from_slice(&span.span_id).is_ok()
        && (parent.is_empty() || parent.len() == SpanId::BYTES)
}

/// How many bytes the request takes on the wire.
pub(super) fn encoded_bytes(request: &Request) -> usize {
    match request {
        Request::Traces(request) => request.encoded_len(),
        Request::Logs(request) => request.encoded_len(),
        Request::Metrics(request) => request.encoded_len(),
    }
}

/// Fills the gaps of the resource and joins spans and log records to their invocation.
pub(super) fn join(joiner: &mut Joiner, request: &mut Request) {
    let ours = attributes_to_otlp(&joiner.resource.attributes);
    match request {
        Request::Traces(request) => {
            for from in &mut request.resource_spans {
                complete(&mut from.resource, &ours);
                let spans = from
                    .scope_spans
                    .iter_mut()
                    .flat_map(|scope| &mut scope.spans);
                spans.for_each(|span| hang(joiner, span));
            }
        }
        Request::Logs(request) => {
            for from in &mut request.resource_logs {
                complete(&mut from.resource, &ours);
                let records = from
                    .scope_logs
                    .iter_mut()
                    .flat_map(|scope| &mut scope.log_records);
                records.for_each(|record| place(joiner, record));
            }
        }
        Request::Metrics(request) => {
            for from in &mut request.resource_metrics {
                complete(&mut from.resource, &ours);
            }
        }
    }
}

/// Adds what the SDK does not know; what it says stays, except that it does not know its name.
fn complete(resource: &mut Option<Resource>, ours: &[KeyValue]) {
    let theirs = &mut resource.get_or_insert_default().attributes;
    theirs.retain(|pair| !(pair.key == "service.name" && is_unknown(pair)));
    for pair in ours {
        if theirs.iter().all(|known| known.key != pair.key) {
            theirs.push(pair.clone());
        }
    }
}

/// SDKs write `unknown_service` or `unknown_service:node` when nobody named the service.
fn is_unknown(pair: &KeyValue) -> bool {
    match pair.value.as_ref().and_then(|value| value.value.as_ref()) {
        Some(Any::StringValue(name)) => name.is_empty() || name.starts_with("unknown_service"),
        None => true,
        _ => false,
    }
}

/// The SDK and the platform are told of the same caller, so both make a span under it. The
/// platform's is the outer one: the SDK's is hung under it, and is no second server's span, so that
/// an invocation counts once. A consumer's stays what it is: it says that a message was taken.
fn hang(joiner: &mut Joiner, span: &mut Span) {
    let named = adopt(joiner, span);
    let latest_start = UnixNanos(span.start_time_unix_nano).plus(START_TOLERANCE);
    let begun = |known: &&mut Invocation| known.start() <= latest_start;
    let of_trace = |known: &&mut Invocation| {
        known.is_invoked() && known.context.trace_id.as_bytes()[..] == span.trace_id
    };
    if let Some(running) = joiner.invocations.iter_mut().filter(of_trace).rfind(begun) {
        running.last_seen = running.last_seen.max(UnixNanos(span.end_time_unix_nano));
    }
    let is_sibling = |known: &Invocation| {
        let caller = known.context.parent_id;
        let caller = caller.map_or(Vec::new(), |id| id.as_bytes().to_vec());
        known.is_invoked()
            && known.context.trace_id.as_bytes()[..] == span.trace_id
            && caller == span.parent_span_id
    };
    let begun = |known: &Invocation| is_sibling(known) && known.start() <= latest_start;
    // A caller that calls twice in one trace does so from two spans; a retried event does not, and
    // then the later of the two that had begun is the one.
    let known = &joiner.invocations;
    let parent = known.iter().rposition(begun);
    let parent = parent.or_else(|| known.iter().rposition(is_sibling));
    // An agent that knows of no caller, in the trace that it should be in.
    let in_trace = |at: &usize| known[*at].context.trace_id.as_bytes()[..] == span.trace_id;
    let orphan = || named.filter(|at| span.parent_span_id.is_empty() && in_trace(at));
    let Some(parent) = parent.or_else(orphan) else {
        return;
    };
    let parent = &mut joiner.invocations[parent];
    span.parent_span_id = parent.span_id.as_bytes().to_vec();
    if parent.failure.is_none() {
        parent.failure = Failure::of(span);
    }
    if span.kind() == SpanKind::Server {
        parent.hear(&span.attributes);
        span.set_kind(SpanKind::Internal);
    }
}

/// An agent that is told of its caller in another way than by the X-Ray header, such as by a
/// `traceparent` in the event, has put its span into another trace, or below another span of the
/// same. It knows better who called, so the invocation goes there too, unless it has left already.
/// Returns the invocation that the span names.
fn adopt(joiner: &mut Joiner, span: &Span) -> Option<usize> {
    if !matches!(span.kind(), SpanKind::Server | SpanKind::Consumer) {
        return None;
    }
    let text = |pair: &KeyValue| match pair.value.as_ref()?.value.as_ref()? {
        Any::StringValue(id) => Some(id.clone()),
        _ => None,
    };
    let mut ids = span.attributes.iter();
    let id = ids.find(|pair| INVOCATION_IDS.contains(&pair.key.as_str()))?;
    let at = joiner.attempt(&text(id)?, UnixNanos(span.start_time_unix_nano))?;
    let known = &mut joiner.invocations[at];
    let is_free = known.is_invoked() && !known.has_left && !known.adopted;
    let parent_id = SpanId::from_slice(&span.parent_span_id).ok();
    if let Ok(trace_id) = TraceId::from_slice(&span.trace_id)
        && is_free
    {
        let told = TraceContext {
            trace_id,
            parent_id,
        };
        let knows_less = trace_id == known.context.trace_id && parent_id.is_none();
        if !knows_less && told != known.context {
            known.adopted = true;
            known.context = told;
        }
    }
    Some(at)
}

/// A log record without a trace belongs to the invocation that ran when it was written.
fn place(joiner: &Joiner, record: &mut LogRecord) {
    let written = match record.time_unix_nano {
        0 => record.observed_time_unix_nano,
        time => time,
    };
    if record.trace_id.is_empty()
        && let Some(owner) = joiner.running_at(UnixNanos(written))
    {
        let owner = &joiner.invocations[owner];
        record.trace_id = owner.context.trace_id.as_bytes().to_vec();
        record.span_id = span_at(owner, UnixNanos(written)).as_bytes().to_vec();
    }
}

/// Requests of the same signal put together: batches are few and large.
#[derive(Default)]
pub(super) struct Merged {
    traces: ExportTraceServiceRequest,
    logs: ExportLogsServiceRequest,
    metrics: ExportMetricsServiceRequest,
}

impl Merged {
    pub(super) fn add(&mut self, request: Request) {
        match request {
            Request::Traces(more) => self.traces.resource_spans.extend(more.resource_spans),
            Request::Logs(more) => self.logs.resource_logs.extend(more.resource_logs),
            Request::Metrics(more) => self.metrics.resource_metrics.extend(more.resource_metrics),
        }
    }

    /// The requests that carry anything.
    pub(super) fn into_requests(self) -> Vec<Request> {
        let all = [
            Request::Traces(self.traces),
            Request::Logs(self.logs),
            Request::Metrics(self.metrics),
        ];
        all.into_iter()
            .filter(|request| request.items() > 0)
            .collect()
    }
}

/// How agents name the request, now and before.
const INVOCATION_IDS: &[&str] = &["faas.invocation_id", "faas.execution"];
/// The clock of the SDK and that of the platform are the same machine's, but INVOKE may be read late.
const START_TOLERANCE: Duration = Duration::from_millis(50);
