//! What it costs to store each numbered batch once: `make bench-batches`.
//!
//! The same bodies without numbers, with numbers, and once more as copies, in turn and in one run;
//! then many short-lived environments, and what they leave in memory, on disk and for a reader.

#![allow(clippy::unwrap_used, clippy::disallowed_methods)] // a benchmark: it ends where it fails, and reads the clock

use std::fs;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use throughline_store::{
    AppendError, Body, CompletenessFilter, EnvironmentId, Ledger, Options, Origin, Sequence, Store,
    Stored,
};
use throughline_telemetry::wire::{Request, traces_request};
use throughline_telemetry::{Signal, UnixNanos};
use throughline_testkit::span;
use tokio::task::JoinSet;

const ROUNDS: u64 = 5;
const REQUESTS: u64 = 8000;
const SENDERS: u64 = 64;
const SPANS: u64 = 10;

fn main() {
    let environments = std::env::args()
        .nth(1)
        .map_or(1_000_000, |text| text.parse().unwrap());
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        rates().await;
        many(environments).await;
    });
}

async fn rates() {
    let directory = tempfile::tempdir().unwrap();
    let (store, _) = Store::open(Options::new(directory.path())).unwrap();
    let body = body(SPANS);
    let mut rates = [Vec::new(), Vec::new(), Vec::new()];
    for round in 0..ROUNDS {
        rates[0].push(rate(&store, &body, None, Stored::New).await);
        rates[1].push(rate(&store, &body, Some(round), Stored::New).await);
        rates[2].push(rate(&store, &body, Some(round), Stored::Already).await);
        store.seal().unwrap();
    }
    let medians = rates.map(|mut of_one| {
        of_one.sort_by(f64::total_cmp);
        of_one[of_one.len() / 2]
    });
    println!("{REQUESTS} requests of {SPANS} spans, {SENDERS} senders, median of {ROUNDS} rounds:");
    for (name, rate) in ["without numbers", "with numbers and ledgers", "copies"]
        .iter()
        .zip(medians)
    {
        println!(
            "  {name:<26} {rate:>9.0} requests/s  {:.3} of the first",
            rate / medians[0]
        );
    }
}

/// Requests a second. With a round they are numbered, each sender an environment of its own.
async fn rate(store: &Store, body: &Bytes, round: Option<u64>, expected: Stored) -> f64 {
    let begun = Instant::now();
    let mut senders = JoinSet::new();
    for sender in 0..SENDERS {
        let (store, body) = (store.clone(), body.clone());
        senders.spawn(async move {
            for number in 1..=REQUESTS / SENDERS {
                let origin = round.map(|round| origin(round * SENDERS + sender, number));
                assert_eq!(put(&store, &body, origin).await, expected);
            }
        });
    }
    senders.join_all().await;
    REQUESTS as f64 / begun.elapsed().as_secs_f64()
}

async fn many(environments: u64) {
    let directory = tempfile::tempdir().unwrap();
    let (store, _) = Store::open(Options::new(directory.path())).unwrap();
    let body = body(1);
    let before = resident_mib();
    let begun = Instant::now();
    let next = Arc::new(std::sync::atomic::AtomicU64::new(0));
    let mut senders = JoinSet::new();
    for _ in 0..1000 {
        let (store, body, next) = (store.clone(), body.clone(), Arc::clone(&next));
        senders.spawn(async move {
            loop {
                let environment = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                if environment >= environments {
                    return;
                }
                put(&store, &body, Some(origin(environment, 1))).await;
            }
        });
    }
    senders.join_all().await;
    println!(
        "{environments} environments with one batch each, stored in {:.1?}",
        begun.elapsed()
    );
    store.seal().unwrap();
    println!("  all in the catalog after {:.1?}", begun.elapsed());
    println!(
        "  resident memory: {before:.0} MiB before, {:.0} MiB after",
        resident_mib()
    );
    let catalog = fs::metadata(directory.path().join("catalog.sqlite"))
        .unwrap()
        .len();
    println!(
        "  catalog: {:.0} bytes an environment",
        catalog as f64 / environments as f64
    );
    let begun = Instant::now();
    let report = store.completeness(&CompletenessFilter::default()).unwrap();
    assert_eq!(report.functions[0].environments, environments);
    println!("  completeness of all of them: {:.1?}", begun.elapsed());
    let begun = Instant::now();
    let copies = environments.min(1000);
    for environment in 0..copies {
        assert_eq!(
            put(&store, &body, Some(origin(environment, 1))).await,
            Stored::Already
        );
    }
    println!(
        "  a copy of an old batch: {:.1?}",
        begun.elapsed() / u32::try_from(copies).unwrap()
    );
    let begun = Instant::now();
    drop(store);
    let (store, _) = Store::open(Options::new(directory.path())).unwrap();
    println!(
        "  opened again in {:.1?}, {:.0} MiB",
        begun.elapsed(),
        resident_mib()
    );
    drop(store);
}

async fn put(store: &Store, body: &Bytes, origin: Option<Origin>) -> Stored {
    loop {
        let body = Body::check(Signal::Traces, body.clone(), 1 << 30).unwrap();
        let received = UnixNanos(1_795_228_800_000_000_000);
        let stored = store.append(body, received, origin.clone());
        match stored.await {
            Ok(stored) => return stored,
            Err(AppendError::Overloaded { .. }) => {
                tokio::time::sleep(Duration::from_millis(100)).await
            }
            Err(error) => panic!("{error}"),
        }
    }
}

fn origin(environment: u64, number: u64) -> Origin {
    let name = format!("0192d4e0-7f1a-7c3b-9a55-{environment:012x}");
    let ledger = format!(
        r#"{{"v":1,"revision":{number},"sealed":{number},"accepted":{number},"delivered":{number},"final":false}}"#
    );
    Origin {
        environment: EnvironmentId::try_new(&name).unwrap(),
        sequence: Sequence::try_new(number),
        function: "checkout".to_owned(),
        ledger: Some(Ledger::parse(&ledger).unwrap()),
    }
}

fn body(spans: u64) -> Bytes {
    let spans: Vec<_> = (1..=spans)
        .map(|number| span("shop").in_trace(number).at(number).build())
        .collect();
    Request::Traces(traces_request(&spans)).to_protobuf().into()
}

fn resident_mib() -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<f64>().ok());
    kib.unwrap_or(0.0) / 1024.0
}
