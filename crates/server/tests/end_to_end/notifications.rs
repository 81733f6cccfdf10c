//! Somebody is told: real telemetry opens an incident, and its mail and messages arrive.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use http::{Method, Request};
use http_body_util::Full;
use serde_json::{Value, json};
use throughline_server::Clock;
use throughline_telemetry::{Resource, Signal, Span};
use throughline_testkit::{Hook, Hooked, Mail, Mailbox, SimClock};

use crate::harness::{Answer, TestServer, send, url};
use crate::incidents::{BEGIN, after};
use crate::openapi::problems;
use crate::samples::{span, traces};

const PATH: &str = "/api/v1/notifications";
const KEY: (&str, &str) = ("authorization", "Bearer k");

impl TestServer {
    async fn ask(
        &self,
        method: Method,
        path: &str,
        header: Option<(&str, &str)>,
        body: &Value,
    ) -> Answer {
        let mut request = Request::builder()
            .method(method)
            .uri(url(self.addresses.http, path))
            .header("content-type", "application/json");
        if let Some((name, value)) = header {
            request = request.header(name, value);
        }
        let request = request.body(Full::new(Bytes::from(body.to_string())));
        send(request.expect("a good request")).await
    }

    pub(crate) async fn set(&self, settings: &Value) -> Answer {
        self.ask(Method::PUT, PATH, None, settings).await
    }

    async fn test(&self, receiver: &str) -> Value {
        let asked = json!({"receiver": receiver});
        let path = format!("{PATH}/test");
        let tested = self.ask(Method::POST, &path, None, &asked).await;
        assert_eq!(tested.status, 200, "{}", tested.text());
        assert_eq!(problems("NotificationTestAnswer", &tested.json()), "");
        tested.json()
    }

    /// Waits until so many messages were taken since the start, and none waits.
    async fn sent(&self, count: u64) -> Value {
        let mut status = Value::Null;
        for _ in 0..300 {
            status = self.json(PATH).await["status"].take();
            if status["sent"] == count && status["waiting"] == 0 {
                return status;
            }
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
        panic!("{count} are not sent: {status:#}");
    }

    /// Takes in calls of [`owned`] functions.
    async fn owned_minutes(&self, minutes: Range<u64>, took_ms: u64) {
        for some in owned(minutes, took_ms).chunks(4000) {
            let answer = self.post_protobuf(Signal::Traces, traces(some)).await;
            assert_eq!(answer.status, 200, "{}", answer.text());
        }
    }

    /// Somebody does not want to be bothered with anything, and says so on the page of an incident.
    async fn do_not_bother(&self, person: &str, incident: u64) {
        let action = json!({"do": "mute", "person": person, "node": "*", "kind": "*", "days": 1});
        let proposal = json!({"who": "ada", "action": action, "incident": incident});
        let path = "/api/v1/actions/propose";
        let proposed = self.ask(Method::POST, path, None, &proposal).await.json();
        let link = proposed["path"].as_str().expect("a link");
        let (act, key) = link.split_once("?k=").expect("a key");
        let confirmed = json!({"k": key, "who": "ada"});
        let done = self.ask(Method::POST, act, None, &confirmed).await;
        assert_eq!(done.json()["state"], "done", "{}", done.text());
    }
}

/// The path and query of the link that stops mails.
fn stop_link(mail: &Mail) -> String {
    let link = mail.header("List-Unsubscribe");
    let (_, query) = link
        .trim_matches(['<', '>'])
        .split_once('?')
        .expect("a query");
    format!("{PATH}/unsubscribe?{query}")
}

fn settings(mailbox: &Mailbox, hook: &Hook) -> Value {
    let address = mailbox.address();
    json!({
        "environment": "production",
        "receivers": [
            {"name": "mail", "channel": {"type": "email", "to": ["ops@example.com"], "from": "t@example.com",
                "smtp": {"host": address.ip(), "port": address.port(), "tls": "none"}}},
            {"name": "chat", "channel": {"type": "slack", "url": hook.url("/slack/secret")}},
            {"name": "page", "channel": {"type": "pagerduty", "routing_key": "R0UT1NG", "url": hook.url("/pagerduty")}},
            {"name": "am", "channel": {"type": "alertmanager", "url": hook.url("/am")}},
            {"name": "hook", "channel": {"type": "webhook", "url": hook.url("/hook"), "secret": "sixteen letters!"}}
        ],
        "routes": [{"name": "all", "receivers": ["mail", "chat", "page", "am", "hook"], "severity": "critical"}]
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn an_incident_is_told_by_mail_slack_pagerduty_alertmanager_and_webhook() {
    let clock = SimClock::at(BEGIN);
    let move_to = |minute: u64| clock.advance((BEGIN.plus(after(minute))).since(clock.now()));
    let shown = clock.clone();
    let shown = Clock::new(move || shown.now());
    let (mailbox, hook) = (Mailbox::start().await, Hook::start().await);
    let server = TestServer::start_at(shown.clone()).await;
    let set = server.set(&settings(&mailbox, &hook)).await;
    assert_eq!(set.status, 200, "{}", set.text());
    assert_eq!(problems("Notifications", &set.json()), "");

    server.minutes(0..240, 20).await;
    move_to(240);
    server.watched().await;
    assert!(mailbox.mails().is_empty() && hook.requests().is_empty());

    server.minutes(240..248, 400).await;
    move_to(248);
    server.watched().await;
    let mail = mailbox.wait_for(1).await.remove(0);
    assert!(
        mail.header("Subject").contains("is slower"),
        "{}",
        mail.text
    );
    let body = mail.body();
    assert!(body.contains("Most likely cause"), "{body}");
    assert!(body.contains("table:user is slow: "), "{body}");
    assert!(body.contains("/incidents/1\n"), "{body}");
    assert!(
        body.contains("- Choose what to do about it: http://127.0.0.1"),
        "{body}"
    );
    assert!(body.contains("/incidents/1#actions\n"), "{body}");
    // Nothing in the account is changed by this server, so what does is not offered.
    for choice in ["Ignore from now on", "Don't bother me again"] {
        let link = format!("- {choice}: http://127.0.0.1");
        assert!(body.contains(&link), "{body}");
    }
    assert!(body.contains("&incident=1\n"), "{body}");
    assert!(!body.contains("Shut it down"), "{body}");
    let requests = hook.wait_for(4).await;
    let of = |path: &str| -> Value {
        let found = requests.iter().find(|it| it.line == format!("POST {path}"));
        serde_json::from_str(&found.unwrap_or_else(|| panic!("{path}")).body).unwrap()
    };
    assert_eq!(of("/slack/secret")["blocks"][0]["type"], "header");
    assert_eq!(of("/pagerduty")["event_action"], "trigger");
    assert_eq!(of("/am/api/v2/alerts")[0]["labels"]["severity"], "critical");
    assert_eq!(of("/hook")["type"], "opened");
    assert_eq!(of("/hook")["actions"][0]["text"], "Ignore from now on");
    for (path, has_links) in [
        ("/slack/secret", true),
        ("/pagerduty", true),
        ("/hook", true),
        ("/am/api/v2/alerts", false),
    ] {
        assert_eq!(of(path).to_string().contains("/act/"), has_links, "{path}");
    }
    // One to ignore it, whoever does, and one not to bother each of those who can say so.
    let offered = server.json("/api/v1/actions").await;
    assert_eq!(offered["total"], 5, "{offered:#}");

    // Pagers are told, once, that somebody has acted.
    server.do_not_bother("chat", 1).await;
    let requests = hook.wait_for(6).await;
    let acknowledged = |it: &Hooked| it.body.contains("\"event_action\":\"acknowledge\"");
    assert!(requests[4..].iter().any(acknowledged), "{requests:#?}");
    server.sent(7).await;
    let report = server.json(PATH).await["report"].take();
    assert_eq!((&report["told"], &report["acted"]), (&json!(1), &json!(1)));

    // Nothing is told again after a restart, and its end is told in the same thread.
    let data_dir = server.stop().await;
    let server = TestServer::start_on(data_dir, shown.clone()).await;
    server.minutes(248..264, 20).await;
    move_to(264);
    server.watched().await;
    let mails = mailbox.wait_for(2).await;
    assert_eq!(mails.len(), 2);
    assert_eq!(mails[1].header("References"), mail.header("Message-ID"));
    assert!(mails[1].body().contains("ended "), "{}", mails[1].body());
    server.sent(5).await;
    let requests = hook.requests();
    assert_eq!(requests.len(), 10);
    let resolved = |it: &Hooked| it.body.contains("\"event_action\":\"resolve\"");
    assert!(requests[6..].iter().any(resolved), "{requests:#?}");
    let metrics = server.get("/metrics").await.text();
    assert!(
        metrics.contains("\nthroughline_notifications_total{outcome=\"sent\"} 5\n"),
        "{metrics}"
    );
    assert!(metrics.contains("\nthroughline_notifications_waiting 0\n"));

    // What comes back is told again, but to whom does not want to be bothered.
    server.minutes(264..272, 400).await;
    move_to(272);
    server.watched().await;
    let status = server.sent(9).await;
    assert_eq!(status["not_told"]["muted"], 1, "{status:#}");
    let requests = hook.requests();
    let lines: Vec<&str> = requests[10..].iter().map(|it| it.line.as_str()).collect();
    assert_eq!(lines.len(), 3, "{lines:?}");
    assert!(!lines.contains(&"POST /slack/secret"), "{lines:?}");

    // The link of the mail asks, and then stops mails.
    let stop = stop_link(&mail);
    let asked = server.get(&stop).await;
    assert_eq!(asked.status, 200);
    assert!(
        asked
            .header("content-security-policy")
            .contains("form-action 'self'")
    );
    // Or the button of the page would be of the origin `null`.
    assert_eq!(asked.header("referrer-policy"), "same-origin");
    let unsubscribed = server.json(PATH).await["settings"]["unsubscribed"].clone();
    assert_eq!(unsubscribed, json!([]));
    let done = server
        .post_api(&stop, &[], "List-Unsubscribe=One-Click")
        .await;
    assert_eq!(done.status, 200, "{}", done.text());
    let unsubscribed = server.json(PATH).await["settings"]["unsubscribed"].clone();
    assert_eq!(
        unsubscribed,
        json!([{"receiver": "mail", "address": "ops@example.com"}])
    );
    let other = server.get(&stop.replace("ops", "boss")).await;
    assert_eq!(
        (other.status.as_u16(), other.json()["code"].clone()),
        (403, "TL0219".into())
    );

    // What detection remembers no more does not stay open at those who were told of it.
    let data_dir = server.stop().await;
    let state = data_dir.path().join("data/detection/state");
    std::fs::write(state, "nonsense, but long enough").unwrap();
    let server = TestServer::start_on(data_dir, shown).await;
    server.sent(3).await;
    let requests = hook.requests();
    assert_eq!(requests.len(), 16);
    assert!(requests[13..].iter().any(resolved), "{requests:#?}");
    let mails = mailbox.mails();
    assert_eq!(mails.len(), 3);
    assert_eq!(mails[2].header("References"), mail.header("Message-ID"));
}

/// Calls of two functions that have nothing to do with each other, of owners and in environments of their own.
fn owned(minutes: Range<u64>, took_ms: u64) -> Vec<Span> {
    let functions = [
        ("cart", "service.owner", "shop", "production"),
        ("pay", "team", "payments", "staging"),
    ];
    let call = |number: u64, id: u64, (function, says, owner, place): (&str, &str, &str, &str)| {
        let start = BEGIN.0 + number * 3_000_000_000;
        // No two are the same, and every minute is like every other.
        let end = start + (took_ms + number * 7 % 10) * 1_000_000;
        let trace = u128::from(number * 2 + id);
        let mut made = span(function, trace, id, 0, start, end);
        made.name = function.to_owned();
        let attributes = [
            ("service.name", function),
            ("faas.name", function),
            ("deployment.environment.name", place),
            (says, owner),
        ];
        made.resource = Arc::new(Resource {
            attributes: attributes.into_iter().collect(),
        });
        made
    };
    let numbers = minutes.start * 20..minutes.end * 20;
    let calls =
        numbers.flat_map(|number| (1..).zip(functions).map(move |(id, of)| (number, id, of)));
    calls.map(|(number, id, of)| call(number, id, of)).collect()
}

/// What was told to whom, once there are so many that differ: whose, where and of what.
async fn told(hook: &Hook, count: usize) -> Vec<String> {
    let mut told = BTreeSet::new();
    for _ in 0..300 {
        let requests = hook.requests().into_iter();
        let words = requests.map(|Hooked { line, body, .. }| {
            let body: Value = serde_json::from_str(&body).expect("JSON");
            let nodes = &body["findings"][0]["nodes"];
            format!("{line} {} {} {nodes}", body["owners"], body["environments"])
        });
        told = words.collect();
        if told.len() >= count {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    told.into_iter().collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_owns_a_function_is_told_of_it_and_of_no_other() {
    let clock = SimClock::at(BEGIN);
    let move_to = |minute: u64| clock.advance((BEGIN.plus(after(minute))).since(clock.now()));
    let shown = clock.clone();
    let hook = Hook::start().await;
    let server = TestServer::start_at(Clock::new(move || shown.now())).await;
    let to = |name: &str| {
        json!({"name": name, "channel":
            {"type": "webhook", "url": hook.url(&format!("/{name}")), "secret": "sixteen letters!"}})
    };
    let receivers = ["shop", "payments", "staging"].map(to);
    let settings = json!({
        "environment": "production",
        "receivers": receivers,
        "routes": [
            {"name": "shop", "receivers": ["shop"], "owners": ["shop"], "environments": ["prod*"]},
            {"name": "payments", "receivers": ["payments"], "owners": ["pay*"]},
            {"name": "staging", "receivers": ["staging"], "environments": ["stag*"]}
        ]
    });
    let set = server.set(&settings).await;
    assert_eq!(set.status, 200, "{}", set.text());
    assert_eq!(problems("Notifications", &set.json()), "");
    server.owned_minutes(0..240, 20).await;
    move_to(240);
    server.watched().await;
    server.owned_minutes(240..248, 400).await;
    move_to(248);
    server.watched().await;
    assert_eq!(
        told(&hook, 3).await,
        [
            r#"POST /payments ["payments"] ["staging"] ["service:pay"]"#,
            r#"POST /shop ["shop"] ["production"] ["service:cart"]"#,
            r#"POST /staging ["payments"] ["staging"] ["service:pay"]"#,
        ]
    );
    let found = server.incidents("subject=service:pay").await;
    let incident = server
        .json(&format!("/api/v1/incidents/{}", found[0]["id"]))
        .await;
    assert_eq!(problems("Incident", &incident), "");
    assert_eq!(incident["environments"], json!(["staging"]));
    assert_eq!(incident["owners"], json!(["payments"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_are_checked_kept_and_shown_without_secrets() {
    let (mailbox, hook) = (Mailbox::start().await, Hook::start().await);
    let server = TestServer::start().await;
    server.set(&settings(&mailbox, &hook)).await;
    let shown = server.json(PATH).await;
    assert_eq!(problems("Notifications", &shown), "");
    let text = shown.to_string();
    for secret in ["/slack/secret", "R0UT1NG", "sixteen"] {
        assert!(!text.contains(secret), "{text}");
    }
    // What is shown can be written back, and the secrets are still there.
    let mut settings = shown["settings"].clone();
    settings["environment"] = "staging".into();
    assert_eq!(server.set(&settings).await.status, 200);
    let refused = |answer: Answer, status: u16, code: &str| {
        let given = (answer.status.as_u16(), answer.json()["code"].take());
        assert_eq!(given, (status, code.into()), "{}", answer.text());
    };
    let bad = json!({"routes": [{"name": "a", "receivers": ["b"]}]});
    refused(server.set(&bad).await, 400, "TL0218");
    // Nothing else of the server's environment can be sent to anybody.
    let mut greedy = settings.clone();
    greedy["receivers"][1]["channel"]["url"] = "${AWS_SECRET_ACCESS_KEY}".into();
    refused(server.set(&greedy).await, 400, "TL0218");
    // Whoever has read them before somebody else changed them overwrites nothing.
    let path = format!("{PATH}?edition={}", shown["edition"].as_str().unwrap());
    let late = server.ask(Method::PUT, &path, None, &settings).await;
    refused(late, 409, "TL0221");
    let edition = server.json(PATH).await["edition"].take();
    let path = format!("{PATH}?edition={}", edition.as_str().unwrap());
    let timely = server.ask(Method::PUT, &path, None, &settings).await;
    assert_eq!(timely.status, 200, "{}", timely.text());
    let data_dir = server.stop().await;

    let server = TestServer::start_on(data_dir, Clock::default()).await;
    hook.answer_next(200, "ok");
    assert_eq!(
        server.test("chat").await,
        json!({"answers": [{"address": null, "outcome": "sent", "said": "200 OK: ok"}]})
    );
    assert_eq!(hook.wait_for(1).await[0].line, "POST /slack/secret");
    let tested = server.test("mail").await;
    assert_eq!(tested["answers"][0]["said"], "250 taken");
    assert!(
        mailbox.wait_for(1).await[0]
            .body()
            .contains("this is a test")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_key_nothing_but_a_signed_link_is_heard() {
    let server = TestServer::start_with(Some("k"), throughline_server::Limits::default()).await;
    let mailbox = Mailbox::start().await;
    let address = mailbox.address();
    let settings = json!({
        "receivers": [{"name": "<b>ops</b>", "channel": {"type": "email", "to": ["ops@example.com"],
            "from": "t@example.com", "smtp": {"host": address.ip(), "port": address.port(), "tls": "none"}}}],
        "routes": [{"name": "all", "receivers": ["<b>ops</b>"]}]
    });
    let test = format!("{PATH}/test");
    let asked = json!({"receiver": "<b>ops</b>"});
    assert_eq!(server.get(PATH).await.status, 401);
    assert_eq!(server.set(&settings).await.status, 401);
    assert_eq!(
        server.ask(Method::POST, &test, None, &asked).await.status,
        401
    );
    let foreign = Some(("origin", "https://evil.example"));
    let refused = server.ask(Method::PUT, PATH, foreign, &settings).await;
    assert_eq!(refused.json()["code"], "TL0207");

    let set = server.ask(Method::PUT, PATH, Some(KEY), &settings).await;
    assert_eq!(set.status, 200, "{}", set.text());
    server.ask(Method::POST, &test, Some(KEY), &asked).await;
    let stop = stop_link(&mailbox.wait_for(1).await[0]);
    let page = server.get(&stop).await;
    assert_eq!(page.status, 200);
    assert!(page.text().contains("&lt;b&gt;ops"), "{}", page.text());
    assert!(!page.text().contains("<b>"), "{}", page.text());
    for forged in [
        stop.replace("ops%40", "boss%40"),
        stop.replace("%2Fb", "%2Fi"),
        format!("{PATH}/unsubscribe?receiver=a&address=b&k=00"),
        format!("{PATH}/unsubscribe"),
    ] {
        let bad = server.post_api(&forged, &[], "").await;
        assert_eq!(
            (bad.status.as_u16(), bad.json()["code"].clone()),
            (403, "TL0219".into()),
            "{forged}"
        );
    }
    let unsubscribed = async || {
        let shown = server.get_with(PATH, KEY).await.json();
        shown["settings"]["unsubscribed"].as_array().unwrap().len()
    };
    assert_eq!(unsubscribed().await, 0);
    assert_eq!(server.post_api(&stop, &[], "").await.status, 200);
    assert_eq!(unsubscribed().await, 1);
}
