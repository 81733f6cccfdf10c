//! Which spans show what a node did.

use serde_json::{Value, json};
use throughline_insight::detect::Node;
use throughline_insight::investigate::Suspect;
use throughline_insight::question::Symptom;
use throughline_store::{Condition, Count, Filter, Operator, SearchQuery};
use throughline_telemetry::{Span, SpanKind};

use super::Times;
use crate::api::error::ApiError;
use crate::api::queries::Queries;

/// Spans of a node at some time: its own, or of what sends none those of whoever calls it. None where there are none.
pub(super) async fn of_node(
    queries: &Queries,
    node: &Node,
    times: &Times,
) -> Result<Option<Vec<Condition>>, ApiError> {
    let Some((kind, name)) = node.split_once(':') else {
        return Ok(None);
    };
    let of_kind = |kinds: Value| is("kind", Operator::In, kinds);
    let own = match kind {
        "function" => Some("faas.name"),
        "service" => Some("service"),
        _ => None,
    };
    if let Some(column) = own {
        return Ok(Some(vec![
            is(column, Operator::Eq, json!(name)),
            of_kind(json!(["server", "consumer"])),
        ]));
    }
    // Which of the attributes that name such a thing is used here, a span tells.
    let calls = of_kind(json!(["client", "producer"]));
    let ways = ways(kind, name);
    let any = Filter::Any(ways.iter().cloned().map(Filter::Is).collect());
    let query = SearchQuery {
        filter: Filter::All(vec![Filter::Is(calls.clone()), any]),
        from: Some(times.start),
        to: Some(times.end),
        limit: Some(1),
        count: Count::Page,
        ..SearchQuery::default()
    };
    let (page, _) = queries.search::<Span>(query).await?;
    let Some(span) = page.rows.first() else {
        return Ok(None);
    };
    let used = ways.into_iter().find(|way| is_used(span, way));
    Ok(used.map(|way| vec![way, calls]))
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
    let Some((kind, name)) = node.split_once(':') else {
        return false;
    };
    let is_client = matches!(span.kind, SpanKind::Client | SpanKind::Producer);
    is_client && ways(kind, name).iter().any(|way| is_used(span, way))
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
        Symptom::Expensive | Symptom::Silent | Symptom::Changed => {}
    }
    filters
}

pub(super) fn is(column: &str, op: Operator, value: Value) -> Condition {
    Condition {
        column: column.to_owned(),
        op,
        value,
    }
}

/// The attributes that may name it, in the order in which the map reads them.
fn ways(kind: &str, name: &str) -> Vec<Condition> {
    let same = |column: &str| is(column, Operator::Eq, json!(name));
    let ends = |column: &str| is(column, Operator::EndsWith, json!(name));
    let has = |column: &str| is(column, Operator::Contains, json!(name));
    match kind {
        "table" => vec![has("aws.dynamodb.table_names"), ends("db.collection.name")],
        "bucket" => vec![same("aws.s3.bucket")],
        "stream" => vec![
            ends("aws.kinesis.stream_name"),
            ends("messaging.destination.name"),
        ],
        "queue" | "topic" | "bus" => vec![
            ends("messaging.destination.name"),
            ends("aws.sqs.queue.url"),
            ends("aws.sns.topic.arn"),
        ],
        "database" => vec![
            same("db.namespace"),
            same("server.address"),
            same("db.system.name"),
            same("db.name"),
        ],
        "cache" => vec![same("server.address"), same("net.peer.name")],
        "function" => vec![same("faas.invoked_name")],
        "service" => vec![same("service.peer.name"), same("rpc.service")],
        _ => vec![
            same("server.address"),
            same("net.peer.name"),
            has("url.full"),
        ],
    }
}

fn is_used(span: &Span, way: &Condition) -> bool {
    let value = span.attributes.get(&way.column);
    value.is_some_and(|value| holds(way, &value.to_text()))
}

/// Whether a value is what a way looks for; the search has compared, this tells by which of them.
fn holds(way: &Condition, value: &str) -> bool {
    let wanted = way.value.as_str().unwrap_or_default();
    match way.op {
        Operator::Eq => value == wanted,
        Operator::EndsWith => value.ends_with(wanted),
        _ => value.contains(wanted),
    }
}

/// To two digits behind the point: it stands in an address.
fn rounded(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}
