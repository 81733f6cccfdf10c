//! What log lines say of how an invocation went, and whose they are.

use super::*;

/// The invocations, one a line: id, status, kind and message, and whether memory was the reason.
fn outcomes(spans: &[Span]) -> String {
    let mut shown = String::new();
    for span in spans.iter().filter(|span| span.name == "inventory") {
        let text = |key: &str| {
            span.attributes
                .get(key)
                .map_or("-".to_owned(), Value::to_text)
        };
        let _ = writeln!(
            shown,
            "{}: {:?} {} ({}) memory {}",
            text("faas.invocation_id"),
            span.status,
            text("error.type"),
            span.status_message,
            text("throughline.out_of_memory"),
        );
    }
    shown
}

const PYTHON: &str =
    r#""[ERROR] KeyError: 'sku'\rTraceback (most recent call last):\r  File \"app.py\", line 3\n""#;
const NODE: &str = r#"{"timestamp":"2026-10-08T12:00:00.123Z","level":"ERROR","requestId":"ID","message":{"errorType":"TypeError","errorMessage":"boom","stackTrace":["TypeError: boom"]}}"#;
const HEAP: &str =
    r#""FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory\n""#;
const KILLED: &str =
    r#""RequestId: ID Error: Runtime exited with error: signal: killed\nRuntime.ExitError\n""#;

#[test]
fn what_nobody_caught_is_seen_on_the_invocation_without_any_agent() {
    let mut story = Story::begin(Telemetry::On);
    let exit = r#""error","errorType":"Runtime.ExitError""#;
    let answered = r#""success","metrics":{"durationMs":5,"producedBytes":4}"#;
    let nothing = r#""success","metrics":{"durationMs":5,"producedBytes":0}"#;
    for (at, id, kind, line, status) in [
        (100, "python", "function", PYTHON, nothing),
        (1100, "node, caught", "function", NODE, answered),
        (2100, "node, not caught", "function", NODE, nothing),
        (3100, "heap", "function", HEAP, exit),
        (4100, "killed", "platform.fault", KILLED, exit),
        (5100, "only words of it", "function", HEAP, answered),
        (6100, "exited", "function", r#""bye""#, exit),
        (7100, "timed out", "function", PYTHON, r#""timeout""#),
    ] {
        let done = format!(r#"{{"requestId":"{id}","status":{status}}}"#);
        story
            .invoke(at, id, Some(HEADER))
            .told(at + 5, kind, &line.replace("ID", id))
            .told(at + 10, "platform.runtimeDone", &done);
    }
    let (spans, _) = story.drained();
    expect![[r#"
        python: Error KeyError ('sku') memory -
        node, caught: Unset - () memory -
        node, not caught: Error TypeError (boom) memory -
        heap: Error Runtime.OutOfMemory (the function ran out of memory) memory true
        killed: Error Runtime.OutOfMemory (the function ran out of memory) memory true
        only words of it: Unset - () memory -
        exited: Error Runtime.ExitError (error: Runtime.ExitError) memory -
        timed out: Error timeout (the function did not finish in time) memory -
    "#]]
    .assert_eq(&outcomes(&spans));
}

#[test]
fn memory_is_told_once_by_the_span_or_by_the_report_behind_it() {
    let report = r#"{"requestId":"ID","status":"error","errorType":"Runtime.ExitError","metrics":{"durationMs":50,"memorySizeMB":256,"maxMemoryUsedMB":256}}"#;
    let done = r#"{"requestId":"ID","status":"error","errorType":"Runtime.ExitError"}"#;
    let mut shown = String::new();
    for (id, drained_before) in [("together", false), ("late", true)] {
        let mut story = Story::begin(Telemetry::On);
        story.joiner.make(Signals { metrics: true });
        story.invoke(100, id, Some(HEADER)).told(
            150,
            "platform.runtimeDone",
            &done.replace("ID", id),
        );
        let (mut spans, mut logs) = (Vec::new(), Vec::new());
        if drained_before {
            (spans, logs) = story.drained();
        }
        story.told(155, "platform.report", &report.replace("ID", id));
        let (more, more_logs) = story.drained();
        spans.extend(more);
        logs.extend(more_logs);
        shown += &outcomes(&spans);
        for log in &logs {
            let says = log.attributes.get("throughline.out_of_memory").is_some();
            let _ = writeln!(shown, "  report {} says so {says}", log.severity_text);
        }
        let metrics = story.points();
        let told = metrics
            .lines()
            .filter(|line| line.contains("out_of_memory"))
            .count();
        let _ = writeln!(shown, "  counted {told}");
    }
    expect![[r#"
        together: Error Runtime.OutOfMemory (the function ran out of memory) memory true
          report ERROR says so false
          counted 1
        late: Error Runtime.ExitError (error: Runtime.ExitError) memory -
          report FATAL says so true
          counted 1
    "#]]
    .assert_eq(&shown);
}

#[test]
fn a_foreign_id_is_no_request_id_and_x_ray_ids_find_their_span() {
    let mut story = Story::begin(Telemetry::On);
    story.invoke(100, "r-1", Some(HEADER));
    for line in [
        r#"{"message":"mine","requestId":"r-1"}"#,
        r#"{"message":"of another service","requestId":"c6af9ac6-7b61-11e6-9a41-93e8deadbeef"}"#,
        r#"{"message":"of nobody","AWSRequestId":"r-0"}"#,
        r#"{"message":"x-ray","xray_trace_id":"1-62e900b2-710d76f009d6e7785905449a"}"#,
        r#"{"message":"elsewhere","trace_id":"5b8efff798038103d269b633813fc60c"}"#,
        r#"{"message":"datadog","dd":{"trace_id":"6293940253312894483","span_id":"1"}}"#,
        r#""{\"message\":\"cut in the mid""#,
    ] {
        story.told(110, "function", line);
    }
    story
        .told(
            120,
            "platform.runtimeDone",
            r#"{"requestId":"r-1","status":"success"}"#,
        )
        .check(expect![[r#"
            trace 62e900b2710d76f009d6e7785905449a under 0efbd19962d95b05
              inventory Server 100ms+20ms [faas.invocation_id=r-1 faas.coldstart=true]
            110ms throughline.function 0 inventory: mine [faas.invocation_id=r-1]
            110ms throughline.function 0 inventory: of another service [requestId=c6af9ac6-7b61-11e6-9a41-93e8deadbeef faas.invocation_id=r-1]
            110ms throughline.function 0 nowhere: of nobody [faas.invocation_id=r-0]
            110ms throughline.function 0 inventory: x-ray [faas.invocation_id=r-1]
            110ms throughline.function 0 5b8efff798038103d269b633813fc60c: elsewhere [faas.invocation_id=r-1]
            110ms throughline.function 0 inventory: datadog [dd={"span_id":"1","trace_id":"6293940253312894483"} faas.invocation_id=r-1]
            110ms throughline.function 0 inventory: {"message":"cut in the mid [faas.invocation_id=r-1]
        "#]]);
}

/// Two invocations follow each other within a millisecond, and lines that name nobody stand at their ends.
#[test]
fn a_line_that_comes_before_invoke_waits_for_it_once() {
    let said = |logs: &[LogRecord]| {
        let said = logs
            .iter()
            .filter(|log| log.scope.name == "throughline.function");
        let of = |log: &LogRecord| {
            (
                log.trace_id.is_some(),
                log.attributes.text("faas.invocation_id").map(str::to_owned),
            )
        };
        said.map(of).collect::<Vec<_>>()
    };
    let named = NODE.replace("ID", "r-2");
    let its = (true, Some("r-2".to_owned()));
    for (line, is_invoked, expected) in [
        (named.as_str(), true, its.clone()),
        (r#""plain""#, true, its),
        (named.as_str(), false, (false, None)),
    ] {
        let mut story = Story::begin(Telemetry::On);
        story
            .invoke(100, "r-1", Some(HEADER))
            .told(100, "platform.start", r#"{"requestId":"r-1"}"#)
            .told(
                110,
                "platform.runtimeDone",
                r#"{"requestId":"r-1","status":"success"}"#,
            )
            .told(130, "platform.start", r#"{"requestId":"r-2"}"#)
            .told(131, "function", line);
        let (_, logs) = story.drained_partly();
        assert!(said(&logs).is_empty(), "{line} waits");
        if is_invoked {
            story.invoke(132, "r-2", Some(HEADER));
        }
        let (_, logs) = story.drained();
        assert_eq!(said(&logs), [expected], "{line}");
    }
}

#[test]
fn a_line_between_two_invocations_belongs_to_the_nearer_one() {
    for (line_at, owner) in [
        (105, "r-1"),
        // Not yet over, though the next one begins within the tolerance.
        (109, "r-1"),
        (110, "r-1"),
        (111, "r-1"),
        (112, "r-2"),
        (113, "r-2"),
    ] {
        let mut story = Story::begin(Telemetry::On);
        story
            .invoke(100, "r-1", None)
            .told(100, "platform.start", r#"{"requestId":"r-1"}"#)
            .told(line_at, "function", r#""said""#)
            .told(
                110,
                "platform.runtimeDone",
                r#"{"requestId":"r-1","status":"success","metrics":{"durationMs":10}}"#,
            )
            .invoke(113, "r-2", None)
            .told(113, "platform.start", r#"{"requestId":"r-2"}"#)
            .told(
                120,
                "platform.runtimeDone",
                r#"{"requestId":"r-2","status":"success","metrics":{"durationMs":7}}"#,
            );
        let (_, logs) = story.drained();
        let said = logs.iter().find(|log| log.body.as_str() == Some("said"));
        let its = said.and_then(|log| log.attributes.text("faas.invocation_id"));
        assert_eq!(its, Some(owner), "a line at {line_at}");
    }
}

#[test]
fn a_timeout_lies_between_start_and_deadline_in_whole_seconds() {
    // The deadline is three seconds after INVOKE.
    for (started, expected) in [
        (Some(1000), Some(3000)),
        (Some(1090), Some(3000)),
        (Some(910), Some(3000)),
        (Some(1500), None),
        (Some(4500), None),
        (None, None),
    ] {
        let mut story = Story::begin(Telemetry::On);
        story.invoke(1000, "r-1", Some(HEADER));
        if let Some(at) = started {
            story.told(at, "platform.start", r#"{"requestId":"r-1"}"#);
        }
        let done = r#"{"requestId":"r-1","status":"success"}"#;
        let (spans, _) = story.told(5000, "platform.runtimeDone", done).drained();
        let span = spans.iter().find(|span| span.name == "inventory");
        let attributes = &span.expect("its span").attributes;
        assert_eq!(
            attributes.get("throughline.duration.timeout_ms"),
            expected.map(Value::Int).as_ref(),
            "begun at {started:?}"
        );
    }
}
