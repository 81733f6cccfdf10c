//! What costs more because it is done again: requests that were left with Lambda, and batches of a stream.

use std::sync::Arc;

use throughline_server::Clock;
use throughline_telemetry::{LogRecord, Resource, Scope, Span, SpanStatus, UnixNanos, Value};
use throughline_testkit::SimClock;

use crate::harness::TestServer;
use crate::incidents::{BEGIN, after};
use crate::samples::span;
use crate::search::put_logs;

/// How a function is given once more what it failed with.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Way {
    /// With the same request id, a minute later and two minutes after that.
    Request,
    /// The same records, at once, under another request id.
    Batch,
    /// Another request each time, which the clients made. It is no retry that anybody can tell.
    Other,
}

const SECOND: u64 = 1_000_000_000;
/// From then on everything fails, and is tried several times.
const WRONG_FROM: u64 = 360;
const END: u64 = 422;
const A_MINUTE: u64 = 10;
const TITLE: &str = "function:pay costs more, mostly for more retries: ";

/// The how-manieth invocation with what `pay` was given, and what the platform reports of it.
fn attempt(way: Way, number: u64, times: u64) -> (Span, LogRecord) {
    let later = match (way, times) {
        (Way::Request, 2) => 180,
        (Way::Request, times) => times * 60,
        (Way::Batch | Way::Other, times) => times * 2,
    };
    let second = number * 60 / A_MINUTE + later;
    let begun = BEGIN.0 + second * SECOND;
    let trace = u128::from(number * 8 + times) + 1;
    let mut made = span("pay", trace, 1, 0, begun, begun + SECOND / 10);
    made.name = "pay".to_owned();
    let attributes = [("service.name", "pay"), ("faas.name", "pay")];
    made.resource = Arc::new(Resource {
        attributes: attributes.into_iter().collect(),
    });
    let request = match way {
        Way::Request => format!("r-{number}"),
        Way::Batch | Way::Other => format!("r-{number}-{times}"),
    };
    made.attributes.set("throughline.phase", "invoke");
    made.attributes.set("faas.invocation_id", request);
    if way == Way::Batch {
        let path = format!("stream:clicks@1795132800000#kin:clicks/shard-1/{number}");
        let path = Value::Array(vec![path.into()]);
        made.attributes.set("throughline.in.path", path);
    }
    if number >= WRONG_FROM * A_MINUTE {
        made.status = SpanStatus::Error;
        made.attributes.set("error.type", "Declined");
    }
    let mut report = LogRecord {
        time: made.start,
        observed_time: made.start,
        severity_number: 9,
        severity_text: String::new(),
        body: String::new().into(),
        trace_id: None,
        span_id: None,
        event_name: String::new(),
        attributes: attributes.into_iter().collect(),
        resource: Arc::clone(&made.resource),
        scope: Arc::new(Scope::default()),
    };
    report.attributes.set("throughline.cost.usd", 0.005);
    report
        .attributes
        .set("throughline.duration.billed_ms", 100.0);
    (made, report)
}

/// What makes an hour more expensive in which all is tried several times, the most first, and the sentence of it.
async fn why(way: Way) -> (Vec<(String, f64)>, String) {
    let clock = SimClock::at(BEGIN);
    let shown = clock.clone();
    let server = TestServer::start_at(Clock::new(move || shown.now())).await;
    let numbers = 0..END * A_MINUTE;
    let attempts = numbers.flat_map(|number| {
        let times = match way {
            _ if number < WRONG_FROM * A_MINUTE => 1,
            Way::Request | Way::Batch => 3,
            // More calls alone are told from three times as many on.
            Way::Other => 5,
        };
        (0..times).map(move |times| attempt(way, number, times))
    });
    let end = UnixNanos(BEGIN.0 + END * 60 * SECOND);
    let (spans, reports): (Vec<Span>, Vec<LogRecord>) =
        attempts.filter(|(span, _)| span.start < end).unzip();
    server.given(&spans).await;
    for some in reports.chunks(4000) {
        put_logs(&server, some).await;
    }
    clock.advance(BEGIN.plus(after(END)).since(clock.now()));
    server.watched().await;
    let found = server.findings().await;
    let cost = &found["cost"];
    let why = cost["detail"]["why"].as_array().expect("a list").iter();
    let parts = why.map(|part| {
        let factor = part["factor"].as_str().expect("a name").to_owned();
        (factor, part["usd_per_hour"].as_f64().expect("a number"))
    });
    let title = cost["title"].as_str().expect("a sentence").to_owned();
    (parts.collect(), title)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_lambda_tries_again_costs_more_because_of_retries() {
    for way in [Way::Request, Way::Batch] {
        let (why, title) = why(way).await;
        assert_eq!(why[0].0, "retries", "{way:?}: {why:?}");
        // Three attempts of each instead of one, at half a cent: nearly all of the six dollars more.
        let sum: f64 = why.iter().map(|(_, usd)| usd).sum();
        assert!(sum > 5.0 && why[0].1 > 0.9 * sum, "{way:?}: {why:?}");
        assert!(title.starts_with(TITLE), "{title}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_clients_ask_again_costs_more_because_of_calls() {
    let (why, _) = why(Way::Other).await;
    assert_eq!(why[0].0, "calls", "{why:?}");
    let retries = why.iter().find(|(factor, _)| factor == "retries");
    assert!(retries.is_some_and(|(_, usd)| usd.abs() < 1e-9), "{why:?}");
}
