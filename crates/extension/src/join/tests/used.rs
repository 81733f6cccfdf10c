//! What the kernel says of an invocation.

use std::time::Duration;

use super::*;
use crate::process::{Snapshot, When};

#[test]
fn what_the_kernel_says_at_both_ends_is_on_the_span_and_in_gauges() {
    let mut story = Story::begin(Telemetry::On);
    story.joiner.make(Signals { metrics: true });
    let reading = |cpu_ms: u64, kills: u64| Snapshot {
        user: Some(Duration::from_millis(cpu_ms)),
        received_bytes: Some(cpu_ms * 10),
        open_files: Some(21),
        tmp_size_bytes: Some(525 << 20),
        out_of_memory: Some(kills),
        ..Snapshot::default()
    };
    let mut run = |at: u64, id: &str, kills: u64, status: &str| {
        story.invoke(at, id, Some(HEADER));
        story.joiner.measured(When::Begin, &reading(100, 1));
        story.joiner.measured(When::End, &reading(130, kills));
        let done = format!(r#"{{"requestId":"{id}","status":{status}}}"#);
        story.told(at + 10, "platform.runtimeDone", &done);
        // One that comes late belongs to nobody.
        story.joiner.measured(When::End, &reading(900, kills));
    };
    run(100, "fine", 1, r#""success""#);
    run(
        1100,
        "killed",
        2,
        r#""error","errorType":"Runtime.ExitError""#,
    );
    story.check(expect![[r#"
        trace 62e900b2710d76f009d6e7785905449a under 0efbd19962d95b05
          inventory Server 100ms+10ms [faas.invocation_id=fine faas.coldstart=true throughline.cpu.user_ms=30.0 throughline.network.received_bytes=300 throughline.files.open=21 throughline.tmp.size_bytes=550502400]
        trace 62e900b2710d76f009d6e7785905449a under 0efbd19962d95b05
          inventory Server 1.1s+10ms ERROR the function ran out of memory [faas.invocation_id=killed faas.coldstart=false error.type=Runtime.OutOfMemory throughline.cpu.user_ms=30.0 throughline.network.received_bytes=300 throughline.files.open=21 throughline.tmp.size_bytes=550502400 throughline.out_of_memory=true]
    "#]]);
    let points = story.points();
    let used = |line: &&str| !line.starts_with("faas.i") && line.contains("at 110ms");
    let lines: Vec<&str> = points.lines().filter(used).collect();
    expect![[r#"
        faas.coldstarts Sum 1 {coldstart} at 110ms since 100ms {}
        faas.cpu_usage ExponentialHistogram 0.03 in 1 s at 110ms since 100ms {"cpu.mode":"user"}
        faas.net_io ExponentialHistogram 300 in 1 By at 110ms since 100ms {"network.io.direction":"receive"}
        throughline.files.open Gauge 21 {file} at 110ms since - {}"#]].assert_eq(&lines.join("\n"));
}

#[test]
fn where_the_next_one_begins_before_the_end_is_told_each_has_its_own() {
    let mut story = Story::begin(Telemetry::On);
    let reading = |cpu_ms: u64| Snapshot {
        user: Some(Duration::from_millis(cpu_ms)),
        ..Snapshot::default()
    };
    let done = |id: &str| format!(r#"{{"requestId":"{id}","status":"success"}}"#);
    for (at, id, cpu) in [(100, "r-1", 100), (110, "r-2", 107), (120, "r-3", 120)] {
        story.invoke(at, id, Some(HEADER));
        story.joiner.measured(When::Begin, &reading(cpu));
    }
    for (at, id) in [(131, "r-1"), (132, "r-2"), (133, "r-3")] {
        if id == "r-3" {
            story.joiner.measured(When::End, &reading(131));
        }
        story.told(at, "platform.runtimeDone", &done(id));
    }
    let (spans, _) = story.drained();
    let used: Vec<_> = spans
        .iter()
        .filter_map(|span| span.attributes.get("throughline.cpu.user_ms"))
        .map(|ms| format!("{ms:?}"))
        .collect();
    assert_eq!(used, ["Double(7.0)", "Double(13.0)", "Double(11.0)"]);
}
