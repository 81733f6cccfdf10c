//! Environments that are initialized before anyone calls them, and those that come from a snapshot.

use expect_test::expect;

use super::*;

fn snap_start(extensions: &[&str]) -> Story {
    Story::new(extensions).with(Initialization::SnapStart)
}

fn restore_error() -> ApiCall {
    ApiCall::RestoreError {
        error_type: Some("Runtime.AfterRestoreError".to_owned()),
        body: r#"{"errorType":"Stale","errorMessage":"no"}"#.into(),
    }
}

#[test]
fn init_ahead_of_all_invocations_is_the_first_ones_init() {
    let mut story = Story::new(&[]).with(Initialization::Provisioned(1));
    story.init().at(40).runtime_next();
    story.check(&expect![[r#"
        0 ms: init
            ResetTelemetry
            tell platform.initStart init
            start runtime
        40 ms: #0 runtime next
            tell platform.initRuntimeDone init success
            CloseSubscriptions
            tell platform.initReport init success 40 ms
            Freeze
            Idle"#]]);
    story.at(5000).invoke("r1").at(5001).respond("r1", "{}");
    story.runtime_next();
    story.check(&expect![[r#"
        5000 ms: invoke r1
            Thaw
            tell platform.start r1
            reply #0: event r1 until 8000 ms
        5001 ms: #1 respond to r1
            return {}
            reply #1: Accepted
        5001 ms: #2 runtime next
            tell platform.runtimeDone r1 success 1 ms
            Freeze
            Idle
            report r1 success: 1 ms, billed 41 ms, init 40 ms"#]]);
}

#[test]
fn init_ahead_that_fails_is_tried_again_inside_the_invocation() {
    let mut story = Story::new(&[]).with(Initialization::Provisioned(1));
    story.init().exit(Role::Runtime, Exit::Code(1));
    story.at(100).invoke("r1").at(110).runtime_next();
    story.check(&expect![[r#"
        0 ms: init
            ResetTelemetry
            tell platform.initStart init
            start runtime
        0 ms: runtime ends: exit status 1
            tell platform.initRuntimeDone init error Runtime.ExitError
            CloseSubscriptions
            tell platform.initReport init error Runtime.ExitError 0 ms
            Idle
            Thaw
            FlushTelemetry
            KillAll
            ResetTelemetry
        100 ms: invoke r1
            ResetTelemetry
            tell platform.initStart invoke
            start runtime
        110 ms: #0 runtime next
            tell platform.initRuntimeDone invoke success
            CloseSubscriptions
            tell platform.initReport invoke success 10 ms
            tell platform.start r1
            reply #0: event r1 until 3100 ms"#]]);
}

#[test]
fn init_ahead_ends_with_the_environment() {
    let mut story = Story::new(&[]).with(Initialization::Provisioned(1));
    story.init().skip().shut_down();
    story.exit(Role::Runtime, Exit::Signal(9));
    story.check(&expect![[r#"
        0 ms: shut down
            tell platform.initRuntimeDone init failure Sandbox.Failure
            CloseSubscriptions
            tell platform.initReport init failure Sandbox.Failure 0 ms
            Thaw
            FlushTelemetry
            Kill runtime
        0 ms: runtime ends: signal: killed
            KillAll
            ResetTelemetry
            Gone"#]]);
}

#[test]
fn snapshot_is_taken_at_restore_next_and_restored_for_the_first_invocation() {
    let mut story = snap_start(&["ext"]);
    story
        .init()
        .register("ext", &["INVOKE"])
        .extension_next()
        .at(900)
        .call("restore next", ApiCall::RestoreNext);
    story.check(&expect![[r#"
        0 ms: init
            ResetTelemetry
            tell platform.initStart init
            start extension 0
        0 ms: #0 register ext for INVOKE
            reply #0: Registered
            start runtime
        0 ms: #1 extension next
        900 ms: #2 restore next
            tell platform.initRuntimeDone init success
            CloseSubscriptions
            tell platform.extension ext Ready
            tell platform.initReport init success 900 ms
            Freeze
            Idle"#]]);
    story.at(60_000).invoke("r1").at(60_020).runtime_next();
    story.check(&expect![[r#"
        60000 ms: invoke r1
            Thaw
            tell platform.restoreStart
            reply #2: Restored
        60020 ms: #3 runtime next
            tell platform.restoreRuntimeDone success
            tell platform.restoreReport success 20 ms
            tell platform.start r1
            reply #1: INVOKE r1 until 63020 ms
            reply #3: event r1 until 63020 ms"#]]);
    story.at(60_030).respond("r1", "{}").runtime_next();
    story.extension_next();
    story.check(&expect![[r#"
        60030 ms: #4 respond to r1
            return {}
            reply #4: Accepted
        60030 ms: #5 runtime next
            tell platform.runtimeDone r1 success 10 ms
        60030 ms: #6 extension next
            Freeze
            Idle
            report r1 success: 10 ms, billed 10 ms, restore 20 ms, extensions 0 ms, cold"#]]);
    // The second invocation finds it warm.
    story.at(70_000).invoke("r2");
    story.check(&expect![[r#"
        70000 ms: invoke r2
            Thaw
            tell platform.start r2
            reply #6: INVOKE r2 until 73000 ms
            reply #5: event r2 until 73000 ms"#]]);
}

#[test]
fn invocation_that_waits_for_the_snapshot_has_it_restored_at_once() {
    let mut story = snap_start(&[]);
    story
        .invoke("r1")
        .at(50)
        .call("restore next", ApiCall::RestoreNext);
    story.check(&expect![[r#"
        0 ms: invoke r1
            ResetTelemetry
            tell platform.initStart init
            start runtime
        50 ms: #0 restore next
            tell platform.initRuntimeDone init success
            CloseSubscriptions
            tell platform.initReport init success 50 ms
            Freeze
            Thaw
            tell platform.restoreStart
            reply #0: Restored"#]]);
}

#[test]
fn runtime_that_does_not_care_for_restores_asks_for_its_event_at_once() {
    let mut story = snap_start(&[]);
    story.invoke("r1").at(50).runtime_next();
    story.check(&expect![[r#"
        0 ms: invoke r1
            ResetTelemetry
            tell platform.initStart init
            start runtime
        50 ms: #0 runtime next
            tell platform.initRuntimeDone init success
            CloseSubscriptions
            tell platform.initReport init success 50 ms
            Freeze
            Thaw
            tell platform.restoreStart
            tell platform.restoreRuntimeDone success
            tell platform.restoreReport success 0 ms
            tell platform.start r1
            reply #0: event r1 until 3050 ms"#]]);
}

#[test]
fn restore_that_fails_fails_the_invocation_and_the_next_one_comes_from_a_new_snapshot() {
    let mut story = snap_start(&[]);
    story
        .invoke("r1")
        .call("restore next", ApiCall::RestoreNext)
        .skip();
    story.at(30).call("restore error", restore_error());
    story.at(31).exit(Role::Runtime, Exit::Code(1));
    story.at(40).invoke("r2");
    story.check(&expect![[r#"
        30 ms: #1 restore error
            reply #1: Accepted
            tell platform.restoreRuntimeDone error Runtime.AfterRestoreError
            tell platform.restoreReport error Runtime.AfterRestoreError 30 ms
            tell platform.start r1
            tell platform.runtimeDone r1 error Runtime.AfterRestoreError 0 ms
            Thaw
            FlushTelemetry
            Kill runtime
        31 ms: runtime ends: exit status 1
            KillAll
            ResetTelemetry
            fail with {"errorType":"Stale","errorMessage":"no"}
            Idle
            report r1 error Runtime.AfterRestoreError: 0 ms, billed 0 ms, restore 30 ms, cold
        40 ms: invoke r2
            ResetTelemetry
            tell platform.initStart init
            start runtime"#]]);
}

#[test]
fn restore_has_ten_seconds() {
    let mut story = snap_start(&[]);
    story
        .invoke("r1")
        .call("restore next", ApiCall::RestoreNext)
        .skip()
        .at(9_999)
        .at(10_000);
    story.exit(Role::Runtime, Exit::Signal(9));
    story.check(&expect![[r#"
        10000 ms: time passes
            tell platform.restoreRuntimeDone error Runtime.RestoreTimeout
            tell platform.restoreReport error Runtime.RestoreTimeout 10000 ms
            tell platform.start r1
            tell platform.runtimeDone r1 error Runtime.RestoreTimeout 0 ms
            Thaw
            FlushTelemetry
            Kill runtime
        10000 ms: runtime ends: signal: killed
            KillAll
            ResetTelemetry
            fail with {"errorMessage":"RequestId: r1 Error: Restore timed out after 10.00 seconds","errorType":"Runtime.RestoreTimeout"}
            Idle
            report r1 error Runtime.RestoreTimeout: 0 ms, billed 0 ms, restore 10000 ms, cold"#]]);
}

#[test]
fn init_before_a_snapshot_may_take_longer() {
    let cases = [(3, 130), (300, 300), (901, 900)];
    for (timeout, limit) in cases {
        let mut story = snap_start(&[]);
        story.environment.spec.timeout = Duration::from_secs(timeout);
        story.init();
        assert_eq!(
            story.environment.next_deadline(),
            Some(UnixNanos::from_millis(limit * 1000)),
            "with a timeout of {timeout} s"
        );
    }
}

#[test]
fn calls_of_the_restore_have_their_time() {
    let mut story = snap_start(&[]);
    story
        .invoke("r1")
        .call("restore error", restore_error())
        .call("restore next", ApiCall::RestoreNext)
        .call("restore next", ApiCall::RestoreNext)
        .call("restore error", restore_error())
        .runtime_next();
    story.check(&expect![[r#"
        0 ms: invoke r1
            ResetTelemetry
            tell platform.initStart init
            start runtime
        0 ms: #0 restore error
            reply #0: 403 InvalidStateTransition: State transition from Started to RuntimeRestoreError failed for runtime. Error: State transition is not allowed
        0 ms: #1 restore next
            tell platform.initRuntimeDone init success
            CloseSubscriptions
            tell platform.initReport init success 0 ms
            Freeze
            Thaw
            tell platform.restoreStart
            reply #1: Restored
        0 ms: #2 restore next
            reply #2: 403 InvalidStateTransition: State transition from Restoring to Ready failed for runtime. Error: State transition is not allowed
        0 ms: #3 restore error
            reply #3: Accepted
            tell platform.restoreRuntimeDone error Runtime.AfterRestoreError
            tell platform.restoreReport error Runtime.AfterRestoreError 0 ms
            tell platform.start r1
            tell platform.runtimeDone r1 error Runtime.AfterRestoreError 0 ms
            Thaw
            FlushTelemetry
            Kill runtime
        0 ms: #4 runtime next
            reply #4: 403 InvalidStateTransition: State transition from RuntimeRestoreError to Ready failed for runtime. Error: State transition is not allowed"#]]);
}

#[test]
fn without_snapshots_the_paths_do_not_exist() {
    let mut story = Story::new(&[]);
    story
        .invoke("r1")
        .skip()
        .call("restore next", ApiCall::RestoreNext)
        .call("restore error", restore_error());
    story.check(&expect![[r#"
        0 ms: #0 restore next
            reply #0: 404 : 404 page not found

        0 ms: #1 restore error
            reply #1: 404 : 404 page not found
    "#]]);
}
