use std::sync::Arc;

use throughline_scrub::{Payloads, Rules, Scrubber};
use throughline_telemetry::Signal;

use super::*;
use crate::counters::Counters;
use crate::join::{Function, Invoked};
use crate::lifecycle::Telemetry;

const TRACE: &str = "5f35ae120c0fec141ab77a00bc047aa2";
const HEADER: &str = "Root=1-5f35ae12-0c0fec141ab77a00bc047aa2;Parent=2be948a625588e32;Sampled=1";

struct World {
    joiner: Joiner,
    scrubber: Scrubber,
}

impl World {
    fn new() -> Self {
        let mut joiner = Joiner::new(
            Function::default(),
            "environment-1",
            Arc::new(Counters::default()),
        );
        joiner.subscribed(Telemetry::On);
        joiner.hold_payloads();
        World {
            joiner,
            scrubber: Scrubber::new(Rules::default().payloads(Payloads::OnError)),
        }
    }

    fn invoke(&mut self, request_id: &str) {
        let invoked = Invoked {
            request_id: request_id.into(),
            deadline_millis: 3000,
            tracing: Some(HEADER.into()),
            ..Invoked::default()
        };
        self.joiner.invoked(&invoked, UnixNanos::from_millis(1000));
    }

    fn export(&mut self, span_id: &str, more: &str) {
        let body = format!(
            r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[
                {{"traceId":"{TRACE}","spanId":"{span_id}","parentSpanId":"00000000000000aa","name":"call","startTimeUnixNano":"1010000000","endTimeUnixNano":"1020000000",
                "attributes":[{{"key":"http.request.body","value":{{"stringValue":"hello of Ann"}}}}{more}]}}]}}]}}]}}"#
        );
        let request = Request::from_json(Signal::Traces, body.as_bytes()).unwrap();
        self.joiner.exported(request);
    }

    fn ends(&mut self, request_id: &str, status: &str) {
        let body = format!(
            r#"[{{"time":"1970-01-01T00:00:01.050Z","type":"platform.runtimeDone","record":{{"requestId":"{request_id}","status":"{status}"}}}}]"#
        );
        for event in crate::platform::parse(body.as_bytes()).events {
            self.joiner.told(event, UnixNanos::from_millis(1060));
        }
    }

    /// The bodies that leave now.
    fn drain(&mut self) -> Vec<String> {
        let mut bodies = Vec::new();
        for request in self.joiner.drain() {
            let origin = |trace: &[u8], at| self.joiner.origin(trace, at);
            let scrubbed = self.scrubber.request_of(request, &origin);
            if let Request::Traces(traces) = scrubbed.into_inner() {
                let spans = traces
                    .resource_spans
                    .iter()
                    .flat_map(|group| &group.scope_spans);
                for attribute in spans
                    .flat_map(|scope| &scope.spans)
                    .flat_map(|span| &span.attributes)
                {
                    if attribute.key == "http.request.body" {
                        bodies.push(format!("{:?}", attribute.value));
                    }
                }
            }
        }
        bodies
    }
}

fn is_full(body: &str) -> bool {
    body.contains("hello of Ann")
}

#[test]
fn payloads_wait_for_the_end_and_leave_whole_only_after_a_failure() {
    for (status, full) in [
        ("success", false),
        ("timeout", true),
        ("error", true),
        ("failure", true),
    ] {
        let mut world = World::new();
        world.invoke("r-1");
        world.export("00000000000000b1", "");
        assert_eq!(
            world.drain(),
            Vec::<String>::new(),
            "nobody knows the end yet"
        );
        assert!(world.joiner.pending_bytes() > 0);
        world.export("00000000000000b2", "");
        world.ends("r-1", status);
        let left = world.drain();
        assert_eq!(left.len(), 2, "{status}");
        assert!(
            left.iter().all(|body| is_full(body) == full),
            "{status}: {left:?}"
        );
    }
}

#[test]
fn payloads_of_a_function_that_is_killed_leave_at_the_end() {
    for (reason, full) in [
        (ShutdownReason::Timeout, true),
        (ShutdownReason::Failure, true),
        (ShutdownReason::Spindown, false),
    ] {
        let mut world = World::new();
        world.invoke("r-1");
        world.export("00000000000000b1", "");
        assert!(world.drain().is_empty());
        world.joiner.shut_down(reason, UnixNanos::from_millis(4000));
        let left = world.drain();
        assert!(
            left.len() == 1 && is_full(&left[0]) == full,
            "{reason:?}: {left:?}"
        );
    }
}

#[test]
fn what_waits_has_a_limit() {
    let mut world = World::new();
    world.invoke("r-1");
    let filler = format!(
        r#",{{"key":"filler","value":{{"stringValue":"{}"}}}}"#,
        "x".repeat(100_000)
    );
    for span in 1..=4 {
        world.export(&format!("00000000000000b{span}"), &filler);
    }
    let left = world.drain();
    assert_eq!(left.len(), 2, "two fit");
    assert!(!left.iter().any(|body| is_full(body)));
    assert!(world.joiner.pending_bytes() <= HELD_BYTES_MAX);
    world.ends("r-1", "error");
    let left = world.drain();
    assert!(left.len() == 2 && left.iter().all(|body| is_full(body)));
}
