//! What is unusual is found, explained, remembered and ended: real telemetry, a clock that a test moves.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use throughline_server::Clock;
use throughline_telemetry::{
    LogRecord, Resource, Signal, Span, SpanKind, SpanStatus, UnixNanos, Value as Attribute,
};
use throughline_testkit::SimClock;

use crate::harness::TestServer;
use crate::openapi::problems;
use crate::samples::{span, traces};
use crate::search::put_logs;

const MINUTE: Duration = Duration::from_secs(60);
/// 2026-11-20T00:00:00Z.
pub(crate) const BEGIN: UnixNanos = UnixNanos(1_795_132_800 * 1_000_000_000);
const CALLS_A_MINUTE: u64 = 20;

/// One call of `order`, which calls `pay`, which reads the table `user`, in so many milliseconds.
fn call(number: u64, table_ms: u64) -> [Span; 4] {
    let minute = number / CALLS_A_MINUTE;
    let second = number % CALLS_A_MINUTE * 3;
    let start = BEGIN.0 / 1_000_000 + minute * 60_000 + second * 1000;
    // No two are the same, and every minute is like every other.
    let took = table_ms + number * 7 % 10;
    let of = |function: &str, id: u64, parent: u64, from: u64, to: u64| {
        let millis = |at: u64| (start + at) * 1_000_000;
        let trace = u128::from(number + 1);
        let mut made = span(function, trace, id, parent, millis(from), millis(to));
        made.name = function.to_owned();
        let attributes = [("service.name", function), ("faas.name", function)];
        made.resource = Arc::new(Resource {
            attributes: attributes.into_iter().collect(),
        });
        made
    };
    let order = of("order", 1, 0, 0, took + 30);
    let mut invoke = of("order", 2, 1, 5, took + 25);
    (invoke.kind, invoke.name) = (SpanKind::Client, "Invoke".to_owned());
    let pay = of("pay", 3, 2, 10, took + 20);
    let mut get = of("pay", 4, 3, 15, took + 15);
    (get.kind, get.name) = (SpanKind::Client, "GetItem".to_owned());
    get.attributes.set("db.system.name", "aws.dynamodb");
    get.attributes.set("db.collection.name", "user");
    get.attributes.set("db.operation.name", "GetItem");
    [order, invoke, pay, get]
}

impl TestServer {
    /// Takes in all calls of these minutes.
    pub(crate) async fn minutes(&self, minutes: std::ops::Range<u64>, table_ms: u64) {
        let numbers = minutes.start * CALLS_A_MINUTE..minutes.end * CALLS_A_MINUTE;
        let spans: Vec<Span> = numbers.flat_map(|number| call(number, table_ms)).collect();
        for some in spans.chunks(4000) {
            let answer = self.post_protobuf(Signal::Traces, traces(some)).await;
            assert_eq!(answer.status, 200, "{}", answer.text());
        }
    }

    /// Waits until every minute that is complete was watched.
    pub(crate) async fn watched(&self) {
        for _ in 0..600 {
            let status = self.json("/api/v1/status").await;
            assert_eq!(status["detection"]["failures"], 0, "{status:#}");
            // A minute is complete two minutes after its end.
            let behind = &status["detection"]["behind_seconds"];
            if behind.as_f64().is_some_and(|behind| behind < 180.0) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("minutes are not watched");
    }

    pub(crate) async fn incidents(&self, query: &str) -> Vec<Value> {
        let page = self.json(&format!("/api/v1/incidents?{query}")).await;
        assert_eq!(problems("IncidentPage", &page), "");
        page["incidents"].as_array().expect("a list").clone()
    }
}

/// When all minutes before this one are complete.
pub(crate) fn after(minute: u64) -> Duration {
    MINUTE * u32::try_from(minute).expect("some minutes") + Duration::from_secs(121)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_table_opens_an_incident_that_survives_a_restart_and_closes() {
    let clock = SimClock::at(BEGIN);
    let move_to = |minute: u64| clock.advance((BEGIN.plus(after(minute))).since(clock.now()));
    let shown = clock.clone();
    let shown = Clock::new(move || shown.now());
    let server = TestServer::start_at(shown.clone()).await;
    server.minutes(0..240, 20).await;
    move_to(240);
    server.watched().await;
    assert_eq!(server.incidents("").await, Vec::<Value>::new());

    server.minutes(240..248, 400).await;
    move_to(248);
    server.watched().await;
    let open = server.incidents("state=open&severity=critical").await;
    assert_eq!(open.len(), 1, "{open:#?}");
    assert!(
        open[0]["title"].as_str().unwrap().contains("is slower: p"),
        "{open:#?}"
    );
    let since = open[0]["since_unix_nanos"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap();
    let minutes = UnixNanos(since).since(BEGIN).as_secs() / 60;
    assert!((239..=241).contains(&minutes), "since minute {minutes}");
    for of in ["function:order", "function:pay", "table:user"] {
        assert_eq!(server.incidents(&format!("subject={of}")).await, open);
    }
    assert_eq!(server.incidents("subject=function:mail").await.len(), 0);
    let incident = explained(&server, &open[0]["id"]).await;

    let data_dir = server.stop().await;
    let server = TestServer::start_on(data_dir, shown.clone()).await;
    assert_eq!(server.incidents("state=open").await, open);
    assert_eq!(explained(&server, &open[0]["id"]).await, incident);

    server.minutes(248..264, 20).await;
    move_to(264);
    server.watched().await;
    assert_eq!(server.incidents("state=open").await.len(), 0);
    let closed = server.incidents("state=closed").await;
    assert_eq!(closed.len(), 1);
    assert_eq!(closed[0]["id"], open[0]["id"]);
    let metrics = server.get("/metrics").await.text();
    assert!(metrics.contains("\nthroughline_incidents_open 0\n"));
    assert!(metrics.contains("\nthroughline_detection_minutes_total 16\n"));

    // What is damaged is set aside, and what is stored is learned from anew.
    let data_dir = server.stop().await;
    let state = data_dir.path().join("data/detection/state");
    fs::write(&state, "nonsense, but long enough").unwrap();
    let server = TestServer::start_on(data_dir, shown).await;
    server.watched().await;
    assert_eq!(server.incidents("").await.len(), 0);
    let set_aside = fs::read(state.with_extension("damaged")).unwrap();
    assert_eq!(set_aside, b"nonsense, but long enough");
    let unknown = server.get("/api/v1/incidents/1").await;
    assert_eq!(
        (unknown.status.as_u16(), unknown.json()["code"].take()),
        (404, json!("TL0213"))
    );
}

/// What the platform reports of memory is read beside everything else.
#[tokio::test(flavor = "multi_thread")]
async fn memory_that_grows_in_one_environment_is_found() {
    let clock = SimClock::at(BEGIN);
    let shown = clock.clone();
    let server = TestServer::start_at(Clock::new(move || shown.now())).await;
    server.minutes(0..64, 20).await;
    clock.advance(after(60));
    server.watched().await;
    let reports: Vec<LogRecord> = (0..60).map(|number| report(61 * 60 + number * 3)).collect();
    put_logs(&server, &reports).await;
    clock.advance(MINUTE * 4);
    server.watched().await;
    let open = server.incidents("state=open&subject=function:pay").await;
    assert_eq!(open.len(), 1, "{open:#?}");
    let incident = server
        .json(&format!("/api/v1/incidents/{}", open[0]["id"]))
        .await;
    assert_eq!(problems("Incident", &incident), "");
    assert_eq!(incident["findings"][0]["kind"], "leak", "{incident:#}");
}

/// An invocation of `mail`, as the extension tells it: it took so long, of at most three seconds, and had a record that
/// had waited so long in a queue.
fn invocation(number: u64, took_ms: u64, waited_ms: u64) -> Span {
    let begun =
        BEGIN.0 / 1_000_000 + number / CALLS_A_MINUTE * 60_000 + number % CALLS_A_MINUTE * 3000;
    let end = begun + took_ms.min(3000);
    let mut made = span(
        "mail",
        u128::from(number) + 1_000_000,
        1,
        0,
        begun * 1_000_000,
        end * 1_000_000,
    );
    made.name = "mail".to_owned();
    let attributes = [("service.name", "mail"), ("faas.name", "mail")];
    made.resource = Arc::new(Resource {
        attributes: attributes.into_iter().collect(),
    });
    made.attributes.set("throughline.phase", "invoke");
    made.attributes
        .set("throughline.duration.timeout_ms", 3000_i64);
    if took_ms >= 3000 {
        made.attributes.set("throughline.timeout", true);
        made.attributes.set("error.type", "timeout");
        made.status = SpanStatus::Error;
    }
    let path = format!("queue:mails@{}#sqs:{number}", begun - waited_ms);
    made.attributes.set(
        "throughline.in.path",
        Attribute::Array(vec![path.as_str().into()]),
    );
    made
}

impl TestServer {
    async fn invocations(&self, minutes: std::ops::Range<u64>, took_ms: u64, waited_ms: u64) {
        let numbers = minutes.start * CALLS_A_MINUTE..minutes.end * CALLS_A_MINUTE;
        // One in four is as bad as is said, and none waits quite as long as another.
        let of = |number: u64| {
            let took = if number.is_multiple_of(4) {
                took_ms
            } else {
                40 + number % 7
            };
            invocation(number, took, waited_ms + number % 11)
        };
        let spans: Vec<Span> = numbers.map(of).collect();
        let answer = self.post_protobuf(Signal::Traces, traces(&spans)).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
    }

    /// The findings of all incidents that go on, by kind.
    pub(crate) async fn findings(&self) -> std::collections::BTreeMap<String, Value> {
        let mut found = std::collections::BTreeMap::new();
        for open in self.incidents("state=open").await {
            let incident = self
                .json(&format!("/api/v1/incidents/{}", open["id"]))
                .await;
            assert_eq!(problems("Incident", &incident), "");
            for finding in incident["findings"].as_array().expect("a list") {
                let kind = finding["kind"].as_str().expect("a name").to_owned();
                found.insert(kind, finding.clone());
            }
        }
        found
    }
}

/// Timeouts, waits in queues and lost telemetry are told by what the extension and the layers send.
#[tokio::test(flavor = "multi_thread")]
async fn timeouts_waits_and_lost_telemetry_are_found() {
    let clock = SimClock::at(BEGIN);
    let move_to = |minute: u64| clock.advance((BEGIN.plus(after(minute))).since(clock.now()));
    let shown = clock.clone();
    let server = TestServer::start_at(Clock::new(move || shown.now())).await;
    server.invocations(0..130, 50, 200).await;
    move_to(130);
    server.watched().await;
    assert_eq!(server.findings().await.len(), 0);

    server.invocations(130..138, 3000, 40_000).await;
    let lost = [
        ("content-type", "application/x-protobuf"),
        ("x-throughline-environment", "e-1"),
        ("x-throughline-sequence", "1"),
        ("x-throughline-function", "mail"),
        (
            "x-throughline-ledger",
            r#"{"revision":1,"sealed":1,"accepted":400,"waiting":0,"dropped":{"budget":100}}"#,
        ),
    ];
    let body = traces(&[invocation(1, 40, 200)]);
    assert_eq!(server.post("/v1/traces", &lost, body).await.status, 200);
    move_to(138);
    server.watched().await;
    let found = server.findings().await;
    let near = &found["near_timeout"];
    assert_eq!(near["subject"]["node"], "function:mail", "{near:#}");
    assert_eq!(near["detail"]["timeout_ms"], 3000.0);
    assert!(
        near["detail"]["clipped"].as_f64().expect("a share") > 0.1,
        "{near:#}"
    );
    let waiting = &found["waiting"];
    assert_eq!(waiting["subject"]["node"], "queue:mails", "{waiting:#}");
    assert!(
        waiting["after"]["value"].as_f64().expect("a number") > 30_000.0,
        "{waiting:#}"
    );
    let incomplete = &found["incomplete"];
    assert_eq!(
        incomplete["subject"]["node"], "function:mail",
        "{incomplete:#}"
    );
    assert!(
        incomplete["after"]["value"].as_f64().expect("a share") > 0.2,
        "{incomplete:#}"
    );

    let times = |minute: u64| {
        BEGIN
            .plus(MINUTE * u32::try_from(minute).expect("few"))
            .0
            .to_string()
    };
    let asked = |node: &str| {
        json!({"symptom": "timeout", "node": node, "from": times(129), "to": times(138)})
            .to_string()
    };
    let told = server
        .post_api("/api/v1/investigations", &[], asked("function:mail"))
        .await
        .json();
    assert_eq!(problems("Investigation", &told), "");
    let title = told["title"].as_str().expect("a sentence");
    assert!(
        title.starts_with("function:mail times out: 0 % → 25 %"),
        "{told:#}"
    );
}

/// What the platform reports of an invocation of `pay`, so many seconds after the beginning: a megabyte more each time.
fn report(second: u64) -> LogRecord {
    let time = BEGIN.plus(Duration::from_secs(second));
    let of = [
        ("service.name", "pay"),
        ("faas.name", "pay"),
        ("faas.instance", "environment-1"),
    ];
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
            attributes: of.into_iter().collect(),
        }),
        scope: Arc::default(),
    };
    for (key, value) in [
        ("throughline.duration.billed_ms", 40),
        ("throughline.memory.size_mb", 512),
        ("throughline.memory.max_used_mb", 50 + second % 3600 / 3),
    ] {
        report
            .attributes
            .set(key, i64::try_from(value).expect("a small number"));
    }
    report
}

/// When the tables of `update-stats` have been watched for three days, and after that it does something new.
const NEW_FROM: u64 = 3 * 24 * 60 + 5;
const NEW_UNTIL: u64 = NEW_FROM + 3;

/// An invocation that reads a table and writes another: since [`NEW_FROM`] `update-stats` writes what only `sign-up` wrote
/// before, and fails in two ways.
fn stats(function: &str, number: u64) -> Vec<Span> {
    let minute = number / CALLS_A_MINUTE;
    let is_stats = function == "update-stats";
    let is_new = is_stats && minute >= NEW_FROM;
    let start = BEGIN.0 / 1_000_000 + minute * 60_000 + number % CALLS_A_MINUTE * 3000;
    let trace = u128::from(number * 2 + u64::from(is_stats) + 1);
    let of = |id: u64, from: u64, to: u64| {
        let millis = |at: u64| (start + at) * 1_000_000;
        let parent = u64::from(id > 1);
        let mut made = span(function, trace, id, parent, millis(from), millis(to));
        made.name = function.to_owned();
        let attributes = [("service.name", function), ("faas.name", function)];
        made.resource = Arc::new(Resource {
            attributes: attributes.into_iter().collect(),
        });
        made
    };
    let table = |id: u64, operation: &str, table: &str| {
        let mut made = of(id, id * 10, id * 10 + 8);
        (made.kind, made.name) = (SpanKind::Client, operation.to_owned());
        let tables = Attribute::Array(vec![table.into()]);
        made.attributes.set("aws.dynamodb.table_names", tables);
        made.attributes.set("db.operation.name", operation);
        made
    };
    let mut whole = of(1, 0, 60);
    if is_new && number % 4 < 2 {
        let why = ["is empty", "is stolen"][usize::from(number.is_multiple_of(4))];
        whole.status = SpanStatus::Error;
        whole.status_message = format!("card {number} {why}");
        whole.attributes.set("error.type", "Declined");
    }
    let written = if is_stats { "users-of-old" } else { "users" };
    let mut spans = vec![
        whole,
        table(2, "GetItem", "users"),
        table(3, "PutItem", written),
    ];
    if is_new {
        spans.push(table(4, "PutItem", "users"));
    }
    spans
}

impl TestServer {
    /// Takes in all invocations of both functions, at once.
    async fn stats(&self, minutes: std::ops::Range<u64>) {
        let numbers = minutes.start * CALLS_A_MINUTE..minutes.end * CALLS_A_MINUTE;
        let both = |number| ["update-stats", "sign-up"].map(|function| stats(function, number));
        let spans: Vec<Span> = numbers.flat_map(both).flatten().collect();
        let answer = self.post_protobuf(Signal::Traces, traces(&spans)).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
    }

    /// What a search with the filters of a finding finds, at its time.
    async fn spans_of(&self, finding: &Value) -> Vec<Value> {
        let question = json!({
            "dataset": "spans", "filters": finding["filters"], "limit": 1000,
            "from": finding["since_unix_nanos"], "to": finding["seen_unix_nanos"],
        });
        let body = question.to_string();
        let found = self.post_api("/api/v1/search", &[], body).await;
        assert_eq!(found.status, 200, "{}", found.text());
        found.json()["spans"].as_array().expect("a list").clone()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_finding_leads_to_the_spans_that_show_it_and_to_no_others() {
    // What was there before the first start is learned from.
    let clock = SimClock::at(BEGIN.plus(after(NEW_FROM - 2)));
    let shown = clock.clone();
    let server = TestServer::start_at(Clock::new(move || shown.now())).await;
    server.stats(0..12).await;
    server.watched().await;
    server.stats(NEW_FROM..NEW_UNTIL).await;
    clock.advance((BEGIN.plus(after(NEW_UNTIL))).since(clock.now()));
    server.watched().await;
    let mut findings: Vec<Value> = Vec::new();
    for open in server.incidents("state=open").await {
        let path = format!("/api/v1/incidents/{}", open["id"]);
        let incident = server.json(&path).await;
        assert_eq!(problems("Incident", &incident), "");
        findings.extend(incident["findings"].as_array().expect("a list").clone());
    }
    let of_kind = |kind: &str| -> Vec<&Value> {
        let all = findings.iter().filter(|it| it["kind"] == kind);
        all.collect()
    };

    let new_edges = of_kind("new_edge");
    assert_eq!(new_edges.len(), 1, "{findings:#?}");
    let new_edge = new_edges[0];
    assert_eq!(
        new_edge["subject"],
        json!({"node": "function:update-stats", "operation": "PutItem", "to": "table:users"})
    );
    let calls = server.spans_of(new_edge).await;
    let minutes = usize::try_from(NEW_UNTIL - NEW_FROM).expect("a few");
    let a_minute = usize::try_from(CALLS_A_MINUTE).expect("a few");
    assert_eq!(calls.len(), minutes * a_minute, "{new_edge:#}");
    for call in &calls {
        assert_eq!(call["service"], "update-stats", "{call:#}");
        assert_eq!(call["name"], "PutItem");
        assert_eq!(
            call["attributes"]["aws.dynamodb.table_names"],
            json!(["users"])
        );
    }
    let examples = new_edge["examples"].as_array().expect("a list");
    assert_eq!(examples.len(), 3, "{new_edge:#}");
    let is_call = |example: &Value| {
        let mut calls = calls.iter();
        calls.any(|call| call["trace_id"] == example["trace_id"])
    };
    assert!(examples.iter().all(is_call), "{new_edge:#}");

    for why in ["is empty", "is stolen"] {
        let mut of_this = of_kind("new_error").into_iter();
        let signature = format!("Declined: card * {why}");
        let new_error = of_this.find(|it| it["detail"]["signature"] == *signature);
        let failed = server.spans_of(new_error.expect("it is new")).await;
        assert_eq!(failed.len(), minutes * a_minute / 4, "{failed:#?}");
        for span in &failed {
            let message = span["status_message"].as_str().expect("a text");
            assert!(message.ends_with(why), "{message}");
        }
    }
}

/// The incident, whose cause is the table.
async fn explained(server: &TestServer, id: &Value) -> Value {
    let incident = server.json(&format!("/api/v1/incidents/{id}")).await;
    assert_eq!(problems("Incident", &incident), "");
    let cause = &incident["cause"];
    assert_eq!(cause["symptom"], "slow", "{incident:#}");
    let first = &cause["causes"][0];
    assert_eq!(first["node"], "table:user", "{cause:#}");
    // Only its callers tell of it, and their traces show that it is all of it.
    assert!(
        first["share"].as_f64().expect("a number") > 0.9,
        "{cause:#}"
    );
    let findings = incident["findings"].as_array().expect("a list");
    let latency = findings
        .iter()
        .find(|it| it["kind"] == "latency")
        .expect("it is slow");
    assert_eq!(
        latency["before"].is_null(),
        latency["before_when"].is_null(),
        "{latency:#}"
    );
    let (before, after) = (&latency["before"]["value"], &latency["after"]["value"]);
    assert!(
        after.as_f64().expect("a number") > 5.0 * before.as_f64().unwrap_or(60.0),
        "{latency:#}"
    );
    // The spans that show it are found by its filters.
    let with_spans = findings
        .iter()
        .find(|it| it["filters"].is_array())
        .expect("spans show it");
    let examples = with_spans["examples"].as_array().expect("a list");
    assert_eq!(examples.len(), 3, "{with_spans:#}");
    assert!(
        examples
            .iter()
            .all(|it| it["duration_ms"].as_f64().expect("a number") > 300.0)
    );
    incident
}

impl TestServer {
    /// Takes in calls of one minute of a function that calls nothing and that nobody is known to call.
    async fn lonely(&self, minutes: std::ops::Range<u64>, fails: bool) {
        let numbers = minutes.start * CALLS_A_MINUTE..minutes.end * CALLS_A_MINUTE;
        let spans: Vec<Span> = numbers
            .map(|number| {
                let [mut call, ..] = self::call(number, 20);
                if fails && number % 2 == 0 {
                    call.status = SpanStatus::Error;
                    call.attributes.set("error.type", "KeyError");
                }
                call
            })
            .collect();
        for some in spans.chunks(4000) {
            let answer = self.post_protobuf(Signal::Traces, traces(some)).await;
            assert_eq!(answer.status, 200, "{}", answer.text());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_known_of_a_service_stays_known_when_its_first_error_names_the_function() {
    let clock = SimClock::at(BEGIN);
    let move_to = |minute: u64| clock.advance((BEGIN.plus(after(minute))).since(clock.now()));
    let shown = clock.clone();
    let server = TestServer::start_at(Clock::new(move || shown.now())).await;
    server.lonely(0..240, false).await;
    move_to(240);
    server.watched().await;
    for minute in 240..246 {
        server.lonely(minute..minute + 1, true).await;
        move_to(minute + 1);
        server.watched().await;
    }
    let open = server.incidents("state=open").await;
    assert_eq!(open.len(), 1, "{open:#?}");
    let title = open[0]["title"].as_str().unwrap();
    assert!(title.contains("order fails more"), "{title}");
    assert_eq!(open[0]["nodes"], json!(["function:order"]));
}
