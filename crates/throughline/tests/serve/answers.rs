//! What people ask in a terminal of a server that runs: who depends on whom, and which memory a function should have.

use serde_json::{Value, json};

use crate::process::{Ended, Process, run};
use crate::reads::{now, resource, span, told};

const MILLI: u64 = 1_000_000;

fn ask(server: &Process, arguments: &[&str]) -> Ended {
    let at = server.http();
    // Options go before words.
    let (command, rest) = arguments.split_at(1);
    run(&[command, &["--server", &at], rest].concat())
}

fn text(value: &str) -> Value {
    json!({"stringValue": value})
}

/// `order` calls `pay` three times, which reads the table `stock`, once in vain.
async fn send_calls(server: &Process) {
    let begin = now() - 120_000 * MILLI;
    let (mut orders, mut pays) = (Vec::new(), Vec::new());
    for number in 0..3 {
        let trace = format!("b{number}");
        let at = |millis: u64| begin + (number * 1000 + millis) * MILLI;
        let order = span(1, &trace, 0, "order", (at(0), 90), &[]);
        let mut invoke = span(2, &trace, 1, "Invoke", (at(5), 80), &[]);
        let pay = span(3, &trace, 2, "pay", (at(10), 70), &[]);
        let mut get = span(
            4,
            &trace,
            3,
            "GetItem",
            (at(15), 40),
            &[
                ("db.system.name", text("aws.dynamodb")),
                ("db.collection.name", text("stock")),
                ("db.operation.name", text("GetItem")),
            ],
        );
        invoke["kind"] = json!(3);
        get["kind"] = json!(3);
        if number == 0 {
            get["status"] = json!({"code": 2});
        }
        orders.extend([order, invoke]);
        pays.extend([pay, get]);
    }
    let of = |function: &str, spans: Vec<Value>| json!({"resource": resource(function), "scopeSpans": [{"spans": spans}]});
    let spans = json!({"resourceSpans": [of("order", orders), of("pay", pays)]});
    server.post_json("/v1/traces", &spans).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_depends_on_whom_is_asked_in_cypher() {
    let directory = tempfile::tempdir().unwrap();
    let server = Process::serve(directory.path(), &[]);
    send_calls(&server).await;
    let reads = "MATCH (f:Function)-[c]->(t:Table) RETURN f.name, t.name, c.calls, c.errors";
    let found = ask(&server, &["graph", reads]);
    told(&found, "", "1 row from 3 nodes and ");
    let lines = found.stdout.lines();
    let words: Vec<Vec<&str>> = lines.map(|it| it.split_whitespace().collect()).collect();
    assert_eq!(
        words,
        [
            ["f.name", "t.name", "c.calls", "c.errors"],
            ["pay", "stock", "3", "1"]
        ],
        "{}",
        found.stdout
    );
    let as_csv = ask(&server, &["graph", "--format", "csv", reads]);
    told(&as_csv, "", "1 row from ");
    assert_eq!(
        as_csv.stdout,
        "f.name,t.name,c.calls,c.errors\npay,stock,3,1\n"
    );
    let behind = "MATCH (t:Table {name: 'stock'})<-[:CALLS*1..3]-(f) RETURN f.name ORDER BY f.name";
    let as_json = ask(&server, &["graph", "--format", "json", behind]);
    told(&as_json, "", "");
    let as_json: Value = serde_json::from_str(&as_json.stdout).unwrap();
    assert_eq!(as_json["rows"], json!([["order"], ["pay"]]), "{as_json:#}");

    // What nobody asks for is no error, and a mistake is shown where it is.
    let nothing = "MATCH (q:Queue) RETURN q.name";
    let nothing = ask(&server, &["graph", nothing]);
    told(&nothing, "", "0 rows from ");
    assert_eq!(nothing.stdout, "");
    let wrong = ask(&server, &["graph", "MATCH (f) RETURN f.latency"]);
    assert_eq!(wrong.code, Some(2), "{}", wrong.stderr);
    let why = "throughline: there is no property `latency`";
    assert!(wrong.stderr.starts_with(why), "{}", wrong.stderr);
    assert!(wrong.stderr.ends_with("^\n"), "{}", wrong.stderr);

    // The questions that are asked often can be asked as they are.
    let shown = ask(&server, &["graph", "--questions"]);
    told(&shown, "MATCH ", "");
    let questions = ask(&server, &["graph", "--questions", "--format", "json"]);
    let questions: Value = serde_json::from_str(&questions.stdout).unwrap();
    let questions = questions.as_array().expect("a list");
    assert!(questions.len() > 3, "{questions:#?}");
    for question in questions {
        let query = question["query"].as_str().expect("a query");
        assert!(shown.stdout.contains(query), "{}", shown.stdout);
        told(&ask(&server, &["graph", query]), "", " from ");
    }
}

/// Two hundred invocations of `resize`, which work 200 ms with a quarter of a processor.
async fn send_runs(server: &Process) {
    let begin = now() - 600_000 * MILLI;
    let (mut spans, mut reports) = (Vec::new(), Vec::new());
    for number in 0..200 {
        let (start, id) = (begin + number * 1000 * MILLI, format!("request-{number}"));
        let run = [
            ("throughline.phase", text("invoke")),
            ("faas.invocation_id", text(&id)),
            ("throughline.cpu.user_ms", json!({"doubleValue": 200.0})),
            ("throughline.cpu.system_ms", json!({"doubleValue": 0.0})),
            (
                "throughline.duration.timeout_ms",
                json!({"intValue": "900000"}),
            ),
        ];
        let trace = format!("c{number:04}");
        spans.push(span(1, &trace, 0, "resize", (start, 795), &run));
        reports.push(json!({
        "timeUnixNano": (start + 795 * MILLI).to_string(), "severityNumber": 9,
        "body": {"stringValue": "REPORT"}, "eventName": "platform.report",
        "attributes": [
            {"key": "faas.invocation_id", "value": text(&id)},
            {"key": "throughline.duration.total_ms", "value": {"doubleValue": 795.0}},
            {"key": "throughline.memory.size_mb", "value": {"intValue": "442"}},
            {"key": "throughline.memory.max_used_mb", "value": {"intValue": "90"}},
        ]}));
    }
    let mut from = resource("resize");
    let attributes = from["attributes"].as_array_mut().expect("a list");
    for (key, value) in [("cloud.region", "eu-west-1"), ("host.arch", "amd64")] {
        attributes.push(json!({"key": key, "value": text(value)}));
    }
    let spans = json!({"resourceSpans": [{"resource": from, "scopeSpans": [{"spans": spans}]}]});
    server.post_json("/v1/traces", &spans).await;
    let logs =
        json!({"resourceLogs": [{"resource": from, "scopeLogs": [{"logRecords": reports}]}]});
    server.post_json("/v1/logs", &logs).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn which_memory_a_function_should_have_is_told() {
    let directory = tempfile::tempdir().unwrap();
    let server = Process::serve(directory.path(), &[]);
    send_runs(&server).await;
    let advice = ask(&server, &["advice", "resize"]);
    let page = format!(
        "· apply it: http://{}/functions/resize#memory\n",
        server.http()
    );
    for expected in [
        "resize can run ",
        "442 MB",
        " now",
        "recommended",
        "from 200 invocations: 200 ms at work",
        "90 MB used at most; prices of eu-west-1",
        page.as_str(),
    ] {
        told(&advice, expected, "");
    }
    let as_json = ask(&server, &["advice", "--json", "resize"]);
    told(&as_json, "", "");
    let as_json: Value = serde_json::from_str(&as_json.stdout).unwrap();
    assert_eq!(as_json["advice"]["now"]["memory_mb"], 442, "{as_json:#}");
    let best = &as_json["advice"]["recommendation"]["point"]["memory_mb"];
    assert!(best.as_u64().expect("a size") > 442, "{as_json:#}");

    // Nothing can be said of whom nobody has called, nor of this one before it was called.
    for arguments in [
        &["advice", "nobody"][..],
        &["advice", "--since", "1s", "resize"][..],
    ] {
        let unknown = ask(&server, arguments);
        assert_eq!(unknown.code, Some(2), "{}", unknown.stderr);
        let name = arguments[arguments.len() - 1];
        let begin = format!("{name} · ");
        assert!(unknown.stdout.starts_with(&begin), "{}", unknown.stdout);
    }
}
