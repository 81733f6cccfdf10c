//! What a question to the graph found, and what can be asked of it.

use std::time::Duration;

use serde::Serialize;
use serde_json::{Value as Json, json};
use throughline_insight::graph::{
    self, Answer, Edge, Graph, Heading, Node, NodeId, Numbers, Owner, QUESTIONS, Value, Windows,
    Word,
};
use throughline_insight::question::{Window, in_utc};
use throughline_query::Cost;
use throughline_telemetry::UnixNanos;

use super::Text;
use crate::api::graph_query::Gathered;

/// Rows, and what they are about.
#[derive(Serialize)]
pub(in crate::api) struct GraphAnswer<'a> {
    columns: Vec<Column<'a>>,
    rows: Vec<Vec<Json>>,
    total: u64,
    truncated: bool,
    cut: Option<&'static str>,
    during: Times,
    compared: Option<Times>,
    nodes: Vec<DrawnNode<'a>>,
    edges: Vec<DrawnEdge<'a>>,
    searched: Searched,
    cost: Json,
}

#[derive(Serialize)]
struct Column<'a> {
    name: &'a str,
    unit: Option<&'static str>,
}

#[derive(Serialize)]
struct Times {
    from_unix_nanos: Text<UnixNanos>,
    to_unix_nanos: Text<UnixNanos>,
}

/// The graph that was looked through.
#[derive(Serialize)]
struct Searched {
    nodes: usize,
    edges: usize,
    left_out: usize,
    other_count: u64,
    steps: u64,
}

/// As on the map.
#[derive(Serialize)]
struct DrawnNode<'a> {
    id: &'a str,
    kind: &'static str,
    name: &'a str,
    service: Option<&'a str>,
}

/// As on the map.
#[derive(Serialize)]
struct DrawnEdge<'a> {
    from: &'a str,
    to: &'a str,
    operation: &'a str,
    asynchronous: bool,
    count: u64,
    error_count: u64,
    throttle_count: u64,
    rate: f64,
    sum_ms: f64,
    p50_ms: f64,
    p99_ms: f64,
}

impl<'a> GraphAnswer<'a> {
    pub(in crate::api) fn new(
        found: &'a Answer,
        gathered: &'a Gathered,
        windows: &Windows,
        elapsed: Duration,
    ) -> Self {
        let graph = &gathered.graph;
        let rows = found.rows.iter().map(|row| {
            let cells = row.iter().map(|value| cell(graph, value));
            cells.collect()
        });
        let looked = gathered.looked;
        let cost = Cost {
            rows: looked.rows,
            bytes: looked.bytes,
            segments: looked.parts,
            rollups: looked.rollups,
            elapsed,
        };
        GraphAnswer {
            columns: found.columns.iter().map(Column::new).collect(),
            rows: rows.collect(),
            total: found.total,
            truncated: found.cut.is_some() || gathered.left_out > 0,
            cut: found.cut.map(graph::Cut::name),
            during: Times::new(windows.during),
            compared: windows.compared.map(Times::new),
            nodes: found
                .nodes
                .iter()
                .map(|id| DrawnNode::new(graph.node(*id)))
                .collect(),
            edges: found
                .edges
                .iter()
                .map(|id| DrawnEdge::new(graph, graph.edge(*id)))
                .collect(),
            searched: Searched {
                nodes: graph.nodes().len(),
                edges: graph.edges().len(),
                left_out: gathered.left_out,
                other_count: gathered.other_count,
                steps: found.steps,
            },
            cost: cost.to_json(),
        }
    }

    /// The table alone.
    pub(in crate::api) fn to_rows(&self) -> Json {
        json!({"columns": self.columns, "rows": self.rows, "truncated": self.truncated, "cut": self.cut})
    }
}

impl<'a> Column<'a> {
    fn new(heading: &'a Heading) -> Self {
        Column {
            name: &heading.name,
            unit: Some(heading.unit).filter(|unit| !unit.is_empty()),
        }
    }
}

impl Times {
    fn new(window: Window) -> Self {
        Times {
            from_unix_nanos: Text(window.from),
            to_unix_nanos: Text(window.to),
        }
    }
}

impl<'a> DrawnNode<'a> {
    fn new(node: &'a Node) -> Self {
        DrawnNode {
            id: &node.id,
            kind: node.kind.name(),
            name: &node.name,
            service: node.service.as_deref(),
        }
    }
}

impl<'a> DrawnEdge<'a> {
    fn new(graph: &'a Graph, edge: &'a Edge) -> Self {
        let Numbers {
            calls,
            errors,
            throttles,
            sum_ms,
            percentiles,
            ..
        } = edge.numbers;
        let [p50_ms, p99_ms] = percentiles.unwrap_or_default();
        DrawnEdge {
            from: &graph.node(edge.from).id,
            to: &graph.node(edge.to).id,
            operation: &edge.operation,
            asynchronous: edge.is_async,
            count: calls,
            error_count: errors,
            throttle_count: throttles,
            rate: graph.rate(&edge.numbers),
            sum_ms,
            p50_ms,
            p99_ms,
        }
    }
}

/// A value: what is of the graph as an object that names it, times as RFC 3339.
fn cell(graph: &Graph, value: &Value) -> Json {
    let ids = |nodes: &[NodeId]| -> Vec<Json> {
        nodes
            .iter()
            .map(|node| json!(&*graph.node(*node).id))
            .collect()
    };
    match value {
        Value::Null => Json::Null,
        Value::Bool(is) => json!(is),
        // A number of JSON is a float to most who read it.
        Value::Int(number) if number.unsigned_abs() > EXACT => json!(number.to_string()),
        Value::Int(number) => json!(number),
        Value::Float(number) => json!(number),
        Value::Text(text) => json!(&**text),
        Value::Time(at) => json!(in_utc(*at)),
        Value::List(values) => values.iter().map(|value| cell(graph, value)).collect(),
        Value::Node(node) => json!({"node": &*graph.node(*node).id}),
        Value::Edge(edge) => {
            let edge = graph.edge(*edge);
            json!({
                "from": &*graph.node(edge.from).id,
                "to": &*graph.node(edge.to).id,
                "type": edge.type_name(),
                "operation": &*edge.operation,
            })
        }
        Value::Path(nodes, edges) => {
            let types = edges.iter().map(|edge| graph.edge(*edge).type_name());
            json!({"path": ids(nodes), "types": types.collect::<Vec<_>>()})
        }
    }
}

/// What can be asked.
#[derive(Serialize)]
pub(in crate::api) struct GraphLanguage {
    labels: Vec<LanguageWord>,
    types: Vec<LanguageWord>,
    properties: Vec<LanguageProperty>,
    functions: Vec<LanguageWord>,
    questions: Vec<LanguageQuestion>,
}

#[derive(Serialize)]
struct LanguageWord {
    name: &'static str,
    means: &'static str,
}

#[derive(Serialize)]
struct LanguageProperty {
    name: &'static str,
    means: &'static str,
    of: &'static str,
    unit: Option<&'static str>,
}

#[derive(Serialize)]
struct LanguageQuestion {
    title: &'static str,
    about: Option<&'static str>,
    query: &'static str,
}

impl GraphLanguage {
    pub(in crate::api) fn new() -> Self {
        let questions = QUESTIONS.iter().map(|question| LanguageQuestion {
            title: question.title,
            about: Some(question.about).filter(|about| !about.is_empty()),
            query: question.query,
        });
        GraphLanguage {
            labels: graph::labels().map(LanguageWord::new).collect(),
            types: graph::types().map(LanguageWord::new).collect(),
            properties: graph::properties().map(LanguageProperty::new).collect(),
            functions: graph::functions().map(LanguageWord::new).collect(),
            questions: questions.collect(),
        }
    }
}

impl LanguageWord {
    fn new(word: &'static Word) -> Self {
        LanguageWord {
            name: word.name,
            means: word.means,
        }
    }
}

impl LanguageProperty {
    fn new(word: &'static Word) -> Self {
        LanguageProperty {
            name: word.name,
            means: word.means,
            of: match word.owner {
                Owner::Node => "nodes",
                Owner::Relationship => "relationships",
                Owner::Both => "both",
            },
            unit: Some(word.unit).filter(|unit| !unit.is_empty()),
        }
    }
}

/// Whole numbers up to here are floats, too.
const EXACT: u64 = 1 << 53;
