use expect_test::expect;
use throughline_insight::detect::{InIncident, Kind, Measure, Severity};
use throughline_insight::rootcause::Evidence;

use super::*;

fn finding(subject: Subject, kind: Kind, before: f64, after: f64) -> InIncident {
    let finding = Finding {
        subject,
        kind,
        before: Some(Measure::exact(before, 900)),
        after: Measure::exact(after, 900),
        since: UnixNanos(60),
        seen: UnixNanos(120),
        confidence: 0.99,
        severity: Severity::Warning,
        change: None,
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
                100.0,
                147.0,
            ),
            finding(edge, Kind::Errors, 0.001, 0.25),
        ],
    };
    let cause = Cause {
        node: "table:user".to_owned(),
        symptom: Symptom::Slow,
        share: 0.917,
        score: 1.0,
        evidence: Evidence {
            before: 4.0,
            after: 133.0,
            z: 9.0,
            calls: 1200.0,
        },
        path: vec![pay(), "table:user".to_owned()],
    };
    let explanation = Explanation {
        confirmed: cause.evidence,
        steps: vec![1],
        causes: vec![cause],
        beside: Vec::new(),
        ruled_out: Vec::new(),
        unexplained: 0.083,
        load: 1.0,
    };
    let besides = Besides {
        explanation: Some(&explanation),
        environment: "production",
        base: "https://t.example",
        ..Besides::default()
    };
    let notice = notice(&incident, Phase::Closed, besides, UnixNanos(900));
    expect![[r#"
        {
          "about": "incident-12",
          "phase": "closed",
          "severity": "warning",
          "title": "function:pay is slower: p99 100 ms → 147 ms",
          "matters": [
            {
              "kind": "latency",
              "nodes": [
                "function:pay"
              ],
              "title": "function:pay is slower: p99 100 ms → 147 ms"
            },
            {
              "kind": "errors",
              "nodes": [
                "function:pay",
                "table:user"
              ],
              "title": "function:pay → table:user GetItem fails more: 0.1 % → 25 % of 900 calls"
            }
          ],
          "environment": "production",
          "since": 60,
          "at": 500,
          "cause": {
            "text": "table:user: mean 4.00 ms → 133 ms",
            "share": 0.917
          },
          "evidence": [],
          "actions": [],
          "page": "https://t.example/incidents/12"
        }"#]]
    .assert_eq(&serde_json::to_string_pretty(&notice).unwrap());
}
