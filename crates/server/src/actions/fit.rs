//! Which actions fit which finding.

use throughline_act::{Action, Class, FunctionName, Resource, TRIED_HOURS};
use throughline_insight::detect::{Detector, EdgeClass, Finding, Incident, Kind, Settings};

/// The first findings of an incident, each in words, with what can be done about it. `told` is somebody who is told of
/// findings, if anybody is.
pub(crate) fn of_incident(
    incident: &Incident,
    detector: &Detector,
    told: Option<&str>,
) -> Vec<(String, Vec<Action>)> {
    let findings = incident.findings.iter().take(FINDINGS_MAX);
    let fit = findings.map(|known| {
        let node = known.finding.subject.nodes().next();
        let settings = node.map(|node| detector.settings(node)).unwrap_or_default();
        let fitting = actions(&known.finding, settings, told);
        (known.finding.to_string(), fitting)
    });
    fit.collect()
}

/// What can be done about a finding, what helps most first. Names, reasons and times in them are proposals, for a
/// person to change.
fn actions(finding: &Finding, settings: Settings, told: Option<&str>) -> Vec<Action> {
    let (node, to) = finding.subject.ends();
    let kind = finding.kind.name().to_owned();
    let class = finding.kind.class().map(str::to_owned);
    let signature = finding.kind.signature().map(str::to_owned);
    let operation = match &finding.kind {
        // Whoever may write may write by any operation.
        Kind::NewEdge { .. } => None,
        _ => finding.subject.operation().map(str::to_owned),
    };
    let function: Option<FunctionName> = node
        .strip_prefix("function:")
        .and_then(|name| name.parse().ok());
    let mut fitting = Vec::new();
    if let (Some(function), Some(to), Kind::NewEdge { class }) = (&function, to, &finding.kind)
        && let Ok(resource) = Resource::try_from(to.clone())
    {
        fitting.push(Action::Deny {
            function: function.clone(),
            resource,
            class: match class {
                EdgeClass::Write => Class::Write,
                EdgeClass::Read | EdgeClass::Admin | EdgeClass::Outside => Class::All,
            },
            hours: DENY_HOURS,
        });
    }
    if let Some(function) = function {
        let memory_mb = settings.memory_bytes.map(|bytes| bytes >> 20);
        let memory_mb = memory_mb.and_then(|mb| u32::try_from(mb).ok());
        let larger = memory_mb
            .filter(|mb| *mb < MEMORY_MB_MAX)
            .map(|mb| mb.saturating_mul(2).min(MEMORY_MB_MAX));
        match (&finding.kind, larger) {
            (
                Kind::Memory | Kind::Leak { .. } | Kind::NearTimeout { .. } | Kind::Latency { .. },
                Some(memory_mb),
            ) if to.is_none() => fitting.push(Action::Memory {
                function,
                memory_mb,
                hours: Some(TRIED_HOURS),
            }),
            // It does what it should not, or does it too often.
            (
                Kind::NewEdge { .. }
                | Kind::Errors
                | Kind::NewError { .. }
                | Kind::Cost { .. }
                | Kind::Throttles,
                _,
            ) => fitting.push(Action::Stop {
                function,
                hours: STOP_HOURS,
            }),
            _ => {}
        }
    }
    fitting.push(Action::Ignore {
        node: node.clone(),
        to: to.cloned(),
        class,
        operation,
        signature,
        kind: kind.clone(),
        reason: "it is all right".to_owned(),
        days: IGNORE_DAYS,
    });
    fitting.extend(told.map(|person| Action::Mute {
        person: person.to_owned(),
        node: node.clone(),
        to: to.cloned(),
        kind,
        days: MUTE_DAYS,
    }));
    fitting
}

/// Of one incident, those that actions are looked for.
pub(super) const FINDINGS_MAX: usize = 20;
/// Long enough to find out what it is.
const DENY_HOURS: u32 = 4;
const STOP_HOURS: u32 = 1;
const IGNORE_DAYS: u32 = 365;
const MUTE_DAYS: u32 = 30;
const MEMORY_MB_MAX: u32 = 10_240;

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use throughline_insight::detect::{Measure, Severity, Subject};
    use throughline_telemetry::UnixNanos;

    use super::*;

    fn check(subject: Subject, kind: Kind, told: Option<&str>, expected: Expect) {
        let finding = Finding {
            subject,
            kind,
            before: None,
            after: Measure::exact(1.0, 1),
            since: UnixNanos(0),
            seen: UnixNanos(0),
            confidence: 1.0,
            severity: Severity::Warning,
            change: None,
        };
        let settings = Settings {
            timeout_ms: None,
            memory_bytes: Some(512 << 20),
        };
        let lines = actions(&finding, settings, told).into_iter().map(|action| {
            let json = serde_json::to_string(&action.checked().unwrap()).unwrap();
            json + "\n"
        });
        expected.assert_eq(&lines.collect::<String>());
    }

    #[test]
    fn a_write_that_was_never_made_is_denied_stopped_ignored_or_not_told() {
        let edge = |to: &str| Subject::Edge("function:pay".into(), to.into(), "PutItem".into());
        let class = EdgeClass::Write;
        check(
            edge("table:users"),
            Kind::NewEdge { class },
            Some("on-call"),
            expect![[r#"
                {"do":"deny","function":"pay","resource":"table:users","class":"write","hours":4}
                {"do":"stop","function":"pay","hours":1}
                {"do":"ignore","node":"function:pay","to":"table:users","class":"write","kind":"new_edge","reason":"it is all right","days":365}
                {"do":"mute","person":"on-call","node":"function:pay","to":"table:users","kind":"new_edge","days":30}
            "#]],
        );
        // A host cannot be denied, and nobody is told anything.
        let class = EdgeClass::Outside;
        check(
            edge("host:evil.example"),
            Kind::NewEdge { class },
            None,
            expect![[r#"
                {"do":"stop","function":"pay","hours":1}
                {"do":"ignore","node":"function:pay","to":"host:evil.example","class":"outside","kind":"new_edge","reason":"it is all right","days":365}
            "#]],
        );
    }

    #[test]
    fn no_more_is_ignored_than_was_found() {
        let signature = "Declined: no money".to_owned();
        check(
            Subject::Node("service:web".into()),
            Kind::NewError { signature },
            None,
            expect![[r#"
                {"do":"ignore","node":"service:web","signature":"Declined: no money","kind":"new_error","reason":"it is all right","days":365}
            "#]],
        );
        check(
            Subject::Operation("service:web".into(), "GET /pay".into()),
            Kind::Latency { quantile: 0.99 },
            None,
            expect![[r#"
                {"do":"ignore","node":"service:web","operation":"GET /pay","kind":"latency","reason":"it is all right","days":365}
            "#]],
        );
        check(
            Subject::Edge("service:web".into(), "table:users".into(), "Query".into()),
            Kind::Latency { quantile: 0.99 },
            Some("on-call"),
            expect![[r#"
                {"do":"ignore","node":"service:web","to":"table:users","operation":"Query","kind":"latency","reason":"it is all right","days":365}
                {"do":"mute","person":"on-call","node":"service:web","to":"table:users","kind":"latency","days":30}
            "#]],
        );
    }

    #[test]
    fn who_runs_out_of_memory_gets_more() {
        check(
            Subject::Node("function:pay".into()),
            Kind::Memory,
            None,
            expect![[r#"
                {"do":"memory","function":"pay","memory_mb":1024,"hours":168}
                {"do":"ignore","node":"function:pay","kind":"memory","reason":"it is all right","days":365}
            "#]],
        );
        check(
            Subject::Node("service:web".into()),
            Kind::Memory,
            None,
            expect![[r#"
                {"do":"ignore","node":"service:web","kind":"memory","reason":"it is all right","days":365}
            "#]],
        );
    }

    #[test]
    fn what_waits_in_a_queue_is_nothing_that_can_be_stopped() {
        check(
            Subject::Wait("queue:mails".into()),
            Kind::Waiting { quantile: 0.95 },
            None,
            expect![[r#"
                {"do":"ignore","node":"queue:mails","kind":"waiting","reason":"it is all right","days":365}
            "#]],
        );
    }
}
