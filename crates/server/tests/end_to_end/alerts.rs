//! Objectives and alerts: real spans, a clock that a test moves, and the mails that arrive.

use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use serde_json::{Value, json};
use throughline_server::{Clock, Limits};
use throughline_telemetry::correlation::{LINK_IN, LINK_OUT};
use throughline_telemetry::{Signal, Span, SpanKind, Value as Attribute};
use throughline_testkit::{Mailbox, SimClock};

use crate::harness::{Answer, TestServer, send, url};
use crate::incidents::{BEGIN, after};
use crate::openapi::problems;
use crate::samples::{span, traces};

const PATH: &str = "/api/v1/alerts";
const SECOND: u64 = 1_000_000_000;

/// An order, of which there are two a minute. Its mail is sent in a trace of its own, one second after it began, or not
/// at all.
fn order(number: u64, is_mailed: bool) -> Vec<Span> {
    let begin = BEGIN.0 + number * 30 * SECOND;
    let (trace, id) = (u128::from(number) * 2 + 1, number * 10 + 1);
    let key = Attribute::Array(vec![format!("sqs:m-{number}").as_str().into()]);
    let mut place = span("orders", trace, id, 0, begin, begin + SECOND / 10);
    place.name = "POST /orders".to_owned();
    let mut put = span("orders", trace, id + 1, id, begin + 10, begin + 20);
    put.kind = SpanKind::Producer;
    put.attributes.set(LINK_OUT, key.clone());
    let (taken, sent) = (begin + SECOND / 2, begin + SECOND);
    let mut take = span("mail", trace + 1, id + 2, 0, taken, sent + 10);
    take.attributes.set(LINK_IN, key);
    let mut mail = span("mail", trace + 1, id + 3, id + 2, taken + 10, sent);
    mail.name = "SendEmail".to_owned();
    match is_mailed {
        true => vec![place, put, take, mail],
        false => vec![place, put],
    }
}

fn settings() -> Value {
    let of = |service: &str, name: &str| json!([{"column": "service", "op": "=", "value": service}, {"column": "name", "op": "=", "value": name}]);
    json!({
        "objectives": [
            {"name": "orders are mailed", "target": 0.99, "days": 1, "measure": {"actions": {
                "begin": of("orders", "POST /orders"), "end": {"service": "mail", "name": "SendEmail"}, "within_ms": 5000
            }}},
            {"name": "orders answer", "target": 0.999, "days": 1, "measure": {"spans": {
                "filters": of("orders", "POST /orders"), "good": [{"column": "duration_ms", "op": "<", "value": 500}]
            }}}
        ],
        "alerts": [{"name": "many orders", "op": ">", "value": 1000, "query": {
            "calculations": [{"op": "COUNT"}], "filters": of("orders", "POST /orders"), "time_range": 300
        }}]
    })
}

impl TestServer {
    pub(crate) async fn put(&self, path: &str, body: &Value) -> Answer {
        let request = Request::put(url(self.addresses.http, path));
        let request = request.body(Full::new(Bytes::from(body.to_string())));
        send(request.expect("a good request")).await
    }

    /// Takes in the orders of these minutes.
    pub(crate) async fn orders(&self, minutes: std::ops::Range<u64>, are_mailed: bool) {
        let numbers = minutes.start * 2..minutes.end * 2;
        let spans: Vec<Span> = numbers
            .flat_map(|number| order(number, are_mailed))
            .collect();
        let answer = self.post_protobuf(Signal::Traces, traces(&spans)).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
    }

    /// What is known when all minutes before this one are counted.
    pub(crate) async fn counted(&self, minute: u64) -> Value {
        let wanted = BEGIN.plus(Duration::from_secs(minute * 60)).0;
        for _ in 0..600 {
            let known = self.json(PATH).await;
            assert_eq!(problems("Alerts", &known), "");
            let objectives = known["objectives"].as_array().expect("a list");
            let alerts = known["alerts"].as_array().expect("a list");
            let is_known = |of: &Value| {
                let until = of["until_unix_nanos"].as_str();
                until.is_some_and(|until| until.parse::<u64>().expect("a time") >= wanted)
            };
            if objectives.iter().chain(alerts).all(is_known) {
                return known;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("minutes are not counted: {:#}", self.json(PATH).await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_objective_of_whole_actions_that_is_about_to_be_missed_is_told_and_ends() {
    let clock = SimClock::at(BEGIN);
    // Actions have five seconds more, so their last minute is the one before.
    let move_to = |minute: u64| clock.advance(BEGIN.plus(after(minute + 1)).since(clock.now()));
    let shown = clock.clone();
    let shown = Clock::new(move || shown.now());
    let mailbox = Mailbox::start().await;
    let server = TestServer::start_at(shown.clone()).await;
    let address = mailbox.address();
    let mail = json!({"type": "email", "to": ["ops@example.com"], "from": "t@example.com",
        "smtp": {"host": address.ip(), "port": address.port(), "tls": "none"}});
    // What is found of the same by itself is another test's.
    let kinds = [
        "silence",
        "waiting",
        "latency",
        "errors",
        "new_*",
        "incomplete",
    ];
    let mutes = kinds.map(|kinds| json!({"nodes": "*", "kinds": kinds}));
    let told = json!({
        "mutes": mutes,
        "receivers": [{"name": "mail", "channel": mail}],
        "routes": [{"name": "all", "receivers": ["mail"], "nodes": ["service:mail"]}]
    });
    let set = server.put("/api/v1/notifications", &told).await;
    assert_eq!(set.status, 200, "{}", set.text());

    server.orders(0..60, true).await;
    move_to(60);
    let set = server.put(PATH, &settings()).await;
    assert_eq!(set.status, 200, "{}", set.text());
    assert_eq!(set.json()["objectives"][0]["state"], "counting");
    let known = server.counted(60).await;
    let [mailed, answered] = [&known["objectives"][0], &known["objectives"][1]];
    assert_eq!(
        (&mailed["state"], &mailed["good"], &mailed["bad"]),
        (&json!("ok"), &json!(120), &json!(0))
    );
    assert_eq!(
        (&answered["state"], &answered["bad"], &answered["left"]),
        (&json!("ok"), &json!(0), &json!(1.0))
    );
    assert_eq!(known["alerts"][0]["state"], "ok");

    // For twelve minutes orders are taken, and no mail is sent.
    server.orders(60..72, false).await;
    move_to(72);
    let known = server.counted(72).await;
    assert_eq!(known["objectives"][1]["state"], "ok");
    let mailed = &known["objectives"][0];
    assert_eq!(
        (&mailed["state"], &mailed["severity"], &mailed["bad"]),
        (&json!("firing"), &json!("critical"), &json!(24))
    );
    // Of a day.
    assert_eq!(mailed["lasts_seconds"], 720);
    let first = mailbox.wait_for(1).await.remove(0);
    let body = first.body();
    assert!(
        body.contains("\"orders are mailed\" burns its budget"),
        "{body}"
    );
    let left = "17 % is left, for another 12 min";
    assert!(body.contains(left), "{body}");
    let late = mailed["late"][2].as_str().expect("the id of a trace");
    assert!(body.contains(&format!("/traces/{late}")), "{body}");
    let metrics = server.get("/metrics").await.text();
    assert!(
        metrics.contains("\nthroughline_alerts_firing 1\n"),
        "{metrics}"
    );
    let left = "\nthroughline_objective_budget_left_ratio{objective=\"orders answer\"} 1\n";
    assert!(metrics.contains(left), "{metrics}");

    // It goes on after a restart, and nobody is told twice.
    let data_dir = server.stop().await;
    let server = TestServer::start_on(data_dir, shown).await;
    assert_eq!(server.counted(72).await["objectives"][0]["state"], "firing");

    server.orders(72..200, true).await;
    move_to(200);
    server.counted(200).await;
    server.orders(200..207, true).await;
    move_to(207);
    let known = server.counted(207).await;
    assert_eq!(known["objectives"][0]["state"], "ok", "{known:#}");
    let mails = mailbox.wait_for(2).await;
    assert_eq!(mails.len(), 2);
    assert_eq!(mails[1].header("References"), first.header("Message-ID"));
    assert!(mails[1].body().contains("ended "), "{}", mails[1].body());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alert_on_a_query_fires_with_its_groups() {
    let clock = SimClock::at(BEGIN);
    let shown = clock.clone();
    let server = TestServer::start_at(Clock::new(move || shown.now())).await;
    server.orders(0..10, true).await;
    clock.advance(after(10));
    let query = json!({"breakdowns": ["name"], "time_range": 300,
        "filters": [{"column": "service", "op": "=", "value": "mail"}, {"column": "name", "op": "=", "value": "SendEmail"}]});
    let alert = |value: u64| json!({"alerts": [{"name": "mails", "query": query, "op": ">=", "value": value, "severity": "note"}]});
    assert_eq!(server.put(PATH, &alert(10)).await.status, 200);
    let known = server.counted(10).await["alerts"][0].take();
    assert_eq!(
        (&known["state"], &known["value"], &known["groups"]),
        (&json!("firing"), &json!(10.0), &json!(["name SendEmail"]))
    );
    // What is asked otherwise is asked anew.
    assert_eq!(server.put(PATH, &alert(11)).await.status, 200);
    assert_eq!(server.counted(10).await["alerts"][0]["state"], "ok");
}

#[tokio::test(flavor = "multi_thread")]
async fn statements_and_questions_to_the_graph_are_watched_too() {
    let clock = SimClock::at(BEGIN);
    let shown = clock.clone();
    let server = TestServer::start_at(Clock::new(move || shown.now())).await;
    server.orders(0..10, true).await;
    clock.advance(after(10));
    let sql = "select service, count(*) as n from spans where name = 'SendEmail' group by service";
    let graph = "MATCH (s:Service) WHERE s.name = 'mail' RETURN s.name, s.calls";
    let no_number = "select service from spans limit 1";
    let alert = |name: &str, way: &str, asked: &str| json!({"name": name, way: asked, "op": ">=", "value": 10});
    let set = json!({"alerts": [
        alert("mails", "sql", sql), alert("calls", "graph", graph), alert("nothing", "sql", no_number),
        alert("no statement", "sql", "selec"),
    ]});
    let answer = server.put(PATH, &set).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let known = server.counted(10).await;
    let of = |at: usize| &known["alerts"][at];
    assert_eq!(
        (&of(0)["state"], &of(0)["value"], &of(0)["groups"]),
        (&json!("firing"), &json!(20.0), &json!(["service mail"])),
        "{known:#}"
    );
    assert_eq!(
        (&of(1)["state"], &of(1)["value"], &of(1)["groups"]),
        (&json!("firing"), &json!(40.0), &json!(["s.name mail"])),
        "{known:#}"
    );
    let why = |at: usize| of(at)["error"].as_str().unwrap_or_default();
    assert!(why(2).contains("the last column"), "{known:#}");
    assert_eq!(of(2)["state"], "no_data");
    assert!(why(3).contains("selec"), "{known:#}");
    let refused = alert("broken", "graph", "MATCH (f RETURN f");
    let refused = server.put(PATH, &json!({"alerts": [refused]})).await;
    assert_eq!(refused.status, 400);
    let why = refused.text();
    assert!(why.contains("alerts[0].graph"), "{why}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_watched_is_checked_kept_and_behind_the_key() {
    let server = TestServer::start().await;
    assert_eq!(server.put(PATH, &settings()).await.status, 200);
    let refused = server.put(PATH, &json!({"alerts": [{}]})).await;
    assert_eq!(
        (refused.status.as_u16(), refused.json()["code"].clone()),
        (400, "TL0218".into())
    );
    assert_eq!(problems("Error", &refused.json()), "");
    let shown = server.json(PATH).await["settings"].take();
    assert_eq!(server.put(PATH, &shown).await.status, 200);
    let data_dir = server.stop().await;
    let server = TestServer::start_on(data_dir, Clock::default()).await;
    assert_eq!(server.json(PATH).await["settings"], shown);
    let keyed = TestServer::start_with(Some("k"), Limits::default()).await;
    assert_eq!(keyed.put(PATH, &json!({})).await.status, 401);
}
