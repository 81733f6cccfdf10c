use expect_test::{Expect, expect};

use super::*;

/// One line an event, then what was left out.
fn outline(parsed: &Parsed) -> String {
    let mut lines: Vec<String> = parsed.events.iter().map(event).collect();
    if parsed.unknown + parsed.malformed > 0 {
        lines.push(format!(
            "unknown {}, malformed {}",
            parsed.unknown, parsed.malformed
        ));
    }
    lines.join("\n")
}

fn event(event: &PlatformEvent) -> String {
    let ended = |ended: &Ended| {
        let Ended {
            status,
            error_type,
            duration,
            steps,
        } = ended;
        let error = error_type.as_deref().unwrap_or("-");
        let took = duration.map_or("-".to_owned(), |took| format!("{took:?}"));
        let steps: String = steps
            .iter()
            .map(|s| format!(" {}={:?}", s.name, s.duration))
            .collect();
        format!("{status} {error} {took}{steps}")
    };
    let kind = match &event.kind {
        Kind::InitStart {
            instance,
            initialization_type,
            ..
        } => {
            format!("init start {instance:?} {initialization_type:?}")
        }
        Kind::InitRuntimeDone(done) => format!("init runtime done {}", ended(done)),
        Kind::InitReport(done) => format!("init report {}", ended(done)),
        Kind::RestoreStart { .. } => "restore start".to_owned(),
        Kind::RestoreRuntimeDone(done) => format!("restore runtime done {}", ended(done)),
        Kind::RestoreReport(done) => format!("restore report {}", ended(done)),
        Kind::Start(started) => format!("start {}", started.request_id),
        Kind::RuntimeDone {
            request_id,
            ended: done,
            produced_bytes,
        } => {
            format!("done {request_id} {} bytes {produced_bytes:?}", ended(done))
        }
        Kind::Report {
            request_id,
            ended: done,
            used,
        } => {
            format!("report {request_id} {} {used:?}", ended(done))
        }
        Kind::LogsDropped {
            records,
            bytes,
            reason,
        } => format!("dropped {records} {bytes} {reason}"),
        Kind::Fault(text) => format!("fault {text}"),
        Kind::Line(line) => format!(
            "{:?} {}{}",
            line.stream,
            line.record,
            if line.cut { " (cut)" } else { "" }
        ),
        Kind::Unused => "unused".to_owned(),
    };
    format!("{} {kind}", event.time.0 / 1_000_000 % 1_000_000)
}

fn check(body: &str, expected: Expect) {
    expected.assert_eq(&outline(&parse(body.as_bytes())));
}

#[test]
fn the_events_of_a_cold_invocation() {
    check(
        r#"[
{"time":"2026-10-08T12:00:00.000Z","type":"platform.initStart","record":{"initializationType":"on-demand","phase":"init","functionName":"f","functionVersion":"$LATEST","instanceId":"2026/10/08/f[$LATEST]ab12","instanceMaxMemory":268435456,"runtimeVersion":"nodejs:22.mainline.v122"}},
{"time":"2026-10-08T12:00:00.002Z","type":"platform.extension","record":{"name":"my-ext","state":"Ready","events":["INVOKE","SHUTDOWN"]}},
{"time":"2026-10-08T12:00:00.003Z","type":"platform.telemetrySubscription","record":{"name":"my-ext","state":"Subscribed","types":["platform","function"]}},
{"time":"2026-10-08T12:00:00.150Z","type":"platform.initRuntimeDone","record":{"initializationType":"on-demand","phase":"init","status":"success"}},
{"time":"2026-10-08T12:00:00.174Z","type":"platform.initReport","record":{"initializationType":"on-demand","phase":"init","status":"success","metrics":{"durationMs":173.778}}},
{"time":"2026-10-08T12:00:00.200Z","type":"platform.start","record":{"requestId":"6d68ca91","version":"$LATEST","tracing":{"spanId":"54565fb41ac79632","type":"X-Amzn-Trace-Id","value":"Root=1-62e900b2-710d76f009d6e7785905449a;Parent=0efbd19962d95b05;Sampled=1"}}},
{"time":"2026-10-08T12:00:00.210Z","type":"function","record":"[INFO] hello\n"},
{"time":"2026-10-08T12:00:00.211Z","type":"function","record":{"timestamp":"2026-10-08T12:00:00.211Z","level":"INFO","requestId":"6d68ca91","message":"hello"}},
{"time":"2026-10-08T12:00:00.400Z","type":"platform.runtimeDone","record":{"requestId":"6d68ca91","status":"success","spans":[{"name":"responseLatency","start":"2026-10-08T12:00:00.200Z","durationMs":23.02},{"name":"responseDuration","start":"2026-10-08T12:00:00.223Z","durationMs":0.098},{"name":"runtimeOverhead","start":"2026-10-08T12:00:00.223Z","durationMs":1.2}],"metrics":{"durationMs":200.0,"producedBytes":15}}},
{"time":"2026-10-08T12:00:00.405Z","type":"platform.report","record":{"requestId":"6d68ca91","status":"success","metrics":{"durationMs":693.92,"billedDurationMs":694,"memorySizeMB":128,"maxMemoryUsedMB":84,"initDurationMs":397.68},"spans":[{"name":"extensionOverhead","start":"2026-10-08T12:00:00.401Z","durationMs":4.1}]}}
]"#,
        expect![[r#"
            800000 init start Some("2026/10/08/f[$LATEST]ab12") Some("on-demand")
            800002 unused
            800003 unused
            800150 init runtime done success - -
            800174 init report success - 173.778ms
            800200 start 6d68ca91
            800210 Function "[INFO] hello\n"
            800211 Function {"level":"INFO","message":"hello","requestId":"6d68ca91","timestamp":"2026-10-08T12:00:00.211Z"}
            800400 done 6d68ca91 success - 200ms responseLatency=23.02ms responseDuration=98µs runtimeOverhead=1.2ms bytes Some(15)
            800405 report 6d68ca91 success - 693.92ms extensionOverhead=4.1ms Used { billed_ms: Some(694), memory_size_mb: Some(128), max_memory_used_mb: Some(84), init_ms: Some(397.68), restore_ms: None, billed_restore_ms: None }"#]],
    );
}

#[test]
fn failures_restores_and_what_the_older_api_said() {
    check(
        r#"[{"time":"2026-10-08T12:00:05.001Z","type":"platform.runtimeDone","record":{"requestId":"t","status":"timeout","metrics":{"durationMs":5001.182,"producedBytes":0}}},
{"time":"2026-10-08T12:00:05.020Z","type":"platform.runtimeDone","record":{"requestId":"c","status":"error","errorType":"Runtime.ExitError"}},
{"time":"2026-10-08T12:00:05.030Z","type":"platform.restoreStart","record":{"functionName":"f"}},
{"time":"2026-10-08T12:00:05.040Z","type":"platform.restoreRuntimeDone","record":{"status":"success"}},
{"time":"2026-10-08T12:00:05.050Z","type":"platform.restoreReport","record":{"status":"success","metrics":{"durationMs":70.87}}},
{"time":"2026-10-08T12:00:05.060Z","type":"platform.fault","record":"RequestId: d783b35e Process exited before completing request"},
{"time":"2026-10-08T12:00:05.070Z","type":"platform.end","record":{"requestId":"t"}},
{"time":"2026-10-08T12:00:05.080Z","type":"platform.logsDropped","record":{"droppedBytes":12345,"droppedRecords":123,"reason":"too slow"}},
{"time":"2026-10-08T12:00:05.090Z","type":"extension","record":"text of the extension"}]"#,
        expect![[r#"
            805001 done t timeout - 5.001182s bytes Some(0)
            805020 done c error Runtime.ExitError - bytes None
            805030 restore start
            805040 restore runtime done success - -
            805050 restore report success - 70.87ms
            805060 fault RequestId: d783b35e Process exited before completing request
            805070 unused
            805080 dropped 123 12345 too slow
            805090 Extension "text of the extension""#]],
    );
}

#[test]
fn what_is_strange_never_spoils_its_neighbours() {
    check(
        r#"[{"time":"2026-10-08T12:00:00.001Z","type":"platform.start","record":{"requestId":"a","tenantId":"new field"}},
{"time":"2026-10-08T12:00:00.002Z","type":"platform.brandNew","record":{"x":[1,2]}},
{"time":"2026-10-08T12:00:00.003Z","type":"platform.start","record":{}},
{"time":"2026-10-08T12:00:00.004Z","type":"platform.start","record":{"requestId":1.2.3}},
{"no":"type"},
17, null, "text", [{"nested":"array"}],
{"time":"not a time","type":"function","record":"braces } ] in \"text\" {"},
{"time":"2026-10-08T12:00:00.005Z","type":"platform.report","record":{"requestId":"a","status":"success","metrics":{"durationMs":-4,"billedDurationMs":"many"},"spans":[{"name":"odd"},{"name":"extensionOverhead","start":"2026-10-08T12:00:00.001Z","durationMs":1}]}}]"#,
        expect![[r#"
            800001 start a
            0 Function "braces } ] in \"text\" {"
            800005 report a success - - extensionOverhead=1ms Used { billed_ms: None, memory_size_mb: None, max_memory_used_mb: None, init_ms: None, restore_ms: None, billed_restore_ms: None }
            unknown 1, malformed 4"#]],
    );
}

#[test]
fn a_record_that_was_cut_keeps_its_text() {
    check(
        r#"[{"time":"2026-10-08T12:00:00.001Z","type":"platform.start","record":{"requestId":"a"}},{"time":"2026-10-08T12:00:00.002Z","type":"function","record":"it said \"yes\" and then \u00"#,
        expect![[r#"
            800001 start a
            800002 Function "it said \"yes\" and then " (cut)"#]],
    );
    // The other half, with the envelope repeated; its neighbour is safe.
    check(
        r#"[{"time":"2026-10-08T12:00:00.002Z","type":"function","record": of it}},{"time":"2026-10-08T12:00:00.003Z","type":"function","record":"next"}]"#,
        expect![[r#"
            800002 Function "of it}" (cut)
            800003 Function "next""#]],
    );
    // Cut inside a string and followed by another event.
    check(
        r#"[{"time":"2026-10-08T12:00:00.002Z","type":"function","record":"half a {"time":"2026-10-08T12:00:00.003Z","type":"platform.start","record":{"requestId":"a"}}]"#,
        expect![[r#"
            800002 Function "half a " (cut)
            800003 start a"#]],
    );
    check("", expect![[""]]);
    check("[{", expect!["unknown 0, malformed 1"]);
    check("not json at all", expect![[""]]);
}

#[test]
fn bytes_that_are_not_text() {
    let parsed = parse(b"[{\"time\":\"2026-10-08T12:00:00.002Z\",\"type\":\"function\",\"record\":\"\xff\xfe\"},{\"time\":\"\",\"type\":\"function\",\"record\":\"ok\"}]");
    assert_eq!(parsed.events.len(), 2);
    assert!(matches!(&parsed.events[1].kind, Kind::Line(line) if line.record == "ok"));
}

#[test]
fn every_version_of_the_schema_tells_the_same_story() {
    let old = r#"[
        {"time":"2026-10-08T12:00:00.000Z","type":"platform.initStart","record":{"initializationType":"on-demand","phase":"init"}},
        {"time":"2026-10-08T12:00:00.150Z","type":"platform.initRuntimeDone","record":{"initializationType":"on-demand","phase":"init","status":"success"}},
        {"time":"2026-10-08T12:00:00.174Z","type":"platform.initReport","record":{"initializationType":"on-demand","phase":"init","status":"success","metrics":{"durationMs":173.778}}},
        {"time":"2026-10-08T12:00:00.200Z","type":"platform.start","record":{"requestId":"r","version":"$LATEST"}},
        {"time":"2026-10-08T12:00:00.211Z","type":"function","record":"{\"message\":\"hello\"}"},
        {"time":"2026-10-08T12:00:00.400Z","type":"platform.runtimeDone","record":{"requestId":"r","status":"success","metrics":{"durationMs":200.0,"producedBytes":15},"spans":[{"name":"responseLatency","start":"2026-10-08T12:00:00.200Z","durationMs":23.02}]}},
        {"time":"2026-10-08T12:00:00.405Z","type":"platform.report","record":{"requestId":"r","metrics":{"durationMs":693.92,"billedDurationMs":694,"memorySizeMB":128,"maxMemoryUsedMB":84,"initDurationMs":397.68},"spans":[{"name":"extensionOverhead","start":"2026-10-08T12:00:00.401Z","durationMs":4.1}]}}]"#;
    // Objects for lines, a status on the report, and what is only in the newest.
    let json_lines = old.replace(r#""{\"message\":\"hello\"}""#, r#"{"message":"hello"}"#);
    let newer = json_lines.replace(
        r#""requestId":"r","metrics":{"durationMs":693.92"#,
        r#""requestId":"r","status":"success","metrics":{"durationMs":693.92"#,
    );
    let newest = newer
        .replace(r#""phase":"init"}"#, r#""phase":"init","functionName":"f","functionVersion":"$LATEST","instanceId":"i","instanceMaxMemory":134217728,"runtimeVersion":"nodejs:22.v50","later":[1]}"#)
        .replace(r#""version":"$LATEST""#, r#""version":"$LATEST","functionArn":"arn:aws:lambda:eu-west-1:1:function:f","tenantId":"acme","later":{}"#)
        .replace(r#"{"time":"2026-10-08T12:00:00.000Z""#, r#"{"time":"2026-10-08T12:00:00.000Z","version":"later""#);
    let facts = |body: &str| {
        let parsed = parse(body.as_bytes());
        assert_eq!((parsed.unknown, parsed.malformed), (0, 0), "{body}");
        let events = parsed.events.into_iter().map(|event| match event.kind {
            Kind::Line(line) => crate::line::read(line.record).body.to_text(),
            Kind::InitStart {
                initialization_type,
                ..
            } => format!("{initialization_type:?}"),
            Kind::Start(started) => started.request_id,
            Kind::Report {
                mut ended, used, ..
            } => {
                ended.status = String::new();
                format!("{ended:?} {used:?}")
            }
            other => format!("{other:?}"),
        });
        events.collect::<Vec<_>>()
    };
    for body in [&json_lines, &newer, &newest] {
        assert_eq!(facts(body), facts(old), "{body}");
    }
    let parsed = parse(newest.as_bytes());
    let started = parsed.events.iter().find_map(|event| match &event.kind {
        Kind::Start(started) => Some(started.clone()),
        _ => None,
    });
    let started = started.unwrap();
    assert_eq!(started.tenant_id.as_deref(), Some("acme"));
    assert!(started.function_arn.is_some());
    // Of an instance with many invocations at once there is hardly more than a duration.
    let managed = r#"[{"time":"2026-10-08T12:00:00.405Z","type":"platform.report","record":{"requestId":"r","status":"success","metrics":{"durationMs":693.92},"spans":[]}}]"#;
    let parsed = parse(managed.as_bytes());
    assert!(
        matches!(&parsed.events[0].kind, Kind::Report { used, .. } if *used == Used::default())
    );
}
