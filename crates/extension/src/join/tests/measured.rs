//! Metrics of invocations and of log lines.

use throughline_telemetry::model::MetricKind;

use super::*;

impl Story {
    /// The points that [`Story::drained`] came across, one a line.
    pub(super) fn points(&mut self) -> String {
        let mut shown = String::new();
        for request in std::mem::take(&mut self.metrics) {
            for point in wire::metric_points(request) {
                let number = match point.kind {
                    MetricKind::Gauge | MetricKind::Sum => format!("{}", point.value),
                    _ => format!("{} in {}", point.value, point.count),
                };
                let attributes = serde_json::to_string(&point.attributes).unwrap();
                let _ = writeln!(
                    shown,
                    "{} {:?} {number} {} at {} since {} {attributes}",
                    point.name,
                    point.kind,
                    point.unit,
                    offset(point.time),
                    if point.start.is_known() {
                        offset(point.start)
                    } else {
                        "-".to_owned()
                    },
                );
            }
        }
        shown
    }
}

fn begin() -> Story {
    let mut story = Story::begin(Telemetry::On);
    story.joiner.make(Signals { metrics: true });
    story
}

#[test]
fn an_invocation_and_its_late_report_are_measured_once() {
    let mut story = begin();
    let done = r#"{"requestId":"r-1","status":"success","metrics":{"durationMs":30.5,"producedBytes":15}}"#;
    let report = r#"{"requestId":"r-1","status":"success","metrics":{"durationMs":34.9,"billedDurationMs":209,"memorySizeMB":256,"maxMemoryUsedMB":84,"initDurationMs":173.9}}"#;
    story
        .cold_start()
        .told(200, "platform.start", r#"{"requestId":"r-1"}"#)
        .invoke(201, "r-1", Some(HEADER))
        .told(231, "platform.runtimeDone", done)
        .drained();
    expect![[r#"
        faas.init_duration ExponentialHistogram 0.173778 in 1 s at 173.778ms since 0ns {}
        faas.invocations Sum 1 {invocation} at 230.5ms since 200ms {"faas.coldstart":true}
        faas.coldstarts Sum 1 {coldstart} at 230.5ms since 200ms {}
        faas.invoke_duration ExponentialHistogram 0.0305 in 1 s at 230.5ms since 200ms {"faas.coldstart":true}
        throughline.response.size ExponentialHistogram 15 in 1 By at 230.5ms since 200ms {}
    "#]].assert_eq(&story.points());
    story
        .invoke(900, "r-2", Some(HEADER))
        .told(901, "platform.report", report)
        .told(902, "platform.report", report)
        .drained();
    expect![[r#"
        throughline.duration.billed ExponentialHistogram 0.209 in 1 s at 230.5ms since 200ms {}
        faas.mem_usage ExponentialHistogram 88080384 in 1 By at 230.5ms since 200ms {}
        throughline.memory.size Gauge 268435456 By at 230.5ms since - {}
        throughline.cost Sum 0.0000010708351 {USD} at 230.5ms since 200ms {"throughline.price.region":"eu-west-1"}
    "#]].assert_eq(&story.points());
}

#[test]
fn failures_are_counted_by_kind() {
    let mut story = begin();
    for (at, id, status) in [
        (
            100,
            "timed out",
            r#""timeout","metrics":{"durationMs":3000}"#,
        ),
        (5100, "exited", r#""error","errorType":"Runtime.ExitError""#),
        (6100, "heap", r#""error","errorType":"Runtime.OutOfMemory""#),
    ] {
        let done = format!(r#"{{"requestId":"{id}","status":{status}}}"#);
        story
            .invoke(at, id, None)
            .told(at + 50, "platform.runtimeDone", &done);
    }
    story.drained();
    expect![[r#"
        faas.errors Sum 1 {error} at 3.1s since 100ms {"error.type":"timeout"}
        faas.errors Sum 1 {error} at 5.15s since 5.1s {"error.type":"Runtime.ExitError"}
        faas.errors Sum 1 {error} at 6.15s since 6.1s {"error.type":"Runtime.OutOfMemory"}
        faas.coldstarts Sum 1 {coldstart} at 3.1s since 100ms {}
        faas.timeouts Sum 1 {timeout} at 3.1s since 100ms {}
        faas.invoke_duration ExponentialHistogram 3 in 1 s at 3.1s since 100ms {"faas.coldstart":true}
        faas.invoke_duration ExponentialHistogram 0.05 in 1 s at 5.15s since 5.1s {"faas.coldstart":false}
        faas.invoke_duration ExponentialHistogram 0.05 in 1 s at 6.15s since 6.1s {"faas.coldstart":false}
        throughline.out_of_memory Sum 1 {invocation} at 6.15s since 6.1s {}
    "#]].assert_eq(&story.points());
}

#[test]
fn numbers_in_lines_become_points_of_their_invocation_and_the_lines_stay() {
    let mut story = begin();
    story.invoke(100, "r-1", Some(HEADER));
    for line in [
        r#""{\"_aws\":{\"Timestamp\":1791460800105,\"CloudWatchMetrics\":[{\"Namespace\":\"Shop\",\"Dimensions\":[[\"service\"],[\"service\",\"region\"]],\"Metrics\":[{\"Name\":\"Latency\",\"Unit\":\"Milliseconds\"},{\"Name\":\"absent\"}]},{\"Namespace\":\"Shop\",\"Dimensions\":[[\"zone\"]],\"Metrics\":[{\"Name\":\"Latency\",\"Unit\":\"Milliseconds\"}]},{\"Namespace\":\"Ops\",\"Dimensions\":[[]],\"Metrics\":[{\"Name\":\"Latency\"}]}]},\"service\":\"orders\",\"region\":\"eu\",\"zone\":\"a\",\"orderId\":7,\"Latency\":[12.5,7]}""#,
        r#"{"_aws":{"Timestamp":1791460800106,"CloudWatchMetrics":[{"Namespace":"Shop","Metrics":[{"Name":"Sizes","Unit":"Bytes/Second"}]}]},"Sizes":{"Count":3,"Sum":6,"Min":1,"Max":3}}"#,
        r#""MONITORING|1791460800|8|count|orders|#size:l""#,
        r#""MONITORING|1791460800|9|count|orders|#size:l""#,
        r#""MONITORING|1791460800|3|gauge|queue""#,
    ] {
        story.told(105, "function", line);
    }
    story.told(
        130,
        "platform.runtimeDone",
        r#"{"requestId":"r-1","status":"success"}"#,
    );
    let (spans, logs) = story.drained();
    assert_eq!(logs.len(), 5);
    assert!(
        logs[0].body.to_text().contains(r#""orderId":7"#),
        "{:?}",
        logs[0]
    );
    let exemplars: Vec<_> = story.metrics[0].resource_metrics[0].scope_metrics[0]
        .metrics
        .iter()
        .filter_map(|metric| match metric.data.as_ref()? {
            throughline_telemetry::wire::otlp::metrics::v1::metric::Data::Sum(sum)
                if metric.name == "orders" =>
            {
                Some(sum.data_points[0].exemplars[0].clone())
            }
            _ => None,
        })
        .collect();
    assert_eq!(exemplars[0].span_id, spans[0].span_id.as_bytes());
    assert_eq!(
        exemplars[0].filtered_attributes[0].key,
        "faas.invocation_id"
    );
    let points = story.points();
    let of_lines: Vec<&str> = points
        .lines()
        .filter(|line| !line.starts_with("faas."))
        .collect();
    expect![[r#"
        Latency ExponentialHistogram 19.5 in 2 ms at 105ms since 100ms {"service":"orders","region":"eu","throughline.metric.namespace":"Shop","zone":"a"}
        Latency ExponentialHistogram 19.5 in 2  at 105ms since 100ms {"throughline.metric.namespace":"Ops"}
        Sizes Histogram 6 in 3 By/s at 106ms since 100ms {"throughline.metric.namespace":"Shop"}
        orders Sum 8 1 at 0ns since 0ns {"size":"l"}
        orders Sum 9 1 at 0ns since 0ns {"size":"l"}
        queue Gauge 3  at 0ns since - {}"#]].assert_eq(&of_lines.join("\n"));
}

#[test]
fn series_are_bounded_and_what_is_beyond_stays_in_its_line() {
    let mut story = begin();
    story.invoke(100, "r-1", None);
    for order in 0..1200 {
        let line = format!(r#""MONITORING|1791460800|1|count|orders|#order:{order}""#);
        story.told(105, "function", &line);
    }
    let (_, logs) = story.drained();
    assert_eq!(logs.len(), 1200);
    assert_eq!(story.points().lines().count(), 1000);
    assert_eq!(story.counters.count(Counter::MeasureLimit), 200);
    // A known series still counts.
    story
        .told(
            106,
            "function",
            r#""MONITORING|1791460800|1|count|orders|#order:0""#,
        )
        .drained();
    assert_eq!(story.points().lines().count(), 1);
}

#[test]
fn nothing_is_measured_when_it_is_switched_off() {
    let mut story = Story::begin(Telemetry::On);
    story
        .invoke(100, "r-1", None)
        .told(105, "function", r#""MONITORING|1791460800|1|count|orders""#)
        .told(130, "platform.runtimeDone", r#"{"requestId":"r-1","status":"success"}"#)
        .told(131, "platform.report", r#"{"requestId":"r-1","status":"success","metrics":{"billedDurationMs":1,"memorySizeMB":128}}"#)
        .drained();
    assert_eq!(story.points(), "");
}
