use throughline_telemetry::{SpanKind, SpanStatus};

use super::*;
use crate::testing::{resource, span};

/// A span with this id below another (0: none), from a millisecond on, for so many.
fn named(
    (id, parent): (u64, u64),
    service: &str,
    name: &str,
    kind: SpanKind,
    start: u64,
    millis: u64,
) -> Span {
    let [start, end] = [start, start + millis].map(|at| at * 1_000_000);
    let mut made = span(id, parent, start, end);
    (made.kind, made.name) = (kind, name.to_owned());
    made.resource = resource(service);
    made
}

fn is_shop(span: &Span) -> bool {
    span.kind == SpanKind::Server && span.service() == "shop"
}

fn steps(told: &SelfTimes) -> Vec<(&str, f64, f64)> {
    let steps = told.steps.iter();
    steps
        .map(|it| (it.name.as_str(), it.ms[0], it.ms[1]))
        .collect()
}

#[test]
fn what_takes_longer_by_itself_is_told_apart_from_what_waits() {
    let trace = |table_ms: u64, lost_ms: u64| {
        let (inner, begin) = (20 + table_ms, 10 + lost_ms);
        vec![
            named(
                (1, 0),
                "shop",
                "shop",
                SpanKind::Server,
                0,
                20 + inner + lost_ms,
            ),
            named(
                (2, 1),
                "shop",
                "Invoke",
                SpanKind::Client,
                10,
                inner + lost_ms,
            ),
            named((3, 2), "pay", "pay", SpanKind::Server, begin, inner),
            named(
                (4, 3),
                "pay",
                "GetItem",
                SpanKind::Client,
                begin + 10,
                table_ms,
            ),
        ]
    };
    let told = self_times(&[trace(20, 0), trace(22, 0)], &[trace(400, 30)], is_shop);
    assert_eq!(told.traces, [2, 1]);
    assert_eq!(
        steps(&told),
        [("GetItem", 21.0, 400.0), ("Invoke", 0.0, 30.0)]
    );
    assert_eq!(told.gaps.len(), 1);
    assert_eq!(
        (told.gaps[0].from.as_str(), told.gaps[0].to.as_str()),
        ("shop", "pay")
    );
    assert_eq!(told.gaps[0].ms, [0.0, 30.0]);
    assert_eq!(self_times(&[], &[], is_shop), SelfTimes::default());

    let of = |name: &'static str| {
        let (before, now) = ([trace(20, 0)], [trace(380, 40)]);
        part_in(&before, &now, Symptom::Slow, is_shop, |span| {
            span.name == name
        })
    };
    assert!((of("GetItem") - 0.9).abs() < 1e-9, "{}", of("GetItem"));
    assert!((of("Invoke") - 0.1).abs() < 1e-9 && of("pay") == 0.0);
    let mut failed = trace(20, 0);
    failed[3].status = SpanStatus::Error;
    failed[0].status = SpanStatus::Error;
    let mut other = trace(20, 0);
    other[0].status = SpanStatus::Error;
    let now = [failed, other, trace(20, 0)];
    let is_get = |span: &Span| span.name == "GetItem";
    let part = part_in(&[], &now, Symptom::Throttle, is_shop, is_get);
    assert!((part - 0.5).abs() < 1e-9, "{part}");
    for symptom in [Symptom::Slow, Symptom::Error] {
        assert_eq!(part_in(&[], &[], symptom, is_shop, |_| true), 0.0);
    }
}

#[test]
fn what_the_platform_says_of_the_same_time_is_not_counted_twice() {
    // As the extension tells an invocation: the platform's phases lie beside what the code says, over the same time.
    let trace = |call_ms: u64, init_ms: u64| {
        let (start, handled) = (init_ms, call_ms + 20);
        let phase = |mut span: Span, phase: &str| {
            span.attributes.set("throughline.phase", phase);
            span
        };
        let invocation = named(
            (1, 0),
            "shop",
            "shop",
            SpanKind::Server,
            0,
            start + handled + 45,
        );
        let platform = |id, name: &str, start, millis| {
            phase(
                named((id, 1), "shop", name, SpanKind::Internal, start, millis),
                name,
            )
        };
        vec![
            phase(invocation, "invoke"),
            platform(2, "init", 0, init_ms),
            platform(3, "response latency", start, handled + 2),
            named(
                (4, 1),
                "shop",
                "shop",
                SpanKind::Internal,
                start + 1,
                handled,
            ),
            named(
                (5, 4),
                "shop",
                "POST",
                SpanKind::Client,
                start + 11,
                call_ms,
            ),
            // By its own clock, a moment before the code is done.
            platform(6, "runtime overhead", start + handled, 4),
            platform(9, "extension overhead", start + handled + 5, 40),
            named(
                (7, 4),
                "shop",
                "send",
                SpanKind::Producer,
                start + 12 + call_ms,
                2,
            ),
            named(
                (8, 7),
                "mail",
                "mail",
                SpanKind::Consumer,
                start + 14 + call_ms,
                30 * call_ms,
            ),
        ]
    };
    let (before, now) = ([trace(20, 0)], [trace(3020, 0), trace(3020, 600)]);
    let part = |now: &[Vec<Span>]| {
        part_in(&before, now, Symptom::Slow, is_shop, |span| {
            span.name == "POST"
        })
    };
    assert!(part(&now[..1]) > 0.999, "{}", part(&now[..1]));
    // A cold start is no call: 300 of 3,300 ms.
    assert!((part(&now) - 10.0 / 11.0).abs() < 1e-3, "{}", part(&now));
}

#[test]
fn what_runs_beside_the_critical_path_makes_nobody_wait() {
    // `audit` takes longest of all beside `GetItem`, and ends before it; what `mail` does nobody waits for.
    let trace = |table_ms: u64, audit_ms: u64, mail_ms: u64| {
        let end = table_ms + 20;
        vec![
            named((1, 0), "shop", "shop", SpanKind::Server, 0, end),
            named((2, 1), "shop", "GetItem", SpanKind::Client, 10, table_ms),
            named((3, 1), "shop", "audit", SpanKind::Internal, 10, audit_ms),
            named((4, 1), "shop", "publish", SpanKind::Producer, 2, 3),
            named((5, 4), "mail", "mail", SpanKind::Consumer, 4, mail_ms),
            named((6, 5), "mail", "send", SpanKind::Client, 5, mail_ms - 2),
        ]
    };
    let (before, now) = ([trace(30, 5, 10)], [trace(130, 129, 900)]);
    let told = self_times(&before, &now, is_shop);
    assert_eq!(steps(&told), [("GetItem", 30.0, 130.0)]);

    // Of whoever is asked about, though nobody waits for it.
    let is_mail = |span: &Span| span.name == "mail";
    let told = self_times(&before, &now, is_mail);
    assert_eq!(steps(&told), [("send", 8.0, 898.0)]);

    // Where none is, up to the answer.
    let told = self_times(&before, &now, |_| false);
    assert_eq!(steps(&told), [("GetItem", 30.0, 130.0)]);
}

#[test]
fn each_call_of_what_is_asked_about_counts_once() {
    let call = |id: u64, start: u64, ms: u64| {
        [
            named((id, 1), "shop", "shop", SpanKind::Server, start, ms),
            named((id + 1, id), "shop", "work", SpanKind::Internal, start, ms),
            named(
                (id + 2, id + 1),
                "shop",
                "shop",
                SpanKind::Server,
                start,
                ms,
            ),
        ]
    };
    let trace = |ms: u64| {
        let mut spans = vec![named((1, 0), "web", "web", SpanKind::Server, 0, 100)];
        // Two at once, of which only the asked one counts with what is below it.
        spans.extend(call(10, 10, ms));
        spans.extend(call(20, 12, ms));
        spans
    };
    let told = self_times(&[trace(10)], &[trace(50)], is_shop);
    assert_eq!(steps(&told), [("shop", 20.0, 100.0)]);
}

#[test]
fn what_is_done_about_each_record_of_a_batch_is_waited_for() {
    let trace = |ms: u64| {
        vec![
            named((1, 0), "mail", "mail", SpanKind::Consumer, 0, ms + 2),
            named((2, 1), "mail", "record", SpanKind::Consumer, 1, ms),
        ]
    };
    let told = self_times(&[trace(10)], &[trace(50)], |span| span.name == "mail");
    assert_eq!(steps(&told), [("record", 10.0, 50.0)]);

    // The handler may call its service by another name; it is of the same invocation.
    let named_apart = |ms: u64| {
        let mut spans = trace(ms);
        spans[1].resource = resource("mailer");
        for span in &mut spans {
            span.attributes.set("faas.invocation_id", "one");
        }
        spans
    };
    let is_asked = |span: &Span| span.kind == SpanKind::Consumer;
    let told = self_times(&[named_apart(10)], &[named_apart(50)], is_asked);
    assert_eq!(steps(&told), [("record", 10.0, 50.0)]);
}

#[test]
fn a_large_trace_is_walked_at_once() {
    // A hundred thousand spans, each below the one before, with one beside it.
    let mut spans = Vec::new();
    for at in 1..50_000_u64 {
        let (start, ms) = (at, 200_000 - 2 * at);
        spans.push(named(
            (at, at - 1),
            "s",
            "deep",
            SpanKind::Internal,
            start,
            ms,
        ));
        spans.push(named(
            (100_000 + at, at),
            "s",
            "beside",
            SpanKind::Internal,
            start,
            1,
        ));
    }
    let told = self_times(&[], &[spans], |_| false);
    assert_eq!(told.steps[0].name, "deep");
}
