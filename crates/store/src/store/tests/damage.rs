//! Segments whose files were cut, changed or removed.

use std::path::PathBuf;

use super::*;
use crate::testing::harm::{Broken, Harm, two_generations};

const ROWS: &str = "spans-0000000001-000.parquet";
const INDEX: &str = "spans-0000000001-000.index";

/// Reads every index as a whole, as a merge does; a search takes what it needs.
fn read_indexes(store: &Store) -> Result<(), ReadError> {
    let shared = store.shared();
    store.read(|_| {
        let segments = shared.live.segments();
        let mut all = segments.all();
        all.try_for_each(|segment| shared.files.index(segment).map(drop))
    })
}

/// Spans and logs of the two traces, and all that a search finds.
fn there(store: &Store) -> [usize; 6] {
    read_indexes(store).unwrap();
    let of = |number| {
        let trace = store.trace(trace_id(number)).unwrap();
        [trace.spans.len(), trace.logs.len()]
    };
    let logs = newest_logs(store).unwrap().len();
    let ([spans_1, logs_1], [spans_2, logs_2]) = (of(1), of(2));
    [spans_1, logs_1, spans_2, logs_2, count(store), logs]
}

#[tokio::test]
async fn a_damaged_index_is_made_again_and_kept() {
    let whole = two_generations().await;
    let good = fs::read(whole.path().join("segments").join(INDEX)).unwrap();
    for (harm, open) in Harm::ALL
        .into_iter()
        .flat_map(|harm| [(harm, false), (harm, true)])
    {
        let at = format!("{harm:?}, while open: {open}");
        let directory = whole.image();
        let path = directory.path().join("segments").join(INDEX);
        let mut store = directory.open();
        if !open {
            drop(store);
            harm.happen(&path);
            store = directory.open();
        } else {
            harm.happen(&path);
        }
        assert_eq!(there(&store), [1, 1, 1, 1, 2, 2], "{at}");
        assert_eq!(fs::read(&path).unwrap(), good, "{at}");
        let notes = store.damaged();
        assert_eq!(notes.len(), 1, "{at}: {notes:?}");
        assert!(
            notes[0].contains(INDEX) && notes[0].contains("made again"),
            "{notes:?}"
        );
        drop(store);
        let kept = usize::from(!matches!(harm, Harm::Removed));
        assert_eq!(kept_aside(&directory).len(), kept, "{at}");
        let store = directory.open();
        assert_eq!(
            (there(&store), store.damaged()),
            ([1, 1, 1, 1, 2, 2], vec![]),
            "{at}"
        );
    }
}

#[tokio::test]
async fn damaged_rows_are_set_aside_and_the_rest_is_served() {
    let whole = two_generations().await;
    for (harm, open) in Harm::ALL
        .into_iter()
        .flat_map(|harm| [(harm, false), (harm, true)])
    {
        let at = format!("{harm:?}, while open: {open}");
        let directory = whole.image();
        let path = directory.path().join("segments").join(ROWS);
        let good = fs::read(&path).unwrap();
        let mut store = directory.open();
        if !open {
            drop(store);
            harm.happen(&path);
            store = directory.open();
        } else {
            harm.happen(&path);
        }
        let harmed =
            fs::read(&path).or_else(|_| fs::read(directory.path().join("damaged").join(ROWS)));
        assert_eq!(there(&store), [0, 1, 1, 1, 1, 2], "{at}");
        assert_eq!(
            store.services(&ServiceFilter::default()).unwrap().services[0].span_count,
            1,
            "{at}"
        );
        let notes = store.damaged();
        assert_eq!(notes.len(), 1, "{at}: {notes:?}");
        assert!(
            notes[0].contains(ROWS) && notes[0].contains("1 rows of traces"),
            "{notes:?}"
        );
        // It goes on, and at the next start says the same.
        try_put(&store, request(3)).await.unwrap();
        store.close().await.unwrap();
        let store = directory.open();
        assert_eq!(there(&store), [0, 1, 1, 1, 2, 2], "{at}");
        assert_eq!(store.damaged().len(), 1, "{at}");
        drop(store);
        // Not a byte was touched, and what is moved back is looked at again.
        let aside = directory.path().join("damaged");
        assert_eq!(fs::read(aside.join(ROWS)).ok(), harmed.ok(), "{at}");
        fs::write(&path, good).unwrap();
        fs::rename(aside.join(INDEX), path.with_file_name(INDEX)).unwrap();
        let store = directory.open();
        assert_eq!(there(&store), [1, 1, 1, 1, 3, 2], "{at}");
        assert_eq!(store.damaged(), Vec::<String>::new(), "{at}");
    }
}

/// What was damaged twice is kept twice.
#[tokio::test]
async fn nothing_kept_aside_is_overwritten() {
    let directory = two_generations().await;
    let path = directory.path().join("segments").join(INDEX);
    for times in 1..=3 {
        fs::write(&path, format!("damage {times}")).unwrap();
        drop(directory.open());
        assert_eq!(kept_aside(&directory).len(), times);
    }
}

fn kept_aside(directory: &TestDirectory) -> Vec<PathBuf> {
    let Ok(files) = fs::read_dir(directory.path().join("damaged")) else {
        return Vec::new();
    };
    files.map(|file| file.unwrap().path()).collect()
}

#[tokio::test]
async fn what_the_disk_does_not_give_out_is_there_when_it_does() {
    let directory = two_generations().await;
    let rows = directory.path().join("segments").join(ROWS);
    let index = directory.path().join("segments").join(INDEX);
    for index_is_damaged in [false, true] {
        let store = directory.open();
        if index_is_damaged {
            Harm::Changed.happen(&index);
        }
        let broken = Broken::new(&rows);
        let (failed, name) = match index_is_damaged {
            true => (vec![read_indexes(&store)], INDEX),
            false => {
                let found = store.find_traces(&TraceFilter::default()).map(drop);
                (vec![found, store.trace(trace_id(1)).map(drop)], ROWS)
            }
        };
        for error in failed {
            let error = error.unwrap_err();
            assert!(error.to_string().contains(name), "{error}");
            assert_eq!(error.is_damage(), index_is_damaged, "{error}");
        }
        assert_eq!(store.trace(trace_id(2)).unwrap().spans.len(), 1);
        assert_eq!(store.damaged(), Vec::<String>::new());
        assert_eq!(directory.files("segments").len(), 8);
        drop(broken);
        assert_eq!(there(&store), [1, 1, 1, 1, 2, 2]);
        assert_eq!(store.damaged().len(), usize::from(index_is_damaged));
    }
}
