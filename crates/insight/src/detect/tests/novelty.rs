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
    for (minute, number) in (START..).zip(0..1_000) {
        known.error(&format!("e{number}"), minute, 1, false);
    }
    let later = START + 2 * DAY;
    assert_eq!(known.error("e0", later, 5, false), None, "it is known");
    assert_eq!(known.error("one more", later, 5, false), Some(5));
    assert_eq!(
        known.error("e1", later, 5, false),
        Some(5),
        "it is forgotten"
    );
    assert_eq!(known.error("e0", later, 5, false), None);
}

/// What became of incidents, and in which minute, while a node that was known for four days calls what it never
/// called: in each of these minutes so often, of which so many fail.
fn of_new_edge(
    edge: (&str, &str),
    minutes: Minute,
    calls: impl Fn(Minute) -> Option<(u64, u64)>,
) -> Vec<(Minute, Update)> {
    let (mut detector, end) = known_for(4);
    detector.tick(nanos_of(end));
    let new = Subject::Edge(node("x"), edge.0.to_owned(), edge.1.to_owned());
    let mut updates = Vec::new();
    for minute in 0..minutes {
        if let Some((count, errors)) = calls(minute) {
            let counts = Counts {
                count,
                errors,
                ..Counts::default()
            };
            detector.take(&new, nanos_of(end + minute), &counts);
        }
        let news = detector.tick(nanos_of(end + minute + 1));
        updates.extend(news.into_iter().map(|update| (minute, update)));
    }
    updates
}

#[test]
fn a_new_call_goes_on_while_it_is_made_and_is_usual_after_a_day() {
    let told = of_new_edge(("table:y", "PutItem"), 3 * DAY, |_| Some((2, 0)));
    assert_eq!(told, [(0, Update::Opened(1)), (DAY - 1, Update::Closed(1))]);
}

#[test]
fn a_new_call_ends_when_it_is_not_made_for_half_an_hour() {
    let told = of_new_edge(("table:y", "PutItem"), DAY, |minute| {
        (minute < 200 || (250..260).contains(&minute)).then_some((2, 0))
    });
    let expected = [
        (0, Update::Opened(1)),
        (229, Update::Closed(1)),
        (250, Update::Reopened(1)),
    ];
    assert_eq!(told[..3], expected);
    // It rested for 51 minutes once, so it ends after twice that.
    assert_eq!(told[3..], [(361, Update::Closed(1))]);
}

/// Somebody denies it for longer than a day: it has ended, and is told again when the denial ends.
#[test]
fn a_new_call_that_was_refused_is_told_again_when_it_is_made_again() {
    let resumes = 2 * DAY;
    let told = of_new_edge(("table:y", "PutItem"), 5 * DAY, |minute| {
        let is_denied = (60..resumes).contains(&minute);
        Some((2, if is_denied { 2 } else { 0 }))
    });
    let usual = resumes + DAY - 60 - 1;
    let expected = [
        (0, Update::Opened(1)),
        (89, Update::Closed(1)),
        (resumes, Update::Opened(2)),
        (usual, Update::Closed(2)),
    ];
    assert_eq!(told, expected);
}

/// What was sent to a foreign host has left, whatever that says.
#[test]
fn a_foreign_host_that_refuses_has_got_what_was_sent() {
    let told = of_new_edge(("host:evil.example", "POST"), 3 * DAY, |_| Some((2, 2)));
    assert_eq!(told, [(0, Update::Opened(1)), (DAY - 1, Update::Closed(1))]);
}

/// What runs once an hour begins twice, and no more.
#[test]
fn a_new_call_that_is_made_now_and_then_is_not_told_each_time() {
    let told = of_new_edge(("table:y", "PutItem"), 3 * DAY, |minute| {
        minute.is_multiple_of(60).then_some((1, 0))
    });
    let expected = [
        (0, Update::Opened(1)),
        (30, Update::Closed(1)),
        (60, Update::Opened(2)),
        (DAY - 1, Update::Closed(2)),
    ];
    assert_eq!(told, expected);
}

/// Nobody needs to do anything about it.
#[test]
fn a_new_call_that_only_looks_is_noted_once() {
    let told = of_new_edge(("table:y", "GetItem"), DAY, |_| Some((2, 0)));
    assert_eq!(told, [(0, Update::Opened(1)), (30, Update::Closed(1))]);
}

#[test]
fn what_a_change_brought_stays_a_note_as_long_as_it_goes_on() {
    let (mut detector, end) = known_for(4);
    detector.change(Change {
        node: node("x"),
        at: nanos_of(end - 5),
        what: "version 2".to_owned(),
        before: None,
        by: None,
    });
    let new = Subject::Edge(node("x"), "table:y".to_owned(), "PutItem".to_owned());
    for minute in end..end + 200 {
        detector.take(&new, nanos_of(minute), &calls(1));
        detector.tick(nanos_of(minute + 1));
    }
    let incidents = detector.incidents();
    let severities: Vec<Severity> = incidents.iter().map(Incident::severity).collect();
    assert_eq!(severities, [Severity::Note]);
}

/// Before anybody watched it was there.
#[test]
fn a_call_that_was_new_while_others_were_learned_is_not_told() {
    let (mut detector, end) = known_for(4);
    let new = Subject::Edge(node("x"), "table:y".to_owned(), "PutItem".to_owned());
    for minute in end..end + 60 {
        detector.take(&new, nanos_of(minute), &calls(1));
        detector.learn(nanos_of(minute + 1));
    }
    for minute in end + 60..end + 120 {
        detector.take(&new, nanos_of(minute), &calls(1));
        detector.tick(nanos_of(minute + 1));
    }
    assert!(detector.incidents().is_empty());
}

/// While the server was down for a moment it went on.
#[test]
fn a_new_call_goes_on_after_a_pause() {
    let (mut detector, end) = known_for(4);
    let new = Subject::Edge(node("x"), "table:y".to_owned(), "PutItem".to_owned());
    let mut state = detector.clone();
    for minute in end..end + 300 {
        detector.take(&new, nanos_of(minute), &calls(1));
        if (100..160).contains(&(minute - end)) {
            detector.learn(nanos_of(minute + 1));
        } else {
            detector.tick(nanos_of(minute + 1));
        }
        if minute == end + 99 {
            let written = serde_json::to_vec(&detector).unwrap();
            state = serde_json::from_slice(&written).unwrap();
        }
    }
    assert_eq!(open(&detector).len(), 1);
    assert_eq!(detector.incidents().len(), 1);
    state.take(&new, nanos_of(end + 100), &calls(1));
    assert_eq!(state.tick(nanos_of(end + 101)), []);
}

/// What is new is known of more nodes than there is room for to watch.
#[test]
fn a_new_call_is_found_though_there_is_no_room_to_watch_it() {
    let (mut detector, end) = known_for(4);
    for number in 0..SUBJECTS_MAX {
        let other = Subject::Node(format!("f{number}"));
        detector.take(&other, nanos_of(end), &calls(1));
    }
    let new = Subject::Edge(node("x"), "table:y".to_owned(), "PutItem".to_owned());
    let left_out = detector.left_out();
    detector.take(&new, nanos_of(end), &calls(1));
    assert_eq!(detector.left_out(), left_out + 1);
    detector.tick(nanos_of(end + 1));
    let found = open(&detector);
    assert_eq!(found.len(), 1, "{found:?}");
    detector.forget(nanos_of(end + 60));
    detector.take(&new, nanos_of(end + 59), &calls(1));
    detector.tick(nanos_of(end + 61));
    assert_eq!(open(&detector).len(), 1, "it is not forgotten");
}
