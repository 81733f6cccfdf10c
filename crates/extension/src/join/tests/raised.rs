//! What a handler raised, seen on its invocation.

use super::*;

#[test]
fn what_the_handler_raised_is_seen_on_the_invocation() {
    let raised = r#""status":{"code":2,"message":"sold out"},"events":[{"name":"exception","attributes":[
        {"key":"exception.type","value":{"stringValue":"stock.OutOfStock"}}]}]"#;
    let named = r#""status":{"code":2},"attributes":[{"key":"error.type","value":{"stringValue":"Timeout"}}]"#;
    let bare = r#""status":{"code":2}"#;
    let fine = r#""status":{"code":1}"#;
    let mut story = Story::begin(Telemetry::On);
    for (at, id, kind, more, done) in [
        (100, "raised", 2, raised, "success"),
        (1100, "named", 5, named, "success"),
        (2100, "bare", 2, bare, "success"),
        (3100, "fine", 2, fine, "success"),
        (4100, "only a call", 3, raised, "success"),
        (5100, "the platform knows better", 2, raised, "timeout"),
    ] {
        story.invoke(at, id, Some(HEADER));
        let (start, end) = (ms(at + 1), ms(at + 9));
        let json = format!(
            r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{{"traceId":"{TRACE}","spanId":"00000000000000b1",
            "parentSpanId":"0efbd19962d95b05","name":"handler","kind":{kind},
            "startTimeUnixNano":"{start}","endTimeUnixNano":"{end}",{more}}}]}}]}}]}}"#
        );
        let request = Request::from_json(Signal::Traces, json.as_bytes());
        story.joiner.exported(request.expect("OTLP"));
        let done = format!(r#"{{"requestId":"{id}","status":"{done}"}}"#);
        story.told(at + 10, "platform.runtimeDone", &done);
    }
    let (spans, _) = story.drained();
    let mut shown = String::new();
    for span in spans.iter().filter(|span| span.name == "inventory") {
        let [id, kind] = ["faas.invocation_id", "error.type"]
            .map(|key| span.attributes.text(key).unwrap_or("-"));
        let _ = writeln!(
            shown,
            "{id}: {:?} {kind} ({})",
            span.status, span.status_message
        );
    }
    expect![[r#"
        raised: Error stock.OutOfStock (sold out)
        named: Error Timeout ()
        bare: Error _OTHER ()
        fine: Unset - ()
        only a call: Unset - ()
        the platform knows better: Error timeout (the function did not finish in time)
    "#]]
    .assert_eq(&shown);
}

#[test]
fn a_handler_that_failed_before_the_end_was_known_is_remembered() {
    let mut story = Story::begin(Telemetry::On);
    story.invoke(100, "r-1", Some(HEADER));
    let json = format!(
        r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{{"traceId":"{TRACE}","spanId":"00000000000000b1",
        "parentSpanId":"0efbd19962d95b05","name":"handler","kind":2,"status":{{"code":2}},
        "startTimeUnixNano":"{}","endTimeUnixNano":"{}"}}]}}]}}]}}"#,
        ms(101),
        ms(109)
    );
    let request = Request::from_json(Signal::Traces, json.as_bytes());
    story.joiner.exported(request.expect("OTLP"));
    story.drained();
    let done = r#"{"requestId":"r-1","status":"success"}"#;
    story.told(110, "platform.runtimeDone", done);
    assert_eq!(story.drained().0[0].status, SpanStatus::Error);
}

#[test]
fn of_a_long_failure_only_the_beginning_is_repeated() {
    let mut story = Story::begin(Telemetry::On);
    story.invoke(100, "r-1", Some(HEADER));
    let json = format!(
        r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{{"traceId":"{TRACE}","spanId":"00000000000000b1",
        "parentSpanId":"0efbd19962d95b05","name":"handler","kind":2,"status":{{"code":2,"message":"{}"}}}}]}}]}}]}}"#,
        "ä".repeat(100_000)
    );
    let request = Request::from_json(Signal::Traces, json.as_bytes());
    story.joiner.exported(request.expect("OTLP"));
    let done = r#"{"requestId":"r-1","status":"success"}"#;
    story.told(110, "platform.runtimeDone", done);
    let (spans, _) = story.drained();
    let invocation = spans.iter().find(|span| span.name == "inventory");
    let message = &invocation.expect("it is over").status_message;
    assert_eq!(message.chars().count(), 1024);
}
