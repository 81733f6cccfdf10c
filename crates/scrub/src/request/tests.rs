use proptest::prelude::*;
use throughline_telemetry::Signal;
use throughline_telemetry::wire::Request;

use crate::{Rule, Rules, Scrubber};

/// Every place of a request where a sender can put text, one of them with `HERE` in it.
fn requests() -> Vec<(Signal, String)> {
    let value = |depth: usize| {
        (0..depth).fold(
            r#"{"stringValue":"HERE"}"#.to_owned(),
            |value, level| match level % 2 {
                0 => format!(r#"{{"arrayValue":{{"values":[{value}]}}}}"#),
                _ => format!(r#"{{"kvlistValue":{{"values":[{{"key":"k","value":{value}}}]}}}}"#),
            },
        )
    };
    let attributes = |depth| format!(r#"[{{"key":"note","value":{}}}]"#, value(depth));
    let mut spans = vec![
        r#""name":"HERE""#.to_owned(),
        r#""status":{"message":"HERE"}"#.to_owned(),
    ];
    let mut logs = Vec::new();
    let mut points = Vec::new();
    for depth in [0, 1, 2, 5, 12] {
        let attributes = attributes(depth);
        spans.push(format!(r#""attributes":{attributes}"#));
        spans.push(format!(
            r#""events":[{{"name":"HERE","attributes":{attributes}}}]"#
        ));
        spans.push(format!(
            r#""links":[{{"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174","attributes":{attributes}}}]"#
        ));
        logs.push(format!(r#""attributes":{attributes}"#));
        logs.push(format!(r#""body":{}"#, value(depth)));
        for kind in [
            "gauge",
            "sum",
            "histogram",
            "exponentialHistogram",
            "summary",
        ] {
            points.push((kind, format!(r#""attributes":{attributes}"#)));
        }
        points.push((
            "gauge",
            format!(r#""exemplars":[{{"filteredAttributes":{attributes}}}]"#),
        ));
    }
    let around = format!(r#""resource":{{"attributes":{}}}"#, attributes(1));
    let scope = format!(r#""scope":{{"name":"s","attributes":{}}}"#, attributes(1));
    let spans = spans.into_iter().map(|span| {
        let text = format!(
            r#"{{"resourceSpans":[{{{around},"scopeSpans":[{{{scope},"spans":[{{{span}}}]}}]}}]}}"#
        );
        (Signal::Traces, text)
    });
    let logs = logs.into_iter().map(|record| {
        let text = format!(r#"{{"resourceLogs":[{{{around},"scopeLogs":[{{{scope},"logRecords":[{{{record}}}]}}]}}]}}"#);
        (Signal::Logs, text)
    });
    let points = points.into_iter().map(|(kind, point)| {
        let text = format!(r#"{{"resourceMetrics":[{{{around},"scopeMetrics":[{{{scope},"metrics":[{{"name":"m","{kind}":{{"dataPoints":[{{{point}}}]}}}}]}}]}}]}}"#);
        (Signal::Metrics, text)
    });
    spans.chain(logs).chain(points).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn secret_is_found_in_every_place_of_every_signal(letters in "[A-Z2-7]{16}") {
        let secret = format!("AKIA{letters}");
        for (signal, text) in requests() {
            let body = text.replace("HERE", &format!("used {secret} here"));
            let request = Request::from_json(signal, body.as_bytes()).unwrap();
            prop_assert!(contains(&request.to_protobuf(), &secret), "not planted: {text}");
            let mut scrubber = Scrubber::new(Rules::default());
            let scrubbed = scrubber.request(request);
            prop_assert!(!contains(&scrubbed.to_protobuf(), &secret), "still there: {text}");
            prop_assert!(scrubber.counts().of(&Rule::AwsKey) >= 3);
        }
    }
}

#[test]
fn attributes_with_secret_names_go_whatever_they_hold() {
    let body = r#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"attributes":[
        {"key":"http.request.header.authorization","value":{"arrayValue":{"values":[{"stringValue":"x"}]}}},
        {"key":"user.pin","value":{"intValue":"1234"}},
        {"key":"gen_ai.usage.input_tokens","value":{"intValue":"77"}},
        {"key":"session.id","value":{"stringValue":"s-1"}},
        {"key":"card","value":{"intValue":"4111111111111111"}},
        {"key":"raw","value":{"bytesValue":"cGFzc3dvcmQ9aHVudGVyMg=="}}
    ]}]}]}]}"#;
    let request = Request::from_json(Signal::Traces, body.as_bytes()).unwrap();
    let mut scrubber = Scrubber::new(Rules::default());
    let scrubbed = scrubber.request(request);
    let Request::Traces(traces) = &*scrubbed else {
        unreachable!()
    };
    let span = &traces.resource_spans[0].scope_spans[0].spans[0];
    let text = format!("{:?}", span.attributes);
    for (part, there) in [
        ("1234", false),
        ("4111111111111111", false),
        ("IntValue(77)", true),
        ("s-1", true),
        ("[card:…1111]", true),
    ] {
        assert_eq!(text.contains(part), there, "{part} in {text}");
    }
    assert_eq!(scrubber.counts().of(&Rule::Key), 3);
    assert_eq!(scrubber.counts().total(), 4);
}

#[test]
fn what_is_nested_too_deep_does_not_get_through_unseen() {
    let value = (0..20).fold(
        r#"{"stringValue":"AKIAIOSFODNN7EXAMPLE"}"#.to_owned(),
        |value, _| format!(r#"{{"arrayValue":{{"values":[{value}]}}}}"#),
    );
    let body =
        format!(r#"{{"resourceLogs":[{{"scopeLogs":[{{"logRecords":[{{"body":{value}}}]}}]}}]}}"#);
    let request = Request::from_json(Signal::Logs, body.as_bytes()).unwrap();
    let mut scrubber = Scrubber::new(Rules::default());
    let scrubbed = scrubber.request(request);
    assert!(!contains(&scrubbed.to_protobuf(), "AKIAIOSFODNN7EXAMPLE"));
    assert_eq!(scrubber.counts().of(&Rule::Depth), 1);
}

fn contains(bytes: &[u8], text: &str) -> bool {
    bytes
        .windows(text.len())
        .any(|window| window == text.as_bytes())
}
