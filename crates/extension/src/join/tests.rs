mod advance;
mod agents;
mod crowd;
mod durable;
mod measured;
mod raised;
mod shapes;
mod used;

use std::fmt::Write;
use std::ops::Range;

use expect_test::{Expect, expect};
use throughline_telemetry::wire::otlp::{ExportMetricsServiceRequest, ExportTraceServiceRequest};
use throughline_telemetry::{Signal, SpanStatus, Value};

use super::*;
use crate::platform;

const TRACE: &str = "62e900b2710d76f009d6e7785905449a";
const HEADER: &str = "Root=1-62e900b2-710d76f009d6e7785905449a;Parent=0efbd19962d95b05;Sampled=1";

/// Milliseconds after this are what the tests speak of.
const BASE: u64 = 1_791_460_800_000;

fn ms(millis: u64) -> UnixNanos {
    UnixNanos::from_millis(BASE + millis)
}

fn iso(millis: u64) -> String {
    format!(
        "2026-10-08T12:00:{:02}.{:03}Z",
        millis / 1000,
        millis % 1000
    )
}

struct Story {
    joiner: Joiner,
    counters: Arc<Counters>,
    /// What [`Story::drained`] came across.
    metrics: Vec<ExportMetricsServiceRequest>,
}

impl Story {
    fn begin(telemetry: Telemetry) -> Self {
        let counters = Arc::new(Counters::default());
        let function = Function {
            name: "inventory".into(),
            version: "$LATEST".into(),
            region: "eu-west-1".into(),
            memory_mb: 256,
            ..Function::default()
        };
        let mut joiner = Joiner::new(function, "environment-1", Arc::clone(&counters));
        joiner.subscribed(telemetry);
        Story {
            joiner,
            counters,
            metrics: Vec::new(),
        }
    }

    fn invoke(&mut self, at: u64, request_id: &str, tracing: Option<&str>) -> &mut Self {
        let invoked = Invoked {
            request_id: request_id.into(),
            deadline_millis: BASE + at + 3000,
            function_arn: "arn:aws:lambda:eu-west-1:1:function:inventory".into(),
            tracing: tracing.map(str::to_owned),
        };
        self.joiner.invoked(&invoked, ms(at));
        self
    }

    /// An event of the platform; it arrives when it happens.
    fn told(&mut self, at: u64, kind: &str, record: &str) -> &mut Self {
        let body = format!(
            r#"[{{"time":"{}","type":"{kind}","record":{record}}}]"#,
            iso(at)
        );
        let mut parsed = platform::parse(body.as_bytes());
        assert_eq!((parsed.events.len(), parsed.unknown), (1, 0), "{body}");
        self.joiner.told(parsed.events.remove(0), ms(at));
        self
    }

    fn cold_start(&mut self) -> &mut Self {
        let start = r#"{"initializationType":"on-demand","instanceId":"2026/10/08/[$LATEST]ab12"}"#;
        let report = r#"{"status":"success","metrics":{"durationMs":173.778}}"#;
        self.told(0, "platform.initStart", start)
            .told(150, "platform.initRuntimeDone", r#"{"status":"success"}"#)
            .told(174, "platform.initReport", report)
    }

    /// A span of the function's SDK: `last digit of the trace, id, parent or -, name`.
    fn span(&mut self, what: &str, at: Range<u64>) -> &mut Self {
        let mut words = what.splitn(4, ' ');
        let mut word = || words.next().expect("four words");
        let (trace, id, parent, name) = (word(), word(), word().trim_matches('-'), word());
        let trace = format!("{}{trace}", &TRACE[..31]);
        let (start, end) = (ms(at.start), ms(at.end));
        let json = format!(
            r#"{{"resourceSpans":[{{"resource":{{"attributes":[
                {{"key":"service.name","value":{{"stringValue":"unknown_service:node"}}}},
                {{"key":"host.arch","value":{{"stringValue":"arm64"}}}}]}},
            "scopeSpans":[{{"scope":{{"name":"sdk"}},"spans":[{{
                "traceId":"{trace}","spanId":"{id:0>16}","parentSpanId":"{parent}","name":"{name}",
                "kind":2,"flags":257,"startTimeUnixNano":"{start}","endTimeUnixNano":"{end}"}}]}}]}}]}}"#
        );
        let request = Request::from_json(Signal::Traces, json.as_bytes());
        self.joiner.exported(request.expect("OTLP"));
        self
    }

    /// What leaves, which is everything.
    fn drained(&mut self) -> (Vec<Span>, Vec<LogRecord>) {
        let drained = self.drained_partly();
        assert_eq!(self.joiner.pending_bytes(), 0);
        drained
    }

    /// What leaves, though something waits.
    fn drained_partly(&mut self) -> (Vec<Span>, Vec<LogRecord>) {
        let (mut spans, mut logs) = (Vec::new(), Vec::new());
        for request in self.joiner.drain() {
            match request {
                Request::Traces(request) => spans.extend(wire::spans(request).expect("good spans")),
                Request::Logs(request) => logs.extend(wire::logs(request).expect("good logs")),
                Request::Metrics(request) => self.metrics.push(request),
            }
        }
        (spans, logs)
    }

    /// The spans as a tree by parent, then the logs.
    fn check(&mut self, expected: Expect) {
        let (spans, logs) = self.drained();
        let mut shown = String::new();
        let is_root = |span: &&Span| {
            !spans
                .iter()
                .any(|other| Some(other.span_id) == span.parent_id)
        };
        for root in spans.iter().filter(is_root) {
            let parent = root
                .parent_id
                .map_or("root".to_owned(), |id| format!("under {id}"));
            let _ = writeln!(shown, "trace {} {parent}", root.trace_id);
            tree(&spans, root, 1, &mut shown);
        }
        for log in &logs {
            let owner = spans.iter().find(|span| Some(span.span_id) == log.span_id);
            let _ = writeln!(
                shown,
                "{} {} {} {}: {} [{}]",
                offset(log.time),
                log.scope.name,
                log.severity_number,
                owner.map_or_else(
                    || log
                        .trace_id
                        .map_or("nowhere".to_owned(), |id| id.to_string()),
                    |span| span.name.clone()
                ),
                log.body.to_text(),
                log.attributes
                    .iter()
                    .map(|(key, value)| format!("{key}={}", value.to_text()))
                    .collect::<Vec<_>>()
                    .join(" "),
            );
        }
        expected.assert_eq(&shown);
    }
}

fn tree(spans: &[Span], span: &Span, depth: usize, shown: &mut String) {
    let status = match span.status {
        SpanStatus::Error => format!(" ERROR {}", span.status_message),
        _ => String::new(),
    };
    let attributes: Vec<String> = span
        .attributes
        .iter()
        .filter(|(key, _)| {
            !matches!(
                *key,
                "throughline.phase" | "aws.lambda.invoked_arn" | "cloud.resource_id"
            )
        })
        .map(|(key, value)| format!("{key}={}", value.to_text()))
        .collect();
    let _ = writeln!(
        shown,
        "{}{} {:?} {}+{:?}{status} [{}]",
        "  ".repeat(depth),
        span.name,
        span.kind,
        offset(span.start),
        span.duration(),
        attributes.join(" ")
    );
    let mut children: Vec<&Span> = spans
        .iter()
        .filter(|child| child.parent_id == Some(span.span_id))
        .collect();
    children.sort_by_key(|child| child.start);
    children
        .into_iter()
        .for_each(|child| tree(spans, child, depth + 1, shown));
}

fn offset(time: UnixNanos) -> String {
    format!("{:?}", time.since(ms(0)))
}

const STEPS: &str = r#""spans":[{"name":"responseLatency","start":"2026-10-08T12:00:00.200Z","durationMs":23.02},{"name":"responseDuration","start":"2026-10-08T12:00:00.223Z","durationMs":0.098},{"name":"runtimeOverhead","start":"2026-10-08T12:00:00.223Z","durationMs":1.2}]"#;

#[test]
fn a_cold_invocation_becomes_one_tree() {
    let mut story = Story::begin(Telemetry::On);
    let done = format!(
        r#"{{"requestId":"r-1","status":"success",{STEPS},"metrics":{{"durationMs":30.5,"producedBytes":15}}}}"#
    );
    story
        .cold_start()
        .told(120, "function", r#""loading modules\n""#)
        .invoke(201, "r-1", Some(HEADER))
        .told(200, "platform.start", r#"{"requestId":"r-1","version":"$LATEST"}"#)
        .told(210, "function", r#""plain line""#)
        .told(211, "function", r#""{\"level\":\"WARN\",\"message\":\"low\",\"trace_id\":\"5b8efff798038103d269b633813fc60c\",\"span_id\":\"eee19b7ec3c1b174\"}""#)
        .span("a b1 0efbd19962d95b05 handler", 205..225)
        .span("a b2 00000000000000b1 SELECT", 206..210)
        .told(231, "platform.runtimeDone", &done)
        .check(expect![[r#"
            trace 62e900b2710d76f009d6e7785905449a under 0efbd19962d95b05
              inventory Server 200ms+30.5ms [faas.invocation_id=r-1 faas.coldstart=true throughline.response.bytes=15 throughline.duration.timeout_ms=3000]
                init Internal 0ns+173.778ms [faas.invocation_id=r-1 faas.coldstart=true aws.lambda.initialization_type=on-demand]
                response latency Internal 200ms+23.02ms [faas.invocation_id=r-1]
                handler Internal 205ms+20ms []
                  SELECT Server 206ms+4ms []
                response duration Internal 223ms+98µs [faas.invocation_id=r-1]
                runtime overhead Internal 223ms+1.2ms [faas.invocation_id=r-1]
            120ms throughline.function 0 init: loading modules [faas.invocation_id=r-1]
            210ms throughline.function 0 inventory: plain line [faas.invocation_id=r-1]
            211ms throughline.function 13 5b8efff798038103d269b633813fc60c: low [faas.invocation_id=r-1]
        "#]]);
    // The report comes during the next invocation and finds its own.
    story
        .invoke(900, "r-2", Some(HEADER))
        .told(240, "platform.report", r#"{"requestId":"r-1","status":"success","metrics":{"durationMs":34.9,"billedDurationMs":209,"memorySizeMB":256,"maxMemoryUsedMB":84,"initDurationMs":173.9},"spans":[{"name":"extensionOverhead","start":"2026-10-08T12:00:00.231Z","durationMs":4.1}]}"#)
        .check(expect![[r#"
            trace 62e900b2710d76f009d6e7785905449a under ff684cf9fb34e58b
              extension overhead Internal 231ms+4.1ms [faas.invocation_id=r-1]
            240ms throughline.platform 9 62e900b2710d76f009d6e7785905449a: REPORT RequestId: r-1	Duration: 34.90 ms	Billed Duration: 209 ms	Memory Size: 256 MB	Max Memory Used: 84 MB	Init Duration: 173.90 ms [throughline.duration.total_ms=34.9 throughline.duration.billed_ms=209 throughline.duration.init_ms=173.9 throughline.memory.size_mb=256 throughline.memory.max_used_mb=84 throughline.cost.usd=1.0708351e-6 faas.invocation_id=r-1]
        "#]]);
}

#[test]
fn what_the_sdk_does_not_know_is_filled_in_and_all_else_stays() {
    let mut story = Story::begin(Telemetry::On);
    story.cold_start().invoke(201, "r-1", Some(HEADER));
    story.span("a b1 0efbd19962d95b05 handler", 205..225);
    let drained = story.joiner.drain();
    let [Request::Traces(ExportTraceServiceRequest { resource_spans })] = &drained[..] else {
        panic!("one request of spans: {drained:?}")
    };
    assert_eq!(resource_spans[0].scope_spans[0].spans[0].flags, 257);
    let spans = wire::spans(ExportTraceServiceRequest {
        resource_spans: resource_spans.clone(),
    });
    let resource = &spans.expect("good spans")[0].resource;
    let shown: Vec<String> = resource
        .attributes
        .iter()
        .map(|(key, value)| format!("{key}={}", value.to_text()))
        .collect();
    expect![[r#"
        host.arch=arm64
        service.name=inventory
        service.version=$LATEST
        cloud.provider=aws
        cloud.platform=aws_lambda
        cloud.region=eu-west-1
        faas.name=inventory
        faas.version=$LATEST
        faas.instance=2026/10/08/[$LATEST]ab12
        cloud.account.id=1
        faas.max_memory=268435456"#]]
    .assert_eq(&shown.join("\n"));
}

#[test]
fn spans_find_their_own_invocation() {
    let mut story = Story::begin(Telemetry::On);
    let other = "Root=1-62e900b2-710d76f009d6e7785905449b;Parent=0efbd19962d95b06";
    let rootless = "Root=1-62e900b2-710d76f009d6e7785905449c";
    story
        .invoke(100, "first", Some(HEADER))
        .invoke(1100, "retry of the same event", Some(HEADER))
        .invoke(2100, "another", Some(other))
        .invoke(3100, "without a caller", Some(rootless));
    story
        .span("a b1 0efbd19962d95b05 in first", 110..120)
        .span("a b2 0efbd19962d95b05 in retry", 1110..1120)
        .span("b b3 0efbd19962d95b06 in another", 2110..2120)
        .span("c b4 - without parent", 3110..3120)
        .span("b b5 - root in a called trace", 2110..2120)
        .span("f b6 0efbd19962d95b05 foreign trace", 110..120);
    for (at, id) in [
        (130, "first"),
        (1130, "retry of the same event"),
        (2130, "another"),
        (3130, "without a caller"),
    ] {
        story.told(
            at,
            "platform.runtimeDone",
            &format!(r#"{{"requestId":"{id}","status":"success"}}"#),
        );
    }
    story.check(expect![[r#"
        trace 62e900b2710d76f009d6e7785905449b root
          root in a called trace Server 2.11s+10ms []
        trace 62e900b2710d76f009d6e7785905449f under 0efbd19962d95b05
          foreign trace Server 110ms+10ms []
        trace 62e900b2710d76f009d6e7785905449a under 0efbd19962d95b05
          inventory Server 100ms+30ms [faas.invocation_id=first faas.coldstart=true]
            in first Internal 110ms+10ms []
        trace 62e900b2710d76f009d6e7785905449a under 0efbd19962d95b05
          inventory Server 1.1s+30ms [faas.invocation_id=retry of the same event faas.coldstart=false]
            in retry Internal 1.11s+10ms []
        trace 62e900b2710d76f009d6e7785905449b under 0efbd19962d95b06
          inventory Server 2.1s+30ms [faas.invocation_id=another faas.coldstart=false]
            in another Internal 2.11s+10ms []
        trace 62e900b2710d76f009d6e7785905449c root
          inventory Server 3.1s+30ms [faas.invocation_id=without a caller faas.coldstart=false]
            without parent Internal 3.11s+10ms []
    "#]]);
}

#[test]
fn failures() {
    let mut story = Story::begin(Telemetry::On);
    story
        .invoke(100, "timed out", Some(HEADER))
        .told(3101, "platform.runtimeDone", r#"{"requestId":"timed out","status":"timeout","metrics":{"durationMs":3001.182,"producedBytes":0}}"#)
        .invoke(5000, "crashed", Some(HEADER))
        .told(5050, "platform.runtimeDone", r#"{"requestId":"crashed","status":"error","errorType":"Runtime.ExitError"}"#)
        .told(5051, "platform.fault", r#""RequestId: crashed Process exited before completing request""#)
        .told(5052, "platform.report", r#"{"requestId":"crashed","status":"error","errorType":"Runtime.ExitError","metrics":{"durationMs":50.1,"billedDurationMs":51}}"#)
        .check(expect![[r#"
            trace 62e900b2710d76f009d6e7785905449a under 0efbd19962d95b05
              inventory Server 100ms+3.001182s ERROR the function did not finish in time [faas.invocation_id=timed out faas.coldstart=true throughline.response.bytes=0 error.type=timeout throughline.timeout=true]
            trace 62e900b2710d76f009d6e7785905449a under 0efbd19962d95b05
              inventory Server 5s+50ms ERROR error: Runtime.ExitError [faas.invocation_id=crashed faas.coldstart=false error.type=Runtime.ExitError]
            5.051s throughline.platform 17 inventory: RequestId: crashed Process exited before completing request [error.type=Runtime.ExitError faas.invocation_id=crashed]
            5.052s throughline.platform 17 inventory: REPORT RequestId: crashed	Duration: 50.10 ms	Billed Duration: 51 ms	Status: error	Error Type: Runtime.ExitError [throughline.duration.total_ms=50.1 throughline.duration.billed_ms=51 error.type=Runtime.ExitError faas.invocation_id=crashed]
        "#]]);
    assert_eq!(story.counters.count(Counter::Forgotten), 0);
}

#[test]
fn an_invocation_that_shutdown_interrupts() {
    for (reason, expected) in [
        (
            ShutdownReason::Timeout,
            expect![[r#"
                trace 62e900b2710d76f009d6e7785905449a under 0efbd19962d95b05
                  inventory Server 99ms+3.001s ERROR the function did not finish in time [faas.invocation_id=r-1 faas.coldstart=true throughline.duration.timeout_ms=3000 error.type=timeout throughline.timeout=true]
            "#]],
        ),
        (
            ShutdownReason::Failure,
            expect![[r#"
            trace 62e900b2710d76f009d6e7785905449a under 0efbd19962d95b05
              inventory Server 99ms+3.101s ERROR failure [faas.invocation_id=r-1 faas.coldstart=true throughline.duration.timeout_ms=3000 error.type=failure]
        "#]],
        ),
        (
            ShutdownReason::Spindown,
            expect![[r#"
            trace 62e900b2710d76f009d6e7785905449a under 0efbd19962d95b05
              inventory Server 99ms+126ms [faas.invocation_id=r-1 faas.coldstart=true throughline.end=unknown throughline.duration.timeout_ms=3000]
        "#]],
        ),
    ] {
        let mut story = Story::begin(Telemetry::On);
        story
            .invoke(100, "r-1", Some(HEADER))
            .told(99, "platform.start", r#"{"requestId":"r-1"}"#);
        story
            .span("a b1 0efbd19962d95b05 handler", 105..225)
            .drained();
        story.joiner.shut_down(reason, ms(3200));
        story.check(expected);
    }
}

#[test]
fn without_telemetry_the_end_is_what_was_seen_last() {
    let mut story = Story::begin(Telemetry::Off);
    story.invoke(100, "r-1", Some(HEADER));
    story.span("a b1 0efbd19962d95b05 handler", 105..225);
    story.check(expect![[r#"
        trace 62e900b2710d76f009d6e7785905449a under 188b3cfa09341599
          handler Internal 105ms+120ms []
    "#]]);
    story.invoke(5000, "r-2", None).check(expect![[r#"
        trace 62e900b2710d76f009d6e7785905449a under 0efbd19962d95b05
          inventory Server 100ms+125ms [faas.invocation_id=r-1 faas.coldstart=true throughline.end=unknown]
    "#]]);
}

#[test]
fn what_the_platform_says_twice_counts_once() {
    let mut story = Story::begin(Telemetry::On);
    let done = format!(r#"{{"requestId":"r-1","status":"success",{STEPS}}}"#);
    let report = r#"{"requestId":"r-1","status":"success","metrics":{"durationMs":30}}"#;
    let unseen = r#"{"requestId":"of another life","status":"success"}"#;
    story.invoke(200, "r-1", Some(HEADER));
    for _ in 0..2 {
        story
            .told(231, "platform.runtimeDone", &done)
            .told(240, "platform.report", report);
    }
    story.told(241, "platform.report", unseen);
    story.joiner.shut_down(ShutdownReason::Spindown, ms(300));
    story.check(expect![[r#"
        trace 62e900b2710d76f009d6e7785905449a under 0efbd19962d95b05
          inventory Server 200ms+31ms [faas.invocation_id=r-1 faas.coldstart=true]
            response latency Internal 200ms+23.02ms [faas.invocation_id=r-1]
            response duration Internal 223ms+98µs [faas.invocation_id=r-1]
            runtime overhead Internal 223ms+1.2ms [faas.invocation_id=r-1]
        240ms throughline.platform 9 inventory: REPORT RequestId: r-1	Duration: 30.00 ms [throughline.duration.total_ms=30.0 faas.invocation_id=r-1]
        241ms throughline.platform 9 nowhere: REPORT RequestId: of another life [faas.invocation_id=of another life]
    "#]]);
}

#[test]
fn events_in_the_wrong_order() {
    let mut story = Story::begin(Telemetry::On);
    // Everything overtakes INVOKE; only a report comes for the other invocation.
    story
        .told(100, "platform.start", r#"{"requestId":"r-1"}"#)
        .told(105, "function", r#""[INFO]\t2026-10-08T12:00:00.104Z\t8476a536-e9f4-11e8-9739-2dfe598c3fcd\tof nobody known""#)
        .told(106, "function", r#""by time""#)
        .told(130, "platform.runtimeDone", r#"{"requestId":"r-1","status":"success"}"#)
        .invoke(131, "r-1", Some(HEADER))
        .cold_start()
        .invoke(1000, "r-2", Some(HEADER))
        .told(1060, "platform.report", r#"{"requestId":"r-2","status":"success","metrics":{"durationMs":50}}"#)
        .check(expect![[r#"
            trace 62e900b2710d76f009d6e7785905449a under 0efbd19962d95b05
              inventory Server 100ms+30ms [faas.invocation_id=r-1 faas.coldstart=true throughline.duration.timeout_ms=3000]
                init Internal 0ns+150ms [faas.invocation_id=r-1 faas.coldstart=true aws.lambda.initialization_type=on-demand]
            trace 62e900b2710d76f009d6e7785905449a under 0efbd19962d95b05
              inventory Server 1s+50ms [faas.invocation_id=r-2 faas.coldstart=false]
            104ms throughline.function 9 nowhere: of nobody known [faas.invocation_id=8476a536-e9f4-11e8-9739-2dfe598c3fcd]
            106ms throughline.function 0 inventory: by time [faas.invocation_id=r-1]
            1.06s throughline.platform 9 inventory: REPORT RequestId: r-2	Duration: 50.00 ms [throughline.duration.total_ms=50.0 faas.invocation_id=r-2]
        "#]]);
}

#[test]
fn initialisation_that_fails_before_any_invocation_has_last_words() {
    let mut story = Story::begin(Telemetry::On);
    story
        .told(
            0,
            "platform.initStart",
            r#"{"initializationType":"on-demand"}"#,
        )
        .told(
            40,
            "platform.initRuntimeDone",
            r#"{"status":"error","errorType":"Runtime.ExitError"}"#,
        );
    story.joiner.shut_down(ShutdownReason::Failure, ms(60));
    story.check(expect![[r#"
        trace 8f4cfda394c5f34965cc71a2b00541bc root
          init Internal 0ns+40ms ERROR error: Runtime.ExitError [faas.coldstart=false aws.lambda.initialization_type=on-demand error.type=Runtime.ExitError]
    "#]]);
}

#[test]
fn only_so_many_invocations_are_remembered() {
    let mut story = Story::begin(Telemetry::On);
    for at in 0..100 {
        story.invoke(at, &format!("r-{at}"), None);
    }
    assert_eq!(story.joiner.invocations.len(), INVOCATIONS_MAX);
    let forgotten = 100 - INVOCATIONS_MAX;
    assert_eq!(story.counters.count(Counter::Forgotten), forgotten as u64);
    let (spans, _) = story.drained();
    assert_eq!(spans.len(), forgotten, "what is forgotten is written first");
    assert_eq!(spans[0].attributes.text("throughline.end"), Some("unknown"));
}

#[test]
fn a_retry_that_keeps_its_request_id_is_an_invocation_of_its_own() {
    let id = "8476a536-e9f4-11e8-9739-2dfe598c3fcd";
    let start = format!(r#"{{"requestId":"{id}"}}"#);
    let done = |took: u64| {
        format!(r#"{{"requestId":"{id}","status":"success","metrics":{{"durationMs":{took}}}}}"#)
    };
    let line = |at: u64| format!(r#""[INFO]\t{}\t{id}\tat {at}""#, iso(at));
    let mut story = Story::begin(Telemetry::On);
    story
        .invoke(100, id, Some(HEADER))
        .told(100, "platform.start", &start)
        .told(130, "platform.runtimeDone", &done(30));
    // All of the second attempt overtakes its INVOKE, and what is left of the first comes last.
    story
        .told(5000, "platform.start", &start)
        .told(5010, "function", &line(5010))
        .told(5020, "platform.runtimeDone", &done(20))
        .invoke(5021, id, Some(HEADER))
        .told(120, "function", &line(120))
        .told(131, "platform.report", &done(31))
        .told(130, "platform.runtimeDone", &done(30))
        .told(5022, "platform.report", &done(22));
    let (spans, logs) = story.drained();
    let mut shown = String::new();
    for span in &spans {
        let _ = writeln!(shown, "{}+{:?}", offset(span.start), span.duration());
        for log in logs.iter().filter(|log| log.span_id == Some(span.span_id)) {
            let _ = writeln!(shown, "  {} {}", offset(log.time), log.body.to_text());
        }
    }
    expect![[r#"
        100ms+30ms
          120ms at 120
          131ms REPORT RequestId: 8476a536-e9f4-11e8-9739-2dfe598c3fcd	Duration: 31.00 ms
        5s+20ms
          5.01s at 5010
          5.022s REPORT RequestId: 8476a536-e9f4-11e8-9739-2dfe598c3fcd	Duration: 22.00 ms
    "#]]
    .assert_eq(&shown);
}

#[test]
fn json_lines_weigh_what_their_fields_weigh() {
    let mut story = Story::begin(Telemetry::On);
    let record = format!(
        r#"{{"message":"short","order":{{"items":["{}"]}}}}"#,
        "x".repeat(100_000)
    );
    story.told(1, "function", &record);
    assert!(story.joiner.pending_bytes() > 100_000);
}

#[test]
fn spans_that_no_server_could_take_are_taken_out() {
    let json = br#"{"resourceSpans":[{"scopeSpans":[{"spans":[
        {"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174","name":"good"},
        {"traceId":"","spanId":"eee19b7ec3c1b174","name":"no trace"},
        {"traceId":"5b8efff798038103d269b633813fc60c","spanId":"0000000000000000","name":"zero"},
        {"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174","parentSpanId":"ab","name":"short"}]}]}]}"#;
    let mut request = Request::from_json(Signal::Traces, json).expect("OTLP");
    assert_eq!(otlp::remove_unusable(&mut request), 3);
    assert_eq!(request.items(), 1);
    let json = br#"{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"traceId":"ab","body":{"stringValue":"kept"}}]}]}]}"#;
    let mut request = Request::from_json(Signal::Logs, json).expect("OTLP");
    assert_eq!(otlp::remove_unusable(&mut request), 0);
    let Request::Logs(request) = request else {
        panic!("logs")
    };
    assert_eq!(
        wire::logs(request).expect("the bad id is gone")[0].body,
        Value::from("kept")
    );
}
