//! What labels say of an alert: by what it is known, what it is of, how much it matters.

use std::collections::{BTreeMap, BTreeSet};

use throughline_insight::detect::Severity;
use throughline_insight::question::Name;

use crate::notice::Line;

type Labels = BTreeMap<String, String>;

/// The nodes that are known, by all their names.
#[derive(Debug, Default)]
pub struct Nodes {
    nodes: BTreeSet<String>,
    /// Functions and services, by their names and by what else they are called.
    named: BTreeMap<String, String>,
}

/// What a label names.
#[derive(Clone, Copy)]
enum Names {
    /// A node by its id, `kind:name`.
    Node,
    /// A function, whether it is known or not.
    Function,
    /// A node of this kind, if it is known.
    Of(&'static str),
    /// A service or what it is, whether it is known or not.
    Service,
    /// The same, if it is known.
    Perhaps,
}

impl Nodes {
    /// Of what is known by name.
    pub fn new(names: &[Name]) -> Self {
        let mut known = Nodes::default();
        for name in names {
            known.nodes.insert(name.node.clone());
            let Some(("function" | "service", own)) = name.node.split_once(':') else {
                continue;
            };
            // What it is called itself counts for more than what others are called.
            known.named.insert(own.to_owned(), name.node.clone());
        }
        for name in names {
            for alias in &name.aliases {
                let named = known.named.entry(alias.clone());
                named.or_insert_with(|| name.node.clone());
            }
        }
        known
    }

    /// What an alert is of, by the first of its labels that says so.
    pub(super) fn of(&self, labels: &Labels) -> Option<String> {
        let labels: BTreeMap<String, &str> = labels
            .iter()
            .map(|(name, text)| (plain(name), text.trim()))
            .filter(|(_, text)| (1..=VALUE_MAX).contains(&text.len()))
            .filter(|(_, text)| !text.contains(char::is_control))
            .collect();
        let said = LABELS
            .iter()
            .filter_map(|(name, names)| Some((labels.get(*name)?, names)));
        said.filter_map(|(text, names)| self.named(*names, text))
            .next()
    }

    fn named(&self, names: Names, text: &str) -> Option<String> {
        match names {
            Names::Node => {
                let (kind, name) = text.split_once(':')?;
                (KINDS.contains(&kind) && !name.is_empty()).then(|| text.to_owned())
            }
            Names::Function => Some(format!("function:{}", of_arn(text))),
            Names::Of(kind) => {
                let node = format!("{kind}:{text}");
                self.nodes.contains(&node).then_some(node)
            }
            Names::Service => {
                let known = self.named.get(text).cloned();
                known.or_else(|| Some(format!("service:{text}")))
            }
            // OpenTelemetry's `job` is `namespace/name`.
            Names::Perhaps => {
                let last = text.rsplit('/').next().unwrap_or(text);
                self.named
                    .get(text)
                    .or_else(|| self.named.get(last))
                    .cloned()
            }
        }
    }
}

/// By what an alert is known, the same as at Alertmanager: FNV-1a of its labels in their order.
pub(super) fn key(labels: &Labels) -> String {
    let parts = labels.iter().flat_map(|(name, text)| [name, text]);
    let hash = parts.fold(FNV_BEGIN, |hash, part| {
        let bytes = part.bytes().chain([0xff]);
        bytes.fold(hash, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(FNV_PRIME)
        })
    });
    format!("{hash:016x}")
}

/// Labels as they are kept.
pub(super) fn shown(labels: &Labels) -> Labels {
    let labels = labels.iter().take(LABELS_MAX);
    let shown = labels.map(|(name, text)| (Line::new(name).cut(100), Line::new(text).to_string()));
    shown.collect()
}

/// How much an alert matters; a warning, if it does not say so.
pub(super) fn severity(labels: &Labels) -> Severity {
    let said = ["severity", "priority", "level"];
    let said = said.iter().find_map(|name| labels.get(*name));
    match said.map(|it| it.to_lowercase()).as_deref() {
        Some(
            "critical" | "crit" | "page" | "pager" | "error" | "fatal" | "emergency" | "high"
            | "disaster" | "p0" | "p1" | "sev0" | "sev1",
        ) => Severity::Critical,
        Some(
            "note" | "info" | "information" | "informational" | "notice" | "none" | "low" | "debug"
            | "p4" | "p5" | "sev4" | "sev5",
        ) => Severity::Note,
        _ => Severity::Warning,
    }
}

/// `dimension_FunctionName` is `dimensionfunctionname`.
fn plain(name: &str) -> String {
    let letters = name.chars().filter(|it| it.is_alphanumeric());
    letters.flat_map(char::to_lowercase).collect()
}

/// `pay`, of `arn:aws:lambda:eu-west-1:111122223333:function:pay:live` too.
fn of_arn(text: &str) -> &str {
    let mut parts = text.split(':');
    match (parts.next(), parts.nth(1), parts.nth(2), parts.next()) {
        (Some("arn"), Some("lambda"), Some("function"), Some(name)) => name,
        _ => text,
    }
}

/// What labels name, what says it most plainly first: Throughline's own, those of OpenTelemetry, of exporters of
/// CloudWatch, and of Prometheus.
const LABELS: &[(&str, Names)] = &[
    ("node", Names::Node),
    ("function", Names::Function),
    ("functionname", Names::Function),
    ("faasname", Names::Function),
    ("lambda", Names::Function),
    ("lambdafunction", Names::Function),
    ("dimensionfunctionname", Names::Function),
    ("table", Names::Of("table")),
    ("tablename", Names::Of("table")),
    ("dimensiontablename", Names::Of("table")),
    ("queue", Names::Of("queue")),
    ("queuename", Names::Of("queue")),
    ("dimensionqueuename", Names::Of("queue")),
    ("topic", Names::Of("topic")),
    ("topicname", Names::Of("topic")),
    ("dimensiontopicname", Names::Of("topic")),
    ("stream", Names::Of("stream")),
    ("streamname", Names::Of("stream")),
    ("dimensionstreamname", Names::Of("stream")),
    ("bucket", Names::Of("bucket")),
    ("bucketname", Names::Of("bucket")),
    ("dimensionbucketname", Names::Of("bucket")),
    ("service", Names::Service),
    ("servicename", Names::Service),
    ("exportedservice", Names::Perhaps),
    ("app", Names::Perhaps),
    ("application", Names::Perhaps),
    ("exportedjob", Names::Perhaps),
    ("job", Names::Perhaps),
];
/// Of nodes of the map.
const KINDS: &[&str] = &[
    "function", "service", "table", "queue", "topic", "bus", "stream", "bucket", "database",
    "cache", "host",
];
/// Bytes of a name.
const VALUE_MAX: usize = 256;
const LABELS_MAX: usize = 50;
const FNV_BEGIN: u64 = 0xcbf2_9ce4_8422_2325;
const FNV_PRIME: u64 = 0x0100_0000_01b3;
