use std::mem::size_of;

use throughline_telemetry::Signal;
use throughline_telemetry::wire::Request;
use throughline_telemetry::wire::otlp::trace::v1::Span;

use super::{TooHeavy, json, protobuf};

/// A field with a length.
fn message(number: u8, body: &[u8]) -> Vec<u8> {
    let mut length = body.len();
    let mut field = vec![number << 3 | 2];
    loop {
        let low = u8::try_from(length & 0x7f).unwrap();
        length >>= 7;
        field.push(if length > 0 { low | 0x80 } else { low });
        if length == 0 {
            break;
        }
    }
    field.extend_from_slice(body);
    field
}

/// What the lightest limit is that lets a body through.
fn weight(signal: Signal, body: &[u8]) -> usize {
    let (mut low, mut high) = (0, 1 << 40);
    while low < high {
        let middle = (low + high) / 2;
        match protobuf(signal, body, middle) {
            Ok(_) => high = middle,
            Err(TooHeavy) => low = middle + 1,
        }
    }
    low
}

#[test]
fn empty_spans_weigh_what_they_take() {
    let spans = message(2, b"").repeat(100_000);
    let body = message(1, &message(2, &spans));
    let weighed = weight(Signal::Traces, &body);
    assert!(weighed >= 100_000 * size_of::<Span>(), "{weighed}");
    assert!(weighed < 100_001 * size_of::<Span>() + 1000, "{weighed}");
    let Ok(Request::Traces(decoded)) = Request::from_protobuf(Signal::Traces, &body) else {
        panic!("the decoder takes it");
    };
    assert_eq!(
        decoded.resource_spans[0].scope_spans[0].spans.len(),
        100_000
    );
}

/// Everything that can come many times for two bytes each must count, wherever it is.
#[test]
fn every_repeated_message_counts() {
    let wrap = |path: &[u8]| {
        let (last, above) = path.split_last().unwrap();
        let many = message(*last, b"").repeat(1000);
        above
            .iter()
            .rev()
            .fold(many, |body, number| message(*number, &body))
    };
    let paths: &[(Signal, &[u8])] = &[
        (Signal::Traces, &[1]),
        (Signal::Traces, &[1, 1, 1]),
        (Signal::Traces, &[1, 1, 3]),
        (Signal::Traces, &[1, 1, 3, 3]),
        (Signal::Traces, &[1, 1, 3, 4]),
        (Signal::Traces, &[1, 2]),
        (Signal::Traces, &[1, 2, 1, 3]),
        (Signal::Traces, &[1, 2, 2, 9]),
        (Signal::Traces, &[1, 2, 2, 11]),
        (Signal::Traces, &[1, 2, 2, 11, 3]),
        (Signal::Traces, &[1, 2, 2, 13]),
        (Signal::Traces, &[1, 2, 2, 13, 4]),
        (Signal::Traces, &[1, 2, 2, 9, 2, 5, 1]),
        (Signal::Traces, &[1, 2, 2, 9, 2, 6, 1]),
        (Signal::Logs, &[1, 2]),
        (Signal::Logs, &[1, 2, 2]),
        (Signal::Logs, &[1, 2, 2, 6]),
        (Signal::Logs, &[1, 2, 2, 5, 5, 1]),
        (Signal::Metrics, &[1, 2, 2]),
        (Signal::Metrics, &[1, 2, 2, 12]),
        (Signal::Metrics, &[1, 2, 2, 5, 1]),
        (Signal::Metrics, &[1, 2, 2, 7, 1, 5]),
        (Signal::Metrics, &[1, 2, 2, 9, 1, 9]),
        (Signal::Metrics, &[1, 2, 2, 9, 1, 8, 7]),
        (Signal::Metrics, &[1, 2, 2, 10, 1, 1]),
        (Signal::Metrics, &[1, 2, 2, 11, 1, 6]),
    ];
    for (signal, path) in paths {
        let weighed = weight(*signal, &wrap(path));
        assert!(
            weighed >= 1000 * 16,
            "{signal} {path:?} weighs only {weighed}"
        );
    }
}

#[test]
fn nonsense_is_left_to_the_decoder() {
    for nonsense in [
        &b"\x0a\x05\x0a"[..],
        b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
        b"\x0b",
        b"\x0a\xff",
    ] {
        assert_eq!(
            protobuf(Signal::Traces, nonsense, 1 << 20).err(),
            None,
            "{nonsense:?}"
        );
    }
}

#[test]
fn deep_nesting_overflows_nothing() {
    // Any value in array in any value ..., ten thousand deep.
    let deep = (0..10_000).fold(Vec::new(), |inner, level| {
        message(if level % 2 == 0 { 1 } else { 5 }, &inner)
    });
    let body = [1, 2, 2, 5]
        .iter()
        .rev()
        .fold(deep, |body, number| message(*number, &body));
    assert!(protobuf(Signal::Logs, &body, 1 << 20).is_ok());
}

#[test]
fn objects_and_lists_in_json_count_outside_of_text() {
    let span = size_of::<Span>();
    assert_eq!(json(br#"[{},{"a":{}}]"#, 4 * span), Ok(4 * span));
    assert_eq!(json(br#"[{},{"a":{}}]"#, 4 * span - 1), Err(TooHeavy));
    assert_eq!(json(br#"["{{{\"{{{[", {}, "\\"]"#, 9 * span), Ok(2 * span));
    assert_eq!(json(br#"["\\", {}]"#, 2 * span - 1), Err(TooHeavy));
}

/// Were a list a message to the decoder, as to serde's, it would have to weigh like one.
#[test]
fn lists_are_not_decoded_as_messages() {
    let body = br#"{"resourceSpans":[{"scopeSpans":[{"spans":[[],[]]}]}]}"#;
    assert!(Request::from_json(Signal::Traces, body).is_err());
}
