//! What is all right, because somebody said so.

use throughline_telemetry::UnixNanos;

use super::finding::{Finding, Kind};
use super::subject::{Node, Subject};

/// Findings that open no incident, and belong to none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allowed {
    /// Of this node.
    pub node: Node,
    /// About its calls of this one; of findings about the node itself none.
    pub to: Option<Node>,
    /// Of new edges those of this class alone ([`EdgeClass::name`](super::EdgeClass::name)), of alerts of others those
    /// of this name; all of them with none.
    pub class: Option<String>,
    /// Of this kind ([`Kind::name`]).
    pub kind: String,
    /// Until then.
    pub until: UnixNanos,
}

impl Allowed {
    /// Whether this finding is one of them at that time.
    pub(super) fn covers(&self, finding: &Finding, now: UnixNanos) -> bool {
        let (node, to) = match &finding.subject {
            Subject::Node(node) | Subject::Operation(node, _) | Subject::Wait(node) => (node, None),
            Subject::Edge(from, to, _) => (from, Some(to)),
        };
        let class = match &finding.kind {
            Kind::NewEdge { class } => Some(class.name()),
            Kind::Outer(alert) => Some(alert.name.as_str()),
            _ => None,
        };
        now < self.until
            && *node == self.node
            && to == self.to.as_ref()
            && finding.kind.name() == self.kind
            && (self.class.is_none() || self.class.as_deref() == class)
    }
}
