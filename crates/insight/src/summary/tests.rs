use std::time::Duration;

use expect_test::{Expect, expect};
use proptest::prelude::*;
use throughline_telemetry::{Attributes, Link, Span, SpanStatus, TraceId, UnixNanos};

use super::{Outcome, Summary};
use crate::testing::{resource, span};

fn check(spans: &[Span], expected: Expect) {
    let summary = Summary::of(spans);
    let root = summary.root.as_ref().map_or("none".to_owned(), |root| {
        format!("{}/{}", root.service, root.name)
    });
    let services = summary.services.iter();
    let services: Vec<String> = services
        .map(|share| format!("{} {}/{}", share.name, share.error_count, share.span_count))
        .collect();
    expected.assert_eq(&format!(
        "root {root}, from {} for {:?}, {} spans, {} errors, {} cold, {}; {}\n",
        summary.start,
        summary.duration,
        summary.span_count,
        summary.error_count,
        summary.cold_start_count,
        summary.outcome().name(),
        services.join(", "),
    ));
}

fn of(service: &str, span: Span) -> Span {
    Span {
        resource: resource(service),
        ..span
    }
}

fn invocation(phase: &str, cold: bool, mut span: Span) -> Span {
    span.attributes.set("throughline.phase", phase);
    span.attributes.set("faas.coldstart", cold);
    span
}

#[test]
fn one_click_over_three_functions() {
    let failed = Span {
        status: SpanStatus::Error,
        ..span(3, 2, 150, 190)
    };
    let spans = [
        of("notify", invocation("invoke", true, span(4, 1, 300, 400))),
        of("inventory", failed),
        of(
            "inventory",
            invocation("invoke", false, span(2, 1, 140, 200)),
        ),
        of("checkout", invocation("invoke", true, span(1, 0, 100, 350))),
    ];
    check(
        &spans,
        expect![[r#"
            root checkout/n1, from 100 for 300ns, 4 spans, 1 errors, 2 cold, error; checkout 0/1, inventory 1/2, notify 0/1
        "#]],
    );
}

#[test]
fn nothing_at_all() {
    check(
        &[],
        expect![[r#"
            root none, from 0 for 0ns, 0 spans, 0 errors, 0 cold, ok; 
        "#]],
    );
}

#[test]
fn true_root_wins_over_an_earlier_orphan() {
    check(
        &[span(1, 0, 100, 200), span(2, 99, 50, 120)],
        expect![[r#"
            root s/n1, from 50 for 150ns, 2 spans, 0 errors, 0 cold, ok; s 0/2
        "#]],
    );
}

#[test]
fn while_the_root_is_missing_the_earliest_orphan_stands_in() {
    check(
        &[
            span(3, 2, 60, 70),
            span(2, 99, 50, 120),
            span(4, 98, 55, 56),
        ],
        expect![[r#"
            root s/n2, from 50 for 70ns, 3 spans, 0 errors, 0 cold, ok; s 0/3
        "#]],
    );
}

#[test]
fn a_circle_still_has_a_root() {
    check(
        &[span(1, 2, 60, 70), span(2, 1, 50, 120)],
        expect![[r#"
            root s/n2, from 50 for 70ns, 2 spans, 0 errors, 0 cold, ok; s 0/2
        "#]],
    );
}

#[test]
fn unknown_start_does_not_stretch_the_trace() {
    check(
        &[span(1, 0, 1_000, 2_000), span(2, 1, 0, 1_500)],
        expect![[r#"
            root s/n1, from 1000 for 1µs, 2 spans, 0 errors, 0 cold, ok; s 0/2
        "#]],
    );
}

#[test]
fn a_root_that_links_to_another_trace_continues_it() {
    let linking = |mut span: Span, trace: u8| {
        span.links.push(Link {
            trace_id: TraceId::new([trace; 16]).unwrap(),
            span_id: span.span_id,
            trace_state: String::new(),
            attributes: Attributes::default(),
        });
        span
    };
    let of_request = |mut span: Span| {
        span.attributes.set("faas.invocation_id", "r-1");
        span
    };
    let root = || span(1, 0, 0, 9);
    let child = || span(2, 1, 1, 8);
    let cases = [
        (vec![root(), child()], false),
        (vec![linking(root(), 2), child()], true),
        (vec![linking(root(), 1), child()], false),
        // A batch inside is none of what began it; the layer's view of the same invocation is.
        (vec![root(), linking(child(), 2)], false),
        (vec![of_request(root()), linking(child(), 2)], false),
        (
            vec![of_request(root()), of_request(linking(child(), 2))],
            true,
        ),
        (vec![], false),
    ];
    for (number, (spans, continues)) in cases.into_iter().enumerate() {
        assert_eq!(Summary::of(&spans).continues, continues, "case {number}");
    }
}

#[test]
fn init_counts_once_with_or_without_its_invocation() {
    let init = |parent| invocation("init", true, span(2, parent, 10, 20));
    let invoke = invocation("invoke", true, span(1, 0, 20, 30));
    assert_eq!(Summary::of(&[init(1), invoke]).cold_start_count, 1);
    assert_eq!(Summary::of(&[init(1)]).cold_start_count, 1);
}

#[test]
fn cold_start_said_by_an_sdk_is_not_counted_again() {
    let mut handler = span(2, 1, 25, 30);
    handler.attributes.set("faas.coldstart", true);
    let invoke = invocation("invoke", true, span(1, 0, 20, 30));
    assert_eq!(Summary::of(&[handler, invoke]).cold_start_count, 1);
}

proptest! {
    #[test]
    fn shares_add_up(spans in prop::collection::vec((1..30u64, 0..30u64, 0..9u64, 0..9u64, 0..3u8), 0..40)) {
        let spans: Vec<Span> = spans
            .into_iter()
            .map(|(id, parent, start, end, kind)| {
                let status = SpanStatus::from_number(i32::from(kind));
                of(["a", "b", "c"][usize::from(kind)], Span { status, ..span(id, parent, start, end) })
            })
            .collect();
        let summary = Summary::of(&spans);
        prop_assert_eq!(summary.span_count, summary.services.iter().map(|share| share.span_count).sum::<usize>());
        prop_assert_eq!(summary.error_count, summary.services.iter().map(|share| share.error_count).sum::<usize>());
        prop_assert_eq!(summary.outcome() == Outcome::Error, summary.error_count > 0);
        prop_assert_eq!(summary.root.is_some(), !spans.is_empty());
        prop_assert!(summary.duration < Duration::from_nanos(20));
        prop_assert!(spans.iter().all(|span| span.start == UnixNanos(0) || span.start >= summary.start));
    }
}
