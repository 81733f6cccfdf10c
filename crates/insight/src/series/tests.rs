use throughline_telemetry::{Signal, wire, wire::Request};

use super::*;

const SECOND: u64 = 1_000_000_000;

/// The points of one OTLP metric, in JSON without what all have.
fn points(metric: &str, attributes: &str) -> Vec<MetricPoint> {
    let json = format!(
        r#"{{"resourceMetrics": [{{"resource": {{"attributes": [{attributes}]}},
            "scopeMetrics": [{{"metrics": [{{"name": "m", {metric}}}]}}]}}]}}"#
    );
    match Request::from_json(Signal::Metrics, json.as_bytes()).unwrap() {
        Request::Metrics(request) => wire::metric_points(request),
        _ => unreachable!(),
    }
}

fn sum(
    temporality: u8,
    monotonic: bool,
    values: &[(u64, u64, f64)],
    attributes: &str,
) -> Vec<MetricPoint> {
    let values = values.iter().map(|(start, time, value)| {
        format!(
            r#"{{"startTimeUnixNano": "{}", "timeUnixNano": "{}", "asDouble": {value}}}"#,
            start * SECOND,
            time * SECOND
        )
    });
    let values: Vec<String> = values.collect();
    let metric = format!(
        r#""sum": {{"aggregationTemporality": {temporality}, "isMonotonic": {monotonic}, "dataPoints": [{}]}}"#,
        values.join(",")
    );
    points(&metric, attributes)
}

/// Steps of ten seconds from second 100 to second 140.
fn query(calculation: LineCalculation, group_by: &[&str]) -> LineQuery {
    LineQuery {
        from: UnixNanos(100 * SECOND),
        to: UnixNanos(140 * SECOND),
        step_nanos: 10 * SECOND,
        calculation,
        group_by: group_by.iter().map(|key| (*key).to_owned()).collect(),
        lines_max: 10,
    }
}

fn check(points: &[MetricPoint], calculation: LineCalculation, expect: &[Option<f64>]) {
    let drawn = lines(points, &query(calculation, &[]));
    assert_eq!(drawn.lines.len(), 1, "{drawn:?}");
    assert_eq!(drawn.lines[0].values, expect, "{calculation:?}");
}

#[test]
fn deltas_are_added_and_cumulative_counters_are_compared() {
    let delta = sum(
        1,
        true,
        &[(0, 99, 9.0), (0, 101, 2.0), (0, 109, 3.0), (0, 135, 4.0)],
        "",
    );
    check(
        &delta,
        LineCalculation::Sum,
        &[Some(5.0), None, None, Some(4.0)],
    );
    check(
        &delta,
        LineCalculation::Rate,
        &[Some(0.5), None, None, Some(0.4)],
    );
    let cumulative = sum(
        2,
        true,
        &[
            (5, 95, 10.0),
            (5, 105, 13.0),
            (5, 115, 20.0),
            (5, 125, 20.0),
        ],
        "",
    );
    check(
        &cumulative,
        LineCalculation::Sum,
        &[Some(3.0), Some(7.0), Some(0.0), None],
    );
    // Nobody knows since when the first ten are there.
    check(
        &cumulative[1..],
        LineCalculation::Sum,
        &[None, Some(7.0), Some(0.0), None],
    );
}

#[test]
fn a_counter_that_begins_anew_counts_from_nothing() {
    let falls = sum(2, true, &[(5, 95, 10.0), (5, 105, 13.0), (5, 115, 4.0)], "");
    check(
        &falls,
        LineCalculation::Sum,
        &[Some(3.0), Some(4.0), None, None],
    );
    let restarts = sum(2, true, &[(5, 95, 10.0), (100, 105, 13.0)], "");
    check(
        &restarts,
        LineCalculation::Sum,
        &[Some(13.0), None, None, None],
    );
    let born = sum(2, true, &[(101, 105, 3.0)], "");
    check(&born, LineCalculation::Sum, &[Some(3.0), None, None, None]);
    let up_and_down = sum(
        2,
        false,
        &[(5, 95, 10.0), (5, 105, 13.0), (5, 115, 4.0)],
        "",
    );
    check(
        &up_and_down,
        LineCalculation::Last,
        &[Some(13.0), Some(4.0), None, None],
    );
    check(
        &up_and_down,
        LineCalculation::Sum,
        &[Some(3.0), Some(-9.0), None, None],
    );
}

#[test]
fn series_are_told_apart_before_they_are_put_together() {
    let of = |service: &str| {
        format!(r#"{{"key": "service.name", "value": {{"stringValue": "{service}"}}}}"#)
    };
    let mut all = sum(2, true, &[(5, 95, 10.0), (5, 105, 13.0)], &of("a"));
    all.extend(sum(2, true, &[(5, 95, 500.0), (5, 106, 501.0)], &of("b")));
    check(&all, LineCalculation::Sum, &[Some(4.0), None, None, None]);
    check(
        &all,
        LineCalculation::Last,
        &[Some(514.0), None, None, None],
    );
    let drawn = lines(&all, &query(LineCalculation::Sum, &["service"]));
    let groups: Vec<_> = drawn
        .lines
        .iter()
        .map(|line| (line.group[0].as_deref(), line.values[0]))
        .collect();
    let expect = [(Some("a"), Some(3.0)), (Some("b"), Some(1.0))];
    assert_eq!(groups, expect);
    let one = LineQuery {
        lines_max: 1,
        ..query(LineCalculation::Sum, &["service"])
    };
    let drawn = lines(&all, &one);
    assert!(drawn.truncated);
    assert_eq!(drawn.lines[0].group, [Some("a".to_owned())]);
    let nobody = lines(&all, &query(LineCalculation::Sum, &["nobody"]));
    assert_eq!(nobody.lines[0].group, [None]);
}

#[test]
fn gauges_have_values() {
    let values = [(101, 2.0), (105, 6.0), (120, 1.0)].map(|(time, value)| {
        format!(
            r#"{{"timeUnixNano": "{}", "asDouble": {value}}}"#,
            time * SECOND
        )
    });
    let gauge = points(
        &format!(r#""gauge": {{"dataPoints": [{}]}}"#, values.join(",")),
        "",
    );
    let none = [None; 2];
    for (calculation, first, third) in [
        (LineCalculation::Avg, 4.0, 1.0),
        (LineCalculation::Min, 2.0, 1.0),
        (LineCalculation::Max, 6.0, 1.0),
        (LineCalculation::Last, 6.0, 1.0),
        (LineCalculation::Count, 2.0, 1.0),
        (LineCalculation::Percentile(0.5), 2.0, 1.0),
    ] {
        check(
            &gauge,
            calculation,
            &[Some(first), none[0], Some(third), none[1]],
        );
    }
}

#[test]
fn histograms_have_percentiles() {
    let explicit = |temporality: u8, points_json: &str| {
        points(
            &format!(
                r#""histogram": {{"aggregationTemporality": {temporality}, "dataPoints": [{points_json}]}}"#
            ),
            "",
        )
    };
    let point = |time: u64, counts: &str, count: u64, sum: f64| {
        format!(
            r#"{{"startTimeUnixNano": "1", "timeUnixNano": "{}", "count": "{count}", "sum": {sum},
                "explicitBounds": [10, 20], "bucketCounts": [{counts}]}}"#,
            time * SECOND
        )
    };
    let delta = explicit(1, &point(101, r#""0", "4", "0""#, 4, 60.0));
    check(
        &delta,
        LineCalculation::Percentile(0.5),
        &[Some(15.0), None, None, None],
    );
    check(
        &delta,
        LineCalculation::Avg,
        &[Some(15.0), None, None, None],
    );
    check(
        &delta,
        LineCalculation::Rate,
        &[Some(0.4), None, None, None],
    );
    let two = format!(
        "{},{}",
        point(95, r#""7", "0", "0""#, 7, 7.0),
        point(105, r#""7", "2", "2""#, 11, 87.0)
    );
    let cumulative = explicit(2, &two);
    check(
        &cumulative,
        LineCalculation::Count,
        &[Some(4.0), None, None, None],
    );
    check(
        &cumulative,
        LineCalculation::Percentile(0.5),
        &[Some(20.0), None, None, None],
    );
    check(
        &cumulative,
        LineCalculation::Percentile(0.99),
        &[Some(20.0), None, None, None],
    );
}

#[test]
fn exponential_histograms_have_percentiles() {
    // Base 2: five measurements above 4 up to 8, and as many below zero.
    let metric = format!(
        r#""exponentialHistogram": {{"aggregationTemporality": 1, "dataPoints": [{{
            "timeUnixNano": "{}", "count": "10", "sum": 0, "scale": 0, "zeroCount": "0",
            "positive": {{"offset": 2, "bucketCounts": ["5"]}},
            "negative": {{"offset": 2, "bucketCounts": ["5"]}}}}]}}"#,
        110 * SECOND
    );
    let histogram = points(&metric, "");
    check(
        &histogram,
        LineCalculation::Percentile(1.0),
        &[None, Some(8.0), None, None],
    );
    check(
        &histogram,
        LineCalculation::Percentile(0.75),
        &[None, Some(6.0), None, None],
    );
    check(
        &histogram,
        LineCalculation::Percentile(0.25),
        &[None, Some(-6.0), None, None],
    );
}
