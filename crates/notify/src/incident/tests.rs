use expect_test::expect;
use throughline_insight::detect::{Change, InIncident, Kind, Measure, Severity, Subject};
use throughline_insight::facts::Frame;
use throughline_insight::investigate::{
    Affected, Found, Investigation, Neighbour, Reference, Unit,
};
use throughline_insight::question::Symptom;
use throughline_insight::rootcause::Evidence;

use super::*;

/// After somebody changed that node.
fn finding(
    subject: Subject,
    kind: Kind,
    [before, after]: [f64; 2],
    [node, what]: [&str; 2],
) -> InIncident {
    let change = Change {
        node: node.to_owned(),
        at: UnixNanos(50),
        what: what.to_owned(),
        before: None,
        by: None,
    };
    let finding = Finding {
        subject,
        kind,
        before: Some(Measure::exact(before, 900)),
        after: Measure::exact(after, 900),
        since: UnixNanos(60),
        seen: UnixNanos(120),
        confidence: 0.99,
        severity: Severity::Warning,
        change: Some(change),
    };
    InIncident {
        finding,
        goes_on: true,
    }
}

#[test]
fn an_incident_says_what_it_is_and_where_it_comes_from() {
    let pay = || "function:pay".to_owned();
    let edge = Subject::Edge(pay(), "table:user".to_owned(), "GetItem".to_owned());
    let incident = Incident {
        id: 12,
        since: UnixNanos(60),
        opened: UnixNanos(90),
        state: State::Closed(500),
        findings: vec![
            finding(
                Subject::Node(pay()),
                Kind::Latency { quantile: 0.99 },
                [100.0, 147.0],
                ["function:pay", "version 42"],
            ),
            finding(
                edge,
                Kind::Errors,
                [0.001, 0.25],
                ["table:user", "memory 512 MB"],
            ),
        ],
    };
    let evidence = Evidence {
        before: 4.0,
        after: 133.0,
        z: 9.0,
        calls: 1200.0,
    };
    let cause = Suspect {
        node: "table:user".to_owned(),
        symptom: Symptom::Slow,
        share: 0.917,
        evidence,
        path: vec![pay(), "table:user".to_owned()],
    };
    let told = Investigation {
        node: pay(),
        symptom: Symptom::Slow,
        reference: Reference::HoursBefore,
        frame: Frame {
            normal: UnixNanos(0)..UnixNanos(60),
            now: UnixNanos(60)..UnixNanos(500),
        },
        figures: Vec::new(),
        found: Some(Found {
            confirmed: evidence,
            unit: Unit::Millis,
            onset: UnixNanos(60),
            began_before: false,
            until: UnixNanos(500),
            causes: vec![cause],
            beside: Vec::new(),
            ruled_out: Vec::new(),
            unexplained: 0.083,
            load: 1.0,
            cost_why: Vec::new(),
        }),
    };
    let neighbour = |node: &str, worse: Vec<Symptom>| Neighbour {
        node: node.to_owned(),
        path: vec!["table:user".to_owned(), node.to_owned()],
        worse,
        did: Default::default(),
        edge: Default::default(),
        minutes: [60.0, 10.0],
    };
    let mut shop = neighbour("function:shop", vec![Symptom::Slow]);
    for (did, ms) in shop.did.iter_mut().zip([60.0, 190.0]) {
        (did.counts.count, did.sum_ms) = (10, 10.0 * ms);
    }
    let affected = Affected {
        upstream: vec![shop, neighbour("function:as-usual", Vec::new())],
        ..Affected::default()
    };
    let cause = Answer { told, affected };
    let whose = Whose {
        environments: vec!["prod-eu".into()],
        owners: vec!["payments".into(), "shop".into()],
    };
    let besides = Besides {
        cause: Some(&cause),
        environment: "production",
        whose: Some(&whose),
        base: "https://t.example",
        ..Besides::default()
    };
    let notice = notice(&incident, Phase::Closed, besides, UnixNanos(900));
    expect![[r#"
        {
          "about": "incident-12-0",
          "phase": "closed",
          "severity": "warning",
          "title": "function:pay is slower: p99 100 ms → 147 ms (+47 %), since version 42",
          "matters": [
            {
              "kind": "latency",
              "nodes": [
                "function:pay"
              ],
              "title": "function:pay is slower: p99 100 ms → 147 ms (+47 %), since version 42",
              "severity": "warning"
            },
            {
              "kind": "errors",
              "nodes": [
                "function:pay",
                "table:user"
              ],
              "title": "function:pay → table:user GetItem fails more: 0.1 % → 25 % of 900 calls, since memory 512 MB of table:user",
              "severity": "warning"
            }
          ],
          "environment": "production",
          "whose": {
            "environments": [
              "prod-eu"
            ],
            "owners": [
              "payments",
              "shop"
            ]
          },
          "since": 60,
          "at": 500,
          "cause": {
            "node": "table:user",
            "text": "table:user is slow: 4.00 ms → 133 ms",
            "share": 0.917
          },
          "affected": [
            "function:shop is slow: 60 ms → 190 ms"
          ],
          "evidence": [],
          "actions": [],
          "page": "https://t.example/incidents/12"
        }"#]]
    .assert_eq(&serde_json::to_string_pretty(&notice).unwrap());
}

/// After what detection remembered is lost, its numbers begin with 1 again, which is another incident.
#[test]
fn a_number_that_is_used_again_is_another_incident() {
    let of = |opened: u64| Incident {
        id: 1,
        since: UnixNanos(0),
        opened: UnixNanos(opened * 1_000_000_000),
        state: State::Open,
        findings: Vec::new(),
    };
    assert_eq!(about(&of(60)), "incident-1-60");
    assert_ne!(about(&of(60)), about(&of(120)));
}
