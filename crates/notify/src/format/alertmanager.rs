//! Alerts for Alertmanager's API v2.
//!
//! An alert is known by its labels, so these are of what was told first and stay. Severity is one of them, because
//! routes of Alertmanager go by it: when it changes, the alert of the former one ends.

use std::time::Duration;

use serde_json::{Map, Value, json};
use throughline_telemetry::UnixNanos;

use super::words;
use crate::notice::{Notice, Phase};
use crate::outbox::Thread;
use crate::outer::OWN;

pub(super) fn body(notice: &Notice, thread: &Thread) -> Value {
    let ends = match notice.phase {
        Phase::Closed => notice.at,
        // Were it ended at once, whoever is behind the Alertmanager would never hear of it: it waits before it passes
        // alerts on, for half a minute as it comes.
        _ if notice.is_test() => notice.at.plus(TEST_GOES_ON),
        // Alertmanager takes an alert that nobody repeats for ended after minutes; an incident says when it ends.
        _ => notice.at.plus(GOES_ON),
    };
    let severity = notice.severity.name();
    let mut alerts = vec![alert(notice, thread, severity, ends)];
    if let Some(was) = thread.was.as_deref().filter(|was| *was != severity) {
        alerts.push(alert(notice, thread, was, notice.at));
    }
    Value::Array(alerts)
}

fn alert(notice: &Notice, thread: &Thread, severity: &str, ends: UnixNanos) -> Value {
    let mut annotations = Map::new();
    let mut note = |name: &str, text: String| {
        if !text.is_empty() {
            annotations.insert(name.to_owned(), text.into());
        }
    };
    note("summary", notice.title.to_string());
    note("cause", words::cause(notice).unwrap_or_default());
    note("also", words::also(notice).collect::<Vec<_>>().join("\n"));
    note("affected", words::affected(notice).unwrap_or_default());
    let links = words::evidence(notice).iter();
    let links = links.chain(words::actions(notice));
    let links: Vec<String> = links
        .map(|it| format!("{}: {}", it.text, it.href))
        .collect();
    note("links", links.join("\n"));
    let mut labels = Map::new();
    let mut label = |name: &str, text: &str| {
        // An empty label is none.
        if !text.is_empty() {
            labels.insert(name.to_owned(), text.into());
        }
    };
    label("alertname", OWN);
    label("about", &notice.about);
    label("severity", severity);
    label("node", &thread.node);
    label("kind", &thread.kind);
    label(
        "environment",
        &thread.whose.places(&notice.environment).join(","),
    );
    label("owner", &thread.whose.owners().join(","));
    json!({
        "labels": labels,
        "annotations": annotations,
        "startsAt": words::iso(notice.since),
        "endsAt": words::iso(ends),
        "generatorURL": notice.page,
    })
}

/// Nobody ends a test.
const TEST_GOES_ON: Duration = Duration::from_secs(5 * 60);
/// Longer than an incident lasts: after a day what is unusual becomes usual.
const GOES_ON: Duration = Duration::from_secs(7 * 24 * 3600);
