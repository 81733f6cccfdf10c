use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::time::Duration;

use fastrand::Rng;
use throughline_telemetry::{LogRecord, Span, SpanStatus, TraceId, UnixNanos, Value};
use throughline_testkit::{log, moment, span, trace_id};

use super::*;
use crate::Store;
use crate::testing::{TestDirectory, all_traces, put, put_logs};

/// Asks the same of a store where everything is buffered, one where everything is sealed, and one
/// where every second row is.
async fn check_everywhere(spans: &[Span], logs: &[LogRecord], ask: impl Fn(&Store)) {
    for sealed in ["none", "all", "half"] {
        let directory = TestDirectory::new();
        let store = directory.open();
        let first = |row: usize| sealed != "half" || row.is_multiple_of(2);
        let (early, late): (Vec<_>, Vec<_>) = spans
            .iter()
            .cloned()
            .enumerate()
            .partition(|(row, _)| first(*row));
        let (early_logs, late_logs): (Vec<_>, Vec<_>) = logs
            .iter()
            .cloned()
            .enumerate()
            .partition(|(row, _)| first(*row));
        put(&store, &without_rows(early)).await;
        put_logs(&store, &without_rows(early_logs)).await;
        if sealed != "none" {
            store.seal().unwrap();
        }
        put(&store, &without_rows(late)).await;
        put_logs(&store, &without_rows(late_logs)).await;
        ask(&store);
    }
}

fn without_rows<T>(numbered: Vec<(usize, T)>) -> Vec<T> {
    numbered.into_iter().map(|(_, row)| row).collect()
}

fn ids(traces: &[(TraceId, Vec<Span>)]) -> Vec<TraceId> {
    traces.iter().map(|(id, _)| *id).collect()
}

#[tokio::test]
async fn a_trace_is_whole_wherever_its_spans_are() {
    let root = span("shop").at(0).lasting(100).build();
    let child = span("stock").child_of(&root).at(10).build();
    let other = span("shop").in_trace(2).at(5).build();
    let last = span("mail").child_of(&child).at(90).build();
    let logs = [
        log("stock").says("second").during(&child).at(12).build(),
        log("shop").says("first").during(&root).at(1).build(),
        log("shop").says("of nobody").at(2).build(),
    ];
    let spans = [root.clone(), child.clone(), other, last.clone()];
    check_everywhere(&spans, &logs, |store| {
        let trace = store.trace(root.trace_id).unwrap();
        assert_eq!(trace.spans, [root.clone(), child.clone(), last.clone()]);
        assert_eq!(trace.logs, [logs[1].clone(), logs[0].clone()]);
        assert!(!trace.truncated);
        assert_eq!(store.trace(trace_id(77)).unwrap(), TraceRows::default());
    })
    .await;
}

#[tokio::test]
async fn a_span_sent_twice_is_there_once() {
    let early = span("shop").id(1).at(0).lasting(10).build();
    let corrected = span("shop").id(1).at(0).lasting(20).error().build();
    for spans in [[&early, &corrected, &early], [&corrected, &early, &early]] {
        let spans = spans.map(Span::clone);
        check_everywhere(&spans, &[], |store| {
            let trace = store.trace(early.trace_id).unwrap();
            assert_eq!(trace.spans, [corrected.clone()]);
            let page = store.find_traces(&TraceFilter::default()).unwrap();
            assert_eq!(page.traces[0].1, [corrected.clone()]);
            assert_eq!(page.total, 1);
        })
        .await;
    }
}

#[tokio::test]
async fn filters_hold_on_one_span_or_on_the_trace() {
    let both = span("shop")
        .named("GET /")
        .at(1)
        .attribute("status", 200)
        .build();
    let failed = span("shop")
        .named("GET /")
        .in_trace(2)
        .at(2)
        .lasting(500)
        .error()
        .build();
    // The service is right on one span and the operation on another.
    let split = span("shop").named("POST /").in_trace(3).at(3).build();
    let split_child = span("mail")
        .named("GET /")
        .child_of(&split)
        .at(900)
        .lasting(200)
        .build();
    let remote = span("mail")
        .in_trace(4)
        .at(4)
        .resource_attribute("region", "eu")
        .build();
    let spans = [both, failed, split, split_child, remote];
    let check = |filter: TraceFilter, expect: &[u64]| {
        let expect: Vec<TraceId> = expect.iter().map(|number| trace_id(*number)).collect();
        let spans = spans.clone();
        async move {
            check_everywhere(&spans, &[], |store| {
                assert_eq!(ids(&all_traces(store, &filter)), expect, "{filter:?}");
            })
            .await;
        }
    };
    let all = TraceFilter::default;
    let text = |text: &str| Some(text.to_owned());
    check(all(), &[4, 3, 2, 1]).await;
    check(
        TraceFilter {
            service: text("shop"),
            ..all()
        },
        &[3, 2, 1],
    )
    .await;
    check(
        TraceFilter {
            operation: text("GET /"),
            ..all()
        },
        &[3, 2, 1],
    )
    .await;
    let shop_get = TraceFilter {
        service: text("shop"),
        operation: text("GET /"),
        ..all()
    };
    check(shop_get, &[2, 1]).await;
    check(
        TraceFilter {
            service: text("nobody"),
            ..all()
        },
        &[],
    )
    .await;
    check(
        TraceFilter {
            status: Some(TraceStatus::Error),
            ..all()
        },
        &[2],
    )
    .await;
    check(
        TraceFilter {
            status: Some(TraceStatus::Ok),
            ..all()
        },
        &[4, 3, 1],
    )
    .await;
    let long = |millis| Some(Duration::from_millis(millis));
    check(
        TraceFilter {
            min_duration: long(500),
            ..all()
        },
        &[3, 2],
    )
    .await;
    check(
        TraceFilter {
            min_duration: long(1097),
            ..all()
        },
        &[3],
    )
    .await;
    check(
        TraceFilter {
            min_duration: long(1098),
            ..all()
        },
        &[],
    )
    .await;
    let has = |key: &str, value: &str| vec![(key.to_owned(), value.to_owned())];
    check(
        TraceFilter {
            attributes: has("status", "200"),
            ..all()
        },
        &[1],
    )
    .await;
    check(
        TraceFilter {
            attributes: has("region", "eu"),
            ..all()
        },
        &[4],
    )
    .await;
    check(
        TraceFilter {
            attributes: has("region", "us"),
            ..all()
        },
        &[],
    )
    .await;
    let time = |from, to| TraceFilter {
        from: Some(moment(from)),
        to: Some(moment(to)),
        ..all()
    };
    check(time(2, 4), &[3, 2]).await;
    check(time(4, 4), &[]).await;
}

#[tokio::test]
async fn services_are_counted_wherever_their_spans_are() {
    let spans = [
        span("shop").named("GET /").at(1).lasting(9).build(),
        span("shop")
            .named("POST /")
            .at(2)
            .lasting(3)
            .error()
            .build(),
        span("mail").named("send").at(3).lasting(1).build(),
    ];
    check_everywhere(&spans, &[log("quiet").build()], |store| {
        let shop = ServiceRow {
            name: "shop".to_owned(),
            span_count: 2,
            error_count: 1,
            operations: vec!["GET /".to_owned(), "POST /".to_owned()],
            last_seen: moment(10),
        };
        let mail = ServiceRow {
            name: "mail".to_owned(),
            span_count: 1,
            error_count: 0,
            operations: vec!["send".to_owned()],
            last_seen: moment(4),
        };
        assert_eq!(store.services().unwrap(), [mail, shop]);
    })
    .await;
}

#[tokio::test]
async fn a_log_without_a_time_is_found_by_when_it_was_received() {
    let mut untimed = log("shop").says("when?").build();
    untimed.time = UnixNanos(0);
    untimed.observed_time = UnixNanos(0);
    let old = log("shop").says("long ago").build();
    let old = LogRecord {
        time: UnixNanos(5),
        ..old
    };
    check_everywhere(&[], &[untimed.clone(), old.clone()], |store| {
        let page = store.find_logs(&LogFilter::default()).unwrap();
        assert_eq!(page.logs, [untimed.clone(), old.clone()]);
    })
    .await;
}

#[tokio::test]
async fn metric_points_are_found_by_name() {
    use throughline_telemetry::wire::{Request, otlp};
    let point = |time: u64| otlp::metrics::v1::NumberDataPoint {
        time_unix_nano: time,
        value: Some(otlp::metrics::v1::number_data_point::Value::AsInt(1)),
        ..Default::default()
    };
    let metric = |name: &str, times: &[u64]| otlp::metrics::v1::Metric {
        name: name.to_owned(),
        data: Some(otlp::metrics::v1::metric::Data::Gauge(
            otlp::metrics::v1::Gauge {
                data_points: times.iter().map(|time| point(*time)).collect(),
            },
        )),
        ..Default::default()
    };
    let request = |metrics| {
        let scope = otlp::metrics::v1::ScopeMetrics {
            metrics,
            ..Default::default()
        };
        let resource = otlp::metrics::v1::ResourceMetrics {
            scope_metrics: vec![scope],
            ..Default::default()
        };
        Request::Metrics(otlp::ExportMetricsServiceRequest {
            resource_metrics: vec![resource],
        })
    };
    let directory = TestDirectory::new();
    let store = directory.open();
    let sealed = request(vec![metric("memory", &[1, 3]), metric("cpu", &[2])]);
    crate::testing::try_put(&store, sealed).await.unwrap();
    store.seal().unwrap();
    let buffered = request(vec![metric("memory", &[2])]);
    crate::testing::try_put(&store, buffered).await.unwrap();
    let filter = MetricFilter {
        name: Some("memory".to_owned()),
        ..MetricFilter::default()
    };
    let page = store.find_metrics(&filter).unwrap();
    let times: Vec<u64> = page.points.iter().map(|point| point.time.0).collect();
    assert_eq!(
        (times, page.total, page.truncated),
        (vec![3, 2, 1], 3, false)
    );
    let one = MetricFilter {
        limit: 1,
        to: Some(UnixNanos(3)),
        ..filter
    };
    let page = store.find_metrics(&one).unwrap();
    assert_eq!(page.points.len(), 1);
    assert_eq!(page.points[0].time, UnixNanos(2));
}

/// A search that may look at little goes on where it stopped, leaves nothing out and shows nothing
/// twice; and what it finds is what a loop over all rows finds.
#[tokio::test]
async fn searches_agree_with_a_loop_over_all_rows() {
    for seed in 0..60 {
        let mut rng = Rng::with_seed(seed);
        let directory = TestDirectory::new();
        let mut store = directory.open();
        let mut spans = Vec::new();
        let mut logs = Vec::new();
        for number in 0..rng.u64(1..12) {
            let mut batch: Vec<Span> = (0..rng.usize(1..9))
                .map(|_| random_span(&mut rng))
                .collect();
            if let (true, Some(again)) = (rng.bool(), rng.choice(&spans)) {
                batch.push(Span::clone(again));
            }
            let some_logs: Vec<_> = (0..rng.u64(1..6))
                .map(|n| random_log(&mut rng, 10 * number + n))
                .collect();
            put(&store, &batch).await;
            put_logs(&store, &some_logs).await;
            spans.extend(batch);
            logs.extend(some_logs);
            match rng.u32(0..6) {
                0 | 1 => store.seal().unwrap(),
                2 => {
                    drop(store);
                    store = directory.open();
                }
                _ => {}
            }
        }
        for _ in 0..20 {
            check_traces(
                &store,
                &spans,
                &random_trace_filter(&mut rng),
                &mut rng,
                seed,
            );
            check_logs(&store, &logs, &random_log_filter(&mut rng), &mut rng, seed);
        }
    }
}

fn random_span(rng: &mut Rng) -> Span {
    let number = rng.u64(1..20);
    let minutes = rng.u64(0..40);
    let built = span(["shop", "mail", "stock"][rng.usize(0..3)])
        .named(["GET /", "POST /", "send"][rng.usize(0..3)])
        .in_trace(number)
        .id(rng.u64(..))
        // Few distinct starts, so that traces with the same start occur.
        .at(minutes * 60_000)
        .lasting(rng.u64(0..5) * 100)
        .attribute("status", ["200", "500"][rng.usize(0..2)]);
    if rng.u32(0..8) == 0 {
        built.error().build()
    } else {
        built.build()
    }
}

fn random_log(rng: &mut Rng, number: u64) -> LogRecord {
    let built = log(["shop", "mail"][rng.usize(0..2)])
        .says(Value::Int(number.cast_signed()))
        .severity([9, 13, 17][rng.usize(0..3)], "")
        .at(rng.u64(0..40) * 60_000);
    if rng.bool() {
        built.in_trace(rng.u64(1..5)).build()
    } else {
        built.build()
    }
}

fn random_trace_filter(rng: &mut Rng) -> TraceFilter {
    let mut maybe = |chance: u32| rng.u32(0..chance) == 0;
    let mut filter = TraceFilter {
        service: maybe(3).then(|| "mail".to_owned()),
        operation: maybe(4).then(|| "send".to_owned()),
        status: maybe(3).then_some(TraceStatus::Error),
        min_duration: maybe(4).then(|| Duration::from_millis(400)),
        ..TraceFilter::default()
    };
    if maybe(4) {
        filter
            .attributes
            .push(("status".to_owned(), "500".to_owned()));
    }
    if maybe(6) {
        filter.status = Some(TraceStatus::Ok);
    }
    filter.from = (rng.u32(0..3) == 0).then(|| moment(rng.u64(0..40) * 60_000));
    filter.to = (rng.u32(0..3) == 0).then(|| moment(rng.u64(0..40) * 60_000));
    filter.limit = rng.usize(1..9);
    filter
}

fn random_log_filter(rng: &mut Rng) -> LogFilter {
    LogFilter {
        service: (rng.u32(0..3) == 0).then(|| "mail".to_owned()),
        trace_id: (rng.u32(0..4) == 0).then(|| trace_id(2)),
        min_severity: (rng.u32(0..3) == 0).then_some(13),
        from: (rng.u32(0..3) == 0).then(|| moment(rng.u64(0..40) * 60_000)),
        to: (rng.u32(0..3) == 0).then(|| moment(rng.u64(0..40) * 60_000)),
        limit: rng.usize(1..9),
        after: None,
    }
}

fn check_traces(store: &Store, spans: &[Span], filter: &TraceFilter, rng: &mut Rng, seed: u64) {
    let expected = loop_over_spans(spans, filter);
    let mut filter = filter.clone();
    let mut found = Vec::new();
    loop {
        let mut reader = store.reader();
        reader.work_max = if rng.bool() {
            WORK_MAX
        } else {
            rng.u64(1..3000)
        };
        let page = reader.find_traces(&filter).unwrap();
        let left = expected.len() - found.len();
        let total = usize::try_from(page.total).unwrap();
        if page.truncated {
            assert!(total <= left, "seed {seed}: {total} of {left}, {filter:?}");
        } else {
            assert_eq!(total, left, "seed {seed}: {filter:?}");
        }
        assert!(page.traces.len() <= filter.limit);
        found.extend(page.traces);
        match page.next {
            Some(next) => filter.after = Some(next),
            None => break,
        }
    }
    assert_eq!(ids(&found), ids(&expected), "seed {seed}: {filter:?}");
    for ((_, found), (_, expected)) in found.iter().zip(&expected) {
        assert_eq!(found, expected, "seed {seed}: {filter:?}");
    }
}

fn loop_over_spans(spans: &[Span], filter: &TraceFilter) -> Vec<(TraceId, Vec<Span>)> {
    let mut traces: BTreeMap<TraceId, Vec<Span>> = BTreeMap::new();
    for span in spans {
        let trace = traces.entry(span.trace_id).or_default();
        if !trace.contains(span) {
            trace.push(span.clone());
        }
    }
    let mut found: Vec<(TraceId, Vec<Span>)> = traces
        .into_iter()
        .filter(|(_, spans)| expected_to_pass(spans, filter))
        .collect();
    for (_, spans) in &mut found {
        spans.sort_by_key(|span| (span.start, span.span_id));
    }
    found.sort_by_key(|(id, spans)| (Reverse(spans[0].start), *id));
    found
}

/// Says again in plain words what [`TraceFilter`] says.
fn expected_to_pass(spans: &[Span], filter: &TraceFilter) -> bool {
    let start = spans.iter().map(|span| span.start).min().unwrap();
    let end = spans.iter().map(|span| span.end).max().unwrap();
    let failed = spans.iter().any(|span| span.status == SpanStatus::Error);
    let one_span = spans.iter().any(|span| {
        filter
            .service
            .as_deref()
            .is_none_or(|service| service == span.service())
            && filter
                .operation
                .as_ref()
                .is_none_or(|name| *name == span.name)
            && filter
                .attributes
                .iter()
                .all(|(key, value)| span.attributes.text(key) == Some(value))
    });
    one_span
        && filter
            .status
            .is_none_or(|status| (status == TraceStatus::Error) == failed)
        && filter
            .min_duration
            .is_none_or(|min| end.since(start) >= min)
        && filter.from.is_none_or(|from| start >= from)
        && filter.to.is_none_or(|to| start < to)
}

fn check_logs(store: &Store, logs: &[LogRecord], filter: &LogFilter, rng: &mut Rng, seed: u64) {
    let passes = |log: &&LogRecord| {
        filter
            .service
            .as_deref()
            .is_none_or(|service| service == log.resource.service())
            && filter.trace_id.is_none_or(|id| log.trace_id == Some(id))
            && filter
                .min_severity
                .is_none_or(|min| log.severity_number >= min)
            && filter.from.is_none_or(|from| log.time >= from)
            && filter.to.is_none_or(|to| log.time < to)
    };
    // Of the same time, the last received first.
    let mut expected: Vec<&LogRecord> = logs.iter().rev().filter(passes).collect();
    expected.sort_by_key(|log| Reverse(log.time));
    let mut filter = filter.clone();
    let mut found = Vec::new();
    loop {
        let mut reader = store.reader();
        reader.work_max = if rng.bool() {
            WORK_MAX
        } else {
            rng.u64(1..3000)
        };
        let page = reader.find_logs(&filter).unwrap();
        let left = (expected.len() - found.len()) as u64;
        if page.truncated {
            assert!(page.total <= left, "seed {seed}: {filter:?}");
        } else {
            assert_eq!(page.total, left, "seed {seed}: {filter:?}");
        }
        found.extend(page.logs);
        match page.next {
            Some(next) => filter.after = Some(next),
            None => break,
        }
    }
    assert_eq!(
        found.iter().collect::<Vec<_>>(),
        expected,
        "seed {seed}: {filter:?}"
    );
}

/// More records than a block has, many of the same time, in several segments.
#[tokio::test]
async fn pages_of_logs_go_on_in_the_middle_of_a_segment() {
    let directory = TestDirectory::new();
    let store = directory.open();
    let mut logs = Vec::new();
    for part in 0..3_u64 {
        let number = |n: u64| Value::Int((part * 10_000 + n).cast_signed());
        let some: Vec<_> = (0..5000)
            .map(|n| log("a").says(number(n)).at(n / 900).build())
            .collect();
        put_logs(&store, &some).await;
        logs.extend(some);
        if part < 2 {
            store.seal().unwrap();
        }
    }
    logs.reverse();
    logs.sort_by_key(|log| Reverse(log.time));
    let mut filter = LogFilter {
        limit: 1000,
        ..LogFilter::default()
    };
    for work_max in [WORK_MAX, 10_000] {
        let mut found: Vec<LogRecord> = Vec::new();
        filter.after = None;
        loop {
            let mut reader = store.reader();
            reader.work_max = work_max;
            let page = reader.find_logs(&filter).unwrap();
            if !page.truncated {
                assert_eq!(page.total, (logs.len() - found.len()) as u64);
            }
            found.extend(page.logs);
            match page.next {
                Some(next) => filter.after = Some(next),
                None => break,
            }
        }
        assert_eq!(found.len(), logs.len());
        assert!(found == logs);
    }
}
