//! What somebody asks about the past is answered: real telemetry with planted causes.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use throughline_server::Clock;
use throughline_telemetry::wire::{self, Request};
use throughline_telemetry::{
    LogRecord, Resource, Scope, Signal, Span, SpanKind, SpanStatus, UnixNanos,
};
use throughline_testkit::SimClock;

use crate::harness::TestServer;
use crate::openapi::problems;
use crate::samples::{span, traces};

/// 2026-11-21T17:00:00Z; four hours later the evening's incident is asked about.
const BEGIN: UnixNanos = UnixNanos(1_795_280_400 * 1_000_000_000);
const MINUTES: u64 = 330;
const CALLS_A_MINUTE: u64 = 12;
/// 22:07 by the clock of whoever asks, an hour east of UTC.
const WRONG_FROM: u64 = 247;

/// What goes wrong from minute [`WRONG_FROM`] on.
#[derive(Clone, Copy, PartialEq)]
enum Wrong {
    Nothing,
    SlowTable,
    /// `pay` reads the table ten times instead of once.
    ManyReads,
    Throttled,
    Stopped,
    /// Between `order` and `pay`, with a new version of `pay`.
    SlowVersion,
    /// `pay` writes the table as well.
    NewCall,
}

/// One call of `order`, which calls `pay`, which reads the table `user-table`.
fn call(number: u64, wrong: Wrong) -> Vec<Span> {
    let minute = number / CALLS_A_MINUTE;
    let is_wrong = minute >= WRONG_FROM;
    let start = BEGIN.0 / 1_000_000 + minute * 60_000 + number % CALLS_A_MINUTE * 5000;
    // No two are the same, and every minute is like every other.
    let varies = number * 7 % 10;
    let table_ms = match wrong {
        Wrong::SlowTable | Wrong::ManyReads if is_wrong => 400,
        _ => 20,
    } + varies;
    let pay_ms = match wrong {
        Wrong::SlowVersion if is_wrong => 320,
        _ => 20,
    };
    let fails = wrong == Wrong::Throttled && is_wrong && number.is_multiple_of(3);
    let of = |function: &str, id: u64, parent: u64, from: u64, to: u64| {
        let millis = |at: u64| (start + at) * 1_000_000;
        let trace = u128::from(number + 1);
        let mut made = span(function, trace, id, parent, millis(from), millis(to));
        made.name = function.to_owned();
        let attributes = [("service.name", function), ("faas.name", function)];
        made.resource = Arc::new(Resource {
            attributes: attributes.into_iter().collect(),
        });
        if fails {
            made.status = SpanStatus::Error;
        }
        made
    };
    let all = table_ms + pay_ms;
    let order = of("order", 1, 0, 0, all + 30);
    let mut invoke = of("order", 2, 1, 5, all + 25);
    (invoke.kind, invoke.name) = (SpanKind::Client, "Invoke".to_owned());
    let mut pay = of("pay", 3, 2, 10, all + 20);
    if wrong == Wrong::SlowVersion {
        let version = if is_wrong { "42" } else { "41" };
        pay.attributes.set("service.version", version);
    }
    let reads = match wrong {
        Wrong::ManyReads if is_wrong => 10,
        _ => 1,
    };
    let gets = (0..reads).map(|at| {
        let (from, took) = (15 + at * table_ms / reads, table_ms / reads);
        let mut get = of("pay", 4 + at, 3, from, from + took);
        (get.kind, get.name) = (SpanKind::Client, "GetItem".to_owned());
        get.attributes.set("db.system.name", "aws.dynamodb");
        get.attributes.set("db.collection.name", "user-table");
        get.attributes.set("db.operation.name", "GetItem");
        if fails {
            get.attributes.set("error.type", "ThrottlingException");
        }
        get
    });
    if wrong == Wrong::Stopped && is_wrong {
        return vec![order];
    }
    let mut calls: Vec<Span> = gets.collect();
    if wrong == Wrong::NewCall && is_wrong {
        let mut put = calls[0].clone();
        put.span_id = span("pay", 1, 5, 0, 0, 0).span_id;
        put.name = "PutItem".to_owned();
        put.attributes.set("db.operation.name", "PutItem");
        calls.push(put);
    }
    [order, invoke, pay].into_iter().chain(calls).collect()
}

fn line(number: u64, body: String, severity: u8) -> LogRecord {
    let minute = number / CALLS_A_MINUTE;
    let time = BEGIN.plus(Duration::from_secs(
        minute * 60 + number % CALLS_A_MINUTE * 5,
    ));
    let attributes = [("service.name", "pay"), ("faas.name", "pay")];
    LogRecord {
        time,
        observed_time: time,
        severity_number: severity,
        severity_text: String::new(),
        body: body.into(),
        trace_id: None,
        span_id: None,
        event_name: String::new(),
        attributes: attributes.into_iter().collect(),
        resource: Arc::new(Resource {
            attributes: attributes.into_iter().collect(),
        }),
        scope: Arc::new(Scope::default()),
    }
}

/// What the platform reports of an invocation of `pay`, which costs four times as much in version 42, and uses twice the
/// memory.
fn report(number: u64) -> LogRecord {
    let is_wrong = number / CALLS_A_MINUTE >= WRONG_FROM;
    let mut report = line(number, String::new(), 9);
    let (version, usd) = if is_wrong { ("42", 4e-4) } else { ("41", 1e-4) };
    report.attributes.set("faas.version", version);
    report.attributes.set("throughline.cost.usd", usd);
    let billed_ms = if is_wrong { 400.0 } else { 100.0 };
    report
        .attributes
        .set("throughline.duration.billed_ms", billed_ms);
    report.attributes.set("throughline.memory.size_mb", 128.0);
    let used_mb = if is_wrong { 120.0 } else { 50.0 };
    report
        .attributes
        .set("throughline.memory.max_used_mb", used_mb);
    report
}

/// A server that has all of it, whose clock shows 2026-11-22T09:00:00Z.
async fn server(wrong: Wrong) -> TestServer {
    let clock = SimClock::at(BEGIN.plus(Duration::from_secs(16 * 3600)));
    let server = TestServer::start_at(Clock::new(move || clock.now())).await;
    let numbers = 0..MINUTES * CALLS_A_MINUTE;
    let spans: Vec<Span> = numbers
        .clone()
        .flat_map(|number| call(number, wrong))
        .collect();
    for some in spans.chunks(4000) {
        let answer = server.post_protobuf(Signal::Traces, traces(some)).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
    let lines: Vec<LogRecord> = numbers
        .map(|number| match wrong {
            Wrong::SlowTable if number / CALLS_A_MINUTE >= WRONG_FROM => line(
                number,
                format!("gave up on card {number} after 3 attempts"),
                17,
            ),
            Wrong::SlowVersion => report(number),
            _ => line(number, format!("charged card {number}"), 9),
        })
        .collect();
    let body = Request::Logs(wire::logs_request(&lines)).to_protobuf();
    let answer = server.post_protobuf(Signal::Logs, body).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    server
}

impl TestServer {
    async fn investigation(&self, question: &Value) -> Value {
        let body = question.to_string();
        let answer = self.post_api("/api/v1/investigations", &[], body).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let answer = answer.json();
        assert_eq!(problems("Investigation", &answer), "", "{answer:#}");
        answer
    }

    async fn asked(&self, sentence: &str) -> Value {
        self.investigation(&json!({"question": sentence, "utc_offset_minutes": 60}))
            .await
    }
}

fn nanos_of_minute(minute: u64) -> String {
    BEGIN.plus(Duration::from_secs(minute * 60)).0.to_string()
}

/// How many rows the question beside a row of evidence finds.
async fn found_by(server: &TestServer, row: &Value) -> u64 {
    let search = row["search"].to_string();
    let found = server.post_api("/api/v1/search", &[], search).await;
    assert_eq!(found.status, 200, "{}", found.text());
    found.json()["total"].as_u64().expect("a number")
}

fn with_kind<'a>(answer: &'a Value, kind: &str) -> Vec<&'a Value> {
    let all = answer["evidence"].as_array().expect("a list").iter();
    all.filter(|row| row["kind"] == kind).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_table_is_found_from_a_sentence() {
    let server = server(Wrong::SlowTable).await;
    let answer = server.asked("order was slow last night around 10PM").await;
    assert_eq!(answer["state"], "found", "{answer:#}");
    let asked = &answer["asked"];
    assert_eq!(
        (&asked["symptom"], &asked["symptom_words"], &asked["node"]),
        (&json!("slow"), &json!("slow"), &json!("function:order"))
    );
    assert_eq!(asked["from_unix_nanos"], nanos_of_minute(210));
    assert_eq!(asked["to_unix_nanos"], nanos_of_minute(270));
    assert_eq!(answer["reference"]["name"], "hours_before");
    assert_eq!(answer["onset_unix_nanos"], nanos_of_minute(WRONG_FROM));
    assert_eq!(answer["began_before"], false);
    let first = &answer["causes"][0];
    assert_eq!(first["node"], "table:user-table", "{answer:#}");
    assert_eq!(
        first["path"],
        json!(["function:order", "function:pay", "table:user-table"])
    );
    // Its traces show that all of it is there.
    assert!(first["share"].as_f64().unwrap() > 0.95, "{answer:#}");
    let shares = answer["causes"].as_array().unwrap().iter();
    let shares: f64 = shares.map(|cause| cause["share"].as_f64().unwrap()).sum();
    let unexplained = answer["unexplained"].as_f64().unwrap();
    assert!((shares + unexplained - 1.0).abs() < 0.02, "{answer:#}");

    // Each row that has a question shows spans with it, as it is.
    let numbers = with_kind(&answer, "numbers");
    let of_table = numbers.iter().find(|row| row["node"] == "table:user-table");
    let of_table = of_table.expect("a row of the table");
    assert_eq!(of_table["examples"].as_array().unwrap().len(), 3);
    let found = server
        .post_api("/api/v1/search", &[], of_table["search"].to_string())
        .await;
    assert_eq!(found.status, 200, "{}", found.text());
    assert_eq!(found.json()["total"], (270 - WRONG_FROM) * CALLS_A_MINUTE);
    let steps = with_kind(&answer, "self_time");
    assert!(
        steps[0]["title"]
            .as_str()
            .unwrap()
            .starts_with("GetItem of pay"),
        "{steps:#?}"
    );
    assert!(steps[0]["after"].as_f64().unwrap() > 390.0);
    // The traces that it was seen in are examples of it.
    let examples = steps[0]["examples"].as_array().unwrap();
    assert_eq!(examples.len(), 3, "{steps:#?}");
    for example in examples {
        assert!(example["duration_ms"].as_f64().unwrap() >= 400.0);
    }
    let lines: Vec<&str> = with_kind(&answer, "log")
        .into_iter()
        .map(|row| row["title"].as_str().unwrap())
        .collect();
    assert_eq!(
        lines,
        [
            "pay writes what it did not before: gave up on card … after … attempts",
            "pay does not write any more: charged card …"
        ]
    );
    let log = with_kind(&answer, "log")[0]["search"].to_string();
    let found = server.post_api("/api/v1/search", &[], log).await.json();
    assert_eq!(found["total"], (270 - WRONG_FROM) * CALLS_A_MINUTE);
    assert_eq!(answer["left_out"], json!([]));

    // The same from slots.
    let slots = json!({"symptom": "slow", "node": "function:order",
        "from": nanos_of_minute(210), "to": nanos_of_minute(270)});
    let again = server.investigation(&slots).await;
    for what in ["causes", "onset_unix_nanos", "title", "figures"] {
        assert_eq!(again[what], answer[what], "{what}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_is_made_ten_times_as_often_in_each_trace_is_told() {
    let server = server(Wrong::ManyReads).await;
    let answer = server.asked("order was slow last night around 10PM").await;
    assert_eq!(answer["state"], "found", "{answer:#}");
    let shapes = with_kind(&answer, "shape");
    assert_eq!(shapes.len(), 1, "{answer:#}");
    assert_eq!(
        shapes[0]["title"],
        "GetItem on user-table of pay: 10 times a trace, once before, in 12 traces and 12 of before"
    );
    let search = shapes[0]["search"].to_string();
    let found = server.post_api("/api/v1/search", &[], search).await;
    assert_eq!(found.status, 200, "{}", found.text());
    assert!(
        found.json()["total"].as_u64().unwrap() > 0,
        "{}",
        found.text()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn who_else_is_affected_by_throttling_is_told_with_numbers() {
    let server = server(Wrong::Throttled).await;
    let answer = server
        .asked("What else was affected by the throttling on user-table last night at 10pm?")
        .await;
    assert_eq!(answer["state"], "found", "{answer:#}");
    assert_eq!(answer["asked"]["wanted"], "affected");
    assert_eq!(answer["symptom"], "throttle");
    assert_eq!(answer["node"], "table:user-table");
    let upstream = answer["upstream"].as_array().unwrap();
    let nodes: Vec<&Value> = upstream.iter().map(|near| &near["node"]).collect();
    assert_eq!(nodes, ["function:pay", "function:order"]);
    for near in upstream {
        assert_eq!(near["worse"], json!(["error"]), "{near:#}");
        let failed = near["failed"]["after"].as_f64().unwrap();
        assert!((failed - 1.0 / 3.0).abs() < 0.02, "{near:#}");
        assert_eq!(near["failed"]["before"], 0.0);
        assert_eq!(near["calls_per_minute"]["after"], 12.0);
    }
    assert_eq!(upstream[0]["throttle_count"], (270 - WRONG_FROM) * 4);
    assert_eq!(answer["downstream"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_version_is_named_where_it_is_slow() {
    let server = server(Wrong::SlowVersion).await;
    let answer = server
        .asked("why was pay slow last night around 10pm")
        .await;
    assert_eq!(answer["causes"][0]["node"], "function:pay", "{answer:#}");
    let attributes = with_kind(&answer, "attribute");
    let title = attributes[0]["title"].as_str().unwrap();
    assert!(
        title.contains("have service.version = 42") && title.starts_with("100 %"),
        "{attributes:#?}"
    );
    let changes = with_kind(&answer, "change");
    assert_eq!(changes.len(), 1, "{answer:#}");
    assert_eq!(
        changes[0]["title"],
        "function:pay changed: version 42, in the minute in which it began"
    );
    assert_eq!(changes[0]["at_unix_nanos"], nanos_of_minute(WRONG_FROM));
    let numbers = with_kind(&answer, "numbers");
    let title = "function:pay uses more of its memory: 39 % → 94 %";
    assert!(
        numbers.iter().any(|row| row["title"] == title),
        "{numbers:#?}"
    );
    let ruled_out = answer["ruled_out"].to_string();
    assert!(
        ruled_out.contains("table:user-table is as usual"),
        "{ruled_out}"
    );
    assert!(
        ruled_out.contains("load: 1.0 times the usual calls"),
        "{ruled_out}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_costs_more_or_has_changed_is_told_with_why() {
    let server = server(Wrong::SlowVersion).await;
    let answer = server
        .asked("pay was expensive last night around 10pm")
        .await;
    assert_eq!(answer["state"], "found", "{answer:#}");
    assert_eq!(answer["symptom"], "expensive");
    let confirmed = &answer["confirmed"];
    assert_eq!(confirmed["unit"], "usd_per_hour");
    let [before, after] = ["before", "after"].map(|it| confirmed[it].as_f64().unwrap());
    assert!(
        (before - 0.072).abs() < 1e-6 && after > 0.25,
        "{confirmed:#}"
    );
    let costs = with_kind(&answer, "cost");
    let title = costs[0]["title"].as_str().unwrap();
    assert!(title.ends_with("more because of duration"), "{costs:#?}");

    let answer = server.asked("what changed in pay last night at 10pm").await;
    assert_eq!(answer["title"], "function:pay has changed");
    assert_eq!(answer["causes"], json!([]));
    let changes = with_kind(&answer, "change");
    assert_eq!(changes[0]["title"], "function:pay changed: version 42");
    // Invocations with that version, and none with the one before.
    let wrong = (270 - WRONG_FROM) * CALLS_A_MINUTE;
    assert_eq!(found_by(&server, changes[0]).await, wrong, "{changes:#?}");
    let filters = changes[0]["search"]["filters"].to_string();
    assert!(
        filters.contains(r#""column":"service.version""#),
        "{filters}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_call_leads_to_its_spans() {
    let server = server(Wrong::NewCall).await;
    let answer = server.asked("what changed in pay last night at 10pm").await;
    let calls = with_kind(&answer, "call");
    assert_eq!(calls.len(), 1, "{answer:#}");
    assert_eq!(
        calls[0]["title"],
        "function:pay calls table:user-table (PutItem), which it did not before"
    );
    let wrong = u32::try_from((270 - WRONG_FROM) * CALLS_A_MINUTE).expect("some hundred");
    assert_eq!(calls[0]["after"].as_f64(), Some(f64::from(wrong)));
    let found = found_by(&server, calls[0]).await;
    assert_eq!(found, u64::from(wrong), "{calls:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_stopped_calling_is_told() {
    let server = server(Wrong::Stopped).await;
    let answer = server.asked("pay was silent last night around 10pm").await;
    assert_eq!(answer["state"], "found", "{answer:#}");
    assert_eq!(answer["onset_unix_nanos"], nanos_of_minute(248));
    assert_eq!(answer["causes"][0]["node"], "function:order");
    assert_eq!(answer["confirmed"]["before"], 12.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_said_where_nothing_is() {
    let server = server(Wrong::Nothing).await;
    for sentence in [
        "order was slow last night around 10PM",
        "what failed last night at 10pm?",
        "throttling on user-table last night at 10pm",
        "what changed in pay last night at 10pm",
        "order last night at 10pm",
    ] {
        let answer = server.asked(sentence).await;
        assert_eq!(answer["state"], "nothing_found", "{sentence}: {answer:#}");
        assert!(
            answer["title"]
                .as_str()
                .unwrap()
                .starts_with("nothing found"),
            "{answer:#}"
        );
        assert_eq!(answer["causes"], json!([]));
        assert_eq!(answer["unexplained"], Value::Null);
    }
    let answer = server.asked("was zebra slow last night?").await;
    assert_eq!(answer["state"], "unknown_name");
    // There is nothing to compare at all.
    let empty = TestServer::start().await;
    let answer = empty.asked("").await;
    assert_eq!(answer["state"], "nothing_found");
    assert_eq!(answer["node"], Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_says_no_name_is_told_what_shows() {
    let server = server(Wrong::SlowTable).await;
    let answer = server.asked("what was slow last night around 10PM?").await;
    assert_eq!(answer["state"], "found", "{answer:#}");
    // The one that no other of them calls.
    assert_eq!(answer["node"], "function:order");
    assert_eq!(answer["asked"]["node"], Value::Null);
    assert_eq!(answer["noticed"].as_array().unwrap().len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_meant_is_refused() {
    let server = TestServer::start().await;
    let long = "slow ".repeat(101);
    for (question, says) in [
        (
            json!({"symptom": "tired"}),
            "`symptom` must be one of slow, error",
        ),
        (json!({"from": "x"}), "`from` and `to` are Unix nanoseconds"),
        (
            json!({"from": "9", "to": "8"}),
            "`from` must be before `to`",
        ),
        (json!({"from": "18000000000000000000"}), "and before now"),
        (json!({"question": long}), "at most 500 characters"),
        (json!({"ask": "x"}), "unknown field"),
    ] {
        let body = question.to_string();
        let answer = server.post_api("/api/v1/investigations", &[], body).await;
        assert_eq!(answer.status, 400, "{question}");
        let message = answer.json()["message"].as_str().unwrap().to_owned();
        assert!(message.contains(says), "{question}: {message}");
    }
}
