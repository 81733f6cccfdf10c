use std::time::Duration;

use expect_test::{Expect, expect};

use super::*;
use throughline_sandbox::FaultStruck;

fn finished(function: &str) -> Finished {
    Finished {
        function: function.to_owned(),
        environment: "2026/11/21/[$LATEST]0".to_owned(),
        request_id: "8f7c1b52-5d0e-4f2c-9f5e-1f1f6a0e7a11".to_owned(),
        started: UnixNanos::from_millis(1_791_460_800_123),
        status: Status::Success,
        outcome: Outcome::Returned,
        error_type: None,
        error_cause: None,
        duration: Duration::from_micros(12_345),
        billed: Duration::from_millis(21),
        managed: false,
        init: None,
        restore: None,
        cold_start: false,
        memory_mb: 256,
        memory_max_used_mb: 41,
        trace_header: "Root=1-0-0".to_owned(),
    }
}

fn activities() -> Vec<Activity> {
    let line = |request_id: Option<&str>, extension: Option<&str>, text: &str| {
        Activity::Line(Line {
            function: "checkout".to_owned(),
            extension: extension.map(str::to_owned),
            request_id: request_id.map(str::to_owned),
            text: text.to_owned(),
        })
    };
    let ended = |end| {
        Activity::EventEnded(EventEnded {
            function: "checkout".to_owned(),
            request_id: "id".to_owned(),
            end,
            attempts: 3,
            payload: "{}".into(),
            answer: None,
            trace_header: String::new(),
        })
    };
    vec![
        line(None, Some("telemetry"), "ready"),
        line(
            Some("8f7c1b52-5d0e-4f2c-9f5e-1f1f6a0e7a11"),
            None,
            "an order",
        ),
        Activity::Finished(Finished {
            init: Some(Duration::from_micros(8_200)),
            cold_start: true,
            ..finished("checkout")
        }),
        Activity::Finished(Finished {
            outcome: Outcome::FunctionError,
            ..finished("a-function-with-a-name-of-some-length")
        }),
        Activity::Finished(Finished {
            status: Status::Timeout,
            outcome: Outcome::FunctionError,
            error_type: Some("Sandbox.Timedout".to_owned()),
            duration: Duration::from_secs(900),
            billed: Duration::from_secs(900),
            memory_mb: 10_240,
            memory_max_used_mb: 9_999,
            ..finished("checkout")
        }),
        ended(EventEnd::Success),
        ended(EventEnd::RetriesExhausted),
        Activity::Fault(FaultStruck {
            id: 3,
            what: "kill the runtime".to_owned(),
            function: Some("checkout".to_owned()),
            environment: None,
        }),
        ended(EventEnd::NotInvoked(
            "a loop of destinations was stopped".to_owned(),
        )),
    ]
}

fn check(teller: &Teller, expected: Expect) {
    let lines = activities();
    let lines: Vec<_> = lines
        .iter()
        .filter_map(|activity| teller.tell(activity))
        .collect();
    expected.assert_eq(&(lines.join("\n") + "\n"));
}

fn names() -> Vec<String> {
    vec![
        "checkout".to_owned(),
        "a-function-with-a-name-of-some-length".to_owned(),
    ]
}

#[test]
fn lines_keep_their_columns_however_long_the_names_are() {
    check(
        &Teller::lines(Paint::Plain, &names()),
        expect![[r#"
            checkout                      │ [telemetry] ready
            checkout             8f7c1b52 │ an order
            checkout             ok           12.3 ms  billed    21 ms    41/256 MB  cold 8.2 ms
            a-functio…ome-length failed       12.3 ms  billed    21 ms    41/256 MB
            checkout             timeout  900000.0 ms  billed 900000 ms  9999/10240 MB  Sandbox.Timedout
            checkout             event given up, all 3 attempts failed (id)
            checkout             fault 3: kill the runtime
            checkout             event given up, a loop of destinations was stopped (id)
        "#]],
    );
}

#[test]
fn report_lines_are_lambdas() {
    let teller = Teller::report(Paint::Plain, &["checkout".to_owned()]);
    let told = teller
        .tell(&Activity::Finished(finished("checkout")))
        .unwrap();
    let lines: Vec<_> = told.lines().collect();
    let id = "8f7c1b52-5d0e-4f2c-9f5e-1f1f6a0e7a11";
    assert_eq!(lines[0], format!("checkout END RequestId: {id}"));
    let report = format!("checkout REPORT RequestId: {id}\tDuration: 12.3");
    assert!(lines[1].starts_with(&report), "{told}");
    assert!(
        lines[1].ends_with("Memory Size: 256 MB\tMax Memory Used: 41 MB"),
        "{told}"
    );
}

#[test]
fn json_has_a_type_for_everything() {
    let types: Vec<_> = activities()
        .iter()
        .map(|activity| {
            let line = Teller::json().tell(activity).unwrap();
            let told: Value = serde_json::from_str(&line).unwrap();
            told["type"].as_str().unwrap().to_owned()
        })
        .collect();
    let expected = [
        "line",
        "line",
        "invocation",
        "invocation",
        "invocation",
        "event_ended",
        "event_ended",
        "fault",
        "event_ended",
    ];
    assert_eq!(types, expected);
}

#[test]
fn colours_add_nothing_that_takes_room() {
    let strip = |line: String| {
        let mut parts = line.split('\x1b');
        let first = parts.next().unwrap_or_default().to_owned();
        parts.fold(first, |line, part| line + part.split_once('m').unwrap().1)
    };
    let (plain, coloured) = (
        Teller::lines(Paint::Plain, &names()),
        Teller::lines(Paint::Coloured, &names()),
    );
    for activity in activities() {
        let line = coloured.tell(&activity);
        assert!(line.as_ref().is_none_or(|line| line.contains('\x1b')));
        assert_eq!(line.map(strip), plain.tell(&activity));
    }
}

#[test]
fn what_strikes_the_whole_sandbox_says_so_beside_short_names() {
    let teller = Teller::lines(Paint::Plain, &["f".to_owned()]);
    let struck = Activity::Fault(FaultStruck {
        id: 7,
        what: "slow the door lambda".to_owned(),
        function: None,
        environment: None,
    });
    assert_eq!(
        teller.tell(&struck).unwrap(),
        "sandbox fault 7: slow the door lambda"
    );
}
