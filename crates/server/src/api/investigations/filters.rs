//! Which spans show what a node did.

use serde_json::json;
use throughline_insight::detect::Node;
use throughline_insight::investigate::Suspect;
use throughline_insight::question::Symptom;
use throughline_store::{ClientCall, Condition, Operator};
use throughline_telemetry::{Span, SpanKind};

use super::Times;
use crate::api::error::ApiError;
use crate::api::queries::Queries;
use crate::api::shown::{Sought, is};

/// Spans of a node at some time: its own, or of what sends none those of whoever calls it. None where there are none.
pub(super) async fn of_node(
    queries: &Queries,
    node: &Node,
    times: &Times,
) -> Result<Option<Vec<Condition>>, ApiError> {
    match Sought::of_node(node) {
        Some(sought) => sought.filters(queries, times).await,
        None => Ok(None),
    }
}

/// Whether a span shows what a node did, as [`of_node`] finds them.
pub(super) fn is_of(span: &Span, node: &Node) -> bool {
    let answers = matches!(span.kind, SpanKind::Server | SpanKind::Consumer);
    match node.split_once(':') {
        Some(("function", name)) => {
            let said = span.attributes.text("faas.name");
            let said = said.or_else(|| span.resource.attributes.text("faas.name"));
            answers && said == Some(name)
        }
        Some(("service", name)) => answers && span.service() == name,
        _ => is_call(span, node),
    }
}

/// Whether a span is a call of this node.
pub(super) fn is_call(span: &Span, node: &Node) -> bool {
    let called = |(kind, name): (&str, &str)| {
        let call = ClientCall::of(span);
        call.is_some_and(|call| call.kind.name() == kind && call.name == name)
    };
    node.split_once(':').is_some_and(called)
}

/// Of these spans those that show the symptom.
pub(super) fn that_show(mut filters: Vec<Condition>, suspect: &Suspect) -> Vec<Condition> {
    let middle = f64::midpoint(suspect.evidence.before, suspect.evidence.after);
    match suspect.symptom {
        Symptom::Slow => filters.push(is("duration_ms", Operator::GtEq, json!(rounded(middle)))),
        Symptom::Error | Symptom::Timeout | Symptom::Throttle => {
            filters.push(is("status", Operator::Eq, json!("error")));
        }
        Symptom::ColdStart => filters.push(is("faas.coldstart", Operator::Eq, json!(true))),
        Symptom::Expensive | Symptom::Silent | Symptom::Waiting | Symptom::Changed => {}
    }
    filters
}

/// To two digits behind the point: it stands in an address.
fn rounded(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}
