//! A disk that fails for a while, or is full.

use throughline_telemetry::wire::logs_request;

use super::*;
use crate::testing::{origin, try_put_from, with_ledger};

/// A store whose disk fails at one step as long as it is told to.
struct Failing {
    directory: TestDirectory,
    store: Store,
    fails: Arc<AtomicBool>,
}

impl Failing {
    fn at(failing: Step, wal_retry: Duration) -> Self {
        let directory = TestDirectory::new();
        let fails = Arc::new(AtomicBool::new(false));
        let hook = Arc::clone(&fails);
        let mut options = directory.options();
        options.wal_retry = wal_retry;
        options.probe = crate::probe::Probe::new(move |step| {
            match step == failing && hook.load(Ordering::SeqCst) {
                true => Err(io::Error::other("the disk is gone")),
                false => Ok(()),
            }
        });
        let (store, _) = Store::open(options).unwrap();
        Failing {
            directory,
            store,
            fails,
        }
    }

    fn fail(&self, fails: bool) {
        self.fails.store(fails, Ordering::SeqCst);
    }
}

const STEPS: [Step; 4] = [
    Step::WalWrite,
    Step::WalSync,
    Step::WalSynced,
    Step::WalRoll,
];

/// A log record that says a number: unlike a span it is not known again when it is there twice.
async fn put_line(store: &Store, number: u64) -> Result<(), AppendError> {
    let line = log("shop").says(number.to_string().as_str()).at(number);
    try_put(store, Request::Logs(logs_request(&[line.build()]))).await
}

fn lines(store: &Store) -> Vec<String> {
    let logs = newest_logs(store).unwrap();
    let mut lines: Vec<String> = logs.iter().map(|log| log.body.to_text()).collect();
    lines.sort();
    lines
}

#[tokio::test]
async fn what_was_refused_is_sent_again_and_is_there_once() {
    for failing in STEPS {
        let disk = Failing::at(failing, Duration::ZERO);
        let store = &disk.store;
        put_line(store, 1).await.unwrap();
        disk.fail(true);
        if failing == Step::WalRoll {
            let error = store.seal().unwrap_err().to_string();
            assert_eq!(error, "cannot seal generation 1: the disk is gone");
        }
        for _ in 0..5 {
            let error = put_line(store, 2).await.unwrap_err().to_string();
            assert_eq!(
                error,
                "cannot write the WAL: the disk is gone; retry after 0ns"
            );
        }
        assert_eq!(lines(store), ["1"], "{failing:?}");
        disk.fail(false);
        put_line(store, 2).await.unwrap();
        put_line(store, 3).await.unwrap();
        assert_eq!(lines(store), ["1", "2", "3"], "{failing:?}");
        assert!(store.stats().wal_failures >= 5, "{:?}", store.stats());
        // After a crash, twice, and after a seal.
        let mut image = disk.directory.image();
        for _ in 0..2 {
            let (store, recovery) = Store::open(image.options()).unwrap();
            assert_eq!(recovery.skipped_bytes, 0, "{failing:?}: {recovery:?}");
            assert_eq!(lines(&store), ["1", "2", "3"], "{failing:?}");
            drop(store);
            image = image.image();
        }
        store.seal().unwrap();
        assert_eq!(lines(store), ["1", "2", "3"], "{failing:?}");
        assert_eq!(disk.directory.files("wal").len(), 1, "{failing:?}");
        let stats = store.stats();
        assert_eq!((stats.unsealed_bytes, stats.seal_failures), (0, 0));
    }
}

#[tokio::test]
async fn files_do_not_pile_up_while_the_disk_fails() {
    for failing in [Step::WalWrite, Step::WalSync, Step::WalSynced] {
        let disk = Failing::at(failing, Duration::ZERO);
        for acknowledged in [0, 1] {
            disk.fail(true);
            for number in 1..=20 {
                assert!(put_line(&disk.store, number).await.is_err());
            }
            let files = disk.directory.files("wal");
            assert!(files.len() <= 1 + acknowledged, "{failing:?}: {files:?}");
            disk.fail(false);
            put_line(&disk.store, 99).await.unwrap();
        }
        disk.store.seal().unwrap();
        assert_eq!(lines(&disk.store), ["99", "99"]);
        assert_eq!(disk.store.stats().unsealed_bytes, 0);
    }
}

#[tokio::test]
async fn a_disk_that_fails_is_left_alone_for_a_while() {
    let disk = Failing::at(Step::WalSync, Duration::from_secs(3600));
    put_line(&disk.store, 1).await.unwrap();
    disk.fail(true);
    assert!(put_line(&disk.store, 2).await.is_err());
    disk.fail(false);
    for _ in 0..5 {
        let error = put_line(&disk.store, 2).await.unwrap_err();
        let AppendError::Io { retry_after, .. } = error else {
            panic!("{error}")
        };
        assert_eq!(retry_after, Duration::from_secs(3600));
    }
    assert_eq!(disk.store.stats().wal_failures, 1);
    // Whoever asks for a seal does not wait, and what is acknowledged is not held up.
    disk.store.seal().unwrap();
    put_line(&disk.store, 3).await.unwrap();
    assert_eq!(lines(&disk.store), ["1", "3"]);
}

#[tokio::test]
async fn a_batch_and_its_ledger_are_known_again_only_if_they_were_stored() {
    for failing in STEPS {
        let disk = Failing::at(failing, Duration::ZERO);
        let store = &disk.store;
        let first = try_put_from(store, request(1), origin("e", 1)).await;
        assert_eq!(first.unwrap(), Stored::New);
        disk.fail(true);
        if failing == Step::WalRoll {
            store.seal().unwrap_err();
        }
        let ledger = r#"{"revision":3,"sealed":9,"accepted":7}"#;
        let send = async |number| {
            let origin = with_ledger("e", number, ledger);
            try_put_from(store, request(number), origin).await
        };
        assert!(send(1).await.is_err());
        assert!(send(2).await.is_err());
        disk.fail(false);
        assert_eq!(send(1).await.unwrap(), Stored::Already);
        let report = store.completeness(&CompletenessFilter::default()).unwrap();
        assert_eq!(report.functions[0].accepted, 7, "{failing:?}");
        assert_eq!(send(2).await.unwrap(), Stored::New);
        assert_eq!(send(2).await.unwrap(), Stored::Already);
        assert_eq!(count(store), 2);
    }
}
