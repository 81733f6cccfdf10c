//! What people ask in a terminal: traces, one trace, logs, functions.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::process::{BINARY, Ended, PATIENCE, Process, run, run_with};

const MILLI: u64 = 1_000_000;
const TRACE: &str = "000000000000000000000000000000a1";

#[tokio::test(flavor = "multi_thread")]
async fn one_action_is_found_and_told() {
    let directory = tempfile::tempdir().unwrap();
    let server = Process::serve(directory.path(), &[]);
    let at = server.http();
    // Options go before words.
    let ask = |arguments: &[&str]| {
        let (command, rest) = arguments.split_at(1);
        run(&[command, &["--server", &at], rest].concat())
    };
    told(&ask(&["traces"]), "", "no trace is like this");
    told(&ask(&["functions"]), "", "no function was called within 1h");
    let nothing = ask(&["investigate", "what", "was slow"]);
    assert_eq!(nothing.code, Some(1), "{}", nothing.stderr);
    assert!(
        nothing.stdout.starts_with("nothing found: "),
        "{}",
        nothing.stdout
    );
    send(&server).await;
    let as_json = ask(&["investigate", "--json", "--node", "function:mail"]);
    let as_json: Value = serde_json::from_str(&as_json.stdout).unwrap();
    assert_eq!(as_json["node"], "function:mail");
    assert_eq!(as_json["state"], "nothing_found");

    let traces = ask(&[
        "traces",
        "--status",
        "error",
        "--function",
        "mail",
        "--since",
        "1h",
    ]);
    told(&traces, "", "1 trace; throughline trace ID shows one");
    assert!(
        traces.stdout.starts_with("STARTED") && !traces.stdout.contains('\x1b'),
        "{}",
        traces.stdout
    );
    assert!(traces.stdout.contains("✗ mail\n"), "{}", traces.stdout);
    let as_json = ask(&["traces", "--attribute", "order.id=ord-7", "--json"]);
    let as_json: Value = serde_json::from_str(&as_json.stdout).unwrap();
    assert_eq!(as_json["traces"][0]["trace_id"], TRACE);

    // By the order's number, in both traces, with the queue between them.
    let trace = ask(&["trace", "ord-7"]);
    for expected in [
        "✗ orders POST /orders\n",
        "3 steps across 2 functions",
        "joined, failed in mail.",
        "(found by the attribute order.id)",
        "queue mails  waited there",
        "└─ mail  FAILED  joined",
        "✗ MailboxFull: u-1 has no room at mail/send.py:42",
    ] {
        told(&trace, expected, "");
    }
    assert!(
        !trace.stdout.contains("has been packed"),
        "{}",
        trace.stdout
    );
    told(
        &ask(&["trace", TRACE, "--logs"]),
        "INFO    orders parcel PX-7 has been packed",
        "",
    );
    let as_json = ask(&["trace", TRACE, "--json"]);
    let as_json: Value = serde_json::from_str(&as_json.stdout).unwrap();
    assert_eq!(
        as_json,
        server.json(&format!("/api/v1/traces/{TRACE}")).await
    );
    let nothing = ask(&["trace", "ord-8"]);
    assert_eq!(nothing.code, Some(1), "{}", nothing.stderr);
    assert!(
        nothing.stderr.contains("`throughline traces` lists"),
        "{}",
        nothing.stderr
    );

    let logs = ask(&["logs", "--min-severity", "info", "PX-7", "-lost"]);
    told(
        &logs,
        " INFO  orders parcel PX-7 has been packed\n",
        "1 log record",
    );
    let functions = ask(&["functions", "--since", "15m"]);
    told(
        &functions,
        "",
        "2 functions within 15m: 2 calls, 1 failed, $0.250 estimated of 1 report",
    );
    told(&functions, "mail", "");
    let as_json = ask(&["functions", "--json"]);
    let as_json: Value = serde_json::from_str(&as_json.stdout).unwrap();
    let mail = &as_json["functions"][0];
    let counts =
        ["calls", "errors", "cold_starts", "cost_reports"].map(|count| mail[count].as_u64());
    assert_eq!(counts, [Some(1), Some(1), Some(0), Some(0)], "{mail}");
    let took = mail["p50_ms"].as_f64().unwrap();
    assert!(
        (took - 300.0).abs() < 4.0 && mail["cost_usd"].is_null(),
        "{mail}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn logs_go_on_with_what_arrives_and_say_nothing_twice() {
    let directory = tempfile::tempdir().unwrap();
    let server = Process::serve(directory.path(), &[]);
    for number in 1..=3 {
        log(&server, &format!("line {number}")).await;
    }
    let mut command = Command::new(BINARY);
    command.args([
        "logs",
        "--follow",
        "--limit",
        "2",
        "--server",
        &server.http(),
        "line",
    ]);
    let mut following = command.stdout(Stdio::piped()).spawn().unwrap();
    let stdout = BufReader::new(following.stdout.take().unwrap());
    let (read, lines) = mpsc::channel();
    thread::spawn(move || {
        for line in stdout.lines().map_while(Result::ok) {
            let _ = read.send(line);
        }
    });
    let next = || {
        let line = lines.recv_timeout(PATIENCE).expect("a line comes");
        line.split_once("orders ")
            .expect("its service")
            .1
            .to_owned()
    };
    assert_eq!(
        [next(), next()],
        ["line 2", "line 3"],
        "the newest is the last"
    );
    log(&server, "line 4").await;
    assert_eq!(next(), "line 4");
    following.kill().unwrap();
    following.wait().unwrap();
}

#[test]
fn who_cannot_be_asked_is_said_with_what_to_do() {
    let directory = tempfile::tempdir().unwrap();
    let server = Process::serve(directory.path(), &["--api-key", "s3cret"]);
    let at = server.http();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let nobody = listener.local_addr().unwrap().to_string();
    drop(listener);
    let commands: [&[&str]; 6] = [
        &["traces"],
        &["trace", "x"],
        &["logs"],
        &["logs", "--follow"],
        &["tail"],
        &["functions"],
    ];
    for command in commands {
        let without = run(&[command, &["--server", &at]].concat());
        failed(
            &without,
            "put the one that it was started with into THROUGHLINE_API_KEY",
        );
        let wrong = [command, &["--server", &at]].concat();
        let wrong = run_with(&wrong, ("THROUGHLINE_API_KEY", "other"));
        failed(&wrong, "does not take this key");
        let absent = run(&[command, &["--server", &nobody]].concat());
        failed(
            &absent,
            "start one with `throughline serve`, or say where it is with --server",
        );
        let elsewhere = server.otlp_http().to_string();
        let elsewhere = run(&[command, &["--server", &elsewhere]].concat());
        failed(&elsewhere, "is it the address of a server's page");
    }
    let right = ["traces", "--server", &at];
    let right = run_with(&right, ("THROUGHLINE_API_KEY", "s3cret"));
    assert_eq!(right.code, Some(0), "{}", right.stderr);
}

pub(crate) fn told(ended: &Ended, stdout: &str, stderr: &str) {
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(ended.stdout.contains(stdout), "{stdout}: {}", ended.stdout);
    assert!(ended.stderr.contains(stderr), "{stderr}: {}", ended.stderr);
}

fn failed(ended: &Ended, stderr: &str) {
    assert_eq!(ended.code, Some(2), "{}", ended.stderr);
    assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
    assert!(ended.stderr.contains(stderr), "{stderr}: {}", ended.stderr);
}

/// An order of just now, the mail about it in a trace of its own, and what it logged and cost.
async fn send(server: &Process) {
    let begin = now() - 60_000 * MILLI;
    let list = |values: &[&str]| {
        let values: Vec<Value> = values
            .iter()
            .map(|value| json!({"stringValue": value}))
            .collect();
        json!({"arrayValue": {"values": values}})
    };
    let order = span(
        1,
        "a1",
        0,
        "POST /orders",
        (begin, 200),
        &[
            ("throughline.phase", json!({"stringValue": "invoke"})),
            ("order.id", json!({"stringValue": "ord-7"})),
        ],
    );
    let mut publish = span(
        2,
        "a1",
        1,
        "SQS send",
        (begin + 130 * MILLI, 20),
        &[("throughline.link.out", list(&["sqs:m-7"]))],
    );
    publish["kind"] = json!(4);
    let path = format!("queue:mails@{}#sqs:m-7", (begin + 150 * MILLI) / MILLI);
    let mut mail = span(
        3,
        "a2",
        0,
        "mail",
        (begin + 700 * MILLI, 300),
        &[
            ("throughline.phase", json!({"stringValue": "invoke"})),
            ("throughline.link.in", list(&["sqs:m-7"])),
            ("throughline.in.path", list(&[&path])),
        ],
    );
    mail["status"] = json!({"code": 2});
    mail["events"] = json!([{"timeUnixNano": begin.to_string(), "name": "exception", "attributes": [
        {"key": "exception.type", "value": {"stringValue": "MailboxFull"}},
        {"key": "exception.message", "value": {"stringValue": "u-1 has no room\nfor more"}},
        {"key": "code.file.path", "value": {"stringValue": "mail/send.py"}},
        {"key": "code.line.number", "value": {"intValue": "42"}},
    ]}]);
    let of = |function: &str, spans: Value| json!({"resource": resource(function), "scopeSpans": [{"spans": spans}]});
    let spans = json!({"resourceSpans": [of("orders", json!([order, publish])), of("mail", json!([mail]))]});
    server.post_json("/v1/traces", &spans).await;
    let record = |body: &str, attributes: Value| {
        json!({"timeUnixNano": (begin + 50 * MILLI).to_string(),
        "severityNumber": 9, "traceId": TRACE, "spanId": format!("{:016x}", 1),
        "body": {"stringValue": body}, "attributes": attributes})
    };
    let cost = json!([{"key": "throughline.cost.usd", "value": {"doubleValue": 0.25}}]);
    let records = [
        record("parcel PX-7 has been packed", json!([])),
        record("REPORT", cost),
    ];
    let logs = json!({"resourceLogs": [{"resource": resource("orders"), "scopeLogs": [{"logRecords": records}]}]});
    server.post_json("/v1/logs", &logs).await;
}

async fn log(server: &Process, body: &str) {
    let record = json!({"timeUnixNano": now().to_string(), "body": {"stringValue": body}});
    let logs = json!({"resourceLogs": [{"resource": resource("orders"), "scopeLogs": [{"logRecords": [record]}]}]});
    server.post_json("/v1/logs", &logs).await;
}

pub(crate) fn resource(function: &str) -> Value {
    json!({"attributes": [
        {"key": "service.name", "value": {"stringValue": function}},
        {"key": "faas.name", "value": {"stringValue": function}},
    ]})
}

pub(crate) fn span(
    id: u64,
    trace: &str,
    parent: u64,
    name: &str,
    (start, millis): (u64, u64),
    attributes: &[(&str, Value)],
) -> Value {
    let attributes: Vec<Value> = attributes
        .iter()
        .map(|(key, value)| json!({"key": key, "value": value}))
        .collect();
    let parent = match parent {
        0 => String::new(),
        parent => format!("{parent:016x}"),
    };
    json!({"traceId": format!("{trace:0>32}"), "spanId": format!("{id:016x}"), "parentSpanId": parent, "name": name,
        "kind": 2, "startTimeUnixNano": start.to_string(), "endTimeUnixNano": (start + millis * MILLI).to_string(),
        "attributes": attributes})
}

#[allow(clippy::disallowed_methods)] // what is asked for is of the last hour
pub(crate) fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let since = since.expect("the clock is past 1970");
    u64::try_from(since.as_nanos()).expect("until 2554")
}
