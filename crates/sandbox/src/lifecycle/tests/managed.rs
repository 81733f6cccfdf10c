//! Managed Instances: several invocations at once, and one init in the life of an environment.

mod random;

use expect_test::expect;

use super::*;
use crate::function::ManagedInstances;

fn managed(extensions: &[&str]) -> Story {
    Story::new(extensions).with(Initialization::Managed(ManagedInstances::default()))
}

/// Initialized, with so many workers and nothing written down.
fn ready(workers: usize) -> Story {
    let mut story = managed(&[]);
    story.init();
    for _ in 0..workers {
        story.runtime_next();
    }
    story.skip();
    story
}

/// The same with an extension that waits for SHUTDOWN.
fn ready_with_extension() -> Story {
    let mut story = managed(&["ext"]);
    story.init().register("ext", &["SHUTDOWN"]).extension_next();
    story.runtime_next().runtime_next();
    story.skip();
    story
}

fn error(request_id: &str, error_type: &str, now: UnixNanos) -> ApiCall {
    let ApiCall::RuntimeAnswer(answer) = answer(
        request_id,
        ResponseMode::Error,
        Body::Whole(r#"{"errorType":"Boom"}"#.into()),
        now,
    ) else {
        unreachable!("an answer is an answer")
    };
    ApiCall::RuntimeAnswer(RuntimeAnswer {
        error_type: Some(error_type.to_owned()),
        error_cause: None,
        ..answer
    })
}

#[test]
fn init_is_over_when_one_worker_asks_and_nothing_freezes() {
    let mut story = managed(&["ext"]);
    story.init().at(10).register("ext", &["SHUTDOWN"]);
    story.at(20).extension_next().at(50).runtime_next();
    story.at(60).runtime_next();
    story.check(&expect![[r#"
        0 ms: init
            ResetTelemetry
            tell platform.initStart init
            start extension 0
        10 ms: #0 register ext for SHUTDOWN
            reply #0: Registered
            start runtime
        20 ms: #1 extension next
        50 ms: #2 runtime next
            tell platform.initRuntimeDone init success
            CloseSubscriptions
            tell platform.extension ext Ready
            tell platform.initReport init success 50 ms
            Idle
        60 ms: #3 runtime next"#]]);
}

#[test]
fn invocations_run_at_once_and_end_with_their_answers_in_any_order() {
    let mut story = ready(2);
    story.invoke("r1").at(5).invoke("r2");
    story.at(20).respond("r2", "2").at(30).respond("r1", "1");
    story.check(&expect![[r#"
        0 ms: invoke r1
            tell platform.start r1
            reply #0: event r1 until 3000 ms
        5 ms: invoke r2
            tell platform.start r2
            reply #1: event r2 until 3005 ms
        20 ms: #2 respond to r2
            return 2
            Idle
            report r2 success: 15 ms, responseLatency 15 ms, responseDuration 0 ms
            reply #2: Accepted
        30 ms: #3 respond to r1
            return 1
            Idle
            report r1 success: 30 ms, responseLatency 30 ms, responseDuration 0 ms
            reply #3: Accepted"#]]);
}

#[test]
fn runtime_done_is_never_told() {
    let mut story = ready(1);
    story
        .invoke("r1")
        .at(5)
        .respond("r1", "{}")
        .at(6)
        .runtime_next();
    assert!(!story.lines.iter().any(|line| line.contains("runtimeDone")));
    assert!(
        story
            .lines
            .iter()
            .any(|line| line.contains("responseLatency"))
    );
}

#[test]
fn invocations_that_come_during_the_init_wait_for_it() {
    let mut story = managed(&[]);
    story.invoke("r1").invoke("r2").at(2_000).skip();
    story.runtime_next().at(2_010).runtime_next();
    story.check(&expect![[r#"
        2000 ms: #0 runtime next
            tell platform.initRuntimeDone init success
            CloseSubscriptions
            tell platform.initReport init success 2000 ms
            tell platform.start r1
            reply #0: event r1 until 5000 ms
        2010 ms: #1 runtime next
            tell platform.start r2
            reply #1: event r2 until 5010 ms"#]]);
}

#[test]
fn invocation_without_a_free_worker_is_rejected_after_a_second() {
    let mut story = ready(1);
    story.invoke("r1").at(100).invoke("r2").skip();
    story.at(1_099).at(1_100);
    story.check(&expect![[r#"
        1100 ms: time passes
            Reject("r2")
            Idle"#]]);
    story.respond("r1", "{}").runtime_next().invoke("r3").skip();
    story
        .invoke("r4")
        .at(1_900)
        .respond("r3", "{}")
        .runtime_next();
    story.check(&expect![[r#"
        1100 ms: invoke r4
        1900 ms: #3 respond to r3
            return {}
            Idle
            report r3 success: 800 ms, responseLatency 800 ms, responseDuration 0 ms
            reply #3: Accepted
        1900 ms: #4 runtime next
            tell platform.start r4
            reply #4: event r4 until 4900 ms"#]]);
}

#[test]
fn timeout_ends_the_invocation_alone_and_its_late_answer_is_gone() {
    let mut story = ready(2);
    story.invoke("r1").at(1_000).invoke("r2").skip();
    story.at(3_000);
    story.check(&expect![[r#"
        3000 ms: time passes
            fail with {"errorMessage":"RequestId: r1 Error: Task timed out after 3.00 seconds","errorType":"Sandbox.Timedout"}
            Idle
            report r1 timeout Sandbox.Timedout: 3000 ms"#]]);
    story
        .at(3_500)
        .respond("r1", "late")
        .respond("r2", "{}")
        .runtime_next();
    story.check(&expect![[r#"
        3500 ms: #2 respond to r1
            reply #2: 410 InvokeTimeout: Invoke timeout
        3500 ms: #3 respond to r2
            return {}
            Idle
            report r2 success: 2500 ms, responseLatency 2500 ms, responseDuration 0 ms
            reply #3: Accepted
        3500 ms: #4 runtime next"#]]);
}

#[test]
fn second_answer_and_answer_of_another_attempt_are_refused() {
    let mut story = ready(1);
    story.invoke("r1").skip();
    let other = ApiCall::RuntimeAnswer(RuntimeAnswer {
        request_id: "r1".to_owned(),
        attempt: Some("another".to_owned()),
        first_byte: story.now,
        body: Body::Whole("{}".into()),
        mode: ResponseMode::Response,
        error_type: None,
        error_cause: None,
    });
    story.call("respond for another attempt", other);
    story
        .respond("r1", "{}")
        .respond("r1", "{}")
        .respond("r9", "{}");
    story.check(&expect![[r#"
        0 ms: #1 respond for another attempt
            reply #1: 410 InvokeTimeout: Invoke timeout
        0 ms: #2 respond to r1
            return {}
            Idle
            report r1 success: 0 ms, responseLatency 0 ms, responseDuration 0 ms
            reply #2: Accepted
        0 ms: #3 respond to r1
            reply #3: 400 InvalidRequestID: Invalid request ID
        0 ms: #4 respond to r9
            reply #4: 400 InvalidRequestID: Invalid request ID"#]]);
}

#[test]
fn error_of_the_function_is_one_of_the_report() {
    let mut story = ready(1);
    story.invoke("r1").at(4).skip();
    let call = error("r1", "Function.Boom", story.now);
    story.call("error of r1", call);
    story.check(&expect![[r#"
        4 ms: #1 error of r1
            fail with {"errorType":"Boom"}
            Idle
            report r1 error Function.Boom: 4 ms, responseLatency 4 ms, responseDuration 0 ms
            reply #1: Accepted"#]]);
}

#[test]
fn error_in_the_middle_of_a_stream_ends_it() {
    let mut story = ready(1);
    story.invoke("r1").skip();
    let start = ApiCall::StreamStart {
        request_id: "r1".to_owned(),
        attempt: None,
        content_type: None,
    };
    story.call("stream r1", start).at(3);
    let call = error("r1", "Function.Boom", story.now);
    story.call("error of r1", call);
    let end = ApiCall::StreamEnd(StreamEnd {
        request_id: "r1".to_owned(),
        attempt: None,
        first_byte: story.now,
        bytes: 3,
        ending: Ending::Complete,
    });
    story.call("end of the stream", end);
    story.check(&expect![[r#"
        0 ms: #1 stream r1
            OpenStream(CallId(1), "r1", None)
            reply #1: GoOn
        3 ms: #2 error of r1
            fail with {"errorType":"Boom"}
            Idle
            report r1 error Function.Boom: 3 ms, responseLatency 3 ms, responseDuration 0 ms
            reply #2: Accepted
        3 ms: #3 end of the stream
            reply #3: 400 InvalidRequestID: Invalid request ID"#]]);
}

#[test]
fn crash_ends_all_invocations_and_the_environment() {
    let mut story = ready_with_extension();
    story.invoke("r1").invoke("r2").invoke("r3").at(40).skip();
    story.exit(Role::Runtime, Exit::Code(3));
    story.at(60).step("flushed", Event::Flushed);
    story.at(80).exit(Role::Extension(0), Exit::Code(0));
    story.check(&expect![[r#"
        40 ms: runtime ends: exit status 3
            Reject("r3")
            Idle
            Ending
            fail with {"errorMessage":"RequestId: r1 Error: Runtime exited with error: exit status 3","errorType":"Runtime.ExitError"}
            Idle
            report r1 error Runtime.ExitError: 40 ms
            fail with {"errorMessage":"RequestId: r2 Error: Runtime exited with error: exit status 3","errorType":"Runtime.ExitError"}
            Idle
            report r2 error Runtime.ExitError: 40 ms
            FlushTelemetry
        60 ms: flushed
            reply #1: SHUTDOWN failure until 2040 ms
        80 ms: extension 0 ends: exit status 0
            KillAll
            ResetTelemetry
            Gone"#]]);
}

#[test]
fn memory_that_is_used_up_has_a_name_of_its_own() {
    let mut story = ready(1);
    story
        .invoke("r1")
        .skip()
        .exit(Role::Runtime, Exit::OutOfMemory);
    assert!(
        story
            .lines
            .iter()
            .any(|line| line.contains("report r1 error Runtime.OutOfMemory"))
    );
}

#[test]
fn crash_of_an_extension_ends_the_environment() {
    let mut story = ready_with_extension();
    story
        .invoke("r1")
        .skip()
        .exit(Role::Extension(0), Exit::Code(0));
    story.exit(Role::Runtime, Exit::Signal(15));
    story.check(&expect![[r#"
        0 ms: extension 0 ends: exit status 0
            Ending
            fail with {"errorMessage":"RequestId: r1 Error: exit code 0","errorType":"Extension.Crash"}
            Idle
            report r1 error Extension.Crash: 0 ms
            Terminate runtime
        0 ms: runtime ends: signal: terminated
            KillAll
            ResetTelemetry
            Gone"#]]);
}

#[test]
fn shutdown_flushes_between_the_runtime_and_the_extensions() {
    let mut story = ready_with_extension();
    story.at(100).shut_down().at(699).at(700);
    story
        .exit(Role::Runtime, Exit::Signal(9))
        .at(1_699)
        .at(1_700);
    story.at(2_100);
    story.exit(Role::Extension(0), Exit::Signal(9));
    story.check(&expect![[r#"
        100 ms: shut down
            Ending
            Terminate runtime
        700 ms: time passes
            Kill runtime
        700 ms: runtime ends: signal: killed
            FlushTelemetry
        1700 ms: time passes
            reply #1: SHUTDOWN spindown until 2100 ms
        2100 ms: time passes
            KillAll
        2100 ms: extension 0 ends: signal: killed
            ResetTelemetry
            Gone"#]]);
}

#[test]
fn without_extensions_the_runtime_is_killed_at_once() {
    let mut story = ready(1);
    story.shut_down().exit(Role::Runtime, Exit::Signal(9));
    story.check(&expect![[r#"
        0 ms: shut down
            Ending
            Kill runtime
        0 ms: runtime ends: signal: killed
            KillAll
            ResetTelemetry
            Gone"#]]);
}

#[test]
fn init_has_a_quarter_of_an_hour_and_no_second_try() {
    let mut story = managed(&[]);
    story.init().at(899_999).skip();
    story
        .invoke("r1")
        .at(900_000)
        .exit(Role::Runtime, Exit::Signal(9));
    story.invoke("r2");
    story.check(&expect![[r#"
        899999 ms: invoke r1
        900000 ms: time passes
            tell platform.initRuntimeDone init timeout
            CloseSubscriptions
            tell platform.initReport init timeout 900000 ms
            tell platform.start r1
            Ending
            fail with {"errorMessage":"RequestId: r1 Error: Init timed out after 900.00 seconds","errorType":"Sandbox.Timedout"}
            Idle
            report r1 error Sandbox.Timedout: 1 ms, cold
            Kill runtime
        900000 ms: runtime ends: signal: killed
            KillAll
            ResetTelemetry
            Gone
        900000 ms: invoke r2"#]]);
}

#[test]
fn worker_that_hung_up_leaves_its_event_to_another() {
    let mut story = ready(1);
    story.invoke("r1").skip();
    story.step("#0 undelivered", Event::Undelivered(CallId(0)));
    story.at(100).runtime_next();
    story.check(&expect![[r#"
        0 ms: #0 undelivered
        100 ms: #1 runtime next
            reply #1: event r1 until 3000 ms"#]]);
}

#[test]
fn extensions_register_for_shutdown_only() {
    let mut story = managed(&["ext"]);
    story.init().skip();
    story.register("ext", &["INVOKE", "SHUTDOWN"]);
    story.register("ext", &["SHUTDOWN"]);
    story.register("inside", &["SHUTDOWN"]);
    story.register("inside", &["INVOKE"]);
    story.register("inside", &[]);
    story.check(&expect![[r#"
        0 ms: #0 register ext for INVOKE, SHUTDOWN
            reply #0: 403 Extension.InvalidEventType: INVOKE: invalid event type
        0 ms: #1 register ext for SHUTDOWN
            reply #1: Registered
            start runtime
        0 ms: #2 register inside for SHUTDOWN
            reply #2: 403 Extension.InvalidEventType: No events allowed for internal extensions
        0 ms: #3 register inside for INVOKE
            reply #3: 403 Extension.InvalidEventType: No events allowed for internal extensions
        0 ms: #4 register inside for 
            reply #4: Registered"#]]);
}

#[test]
fn only_the_newest_schema_is_taken_and_there_is_no_logs_api() {
    let mut story = managed(&["ext"]);
    story.init().register("ext", &["SHUTDOWN"]).skip();
    for (api, version) in [
        (LogsOrTelemetry::Telemetry, "2022-07-01"),
        (LogsOrTelemetry::Telemetry, "2022-12-13"),
        (LogsOrTelemetry::Logs, "2021-03-18"),
        (LogsOrTelemetry::Telemetry, "2025-01-29"),
    ] {
        let body = format!(
            r#"{{"schemaVersion":"{version}","types":["platform"],"destination":{{"protocol":"HTTP","URI":"http://sandbox.localdomain:8080"}}}}"#
        );
        let call = ApiCall::Subscribe {
            api,
            identifier: Some(FIRST.to_owned()),
            body: body.into(),
        };
        story.call(&format!("subscribe with {version}"), call);
    }
    story.check(&expect![[r#"
        0 ms: #1 subscribe with 2022-07-01
            reply #1: 400 ValidationError: schemaVersion 2022-07-01 is not one of 2025-01-29
        0 ms: #2 subscribe with 2022-12-13
            reply #2: 400 ValidationError: schemaVersion 2022-12-13 is not one of 2025-01-29
        0 ms: #3 subscribe with 2021-03-18
            reply #3: 404 : 404 page not found

        0 ms: #4 subscribe with 2025-01-29
            tell platform.telemetrySubscription ext Subscribed
            subscribe ext
            reply #4: Subscribed"#]]);
}
