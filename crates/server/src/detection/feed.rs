//! What the store knows of minutes, by subject.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use throughline_insight::detect::{Counts, Node, Subject};
use throughline_store::{ByMinute, Caller, Edge, NodeKind, OTHER, OperationRow};
use throughline_telemetry::{HistogramSum, SpanKind, UnixNanos};

use super::logs::Report;

/// What was done, by minute and subject.
#[derive(Default)]
pub(super) struct Done {
    pub(super) subjects: BTreeMap<(UnixNanos, Subject), DoneBy>,
    /// Nodes that say themselves what they did.
    pub(super) own: BTreeSet<Node>,
}

/// What a subject did in a minute.
#[derive(Default)]
pub(super) struct DoneBy {
    pub(super) counts: Counts,
    /// How long it took all together.
    pub(super) sum_ms: f64,
}

/// What is remembered of the names of services and functions.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct Names {
    /// By service the function that it is; empty of a service with several.
    functions: BTreeMap<String, String>,
    /// By node, its version and its memory in bytes.
    setups: BTreeMap<Node, (String, u64)>,
}

impl Names {
    fn learn(&mut self, service: &str, function: &str) {
        if service.is_empty() || function.is_empty() || self.functions.len() >= NAMES_MAX {
            return;
        }
        let known = self.functions.entry(service.to_owned());
        let known = known.or_insert_with(|| function.to_owned());
        if known.as_str() != function {
            known.clear();
        }
    }

    /// The node of a service, as on the map.
    fn node(&self, service: &str) -> Node {
        match self.functions.get(service).map(String::as_str) {
            None | Some("") => format!("service:{service}"),
            Some(function) => format!("function:{function}"),
        }
    }

    /// The node of a function, or of a service that is none.
    pub(super) fn node_of(&mut self, service: &str, function: &str) -> Node {
        self.learn(service, function);
        match function {
            "" => self.node(service),
            function => format!("function:{function}"),
        }
    }

    /// What is not as it was.
    pub(super) fn changes(&mut self, node: &Node, report: &Report) -> Vec<String> {
        let now = (report.version.clone(), report.memory_bytes);
        if self.setups.len() >= NAMES_MAX && !self.setups.contains_key(node) {
            return Vec::new();
        }
        let Some(before) = self.setups.insert(node.clone(), now.clone()) else {
            return Vec::new();
        };
        let mut changes = Vec::new();
        if before.0 != now.0 && !now.0.is_empty() {
            changes.push(format!("version {}", now.0));
        }
        if before.1 != now.1 && now.1 > 0 {
            changes.push(format!("memory {} MB", now.1 >> 20));
        }
        changes
    }
}

/// Sums minutes up by subject.
pub(super) fn minutes(found: ByMinute, reports: &[Report], names: &mut Names) -> Done {
    for (_, edge) in &found.edges {
        names.learn(&edge.caller.service, &edge.caller.function);
        if edge.callee.kind == NodeKind::Function {
            names.learn(&edge.callee.service, &edge.callee.name);
        }
    }
    for report in reports {
        names.learn(&report.service, &report.function);
    }
    let mut done = Done::default();
    operations(&found.operations, names, &mut done);
    for (minute, edge) in found.edges {
        done.edge(minute, &edge);
    }
    for report in reports {
        let node = names.node_of(&report.service, &report.function);
        let counts = &mut done.of(report.minute, Subject::Node(node)).counts;
        counts.cost_usd += report.usd;
        counts.billed_ms += report.billed_ms;
        counts.init_ms += report.init_ms;
        counts.memory_bytes_max = counts.memory_bytes_max.max(report.used_bytes);
    }
    done
}

/// Spans that answer somebody are what a node does. Of a function its invocation's span alone is, if there is one:
/// what is below that is part of it.
fn operations(rows: &[(UnixNanos, OperationRow)], names: &Names, done: &mut Done) {
    let answers = |row: &OperationRow| {
        matches!(row.kind, SpanKind::Server | SpanKind::Consumer) && row.service != OTHER
    };
    let rows: Vec<&(UnixNanos, OperationRow)> =
        rows.iter().filter(|(_, row)| answers(row)).collect();
    let is_invocation =
        |row: &OperationRow| row.kind == SpanKind::Server && row.name == row.service;
    let invoked: BTreeSet<&str> = rows
        .iter()
        .filter(|(_, row)| is_invocation(row))
        .map(|(_, row)| row.service.as_str())
        .collect();
    for (minute, row) in rows {
        let node = names.node(&row.service);
        if is_invocation(row) || !invoked.contains(row.service.as_str()) {
            done.of(*minute, Subject::Node(node.clone())).answered(row);
            done.own.insert(node.clone());
        }
        if !is_invocation(row) {
            let operation = Subject::Operation(node, row.name.clone());
            done.of(*minute, operation).answered(row);
        }
    }
}

impl Done {
    fn of(&mut self, minute: UnixNanos, subject: Subject) -> &mut DoneBy {
        self.subjects.entry((minute, subject)).or_default()
    }

    /// A call is the caller's; of what says nothing itself it is all that is known.
    fn edge(&mut self, minute: UnixNanos, edge: &Edge) {
        if edge.callee.kind == NodeKind::Other || edge.caller.service == OTHER {
            return;
        }
        let from = caller(&edge.caller);
        let to = format!("{}:{}", edge.callee.kind, edge.callee.name);
        let subject = Subject::Edge(from, to.clone(), edge.operation.clone());
        self.of(minute, subject).called(edge);
        let is_own = self.own.contains(&to);
        let called = self.of(minute, Subject::Node(to));
        match is_own {
            true => called.counts.throttles += edge.throttles,
            false => called.called(edge),
        }
    }
}

impl DoneBy {
    fn answered(&mut self, row: &OperationRow) {
        self.add(&row.durations, row.sum_ms);
        self.counts.count += row.count;
        self.counts.errors += row.errors;
        self.counts.cold_starts += row.cold_starts;
    }

    fn called(&mut self, edge: &Edge) {
        self.add(&edge.durations, edge.sum_ms);
        self.counts.count += edge.count;
        self.counts.errors += edge.errors;
        self.counts.throttles += edge.throttles;
    }

    fn add(&mut self, durations: &HistogramSum, sum_ms: f64) {
        self.counts.durations.add(&durations.to_bytes());
        self.sum_ms += sum_ms;
    }
}

fn caller(caller: &Caller) -> Node {
    match caller.function.as_str() {
        "" => format!("service:{}", caller.service),
        function => format!("function:{function}"),
    }
}

/// Services, and nodes, of which something is remembered.
const NAMES_MAX: usize = 10_000;

#[cfg(test)]
mod tests;
