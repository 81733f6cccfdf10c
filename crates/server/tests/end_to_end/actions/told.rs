//! What can be done stands in the messages, and an assistant gets an address at which a person confirms it.

use std::time::Duration;

use serde_json::{Value, json};
use throughline_testkit::{Hook, Mailbox};

use super::account::Account;
use super::{at_minute, known, took};
use crate::mcp;

/// The name and the key in an address of a message.
fn link_of(address: &str) -> (String, String) {
    let (_, link) = address.split_once("/act/").expect("an action");
    let (id, key) = link.split_once("?k=").expect("a key");
    let (key, incident) = key.split_once("&incident=").expect("its incident");
    assert!(incident.parse::<u64>().is_ok(), "{address}");
    (id.to_owned(), key.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unexpected_write_is_told_with_what_can_be_done() {
    let account = Account::default();
    let (server, clock, now) = known(&account).await;
    let (mailbox, hook) = (Mailbox::start().await, Hook::start().await);
    let address = mailbox.address();
    let settings = json!({
        "receivers": [
            {"name": "mail", "channel": {"type": "email", "to": ["ops@example.com"], "from": "t@example.com",
                "smtp": {"host": address.ip(), "port": address.port(), "tls": "none"}}},
            {"name": "chat", "channel": {"type": "slack", "url": hook.url("/slack")}}
        ],
        "routes": [{"name": "all", "receivers": ["mail", "chat"], "severity": "note"}]
    });
    let set = server.set(&settings).await;
    assert_eq!(set.status, 200, "{}", set.text());
    server.minutes(now..now + 2, 20).await;
    took(&server, now).await;
    at_minute(&server, &clock, now + 2).await;

    // The three choices, by mail and in Slack; each has a link of its own to the same action.
    let body = mailbox.wait_for(1).await[0].body();
    let in_mail = |label: &str| {
        let begin = format!("- {label}: ");
        let line = body.lines().find_map(|line| line.strip_prefix(&begin));
        link_of(line.unwrap_or_else(|| panic!("{label}: {body}")))
    };
    let chat: Value = serde_json::from_str(&hook.wait_for(1).await[0].body).expect("JSON");
    let blocks = chat["blocks"].as_array().expect("a list").iter();
    let buttons: Vec<&Value> = blocks
        .filter_map(|block| block["elements"].as_array())
        .flatten()
        .collect();
    let in_slack = |label: &str| {
        let button = buttons.iter().find(|it| it["text"]["text"] == label);
        let button = button.unwrap_or_else(|| panic!("{label}: {chat:#}"));
        link_of(button["url"].as_str().expect("an address"))
    };
    for shared in ["Ignore from now on", DENY, STOP] {
        let (mail, slack) = (in_mail(shared), in_slack(shared));
        assert_eq!(mail.0, slack.0, "{shared}");
        assert_ne!(mail.1, slack.1, "{shared}");
    }
    let (mute, other) = (in_mail(MUTE), in_slack(MUTE));
    assert_ne!(mute.0, other.0, "each says so for themselves");
    let proposed = server.events().await;
    assert_eq!(proposed, ["throughline proposed"; 5]);

    // Opening links does nothing; confirming one does it, for the others as well.
    let deny = in_mail(DENY);
    let page = server.get(&format!("/act/{}?k={}", deny.0, deny.1)).await;
    assert!(page.header("content-type").starts_with("text/html"));
    let shown = server.show(&deny).await;
    assert_eq!(shown["made_for"], "mail:ops@example.com");
    assert_eq!(account.called(), Vec::<String>::new());
    let done = server.confirm(&deny, "pay", &shown["seen"]).await;
    assert_eq!(done.json()["state"], "done", "{}", done.text());
    assert_eq!(account.called(), ["PutRolePolicy"]);
    let again = server.confirm(&in_slack(DENY), "pay", &shown["seen"]).await;
    assert_eq!(again.status, 409, "{}", again.text());
    let audit = server.json("/api/v1/audit").await;
    assert_eq!(audit["entries"][0]["by_link_for"], "mail:ops@example.com");
    assert_eq!(server.undo(&deny.0).await.json()["state"], "undone");
    assert_eq!(account.called(), ["DeleteRolePolicy"]);
    let seen = server.show(&mute).await["seen"].clone();
    let muted = server.confirm(&mute, "", &seen).await;
    let action = &muted.json()["action"];
    assert_eq!(action["person"], "ops@example.com", "{}", muted.text());

    // An assistant gets an address as well, and nothing more.
    let incident = server.incidents("state=open").await[0]["id"].clone();
    let client = mcp::connect(&server, None).await.expect("it connects");
    let asked = json!({"incident": incident, "action": "deny"});
    let answer = mcp::answer(&client, "propose_action", asked).await;
    let address = answer["permalink"].as_str().expect("an address");
    assert!(address.contains("/act/"), "{answer}");
    assert_eq!(answer["telemetry"]["calls"], json!(["iam:PutRolePolicy"]));
    client.cancel().await.expect("it ends");
    assert_eq!(account.called(), Vec::<String>::new());
    assert!(
        server
            .events()
            .await
            .ends_with(&["an assistant proposed".to_owned()])
    );

    clock.advance(Duration::from_secs(24 * 3600 + 1));
    let (id, key) = in_slack(STOP);
    let late = server.get(&format!("/api/v1/actions/{id}?k={key}")).await;
    assert_eq!(
        (late.status.as_u16(), &late.json()["code"]),
        (403, &json!("TL0215"))
    );
}

const MUTE: &str = "Don't bother me again";
const DENY: &str = "Shut it down: deny pay writing to table:audit for 4 hours";
const STOP: &str = "Shut it down: stop pay for 1 hour";
