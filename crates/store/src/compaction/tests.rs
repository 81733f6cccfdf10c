use std::fs::{self, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::sync::atomic::{AtomicBool, Ordering};

use throughline_telemetry::wire::{Request, otlp};
use throughline_telemetry::{LogRecord, Span};
use throughline_testkit::{log, moment, span, trace_id};

use super::*;
use crate::testing::{TestDirectory, all_traces, put, put_logs, try_put};
use crate::{LogFilter, MetricFilter, Stats, Store, TraceFilter};

/// When all windows of these tests are over.
fn later() -> UnixNanos {
    moment(1 << 30)
}

fn point(name: &str, at: u64) -> Request {
    let point = otlp::metrics::v1::NumberDataPoint {
        time_unix_nano: moment(at).0,
        value: Some(otlp::metrics::v1::number_data_point::Value::AsInt(
            at.cast_signed(),
        )),
        ..Default::default()
    };
    let gauge = otlp::metrics::v1::Gauge {
        data_points: vec![point],
    };
    let metric = otlp::metrics::v1::Metric {
        name: name.to_owned(),
        data: Some(otlp::metrics::v1::metric::Data::Gauge(gauge)),
        ..Default::default()
    };
    let scope = otlp::metrics::v1::ScopeMetrics {
        metrics: vec![metric],
        ..Default::default()
    };
    let resource = otlp::metrics::v1::ResourceMetrics {
        scope_metrics: vec![scope],
        ..Default::default()
    };
    Request::Metrics(otlp::ExportMetricsServiceRequest {
        resource_metrics: vec![resource],
    })
}

/// Four generations of all signals, in which traces and operations come again and one span was
/// corrected.
async fn fill(store: &Store) {
    for round in 0..4_u64 {
        let mut spans: Vec<Span> = (0..30)
            .map(|n| {
                let span = span(["shop", "mail"][usize::from(n % 2 == 0)]);
                let span = span
                    .in_trace(1 + n % 7)
                    .id(100 * round + n)
                    .at(n * 3 + round);
                span.attribute("round", round.to_string()).build()
            })
            .collect();
        let corrected = span("shop").in_trace(3).id(7777).at(1).lasting(10 + round);
        spans.push(corrected.attribute("round", "corrected").build());
        let logs: Vec<LogRecord> = (0..40)
            .map(|n| log("shop").says(format!("{round} {n}")).in_trace(1 + n % 5))
            .map(|log| log.at(round % 2 * 1000).build())
            .collect();
        put(store, &spans).await;
        put_logs(store, &logs).await;
        for n in 0..3 {
            try_put(
                store,
                point(["a", "b"][usize::from(n == 1)], round * 10 + n),
            )
            .await
            .unwrap();
        }
        store.seal().unwrap();
    }
}

/// Everything that can be read, as text.
fn everything(store: &Store) -> String {
    let logs = LogFilter {
        limit: 1000,
        ..LogFilter::default()
    };
    let points = MetricFilter {
        limit: 1000,
        ..MetricFilter::default()
    };
    let traces = all_traces(store, &TraceFilter::default());
    let whole = (1..8).map(|n| store.trace(trace_id(n)).unwrap());
    let whole: Vec<_> = whole.collect();
    let (logs, points) = (store.find_logs(&logs), store.find_metrics(&points));
    format!(
        "{traces:#?}\n{whole:#?}\n{:#?}\n{:#?}",
        logs.unwrap(),
        points.unwrap()
    )
}

fn stats(store: &Store) -> Stats {
    store.stats()
}

#[tokio::test]
async fn merging_changes_nothing_that_is_read() {
    for rows_max in [u32::MAX, 8] {
        let directory = TestDirectory::new();
        let mut options = directory.options();
        options.segment_rows_max = rows_max;
        let (store, _) = Store::open(options).unwrap();
        fill(&store).await;
        let before = everything(&store);
        assert_eq!(stats(&store).segments, 12);
        store.compact(later()).unwrap();
        let after = stats(&store);
        assert_eq!((after.compaction_failures, after.duplicate_rows), (0, 3));
        if rows_max == u32::MAX {
            assert_eq!((after.segments, after.compactions), (3, 3));
        }
        assert_eq!(everything(&store), before, "at most {rows_max} rows");
        let shop = &store.services().unwrap()[1];
        assert_eq!((shop.name.as_str(), shop.span_count), ("shop", 61));
        store.close().await.unwrap();
        let store = directory.open();
        assert_eq!(
            everything(&store),
            before,
            "at most {rows_max} rows, reopened"
        );
    }
}

#[tokio::test]
async fn files_stay_until_the_last_reader_is_gone() {
    let directory = TestDirectory::new();
    let store = directory.open();
    fill(&store).await;
    let reader = store.reader();
    store.compact(later()).unwrap();
    assert_eq!(directory.files("segments").len(), 2 * (12 + 3));
    assert_eq!(
        reader.trace(trace_id(3)).unwrap(),
        store.trace(trace_id(3)).unwrap()
    );
    drop(reader);
    store.compact(later()).unwrap();
    let files = directory.files("segments");
    assert_eq!(files.len(), 2 * 3, "{files:?}");
    assert!(
        files.iter().all(|name| name.contains("-merged-")),
        "{files:?}"
    );
}

#[tokio::test]
async fn a_damaged_segment_is_left_as_it_is_and_the_others_are_merged() {
    let directory = TestDirectory::new();
    let store = directory.open();
    fill(&store).await;
    let name = "spans-0000000002-000.parquet";
    let path = directory.path().join("segments").join(name);
    let mut file = OpenOptions::new().write(true).open(&path).unwrap();
    file.seek(SeekFrom::Start(40)).unwrap();
    file.write_all(b"not what was written").unwrap();
    drop(file);
    store.compact(later()).unwrap();
    let files = directory.files("segments");
    let spans = files.iter().filter(|name| name.starts_with("spans-"));
    assert_eq!(
        spans.collect::<Vec<_>>(),
        [
            "spans-0000000002-000.index",
            name,
            "spans-merged-0000000001.index",
            "spans-merged-0000000001.parquet"
        ]
    );
    assert!(stats(&store).compaction_failures > 0);
}

#[tokio::test]
async fn a_merge_that_fails_leaves_nothing_and_is_done_again() {
    for step in [Step::SegmentWrite, Step::SegmentSynced, Step::MergedNamed] {
        let directory = TestDirectory::new();
        let fails = Arc::new(AtomicBool::new(false));
        let now_and_then = Arc::clone(&fails);
        let store = directory.open_probed(move |at| {
            match at == step && now_and_then.load(Ordering::Relaxed) {
                true => Err(io::Error::other("disk full")),
                false => Ok(()),
            }
        });
        fill(&store).await;
        let (before, files) = (everything(&store), directory.files("segments"));
        fails.store(true, Ordering::Relaxed);
        store.compact(later()).unwrap_err();
        assert_eq!(directory.files("segments"), files, "{step:?}");
        assert_eq!(everything(&store), before);
        fails.store(false, Ordering::Relaxed);
        store.compact(later()).unwrap();
        assert_eq!(everything(&store), before);
        assert_eq!(directory.files("segments").len(), 6);
    }
}

#[tokio::test]
async fn the_background_merges_and_stops_with_the_store() {
    let directory = TestDirectory::new();
    let mut options = directory.options();
    options.compacts = true;
    let (store, _) = Store::open(options).unwrap();
    fill(&store).await;
    while stats(&store).segments > 3 {
        tokio::task::yield_now().await;
    }
    store.close().await.unwrap();
    let store = directory.open();
    assert_eq!(stats(&store).segments, 3);
    assert!(fs::read_dir(directory.path().join("wal")).unwrap().count() > 0);
}

/// Its number stays its own, or what is moved back would meet another of its name.
#[tokio::test]
async fn a_merged_segment_that_was_set_aside_keeps_its_number() {
    let directory = TestDirectory::new();
    let store = directory.open();
    fill(&store).await;
    store.compact(later()).unwrap();
    store.close().await.unwrap();
    let rows = |number: u64| format!("segments/metrics-merged-{number:010}.parquet");
    let highest = (1..)
        .take_while(|n| *n < 9)
        .find(|n| directory.path().join(rows(*n)).exists());
    let highest = highest.unwrap();
    assert_eq!(highest, 3, "metrics are merged last");
    fs::write(directory.path().join(rows(highest)), "cut").unwrap();
    for _ in 0..2 {
        let store = directory.open();
        fill(&store).await;
        store.compact(later()).unwrap();
        assert!(!directory.path().join(rows(highest)).exists());
        let named = store.damaged();
        assert!(
            named
                .iter()
                .any(|line| line.contains("metrics-merged-0000000003")),
            "{named:?}"
        );
        store.close().await.unwrap();
    }
}
