//! Alerts of an Alertmanager and of a Prometheus become incidents: told, explained, kept and ended.

use std::time::Duration;

use serde_json::{Value, json};
use throughline_server::{Clock, Limits};
use throughline_telemetry::UnixNanos;
use throughline_testkit::{Hook, Mailbox, SimClock};

use crate::harness::{Answer, TestServer};
use crate::incidents::{BEGIN, after};
use crate::openapi::problems;

const WEBHOOK: &str = "/api/v1/alertmanager";
const ALERTS: &str = "/api/v2/alerts";
const MINUTE: Duration = Duration::from_secs(60);

/// As Alertmanager 0.27 sends it.
fn webhook(alerts: &Value) -> Value {
    json!({"receiver": "throughline", "status": "firing", "alerts": alerts, "groupLabels": {}, "commonLabels": {},
        "commonAnnotations": {}, "externalURL": "http://alertmanager:9093", "version": "4", "groupKey": "{}:{}",
        "truncatedAlerts": 0})
}

fn alert(status: &str, ended: &str) -> Value {
    json!({"status": status, "labels": {"alertname": "HighLatency", "service_name": "pay", "severity": "page"},
        "annotations": {"summary": "pay answers slowly"}, "startsAt": "2026-11-20T04:01:30Z", "endsAt": ended,
        "generatorURL": "http://prometheus:9090/graph?g0.expr=x", "fingerprint": "a1b2c3"})
}

impl TestServer {
    async fn told(&self, path: &str, body: &Value) -> Value {
        let as_json = [("content-type", "application/json")];
        let answer = self.post_api(path, &as_json, body.to_string()).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(problems("AlertsTaken", &answer.json()), "");
        answer.json()
    }

    /// Waits until so many incidents go on.
    async fn open(&self, count: usize) -> Vec<Value> {
        for _ in 0..300 {
            let open = self.incidents("state=open").await;
            if open.len() == count {
                return open;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("{:#?}", self.incidents("").await);
    }

    async fn incident(&self, id: &Value) -> Value {
        let incident = self.json(&format!("/api/v1/incidents/{id}")).await;
        assert_eq!(problems("Incident", &incident), "");
        incident
    }

    /// Waits until what is known of incidents was written.
    async fn saved(&self, before: &Value) {
        for _ in 0..300 {
            let saves = self.json("/api/v1/status").await["detection"]["saves"].take();
            if saves != *before {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("it is not written");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alert_of_alertmanager_is_an_incident_that_is_told_explained_kept_and_ended() {
    let clock = SimClock::at(BEGIN);
    let move_to = |minute: u64| clock.advance((BEGIN.plus(after(minute))).since(clock.now()));
    let shown = clock.clone();
    let shown = Clock::new(move || shown.now());
    let (mailbox, hook) = (Mailbox::start().await, Hook::start().await);
    let server = TestServer::start_at(shown.clone()).await;
    let address = mailbox.address();
    let mail = json!({"type": "email", "to": ["ops@example.com"], "from": "t@example.com",
        "smtp": {"host": address.ip(), "port": address.port(), "tls": "none"}});
    // What is found of the same by itself is another test's.
    let settings = json!({
        "mutes": [{"nodes": "*", "kinds": "latency"}],
        "receivers": [{"name": "mail", "channel": mail},
            {"name": "am", "channel": {"type": "alertmanager", "url": hook.url("/am")}}],
        "routes": [{"name": "all", "receivers": ["mail", "am"], "severity": "critical"}]
    });
    let set = server.put("/api/v1/notifications", &settings).await;
    assert_eq!(set.status, 200, "{}", set.text());
    server.minutes(0..240, 20).await;
    move_to(240);
    server.watched().await;
    server.minutes(240..248, 400).await;
    move_to(248);
    server.watched().await;
    let found = server.open(1).await;

    // Alertmanager says the same, and what this server has told it.
    let before = server.json("/api/v1/status").await["detection"]["saves"].take();
    let echo = json!({"status": "firing", "startsAt": "2026-11-20T04:01:00Z",
        "labels": {"alertname": "Throughline", "about": "incident-1-1", "node": "function:pay"}});
    let body = webhook(&json!([alert("firing", "0001-01-01T00:00:00Z"), echo]));
    let taken = server.told(WEBHOOK, &body).await;
    assert_eq!((&taken["taken"], &taken["own"]), (&json!(1), &json!(1)));
    let open = server.open(2).await;
    assert_eq!(open[1], found[0]);
    let outer = &open[0];
    assert_eq!(
        outer["title"],
        "Alertmanager: HighLatency at function:pay: pay answers slowly"
    );
    assert_eq!(outer["severity"], "critical");
    assert_eq!(outer["nodes"], json!(["function:pay"]));
    let since = outer["since_unix_nanos"].as_str().expect("a time");
    assert_eq!(
        UnixNanos(since.parse().expect("a time")).since(BEGIN),
        Duration::from_secs(4 * 3600 + 90)
    );
    let incident = server.incident(&outer["id"]).await;
    let [finding] = incident["findings"].as_array().expect("a list").as_slice() else {
        panic!("{incident:#}");
    };
    assert_eq!(finding["kind"], "alertmanager");
    assert_eq!(
        finding["detail"]["href"],
        "http://prometheus:9090/graph?g0.expr=x"
    );
    assert_eq!(finding["detail"]["labels"]["service_name"], "pay");
    // Where it comes from is looked for like that of any other.
    assert_eq!(
        incident["cause"]["causes"][0]["node"], "table:user",
        "{incident:#}"
    );
    assert_eq!(incident["cause"]["symptom"], "slow");
    let fitting = server
        .json(&format!("/api/v1/incidents/{}/actions", outer["id"]))
        .await;
    let title = "ignore alerts of Alertmanager of function:pay (HighLatency) for 365 days";
    assert_eq!(fitting["proposals"][0]["title"], title, "{fitting:#}");

    let first = mailbox.wait_for(1).await.remove(0);
    let body = first.body();
    assert!(
        first
            .header("Subject")
            .contains("Alertmanager: HighLatency"),
        "{}",
        first.text
    );
    assert!(body.contains("table:user is slow"), "{body}");
    assert!(
        body.contains("HighLatency at Alertmanager: http://prometheus:9090/graph?g0.expr=x"),
        "{body}"
    );
    assert!(hook.requests().is_empty(), "an Alertmanager knows it");

    // It is said again, and the server is started again.
    let body = webhook(&json!([alert("firing", "0001-01-01T00:00:00Z")]));
    server.told(WEBHOOK, &body).await;
    assert_eq!(server.open(2).await, open);
    server.saved(&before).await;
    let data_dir = server.stop().await;
    let server = TestServer::start_on(data_dir, shown).await;
    assert_eq!(server.open(2).await, open);
    server.told(WEBHOOK, &body).await;
    assert_eq!(server.open(2).await, open);
    let body = webhook(&json!([alert("resolved", "2026-11-20T04:09:00Z")]));
    server.told(WEBHOOK, &body).await;
    assert_eq!(server.open(1).await[0]["id"], found[0]["id"]);
    let closed = server.incidents("state=closed").await;
    assert_eq!(closed[0]["id"], outer["id"]);
    let mails = mailbox.wait_for(2).await;
    assert_eq!(mails.len(), 2);
    assert_eq!(mails[1].header("References"), first.header("Message-ID"));
    assert!(mails[1].body().contains("ended "), "{}", mails[1].body());
    let metrics = server.get("/metrics").await.text();
    assert!(
        metrics.contains("\nthroughline_outer_alerts_total{outcome=\"taken\"} 2\n"),
        "{metrics}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alert_of_prometheus_ends_when_it_is_not_said_again() {
    // An hour of which nothing is stored, so that nothing is found.
    let clock = SimClock::at(BEGIN);
    let shown = clock.clone();
    let shown = Clock::new(move || shown.now());
    let server = TestServer::start_at(shown.clone()).await;
    let alerts = |ends: &str| {
        json!([{"labels": {"alertname": "DiskFull", "instance": "a:9100"}, "annotations": {},
            "startsAt": "2026-11-20T00:00:00Z", "endsAt": ends, "generatorURL": "javascript:alert(1)"}])
    };
    clock.advance(MINUTE * 10);
    server.told(ALERTS, &alerts("2026-11-20T00:14:00Z")).await;
    let open = server.open(1).await;
    assert_eq!(open[0]["title"], "Prometheus: DiskFull");
    assert_eq!(open[0]["nodes"], json!(["alert:DiskFull"]));
    assert_eq!(open[0]["severity"], "warning");
    let incident = server.incident(&open[0]["id"]).await;
    assert_eq!(incident["findings"][0]["detail"]["href"], "");
    assert_eq!(incident["cause"], Value::Null);
    server.told(ALERTS, &alerts("2026-11-20T00:20:00Z")).await;
    clock.advance(MINUTE * 8);
    assert_eq!(server.open(1).await, open);

    // While the server is down nobody can say anything: there is time to do so after it.
    let data_dir = server.stop().await;
    clock.advance(MINUTE * 30);
    let server = TestServer::start_on(data_dir, shown).await;
    for _ in 0..30 {
        assert_eq!(server.incidents("state=open").await, open);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    server.told(ALERTS, &alerts("2026-11-20T00:52:00Z")).await;
    clock.advance(MINUTE * 5);
    server.open(0).await;
    let closed = server.incidents("state=closed").await;
    assert_eq!(closed[0]["id"], open[0]["id"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_ignores_is_no_incident_until_that_is_undone() {
    let server = TestServer::start().await;
    let as_json = [("content-type", "application/json")];
    let body = webhook(&json!([alert("firing", "0001-01-01T00:00:00Z")]));
    let ignore = json!({"who": "ada", "action": {"do": "ignore", "node": "service:pay", "kind": "alertmanager",
        "class": "HighLatency", "reason": "planned", "days": 1}});
    let proposed = server
        .post_api("/api/v1/actions/propose", &as_json, ignore.to_string())
        .await
        .json();
    let link = proposed["path"].as_str().expect("a link");
    let (act, key) = link.split_once("?k=").expect("a key");
    let confirmed = json!({"k": key, "who": "ada"}).to_string();
    let done = server.post_api(act, &as_json, confirmed).await;
    assert_eq!(done.status, 200, "{}", done.text());
    assert_eq!(done.json()["who"], "ada");
    assert_eq!(server.told(WEBHOOK, &body).await["ignored"], 1);
    assert_eq!(server.incidents("").await.len(), 0);
    let undo = format!("{}/undo", act.replacen("/act/", "/api/v1/actions/", 1));
    let undone = server
        .post_api(&undo, &as_json, json!({"who": "bob"}).to_string())
        .await;
    assert_eq!(undone.status, 200, "{}", undone.text());
    assert_eq!(server.told(WEBHOOK, &body).await["taken"], 1);
    assert_eq!(server.incidents("").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_holds_no_alerts_is_refused_and_the_key_is_needed() {
    let server = TestServer::start().await;
    let refused = |answer: Answer, code: &str| {
        assert_eq!(answer.json()["code"], code, "{}", answer.text());
        assert_eq!(problems("Error", &answer.json()), "");
    };
    for path in [WEBHOOK, ALERTS] {
        let newer = webhook(&json!([])).to_string().replace("\"4\"", "\"5\"");
        refused(server.post_api(path, &[], newer).await, "TL0222");
        let large = " ".repeat((2 << 20) + 1);
        refused(server.post_api(path, &[], large).await, "TL0222");
        let unknown = format!("{path}?x=1");
        refused(server.post_api(&unknown, &[], "[]").await, "TL0201");
        refused(server.get(path).await, "TL0205");
        let foreign = [("origin", "https://elsewhere.example")];
        refused(server.post_api(path, &foreign, "[]").await, "TL0207");
        assert_eq!(server.told(path, &json!([])).await["taken"], 0);
    }
    let keyed = TestServer::start_with(Some("k"), Limits::default()).await;
    refused(keyed.post_api(WEBHOOK, &[], "[]").await, "TL0206");
    let key = [("authorization", "Bearer k")];
    assert_eq!(keyed.post_api(ALERTS, &key, "[]").await.status, 200);
}
