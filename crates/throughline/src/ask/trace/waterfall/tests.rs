use expect_test::{Expect, expect};
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::{header, logs};
use super::*;

const MILLI: u64 = 1_000_000;
const BEGIN: u64 = 1_795_228_800_000_000_000;

/// A span: depth, service, name, from and to in milliseconds; and what else there is to say of it.
fn span(depth: u64, service: &str, name: &str, at: (u64, u64), more: Value) -> Value {
    let mut span = json!({
        "trace_id": "aa", "span_id": format!("{service}/{name}"), "parent_span_id": (depth > 0).then_some("p"),
        "parent_missing": false, "depth": depth, "name": name, "kind": "internal",
        "start_unix_nanos": (BEGIN + at.0 * MILLI).to_string(),
        "duration_nanos": ((at.1 - at.0) * MILLI).to_string(), "status": "unset", "status_message": "",
        "service": service, "resource": 0, "scope": {"name": "", "version": ""}, "attributes": {}, "events": [],
        "links": [], "sent_parent_span_id": null, "join": null, "inferred": false, "attempt": null, "cost": null,
    });
    merge(&mut span, more);
    span
}

fn merge(into: &mut Value, more: Value) {
    if let (Some(into), Value::Object(more)) = (into.as_object_mut(), more) {
        into.extend(more);
    }
}

fn log(at: u64, severity: u64, service: &str, body: Value, more: Value) -> Value {
    let mut log = json!({"time_unix_nanos": (BEGIN + at * MILLI).to_string(), "severity_number": severity,
        "severity_text": "", "body": body, "trace_id": null, "span_id": null, "service": service,
        "scope": {"name": "", "version": ""}, "attributes": {}, "event_name": ""});
    merge(&mut log, more);
    log
}

/// An order that waits in a queue, and whose mail fails at the second attempt.
fn order() -> Value {
    let invocation = |usd: f64, cold: bool, request: &str| {
        json!({
        "attributes": {"throughline.phase": "invoke", "faas.coldstart": cold, "faas.invocation_id": request},
        "cost": {"usd": usd, "with_all_below": {"usd": usd, "reported": 1, "missing": 0}}})
    };
    let join = |how: &str| json!({"from": {}, "to": {}, "how": how, "key": "sqs:m-1"});
    let thrown = json!({"exception.type": "MailboxFull", "exception.message": "u-1 has no room\nfor more",
        "code.file.path": "/var/task/mail/send.py", "code.line.number": 42, "code.function.name": "deliver"});
    let mut mail = invocation(0.000_002, false, "r-2");
    merge(
        &mut mail,
        json!({"status": "error", "attempt": 2, "join": join("matched")}),
    );
    let failed = json!({"status": "error", "status_message": "mailbox full",
        "events": [{"time_unix_nanos": "1", "name": "exception", "attributes": thrown}]});
    json!({
        "trace_id": "5b8efff798038103d269b633813fc60c", "root_service": "orders", "root_name": "POST /orders",
        "start_unix_nanos": BEGIN.to_string(), "duration_nanos": (1000 * MILLI).to_string(), "span_count": 7,
        "error_count": 2, "cold_start_count": 1, "status": "error", "resources": [],
        "services": [{"name": "orders", "span_count": 4, "error_count": 0}, {"name": "mail", "span_count": 2, "error_count": 2},
            {"name": "stock", "span_count": 1, "error_count": 0}],
        "spans": [
            span(0, "orders", "POST /orders", (0, 200), invocation(0.000_011, true, "r-1")),
            span(1, "orders", "init", (0, 90), json!({"attributes": {"throughline.phase": "init", "faas.coldstart": true}})),
            span(1, "orders", "read the table of dishes and of what they cost today", (95, 120), json!({})),
            span(1, "orders", "SQS send mails", (130, 150), json!({"kind": "producer"})),
            span(2, "mails", "queue mails", (150, 700), json!({"inferred": true, "attributes":
                {"throughline.hop.kind": "queue", "throughline.hop.name": "mails"}})),
            span(3, "mail", "mail", (700, 1000), mail),
            span(4, "mail", "smtp 注文 send", (800, 990), failed),
            span(1, "stock", "take from the shelves", (260, 300), json!({"join": join("inferred")})),
        ],
        "logs": [
            log(50, 9, "orders", json!("starting"), json!({"attributes": {"faas.invocation_id": "r-1"}})),
            log(140, 13, "orders", json!({"message": "slow queue", "n": 1}), json!({"span_id": "orders/SQS send mails"})),
            log(995, 17, "mail", json!("giving up\nafter two attempts \u{1b}[2J"), json!({"attributes": {"faas.invocation_id": "r-2"}})),
            log(1000, 0, "nobody", Value::Null, json!({"event_name": "platform.report"})),
        ],
        "found_by": {"what": "key", "name": "sqs:m-1"}, "trace_ids": ["a", "b"], "joins": [], "attempts": [],
        "cost": {"usd": 0.000_013, "reported": 2, "missing": 1}, "left_out": {"trace_count": 0, "partial": true},
        "continues": false,
    })
}

fn check(story: &Value, with_logs: bool, columns: usize, expected: &Expect) {
    let story = Story::deserialize(story).unwrap();
    let between = match with_logs {
        true => logs::placed(&story),
        false => Vec::new(),
    };
    let now = UnixNanos(BEGIN + 65_000 * MILLI);
    let paper = (Paint::Plain, columns);
    let text = header::render(&story, now, paper) + "\n" + &render(&story, &between, paper);
    expected.assert_eq(&text);
    for line in text.lines() {
        assert!(width(line) <= columns, "{} columns: {line}", width(line));
    }
}

#[test]
fn a_story_in_80_columns() {
    check(
        &order(),
        false,
        80,
        &expect![[r#"
            ✗ orders POST /orders
            7 steps across 2 functions, 200 ms until the answer, 1.00 s until the end,
            waited 550 ms in services between, 2 traces joined, $0.0000130 and 1 not
            reported, failed in mail. Not all of it is here.
            Where the 200 ms until the answer went: 45 % init in orders, 33 % POST /orders
            in orders, 13 % read the table of dishes and of what they cost today in orders.
            Where the 1.00 s until the end went: 55 % waiting in queue mails, 19 % smtp 注文
            send in mail, 11 % mail itself.
            Spans of orders 4, mail 2 (2 failed), stock 1; 2 errors, 1 cold start, 4 log
            records.
            Trace 5b8efff798038103d269b633813fc60c (found by sqs:m-1), began 2026-11-21
            02:40:00.000 UTC (1 min ago).

                0 ms   200 ms │━━━━               │ orders: POST /orders  cold start
                0 ms  90.0 ms │━━                 │ ├─ init
            +95.0 ms  25.0 ms │  ━                │ ├─ read the table of dishes and of what…
             +130 ms  20.0 ms │  ━                │ ├─ SQS send mails
             +150 ms   550 ms │   ··········      │ │ └─ queue mails  waited there
             +700 ms   300 ms │             ━━━━━━│ │   └─ mail  FAILED  attempt 2  joined
             +800 ms   190 ms │               ━━━━│ │     └─ smtp 注文 send  FAILED
                                ✗ MailboxFull: u-1 has no room at mail/send.py:42 in deliver
             +260 ms  40.0 ms │    ·━             │ └┄ stock: take from the…  waited 60.0 ms
            ··· waiting   └┄ probably goes on from the step above it
        "#]],
    );
}

/// As the demo recorded it; the page says the same of it (`ui/src/features/traces/story.test.ts`).
#[test]
fn an_order_that_waited_for_a_cold_start_behind_an_api() {
    let recorded = include_str!("../../../../../../ui/fixtures/order.json");
    let recorded: Value = serde_json::from_str(recorded).unwrap();
    check(
        &recorded,
        false,
        80,
        &expect![[r#"
        ✗ place-order
        9 steps across 1 function, 5.57 s until the answer, waited 5.44 s in services
        between, $0.0000241, failed in place-order.
        Where the 5.57 s until the answer went: 97 % init in place-order, 2 % runtime
        overhead in place-order, < 1 % DynamoDB.GetItem in place-order, 2 times.
        Spans of place-order 9 (2 failed); 2 errors, 1 cold start, 2 log records.
        Trace 6b02ef4a2a31787d9c614ea48d33fb72, began 2026-11-22 13:34:02.183 UTC (now).

            0 ms   5.44 s │·················· │ api big-mouth  waited there
         +5.44 s   134 ms │                  ━│ └─ place-order  FAILED  cold start
        +11.0 ms   5.43 s │━━━━━━━━━━━━━━━━━━ │   ├─ init
         +5.44 s  33.8 ms │                  ━│   ├─ response latency
         +5.44 s  29.1 ms │                  ━│   ├─ place-order  FAILED
                            ✗ KeyError: 'voucher' at order.py:25 in priced
         +5.44 s  8.98 ms │                  ━│   │ ├─ DynamoDB.GetItem
         +5.45 s  18.9 ms │                  ━│   │ └─ DynamoDB.GetItem
         +5.47 s   174 µs │                  ━│   ├─ response duration
         +5.47 s  99.6 ms │                  ━│   ├─ runtime overhead
         +5.57 s   183 ms │                  ━│   └─ extension overhead
        ··· waiting
    "#]],
    );
}

#[test]
fn a_story_in_160_columns_with_its_logs() {
    check(
        &order(),
        true,
        160,
        &expect![[r#"
            ✗ orders POST /orders
            7 steps across 2 functions, 200 ms until the answer, 1.00 s until the end, waited 550 ms in services between, 2 traces joined, $0.0000130 and 1 not reported,
            failed in mail. Not all of it is here.
            Where the 200 ms until the answer went: 45 % init in orders, 33 % POST /orders in orders, 13 % read the table of dishes and of what they cost today in orders.
            Where the 1.00 s until the end went: 55 % waiting in queue mails, 19 % smtp 注文 send in mail, 11 % mail itself.
            Spans of orders 4, mail 2 (2 failed), stock 1; 2 errors, 1 cold start, 4 log records.
            Trace 5b8efff798038103d269b633813fc60c (found by sqs:m-1), began 2026-11-21 02:40:00.000 UTC (1 min ago).

                0 ms   200 ms │━━━━━━━━━                                     │ orders: POST /orders  cold start  $0.0000110
                0 ms  90.0 ms │━━━━                                          │ ├─ init
            +50.0 ms    INFO    orders starting
            +95.0 ms  25.0 ms │    ━━                                        │ ├─ read the table of dishes and of what they cost today
             +130 ms  20.0 ms │      ━                                       │ ├─ SQS send mails
             +140 ms    WARN    orders slow queue
             +150 ms   550 ms │       ·························              │ │ └─ queue mails  waited there
             +700 ms   300 ms │                                ━━━━━━━━━━━━━━│ │   └─ mail  FAILED  attempt 2  joined  $0.00000200
             +800 ms   190 ms │                                     ━━━━━━━━━│ │     └─ smtp 注文 send  FAILED
                                ✗ MailboxFull: u-1 has no room at mail/send.py:42 in deliver
             +995 ms    ERROR   mail giving up
             +260 ms  40.0 ms │         ···━━                                │ └┄ stock: take from the shelves  waited 60.0 ms  probably
             +1.00 s    -       nobody platform.report
            ··· waiting   └┄ probably goes on from the step above it
        "#]],
    );
}

#[test]
fn logs_in_80_columns() {
    check(
        &order(),
        true,
        80,
        &expect![[r#"
            ✗ orders POST /orders
            7 steps across 2 functions, 200 ms until the answer, 1.00 s until the end,
            waited 550 ms in services between, 2 traces joined, $0.0000130 and 1 not
            reported, failed in mail. Not all of it is here.
            Where the 200 ms until the answer went: 45 % init in orders, 33 % POST /orders
            in orders, 13 % read the table of dishes and of what they cost today in orders.
            Where the 1.00 s until the end went: 55 % waiting in queue mails, 19 % smtp 注文
            send in mail, 11 % mail itself.
            Spans of orders 4, mail 2 (2 failed), stock 1; 2 errors, 1 cold start, 4 log
            records.
            Trace 5b8efff798038103d269b633813fc60c (found by sqs:m-1), began 2026-11-21
            02:40:00.000 UTC (1 min ago).

                0 ms   200 ms │━━━━               │ orders: POST /orders  cold start
                0 ms  90.0 ms │━━                 │ ├─ init
            +50.0 ms    INFO    orders starting
            +95.0 ms  25.0 ms │  ━                │ ├─ read the table of dishes and of what…
             +130 ms  20.0 ms │  ━                │ ├─ SQS send mails
             +140 ms    WARN    orders slow queue
             +150 ms   550 ms │   ··········      │ │ └─ queue mails  waited there
             +700 ms   300 ms │             ━━━━━━│ │   └─ mail  FAILED  attempt 2  joined
             +800 ms   190 ms │               ━━━━│ │     └─ smtp 注文 send  FAILED
                                ✗ MailboxFull: u-1 has no room at mail/send.py:42 in deliver
             +995 ms    ERROR   mail giving up
             +260 ms  40.0 ms │    ·━             │ └┄ stock: take from the…  waited 60.0 ms
             +1.00 s    -       nobody platform.report
            ··· waiting   └┄ probably goes on from the step above it
        "#]],
    );
}

#[test]
fn only_logs_and_what_came_in_without_its_parent() {
    let mut story = order();
    story["spans"] = json!([]);
    story["services"] = json!([]);
    story["root_name"] = Value::Null;
    story["cost"] = Value::Null;
    check(
        &story,
        true,
        100,
        &expect![[r#"
            ✗ only log records so far
            2 errors, 1 cold start, 4 log records.
            Trace 5b8efff798038103d269b633813fc60c (found by sqs:m-1), began 2026-11-21 02:40:00.000 UTC (1 min
            ago).

            +50.0 ms    INFO    orders starting
             +140 ms    WARN    orders slow queue
             +995 ms    ERROR   mail giving up
             +1.00 s    -       nobody platform.report
        "#]],
    );
    let entry = json!({"parent_span_id": "x", "parent_missing": true, "attributes": {"throughline.phase": "invoke"}});
    let lost = json!({"parent_span_id": "y", "parent_missing": true});
    story["spans"] = json!([
        span(0, "a", "a", (0, 5), entry),
        span(0, "b", "late", (2, 4), lost)
    ]);
    let story = Story::deserialize(&story).unwrap();
    let text = render(&story, &[], (Paint::Plain, 100));
    assert_eq!(text.matches("parent missing").count(), 1, "{text}");
}

#[test]
fn a_chain_without_end_stays_within_its_columns() {
    let mut story = order();
    let chain = (0..200).map(|depth| span(depth, "a", "step", (depth, 300), json!({})));
    story["spans"] = chain.collect();
    let story = Story::deserialize(&story).unwrap();
    let text = render(&story, &[], (Paint::Plain, 80));
    assert!(
        text.lines()
            .all(|line| width(line) <= 80 && line.contains("step")),
        "{text}"
    );
}

#[test]
fn a_failure_is_red_and_a_service_has_its_colour() {
    let story = Story::deserialize(&order()).unwrap();
    let text = render(&story, &[], (Paint::Coloured, 80));
    assert!(text.contains("\x1b[31mFAILED\x1b[0m"), "{text}");
    assert!(
        text.contains("\x1b[31mMailboxFull: u-1 has no room\x1b[0m"),
        "{text}"
    );
    let ink = Paint::Coloured.ink(0, "━");
    assert!(text.contains(ink.split('━').next().unwrap()), "{text}");
}
