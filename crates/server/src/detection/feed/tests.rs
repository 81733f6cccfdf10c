use throughline_insight::detect::Counts;
use throughline_store::{Callee, Caller};
use throughline_telemetry::Histogram;

use super::super::Kept;
use super::super::logs::{Failure, Told};
use super::*;

const MINUTE: UnixNanos = UnixNanos(60_000_000_000);

fn durations(count: u64) -> HistogramSum {
    let mut histogram = Histogram::default();
    (0..count).for_each(|_| histogram.record(10.0));
    let mut sum = HistogramSum::default();
    sum.add(&histogram.to_bytes());
    sum
}

fn row(service: &str, name: &str, kind: SpanKind, count: u64) -> (UnixNanos, OperationRow) {
    let row = OperationRow {
        service: service.to_owned(),
        name: name.to_owned(),
        kind,
        count,
        errors: 1,
        cold_starts: 0,
        sum_ms: 10.0,
        durations: durations(count),
    };
    (MINUTE, row)
}

fn edge(function: &str, kind: NodeKind, name: &str, count: u64) -> (UnixNanos, Edge) {
    let edge = Edge {
        caller: Caller {
            service: function.to_owned(),
            function: function.to_owned(),
        },
        callee: Callee {
            kind,
            service: String::new(),
            name: name.to_owned(),
        },
        operation: "call".to_owned(),
        is_async: false,
        count,
        errors: 0,
        throttles: 2,
        sum_ms: 10.0,
        durations: durations(count),
        seen: (MINUTE, MINUTE),
    };
    (MINUTE, edge)
}

/// Each subject as a line: calls, failures, throttles.
fn show(operations: Vec<(UnixNanos, OperationRow)>, edges: Vec<(UnixNanos, Edge)>) -> Vec<String> {
    let done = minutes(
        ByMinute { operations, edges },
        (&[], &[]),
        &mut Names::default(),
    );
    let lines = done.subjects.iter().map(|((_, subject), done)| {
        let Counts {
            count,
            errors,
            throttles,
            ..
        } = done.counts;
        assert!(done.counts.durations.total() <= count);
        format!("{subject}: {count} {errors} {throttles}")
    });
    lines.collect()
}

#[test]
fn an_invocation_is_what_a_function_does_and_what_is_below_it_is_an_operation() {
    let operations = vec![
        row("pay", "pay", SpanKind::Server, 7),
        row("pay", "POST /pay", SpanKind::Server, 6),
        row("pay", "charge", SpanKind::Internal, 50),
        row("pay", "PutItem", SpanKind::Client, 7),
        row("web", "GET /", SpanKind::Server, 3),
        row("web", "GET /menu", SpanKind::Server, 4),
    ];
    let edges = vec![edge("pay", NodeKind::Table, "user", 7)];
    let shown = show(operations, edges);
    assert_eq!(
        shown,
        [
            "function:pay: 7 1 0",
            "service:web: 7 2 0",
            "table:user: 7 0 2",
            "function:pay POST /pay: 6 1 0",
            "service:web GET /: 3 1 0",
            "service:web GET /menu: 4 1 0",
            "function:pay → table:user call: 7 0 2",
        ]
    );
}

#[test]
fn what_nobody_waits_for_is_known_to_be_handed_over() {
    let mut message = edge("pay", NodeKind::Queue, "mails", 7);
    message.1.is_async = true;
    let call = edge("pay", NodeKind::Table, "user", 7);
    let found = ByMinute {
        operations: Vec::new(),
        edges: vec![message, call],
    };
    let done = minutes(found, (&[], &[]), &mut Names::default());
    let handed = [("function:pay".to_owned(), "queue:mails".to_owned())];
    assert_eq!(done.handed, handed.into());
}

#[test]
fn a_function_with_spans_of_its_own_is_not_counted_twice_but_its_throttles_are() {
    let operations = vec![row("pay", "pay", SpanKind::Server, 5)];
    let edges = vec![
        edge("pay", NodeKind::Table, "user", 1),
        edge("web", NodeKind::Function, "pay", 7),
        edge("web", NodeKind::Other, OTHER, 9),
    ];
    let shown = show(operations, edges);
    assert_eq!(
        shown,
        [
            "function:pay: 5 1 2",
            "table:user: 1 0 2",
            "function:pay → table:user call: 1 0 2",
            "function:web → function:pay call: 7 0 2",
        ]
    );
}

#[test]
fn a_service_with_several_functions_is_none_of_them() {
    let mut names = Names::default();
    assert_eq!(names.node("shop"), "service:shop");
    assert_eq!(names.node_of("shop", "pay"), "function:pay");
    assert_eq!(names.node("shop"), "function:pay");
    assert_eq!(names.node_of("shop", "mail"), "function:mail");
    assert_eq!(names.node("shop"), "service:shop");
}

/// What the platform reports of `pay` in a minute.
fn report(minute: UnixNanos) -> Report {
    Report {
        minute,
        service: "pay".to_owned(),
        function: "pay".to_owned(),
        version: String::new(),
        code: String::new(),
        architecture: String::new(),
        usd: 0.0,
        billed_ms: 0.0,
        init_ms: 0.0,
        used_bytes: 0,
        memory_bytes: 0,
    }
}

#[test]
fn how_much_of_its_memory_a_function_used_is_the_most_of_a_minute() {
    let used = |used: u64, of: u64| Report {
        used_bytes: used << 20,
        memory_bytes: of << 20,
        ..report(MINUTE)
    };
    let share = |reports: &[Report]| {
        let done = minutes(ByMinute::default(), (reports, &[]), &mut Names::default());
        let pay = Subject::Node("function:pay".to_owned());
        done.subjects[&(MINUTE, pay)].memory_share
    };
    // Two versions, of which one has more memory and uses less of it.
    assert_eq!(share(&[used(96, 128), used(128, 512)]), 0.75);
    assert_eq!(share(&[used(96, 0)]), 0.0);
    assert_eq!(share(&[used(0, 128)]), 0.0);
    // What was killed for it is reported with a bit more than it had.
    assert_eq!(share(&[used(129, 128)]), 1.0);
}

/// What a function is, by its version, its code and its megabytes.
type Is<'a> = (&'a str, &'a str, u64);

#[test]
fn what_a_function_has_not_had_lately_is_a_change() {
    let mut names = Names::default();
    let mut changes = |minute: u64, all: &[Is<'_>]| {
        let reports = all.iter().map(|(version, code, megabytes)| Report {
            version: (*version).to_owned(),
            code: (*code).to_owned(),
            memory_bytes: megabytes << 20,
            ..report(UnixNanos(minute * MINUTE.0))
        });
        let reports: Vec<Report> = reports.collect();
        let made = names.changes_of_minute(&reports.iter().collect::<Vec<_>>());
        let words = made.into_iter().map(|change| {
            let before = change.before.expect("it was something");
            let ago = minute - change.at.0 / MINUTE.0;
            format!("{before} → {}, {ago} min ago", change.what)
        });
        words.collect::<Vec<_>>()
    };
    let nothing = [""; 0];
    assert_eq!(changes(0, &[("41", "", 256)]), nothing);
    assert_eq!(changes(1, &[("41", "", 256)]), nothing);
    assert_eq!(
        changes(2, &[("42", "", 512)]),
        [
            "version 41 → version 42, 0 min ago",
            "memory 256 MB → memory 512 MB, 0 min ago"
        ]
    );
    assert_eq!(changes(3, &[("", "", 0)]), nothing);
    // Two aliases.
    let both = [("41", "", 256), ("42", "", 512)];
    (4..60).for_each(|minute| assert_eq!(changes(minute, &both), nothing));
    // Whoever goes back to what was there has changed something.
    (60..80).for_each(|minute| assert_eq!(changes(minute, &both[1..]), nothing));
    (80..82).for_each(|minute| assert_eq!(changes(minute, &[("41", "", 512)]), nothing));
    assert_eq!(
        changes(82, &[("41", "", 512)]),
        ["version 42 → version 41, 2 min ago"]
    );
    // Nobody has called it since yesterday; then both aliases are, as when it was called last.
    let both = [("41", "", 512), ("42", "", 512)];
    assert_eq!(changes(83, &both), nothing);
    assert_eq!(changes(2999, &both), nothing);
    assert_eq!(changes(3000, &both[..1]), nothing);
    // Of `$LATEST` the code tells, and where a version does it is the same thing.
    assert_eq!(changes(3001, &[("41", "6b1f20c3aa", 512)]), nothing);
    assert_eq!(
        changes(3002, &[("", "9d40e1c7bb", 512)]),
        ["code 6b1f20c3 → code 9d40e1c7, 0 min ago"]
    );
    assert_eq!(
        changes(3003, &[("43", "0f0f0f0fcc", 512)]),
        ["version 41 → version 43, 0 min ago"]
    );
}

#[test]
fn another_architecture_is_a_change() {
    let mut names = Names::default();
    let mut changes = |minute: u64, architecture: &str| {
        let report = Report {
            architecture: architecture.to_owned(),
            ..report(UnixNanos(minute * MINUTE.0))
        };
        let made = names.changes_of_minute(&[&report]).into_iter();
        let words = made.map(|it| (it.before.unwrap_or_default(), it.what));
        words.collect::<Vec<_>>()
    };
    // An extension that does not tell it comes first.
    assert_eq!(changes(0, ""), []);
    assert_eq!(changes(1, "x86_64"), []);
    let words = ["architecture x86_64", "architecture arm64"].map(str::to_owned);
    assert_eq!(changes(2, "arm64"), [<(String, String)>::from(words)]);
    assert_eq!(changes(3, "arm64"), []);
}

#[test]
fn what_goes_live_within_a_minute_is_a_change_whichever_is_told_first() {
    let of = |minute: u64, version: &str| Report {
        version: version.to_owned(),
        ..report(UnixNanos(minute * MINUTE.0))
    };
    for versions in [["41", "42"], ["42", "41"]] {
        let mut names = Names::default();
        let mut told = |minute: u64, versions: &[&str]| {
            let reports: Vec<Report> = versions.iter().map(|it| of(minute, it)).collect();
            let made = names.changes_of_minute(&reports.iter().collect::<Vec<_>>());
            let words = made.into_iter().map(|it| (it.before.unwrap(), it.what));
            words.collect::<Vec<_>>()
        };
        assert_eq!(told(0, &["40"]), []);
        assert_eq!(told(9, &["41"]).len(), 1);
        assert_eq!(
            told(10, &versions),
            [("version 41".to_owned(), "version 42".to_owned())]
        );
        assert_eq!(told(11, &["42"]), []);
        let mut timeouts_of = |minute: u64, seconds: &[f64]| {
            let all = seconds
                .iter()
                .map(|it| timeouts("pay", minute, Some(it * 1e3)));
            let all: Vec<Timeouts> = all.collect();
            let made = names.timeout_changes(&all.iter().collect::<Vec<_>>());
            made.into_iter().map(|it| it.what).collect::<Vec<_>>()
        };
        assert_eq!(timeouts_of(5, &[3.0]), [""; 0]);
        assert_eq!(timeouts_of(6, &[3.0, 10.0]), ["timeout 10 s"]);
        assert_eq!(timeouts_of(7, &[10.0]), [""; 0]);
    }
}

fn timeouts(function: &str, minute: u64, limit_ms: Option<f64>) -> Timeouts {
    Timeouts {
        minute: UnixNanos(minute * MINUTE.0),
        service: function.to_owned(),
        function: function.to_owned(),
        limit_ms,
        longest_ms: None,
        count: 0,
    }
}

#[test]
fn a_timeout_that_a_function_has_not_had_lately_is_a_change() {
    let mut names = Names::default();
    let mut changes = |minute: u64, all: &[f64]| {
        let all = all.iter();
        let all = all.map(|seconds| timeouts("pay", minute, Some(seconds * 1e3)));
        let all: Vec<Timeouts> = all.chain([timeouts("pay", minute, None)]).collect();
        let made = names.timeout_changes(&all.iter().collect::<Vec<_>>());
        let words = made.into_iter().map(|it| {
            assert_eq!(it.node, "function:pay");
            (it.before.unwrap_or_default(), it.what)
        });
        words.collect::<Vec<_>>()
    };
    let longer: (String, String) = ["timeout 3 s", "timeout 30 s"].map(str::to_owned).into();
    assert_eq!(changes(0, &[3.0]), []);
    assert_eq!(changes(1, &[3.0]), []);
    assert_eq!(changes(2, &[30.0]), std::slice::from_ref(&longer));
    // Two aliases, of which one ends.
    (3..60).for_each(|minute| assert_eq!(changes(minute, &[3.0, 30.0]), []));
    (60..80).for_each(|minute| assert_eq!(changes(minute, &[3.0]), []));
    // The other one is called twice an hour, and then alone: whoever goes back has changed something.
    for minute in (80..200).step_by(30) {
        assert_eq!(changes(minute, &[3.0, 30.0]), []);
        (1..30).for_each(|after| assert_eq!(changes(minute + after, &[3.0]), []));
    }
    (200..202).for_each(|minute| assert_eq!(changes(minute, &[30.0]), []));
    assert_eq!(changes(202, &[30.0]), [longer]);
    assert_eq!(changes(203, &[]), []);
}

#[test]
fn of_several_timeouts_the_longest_counts_and_what_was_ended_where_none_is_told() {
    let ended = |longest_ms: f64| Timeouts {
        longest_ms: Some(longest_ms),
        count: 1,
        ..timeouts("pay", 1, None)
    };
    let told = |seconds: f64| timeouts("pay", 1, Some(seconds * 1e3));
    assert_eq!(limit_ms(&[&told(30.0), &told(3.0)]), Some(30_000.0));
    assert_eq!(limit_ms(&[&ended(900_000.0), &told(3.0)]), Some(3_000.0));
    assert_eq!(limit_ms(&[&ended(3_000.0), &ended(3_001.0)]), Some(3_001.0));
    assert_eq!(limit_ms(&[&timeouts("pay", 1, None)]), None);
}

/// Two versions are called, one gets another timeout, and then there is a new failure.
#[test]
fn a_new_timeout_is_what_was_changed_before_a_failure() {
    const DAY: u64 = 24 * 60;
    let mut kept = Kept::default();
    let mut end = |minute: u64, limits: &[f64], signature: &str| {
        let failure = Failure {
            minute: UnixNanos(minute * MINUTE.0),
            service: "pay".to_owned(),
            function: "pay".to_owned(),
            signature: signature.to_owned(),
            count: 1,
            is_fatal: true,
        };
        let limits = limits.iter().map(|ms| timeouts("pay", minute, Some(*ms)));
        let told = Told {
            timeouts: limits.collect(),
            failures: vec![failure],
            ..Told::default()
        };
        kept.end(&told, UnixNanos(minute * MINUTE.0));
        let limit = kept
            .detector
            .settings(&"function:pay".to_owned())
            .timeout_ms;
        let incidents = kept.detector.incidents().iter();
        let findings = incidents.flat_map(|incident| &incident.findings);
        let changes = findings.map(|known| known.finding.change.clone());
        let changes = changes.map(|change| change.map(|change| change.what));
        (limit, changes.collect::<Vec<_>>())
    };
    let known = 20_000 * DAY;
    let then = known + 2 * DAY;
    assert_eq!(end(known, &[3e3, 30e3], "known"), (Some(30e3), vec![]));
    assert_eq!(end(then, &[3e3, 30e3], "known"), (Some(30e3), vec![]));
    let changed = vec![Some("timeout 10 s".to_owned())];
    assert_eq!(end(then + 1, &[3e3, 10e3], "new"), (Some(10e3), changed));
}

#[test]
fn who_tells_timeouts_is_known_where_there_are_none_too() {
    let ended = |function: &str, count: u64| Timeouts {
        count,
        ..timeouts(function, 1, Some(3000.0))
    };
    let operations = vec![
        row("pay", "pay", SpanKind::Server, 7),
        row("mail", "mail", SpanKind::Server, 5),
        row("web", "web", SpanKind::Server, 3),
    ];
    let found = ByMinute {
        operations,
        edges: Vec::new(),
    };
    let told = [ended("pay", 2), ended("mail", 0)];
    let done = minutes(found, (&[], &told), &mut Names::default());
    let of = |node: &str| {
        let did = &done.subjects[&(MINUTE, Subject::Node(node.to_owned()))];
        let counts = &did.counts;
        (counts.count, counts.timeouts, did.tells_timeouts)
    };
    // Their spans say which functions they are.
    assert_eq!(of("function:pay"), (7, 2, true));
    assert_eq!(of("function:mail"), (5, 0, true));
    assert_eq!(of("service:web"), (3, 0, false));
}
