//! Queries that are kept under names: for everybody, across restarts, and followed by alerts.

use std::fs;
use std::time::Duration;

use serde_json::{Value, json};
use throughline_server::{Clock, Limits};
use throughline_testkit::SimClock;

use crate::harness::{Answer, TestServer};
use crate::incidents::{BEGIN, after};
use crate::openapi::problems;

const PATH: &str = "/api/v1/saved";
const ALERTS: &str = "/api/v1/alerts";

fn mails(filters: &[(&str, &str)]) -> Value {
    let filters = filters.iter();
    let filters =
        filters.map(|(column, value)| json!({"column": column, "op": "=", "value": value}));
    let calculations = json!([{"op": "COUNT"}, {"op": "HEATMAP", "column": "duration_ms"}]);
    json!({"name": "Sent \"mails\"", "query": {"calculations": calculations, "filters": filters.collect::<Vec<_>>()}})
}

impl TestServer {
    async fn keep(&self, queries: &[Value]) -> Answer {
        self.put(PATH, &json!({"queries": queries})).await
    }
}

/// What is refused, and why.
fn refused(answer: &Answer, status: u16, code: &str, why: &str) {
    assert_eq!(problems("Error", &answer.json()), "");
    assert_eq!(
        (answer.status.as_u16(), &answer.json()["code"]),
        (status, &json!(code))
    );
    assert!(answer.text().contains(why), "{}", answer.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_kept_is_everybodys_and_lasts() {
    let server = TestServer::start().await;
    let none = server.json(PATH).await;
    assert_eq!(
        (problems("Saved", &none), &none["queries"]),
        (String::new(), &json!([]))
    );
    let sql = json!({"name": "by hand", "sql": "select 1"});
    let graph = json!({"name": "tables", "graph": "MATCH (t:Table) RETURN t.name, t.errors"});
    let all = [mails(&[("service", "mail")]), sql.clone(), graph];
    let kept = server.keep(&all).await;
    assert_eq!(
        (kept.status.as_u16(), problems("Saved", &kept.json())),
        (200, String::new())
    );
    assert_eq!(kept.json()["queries"][1], sql);
    let shown = server.json(PATH).await;
    assert_eq!(shown, kept.json());

    let edition = shown["edition"].as_str().expect("an edition");
    let here = format!("{PATH}?edition={edition}");
    let without = json!({"queries": all[1..]});
    let set = server.put(&here, &without).await;
    assert_eq!(set.status, 200, "{}", set.text());
    // Somebody else has the edition of before.
    refused(
        &server.put(&here, &json!({"queries": all})).await,
        409,
        "TL0221",
        "read them again",
    );
    assert_eq!(server.json(PATH).await["queries"][0], sql);

    let nothing = server.keep(&[json!({"name": "x"})]).await;
    refused(
        &nothing,
        400,
        "TL0218",
        "queries[0].query: it asks one thing",
    );
    let twice = server.keep(&[sql.clone(), sql.clone()]).await;
    refused(
        &twice,
        400,
        "TL0218",
        "queries[1].name: there is another one",
    );
    let no_graph = server
        .keep(&[json!({"name": "x", "graph": "MATCH (f"})])
        .await;
    refused(&no_graph, 400, "TL0218", "queries[0].graph");
    refused(
        &server.put(PATH, &json!({"query": []})).await,
        400,
        "TL0218",
        "unknown field",
    );
    let what = format!("{PATH}?version=1");
    refused(&server.put(&what, &without).await, 400, "TL0201", "version");

    let shown = server.json(PATH).await;
    let data_dir = server.stop().await;
    let server = TestServer::start_on(data_dir, Clock::default()).await;
    assert_eq!(server.json(PATH).await, shown);
    let keyed = TestServer::start_with(Some("k"), Limits::default()).await;
    assert_eq!(keyed.put(PATH, &without).await.status, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alert_follows_a_saved_query() {
    let clock = SimClock::at(BEGIN);
    let shown = clock.clone();
    let shown = Clock::new(move || shown.now());
    let server = TestServer::start_at(shown.clone()).await;
    server.orders(0..20, true).await;
    clock.advance(after(10));
    let sent = mails(&[("service", "mail"), ("name", "SendEmail")]);
    assert_eq!(server.keep(std::slice::from_ref(&sent)).await.status, 200);
    let alert = |saved: &str| json!({"alerts": [{"name": "many mails", "saved": saved, "op": ">=", "value": 15}]});
    let set = server.put(ALERTS, &alert("nobody's")).await;
    refused(
        &set,
        400,
        "TL0218",
        "alerts[0].saved: there is no saved query",
    );
    let set = server.put(ALERTS, &alert("Sent \"mails\"")).await;
    assert_eq!(set.status, 200, "{}", set.text());
    let known = server.counted(10).await;
    assert_eq!(known["settings"]["alerts"][0]["saved"], "Sent \"mails\"");
    assert!(
        known["settings"]["alerts"][0].get("query").is_none(),
        "{known:#}"
    );
    // Of five minutes, with two orders each.
    let found = |known: &Value| {
        (
            known["alerts"][0]["state"].clone(),
            known["alerts"][0]["value"].clone(),
        )
    };
    assert_eq!(found(&known), (json!("ok"), json!(10.0)));

    // What is saved is another query, so the alert asks that.
    let all = mails(&[("service", "mail")]);
    assert_eq!(server.keep(std::slice::from_ref(&all)).await.status, 200);
    let known = server.counted(10).await;
    assert_eq!(found(&known), (json!("firing"), json!(20.0)));

    // It is neither removed nor renamed nor made something that is no number.
    let why = "the alert \\\"many mails\\\" follows";
    refused(&server.keep(&[]).await, 400, "TL0218", why);
    let mut other = all.clone();
    other["name"] = json!("mails");
    refused(&server.keep(&[other.clone()]).await, 400, "TL0218", why);
    let mut two = all.clone();
    two["query"]["calculations"] = json!([{"op": "COUNT"}, {"op": "RATE"}]);
    refused(
        &server.keep(&[two]).await,
        400,
        "TL0218",
        "it must have one calculation",
    );
    assert_eq!(server.json(PATH).await["queries"][0]["name"], all["name"]);

    // A damaged file is set aside. The alert says why it has no answer, and does not end.
    let data_dir = server.stop().await;
    let file = data_dir.path().join("data/saved.json");
    fs::write(&file, "{").expect("a file");
    clock.advance(Duration::from_secs(60));
    let server = TestServer::start_on(data_dir, shown).await;
    assert_eq!(server.json(PATH).await["queries"], json!([]));
    let known = server.counted(11).await;
    assert_eq!(known["alerts"][0]["state"], "firing");
    let error = known["alerts"][0]["error"].as_str().unwrap_or_default();
    assert!(error.contains("there is no saved query"), "{known:#}");
    let damaged = fs::read(file.with_added_extension("damaged")).expect("what was damaged");
    assert_eq!(damaged, b"{");
    assert_eq!(server.keep(&[other, all]).await.status, 200);
    clock.advance(Duration::from_secs(60));
    let known = server.counted(12).await;
    assert_eq!(
        (found(&known), &known["alerts"][0]["error"]),
        ((json!("firing"), json!(20.0)), &Value::Null)
    );
}
