//! What brings cold starts, what a cost is for, and which time a number from before is of.

use super::*;

/// All findings of a detector, of all incidents.
fn findings(detector: &Detector) -> impl Iterator<Item = &Finding> {
    let incidents = detector.incidents().iter();
    let findings = incidents.flat_map(|incident| &incident.findings);
    findings.map(|known| &known.finding)
}

/// A node that did the one in each minute for four hours, and the other in each of so many minutes after that.
fn after_four_hours(usual: &Counts, now: &Counts, minutes: Minute, changed: bool) -> Detector {
    let mut detector = Detector::default();
    let begins = START + 240;
    for minute in START..begins + minutes {
        let counts = if minute < begins { usual } else { now };
        if changed && minute == begins {
            detector.change(Change {
                node: node("x"),
                at: nanos_of(minute),
                what: "timeout 30 s".to_owned(),
                before: None,
                by: None,
            });
        }
        detector.take(&Subject::Node(node("x")), nanos_of(minute), counts);
        detector.tick(nanos_of(minute + 1));
    }
    detector
}

/// Why a function starts cold more often that had one cold start of fifty calls a minute, with so many calls.
fn why_cold(calls_a_minute: u64, cold_starts: u64, changed: bool) -> String {
    let counts = |count, cold_starts| Counts {
        count,
        cold_starts,
        ..Counts::default()
    };
    let now = counts(calls_a_minute, cold_starts);
    let detector = after_four_hours(&counts(50, 1), &now, 5, changed);
    let found: Vec<&Finding> = findings(&detector).collect();
    let [found] = found[..] else {
        panic!("{found:?}");
    };
    assert_eq!(found.change.is_some(), changed);
    found.to_string()
}

#[test]
fn cold_starts_are_told_with_what_brings_them() {
    let told = |why: &str| format!("function:x starts cold more often, {why}: 2.0 % → 40 %");
    assert_eq!(why_cold(50, 20, true), told("after a change"));
    // Whatever else there is.
    assert_eq!(why_cold(150, 60, true), told("after a change"));
    assert_eq!(why_cold(150, 60, false), told("with more calls"));
    assert_eq!(why_cold(50, 20, false), told("for no known reason"));
}

/// A function with fewer than one call a minute has no more calls because that is rounded to none.
#[test]
fn cold_starts_of_a_quiet_function_are_no_more_calls() {
    let mut detector = Detector::default();
    for minute in START..START + 300 {
        if minute % 2 == 0 {
            let mut counts = calls(1);
            counts.cold_starts = u64::from(minute >= START + 240);
            detector.take(&Subject::Node(node("x")), nanos_of(minute), &counts);
        }
        detector.tick(nanos_of(minute + 1));
    }
    let whys = findings(&detector).map(|found| found.kind.clone());
    let why = ColdWhy::Recycled;
    assert_eq!(whys.collect::<Vec<_>>(), [Kind::ColdStarts { why }]);
}

/// A hundred calls a minute of 100 ms each, one of them with a start of 100 ms.
fn usual_cost() -> Counts {
    Counts {
        count: 100,
        cold_starts: 1,
        billed_ms: 10_100.0,
        init_ms: 100.0,
        cost_usd: 0.0101,
        ..Counts::default()
    }
}

#[test]
fn what_costs_more_is_told_with_what_that_is_mostly_for() {
    let usual = usual_cost();
    let more_calls = Counts {
        count: 500,
        cold_starts: 5,
        billed_ms: 50_500.0,
        init_ms: 500.0,
        cost_usd: 0.0505,
        ..Counts::default()
    };
    let more_retries = Counts {
        count: 300,
        cold_starts: 1,
        retries: 200,
        billed_ms: 30_100.0,
        cost_usd: 0.0301,
        ..usual.clone()
    };
    let longer_calls = Counts {
        billed_ms: 30_100.0,
        cost_usd: 0.0301,
        ..usual.clone()
    };
    let more_starts = Counts {
        cold_starts: 100,
        billed_ms: 30_000.0,
        init_ms: 20_000.0,
        cost_usd: 0.03,
        ..usual.clone()
    };
    let more_memory = Counts {
        cost_usd: 0.0404,
        ..usual.clone()
    };
    for (now, factor, told) in [
        (more_calls, CostFactor::Volume, "more calls"),
        (more_retries, CostFactor::Retries, "more retries"),
        (longer_calls, CostFactor::Duration, "longer calls"),
        (more_starts, CostFactor::ColdStarts, "more cold starts"),
        (more_memory, CostFactor::Memory, "more memory"),
    ] {
        let detector = after_four_hours(&usual, &now, 60, false);
        let costs = findings(&detector).filter_map(|found| match &found.kind {
            Kind::Cost { why } => Some((found, why)),
            _ => None,
        });
        let costs: Vec<_> = costs.collect();
        let [(found, why)] = costs[..] else {
            panic!("{told}: {:?}", findings(&detector).collect::<Vec<_>>());
        };
        assert_eq!(why[0].0, factor, "{why:?}");
        let more = found.after.value - found.before.expect("a cost").value;
        assert!(why[0].1 > 0.8 * more, "{why:?} of {more}");
        let line = found.to_string();
        let begins = format!("function:x costs more, mostly for {told}: ");
        assert!(line.starts_with(&begins), "{line}");
    }
}

/// What a node takes, in a minute.
fn slow(millis: f64) -> Counts {
    let mut histogram = throughline_telemetry::Histogram::default();
    (0..30).for_each(|_| histogram.record(millis));
    let mut counts = calls(30);
    counts.durations.add(&histogram.to_bytes());
    counts
}

#[test]
fn a_number_from_before_says_which_time_it_is_of() {
    for (hours, expected) in [
        (4, When::HoursBefore(1)),
        (27, When::HoursBefore(24)),
        (75, When::HoursBefore(24)),
    ] {
        let mut detector = Detector::default();
        let begins = START + hours * 60;
        for minute in START..begins + 5 {
            let counts = slow(if minute < begins { 100.0 } else { 1000.0 });
            detector.take(&Subject::Node(node("x")), nanos_of(minute), &counts);
            match minute < begins {
                true => detector.learn(nanos_of(minute + 1)),
                false => drop(detector.tick(nanos_of(minute + 1))),
            }
        }
        let found: Vec<&Finding> = findings(&detector).collect();
        let [found] = found[..] else {
            panic!("{found:?}");
        };
        let before = found.before.expect("an hour");
        assert_eq!(before.when, Some(expected), "after {hours} hours");
    }
    let errors = |hours: Minute| {
        let mut detector = Detector::default();
        let begins = START + hours * 60;
        for minute in START..begins + 5 {
            let mut counts = calls(30);
            counts.errors = if minute < begins { 0 } else { 10 };
            detector.take(&Subject::Node(node("x")), nanos_of(minute), &counts);
            match minute < begins {
                true => detector.learn(nanos_of(minute + 1)),
                false => drop(detector.tick(nanos_of(minute + 1))),
            }
        }
        findings(&detector).next()?.before?.when
    };
    assert_eq!(errors(4), Some(When::Hours(3)));
    assert_eq!(errors(27), Some(When::Days(1)));
    assert_eq!(errors(75), Some(When::Days(3)));
}

/// As states have them that were written before it was told.
#[test]
fn a_number_without_its_time_is_read() {
    let written = r#"{"value":0.5,"low":0.4,"high":0.6,"of":90}"#;
    let read: Measure = serde_json::from_str(written).unwrap();
    assert_eq!((read.value, read.when), (0.5, None));
    assert_eq!(serde_json::to_string(&read).unwrap(), written);
    let told = read.at(When::Days(7));
    let again: Measure = serde_json::from_str(&serde_json::to_string(&told).unwrap()).unwrap();
    assert_eq!(again, told);
}
