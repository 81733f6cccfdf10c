//! What the store has of a window, as a graph.

use std::ops::Range;

use throughline_insight::detect::Change;
use throughline_insight::graph::{Builder, Counted, Graph, Kind, NodeId, Uses, Windows};
use throughline_insight::question::Window;
use throughline_store::{
    self as store, Looked, NodeKind, OTHER, OperationFilter, OperationRow, ReadError, Store,
    SumFilter,
};
use throughline_telemetry::UnixNanos;

use crate::detection::{Names, answers};

/// Reads what a query speaks of.
pub(super) struct Gather {
    pub(super) store: Store,
    pub(super) names: Names,
    pub(super) uses: Uses,
    pub(super) changes: Vec<Change>,
}

/// The graph, and what it took.
pub(in crate::api) struct Gathered {
    pub(in crate::api) graph: Graph,
    pub(in crate::api) looked: Looked,
    /// Calls that are in no edge, because a minute had too many of them.
    pub(in crate::api) other_count: u64,
    /// Edges that there was no room for in the graph.
    pub(in crate::api) left_out: usize,
}

/// What was read of one window.
struct Read {
    builder: Builder,
    looked: Looked,
    other_count: u64,
    left_out: usize,
}

impl Gather {
    /// Blocks on the disk.
    pub(super) fn all(mut self, windows: &Windows) -> Result<Gathered, ReadError> {
        let mut now = self.read(windows.during)?;
        for change in &self.changes {
            if let Some(node) = node_of(&mut now.builder, &change.node) {
                now.builder.changed(node, change.at);
            }
        }
        let before = windows
            .compared
            .map(|window| self.read(window))
            .transpose()?;
        if let Some(before) = &before {
            add(&mut now.looked, before.looked);
            now.left_out += before.left_out;
        }
        let before = before.map(|read| read.builder);
        Ok(Gathered {
            graph: Graph::build(now.builder, before.as_ref()),
            looked: now.looked,
            other_count: now.other_count,
            left_out: now.left_out,
        })
    }

    fn read(&mut self, window: Window) -> Result<Read, ReadError> {
        let filter = SumFilter {
            from: window.from,
            to: window.to,
            limit: EDGES_MAX,
            ..SumFilter::default()
        };
        let found = self.store.edges(&filter, None)?;
        let minutes = found.from..found.to;
        let mut read = Read {
            builder: Builder::new(minutes.clone()),
            looked: found.looked,
            other_count: found.others,
            left_out: found.total - found.edges.len(),
        };
        for edge in &found.edges {
            self.names
                .learn(&edge.caller.service, &edge.caller.function);
            if edge.callee.kind == NodeKind::Function {
                self.names.learn(&edge.callee.service, &edge.callee.name);
            }
        }
        for edge in &found.edges {
            self.edge(edge, &mut read.builder);
        }
        self.operations(&minutes, &mut read)?;
        if self.uses.cost {
            self.costs(&minutes, &mut read)?;
        }
        Ok(read)
    }

    /// A call of whoever it was; those that there was no room for are between nobody.
    fn edge(&self, edge: &store::Edge, builder: &mut Builder) {
        if edge.callee.kind == NodeKind::Other || edge.caller.service == OTHER {
            return;
        }
        let caller = &edge.caller;
        let from = match caller.function.as_str() {
            "" => builder.node(Kind::Service, &caller.service),
            function => builder.node(Kind::Function, function),
        };
        if !caller.function.is_empty() {
            builder.service(from, &caller.service);
        }
        let kind = Kind::named(edge.callee.kind.name()).unwrap_or(Kind::Other);
        let to = builder.node(kind, &edge.callee.name);
        builder.service(to, &edge.callee.service);
        let counted = Counted {
            calls: edge.count,
            errors: edge.errors,
            throttles: edge.throttles,
            cold_starts: 0,
            sum_ms: edge.sum_ms,
            durations: edge.durations.clone(),
            seen: Some(edge.seen),
        };
        builder.call(from, to, &edge.operation, edge.is_async, &counted);
    }

    /// What functions and services say themselves of what they did.
    fn operations(&self, minutes: &Range<UnixNanos>, read: &mut Read) -> Result<(), ReadError> {
        let filter = OperationFilter {
            from: minutes.start,
            to: minutes.end,
            service: None,
            environment: None,
            limit: OPERATIONS_MAX,
        };
        let found = self.store.operations(&filter)?;
        add(&mut read.looked, found.looked);
        for ((), row, tells) in answers(found.operations.iter().map(|row| ((), row))) {
            let Some(node) = node_of(&mut read.builder, &self.names.node(&row.service)) else {
                continue;
            };
            let counted = counted(row);
            if tells.of_node {
                read.builder.own(node, &counted);
            }
            if tells.of_operation && self.uses.operations {
                read.builder.operation(node, &row.name, &counted);
            }
        }
        Ok(())
    }

    fn costs(&self, minutes: &Range<UnixNanos>, read: &mut Read) -> Result<(), ReadError> {
        let filter = SumFilter {
            from: minutes.start,
            to: minutes.end,
            limit: EDGES_MAX,
            ..SumFilter::default()
        };
        let found = self.store.costs(&filter)?;
        add(&mut read.looked, found.looked);
        for cost in &found.functions {
            let node = match cost.function.function.as_str() {
                "" => node_of(&mut read.builder, &self.names.node(&cost.function.service)),
                function => Some(read.builder.node(Kind::Function, function)),
            };
            if let Some(node) = node {
                read.builder.cost(node, cost.usd);
            }
        }
        Ok(())
    }
}

/// The node of an id, such as `function:checkout`.
fn node_of(builder: &mut Builder, id: &str) -> Option<NodeId> {
    let (kind, name) = id.split_once(':')?;
    Some(builder.node(Kind::named(kind)?, name))
}

fn counted(row: &OperationRow) -> Counted {
    Counted {
        calls: row.count,
        errors: row.errors,
        throttles: 0,
        cold_starts: row.cold_starts,
        sum_ms: row.sum_ms,
        durations: row.durations.clone(),
        seen: None,
    }
}

fn add(looked: &mut Looked, more: Looked) {
    looked.rows += more.rows;
    looked.bytes += more.bytes;
    looked.parts += more.parts;
    looked.rollups += more.rollups;
}

/// What fits a graph of some tens of megabytes; those with the most calls are in it.
const EDGES_MAX: usize = 200_000;
const OPERATIONS_MAX: usize = 50_000;
