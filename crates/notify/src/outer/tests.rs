use std::time::Duration;

use throughline_insight::detect::Severity;
use throughline_insight::question::Name;

use super::*;

/// 2026-11-22T14:05:00Z.
const NOW: UnixNanos = UnixNanos(1_795_356_300_000_000_000);

/// As Alertmanager 0.27 sends it.
const WEBHOOK: &str = r#"{"receiver":"throughline","status":"firing","alerts":[
    {"status":"firing","labels":{"alertname":"HighLatency","function_name":"pay","severity":"page"},
     "annotations":{"summary":"pay is\nslow"},"startsAt":"2026-11-22T14:02:00.5Z","endsAt":"0001-01-01T00:00:00Z",
     "generatorURL":"http://prometheus:9090/graph?g0.expr=x","fingerprint":"a1b2"},
    {"status":"resolved","labels":{"alertname":"DiskFull"},"annotations":{},
     "startsAt":"2026-11-22T13:00:00+01:00","endsAt":"2026-11-22T14:00:00Z","generatorURL":"javascript:x",
     "fingerprint":"c3"},
    {"status":"firing","labels":{"alertname":"Throughline","about":"incident-3","node":"function:pay"},
     "startsAt":"2026-11-22T13:00:00Z"}],
    "groupLabels":{},"commonLabels":{},"commonAnnotations":{},"externalURL":"http://alertmanager:9093",
    "version":"4","groupKey":"{}:{}","truncatedAlerts":0}"#;

/// As Prometheus 2.53 sends it.
const ALERTS: &str = r#"
  [{"annotations":{"description":"pay is slow"},"startsAt":"2026-11-22T14:02:00.5Z","endsAt":"2026-11-22T14:09:00Z",
    "generatorURL":"http://prometheus:9090/graph?g0.expr=x",
    "labels":{"alertname":"HighLatency","function_name":"pay","severity":"page"}},
   {"endsAt":"2026-11-22T14:04:00Z","labels":{"alertname":"DiskFull","job":"node"}},
   {"labels":{"alertname":"Odd"}},
   {"endsAt":"2030-01-01T00:00:00Z","startsAt":"2030-01-01T00:00:00Z","labels":{"alertname":"Long"}}]"#;

fn read(body: &str) -> Received {
    parse(body.as_bytes(), NOW, &Nodes::default()).unwrap()
}

#[test]
fn a_webhook_is_read() {
    let received = read(WEBHOOK);
    // What this server told an Alertmanager does not come back.
    assert_eq!(received.own, 1);
    let [first, second] = received.told.as_slice() else {
        panic!("{received:?}");
    };
    assert_eq!(first.alert.name, "HighLatency");
    assert_eq!(first.alert.source, Source::Alertmanager);
    assert_eq!(first.alert.says, "pay is slow");
    assert_eq!(first.alert.labels["function_name"], "pay");
    assert_eq!(first.alert.href, "http://prometheus:9090/graph?g0.expr=x");
    assert_eq!(first.alert.until, NOW.plus(UNREPEATED));
    assert_eq!(first.node, "function:pay");
    assert_eq!(first.severity, Severity::Critical);
    assert_eq!(first.since, UnixNanos(1_795_356_120_500_000_000));
    assert_eq!(first.ended, None);
    assert_eq!(second.node, "alert:DiskFull");
    assert_eq!(second.severity, Severity::Warning);
    let hours = Duration::from_secs(7200);
    assert_eq!(second.ended, Some(second.since.plus(hours)));
    assert_eq!(second.alert.href, "");
}

#[test]
fn the_alerts_of_a_prometheus_are_read() {
    let received = read(ALERTS);
    let [first, over, odd, long] = received.told.as_slice() else {
        panic!("{received:?}");
    };
    assert_eq!(first.alert.source, Source::Prometheus);
    assert_eq!(first.alert.until, NOW.plus(Duration::from_secs(240)));
    assert_eq!(
        (first.ended, over.ended),
        (None, Some(NOW.minus(Duration::from_secs(60))))
    );
    // What says nothing of times begins now, and lasts as long as at an Alertmanager.
    assert_eq!(
        (odd.since, odd.alert.until, odd.ended),
        (NOW, NOW.plus(UNSAID), None)
    );
    assert_eq!((long.since, long.alert.until), (NOW, NOW.plus(LONGEST)));
    // The same alert is the same, whoever tells it.
    assert_eq!(first.alert.key, read(WEBHOOK).told[0].alert.key);
    assert_ne!(first.alert.key, over.alert.key);
}

#[test]
fn an_alert_is_known_by_what_alertmanager_knows_it_by() {
    let of = |labels: &[(&str, &str)]| {
        let labels = labels
            .iter()
            .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
        labels::key(&labels.collect())
    };
    // The first is FNV-1a of nothing, the second what Go's hash/fnv says of "a\xffb\xff".
    assert_eq!(of(&[]), "cbf29ce484222325");
    assert_eq!(of(&[("a", "b")]), "d2b371819297f98a");
}

#[test]
fn labels_say_what_an_alert_is_of() {
    let mut names = ["function:pay", "table:user", "service:web", "function:mail"].map(Name::of);
    names[3].aliases.push("mailer".to_owned());
    let nodes = Nodes::new(&names);
    let check = |labels: &[(&str, &str)], expected: Option<&str>| {
        let of = labels
            .iter()
            .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
        assert_eq!(nodes.of(&of.collect()).as_deref(), expected, "{labels:?}");
    };
    check(&[("function", "ship")], Some("function:ship"));
    check(
        &[("faas.name", "pay"), ("job", "web")],
        Some("function:pay"),
    );
    check(&[("dimension_FunctionName", "pay")], Some("function:pay"));
    let arn = "arn:aws:lambda:eu-west-1:111122223333:function:pay:live";
    check(&[("function_name", arn)], Some("function:pay"));
    check(&[("table_name", "user")], Some("table:user"));
    // A table of another database says nothing.
    check(
        &[("table", "pg_class"), ("job", "shop/mailer")],
        Some("function:mail"),
    );
    check(&[("service", "mailer")], Some("function:mail"));
    check(&[("service", "web")], Some("service:web"));
    check(&[("service_name", "new")], Some("service:new"));
    check(&[("job", "web")], Some("service:web"));
    check(&[("job", "node-exporter")], None);
    check(&[("node", "queue:mails")], Some("queue:mails"));
    check(&[("node", "ip-10-0-0-1"), ("instance", "pay:9100")], None);
    check(&[("function", " ")], None);
    check(&[("function", "a\nb")], None);
    check(&[("function", &"a".repeat(300))], None);
}

#[test]
fn what_holds_no_alerts_is_refused() {
    let check = |body: &str, expected: &str| {
        let error = parse(body.as_bytes(), NOW, &Nodes::default()).unwrap_err();
        let error = error.to_string();
        assert!(error.starts_with(expected), "{error}");
    };
    let neither = "the body is neither a webhook of Alertmanager nor a list of alerts: ";
    check("{}", neither);
    check("[1]", neither);
    check("", neither);
    let version = WEBHOOK.replace("\"4\"", "\"5\"");
    check(&version, "the webhook is of version \"5\"");
    let noon = WEBHOOK.replace("2026-11-22T14:02:00.5Z", "noon");
    check(&noon, "\"noon\" is no time");
    check(r#"[{"labels":{}}]"#, "an alert has no labels");
    let many = vec![r#"{"labels":{"a":"b"}}"#; 501];
    check(&format!("[{}]", many.join(",")), "there are 501 alerts");
}

#[test]
fn what_is_said_is_one_line_and_not_too_much_is_kept() {
    let labels: Vec<String> = (0..80)
        .map(|it| format!(r#""l{it:02}":"{}""#, "x".repeat(500)))
        .collect();
    let body = format!(
        r#"[{{"labels":{{"alertname":"a\nb{}",{}}},"annotations":{{"message":"c\r\nd"}},"generatorURL":"https://{}"}}]"#,
        "é".repeat(400),
        labels.join(","),
        "x".repeat(5000),
    );
    let told = read(&body).told.remove(0);
    assert_eq!(told.alert.name.chars().count(), NAME_MAX);
    assert!(told.alert.name.starts_with("a bé"));
    assert_eq!(told.alert.says, "c d");
    assert_eq!(told.alert.labels.len(), 50);
    assert_eq!(told.alert.labels["l01"].chars().count(), 300);
    assert_eq!(told.alert.href, "");
    // What would break out of a line or a link is no address.
    for address in [
        "https://a/b\\nc",
        "https://a/b c",
        "ftp://a/b",
        "//a/b",
        "https://",
    ] {
        let body = format!(r#"[{{"labels":{{"a":"b"}},"generatorURL":"{address}"}}]"#);
        assert_eq!(read(&body).told[0].alert.href, "", "{address}");
    }
}
