mod random;

use std::cmp::Reverse;
use std::time::Duration;

use throughline_telemetry::{LogRecord, Span, TraceId, UnixNanos};
use throughline_testkit::{log, moment, span, trace_id};

use super::*;
use crate::Store;
use crate::testing::{TestDirectory, all_traces, newest_logs, put, put_logs};

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
            assert_eq!(trace.spans, std::slice::from_ref(&corrected));
            let page = store.find_traces(&TraceFilter::default()).unwrap();
            assert_eq!(page.traces[0].1, std::slice::from_ref(&corrected));
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

/// What is frequent is in the newest segment; of what is rare the indexes know where it may be.
#[tokio::test]
async fn a_search_reads_no_more_than_it_must() {
    let directory = TestDirectory::new();
    let store = directory.open();
    for part in 0..6_u64 {
        let spans: Vec<Span> = (0..200)
            .map(|n| {
                let user = if n == 7 {
                    format!("u-{part}")
                } else {
                    "u".to_owned()
                };
                let built = span(["shop", "mail"][usize::from(n % 2 == 0)]);
                let built = built.in_trace(1 + 1000 * part + n).at(part * 60_000 + n);
                built.attribute("user", user).build()
            })
            .collect();
        put(&store, &spans).await;
        store.seal().unwrap();
    }
    let frequent = TraceFilter {
        service: Some("mail".to_owned()),
        limit: 5,
        ..TraceFilter::default()
    };
    let mut reader = store.reader();
    reader.work_max = 700;
    let page = reader.find_traces(&frequent).unwrap();
    let numbers = [198, 196, 194, 192, 190].map(|n| trace_id(5001 + n));
    assert_eq!(ids(&page.traces), numbers);
    assert!(page.truncated && page.total >= 5, "{}", page.total);
    assert_eq!((page.parts_read, page.rows_read < 200), (1, true));
    // Whoever has the time counts all of them, and decodes none for that.
    let page = store.find_traces(&frequent).unwrap();
    assert_eq!((page.total, page.truncated), (600, false));
    assert_eq!(page.parts_read, 6);
    let rare = TraceFilter {
        attributes: vec![("user".to_owned(), "u-2".to_owned())],
        ..TraceFilter::default()
    };
    let page = store.find_traces(&rare).unwrap();
    assert_eq!(ids(&page.traces), [trace_id(2008)]);
    assert_eq!((page.total, page.truncated, page.parts_read), (1, false, 1));
    assert!((200..250).contains(&page.rows_read), "{}", page.rows_read);
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
        let list = store.services(&ServiceFilter::default()).unwrap();
        assert_eq!(list.services, [mail.clone(), shop]);
        let late = ServiceFilter {
            from: Some(moment(3)),
            to: Some(moment(4)),
        };
        assert_eq!(store.services(&late).unwrap().services, [mail]);
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
        assert_eq!(newest_logs(store).unwrap(), [untimed.clone(), old.clone()]);
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
