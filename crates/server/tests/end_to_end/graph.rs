//! What calls what, what services do, and what functions cost, over HTTP.

use serde_json::{Value, json};
use throughline_telemetry::{Signal, Span, SpanKind, SpanStatus};

use crate::harness::TestServer;
use crate::openapi::problems;
use crate::samples::{span, traces};

const MINUTE: u64 = 60_000_000_000;

/// The web calls pay twice, once in vain, and pay writes to a table.
async fn shop() -> TestServer {
    let server = TestServer::start().await;
    let going_out = |mut span: Span| {
        span.kind = SpanKind::Client;
        span
    };
    let mut failed = span("pay", 2, 5, 4, 0, 30_000_000);
    failed.status = SpanStatus::Error;
    let mut put = going_out(span("pay", 1, 3, 2, 1, 4_000_001));
    for (key, value) in [
        ("aws.dynamodb.table_names", "payments"),
        ("db.operation.name", "PutItem"),
    ] {
        put.attributes.set(key, value);
    }
    let spans = [
        going_out(span("web", 1, 1, 0, 0, 20_000_000)),
        span("pay", 1, 2, 1, 0, 10_000_000),
        put,
        going_out(span("web", 2, 4, 0, 0, 40_000_000)),
        failed,
    ];
    assert_eq!(
        server
            .post_protobuf(Signal::Traces, traces(&spans))
            .await
            .status,
        200
    );
    server
}

/// Numbers that are known to a percent, without their dust.
fn rounded(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(rounded).collect(),
        Value::Object(fields) => fields
            .iter()
            .map(|(key, value)| match key.as_str() {
                "p50_ms" | "p99_ms" => (
                    key.clone(),
                    json!(value.as_f64().expect("a number").round()),
                ),
                _ => (key.clone(), rounded(value)),
            })
            .collect(),
        _ => value.clone(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_map_has_nodes_and_edges() {
    let server = shop().await;
    let mut map = server.json("/api/v1/edges?from=1&to=2").await;
    let cost = map["cost"].take();
    assert_eq!(
        (&cost["segments"], &cost["rollups"]),
        (&json!(1), &json!(0))
    );
    let expect = json!({
        "from_unix_nanos": "0",
        "to_unix_nanos": MINUTE.to_string(),
        "nodes": [
            {"id": "service:pay", "kind": "service", "name": "pay", "service": null},
            {"id": "service:web", "kind": "service", "name": "web", "service": null},
            {"id": "table:payments", "kind": "table", "name": "payments", "service": null},
        ],
        "edges": [
            {"from": "service:pay", "to": "table:payments", "operation": "PutItem",
             "asynchronous": false, "count": 1, "error_count": 0, "throttle_count": 0,
             "rate": 1.0 / 60.0, "sum_ms": 4.0, "p50_ms": 4.0, "p99_ms": 4.0},
            {"from": "service:web", "to": "service:pay", "operation": "span 2",
             "asynchronous": false, "count": 1, "error_count": 0, "throttle_count": 0,
             "rate": 1.0 / 60.0, "sum_ms": 10.0, "p50_ms": 10.0, "p99_ms": 10.0},
            {"from": "service:web", "to": "service:pay", "operation": "span 5",
             "asynchronous": false, "count": 1, "error_count": 1, "throttle_count": 0,
             "rate": 1.0 / 60.0, "sum_ms": 30.0, "p50_ms": 30.0, "p99_ms": 30.0},
        ],
        "total": 3, "truncated": false, "other_count": 0, "cost": null,
    });
    assert_eq!(rounded(&map), expect, "{map:#}");
    let of_web = server.json("/api/v1/edges?from=0&to=1&service=web").await;
    assert_eq!(of_web["total"], 2);
    let one = server.json("/api/v1/edges?from=0&to=1&limit=1").await;
    assert_eq!(
        (&one["total"], &one["truncated"]),
        (&json!(3), &json!(true))
    );
    assert_eq!(one["nodes"].as_array().unwrap().len(), 2);
    let later = format!("/api/v1/edges?from={MINUTE}&to={}", 2 * MINUTE);
    assert_eq!(server.json(&later).await["edges"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn operations_have_their_sums() {
    let server = shop().await;
    let mut found = server
        .json("/api/v1/operations?service=pay&from=0&to=2")
        .await;
    assert_eq!(found["cost"].take()["segments"], 1);
    let of = |name: &str, kind: &str, errors: u64, millis: f64| {
        json!({"service": "pay", "name": name, "kind": kind, "count": 1, "error_count": errors,
            "cold_start_count": 0, "sum_ms": millis, "p50_ms": millis, "p99_ms": millis})
    };
    let expect = json!({
        "operations": [
            of("span 2", "server", 0, 10.0),
            of("span 3", "client", 0, 4.0),
            of("span 5", "server", 1, 30.0),
        ],
        "total": 3, "truncated": false, "cost": null,
    });
    assert_eq!(rounded(&found), expect, "{found:#}");
    let all = server.json("/api/v1/operations?from=0&to=2&limit=4").await;
    assert_eq!(
        (&all["total"], &all["truncated"]),
        (&json!(5), &json!(true))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn functions_have_their_costs() {
    let server = TestServer::start().await;
    let report = |function: &str, second: u64, usd: f64| {
        let text = |key, value| json!({"key": key, "value": {"stringValue": value}});
        json!({
            "resource": {"attributes": [text("service.name", function), text("faas.name", function)]},
            "scopeLogs": [{"logRecords": [{
                "timeUnixNano": (second * 1_000_000_000).to_string(),
                "body": {"stringValue": "REPORT"},
                "attributes": [{"key": "throughline.cost.usd", "value": {"doubleValue": usd}}],
            }]}],
        })
    };
    let reports = [
        report("a", 61, 0.25),
        report("b", 62, 0.5),
        report("a", 63, 1.5),
    ];
    let body = json!({"resourceLogs": reports}).to_string();
    let as_json = [("content-type", "application/json")];
    assert_eq!(server.post("/v1/logs", &as_json, body).await.status, 200);
    let asked = format!("/api/v1/costs?from={}&to={}", MINUTE + 5, MINUTE + 6);
    let mut found = server.json(&asked).await;
    assert_eq!(found["cost"].take()["segments"], 1);
    let expect = json!({
        "from_unix_nanos": MINUTE.to_string(),
        "to_unix_nanos": (2 * MINUTE).to_string(),
        "functions": [
            {"service": "a", "function": "a", "report_count": 2, "usd": 1.75},
            {"service": "b", "function": "b", "report_count": 1, "usd": 0.5},
        ],
        "usd": 2.25, "total": 2, "truncated": false, "cost": null,
    });
    assert_eq!(found, expect);
    let only = server.json(&format!("{asked}&function=b&limit=1")).await;
    assert_eq!((&only["usd"], &only["total"]), (&json!(0.5), &json!(1)));
    assert_eq!(
        server.json("/api/v1/costs?from=0&to=1").await["functions"],
        json!([])
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_asked_wrongly_is_said() {
    let server = TestServer::start().await;
    for (asked, message) in [
        ("edges?from=2&to=1", "`from` must not be after `to`"),
        ("edges?start=2", "unknown parameter `start`"),
        ("costs?name=x", "unknown parameter `name`"),
        ("operations?limit=0", "`limit` must be a whole number"),
    ] {
        let answer = server.get(&format!("/api/v1/{asked}")).await;
        assert_eq!(answer.status, 400, "{asked}");
        assert!(answer.text().contains(message), "{}", answer.text());
    }
}

/// The rows of a query to the graph of the first minute.
async fn ask(server: &TestServer, query: &str) -> Value {
    let question = json!({"query": query, "from": "0", "to": "1"}).to_string();
    let answer = server.post_api("/api/v1/graph/query", &[], question).await;
    assert_eq!(answer.status, 200, "{}", answer.json());
    assert_eq!(problems("GraphAnswer", &answer.json()), "");
    answer.json()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_graph_answers_queries() {
    let server = shop().await;
    let query = "MATCH (t:Table)<-[c:WRITES]-(f)<-[:CALLS*0..5]-(e:Endpoint)
                 RETURN e, f.id AS via, c.operation, sum(c.calls) AS calls, round(f.p99) AS p99";
    let found = ask(&server, query).await;
    let columns = json!([
        {"name": "e", "unit": null}, {"name": "via", "unit": null}, {"name": "c.operation", "unit": null},
        {"name": "calls", "unit": "count"}, {"name": "p99", "unit": "ms"}
    ]);
    assert_eq!(found["columns"], columns);
    let rows = json!([[{"node": "service:web"}, "service:pay", "PutItem", 1, 30.0]]);
    assert_eq!(found["rows"], rows);
    let [total, cut] = ["total", "cut"].map(|key| &found[key]);
    assert_eq!(
        (total, cut, &found["truncated"]),
        (&json!(1), &Value::Null, &json!(false))
    );
    let drawn: Vec<&Value> = found["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|node| &node["id"])
        .collect();
    assert_eq!(drawn, ["service:pay", "table:payments", "service:web"]);
    assert_eq!(found["searched"]["edges"], 3);
    assert_eq!(found["cost"]["segments"], 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_graph_compares_windows_and_has_operations() {
    let server = shop().await;
    let found = ask(
        &server,
        "MATCH (a)-[c]->(b) WHERE c.is_new RETURN count(*), max(c.last_seen) COMPARED TO 'yesterday'",
    );
    let found = found.await;
    assert_eq!(found["rows"], json!([[3, "1970-01-01T00:00:00Z"]]));
    assert_eq!(found["compared"]["to_unix_nanos"], "0");
    let found = ask(
        &server,
        "MATCH p = (n)-[:DOES]->(o:Operation) RETURN p, o.errors ORDER BY o.name",
    )
    .await;
    let rows = json!([
        [{"path": ["service:pay", "operation:pay span 2"], "types": ["DOES"]}, 0],
        [{"path": ["service:pay", "operation:pay span 5"], "types": ["DOES"]}, 1],
    ]);
    assert_eq!(found["rows"], rows);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mistake_in_a_query_says_where() {
    let server = TestServer::start().await;
    let refusals = [
        (
            json!({"query": "MATCH (f:Tabel) RETURN f"}),
            "there is no label `Tabel`: did you mean `Table`? at line 1, column 10",
        ),
        (
            json!({"query": "MATCH (f) RETURN f DURING 'whenever'"}),
            "at line 1, column 27",
        ),
        (
            json!({"query": "MATCH (f) RETURN f", "from": "2", "to": "1"}),
            "`from` must not be after `to`",
        ),
        (
            json!({"query": "MATCH (f) RETURN f", "from": "now"}),
            "`from` and `to` are Unix nanoseconds, as text",
        ),
    ];
    for (question, why) in refusals {
        let answer = server
            .post_api("/api/v1/graph/query", &[], question.to_string())
            .await;
        assert_eq!(
            (answer.status.as_u16(), &answer.json()["code"]),
            (400, &json!("TL0210")),
            "{question}"
        );
        let message = answer.json()["message"].as_str().unwrap().to_owned();
        assert!(message.ends_with(why), "{message}");
    }
    let language = server.json("/api/v1/graph").await;
    assert_eq!(problems("GraphLanguage", &language), "");
    for question in language["questions"].as_array().unwrap() {
        let query = question["query"].as_str().unwrap().replace("$NAME", "pay");
        ask(&server, &query).await;
    }
}
