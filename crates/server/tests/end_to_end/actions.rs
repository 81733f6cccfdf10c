//! An unexpected write is found, shut down and undone; what is ignored is not found again; and what is refused.
//!
//! The account is a pretended one. `deploy/actuator` has the same orders followed at moto.

mod account;
mod memory;
mod sources;
mod switch;
mod told;

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use throughline_server::{Actuation, Clock, Limits};
use throughline_telemetry::{Signal, Span, SpanKind};
use throughline_testkit::SimClock;
use tokio::sync::Notify;

use self::account::Account;
use crate::harness::{Answer, TestServer};
use crate::incidents::{BEGIN, after};
use crate::openapi::problems;
use crate::samples::{span, traces};

/// What whoever works with a server does.
impl TestServer {
    async fn send(&self, path: &str, body: &Value) -> Answer {
        let as_json = [("content-type", "application/json")];
        self.post_api(path, &as_json, body.to_string()).await
    }

    /// The name of what was proposed, and the key of its link.
    async fn propose(&self, action: &Value, incident: Option<u64>) -> (String, String) {
        let body = json!({"who": "ada", "action": action, "incident": incident});
        let proposed = self.send("/api/v1/actions/propose", &body).await;
        assert_eq!(proposed.status, 200, "{}", proposed.text());
        let proposed = proposed.json();
        let text = |field: &str| proposed[field].as_str().expect("a text").to_owned();
        let link = text("path");
        let (_, key) = link.split_once("k=").expect("a key");
        (text("id"), key.to_owned())
    }

    async fn show(&self, (id, key): &(String, String)) -> Value {
        let shown = self.json(&format!("/api/v1/actions/{id}?k={key}")).await;
        assert_eq!(problems("ShownAction", &shown), "");
        shown
    }

    async fn confirm(&self, (id, key): &(String, String), typed: &str, seen: &Value) -> Answer {
        let body = json!({"k": key, "who": "ada", "typed": typed, "seen": seen});
        self.send(&format!("/act/{id}"), &body).await
    }

    async fn undo(&self, id: &str) -> Answer {
        let body = json!({"who": "bob"});
        self.send(&format!("/api/v1/actions/{id}/undo"), &body)
            .await
    }

    /// The name of an action that was proposed, and what was shown of it.
    async fn looked_at(&self, action: &Value) -> ((String, String), Value) {
        let link = self.propose(action, None).await;
        let seen = self.show(&link).await["seen"].clone();
        (link, seen)
    }

    /// Waits until this is the last entry of the audit log.
    async fn until(&self, last: &str) {
        for _ in 0..600 {
            if self.events().await.last().is_some_and(|it| it == last) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("no {last}: {:#?}", self.events().await);
    }

    /// How all actions stand, the newest first.
    async fn states(&self) -> Vec<String> {
        let all = self.json("/api/v1/actions").await;
        assert_eq!(problems("ActionList", &all), "");
        let actions = all["actions"].as_array().expect("a list").iter();
        let state = |it: &Value| it["state"].as_str().expect("a word").to_owned();
        actions.map(state).collect()
    }

    async fn events(&self) -> Vec<String> {
        let page = self.json("/api/v1/audit?limit=1000").await;
        assert_eq!(problems("AuditPage", &page), "");
        let entries = page["entries"].as_array().expect("a list").iter().rev();
        let line = |it: &Value| format!("{} {}", it["who"], it["event"]).replace('"', "");
        entries.map(line).collect()
    }
}

/// A write of `pay` to the table `audit`, which it has never made.
fn write(minute: u64) -> Span {
    let start = BEGIN.plus(after(minute)).0 - 121_000_000_000;
    let mut put = span(
        "pay",
        0xffff_0000 + u128::from(minute),
        9,
        0,
        start,
        start + 1_000_000,
    );
    let attributes = [("service.name", "pay"), ("faas.name", "pay")];
    put.resource = Arc::new(throughline_telemetry::Resource {
        attributes: attributes.into_iter().collect(),
    });
    (put.kind, put.name) = (SpanKind::Client, "PutItem".to_owned());
    put.attributes.set("db.system.name", "aws.dynamodb");
    put.attributes.set("db.collection.name", "audit");
    put.attributes.set("db.operation.name", "PutItem");
    put
}

/// A server that knows an application for four days.
async fn known(account: &Account) -> (TestServer, SimClock, u64) {
    const DAY: u64 = 1440;
    let clock = SimClock::at(BEGIN);
    let shown = clock.clone();
    let shown = Clock::new(move || shown.now());
    let server = TestServer::start_at(shown.clone()).await;
    server.minutes(0..15, 20).await;
    server.minutes(4 * DAY - 30..4 * DAY, 20).await;
    let data_dir = server.stop().await;
    clock.advance(BEGIN.plus(after(4 * DAY)).since(clock.now()));
    // The first start learns of what is stored, and judges none of it.
    std::fs::remove_dir_all(data_dir.path().join("data/detection")).expect("it is there");
    let server = TestServer::start_acting(data_dir, shown, Actuation::by(account.clone())).await;
    server.watched().await;
    (server, clock, 4 * DAY)
}

async fn at_minute(server: &TestServer, clock: &SimClock, minute: u64) {
    clock.advance(BEGIN.plus(after(minute)).since(clock.now()));
    server.watched().await;
}

async fn took(server: &TestServer, minute: u64) {
    let answer = server
        .post_protobuf(Signal::Traces, traces(&[write(minute)]))
        .await;
    assert_eq!(answer.status, 200, "{}", answer.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unexpected_write_is_shut_down_and_undone_then_ignored() {
    let account = Account::default();
    let (server, clock, now) = known(&account).await;
    server.minutes(now..now + 2, 20).await;
    took(&server, now).await;
    at_minute(&server, &clock, now + 2).await;
    let open = server.incidents("state=open").await;
    assert_eq!(open.len(), 1, "{open:#?}");
    assert_eq!(
        open[0]["title"],
        "function:pay → table:audit PutItem is new, once"
    );
    let incident = open[0]["id"].as_u64();
    let path = format!("/api/v1/incidents/{}/actions", open[0]["id"]);
    let fit = server.json(&path).await;
    assert_eq!(problems("FittingActions", &fit), "");
    let proposals = fit["proposals"].as_array().unwrap();
    let titles: Vec<&str> = proposals
        .iter()
        .map(|it| it["title"].as_str().unwrap())
        .collect();
    assert_eq!(
        titles,
        [
            "deny pay writing to table:audit for 4 hours",
            "stop pay for 1 hour",
            "ignore new edge of function:pay → table:audit (write) for 365 days",
        ]
    );

    // Shown: the policy, and who would notice. Nothing is called by looking, however often.
    let link = server.propose(&proposals[0]["action"], incident).await;
    let shown = server.show(&link).await;
    server.show(&link).await;
    assert_eq!(account.called(), Vec::<String>::new());
    let statement = &shown["plan"]["policy"]["Statement"][0];
    assert_eq!(statement["Effect"], "Deny");
    let touched = json!([{"node": "function:pay", "to": "table:audit", "operation": "PutItem", "calls": 1, "errors": 0}]);
    assert_eq!(shown["touched"], touched);
    let page = server.get(&format!("/act/{}?k={}", link.0, link.1)).await;
    assert!(page.header("content-type").starts_with("text/html"));
    assert_eq!(account.called(), Vec::<String>::new());

    // Done once, by whoever types the name.
    let refused = server.confirm(&link, "pai", &shown["seen"]).await;
    assert_eq!(
        (refused.status.as_u16(), &refused.json()["code"]),
        (409, &json!("TL0216"))
    );
    let forged = (link.0.clone(), "AQAAAAAAAAAA".to_owned());
    assert_eq!(
        server.confirm(&forged, "pay", &shown["seen"]).await.status,
        403
    );
    assert_eq!(account.called(), Vec::<String>::new());
    let (one, other) = tokio::join!(
        server.confirm(&link, "pay", &shown["seen"]),
        server.confirm(&link, "pay", &shown["seen"])
    );
    let mut statuses = [one.status.as_u16(), other.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409]);
    assert_eq!(account.called(), ["PutRolePolicy"]);
    assert_eq!(server.undo(&link.0).await.json()["state"], "undone");
    assert_eq!(account.called(), ["DeleteRolePolicy"]);
    assert_eq!(server.undo(&link.0).await.status, 409);
    assert_eq!(
        server.confirm(&link, "pay", &shown["seen"]).await.status,
        409,
        "once"
    );

    // What follows from either is explained by it.
    let changes = server
        .json("/api/v1/changes?subject=function:pay&limit=2")
        .await;
    assert_eq!(problems("ChangeList", &changes), "");
    let whats = [0, 1].map(|place: usize| changes["changes"][place]["what"].clone());
    let deny = "a deny of writing to table:audit";
    assert_eq!(
        whats,
        [
            json!(format!("the end of {deny} by bob")),
            json!(format!("{deny} by ada"))
        ]
    );

    // Ignored: it closes, and the same write opens nothing, after a restart neither.
    let ignored = server.propose(&proposals[2]["action"], incident).await;
    let seen = server.show(&ignored).await["seen"].clone();
    assert_eq!(
        server.confirm(&ignored, "", &seen).await.json()["state"],
        "done"
    );
    server.minutes(now + 2..now + 4, 20).await;
    at_minute(&server, &clock, now + 4).await;
    assert_eq!(server.incidents("state=open").await, Vec::<Value>::new());
    assert_eq!(
        server.events().await,
        [
            "ada proposed",
            "ada began",
            "ada did",
            "bob undid",
            "ada proposed",
            "ada began",
            "ada did",
        ]
    );
    let data_dir = server.stop().await;
    let shown = clock.clone();
    let server = TestServer::start_on(data_dir, Clock::new(move || shown.now())).await;
    let all = server.json("/api/v1/actions").await;
    assert_eq!(all["place"], "off");
    assert_eq!(all["total"], 2);
    assert_eq!(server.states().await, ["done", "undone"]);

    // One after the other, and those alone that can be undone.
    let first = server.json("/api/v1/actions?limit=1").await;
    assert_eq!(problems("ActionList", &first), "");
    assert_eq!(first["actions"][0], all["actions"][0]);
    assert_eq!(first["actions"][0]["who"], "ada");
    let next = first["next_cursor"].as_str().expect("there is more");
    let second = server
        .json(&format!("/api/v1/actions?limit=1&cursor={next}"))
        .await;
    assert_eq!(second["actions"][0], all["actions"][1]);
    let rest = (&second["total"], &second["next_cursor"]);
    assert_eq!(rest, (&json!(1), &Value::Null));
    let in_force = server.json("/api/v1/actions?in_force=true").await;
    assert_eq!(in_force["actions"], json!([all["actions"][0]]));
    let audit = server.json("/api/v1/audit?limit=1").await;
    let title = audit["entries"][0]["title"].as_str();
    assert_eq!(title, all["actions"][0]["title"].as_str());
    let metrics = server.get("/metrics").await.text();
    for metric in [
        "actions_in_force{do=\"ignore\"} 1",
        "actions_in_force{do=\"deny\"} 0",
        "actions_overdue 0",
    ] {
        let line = format!("\nthroughline_{metric}\n");
        assert!(metrics.contains(&line), "{metric}: {metrics}");
    }
}

/// A server whose clock stands still until it is moved.
async fn acting(account: &Account) -> (TestServer, SimClock) {
    let clock = SimClock::at(BEGIN);
    let folder = tempfile::tempdir().expect("a temporary directory");
    let server = again(account, &clock, folder).await;
    let audit = server.data_dir().join("data/actions/audit.jsonl");
    account.change(|it| it.audit = Some(audit));
    (server, clock)
}

/// The next run of it.
async fn again(account: &Account, clock: &SimClock, folder: TempDir) -> TestServer {
    let clock = clock.clone();
    let clock = Clock::new(move || clock.now());
    TestServer::start_acting(folder, clock, Actuation::by(account.clone())).await
}

fn stop() -> Value {
    json!({"do": "stop", "function": "pay", "hours": 1})
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_done_that_was_not_seen_or_by_another_link() {
    let account = Account::default();
    let (server, _) = acting(&account).await;
    let (link, seen) = server.looked_at(&stop()).await;
    let (other, _) = server.looked_at(&stop()).await;
    let mixed = (link.0.clone(), other.1.clone());
    let refused = server.confirm(&mixed, "pay", &seen).await;
    assert_eq!(
        (refused.status.as_u16(), &refused.json()["code"]),
        (403, &json!("TL0215"))
    );
    let unseen = server.confirm(&link, "pay", &Value::Null).await;
    assert_eq!(unseen.status, 409);
    assert!(
        unseen.text().contains("look at it first"),
        "{}",
        unseen.text()
    );

    account.change(|it| it.revision += 1);
    let changed = server.confirm(&link, "pay", &seen).await;
    assert_eq!(changed.status, 409);
    assert!(
        changed.text().contains("things have changed"),
        "{}",
        changed.text()
    );
    assert_eq!(account.called(), Vec::<String>::new());
    let seen = server.show(&link).await["seen"].clone();
    let done = server.confirm(&link, "pay", &seen).await;
    assert_eq!(done.json()["state"], "done", "{}", done.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_ends_is_undone_by_itself_and_what_nobody_knows_too() {
    let account = Account::default();
    let (server, clock) = acting(&account).await;

    // The answer is lost: nobody knows whether it was done, so it ends as if it was.
    let (link, seen) = server.looked_at(&stop()).await;
    account.change(|it| it.trouble = Some("unreachable"));
    let lost = server.confirm(&link, "pay", &seen).await.json();
    assert_eq!(
        (&lost["state"], &lost["why"]),
        (&json!("begun"), &json!("unreachable"))
    );
    account.called();

    // What cannot be undone is tried again, and the reason is written down once.
    clock.advance(Duration::from_secs(3601));
    account.change(|it| it.trouble = Some("refused"));
    let server = again(&account, &clock, server.stop().await).await;
    server.until("throughline undo_failed").await;
    for _ in 0..2 {
        let failed = server.undo(&link.0).await;
        assert_eq!(
            (failed.status.as_u16(), &failed.json()["code"]),
            (502, &json!("TL0217"))
        );
    }
    clock.advance(Duration::from_secs(60));
    let metrics = server.get("/metrics").await.text();
    for metric in ["actions_in_force{do=\"stop\"} 1", "actions_overdue 1"] {
        let line = format!("\nthroughline_{metric}\n");
        assert!(metrics.contains(&line), "{metric}: {metrics}");
    }
    account.change(|it| it.trouble = None);
    account.called();
    let server = again(&account, &clock, server.stop().await).await;
    server.until("throughline undid").await;
    assert_eq!(account.called(), ["DeleteFunctionConcurrency"]);
    assert_eq!(
        server.events().await,
        [
            "ada proposed",
            "ada began",
            "ada failed",
            "throughline undo_failed",
            "throughline undid"
        ]
    );
}

/// What came of it is missing in the log, and of the next line there is a part.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_server_had_begun_when_it_was_killed_is_undone_at_its_end() {
    let account = Account::default();
    let (server, clock) = acting(&account).await;
    let (link, seen) = server.looked_at(&stop()).await;
    assert_eq!(server.confirm(&link, "pay", &seen).await.status, 200);
    let data_dir = server.stop().await;
    let path = data_dir.path().join("data/actions/audit.jsonl");
    let log = std::fs::read_to_string(&path).unwrap();
    let (begun, _) = log.trim_end().rsplit_once('\n').unwrap();
    std::fs::write(&path, format!("{begun}\n{{\"at\":17953")).unwrap();
    account.called();

    let server = again(&account, &clock, data_dir).await;
    assert_eq!(server.states().await, ["begun"]);
    assert_eq!(server.confirm(&link, "pay", &seen).await.status, 409);
    assert_eq!(account.called(), Vec::<String>::new());
    clock.advance(Duration::from_secs(3601));
    let server = again(&account, &clock, server.stop().await).await;
    server.until("throughline undid").await;
    assert_eq!(account.called(), ["DeleteFunctionConcurrency"]);
    assert_eq!(server.states().await, ["undone"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_refused_is_not_undone_and_what_somebody_changed_is_left() {
    let account = Account::default();
    let (server, clock) = acting(&account).await;
    account.change(|it| it.trouble = Some("refused"));
    let (link, seen) = server.looked_at(&stop()).await;
    let failed = server.confirm(&link, "pay", &seen).await.json();
    assert_eq!(
        (&failed["state"], &failed["why"]),
        (&json!("failed"), &json!("refused"))
    );
    assert_eq!(server.undo(&link.0).await.status, 409);
    assert_eq!(server.confirm(&link, "pay", &seen).await.status, 409);
    account.change(|it| it.trouble = None);

    let (link, seen) = server.looked_at(&stop()).await;
    assert_eq!(server.confirm(&link, "pay", &seen).await.status, 200);
    account.change(|it| it.reserved_since = Some(7));
    account.called();
    clock.advance(Duration::from_secs(3601));
    let server = again(&account, &clock, server.stop().await).await;
    server.until("throughline undo_failed").await;
    assert_eq!(server.states().await, ["drifted", "failed"]);
    assert_eq!(server.undo(&link.0).await.status, 409);
    assert_eq!(account.called(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_undoes_what_is_being_done() {
    let account = Account::default();
    let (server, _) = acting(&account).await;
    let (link, seen) = server.looked_at(&stop()).await;
    let go = Arc::new(Notify::new());
    account.change(|it| it.waits_for = Some(Arc::clone(&go)));
    let undoing = async {
        server.until("ada began").await;
        let refused = server.undo(&link.0).await;
        go.notify_one();
        refused
    };
    let (done, refused) = tokio::join!(server.confirm(&link, "pay", &seen), undoing);
    assert_eq!(done.json()["state"], "done", "{}", done.text());
    assert_eq!(refused.status, 409);
    assert!(refused.text().contains("right now"), "{}", refused.text());
    assert_eq!(account.called(), ["PutFunctionConcurrency"]);
    assert_eq!(server.undo(&link.0).await.status, 200);
}

/// The page of a link holds no data, so that it can ask for the key; everything else wants it, and the link's besides.
#[tokio::test(flavor = "multi_thread")]
async fn a_link_does_not_replace_the_key() {
    let server = TestServer::start_with(Some("s3cret"), Limits::default()).await;
    let key = ("authorization", "Bearer s3cret");
    let as_json = ("content-type", "application/json");
    let ignore = json!({"who": "ada", "action": {
        "do": "ignore", "node": "function:pay", "kind": "latency", "reason": "known", "days": 1
    }});
    let propose = "/api/v1/actions/propose";
    let proposed = server
        .post_api(propose, &[key, as_json], ignore.to_string())
        .await
        .json();
    let link = proposed["path"].as_str().unwrap();
    let (path, k) = link.split_once("?k=").unwrap();
    assert_eq!(server.get(link).await.status, 200);
    let shown = format!("/api/v1/actions/{}?k={k}", proposed["id"].as_str().unwrap());
    assert_eq!(server.get(&shown).await.status, 401);
    let body = json!({"who": "ada", "k": k}).to_string();
    let without = server.post_api(path, &[as_json], body.clone()).await;
    assert_eq!(without.status, 401);
    let with = server.post_api(path, &[key, as_json], body).await;
    assert_eq!(with.json()["state"], "done", "{}", with.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_in_the_account_is_changed_unless_somebody_said_so() {
    let server = TestServer::start().await;
    let link = server
        .propose(
            &json!({"do": "memory", "function": "pay", "memory_mb": 1024}),
            None,
        )
        .await;
    let shown = server.show(&link).await;
    assert_eq!(shown["place"], "off");
    assert_eq!(shown["plan"], Value::Null);
    let refused = server.confirm(&link, "pay", &Value::Null).await;
    assert_eq!(
        (refused.status.as_u16(), &refused.json()["code"]),
        (409, &json!("TL0216"))
    );
    assert!(
        refused.text().contains("--actions off"),
        "{}",
        refused.text()
    );
    let mute = json!({"do": "mute", "person": "nobody", "node": "function:pay", "kind": "latency", "days": 1});
    for wrong in [
        json!({"who": "", "action": stop()}),
        json!({"who": "Throughline", "action": stop()}),
        json!({"who": "a".repeat(100_000), "action": stop()}),
        json!({"who": "ada", "action": {"do": "stop", "function": "pay", "hours": 1000}}),
        json!({"who": "ada", "action": {"do": "stop", "function": "arn:aws:lambda:x", "hours": 1}}),
        json!({"who": "ada", "action": {"do": "call", "operation": "iam:CreateUser"}}),
        json!({"who": "ada", "action": mute}),
    ] {
        let answer = server.send("/api/v1/actions/propose", &wrong).await;
        assert_eq!(
            (answer.status.as_u16(), &answer.json()["code"]),
            (400, &json!("TL0201")),
            "{}",
            answer.text()
        );
    }
    let why = json!({"who": "ada", "why": "w".repeat(501)});
    let refused = server.send("/api/v1/actions/switch", &why).await;
    assert_eq!(refused.status, 400);
    assert_eq!(server.events().await, ["ada proposed"]);
}
