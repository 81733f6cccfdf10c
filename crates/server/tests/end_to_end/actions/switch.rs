//! One switch stops all actions, and stays thrown whatever happens to what it is written in.

use std::time::Duration;

use serde_json::{Value, json};

use super::account::Account;
use super::{acting, again, stop};
use crate::openapi::problems;

#[tokio::test(flavor = "multi_thread")]
async fn the_switch_and_the_limit_stop_acting_and_not_undoing() {
    let account = Account::default();
    let (server, clock) = acting(&account).await;
    let (link, seen) = server.looked_at(&stop()).await;
    let switch = "/api/v1/actions/switch";
    server
        .send(switch, &json!({"who": "eve", "why": "game day"}))
        .await;
    // A restart does not throw it back.
    let server = again(&account, &clock, server.stop().await).await;
    let refused = server.confirm(&link, "pay", &seen).await;
    assert!(
        refused
            .text()
            .contains("eve has stopped all actions: game day"),
        "{}",
        refused.text()
    );
    assert_eq!(account.called(), Vec::<String>::new());
    server.send(switch, &json!({"who": "eve"})).await;
    assert_eq!(server.confirm(&link, "pay", &seen).await.status, 200);
    server
        .send(switch, &json!({"who": "eve", "why": "again"}))
        .await;
    assert_eq!(server.undo(&link.0).await.status, 200);
    server.send(switch, &json!({"who": "eve"})).await;

    // Ten an hour, one of which was done just now.
    let mut statuses = Vec::new();
    for _ in 0..10 {
        let (link, seen) = server.looked_at(&stop()).await;
        statuses.push(server.confirm(&link, "pay", &seen).await.status.as_u16());
    }
    assert_eq!(statuses[..9], [200; 9], "{statuses:?}");
    assert_eq!(statuses[9], 409, "{statuses:?}");
    clock.advance(Duration::from_secs(25 * 3600));
    let path = format!("/api/v1/actions/{}?k={}", link.0, link.1);
    assert_eq!(server.get(&path).await.status, 403, "after a day");
}

#[tokio::test(flavor = "multi_thread")]
async fn damage_to_the_audit_log_does_not_throw_the_switch_back() {
    let account = Account::default();
    let (server, clock) = acting(&account).await;
    let (link, seen) = server.looked_at(&stop()).await;
    let switch = "/api/v1/actions/switch";
    let why = json!({"who": "eve", "why": "game day"});
    server.send(switch, &why).await;
    let log = server.data_dir().join("data/actions/audit.jsonl");
    let folder = server.stop().await;
    let text = std::fs::read_to_string(&log).expect("a log");
    let damaged = text.replace(r#""event":"stopped""#, r#""event":"st\u0000pped""#);
    assert_ne!(text, damaged);
    std::fs::write(&log, damaged).expect("it can be written");

    let server = again(&account, &clock, folder).await;
    let refused = server.confirm(&link, "pay", &seen).await;
    let says = "throughline has stopped all actions: line 2 of the audit log cannot be read";
    assert!(refused.text().contains(says), "{}", refused.text());
    let status = server.json("/api/v1/status").await;
    assert_eq!(problems("Status", &status), "");
    assert_eq!(status["actions"]["stopped"]["who"], "throughline");
    let list = server.json("/api/v1/actions").await;
    assert_eq!(list["stopped"], status["actions"]["stopped"]);
    let metrics = server.get("/metrics").await.text();
    assert!(metrics.contains("\nthroughline_actions_stopped 1\n"));
    assert_eq!(account.called(), Vec::<String>::new());

    // Whoever has read it lets them be done again, and so it is after the next start.
    server.send(switch, &json!({"who": "eve"})).await;
    let server = again(&account, &clock, server.stop().await).await;
    assert_eq!(server.confirm(&link, "pay", &seen).await.status, 200);
    let status = server.json("/api/v1/status").await;
    assert_eq!(status["actions"]["stopped"], Value::Null);
}
