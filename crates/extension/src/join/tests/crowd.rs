//! Managed Instances: no INVOKE, no `runtimeDone`, many at once.

use throughline_telemetry::SpanKind;

use super::*;

const OTHER: &str = "Root=1-62e900b2-aaaaaaaaaaaaaaaaaaaaaaaa;Parent=0efbd19962d95b05;Sampled=1";

impl Story {
    fn of_a_crowd() -> Self {
        let mut story = Story::begin(Telemetry::On);
        story.joiner.expect_a_crowd();
        story
    }

    fn starts(&mut self, at: u64, request_id: &str, header: &str) -> &mut Self {
        let record = format!(
            r#"{{"requestId":"{request_id}","functionArn":"arn:aws:lambda:eu-west-1:1:function:inventory","tracing":{{"type":"X-Amzn-Trace-Id","value":"{header}"}}}}"#
        );
        self.told(at, "platform.start", &record)
    }

    fn reports(&mut self, at: u64, request_id: &str, status: &str, took: u64) -> &mut Self {
        let start = iso(at - took);
        let record = format!(
            r#"{{"requestId":"{request_id}",{status},"metrics":{{"durationMs":{took}}},"spans":[{{"name":"responseLatency","start":"{start}","durationMs":{took}}}]}}"#
        );
        self.told(at, "platform.report", &record)
    }
}

#[test]
fn invocations_at_once_are_told_apart_from_start_to_report() {
    let mut story = Story::of_a_crowd();
    story
        .starts(100, "r-1", HEADER)
        .starts(110, "r-2", OTHER)
        .told(
            120,
            "function",
            r#"{"requestId":"r-2","level":"INFO","message":"of two"}"#,
        )
        .told(
            130,
            "function",
            r#"{"requestId":"r-1","level":"INFO","message":"of one"}"#,
        )
        .told(
            140,
            "function",
            r#"{"level":"INFO","message":"of one of them"}"#,
        )
        .reports(150, "r-2", r#""status":"success""#, 40)
        .reports(
            180,
            "r-1",
            r#""status":"error","errorType":"Function.Boom""#,
            80,
        );
    story.check(expect![[r#"
        trace 62e900b2aaaaaaaaaaaaaaaaaaaaaaaa under 0efbd19962d95b05
          inventory Server 110ms+40ms [faas.invocation_id=r-2 faas.coldstart=false]
            response latency Internal 110ms+40ms [faas.invocation_id=r-2]
        trace 62e900b2710d76f009d6e7785905449a under 0efbd19962d95b05
          inventory Server 100ms+80ms ERROR error: Function.Boom [faas.invocation_id=r-1 faas.coldstart=false error.type=Function.Boom]
            response latency Internal 100ms+80ms [faas.invocation_id=r-1]
        120ms throughline.function 9 inventory: of two [faas.invocation_id=r-2]
        130ms throughline.function 9 inventory: of one [faas.invocation_id=r-1]
        140ms throughline.function 9 nowhere: of one of them []
        150ms throughline.platform 9 inventory: REPORT RequestId: r-2	Duration: 40.00 ms [throughline.duration.total_ms=40.0 faas.invocation_id=r-2]
        180ms throughline.platform 17 inventory: REPORT RequestId: r-1	Duration: 80.00 ms	Status: error	Error Type: Function.Boom [throughline.duration.total_ms=80.0 error.type=Function.Boom faas.invocation_id=r-1]
    "#]]);
}

#[test]
fn who_runs_alone_wrote_what_names_nobody() {
    let mut story = Story::of_a_crowd();
    story
        .starts(100, "r-1", HEADER)
        .reports(150, "r-1", r#""status":"success""#, 50)
        .starts(200, "r-2", OTHER)
        .told(220, "function", r#"{"message":"alone"}"#)
        .reports(250, "r-2", r#""status":"success""#, 50)
        .told(300, "function", r#"{"message":"between"}"#);
    story.check(expect![[r#"
        trace 62e900b2710d76f009d6e7785905449a under 0efbd19962d95b05
          inventory Server 100ms+50ms [faas.invocation_id=r-1 faas.coldstart=false]
            response latency Internal 100ms+50ms [faas.invocation_id=r-1]
        trace 62e900b2aaaaaaaaaaaaaaaaaaaaaaaa under 0efbd19962d95b05
          inventory Server 200ms+50ms [faas.invocation_id=r-2 faas.coldstart=false]
            response latency Internal 200ms+50ms [faas.invocation_id=r-2]
        150ms throughline.platform 9 inventory: REPORT RequestId: r-1	Duration: 50.00 ms [throughline.duration.total_ms=50.0 faas.invocation_id=r-1]
        220ms throughline.function 0 inventory: alone [faas.invocation_id=r-2]
        250ms throughline.platform 9 inventory: REPORT RequestId: r-2	Duration: 50.00 ms [throughline.duration.total_ms=50.0 faas.invocation_id=r-2]
        300ms throughline.function 0 nowhere: between []
    "#]]);
}

#[test]
fn running_ones_are_not_forgotten_for_new_ones() {
    let mut story = Story::of_a_crowd();
    story.starts(100, "first", HEADER);
    for number in 0..1000 {
        let id = format!("r-{number}");
        story
            .starts(200, &id, OTHER)
            .reports(300, &id, r#""status":"success""#, 100);
    }
    story.drained();
    story.reports(900, "first", r#""status":"success""#, 800);
    let (spans, _) = story.drained();
    let whole = spans
        .iter()
        .find(|span| span.kind == SpanKind::Server)
        .unwrap();
    assert_eq!(whole.start, ms(100));
    assert!(
        story.joiner.invocations.len() <= 258,
        "{}",
        story.joiner.invocations.len()
    );
}
