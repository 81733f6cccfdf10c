//! Spans of traces that show what takes longer in them.

use std::time::Duration;

use throughline_insight::investigate::{Gap, SelfTime};
use throughline_telemetry::{Span, SpanKind};

/// Of each trace the longest span of a step; the longest of all first.
pub(super) fn of_step<'a>(traces: &'a [Vec<Span>], step: &SelfTime) -> Vec<&'a Span> {
    longest(traces, |_, span| {
        let is_it = span.service() == step.service && span.name == step.name;
        is_it.then(|| span.duration())
    })
}

/// Of each trace the call from one service to the other in which most is lost; the worst of all first.
pub(super) fn of_gap<'a>(traces: &'a [Vec<Span>], gap: &Gap) -> Vec<&'a Span> {
    longest(traces, |spans, span| {
        if span.kind != SpanKind::Client || span.service() != gap.from {
            return None;
        }
        let called = spans.iter().filter(|child| {
            child.parent_id == Some(span.span_id)
                && child.kind == SpanKind::Server
                && child.service() == gap.to
        });
        let lost = called.map(|child| span.duration().saturating_sub(child.duration()));
        lost.max()
    })
}

/// Of each trace the span of which the longest time is told, if there is one.
fn longest(traces: &[Vec<Span>], time: impl Fn(&[Span], &Span) -> Option<Duration>) -> Vec<&Span> {
    let found = traces.iter().filter_map(|spans| {
        let times = spans.iter();
        let times = times.filter_map(|span| Some((span, time(spans, span)?)));
        times.max_by_key(|(_, time)| *time)
    });
    let mut found: Vec<(&Span, Duration)> = found.collect();
    found.sort_by_key(|(_, time)| std::cmp::Reverse(*time));
    found.into_iter().map(|(span, _)| span).collect()
}

#[cfg(test)]
mod tests {
    use throughline_testkit::span;

    use super::*;

    /// A call of `pay` by `order` in so many milliseconds, of which `pay` takes some.
    fn call(trace: u64, called_ms: u64, took_ms: u64) -> Vec<Span> {
        let call = span("order").named("Invoke").kind(SpanKind::Client);
        let call = call.in_trace(trace).id(2).lasting(called_ms).build();
        let pay = span("pay").named("pay").kind(SpanKind::Server);
        let pay = pay.id(3).child_of(&call).lasting(took_ms).build();
        let other = span("order").named("GET").kind(SpanKind::Client);
        let other = other.in_trace(trace).id(4).lasting(900).build();
        vec![call, pay, other]
    }

    #[test]
    fn the_longest_of_each_trace_are_examples() {
        let mut traces = vec![call(1, 50, 40), call(2, 300, 90), call(3, 200, 180)];
        traces.push(vec![traces[0][2].clone()]);
        let times = |spans: Vec<&Span>| -> Vec<(u128, String)> {
            let spans = spans.into_iter();
            let of = |span: &Span| (span.duration().as_millis(), span.name.clone());
            spans.map(of).collect()
        };
        let step = SelfTime {
            service: "pay".to_owned(),
            name: "pay".to_owned(),
            ms: [1.0, 9.0],
        };
        let pay = [180_u128, 90, 40].map(|ms| (ms, "pay".to_owned()));
        assert_eq!(times(of_step(&traces, &step)), pay);
        let gap = Gap {
            from: "order".to_owned(),
            to: "pay".to_owned(),
            ms: [1.0, 9.0],
        };
        let invoke = [300_u128, 200, 50].map(|ms| (ms, "Invoke".to_owned()));
        assert_eq!(times(of_gap(&traces, &gap)), invoke);
    }
}
