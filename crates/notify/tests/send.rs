//! Messages to servers of this machine that keep what they are sent.

#![allow(clippy::unwrap_used)] // tests, helpers too

use serde_json::{Value, json};
use throughline_notify::Answer;
use throughline_notify::format::{Frame, SIGNATURE, verify};
use throughline_notify::{Content, Notice, Outbox, Outcome, Sender, Settings};
use throughline_telemetry::UnixNanos;
use throughline_testkit::{Hook, Mailbox};

const NOW: UnixNanos = UnixNanos(1_795_356_300_000_000_000);

fn settings(channel: &Value) -> Settings {
    let raw = json!({
        "receivers": [{"name": "a", "channel": channel}],
        "routes": [{"name": "all", "receivers": ["a"], "severity": "note"}]
    });
    let settings = Settings::try_new(serde_json::from_value(raw).unwrap()).unwrap();
    settings.reached_at("https://t.example".to_owned())
}

/// What comes of a notice at this channel.
async fn send(channel: &Value) -> Vec<Answer> {
    let settings = settings(channel);
    let mut outbox = Outbox::default();
    outbox.take(
        &settings,
        &Notice::sample("https://t.example", "test", NOW),
        NOW,
    );
    let sender = Sender::new();
    let mut answers = Vec::new();
    for job in outbox.due(&settings, NOW) {
        let frame = Frame {
            settings: &settings,
            receiver: settings.receiver(&job.receiver).unwrap(),
            address: job.address.as_deref(),
            why: &job.why,
            key: b"key",
            variables: &|_| None,
            now: NOW,
        };
        answers.push(sender.send(&job.content, &frame).await);
    }
    answers
}

fn email(mailbox: &Mailbox) -> Value {
    let address = mailbox.address();
    json!({"type": "email", "to": ["a@example.com", "b@example.com"], "from": "T <t@example.com>",
        "smtp": {"host": address.ip(), "port": address.port(), "tls": "none"}})
}

#[tokio::test]
async fn a_mail_server_takes_a_mail_for_each_address() {
    let mailbox = Mailbox::start().await;
    let answers = send(&email(&mailbox)).await;
    assert_eq!(answers[0].outcome, Outcome::Sent);
    assert_eq!(answers[0].said, "250 taken");
    let mails = mailbox.wait_for(2).await;
    let to: Vec<&str> = mails.iter().map(|mail| mail.to[0].as_str()).collect();
    assert_eq!(to, ["a@example.com", "b@example.com"]);
    assert_eq!(mails[0].from, "t@example.com");
    assert_eq!(mails[0].header("To"), "a@example.com");
    assert_eq!(
        mails[0].header("List-Unsubscribe-Post"),
        "List-Unsubscribe=One-Click"
    );
    assert!(
        mails[0]
            .header("List-Unsubscribe")
            .contains("address=a%40example.com")
    );
    let body = mails[0].body();
    assert!(
        body.contains("Most likely cause, 92 % of it: table:user: mean 4.00 ms → 133 ms"),
        "{body}"
    );
    assert_ne!(mails[0].header("Message-ID"), mails[1].header("Message-ID"));
}

#[tokio::test]
async fn a_mail_server_refuses_for_now_or_for_good() {
    let mailbox = Mailbox::start().await;
    mailbox.refuse(Some("451 greylisted"));
    let answers = send(&email(&mailbox)).await;
    assert!(
        matches!(&answers[0].outcome, Outcome::Later(why, None) if why.contains("451")),
        "{answers:?}"
    );
    mailbox.refuse(Some("550 go away"));
    let answers = send(&email(&mailbox)).await;
    assert!(
        matches!(&answers[0].outcome, Outcome::Refused(why) if why.contains("550")),
        "{answers:?}"
    );
    assert!(mailbox.mails().is_empty());
}

/// The catcher offers no TLS, so nothing may be said to it: neither a password nor a mail.
#[tokio::test]
async fn without_tls_nothing_is_said_unless_that_is_wanted() {
    let mailbox = Mailbox::start().await;
    let mut channel = email(&mailbox);
    channel["smtp"]["tls"] = "starttls".into();
    let answers = send(&channel).await;
    assert!(!matches!(answers[0].outcome, Outcome::Sent), "{answers:?}");
    assert!(mailbox.mails().is_empty());
}

#[tokio::test]
async fn a_webhook_can_check_what_it_gets() {
    let hook = Hook::start().await;
    let channel =
        json!({"type": "webhook", "url": hook.url("/in?x=1"), "secret": "sixteen letters!"});
    assert_eq!(send(&channel).await[0].said, "200 OK: ok");
    let request = &hook.wait_for(1).await[0];
    assert_eq!(request.line, "POST /in?x=1");
    assert_eq!(request.header("content-type"), "application/json");
    assert!(verify(
        "sixteen letters!",
        request.header(SIGNATURE),
        &request.body,
        NOW
    ));
    let body: Value = serde_json::from_str(&request.body).unwrap();
    assert_eq!(body["id"], request.header("idempotency-key"));
    assert_eq!(body["type"], "opened");
}

#[tokio::test]
async fn what_the_other_side_says_is_heard() {
    let hook = Hook::start().await;
    let slack = json!({"type": "slack", "url": hook.url("/services/T/B/secret")});
    hook.answer_next(404, "no_service");
    let answers = send(&slack).await;
    assert_eq!(
        answers[0].outcome,
        Outcome::Refused("404 Not Found: no_service".to_owned())
    );
    hook.answer_next(503, "");
    let answers = send(&slack).await;
    assert_eq!(
        answers[0].outcome,
        Outcome::Later("503 Service Unavailable".to_owned(), None)
    );
}

#[tokio::test]
async fn nobody_listens() {
    let hook = Hook::start().await;
    let url = hook.url("/services/T/B/secret");
    drop(hook);
    let answers = send(&json!({"type": "slack", "url": url})).await;
    let Outcome::Later(why, None) = &answers[0].outcome else {
        panic!("{answers:?}");
    };
    assert!(!why.contains("secret"), "{why}");
}

#[tokio::test]
async fn a_test_is_sent_without_a_route() {
    let hook = Hook::start().await;
    let settings =
        settings(&json!({"type": "pagerduty", "routing_key": "R", "url": hook.url("/v2/enqueue")}));
    let frame = Frame {
        settings: &settings,
        receiver: settings.receiver("a").unwrap(),
        address: None,
        why: "somebody pressed the test button",
        key: b"key",
        variables: &|_| None,
        now: NOW,
    };
    let content = Content::of_test(&Notice::sample("https://t.example", "test", NOW));
    hook.answer_next(202, r#"{"status":"success"}"#);
    let answer = Sender::new().send(&content, &frame).await;
    assert_eq!(answer.said, r#"202 Accepted: {"status":"success"}"#);
    let body: Value = serde_json::from_str(&hook.wait_for(1).await[0].body).unwrap();
    assert_eq!(body["payload"]["severity"], "info");
}
