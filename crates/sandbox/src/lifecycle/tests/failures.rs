use expect_test::expect;

use super::*;

#[test]
fn timeout_is_told_then_all_are_shut_down_then_the_caller_hears() {
    let mut story = Story::warm_with_extension();
    story.at(1000).invoke("r1").at(3999).at(4000);
    story.check(&expect![[r#"
        1000 ms: invoke r1
            Thaw
            tell platform.start r1
            reply #5: INVOKE r1 until 4000 ms
            reply #4: event r1 until 4000 ms
        4000 ms: time passes
            tell platform.runtimeDone r1 timeout 3000 ms
            Thaw
            FlushTelemetry
            Terminate runtime"#]]);
    story
        .at(4001)
        .respond("r1", "{}")
        .at(4005)
        .exit(Role::Runtime, Exit::Signal(15));
    story
        .at(4010)
        .extension_next()
        .exit(Role::Extension(0), Exit::Code(0));
    story.check(&expect![[r#"
        4001 ms: #6 respond to r1
            reply #6: 410 InvokeTimeout: Invoke timeout
        4005 ms: runtime ends: signal: terminated
        4010 ms: #7 extension next
            reply #7: SHUTDOWN timeout until 6000 ms
        4010 ms: extension 0 ends: exit status 0
            KillAll
            ResetTelemetry
            fail with {"errorMessage":"RequestId: r1 Error: Task timed out after 3.00 seconds","errorType":"Sandbox.Timedout"}
            Idle
            report r1 timeout: 3000 ms, billed 3000 ms"#]]);
    story
        .at(5000)
        .invoke("r2")
        .register("ext", &["INVOKE"])
        .extension_next()
        .at(5100)
        .runtime_next();
    story.check(&expect![[r#"
        5000 ms: invoke r2
            ResetTelemetry
            tell platform.initStart invoke
            start extension 0
        5000 ms: #8 register ext for INVOKE
            reply #8: Registered
            start runtime
        5000 ms: #9 extension next
        5100 ms: #10 runtime next
            tell platform.initRuntimeDone invoke success
            CloseSubscriptions
            tell platform.extension ext Ready
            tell platform.initReport invoke success 100 ms
            tell platform.start r2
            reply #9: INVOKE r2 until 8000 ms
            reply #10: event r2 until 8000 ms"#]]);
    story
        .at(5200)
        .respond("r2", "{}")
        .runtime_next()
        .extension_next();
    story.check(&expect![[r#"
        5200 ms: #11 respond to r2
            return {}
            reply #11: Accepted
        5200 ms: #12 runtime next
            tell platform.runtimeDone r2 success 100 ms
        5200 ms: #13 extension next
            Freeze
            Idle
            report r2 success: 200 ms, billed 200 ms, extensions 0 ms, cold"#]]);
}

#[test]
fn extension_that_dawdles_makes_an_answered_invocation_time_out() {
    let mut story = Story::warm_with_extension();
    story
        .at(1000)
        .invoke("r1")
        .at(1010)
        .respond("r1", "\"answered\"")
        .at(1012)
        .runtime_next()
        .at(4000);
    story
        .exit(Role::Runtime, Exit::Code(0))
        .exit(Role::Extension(0), Exit::Code(0));
    story.check(&expect![[r#"
        1000 ms: invoke r1
            Thaw
            tell platform.start r1
            reply #5: INVOKE r1 until 4000 ms
            reply #4: event r1 until 4000 ms
        1010 ms: #6 respond to r1
            return "answered"
            reply #6: Accepted
        1012 ms: #7 runtime next
            tell platform.runtimeDone r1 success 12 ms
        4000 ms: time passes
            Thaw
            FlushTelemetry
            Terminate runtime
        4000 ms: runtime ends: exit status 0
        4000 ms: extension 0 ends: exit status 0
            KillAll
            ResetTelemetry
            Idle
            report r1 timeout: 3000 ms, billed 3000 ms, extensions 2988 ms"#]]);
}

#[test]
fn crash_of_the_runtime_is_an_error_with_its_words() {
    let mut story = Story::warm_with_extension();
    story
        .at(1000)
        .invoke("r1")
        .at(1010)
        .exit(Role::Runtime, Exit::Signal(11));
    story
        .at(1020)
        .extension_next()
        .exit(Role::Extension(0), Exit::Code(0));
    story.check(&expect![[r#"
        1000 ms: invoke r1
            Thaw
            tell platform.start r1
            reply #5: INVOKE r1 until 4000 ms
            reply #4: event r1 until 4000 ms
        1010 ms: runtime ends: signal: segmentation fault
            tell platform.runtimeDone r1 error Runtime.ExitError 10 ms
            Thaw
            FlushTelemetry
        1020 ms: #6 extension next
            reply #6: SHUTDOWN failure until 3010 ms
        1020 ms: extension 0 ends: exit status 0
            KillAll
            ResetTelemetry
            fail with {"errorMessage":"RequestId: r1 Error: Runtime exited with error: signal: segmentation fault","errorType":"Runtime.ExitError"}
            Idle
            report r1 error Runtime.ExitError: 10 ms, billed 10 ms"#]]);
}

#[test]
fn crash_of_an_extension_is_the_invocations_even_with_exit_code_0() {
    let mut story = Story::warm_with_extension();
    story
        .at(1000)
        .invoke("r1")
        .exit(Role::Extension(0), Exit::Code(0))
        .exit(Role::Runtime, Exit::Code(0));
    story.check(&expect![[r#"
        1000 ms: invoke r1
            Thaw
            tell platform.start r1
            reply #5: INVOKE r1 until 4000 ms
            reply #4: event r1 until 4000 ms
        1000 ms: extension 0 ends: exit status 0
            tell platform.runtimeDone r1 error Extension.Crash 0 ms
            Thaw
            FlushTelemetry
            Terminate runtime
        1000 ms: runtime ends: exit status 0
            KillAll
            ResetTelemetry
            fail with {"errorMessage":"RequestId: r1 Error: exit code 0","errorType":"Extension.Crash"}
            Idle
            report r1 error Extension.Crash: 0 ms, billed 0 ms"#]]);
}

#[test]
fn process_that_dies_in_its_sleep_costs_no_invocation() {
    let mut story = Story::warm_with_extension();
    story
        .at(1000)
        .exit(Role::Extension(0), Exit::Signal(9))
        .invoke("r1")
        .exit(Role::Runtime, Exit::Code(0));
    story.check(&expect![[r#"
        1000 ms: extension 0 ends: signal: killed
            Thaw
            FlushTelemetry
            Terminate runtime
        1000 ms: invoke r1
        1000 ms: runtime ends: exit status 0
            KillAll
            ResetTelemetry
            ResetTelemetry
            tell platform.initStart invoke
            start extension 0"#]]);
}

#[test]
fn failed_init_gets_its_second_try_inside_the_invocation() {
    let mut story = Story::new(&[]);
    story.invoke("r1").at(20).exit(Role::Runtime, Exit::Code(1));
    story.check(&expect![[r#"
        0 ms: invoke r1
            ResetTelemetry
            tell platform.initStart init
            start runtime
        20 ms: runtime ends: exit status 1
            tell platform.initRuntimeDone init error Runtime.ExitError
            CloseSubscriptions
            tell platform.initReport init error Runtime.ExitError 20 ms
            Thaw
            FlushTelemetry
            KillAll
            ResetTelemetry
            ResetTelemetry
            tell platform.initStart invoke
            start runtime"#]]);
    story
        .at(30)
        .runtime_next()
        .at(40)
        .respond("r1", "{}")
        .runtime_next();
    story.check(&expect![[r#"
        30 ms: #0 runtime next
            tell platform.initRuntimeDone invoke success
            CloseSubscriptions
            tell platform.initReport invoke success 10 ms
            tell platform.start r1
            reply #0: event r1 until 3020 ms
        40 ms: #1 respond to r1
            return {}
            reply #1: Accepted
        40 ms: #2 runtime next
            tell platform.runtimeDone r1 success 10 ms
            Freeze
            Idle
            report r1 success: 20 ms, billed 20 ms, cold"#]]);
}

#[test]
fn init_that_fails_twice_is_the_invocations_failure() {
    let mut story = Story::new(&[]);
    let error = || ApiCall::RuntimeInitError {
        error_type: Some("Runtime.ImportModuleError".to_owned()),
        body: "{\"errorType\":\"x\"}".into(),
    };
    story
        .invoke("r1")
        .call("init error", error())
        .exit(Role::Runtime, Exit::Code(1))
        .skip();
    story
        .at(5)
        .call("init error", error())
        .exit(Role::Runtime, Exit::Code(1));
    story.check(&expect![[r#"
        5 ms: #1 init error
            reply #1: Accepted
            tell platform.initRuntimeDone invoke error Runtime.ImportModuleError
            CloseSubscriptions
            tell platform.initReport invoke error Runtime.ImportModuleError 5 ms
            tell platform.start r1
            tell platform.runtimeDone r1 error Runtime.ImportModuleError 5 ms
            Thaw
            FlushTelemetry
            Kill runtime
        5 ms: runtime ends: exit status 1
            KillAll
            ResetTelemetry
            fail with {"errorType":"x"}
            Idle
            report r1 error Runtime.ImportModuleError: 5 ms, billed 5 ms, cold"#]]);
}

#[test]
fn extension_that_never_registers_uses_up_the_init_and_then_the_function() {
    let mut story = Story::new(&["ext"]);
    story.invoke("r1").at(9_999).skip().at(10_000);
    story.check(&expect![[r#"
        10000 ms: time passes
            CloseSubscriptions
            tell platform.extension ext Started
            tell platform.initReport init timeout 10000 ms
            Thaw
            FlushTelemetry
            Kill extension 0"#]]);
    story
        .at(12_000)
        .skip()
        .at(12_001)
        .exit(Role::Extension(0), Exit::Signal(9));
    story.check(&expect![[r#"
        12001 ms: extension 0 ends: signal: killed
            ResetTelemetry
            ResetTelemetry
            tell platform.initStart invoke
            start extension 0"#]]);
    story
        .at(15_001)
        .at(17_001)
        .exit(Role::Extension(0), Exit::Signal(9));
    story.check(&expect![[r#"
        15001 ms: time passes
            CloseSubscriptions
            tell platform.extension ext Started
            tell platform.initReport invoke timeout 3000 ms
            tell platform.start r1
            tell platform.runtimeDone r1 timeout 3000 ms
            Thaw
            FlushTelemetry
            Kill extension 0
        17001 ms: time passes
            KillAll
        17001 ms: extension 0 ends: signal: killed
            ResetTelemetry
            fail with {"errorMessage":"RequestId: r1 Error: Task timed out after 3.00 seconds","errorType":"Sandbox.Timedout"}
            Idle
            report r1 timeout: 3000 ms, billed 3000 ms, cold"#]]);
}

#[test]
fn program_that_cannot_start_is_named() {
    let mut story = Story::new(&[]);
    let fault = || {
        Fault::new(
            "Runtime.InvalidEntrypoint",
            "fork/exec /code/bootstrap: permission denied",
        )
    };
    story.invoke("r1").skip();
    story.step(
        "not started",
        Event::NotStarted(
            Process {
                generation: 1,
                role: Role::Runtime,
            },
            fault(),
        ),
    );
    story.step(
        "not started",
        Event::NotStarted(
            Process {
                generation: 2,
                role: Role::Runtime,
            },
            fault(),
        ),
    );
    story.check(&expect![[r#"
        0 ms: not started
            tell platform.initRuntimeDone init error Runtime.InvalidEntrypoint
            CloseSubscriptions
            tell platform.initReport init error Runtime.InvalidEntrypoint 0 ms
            Thaw
            FlushTelemetry
            KillAll
            ResetTelemetry
            ResetTelemetry
            tell platform.initStart invoke
            start runtime
        0 ms: not started
            tell platform.initRuntimeDone invoke error Runtime.InvalidEntrypoint
            CloseSubscriptions
            tell platform.initReport invoke error Runtime.InvalidEntrypoint 0 ms
            tell platform.start r1
            tell platform.runtimeDone r1 error Runtime.InvalidEntrypoint 0 ms
            Thaw
            FlushTelemetry
            KillAll
            ResetTelemetry
            fail with {"errorMessage":"RequestId: r1 Error: fork/exec /code/bootstrap: permission denied","errorType":"Runtime.InvalidEntrypoint"}
            Idle
            report r1 error Runtime.InvalidEntrypoint: 0 ms, billed 0 ms, cold"#]]);
}

#[test]
fn eleventh_extension_is_too_many() {
    let names: Vec<_> = (0..11).map(|n| format!("e{n}")).collect();
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    let mut story = Story::new(&names);
    story.invoke("r1");
    for _ in 0..2 {
        for index in 0..10 {
            story.exit(Role::Extension(index), Exit::Signal(9));
        }
    }
    let count = |line: &str| {
        let found = story.lines.iter().filter(|found| found.trim() == line);
        found.count()
    };
    // Once for each of the two inits.
    assert_eq!(count("start extension 9"), 2, "{:#?}", story.lines);
    assert_eq!(count("start extension 10") + count("start runtime"), 0);
    assert_eq!(count("tell platform.extension e9 Started"), 2);
    assert_eq!(
        count("tell platform.extension e10 LaunchError TooManyExtensions"),
        2
    );
    assert_eq!(
        count(
            "fail with {\"errorMessage\":\"RequestId: r1 Error: Extension limit (10) reached\",\"errorType\":\"Extension.LaunchError\"}"
        ),
        1
    );
}

#[test]
fn extension_that_cannot_start_says_why() {
    for (message, reason) in [
        (
            "fork/exec /opt/extensions/ext: permission denied",
            "PermissionDenied",
        ),
        (
            "fork/exec /opt/extensions/ext: exec format error",
            "UnknownError",
        ),
    ] {
        let mut story = Story::new(&["ext", "other"]);
        story.invoke("r1").skip();
        let process = Process {
            generation: 1,
            role: Role::Extension(0),
        };
        let fault = Fault::new("Extension.LaunchError", message);
        story.step("not started", Event::NotStarted(process, fault));
        let told = format!("    tell platform.extension ext LaunchError {reason}");
        assert!(story.lines.contains(&told), "{:#?}", story.lines);
        let told = "    tell platform.extension other Started".to_owned();
        assert!(story.lines.contains(&told), "{:#?}", story.lines);
    }
}
