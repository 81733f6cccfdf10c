use expect_test::expect;

use super::*;

fn with_identifier(identifier: Option<&str>) -> ApiCall {
    ApiCall::ExtensionNext {
        identifier: identifier.map(str::to_owned),
    }
}

#[test]
fn extension_must_say_who_it_is() {
    let mut story = Story::new(&["ext"]);
    story.invoke("r1").skip();
    story.call("next without identifier", with_identifier(None));
    story.call("next with nonsense", with_identifier(Some("nonsense")));
    story.call("next of a stranger", with_identifier(Some(FIRST)));
    story.check(&expect![[r#"
        0 ms: #0 next without identifier
            reply #0: 403 Extension.MissingExtensionIdentifier: Missing Lambda-Extension-Identifier header
        0 ms: #1 next with nonsense
            reply #1: 403 Extension.InvalidExtensionIdentifier: Invalid Lambda-Extension-Identifier
        0 ms: #2 next of a stranger
            reply #2: 403 Extension.UnknownExtensionIdentifier: Unknown extension 00000000-0000-0000-0000-000000000001"#]]);
}

#[test]
fn registration_is_refused_for_these_reasons() {
    let mut story = Story::new(&["ext"]);
    story.invoke("r1").skip();
    story.register("", &["INVOKE"]);
    story.register("ext", &["RESTORE"]);
    story.register("inside", &["SHUTDOWN"]);
    story.register("inside", &["INVOKE"]);
    story.register("inside", &["INVOKE"]);
    story.check(&expect![[r#"
        0 ms: #0 register  for INVOKE
            reply #0: 403 Extension.InvalidExtensionName: Empty extension name
        0 ms: #1 register ext for RESTORE
            reply #1: 403 Extension.InvalidEventType: RESTORE: invalid event type
        0 ms: #2 register inside for SHUTDOWN
            reply #2: 403 Extension.InvalidEventType: SHUTDOWN: event not supported for internal extensions
        0 ms: #3 register inside for INVOKE
            reply #3: Registered
        0 ms: #4 register inside for INVOKE
            reply #4: 403 Extension.InvalidExtensionState: Extension with this name already registered"#]]);
    for n in 1..10 {
        story.skip().register(&format!("inside {n}"), &[]);
    }
    story.check(&expect![[r#"
        0 ms: #13 register inside 9 for 
            reply #13: 403 Extension.TooManyExtensions: Extension limit (10) reached"#]]);
}

#[test]
fn registration_happens_once_and_closes_with_the_runtimes_init() {
    let mut story = Story::new(&["ext"]);
    story
        .invoke("r1")
        .skip()
        .register("ext", &["INVOKE"])
        .register("ext", &["INVOKE"]);
    story.check(&expect![[r#"
        0 ms: #0 register ext for INVOKE
            reply #0: Registered
            start runtime
        0 ms: #1 register ext for INVOKE
            reply #1: 403 Extension.InvalidExtensionState: State transition from Registered to Registered failed for extension ext. Error: State transition is not allowed"#]]);
    story.runtime_next().skip().register("inside", &["INVOKE"]);
    story.check(&expect![[r#"
        0 ms: #3 register inside for INVOKE
            reply #3: 403 Extension.RegistrationClosed: Extension registration closed already"#]]);
}

#[test]
fn internal_extension_takes_part_like_an_external_one() {
    let mut story = Story::new(&[]);
    story.invoke("r1").register("inside", &["INVOKE"]).skip();
    story.runtime_next().extension_next();
    story.check(&expect![[r#"
        0 ms: #1 runtime next
            tell platform.initRuntimeDone init success
        0 ms: #2 extension next
            CloseSubscriptions
            tell platform.extension inside Ready
            tell platform.initReport init success 0 ms
            tell platform.start r1
            reply #2: INVOKE r1 until 3000 ms
            reply #1: event r1 until 3000 ms"#]]);
    story
        .respond("r1", "{}")
        .runtime_next()
        .at(1)
        .extension_next();
    story.check(&expect![[r#"
        0 ms: #3 respond to r1
            return {}
            reply #3: Accepted
        0 ms: #4 runtime next
            tell platform.runtimeDone r1 success 0 ms
        1 ms: #5 extension next
            Freeze
            Idle
            report r1 success: 1 ms, billed 1 ms, init 0 ms, extensions 1 ms, cold"#]]);
    story
        .at(10)
        .shut_down()
        .at(509)
        .at(510)
        .exit(Role::Runtime, Exit::Signal(9));
    story.check(&expect![[r#"
        10 ms: shut down
            Thaw
            FlushTelemetry
            Terminate runtime
        510 ms: time passes
            Kill runtime
        510 ms: runtime ends: signal: killed
            KillAll
            ResetTelemetry
            Gone"#]]);
}

#[test]
fn extension_that_reports_an_error_is_heard_once_and_then_not_at_all() {
    for (what, early) in [("init", true), ("exit", false)] {
        let mut story = Story::new(&["ext"]);
        story.invoke("r1").register("ext", &["INVOKE", "SHUTDOWN"]);
        if !early {
            story.extension_next().runtime_next();
        }
        story.skip();
        let error = |error_type: Option<&str>| {
            let (identifier, error_type) = (Some(FIRST.to_owned()), error_type.map(str::to_owned));
            if early {
                ApiCall::ExtensionInitError {
                    identifier,
                    error_type,
                }
            } else {
                ApiCall::ExtensionExitError {
                    identifier,
                    error_type,
                }
            }
        };
        story.call(&format!("{what} error without type"), error(None));
        story.call(&format!("{what} error"), error(Some("Extension.NoConfig")));
        story.call(
            &format!("{what} error again"),
            error(Some("Extension.Other")),
        );
        story.extension_next();
        if early {
            story.check(&expect![[r#"
                0 ms: #1 init error without type
                    reply #1: 403 Extension.MissingHeader: Lambda-Extension-Function-Error-Type not found
                0 ms: #2 init error
                    reply #2: Accepted
                    tell platform.initRuntimeDone init error Extension.InitError
                    CloseSubscriptions
                    tell platform.extension ext InitError Extension.NoConfig
                    tell platform.initReport init error Extension.InitError 0 ms
                    Thaw
                    FlushTelemetry
                    Terminate runtime
                0 ms: #3 init error again
                    reply #3: Accepted
                0 ms: #4 extension next
                    reply #4: 403 Extension.InvalidExtensionState: State transition from InitError to Ready failed for extension 00000000-0000-0000-0000-000000000001. Error: State transition is not allowed"#]]);
        } else {
            story.check(&expect![[r#"
                0 ms: #3 exit error without type
                    reply #3: 403 Extension.MissingHeader: Lambda-Extension-Function-Error-Type not found
                0 ms: #4 exit error
                    reply #4: Accepted
                    tell platform.runtimeDone r1 error Extension.ExitError 0 ms
                    Thaw
                    FlushTelemetry
                    Terminate runtime
                0 ms: #5 exit error again
                    reply #5: Accepted
                0 ms: #6 extension next
                    reply #6: 403 Extension.InvalidExtensionState: State transition from ExitError to Ready failed for extension 00000000-0000-0000-0000-000000000001. Error: State transition is not allowed"#]]);
        }
    }
}

#[test]
fn init_error_comes_before_the_first_next_only() {
    let mut story = Story::warm_with_extension();
    let error = ApiCall::ExtensionInitError {
        identifier: Some(FIRST.to_owned()),
        error_type: Some("Extension.X".to_owned()),
    };
    story.call("init error", error).extension_next();
    story.call(
        "runtime init error",
        ApiCall::RuntimeInitError {
            error_type: None,
            body: Bytes::new(),
        },
    );
    story.check(&expect![[r#"
        0 ms: #6 init error
            reply #6: 403 Extension.InvalidExtensionState: State transition from Ready to InitError failed for extension 00000000-0000-0000-0000-000000000001. Error: State transition is not allowed
        0 ms: #7 extension next
            reply #7: 403 Extension.InvalidExtensionState: State transition from Ready to Ready failed for extension 00000000-0000-0000-0000-000000000001. Error: State transition is not allowed
        0 ms: #8 runtime init error
            reply #8: 403 InvalidStateTransition: State transition from Ready to InitError failed for runtime. Error: State transition is not allowed"#]]);
}

#[test]
fn subscription_is_checked_and_closes_with_the_init() {
    let good = r#"{"schemaVersion":"2022-12-13","types":["platform"],"destination":{"protocol":"HTTP","URI":"http://sandbox.localdomain:8080"}}"#;
    let subscribe = |body: &'static str| ApiCall::Subscribe {
        api: LogsOrTelemetry::Telemetry,
        identifier: Some(FIRST.to_owned()),
        body: body.into(),
    };
    let mut story = Story::new(&["ext"]);
    story.invoke("r1").skip();
    story.call("subscribe before register", subscribe(good));
    story.register("ext", &["INVOKE"]).skip();
    story
        .call("subscribe with nothing", subscribe("{}"))
        .call("subscribe", subscribe(good));
    story.extension_next().runtime_next();
    story.call("subscribe late", subscribe(good));
    story.check(&expect![[r#"
        0 ms: #2 subscribe with nothing
            reply #2: 400 ValidationError: schemaVersion is not provided; types should not be empty; destination is not provided
        0 ms: #3 subscribe
            tell platform.telemetrySubscription ext Subscribed
            subscribe ext
            reply #3: Subscribed
        0 ms: #4 extension next
        0 ms: #5 runtime next
            tell platform.initRuntimeDone init success
            CloseSubscriptions
            tell platform.extension ext Ready
            tell platform.initReport init success 0 ms
            tell platform.start r1
            reply #4: INVOKE r1 until 3000 ms
            reply #5: event r1 until 3000 ms
        0 ms: #6 subscribe late
            reply #6: 403 Telemetry.SubscriptionClosed: Telemetry API subscription is closed"#]]);
}

#[test]
fn extension_uses_one_of_the_two_apis_for_its_telemetry() {
    let subscribe = |api| {
        ApiCall::Subscribe {
        api,
        identifier: Some(FIRST.to_owned()),
        body: r#"{"schemaVersion":"2021-03-18","types":["platform"],"destination":{"protocol":"TCP","port":1}}"#
            .into(),
    }
    };
    let mut story = Story::new(&["ext"]);
    story.invoke("r1").register("ext", &["INVOKE"]).skip();
    story
        .call("logs", subscribe(LogsOrTelemetry::Logs))
        .call("logs", subscribe(LogsOrTelemetry::Logs))
        .call("telemetry", subscribe(LogsOrTelemetry::Telemetry));
    story.check(&expect![[r#"
        0 ms: #1 logs
            tell platform.logsSubscription ext Subscribed
            subscribe ext
            reply #1: Subscribed
        0 ms: #2 logs
            tell platform.logsSubscription ext Subscribed
            subscribe ext
            reply #2: Subscribed
        0 ms: #3 telemetry
            reply #3: 400 ValidationError: already subscribed to the Logs API"#]]);
    story.extension_next().runtime_next().skip();
    story.call("logs", subscribe(LogsOrTelemetry::Logs));
    story.check(&expect![[r#"
        0 ms: #6 logs
            reply #6: 403 Logs.SubscriptionClosed: Logs API subscription is closed"#]]);
}

#[test]
fn answers_of_the_runtime_are_judged() {
    let whole = |body: &'static str| Body::Whole(body.into());
    let cases = [
        (ResponseMode::Response, whole("1"), "return 1", "Accepted"),
        (ResponseMode::Error, whole("{}"), "fail with {}", "Accepted"),
        (
            ResponseMode::InvalidMode,
            whole("1"),
            r#"fail with {"errorMessage":"Invalid function response mode","errorType":"Runtime.InvalidResponseModeHeader"}"#,
            "400 InvalidFunctionResponseMode: Invalid function response mode",
        ),
        (
            ResponseMode::Response,
            Body::TooLarge { bytes: 7_000_000 },
            r#"fail with {"errorMessage":"Response payload size (7000000 bytes) exceeded maximum allowed payload size (6291556 bytes).","errorType":"Function.ResponseSizeTooLarge"}"#,
            "413 RequestEntityTooLarge: Exceeded maximum allowed payload size (6291556 bytes).",
        ),
        (
            ResponseMode::Response,
            Body::Truncated,
            r#"fail with {"errorMessage":"The response of the runtime was cut","errorType":"Runtime.TruncatedResponse"}"#,
            "400 TruncatedHTTPRequest: HTTP request detected as truncated",
        ),
    ];
    for (mode, body, verdict, reply) in cases {
        let mut story = Story::new(&[]);
        story.invoke("r1").runtime_next().skip();
        let now = story.now;
        story.call("answer", answer("r1", mode, body, now));
        assert_eq!(
            story.lines,
            [
                "0 ms: #1 answer".to_owned(),
                format!("    {verdict}"),
                format!("    reply #1: {reply}")
            ]
        );
        // Whatever it was, the runtime goes on.
        story.runtime_next();
        assert!(
            story
                .lines
                .iter()
                .any(|line| line.contains("report r1 success")),
            "{:?}",
            story.lines
        );
    }
}

#[test]
fn answers_at_the_wrong_time_are_refused() {
    let mut story = Story::new(&[]);
    story
        .invoke("r1")
        .skip()
        .respond("r1", "{}")
        .runtime_next()
        .skip();
    let now = story.now;
    story.respond("other", "{}");
    let late = ApiCall::RuntimeAnswer(RuntimeAnswer {
        request_id: "r1".to_owned(),
        attempt: Some("an earlier attempt".to_owned()),
        first_byte: now,
        body: Body::Whole("{}".into()),
        mode: ResponseMode::Response,
        error_type: None,
        error_cause: None,
    });
    story.call("respond to an earlier attempt", late);
    story.respond("r1", "{}").respond("r1", "{}");
    story.call(
        "error",
        answer("r1", ResponseMode::Error, Body::Whole("{}".into()), now),
    );
    story.runtime_next().respond("r1", "{}");
    story.check(&expect![[r#"
        0 ms: #2 respond to other
            reply #2: 400 InvalidRequestID: Invalid request ID
        0 ms: #3 respond to an earlier attempt
            reply #3: 410 InvokeTimeout: Invoke timeout
        0 ms: #4 respond to r1
            return {}
            reply #4: Accepted
        0 ms: #5 respond to r1
            reply #5: 403 InvalidStateTransition: State transition from RuntimeResponseSent to InvocationResponse failed for runtime. Error: State transition is not allowed
        0 ms: #6 error
            reply #6: 403 InvalidStateTransition: State transition from RuntimeResponseSent to InvocationErrorResponse failed for runtime. Error: State transition is not allowed
        0 ms: #7 runtime next
            tell platform.runtimeDone r1 success 0 ms
            Freeze
            Idle
            report r1 success: 0 ms, billed 0 ms, init 0 ms, cold
        0 ms: #8 respond to r1
            reply #8: 400 InvalidRequestID: Invalid request ID"#]]);
}

#[test]
fn runtime_that_asks_again_gets_the_same_event_again() {
    let mut story = Story::new(&[]);
    story.invoke("r1").runtime_next().skip().runtime_next();
    story.check(&expect![[r#"
        0 ms: #1 runtime next
            reply #1: event r1 until 3000 ms"#]]);
}

#[test]
fn next_of_a_runtime_that_was_not_started_or_that_asked_again_is_refused() {
    let mut story = Story::new(&["ext"]);
    story.invoke("r0").skip().runtime_next();
    story
        .register("ext", &["INVOKE"])
        .runtime_next()
        .runtime_next();
    story.check(&expect![[r#"
        0 ms: #0 runtime next
            reply #0: 500 InternalServerError: Internal Server Error
        0 ms: #1 register ext for INVOKE
            reply #1: Registered
            start runtime
        0 ms: #2 runtime next
            tell platform.initRuntimeDone init success
        0 ms: #3 runtime next
            reply #2: 403 InvalidStateTransition: State transition from Ready to Ready failed for runtime. Error: State transition is not allowed"#]]);
}
