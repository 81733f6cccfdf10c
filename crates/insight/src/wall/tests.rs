use std::sync::Arc;
use std::time::Duration;

use throughline_telemetry::{Attributes, Resource};

use super::*;
use crate::testing::{log, span};

fn resource(function: &str) -> Arc<Resource> {
    let attributes = [("service.name", "shop"), ("faas.name", function)];
    Arc::new(Resource {
        attributes: attributes.into_iter().collect(),
    })
}

/// An invocation that ended in this second and took so long.
fn ended(function: &str, second: u64, took_ms: u64) -> Span {
    let end = UnixNanos(second * 1_000_000_000 + 500_000_000);
    Span {
        resource: resource(function),
        start: end.minus(Duration::from_millis(took_ms)),
        end,
        ..span(1, 0, 0, 0)
    }
}

fn at(second: u64) -> UnixNanos {
    UnixNanos(second * 1_000_000_000)
}

fn card(wall: &Wall, second: u64) -> Card {
    wall.cards(at(second)).remove(0)
}

#[test]
fn a_card_shows_ten_seconds_a_minute_and_two() {
    let mut wall = Wall::default();
    wall.seen_since(at(1000));
    for second in 1000..1100 {
        let mut span = ended("pay", second, 10 + second % 10);
        if second % 20 == 0 {
            span.status = SpanStatus::Error;
            span.attributes.set("throughline.timeout", true);
        }
        span.attributes.set("faas.coldstart", second == 1095);
        wall.take(&span, at(second));
        let report = throughline_telemetry::LogRecord {
            resource: resource("pay"),
            time: at(second),
            attributes: [("throughline.cost.usd", 0.002)].into_iter().collect(),
            ..log(at(second))
        };
        wall.take_report(&report, at(second));
    }
    let shown = card(&wall, 1099);
    let window = shown.window;
    assert_eq!(
        (
            window.invocations,
            window.errors,
            window.cold_starts,
            window.timeouts
        ),
        (10, 0, 1, 0)
    );
    assert_eq!((window.rate, window.concurrency), (1.0, 0.0145));
    assert_eq!(shown.seconds.len(), SECONDS);
    assert_eq!(shown.seconds[..20], [None; 20], "not seen");
    assert_eq!(shown.seconds[20..], [Some(1); 100]);
    assert_eq!((shown.p50_ms, shown.p99_ms), (Some(15.0), Some(19.0)));
    assert_eq!(shown.mean_ms, Some(14.5));
    let cost = shown.cost_usd_per_second.unwrap();
    assert!((cost - 0.002).abs() < 1e-12, "{cost}");
    // Nothing to compare with, but that some fail is worth a look.
    assert_eq!(shown.deviation, Deviation::Slight);
    assert_eq!(shown.why, ["5.0 % fail"]);

    let later = card(&wall, 1155);
    assert_eq!((later.window.invocations, later.window.errors), (0, 0));
    assert_eq!(later.seconds[64..], [Some(0); 56]);
    assert!(
        later.p50_ms.is_some(),
        "the last four are within the minute"
    );
    wall.forget(at(1099 + 3601));
    assert_eq!(wall.cards(at(1099 + 3601)), []);
}

#[test]
fn what_comes_late_counts_where_it_belongs() {
    let mut wall = Wall::default();
    wall.seen_since(at(900));
    wall.take(&ended("pay", 1000, 5), at(1050));
    wall.take(&ended("pay", 1200, 5), at(1050));
    wall.take(&ended("pay", 900, 5), at(1050));
    let shown = card(&wall, 1050);
    let told: Vec<_> = (931..=1050)
        .zip(&shown.seconds)
        .filter(|(_, count)| **count != Some(0))
        .collect();
    assert_eq!(told, [(1000, &Some(1)), (1050, &Some(1))]);
    let resource = Arc::new(Resource {
        attributes: Attributes::default(),
    });
    let nobody = Span {
        resource,
        ..ended("", 1050, 5)
    };
    wall.take(&nobody, at(1050));
    assert_eq!(wall.cards(at(1050)).len(), 1);
}

#[test]
fn who_calls_tells_of_what_was_refused() {
    let mut wall = Wall::default();
    let call = |wall: &mut Wall, function, second, call| {
        wall.take_call(function, at(second), call, at(second));
    };
    (1000..1010).for_each(|second| wall.take(&ended("pay", second, 10), at(second)));
    assert_eq!(card(&wall, 1009).window.throttles, None, "nobody tells");
    call(&mut wall, "pay", 1009, Call::Taken);
    assert_eq!(card(&wall, 1009).window.throttles, Some(0));
    call(&mut wall, "pay", 1009, Call::Throttled);
    let shown = card(&wall, 1009);
    assert_eq!(
        (shown.window.throttles, shown.window.invocations),
        (Some(1), 10)
    );
    assert_eq!(shown.why, ["9.1 % of calls throttled"]);
    call(&mut wall, "stock", 1009, Call::Throttled);
    let never_ran = &wall.cards(at(1009))[1];
    assert_eq!(
        (never_ran.name.as_str(), never_ran.deviation),
        ("stock", Deviation::Strong)
    );
    (1060..5000).for_each(|second| wall.take(&ended("pay", second, 10), at(second)));
    assert_eq!(
        card(&wall, 1200).window.throttles,
        Some(0),
        "of ten seconds"
    );
    assert_eq!(card(&wall, 4999).window.throttles, None, "long ago");
}

#[test]
fn there_are_so_many_cards_and_no_more() {
    let mut wall = Wall::default();
    for number in 0..FUNCTIONS_MAX + 5 {
        wall.take(&ended(&format!("f{number}"), 1000, 5), at(1000));
    }
    assert_eq!(wall.cards(at(1000)).len(), FUNCTIONS_MAX);
    assert_eq!(wall.left_out(), 5);
}

#[test]
fn each_function_is_held_against_its_own_normal() {
    let normal = Normal {
        invocations: 1000,
        error_ratio: 0.05,
        p50_ms: 100.0,
        p99_ms: 400.0,
    };
    for (name, took, errors, count, expected) in [
        ("as ever", 100, 2, 40, Deviation::None),
        (
            "one of two fails, which says little",
            100,
            1,
            2,
            Deviation::None,
        ),
        ("half fail", 100, 20, 40, Deviation::Strong),
        (
            "a fifth more fail than normal",
            100,
            12,
            40,
            Deviation::Strong,
        ),
        ("slower", 160, 0, 40, Deviation::Slight),
        ("much slower", 400, 0, 40, Deviation::Strong),
        ("much slower, once", 400, 0, 1, Deviation::None),
    ] {
        let mut wall = Wall::default();
        wall.learn([("pay".to_owned(), normal)].into());
        for number in 0..count {
            let mut span = ended("pay", 1000 + number % 10, took);
            if number < errors {
                span.status = SpanStatus::Error;
            }
            wall.take(&span, at(1010));
        }
        let shown = card(&wall, 1010);
        assert_eq!(shown.deviation, expected, "{name}: {:?}", shown.why);
        let is_told = expected > Deviation::None;
        assert_eq!(!shown.why.is_empty(), is_told, "{name}");
    }
}
