//! "payment was slow last night around 10PM", asked the next morning of a night that was replayed.

use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use throughline_server::Clock;
use throughline_telemetry::wire::{self, Request};
use throughline_telemetry::{LogRecord, Resource, Scope, Signal, Span, SpanKind, UnixNanos};
use throughline_testkit::SimClock;

use crate::harness::TestServer;
use crate::openapi::problems;
use crate::samples::{span, traces};

/// 20:00 of 2026-11-21 by the clock of whoever asks, an hour east of UTC.
const BEGIN: UnixNanos = UnixNanos(1_795_287_600 * 1_000_000_000);
/// Until midnight.
const MINUTES: u64 = 240;
const ORDERS_A_MINUTE: u64 = 6;
/// 21:40 to 22:20: the bank takes its time.
const SLOW: Range<u64> = 100..140;
/// More than a question may take; how long it takes, benchmarks tell.
const LIMIT: Duration = Duration::from_secs(3);
/// The machine may be busy with other tests.
const ATTEMPTS: usize = 5;

fn minute(minute: u64) -> UnixNanos {
    BEGIN.plus(Duration::from_secs(minute * 60))
}

fn start_of(number: u64) -> UnixNanos {
    let within = number % ORDERS_A_MINUTE * 10;
    minute(number / ORDERS_A_MINUTE).plus(Duration::from_secs(within))
}

/// How long the bank takes, in milliseconds: no two orders are the same, and every minute is like every other.
fn bank_ms(number: u64) -> u64 {
    let usual = 60 + number * 7 % 10;
    match SLOW.contains(&(number / ORDERS_A_MINUTE)) {
        true => usual + 900,
        false => usual,
    }
}

/// One order: `place-order` looks up a user, has `payment` charge the bank, writes the order and tells the restaurant.
fn order(number: u64) -> Vec<Span> {
    let paid = bank_ms(number) + 40;
    let of = |function: &str, (id, parent): (u64, u64), (from, to): (u64, u64)| {
        let at = |millis: u64| start_of(number).plus(Duration::from_millis(millis)).0;
        let mut made = span(
            function,
            u128::from(number + 1),
            id,
            parent,
            at(from),
            at(to),
        );
        made.name = function.to_owned();
        made.resource = resource(function);
        made
    };
    let calls = |mut made: Span, name: &str, says: &[(&str, &str)]| {
        (made.kind, made.name) = (SpanKind::Client, name.to_owned());
        made.attributes = says.iter().copied().collect();
        made
    };
    let table = |made: Span, operation: &str, table: &str| {
        let says = [
            ("db.system.name", "aws.dynamodb"),
            ("db.collection.name", table),
            ("db.operation.name", operation),
        ];
        calls(made, operation, &says)
    };
    let bank = [
        ("server.address", "bank.example"),
        ("http.request.method", "POST"),
    ];
    let topic = [
        ("messaging.system", "aws_sns"),
        ("messaging.destination.name", "orders-placed"),
    ];
    let mut publish = calls(
        of("place-order", (8, 1), (paid + 55, paid + 65)),
        "publish orders-placed",
        &topic,
    );
    publish.kind = SpanKind::Producer;
    let mut notify = of("notify-restaurant", (9, 8), (paid + 90, paid + 130));
    notify.kind = SpanKind::Consumer;
    vec![
        of("place-order", (1, 0), (0, paid + 80)),
        table(of("place-order", (2, 1), (5, 17)), "GetItem", "users"),
        calls(of("place-order", (3, 1), (20, paid + 30)), "Invoke", &[]),
        of("payment", (4, 3), (25, paid + 25)),
        table(of("payment", (5, 4), (30, 38)), "GetItem", "cards"),
        calls(of("payment", (6, 4), (45, paid + 5)), "POST", &bank),
        table(
            of("place-order", (7, 1), (paid + 40, paid + 52)),
            "PutItem",
            "orders",
        ),
        publish,
        notify,
    ]
}

fn resource(function: &str) -> Arc<Resource> {
    let attributes = [("service.name", function), ("faas.name", function)];
    Arc::new(Resource {
        attributes: attributes.into_iter().collect(),
    })
}

/// What `payment` writes about an order.
fn line(number: u64) -> LogRecord {
    let (severity_number, body) = match bank_ms(number) {
        slow @ 500.. => (13, format!("the bank answered after {slow} ms only")),
        _ => (9, format!("charged card {number}")),
    };
    LogRecord {
        time: start_of(number),
        observed_time: start_of(number),
        severity_number,
        severity_text: String::new(),
        body: body.into(),
        trace_id: None,
        span_id: None,
        event_name: String::new(),
        attributes: Default::default(),
        resource: resource("payment"),
        scope: Arc::new(Scope::default()),
    }
}

/// A server that was sent the night, and whose clock shows ten the next morning.
async fn the_next_morning() -> TestServer {
    let clock = SimClock::at(BEGIN.plus(Duration::from_secs(14 * 3600)));
    let server = TestServer::start_at(Clock::new(move || clock.now())).await;
    let orders = || 0..MINUTES * ORDERS_A_MINUTE;
    let spans: Vec<Span> = orders().flat_map(order).collect();
    for some in spans.chunks(4500) {
        let answer = server.post_protobuf(Signal::Traces, traces(some)).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
    let lines: Vec<LogRecord> = orders().map(line).collect();
    let body = Request::Logs(wire::logs_request(&lines)).to_protobuf();
    let answer = server.post_protobuf(Signal::Logs, body).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    server
}

/// The answer, and how long it took to come.
#[allow(clippy::disallowed_methods)] // what is asked for is how long it takes
async fn ask(server: &TestServer) -> (Value, Duration) {
    let question =
        json!({"question": "payment was slow last night around 10PM", "utc_offset_minutes": 60});
    let begun = Instant::now();
    let answer = server
        .post_api("/api/v1/investigations", &[], question.to_string())
        .await;
    let took = begun.elapsed();
    assert_eq!(answer.status, 200, "{}", answer.text());
    (answer.json(), took)
}

#[tokio::test(flavor = "multi_thread")]
async fn payment_was_slow_last_night_because_of_the_bank() {
    let server = the_next_morning().await;
    let (mut answer, mut took) = ask(&server).await;
    for _ in 1..ATTEMPTS {
        if took < LIMIT && answer["left_out"] == json!([]) {
            break;
        }
        (answer, took) = ask(&server).await;
    }
    assert!(took < LIMIT, "an answer took {took:?}");
    assert_eq!(answer["left_out"], json!([]), "{answer:#}");
    assert_eq!(problems("Investigation", &answer), "", "{answer:#}");

    let asked = &answer["asked"];
    assert_eq!(asked["from_unix_nanos"], minute(90).0.to_string());
    assert_eq!(asked["to_unix_nanos"], minute(150).0.to_string());
    assert_eq!(answer["state"], "found", "{answer:#}");
    assert_eq!(answer["node"], "function:payment");
    assert_eq!(answer["symptom"], "slow");
    assert_eq!(answer["onset_unix_nanos"], minute(SLOW.start).0.to_string());
    assert_eq!(answer["until_unix_nanos"], minute(SLOW.end).0.to_string());

    let first = &answer["causes"][0];
    assert_eq!(first["node"], "host:bank.example", "{answer:#}");
    assert_eq!(
        first["path"],
        json!(["function:payment", "host:bank.example"])
    );
    assert!(first["share"].as_f64().unwrap() > 0.9, "{first:#}");
    assert!(first["after"].as_f64().unwrap() > 900.0, "{first:#}");
    let mut upstream = answer["upstream"].as_array().unwrap().iter();
    let caller = upstream.find(|near| near["node"] == "function:place-order");
    assert_eq!(caller.expect("it is affected")["worse"], json!(["slow"]));

    evidence_finds_its_rows(&server, &answer).await;
}

/// Every question that stands beside a sentence finds what the sentence speaks of.
async fn evidence_finds_its_rows(server: &TestServer, answer: &Value) {
    let evidence = answer["evidence"].as_array().expect("evidence");
    for row in evidence.iter().filter(|row| !row["search"].is_null()) {
        let search = row["search"].to_string();
        let found = server.post_api("/api/v1/search", &[], search).await;
        assert_eq!(found.status, 200, "{}", found.text());
        let total = found.json()["total"].as_u64().expect("a total");
        assert!(total > 0, "nothing is found of {row:#}");
    }
    let of_kind = |kind: &str| -> Vec<&Value> {
        let rows = evidence.iter().filter(|row| row["kind"] == kind);
        rows.filter(|row| !row["search"].is_null()).collect()
    };
    let bank = of_kind("numbers")
        .into_iter()
        .find(|row| row["node"] == "host:bank.example");
    let examples = bank.expect("numbers of the bank")["examples"].as_array();
    let examples = examples.expect("examples");
    assert_eq!(examples.len(), 3);
    for example in examples {
        let trace = example["trace_id"].as_str().expect("its trace");
        let path = format!("/api/v1/traces/{trace}");
        let trace = server.json(&path).await.to_string();
        assert!(trace.contains("bank.example"), "{trace}");
    }
    let titles = |kind: &str| -> Vec<&str> {
        let rows = of_kind(kind).into_iter();
        rows.filter_map(|row| row["title"].as_str()).collect()
    };
    let logs = titles("log");
    assert!(
        logs.contains(&"payment writes what it did not before: the bank answered after … ms only"),
        "{logs:?}"
    );
    let own = titles("self_time");
    assert!(
        own.first()
            .is_some_and(|title| title.starts_with("POST of payment")),
        "{own:?}"
    );
}
