//! Answers that are passed on while they are made.

use expect_test::expect;

use super::*;

impl Story {
    fn stream_start(&mut self, request_id: &str) -> &mut Self {
        let call = ApiCall::StreamStart {
            request_id: request_id.to_owned(),
            attempt: None,
            content_type: None,
        };
        self.call(&format!("stream to {request_id}"), call)
    }

    fn stream_end(&mut self, request_id: &str, first_byte: u64, ending: Ending) -> &mut Self {
        let call = ApiCall::StreamEnd(StreamEnd {
            request_id: request_id.to_owned(),
            attempt: None,
            first_byte: UnixNanos::from_millis(first_byte),
            bytes: 5,
            ending,
        });
        self.call(&format!("end of {request_id}"), call)
    }

    fn streaming() -> Self {
        let mut story = Self::new(&[]);
        story.invoke("r1").runtime_next();
        story.at(100).stream_start("r1").skip();
        story
    }
}

#[test]
fn stream_is_an_answer_from_its_first_byte_to_its_last() {
    let mut story = Story::new(&[]);
    story.invoke("r1").runtime_next().skip();
    story.at(100).stream_start("r1").stream_start("r1");
    story.at(150).runtime_next().respond("r1", "{}");
    story.at(400).stream_end("r1", 120, Ending::Complete);
    story.at(450).stream_end("r1", 120, Ending::Complete);
    story.check(&expect![[r#"
        100 ms: #1 stream to r1
            OpenStream(CallId(1), "r1", None)
            reply #1: GoOn
        100 ms: #2 stream to r1
            reply #2: 403 InvalidStateTransition: State transition from InvocationResponse to InvocationResponse failed for runtime. Error: State transition is not allowed
        150 ms: #3 runtime next
            reply #3: 403 InvalidStateTransition: State transition from InvocationResponse to Ready failed for runtime. Error: State transition is not allowed
        150 ms: #4 respond to r1
            reply #4: 403 InvalidStateTransition: State transition from InvocationResponse to InvocationResponse failed for runtime. Error: State transition is not allowed
        400 ms: #5 end of r1
            return 
            reply #5: Accepted
        450 ms: #6 end of r1
            reply #6: 403 InvalidStateTransition: State transition from RuntimeResponseSent to RuntimeResponseSent failed for runtime. Error: State transition is not allowed"#]]);
    let mut effects = Vec::new();
    let next = Event::Call(CallId(99), ApiCall::RuntimeNext);
    story
        .environment
        .step(next, UnixNanos::from_millis(500), &mut effects);
    let Some(Effect::Emit(done)) = effects.first() else {
        panic!("no runtimeDone: {effects:?}");
    };
    let spans = done.record["spans"].as_array().unwrap();
    let durations: Vec<_> = spans
        .iter()
        .map(|span| format!("{} {}", span["name"], span["durationMs"]))
        .collect();
    assert_eq!(
        durations,
        [
            "\"responseLatency\" 120.0",
            "\"responseDuration\" 280.0",
            "\"runtimeOverhead\" 100.0"
        ]
    );
    assert_eq!(done.record["metrics"]["producedBytes"], 5);
}

#[test]
fn stream_that_the_function_gives_up_fails_the_call_and_not_the_platform() {
    let mut story = Story::streaming();
    let failed = Ending::Failed {
        error_type: "Function.Boom".to_owned(),
        error: Bytes::new(),
    };
    story.stream_end("r1", 100, failed).runtime_next();
    story.check(&expect![[r#"
        100 ms: #2 end of r1
            fail with {"errorMessage":"the function failed while it answered","errorType":"Function.Boom"}
            reply #2: Accepted
        100 ms: #3 runtime next
            tell platform.runtimeDone r1 success 100 ms
            Freeze
            Idle
            report r1 success: 100 ms, billed 100 ms, init 0 ms, cold"#]]);
}

#[test]
fn stream_that_breaks_off_is_told_by_what_comes_next() {
    let mut story = Story::streaming();
    story
        .stream_end("r1", 100, Ending::Truncated)
        .runtime_next();
    story.check(&expect![[r#"
        100 ms: #2 end of r1
            reply #2: 400 TruncatedHTTPRequest: HTTP request detected as truncated
        100 ms: #3 runtime next
            fail with {"errorMessage":"The response of the runtime was cut","errorType":"Runtime.TruncatedResponse"}
            tell platform.runtimeDone r1 success 100 ms
            Freeze
            Idle
            report r1 success: 100 ms, billed 100 ms, init 0 ms, cold"#]]);
    let mut story = Story::streaming();
    story
        .stream_end("r1", 100, Ending::Truncated)
        .exit(Role::Runtime, Exit::Code(7));
    story.check(&expect![[r#"
        100 ms: #2 end of r1
            reply #2: 400 TruncatedHTTPRequest: HTTP request detected as truncated
        100 ms: runtime ends: exit status 7
            tell platform.runtimeDone r1 error Runtime.ExitError 100 ms
            Thaw
            FlushTelemetry
            KillAll
            ResetTelemetry
            fail with {"errorMessage":"RequestId: r1 Error: Runtime exited with error: exit status 7","errorType":"Runtime.ExitError"}
            Idle
            report r1 error Runtime.ExitError: 100 ms, billed 100 ms, init 0 ms, cold"#]]);
}

#[test]
fn stream_that_is_too_long_or_too_slow_fails() {
    let mut story = Story::streaming();
    let too_large = Ending::TooLarge { bytes: 209_715_201 };
    story.stream_end("r1", 100, too_large).runtime_next();
    story.check(&expect![[r#"
        100 ms: #2 end of r1
            fail with {"errorMessage":"Response payload size (209715201 bytes) exceeded maximum allowed payload size (209715200 bytes).","errorType":"Function.ResponseSizeTooLarge"}
            reply #2: 413 RequestEntityTooLarge: Exceeded maximum allowed payload size (209715200 bytes).
        100 ms: #3 runtime next
            tell platform.runtimeDone r1 success 100 ms
            Freeze
            Idle
            report r1 success: 100 ms, billed 100 ms, init 0 ms, cold"#]]);
    let mut story = Story::streaming();
    story.at(3000).stream_end("r1", 100, Ending::Complete);
    story.exit(Role::Runtime, Exit::Signal(9));
    story.check(&expect![[r#"
        3000 ms: time passes
            tell platform.runtimeDone r1 timeout 3000 ms
            Thaw
            FlushTelemetry
            Kill runtime
        3000 ms: #2 end of r1
            reply #2: 410 InvokeTimeout: Invoke timeout
        3000 ms: runtime ends: signal: killed
            KillAll
            ResetTelemetry
            fail with {"errorMessage":"RequestId: r1 Error: Task timed out after 3.00 seconds","errorType":"Sandbox.Timedout"}
            Idle
            report r1 timeout: 3000 ms, billed 3000 ms, init 0 ms, cold"#]]);
}
