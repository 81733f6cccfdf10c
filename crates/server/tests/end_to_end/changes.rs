//! What was changed is listed: versions, memory sizes and architectures, as reports of the platform tell them.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use throughline_server::Clock;
use throughline_telemetry::{LogRecord, Resource};
use throughline_testkit::SimClock;

use crate::harness::TestServer;
use crate::incidents::{BEGIN, after};
use crate::mcp;
use crate::openapi::problems;
use crate::search::put_logs;

fn at(minute: u64) -> u64 {
    BEGIN.plus(Duration::from_secs(minute * 60)).0
}

/// What the platform reports of an invocation of `pay`: another version from minute 10 on, more memory from minute 20 on,
/// another architecture from minute 25 on.
fn report(minute: u64) -> LogRecord {
    let of = [("service.name", "pay"), ("faas.name", "pay")];
    let runs_on = if minute < 25 { "amd64" } else { "arm64" };
    let time = BEGIN.plus(Duration::from_secs(minute * 60 + 30));
    let mut report = LogRecord {
        time,
        observed_time: time,
        severity_number: 9,
        severity_text: String::new(),
        body: "platform.report".into(),
        trace_id: None,
        span_id: None,
        event_name: String::new(),
        attributes: of.into_iter().collect(),
        resource: Arc::new(Resource {
            attributes: of.into_iter().chain([("host.arch", runs_on)]).collect(),
        }),
        scope: Arc::default(),
    };
    let version = if minute < 10 { "41" } else { "42" };
    let megabytes = if minute < 20 { 256_i64 } else { 512 };
    report.attributes.set("faas.version", version);
    report
        .attributes
        .set("throughline.memory.size_mb", megabytes);
    report
        .attributes
        .set("throughline.duration.billed_ms", 40_i64);
    report
}

async fn changes(server: &TestServer, query: &str) -> Value {
    let list = server.json(&format!("/api/v1/changes{query}")).await;
    assert_eq!(problems("ChangeList", &list), "");
    list
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_changed_is_listed_newest_first() {
    let clock = SimClock::at(BEGIN);
    let shown = clock.clone();
    let shown = Clock::new(move || shown.now());
    let server = TestServer::start_at(shown.clone()).await;
    let nothing = json!({"changes": [], "total": 0, "truncated": false});
    assert_eq!(changes(&server, "").await, nothing);
    server.minutes(0..30, 20).await;
    let reports: Vec<LogRecord> = (0..30).map(report).collect();
    put_logs(&server, &reports).await;
    clock.advance(after(30));
    server.watched().await;

    let of = |what: &str, before: &str, minute: u64| {
        json!({"node": "function:pay", "what": what, "before": before,
            "at_unix_nanos": at(minute).to_string()})
    };
    let memory = of("memory 512 MB", "memory 256 MB", 20);
    let version = of("version 42", "version 41", 10);
    let all = changes(&server, "").await;
    let architecture = of("architecture arm64", "architecture x86_64", 25);
    let whole = json!({"changes": [architecture, memory, version], "total": 3, "truncated": false});
    assert_eq!(all, whole);
    let first = changes(&server, "?limit=1").await;
    let only_first = json!({"changes": [architecture], "total": 3, "truncated": true});
    assert_eq!(first, only_first);
    for (query, expected) in [
        (format!("?from={}", at(20)), json!([architecture, memory])),
        (format!("?to={}", at(20)), json!([version])),
        (format!("?from={}&to={}", at(11), at(20)), json!([])),
        (
            "?subject=function:pay&limit=2".to_owned(),
            json!([architecture, memory]),
        ),
        ("?subject=function:order".to_owned(), json!([])),
    ] {
        let found = changes(&server, &query).await;
        assert_eq!(found["changes"], expected, "{query}");
    }

    // An assistant is told the same, also after a restart, and where a person sees it.
    let data_dir = server.stop().await;
    let server = TestServer::start_on(data_dir, shown).await;
    assert_eq!(changes(&server, "").await, whole);
    let client = mcp::connect(&server, None).await.expect("it connects");
    let asked = json!({"changes": true, "from": "2026-11-20T00:00:00Z"});
    let told = mcp::answer(&client, "overview", asked).await;
    assert_eq!(told["total"], 3, "{told:#}");
    let changed = json!({"node": "function:pay", "what": "version 42", "before": "version 41",
        "at": "2026-11-20T00:10:00.000Z"});
    assert_eq!(told["telemetry"]["changes"][2], changed);
    let page = told["permalink"].as_str().expect("an address");
    let (_, page) = page.split_once("/graph?").expect("the graph");
    let mut page = form_urlencoded::parse(page.as_bytes());
    let (_, query) = page.find(|(name, _)| name == "q").expect("a query");
    let rows =
        json!({"query": query, "from": "2026-11-20T00:00:00Z", "to": "2026-11-20T00:30:00Z"});
    mcp::answer(&client, "graph_query", rows).await;
    client.cancel().await.expect("it ends");
}
