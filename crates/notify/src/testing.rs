//! What tests share.

use serde_json::{Value, json};
use throughline_insight::detect::Severity;
use throughline_telemetry::UnixNanos;

use crate::notice::{Likely, Link, Matter, Notice, Phase, Whose};
use crate::settings::Settings;

pub(crate) fn at(text: &str) -> UnixNanos {
    let time = chrono::DateTime::parse_from_rfc3339(text).unwrap();
    UnixNanos(u64::try_from(time.timestamp()).unwrap() * 1_000_000_000)
}

pub(crate) fn settings(json: Value) -> Settings {
    let settings = Settings::try_new(serde_json::from_value(json).unwrap());
    settings.unwrap().reached_at("https://t.example".to_owned())
}

/// A receiver by a webhook, with what else is said of it.
pub(crate) fn hook(name: &str, more: Value) -> Value {
    let mut receiver = json!({"name": name, "channel":
        {"type": "webhook", "url": "https://example.com/in", "secret": "sixteen letters!"}});
    for (name, value) in more.as_object().unwrap() {
        receiver[name] = value.clone();
    }
    receiver
}

/// A latency regression of `function:pay` at 14:02 on a Sunday, with everything that a notice can have.
pub(crate) fn notice(about: &str, phase: Phase, severity: Severity) -> Notice {
    let link = |text: &str, path: &str| Link {
        text: text.into(),
        href: format!("https://t.example{path}"),
    };
    let since = at("2026-11-22T14:02:00Z");
    let minutes = if phase == Phase::Closed { 185 } else { 2 };
    Notice {
        about: about.to_owned(),
        phase,
        severity,
        title: "function:pay is slower: p99 100 ms → 147 ms".into(),
        matters: vec![
            Matter {
                kind: "latency".to_owned(),
                nodes: vec!["function:pay".to_owned()],
                title: "function:pay is slower: p99 100 ms → 147 ms".into(),
                severity,
            },
            Matter {
                kind: "new_error".to_owned(),
                nodes: vec!["function:pay".to_owned(), "table:user".to_owned()],
                title: "function:pay fails in a new way, 3 times: <b>no & \"money\"</b> <!channel> @here".into(),
                severity,
            },
        ],
        environment: "production".to_owned(),
        whose: Whose::default(),
        since,
        at: since.plus(std::time::Duration::from_secs(minutes * 60)),
        cause: Some(Likely {
            node: "table:user".to_owned(),
            text: "table:user: mean 4.00 ms → 133 ms".into(),
            share: 0.917,
        }),
        affected: vec![
            "function:shop is slow: 60.0 ms → 190 ms".into(),
            "service:web is slow: 1.20 s → 1.33 s".into(),
        ],
        evidence: vec![
            link("A slow trace", "/traces/1?a=b&c=d"),
            link("All slow spans", "/explore?q=1"),
            link("What else is affected", "/investigate?incident=12"),
            link("One too many", "/x"),
        ],
        actions: vec![link("Ignore from now on", "/act/7?k=ab12")],
        page: "https://t.example/incidents/12".to_owned(),
    }
}
