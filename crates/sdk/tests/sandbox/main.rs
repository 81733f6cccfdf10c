//! A function with the SDK in the sandbox, beside the real extension: what arrives at the server, and what the caller
//! sees of it, which is nothing.
//!
//! This program is two things: the tests, and, started by a sandbox that they run, the function.

#![allow(clippy::unwrap_used)] // in the helpers of tests too a panic is the message
#![allow(clippy::disallowed_methods)] // how a program finds out which of the two it is

mod attribute;
mod calls;
mod function;
#[path = "../../../sources/tests/story/moto.rs"]
mod moto;
mod stage;
mod told;

use std::process::ExitCode;

use serde_json::{Value, json};
use stage::{Call, Stage};
use throughline_telemetry::{Span, SpanKind, SpanStatus, Value as Told};

fn main() -> ExitCode {
    if std::env::var_os("AWS_LAMBDA_RUNTIME_API").is_some() {
        return match std::env::var(stage::FUNCTION).as_deref() {
            Ok("calls") => ExitCode::from(u8::from(calls::main().is_err())),
            Ok("attribute") => ExitCode::from(u8::from(attribute::main().is_err())),
            _ => function::play(),
        };
    }
    // The test runs without the usual harness, but is named and chosen like any other.
    let mut arguments = std::env::args().skip(1);
    if arguments.any(|argument| {
        argument == "--list" || !argument.starts_with('-') && !NAME.contains(&argument)
    }) {
        println!("{NAME}: test\n");
        return ExitCode::SUCCESS;
    }
    println!("\nrunning 1 test");
    tokio::runtime::Runtime::new().unwrap().block_on(run());
    println!("test {NAME} ... ok\n\ntest result: ok. 1 passed; 0 failed; 0 ignored");
    ExitCode::SUCCESS
}

async fn run() {
    let with = Stage::play("shop", "on", events()).await;
    let without = Stage::play("shop", "off", events()).await;
    for (with, without) in with.calls.iter().zip(&without.calls) {
        assert_eq!(with.answer, without.answer, "answer to {}", with.event);
        assert_eq!(with.lines, without.lines, "lines of {}", with.event);
    }
    order_is_one_trace(&with, &with.calls[0]);
    error_is_told(&with, &with.calls[1]);
    panic_is_told(&with, &with.calls[2]);
    event_that_cannot_be_read_is_told(&with, &with.calls[3]);
    records_have_spans_of_their_own(&with, &with.calls[4]);
    tracing_is_told(&with, &with.calls[5]);
    timeout_tells_what_was_open(&with, &with.calls[6]);
    let cups = || vec![json!({"cups": 2}), json!({})];
    let with = Stage::play("attribute", "on", cups()).await;
    let without = Stage::play("attribute", "off", cups()).await;
    main_is_made_by_the_attribute(&with, &without);
    if moto::moto().is_some() {
        let sent = Stage::play("shop", "on", vec![json!({"do": "send"})]).await;
        message_carries_the_span_that_sent_it(&sent, &sent.calls[0]);
        told::check().await;
    }
}

fn order_is_one_trace(stage: &Stage, call: &Call) {
    let (platform, ours) = stage.pair(call);
    assert_eq!(platform.trace_id.to_string(), stage::TRACE);
    assert_eq!(platform.parent_id.unwrap().to_string(), stage::PARENT);
    assert_eq!(ours.parent_id, Some(platform.span_id));
    // The platform's is the server's span, so that an invocation counts once.
    assert_eq!(
        (platform.kind, ours.kind),
        (SpanKind::Server, SpanKind::Internal)
    );
    assert_eq!(ours.resource.service(), "shop");
    assert_eq!(ours.scope.name, "throughline.rust");
    let text = |key: &str| ours.attributes.text(key).unwrap();
    assert_eq!(text("throughline.trigger.type"), "sqs");
    assert_eq!(
        ours.attributes.get("faas.coldstart"),
        Some(&Told::Bool(true))
    );
    let list = |key: &str| ours.attributes.get(key).unwrap().to_text();
    let lam = format!("lam:{}", call.request_id);
    assert_eq!(
        list("throughline.link.in"),
        json!([lam, "sqs:m1"]).to_string()
    );
    assert_eq!(
        list("throughline.in.path"),
        json!(["queue:orders@1795219200123#sqs:m1"]).to_string()
    );
    assert_eq!(ours.links.len(), 1);
    assert_eq!(
        ours.attributes.get("throughline.batch.failures"),
        Some(&Told::Int(1))
    );
    assert_eq!(ours.attributes.get("order"), Some(&Told::Int(7)));
    assert!(ours.attributes.get("throughline.payload.request").is_some());
    // Work that is spawned belongs to the invocation as a whole.
    let charge = stage.span("charge the card");
    assert_eq!(charge.parent_id, Some(ours.span_id));
    assert_eq!(charge.attributes.text("card"), Some("visa"));
    assert_eq!(stage.span("spawned").parent_id, Some(ours.span_id));
}

fn error_is_told(stage: &Stage, call: &Call) {
    let (_, ours) = stage.pair(call);
    assert_eq!(ours.status, SpanStatus::Error);
    assert_eq!(ours.status_message, "payment failed");
    assert_eq!(ours.attributes.text("error.type"), Some("Payment"));
    assert_eq!(
        ours.attributes.get("faas.coldstart"),
        Some(&Told::Bool(false))
    );
    assert_eq!(
        exception(ours).text("exception.stacktrace"),
        Some("Payment: payment failed\nCaused by: ParseIntError: invalid digit found in string")
    );
    assert_eq!(call.answer["errorMessage"], "payment failed");
}

fn panic_is_told(stage: &Stage, call: &Call) {
    let (_, ours) = stage.pair(call);
    let told = exception(ours);
    assert_eq!(told.text("exception.type"), Some("panic"));
    assert_eq!(told.text("exception.message"), Some("no such order: 9"));
    let file = told.text("code.file.path").unwrap();
    assert!(file.ends_with("tests/sandbox/function.rs"), "{file}");
    let stack = told.text("exception.stacktrace").unwrap();
    let function = told.text("code.function.name").unwrap_or_default();
    assert!(function.contains("look_up"), "{function} in {stack}");
    assert!(
        stack.contains("look_up") && !stack.contains("panicking"),
        "{stack}"
    );
    assert_eq!(
        call.answer["errorMessage"],
        "Lambda panicked: no such order: 9"
    );
}

fn event_that_cannot_be_read_is_told(stage: &Stage, call: &Call) {
    let (_, ours) = stage.pair(call);
    assert_eq!(ours.attributes.text("error.type"), Some("Deserialize"));
}

fn records_have_spans_of_their_own(stage: &Stage, call: &Call) {
    let (_, ours) = stage.pair(call);
    let failed = json!({"batchItemFailures": [{"itemIdentifier": "m2"}, {"itemIdentifier": "m3"}]});
    assert_eq!(call.answer, failed);
    let spans = stage.spans("process orders");
    let seen = spans.iter().map(|span| {
        assert_eq!(
            (span.kind, span.parent_id),
            (SpanKind::Consumer, Some(ours.span_id))
        );
        assert_eq!(span.links[0].span_id.to_string(), stage::PARENT);
        let text = |key: &str| span.attributes.text(key).unwrap_or("-").to_owned();
        format!("{} {}", text("messaging.message.id"), text("error.type"))
    });
    let mut seen: Vec<_> = seen.collect();
    seen.sort_unstable();
    assert_eq!(
        seen,
        [
            "m1 -",
            "m2 core::num::error::ParseIntError",
            "m3 panic",
            "m4 -"
        ]
    );
}

fn tracing_is_told(stage: &Stage, call: &Call) {
    let (_, ours) = stage.pair(call);
    let traced = stage.span("traced");
    assert_eq!(traced.parent_id, Some(ours.span_id));
    assert_eq!(traced.attributes.get("customer"), Some(&Told::Int(7)));
    assert_eq!(traced.attributes.text("said"), Some("yes"));
    assert_eq!(
        (traced.status, traced.attributes.text("error.type")),
        (SpanStatus::Error, Some("Payment"))
    );
    let events: Vec<_> = traced
        .events
        .iter()
        .map(|event| event.name.as_str())
        .collect();
    assert_eq!(events, ["cart is full", "exception", "not paid"]);
    assert_eq!(
        traced.events[0].attributes.get("items"),
        Some(&Told::Int(2))
    );
    assert_eq!(stage.span("below it").parent_id, Some(traced.span_id));
    assert_eq!(ours.events[0].name, "after it");
}

fn message_carries_the_span_that_sent_it(stage: &Stage, call: &Call) {
    let (_, ours) = stage.pair(call);
    let sends = stage.spans("SQS.SendMessage");
    let (failed, sent): (Vec<&Span>, Vec<&Span>) = sends
        .iter()
        .partition(|span| span.status == SpanStatus::Error);
    let sent = sent[0];
    assert_eq!(
        (sent.kind, sent.parent_id),
        (SpanKind::Producer, Some(ours.span_id))
    );
    let trace = sent.trace_id.to_string();
    let header = format!(
        "Root=1-{}-{};Parent={}",
        &trace[..8],
        &trace[8..],
        sent.span_id
    );
    let seen = call.answer["header"].as_str().unwrap();
    assert!(seen.starts_with(&header), "{seen} {header}");
    let text = |key: &str| sent.attributes.get(key).unwrap().to_text();
    let id = call.answer["id"].as_str().unwrap();
    assert!(text("throughline.link.out").contains(&format!("sqs:{id}")));
    assert_eq!(
        (text("messaging.destination.name"), text("rpc.method")),
        ("orders".to_owned(), "SendMessage".to_owned())
    );
    assert_eq!(
        (text("cloud.region"), text("http.response.status_code")),
        ("us-east-1".to_owned(), "200".to_owned())
    );
    let error = failed[0].attributes.text("error.type").unwrap();
    assert!(
        error.contains("NonExistentQueue") || error.contains("QueueDoesNotExist"),
        "{error}"
    );
    assert_eq!(stage.span("SQS.ReceiveMessage").kind, SpanKind::Client);
}

fn main_is_made_by_the_attribute(with: &Stage, without: &Stage) {
    let answers = |stage: &Stage| stage.calls.iter().map(|call| call.answer.clone()).collect();
    let (seen, plain): (Vec<Value>, Vec<Value>) = (answers(with), answers(without));
    assert_eq!(seen, plain);
    assert_eq!(seen[0], json!({"shop": "tea", "cups": 2}));
    assert_eq!(seen[1]["errorMessage"], "how many");
    let (_, ours) = with.pair(&with.calls[0]);
    assert_eq!(
        (
            ours.events[0].name.as_str(),
            ours.events[0].attributes.text("shop")
        ),
        ("open", Some("tea"))
    );
    assert_eq!(with.spans("sell")[0].parent_id, Some(ours.span_id));
    let (_, ours) = with.pair(&with.calls[1]);
    assert_eq!(
        (ours.status, ours.status_message.as_str()),
        (SpanStatus::Error, "how many")
    );
    assert!(without.spans("sell").is_empty());
}

fn timeout_tells_what_was_open(stage: &Stage, call: &Call) {
    let (_, ours) = stage.pair(call);
    let unfinished = |span: &Span| span.attributes.get("throughline.unfinished").is_some();
    let waits = stage.span("waits for ever");
    assert!(unfinished(ours) && unfinished(waits));
    assert_eq!(waits.parent_id, Some(ours.span_id));
}

fn exception(span: &Span) -> &throughline_telemetry::Attributes {
    let mut events = span.events.iter();
    let event = events.find(|event| event.name == "exception");
    &event.unwrap().attributes
}

fn events() -> Vec<Value> {
    let header = format!(
        "Root=1-{}-{};Parent={};Sampled=1",
        &stage::TRACE[..8],
        &stage::TRACE[8..],
        stage::PARENT
    );
    let of = |id: &str, body: &str| {
        json!({
            "messageId": id, "body": body, "eventSource": "aws:sqs", "eventSourceARN": "arn:aws:sqs:us-east-1:1:orders",
            "attributes": {"AWSTraceHeader": header, "SentTimestamp": "1795219200123"},
        })
    };
    let record = of("m1", "{}");
    vec![
        json!({"Records": [record], "do": "order"}),
        json!({"do": "fail"}),
        json!({"do": "panic"}),
        json!({"do": "what nobody can"}),
        json!({"Records": [of("m1", "7"), of("m2", "x"), of("m3", "0"), of("m4", "8")], "do": "records"}),
        json!({"do": "trace"}),
        json!({"do": "wait"}),
    ]
}

const NAME: &str = "function_is_followed_and_sees_nothing_of_it";
