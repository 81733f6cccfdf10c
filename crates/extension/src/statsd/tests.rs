use expect_test::{Expect, expect};
use throughline_telemetry::UnixNanos;
use throughline_telemetry::wire::otlp::common::v1::{KeyValue, any_value::Value as Any};
use throughline_telemetry::wire::otlp::metrics::v1::{
    Metric, NumberDataPoint, metric::Data, number_data_point::Value,
};
use throughline_telemetry::wire::{Request, logs};

use super::*;

const START: UnixNanos = UnixNanos(1_000_000_000);
const END: UnixNanos = UnixNanos(2_000_000_000);

fn attributes(pairs: &[KeyValue]) -> String {
    let text = |pair: &KeyValue| match pair.value.as_ref().and_then(|value| value.value.as_ref()) {
        Some(Any::StringValue(text)) => format!(" {}={text}", pair.key),
        other => format!(" {}={other:?}", pair.key),
    };
    pairs.iter().map(text).collect()
}

fn number(point: &NumberDataPoint) -> String {
    let Some(Value::AsDouble(value)) = point.value else {
        panic!("a double")
    };
    let (start, time) = (point.start_time_unix_nano, point.time_unix_nano);
    let (start, time) = (start / 1_000_000_000, time / 1_000_000_000);
    format!(
        " {value} [{start}..{time}]{}",
        attributes(&point.attributes)
    )
}

fn metric(metric: &Metric) -> String {
    let (kind, points): (&str, Vec<String>) = match metric.data.as_ref().unwrap() {
        Data::Sum(data) => (
            if data.is_monotonic { "counter" } else { "sum" },
            data.data_points.iter().map(number).collect(),
        ),
        Data::Gauge(data) => ("gauge", data.data_points.iter().map(number).collect()),
        Data::ExponentialHistogram(data) => {
            let points = data.data_points.iter().map(|point| {
                let (sum, low, high) = (point.sum.unwrap(), point.min.unwrap(), point.max.unwrap());
                let buckets = |buckets: &Option<_>| format!("{:?}", buckets.as_ref().map(|b: &throughline_telemetry::wire::otlp::metrics::v1::exponential_histogram_data_point::Buckets| (b.offset, b.bucket_counts.iter().sum::<u64>())).unwrap());
                format!(" {}x sum {sum} {low}..{high} zero {} +{} -{}{}", point.count, point.zero_count, buckets(&point.positive), buckets(&point.negative), attributes(&point.attributes))
            });
            ("histogram", points.collect())
        }
        other => panic!("{other:?}"),
    };
    format!(
        "{} {kind} {}:{}\n",
        metric.name,
        metric.unit,
        points.join(",")
    )
}

fn shown(requests: Vec<Request>) -> String {
    let mut shown = String::new();
    for request in requests {
        match request {
            Request::Metrics(request) => {
                let scopes = request
                    .resource_metrics
                    .iter()
                    .flat_map(|from| &from.scope_metrics);
                shown.extend(scopes.flat_map(|scope| &scope.metrics).map(metric));
            }
            Request::Logs(request) => {
                for log in logs(request).unwrap() {
                    let about = serde_json::to_string(&log.attributes).unwrap();
                    let time = log.time.0 / 1_000_000_000;
                    shown += &format!(
                        "log {} {time} {:?} {about}\n",
                        log.severity_text,
                        log.body.to_text()
                    );
                }
            }
            Request::Traces(_) => panic!("there are no spans in StatsD"),
        }
    }
    shown
}

fn check(datagram: &str, expected: Expect) {
    let mut window = Window::default();
    let taken = window.take(datagram.as_bytes(), START, &mut Vec::new());
    let mut text = shown(window.drain(END));
    if taken != Taken::default() {
        text += &format!("{taken:?}\n");
    }
    expected.assert_eq(&text);
    assert!(window.is_empty());
}

#[test]
fn counters_are_added_up() {
    check(
        "orders:1|c\norders:2|c\norders:0.5|c|@0.5\nback:3|c\nback:-1|c\n",
        expect![[r#"
            back sum : 2 [1..2]
            orders counter : 4 [1..2]
        "#]],
    );
    check(
        "a:1|c|#z:1,b\na:1|c|#b,z:1\na:1|c|#b,z:2|c:abc\na:1|c|T1700000000",
        expect![[r#"
            a counter : 1 [1700000000..1700000000], 2 [1..2] b= z=1, 1 [1..2] b= z=2 container.id=abc
        "#]],
    );
}

#[test]
fn gauges_are_set_and_changed() {
    check(
        "q:10|g\nq:-3|g\nq:+1.5|g\nnew:+4|g\npacked:1:2:+3|g",
        expect![[r#"
            new gauge : 4 [0..2]
            packed gauge : 5 [0..2]
            q gauge : 8.5 [0..2]
        "#]],
    );
    let mut window = Window::default();
    let mut take = |line: &str| {
        window.take(line.as_bytes(), START, &mut Vec::new());
        shown(window.drain(END))
    };
    assert_eq!(take("q:10|g"), "q gauge : 10 [0..2]\n");
    assert_eq!(take("q:-4|g"), "q gauge : 6 [0..2]\n", "it is remembered");
}

#[test]
fn times_and_distributions_become_histograms() {
    check(
        "pay:320|ms\npay:10|ms|@0.1\npay:0|ms\nsize:1:2:3:-4|d\nsize:5|h|#a:b",
        expect![[r#"
            pay histogram ms: 12x sum 420 0..320 zero 1 +(53, 11) -(0, 0)
            size histogram : 4x sum 2 -4..3 zero 0 +(-1, 3) -(127, 1), 1x sum 5 5..5 zero 0 +(148, 1) -(0, 0) a=b
        "#]],
    );
}

#[test]
fn sets_count_what_differs() {
    check(
        "users:a|s\nusers:b|s\nusers:a|s\nusers:a:b|s|#x",
        expect![[r#"
            users gauge : 2 [0..2], 1 [0..2] x=
        "#]],
    );
}

#[test]
fn events_and_checks() {
    check(
        "_e{8,17}:deployed|version 2\\nis out|t:warning|p:low|k:d|s:ci|h:web|d:1700000000|#v:2,beta\n_e{1,2}:x|ä\n_e{0,0}:|",
        expect![[r#"
            log WARN 1700000000 "version 2\nis out" {"v":"2","beta":"","host.name":"web","event.title":"deployed","event.kind":"warning","event.priority":"low","event.aggregation_key":"d","event.source":"ci"}
            log INFO 1 "ä" {"event.title":"x"}
            log INFO 1 "" {"event.title":""}
        "#]],
    );
    check(
        "_sc|db|2|h:web|#a:b|m:no answer | at all\n_sc|db|0\n_sc|db|9\n_sc||1",
        expect![[r#"
            db gauge : 0 [0..2], 2 [0..2] a=b
            log ERROR 1 "no answer | at all" {"a":"b","host.name":"web","service_check.name":"db","service_check.status":"critical"}
            log INFO 1 "db" {"service_check.name":"db","service_check.status":"ok"}
            Taken { bad_lines: 2, forgotten_gauges: 0 }
        "#]],
    );
}

#[test]
fn fields_of_later_versions_are_skipped() {
    check(
        "a:1|c|e:it-false,cn-x|card:low|#t",
        expect![[r#"
        a counter : 1 [1..2] t=
    "#]],
    );
}

#[test]
fn what_is_no_line_is_counted() {
    for line in [
        "a",
        "a:1",
        "a:|c",
        ":1|c",
        "a:1|",
        "a:1|x",
        "a:one|c",
        "a:1,2,3|d",
        "a:nan|g",
        "a:inf|g",
        "a:1e999|c",
        "a:1|c|@0",
        "a:1|c|@2",
        "a:1|c|@-1",
        "a:1|c|@nan",
        "a:1|c|",
        "a:1|c|Tsoon",
        "a:1::2|h",
        "a:|s",
        "_e{1}:a|b",
        "_e{9,1}:a|b",
        "_e{1,1}:a|b|",
        "_e{1,1}:a|bc",
        "_e{1,1}:ä|b",
        "_e{-1,1}:a|b",
        "_sc|a",
        "_sc|a|4",
        "_x",
    ] {
        let taken = Window::default().take(line.as_bytes(), START, &mut Vec::new());
        assert_eq!(taken.bad_lines, 1, "{line}");
    }
    let taken = Window::default().take(b"a:1|c\r\n\n\xff\xfe:1|c\n", START, &mut Vec::new());
    assert_eq!(taken.bad_lines, 1);
}

#[test]
fn a_window_that_is_full_is_drained_and_loses_nothing() {
    let (mut window, mut full) = (Window::default(), Vec::new());
    let long = "x".repeat(500);
    for number in 0..5000 {
        let lines = format!(
            "a{number}:1|c\n{long}:1|c|#n:{}\n_e{{1,1}}:a|b",
            number % 100
        );
        window.take(lines.as_bytes(), START, &mut full);
    }
    assert!(full.len() > 5, "{}", full.len());
    let sums = full.iter().chain(&window.drain(END)).map(sum).sum::<f64>();
    assert_eq!(sums, 15_000.0);
}

/// Of the counters, and one for each log record.
fn sum(request: &Request) -> f64 {
    match request {
        Request::Metrics(request) => {
            let scopes = request
                .resource_metrics
                .iter()
                .flat_map(|from| &from.scope_metrics);
            let metrics = scopes.flat_map(|scope| &scope.metrics);
            let points = metrics.flat_map(|metric| match metric.data.as_ref().unwrap() {
                Data::Sum(data) => data.data_points.clone(),
                other => panic!("{other:?}"),
            });
            let value = |point: NumberDataPoint| match point.value {
                Some(Value::AsDouble(value)) => value,
                other => panic!("{other:?}"),
            };
            points.map(value).sum()
        }
        logs => u32::try_from(logs.items()).unwrap().into(),
    }
}

#[test]
fn gauges_are_remembered_up_to_a_limit() {
    let mut window = Window::default();
    let mut forgotten = 0;
    for number in 0..1100 {
        let line = format!("g{number}:+1|g\nh{number}:7|g");
        forgotten += window
            .take(line.as_bytes(), START, &mut Vec::new())
            .forgotten_gauges;
    }
    assert_eq!(forgotten, 600, "of those that are told as changes");
}
