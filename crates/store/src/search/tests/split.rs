//! Sides of random selections, against a loop over all rows.

use std::marker::PhantomData;
use std::sync::atomic::AtomicBool;

use fastrand::Rng;
use throughline_telemetry::Span;

use super::super::{SearchError, SearchQuery, Searched, SplitQuery, Stretch, Viewer};
use super::naive::{self, Row};
use super::{Conditions, LOG_CONDITIONS, SPAN_CONDITIONS, random_query, random_store};
use crate::Store;
use crate::testing::TestDirectory;

/// Wants every third row, and says what it was told.
#[derive(PartialEq, Debug)]
struct Third<T> {
    counted: [usize; 2],
    shown: Vec<(bool, String)>,
    rows: PhantomData<T>,
}

impl<T> Default for Third<T> {
    fn default() -> Self {
        Third {
            counted: [0, 0],
            shown: Vec::new(),
            rows: PhantomData,
        }
    }
}

impl<T: Searched + Row> Viewer for Third<T> {
    type Row = T;
    type Wanted = bool;

    fn count(&mut self, is_selected: bool) -> Option<bool> {
        self.counted[usize::from(is_selected)] += 1;
        let counted: usize = self.counted.iter().sum();
        (counted % 3 == 1).then_some(is_selected)
    }

    fn show(&mut self, wanted: bool, row: &T) {
        self.shown.push((wanted, row.text()));
    }
}

/// Every row is counted once and on its side, and those that are wanted are shown in their order.
#[tokio::test]
async fn sides_are_those_of_a_loop_over_all_rows() {
    let mut compared = [0, 0];
    for seed in 0..16 {
        let mut rng = Rng::with_seed(seed);
        let directory = TestDirectory::new();
        let (store, spans, logs) = random_store(&directory, &mut rng).await;
        for number in 0..12 {
            let name = format!("{seed}/{number}");
            let has_rest = number % 2 == 0;
            let rng = &mut rng;
            compared[0] += usize::from(check(
                &store,
                &spans,
                &SPAN_CONDITIONS,
                has_rest,
                rng,
                &name,
            ));
            compared[1] += usize::from(check(&store, &logs, &LOG_CONDITIONS, has_rest, rng, &name));
        }
    }
    assert!(
        compared.iter().all(|compared| *compared > 100),
        "{compared:?}"
    );
}

/// Whether what was asked at random can be asked.
fn check<T: Searched + Row + PartialEq + std::fmt::Debug>(
    store: &Store,
    all: &[T],
    conditions: &Conditions,
    has_rest: bool,
    rng: &mut Rng,
    name: &str,
) -> bool {
    let rows: Vec<&dyn Row> = all.iter().map(|row| row as _).collect();
    let mut random = || random_query(rng, conditions);
    let [of, selection, rest] = [random(), random(), random()];
    let query = SplitQuery {
        of: stretch(&of),
        selection: stretch(&selection),
        rest: has_rest.then(|| stretch(&rest)),
    };
    let mut third = Third::<T>::default();
    let (scan, flag) = (store.scan(), AtomicBool::new(false));
    let end = match scan.split(&query, &mut third, &flag) {
        Ok(end) => end,
        // As in a search: a text that is no number, where all values there are happen to be numbers.
        Err(SearchError::Invalid(_)) => return false,
        Err(error) => panic!("{error}"),
    };
    assert!(!end.truncated);

    let texts = |query: &SearchQuery| -> Vec<String> {
        let found = naive::find(&rows, query);
        found.into_iter().map(Row::text).collect()
    };
    let [of, selection, rest] = [texts(&of), texts(&selection), texts(&rest)];
    let (selected, others): (Vec<&String>, Vec<&String>) =
        of.iter().partition(|text| selection.contains(text));
    let others: Vec<&String> = others
        .into_iter()
        .filter(|text| !has_rest || rest.contains(text))
        .collect();
    assert_eq!(third.counted, [others.len(), selected.len()], "{name}");
    assert_eq!(
        third.shown.len(),
        (others.len() + selected.len()).div_ceil(3),
        "{name}"
    );
    for (is_selected, text) in &third.shown {
        let side = if *is_selected { &selected } else { &others };
        assert!(side.contains(&text), "{name}: {text}");
    }
    let mut again = Third::<T>::default();
    scan.split(&query, &mut again, &flag).unwrap();
    assert_eq!(again, third, "{name}: a scan has one order");
    true
}

#[tokio::test]
async fn what_is_stopped_ends_at_once() {
    let directory = TestDirectory::new();
    let (store, ..) = random_store(&directory, &mut Rng::with_seed(7)).await;
    let mut third = Third::<Span>::default();
    let stopped = AtomicBool::new(true);
    let end = store
        .scan()
        .split(&SplitQuery::default(), &mut third, &stopped)
        .unwrap();
    assert!(end.truncated);
    assert_eq!((third.counted, end.looked.rows), ([0, 0], 0));
}

fn stretch(query: &SearchQuery) -> Stretch {
    Stretch {
        filter: query.filter.clone(),
        from: query.from,
        to: query.to,
    }
}
