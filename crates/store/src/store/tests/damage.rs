//! Segments whose files were cut, changed or removed.

use std::path::PathBuf;

use super::*;
use crate::testing::harm::{Harm, two_generations};

const ROWS: &str = "spans-0000000001-000.parquet";
const INDEX: &str = "spans-0000000001-000.index";

/// Spans and logs of the two traces, and all that a search finds.
fn there(store: &Store) -> [usize; 6] {
    let of = |number| {
        let trace = store.trace(trace_id(number)).unwrap();
        [trace.spans.len(), trace.logs.len()]
    };
    let logs = store.find_logs(&LogFilter::default()).unwrap().logs.len();
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
        assert_eq!(store.services().unwrap()[0].span_count, 1, "{at}");
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
