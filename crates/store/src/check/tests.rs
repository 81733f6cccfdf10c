use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::{Seek, SeekFrom, Write};

use throughline_testkit::{log, moment, span};

use super::*;
use crate::testing::harm::{Harm, two_generations};
use crate::testing::{
    TestDirectory, newest_wal, origin, point, put, put_logs, try_put, try_put_from,
};
use crate::{OpenError, Options, Store};

/// What is in a directory, byte by byte.
fn contents(path: &Path) -> BTreeMap<PathBuf, Option<Vec<u8>>> {
    let mut all = BTreeMap::new();
    for path in entries(path).unwrap() {
        if path.is_dir() {
            all.extend(contents(&path));
            all.insert(path, None);
        } else {
            let bytes = fs::read(&path).unwrap();
            all.insert(path, Some(bytes));
        }
    }
    all
}

/// Checks, and that nothing was changed by it.
fn checked(directory: &TestDirectory) -> CheckReport {
    let before = contents(directory.path());
    let mut seen = Vec::new();
    let report = check(directory.path(), &mut |progress| seen.push(progress)).unwrap();
    assert!(
        contents(directory.path()) == before,
        "the directory was changed"
    );
    assert!(seen.is_sorted_by_key(|progress| progress.done_bytes));
    report
}

fn shown(findings: &[Finding]) -> Vec<String> {
    let lines = findings.iter();
    let lines = lines.map(|finding| format!("{}: {}", finding.path.display(), finding.what));
    lines.collect()
}

fn area(report: &CheckReport, name: &str) -> (u64, u64) {
    let area = report.areas.iter().find(|area| area.name == name).unwrap();
    (area.files, area.rows)
}

/// All signals, merged and not, with environments, and a part that is not sealed.
async fn lived_in() -> TestDirectory {
    let directory = TestDirectory::new();
    let store = directory.open();
    for round in 0..3_u64 {
        let spans: Vec<_> = (0..20)
            .map(|n| {
                span("shop")
                    .in_trace(n % 5)
                    .id(100 * round + n)
                    .at(n)
                    .build()
            })
            .collect();
        put(&store, &spans).await;
        put_logs(&store, &[log("shop").says("a").at(round).build()]).await;
        try_put(&store, point("a", moment(round))).await.unwrap();
        store.seal().unwrap();
        if round == 1 {
            store.compact(moment(1 << 30)).unwrap();
        }
    }
    let request = throughline_telemetry::wire::traces_request(&[span("shop").build()]);
    let request = throughline_telemetry::wire::Request::Traces(request);
    try_put_from(&store, request, origin("one", 1))
        .await
        .unwrap();
    drop(store);
    directory
}

#[tokio::test]
async fn a_good_store_passes() {
    let directory = lived_in().await;
    let report = checked(&directory);
    assert_eq!(
        (shown(&report.faults), shown(&report.notes)),
        (vec![], vec![])
    );
    assert_eq!(area(&report, "traces"), (4, 60));
    assert_eq!(area(&report, "logs"), (4, 3));
    assert_eq!(area(&report, "metrics"), (4, 3));
    assert_eq!(area(&report, "wal"), (1, 1));
    let new = TestDirectory::new();
    drop(new.open());
    assert_eq!(shown(&checked(&new).faults), Vec::<String>::new());
}

#[tokio::test]
async fn every_harm_to_a_segment_is_named() {
    let whole = two_generations().await;
    for file in ["spans-0000000001-000", "logs-0000000002-001"] {
        for (extension, harm) in ["parquet", "index"]
            .into_iter()
            .flat_map(|extension| Harm::ALL.map(|harm| (extension, harm)))
        {
            let directory = whole.image();
            let name = format!("segments/{file}.{extension}");
            harm.happen(&directory.path().join(&name));
            let faults = shown(&checked(&directory).faults);
            let what = match harm {
                Harm::Removed => "is gone: 1 row of ",
                _ => "is damaged: ",
            };
            assert_eq!(faults.len(), 1, "{name} {harm:?}: {faults:?}");
            assert!(
                faults[0].starts_with(&format!("{name}: {what}")),
                "{harm:?}: {faults:?}"
            );
        }
    }
    // The index of another segment, whole in itself.
    let directory = whole.image();
    let index = |number| format!("segments/spans-000000000{number}-000.index");
    let [one, other] = [1, 2].map(|number| directory.path().join(index(number)));
    fs::copy(other, one).unwrap();
    let faults = shown(&checked(&directory).faults);
    assert_eq!(
        faults,
        [format!(
            "{}: is damaged: its checksums are not those of the rows",
            index(1)
        )]
    );
    // What the store set aside is told with it.
    let directory = whole.image();
    Harm::Cut.happen(
        &directory
            .path()
            .join("segments/spans-0000000001-000.parquet"),
    );
    drop(directory.open());
    let report = checked(&directory);
    let kept = "is gone: 1 row of traces; it was found damaged earlier and is kept in damaged/";
    assert_eq!(report.faults.len(), 2);
    assert!(
        report.faults.iter().all(|fault| fault.what == kept),
        "{:?}",
        report.faults
    );
    assert_eq!(report.notes.len(), 2);
}

#[tokio::test]
async fn harm_to_the_wal_is_named() {
    let whole = TestDirectory::new();
    let store = whole.open();
    for number in 0..3 {
        put_logs(
            &store,
            &[log("shop").says("some words to be cut").at(number).build()],
        )
        .await;
    }
    drop(store);
    let length = fs::metadata(newest_wal(whole.path())).unwrap().len();
    let at = |place: u64, bytes: &[u8]| {
        let directory = whole.image();
        let wal = newest_wal(directory.path());
        let mut file = OpenOptions::new().write(true).open(wal).unwrap();
        file.seek(SeekFrom::Start(place)).unwrap();
        file.write_all(bytes).unwrap();
        let report = checked(&directory);
        (shown(&report.faults), area(&report, "wal").1)
    };
    let (faults, bodies) = at(length / 2, b"????");
    assert_eq!(bodies, 2, "{faults:?}");
    assert!(
        faults[0].contains("are no whole frame") && !faults[0].contains("last"),
        "{faults:?}"
    );
    let (faults, bodies) = at(length - 3, b"???");
    assert_eq!(bodies, 2, "{faults:?}");
    assert!(faults[0].contains("the last"), "{faults:?}");
    let (faults, bodies) = at(2, b"????");
    assert_eq!(bodies, 3, "{faults:?}");
    assert!(
        faults[0].ends_with("its header is not as it was written"),
        "{faults:?}"
    );
}

#[tokio::test]
async fn harm_to_the_catalog_is_named() {
    let whole = two_generations().await;
    let directory = whole.image();
    fs::remove_file(directory.path().join("catalog.sqlite")).unwrap();
    let faults = shown(&checked(&directory).faults);
    assert!(
        faults[0].starts_with("catalog.sqlite: is gone"),
        "{faults:?}"
    );
    let directory = whole.image();
    fs::write(directory.path().join("catalog.sqlite"), vec![7; 9000]).unwrap();
    let faults = shown(&checked(&directory).faults);
    assert!(
        faults[0].starts_with("catalog.sqlite: cannot be read"),
        "{faults:?}"
    );
}

#[tokio::test]
async fn what_nobody_refers_to_is_named() {
    let directory = two_generations().await;
    let write = |name: &str| fs::write(directory.path().join(name), "x").unwrap();
    for name in [
        "segments/logs-merged-0000000009.parquet.new",
        "segments/logs-0000000001-007.parquet",
        "wal/0000000001.wal",
        "wal/0000000009.wal.new",
        "notes.txt",
    ] {
        write(name);
    }
    let report = checked(&directory);
    assert_eq!(
        shown(&report.faults),
        ["segments/logs-0000000001-007.parquet: is not in the catalog: nothing in it is served"]
    );
    assert_eq!(
        shown(&report.notes),
        [
            "notes.txt: is not known here",
            "segments/logs-merged-0000000009.parquet.new: is left of a merge, and goes at the next start",
            "wal/0000000001.wal: is in segments already, and goes at the next start",
            "wal/0000000009.wal.new: was being made, has nothing in it, and goes at the next start",
        ]
    );
}

#[tokio::test]
async fn a_store_in_use_is_refused_and_so_is_what_is_none() {
    let directory = two_generations().await;
    let store = directory.open();
    let refused = check(directory.path(), &mut |_| {}).unwrap_err();
    assert!(matches!(refused, OpenError::Locked { .. }), "{refused}");
    drop(store);
    let empty = TestDirectory::new();
    let refused = check(empty.path(), &mut |_| {}).unwrap_err().to_string();
    assert!(refused.ends_with("it has no THROUGHLINE file"), "{refused}");
    let nowhere = check(&empty.path().join("no"), &mut |_| {}).unwrap_err();
    assert!(matches!(nowhere, OpenError::Unwritable { .. }), "{nowhere}");
    // Who checks keeps a server from starting meanwhile.
    let path = directory.path().to_owned();
    check(&path, &mut |_| {
        let opened = Store::open(Options::new(&path));
        assert!(matches!(opened, Err(OpenError::Locked { .. })));
    })
    .unwrap();
}

#[tokio::test]
async fn harm_to_what_was_summed_up_is_named() {
    let directory = two_generations().await;
    let rollups = directory.path().join("rollups");
    for name in [
        "spans-0000000001-000.parquet",
        "logs-0000000002-001.census.parquet",
    ] {
        Harm::Cut.happen(&rollups.join(name));
    }
    fs::write(rollups.join("spans-0000000009-000.parquet"), "x").unwrap();
    let report = checked(&directory);
    let without = "is damaged: checksum mismatch: what it says is read from the rows as long as they are there";
    assert_eq!(
        shown(&report.faults),
        [
            format!("rollups/logs-0000000002-001.census.parquet: {without}"),
            format!("rollups/spans-0000000001-000.parquet: {without}"),
        ]
    );
    assert_eq!(
        shown(&report.notes),
        ["rollups/spans-0000000009-000.parquet: is not in the catalog, and goes at the next start"]
    );
}
