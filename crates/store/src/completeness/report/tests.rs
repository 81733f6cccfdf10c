use fastrand::Rng;
use throughline_telemetry::wire::{Request, traces_request};
use throughline_testkit::{moment, span};

use super::*;
use crate::completeness::Why;
use crate::testing::{TestDirectory, body, with_ledger};
use crate::{EnvironmentId, Ledger, Origin, Sequence, Store};

async fn put(store: &Store, items: u64, at: u64, origin: Origin) {
    let spans: Vec<_> = (0..items)
        .map(|n| span("shop").in_trace(n + 1).build())
        .collect();
    let request = Request::Traces(traces_request(&spans));
    let stored = store.append(body(&request).unwrap(), moment(at), Some(origin));
    stored.await.unwrap();
}

fn all() -> CompletenessFilter {
    CompletenessFilter {
        limit: 50,
        ..CompletenessFilter::default()
    }
}

fn named(function: &str, origin: Origin) -> Origin {
    Origin {
        function: function.to_owned(),
        ..origin
    }
}

fn ledger(revision: u64, sealed: u64, accepted: u64, last: bool) -> String {
    format!(r#"{{"revision":{revision},"sealed":{sealed},"accepted":{accepted},"final":{last}}}"#)
}

#[tokio::test]
async fn functions_are_paged_by_name_and_filtered_by_time() {
    let directory = TestDirectory::new();
    let store = directory.open();
    for (at, function) in ["d", "b", "a", "c"].into_iter().enumerate() {
        let origin = with_ledger(
            &format!("e-{function}"),
            1,
            &ledger(1, 1, 3, function == "a"),
        );
        put(&store, 3, 10 * at as u64, named(function, origin)).await;
        if function == "b" {
            store.seal().unwrap();
        }
    }
    let names = |filter: &CompletenessFilter| {
        let report = store.completeness(filter).unwrap();
        let names = report
            .functions
            .iter()
            .map(|function| function.function.clone());
        (
            names.collect::<Vec<_>>().concat(),
            report.total,
            report.next,
        )
    };
    assert_eq!(names(&all()), ("abcd".into(), 4, None));
    let mut paged = String::new();
    let mut filter = CompletenessFilter { limit: 3, ..all() };
    let (page, total, next) = names(&filter);
    paged += &page;
    assert_eq!(total, 4);
    filter.after = Some(next.unwrap().to_string().parse().unwrap());
    let (page, total, next) = names(&filter);
    assert_eq!((paged + &page, total, next), ("abcd".into(), 1, None));
    let between = CompletenessFilter {
        from: Some(moment(10)),
        to: Some(moment(30)),
        ..all()
    };
    assert_eq!(names(&between).0, "ab");
    let one = CompletenessFilter {
        function: Some("c".into()),
        ..all()
    };
    let report = store.completeness(&one).unwrap();
    let [c] = report.functions.as_slice() else {
        panic!("{report:?}")
    };
    assert_eq!(
        (c.environments, c.environments_open, c.accepted, c.received),
        (1, 1, 3, 3)
    );
    assert!(c.is_whole());
    assert!("g00".parse::<ReportCursor>().is_err() && "f0".parse::<ReportCursor>().is_err());
}

#[tokio::test]
async fn long_lists_are_cut_and_counted() {
    let directory = TestDirectory::new();
    let store = directory.open();
    for name in 0..MISSING_MAX as u64 + 20 {
        let origin = with_ledger(&format!("e{name:04}"), 2, &ledger(1, 2, 2, true));
        put(&store, 1, name, origin).await;
        if name == 60 {
            store.seal().unwrap();
        }
    }
    let report = store.completeness(&all()).unwrap();
    let function = &report.functions[0];
    assert_eq!((function.missing.len(), function.missing_total), (100, 120));
    assert!(report.truncated);
    let (newest, seen, missing) = &function.missing[0];
    assert_eq!((newest.as_str(), *seen), ("e0119", moment(119)));
    let expected = Missing {
        numbers: Some((1, 1)),
        items: Some(1),
        why: Why::Unknown,
    };
    assert_eq!(*missing, expected);
}

/// Whatever is sealed when, and however often the store is opened again, the report is the same as
/// one that is added up by hand.
#[tokio::test]
async fn sealed_or_not_the_report_is_the_same() {
    for seed in 0..6 {
        let mut rng = Rng::with_seed(seed);
        let directory = TestDirectory::new();
        let mut store = directory.open();
        let mut model: BTreeMap<u64, (u64, BTreeMap<u64, u64>)> = BTreeMap::new();
        for revision in 1..60 {
            let (environment, number) = (rng.u64(0..4), rng.u64(1..12));
            let items = 1 + number % 3;
            let (known, stored) = model.entry(environment).or_default();
            stored.insert(number, items);
            *known = revision;
            let ledger = Ledger {
                revision,
                sealed: 12,
                accepted: 100,
                ..Ledger::default()
            };
            let mut origin =
                Origin::new(EnvironmentId::try_new(&format!("e{environment}")).unwrap());
            origin.sequence = Sequence::try_new(number);
            origin.ledger = Some(ledger);
            put(&store, items, revision, origin).await;
            match rng.u32(0..8) {
                0 => store.seal().unwrap(),
                1 => {
                    drop(store);
                    store = directory.open();
                }
                _ => {}
            }
            let report = store.completeness(&all()).unwrap();
            let function = &report.functions[0];
            let received: u64 = model.values().flat_map(|(_, stored)| stored.values()).sum();
            let environments = model.len() as u64;
            let expected = (environments, environments, 100 * environments, received);
            let counted = (
                function.environments,
                function.environments_open,
                function.accepted,
                function.received,
            );
            assert_eq!(counted, expected, "seed {seed}, revision {revision}");
            for (environment, (_, stored)) in &model {
                let name = format!("e{environment}");
                let of_it = function
                    .missing
                    .iter()
                    .filter(|(environment, ..)| *environment == name);
                let missing = of_it.filter_map(|(_, _, missing)| missing.numbers);
                let missing: Vec<u64> = missing.flat_map(|(first, last)| first..=last).collect();
                let expected: Vec<u64> = (1..=12).filter(|n| !stored.contains_key(n)).collect();
                assert_eq!(
                    missing, expected,
                    "seed {seed}, revision {revision}, {name}"
                );
            }
        }
    }
}

#[tokio::test]
async fn who_never_said_farewell_is_named_the_longest_silent_first() {
    let directory = TestDirectory::new();
    let store = directory.open();
    let count = OPEN_MAX as u64 + 10;
    for at in 0..count {
        // Some are in the catalog, some not, and one is in both.
        let name = format!("e-{at}");
        put(
            &store,
            1,
            at,
            named("f", with_ledger(&name, 1, &ledger(1, 1, 1, false))),
        )
        .await;
        if at == 60 {
            store.seal().unwrap();
        }
    }
    let last = ledger(2, 1, 1, true);
    put(&store, 1, count, named("f", with_ledger("e-1", 1, &last))).await;
    put(
        &store,
        1,
        count,
        named("f", with_ledger("e-2", 2, &ledger(2, 2, 2, false))),
    )
    .await;
    let function = store.completeness(&all()).unwrap().functions.remove(0);
    assert_eq!(function.environments_open, count - 1);
    let names: Vec<_> = function.open.iter().map(|open| open.name.clone()).collect();
    let silent = [0].into_iter().chain(3..OPEN_MAX as u64 + 2);
    let expected: Vec<_> = silent.map(|at| format!("e-{at}")).collect();
    assert_eq!(names, expected);
}

#[tokio::test]
async fn what_was_on_its_way_has_vanished_after_a_day_without_a_word() {
    let directory = TestDirectory::new();
    let store = directory.open();
    let waits = r#"{"revision":1,"sealed":1,"accepted":7,"delivered":3,"waiting":4}"#;
    for (name, is_sealed) in [("e-1", true), ("e-2", false)] {
        put(&store, 3, 0, named("f", with_ledger(name, 1, waits))).await;
        if is_sealed {
            store.seal().unwrap();
        }
    }
    let day = Duration::from_secs(24 * 3600);
    for (now, why) in [
        (moment(0).plus(day), Why::OnItsWay),
        (moment(1).plus(day), Why::Vanished),
    ] {
        let report = store.completeness(&CompletenessFilter { now, ..all() });
        let function = report.unwrap().functions.remove(0);
        assert_eq!(function.environments_open, 2);
        let vanished = why == Why::Vanished;
        let open = ["e-1", "e-2"].map(|name| OpenEnvironment {
            name: name.to_owned(),
            last_seen: moment(0),
            vanished,
        });
        assert_eq!(function.open, open);
        let whys = function.missing.into_iter().map(|(_, _, missing)| missing);
        let whys: Vec<_> = whys.collect();
        assert_eq!(whys.len(), 2);
        for missing in whys {
            assert_eq!((missing.why, missing.items), (why.clone(), Some(4)));
        }
    }
}
