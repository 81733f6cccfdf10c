mod hostile;
mod mail;
mod whose;

use expect_test::{Expect, expect};
use serde_json::{Value, json};
use throughline_insight::detect::Severity;

use super::*;
use crate::letter::digest;
use crate::notice::{Notice, Phase, Whose};
use crate::outbox::Thread;
use crate::testing::{at, notice, settings};

fn channels() -> Settings {
    settings(json!({
        "environment": "production",
        "receivers": [
            {"name": "mail", "utc_offset_minutes": 60, "channel": {"type": "email", "to": ["ops@example.com"],
                "from": "Throughline <t@example.com>", "smtp": {"host": "mail.example.com",
                "username": "t", "password": "${NOTIFY_SMTP}"}}},
            {"name": "chat", "channel": {"type": "slack", "url": "${NOTIFY_SLACK}"}},
            {"name": "page", "channel": {"type": "pagerduty", "routing_key": "R0UT1NG"}},
            {"name": "am", "channel": {"type": "alertmanager", "url": "http://am:9093/", "bearer_token": "t0ken"}},
            {"name": "hook", "channel": {"type": "webhook", "url": "https://example.com/in",
                "secret": "sixteen letters!"}}
        ],
        "routes": [{"name": "all", "receivers": ["mail", "chat", "page", "am", "hook"]}]
    }))
}

fn thread(before: u32, was: Option<&str>) -> Thread {
    Thread {
        before,
        title: "function:pay is slower: p99 100 ms → 147 ms".into(),
        node: "function:pay".to_owned(),
        kind: "latency".to_owned(),
        whose: Whose::default(),
        was: was.map(str::to_owned),
    }
}

fn made(receiver: &str, content: &Content) -> Message {
    let settings = channels();
    let variables = |name: &str| {
        let name = name.strip_prefix("NOTIFY_")?.to_lowercase();
        Some(format!("https://{name}.example/hush"))
    };
    let frame = Frame {
        settings: &settings,
        receiver: settings.receiver(receiver).unwrap(),
        address: (receiver == "mail").then_some("ops@example.com"),
        why: "the route \"all\" sends warnings and worse here",
        key: b"a key",
        variables: &variables,
        now: at("2026-11-22T14:05:00Z"),
    };
    format(content, &frame).unwrap()
}

fn post(receiver: &str, content: &Content) -> Post {
    let Message::Post(mut posts) = made(receiver, content) else {
        panic!("{receiver} is posted to");
    };
    posts.pop().unwrap()
}

fn check_post(receiver: &str, content: &Content, expected: Expect) -> Post {
    let post = post(receiver, content);
    let body: Value = serde_json::from_str(&post.body).unwrap();
    let headers: Vec<String> = post
        .headers
        .iter()
        .map(|(name, text)| format!("{name}: {text}\n"))
        .collect();
    let body = serde_json::to_string_pretty(&body).unwrap();
    expected.assert_eq(&format!("POST {}\n{}{body}", post.url, headers.concat()));
    post
}

fn mail(content: &Content) -> Mail {
    match made("mail", content) {
        Message::Mail(mail) => mail,
        Message::Post(_) => panic!("mails are not posted"),
    }
}

fn opened() -> Content {
    Content::Notice(
        notice("incident-12", Phase::Opened, Severity::Critical),
        thread(0, None),
    )
}

fn closed() -> Content {
    Content::Notice(
        notice("incident-12", Phase::Closed, Severity::Critical),
        thread(2, Some("warning")),
    )
}

fn letter() -> Content {
    let (mut one, mut other) = (
        notice("incident-12", Phase::Opened, Severity::Warning),
        notice("incident-13", Phase::Closed, Severity::Note),
    );
    one.title = "function:ship is silent: 45 → 0 calls in a quarter of an hour".into();
    other.page = String::new();
    Content::Letter(digest(&[&other, &one], 0))
}

#[test]
fn an_incident_in_slack() {
    check_post(
        "chat",
        &opened(),
        expect![[r#"
            POST https://slack.example/hush
            {
              "blocks": [
                {
                  "text": {
                    "emoji": false,
                    "text": "function:pay is slower: p99 100 ms → 147 ms",
                    "type": "plain_text"
                  },
                  "type": "header"
                },
                {
                  "text": {
                    "emoji": false,
                    "text": "critical · since 2026-11-22 14:02 UTC · production",
                    "type": "plain_text"
                  },
                  "type": "section"
                },
                {
                  "text": {
                    "emoji": false,
                    "text": "Most likely cause, 92 % of it: table:user: mean 4.00 ms → 133 ms",
                    "type": "plain_text"
                  },
                  "type": "section"
                },
                {
                  "fields": [
                    {
                      "emoji": false,
                      "text": "function:pay fails in a new way, 3 times: <b>no & \"money\"</b> <!channel> @here",
                      "type": "plain_text"
                    }
                  ],
                  "type": "section"
                },
                {
                  "text": {
                    "emoji": false,
                    "text": "Affected: function:shop is slow: 60.0 ms → 190 ms; service:web is slow: 1.20 s → 1.33 s",
                    "type": "plain_text"
                  },
                  "type": "section"
                },
                {
                  "elements": [
                    {
                      "action_id": "open-0",
                      "text": {
                        "emoji": false,
                        "text": "Open",
                        "type": "plain_text"
                      },
                      "type": "button",
                      "url": "https://t.example/incidents/12"
                    },
                    {
                      "action_id": "open-1",
                      "text": {
                        "emoji": false,
                        "text": "A slow trace",
                        "type": "plain_text"
                      },
                      "type": "button",
                      "url": "https://t.example/traces/1?a=b&c=d"
                    },
                    {
                      "action_id": "open-2",
                      "text": {
                        "emoji": false,
                        "text": "All slow spans",
                        "type": "plain_text"
                      },
                      "type": "button",
                      "url": "https://t.example/explore?q=1"
                    },
                    {
                      "action_id": "open-3",
                      "text": {
                        "emoji": false,
                        "text": "What else is affected",
                        "type": "plain_text"
                      },
                      "type": "button",
                      "url": "https://t.example/investigate?incident=12"
                    }
                  ],
                  "type": "actions"
                },
                {
                  "elements": [
                    {
                      "action_id": "act-0",
                      "text": {
                        "emoji": false,
                        "text": "Ignore from now on",
                        "type": "plain_text"
                      },
                      "type": "button",
                      "url": "https://t.example/act/7?k=ab12"
                    }
                  ],
                  "type": "actions"
                },
                {
                  "elements": [
                    {
                      "emoji": false,
                      "text": "Why you got this: the route \"all\" sends warnings and worse here. To stop it, change https://t.example/notifications",
                      "type": "plain_text"
                    }
                  ],
                  "type": "context"
                }
              ],
              "text": "function:pay is slower: p99 100 ms → 147 ms (critical · since 2026-11-22 14:02 UTC · production)",
              "unfurl_links": false,
              "unfurl_media": false
            }"#]],
    );
}

#[test]
fn a_digest_in_slack() {
    check_post(
        "chat",
        &letter(),
        expect![[r#"
        POST https://slack.example/hush
        {
          "blocks": [
            {
              "text": {
                "emoji": false,
                "text": "2 notices: 1 warning, 1 note",
                "type": "plain_text"
              },
              "type": "header"
            },
            {
              "accessory": {
                "text": {
                  "emoji": false,
                  "text": "Open",
                  "type": "plain_text"
                },
                "type": "button",
                "url": "https://t.example/incidents/12"
              },
              "text": {
                "emoji": false,
                "text": "function:ship is silent: 45 → 0 calls in a quarter of an hour\nwarning · since 2026-11-22 14:02 UTC · production",
                "type": "plain_text"
              },
              "type": "section"
            },
            {
              "text": {
                "emoji": false,
                "text": "function:pay is slower: p99 100 ms → 147 ms\nended 2026-11-22 17:07 UTC, after 3 h 5 min · production",
                "type": "plain_text"
              },
              "type": "section"
            },
            {
              "elements": [
                {
                  "emoji": false,
                  "text": "Why you got this: the route \"all\" sends warnings and worse here. To stop it, change https://t.example/notifications",
                  "type": "plain_text"
                }
              ],
              "type": "context"
            }
          ],
          "text": "2 notices: 1 warning, 1 note",
          "unfurl_links": false,
          "unfurl_media": false
        }"#]],
    );
}

#[test]
fn an_incident_at_pagerduty() {
    check_post(
        "page",
        &opened(),
        expect![[r#"
            POST https://events.pagerduty.com/v2/enqueue
            {
              "client": "Throughline",
              "client_url": "https://t.example/incidents/12",
              "dedup_key": "throughline/production/incident-12",
              "event_action": "trigger",
              "links": [
                {
                  "href": "https://t.example/incidents/12",
                  "text": "Throughline"
                },
                {
                  "href": "https://t.example/traces/1?a=b&c=d",
                  "text": "A slow trace"
                },
                {
                  "href": "https://t.example/explore?q=1",
                  "text": "All slow spans"
                },
                {
                  "href": "https://t.example/investigate?incident=12",
                  "text": "What else is affected"
                },
                {
                  "href": "https://t.example/act/7?k=ab12",
                  "text": "Ignore from now on"
                }
              ],
              "payload": {
                "class": "latency",
                "component": "function:pay",
                "custom_details": {
                  "affected": "Affected: function:shop is slow: 60.0 ms → 190 ms; service:web is slow: 1.20 s → 1.33 s",
                  "also": [
                    "function:pay fails in a new way, 3 times: <b>no & \"money\"</b> <!channel> @here"
                  ],
                  "cause": "Most likely cause, 92 % of it: table:user: mean 4.00 ms → 133 ms",
                  "nodes": [
                    "function:pay",
                    "table:user"
                  ],
                  "state": "critical · since 2026-11-22 14:02 UTC · production",
                  "why_you_got_this": "the route \"all\" sends warnings and worse here"
                },
                "group": "production",
                "severity": "critical",
                "source": "function:pay",
                "summary": "function:pay is slower: p99 100 ms → 147 ms",
                "timestamp": "2026-11-22T14:02:00Z"
              },
              "routing_key": "R0UT1NG"
            }"#]],
    );
    let action = |phase| {
        let content = Content::Notice(notice("1", phase, Severity::Note), thread(1, None));
        let body: Value = serde_json::from_str(&post("page", &content).body).unwrap();
        (body["event_action"].clone(), body["dedup_key"].clone())
    };
    for (phase, expected) in [
        (Phase::Grew, "trigger"),
        (Phase::Acknowledged, "acknowledge"),
        (Phase::Closed, "resolve"),
    ] {
        assert_eq!(
            action(phase),
            (expected.into(), "throughline/production/1".into())
        );
    }
}

/// Nobody ends a test there.
#[test]
fn a_test_at_alertmanager_ends_within_minutes() {
    let now = at("2026-11-22T14:02:00Z");
    let sample = Notice::sample("https://t.example", "production", now);
    let post = post("am", &Content::of_test(&sample));
    let body: Value = serde_json::from_str(&post.body).unwrap();
    assert_eq!(body[0]["startsAt"], "2026-11-22T14:02:00Z");
    assert_eq!(body[0]["endsAt"], "2026-11-22T14:07:00Z");
}

#[test]
fn an_incident_at_alertmanager() {
    check_post(
        "am",
        &closed(),
        expect![[r#"
            POST http://am:9093/api/v2/alerts
            authorization: Bearer t0ken
            [
              {
                "annotations": {
                  "affected": "Affected: function:shop is slow: 60.0 ms → 190 ms; service:web is slow: 1.20 s → 1.33 s",
                  "also": "function:pay fails in a new way, 3 times: <b>no & \"money\"</b> <!channel> @here",
                  "cause": "Most likely cause, 92 % of it: table:user: mean 4.00 ms → 133 ms",
                  "links": "A slow trace: https://t.example/traces/1?a=b&c=d\nAll slow spans: https://t.example/explore?q=1\nWhat else is affected: https://t.example/investigate?incident=12\nIgnore from now on: https://t.example/act/7?k=ab12",
                  "summary": "function:pay is slower: p99 100 ms → 147 ms"
                },
                "endsAt": "2026-11-22T17:07:00Z",
                "generatorURL": "https://t.example/incidents/12",
                "labels": {
                  "about": "incident-12",
                  "alertname": "Throughline",
                  "environment": "production",
                  "kind": "latency",
                  "node": "function:pay",
                  "severity": "critical"
                },
                "startsAt": "2026-11-22T14:02:00Z"
              },
              {
                "annotations": {
                  "affected": "Affected: function:shop is slow: 60.0 ms → 190 ms; service:web is slow: 1.20 s → 1.33 s",
                  "also": "function:pay fails in a new way, 3 times: <b>no & \"money\"</b> <!channel> @here",
                  "cause": "Most likely cause, 92 % of it: table:user: mean 4.00 ms → 133 ms",
                  "links": "A slow trace: https://t.example/traces/1?a=b&c=d\nAll slow spans: https://t.example/explore?q=1\nWhat else is affected: https://t.example/investigate?incident=12\nIgnore from now on: https://t.example/act/7?k=ab12",
                  "summary": "function:pay is slower: p99 100 ms → 147 ms"
                },
                "endsAt": "2026-11-22T17:07:00Z",
                "generatorURL": "https://t.example/incidents/12",
                "labels": {
                  "about": "incident-12",
                  "alertname": "Throughline",
                  "environment": "production",
                  "kind": "latency",
                  "node": "function:pay",
                  "severity": "warning"
                },
                "startsAt": "2026-11-22T14:02:00Z"
              }
            ]"#]],
    );
}

#[test]
fn an_incident_at_a_webhook_is_signed() {
    let post = check_post(
        "hook",
        &opened(),
        expect![[r#"
            POST https://example.com/in
            x-throughline-signature: t=1795356300,v1=5543b0e192b5098d90ced4b37d6121d958f30a2d7429bc2f02c49e8dd4867217
            idempotency-key: hook/incident-12/0
            {
              "about": "incident-12",
              "actions": [
                {
                  "href": "https://t.example/act/7?k=ab12",
                  "text": "Ignore from now on"
                }
              ],
              "affected": [
                "function:shop is slow: 60.0 ms → 190 ms",
                "service:web is slow: 1.20 s → 1.33 s"
              ],
              "at": "2026-11-22T14:04:00Z",
              "cause": {
                "node": "table:user",
                "share": 0.917,
                "text": "table:user: mean 4.00 ms → 133 ms"
              },
              "environment": "production",
              "evidence": [
                {
                  "href": "https://t.example/traces/1?a=b&c=d",
                  "text": "A slow trace"
                },
                {
                  "href": "https://t.example/explore?q=1",
                  "text": "All slow spans"
                },
                {
                  "href": "https://t.example/investigate?incident=12",
                  "text": "What else is affected"
                }
              ],
              "findings": [
                {
                  "kind": "latency",
                  "nodes": [
                    "function:pay"
                  ],
                  "severity": "critical",
                  "title": "function:pay is slower: p99 100 ms → 147 ms"
                },
                {
                  "kind": "new_error",
                  "nodes": [
                    "function:pay",
                    "table:user"
                  ],
                  "severity": "critical",
                  "title": "function:pay fails in a new way, 3 times: <b>no & \"money\"</b> <!channel> @here"
                }
              ],
              "id": "hook/incident-12/0",
              "page": "https://t.example/incidents/12",
              "severity": "critical",
              "since": "2026-11-22T14:02:00Z",
              "title": "function:pay is slower: p99 100 ms → 147 ms",
              "type": "opened",
              "version": 1,
              "why": "the route \"all\" sends warnings and worse here"
            }"#]],
    );
    let (_, signature) = &post.headers[0];
    let now = at("2026-11-22T14:09:00Z");
    assert!(verify("sixteen letters!", signature, &post.body, now));
    assert!(!verify("another secret!!", signature, &post.body, now));
    assert!(!verify(
        "sixteen letters!",
        signature,
        &format!("{} ", post.body),
        now
    ));
    assert!(!verify(
        "sixteen letters!",
        signature,
        &post.body,
        at("2026-11-22T14:11:00Z")
    ));
    assert!(!verify(
        "sixteen letters!",
        &signature.replace("t=1", "t=2"),
        &post.body,
        now
    ));
    for bad in ["", "t=1", "t=x,v1=00", "t=1,v1=zz", "t=1,v1=ä"] {
        assert!(!verify("sixteen letters!", bad, &post.body, now));
    }
}

#[test]
fn letters_are_no_alerts() {
    for receiver in ["page", "am"] {
        assert!(matches!(made(receiver, &letter()), Message::Post(posts) if posts.is_empty()));
    }
}

#[test]
fn a_variable_that_is_not_set_is_named() {
    let settings = channels();
    let frame = Frame {
        settings: &settings,
        receiver: settings.receiver("chat").unwrap(),
        address: None,
        why: "",
        key: b"",
        variables: &|_| None,
        now: UnixNanos(0),
    };
    let Err(error) = format(&opened(), &frame) else {
        panic!("there is no such variable");
    };
    assert_eq!(
        error.to_string(),
        "the environment variable NOTIFY_SLACK is not set"
    );
}
