//! Crashes at every step: what the directory holds at that moment is opened again. Now and then the
//! disk fails before the crash, and what it refused is sent again.

use std::collections::BTreeSet;
use std::fs::{self, OpenOptions};
use std::path::Path;

use fastrand::Rng;
use throughline_telemetry::Value;
use throughline_telemetry::wire::logs_request;

use super::*;
use crate::testing::{copy, newest_wal, point, stored_spans, try_put_from, with_ledger};
use crate::{MetricFilter, Retention};

/// What a crash left, and what had been acknowledged until then.
struct Crash {
    step: Step,
    image: TestDirectory,
    acknowledged: BTreeSet<u64>,
}

#[derive(Default)]
struct Observed {
    acknowledged: BTreeSet<u64>,
    /// Bytes of the newest WAL file that were synced.
    synced: u64,
    crashes: Vec<Crash>,
}

#[tokio::test]
async fn a_crash_at_any_step_loses_and_doubles_nothing() {
    let mut steps = BTreeSet::new();
    let sound = (0..12).map(|seed| (seed, None));
    let failing = (0..4).map(|seed| (seed, Some(6)));
    // The threads have a say in where a run is crashed, so that a rare step may need a few seeds more.
    let more = (12..60).map(|seed| (seed, None));
    for (number, (seed, fails_one_in)) in sound.chain(failing).chain(more).enumerate() {
        if number >= 16 && steps.len() == 12 {
            break;
        }
        let crashes = run(seed, fails_one_in).await;
        for crash in crashes {
            steps.insert(format!("{:?}", crash.step));
            check(&crash, seed).await;
        }
    }
    // Every step was crashed at, or the seeds are badly chosen.
    assert_eq!(steps.len(), 12, "{steps:?}");
}

/// Fills and seals a store, and crashes it now and then.
async fn run(seed: u64, fails_one_in: Option<u32>) -> Vec<Crash> {
    let mut rng = Rng::with_seed(seed);
    let directory = TestDirectory::new();
    let observed = Arc::new(Mutex::new(Observed::default()));
    let hook = Arc::clone(&observed);
    let path = directory.path().to_owned();
    let chance = Mutex::new(rng.fork());
    let mut options = directory.options();
    options.wal_retry = Duration::ZERO;
    options.retention = retention();
    let opened = Arc::new(AtomicBool::new(false));
    let is_open = Arc::clone(&opened);
    options.probe = crate::probe::Probe::new(move |step| {
        let (mut observed, mut rng) = (hook.lock().unwrap(), chance.lock().unwrap());
        crash_now_and_then(step, &path, &mut observed, &mut rng);
        let may_fail = is_open.load(Ordering::SeqCst) && step != Step::WalDeleted;
        match fails_one_in.is_some_and(|many| may_fail && rng.u32(0..many) == 0) {
            true => Err(io::Error::other("the disk is gone")),
            false => Ok(()),
        }
    });
    let (store, _) = Store::open(options).unwrap();
    opened.store(true, Ordering::SeqCst);
    for number in 1..=rng.u64(5..15) {
        put_numbered(&store, number).await;
        observed.lock().unwrap().acknowledged.insert(number);
        if rng.u32(0..2) == 0 {
            let old = point("old", moment(0).minus(DAY));
            while try_put(&store, old.clone()).await.is_err() {}
        }
        if rng.u32(0..4) == 0 {
            let sealed = store.seal();
            assert!(sealed.is_ok() || fails_one_in.is_some(), "{sealed:?}");
        }
        if rng.u32(0..6) == 0 {
            let compacted = store.compact(moment(1 << 30));
            assert!(compacted.is_ok() || fails_one_in.is_some());
        }
    }
    let acknowledged = observed.lock().unwrap().acknowledged.clone();
    check_rows(&store, &acknowledged, &format!("seed {seed}, open"));
    drop(store);
    std::mem::take(&mut observed.lock().unwrap().crashes)
}

const DAY: Duration = Duration::from_secs(86_400);

/// At the time when everything is merged, all that was put a day before the rest is too old.
fn retention() -> Retention {
    let age = moment(1 << 30).since(moment(0)) + DAY / 2;
    Retention::each(crate::Keep {
        age: Some(age),
        bytes: None,
    })
}

/// What is too old is gone, with its files.
fn check_dropped(store: &Store, crash: &Crash, at: &str) {
    let points = store.find_metrics(&MetricFilter::default()).unwrap();
    assert_eq!(points.points.len(), 0, "{at}");
    let files = crash.image.files("segments");
    assert!(
        !files.iter().any(|name| name.starts_with("metrics")),
        "{at}: {files:?}"
    );
}

fn crash_now_and_then(step: Step, path: &Path, observed: &mut Observed, rng: &mut Rng) {
    let is_rare = matches!(
        step,
        Step::MergedNamed | Step::Swapped | Step::RetiredDeleted
    );
    if is_rare || rng.u32(0..6) == 0 {
        let image = TestDirectory::new();
        copy(path, image.path());
        if step == Step::WalSync {
            // What was written and not synced may be there in part.
            let wal = newest_wal(image.path());
            let written = fs::metadata(&wal).unwrap().len();
            let headers = match fs::read(&wal).unwrap()[0] {
                1 => 20,
                _ => 28,
            };
            let synced = observed.synced.max(headers);
            let file = OpenOptions::new().write(true).open(wal).unwrap();
            file.set_len(rng.u64(synced..=written)).unwrap();
        }
        observed.crashes.push(Crash {
            step,
            image,
            acknowledged: observed.acknowledged.clone(),
        });
    }
    match step {
        Step::WalSynced => observed.synced = fs::metadata(newest_wal(path)).unwrap().len(),
        Step::WalRoll => observed.synced = 0,
        _ => {}
    }
}

/// A span and a log record that carry a number. The span is a batch that is stored once, however
/// often it is put.
async fn put_numbered(store: &Store, number: u64) -> Stored {
    let stored = put_span(store, number).await;
    let line = log("shop")
        .says(Value::Int(number.cast_signed()))
        .at(number);
    let line = Request::Logs(logs_request(&[line.in_trace(number).build()]));
    while let Err(error) = try_put(store, line.clone()).await {
        assert!(matches!(error, AppendError::Io { .. }), "{error}");
    }
    stored
}

async fn put_span(store: &Store, number: u64) -> Stored {
    let ledger = format!(r#"{{"revision":{number},"sealed":{number},"accepted":{number}}}"#);
    // Numbers of two environments, so that ranges grow in one and have gaps in the other.
    let origin = with_ledger(
        ["even", "odd"][usize::from(number % 2 == 1)],
        number,
        &ledger,
    );
    loop {
        match try_put_from(store, request(number), origin.clone()).await {
            Ok(stored) => return stored,
            Err(error) => assert!(matches!(error, AppendError::Io { .. }), "{error}"),
        }
    }
}

async fn check(crash: &Crash, seed: u64) {
    let at = format!("seed {seed}, crash at {:?}", crash.step);
    // First without an end, then with one: a replay must not eat what it replays.
    let (store, _) = Store::open(crash.image.options()).expect(&at);
    check_rows(&store, &crash.acknowledged, &at);
    check_copies(&store, crash, &at).await;
    drop(store);
    let mut options = crash.image.options();
    options.retention = retention();
    let (store, _) = Store::open(options).expect(&at);
    store.seal().expect(&at);
    check_rows(&store, &crash.acknowledged, &at);
    check_copies(&store, crash, &at).await;
    store.compact(moment(1 << 30)).expect(&at);
    check_rows(&store, &crash.acknowledged, &at);
    check_dropped(&store, crash, &at);
    put_numbered(&store, 1000).await;
    store.close().await.expect(&at);
    assert_eq!(
        crash.image.files("wal").len() - damaged(&crash.image),
        1,
        "{at}"
    );
    let store = crash.image.open();
    check_rows(&store, &crash.acknowledged, &at);
    check_copies(&store, crash, &at).await;
    assert_eq!(store.trace(trace_id(1000)).unwrap().spans.len(), 1, "{at}");
}

/// What was acknowledged is known to be stored, and so is what has come to be there without.
async fn check_copies(store: &Store, crash: &Crash, at: &str) {
    for number in &crash.acknowledged {
        let again = put_span(store, *number).await;
        assert_eq!(again, Stored::Already, "{at}: {number}");
    }
    check_rows(store, &crash.acknowledged, at);
    let filter = CompletenessFilter {
        limit: 9,
        ..CompletenessFilter::default()
    };
    let report = store.completeness(&filter).unwrap();
    let received: u64 = report.functions.iter().map(|f| f.received).sum();
    assert_eq!(
        received,
        count(store) as u64,
        "{at}: each span in one range"
    );
}

fn check_rows(store: &Store, acknowledged: &BTreeSet<u64>, at: &str) {
    for number in acknowledged {
        let trace = store.trace(trace_id(*number)).unwrap();
        assert_eq!(
            (trace.spans.len(), trace.logs.len()),
            (1, 1),
            "{at}: {number}"
        );
    }
    // What was being written may be there too, but nothing is there twice.
    let traces = count(store) as u64;
    let spans = stored_spans(store);
    assert_eq!(spans, traces, "{at}");
    assert_eq!(rollups::rolled(store).0, traces.cast_signed(), "{at}");
    let logs = newest_logs(store).unwrap();
    let distinct: BTreeSet<String> = logs.iter().map(|log| log.body.to_text()).collect();
    assert_eq!(distinct.len(), logs.len(), "{at}");
}

fn damaged(image: &TestDirectory) -> usize {
    let files = image.files("wal");
    files
        .iter()
        .filter(|name| name.ends_with(".damaged"))
        .count()
}
