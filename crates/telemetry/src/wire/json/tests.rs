use super::*;
use crate::wire::otlp::ExportMetricsServiceRequest;
use crate::wire::otlp::common::v1::any_value::Value as Any;
use crate::wire::otlp::metrics::v1::{metric::Data, number_data_point::Value};
use crate::wire::{Request, logs, spans};

fn metrics(points: &str) -> ExportMetricsServiceRequest {
    let body = format!(r#"{{"resourceMetrics":[{{"scopeMetrics":[{{"metrics":[{points}]}}]}}]}}"#);
    match Request::from_json(Signal::Metrics, body.as_bytes()) {
        Ok(Request::Metrics(request)) => request,
        other => panic!("{other:?} for {body}"),
    }
}

fn gauge(point: &str) -> Option<Value> {
    let metrics = metrics(&format!(r#"{{"gauge":{{"dataPoints":[{point}]}}}}"#));
    let metric = &metrics.resource_metrics[0].scope_metrics[0].metrics[0];
    match metric.data.as_ref().unwrap() {
        Data::Gauge(gauge) => gauge.data_points[0].value,
        other => panic!("{other:?}"),
    }
}

fn log_error(record: &str) -> String {
    let body = format!(r#"{{"resourceLogs":[{{"scopeLogs":[{{"logRecords":[{record}]}}]}}]}}"#);
    Request::from_json(Signal::Logs, body.as_bytes())
        .unwrap_err()
        .to_string()
}

fn value(json: &str) -> Option<Any> {
    let body =
        format!(r#"{{"resourceLogs":[{{"scopeLogs":[{{"logRecords":[{{"body":{json}}}]}}]}}]}}"#);
    match Request::from_json(Signal::Logs, body.as_bytes()) {
        Ok(Request::Logs(mut request)) => {
            let record = request.resource_logs[0].scope_logs[0].log_records.remove(0);
            record.body.and_then(|body| body.value)
        }
        other => panic!("{other:?} for {json}"),
    }
}

#[test]
fn numbers_that_json_has_no_word_for() {
    let double = |point: &str| match gauge(point) {
        Some(Value::AsDouble(number)) => number,
        other => panic!("{other:?}"),
    };
    assert!(double(r#"{"asDouble":"NaN"}"#).is_nan());
    assert_eq!(double(r#"{"asDouble":"Infinity"}"#), f64::INFINITY);
    assert_eq!(double(r#"{"asDouble":"-Infinity"}"#), f64::NEG_INFINITY);
    assert_eq!(double(r#"{"asDouble":"1.5"}"#), 1.5);
    assert_eq!(double(r#"{"asDouble":7}"#), 7.0);
    assert_eq!(
        value(r#"{"doubleValue":"-Infinity"}"#),
        Some(Any::DoubleValue(f64::NEG_INFINITY))
    );
    let metrics = metrics(
        r#"{"histogram":{"dataPoints":[{"sum":"NaN","explicitBounds":[1,"Infinity"],"bucketCounts":["1",2]}]}}"#,
    );
    let metric = &metrics.resource_metrics[0].scope_metrics[0].metrics[0];
    let Some(Data::Histogram(histogram)) = &metric.data else {
        panic!("{metric:?}")
    };
    let point = &histogram.data_points[0];
    assert!(point.sum.is_some_and(f64::is_nan));
    assert_eq!(point.explicit_bounds, [1.0, f64::INFINITY]);
    assert_eq!(point.bucket_counts, [1, 2]);
}

#[test]
fn integers_as_text_and_as_numbers() {
    for (json, expected) in [
        ("7", 7),
        ("\"7\"", 7),
        ("-7", -7),
        ("\"-9223372036854775808\"", i64::MIN),
        ("9223372036854775807", i64::MAX),
        ("1e3", 1000),
        ("\"1e3\"", 1000),
        ("5.0", 5),
    ] {
        assert_eq!(
            gauge(&format!(r#"{{"asInt":{json}}}"#)),
            Some(Value::AsInt(expected)),
            "{json}"
        );
        let any = value(&format!(r#"{{"intValue":{json}}}"#));
        assert_eq!(any, Some(Any::IntValue(expected)), "{json}");
    }
}

#[test]
fn null_is_the_same_as_nothing() {
    let body = br#"{"resourceLogs":[{"resource":null,"schemaUrl":null,"scopeLogs":[{"scope":null,"logRecords":[
        {"timeUnixNano":null,"severityNumber":null,"severityText":null,"body":null,"attributes":null,"traceId":null,
        "attributes":[{"key":"k","value":null},{"key":null,"value":{"stringValue":null}}]}]}]}]}"#;
    let Ok(Request::Logs(request)) = Request::from_json(Signal::Logs, body) else {
        panic!("not logs")
    };
    let record = &logs(request).unwrap()[0];
    assert_eq!(record.severity_text, "");
    assert_eq!(record.attributes.iter().count(), 2);
}

#[test]
fn names_in_both_spellings_and_unknown_ones() {
    let body = br#"{"resource_spans":[{"scope_spans":[{"spans":[{"trace_id":"5b8efff798038103d269b633813fc60c",
        "spanId":"eee19b7ec3c1b174","start_time_unix_nano":"7","new":{"field":[1,{}]},"":1}]}]}],"x":null}"#;
    let Ok(Request::Traces(request)) = Request::from_json(Signal::Traces, body) else {
        panic!("not traces")
    };
    assert_eq!(spans(request).unwrap()[0].start.0, 7);
}

#[test]
fn bytes_in_both_alphabets() {
    for json in ["-_8", "+/8=", "+/8", "-_8="] {
        let any = value(&format!(r#"{{"bytesValue":"{json}"}}"#));
        assert_eq!(any, Some(Any::BytesValue(vec![0xfb, 0xff])), "{json}");
    }
    assert_eq!(
        value(r#"{"bytesValue":""}"#),
        Some(Any::BytesValue(Vec::new()))
    );
}

#[test]
fn values_of_every_kind() {
    assert_eq!(value("{}"), None);
    assert_eq!(
        value(r#"{"stringValue":""}"#),
        Some(Any::StringValue(String::new()))
    );
    assert_eq!(value(r#"{"boolValue":false}"#), Some(Any::BoolValue(false)));
    let nested = r#"{"kvlistValue":{"values":[{"key":"a","value":{"arrayValue":{"values":[{},{"intValue":1}]}}}]}}"#;
    let Some(Any::KvlistValue(list)) = value(nested) else {
        panic!("a list")
    };
    let Some(Any::ArrayValue(array)) = list.values[0].value.as_ref().unwrap().value.clone() else {
        panic!("an array")
    };
    assert_eq!(array.values.len(), 2);
}

#[test]
fn what_a_field_cannot_be() {
    for (record, why) in [
        (r#"{"severityText":7}"#, "expected severityText to be text"),
        (r#"{"severityNumber":"high"}"#, "an integer of 32 bits"),
        (r#"{"severityNumber":99999999999}"#, "an integer of 32 bits"),
        (r#"{"timeUnixNano":-1}"#, "not below 0"),
        (r#"{"timeUnixNano":1.5}"#, "not below 0"),
        (r#"{"timeUnixNano":"18446744073709551616"}"#, "not below 0"),
        (r#"{"traceId":"abc"}"#, "hexadecimal"),
        (r#"{"traceId":"zz"}"#, "hexadecimal"),
        (r#"{"attributes":{}}"#, "a list of"),
        (r#"{"attributes":"x"}"#, "a list of"),
        (r#"{"attributes":[null]}"#, "KeyValue"),
        (r#"{"attributes":[[]]}"#, "KeyValue"),
        (r#"{"body":[]}"#, "AnyValue"),
        (r#"{"body":"x"}"#, "AnyValue"),
        (r#"{"body":{"boolValue":1}}"#, "true or false"),
        (r#"{"body":{"bytesValue":"*"}}"#, "base64"),
        (r#"{"body":{"doubleValue":"inf"}}"#, "a number"),
    ] {
        let error = log_error(record);
        assert!(error.contains(why), "{error} for {record}");
        assert!(error.contains("line 1 column"), "{error}");
    }
}

#[test]
fn however_deep_it_ends_in_an_error() {
    for depth in [60, 200, 100_000] {
        let body = format!(
            r#"{{"body":{}{}}}"#,
            r#"{"arrayValue":{"values":["#.repeat(depth),
            "]}}".repeat(depth)
        );
        assert!(log_error(&body).contains("recursion limit"), "{depth}");
    }
}
