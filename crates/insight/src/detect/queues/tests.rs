#![allow(clippy::cast_precision_loss, clippy::cast_possible_truncation)] // minutes of some days

use super::super::{Counts, Detector, Incident, State, nanos_of};
use super::*;

const DAY: Minute = 1440;
const START: Minute = 20_000 * DAY;

fn queue(name: &str) -> Node {
    format!("queue:{name}")
}

fn lies(messages: f64, oldest_ms: f64) -> Lying {
    Lying {
        messages: Some(messages),
        oldest_ms: Some(oldest_ms),
        ..Lying::default()
    }
}

fn failed(key: &str, times: u64) -> CameAgain<'_> {
    CameAgain {
        key,
        times,
        is_failed: true,
    }
}

/// Takes minutes of one queue in and judges each.
fn told(
    detector: &mut Detector,
    node: &Node,
    from: Minute,
    minutes: impl IntoIterator<Item = Lying>,
) {
    for (minute, lying) in (from..).zip(minutes) {
        detector.take_lying(node, nanos_of(minute), lying);
        detector.tick(nanos_of(minute + 1));
    }
}

fn open(detector: &Detector) -> Vec<&Incident> {
    let all = detector.incidents().iter();
    all.filter(|known| known.state == State::Open).collect()
}

/// What goes on, in words.
fn words(detector: &Detector) -> Vec<String> {
    let incidents = open(detector).into_iter();
    let findings = incidents.flat_map(|incident| &incident.findings);
    let going_on = findings.filter(|known| known.goes_on);
    going_on.map(|known| known.finding.to_string()).collect()
}

/// Ages that rise to twenty seconds and fall again, every five minutes.
fn usual_ages(minutes: u64) -> impl Iterator<Item = Lying> {
    let age = |minute: u64| [4_000.0, 8_000.0, 20_000.0, 12_000.0, 2_000.0][minute as usize % 5];
    (0..minutes).map(move |minute| lies(3.0, age(minute)))
}

#[test]
fn a_queue_whose_oldest_message_grows_older_is_found_and_ends() {
    let mut detector = Detector::default();
    let mails = queue("mails");
    told(&mut detector, &mails, START, usual_ages(240));
    assert_eq!(words(&detector), [""; 0]);

    let older = (1..=14).map(|minute| lies(9.0, f64::from(minute) * 60_000.0));
    told(&mut detector, &mails, START + 240, older);
    assert_eq!(
        words(&detector),
        ["nothing is taken from queue:mails: the oldest waits for 840.00 s"]
    );
    let found = &open(&detector)[0].findings[0].finding;
    // Two minutes more than the worst is nothing yet.
    assert_eq!(found.since, nanos_of(START + 242));
    assert_eq!(found.severity, super::super::Severity::Critical);

    told(&mut detector, &mails, START + 254, usual_ages(7));
    assert_eq!(words(&detector), [""; 0]);
}

#[test]
fn messages_that_lie_longer_while_some_are_taken_are_older_and_not_stuck() {
    let mut detector = Detector::default();
    let mails = queue("mails");
    told(&mut detector, &mails, START, usual_ages(240));
    let older = (0..14).map(|minute| lies(9.0, 300_000.0 + f64::from(minute % 3) * 10_000.0));
    told(&mut detector, &mails, START + 240, older);
    assert_eq!(
        words(&detector),
        ["what is in queue:mails is older: 20.00 s → 310.00 s"]
    );
}

#[test]
fn what_is_usual_at_this_time_of_day_and_what_nobody_takes_is_nothing() {
    // Every day at noon somebody fills it for an hour.
    let mut detector = Detector::default();
    let nightly = queue("nightly");
    for minute in (START..START + 3 * DAY).step_by(5) {
        let into_noon = (minute % DAY).saturating_sub(720);
        let age = match into_noon {
            1..60 => into_noon as f64 * 60_000.0,
            _ => 1_000.0,
        };
        detector.take_lying(&nightly, nanos_of(minute), lies(1.0, age));
        match minute < START + DAY {
            true => detector.learn(nanos_of(minute + 1)),
            false => {
                detector.tick(nanos_of(minute + 1));
                assert_eq!(words(&detector), [""; 0], "minute {}", minute - START);
            }
        }
    }
    // A queue that nobody reads only ever grows older.
    let mut detector = Detector::default();
    let unread = (0..900).map(|minute| lies(f64::from(minute), f64::from(minute) * 60_000.0));
    told(&mut detector, &queue("unread"), START, unread);
    assert_eq!(words(&detector), [""; 0]);
}

#[test]
fn a_dead_letter_queue_that_grows_is_found_with_what_failed_and_where() {
    let mut detector = Detector::default();
    let (mails, dead) = (queue("mails"), queue("undeliverable"));
    let function = "function:mail".to_owned();
    detector.takes_from(&function, &mails, nanos_of(START));
    detector.gives_up_to(&mails, &dead, nanos_of(START));
    told(
        &mut detector,
        &dead,
        START,
        (0..90).map(|_| lies(500.0, 1e9)),
    );
    assert_eq!(
        words(&detector),
        [""; 0],
        "what was there before is not new"
    );

    for minute in START + 90..START + 96 {
        let (at, nth) = (nanos_of(minute), minute - START - 89);
        let message = format!("sqs:o-{nth}");
        detector.take_again(
            &function,
            at,
            failed(&message, if nth == 4 { 4 } else { 3 }),
        );
        detector.take_lying(&dead, at, lies(500.0 + 2.0 * nth as f64, 1e9));
        detector.tick(nanos_of(minute + 1));
    }
    assert_eq!(open(&detector).len(), 1, "{:?}", words(&detector));
    assert_eq!(
        words(&detector),
        [
            "queue:undeliverable has grown by 12 messages: o-4 of function:mail came 4 times",
            "function:mail fails with 6 messages again and again: o-4 4 times",
        ]
    );
    let since = open(&detector)[0].since;
    assert_eq!(since, nanos_of(START + 90));

    // Taking them away is no growth, and it ends.
    let rest = (0..25).map(|minute| lies(512.0 - f64::from(minute), 1e9));
    told(&mut detector, &dead, START + 96, rest);
    assert_eq!(words(&detector), [""; 0]);
}

#[test]
fn a_queue_that_gets_what_nobody_sent_is_one_of_dead_letters() {
    for (sent, is_found) in [(0.0, true), (1.0, false)] {
        let mut detector = Detector::default();
        let node = queue("odd");
        let tell = |messages: u32| Lying {
            messages: Some(f64::from(messages)),
            sent: Some(sent),
            ..Lying::default()
        };
        told(&mut detector, &node, START, (0..60).map(|_| tell(0)));
        told(&mut detector, &node, START + 60, (1..4).map(tell));
        assert_eq!(!words(&detector).is_empty(), is_found, "{sent} sent");
    }
}

#[test]
fn a_queue_of_which_nothing_was_told_was_empty_if_others_were_told_of() {
    for (told_for, is_found) in [(30, false), (90, true)] {
        let mut detector = Detector::default();
        let end = START + told_for;
        told(&mut detector, &queue("mails"), START, usual_ages(told_for));
        told(&mut detector, &queue("mails-dlq"), end, [lies(2.0, 1e3); 3]);
        let expected = ["queue:mails-dlq has grown by 2 messages"];
        let expected = expected.iter().filter(|_| is_found);
        assert!(
            words(&detector).iter().eq(expected),
            "{told_for}: {:?}",
            words(&detector)
        );
    }
}

#[test]
fn dead_letters_that_come_every_hour_are_usual() {
    let mut detector = Detector::default();
    let dead = queue("mails-dlq");
    for minute in START..START + 5 * 60 {
        let messages = ((minute - START) / 20) as f64;
        detector.take_lying(&dead, nanos_of(minute), lies(messages, 1e9));
        match minute < START + 120 {
            true => detector.learn(nanos_of(minute + 1)),
            false => drop(detector.tick(nanos_of(minute + 1))),
        }
    }
    assert_eq!(words(&detector), [""; 0]);
}

#[test]
fn events_that_are_given_up_are_told_and_lost_ones_are_grave() {
    for (lost, expected) in [
        (None, "function:thumbs has given up 3 events"),
        (
            Some(2.0),
            "function:thumbs has given up 3 events, 2 of them lost",
        ),
    ] {
        let mut detector = Detector::default();
        let node = "function:thumbs".to_owned();
        let dropped = |count: f64, lost| Lying {
            given_up: Some(count),
            lost,
            ..Lying::default()
        };
        told(&mut detector, &node, START, [dropped(0.0, None); 60]);
        assert_eq!(words(&detector), [""; 0]);
        let now = [dropped(3.0, lost), dropped(0.0, None), dropped(0.0, None)];
        told(&mut detector, &node, START + 60, now);
        assert_eq!(words(&detector), [expected]);
        let grave = open(&detector)[0].severity() == super::super::Severity::Critical;
        assert_eq!(grave, lost.is_some());
    }
}

#[test]
fn what_comes_twice_is_nothing_and_what_comes_a_third_time_is_found_until_it_does_not() {
    let function = "function:mail".to_owned();
    let mut detector = Detector::default();
    let mut come = |minute: Minute, times: u64| {
        detector.take_again(&function, nanos_of(minute), failed("sqs:m-1", times));
        (minute..minute + 6).for_each(|minute| drop(detector.tick(nanos_of(minute + 1))));
        words(&detector)
    };
    assert_eq!(come(START, 2), [""; 0]);
    let expected = "function:mail fails with one message again and again: m-1 3 times";
    assert_eq!(come(START + 6, 3), [expected]);
    let last = come(START + 30, 1);
    assert_eq!(last, [""; 0]);
}

#[test]
fn a_function_to_which_much_comes_again_at_any_time_is_as_usual() {
    let function = "function:flaky".to_owned();
    let mut detector = Detector::default();
    for minute in START..START + 10 * 60 {
        let message = format!("sqs:{minute}");
        if minute % 10 == 0 {
            detector.take_again(&function, nanos_of(minute), failed(&message, 3));
        }
        match minute < START + 180 {
            true => detector.learn(nanos_of(minute + 1)),
            false => drop(detector.tick(nanos_of(minute + 1))),
        }
    }
    assert_eq!(words(&detector), [""; 0]);
}

#[test]
fn findings_of_a_queue_and_of_who_takes_from_it_are_one_incident() {
    let function = "function:mail".to_owned();
    let mut detector = Detector::default();
    let (mails, dead) = (queue("mails"), queue("mails-dlq"));
    told(&mut detector, &mails, START, usual_ages(240));
    let mut failing = Counts {
        count: 50,
        ..Counts::default()
    };
    for minute in START..START + 250 {
        failing.errors = if minute < START + 240 { 0 } else { 40 };
        let subject = Subject::Node(function.clone());
        detector.take(&subject, nanos_of(minute), &failing);
        detector.takes_from(&function, &mails, nanos_of(minute));
        if minute < START + 240 {
            detector.learn(nanos_of(minute + 1));
            continue;
        }
        let age = (minute - START - 239) as f64 * 60_000.0;
        detector.take_lying(&mails, nanos_of(minute), lies(9.0, age));
        // Nobody but its name says whose it is.
        let given_up = (minute - START - 240) as f64;
        detector.take_lying(&dead, nanos_of(minute), lies(given_up, 1e9));
        detector.tick(nanos_of(minute + 1));
    }
    assert_eq!(open(&detector).len(), 1, "{:?}", words(&detector));
    assert_eq!(words(&detector).len(), 3, "{:?}", words(&detector));
}

#[test]
fn names_tell_dead_letters_and_whose_they_are() {
    for (name, of) in [
        ("orders-dlq", Some("orders")),
        ("DLQ_orders", Some("orders")),
        ("ordersDLQ", Some("orders")),
        ("orders-dead-letter-queue", Some("orders")),
        ("deadletter.orders", Some("orders")),
        ("dlq", None),
        ("undeliverable", None),
        ("shop-dead", None),
    ] {
        assert!(is_named(&queue(name)), "{name}");
        assert_eq!(named_after(&queue(name)), of.map(queue), "{name}");
    }
    for name in ["orders", "deadlines", "headlqs", "redeadline-x"] {
        assert!(!is_named(&queue(name)), "{name}");
    }
    assert!(!is_named(&"function:orders-dlq".to_owned()));
}

#[test]
fn what_is_known_of_queues_survives_being_written_down() {
    let mut detector = Detector::default();
    told(&mut detector, &queue("mails"), START, usual_ages(100));
    let strange = lies(f64::NAN, f64::INFINITY);
    told(&mut detector, &queue("strange"), START, [strange; 3]);
    detector.take_again(
        &"function:a".to_owned(),
        nanos_of(START),
        failed("sqs:1", 3),
    );
    detector.takes_from(&"function:a".to_owned(), &queue("mails"), nanos_of(START));
    let written = serde_json::to_string(&detector).expect("it can be written");
    let read: Detector = serde_json::from_str(&written).expect("it can be read");
    assert_eq!(serde_json::to_string(&read).expect("again"), written);
}

#[test]
fn who_gave_up_is_known_by_what_was_said_or_by_the_name() {
    let mut detector = Detector::default();
    let function = "function:mail".to_owned();
    detector.takes_from(&function, &queue("mails"), nanos_of(START));
    detector.gives_up_to(&queue("mails"), &queue("lost"), nanos_of(START));
    let gave_up = BTreeSet::from([queue("mails"), function]);
    assert_eq!(detector.givers(&queue("lost")), gave_up);
    assert_eq!(detector.givers(&queue("mails-dlq")), gave_up);
    assert_eq!(detector.givers(&queue("mails")), BTreeSet::new());
}
