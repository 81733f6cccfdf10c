use std::mem::size_of;

use throughline_telemetry::Signal;
use throughline_telemetry::wire::Request;
use throughline_telemetry::wire::otlp::trace::v1::Span;

use super::{TooHeavy, json};

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
