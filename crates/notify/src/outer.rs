//! What an Alertmanager tells: its webhook, version 4.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use throughline_telemetry::UnixNanos;

use crate::notice::{Line, nanos};

/// An alert of somebody else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OuterAlert {
    /// By what Alertmanager knows it.
    pub fingerprint: String,
    /// Its name.
    pub name: Line,
    /// What it says.
    pub summary: Line,
    /// Its labels.
    pub labels: BTreeMap<String, Line>,
    /// When it began.
    #[serde(with = "nanos")]
    pub since: UnixNanos,
    /// When it ended; zero while it goes on.
    #[serde(with = "nanos")]
    pub ended: UnixNanos,
    /// Where it comes from. Empty if that is no web address.
    pub href: String,
}

/// Why a body is no webhook of Alertmanager.
#[derive(Debug, thiserror::Error)]
pub enum OuterError {
    /// It is not JSON of that form.
    #[error("the body is no webhook of Alertmanager: {0}")]
    Json(#[from] serde_json::Error),
    /// It is of another version.
    #[error("the webhook is of version {0:?}, and version \"4\" is understood")]
    Version(String),
    /// It holds too many.
    #[error(
        "there are {0} alerts, and at most {ALERTS_MAX} are taken: set max_alerts in Alertmanager"
    )]
    TooMany(usize),
    /// A time is none.
    #[error("{0:?} is no time")]
    Time(String),
}

#[derive(Deserialize)]
struct Webhook {
    version: String,
    alerts: Vec<Alert>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Alert {
    status: String,
    labels: BTreeMap<String, String>,
    #[serde(default)]
    annotations: BTreeMap<String, String>,
    starts_at: String,
    #[serde(default)]
    ends_at: String,
    #[serde(default, rename = "generatorURL")]
    generator_url: String,
    #[serde(default)]
    fingerprint: String,
}

/// Reads the body of a webhook.
pub fn parse(body: &[u8]) -> Result<Vec<OuterAlert>, OuterError> {
    let webhook: Webhook = serde_json::from_slice(body)?;
    if webhook.version != "4" {
        return Err(OuterError::Version(webhook.version));
    }
    if webhook.alerts.len() > ALERTS_MAX {
        return Err(OuterError::TooMany(webhook.alerts.len()));
    }
    webhook.alerts.into_iter().map(alert).collect()
}

fn alert(alert: Alert) -> Result<OuterAlert, OuterError> {
    let note = |names: &[&str]| {
        let found = names.iter().find_map(|name| alert.annotations.get(*name));
        Line::new(found.map_or("", String::as_str))
    };
    let is_web = ["http://", "https://"]
        .iter()
        .any(|it| alert.generator_url.starts_with(it));
    Ok(OuterAlert {
        name: Line::new(
            alert
                .labels
                .get("alertname")
                .map_or("alert", String::as_str),
        ),
        summary: note(&["summary", "description", "message"]),
        since: time(&alert.starts_at)?,
        ended: match alert.status.as_str() {
            "resolved" => time(&alert.ends_at)?,
            _ => UnixNanos(0),
        },
        href: match is_web {
            true => alert.generator_url,
            false => String::new(),
        },
        labels: alert
            .labels
            .iter()
            .take(LABELS_MAX)
            .map(|(name, text)| (Line::new(name).cut(100), Line::new(text)))
            .collect(),
        fingerprint: Line::new(&alert.fingerprint).cut(100),
    })
}

fn time(text: &str) -> Result<UnixNanos, OuterError> {
    let time = chrono::DateTime::parse_from_rfc3339(text).ok();
    let nanos = time.and_then(|it| u64::try_from(it.timestamp_nanos_opt()?).ok());
    nanos
        .map(UnixNanos)
        .ok_or_else(|| OuterError::Time(Line::new(text).cut(60)))
}

const ALERTS_MAX: usize = 500;
const LABELS_MAX: usize = 50;

#[cfg(test)]
mod tests {
    use super::*;

    /// As Alertmanager 0.27 sends it.
    const BODY: &str = r#"{"receiver":"throughline","status":"firing","alerts":[
        {"status":"firing","labels":{"alertname":"HighLatency","function_name":"pay","severity":"page"},
         "annotations":{"summary":"pay is\nslow"},"startsAt":"2026-11-22T14:02:00.5Z","endsAt":"0001-01-01T00:00:00Z",
         "generatorURL":"http://prometheus:9090/graph?g0.expr=x","fingerprint":"a1b2"},
        {"status":"resolved","labels":{"alertname":"DiskFull"},"annotations":{},
         "startsAt":"2026-11-22T13:00:00+01:00","endsAt":"2026-11-22T14:00:00Z","generatorURL":"javascript:x",
         "fingerprint":"c3"}],
        "groupLabels":{},"commonLabels":{},"commonAnnotations":{},"externalURL":"http://alertmanager:9093",
        "version":"4","groupKey":"{}:{}","truncatedAlerts":0}"#;

    #[test]
    fn a_webhook_is_read() {
        let alerts = parse(BODY.as_bytes()).unwrap();
        let [first, second] = alerts.as_slice() else {
            panic!("{alerts:?}");
        };
        assert_eq!(first.name.as_str(), "HighLatency");
        assert_eq!(first.summary.as_str(), "pay is slow");
        assert_eq!(first.since, UnixNanos(1_795_356_120_500_000_000));
        assert_eq!(first.ended, UnixNanos(0));
        assert_eq!(first.labels["function_name"].as_str(), "pay");
        assert_eq!(
            second.since.plus(std::time::Duration::from_secs(7200)),
            second.ended
        );
        assert_eq!(second.href, "");
    }

    #[test]
    fn what_is_no_webhook_is_refused() {
        let check = |body: &str, expected: &str| {
            let error = parse(body.as_bytes()).unwrap_err().to_string();
            assert!(error.starts_with(expected), "{error}");
        };
        check(
            "{}",
            "the body is no webhook of Alertmanager: missing field",
        );
        check(
            &BODY.replace("\"4\"", "\"5\""),
            "the webhook is of version \"5\"",
        );
        check(
            &BODY.replace("2026-11-22T14:02:00.5Z", "noon"),
            "\"noon\" is no time",
        );
        let many =
            vec![r#"{"status":"firing","labels":{},"startsAt":"2026-11-22T14:02:00Z"}"#; 501];
        check(
            &format!(r#"{{"version":"4","alerts":[{}]}}"#, many.join(",")),
            "there are 501 alerts",
        );
    }
}
