use expect_test::expect;

use super::*;

#[test]
fn init_invoke_and_freeze_come_in_lambdas_order() {
    let mut story = Story::new(&["ext"]);
    story
        .invoke("r1")
        .at(100)
        .register("ext", &["INVOKE", "SHUTDOWN"])
        .at(150)
        .extension_next()
        .at(300)
        .runtime_next();
    story.check(&expect![[r#"
        0 ms: invoke r1
            ResetTelemetry
            tell platform.initStart init
            start extension 0
        100 ms: #0 register ext for INVOKE, SHUTDOWN
            reply #0: Registered
            start runtime
        150 ms: #1 extension next
        300 ms: #2 runtime next
            tell platform.initRuntimeDone init success
            CloseSubscriptions
            tell platform.extension ext Ready
            tell platform.initReport init success 300 ms
            tell platform.start r1
            reply #1: INVOKE r1 until 3300 ms
            reply #2: event r1 until 3300 ms"#]]);
    story
        .at(310)
        .respond("r1", "{}")
        .at(312)
        .runtime_next()
        .at(320)
        .extension_next();
    story.check(&expect![[r#"
        310 ms: #3 respond to r1
            return {}
            reply #3: Accepted
        312 ms: #4 runtime next
            tell platform.runtimeDone r1 success 12 ms
        320 ms: #5 extension next
            Freeze
            Idle
            report r1 success: 20 ms, billed 320 ms, init 300 ms, extensions 8 ms, cold"#]]);
    story.at(60_000).invoke("r2").at(60_004).respond("r2", "{}");
    story.check(&expect![[r#"
        60000 ms: invoke r2
            Thaw
            tell platform.start r2
            reply #5: INVOKE r2 until 63000 ms
            reply #4: event r2 until 63000 ms
        60004 ms: #6 respond to r2
            return {}
            reply #6: Accepted"#]]);
}

#[test]
fn without_extensions_the_runtime_is_all_there_is() {
    let mut story = Story::new(&[]);
    story
        .invoke("r1")
        .at(50)
        .runtime_next()
        .at(60)
        .respond("r1", "{}")
        .at(61)
        .runtime_next();
    story.check(&expect![[r#"
        0 ms: invoke r1
            ResetTelemetry
            tell platform.initStart init
            start runtime
        50 ms: #0 runtime next
            tell platform.initRuntimeDone init success
            CloseSubscriptions
            tell platform.initReport init success 50 ms
            tell platform.start r1
            reply #0: event r1 until 3050 ms
        60 ms: #1 respond to r1
            return {}
            reply #1: Accepted
        61 ms: #2 runtime next
            tell platform.runtimeDone r1 success 11 ms
            Freeze
            Idle
            report r1 success: 11 ms, billed 61 ms, init 50 ms, cold"#]]);
    story
        .at(1000)
        .shut_down()
        .at(1001)
        .exit(Role::Runtime, Exit::Signal(9));
    story.check(&expect![[r#"
        1000 ms: shut down
            Thaw
            FlushTelemetry
            Kill runtime
        1001 ms: runtime ends: signal: killed
            KillAll
            ResetTelemetry
            Gone"#]]);
}

#[test]
fn extension_without_invoke_is_not_waited_for() {
    let mut story = Story::new(&["ext"]);
    story
        .invoke("r1")
        .register("ext", &["SHUTDOWN"])
        .runtime_next()
        .skip();
    story.at(5).extension_next();
    story.check(&expect![[r#"
        5 ms: #2 extension next
            CloseSubscriptions
            tell platform.extension ext Ready
            tell platform.initReport init success 5 ms
            tell platform.start r1
            reply #1: event r1 until 3005 ms"#]]);
    story.respond("r1", "{}").runtime_next();
    story.check(&expect![[r#"
        5 ms: #3 respond to r1
            return {}
            reply #3: Accepted
        5 ms: #4 runtime next
            tell platform.runtimeDone r1 success 0 ms
            Freeze
            Idle
            report r1 success: 0 ms, billed 5 ms, init 5 ms, extensions 0 ms, cold"#]]);
}

#[test]
fn spin_down_ends_the_runtime_and_then_the_extensions() {
    let mut story = Story::warm_with_extension();
    story.at(1000).shut_down();
    story.at(1010).exit(Role::Runtime, Exit::Signal(15));
    story.at(1020).exit(Role::Extension(0), Exit::Code(0));
    story.check(&expect![[r#"
        1000 ms: shut down
            Thaw
            FlushTelemetry
            Terminate runtime
        1010 ms: runtime ends: signal: terminated
            reply #5: SHUTDOWN spindown until 3000 ms
        1020 ms: extension 0 ends: exit status 0
            KillAll
            ResetTelemetry
            Gone"#]]);
}

#[test]
fn processes_that_do_not_end_are_killed_at_their_deadlines() {
    let mut story = Story::warm_with_extension();
    story
        .shut_down()
        .at(299)
        .at(300)
        .at(301)
        .exit(Role::Runtime, Exit::Signal(9))
        .at(1999)
        .at(2000)
        .at(3999)
        .at(4000);
    story.check(&expect![[r#"
        0 ms: shut down
            Thaw
            FlushTelemetry
            Terminate runtime
        300 ms: time passes
            Kill runtime
        301 ms: runtime ends: signal: killed
            reply #5: SHUTDOWN spindown until 2000 ms
        2000 ms: time passes
            KillAll
        4000 ms: time passes
            ResetTelemetry
            Gone"#]]);
}

#[test]
fn extension_that_does_not_want_shutdown_is_killed() {
    let mut story = Story::new(&["ext"]);
    story
        .invoke("r1")
        .register("ext", &["INVOKE"])
        .extension_next()
        .runtime_next();
    story
        .respond("r1", "{}")
        .runtime_next()
        .extension_next()
        .skip();
    story.shut_down().exit(Role::Runtime, Exit::Code(0));
    story.check(&expect![[r#"
        0 ms: shut down
            Thaw
            FlushTelemetry
            Terminate runtime
        0 ms: runtime ends: exit status 0
            Kill extension 0"#]]);
}

#[test]
fn news_from_before_a_reset_is_old_news() {
    let mut story = Story::new(&[]);
    story.invoke("r1").exit(Role::Runtime, Exit::Code(1)).skip();
    story.step(
        "late exit",
        Event::Exited(
            Process {
                generation: 1,
                role: Role::Runtime,
            },
            Exit::Code(1),
        ),
    );
    story.check(&expect!["0 ms: late exit"]);
}

#[test]
fn event_whose_reader_hung_up_is_handed_out_again() {
    let mut story = Story::warm_with_extension();
    story.invoke("r1").skip();
    let (runtime_call, extension_call) = (CallId(4), CallId(5));
    story.step("runtime hung up", Event::Undelivered(runtime_call));
    story.step("extension hung up", Event::Undelivered(extension_call));
    story.runtime_next().extension_next().extension_next();
    story.check(&expect![[r#"
        0 ms: runtime hung up
        0 ms: extension hung up
        0 ms: #6 runtime next
            reply #6: event r1 until 3000 ms
        0 ms: #7 extension next
            reply #7: INVOKE r1 until 3000 ms
        0 ms: #8 extension next"#]]);
}
