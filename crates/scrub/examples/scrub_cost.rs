//! What scrubbing costs: nanoseconds a span and a log line, with and without something to find.
//!
//! `cargo run --release -p throughline-scrub --example scrub_cost` prints a table, medians of 31 rounds. With
//! `count CASE ROUNDS` it only does the work, for `valgrind --tool=callgrind`; of `ROUNDS` 0 it does everything but
//! the work, so that the difference of two runs is what scrubbing took.

#![allow(clippy::disallowed_methods)] // it measures
#![allow(clippy::unwrap_used)]

use std::time::Instant;

use throughline_scrub::{Payloads, Rules, Scrubber};
use throughline_telemetry::Signal;
use throughline_telemetry::wire::Request;

const ITEMS: usize = 100;
const ROUNDS: usize = 31;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => table(),
        ["count", case, rounds] => {
            let case = cases().into_iter().find(|known| known.name == case);
            count(&case.unwrap(), rounds.parse().unwrap());
        }
        _ => {
            eprintln!("usage: bench [count CASE ROUNDS]");
            std::process::exit(2);
        }
    }
}

struct Case {
    name: &'static str,
    what: &'static str,
    rules: Rules,
    request: Request,
}

fn cases() -> Vec<Case> {
    let case = |name, what, request| Case {
        name,
        what,
        rules: Rules::default(),
        request,
    };
    let patterns = Rules::default().pattern("order", r"ORD-\d{6}").unwrap();
    vec![
        case("span", "span, 15 attributes, nothing to find", spans(&[])),
        case(
            "span-found",
            "the same and a card, a token, a header",
            spans(FOUND),
        ),
        case(
            "span-payload",
            "the same and a payload of 1 KB, metadata",
            spans(&[("http.request.body", PAYLOAD)]),
        ),
        Case {
            rules: Rules::default().payloads(Payloads::All),
            ..case(
                "span-payload-all",
                "the same, payloads `all`",
                spans(&[("http.request.body", PAYLOAD)]),
            )
        },
        case(
            "line",
            "log line of 120 bytes, nothing to find",
            lines(LINE),
        ),
        case(
            "line-found",
            "the same and an address and a password",
            lines(LINE_FOUND),
        ),
        case("json", "log line of 400 bytes of JSON", lines(JSON)),
        Case {
            rules: patterns,
            ..case(
                "line-pattern",
                "log line and a pattern of the user's",
                lines(LINE),
            )
        },
    ]
}

fn table() {
    println!("{:<18} {:>10}  what", "case", "ns each");
    for case in cases() {
        let mut rounds: Vec<u128> = (0..ROUNDS).map(|_| round(&case)).collect();
        rounds.sort_unstable();
        println!(
            "{:<18} {:>10}  {}",
            case.name,
            rounds[ROUNDS / 2] / ITEMS as u128,
            case.what
        );
    }
}

fn round(case: &Case) -> u128 {
    let request = case.request.clone();
    let mut scrubber = Scrubber::new(case.rules.clone());
    let begin = Instant::now();
    let scrubbed = scrubber.request(std::hint::black_box(request));
    let took = begin.elapsed().as_nanos();
    std::hint::black_box(scrubbed);
    took
}

fn count(case: &Case, rounds: usize) {
    let mut scrubber = Scrubber::new(case.rules.clone());
    for number in 0..10 {
        let request = case.request.clone();
        if number < rounds {
            std::hint::black_box(scrubber.request(std::hint::black_box(request)));
        } else {
            std::hint::black_box(request);
        }
    }
}

fn spans(more: &[(&str, &str)]) -> Request {
    let attributes = TYPICAL.iter().chain(more).map(|(key, value)| {
        let value = value.replace('\\', "\\\\").replace('"', "\\\"");
        format!(r#"{{"key":"{key}","value":{{"stringValue":"{value}"}}}}"#)
    });
    let numbers = r#"{"key":"http.response.status_code","value":{"intValue":"200"}},{"key":"server.port","value":{"intValue":"443"}}"#;
    let attributes = attributes.collect::<Vec<_>>().join(",");
    let span = format!(
        r#"{{"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174","name":"DynamoDB.PutItem","kind":3,"startTimeUnixNano":"1732160000000000000","endTimeUnixNano":"1732160000012000000","attributes":[{attributes},{numbers}],"status":{{}}}}"#
    );
    let spans = vec![span; ITEMS].join(",");
    let body = format!(
        r#"{{"resourceSpans":[{{"resource":{{}},"scopeSpans":[{{"spans":[{spans}]}}]}}]}}"#
    );
    Request::from_json(Signal::Traces, body.as_bytes()).unwrap()
}

fn lines(line: &str) -> Request {
    let line = line.replace('\\', "\\\\").replace('"', "\\\"");
    let record = format!(
        r#"{{"timeUnixNano":"1732160000000000000","severityText":"INFO","body":{{"stringValue":"{line}"}},"attributes":[{{"key":"faas.invocation_id","value":{{"stringValue":"8f4e1d2c-7a1b-4c6d-9e0f-112233445566"}}}}]}}"#
    );
    let records = vec![record; ITEMS].join(",");
    let body = format!(r#"{{"resourceLogs":[{{"scopeLogs":[{{"logRecords":[{records}]}}]}}]}}"#);
    Request::from_json(Signal::Logs, body.as_bytes()).unwrap()
}

/// What an SDK says of a call to AWS; with the two numbers it is fifteen.
const TYPICAL: &[(&str, &str)] = &[
    ("rpc.system", "aws-api"),
    ("rpc.service", "DynamoDB"),
    ("rpc.method", "PutItem"),
    (
        "aws.request_id",
        "VJ0S8MGEQ4BI4Q1L4D0TJ4ERH7VV4KQNSO5AEMVJF66Q9ASUAAJG",
    ),
    ("cloud.region", "eu-central-1"),
    ("aws.dynamodb.table_names", "orders-production"),
    ("db.system.name", "aws.dynamodb"),
    ("db.operation.name", "PutItem"),
    ("server.address", "dynamodb.eu-central-1.amazonaws.com"),
    ("url.full", "https://dynamodb.eu-central-1.amazonaws.com/"),
    ("http.request.method", "POST"),
    (
        "user_agent.original",
        "aws-sdk-js/3.600.0 ua/2.0 os/linux#5.10 lang/js md/nodejs#20.14.0 api/dynamodb#3.600.0",
    ),
    ("faas.invocation_id", "8f4e1d2c-7a1b-4c6d-9e0f-112233445566"),
];
const FOUND: &[(&str, &str)] = &[
    ("note", "paid with 4111 1111 1111 1111 by ann@example.com"),
    (
        "http.request.header.authorization",
        "Bearer abcdefgh12345678",
    ),
    ("link", "https://ann:hunter2@example.com/?token=abcdefgh"),
];
const LINE: &str = "2026-11-21T05:27:05.123Z 8f4e1d2c-7a1b-4c6d-9e0f-112233445566 INFO stored order 77123 for customer 9912 in 12.5 ms, 3 items";
const LINE_FOUND: &str = "2026-11-21T05:27:05.123Z 8f4e1d2c-7a1b-4c6d-9e0f-112233445566 INFO login of ann@example.com with password=hunter2 took 12.5 ms";
const JSON: &str = r#"{"timestamp":"2026-11-21T05:27:05.123Z","level":"INFO","requestId":"8f4e1d2c-7a1b-4c6d-9e0f-112233445566","message":"order stored","order":{"id":"77123","customer":"9912","total":129.90,"currency":"EUR","items":[{"sku":"A-1001","quantity":2},{"sku":"B-2002","quantity":1}]},"service":"checkout","xray_trace_id":"1-5759e988-bd862e3fe1be46a994272793","cold_start":false,"function_memory_size":256}"#;
const PAYLOAD: &str = r#"{"resource":"/orders","path":"/orders","httpMethod":"POST","headers":{"accept":"application/json","content-type":"application/json","host":"api.example.com","user-agent":"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36","x-amzn-trace-id":"Root=1-5759e988-bd862e3fe1be46a994272793","x-forwarded-port":"443","x-forwarded-proto":"https"},"requestContext":{"accountId":"123456789012","apiId":"abc123","stage":"prod","requestId":"8f4e1d2c-7a1b-4c6d-9e0f-112233445566","identity":{"sourceIp":"10.1.2.3"}},"body":"{\"customer\":\"9912\",\"items\":[{\"sku\":\"A-1001\",\"quantity\":2},{\"sku\":\"B-2002\",\"quantity\":1}],\"address\":{\"street\":\"Main Street 1\",\"city\":\"Berlin\",\"country\":\"DE\"},\"note\":\"please ring twice\"}","isBase64Encoded":false}"#;
