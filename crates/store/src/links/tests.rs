//! Ends of links, wherever their spans are.

use std::collections::BTreeSet;
use std::fs;

use throughline_telemetry::correlation::{INVOCATION_ID, LINK_IN, LINK_OUT};
use throughline_telemetry::{Signal, Span, TraceId, Value};
use throughline_testkit::{moment, span, trace_id};

use super::file::{cut, to_bytes};
use super::*;
use crate::testing::harm::Harm;
use crate::testing::{TestDirectory, put, span_batch};
use crate::{Store, check};

fn keys(keys: &[String]) -> Value {
    Value::Array(keys.iter().map(|key| Value::String(key.clone())).collect())
}

/// A span of trace N that sent `sqs:N`, received `sqs:N-1` and is invocation `r-N`.
fn hop(number: u64) -> Span {
    let [sent, received] = [number, number - 1].map(|it| keys(&[format!("sqs:{it}")]));
    span("worker")
        .in_trace(number)
        .id(number)
        .at(number)
        .attribute(LINK_OUT, sent)
        .attribute(LINK_IN, received)
        .attribute(INVOCATION_ID, format!("r-{number}"))
        .build()
}

fn linked(store: &Store, ends: &[End]) -> Vec<Vec<TraceId>> {
    let found = store.traces(|traces| traces.linked(ends)).unwrap();
    assert!(!found.truncated);
    found.traces
}

/// That the ends of the hops 1 to `last` are found, and nothing else.
fn check_hops(store: &Store, last: u64) {
    for number in 1..=last {
        let ends = [
            End::Out(format!("sqs:{number}")),
            End::In(format!("sqs:{}", number - 1)),
            End::In(format!("lam:r-{number}")),
            End::LinkTo(trace_id(number)),
        ];
        let own = vec![trace_id(number)];
        let expected = vec![own.clone(), own.clone(), own, Vec::new()];
        assert_eq!(linked(store, &ends), expected, "{number} of {last}");
    }
    let none = [End::Out("sqs:0".into()), End::In(format!("sqs:{last}"))];
    assert_eq!(linked(store, &none), [vec![], vec![]]);
}

#[tokio::test]
async fn ends_are_found_in_buffers_and_segments_and_after_a_merge_and_a_start() {
    let directory = TestDirectory::new();
    let store = directory.open();
    for number in 1..=6 {
        put(&store, &[hop(number)]).await;
        check_hops(&store, number);
        if number % 2 == 0 {
            store.seal().unwrap();
            check_hops(&store, number);
        }
    }
    put(&store, &[hop(7)]).await;
    store.compact(moment(1 << 30)).unwrap();
    check_hops(&store, 7);
    let links = |name: &String| name.ends_with(".links");
    let files = directory.files("rollups");
    let files: Vec<&String> = files.iter().filter(|name| links(name)).collect();
    assert_eq!(files, ["spans-merged-0000000001.links"]);
    drop(store);
    check_hops(&directory.open(), 7);
}

#[tokio::test]
async fn links_and_escaped_and_single_keys_are_found_and_a_trace_is_given_once() {
    let target = trace_id(99);
    let mut linking = span("worker").in_trace(1).id(1).build();
    let mut to = linking.clone();
    to.trace_id = target;
    linking = span("worker").in_trace(1).id(1).link(&to).link(&to).build();
    let odd = ["eb:a\"b\\".to_owned(), "eb:ü, \",\"".to_owned()];
    linking.attributes.set(LINK_OUT, keys(&odd));
    let mut single = span("worker").in_trace(1).id(2).child_of(&linking).build();
    single.attributes.set(LINK_IN, "eb:1");
    single.attributes.set(LINK_OUT, 7);
    let mut mixed = span("worker").in_trace(2).id(3).build();
    let values = vec![Value::Int(1), Value::String("eb:1".into())];
    mixed.attributes.set(LINK_IN, Value::Array(values));
    let ends = [
        End::LinkTo(target),
        End::Out(odd[0].clone()),
        End::Out(odd[1].clone()),
        End::In("eb:1".into()),
        End::Out("7".into()),
    ];
    let one = vec![trace_id(1)];
    let mut both = vec![trace_id(1), trace_id(2)];
    both.sort();
    let expected = [one.clone(), one.clone(), one, both, vec![]];
    let directory = TestDirectory::new();
    let store = directory.open();
    put(&store, &[linking, single, mixed]).await;
    assert_eq!(linked(&store, &ends), expected);
    store.seal().unwrap();
    assert_eq!(linked(&store, &ends), expected);
}

#[tokio::test]
async fn an_index_that_is_gone_or_damaged_or_older_than_links_is_made_of_the_rows() {
    let directory = TestDirectory::new();
    let store = directory.open();
    let hops: Vec<Span> = (1..=40).map(hop).collect();
    put(&store, &hops).await;
    store.seal().unwrap();
    store.close().await.unwrap();
    let path = directory.path().join("rollups/spans-0000000001-000.links");
    let whole = fs::read(&path).unwrap();
    for place in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[place] ^= 1;
        fs::write(&path, bytes).unwrap();
        check_hops(&directory.open(), 40);
    }
    for harm in Harm::ALL {
        fs::write(&path, &whole).unwrap();
        harm.happen(&path);
        check_hops(&directory.open(), 40);
        let report = check(directory.path(), &mut |_| {}).unwrap();
        let faults: Vec<String> = report
            .faults
            .iter()
            .map(|fault| format!("{fault:?}"))
            .collect();
        assert!(
            faults.len() == 1 && faults[0].contains(".links"),
            "{faults:?}"
        );
    }
    let catalog = rusqlite::Connection::open(directory.path().join("catalog.sqlite")).unwrap();
    catalog
        .execute_batch("UPDATE segments SET links_bytes = NULL, links_crc32c = NULL")
        .unwrap();
    let store = directory.open();
    check_hops(&store, 40);
    assert!(!path.exists(), "the catalog does not know it");
    put(&store, &[hop(41)]).await;
    store.seal().unwrap();
    store.compact(moment(1 << 30)).unwrap();
    check_hops(&store, 41);
    assert_eq!(store.stats().compaction_failures, 0);
}

#[test]
fn every_end_is_in_the_file_even_where_many_traces_have_it() {
    let mut rng = fastrand::Rng::with_seed(11);
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("x.links");
    for ends in [0, 1, 511, 512, 513, 20_000] {
        let mut ends: Vec<(u64, u32)> = (0..ends).map(|row| (rng.u64(..), row)).collect();
        let hot: Vec<(u64, u32)> = (0..900).map(|row| (7 << 40, row * 3)).collect();
        ends.extend(&hot);
        ends.sort_unstable();
        let ends = Ends { ends, left_out: 0 };
        fs::write(&path, to_bytes(ends.clone())).unwrap();
        let index = LinkIndex::load(&path).unwrap();
        for (hash, row) in &ends.ends {
            let (rows, more) = index.rows(&path, *hash).unwrap();
            assert!(rows.contains(row) && !more, "{hash} {row}");
        }
        let absent = (0..1000).map(|_| rng.u64(..));
        let cuts: BTreeSet<u64> = ends.ends.iter().map(|(hash, _)| cut(*hash)).collect();
        for hash in absent.filter(|hash| !cuts.contains(&cut(*hash))) {
            assert_eq!(index.rows(&path, hash).unwrap(), (vec![], false));
        }
    }
}

#[test]
fn an_end_takes_few_bytes() {
    let spans: Vec<Span> = (1..=10_000).map(hop).collect();
    let mut fold = LinkFold::default();
    fold.add(&span_batch(&spans)).unwrap();
    let ends = fold.finish();
    let count = ends.ends.len();
    let bytes = to_bytes(ends).len();
    assert_eq!(count, 30_000);
    assert!(bytes < count * 8, "{bytes} bytes of {count} ends");
}

/// The same whether it is a text or a number, of the row or its resource, in a buffer or sealed.
#[tokio::test]
async fn traces_are_found_by_a_value_of_any_attribute() {
    let directory = TestDirectory::new();
    let store = directory.open();
    let order = |number: u64| {
        let order = span("shop").in_trace(number).id(number).at(number);
        let order = order.attribute("order.id", format!("ord-{number}"));
        let order = order.attribute("order.number", number.cast_signed());
        order
            .resource_attribute("host", format!("h-{}", number % 2))
            .build()
    };
    put(&store, &(1..=5).map(order).collect::<Vec<_>>()).await;
    let find = |text: &str| {
        let keys = ["order.id", "order.number", "host", "absent"].map(str::to_owned);
        let found = store.traces_with_value(Signal::Traces, text, &keys, &|| true);
        let found = found.unwrap();
        assert!(!found.truncated);
        let by_key = found.by_key.into_iter();
        by_key
            .map(|(key, traces)| (key, traces.len(), traces.first().copied()))
            .collect::<Vec<_>>()
    };
    let check_all = || {
        let third = Some(trace_id(3));
        assert_eq!(find("ord-3"), [("order.id".to_owned(), 1, third)]);
        assert_eq!(find("3"), [("order.number".to_owned(), 1, third)]);
        assert_eq!((find("h-1")[0].0.as_str(), find("h-1")[0].1), ("host", 3));
        assert_eq!(find("ord-33"), []);
    };
    check_all();
    store.seal().unwrap();
    check_all();
    let keys = ["order.id".to_owned()];
    let stopped = store.traces_with_value(Signal::Traces, "ord-3", &keys, &|| false);
    let expected = crate::ValueTraces {
        truncated: true,
        ..crate::ValueTraces::default()
    };
    assert_eq!(stopped.unwrap(), expected);
}
