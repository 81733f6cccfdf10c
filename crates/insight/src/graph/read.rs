//! What nodes and relationships have: values of their properties.

use super::model::{Edge, EdgeId, Graph, Node, NodeId, Numbers};
use super::plan::Side;
use super::value::Value;
use super::vocabulary::{Property, Types};

pub(super) fn of_node(graph: &Graph, id: NodeId, property: Property, side: Side) -> Value {
    let node = graph.node(id);
    let text = |text: &str| Value::text(text);
    match property {
        Property::Id => Value::Text(node.id.clone()),
        Property::Kind => text(node.kind.name()),
        Property::Name => Value::Text(node.name.clone()),
        Property::Service => node.service.clone().map_or(Value::Null, Value::Text),
        Property::Changed => node.changed.map_or(Value::Null, Value::Time),
        Property::IsNew => Value::Bool(node.before.is_none()),
        _ => sided(side, |is_before| {
            let Node {
                numbers, before, ..
            } = node;
            of_numbers(graph, (numbers, before.as_ref()), property, is_before)
        }),
    }
}

pub(super) fn of_edge(graph: &Graph, id: EdgeId, property: Property, side: Side) -> Value {
    let edge = graph.edge(id);
    match property {
        Property::Operation => Value::Text(edge.operation.clone()),
        Property::Type => Value::text(edge.types.name()),
        Property::Asynchronous => Value::Bool(edge.is_async),
        Property::IsNew => Value::Bool(edge.before.is_none()),
        _ => sided(side, |is_before| {
            let Edge {
                numbers, before, ..
            } = edge;
            let both = (numbers, before.as_ref());
            match property {
                Property::Wait if edge.types.meet(Types::CALLS) => {
                    of_numbers(graph, both, Property::Time, is_before)
                }
                Property::Wait => Value::Float(0.0),
                _ => of_numbers(graph, both, property, is_before),
            }
        }),
    }
}

/// Whether a relationship has these properties.
pub(super) fn has_properties(
    graph: &Graph,
    edge: EdgeId,
    properties: &[(Property, Value)],
) -> bool {
    properties.iter().all(|(property, value)| {
        of_edge(graph, edge, *property, Side::Now).equals(value) == Some(true)
    })
}

fn sided(side: Side, of: impl Fn(bool) -> Value) -> Value {
    match side {
        Side::Now => of(false),
        Side::Before => of(true),
        Side::Difference => match (of(false), of(true)) {
            (Value::Int(now), Value::Int(before)) => Value::Int(now.saturating_sub(before)),
            (now, before) => match (now.number(), before.number()) {
                (Some(now), Some(before)) => Value::float(now - before),
                _ => Value::Null,
            },
        },
    }
}

/// What was not there has no calls, and no times of them.
fn of_numbers(
    graph: &Graph,
    (now, before): (&Numbers, Option<&Numbers>),
    property: Property,
    is_before: bool,
) -> Value {
    let none = Numbers::default();
    let (numbers, seconds) = match is_before {
        true => (before.unwrap_or(&none), graph.seconds_before.unwrap_or(1.0)),
        false => (now, graph.seconds),
    };
    number(numbers, property, seconds)
}

#[allow(clippy::cast_precision_loss)] // rates and means
fn number(numbers: &Numbers, property: Property, seconds: f64) -> Value {
    let calls = numbers.calls as f64;
    let by_calls = |sum: f64| match numbers.calls {
        0 => Value::Null,
        _ => Value::float(sum / calls),
    };
    let percentile = |place: usize| {
        let both = numbers.percentiles;
        both.map_or(Value::Null, |both| Value::float(both[place]))
    };
    match property {
        Property::Calls => Value::count(numbers.calls),
        Property::Errors => Value::count(numbers.errors),
        Property::Throttles => Value::count(numbers.throttles),
        Property::ColdStarts => Value::count(numbers.cold_starts),
        Property::Rate => Value::float(calls / seconds.max(1.0)),
        Property::ErrorRate => by_calls(numbers.errors as f64),
        Property::Time => Value::float(numbers.sum_ms),
        Property::Mean => by_calls(numbers.sum_ms),
        Property::P50 => percentile(0),
        Property::P99 => percentile(1),
        Property::Cost => numbers.cost_usd.map_or(Value::Null, Value::float),
        Property::FirstSeen => numbers
            .seen
            .map_or(Value::Null, |(first, _)| Value::Time(first)),
        Property::LastSeen => numbers
            .seen
            .map_or(Value::Null, |(_, last)| Value::Time(last)),
        // Of nodes or of relationships alone.
        _ => Value::Null,
    }
}
