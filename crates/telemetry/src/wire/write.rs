//! The model to OTLP messages. Neighbours that share a resource and a scope share their envelope.

use std::sync::Arc;

use opentelemetry_proto::tonic::common::v1::{
    AnyValue, ArrayValue, InstrumentationScope, KeyValue, KeyValueList, any_value::Value as Any,
};
use opentelemetry_proto::tonic::logs::v1::{LogRecord as OtlpLog, ResourceLogs, ScopeLogs};
use opentelemetry_proto::tonic::resource::v1::Resource as OtlpResource;
use opentelemetry_proto::tonic::trace::v1::{
    ResourceSpans, ScopeSpans, Span as OtlpSpan, Status, span,
};

use super::otlp;
use crate::model::{Attributes, LogRecord, Resource, Scope, Span, SpanStatus, Value};

/// A request with these spans.
pub fn traces_request(spans: &[Span]) -> otlp::ExportTraceServiceRequest {
    let resource_spans = runs(spans, |span| (&span.resource, &span.scope))
        .map(|run| ResourceSpans {
            resource: Some(resource_to_otlp(&run[0].resource)),
            scope_spans: vec![ScopeSpans {
                scope: Some(scope_to_otlp(&run[0].scope)),
                spans: run.iter().map(span_to_otlp).collect(),
                ..Default::default()
            }],
            ..Default::default()
        })
        .collect();
    otlp::ExportTraceServiceRequest { resource_spans }
}

/// A request with these log records.
pub fn logs_request(logs: &[LogRecord]) -> otlp::ExportLogsServiceRequest {
    let resource_logs = runs(logs, |log| (&log.resource, &log.scope))
        .map(|run| ResourceLogs {
            resource: Some(resource_to_otlp(&run[0].resource)),
            scope_logs: vec![ScopeLogs {
                scope: Some(scope_to_otlp(&run[0].scope)),
                log_records: run.iter().map(log_to_otlp).collect(),
                ..Default::default()
            }],
            ..Default::default()
        })
        .collect();
    otlp::ExportLogsServiceRequest { resource_logs }
}

/// Attributes as OTLP key values.
pub fn attributes_to_otlp(attributes: &Attributes) -> Vec<KeyValue> {
    let pairs = attributes.iter();
    pairs
        .map(|(key, value)| KeyValue {
            key: key.to_owned(),
            value: Some(value_to_otlp(value)),
            ..Default::default()
        })
        .collect()
}

/// A value as OTLP's `AnyValue`.
pub fn value_to_otlp(value: &Value) -> AnyValue {
    let value = match value {
        Value::Null => None,
        Value::Bool(truth) => Some(Any::BoolValue(*truth)),
        Value::Int(number) => Some(Any::IntValue(*number)),
        Value::Double(number) => Some(Any::DoubleValue(*number)),
        Value::String(text) => Some(Any::StringValue(text.clone())),
        Value::Bytes(bytes) => Some(Any::BytesValue(bytes.clone())),
        Value::Array(values) => Some(Any::ArrayValue(ArrayValue {
            values: values.iter().map(value_to_otlp).collect(),
        })),
        Value::Map(attributes) => Some(Any::KvlistValue(KeyValueList {
            values: attributes_to_otlp(attributes),
        })),
    };
    AnyValue { value }
}

/// Splits `items` where the resource or the scope changes.
fn runs<T>(
    items: &[T],
    owner: impl Fn(&T) -> (&Arc<Resource>, &Arc<Scope>),
) -> impl Iterator<Item = &[T]> {
    items.chunk_by(move |a, b| owner(a) == owner(b))
}

fn resource_to_otlp(resource: &Resource) -> OtlpResource {
    OtlpResource {
        attributes: attributes_to_otlp(&resource.attributes),
        ..Default::default()
    }
}

fn scope_to_otlp(scope: &Scope) -> InstrumentationScope {
    InstrumentationScope {
        name: scope.name.clone(),
        version: scope.version.clone(),
        ..Default::default()
    }
}

fn span_to_otlp(span: &Span) -> OtlpSpan {
    OtlpSpan {
        trace_id: span.trace_id.as_bytes().to_vec(),
        span_id: span.span_id.as_bytes().to_vec(),
        parent_span_id: span
            .parent_id
            .map_or(Vec::new(), |id| id.as_bytes().to_vec()),
        trace_state: span.trace_state.clone(),
        name: span.name.clone(),
        kind: span.kind as i32,
        start_time_unix_nano: span.start.0,
        end_time_unix_nano: span.end.0,
        attributes: attributes_to_otlp(&span.attributes),
        events: span.events.iter().map(event_to_otlp).collect(),
        links: span.links.iter().map(link_to_otlp).collect(),
        status: status_to_otlp(span),
        ..Default::default()
    }
}

fn event_to_otlp(event: &crate::model::Event) -> span::Event {
    span::Event {
        time_unix_nano: event.time.0,
        name: event.name.clone(),
        attributes: attributes_to_otlp(&event.attributes),
        ..Default::default()
    }
}

fn link_to_otlp(link: &crate::model::Link) -> span::Link {
    span::Link {
        trace_id: link.trace_id.as_bytes().to_vec(),
        span_id: link.span_id.as_bytes().to_vec(),
        trace_state: link.trace_state.clone(),
        attributes: attributes_to_otlp(&link.attributes),
        ..Default::default()
    }
}

fn status_to_otlp(span: &Span) -> Option<Status> {
    let silent = span.status == SpanStatus::Unset && span.status_message.is_empty();
    (!silent).then(|| Status {
        code: span.status as i32,
        message: span.status_message.clone(),
    })
}

fn log_to_otlp(log: &LogRecord) -> OtlpLog {
    OtlpLog {
        time_unix_nano: log.time.0,
        observed_time_unix_nano: log.observed_time.0,
        severity_number: i32::from(log.severity_number),
        severity_text: log.severity_text.clone(),
        body: Some(value_to_otlp(&log.body)),
        attributes: attributes_to_otlp(&log.attributes),
        trace_id: log.trace_id.map_or(Vec::new(), |id| id.as_bytes().to_vec()),
        span_id: log.span_id.map_or(Vec::new(), |id| id.as_bytes().to_vec()),
        event_name: log.event_name.clone(),
        ..Default::default()
    }
}
