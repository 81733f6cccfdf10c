use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use throughline_telemetry::Signal;
use throughline_telemetry::wire::Request;

use super::*;

fn gzip(plain: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(plain.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

fn lines(body: impl AsRef<[u8]>) -> Result<Vec<String>, BadDelivery> {
    let delivery = Delivery::read(body.as_ref(), 10_000)?;
    Ok(delivery
        .lines()
        .map(|(number, line)| format!("{number} {line}"))
        .collect())
}

fn data(messages: &[&str]) -> String {
    let events = messages
        .iter()
        .map(|message| serde_json::json!({"id": "1", "timestamp": 1, "message": message}));
    serde_json::json!({
        "messageType": "DATA_MESSAGE", "owner": "1", "logGroup": "/aws/lambda/checkout", "logStream": "s",
        "subscriptionFilters": ["f"], "logEvents": events.collect::<Vec<_>>(),
    })
    .to_string()
}

fn packed(plain: &str) -> String {
    BASE64.encode(gzip(plain))
}

#[test]
fn every_form_becomes_lines() {
    let expected = Ok(vec![
        "1 one".to_owned(),
        "2 {\"a\":1}".to_owned(),
        "3 three".to_owned(),
    ]);
    let messages = ["one\n", "{\"a\":1}", "\nthree\n\n"];
    let firehose = |records: Vec<String>| {
        let records = records
            .into_iter()
            .map(|data| serde_json::json!({ "data": data }));
        serde_json::json!({"requestId": "r-1", "timestamp": 1, "records": records.collect::<Vec<_>>()}).to_string()
    };
    let halves = [data(&messages[..1]), data(&messages[1..])];
    let cases: [(&str, Vec<u8>); 9] = [
        ("text", messages.concat().replace("e\n{", "e\n\n{").into_bytes()),
        ("subscription", serde_json::json!({"awslogs": {"data": packed(&data(&messages))}}).to_string().into_bytes()),
        ("unpacked subscription", data(&messages).into_bytes()),
        ("gzip", gzip(&data(&messages))),
        ("firehose", firehose(halves.iter().map(|half| packed(half)).collect()).into_bytes()),
        ("firehose, unpacked by it", firehose(vec![BASE64.encode(halves.join("\n"))]).into_bytes()),
        ("firehose, messages only", firehose(vec![BASE64.encode("one\n{\"a\":1}\n"), BASE64.encode("three\n")]).into_bytes()),
        ("documents without space between", halves.concat().into_bytes()),
        (
            "filter-log-events",
            serde_json::to_vec_pretty(&serde_json::json!({"events": messages.map(|message| {
                serde_json::json!({"logStreamName": "s", "timestamp": 1, "message": message, "ingestionTime": 2, "eventId": "3"})
            }), "searchedLogStreams": []}))
            .unwrap(),
        ),
    ];
    for (name, body) in cases {
        assert_eq!(lines(body), expected, "{name}");
    }
}

#[test]
fn json_of_another_kind_is_text() {
    assert_eq!(
        lines("{\"level\":\"INFO\"}\n{\"level\":\"WARN\"}\n")
            .unwrap()
            .len(),
        2
    );
    assert_eq!(lines("{\"__otel_otlp_stdout\":\"1\"}").unwrap().len(), 1);
    assert_eq!(lines("{\"events\":7}").unwrap().len(), 1);
    assert_eq!(lines("").unwrap().len(), 0);
}

#[test]
fn the_number_of_a_request_is_kept() {
    let delivery = Delivery::read(br#"{"requestId":"r-1","records":[]}"#, 10).unwrap();
    assert_eq!(delivery.request_id.as_deref(), Some("r-1"));
}

#[test]
fn a_control_message_has_no_lines() {
    let control = data(&["CWL CONTROL MESSAGE: Checking health of destination Firehose."])
        .replace("DATA_MESSAGE", "CONTROL_MESSAGE");
    assert_eq!(lines(control), Ok(Vec::new()));
}

#[test]
fn what_cannot_be_unpacked() {
    let unreadable = |body: &[u8]| match lines(body) {
        Err(BadDelivery::Unreadable(what)) => what,
        other => panic!("{other:?}"),
    };
    assert!(unreadable(br#"{"awslogs":{"data":"?"}}"#).starts_with("`data` is not base64"));
    let whole = gzip(&data(&["one"]));
    assert!(unreadable(&whole[..whole.len() / 2]).starts_with("cannot decompress"));
    let mut nested = data(&["one"]);
    for _ in 0..4 {
        nested = serde_json::json!({"awslogs": {"data": packed(&nested)}}).to_string();
    }
    assert!(unreadable(nested.as_bytes()).starts_with("packed more than"));
    let bomb = gzip(&"x".repeat(100_000));
    assert_eq!(lines(bomb), Err(BadDelivery::TooLarge));
    assert_eq!(lines("x".repeat(20_000)), Err(BadDelivery::TooLarge));
}

const POINT: &str = r#"{"metric_stream_name":"queues","account_id":"123456789012","region":"eu-west-1","namespace":"AWS/SQS","metric_name":"ApproximateAgeOfOldestMessage","dimensions":{"QueueName":"mails"},"timestamp":1643916600000,"value":{"max":9.0,"min":9.0,"sum":9.0,"count":1.0},"unit":"Seconds"}"#;

/// A record of `opentelemetry1.0` with one message, which has as many data points.
fn messages(points: usize) -> Vec<u8> {
    let name = r#"{"key":"Namespace","value":{"stringValue":"AWS/SQS"}}"#;
    let point = format!(r#"{{"timeUnixNano":"1","count":"1","sum":2,"attributes":[{name}]}}"#);
    let points = vec![point; points].join(",");
    let metric = format!(r#"{{"name":"m","summary":{{"dataPoints":[{points}]}}}}"#);
    let request = format!(
        r#"{{"resourceMetrics":[{{"resource":{{"attributes":[{name}]}},"scopeMetrics":[{{"metrics":[{metric}]}}]}}]}}"#
    );
    let message = Request::json_to_protobuf(Signal::Metrics, request.as_bytes()).unwrap();
    // A varint of two bytes: the message has between 128 and 16,383.
    assert!((128..16_384).contains(&message.len()));
    let low = u8::try_from(message.len() & 0x7f).unwrap() | 0x80;
    let high = u8::try_from(message.len() >> 7).unwrap();
    [&[low, high], message.as_slice()].concat()
}

fn firehose(records: &[&[u8]]) -> String {
    let records = records.iter();
    let records = records.map(|data| serde_json::json!({ "data": BASE64.encode(data) }));
    serde_json::json!({"requestId": "r-1", "timestamp": 1, "records": records.collect::<Vec<_>>()})
        .to_string()
}

/// How many metrics each request has, by the number of the first line or message in it.
fn requests(delivery: &Delivery) -> Vec<(u64, usize)> {
    let requests = delivery.metrics.requests.iter();
    let items = |body: &[u8]| {
        let request = Request::from_protobuf(Signal::Metrics, body).unwrap();
        request.items()
    };
    requests
        .map(|(first, body)| (*first, items(body)))
        .collect()
}

#[test]
fn metric_streams_and_logs_are_told_apart_record_by_record() {
    let lines = format!("{POINT}\n{}\n{POINT}\n", &POINT[..90]);
    let logs = gzip(&data(&["one\ntwo"]));
    let body = firehose(&[
        &messages(1),
        &logs,
        lines.as_bytes(),
        &messages(1),
        b"three\n",
    ]);
    let delivery = Delivery::read(body.as_bytes(), 10_000).unwrap();
    assert_eq!(delivery.request_id.as_deref(), Some("r-1"));
    let told: Vec<_> = delivery.lines().collect();
    assert_eq!(told, [(2, "one"), (3, "two"), (8, "three")]);
    assert_eq!(requests(&delivery), [(4, 1), (1, 2)]);
    assert_eq!(
        (delivery.metrics.read, delivery.metrics.problems_total),
        (4, 1)
    );
    assert_eq!(delivery.metrics.problems[0].0, 5);
}

/// A bucket has records one after the other.
#[test]
fn metric_streams_come_without_firehose_too() {
    let text = format!("{POINT}\n");
    for body in [messages(2), gzip(&text), text.into_bytes()] {
        let delivery = Delivery::read(&body, 10_000).unwrap();
        assert_eq!(
            (requests(&delivery), delivery.lines().count()),
            (vec![(1, 1)], 0)
        );
    }
}

/// What a function writes about metrics is a log.
#[test]
fn a_data_point_in_a_log_is_a_line() {
    let delivery = Delivery::read(data(&[POINT]).as_bytes(), 10_000).unwrap();
    assert_eq!((delivery.lines().count(), requests(&delivery)), (1, vec![]));
}

#[test]
fn metrics_have_the_limit_of_the_delivery() {
    let one = messages(10);
    let whole = Delivery::read(&one, one.len()).map(|delivery| delivery.metrics.read);
    assert_eq!(whole, Ok(1));
    let records = firehose(&[&one, &one]);
    let over = Delivery::read(records.as_bytes(), one.len());
    assert!(matches!(over, Err(BadDelivery::TooLarge)), "{over:?}");
    let bomb = gzip(&format!("{POINT}\n").repeat(1000));
    let over = Delivery::read(&bomb, 10_000);
    assert!(matches!(over, Err(BadDelivery::TooLarge)), "{over:?}");
    // As a request it is larger than as a line.
    let names = "n".repeat(250);
    let long = POINT.replace("ApproximateAgeOfOldestMessage", &names);
    let over = Delivery::read(long.as_bytes(), long.len());
    assert!(matches!(over, Err(BadDelivery::TooLarge)), "{over:?}");
}
