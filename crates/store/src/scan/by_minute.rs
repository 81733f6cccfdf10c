//! What was done in each minute, for whoever watches.

use throughline_telemetry::UnixNanos;

use super::{OperationRow, Scan};
use crate::edges::Edge;
use crate::error::ReadError;

/// What was done in each whole minute, in any order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ByMinute {
    /// What services did; the minute, by its beginning, and the sum.
    pub operations: Vec<(UnixNanos, OperationRow)>,
    /// What called what.
    pub edges: Vec<(UnixNanos, Edge)>,
}

impl Scan {
    /// What was done in the minutes from the one of `from` on and before that of `to`. Blocks on the disk.
    pub fn by_minute(&self, from: UnixNanos, to: UnixNanos) -> Result<ByMinute, ReadError> {
        Ok(ByMinute {
            operations: self.operations_by_minute(from, to)?,
            edges: self.edges_by_minute(from, to)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use fastrand::Rng;
    use throughline_telemetry::{Span, SpanKind};
    use throughline_testkit::{moment, span};

    use super::*;
    use crate::scan::{OperationFilter, SumFilter};
    use crate::testing::{TestDirectory, put};

    const MINUTE_MS: u64 = 60_000;

    fn random_spans(rng: &mut Rng, from: u64) -> Vec<Span> {
        let spans = (from..from + 40).map(|number| {
            let built = span(["shop", "mail"][rng.usize(0..2)])
                .named(["GET /", "send"][rng.usize(0..2)])
                .kind([SpanKind::Server, SpanKind::Client][rng.usize(0..2)])
                .in_trace(1 + number / 4)
                .id(1 + number)
                .at(rng.u64(0..6 * MINUTE_MS))
                .lasting(rng.u64(1..900));
            let built = match number % 4 {
                0 => built,
                _ => built.parent(number),
            };
            match rng.u32(0..5) {
                0 => built.error().build(),
                _ => built.build(),
            }
        });
        spans.collect()
    }

    /// Each minute has what is found when only that minute is asked for.
    #[tokio::test]
    async fn minutes_are_those_that_are_asked_for_one_by_one() {
        for seed in 0..12 {
            let mut rng = Rng::with_seed(seed);
            let directory = TestDirectory::new();
            let store = directory.open();
            put(&store, &random_spans(&mut rng, 0)).await;
            if seed % 3 > 0 {
                store.seal().unwrap();
            }
            if seed % 3 > 1 {
                put(&store, &random_spans(&mut rng, 40)).await;
            }
            let scan = store.scan();
            let (from, to) = (moment(MINUTE_MS), moment(5 * MINUTE_MS));
            let found = scan.by_minute(from, to).unwrap();
            for minute in 0..6 {
                let (from, to) = (moment(minute * MINUTE_MS), moment((minute + 1) * MINUTE_MS));
                let operations = scan.operations(&OperationFilter {
                    from,
                    to,
                    limit: usize::MAX,
                    ..OperationFilter::default()
                });
                let filter = SumFilter {
                    from,
                    to,
                    limit: usize::MAX,
                    ..SumFilter::default()
                };
                let edges = scan.edges(&filter, None);
                let is_asked_for = (1..5).contains(&minute);
                let expected = operations
                    .unwrap()
                    .operations
                    .into_iter()
                    .filter(|_| is_asked_for);
                let mut operations = of_minute(&found.operations, from);
                operations.sort_by_key(about);
                let mut expected: Vec<OperationRow> = expected.collect();
                expected.sort_by_key(about);
                assert_eq!(operations, expected, "seed {seed}, minute {minute}");

                let expected = edges.unwrap().edges.into_iter().filter(|_| is_asked_for);
                let mut edges = of_minute(&found.edges, from);
                let key = |edge: &Edge| {
                    (
                        edge.caller.clone(),
                        edge.callee.clone(),
                        edge.operation.clone(),
                        edge.is_async,
                    )
                };
                edges.sort_by_key(key);
                let mut expected: Vec<Edge> = expected.collect();
                expected.sort_by_key(key);
                assert_eq!(edges, expected, "seed {seed}, minute {minute}");
            }
            assert!(!found.operations.is_empty());
        }
    }

    fn about(row: &OperationRow) -> (String, String, u8) {
        (row.service.clone(), row.name.clone(), row.kind as u8)
    }

    fn of_minute<T: Clone>(rows: &[(UnixNanos, T)], minute: UnixNanos) -> Vec<T> {
        let of_it = rows.iter().filter(|(at, _)| *at == minute);
        of_it.map(|(_, row)| row.clone()).collect()
    }
}
