//! What was gathered, as one tree.

use std::collections::HashMap;

use throughline_telemetry::{LogRecord, Span, TraceId, UnixNanos};

use super::cost::{self, Reports};
use super::keys::{invocation, is_invocation};
use super::tree::{Forest, Node};
use super::{Cost, Gathered, Join, LeftOut, SpanAt, SpanCost};
use crate::Summary;
use crate::summary::Root;
use crate::tree::lay_out;

/// One user action.
#[derive(Clone, Debug, PartialEq)]
pub struct Story {
    /// What there is to say in one line. Spans that nobody sent do not count.
    pub summary: Summary,
    /// The traces that it is in, those asked for first.
    pub traces: Vec<TraceId>,
    /// Depth first: parents before children, siblings by start.
    pub spans: Vec<Told>,
    /// In order of time.
    pub logs: Vec<LogRecord>,
    /// How spans belong together beyond the parents within a trace.
    pub joins: Vec<Join>,
    /// Requests that were tried more than once.
    pub attempts: Vec<Attempts>,
    /// What all invocations cost; none where there are none.
    pub cost: Option<Cost>,
    /// What is not here.
    pub left_out: LeftOut,
}

/// A span in its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Told {
    /// The span.
    pub span: Span,
    /// How many ancestors it has here.
    pub depth: usize,
    /// Its parent here, which need not be the one that it names.
    pub parent: Option<SpanAt>,
    /// Whether it names a parent and has none here.
    pub parent_missing: bool,
    /// Why that is its parent, if its trace does not say so.
    pub join: Option<Join>,
    /// Whether nobody sent it: a service that a record came through.
    pub is_inferred: bool,
    /// Which attempt it is at a request that was tried more than once, counted from one.
    pub attempt: Option<usize>,
    /// What it cost, of an invocation.
    pub cost: Option<SpanCost>,
}

/// A request that was tried more than once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempts {
    /// Its id.
    pub request_id: String,
    /// The invocations, the first one first.
    pub spans: Vec<SpanAt>,
}

/// Makes one tree of the traces of a story. Every span comes out once, and no parent after its child.
pub fn tell(mut gathered: Gathered) -> Story {
    let parts = gathered.parts.values_mut();
    let mut logs: Vec<LogRecord> = parts
        .flat_map(|part| std::mem::take(&mut part.logs))
        .collect();
    logs.sort_by_key(LogRecord::sort_time);
    let joins = std::mem::take(&mut gathered.joins);
    let mut forest = Forest::new(&mut gathered);
    forest.join(&joins);
    let summary = summary(&forest, &logs, gathered.order.len());
    forest.add_hops();
    let Forest { nodes, joins, .. } = forest;
    let nodes = by_start(nodes);
    let attempts = attempts(&nodes);
    let reports = Reports::new(&logs);
    let numbers = numbers(&nodes, &attempts);
    let own = nodes.iter().zip(&numbers).map(|(node, number)| {
        let (attempt, attempts) = (*number)?;
        let span = &node.span;
        let said = cost::usd(&span.attributes);
        Some(said.or_else(|| reports.of(span.span_id, invocation(span), (attempt, attempts))))
    });
    let own: Vec<Option<Option<f64>>> = own.collect();
    let mut parents: Vec<Option<usize>> = nodes.iter().map(|node| node.parent).collect();
    let order = lay_out(&mut parents);
    let below = costs(&own, &parents, &order);
    let at: Vec<SpanAt> = nodes.iter().map(|node| SpanAt::of(&node.span)).collect();
    let mut nodes: Vec<Option<Node>> = nodes.into_iter().map(Some).collect();
    let spans = order.iter().filter_map(|(place, depth)| {
        let node = nodes[*place].take()?;
        let parent = parents[*place];
        let (attempt, attempts) = numbers[*place].unzip();
        Some(Told {
            depth: *depth,
            parent: parent.map(|parent| at[parent]),
            parent_missing: node.span.parent_id.is_some() && parent.is_none(),
            join: node.join,
            is_inferred: node.is_inferred,
            attempt: attempt.filter(|_| attempts > Some(1)),
            cost: own[*place].map(|usd| SpanCost {
                usd,
                with_all_below: below[*place],
            }),
            span: node.span,
        })
    });
    let spans: Vec<Told> = spans.collect();
    let mut total = Cost::default();
    own.iter()
        .flatten()
        .for_each(|usd| total.add(Cost::of(*usd)));
    Story {
        summary,
        traces: gathered.order,
        joins,
        attempts: attempts
            .into_iter()
            .filter(|it| it.spans.len() > 1)
            .collect(),
        cost: (total.reported + total.missing > 0).then_some(total),
        left_out: gathered.left_out,
        spans,
        logs,
    }
}

/// In the order in which siblings are shown.
fn by_start(nodes: Vec<Node>) -> Vec<Node> {
    let mut order: Vec<usize> = (0..nodes.len()).collect();
    // What nobody sent leads to what was: it comes before what began with it.
    order.sort_by_key(|place| {
        let node = &nodes[*place];
        (node.span.start, !node.is_inferred, *place)
    });
    let mut now = vec![0; order.len()];
    order
        .iter()
        .enumerate()
        .for_each(|(new, old)| now[*old] = new);
    let mut nodes: Vec<Option<Node>> = nodes.into_iter().map(Some).collect();
    let sorted = order.iter().filter_map(|old| {
        let mut node = nodes[*old].take()?;
        node.parent = node.parent.map(|parent| now[parent]);
        Some(node)
    });
    sorted.collect()
}

/// The line of all spans. Where a story is in several traces, it began where nothing led to.
fn summary(forest: &Forest, logs: &[LogRecord], traces: usize) -> Summary {
    let nodes = &forest.nodes;
    let spans: Vec<&Span> = nodes.iter().map(|node| &node.span).collect();
    let mut summary = Summary::of_all(&spans);
    // What it goes on from is here.
    summary.continues &= traces == 1;
    if spans.is_empty() {
        summary.start = logs.first().map(LogRecord::sort_time).unwrap_or_default();
    }
    let roots = nodes.iter().filter(|node| node.parent.is_none());
    let root = roots.min_by_key(|node| node.span.parent_id.is_some());
    if let Some(Node { span, .. }) = root.filter(|_| traces > 1) {
        summary.root = Some(Root {
            service: span.service().to_owned(),
            name: span.name.clone(),
        });
    }
    summary
}

/// The invocations of each request, also of those that have one.
fn attempts(nodes: &[Node]) -> Vec<Attempts> {
    let mut of_request: HashMap<&str, Vec<(UnixNanos, UnixNanos, SpanAt)>> = HashMap::new();
    for node in nodes.iter().filter(|node| is_invocation(&node.span)) {
        let Some(request) = invocation(&node.span) else {
            continue;
        };
        let parent = node.parent.map(|parent| &nodes[parent].span);
        let is_inner = parent.is_some_and(|parent| invocation(parent) == Some(request));
        if !is_inner {
            let span = &node.span;
            let end = span.end.max(span.start);
            let attempt = (span.start, end, SpanAt::of(span));
            of_request.entry(request).or_default().push(attempt);
        }
    }
    let attempts = of_request.into_iter().map(|(request, all)| {
        let mut ended = None;
        let mut spans = Vec::new();
        for (start, end, at) in all {
            // Two views of one invocation are at the same time, two attempts one after the other.
            if ended.is_none_or(|ended| start >= ended) {
                spans.push(at);
            }
            ended = ended.max(Some(end));
        }
        Attempts {
            request_id: request.to_owned(),
            spans,
        }
    });
    let mut attempts: Vec<Attempts> = attempts.collect();
    attempts.sort_by(|a, b| a.request_id.cmp(&b.request_id));
    attempts
}

/// Of each invocation, which attempt it is and of how many.
fn numbers(nodes: &[Node], attempts: &[Attempts]) -> Vec<Option<(usize, usize)>> {
    let mut of_span: HashMap<SpanAt, (usize, usize)> = HashMap::new();
    for request in attempts {
        let numbered = request.spans.iter().zip(1..);
        of_span.extend(numbered.map(|(at, number)| (*at, (number, request.spans.len()))));
    }
    let numbers = nodes
        .iter()
        .map(|node| of_span.get(&SpanAt::of(&node.span)));
    numbers.map(Option::<&_>::copied).collect()
}

/// What each span and all below it cost.
fn costs(
    own: &[Option<Option<f64>>],
    parents: &[Option<usize>],
    order: &[(usize, usize)],
) -> Vec<Cost> {
    let mut costs: Vec<Cost> = vec![Cost::default(); own.len()];
    for (place, _) in order.iter().rev() {
        if let Some(usd) = own[*place] {
            costs[*place].add(Cost::of(usd));
        }
        if let Some(parent) = parents[*place] {
            let below = costs[*place];
            costs[parent].add(below);
        }
    }
    costs
}
