use throughline_insight::detect::{ColdWhy, CostFactor, EdgeClass, Measure, Severity};
use throughline_telemetry::UnixNanos;

use super::*;

fn finding(subject: Subject, kind: Kind) -> Finding {
    Finding {
        subject,
        kind,
        before: None,
        after: Measure::exact(420.0, 10),
        since: UnixNanos(1),
        seen: UnixNanos(2),
        confidence: 1.0,
        severity: Severity::Warning,
        change: None,
    }
}

fn edge() -> Subject {
    let [from, to, operation] = ["function:order", "table:users", "PutItem"].map(str::to_owned);
    Subject::Edge(from, to, operation)
}

fn node(name: &str) -> Subject {
    Subject::Node(name.to_owned())
}

#[test]
fn what_is_found_of_an_edge_is_shown_by_its_calls() {
    let [from, to] = ["function:order", "table:users"].map(str::to_owned);
    let calls = || Sought::calls(Some(&from), &to, Some("PutItem")).expect("a function calls");
    let class = EdgeClass::Write;
    let quantile = 0.99;
    for (kind, expected) in [
        (Kind::NewEdge { class }, Some(calls())),
        (Kind::Errors, Some(calls().failed())),
        (Kind::Throttles, calls().refused()),
        (
            Kind::Latency { quantile },
            Some(calls().and("duration_ms", Operator::GtEq, json!(420.0))),
        ),
        (Kind::Silence, None),
    ] {
        let name = kind.name();
        assert_eq!(that_show(&finding(edge(), kind)), expected, "{name}");
    }
}

#[test]
fn what_is_found_of_a_node_is_shown_by_what_it_did() {
    let pay = "function:pay".to_owned();
    let own = || Sought::of_node(&pay).expect("a function");
    let signature = "Declined: no money".to_owned();
    let why = ColdWhy::Recycled;
    for (kind, expected) in [
        (Kind::Errors, Some(own().failed())),
        (
            Kind::NewError {
                signature: signature.clone(),
            },
            own().failed_as(&signature),
        ),
        (
            Kind::ColdStarts { why },
            Some(own().and("faas.coldstart", Operator::Eq, json!(true))),
        ),
        // Who was refused never came to it.
        (
            Kind::Throttles,
            Sought::calls(None, &pay, None).and_then(Sought::refused),
        ),
        // Reports of the platform tell these.
        (Kind::Memory, None),
        (
            Kind::Leak {
                environment: "e-1".to_owned(),
            },
            None,
        ),
        (
            Kind::Cost {
                why: vec![(CostFactor::Duration, 0.1)],
            },
            None,
        ),
        (Kind::Incomplete, None),
    ] {
        let name = kind.name();
        let shown = that_show(&finding(node("function:pay"), kind));
        assert_eq!(shown, expected, "{name}");
    }
    let operation = Subject::Operation(pay.clone(), "GET /".to_owned());
    assert_eq!(
        that_show(&finding(operation, Kind::Errors)),
        Sought::of_operation(&pay, "GET /").map(Sought::failed)
    );
    // Of what sends no spans those tell who call it.
    let users = "table:users".to_owned();
    assert_eq!(
        that_show(&finding(node("table:users"), Kind::Errors)),
        Sought::calls(None, &users, None).map(Sought::failed)
    );
    let wait = Subject::Wait("queue:mails".to_owned());
    let quantile = 0.99;
    assert_eq!(that_show(&finding(wait, Kind::Waiting { quantile })), None);
}
