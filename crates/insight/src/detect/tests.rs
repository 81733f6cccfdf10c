mod limits;
mod novelty;
mod reasons;
mod rhythm;
mod silence;

use super::*;

const DAY: Minute = 1440;
const START: Minute = 20_000 * DAY;

fn node(name: &str) -> Node {
    format!("function:{name}")
}

fn calls(count: u64) -> Counts {
    Counts {
        count,
        ..Counts::default()
    }
}

/// What is open, as subject and kind.
fn open(detector: &Detector) -> Vec<(Subject, String)> {
    let incidents = detector.incidents().iter();
    let findings = incidents
        .filter(|known| known.state == State::Open)
        .flat_map(|known| &known.findings);
    let there = findings
        .filter(|known| known.goes_on)
        .map(|known| &known.finding);
    there
        .map(|found| (found.subject.clone(), format!("{:?}", found.kind)))
        .collect()
}

#[test]
fn operations_are_told_by_their_verbs() {
    for (to, operation, class) in [
        ("table:a", "DynamoDB.GetItem", EdgeClass::Read),
        ("table:a", "PutItem", EdgeClass::Write),
        ("queue:a", "SQS/SendMessage", EdgeClass::Write),
        ("table:a", "DynamoDB.DeleteTable", EdgeClass::Admin),
        ("host:api.example.org", "GET", EdgeClass::Outside),
        ("host:sqs.eu-west-1.amazonaws.com", "POST", EdgeClass::Write),
        ("database:a", "SELECT", EdgeClass::Read),
    ] {
        assert_eq!(class_of(to, operation), class, "{operation} of {to}");
    }
}

#[test]
fn what_waits_longer_than_usual_is_found_and_not_called_slow() {
    let mut detector = Detector::default();
    let subject = Subject::Wait("queue:mails".to_owned());
    let waited = |ms: f64| {
        let mut histogram = throughline_telemetry::Histogram::default();
        (0..30).for_each(|at| histogram.record(ms * (1.0 + f64::from(at) / 100.0)));
        let mut counts = calls(30);
        counts.durations.add(&histogram.to_bytes());
        counts
    };
    for minute in START..START + 240 {
        detector.take(&subject, nanos_of(minute), &waited(200.0));
        detector.tick(nanos_of(minute + 1));
    }
    assert_eq!(open(&detector), []);
    for minute in START + 240..START + 246 {
        detector.take(&subject, nanos_of(minute), &waited(40_000.0));
        detector.tick(nanos_of(minute + 1));
    }
    let found = open(&detector);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].0, subject);
    assert!(found[0].1.starts_with("Waiting"), "{found:?}");
}

#[test]
fn telemetry_that_is_lost_is_found_and_a_little_of_it_is_not() {
    for (lost, is_found) in [(0, false), (4, false), (9, false), (40, true)] {
        let mut detector = Detector::default();
        for minute in START..START + 3 {
            let arrived = Arrived {
                accepted: 1000,
                lost,
            };
            detector.set_arrived([(node("x"), arrived)]);
            detector.tick(nanos_of(minute + 1));
        }
        assert_eq!(
            !open(&detector).is_empty(),
            is_found,
            "{lost} of a thousand"
        );
    }
}

#[test]
fn what_was_ended_has_reached_its_timeout() {
    let mut histogram = throughline_telemetry::Histogram::default();
    (0..90).for_each(|_| histogram.record(50.0));
    (0..10).for_each(|_| histogram.record(2700.0));
    let mut counts = calls(100);
    counts.timeouts = 10;
    counts.durations.add(&histogram.to_bytes());
    let mut detector = Detector::default();
    let settings = |timeout_ms, memory_bytes| Settings {
        timeout_ms,
        memory_bytes,
    };
    // Each is told by somebody else, and neither takes the other back.
    detector.set(&node("x"), settings(Some(3000.0), None));
    detector.set(&node("x"), settings(None, Some(1 << 30)));
    assert_eq!(
        detector.settings(&node("x")),
        settings(Some(3000.0), Some(1 << 30))
    );
    for minute in START..START + 3 {
        detector.take(&Subject::Node(node("x")), nanos_of(minute), &counts);
        detector.tick(nanos_of(minute + 1));
    }
    let found = open(&detector);
    let is_near = |kind: &str| kind.starts_with("NearTimeout") && kind.contains("clipped: 0.1,");
    assert!(found.iter().any(|(_, kind)| is_near(kind)), "{found:?}");
}

/// A node that has called one table three times a minute for so many days.
fn known_for(days: Minute) -> (Detector, Minute) {
    let mut detector = Detector::default();
    let edge = Subject::Edge(node("x"), "table:a".to_owned(), "GetItem".to_owned());
    let end = START + days * DAY;
    for minute in (START..end).step_by(10) {
        detector.take(&edge, nanos_of(minute), &calls(3));
        detector.learn(nanos_of(minute));
    }
    (detector, end)
}

#[test]
fn a_call_that_was_never_made_is_found_when_calls_are_known() {
    let new = Subject::Edge(node("x"), "table:y".to_owned(), "PutItem".to_owned());
    for (days, is_found) in [(2, false), (4, true)] {
        let (mut detector, end) = known_for(days);
        detector.take(&new, nanos_of(end), &calls(1));
        detector.tick(nanos_of(end + 1));
        assert_eq!(!open(&detector).is_empty(), is_found, "after {days} days");
        for minute in end + 1..end + 60 {
            detector.tick(nanos_of(minute + 1));
        }
        assert_eq!(open(&detector), [], "nobody makes it any more");
    }
}

#[test]
fn whoever_deploys_knows_that_something_is_new() {
    let new = Subject::Edge(node("x"), "table:y".to_owned(), "PutItem".to_owned());
    let change = |what: &str, end: Minute, by: Option<&str>| Change {
        node: node("x"),
        at: nanos_of(end - 5),
        what: what.to_owned(),
        before: None,
        by: by.map(str::to_owned),
    };
    let changes = [
        (None, Severity::Warning),
        (Some(("version 2", None)), Severity::Note),
        // Nothing was deployed by it.
        (Some(("a stop", Some("ada"))), Severity::Warning),
    ];
    for (changed, severity) in changes {
        let (mut detector, end) = known_for(4);
        if let Some((what, by)) = changed {
            detector.change(change(what, end, by));
        }
        detector.take(&new, nanos_of(end), &calls(1));
        detector.tick(nanos_of(end + 1));
        let incident = &detector.incidents()[0];
        assert_eq!(incident.severity(), severity);
        let change = &incident.findings[0].finding.change;
        assert_eq!(change.is_some(), changed.is_some());
    }
}

#[test]
fn an_error_is_new_once_and_after_three_times_or_if_it_was_fatal() {
    let error = |signature, is_fatal| ErrorSeen {
        signature,
        count: 1,
        is_fatal,
    };
    let mut detector = Detector::default();
    detector.take_error(&node("x"), nanos_of(START), error("known", false));
    let mut minute = START + 2 * DAY;
    let mut seen = |signature, is_fatal, is_found| {
        detector.take_error(&node("x"), nanos_of(minute), error(signature, is_fatal));
        detector.tick(nanos_of(minute + 1));
        assert_eq!(!open(&detector).is_empty(), is_found, "{signature}");
        minute += 1;
    };
    for _ in 0..5 {
        seen("known", true, false);
    }
    seen("new", false, false);
    seen("new", false, false);
    seen("new", false, true);
    minute += 200;
    let mut seen = |signature, is_fatal, is_found| {
        detector.take_error(&node("x"), nanos_of(minute), error(signature, is_fatal));
        detector.tick(nanos_of(minute + 1));
        assert_eq!(!open(&detector).is_empty(), is_found, "{signature}");
    };
    seen("new", true, false);
    seen("fatal", true, true);
}

/// A finding of this node in the minute.
fn finding(name: &str, minute: Minute) -> Finding {
    Finding {
        subject: Subject::Node(name.to_owned()),
        kind: Kind::Errors,
        before: None,
        after: Measure::exact(0.5, 10),
        since: nanos_of(minute),
        seen: nanos_of(minute),
        confidence: 1.0,
        severity: Severity::Warning,
        change: None,
    }
}

#[test]
fn it_opens_at_two_of_five_and_closes_after_five() {
    let mut tracks = Tracks::default();
    let mut is_open = |minute, there: bool| {
        let found = there.then(|| finding("a", minute)).into_iter().collect();
        !tracks.tick(found, minute).is_empty()
    };
    let there = [
        true, false, false, false, false, true, false, true, false, false, false, false, false,
        true,
    ];
    let open: Vec<bool> = (0..)
        .zip(there)
        .map(|(minute, there)| is_open(minute, there))
        .collect();
    let expected = [
        false, false, false, false, false, false, false, true, true, true, true, true, false, false,
    ];
    assert_eq!(open, expected);
}

#[test]
fn findings_of_connected_nodes_are_one_incident() {
    let mut incidents = Incidents::default();
    let edge = |one: &str, other: &str| (one.to_owned(), other.to_owned());
    let graph = BTreeSet::from([edge("a", "b"), edge("b", "c"), edge("c", "d")]);
    let mut take = |names: &[&str], minute| {
        let findings = names.iter().map(|name| finding(name, minute)).collect();
        incidents.take(findings, &graph, nanos_of(minute))
    };
    assert_eq!(take(&["a"], 1), [Update::Opened(1)]);
    assert_eq!(take(&["a"], 2), []);
    // Two that have nothing between them that is unusual are two.
    assert_eq!(take(&["a", "d"], 3), [Update::Opened(2)]);
    assert_eq!(take(&["a", "b", "d"], 4), [Update::Grew(1)]);
    let joined = take(&["a", "b", "c", "d"], 5);
    assert_eq!(joined, [Update::Merged(2, 1), Update::Grew(1)]);
    assert_eq!(take(&["c"], 6), []);
    assert_eq!(take(&[], 7), [Update::Closed(1)]);
    assert_eq!(take(&["b"], 20), [Update::Reopened(1)]);
    assert_eq!(take(&[], 21), [Update::Closed(1)]);
    assert_eq!(take(&["b"], 60), [Update::Opened(3)]);
    assert_eq!(incidents.all[0].since, nanos_of(1));
    assert_eq!(incidents.all[1].state, State::MergedInto(1));
}

#[test]
fn there_are_so_many_subjects_and_no_more() {
    let mut detector = Detector::default();
    for number in 0..=SUBJECTS_MAX {
        detector.take(
            &Subject::Node(format!("f{number}")),
            nanos_of(START),
            &calls(1),
        );
    }
    assert_eq!(detector.left_out(), 1);
    let used = |detector: &mut Detector| {
        let mut known =
            |at: usize| detector.take_memory(&format!("f{at}"), "e", nanos_of(START), 1);
        (0..=NODES_MAX).for_each(&mut known);
    };
    used(&mut detector);
    assert_eq!(detector.left_out(), 2);
    detector.left_out = 1;
    detector.forget(nanos_of(START + 9 * DAY));
    detector.take(
        &Subject::Node("one more".to_owned()),
        nanos_of(START),
        &calls(1),
    );
    assert_eq!(detector.left_out(), 1);
}

#[test]
fn there_are_so_many_findings_and_no_more() {
    let mut detector = Detector::default();
    for at in 0..2100 {
        let error = format!("e{at}");
        for minute in [START, START + 2 * DAY] {
            let (signature, is_fatal) = (error.as_str(), minute > START);
            let signature = if is_fatal { signature } else { "known" };
            let error = ErrorSeen {
                signature,
                count: 1,
                is_fatal,
            };
            detector.take_error(&node("x"), nanos_of(minute), error);
        }
    }
    detector.tick(nanos_of(START + 2 * DAY + 1));
    let incidents = detector.incidents();
    assert_eq!((incidents.len(), incidents[0].findings.len()), (1, 200));
    assert_eq!(detector.left_out(), 100);
}

#[test]
fn what_is_allowed_opens_nothing_and_ends_what_is_open() {
    let new = Subject::Edge(node("x"), "table:y".to_owned(), "PutItem".to_owned());
    let allowed = |class: &str, until: Minute| Allowed {
        node: node("x"),
        to: Some("table:y".to_owned()),
        class: Some(class.to_owned()),
        operation: None,
        signature: None,
        kind: "new_edge".to_owned(),
        until: nanos_of(until),
    };
    let (known, end) = known_for(4);
    let opens = |allowed: Allowed| {
        let mut detector = known.clone();
        detector.allow(vec![allowed]);
        detector.take(&new, nanos_of(end), &calls(1));
        detector.tick(nanos_of(end + 1));
        !open(&detector).is_empty()
    };
    assert!(!opens(allowed("write", end + 100)));
    assert!(opens(allowed("read", end + 100)), "of another class");
    assert!(opens(allowed("write", end + 1)), "its time is over");
    for other in [
        Allowed {
            node: node("z"),
            ..allowed("write", end + 100)
        },
        Allowed {
            to: None,
            ..allowed("write", end + 100)
        },
        Allowed {
            kind: "errors".to_owned(),
            ..allowed("write", end + 100)
        },
    ] {
        assert!(opens(other));
    }

    let mut detector = known.clone();
    detector.take(&new, nanos_of(end), &calls(1));
    detector.tick(nanos_of(end + 1));
    assert_eq!(open(&detector).len(), 1);
    detector.allow(vec![allowed("write", end + 100)]);
    let updates = detector.tick(nanos_of(end + 2));
    assert!(matches!(updates[..], [Update::Closed(_)]), "{updates:?}");
    // As far as it is written down nobody has allowed anything: who knows it says it again.
    let written = serde_json::to_string(&detector).unwrap();
    assert!(!written.contains("allowed"));
}

/// What is found of a table that a function calls so often, if so many of its calls in a minute are refused; `queue`
/// says whether the function takes from a queue, and for how many milliseconds what is in that waits then.
fn refused(calls_a_minute: u64, throttles: u64, queue: Option<f64>) -> Vec<(String, Severity)> {
    let mut detector = Detector::default();
    let edge = Subject::Edge(node("x"), "table:a".to_owned(), "PutItem".to_owned());
    let table = Subject::Node("table:a".to_owned());
    let wait = Subject::Wait("queue:mails".to_owned());
    for minute in START..START + 250 {
        let is_refused = minute >= START + 240;
        let counts = Counts {
            count: calls_a_minute,
            throttles: if is_refused { throttles } else { 0 },
            ..Counts::default()
        };
        detector.take(&edge, nanos_of(minute), &counts);
        detector.take(&table, nanos_of(minute), &counts);
        if let Some(waits) = queue {
            detector.takes_from(&node("x"), &"queue:mails".to_owned(), nanos_of(minute));
            let waits = if is_refused { waits } else { 200.0 };
            let mut histogram = throughline_telemetry::Histogram::default();
            (0..30).for_each(|_| histogram.record(waits));
            let mut counts = calls(30);
            counts.durations.add(&histogram.to_bytes());
            detector.take(&wait, nanos_of(minute), &counts);
        }
        detector.tick(nanos_of(minute + 1));
    }
    let incidents = detector.incidents().iter();
    let findings = incidents.flat_map(|incident| &incident.findings);
    let throttles = findings.filter(|it| it.finding.kind == Kind::Throttles);
    let mut found: Vec<(String, Severity)> = throttles
        .map(|it| (format!("{:?}", it.finding.subject), it.finding.severity))
        .collect();
    found.sort();
    found
}

#[test]
fn a_few_calls_that_are_refused_are_nothing() {
    assert_eq!(refused(20, 0, None), []);
    assert_eq!(refused(1_000, 1, None), []);
    assert_eq!(refused(10_000, 40, None), [], "fewer than half a percent");
    for (calls_a_minute, throttles, severity) in [
        (1_000, 30, Severity::Warning),
        (1_000, 200, Severity::Critical),
        (1, 1, Severity::Critical),
    ] {
        let found = refused(calls_a_minute, throttles, None);
        let severities: Vec<Severity> = found.iter().map(|(_, severity)| *severity).collect();
        assert_eq!(severities, [severity, severity], "{found:?}");
    }
}

/// Who takes from a queue tries again, and nobody notices unless the queue does.
#[test]
fn what_is_refused_to_who_can_wait_is_a_note_until_something_waits_longer() {
    for (waits, severity) in [(200.0, Severity::Note), (40_000.0, Severity::Critical)] {
        let found = refused(1_000, 200, Some(waits));
        let severities: Vec<Severity> = found.iter().map(|(_, severity)| *severity).collect();
        assert_eq!(severities, [severity, severity], "{waits} ms: {found:?}");
    }
}

/// One call that is refused on one evening of a quiet week.
#[test]
fn a_call_that_is_refused_once_is_nothing() {
    let mut detector = Detector::default();
    let table = Subject::Node("table:a".to_owned());
    for minute in START..START + 8 * DAY {
        let mut counts = calls(3);
        counts.throttles = u64::from(minute == START + 8 * DAY - 30);
        detector.take(&table, nanos_of(minute), &counts);
        detector.tick(nanos_of(minute + 1));
    }
    assert!(detector.incidents().is_empty());
}

#[test]
fn of_changes_the_last_thousand_are_known_the_newest_last() {
    let mut detector = Detector::default();
    for minute in START..START + 1001 {
        detector.change(Change {
            node: node("x"),
            at: nanos_of(minute),
            what: format!("version {minute}"),
            before: None,
            by: None,
        });
    }
    assert_eq!(detector.changes().count(), 1000);
    let ends = [detector.changes().next(), detector.changes().next_back()];
    let at = ends.map(|end| end.map(|change| change.at));
    assert_eq!(at, [1, 1000].map(|minute| Some(nanos_of(START + minute))));
}

/// A change that was written down before it was known what had been.
#[test]
fn a_change_of_which_nobody_wrote_what_was_before_is_read() {
    let read: Change = serde_json::from_str(r#"{"node":"a","at":5,"what":"version 2"}"#).unwrap();
    assert_eq!((read.at, read.before), (UnixNanos(5), None));
}
