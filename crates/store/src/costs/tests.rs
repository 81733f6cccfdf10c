use std::collections::BTreeMap;

use throughline_telemetry::{LogRecord, UnixNanos};
use throughline_testkit::builders::log;

use super::*;
use crate::edges::Caller;
use crate::testing::{TestDirectory, put_logs};
use crate::{Retention, Store, SumFilter};

const SECOND: u64 = 1_000_000_000;

fn report(function: &str, second: u64, usd: f64) -> LogRecord {
    let report = log(function).says("REPORT").attribute(COST, usd);
    let mut report = report.resource_attribute("faas.name", function).build();
    report.time = UnixNanos(second * SECOND);
    report
}

fn line(second: u64) -> LogRecord {
    let mut line = log("checkout").says("hello").attribute("n", 1).build();
    line.time = UnixNanos(second * SECOND);
    line
}

fn costs(store: &Store, from: u64, to: u64) -> CostList {
    let filter = SumFilter {
        from: UnixNanos(from * SECOND),
        to: UnixNanos(to * SECOND),
        limit: 10,
        ..SumFilter::default()
    };
    store.costs(&filter).unwrap()
}

/// Function, reports and millionths of a dollar of each.
fn show(found: &CostList) -> Vec<String> {
    let lines = found.functions.iter().map(|cost| {
        let Caller { service, function } = &cost.function;
        assert_eq!(service, function);
        format!("{function} {} {:.0}", cost.reports, cost.usd * 1e6)
    });
    lines.collect()
}

#[tokio::test]
async fn costs_are_those_of_the_reports_wherever_they_are() {
    let directory = TestDirectory::new();
    let store = directory.open();
    let reports = [
        report("checkout", 10, 1e-6),
        line(11),
        report("checkout", 70, 2e-6),
        report("notify", 75, 9e-6),
    ];
    put_logs(&store, &reports).await;
    let expect = |store: &Store, rollups: u64, at: &str| {
        let found = costs(store, 0, 3000);
        assert_eq!(show(&found), ["notify 1 9", "checkout 2 3"], "{at}");
        assert!((found.usd - 12e-6).abs() < 1e-12, "{at}");
        assert_eq!((found.looked.rollups, found.total), (rollups, 2), "{at}");
        assert_eq!(
            show(&costs(store, 61, 80)),
            ["notify 1 9", "checkout 1 2"],
            "{at}"
        );
        let second = costs(store, 61, 80);
        assert_eq!((second.from.0, second.to.0), (60 * SECOND, 120 * SECOND));
        let function = Some("checkout".to_owned());
        let only = store.costs(&SumFilter {
            function,
            limit: 10,
            to: UnixNanos(3000 * SECOND),
            ..SumFilter::default()
        });
        assert_eq!(show(&only.unwrap()), ["checkout 2 3"], "{at}");
    };
    expect(&store, 0, "buffered");
    store.seal().unwrap();
    expect(&store, 1, "sealed");
    put_logs(&store, &[line(12), line(13), line(14)]).await;
    store.seal().unwrap();
    expect(&store, 2, "with a segment without costs");
    store.compact(UnixNanos(u64::MAX / 2)).unwrap();
    expect(&store, 1, "merged");
    store.close().await.unwrap();
    let store = directory.open();
    expect(&store, 1, "opened again");
    drop(store);
    let path = directory
        .path()
        .join("rollups/logs-merged-0000000001.costs.parquet");
    std::fs::write(path, "not what was written").unwrap();
    expect(&directory.open(), 0, "damaged");
}

#[tokio::test]
async fn costs_go_with_their_records() {
    let directory = TestDirectory::new();
    let mut options = directory.options();
    options.retention = Retention::each("1h".parse().unwrap());
    let (store, _) = Store::open(options).unwrap();
    put_logs(&store, &[report("checkout", 10, 1e-6)]).await;
    store.seal().unwrap();
    assert_eq!(directory.files("rollups").len(), 2);
    store.compact(UnixNanos(u64::MAX / 2)).unwrap();
    store.compact(UnixNanos(u64::MAX / 2)).unwrap();
    assert_eq!(directory.files("rollups"), Vec::<String>::new());
    assert_eq!(show(&costs(&store, 0, 3000)), Vec::<String>::new());
}

#[tokio::test]
async fn random_reports_are_summed_up_in_any_place() {
    let seed = fastrand::u64(..);
    let mut random = fastrand::Rng::with_seed(seed);
    let directory = TestDirectory::new();
    let store = directory.open();
    let mut expect: BTreeMap<&str, (u64, f64)> = BTreeMap::new();
    for round in 0..12 {
        let mut records = vec![line(random.u64(1..3000))];
        for _ in 0..30 {
            let function = ["checkout", "inventory", "notify"][random.usize(..3)];
            let (second, usd) = (random.u64(1..3000), random.f64());
            records.push(report(function, second, usd));
            if (600..1800).contains(&second) {
                let sums = expect.entry(function).or_default();
                *sums = (sums.0 + 1, sums.1 + usd);
            }
        }
        put_logs(&store, &records).await;
        match random.u32(..3) {
            0 => store.seal().unwrap(),
            1 => store.compact(UnixNanos(u64::MAX / 2)).unwrap(),
            _ => {}
        }
        let found = costs(&store, 600, 1800);
        assert_eq!(found.total, expect.len(), "seed {seed}, round {round}");
        for cost in &found.functions {
            let (reports, usd) = expect[cost.function.function.as_str()];
            assert_eq!(cost.reports, reports, "seed {seed}, round {round}");
            assert!((cost.usd - usd).abs() < 1e-9, "seed {seed}, round {round}");
        }
    }
}
