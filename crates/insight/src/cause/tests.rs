use std::collections::BTreeMap;

use super::*;
use crate::detect::{ColdWhy, EdgeClass, InIncident, Measure, OuterAlert, Severity, Source};

/// 2026-11-21T21:30:00Z, when the incident begins.
const SINCE: UnixNanos = UnixNanos(1_795_296_600_000_000_000);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

fn finding(node: &str, kind: Kind, since: UnixNanos) -> InIncident {
    InIncident {
        finding: Finding {
            subject: Subject::Node(node.to_owned()),
            kind,
            before: None,
            after: Measure::exact(1.0, 100),
            since,
            seen: since,
            confidence: 1.0,
            severity: Severity::Warning,
            change: None,
        },
        goes_on: true,
    }
}

fn question(findings: Vec<InIncident>) -> Option<Question> {
    let incident = Incident {
        id: 1,
        since: SINCE,
        opened: SINCE,
        state: State::Open,
        findings,
    };
    Question::of(&incident, SINCE.plus(HOUR * 48))
}

fn slow() -> Kind {
    Kind::Latency { quantile: 0.99 }
}

fn new_edge() -> Kind {
    Kind::NewEdge {
        class: EdgeClass::Write,
    }
}

#[test]
fn kinds_are_asked_about_in_their_own_way() {
    let near = |clipped: f64| Kind::NearTimeout {
        quantile: 0.99,
        timeout_ms: 3000.0,
        clipped,
        days_left: None,
    };
    let why = ColdWhy::Change;
    let environment = String::new();
    let signature = String::new();
    let outer = |name: &str, says: &str| {
        Kind::Outer(Box::new(OuterAlert {
            key: "a1".to_owned(),
            source: Source::Alertmanager,
            name: name.to_owned(),
            says: says.to_owned(),
            labels: BTreeMap::new(),
            href: String::new(),
            until: SINCE,
        }))
    };
    let kinds: [(Kind, &[Symptom]); 19] = [
        (slow(), &[Symptom::Slow]),
        (near(0.0), &[Symptom::Slow]),
        (near(0.1), &[Symptom::Timeout, Symptom::Slow]),
        (Kind::Errors, &[Symptom::Error]),
        (Kind::NewError { signature }, &[Symptom::Error]),
        (Kind::Throttles, &[Symptom::Throttle]),
        (Kind::ColdStarts { why }, &[Symptom::ColdStart]),
        (Kind::Silence, &[Symptom::Silent]),
        (Kind::Cost { why: Vec::new() }, &[Symptom::Expensive]),
        (new_edge(), &[]),
        (Kind::Memory, &[]),
        (Kind::Leak { environment }, &[]),
        (Kind::Waiting { quantile: 0.5 }, &[]),
        (Kind::Incomplete, &[]),
        (outer("HighLatency", ""), &[Symptom::Slow]),
        (
            outer("PayHTTP5xxRate", "too many errors"),
            &[Symptom::Error],
        ),
        (outer("Pay", "pay is throttled"), &[Symptom::Throttle]),
        (outer("api_timeout", ""), &[Symptom::Timeout]),
        (
            outer("Odd", "a new version"),
            &[Symptom::Error, Symptom::Slow],
        ),
    ];
    for (kind, expected) in kinds {
        let asked = question(vec![finding("function:pay", kind.clone(), SINCE)]);
        let asked = asked.map_or_else(Vec::new, |question| question.asked);
        let symptoms: Vec<Symptom> = asked.iter().map(|asked| asked.symptom).collect();
        assert_eq!(symptoms, expected, "{kind:?}");
    }
    // What is nowhere on the map cannot be asked about.
    assert_eq!(
        question(vec![finding(
            "alert:Watchdog",
            outer("HighLatency", ""),
            SINCE
        )]),
        None
    );
}

#[test]
fn each_is_asked_about_once_and_four_at_most() {
    let of = |node: &str| finding(node, slow(), SINCE);
    let asked = question(["a", "a", "b", "c", "d", "e"].map(of).into()).expect("some");
    let nodes: Vec<&str> = asked
        .asked
        .iter()
        .map(|asked| asked.node.as_str())
        .collect();
    assert_eq!(nodes, ["a", "b", "c", "d"]);
}

#[test]
fn what_began_long_after_needs_times_of_its_own() {
    let later = SINCE.plus(HOUR * 10);
    let dear = Kind::Cost { why: Vec::new() };
    let findings = vec![finding("a", slow(), SINCE), finding("b", dear, later)];
    let question = question(findings).expect("some");
    let [first, second] = &question.asked[..] else {
        panic!("{question:?}");
    };
    assert_eq!(first.window.from, SINCE.minus(BEFORE));
    assert_eq!(first.window.to, SINCE.plus(LONGEST));
    assert_eq!(second.window.from, later.minus(BEFORE));
    let all = question.times();
    for asked in &question.asked {
        for needed in times(&asked.window) {
            let is_there = |it: &Range<UnixNanos>| it.start <= needed.start && needed.end <= it.end;
            assert!(all.iter().any(is_there), "{needed:?} in {all:?}");
        }
    }
    assert!(
        all.windows(2).all(|two| two[0].end < two[1].start),
        "{all:?}"
    );
    let [_, of_second] = times(&second.window);
    assert_eq!(question.times_of(Symptom::Expensive), Some(of_second));
    assert_eq!(question.times_of(Symptom::Timeout), None);
}

/// `pay` calls the table, which is slow from the beginning of the incident on.
fn facts() -> Facts {
    let mut facts = Facts::default();
    for minute in -260..120_i64 {
        let at = UnixNanos(SINCE.0.wrapping_add_signed(minute * 60_000_000_000));
        let more = if minute >= 0 { 300.0 } else { 0.0 };
        // No two minutes are the same.
        let varies = (minute * 7).rem_euclid(5) as f64 / 5.0;
        let (pay, table) = ("function:pay".to_owned(), "table:user".to_owned());
        let edge = Subject::Edge(pay.clone(), table.clone(), "GetItem".to_owned());
        for (subject, ms) in [
            (Subject::Node(pay.clone()), 50.0),
            (Subject::Node(table), 20.0),
            (edge, 20.0),
        ] {
            let did = facts.at(at, subject);
            did.counts.count = 40;
            did.sum_ms = 40.0 * (ms + more + varies);
        }
        facts.own.insert(pay);
    }
    facts
}

#[test]
fn the_first_that_is_explained_is_the_answer() {
    let asked = |findings: Vec<InIncident>| question(findings)?.answer(&facts());
    let of = |kind: Kind| finding("function:pay", kind, SINCE.plus(MINUTE));
    // It does not fail, and a new call is no question.
    let all = vec![of(new_edge()), of(Kind::Errors), of(slow())];
    let Answer { told, affected } = asked(all).expect("it is slow");
    assert_eq!(told.symptom, Symptom::Slow);
    let found = told.found.expect("it is explained");
    assert_eq!(found.causes[0].node, "table:user");
    let worse: Vec<String> = affected.worse().map(ToString::to_string).collect();
    assert_eq!(worse, ["function:pay is slow: 50 ms → 350 ms"]);
    assert_eq!(asked(vec![of(Kind::Errors)]), None);
    assert_eq!(asked(vec![of(new_edge())]), None);
}
