//! What comes near what it may take at most.

use super::*;

const TIMEOUT_MS: f64 = 3000.0;

fn took(count: u64, millis: f64) -> Counts {
    let mut histogram = throughline_telemetry::Histogram::default();
    (0..count).for_each(|_| histogram.record(millis));
    let mut counts = calls(count);
    counts.durations.add(&histogram.to_bytes());
    counts
}

/// A function with a timeout, of which nothing is known yet.
fn with_timeout() -> Detector {
    let mut detector = Detector::default();
    let settings = Settings {
        timeout_ms: Some(TIMEOUT_MS),
        memory_bytes: None,
    };
    detector.set(&node("x"), settings);
    detector
}

/// The only finding of its timeout that is open.
fn near_timeout(detector: &Detector) -> Option<(Finding, Option<f64>)> {
    let incidents = detector.incidents().iter();
    let findings = incidents.flat_map(|incident| &incident.findings);
    let found = findings.filter(|known| known.goes_on).filter_map(|known| {
        let Kind::NearTimeout { days_left, .. } = known.finding.kind else {
            return None;
        };
        Some((known.finding.clone(), days_left))
    });
    let found: Vec<_> = found.collect();
    assert!(found.len() <= 1, "{found:?}");
    found.into_iter().next()
}

/// What is told after five days of a function that is called so often every ten minutes, and takes as long as is said
/// for the days that have gone by.
fn after_five_days(calls: u64, millis: impl Fn(f64) -> f64) -> Option<(Finding, Option<f64>)> {
    let mut detector = with_timeout();
    let end = START + 5 * DAY;
    for minute in (START..end + 10).step_by(10) {
        let counts = took(calls, millis((minute - START) as f64 / DAY as f64));
        detector.take(&Subject::Node(node("x")), nanos_of(minute), &counts);
        if minute < end {
            detector.learn(nanos_of(minute + 10));
        }
    }
    (1..4).for_each(|after| drop(detector.tick(nanos_of(end + after))));
    near_timeout(&detector)
}

/// Of 600 calls an hour p99 is known, of 120 p95, of 48 p90 and of 12 the median.
#[test]
fn a_timeout_that_a_trend_of_five_days_reaches_is_told_with_the_days_that_are_left() {
    for (calls, a_day) in [
        (100, 250.0),
        (20, 250.0),
        (8, 250.0),
        (2, 250.0),
        (2, 120.0),
    ] {
        let (finding, days_left) =
            after_five_days(calls, |days| 1000.0 + 250.0 * 5.0 + a_day * (days - 5.0))
                .unwrap_or_else(|| panic!("{calls} calls, {a_day} ms more a day"));
        let expected = (TIMEOUT_MS - 2250.0) / a_day;
        let left = days_left.expect("days");
        assert!((left - expected).abs() < 1.0, "{calls} calls: {finding}");
        let told = format!("reaches it in {} days at this rate", left.round());
        assert!(finding.to_string().ends_with(&told), "{finding}");
        assert_eq!(finding.severity, Severity::Warning);
    }
}

#[test]
fn what_does_not_grow_or_has_far_to_go_reaches_no_timeout() {
    for calls in [100, 2] {
        assert_eq!(after_five_days(calls, |_| 2000.0), None, "flat");
        let grows = |from: f64, a_day: f64| move |days: f64| from + a_day * days;
        assert_eq!(after_five_days(calls, grows(2000.0, 50.0)), None, "slowly");
        assert_eq!(
            after_five_days(calls, grows(200.0, 200.0)),
            None,
            "far away"
        );
        let falls = after_five_days(calls, grows(2300.0, -100.0));
        assert_eq!(falls, None, "it gets faster");
    }
    // Of one call an hour not even a median is known.
    let mut detector = with_timeout();
    for hour in 0..5 * 24 {
        let counts = took(1, 1000.0 + 250.0 * hour as f64 / 24.0);
        let minute = START + hour * 60;
        detector.take(&Subject::Node(node("x")), nanos_of(minute), &counts);
        detector.learn(nanos_of(minute + 60));
    }
    (0..3).for_each(|after| drop(detector.tick(nanos_of(START + 5 * DAY + after))));
    assert_eq!(near_timeout(&detector), None);
}

/// Hours since it was noticed are no reference for later, and the days go by all the same.
#[test]
fn the_days_that_are_left_become_fewer() {
    let mut detector = with_timeout();
    let opens = START + 5 * DAY;
    for minute in START..opens + DAY + 120 {
        let days = (minute - START) as f64 / DAY as f64;
        if minute % 5 == 0 {
            let counts = took(5, 1000.0 + 250.0 * days);
            detector.take(&Subject::Node(node("x")), nanos_of(minute), &counts);
        }
        if minute < opens {
            if minute % 10 == 9 {
                detector.learn(nanos_of(minute + 1));
            }
            continue;
        }
        detector.tick(nanos_of(minute + 1));
        if minute >= opens + 5 && minute % 60 == 0 {
            let (finding, left) = near_timeout(&detector).expect("it goes on");
            let left = left.unwrap_or_else(|| panic!("{days} days: {finding}"));
            assert!((left - (8.0 - days)).abs() < 1.0, "{days} days: {finding}");
        }
    }
}

/// What is found of a function that uses half of its memory for an hour, and then so many percent for three minutes.
fn with_memory_used(percent: u64) -> Option<(f64, Severity)> {
    let mut detector = Detector::default();
    let size = 500_000_000;
    let settings = Settings {
        timeout_ms: None,
        memory_bytes: Some(size),
    };
    detector.set(&node("x"), settings);
    for minute in START..START + 63 {
        let percent = if minute < START + 60 { 50 } else { percent };
        let mut counts = calls(10);
        counts.memory_bytes_max = size / 100 * percent;
        detector.take(&Subject::Node(node("x")), nanos_of(minute), &counts);
        detector.tick(nanos_of(minute + 1));
    }
    let incidents = detector.incidents().iter();
    let found = incidents.flat_map(|incident| &incident.findings).next()?;
    let found = &found.finding;
    assert_eq!(found.kind, Kind::Memory);
    assert_eq!(found.since, nanos_of(START + 60));
    Some((found.after.value, found.severity))
}

#[test]
fn memory_that_is_nearly_used_up_is_found() {
    assert_eq!(with_memory_used(95), Some((0.95, Severity::Warning)));
    assert_eq!(with_memory_used(99), Some((0.99, Severity::Critical)));
    assert_eq!(with_memory_used(85), None);
    assert_eq!(with_memory_used(50), None);
}
