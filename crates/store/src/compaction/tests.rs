use std::cell::Cell;
use std::fs::{self, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::sync::atomic::{AtomicBool, Ordering};

use throughline_telemetry::wire::{Request, traces_request};
use throughline_telemetry::{LogRecord, Span};
use throughline_testkit::{log, moment, span, trace_id};

use super::*;
use crate::limits::{MERGE_RETRY_MAX, MERGE_RETRY_MIN};
use crate::probe::Probe;
use crate::testing::{
    TestDirectory, all_traces, logs_of, newest_logs, origin, point, put, put_logs, try_put,
    try_put_from,
};
use crate::{
    CompletenessFilter, MetricFilter, Retention, ServiceFilter, Stats, Store, TraceFilter,
};

/// When all windows of these tests are over.
fn later() -> UnixNanos {
    moment(1 << 30)
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
            let name = ["a", "b"][usize::from(n == 1)];
            let point = point(name, moment(round * 10 + n));
            try_put(store, point).await.unwrap();
        }
        store.seal().unwrap();
    }
}

/// Everything that can be read, as text.
fn everything(store: &Store) -> String {
    let points = MetricFilter {
        limit: 1000,
        ..MetricFilter::default()
    };
    let traces = all_traces(store, &TraceFilter::default());
    let whole = (1..8).map(|n| store.trace(trace_id(n)).unwrap());
    let whole: Vec<_> = whole.collect();
    let (logs, points) = (newest_logs(store), store.find_metrics(&points));
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
        let shop = &store.services(&ServiceFilter::default()).unwrap().services[1];
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
async fn nothing_of_a_replaced_segment_stays_in_memory() {
    let directory = TestDirectory::new();
    let store = directory.open();
    fill(&store).await;
    everything(&store);
    let files = &store.shared().files;
    let ids = |store: &Store| -> Vec<_> {
        let segments = store.shared().live.segments();
        segments.all().map(|segment| segment.id).collect()
    };
    let before = ids(&store);
    assert!(before.iter().all(|id| files.remembers(*id)), "{before:?}");
    store.compact(later()).unwrap();
    everything(&store);
    assert!(ids(&store).iter().all(|id| files.remembers(*id)));
    assert!(!before.iter().any(|id| files.remembers(*id)));
}

#[tokio::test]
async fn replaced_files_go_while_others_are_merged() {
    let directory = TestDirectory::new();
    let store = directory.open();
    fill(&store).await;
    let before = directory.files("segments").len();
    let mut seen = Vec::new();
    let outcome = compact(store.shared(), &later, &mut || {
        seen.push(directory.files("segments").len());
        Ok(())
    });
    assert!(outcome.is_ok(), "{outcome:?}");
    // Of each of three signals two files of four segments become two of one.
    assert!(seen[0] >= before, "{before} files, then {seen:?}");
    assert!(
        seen[seen.len() - 1] <= before - 10,
        "{before} files, then {seen:?}"
    );
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
        store.compact(later().plus(MERGE_RETRY_MIN)).unwrap();
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

#[test]
fn merges_rest_while_others_are_there_and_few_segments_wait() {
    let second = Duration::from_secs(1);
    assert_eq!(rest(second / 4, true, 0), second / 4);
    assert_eq!(rest(second * 4, true, COMPACTION_HURRY_FROM - 1), second);
    assert_eq!(rest(second, true, COMPACTION_HURRY_FROM), Duration::ZERO);
    assert_eq!(rest(second, false, 0), Duration::ZERO);
}

/// Where merges get hardly any processor, a round lasts for hours.
#[tokio::test]
async fn what_becomes_too_old_while_others_are_merged_is_dropped_before_the_next_merge() {
    let directory = TestDirectory::new();
    let store = keeping(&directory, "1h");
    fill(&store).await;
    let (begun, looks) = (moment(0).plus(Duration::from_secs(1800)), Cell::new(0));
    let clock = || {
        looks.set(looks.get() + 1);
        begun.plus(Duration::from_secs(7200 * u64::from(looks.get() > 1)))
    };
    compact(store.shared(), &clock, &mut || Ok(())).unwrap();
    let stats = stats(&store);
    assert_eq!(
        (stats.compactions, stats.retention_segments),
        (1, 1 + 4 + 4)
    );
    assert_eq!(stats.segments, 0);
}

#[tokio::test]
async fn senders_are_held_back_while_merges_are_far_behind() {
    let directory = TestDirectory::new();
    let is_held = Arc::new(AtomicBool::new(true));
    let holding = Arc::clone(&is_held);
    let mut options = directory.options();
    options.probe = Probe::new(move |at| {
        while at == Step::MergedNamed && holding.load(Ordering::Relaxed) {
            std::thread::sleep(Duration::from_millis(1));
        }
        Ok(())
    });
    options.compacts = true;
    let (store, _) = Store::open(options).unwrap();
    let mut sent = 0;
    while stats(&store).delayed == 0 {
        try_put(&store, point("a", moment(sent))).await.unwrap();
        store.seal().unwrap();
        sent += 1;
        assert!(sent <= 20, "{:?}", stats(&store));
    }
    assert!(sent > 16, "{sent}");
    is_held.store(false, Ordering::Relaxed);
    while store.shared().pressure.unmerged_segments() > 1 {
        tokio::task::yield_now().await;
    }
    let held_back = stats(&store).delayed;
    try_put(&store, point("a", moment(sent))).await.unwrap();
    assert_eq!(stats(&store).delayed, held_back);
    store.close().await.unwrap();
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

fn keeping(directory: &TestDirectory, keep: &str) -> Store {
    let mut options = directory.options();
    options.retention = Retention::each(keep.parse().unwrap());
    Store::open(options).unwrap().0
}

#[tokio::test]
async fn what_is_too_old_is_dropped_and_what_is_not_sealed_stays() {
    let directory = TestDirectory::new();
    let store = keeping(&directory, "1h");
    fill(&store).await;
    let new = UnixNanos(moment(0).0 + 3_600_000_000_000);
    try_put(&store, point("new", new)).await.unwrap();
    store.seal().unwrap();
    let before = everything(&store);
    // Not sealed, and as old as the others.
    put_logs(&store, &[log("shop").says("waits").at(0).build()]).await;
    let all = everything(&store);
    store.compact(new).unwrap();
    assert_eq!(everything(&store), all, "the newest of each is younger");
    let (scan, held) = (store.scan(), directory.files("segments"));
    store.compact(new.plus(Duration::from_secs(60))).unwrap();
    let counted = stats(&store);
    assert_eq!(
        (
            counted.segments,
            counted.retention_segments,
            counted.retention_rows
        ),
        (1, 3, 4 * (31 + 40 + 3) - 3),
    );
    assert!(counted.retention_bytes > 0);
    // Who began before reads on.
    assert_eq!(directory.files("segments"), held);
    assert_eq!(logs_of(&scan).unwrap().len(), 161);
    drop(scan);
    store.compact(new.plus(Duration::from_secs(61))).unwrap();
    let files = directory.files("segments");
    assert_eq!(files.len(), 2, "{files:?}");
    let left = everything(&store);
    assert!(left.len() < before.len() / 10);
    assert!(left.contains("waits") && left.contains("\"new\""), "{left}");
    store.close().await.unwrap();
    let store = directory.open();
    assert_eq!(everything(&store), left);
}

#[tokio::test]
async fn there_are_no_more_bytes_than_are_kept() {
    let directory = TestDirectory::new();
    let store = directory.open();
    for minute in 0..6_u64 {
        let logs: Vec<LogRecord> = (0..40)
            .map(|n| log("shop").says(format!("minute {minute}, {n}")))
            .map(|log| log.at(minute * 60 * 15 * 1000).build())
            .collect();
        put_logs(&store, &logs).await;
        store.seal().unwrap();
    }
    let bytes = stats(&store).segment_bytes;
    store.close().await.unwrap();
    // Segments are not all of the same size.
    let half = bytes * 7 / 12;
    let store = keeping(&directory, &format!("{half}B"));
    store.compact(later()).unwrap();
    assert!(stats(&store).segment_bytes <= half);
    let left = everything(&store);
    for minute in 0..6 {
        let there = left.contains(&format!("minute {minute}, 7"));
        assert_eq!(there, minute >= 3, "{minute}");
    }
}

#[tokio::test]
async fn environments_are_forgotten_when_nothing_of_them_can_be_there() {
    let directory = TestDirectory::new();
    let store = keeping(&directory, "30d");
    let send = async |store: &Store, environment: &str| {
        let request = Request::Traces(traces_request(&[span("shop").at(0).build()]));
        let stored = try_put_from(store, request, origin(environment, 1)).await;
        stored.unwrap()
    };
    send(&store, "old").await;
    store.seal().unwrap();
    let functions = |store: &Store| {
        let report = store.completeness(&CompletenessFilter {
            limit: 9,
            ..CompletenessFilter::default()
        });
        report.unwrap().functions.len()
    };
    let day = Duration::from_secs(86_400);
    store.compact(moment(0).plus(30 * day)).unwrap();
    assert_eq!(
        (functions(&store), stats(&store).pruned_environments),
        (1, 0)
    );
    send(&store, "waits").await;
    store.compact(moment(1).plus(30 * day)).unwrap();
    assert_eq!(stats(&store).pruned_environments, 0, "once an hour");
    store.compact(moment(0).plus(31 * day)).unwrap();
    assert_eq!(
        (functions(&store), stats(&store).pruned_environments),
        (1, 1)
    );
    // Its batch would be taken again, and what is not sealed is known.
    assert_eq!(send(&store, "waits").await, crate::Stored::Already);
}

/// Tells what fails from what does not by how many rows there are.
#[tokio::test]
async fn a_merge_that_fails_again_and_again_is_tried_ever_less_often_and_the_others_are_done() {
    let directory = TestDirectory::new();
    let (fails, tried) = (
        Arc::new(AtomicBool::new(true)),
        Arc::new(AtomicBool::new(false)),
    );
    let (failing, trying) = (Arc::clone(&fails), Arc::clone(&tried));
    let store = directory.open_probed(move |at| {
        if at != Step::MergedNamed {
            return Ok(());
        }
        trying.store(true, Ordering::Relaxed);
        // Spans are merged first; everything after the first failure goes well.
        match failing.swap(false, Ordering::Relaxed) {
            true => Err(io::Error::other("never")),
            false => Ok(()),
        }
    });
    fill(&store).await;
    let before = everything(&store);
    let mut now = later();
    let error = store.compact(now).unwrap_err();
    assert_eq!(
        error.to_string(),
        "cannot compact: cannot write a segment: never"
    );
    assert_eq!(stats(&store).compactions, 2, "logs and metrics");
    assert_eq!(stats(&store).segments, 4 + 1 + 1);
    let mut rest = MERGE_RETRY_MIN;
    for _ in 0..9 {
        // Not a moment earlier.
        tried.store(false, Ordering::Relaxed);
        store.compact(UnixNanos(now.plus(rest).0 - 1)).unwrap();
        assert!(!tried.load(Ordering::Relaxed), "{rest:?}");
        now = now.plus(rest);
        fails.store(true, Ordering::Relaxed);
        store.compact(now).unwrap_err();
        rest = (rest * 2).min(MERGE_RETRY_MAX);
    }
    assert_eq!(rest, MERGE_RETRY_MAX);
    fails.store(false, Ordering::Relaxed);
    store.compact(now.plus(rest)).unwrap();
    assert_eq!(stats(&store).segments, 3);
    assert_eq!(everything(&store), before);
}
