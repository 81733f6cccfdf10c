//! Any rows, for tests of properties.

use std::sync::Arc;

use proptest::collection::vec;
use proptest::prelude::*;
use throughline_telemetry::model::MetricKind;
use throughline_telemetry::{
    Attributes, Event, Link, LogRecord, MetricPoint, Resource, Scope, Span, SpanId, SpanKind,
    SpanStatus, TraceId, UnixNanos, Value,
};

pub(crate) fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::Int),
        any::<f64>()
            .prop_filter("not equal to itself", |n| !n.is_nan())
            .prop_map(Value::Double),
        ".{0,12}".prop_map(Value::String),
        vec(any::<u8>(), 0..6).prop_map(Value::Bytes),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        let pairs = vec((key(), inner.clone()), 0..4);
        prop_oneof![
            vec(inner, 0..4).prop_map(Value::Array),
            pairs.prop_map(|pairs| Value::Map(Attributes(pairs))),
        ]
    })
}

pub(crate) fn key() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-c]".prop_map(String::from),
        "\\$(bytes|double|map|x)".prop_map(String::from),
        ".{0,6}".prop_map(String::from),
    ]
}

pub(crate) fn any_attributes() -> impl Strategy<Value = Attributes> {
    vec((key(), any_value()), 0..4).prop_map(Attributes)
}

pub(crate) fn any_time() -> impl Strategy<Value = UnixNanos> {
    let usual = 1_700_000_000_000_000_000..1_700_000_000_100_000_000_u64;
    prop_oneof![8 => usual, 1 => Just(0), 1 => any::<u64>()].prop_map(UnixNanos)
}

pub(crate) fn any_trace_id() -> impl Strategy<Value = TraceId> {
    (1..4_u8).prop_map(|number| TraceId::new([number; 16]).unwrap())
}

pub(crate) fn any_span_id() -> impl Strategy<Value = SpanId> {
    (1..9_u8).prop_map(|number| SpanId::new([number; 8]).unwrap())
}

pub(crate) fn any_resource() -> impl Strategy<Value = Arc<Resource>> {
    any_attributes().prop_map(|attributes| Arc::new(Resource { attributes }))
}

pub(crate) fn any_scope() -> impl Strategy<Value = Arc<Scope>> {
    ("[ab]{0,2}", "[12]{0,2}").prop_map(|(name, version)| Arc::new(Scope { name, version }))
}

pub(crate) fn any_event() -> impl Strategy<Value = Event> {
    (any_time(), ".{0,8}", any_attributes()).prop_map(|(time, name, attributes)| Event {
        time,
        name,
        attributes,
    })
}

pub(crate) fn any_link() -> impl Strategy<Value = Link> {
    let parts = (any_trace_id(), any_span_id(), ".{0,4}", any_attributes());
    parts.prop_map(|(trace_id, span_id, trace_state, attributes)| Link {
        trace_id,
        span_id,
        trace_state,
        attributes,
    })
}

prop_compose! {
    pub(crate) fn any_span()(
        (trace_id, span_id) in (any_trace_id(), any_span_id()),
        parent_id in proptest::option::of(any_span_id()),
        (trace_state, name, status_message) in (".{0,4}", ".{0,8}", ".{0,8}"),
        (kind, status) in (0..6_i32, 0..3_i32),
        (start, end) in (any_time(), any_time()),
        attributes in any_attributes(),
        events in vec(any_event(), 0..3),
        links in vec(any_link(), 0..3),
        (resource, scope) in (any_resource(), any_scope()),
    ) -> Span {
        Span {
            trace_id, span_id, parent_id, trace_state, name,
            kind: SpanKind::from_number(kind),
            start, end,
            status: SpanStatus::from_number(status),
            status_message, attributes, events, links, resource, scope,
        }
    }
}

prop_compose! {
    pub(crate) fn any_log()(
        (time, observed_time) in (any_time(), any_time()),
        severity_number in 0..25_u8,
        (severity_text, event_name) in (".{0,8}", ".{0,8}"),
        body in any_value(),
        attributes in any_attributes(),
        trace_id in proptest::option::of(any_trace_id()),
        span_id in proptest::option::of(any_span_id()),
        (resource, scope) in (any_resource(), any_scope()),
    ) -> LogRecord {
        LogRecord {
            time, observed_time, severity_number, severity_text, body, attributes,
            trace_id, span_id, event_name, resource, scope,
        }
    }
}

prop_compose! {
    pub(crate) fn any_point()(
        (name, unit) in (".{0,8}", ".{0,3}"),
        kind in 1..6_u8,
        (time, start) in (any_time(), any_time()),
        attributes in any_attributes(),
        value in any::<f64>().prop_filter("not equal to itself", |n| !n.is_nan()),
        count in any::<u64>(),
        otlp in vec(any::<u8>(), 0..9),
        (resource, scope) in (any_resource(), any_scope()),
    ) -> MetricPoint {
        MetricPoint {
            name, unit,
            kind: MetricKind::from_number(kind).unwrap(),
            time, start, attributes, value, count, otlp, resource, scope,
        }
    }
}
