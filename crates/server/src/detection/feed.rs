//! What the store knows of minutes, by subject.

mod recent;

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use throughline_insight::detect::{Arrived, Change, Counts, Node, Subject};
use throughline_insight::facts::{Did, Facts};
use throughline_insight::{Wait, WaitAt};
use throughline_store::{
    ByMinute, Caller, Edge, FunctionReport, NodeKind, OTHER, OperationRow, Why,
};
use throughline_telemetry::{Histogram, HistogramSum, SpanKind, UnixNanos};

use super::logs::{Report, Timeouts};
use recent::{Recent, Replaced};

/// What is remembered of the names of services and functions.
#[derive(Default, Serialize, Deserialize)]
pub(crate) struct Names {
    /// By service the function that it is; empty of a service with several.
    functions: BTreeMap<String, String>,
    /// By node, what it had.
    #[serde(default)]
    seen: BTreeMap<Node, Setups>,
    /// Services that were found to be functions of the same name since somebody asked.
    #[serde(skip)]
    found: Vec<String>,
}

/// What a function had lately.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct Setups {
    versions: Recent,
    code: Recent,
    /// In megabytes.
    memory: Recent,
    /// By AWS's name.
    architectures: Recent,
    /// In seconds.
    timeouts: Recent,
}

impl Names {
    /// The same names, of which no versions are known.
    pub(super) fn without_setups(&self) -> Self {
        Names {
            functions: self.functions.clone(),
            ..Names::default()
        }
    }

    /// Services, and the node of each.
    pub(super) fn services(&self) -> impl Iterator<Item = (String, Node)> {
        let all = self.functions.keys();
        all.map(|service| (service.clone(), self.node(service)))
    }

    pub(crate) fn learn(&mut self, service: &str, function: &str) {
        if service.is_empty() || function.is_empty() || self.functions.len() >= NAMES_MAX {
            return;
        }
        match self.functions.get_mut(service) {
            None => {
                self.functions
                    .insert(service.to_owned(), function.to_owned());
                // One of another name may be several functions.
                if service == function {
                    self.found.push(service.to_owned());
                }
            }
            Some(known) if known != function => known.clear(),
            Some(_) => {}
        }
    }

    /// The nodes that turned out to be others since this was asked before: what they were, and what they are.
    pub(super) fn renamed(&mut self) -> Vec<(Node, Node)> {
        let found = std::mem::take(&mut self.found);
        let nodes = found
            .iter()
            .map(|it| (format!("service:{it}"), self.node(it)));
        nodes.filter(|(was, is)| was != is).collect()
    }

    /// The node of a service, as on the map.
    pub(crate) fn node(&self, service: &str) -> Node {
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

    /// What is not as it was before these reports of one minute.
    pub(super) fn changes_of_minute(&mut self, reports: &[&Report]) -> Vec<Change> {
        let mut nodes: BTreeMap<Node, Vec<&Report>> = BTreeMap::new();
        for report in reports {
            let node = self.node_of(&report.service, &report.function);
            nodes.entry(node).or_default().push(report);
        }
        let changes = nodes.iter();
        let changes = changes.flat_map(|(node, reports)| self.changes(node, reports));
        changes.collect()
    }

    /// The same of timeouts.
    pub(super) fn timeout_changes(&mut self, timeouts: &[&Timeouts]) -> Vec<Change> {
        let mut nodes: BTreeMap<Node, (UnixNanos, BTreeSet<String>)> = BTreeMap::new();
        for of in timeouts {
            let node = self.node_of(&of.service, &of.function);
            let (_, seen) = nodes.entry(node).or_insert((of.minute, BTreeSet::new()));
            seen.extend(of.limit_ms.map(seconds));
        }
        let mut changes = Vec::new();
        for (node, (minute, seen)) in nodes {
            let timeouts = self.seen(&node).map(|of| &mut of.timeouts);
            let replaced = timeouts.map_or(Vec::new(), |it| it.minute(&seen, minute));
            let told = replaced.into_iter();
            changes.extend(told.map(|it| change(&node, "timeout", it, " s")));
        }
        changes
    }

    fn changes(&mut self, node: &Node, reports: &[&Report]) -> Vec<Change> {
        let (Some(seen), Some(first)) = (self.seen(node), reports.first()) else {
            return Vec::new();
        };
        let replaced = |known: &mut Recent, of: fn(&Report) -> String| {
            let said: BTreeSet<String> = reports.iter().map(|report| of(report)).collect();
            known.minute(&said, first.minute)
        };
        let versions = replaced(&mut seen.versions, |it| it.version.clone());
        let mut code = replaced(&mut seen.code, |it| it.code.clone());
        // Of `$LATEST` only its code tells that it was deployed anew.
        if !versions.is_empty() {
            code.clear();
        }
        for it in &mut code {
            it.before = brief(&it.before).to_owned();
            it.after = brief(&it.after).to_owned();
        }
        let all = [
            ("version", versions, ""),
            ("code", code, ""),
            ("memory", replaced(&mut seen.memory, megabytes), " MB"),
            (
                "architecture",
                replaced(&mut seen.architectures, |it| it.architecture.clone()),
                "",
            ),
        ];
        let changes = all.into_iter().flat_map(|(of, replaced, unit)| {
            let told = replaced.into_iter();
            told.map(move |it| change(node, of, it, unit))
        });
        changes.collect()
    }

    /// What a node had lately, if there is room to remember it.
    fn seen(&mut self, node: &Node) -> Option<&mut Setups> {
        let has_room = self.seen.len() < NAMES_MAX;
        match self.seen.entry(node.clone()) {
            Entry::Vacant(_) if !has_room => None,
            entry => Some(entry.or_default()),
        }
    }
}

/// In words, `version 42` instead of `version 41`.
fn change(node: &Node, of: &str, replaced: Replaced, unit: &str) -> Change {
    let Replaced { before, after, at } = replaced;
    Change {
        node: node.clone(),
        at,
        what: format!("{of} {after}{unit}"),
        before: Some(format!("{of} {before}{unit}")),
        by: None,
    }
}

/// The most that the invocations of a function may take: several versions may have several timeouts. Where nobody tells
/// any, what the longest of those that were ended had taken.
pub(super) fn limit_ms(timeouts: &[&Timeouts]) -> Option<f64> {
    let most = |of: fn(&Timeouts) -> Option<f64>| {
        let all = timeouts.iter().filter_map(|it| of(it));
        all.reduce(f64::max)
    };
    most(|it| it.limit_ms).or_else(|| most(|it| it.longest_ms))
}

/// Nothing where nobody told it.
fn megabytes(report: &Report) -> String {
    match report.memory_bytes >> 20 {
        0 => String::new(),
        megabytes => megabytes.to_string(),
    }
}

fn seconds(limit_ms: f64) -> String {
    (limit_ms / 1e3).to_string()
}

/// As much of a digest as people compare.
fn brief(digest: &str) -> &str {
    digest.get(..8).unwrap_or(digest)
}

/// Sums minutes up by subject.
pub(super) fn minutes(
    found: ByMinute,
    (reports, timeouts): (&[Report], &[Timeouts]),
    names: &mut Names,
) -> Facts {
    for (_, edge) in &found.edges {
        names.learn(&edge.caller.service, &edge.caller.function);
        if edge.callee.kind == NodeKind::Function {
            names.learn(&edge.callee.service, &edge.callee.name);
        }
    }
    let of_reports = reports.iter().map(|it| (&it.service, &it.function));
    let of_timeouts = timeouts.iter().map(|it| (&it.service, &it.function));
    for (service, function) in of_reports.chain(of_timeouts) {
        names.learn(service, function);
    }
    let mut done = Facts::default();
    operations(&found.operations, names, &mut done);
    for (minute, edge) in found.edges {
        called(&mut done, minute, &edge);
    }
    for report in reports {
        let node = names.node_of(&report.service, &report.function);
        let did = done.at(report.minute, Subject::Node(node));
        did.memory_share = did.memory_share.max(used_part(report));
        let counts = &mut did.counts;
        counts.cost_usd += report.usd;
        counts.billed_ms += report.billed_ms;
        counts.init_ms += report.init_ms;
        counts.memory_bytes_max = counts.memory_bytes_max.max(report.used_bytes);
    }
    for ended in timeouts {
        let node = names.node_of(&ended.service, &ended.function);
        let did = done.at(ended.minute, Subject::Node(node));
        did.counts.timeouts += ended.count;
        did.tells_timeouts = true;
    }
    done
}

/// The part of its memory that a function used at most; 0 where a report tells only one of the two.
#[allow(clippy::cast_precision_loss)] // bytes of memory
fn used_part(report: &Report) -> f64 {
    match report.memory_bytes {
        0 => 0.0,
        bytes => (report.used_bytes as f64 / bytes as f64).min(1.0),
    }
}

/// Adds how long records had waited in queues and the like. Of all of them two numbers are known: half count as the
/// median, and one as the longest.
pub(super) fn waited(waits: &[(UnixNanos, Wait)], done: &mut Facts) {
    for (minute, wait) in waits {
        let WaitAt::In(kind, name) = &wait.at else {
            continue;
        };
        let mut histogram = Histogram::default();
        let millis = |took: Duration| took.as_secs_f64() * 1e3;
        (1..wait.records).for_each(|_| histogram.record(millis(wait.median)));
        histogram.record(millis(wait.longest));
        let counts = Counts {
            count: wait.records as u64,
            durations: sum_of(&histogram),
            ..Counts::default()
        };
        let subject = Subject::Wait(format!("{kind}:{name}"));
        done.at(*minute, subject).counts.add(&counts);
    }
}

/// What came of the telemetry of a function, if some of it is lost.
pub(super) fn arrived(function: &FunctionReport) -> Option<(Node, Arrived)> {
    let dropped: u64 = function.dropped.values().sum();
    let missing = function.missing.iter().map(|(_, _, missing)| missing);
    let gone = missing.filter(|it| matches!(it.why, Why::Vanished | Why::Unknown));
    let gone: u64 = gone.filter_map(|it| it.items).sum();
    let arrived = Arrived {
        accepted: function.accepted,
        lost: dropped + gone,
    };
    let is_named = !function.function.is_empty();
    (is_named && arrived.lost > 0).then(|| (format!("function:{}", function.function), arrived))
}

fn sum_of(histogram: &Histogram) -> HistogramSum {
    let mut sum = HistogramSum::default();
    sum.add(&histogram.to_bytes());
    sum
}

/// What spans of an operation tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tells {
    /// What their node does, all in all.
    pub(crate) of_node: bool,
    /// One of the things that it does.
    pub(crate) of_operation: bool,
}

/// Spans that answer somebody are what a node does. Of a function its invocation's span alone is, if there is one:
/// what is below that is part of it.
pub(crate) fn answers<'a, T>(
    rows: impl Iterator<Item = (T, &'a OperationRow)>,
) -> Vec<(T, &'a OperationRow, Tells)> {
    let answers = |row: &OperationRow| {
        matches!(row.kind, SpanKind::Server | SpanKind::Consumer) && row.service != OTHER
    };
    let is_invocation =
        |row: &OperationRow| row.kind == SpanKind::Server && row.name == row.service;
    let rows: Vec<(T, &OperationRow)> = rows.filter(|(_, row)| answers(row)).collect();
    let invoked: BTreeSet<&str> = rows
        .iter()
        .filter(|(_, row)| is_invocation(row))
        .map(|(_, row)| row.service.as_str())
        .collect();
    let told = rows.into_iter().map(|(of, row)| {
        let tells = Tells {
            of_node: is_invocation(row) || !invoked.contains(row.service.as_str()),
            of_operation: !is_invocation(row),
        };
        (of, row, tells)
    });
    told.collect()
}

fn operations(rows: &[(UnixNanos, OperationRow)], names: &Names, done: &mut Facts) {
    for (minute, row, tells) in answers(rows.iter().map(|(minute, row)| (*minute, row))) {
        let node = names.node(&row.service);
        if tells.of_node {
            answered(done.at(minute, Subject::Node(node.clone())), row);
            done.own.insert(node.clone());
        }
        if tells.of_operation {
            let operation = Subject::Operation(node, row.name.clone());
            answered(done.at(minute, operation), row);
        }
    }
}

/// A call is the caller's; of what says nothing itself it is all that is known.
fn called(done: &mut Facts, minute: UnixNanos, edge: &Edge) {
    if edge.callee.kind == NodeKind::Other || edge.caller.service == OTHER {
        return;
    }
    let from = caller(&edge.caller);
    let to = format!("{}:{}", edge.callee.kind, edge.callee.name);
    if edge.is_async {
        done.handed.insert((from.clone(), to.clone()));
    }
    let subject = Subject::Edge(from, to.clone(), edge.operation.clone());
    add_call(done.at(minute, subject), edge);
    let is_own = done.own.contains(&to);
    let node = done.at(minute, Subject::Node(to));
    match is_own {
        true => node.counts.throttles += edge.throttles,
        false => add_call(node, edge),
    }
}

fn answered(did: &mut Did, row: &OperationRow) {
    add(did, &row.durations, row.sum_ms);
    did.counts.count += row.count;
    did.counts.errors += row.errors;
    did.counts.cold_starts += row.cold_starts;
}

fn add_call(did: &mut Did, edge: &Edge) {
    add(did, &edge.durations, edge.sum_ms);
    did.counts.count += edge.count;
    did.counts.errors += edge.errors;
    did.counts.throttles += edge.throttles;
}

fn add(did: &mut Did, durations: &HistogramSum, sum_ms: f64) {
    did.counts.durations.add(&durations.to_bytes());
    did.sum_ms += sum_ms;
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
