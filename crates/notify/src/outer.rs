//! Alerts that others tell: the webhook of an Alertmanager (version 4), and the alerts that a Prometheus sends to one
//! (API v2).

mod labels;

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use throughline_insight::detect::{OuterAlert, Source, Told};
use throughline_telemetry::UnixNanos;

use crate::notice::Line;
pub use labels::Nodes;

/// What a body says.
#[derive(Debug, PartialEq)]
pub struct Received {
    /// The alerts.
    pub told: Vec<Told>,
    /// Those that this server has told itself, which are left out.
    pub own: usize,
}

/// Why a body holds no alerts.
#[derive(Debug, thiserror::Error)]
pub enum OuterError {
    /// It is not JSON of either form.
    #[error("the body is neither a webhook of Alertmanager nor a list of alerts: {0}")]
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
    /// An alert has nothing by which it is known.
    #[error("an alert has no labels")]
    Nameless,
}

#[derive(Deserialize)]
struct Webhook {
    version: String,
    alerts: Vec<Alert>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Alert {
    #[serde(default)]
    status: String,
    labels: BTreeMap<String, String>,
    #[serde(default)]
    annotations: BTreeMap<String, String>,
    #[serde(default)]
    starts_at: String,
    #[serde(default)]
    ends_at: String,
    #[serde(default, rename = "generatorURL")]
    generator_url: String,
}

/// Reads a body that came at `now`: an object is a webhook, a list is of alerts. What alerts are of is looked up among
/// the `nodes` that are known.
pub fn parse(body: &[u8], now: UnixNanos, nodes: &Nodes) -> Result<Received, OuterError> {
    let first = body.iter().find(|byte| !byte.is_ascii_whitespace());
    let (source, alerts) = match first {
        Some(b'[') => (Source::Prometheus, serde_json::from_slice(body)?),
        _ => {
            let webhook: Webhook = serde_json::from_slice(body)?;
            if webhook.version != "4" {
                return Err(OuterError::Version(webhook.version));
            }
            (Source::Alertmanager, webhook.alerts)
        }
    };
    if alerts.len() > ALERTS_MAX {
        return Err(OuterError::TooMany(alerts.len()));
    }
    let all = alerts.len();
    let others = alerts.into_iter().filter(|alert| !alert.is_own());
    let told: Result<Vec<Told>, OuterError> =
        others.map(|it| it.told(source, now, nodes)).collect();
    let told = told?;
    Ok(Received {
        own: all - told.len(),
        told,
    })
}

impl Alert {
    /// Whether this server, or another like it, has told it.
    fn is_own(&self) -> bool {
        self.labels.get("alertname").map(String::as_str) == Some(OWN)
    }

    fn told(&self, source: Source, now: UnixNanos, nodes: &Nodes) -> Result<Told, OuterError> {
        if self.labels.is_empty() {
            return Err(OuterError::Nameless);
        }
        let ends = time(&self.ends_at)?;
        let ended = match source {
            Source::Alertmanager if self.status == "resolved" => Some(ends.unwrap_or(now)),
            Source::Alertmanager => None,
            Source::Prometheus => ends.filter(|ends| *ends <= now),
        };
        let until = match source {
            Source::Alertmanager => now.plus(UNREPEATED),
            Source::Prometheus => {
                let ends = ends.unwrap_or_else(|| now.plus(UNSAID));
                ends.min(now.plus(LONGEST))
            }
        };
        let name = self.labels.get("alertname").map_or("alert", String::as_str);
        let alert = OuterAlert {
            key: labels::key(&self.labels),
            source,
            name: Line::new(name).cut(NAME_MAX),
            says: self.says(),
            labels: labels::shown(&self.labels),
            href: match is_web(&self.generator_url) {
                true => self.generator_url.clone(),
                false => String::new(),
            },
            until,
        };
        Ok(Told {
            node: nodes.of(&self.labels).unwrap_or_else(|| alert.own_node()),
            severity: labels::severity(&self.labels),
            since: time(&self.starts_at)?.unwrap_or(now).min(now),
            ended,
            alert,
        })
    }

    fn says(&self) -> String {
        let said = ["summary", "description", "message", "title"];
        let said = said.iter().find_map(|name| self.annotations.get(*name));
        Line::new(said.map_or("", String::as_str)).to_string()
    }
}

/// Whether it is an address that a browser can open, and nothing else.
fn is_web(text: &str) -> bool {
    let address = text.parse::<http::Uri>().ok();
    let address = address.filter(|_| text.len() <= HREF_BYTES_MAX);
    address.is_some_and(|it| matches!(it.scheme_str(), Some("http" | "https")))
}

/// A time; none where it is not said, which programs in Go write as the year 1.
fn time(text: &str) -> Result<Option<UnixNanos>, OuterError> {
    if text.is_empty() || text.starts_with("0001-01-01T") {
        return Ok(None);
    }
    let time = chrono::DateTime::parse_from_rfc3339(text).ok();
    let nanos = time.and_then(|it| u64::try_from(it.timestamp_nanos_opt()?).ok());
    let time = nanos.map(UnixNanos);
    time.map(Some)
        .ok_or_else(|| OuterError::Time(Line::new(text).cut(60)))
}

/// The name of the alerts that this server tells Alertmanagers.
pub(crate) const OWN: &str = "Throughline";
const ALERTS_MAX: usize = 500;
const NAME_MAX: usize = 200;
const HREF_BYTES_MAX: usize = 2048;
/// An Alertmanager says again what goes on after its `repeat_interval`, which is four hours unless set; a day is common.
const UNREPEATED: Duration = Duration::from_secs(25 * 3600);
/// What does not say when it ends lasts so long, as at an Alertmanager (`resolve_timeout`).
const UNSAID: Duration = Duration::from_secs(5 * 60);
/// Whoever says that it lasts longer says it again.
const LONGEST: Duration = Duration::from_secs(7 * 24 * 3600);

#[cfg(test)]
mod tests;
