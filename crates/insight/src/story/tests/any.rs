//! What holds of every story, whatever was sent.

use std::collections::BTreeSet;

use proptest::prelude::*;
use throughline_telemetry::Span;

use super::*;

/// Any span: keys, links and parents of few kinds, so that many meet.
type AnySpan = (u8, u64, u64, u64, Vec<u8>, Vec<u8>, Option<(u8, u64)>, u8);

fn any_span() -> impl Strategy<Value = AnySpan> {
    let key = 0_u8..6;
    let keys = || prop::collection::vec(key.clone(), 0..3);
    let link = prop::option::of((1_u8..7, 1_u64..30));
    (
        1_u8..7,
        1_u64..30,
        0_u64..30,
        0_u64..40,
        keys(),
        keys(),
        link,
        0_u8..8,
    )
}

fn any_spans() -> impl Strategy<Value = Vec<Span>> {
    prop::collection::vec(any_span(), 1..40).prop_map(|all| {
        let mut known = BTreeSet::new();
        let all = all.into_iter().filter(|it| known.insert((it.0, it.1)));
        let built = all.map(
            |(trace, number, parent, start, sent, received, link, request)| {
                let key = |key: &u8| match key % 3 {
                    0 => format!("sqsbody:{key}"),
                    _ => format!("sqs:{key}"),
                };
                let [sent, received] =
                    [sent, received].map(|it| it.iter().map(key).collect::<Vec<_>>());
                let texts = |keys: &[String]| keys.to_vec();
                let (sent, received) = (texts(&sent), texts(&received));
                let sent: Vec<&str> = sent.iter().map(String::as_str).collect();
                let received: Vec<&str> = received.iter().map(String::as_str).collect();
                let mut made = span(trace, number, parent, start, start + 3);
                made = made.sends(&sent).receives(&received);
                if let Some((trace, number)) = link {
                    made = made.links(trace, number, &[]);
                }
                if request < 3 {
                    made = made.invocation(&format!("r-{request}"));
                }
                let mut path = String::from("queue:q@1");
                if let Some(key) = received.first() {
                    path = format!("{path}#{key}");
                }
                let made = match request {
                    2..4 => made.through(&[&path]),
                    _ => made,
                };
                made.build()
            },
        );
        built.collect()
    })
}

fn ids(story: &Story) -> Vec<SpanAt> {
    let sent = story.spans.iter().filter(|told| !told.is_inferred);
    let mut ids: Vec<SpanAt> = sent.map(|told| SpanAt::of(&told.span)).collect();
    ids.sort();
    ids
}

proptest! {
    #[test]
    fn every_span_of_its_traces_is_told_once_and_after_its_parent(spans in any_spans(), asked in 1_u8..7) {
        let mut world = World::of(spans.clone());
        let story = world.story(asked, Limits::default());
        let mut expected: Vec<SpanAt> = spans.iter().map(SpanAt::of).collect();
        expected.retain(|at| story.traces.contains(&at.trace_id));
        expected.sort();
        prop_assert_eq!(ids(&story), expected);
        let mut above: Vec<SpanAt> = Vec::new();
        for told in &story.spans {
            above.truncate(told.depth);
            prop_assert_eq!(above.len(), told.depth);
            prop_assert_eq!(above.last().copied(), told.parent);
            above.push(SpanAt::of(&told.span));
        }
        let asked_for = spans.iter().any(|span| span.trace_id == id(asked));
        prop_assert_eq!(story.traces.contains(&id(asked)), asked_for);
    }

    #[test]
    fn the_order_and_copies_of_spans_do_not_matter(spans in any_spans(), asked in 1_u8..7, seed in any::<u64>()) {
        let mut mixed = spans.clone();
        let mut state = seed | 1;
        for place in (1..mixed.len()).rev() {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let bound = u64::try_from(place).unwrap() + 1;
            mixed.swap(place, usize::try_from((state >> 33) % bound).unwrap());
        }
        let story = World::of(spans).story(asked, Limits::default());
        let again = World::of(mixed).story(asked, Limits::default());
        prop_assert_eq!(story, again);
    }

    /// But for parents in other traces, which nothing is found by.
    #[test]
    fn what_goes_on_from_a_trace_leads_back_to_it(spans in any_spans(), asked in 1_u8..7) {
        let mut world = World::of(spans.clone());
        let story = world.story(asked, Limits::default());
        for join in &story.joins {
            prop_assert!(story.traces.contains(&join.from.trace_id));
            let to = spans.iter().find(|span| SpanAt::of(span) == join.to).unwrap();
            let mut linked = to.links.iter().map(|link| link.trace_id);
            if join.how != How::Matched && !linked.any(|trace| trace == join.from.trace_id) {
                continue;
            }
            let other = world.story(join.to.trace_id.as_bytes()[0], Limits::default());
            prop_assert!(other.traces.contains(&join.from.trace_id), "{:?}", join);
        }
    }

    #[test]
    fn limits_hold(spans in any_spans(), asked in 1_u8..7, traces in 1_usize..4, most in 0_usize..12) {
        let limits = Limits { traces_max: traces, spans_max: most, loads_max: 5 };
        let mut world = World::of(spans);
        let whole = world.story(asked, Limits::default());
        world.loads = 0;
        let story = world.story(asked, limits);
        prop_assert!(story.traces.len() <= traces && world.loads <= 5);
        prop_assert!(ids(&story).len() <= most || story.traces.len() <= 1);
        let is_whole = story.traces.len() == whole.traces.len();
        let says = story.left_out.traces > 0 || story.left_out.is_partial;
        prop_assert!(is_whole || says);
    }
}
