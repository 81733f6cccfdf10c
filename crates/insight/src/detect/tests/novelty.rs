//! What is new, since when something is known, and when it is new again.

use super::*;

/// Whether this node fails in a way that is new if it does so in this minute.
fn is_new_error(detector: &mut Detector, signature: &str, minute: Minute) -> bool {
    let error = ErrorSeen {
        signature,
        count: 5,
        is_fatal: false,
    };
    detector.take_error(&node("x"), nanos_of(minute), error);
    detector.tick(nanos_of(minute + 1));
    let is_it = |(_, kind): &(Subject, String)| kind.contains(&format!("{signature:?}"));
    open(detector).iter().any(is_it)
}

/// A node that is called every ten minutes in this time.
fn called(detector: &mut Detector, subject: &Subject, from: Minute, to: Minute) {
    for minute in (from..to).step_by(10) {
        detector.take(subject, nanos_of(minute), &calls(3));
        detector.learn(nanos_of(minute));
        if minute.is_multiple_of(60) {
            detector.forget(nanos_of(minute));
        }
    }
}

#[test]
fn who_was_called_for_days_without_failing_is_known_when_it_first_fails() {
    let subject = Subject::Node(node("x"));
    for (days, is_found) in [(0, false), (2, true), (20, true)] {
        let mut detector = Detector::default();
        let end = START + days * DAY;
        called(&mut detector, &subject, START, end);
        assert_eq!(
            is_new_error(&mut detector, "first", end),
            is_found,
            "{days} days"
        );
    }
}

#[test]
fn an_error_is_new_again_when_it_was_not_seen_for_fourteen_days() {
    let subject = Subject::Node(node("x"));
    for (days, is_found) in [(13, false), (15, true)] {
        let mut detector = Detector::default();
        assert!(!is_new_error(&mut detector, "known", START));
        let end = START + days * DAY;
        called(&mut detector, &subject, START, end);
        assert_eq!(
            is_new_error(&mut detector, "known", end),
            is_found,
            "after {days} days"
        );
    }
}

/// What runs once a fortnight is no stranger.
#[test]
fn who_did_nothing_for_nine_days_is_still_known() {
    let mut detector = Detector::default();
    let subject = Subject::Node(node("x"));
    assert!(!is_new_error(&mut detector, "known", START));
    called(&mut detector, &subject, START, START + 2 * DAY);
    detector.forget(nanos_of(START + 11 * DAY));
    assert_eq!(detector.watched(), 0);
    assert!(!is_new_error(&mut detector, "known", START + 11 * DAY));
    assert!(is_new_error(&mut detector, "other", START + 11 * DAY + 1));
}

#[test]
fn of_too_many_ways_to_fail_the_one_that_was_not_seen_longest_goes() {
    let mut known = Known::default();
    known.see(START, START);
    for (minute, number) in (START..).zip(0..2_000) {
        known.error(&format!("e{number}"), minute, 1, false);
    }
    let later = START + 2 * DAY;
    assert_eq!(known.error("e0", later, 5, false), None, "it is known");
    assert_eq!(known.error("one more", later, 5, false), Some(5));
    assert_eq!(known.error("e1", later, 5, false), Some(5), "it is forgotten");
    assert_eq!(known.error("e0", later, 5, false), None);
}
