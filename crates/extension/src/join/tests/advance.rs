//! Environments that are made in advance, restored, or made twice.

use super::*;

#[test]
fn what_was_made_in_advance_makes_nobody_cold() {
    let mut story = Story::begin(Telemetry::On);
    story
        .cold_start()
        .invoke(20_000, "r-1", Some(HEADER))
        .told(
            20_010,
            "platform.runtimeDone",
            r#"{"requestId":"r-1","status":"success"}"#,
        )
        .check(expect![[r#"
            trace 7ed122a252df0139aa6f77b3c029126a root
              init Internal 0ns+173.778ms [faas.coldstart=false aws.lambda.initialization_type=on-demand]
            trace 62e900b2710d76f009d6e7785905449a under 0efbd19962d95b05
              inventory Server 20s+10ms [faas.invocation_id=r-1 faas.coldstart=false]
        "#]]);
}

#[test]
fn an_initialisation_in_a_snapshot_is_not_the_invocations() {
    let mut story = Story::begin(Telemetry::On);
    story
        .cold_start()
        .told(300, "platform.restoreStart", r#"{"instanceId":"another"}"#)
        .told(
            371,
            "platform.restoreReport",
            r#"{"status":"success","metrics":{"durationMs":70.87}}"#,
        )
        .invoke(380, "r-1", Some(HEADER))
        .told(
            400,
            "platform.runtimeDone",
            r#"{"requestId":"r-1","status":"success"}"#,
        )
        .check(expect![[r#"
            trace bb72a5378a2a1e791427cf5b29c09424 root
              init Internal 0ns+173.778ms [faas.coldstart=false aws.lambda.initialization_type=on-demand]
            trace 62e900b2710d76f009d6e7785905449a under 0efbd19962d95b05
              inventory Server 380ms+20ms [faas.invocation_id=r-1 faas.coldstart=true]
                restore Internal 300ms+70.87ms [faas.invocation_id=r-1 faas.coldstart=true]
        "#]]);
}

#[test]
fn two_attempts_to_initialise_are_two_spans() {
    let mut story = Story::begin(Telemetry::On);
    let failed =
        r#"{"status":"error","errorType":"Runtime.ExitError","metrics":{"durationMs":50}}"#;
    story
        .told(0, "platform.initStart", r#"{"phase":"init"}"#)
        .told(50, "platform.initReport", failed)
        .told(100, "platform.initStart", r#"{"phase":"invoke"}"#)
        .told(
            150,
            "platform.initReport",
            r#"{"status":"success","metrics":{"durationMs":50}}"#,
        )
        .invoke(160, "r-1", Some(HEADER))
        .told(
            170,
            "platform.runtimeDone",
            r#"{"requestId":"r-1","status":"success"}"#,
        );
    let (spans, _) = story.drained();
    let mut ids: Vec<_> = spans.iter().map(|span| span.span_id).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!((ids.len(), spans.len()), (3, 3), "{spans:?}");
}

#[test]
fn a_restore_and_what_the_platform_dropped() {
    let mut story = Story::begin(Telemetry::On);
    story
        .told(
            0,
            "platform.restoreStart",
            r#"{"functionName":"inventory"}"#,
        )
        .told(71, "platform.restoreRuntimeDone", r#"{"status":"success"}"#)
        .invoke(80, "r-1", Some(HEADER))
        .told(
            90,
            "platform.logsDropped",
            r#"{"droppedRecords":12,"droppedBytes":4000,"reason":"too slow"}"#,
        )
        .told(
            100,
            "platform.runtimeDone",
            r#"{"requestId":"r-1","status":"success"}"#,
        )
        .told(
            101,
            "platform.restoreReport",
            r#"{"status":"success","metrics":{"durationMs":70.87}}"#,
        );
    story.joiner.loss_report(ms(102));
    story.check(expect![[r#"
        trace 62e900b2710d76f009d6e7785905449a under 0efbd19962d95b05
          inventory Server 80ms+20ms [faas.invocation_id=r-1 faas.coldstart=true]
            restore Internal 0ns+71ms [faas.invocation_id=r-1 faas.coldstart=true]
        90ms throughline.platform 13 inventory: the platform dropped 12 records, 4000 bytes: too slow [faas.invocation_id=r-1]
        102ms throughline.extension 13 inventory: lost since the environment began: platform_dropped 12 [throughline.lost.platform_dropped=12 faas.invocation_id=r-1]
    "#]]);
}
