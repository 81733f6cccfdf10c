//! A map of what calls what, what services do, and what functions cost.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;
use throughline_query::Cost;
use throughline_store::{self as store, CostList, EdgeList, OperationList, OperationRow};
use throughline_telemetry::{HistogramSum, UnixNanos};

use super::Text;

/// Nodes and the edges between them.
#[derive(Serialize)]
pub(in crate::api) struct EdgeMap<'a> {
    from_unix_nanos: Text<UnixNanos>,
    to_unix_nanos: Text<UnixNanos>,
    nodes: Vec<Node<'a>>,
    edges: Vec<Edge<'a>>,
    total: usize,
    truncated: bool,
    other_count: u64,
    cost: Value,
}

#[derive(Clone, Serialize)]
struct Node<'a> {
    id: String,
    kind: &'static str,
    name: &'a str,
    service: Option<&'a str>,
}

#[derive(Serialize)]
struct Edge<'a> {
    from: String,
    to: String,
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

impl<'a> EdgeMap<'a> {
    pub(in crate::api) fn new(found: &'a EdgeList, cost: &Cost) -> Self {
        let mut nodes = BTreeMap::new();
        let seconds = found.to.since(found.from).as_secs_f64();
        let edges = found.edges.iter().map(|edge| {
            let ends = [Node::caller(&edge.caller), Node::callee(&edge.callee)];
            let [from, to] = ends.map(|node| {
                let id = node.id.clone();
                // Who has sent spans of its own says of which service it is.
                let known = nodes.entry(id.clone()).or_insert_with(|| node.clone());
                known.service = known.service.or(node.service);
                id
            });
            Edge::new(edge, from, to, seconds)
        });
        let edges: Vec<Edge<'a>> = edges.collect();
        EdgeMap {
            from_unix_nanos: Text(found.from),
            to_unix_nanos: Text(found.to),
            nodes: nodes.into_values().collect(),
            truncated: edges.len() < found.total,
            edges,
            total: found.total,
            other_count: found.others,
            cost: cost.to_json(),
        }
    }
}

impl<'a> Node<'a> {
    fn caller(caller: &'a store::Caller) -> Self {
        match (caller.function.as_str(), caller.service.as_str()) {
            ("", store::OTHER) => Node::new(store::NodeKind::Other, store::OTHER, ""),
            ("", service) => Node::new(store::NodeKind::Service, service, ""),
            (function, service) => Node::new(store::NodeKind::Function, function, service),
        }
    }

    fn callee(callee: &'a store::Callee) -> Self {
        Node::new(callee.kind, &callee.name, &callee.service)
    }

    fn new(kind: store::NodeKind, name: &'a str, service: &'a str) -> Self {
        Node {
            id: format!("{kind}:{name}"),
            kind: kind.name(),
            name,
            service: Some(service).filter(|service| !service.is_empty()),
        }
    }
}

impl<'a> Edge<'a> {
    #[allow(clippy::cast_precision_loss)] // a rate
    fn new(edge: &'a store::Edge, from: String, to: String, seconds: f64) -> Self {
        let [p50_ms, p99_ms] = percentiles(&edge.durations);
        Edge {
            from,
            to,
            operation: &edge.operation,
            asynchronous: edge.is_async,
            count: edge.count,
            error_count: edge.errors,
            throttle_count: edge.throttles,
            rate: edge.count as f64 / seconds,
            sum_ms: edge.sum_ms,
            p50_ms,
            p99_ms,
        }
    }
}

/// What services do.
#[derive(Serialize)]
pub(in crate::api) struct OperationPage<'a> {
    operations: Vec<Operation<'a>>,
    total: usize,
    truncated: bool,
    cost: Value,
}

#[derive(Serialize)]
struct Operation<'a> {
    service: &'a str,
    name: &'a str,
    kind: &'static str,
    count: u64,
    error_count: u64,
    cold_start_count: u64,
    sum_ms: f64,
    p50_ms: f64,
    p99_ms: f64,
}

impl<'a> OperationPage<'a> {
    pub(in crate::api) fn new(found: &'a OperationList, cost: &Cost) -> Self {
        let operations: Vec<_> = found.operations.iter().map(Operation::new).collect();
        OperationPage {
            truncated: operations.len() < found.total,
            operations,
            total: found.total,
            cost: cost.to_json(),
        }
    }
}

impl<'a> Operation<'a> {
    fn new(row: &'a OperationRow) -> Self {
        let [p50_ms, p99_ms] = percentiles(&row.durations);
        Operation {
            service: &row.service,
            name: &row.name,
            kind: row.kind.name(),
            count: row.count,
            error_count: row.errors,
            cold_start_count: row.cold_starts,
            sum_ms: row.sum_ms,
            p50_ms,
            p99_ms,
        }
    }
}

/// What functions cost.
#[derive(Serialize)]
pub(in crate::api) struct CostPage<'a> {
    from_unix_nanos: Text<UnixNanos>,
    to_unix_nanos: Text<UnixNanos>,
    functions: Vec<FunctionCost<'a>>,
    usd: f64,
    total: usize,
    truncated: bool,
    cost: Value,
}

#[derive(Serialize)]
struct FunctionCost<'a> {
    service: &'a str,
    function: &'a str,
    report_count: u64,
    usd: f64,
}

impl<'a> CostPage<'a> {
    pub(in crate::api) fn new(found: &'a CostList, cost: &Cost) -> Self {
        let functions = found.functions.iter().map(|found| FunctionCost {
            service: &found.function.service,
            function: &found.function.function,
            report_count: found.reports,
            usd: found.usd,
        });
        CostPage {
            from_unix_nanos: Text(found.from),
            to_unix_nanos: Text(found.to),
            functions: functions.collect(),
            usd: found.usd,
            total: found.total,
            truncated: found.functions.len() < found.total,
            cost: cost.to_json(),
        }
    }
}

/// The median and the 99th; nobody lists what never happened.
fn percentiles(durations: &HistogramSum) -> [f64; 2] {
    [50.0, 99.0].map(|percent| durations.percentile(percent).unwrap_or_default())
}
