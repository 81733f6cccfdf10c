//! Agents that were told of their caller in another way than the platform was.

use super::*;

fn export(story: &mut Story, trace: &str, parent: &str, kind: u8, request: &str) {
    let (start, end) = (ms(105), ms(120));
    let json = format!(
        r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{{"traceId":"{trace}","spanId":"00000000000000b1",
        "parentSpanId":"{parent}","name":"handler","kind":{kind},"startTimeUnixNano":"{start}","endTimeUnixNano":"{end}",
        "attributes":[{{"key":"faas.invocation_id","value":{{"stringValue":"{request}"}}}}]}}]}}]}}]}}"#
    );
    let request = Request::from_json(Signal::Traces, json.as_bytes());
    story.joiner.exported(request.expect("OTLP"));
}

#[test]
fn an_invocation_goes_into_the_trace_of_its_agent_and_is_there_once() {
    let other = "0af7651916cd43dd8448eb211c80319c";
    let mut shown = String::new();
    for (name, trace, parent, kind, request) in [
        (
            "same trace, same caller",
            TRACE,
            "0efbd19962d95b05",
            2,
            "r-1",
        ),
        (
            "same trace, no caller known to the agent",
            TRACE,
            "",
            2,
            "r-1",
        ),
        (
            "same trace, a caller that the platform was not told of",
            TRACE,
            "b7ad6b7169203331",
            2,
            "r-1",
        ),
        (
            "its own trace by traceparent",
            other,
            "b7ad6b7169203331",
            2,
            "r-1",
        ),
        ("its own trace, root", other, "", 5, "r-1"),
        ("a call that only mentions it", other, "", 3, "r-1"),
        ("of another invocation", other, "", 2, "r-0"),
    ] {
        let mut story = Story::begin(Telemetry::On);
        story.cold_start().invoke(100, "r-1", Some(HEADER));
        story.told(110, "function", r#""said""#);
        export(&mut story, trace, parent, kind, request);
        let done = format!(r#"{{"requestId":"r-1","status":"success",{STEPS}}}"#);
        story.told(130, "platform.runtimeDone", &done);
        let (spans, logs) = story.drained();
        let _ = writeln!(shown, "{name}");
        let is_root = |span: &&Span| {
            !spans
                .iter()
                .any(|other| Some(other.span_id) == span.parent_id)
        };
        for root in spans.iter().filter(is_root) {
            let below = |of: &Span| {
                spans
                    .iter()
                    .filter(|span| span.parent_id == Some(of.span_id))
                    .count()
            };
            let alien = spans.iter().any(|span| span.trace_id != root.trace_id);
            let parent = root.parent_id.map_or("-".to_owned(), |id| id.to_string());
            let _ = writeln!(
                shown,
                "  {} in {} under {parent}, {} below{}",
                root.name,
                root.trace_id,
                below(root),
                if alien { ", others elsewhere" } else { "" }
            );
        }
        let _ = writeln!(shown, "  said in {}", logs[0].trace_id.expect("a trace"));
    }
    expect![[r#"
        same trace, same caller
          inventory in 62e900b2710d76f009d6e7785905449a under 0efbd19962d95b05, 5 below
          said in 62e900b2710d76f009d6e7785905449a
        same trace, no caller known to the agent
          inventory in 62e900b2710d76f009d6e7785905449a under 0efbd19962d95b05, 5 below
          said in 62e900b2710d76f009d6e7785905449a
        same trace, a caller that the platform was not told of
          inventory in 62e900b2710d76f009d6e7785905449a under b7ad6b7169203331, 5 below
          said in 62e900b2710d76f009d6e7785905449a
        its own trace by traceparent
          inventory in 0af7651916cd43dd8448eb211c80319c under b7ad6b7169203331, 5 below
          said in 0af7651916cd43dd8448eb211c80319c
        its own trace, root
          inventory in 0af7651916cd43dd8448eb211c80319c under -, 5 below
          said in 0af7651916cd43dd8448eb211c80319c
        a call that only mentions it
          handler in 0af7651916cd43dd8448eb211c80319c under -, 0 below, others elsewhere
          inventory in 62e900b2710d76f009d6e7785905449a under 0efbd19962d95b05, 4 below, others elsewhere
          said in 62e900b2710d76f009d6e7785905449a
        of another invocation
          handler in 0af7651916cd43dd8448eb211c80319c under -, 0 below, others elsewhere
          inventory in 62e900b2710d76f009d6e7785905449a under 0efbd19962d95b05, 4 below, others elsewhere
          said in 62e900b2710d76f009d6e7785905449a
    "#]].assert_eq(&shown);
}

#[test]
fn an_invocation_is_one_servers_span_which_says_what_was_asked() {
    let mut shown = String::new();
    for (kind, status) in [(2, 200), (2, 500), (5, 200)] {
        let mut story = Story::begin(Telemetry::On);
        story.joiner.make(Signals { metrics: true });
        story.cold_start().invoke(100, "r-1", Some(HEADER));
        let (start, end) = (ms(105), ms(120));
        let failed = if status < 500 { 0 } else { 2 };
        let json = format!(
            r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{{"traceId":"{TRACE}","spanId":"00000000000000b1",
            "parentSpanId":"0efbd19962d95b05","name":"handler","kind":{kind},"startTimeUnixNano":"{start}",
            "endTimeUnixNano":"{end}","status":{{"code":{failed}}},"attributes":[
            {{"key":"http.route","value":{{"stringValue":"/orders/{{id}}"}}}},
            {{"key":"error.type","value":{{"stringValue":"{status}"}}}},
            {{"key":"shop","value":{{"stringValue":"7"}}}},
            {{"key":"http.response.status_code","value":{{"intValue":"{status}"}}}}]}}]}}]}}]}}"#
        );
        let request = Request::from_json(Signal::Traces, json.as_bytes());
        story.joiner.exported(request.expect("OTLP"));
        let done = r#"{"requestId":"r-1","status":"success","metrics":{"durationMs":30}}"#;
        story.told(130, "platform.runtimeDone", done);
        let (spans, _) = story.drained();
        for span in spans.iter().filter(|span| span.name != "init") {
            let of_request = |key: &str| {
                let value = span.attributes.get(key);
                value.map_or("-".to_owned(), |value| format!("{value:?}"))
            };
            let _ = writeln!(
                shown,
                "{} {:?} {:?}: {} {} {}",
                span.name,
                span.kind,
                span.status,
                of_request("http.route"),
                of_request("http.response.status_code"),
                of_request("shop"),
            );
        }
        for line in story.points().lines() {
            if line.starts_with("faas.errors") || line.starts_with("faas.invocations") {
                let _ = writeln!(shown, "  {line}");
            }
        }
    }
    expect![[r#"
        handler Internal Unset: String("/orders/{id}") Int(200) String("7")
        inventory Server Unset: String("/orders/{id}") Int(200) -
          faas.invocations Sum 1 {invocation} at 130ms since 100ms {"faas.coldstart":true}
        handler Internal Error: String("/orders/{id}") Int(500) String("7")
        inventory Server Error: String("/orders/{id}") Int(500) -
          faas.invocations Sum 1 {invocation} at 130ms since 100ms {"faas.coldstart":true}
        handler Consumer Unset: String("/orders/{id}") Int(200) String("7")
        inventory Server Unset: - - -
          faas.invocations Sum 1 {invocation} at 130ms since 100ms {"faas.coldstart":true}
    "#]]
    .assert_eq(&shown);
}
