//! Power cuts: a disk that may lose whatever was not synced, and a store on what is left.
//!
//! `THROUGHLINE_SEEDS` says how many seeds there are, `THROUGHLINE_SEED` repeats one.

use std::collections::BTreeSet;
use std::path::PathBuf;

use fastrand::Rng;
use throughline_telemetry::wire::logs_request;
use tokio::task::JoinSet;

use super::*;
use crate::disk::recorder::{Operation, Recorder};
use crate::disk::simulated::Disk;
use crate::testing::{origin, point, stored_spans, try_put_from};
use crate::{Keep, Retention};

#[tokio::test]
async fn a_disk_that_loses_what_was_not_synced_loses_nothing_acknowledged() {
    for seed in seeds(6) {
        if let Err(what) = run(seed, |_| true).await {
            panic!("{what}\nrepeat with THROUGHLINE_SEED={seed}");
        }
    }
}

/// Each sync is there for a reason, and the test above would see if it were not.
#[tokio::test]
async fn without_any_of_its_syncs_something_is_lost() {
    let syncs: [(&str, Which); 8] = [
        ("of the marker", |it| syncs_file(it, "THROUGHLINE.new")),
        ("of the WAL", |it| syncs_file(it, ".wal.new")),
        ("of the WAL's directory", |it| {
            syncs_directory(it, "data/wal")
        }),
        ("of rows", |it| syncs_file(it, ".parquet.new")),
        ("of indexes", |it| syncs_file(it, ".index.new")),
        ("of the segments' directory", |it| {
            syncs_directory(it, "data/segments")
        }),
        ("of the data directory", |it| syncs_directory(it, "data")),
        ("of the one above", |it| syncs_directory(it, "")),
    ];
    for (name, left_out) in syncs {
        let mut found = None;
        for seed in 0..SEEDS_TO_FIND {
            if let Err(what) = run(seed, |operation| !left_out(operation)).await {
                found = Some(what);
                break;
            }
        }
        let found = found.unwrap_or_else(|| panic!("nobody misses the sync {name}"));
        println!("without the sync {name}: {found}");
    }
}

/// Picks operations.
type Which = fn(&Operation) -> bool;

fn syncs_file(operation: &Operation, end: &str) -> bool {
    matches!(operation, Operation::Sync { path, .. } if path.to_string_lossy().ends_with(end))
}

fn syncs_directory(operation: &Operation, which: &str) -> bool {
    matches!(operation, Operation::SyncDirectory { path } if path == Path::new(which))
}

fn seeds(usual: u64) -> Vec<u64> {
    #[allow(clippy::disallowed_methods)] // the edge of a test
    let number = |name| std::env::var(name).ok().map(|text| text.parse().unwrap());
    match number("THROUGHLINE_SEED") {
        Some(seed) => vec![seed],
        None => (0..number("THROUGHLINE_SEEDS").unwrap_or(usual)).collect(),
    }
}

/// Lives a few lives on one disk, each of which begins with what the power cut at the end of the one
/// before left, and looks at what other power cuts could have left.
async fn run(seed: u64, really_done: impl Fn(&Operation) -> bool) -> Result<(), String> {
    let mut rng = Rng::with_seed(seed);
    let mut directory = TestDirectory::in_memory();
    let mut known = Numbers::default();
    for life in 1..=LIVES {
        let mut disk = Disk::of(directory.path());
        let before = known.acknowledged.clone();
        let recorder = Recorder::start(directory.path());
        let lived = live(directory.path(), &recorder, &mut known, &mut rng).await;
        let done = recorder.stop();
        lived.map_err(|what| format!("life {life}: {what}"))?;
        let mut ends: Vec<usize> = (0..CRASHES).map(|_| rng.usize(0..=done.len())).collect();
        ends.sort_unstable();
        let mut acknowledged = before;
        let mut done_until = 0;
        let mut last = directory;
        for end in ends {
            for operation in &done[done_until..end] {
                if let Operation::Acknowledged(number) = operation {
                    acknowledged.insert(*number);
                }
                if really_done(operation) {
                    disk.apply(operation);
                }
            }
            done_until = end;
            let image = disk.crash(&mut rng, catalog_under_way(&done, end));
            let left = TestDirectory::in_memory();
            image.write(left.path());
            // A copy, because looking changes it, and the next life begins with it as it was.
            look(&left.image(), &acknowledged).map_err(|what| {
                format!("life {life}, cut after {end} of {}: {what}", done.len())
            })?;
            last = left;
        }
        directory = last;
        known.acknowledged = acknowledged;
    }
    Ok(())
}

/// The files of a change of the catalog that had begun and not returned.
fn catalog_under_way(done: &[Operation], end: usize) -> Option<&Vec<(PathBuf, Vec<u8>)>> {
    let is_change =
        |it: &&Operation| matches!(it, Operation::CatalogBegin | Operation::CatalogEnd(_));
    match done[..end].iter().rfind(is_change)? {
        Operation::CatalogBegin => done[end..].iter().find_map(|it| match it {
            Operation::CatalogEnd(files) => Some(files),
            _ => None,
        }),
        _ => None,
    }
}

#[derive(Default)]
struct Numbers {
    acknowledged: BTreeSet<u64>,
    next: u64,
}

/// Fills a store, several senders at a time, while buffers are sealed.
async fn live(
    root: &Path,
    recorder: &Arc<Recorder>,
    known: &mut Numbers,
    rng: &mut Rng,
) -> Result<(), String> {
    let store = open(root)?;
    for _ in 0..rng.u32(2..6) {
        let mut senders = JoinSet::new();
        for _ in 0..rng.u32(1..5) {
            known.next += 1;
            let (number, store) = (known.next, store.clone());
            let recorder = Arc::clone(recorder);
            senders.spawn(async move {
                let sender = origin(["even", "odd"][usize::from(number % 2 == 1)], number);
                try_put_from(&store, request(number), sender).await?;
                let line = log("shop").says(format!("line {number}")).at(number);
                let line = logs_request(&[line.in_trace(number).build()]);
                try_put(&store, Request::Logs(line)).await?;
                recorder.acknowledged(number);
                Ok::<_, AppendError>(())
            });
        }
        while let Some(sent) = senders.join_next().await {
            sent.unwrap().map_err(|error| error.to_string())?;
        }
        if rng.u32(0..3) == 0 {
            let old = point("old", moment(0).minus(DAY));
            let put = try_put(&store, old).await;
            put.map_err(|error| error.to_string())?;
            let put = try_put(&store, old_span(known.next)).await;
            put.map_err(|error| error.to_string())?;
        }
        if rng.u32(0..4) == 0 {
            store.seal().map_err(|error| error.to_string())?;
        }
        if rng.u32(0..4) == 0 {
            let compacted = store.compact(moment(1 << 30));
            compacted.map_err(|error| error.to_string())?;
        }
    }
    Ok(())
}

/// Opens a store on what is left and counts: each acknowledged row is there once, and no other twice.
fn look(left: &TestDirectory, acknowledged: &BTreeSet<u64>) -> Result<(), String> {
    for sealed in [false, true] {
        let store = open(left.path())?;
        if sealed {
            store.seal().map_err(|error| error.to_string())?;
        }
        let fails = |error: ReadError| error.to_string();
        for number in acknowledged {
            let trace = store.trace(trace_id(*number)).map_err(fails)?;
            let there = (trace.spans.len(), trace.logs.len());
            if there != (1, 1) {
                return Err(format!("{number} has {there:?} spans and logs"));
            }
        }
        let traces = store.find_traces(&TraceFilter::default()).map_err(fails)?;
        let spans = stored_spans(&store);
        if spans != traces.total {
            return Err(format!("{spans} spans in {} traces of one", traces.total));
        }
        let logs = newest_logs(&store).map_err(fails)?;
        let distinct: BTreeSet<String> = logs.iter().map(|log| log.body.to_text()).collect();
        if distinct.len() != logs.len() {
            return Err(format!("{} logs, {} different", logs.len(), distinct.len()));
        }
        // What is summed up is there with its rows, and nothing of what was dropped or never published.
        let rolled = rollups::rolled(&store);
        if rolled.0.cast_unsigned() != spans {
            return Err(format!("{} of {spans} spans in rollups", rolled.0));
        }
        // Before that a seal may be under way.
        let strange = rollups::strange(&store);
        if sealed && !strange.is_empty() {
            return Err(format!("{strange:?} beside no rows"));
        }
        // Nothing has to be mended either: what was cut off was not needed.
        if let Some(damage) = store.damaged().first() {
            return Err(damage.clone());
        }
    }
    Ok(())
}

fn open(root: &Path) -> Result<Store, String> {
    let mut options = Options::new(root.join("data"));
    options.compacts = false; // where the seed says
    options.buffer_bytes_max = 1500; // so that seals run beside the senders
    // Of what is put, that of the day before is too old when the rest is merged.
    options.retention = Retention::each(Keep {
        age: Some(moment(1 << 30).since(moment(0)) + DAY / 2),
        bytes: None,
    });
    let (store, recovery) = Store::open(options).map_err(|error| error.to_string())?;
    match recovery
        .notes
        .iter()
        .find(|note| note.contains("not in the catalog"))
    {
        Some(note) => Err(note.clone()),
        None => Ok(store),
    }
}

/// One that is too old when the rest is merged.
fn old_span(number: u64) -> Request {
    let mut old = span("shop").in_trace(OLD_TRACES + number).build();
    old.start = moment(0).minus(DAY);
    old.end = old.start;
    Request::Traces(traces_request(&[old]))
}

/// The traces of what is too old have these numbers and higher ones.
const OLD_TRACES: u64 = 1 << 40;

const DAY: Duration = Duration::from_secs(86_400);

/// Lives of one seed.
const LIVES: usize = 3;

/// Power cuts that are looked at in one life.
const CRASHES: usize = 6;

/// So many seeds are tried before a sync counts as needless.
const SEEDS_TO_FIND: u64 = 20;
