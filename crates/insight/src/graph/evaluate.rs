//! What an expression is in a row.

use std::sync::Arc;

use super::matching::{Cell, Matcher, Row};
use super::model::{EdgeId, Graph, NodeId};
use super::plan::{Expr, Operator};
use super::read::{of_edge, of_node};
use super::value::Value;
use super::vocabulary::{Function, LABELS, Property};

impl Matcher<'_> {
    /// The value of an expression; `aggregated` is what the aggregates of a group became.
    pub(super) fn value(&mut self, expr: &Expr, row: &mut Row, aggregated: &[Value]) -> Value {
        let graph = self.graph;
        let mut of = |expr: &Expr| self.value(expr, row, aggregated);
        match expr {
            Expr::Constant(value) => value.clone(),
            Expr::Node(slot) | Expr::Edge(slot) | Expr::Edges(slot) => row[*slot].value(),
            Expr::Path(along) => path(graph, along, row),
            Expr::Property(from, property, side) => match of(from) {
                Value::Node(node) => of_node(graph, node, *property, *side),
                Value::Edge(edge) => of_edge(graph, edge, *property, *side),
                _ => Value::Null,
            },
            Expr::Index(list, index) => at(&of(list), &of(index)),
            Expr::List(items) => Value::list(items.iter().map(of).collect::<Vec<_>>()),
            Expr::Not(from) => truth(&of(from)).map_or(Value::Null, |is| Value::Bool(!is)),
            Expr::Negate(from) => match of(from) {
                Value::Int(number) => Value::Int(number.saturating_neg()),
                Value::Float(number) => Value::Float(-number),
                _ => Value::Null,
            },
            Expr::IsNull(from, is_null) => Value::Bool(of(from).is_null() == *is_null),
            Expr::Binary(Operator::And, left, right) => match truth(&of(left)) {
                Some(false) => Value::Bool(false),
                left => known(both(left, truth(&of(right)))),
            },
            Expr::Binary(Operator::Or, left, right) => match truth(&of(left)) {
                Some(true) => Value::Bool(true),
                left => {
                    let none = both(left.map(|it| !it), truth(&of(right)).map(|it| !it));
                    known(none.map(|it| !it))
                }
            },
            Expr::Binary(operator, left, right) => binary(*operator, &of(left), &of(right)),
            Expr::Call(function, arguments) => {
                let arguments: Vec<Value> = arguments.iter().map(of).collect();
                call(graph, *function, &arguments)
            }
            Expr::Aggregate(place) => aggregated.get(*place).cloned().unwrap_or(Value::Null),
            Expr::Exists(pattern) => Value::Bool(self.exists(pattern, row)),
        }
    }

    /// Whether a condition certainly holds.
    pub(super) fn holds(&mut self, expr: &Expr, row: &mut Row) -> bool {
        truth(&self.value(expr, row, &[])) == Some(true)
    }
}

fn truth(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(is) => Some(*is),
        _ => None,
    }
}

/// Whether both hold, where that is known.
fn both(left: Option<bool>, right: Option<bool>) -> Option<bool> {
    match (left, right) {
        (Some(false), _) | (_, Some(false)) => Some(false),
        (Some(true), Some(true)) => Some(true),
        _ => None,
    }
}

fn known(is: Option<bool>) -> Value {
    is.map_or(Value::Null, Value::Bool)
}

fn binary(operator: Operator, left: &Value, right: &Value) -> Value {
    let compared = |holds: fn(std::cmp::Ordering) -> bool| known(left.compare(right).map(holds));
    let texts = |holds: fn(&str, &str) -> bool| match (left, right) {
        (Value::Text(left), Value::Text(right)) => Value::Bool(holds(left, right)),
        _ => Value::Null,
    };
    match operator {
        // Those two do not need both sides, and are worked out before.
        Operator::And | Operator::Or => Value::Null,
        Operator::Xor => match (truth(left), truth(right)) {
            (Some(left), Some(right)) => Value::Bool(left != right),
            _ => Value::Null,
        },
        Operator::Equal => known(left.equals(right)),
        Operator::NotEqual => known(left.equals(right).map(|it| !it)),
        Operator::Less => compared(std::cmp::Ordering::is_lt),
        Operator::LessOrEqual => compared(std::cmp::Ordering::is_le),
        Operator::Greater => compared(std::cmp::Ordering::is_gt),
        Operator::GreaterOrEqual => compared(std::cmp::Ordering::is_ge),
        Operator::In => contained(left, right),
        Operator::StartsWith => texts(|left, right| left.starts_with(right)),
        Operator::EndsWith => texts(|left, right| left.ends_with(right)),
        Operator::Contains => texts(|left, right| left.contains(right)),
        _ => arithmetic(operator, left, right),
    }
}

fn contained(value: &Value, list: &Value) -> Value {
    let Value::List(items) = list else {
        return Value::Null;
    };
    let found: Vec<Option<bool>> = items.iter().map(|item| item.equals(value)).collect();
    match found.contains(&Some(true)) {
        true => Value::Bool(true),
        false if found.contains(&None) => Value::Null,
        false => Value::Bool(false),
    }
}

/// Whole numbers stay whole where nothing is lost, but a quotient is what it is: 1 / 2 is 0.5.
fn arithmetic(operator: Operator, left: &Value, right: &Value) -> Value {
    if let (Value::Int(left), Value::Int(right)) = (left, right) {
        let whole = match operator {
            Operator::Add => left.checked_add(*right),
            Operator::Subtract => left.checked_sub(*right),
            Operator::Multiply => left.checked_mul(*right),
            Operator::Remainder => left.checked_rem(*right),
            _ => None,
        };
        if let Some(whole) = whole {
            return Value::Int(whole);
        }
    }
    match (operator, left, right) {
        (Operator::Add, Value::Text(left), Value::Text(right)) => joined(left, right),
        (Operator::Add, Value::List(left), Value::List(right)) => {
            Value::list(left.iter().chain(right.iter()).take(LIST_MAX).cloned())
        }
        _ => match (left.number(), right.number()) {
            (Some(left), Some(right)) => Value::float(match operator {
                Operator::Add => left + right,
                Operator::Subtract => left - right,
                Operator::Multiply => left * right,
                Operator::Divide => left / right,
                _ => left % right,
            }),
            _ => Value::Null,
        },
    }
}

fn joined(left: &str, right: &str) -> Value {
    match left.len() + right.len() <= TEXT_BYTES_MAX {
        true => Value::text(&format!("{left}{right}")),
        false => Value::Null,
    }
}

fn at(list: &Value, index: &Value) -> Value {
    let (Value::List(items), Value::Int(index)) = (list, index) else {
        return Value::Null;
    };
    // From the end, if it is negative.
    let length = i64::try_from(items.len()).unwrap_or(i64::MAX);
    let place = if *index < 0 {
        length.saturating_add(*index)
    } else {
        *index
    };
    let found = usize::try_from(place)
        .ok()
        .and_then(|place| items.get(place));
    found.cloned().unwrap_or(Value::Null)
}

fn call(graph: &Graph, function: Function, arguments: &[Value]) -> Value {
    let Some(first) = arguments.first() else {
        return Value::Null;
    };
    match (function, first) {
        (Function::Coalesce, _) => {
            let mut known = arguments.iter().filter(|value| !value.is_null());
            known.next().cloned().unwrap_or(Value::Null)
        }
        (Function::Labels, Value::Node(node)) => {
            let node = graph.node(*node);
            let has = LABELS.iter().filter(|(label, _)| node.is(*label));
            Value::list(has.map(|(_, word)| Value::text(word.name)))
        }
        (Function::Type, Value::Edge(edge)) => Value::text(graph.edge(*edge).type_name()),
        (Function::Id, Value::Node(node)) => {
            of_node(graph, *node, Property::Id, super::plan::Side::Now)
        }
        (Function::StartNode, Value::Edge(edge)) => Value::Node(graph.edge(*edge).from),
        (Function::EndNode, Value::Edge(edge)) => Value::Node(graph.edge(*edge).to),
        (Function::Length, Value::Path(_, edges)) => Value::count(edges.len() as u64),
        (Function::Length | Function::Size, Value::List(items)) => Value::count(items.len() as u64),
        (Function::Size, Value::Text(text)) => Value::count(text.chars().count() as u64),
        (Function::Nodes, Value::Path(nodes, _)) => {
            Value::list(nodes.iter().copied().map(Value::Node))
        }
        (Function::Relationships, Value::Path(_, edges)) => {
            Value::list(edges.iter().copied().map(Value::Edge))
        }
        (Function::ToLower, Value::Text(text)) => Value::text(&text.to_lowercase()),
        (Function::ToUpper, Value::Text(text)) => Value::text(&text.to_uppercase()),
        (Function::Abs, Value::Int(number)) => Value::Int(number.saturating_abs()),
        (Function::Abs, Value::Float(number)) => Value::Float(number.abs()),
        (Function::Round, Value::Int(number)) => Value::Int(*number),
        (Function::Round, Value::Float(number)) => rounded(*number, arguments.get(1)),
        _ => Value::Null,
    }
}

fn rounded(number: f64, decimals: Option<&Value>) -> Value {
    let decimals = match decimals {
        None => 0,
        Some(Value::Int(decimals)) => i32::try_from(*decimals).unwrap_or(0).clamp(0, 12),
        Some(_) => return Value::Null,
    };
    let scale = 10_f64.powi(decimals);
    Value::float((number * scale).round() / scale)
}

/// The nodes and relationships of a pattern in a row; null where a piece was not recorded.
fn path(graph: &Graph, along: &[usize], row: &Row) -> Value {
    let Some(Cell::Node(start)) = along.first().map(|slot| &row[*slot]) else {
        return Value::Null;
    };
    let mut nodes: Vec<NodeId> = vec![*start];
    let mut edges: Vec<EdgeId> = Vec::new();
    let mut at = *start;
    for slot in along.iter().skip(1).step_by(2) {
        let piece: &[EdgeId] = match &row[*slot] {
            Cell::Edge(edge) => std::slice::from_ref(edge),
            Cell::Edges(edges) => edges,
            Cell::Node(_) | Cell::None => return Value::Null,
        };
        for edge in piece {
            let of = graph.edge(*edge);
            at = if of.from == at { of.to } else { of.from };
            nodes.push(at);
            edges.push(*edge);
        }
    }
    Value::Path(Arc::from(nodes), Arc::from(edges))
}

/// What is made of many by adding them up.
const LIST_MAX: usize = 10_000;
const TEXT_BYTES_MAX: usize = 64 * 1024;
