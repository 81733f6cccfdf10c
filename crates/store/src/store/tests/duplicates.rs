//! A batch with a number is stored once, whatever happens between two copies of it.

use throughline_telemetry::Signal;

use super::*;
use crate::completeness::CompletenessFilter;
use crate::testing::{origin, stored_spans, try_put_from, with_ledger};

/// Sends batch `number` of environment `e`, which has span `number`.
async fn send(store: &Store, number: u64) -> Stored {
    let sent = try_put_from(store, request(number), origin("e", number)).await;
    sent.unwrap()
}

/// What is said of function `checkout`: received, accepted, ranges missing.
fn said(store: &Store) -> (u64, u64, u64) {
    let report = store.completeness(&CompletenessFilter::default()).unwrap();
    let function = report.functions.first().unwrap();
    assert_eq!(function.function, "checkout");
    (function.received, function.accepted, function.missing_total)
}

#[tokio::test]
async fn a_copy_is_acknowledged_and_not_stored() {
    let directory = TestDirectory::new();
    let store = directory.open();
    for round in 0..4 {
        let first = if round == 0 {
            Stored::New
        } else {
            Stored::Already
        };
        for number in [2, 1, 5] {
            assert_eq!(
                send(&store, number).await,
                first,
                "{number} in round {round}"
            );
        }
        match round {
            0 => {}
            1 => store.seal().unwrap(),
            _ => assert_eq!(send(&store, 9 + round).await, Stored::New),
        }
    }
    // The batches are told apart by environment too.
    let other = try_put_from(&store, request(1), origin("f", 1))
        .await
        .unwrap();
    assert_eq!(other, Stored::New);
    assert_eq!(stored_spans(&store), 6);
    assert_eq!(store.stats().duplicates, 9);
    let report = store.completeness(&CompletenessFilter::default()).unwrap();
    assert_eq!(report.functions[0].missing_total, 2, "3-4 and 6-10 of e");
}

#[tokio::test]
async fn a_body_without_a_number_is_stored_as_often_as_it_comes() {
    let directory = TestDirectory::new();
    let store = directory.open();
    for _ in 0..2 {
        try_put(&store, request(1)).await.unwrap();
        let unnumbered = Origin {
            sequence: None,
            ..origin("e", 1)
        };
        let stored = try_put_from(&store, request(1), unnumbered).await.unwrap();
        assert_eq!(stored, Stored::New);
    }
    assert_eq!(stored_spans(&store), 4);
}

#[tokio::test]
async fn copies_are_known_after_every_kind_of_restart() {
    let directory = TestDirectory::new();
    let store = directory.open();
    send(&store, 1).await;
    store.seal().unwrap();
    send(&store, 2).await;
    drop(store); // as a crash: batch 1 is in a segment, batch 2 in the WAL
    for round in 0..3 {
        let store = directory.open();
        for number in 1..=2 {
            assert_eq!(
                send(&store, number).await,
                Stored::Already,
                "{number}, round {round}"
            );
        }
        assert_eq!(stored_spans(&store), 2);
        assert_eq!(said(&store), (2, 2, 0));
        store.close().await.unwrap();
    }
}

#[tokio::test(flavor = "current_thread")]
async fn of_two_copies_in_flight_the_second_waits_for_the_first() {
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
    let copy = || {
        let store = store.clone();
        tokio::spawn(async move { send(&store, 1).await })
    };
    let one = copy();
    tokio::task::yield_now().await;
    inside.recv().unwrap();
    let others = [copy(), copy()];
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    // The first is not on disk, so no copy may be acknowledged.
    assert!(!one.is_finished() && others.iter().all(|other| !other.is_finished()));
    release.send(()).unwrap();
    assert_eq!(one.await.unwrap(), Stored::New);
    for other in others {
        assert_eq!(other.await.unwrap(), Stored::Already);
    }
    assert_eq!(stored_spans(&store), 1);
}

#[tokio::test(flavor = "current_thread")]
async fn copies_in_one_group_are_stored_once() {
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
    let mut copies = tokio::task::JoinSet::new();
    let begun = Arc::new(AtomicU64::new(0));
    let mut copy = |number| {
        let (store, begun) = (store.clone(), Arc::clone(&begun));
        copies.spawn(async move {
            begun.fetch_add(1, Ordering::SeqCst);
            send(&store, number).await
        });
    };
    copy(7);
    tokio::task::yield_now().await;
    inside.recv().unwrap();
    (0..40).for_each(|n| copy(1 + n % 4));
    while begun.load(Ordering::SeqCst) < 41 {
        tokio::task::yield_now().await;
    }
    release.send(()).unwrap();
    let mut new = 0;
    while let Some(stored) = copies.join_next().await {
        new += usize::from(stored.unwrap() == Stored::New);
    }
    assert_eq!((new, stored_spans(&store)), (5, 5));
    assert_eq!(store.stats().groups, 2);
}

#[tokio::test]
async fn what_failed_is_not_taken_for_stored() {
    for failing in [Step::WalWrite, Step::WalSync] {
        let directory = TestDirectory::new();
        let store = directory.open_probed(move |step| match step == failing {
            true => Err(io::Error::other("the disk is gone")),
            false => Ok(()),
        });
        for _ in 0..2 {
            let sent = try_put_from(&store, request(1), origin("e", 1)).await;
            assert!(matches!(sent, Err(AppendError::Io { .. })), "{sent:?}");
        }
        drop(store);
        let store = directory.open();
        send(&store, 1).await;
        assert_eq!(
            stored_spans(&store),
            1,
            "{failing:?}: there once, whether it was new or not"
        );
    }
}

#[tokio::test]
async fn the_newest_ledger_wins_and_comes_also_with_copies() {
    let directory = TestDirectory::new();
    let store = directory.open();
    let ledger = |revision: u64, accepted: u64| {
        format!(
            r#"{{"revision":{revision},"sealed":2,"accepted":{accepted},"dropped":{{"rejected":{}}},"gone":[[2,2,"rejected",{}]]}}"#,
            accepted - 1,
            accepted - 1
        )
    };
    let send = async |number, revision, accepted| {
        let origin = with_ledger("e", number, &ledger(revision, accepted));
        try_put_from(&store, request(number), origin).await.unwrap()
    };
    assert_eq!(send(1, 5, 11).await, Stored::New);
    assert_eq!(said(&store), (1, 11, 1));
    assert_eq!(send(1, 6, 21).await, Stored::Already);
    assert_eq!(said(&store), (1, 21, 1));
    let groups = store.stats().groups;
    assert_eq!(send(1, 6, 31).await, Stored::Already);
    assert_eq!(send(1, 4, 41).await, Stored::Already);
    assert_eq!(store.stats().groups, groups, "old ledgers cost no write");
    assert_eq!(said(&store), (1, 21, 1));
    store.seal().unwrap();
    assert_eq!(said(&store), (1, 21, 1));
    assert_eq!(send(1, 7, 51).await, Stored::Already);
    assert_eq!(said(&store), (1, 51, 1));
    assert_eq!(send(2, 7, 51).await, Stored::New);
    // Batch 2 came after all, with one item of the fifty that the ledger gave up in it.
    assert_eq!(said(&store), (2, 51, 1));
    drop(store);
    let store = directory.open();
    assert_eq!(said(&store), (2, 51, 1));
    assert_eq!(stored_spans(&store), 2);
}

#[tokio::test]
async fn a_ledger_alone_is_kept() {
    let directory = TestDirectory::new();
    let store = directory.open();
    let last =
        r#"{"revision":2,"sealed":1,"accepted":5,"delivered":0,"dropped":{"x":5},"final":true}"#;
    let origin = Origin {
        sequence: None,
        ..with_ledger("e", 1, last)
    };
    let empty = Request::from_protobuf(Signal::Traces, b"").unwrap();
    try_put_from(&store, empty, origin).await.unwrap();
    drop(store);
    let store = directory.open();
    assert_eq!(said(&store), (0, 5, 1));
    store.seal().unwrap();
    assert_eq!(said(&store), (0, 5, 1));
    store.close().await.unwrap();
    assert_eq!(said(&directory.open()), (0, 5, 1));
    assert_eq!(directory.files("segments").len(), 0);
}

#[tokio::test]
async fn a_long_name_is_the_same_after_a_replay() {
    let directory = TestDirectory::new();
    let store = directory.open();
    let named = Origin {
        function: "n".repeat(3000),
        ..origin("e", 1)
    };
    try_put_from(&store, request(1), named).await.unwrap();
    let name = |store: &Store| {
        let report = store.completeness(&CompletenessFilter::default()).unwrap();
        report.functions[0].function.clone()
    };
    let before = name(&store);
    assert_eq!(before.len(), 255);
    drop(store);
    assert_eq!(name(&directory.open()), before);
}

#[tokio::test]
async fn what_fell_out_of_memory_is_in_the_catalog() {
    let directory = TestDirectory::new();
    let mut options = directory.options();
    options.known_environments_max = 8;
    let (store, _) = Store::open(options).unwrap();
    for round in 0..3 {
        for environment in 0..40 {
            let batch = origin(&format!("e{environment}"), 3);
            let stored = try_put_from(&store, request(1), batch).await.unwrap();
            let first = round == 0;
            assert_eq!(
                stored == Stored::New,
                first,
                "{environment} in round {round}"
            );
        }
        store.seal().unwrap();
    }
    let cases = [
        ("e0", 3, Stored::Already),
        ("e0", 2, Stored::New),
        ("e1", 4, Stored::New),
        ("e2", 3, Stored::Already),
        ("e1", 4, Stored::Already),
    ];
    for (name, number, expected) in cases {
        let stored = try_put_from(&store, request(1), origin(name, number)).await;
        assert_eq!(stored.unwrap(), expected, "{name} {number}");
    }
}
