//! What spans sum up to, through everything that happens to segments.

use std::collections::HashSet;
use std::path::PathBuf;

use super::*;
use crate::rollup::MINUTE_NANOS;
use crate::testing::copy;
use crate::{Apart, Bounds, Retention, RolledUp};

/// How many spans there are by the rollups, and how many rollups were read for that.
pub(super) fn rolled(store: &Store) -> (i64, u64) {
    let bounds = Bounds {
        from: Some(UnixNanos(0)),
        to: Some(UnixNanos(u64::MAX / 2)),
        ..Bounds::default()
    };
    let scan = store.scan();
    let apart = Apart {
        names: true,
        environments: true,
    };
    let by_minute = scan.rolled_up(&bounds, Some(MINUTE_NANOS), apart, &|| true);
    let totals = scan.rolled_up(&bounds, None, apart, &|| true).unwrap();
    let (by_minute, in_all) = (by_minute.unwrap(), spans_in(&totals));
    assert_eq!(
        spans_in(&by_minute),
        in_all,
        "totals are those of the minutes"
    );
    (in_all, totals.rollups)
}

fn spans_in(found: &RolledUp) -> i64 {
    let counts = found.batches.iter().flat_map(|batch| {
        let counts = batch.column_by_name("count").unwrap().as_any();
        let counts = counts.downcast_ref::<arrow::array::Int64Array>().unwrap();
        counts.values().to_vec()
    });
    counts.sum()
}

/// Files beside the rows of segments that are not there.
pub(super) fn strange(store: &Store) -> Vec<PathBuf> {
    let shared = store.shared();
    let segments = shared.live.segments();
    let mut known = HashSet::new();
    for segment in segments.all() {
        known.insert(shared.layout.census(segment.signal, segment.id));
        known.insert(shared.layout.rollup(segment.id));
        known.insert(shared.layout.edges(segment.id));
        known.insert(shared.layout.links(segment.id));
        known.insert(shared.layout.costs(segment.id));
    }
    let files = fs::read_dir(shared.layout.rollup_directory()).unwrap();
    let files = files.map(|entry| entry.unwrap().path());
    files.filter(|path| !known.contains(path)).collect()
}

/// The files of rollups.
fn files(directory: &TestDirectory) -> Vec<String> {
    let mut files = directory.files("rollups");
    let beside = ["census", "edges", "links"];
    files.retain(|name| !beside.iter().any(|other| name.contains(other)));
    files
}

async fn sealed(directory: &TestDirectory, numbers: std::ops::RangeInclusive<u64>) -> Store {
    let store = directory.open();
    for number in numbers {
        try_put(&store, request(number)).await.unwrap();
        store.seal().unwrap();
    }
    store
}

fn late() -> UnixNanos {
    moment(1 << 30)
}

#[tokio::test]
async fn rollups_come_and_go_with_segments() {
    let directory = TestDirectory::new();
    let store = sealed(&directory, 1..=3).await;
    try_put(&store, request(4)).await.unwrap();
    assert_eq!(rolled(&store), (4, 3));
    assert_eq!(files(&directory).len(), 3);
    store.compact(late()).unwrap();
    assert_eq!(rolled(&store), (4, 1));
    assert_eq!(files(&directory), ["spans-merged-0000000001.parquet"]);
    store.close().await.unwrap();
    let store = directory.open();
    assert_eq!(rolled(&store), (4, 2));
}

#[tokio::test]
async fn rollups_and_censuses_go_with_the_rows() {
    let directory = TestDirectory::new();
    let mut options = directory.options();
    options.retention = Retention::each("1h".parse().unwrap());
    let (store, _) = Store::open(options.clone()).unwrap();
    for number in 1..=2 {
        try_put(&store, request(number)).await.unwrap();
        store.seal().unwrap();
    }
    let with_what_lies_beside: u64 = ["segments", "rollups"]
        .map(|part| directory.bytes(part))
        .iter()
        .sum();
    assert_eq!(store.stats().segment_bytes, with_what_lies_beside);
    let reader = store.reader();
    store.compact(late()).unwrap();
    assert_eq!((count(&store), rolled(&store)), (0, (0, 0)));
    assert_eq!(store.stats().retention_bytes, with_what_lies_beside);
    assert_eq!(files(&directory).len(), 2, "somebody still reads");
    drop(reader);
    store.compact(late()).unwrap();
    assert_eq!(directory.files("rollups"), Vec::<String>::new());
    assert_eq!(directory.files("segments"), Vec::<String>::new());
    store.close().await.unwrap();
    let (store, _) = Store::open(options).unwrap();
    assert_eq!(rolled(&store), (0, 0));
}

/// As versions left it that kept rollups for good.
#[tokio::test]
async fn rollups_without_rows_go_at_the_start() {
    let directory = TestDirectory::new();
    sealed(&directory, 1..=2).await.close().await.unwrap();
    let catalog = rusqlite::Connection::open(directory.path().join("catalog.sqlite")).unwrap();
    let drop_the_first = "DELETE FROM segment_services WHERE segment_id = 65536;
        DELETE FROM segments WHERE id = 65536;
        ALTER TABLE segments DROP COLUMN edges_bytes; ALTER TABLE segments DROP COLUMN edges_crc32c;
        ALTER TABLE segments DROP COLUMN costs_bytes; ALTER TABLE segments DROP COLUMN costs_crc32c;
        ALTER TABLE segments DROP COLUMN links_bytes; ALTER TABLE segments DROP COLUMN links_crc32c;
        PRAGMA user_version = 3;";
    catalog.execute_batch(drop_the_first).unwrap();
    drop(catalog);
    for name in directory.files("segments") {
        if name.contains("0000000001") {
            fs::remove_file(directory.path().join("segments").join(name)).unwrap();
        }
    }
    let store = directory.open();
    assert_eq!((count(&store), rolled(&store)), (1, (1, 1)));
    assert_eq!(files(&directory), ["spans-0000000002-000.parquet"]);
}

#[tokio::test]
async fn a_rollup_that_cannot_be_read_is_done_without() {
    let directory = TestDirectory::new();
    sealed(&directory, 1..=3).await.close().await.unwrap();
    let path = |name: &String| directory.path().join("rollups").join(name);
    let files = files(&directory);
    fs::remove_file(path(&files[0])).unwrap();
    let mut bytes = fs::read(path(&files[1])).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(path(&files[1]), bytes).unwrap();
    let store = directory.open();
    assert_eq!(rolled(&store), (3, 1));
    store.compact(late()).unwrap();
    assert_eq!(rolled(&store), (3, 1));
    assert_eq!(store.stats().compaction_failures, 0);
}

#[tokio::test]
async fn rollups_that_nobody_knows_are_removed() {
    let directory = TestDirectory::new();
    let store = sealed(&directory, 1..=1).await;
    store.close().await.unwrap();
    let rollups = directory.path().join("rollups");
    let known = files(&directory);
    for name in [
        "spans-0000000009-000.parquet",
        "spans-merged-0000000001.parquet.new",
    ] {
        fs::copy(rollups.join(&known[0]), rollups.join(name)).unwrap();
    }
    fs::write(rollups.join("notes.txt"), "not ours").unwrap();
    directory.open();
    assert_eq!(files(&directory), ["notes.txt", &known[0]]);
}

#[tokio::test]
async fn copies_in_other_segments_count_once() {
    let directory = TestDirectory::new();
    let store = sealed(&directory, 1..=2).await;
    try_put(&store, request(1)).await.unwrap();
    assert_eq!(rolled(&store), (2, 2));
    store.seal().unwrap();
    let image = TestDirectory::new();
    copy(directory.path(), image.path());
    assert_eq!(rolled(&store).0, 2);
    assert_eq!(rolled(&image.open()).0, 2, "after a crash");
    store.compact(late()).unwrap();
    assert_eq!(rolled(&store), (2, 1));
}
