use std::time::Duration;

use super::super::{Allowed, Arrived, Detector};
use super::*;

/// 2026-11-22T14:00:00Z.
const BEGIN: UnixNanos = UnixNanos(1_795_356_000_000_000_000);
const MINUTE: Duration = Duration::from_secs(60);

fn at(minute: u32) -> UnixNanos {
    BEGIN.plus(MINUTE * minute)
}

fn told(key: &str, until: u32) -> Told {
    let alert = OuterAlert {
        key: key.to_owned(),
        source: Source::Prometheus,
        name: "HighLatency".to_owned(),
        says: "pay is slow".to_owned(),
        labels: BTreeMap::new(),
        href: String::new(),
        until: at(until),
    };
    Told {
        alert,
        node: "function:pay".to_owned(),
        severity: Severity::Critical,
        since: at(0),
        ended: None,
    }
}

fn over(key: &str, ended: u32) -> Told {
    Told {
        ended: Some(at(ended)),
        ..told(key, 0)
    }
}

#[test]
fn an_alert_is_an_incident_from_when_it_begins_until_it_has_ended() {
    let mut detector = Detector::default();
    assert_eq!(
        detector.hear(told("a", 9), at(1)),
        Heard::News(Update::Opened(1))
    );
    let [incident] = detector.incidents() else {
        panic!("{:?}", detector.incidents());
    };
    assert_eq!((incident.since, incident.opened), (at(0), at(1)));
    assert_eq!(incident.severity(), Severity::Critical);
    let title = incident.findings[0].finding.to_string();
    assert_eq!(
        title,
        "Prometheus: HighLatency at function:pay: pay is slow"
    );
    assert_eq!(incident.findings[0].finding.kind.name(), "prometheus");

    assert_eq!(detector.hear(told("a", 12), at(4)), Heard::Known);
    assert_eq!(detector.hear(over("b", 4), at(4)), Heard::Known);
    assert_eq!(detector.end_unrepeated(at(11)), []);
    assert_eq!(
        detector.hear(over("a", 10), at(11)),
        Heard::News(Update::Closed(1))
    );
    assert_eq!(detector.incidents()[0].state, State::Closed(at(10).0));
    assert!(!detector.incidents()[0].findings[0].goes_on);
    // A Prometheus says it again for a quarter of an hour.
    assert_eq!(detector.hear(over("a", 10), at(12)), Heard::Known);

    // What comes back within half an hour is the same, and later it is another.
    assert_eq!(
        detector.hear(told("a", 20), at(15)),
        Heard::News(Update::Reopened(1))
    );
    assert_eq!(detector.incidents()[0].since, at(0));
    assert_eq!(
        detector.hear(over("a", 16), at(16)),
        Heard::News(Update::Closed(1))
    );
    assert_eq!(
        detector.hear(told("a", 90), at(80)),
        Heard::News(Update::Opened(2))
    );
}

#[test]
fn what_nobody_says_again_has_ended() {
    let mut detector = Detector::default();
    detector.hear(told("a", 5), at(1));
    detector.hear(told("b", 50), at(1));
    assert_eq!(detector.end_unrepeated(at(4)), []);
    assert_eq!(detector.end_unrepeated(at(6)), [Update::Closed(1)]);
    assert_eq!(detector.incidents()[0].state, State::Closed(at(5).0));
    assert_eq!(detector.end_unrepeated(at(7)), []);
}

#[test]
fn what_detection_finds_of_the_same_node_is_another_incident() {
    let mut detector = Detector::default();
    detector.hear(told("a", 90), at(1));
    for minute in 2..6 {
        let arrived = Arrived {
            accepted: 1000,
            lost: 100,
        };
        detector.set_arrived([("function:pay".to_owned(), arrived)]);
        detector.tick(at(minute));
    }
    let kinds: Vec<Vec<&str>> = detector
        .incidents()
        .iter()
        .map(|it| {
            it.findings
                .iter()
                .map(|it| it.finding.kind.name())
                .collect()
        })
        .collect();
    assert_eq!(kinds, [vec!["prometheus"], vec!["incomplete"]]);
    assert_eq!(detector.incidents()[0].state, State::Open);
    // And a state that is written down goes on.
    let written = serde_json::to_string(&detector).unwrap();
    let mut detector: Detector = serde_json::from_str(&written).unwrap();
    assert_eq!(detector.hear(told("a", 120), at(80)), Heard::Known);
    assert_eq!(detector.end_unrepeated(at(120)), [Update::Closed(1)]);
}

#[test]
fn what_is_all_right_is_no_incident() {
    let mut detector = Detector::default();
    detector.hear(told("a", 90), at(1));
    let allowed = |class: &str| Allowed {
        node: "function:pay".to_owned(),
        to: None,
        class: Some(class.to_owned()),
        operation: None,
        signature: None,
        kind: "prometheus".to_owned(),
        until: at(60),
    };
    detector.allow(vec![allowed("DiskFull")]);
    assert_eq!(detector.end_unrepeated(at(2)), []);
    detector.allow(vec![allowed("HighLatency")]);
    assert_eq!(detector.end_unrepeated(at(2)), [Update::Closed(1)]);
    assert_eq!(detector.incidents()[0].state, State::Closed(at(2).0));
    assert_eq!(detector.hear(told("a", 90), at(3)), Heard::Ignored);
    assert_eq!(
        detector.hear(told("a", 90), at(61)),
        Heard::News(Update::Opened(2))
    );
}

#[test]
fn there_is_room_for_so_many_and_what_was_found_here_stays() {
    let mut detector = Detector::default();
    for number in 0..OPEN_MAX {
        let heard = detector.hear(told(&number.to_string(), 90), at(1));
        assert!(matches!(heard, Heard::News(Update::Opened(_))), "{heard:?}");
    }
    assert_eq!(detector.hear(told("more", 90), at(1)), Heard::NoRoom);
    assert_eq!(detector.hear(told("0", 90), at(1)), Heard::Known);
    for number in 0..2 * OUTER_MAX {
        detector.hear(over("0", 2), at(2));
        let heard = detector.hear(told(&format!("n{number}"), 90), at(2));
        assert!(matches!(heard, Heard::News(Update::Opened(_))), "{heard:?}");
        detector.hear(over(&format!("n{number}"), 2), at(2));
    }
    assert_eq!(detector.incidents().len(), OUTER_MAX);
    let open = detector
        .incidents()
        .iter()
        .filter(|it| it.state == State::Open);
    assert_eq!(open.count(), OPEN_MAX - 1);
}
