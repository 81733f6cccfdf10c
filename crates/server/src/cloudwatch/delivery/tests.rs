use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;

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
