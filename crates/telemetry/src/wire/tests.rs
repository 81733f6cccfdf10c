use std::sync::Arc;

use expect_test::{Expect, expect};
use proptest::prelude::*;

use super::*;
use crate::model::{
    Attributes, Event, Link, LogRecord, Resource, Scope, Span, SpanId, SpanKind, SpanStatus,
    TraceId, UnixNanos, Value,
};

fn check_error(signal: Signal, json: &str, expected: Expect) {
    let error = match Request::from_json(signal, json.as_bytes()) {
        Ok(Request::Traces(request)) => spans(request).err(),
        Ok(Request::Logs(request)) => logs(request).err(),
        Ok(Request::Metrics(_)) => None,
        Err(error) => Some(error),
    };
    expected.assert_eq(&error.expect("an error").to_string());
}

#[test]
fn errors_say_what_is_wrong_where() {
    check_error(
        Signal::Traces,
        r#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"5b8e","spanId":"eee19b7ec3c1b174"}]}]}]}"#,
        expect!["resourceSpans[0].scopeSpans[0].spans[0].traceId: 2 bytes, want 16"],
    );
    check_error(
        Signal::Traces,
        r#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"5b8efff798038103d269b633813fc60c","spanId":"0000000000000000"}]}]}]}"#,
        expect!["resourceSpans[0].scopeSpans[0].spans[0].spanId: all bytes are zero"],
    );
    check_error(
        Signal::Logs,
        r#"{"resourceLogs":[{"scopeLogs":[{"logRecords":[{},{"traceId":"aa"}]}]}]}"#,
        expect!["resourceLogs[0].scopeLogs[0].logRecords[1].traceId: 1 bytes, want 16"],
    );
    check_error(
        Signal::Traces,
        r#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"name":7}]}]}]}"#,
        expect![
            "cannot decode traces as JSON: invalid value: integer `7`, expected name to be text at line 1 column 52"
        ],
    );
    let error = Request::from_protobuf(Signal::Traces, &[0x0a, 0x05, 1]).unwrap_err();
    expect![[r#"cannot decode traces as protobuf: failed to decode Protobuf message: ExportTraceServiceRequest.resource_spans: buffer underflow"#]]
        .assert_eq(&error.to_string());
}

#[test]
fn json_from_other_exporters_is_read() {
    // Times as numbers and as text, int values as both, unknown fields: all seen in the wild.
    let body = br#"{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"web"}}]},
        "scopeSpans":[{"scope":{"name":"lib"},"spans":[{"traceId":"5B8EFFF798038103D269B633813FC60C","spanId":"EEE19B7EC3C1B174",
        "parentSpanId":"","name":"GET /","kind":2,"startTimeUnixNano":"1544712660000000000","endTimeUnixNano":1544712661000000000,
        "attributes":[{"key":"a","value":{"intValue":"7"}},{"key":"b","value":{"intValue":8}}],"status":{"code":2},"newField":{"x":1}}]}]}]}"#;
    let Request::Traces(request) = Request::from_json(Signal::Traces, body).unwrap() else {
        panic!("not traces")
    };
    let span = spans(request).unwrap().remove(0);
    assert_eq!(span.service(), "web");
    assert_eq!(span.parent_id, None);
    assert_eq!(span.duration(), std::time::Duration::from_secs(1));
    assert_eq!(span.status, SpanStatus::Error);
    assert_eq!(span.attributes.get("a"), Some(&Value::Int(7)));
    assert_eq!(span.attributes.get("b"), Some(&Value::Int(8)));
}

#[test]
fn a_metric_becomes_its_points() {
    let body = br#"{"resourceMetrics":[{"resource":{},"scopeMetrics":[{"scope":{"name":"m"},"metrics":[
        {"name":"n","unit":"1","sum":{"aggregationTemporality":2,"isMonotonic":true,"dataPoints":[
            {"timeUnixNano":"5","asInt":"3"},{"timeUnixNano":"6","asDouble":1.5}]}},
        {"name":"h","unit":"s","histogram":{"aggregationTemporality":1,"dataPoints":[
            {"timeUnixNano":"7","count":"4","sum":2.5,"bucketCounts":["1","3"],"explicitBounds":[1.0]}]}}]}]}]}"#;
    let Request::Metrics(request) = Request::from_json(Signal::Metrics, body).unwrap() else {
        panic!("not metrics")
    };
    let points = metric_points(request);
    let shown: Vec<String> = points
        .iter()
        .map(|p| {
            format!(
                "{} {:?} at {} = {} of {}",
                p.name, p.kind, p.time, p.value, p.count
            )
        })
        .collect();
    expect![[r#"
        n Sum at 5 = 3 of 1
        n Sum at 6 = 1.5 of 1
        h Histogram at 7 = 2.5 of 4"#]]
    .assert_eq(&shown.join("\n"));
    let alone = opentelemetry_proto::tonic::metrics::v1::Metric::decode(&*points[1].otlp).unwrap();
    assert_eq!(alone.name, "n");
}

fn a_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::Int),
        (-1e9..1e9f64).prop_map(Value::Double),
        ".{0,8}".prop_map(Value::String),
        prop::collection::vec(any::<u8>(), 0..4).prop_map(Value::Bytes),
    ];
    leaf.prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::Array),
            prop::collection::vec((".{1,4}", inner), 0..3)
                .prop_map(|pairs| Value::Map(Attributes(pairs))),
        ]
    })
}

prop_compose! {
    fn attributes()(pairs in prop::collection::vec(("[a-z.]{1,8}", a_value()), 0..4)) -> Attributes {
        Attributes(pairs)
    }
}

prop_compose! {
    fn a_span()(
        trace in 1..u128::MAX, id in 1..u64::MAX, parent in prop::option::of(1..u64::MAX),
        name in ".{0,12}", kind in 0..6i32, status in 0..3i32,
        start in any::<u64>(), end in any::<u64>(),
        on_span in attributes(), on_event in attributes(), on_resource in attributes(),
    ) -> Span {
        let span_id = |id: u64| SpanId::new(id.to_be_bytes()).unwrap();
        let trace_id = TraceId::new(trace.to_be_bytes()).unwrap();
        Span {
            trace_id,
            span_id: span_id(id),
            parent_id: parent.map(span_id),
            trace_state: String::new(),
            name,
            kind: SpanKind::from_number(kind),
            start: UnixNanos(start),
            end: UnixNanos(end),
            status: SpanStatus::from_number(status),
            status_message: String::new(),
            attributes: on_span,
            events: vec![Event { time: UnixNanos(start), name: "e".into(), attributes: on_event }],
            links: vec![Link { trace_id, span_id: span_id(id), trace_state: "a=b".into(), attributes: Attributes::default() }],
            resource: Arc::new(Resource { attributes: on_resource }),
            scope: Arc::new(Scope { name: "s".into(), version: "1".into() }),
        }
    }
}

proptest! {
    #[test]
    fn spans_survive_the_wire(original in prop::collection::vec(a_span(), 0..5)) {
        let bytes = Request::Traces(traces_request(&original)).to_protobuf();
        let Ok(Request::Traces(request)) = Request::from_protobuf(Signal::Traces, &bytes) else {
            panic!("not traces")
        };
        prop_assert_eq!(spans(request).unwrap(), original);
    }

    #[test]
    fn logs_survive_the_wire(body in a_value(), attributes in attributes(), time in any::<u64>(), trace in any::<u128>()) {
        let original = vec![LogRecord {
            time: UnixNanos(time),
            observed_time: UnixNanos(1),
            severity_number: 9,
            severity_text: "INFO".into(),
            body,
            attributes,
            trace_id: TraceId::new(trace.to_be_bytes()).ok(),
            span_id: None,
            event_name: String::new(),
            resource: Arc::default(),
            scope: Arc::default(),
        }];
        let bytes = Request::Logs(logs_request(&original)).to_protobuf();
        let Ok(Request::Logs(request)) = Request::from_protobuf(Signal::Logs, &bytes) else {
            panic!("not logs")
        };
        prop_assert_eq!(logs(request).unwrap(), original);
    }

    #[test]
    fn what_a_request_takes_is_known_before(original in prop::collection::vec(a_span(), 0..5)) {
        let bytes = Request::Traces(traces_request(&original)).to_protobuf();
        let least = bytes.len() + original.len() * 200;
        prop_assert!(memory_bytes(Signal::Traces, &bytes) >= least);
    }

    #[test]
    fn no_bytes_make_the_decoder_panic(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        for signal in Signal::ALL {
            let _ = Request::from_protobuf(signal, &bytes);
            let _ = Request::from_json(signal, &bytes);
            memory_bytes(signal, &bytes);
        }
    }
}

#[test]
fn small_bodies_that_take_much() {
    // Spans with nothing in them: two bytes on the wire.
    let spans = [0x12, 0].repeat(10_000);
    let scope = message(0x12, &spans);
    let body = message(0x0a, &scope);
    assert!(body.len() < 21_000);
    assert!(memory_bytes(Signal::Traces, &body) > 2_000_000);
    // Of a log record with as many bytes of text, there is one.
    let text = message(0x0a, &message(0x12, &message(0x12, &message(0x1a, &spans))));
    assert!(memory_bytes(Signal::Logs, &text) < 2 * text.len());
}

/// A field with a length.
fn message(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut bytes = vec![tag];
    prost::encoding::encode_varint(content.len() as u64, &mut bytes);
    bytes.extend_from_slice(content);
    bytes
}
