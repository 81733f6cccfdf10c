//! Which spans show a finding.

use serde_json::{Value, json};
use throughline_insight::detect::{Finding, Kind, Subject};
use throughline_store::Operator;
use throughline_telemetry::correlation::IN_AGAIN;

use crate::api::shown::Sought;

/// The spans that show a finding; none where it is of what sends none, or is told by reports of the platform, which are
/// log records.
pub(super) fn that_show(finding: &Finding) -> Option<Sought> {
    let is_throttled = matches!(finding.kind, Kind::Throttles);
    let of_subject = match &finding.subject {
        // Of what was refused only those know who called.
        Subject::Node(node) if is_throttled => Sought::calls(None, node, None),
        Subject::Node(node) => Sought::of_node(node),
        Subject::Operation(node, operation) => Sought::of_operation(node, operation),
        Subject::Edge(from, to, operation) => Sought::calls(Some(from), to, Some(operation)),
        // Who waited says so in its own spans, which have no column for where.
        Subject::Wait(_) => None,
    };
    let spans = of_subject?;
    match &finding.kind {
        Kind::NewEdge { .. } => Some(spans),
        Kind::Errors => Some(spans.failed()),
        Kind::NewError { signature } => spans.failed_as(signature),
        Kind::Latency { .. } | Kind::NearTimeout { .. } => {
            let least = json!(finding.after.low);
            Some(spans.and("duration_ms", Operator::GtEq, least))
        }
        Kind::ColdStarts { .. } => Some(spans.and("faas.coldstart", Operator::Eq, json!(true))),
        Kind::Retries { .. } => Some(spans.and(IN_AGAIN, Operator::Exists, Value::Null)),
        Kind::Throttles => spans.refused(),
        Kind::Memory | Kind::Leak { .. } | Kind::Cost { .. } => None,
        // There is nothing that could be shown.
        Kind::Silence
        | Kind::Incomplete
        | Kind::Waiting { .. }
        | Kind::Backlog { .. }
        | Kind::DeadLetters { .. }
        | Kind::Outer(_) => None,
    }
}

#[cfg(test)]
mod tests;
