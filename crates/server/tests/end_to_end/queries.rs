//! SQL and queries over HTTP.

use std::time::Duration;

use serde_json::{Value, json};
use throughline_server::Limits;
use throughline_telemetry::Signal;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::harness::{Answer, TestServer};
use crate::samples::{span, traces};

/// Two hundred million pairs, of which few remain: seconds of work in little memory.
const RUNAWAY: &str = "select count(*) from generate_series(1, 1000000) a, \
    generate_series(1, 1000000) b where (a.value * b.value) % 1000003 = 7";

async fn server_with_spans() -> TestServer {
    let server = TestServer::start().await;
    let mut pay = span("pay", 2, 3, 0, 10, 40);
    pay.attributes.set("http.route", "/pay");
    let body = traces(&[
        span("cart", 1, 1, 0, 0, 5),
        span("cart", 1, 2, 1, 1, 3),
        pay,
    ]);
    assert_eq!(server.post_protobuf(Signal::Traces, body).await.status, 200);
    server
}

impl TestServer {
    async fn sql(&self, sql: &str, accept: &str) -> Answer {
        let body = json!({"sql": sql}).to_string();
        self.post_api("/api/v1/sql", &[("accept", accept)], body)
            .await
    }

    async fn query(&self, spec: &Value) -> Answer {
        self.post_api("/api/v1/query", &[], spec.to_string()).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sql_answers_in_every_form() {
    let server = server_with_spans().await;
    let sql = "select service, count(*) as n, max(http.route) as route from spans group by service order by n";
    let answer = server.sql(sql, "*/*").await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let mut table = answer.json();
    let cost = table["cost"].take();
    assert_eq!(cost["rows"], 3);
    assert_eq!(cost["segments"], 1);
    let expect = json!({
        "columns": [
            {"name": "service", "type": "text"}, {"name": "n", "type": "int"}, {"name": "route", "type": "text"},
        ],
        "rows": [["pay", 1, "/pay"], ["cart", 2, null]], "truncated": false, "cost": null,
    });
    assert_eq!(table, expect);
    let csv = server.sql(sql, "text/csv").await;
    assert_eq!(csv.text(), "service,n,route\r\npay,1,/pay\r\ncart,2,\r\n");
    assert_eq!(csv.header("x-throughline-truncated"), "false");
    let cost: Value = serde_json::from_str(csv.header("x-throughline-cost")).unwrap();
    assert_eq!(cost["rows"], 3);
    let text = server.sql(sql, "text/plain").await.text();
    assert!(text.contains("| cart    | 2 |"), "{text}");
    let arrow = server.sql(sql, "application/vnd.apache.arrow.stream").await;
    assert!(arrow.body.starts_with(&[0xff, 0xff, 0xff, 0xff]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_has_groups_and_a_series() {
    let server = server_with_spans().await;
    let times = server
        .sql(
            "select extract(epoch from min(time)) as t from spans",
            "json",
        )
        .await;
    let first = times.json()["rows"][0][0].as_f64().unwrap();
    let spec = json!({
        "breakdowns": ["service"], "calculations": [{"op": "COUNT"}],
        "start_time": first, "time_range": 60, "granularity": 60,
    });
    let answer = server.query(&spec).await.json();
    assert_eq!(answer["results"]["rows"], json!([["cart", 2], ["pay", 1]]));
    let series = answer["series"]["rows"].as_array().unwrap();
    assert_eq!(series.len(), 2, "{answer}");
    let wrong = server
        .query(&json!({"calculations": [{"op": "MODE"}]}))
        .await;
    assert_eq!(
        (wrong.status.as_u16(), wrong.json()["code"].take()),
        (400, json!("TL0210"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_or_too_dear_is_refused() {
    let server = TestServer::start().await;
    let mut limits = Limits::default();
    limits.queries.time = Duration::from_millis(100);
    let hasty = TestServer::start_with(None, limits).await;
    let cases = [
        (
            "selct 1",
            400,
            "cannot parse: Expected: an SQL statement, found: selct at line 1, column 1",
        ),
        (
            "create table x as select 1",
            400,
            "only statements that read are run: SELECT, WITH, SHOW and EXPLAIN",
        ),
        (
            "copy spans to '/tmp/spans.csv'",
            400,
            "only statements that read are run: SELECT, WITH, SHOW and EXPLAIN",
        ),
        ("select 1; select 2", 400, "one statement"),
        (
            "select * from '/etc/passwd'",
            400,
            "table '/etc/passwd' not found: there are spans, logs and metrics",
        ),
        (
            RUNAWAY,
            422,
            "the query was stopped after 100ms: ask for less time, or for fewer groups",
        ),
    ];
    for (sql, status, message) in cases {
        let asked = if status == 422 { &hasty } else { &server };
        let answer = asked.sql(sql, "json").await;
        assert_eq!(answer.status, status, "{sql}: {}", answer.text());
        let said = answer.json()["message"].as_str().unwrap().to_owned();
        assert!(said.contains(message), "{sql}: {said}");
    }
}

/// Only one query may run. If the first one went on, the second one would wait for its turn until its
/// time is up.
#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_leaves_stops_its_query() {
    let mut limits = Limits::default();
    limits.queries.queries = 1;
    let server = TestServer::start_with(None, limits).await;
    let body = json!({"sql": RUNAWAY}).to_string();
    let mut leaving = TcpStream::connect(server.addresses.http).await.unwrap();
    let head = format!(
        "POST /api/v1/sql HTTP/1.1\r\nhost: {}\r\ncontent-length: {}\r\n\r\n{body}",
        server.addresses.http,
        body.len()
    );
    leaving.write_all(head.as_bytes()).await.unwrap();
    let mut answer = [0];
    let early = tokio::time::timeout(Duration::from_millis(500), leaving.read(&mut answer)).await;
    assert!(early.is_err(), "it runs for long");
    drop(leaving);
    let next = server.sql("select 1 as one", "json").await;
    assert_eq!(next.status, 200, "{}", next.text());
    assert_eq!(next.json()["rows"], json!([[1]]));
}
