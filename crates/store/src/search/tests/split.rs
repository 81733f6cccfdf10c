//! Sides of random selections, against a loop over all spans.

use std::sync::atomic::AtomicBool;

use fastrand::Rng;
use throughline_telemetry::Span;

use super::super::{SearchError, SearchQuery, SplitQuery, Stretch, Viewer};
use super::naive::{self, Row};
use super::{SPAN_CONDITIONS, random_query, random_store};
use crate::testing::TestDirectory;

/// Wants every third span, and says what it was told.
#[derive(Default, PartialEq, Debug)]
struct Third {
    counted: [usize; 2],
    shown: Vec<(bool, String)>,
}

impl Viewer for Third {
    type Wanted = bool;

    fn count(&mut self, is_selected: bool) -> Option<bool> {
        self.counted[usize::from(is_selected)] += 1;
        let counted: usize = self.counted.iter().sum();
        (counted % 3 == 1).then_some(is_selected)
    }

    fn show(&mut self, wanted: bool, span: &Span) {
        self.shown.push((wanted, span.text()));
    }
}

/// Every span is counted once and on its side, and those that are wanted are shown in their order.
#[tokio::test]
async fn sides_are_those_of_a_loop_over_all_spans() {
    let mut compared = 0;
    for seed in 0..16 {
        let mut rng = Rng::with_seed(seed);
        let directory = TestDirectory::new();
        let (store, spans, _) = random_store(&directory, &mut rng).await;
        let rows: Vec<&dyn Row> = spans.iter().map(|span| span as _).collect();
        for number in 0..12 {
            let name = format!("{seed}/{number}");
            let mut random = || random_query(&mut rng, &SPAN_CONDITIONS);
            let [of, selection, rest] = [random(), random(), random()];
            let has_rest = number % 2 == 0;
            let query = SplitQuery {
                of: stretch(&of),
                selection: stretch(&selection),
                rest: has_rest.then(|| stretch(&rest)),
            };
            let mut third = Third::default();
            let (scan, flag) = (store.scan(), AtomicBool::new(false));
            let end = match scan.split(&query, &mut third, &flag) {
                Ok(end) => end,
                // As in a search: a text that is no number, where all values there are happen to be numbers.
                Err(SearchError::Invalid(_)) => continue,
                Err(error) => panic!("{error}"),
            };
            assert!(!end.truncated);
            compared += 1;

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
            let mut again = Third::default();
            scan.split(&query, &mut again, &flag).unwrap();
            assert_eq!(again, third, "{name}: a scan has one order");
        }
    }
    assert!(compared > 100, "{compared}");
}

#[tokio::test]
async fn what_is_stopped_ends_at_once() {
    let directory = TestDirectory::new();
    let (store, ..) = random_store(&directory, &mut Rng::with_seed(7)).await;
    let mut third = Third::default();
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
