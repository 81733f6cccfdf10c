use std::collections::{HashMap, HashSet};

use expect_test::{Expect, expect};
use proptest::prelude::*;
use throughline_telemetry::{Span, SpanId};

use super::{Placed, place};
use crate::testing::span;

fn check(spans: Vec<Span>, expected: Expect) {
    let lines = place(spans).into_iter().map(|placed| {
        let orphan = if placed.parent_missing {
            " (orphan)"
        } else {
            ""
        };
        format!(
            "{}{}{orphan}\n",
            "  ".repeat(placed.depth),
            placed.span.name
        )
    });
    expected.assert_eq(&lines.collect::<String>());
}

#[test]
fn siblings_by_start_parents_first() {
    let spans = vec![
        span(4, 2, 30, 35),
        span(3, 1, 20, 90),
        span(2, 1, 25, 40),
        span(1, 0, 10, 99),
        span(5, 3, 21, 22),
    ];
    check(
        spans,
        expect![[r#"
            n1
              n3
                n5
              n2
                n4
        "#]],
    );
}

#[test]
fn child_that_starts_before_its_parent_stays_below_it() {
    check(
        vec![span(1, 0, 10, 20), span(2, 1, 5, 15)],
        expect![[r#"
            n1
              n2
        "#]],
    );
}

#[test]
fn missing_parents_become_roots() {
    check(
        vec![span(1, 0, 10, 20), span(2, 77, 12, 15), span(3, 2, 13, 14)],
        expect![[r#"
            n1
            n2 (orphan)
              n3
        "#]],
    );
}

#[test]
fn circles_are_cut_at_their_earliest_span() {
    // 2 -> 3 -> 4 -> 2 with 5 hanging from 3, and 1 its own parent; 6 starts before the circle it hangs from.
    let spans = vec![
        span(1, 1, 50, 60),
        span(2, 3, 20, 60),
        span(3, 4, 30, 60),
        span(4, 2, 40, 60),
        span(5, 3, 45, 60),
        span(6, 4, 1, 60),
    ];
    check(
        spans,
        expect![[r#"
            n2 (orphan)
              n4
                n6
                n3
                  n5
            n1 (orphan)
        "#]],
    );
}

#[test]
fn repeated_span_id_is_kept_twice() {
    check(
        vec![span(1, 0, 10, 20), span(1, 0, 11, 20), span(2, 1, 12, 15)],
        expect![[r#"
            n1
              n2
            n1
        "#]],
    );
}

#[test]
fn chain_of_100_000_spans() {
    let deep = 100_000;
    let placed = place((1..=deep).rev().map(|id| span(id, id - 1, 5, 6)).collect());
    assert_eq!(placed.len(), 100_000);
    assert_eq!(placed.last().map(|last| last.depth), Some(99_999));
    assert!(placed.iter().all(|placed| !placed.parent_missing));
}

#[test]
fn circle_of_100_000_spans() {
    let size = 100_000;
    let next = |id| if id == size { 1 } else { id + 1 };
    let placed = place((1..=size).map(|id| span(id, next(id), 5, 6)).collect());
    assert_eq!(placed.len(), 100_000);
    assert_eq!(
        placed.iter().filter(|placed| placed.parent_missing).count(),
        1
    );
}

/// Spans with few ids, so that repeats, orphans and circles all happen.
fn any_spans() -> impl Strategy<Value = Vec<Span>> {
    let one = (1..40u64, 0..50u64, 0..20u64)
        .prop_map(|(id, parent, start)| span(id, parent, start, start + 5));
    prop::collection::vec(one, 0..60)
}

/// What holds for every layout, and is checked for every generated one.
fn assert_layout(input: &[Span], placed: &[Placed]) {
    let mut sent = counts(input.iter());
    for (span_id, count) in counts(placed.iter().map(|placed| &placed.span)) {
        assert_eq!(
            sent.remove(&span_id),
            Some(count),
            "span {span_id} must come out as often as it went in"
        );
    }
    assert!(sent.is_empty(), "lost {sent:?}");

    let mut ancestors: Vec<&Placed> = Vec::new();
    let mut before: HashMap<Option<SpanId>, &Placed> = HashMap::new();
    let ids: HashSet<SpanId> = input.iter().map(|span| span.span_id).collect();
    for placed in placed {
        assert!(
            placed.depth <= ancestors.len(),
            "depth may grow by one only"
        );
        ancestors.truncate(placed.depth);
        match ancestors.last() {
            Some(parent) => {
                assert_eq!(
                    placed.span.parent_id,
                    Some(parent.span.span_id),
                    "not below its parent"
                );
                assert!(!placed.parent_missing);
            }
            None => assert_eq!(placed.parent_missing, placed.span.parent_id.is_some()),
        }
        if placed
            .span
            .parent_id
            .is_some_and(|parent| !ids.contains(&parent))
        {
            assert!(placed.parent_missing);
        }
        let siblings = ancestors.last().map(|parent| parent.span.span_id);
        if let Some(elder) = before.insert(siblings, placed) {
            assert!(
                elder.span.start <= placed.span.start,
                "siblings out of order"
            );
        }
        ancestors.push(placed);
    }
}

fn counts<'a>(spans: impl Iterator<Item = &'a Span>) -> HashMap<SpanId, usize> {
    let mut counts = HashMap::new();
    spans.for_each(|span| *counts.entry(span.span_id).or_default() += 1);
    counts
}

proptest! {
    #[test]
    fn any_heap_becomes_a_tree(spans in any_spans()) {
        let placed = place(spans.clone());
        assert_layout(&spans, &placed);
    }

    #[test]
    fn order_of_arrival_does_not_matter(spans in any_spans(), seed in any::<u64>()) {
        let mut unique: HashMap<SpanId, Span> = HashMap::new();
        for span in spans {
            unique.insert(span.span_id, span);
        }
        let mut one: Vec<Span> = unique.into_values().collect();
        one.sort_by_key(|span| span.span_id);
        let mut other = one.clone();
        let turn = usize::try_from(seed % 97).unwrap_or(0) % other.len().max(1);
        other.rotate_left(turn);
        other.reverse();
        prop_assert_eq!(place(one), place(other));
    }
}
