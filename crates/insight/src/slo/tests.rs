//! Series that were made up, and what there is to say of them.

use std::time::Duration;

use proptest::prelude::*;
use throughline_telemetry::UnixNanos;

use super::*;
use crate::detect::Severity;

const MINUTE_NANOS: u64 = 60 * 1_000_000_000;
/// When what is tested begins, with three days before it: a full hour.
const BEGIN: u64 = 600_000;
const PAST: u64 = 3 * 24 * 60;

fn at(minute: u64) -> UnixNanos {
    UnixNanos((BEGIN + minute) * MINUTE_NANOS)
}

fn goal(target: f64) -> Goal {
    Goal::try_new(target, 30).unwrap()
}

fn counts(good: u64, bad: u64) -> Counts {
    Counts { good, bad }
}

/// Three days in which each minute was the same.
fn past(each: impl Fn(u64) -> Counts) -> Series {
    let mut series = Series::default();
    for minute in BEGIN - PAST..BEGIN {
        series.add(UnixNanos(minute * MINUTE_NANOS), each(minute));
    }
    series
}

/// After which minutes the severity was another, and what it was.
fn changes(
    goal: Goal,
    mut series: Series,
    minutes: u64,
    each: impl Fn(u64) -> Counts,
) -> Vec<(u64, &'static str)> {
    let mut burning = Burning::default();
    let mut changes = Vec::new();
    let mut before = None;
    for minute in 0..minutes {
        series.add(at(minute), each(minute));
        series.forget(goal.window(), at(minute + 1));
        burning.tick(goal, &series, at(minute + 1));
        let severity = burning.severity();
        if severity != before {
            changes.push((minute + 1, severity.map_or("none", Severity::name)));
        }
        before = severity;
    }
    changes
}

#[test]
fn an_hour_of_failures_is_critical_before_it_is_over_and_ends_soon_after() {
    // A fifth fails for an hour: the hour's window reaches 14.4 % after 43.2 minutes.
    let found = changes(
        goal(0.99),
        past(|_| counts(100, 0)),
        300,
        |minute| match minute {
            0..60 => counts(80, 20),
            _ => counts(100, 0),
        },
    );
    assert_eq!(found, [(44, "critical"), (67, "none")]);
}

#[test]
fn a_budget_that_goes_slowly_is_a_warning_after_a_day_or_two() {
    // 1.5 times too fast: three days' window reaches 1 after two days.
    let found = changes(goal(0.99), past(|_| counts(1000, 0)), 4000, |_| {
        counts(985, 15)
    });
    assert_eq!(found, [(2881, "warning")]);
    let even = changes(goal(0.99), past(|_| counts(1000, 0)), 4000, |_| {
        counts(991, 9)
    });
    assert_eq!(even, []);
}

#[test]
fn two_of_few_are_nothing_and_pauses_do_not_end_it() {
    let rare = |minute: u64, is_good: bool| match (minute.is_multiple_of(10), is_good) {
        (false, _) => Counts::default(),
        (true, true) => counts(1, 0),
        (true, false) => counts(0, 1),
    };
    let two = changes(
        goal(0.99),
        past(|minute| rare(minute, true)),
        300,
        |minute| rare(minute, minute >= 20),
    );
    assert_eq!(two, []);
    // For two hours all fail, then there is nothing any more: each rule ends when its long window is empty.
    let silent = changes(
        goal(0.99),
        past(|minute| rare(minute, true)),
        5000,
        |minute| match minute {
            0..120 => rare(minute, false),
            _ => Counts::default(),
        },
    );
    assert_eq!(silent, [(21, "critical"), (476, "warning"), (4436, "none")]);
}

#[test]
fn a_short_goal_has_no_long_rules() {
    let day = Goal::try_new(0.99, 1).unwrap();
    let series = past(|_| counts(98, 2));
    let mut burning = Burning::default();
    burning.tick(goal(0.99), &series, at(0));
    assert_eq!(burning.severity(), Some(Severity::Warning));
    assert_eq!(burning.since(), Some(at(0)));
    let standing = Standing::of(day, &series, at(0));
    assert_eq!(standing.rules.len(), 3);
    burning.tick(day, &series, at(1));
    assert_eq!(burning.severity(), None);
}

#[test]
fn what_is_left_is_said_in_a_line() {
    let goal = goal(0.99);
    let mut series = Series::default();
    series.add(at(0), counts(9900, 0));
    let quiet = Standing::of(goal, &series, at(1));
    assert_eq!(
        (quiet.left, quiet.burn, quiet.lasts),
        (1.0, Some(0.0), None)
    );
    let end = 10 * 24 * 60;
    series.add(at(end - 1), counts(80, 20));
    let mut burning = Burning::default();
    burning.tick(goal, &series, at(end));
    let standing = Standing::of(goal, &series, at(end));
    assert_eq!(standing.counts, counts(9980, 20));
    assert_eq!(
        standing.title("orders are mailed", &burning),
        "\"orders are mailed\" burns its budget 20.0 times too fast: 93 % is left, for another 1 d 9 h"
    );
    series.add(at(end - 1), counts(0, 400));
    let spent = Standing::of(goal, &series, at(end));
    assert!(spent.left < 0.0 && spent.lasts == Some(Duration::ZERO));
    let title = spent.title("orders are mailed", &Burning::default());
    assert_eq!(title, "\"orders are mailed\": nothing of it is left");
    // What happened before the window is forgotten.
    let later = end + 31 * 24 * 60;
    series.forget(goal.window(), at(later));
    assert_eq!(series, Series::default());
    let nothing = Standing::of(goal, &series, at(later));
    assert_eq!((nothing.left, nothing.burn), (1.0, None));
}

/// Whoever sets an objective in the first bad minutes has a month's budget before them, not that of some minutes.
#[test]
fn the_budget_is_that_of_a_whole_window() {
    let goal = goal(0.99);
    let mut series = Series::default();
    (0..100).for_each(|minute| series.add(at(minute), counts(24, 0)));
    (100..120).for_each(|minute| series.add(at(minute), counts(0, 24)));
    let mut burning = Burning::default();
    burning.tick(goal, &series, at(120));
    let standing = Standing::of(goal, &series, at(120));
    assert_eq!(
        standing.title("orders are mailed", &burning),
        "\"orders are mailed\" burns its budget 33.3 times too fast: 95 % is left, for another 20 h 36 min"
    );
}

#[test]
fn what_is_no_goal_is_refused() {
    assert_eq!(Goal::try_new(1.0, 30), Err(BadGoal::Target));
    assert_eq!(Goal::try_new(f64::NAN, 30), Err(BadGoal::Target));
    assert_eq!(Goal::try_new(0.99, 0), Err(BadGoal::Days));
    assert_eq!(Goal::try_new(0.99, 91), Err(BadGoal::Days));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// Whatever the target: where nothing works any more somebody is called within the hour.
    #[test]
    fn an_outage_is_critical_within_the_hour(target in TARGET_MIN..=TARGET_MAX, calls in 1_u64..1000) {
        let found = changes(goal(target), past(|_| counts(calls, 0)), 60, |_| counts(0, calls));
        prop_assert_eq!(found.last().map(|(_, severity)| *severity), Some("critical"));
    }

    /// What is forgotten changes no answer.
    #[test]
    fn what_is_forgotten_is_asked_for_by_nobody(cells in prop::collection::vec((0_u64..50_000, 0_u64..9, 0_u64..9), 0..60)) {
        let goal = goal(0.9);
        let mut series = Series::default();
        for (minute, good, bad) in &cells {
            series.add(at(*minute), counts(*good, *bad));
        }
        let whole = Standing::of(goal, &series, at(50_000));
        series.forget(goal.window(), at(50_000));
        let read: Series = serde_json::from_str(&serde_json::to_string(&series).unwrap()).unwrap();
        prop_assert_eq!(&read, &series);
        prop_assert_eq!(Standing::of(goal, &read, at(50_000)), whole);
    }
}
