//! An event of PagerDuty's Events API v2.

use serde_json::{Value, json};
use throughline_insight::detect::Severity;

use super::{Frame, words};
use crate::notice::{Line, Link, Notice, Phase};
use crate::outbox::Thread;

pub(super) fn body(notice: &Notice, thread: &Thread, routing_key: &str, frame: &Frame) -> Value {
    let action = match notice.phase {
        Phase::Opened | Phase::Grew => "trigger",
        Phase::Acknowledged => "acknowledge",
        Phase::Closed => "resolve",
    };
    let page = Link {
        text: "Throughline".into(),
        href: notice.page.clone(),
    };
    let links = std::iter::once(&page).chain(words::evidence(notice));
    let links = links.chain(words::actions(notice));
    let links: Vec<Value> = links
        .map(|link| json!({"href": link.href, "text": link.text}))
        .collect();
    let severity = match notice.severity {
        Severity::Critical => "critical",
        Severity::Warning => "warning",
        Severity::Note => "info",
    };
    json!({
        "routing_key": routing_key,
        "event_action": action,
        "dedup_key": cut(&format!("throughline/{}/{}", notice.environment, notice.about), DEDUP_MAX),
        "client": "Throughline",
        "client_url": notice.page,
        "links": links,
        "payload": {
            "summary": cut(notice.title.as_str(), SUMMARY_MAX),
            // What it was of first: an alert keeps its place.
            "source": cut(match thread.node.as_str() { "" => "throughline", node => node }, SOURCE_MAX),
            "severity": severity,
            "timestamp": words::iso(notice.since),
            "component": notice.node(),
            "group": notice.places().join(", "),
            "class": notice.kind(),
            "custom_details": {
                "state": words::state(notice, thread.was.as_deref(), 0),
                "cause": words::cause(notice),
                "also": words::also(notice).collect::<Vec<_>>(),
                "affected": words::affected(notice),
                "nodes": notice.nodes(),
                "why_you_got_this": Line::new(frame.why),
            },
        },
    })
}

fn cut(text: &str, characters_max: usize) -> String {
    text.chars().take(characters_max).collect()
}

// PagerDuty's limits.
const DEDUP_MAX: usize = 255;
const SUMMARY_MAX: usize = 1024;
const SOURCE_MAX: usize = 255;
