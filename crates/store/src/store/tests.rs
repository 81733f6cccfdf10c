mod crash;
mod damage;
mod duplicates;
mod failing;
mod power;
mod rollups;

use std::fs;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc;

use throughline_telemetry::wire::{Request, otlp, traces_request};
use throughline_testkit::{log, moment, span, trace_id};

use super::*;
use crate::limits::{RETRY_AFTER_MAX, RETRY_AFTER_MIN};
use crate::probe::Step;
use crate::testing::{TestDirectory, all_traces, newest_logs, put, put_logs, try_put};

fn request(number: u64) -> Request {
    Request::Traces(traces_request(&[span("shop")
        .in_trace(number)
        .at(number)
        .build()]))
}

fn count(store: &Store) -> usize {
    all_traces(store, &TraceFilter::default()).len()
}

#[tokio::test]
async fn what_is_acknowledged_is_visible() {
    let directory = TestDirectory::new();
    let store = directory.open();
    for number in 1..=20 {
        try_put(&store, request(number)).await.unwrap();
        assert_eq!(store.trace(trace_id(number)).unwrap().spans.len(), 1);
        assert_eq!(
            store.find_traces(&TraceFilter::default()).unwrap().total,
            number
        );
    }
    let stats = store.stats();
    assert_eq!((stats.requests, stats.rows, stats.groups), (20, 20, 20));
}

#[tokio::test(flavor = "current_thread")]
async fn requests_that_wait_for_one_fsync_share_the_next() {
    let directory = TestDirectory::new();
    let (entered, inside) = mpsc::channel();
    let (release, gate) = mpsc::channel::<()>();
    let gate = Mutex::new(gate);
    let first = AtomicBool::new(true);
    let store = directory.open_probed(move |step| {
        if step == Step::WalSync && first.swap(false, Ordering::SeqCst) {
            entered.send(()).unwrap();
            gate.lock().unwrap().recv().unwrap();
        }
        Ok(())
    });
    let mut appends = tokio::task::JoinSet::new();
    let begun = Arc::new(AtomicU64::new(0));
    let append = |number: u64| {
        let (store, begun) = (store.clone(), Arc::clone(&begun));
        async move {
            // A task that begins runs up to its place in the queue.
            begun.fetch_add(1, Ordering::SeqCst);
            try_put(&store, request(number)).await
        }
    };
    appends.spawn(append(0));
    tokio::task::yield_now().await;
    inside.recv().unwrap();
    for number in 1..=100 {
        appends.spawn(append(number));
    }
    while begun.load(Ordering::SeqCst) < 101 {
        tokio::task::yield_now().await;
    }
    release.send(()).unwrap();
    while let Some(done) = appends.join_next().await {
        done.unwrap().unwrap();
    }
    let stats = store.stats();
    assert_eq!((stats.requests, stats.groups), (101, 2));
}

#[tokio::test]
async fn a_full_store_says_when_to_come_back() {
    let directory = TestDirectory::new();
    let fails = Arc::new(AtomicBool::new(true));
    let hook = Arc::clone(&fails);
    let mut options = directory.options();
    options.unsealed_bytes_max = 20_000;
    options.probe = crate::probe::Probe::new(move |step| {
        match step == Step::SegmentWrite && hook.load(Ordering::SeqCst) {
            true => Err(io::Error::other("no space left")),
            false => Ok(()),
        }
    });
    let (store, _) = Store::open(options).unwrap();
    let mut number = 0;
    let error = loop {
        match try_put(&store, request(number)).await {
            Ok(()) => number += 1,
            Err(error) => break error,
        }
    };
    let AppendError::Overloaded {
        retry_after,
        unsealed_bytes,
    } = error
    else {
        panic!("{error}")
    };
    assert!(retry_after >= RETRY_AFTER_MIN && retry_after <= RETRY_AFTER_MAX);
    assert!((10_000..=20_000).contains(&unsealed_bytes));
    assert_eq!(store.stats().overloaded, 1);
    fails.store(false, Ordering::SeqCst);
    store.seal().unwrap();
    assert_eq!(store.stats().unsealed_bytes, 0);
    try_put(&store, request(number)).await.unwrap();
    assert_eq!(count(&store) as u64, number + 1);
}

#[tokio::test]
async fn a_seal_that_fails_half_way_is_done_again() {
    for failing in [Step::SegmentWrite, Step::SegmentSynced, Step::SegmentsNamed] {
        let directory = TestDirectory::new();
        let fails = Arc::new(AtomicBool::new(true));
        let hook = Arc::clone(&fails);
        let store = directory.open_probed(move |step| {
            match step == failing && hook.load(Ordering::SeqCst) {
                true => Err(io::Error::other("no space left")),
                false => Ok(()),
            }
        });
        try_put(&store, request(1)).await.unwrap();
        let error = store.seal().unwrap_err().to_string();
        assert_eq!(error, "cannot seal generation 1: no space left");
        try_put(&store, request(2)).await.unwrap();
        assert_eq!(count(&store), 2);
        fails.store(false, Ordering::SeqCst);
        store.seal().unwrap();
        assert_eq!(count(&store), 2);
        let stats = store.stats();
        assert_eq!(
            (stats.segments, stats.seal_failures, stats.unsealed_bytes),
            (2, 1, 0)
        );
        assert_eq!(directory.files("wal"), ["0000000003.wal"]);
        assert_eq!(
            store.services(&ServiceFilter::default()).unwrap().services[0].span_count,
            2
        );
    }
}

#[tokio::test]
async fn a_buffer_is_sealed_when_it_is_large() {
    let directory = TestDirectory::new();
    let mut options = directory.options();
    options.buffer_bytes_max = 1000;
    let (store, _) = Store::open(options).unwrap();
    for number in 0..30 {
        try_put(&store, request(number)).await.unwrap();
    }
    store.seal().unwrap();
    let segments = store.stats().segments;
    assert!((3..=15).contains(&segments), "{segments}");
    assert_eq!(count(&store), 30);
}

#[tokio::test]
async fn a_buffer_is_sealed_when_it_is_old() {
    let directory = TestDirectory::new();
    let (sealed, seen) = mpsc::channel();
    let mut options = directory.options();
    options.seal_interval = Duration::from_millis(1);
    options.probe = crate::probe::Probe::new(move |step| {
        if step == Step::WalDeleted {
            sealed.send(()).unwrap();
        }
        Ok(())
    });
    let (store, _) = Store::open(options).unwrap();
    try_put(&store, request(1)).await.unwrap();
    seen.recv_timeout(Duration::from_secs(60)).unwrap();
    assert_eq!(store.stats().segments, 1);
}

#[tokio::test]
async fn what_is_refused_leaves_no_trace() {
    let directory = TestDirectory::new();
    let store = directory.open();
    let mut bad = traces_request(&[span("shop").build()]);
    bad.resource_spans[0].scope_spans[0].spans[0].span_id = vec![1, 2];
    let error = try_put(&store, Request::Traces(bad)).await.unwrap_err();
    let expected = "resourceSpans[0].scopeSpans[0].spans[0].spanId: 2 bytes, want 8";
    assert_eq!(error.to_string(), expected);
    // An unknown field, which is skipped.
    let mut large = vec![0; BODY_BYTES_MAX + 6];
    large[..6].copy_from_slice(&[0xa2, 0x06, 0x80, 0x80, 0x80, 0x40]);
    let large = Body::check(Signal::Traces, large.into(), usize::MAX).unwrap();
    let refused = store.append(large, moment(0), None).await;
    assert!(matches!(refused, Err(AppendError::TooLarge { .. })));
    let empty = Request::Logs(otlp::ExportLogsServiceRequest::default());
    try_put(&store, empty).await.unwrap();
    assert_eq!(store.stats(), Stats::default());
}

#[tokio::test]
async fn a_closed_store_lets_the_directory_go() {
    let directory = TestDirectory::new();
    let store = directory.open();
    try_put(&store, request(1)).await.unwrap();
    assert!(matches!(
        Store::open(directory.options()),
        Err(OpenError::Locked { .. })
    ));
    let clone = store.clone();
    store.close().await.unwrap();
    let (again, recovery) = Store::open(directory.options()).unwrap();
    assert_eq!(recovery, Recovery::default());
    assert_eq!((count(&again), again.stats().segments), (1, 1));
    assert!(matches!(
        try_put(&clone, request(2)).await,
        Err(AppendError::Closed)
    ));
    assert!(matches!(clone.seal(), Err(SealError::Closed)));
    assert!(matches!(clone.close().await, Err(SealError::Closed)));
    assert_eq!(count(&again), 1);
}

#[tokio::test]
async fn what_was_not_sealed_is_replayed() {
    let directory = TestDirectory::new();
    let store = directory.open();
    put(&store, &[span("shop").in_trace(1).build()]).await;
    store.seal().unwrap();
    put(&store, &[span("shop").in_trace(2).build()]).await;
    put_logs(&store, &[log("shop").says("hello").build()]).await;
    drop(store);
    for _ in 0..3 {
        let (store, recovery) = Store::open(directory.options()).unwrap();
        assert_eq!((recovery.skipped_bytes, recovery.notes.len()), (0, 0));
        assert_eq!(count(&store), 2);
        assert_eq!(newest_logs(&store).unwrap().len(), 1);
        drop(store);
    }
    let store = directory.open();
    store.seal().unwrap();
    assert_eq!(directory.files("wal").len(), 1);
    assert_eq!(count(&store), 2);
    assert_eq!(
        store.services(&ServiceFilter::default()).unwrap().services[0].span_count,
        2
    );
}

#[tokio::test]
async fn a_cut_wal_is_read_up_to_the_cut_and_the_rest_is_kept() {
    let directory = TestDirectory::new();
    let store = directory.open();
    for number in 1..=3 {
        try_put(&store, request(number)).await.unwrap();
    }
    drop(store);
    let wal = directory.newest_wal();
    let bytes = fs::read(&wal).unwrap();
    fs::write(&wal, &bytes[..bytes.len() - 10]).unwrap();
    let (store, recovery) = Store::open(directory.options()).unwrap();
    let name = wal.display().to_string();
    let aside = name.replace(".wal", ".damaged");
    let skipped = recovery.skipped_bytes;
    let note = format!(
        "{name}: {skipped} of {} bytes are no whole frames and were skipped; they are kept in {aside}",
        bytes.len() - 10,
    );
    assert_eq!((recovery.frames, recovery.notes), (2, vec![note]));
    assert_eq!(store.stats().skipped_bytes, skipped);
    assert_eq!(count(&store), 2);
    store.close().await.unwrap();
    let kept = fs::read(aside).unwrap();
    assert!(bytes[..bytes.len() - 10].ends_with(&kept));
    assert_eq!(kept.len() as u64, skipped);
}

#[tokio::test]
async fn a_directory_with_segments_and_without_its_catalog_is_not_opened() {
    let directory = TestDirectory::new();
    let store = directory.open();
    try_put(&store, request(1)).await.unwrap();
    store.close().await.unwrap();
    let image = directory.image();
    fs::remove_file(image.path().join("catalog.sqlite")).unwrap();
    let error = Store::open(image.options()).unwrap_err().to_string();
    let path = image.path().display().to_string();
    let expected = "data directory DIR is damaged: it has segments but no catalog.sqlite";
    assert_eq!(error.replace(&path, "DIR"), expected);
}

#[tokio::test]
async fn files_that_nothing_points_to_are_left_unless_the_wal_has_their_rows() {
    let directory = TestDirectory::new();
    let store = directory.open();
    try_put(&store, request(1)).await.unwrap();
    drop(store);
    let segments = directory.path().join("segments");
    for name in [
        "spans-0000000001-000.parquet.new",
        "spans-0000000001-000.index",
    ] {
        fs::write(segments.join(name), "half a seal").unwrap();
    }
    for name in ["spans-0000000099-000.parquet", "notes.txt"] {
        fs::write(segments.join(name), "precious").unwrap();
    }
    let (store, recovery) = Store::open(directory.options()).unwrap();
    assert_eq!(recovery.notes.len(), 2);
    store.seal().unwrap();
    assert_eq!(count(&store), 1);
    let expected = [
        "notes.txt",
        "spans-0000000001-000.index",
        "spans-0000000001-000.parquet",
        "spans-0000000099-000.parquet",
    ];
    assert_eq!(directory.files("segments"), expected);
}

/// Requests of three spans come in while buffers are sealed and readers look on. No reader may
/// see part of a request, or a request less than before, or one twice.
#[test]
fn readers_see_no_row_vanish_or_double_while_buffers_are_sealed() {
    const REQUESTS: u64 = 150;
    let directory = TestDirectory::new();
    let store = directory.open();
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .build()
                .unwrap();
            for number in 1..=REQUESTS {
                let spans = (0..3).map(|n| span("shop").in_trace(number).id(n).at(number).build());
                let spans: Vec<_> = spans.collect();
                runtime.block_on(put(&store, &spans));
            }
            done.store(true, Ordering::SeqCst);
        });
        scope.spawn(|| {
            while !done.load(Ordering::SeqCst) {
                store.seal().unwrap();
            }
        });
        let mut seen = 0;
        while !done.load(Ordering::SeqCst) {
            let acknowledged = store.stats().requests;
            let spans = store
                .services(&ServiceFilter::default())
                .unwrap()
                .services
                .first()
                .map_or(0, |shop| shop.span_count);
            assert_eq!(spans % 3, 0);
            let page = store.find_traces(&TraceFilter::default()).unwrap();
            assert!(!page.truncated);
            assert!(page.total >= seen && page.total >= spans / 3);
            assert!(page.traces.iter().all(|(_, spans)| spans.len() == 3));
            // A request is counted just before it is shown.
            assert!(page.total + 1 >= acknowledged);
            seen = page.total;
        }
    });
    assert_eq!(
        store.services(&ServiceFilter::default()).unwrap().services[0].span_count,
        3 * REQUESTS
    );
    assert_eq!(count(&store) as u64, REQUESTS);
}
