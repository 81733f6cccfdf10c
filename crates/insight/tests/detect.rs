//! What goes wrong in an application with the rhythm of days is found, and nothing else.

#[path = "../examples/bench_insight/town.rs"]
mod town;

use throughline_insight::detect::{Detector, Finding, Update};
use throughline_telemetry::UnixNanos;
use town::{Plan, Town, Trouble};

/// A Monday.
const START: u64 = 20_000 * 1440;
const DAY: u64 = 1440;

fn at(minute: u64) -> UnixNanos {
    UnixNanos(minute * 60_000_000_000)
}

/// A town of which everything is known up to this minute.
fn known(seed: u64, until: u64) -> (Town, Detector) {
    let mut town = Town::new(seed, 4, 40.0);
    let mut detector = Detector::default();
    town.settle(&mut detector);
    for minute in START..until {
        town.minute(minute, &mut detector, None);
        detector.learn(at(minute + 1));
    }
    (town, detector)
}

fn opened(detector: &Detector) -> Vec<&Finding> {
    let findings = detector
        .incidents()
        .iter()
        .flat_map(|incident| &incident.findings);
    findings.map(|known| &known.finding).collect()
}

#[test]
fn a_quiet_week_raises_at_most_one_false_alarm() {
    let (mut town, mut detector) = known(1, START + 8 * DAY);
    for minute in START + 8 * DAY..START + 15 * DAY {
        town.minute(minute, &mut detector, None);
        detector.tick(at(minute + 1));
    }
    assert!(detector.incidents().len() <= 1, "{:#?}", opened(&detector));
}

#[test]
fn what_goes_wrong_is_found_and_ends() {
    // At noon, when all of it is busy.
    let begins = START + 8 * DAY + 720;
    let (_, learned) = known(2, begins - 60);
    for (seed, trouble) in (0..).zip(Trouble::ALL) {
        let mut town = Town::new(2, 4, 40.0);
        let mut detector = learned.clone();
        let plan = Plan {
            trouble,
            function: 1 + seed % 3,
            strength: 0.5,
        };
        let ends = begins + if trouble == Trouble::Cost { 120 } else { 40 };
        let mut found = None;
        for minute in begins - 60..ends + 120 {
            let wrong = (begins..ends).contains(&minute);
            town.minute(minute, &mut detector, wrong.then_some(plan));
            let updates = detector.tick(at(minute + 1));
            let has_opened = updates
                .iter()
                .any(|update| matches!(update, Update::Opened(_)));
            assert!(
                !has_opened || minute >= begins,
                "{trouble:?}: {:#?}",
                opened(&detector)
            );
            let is = |finding: &&Finding| {
                trouble.is(&finding.kind)
                    && finding
                        .subject
                        .nodes()
                        .any(|node| node == town.node(plan.function))
            };
            if found.is_none() {
                found = opened(&detector)
                    .into_iter()
                    .find(is)
                    .map(|_| minute - begins);
            }
        }
        assert!(found.is_some(), "{trouble:?}: {:#?}", opened(&detector));
        let incidents = detector.incidents();
        assert_eq!(
            incidents.len(),
            1,
            "{trouble:?} is one incident: {incidents:#?}"
        );
    }
}

/// What is written down and read again goes on as if nothing had been.
#[test]
fn the_state_survives() {
    let begins = START + 8 * DAY + 720;
    let (mut town, mut detector) = known(3, begins);
    let plan = Plan {
        trouble: Trouble::Errors,
        function: 1,
        strength: 0.5,
    };
    for minute in begins..begins + 10 {
        town.minute(minute, &mut detector, Some(plan));
        detector.tick(at(minute + 1));
    }
    assert!(!detector.incidents().is_empty());
    let written = serde_json::to_vec(&detector).unwrap();
    let mut again: Detector = serde_json::from_slice(&written).unwrap();
    assert_eq!(again.incidents(), detector.incidents());
    for minute in begins + 10..begins + 40 {
        assert_eq!(again.tick(at(minute + 1)), detector.tick(at(minute + 1)));
    }
    assert_eq!(again.incidents(), detector.incidents());
}
