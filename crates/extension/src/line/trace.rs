//! Trace and span ids, in all the ways they are written.

use serde_json::Value as Json;
use throughline_telemetry::{SpanId, TraceId};

use super::fields::Fields;
use crate::ids::TraceContext;

/// Takes the ids out where they are written as OpenTelemetry does, so that nothing of them is lost;
/// a header or a path stays beside.
pub(super) fn take(fields: &mut Fields) -> (Option<TraceId>, Option<SpanId>) {
    let trace_id = fields.look(TRACE_IDS, |json| trace_id(json.as_str()?));
    let span_id = fields.take_read(SPAN_IDS, |json| json.as_str()?.parse::<SpanId>().ok());
    let (Some((name, trace_id)), span_id) = (trace_id, span_id.map(|(_, id)| id)) else {
        return (None, span_id.map(|(_, id)| id));
    };
    let whole = |text: &str| matches!(text.len(), 32 | 35);
    if fields.get(name).and_then(Json::as_str).is_some_and(whole) {
        fields.take(name);
    }
    (Some(trace_id), span_id)
}

/// `5759e988bd862e3fe1be46a994272793`, `1-5759e988-bd862e3fe1be46a994272793`, an X-Ray header, a
/// `traceparent`, or Google's `projects/…/traces/…`.
fn trace_id(text: &str) -> Option<TraceId> {
    if text.contains("Root=") {
        return TraceContext::from_xray(text).map(|context| context.trace_id);
    }
    if text.starts_with("1-") {
        let header = TraceContext::from_xray(&format!("Root={text}"));
        return header.map(|context| context.trace_id);
    }
    let last = text.rsplit_once("/traces/").map_or(text, |(_, last)| last);
    let last = match last.as_bytes() {
        [b'0', b'0', b'-', rest @ ..] if rest.len() == 52 => last.get(3..35)?,
        _ => last,
    };
    last.parse().ok()
}

/// The ids of Datadog's tracer: 64 bits in decimal, or a trace id in hexadecimal.
pub(super) fn datadog(
    trace_id: Option<&str>,
    span_id: Option<&str>,
) -> Option<(TraceId, Option<SpanId>)> {
    let trace_id = trace_id?;
    let decimal = || {
        let low = u128::from(trace_id.parse::<u64>().ok()?);
        TraceId::new(low.to_be_bytes()).ok()
    };
    let found = trace_id.parse().ok().or_else(decimal)?;
    let span_id = span_id.and_then(|text| text.parse::<u64>().ok());
    Some((
        found,
        span_id.and_then(|id| SpanId::new(id.to_be_bytes()).ok()),
    ))
}

/// The same, where they are fields. They stay: they mean something to whoever uses that tracer.
pub(super) fn datadog_fields(fields: &Fields) -> Option<(TraceId, Option<SpanId>)> {
    let look = |name| fields.get(name).and_then(Json::as_str);
    datadog(look("dd.trace_id"), look("dd.span_id"))
}

const TRACE_IDS: &[&str] = &[
    "trace_id",
    "traceId",
    "otelTraceID",
    "trace.id",
    "xray_trace_id",
    "xrayTraceId",
    "traceparent",
    "logging.googleapis.com/trace",
    "span.xrayTraceId",
];
const SPAN_IDS: &[&str] = &[
    "span_id",
    "spanId",
    "otelSpanID",
    "span.id",
    "logging.googleapis.com/spanId",
];
