//! Small bodies to send.

use std::io::Write;
use std::sync::Arc;

use serde_json::json;
use throughline_telemetry::wire::{self, Request};
use throughline_telemetry::{
    Attributes, Resource, Scope, Signal, Span, SpanId, SpanKind, SpanStatus, TraceId, UnixNanos,
};

/// A span of a service. Ids are numbers here; parent 0 is none.
pub(crate) fn span(service: &str, trace: u128, id: u64, parent: u64, start: u64, end: u64) -> Span {
    let resource = [("service.name", service)].into_iter().collect();
    Span {
        trace_id: trace_id(trace),
        span_id: SpanId::new(id.to_be_bytes()).expect("not zero"),
        parent_id: SpanId::new(parent.to_be_bytes()).ok(),
        trace_state: String::new(),
        name: format!("span {id}"),
        kind: SpanKind::Server,
        start: UnixNanos(start),
        end: UnixNanos(end),
        status: SpanStatus::Unset,
        status_message: String::new(),
        attributes: Attributes::default(),
        events: Vec::new(),
        links: Vec::new(),
        resource: Arc::new(Resource {
            attributes: resource,
        }),
        scope: Arc::new(Scope::default()),
    }
}

pub(crate) fn trace_id(number: u128) -> TraceId {
    TraceId::new(number.to_be_bytes()).expect("not zero")
}

/// A protobuf body with these spans.
pub(crate) fn traces(spans: &[Span]) -> Vec<u8> {
    Request::Traces(wire::traces_request(spans)).to_protobuf()
}

/// A JSON body of a signal with one item, found again by `name`: the service of a span or log, the name of a metric.
pub(crate) fn one_as_json(signal: Signal, name: &str) -> Vec<u8> {
    // Spans of one trace with one id would count as one.
    let id = fnv(name);
    let resource = json!({"attributes": [{"key": "service.name", "value": {"stringValue": name}}]});
    let body = match signal {
        Signal::Traces => {
            json!({"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": [{
                "traceId": format!("{id:032x}"), "spanId": format!("{id:016x}"), "name": "hello",
                "kind": 2, "startTimeUnixNano": "1795228800000000000", "endTimeUnixNano": "1795228800042000000",
            }]}]}]})
        }
        Signal::Logs => {
            json!({"resourceLogs": [{"resource": resource, "scopeLogs": [{"logRecords": [{
                "timeUnixNano": "1795228800000000000", "severityNumber": 9, "body": {"stringValue": "hello"},
            }]}]}]})
        }
        Signal::Metrics => {
            json!({"resourceMetrics": [{"resource": resource, "scopeMetrics": [{"metrics": [{
                "name": name, "gauge": {"dataPoints": [{"timeUnixNano": "1795228800000000000", "asDouble": 0.5}]},
            }]}]}]})
        }
    };
    body.to_string().into_bytes()
}

/// The id of the trace in the sample of this name.
pub(crate) fn sample_trace(name: &str) -> String {
    format!("{:032x}", fnv(name))
}

/// The same as protobuf.
pub(crate) fn one_as_protobuf(signal: Signal, name: &str) -> Vec<u8> {
    let request = Request::from_json(signal, &one_as_json(signal, name));
    request.expect("the sample is OTLP").to_protobuf()
}

pub(crate) fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(plain).expect("memory takes all");
    encoder.finish().expect("memory takes all")
}

pub(crate) fn zstd(plain: &[u8]) -> Vec<u8> {
    zstd::encode_all(plain, 3).expect("memory takes all")
}

/// FNV-1a.
fn fnv(text: &str) -> u64 {
    let step = |hash: u64, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    text.bytes().fold(0xcbf2_9ce4_8422_2325, step)
}
