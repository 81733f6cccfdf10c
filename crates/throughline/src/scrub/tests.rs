use std::io::Cursor;

use super::*;

/// The lines and requests that are found in a file.
fn pieces(bytes: &[u8]) -> Vec<String> {
    let mut input = Input::new(Box::new(Cursor::new(bytes.to_vec()))).unwrap();
    let mut found = Vec::new();
    while let Some(piece) = input.next().unwrap() {
        found.push(match piece {
            Piece::Line { number, text } => format!("{number}: {text}"),
            Piece::Request {
                number, request, ..
            } => {
                format!(
                    "{number:?}: {} {}",
                    request.items(),
                    request.signal().name()
                )
            }
        });
    }
    found
}

const SPANS: &str = r#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174","name":"s"}]}]}]}"#;
const LOGS: &str = r#"{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"timeUnixNano":"7","body":{"stringValue":"x"}}]}]}]}"#;
const METRICS: &str = r#"{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"m","gauge":{"dataPoints":[{"asInt":"1"}]}}]}]}]}"#;

#[test]
fn every_kind_of_file_is_known_by_what_is_in_it() {
    assert_eq!(
        pieces(b"one\r\ntwo\n\nlast"),
        ["1: one", "2: two", "3: ", "4: last"]
    );
    assert_eq!(pieces(b""), Vec::<String>::new());
    assert_eq!(pieces(b"{\"a\":1}\n[2]\n"), ["1: {\"a\":1}", "2: [2]"]);
    let both = format!("{SPANS}\nplain\n{LOGS}\n");
    assert_eq!(
        pieces(both.as_bytes()),
        ["Some(1): 1 traces", "2: plain", "Some(3): 1 logs"]
    );
    let pretty = SPANS.replace('[', "[\n  ");
    assert_eq!(pieces(pretty.as_bytes()), ["None: 1 traces"]);
    for (json, signal) in [
        (SPANS, throughline_telemetry::Signal::Traces),
        (LOGS, throughline_telemetry::Signal::Logs),
        (METRICS, throughline_telemetry::Signal::Metrics),
    ] {
        let request = Request::from_json(signal, json.as_bytes()).unwrap();
        let expected = format!("None: 1 {}", signal.name());
        assert_eq!(pieces(&request.to_protobuf()), [expected]);
    }
}

#[test]
fn what_cannot_be_read_is_told() {
    for (bytes, why) in [
        (&b"\x1f\x8b\x08rest"[..], "it is packed"),
        (b"\x00\x01\x02\xff\xff", "neither text nor an OTLP request"),
        (b"{\"resourceSpans\":\n7}", "cannot decode"),
    ] {
        let error = Input::new(Box::new(Cursor::new(bytes.to_vec())))
            .err()
            .unwrap();
        assert!(error.to_string().contains(why), "{error}");
    }
}
