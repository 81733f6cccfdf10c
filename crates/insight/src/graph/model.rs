//! The graph of a window: who called whom, and how it went.
//!
//! A [`Builder`] takes what was counted; [`Graph::build`] lays it out so that the relationships of a node lie
//! together, in either direction, and adds the numbers of another window where two are compared.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use foldhash::fast::RandomState;
use throughline_telemetry::{HistogramSum, UnixNanos};

use super::vocabulary::{Kind, Label, Types};
use crate::detect::{EdgeClass, class_of};

type Map<K, V> = HashMap<K, V, RandomState>;

/// A node, by its place in the graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId(pub(super) u32);

/// A relationship, by its place in the graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EdgeId(pub(super) u32);

/// What was counted of a node or an edge.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Counted {
    /// How often.
    pub calls: u64,
    /// How many failed.
    pub errors: u64,
    /// How many were refused because there were too many.
    pub throttles: u64,
    /// How many began with a cold start.
    pub cold_starts: u64,
    /// How long all of them took together, in milliseconds.
    pub sum_ms: f64,
    /// How long each took, in milliseconds.
    pub durations: HistogramSum,
    /// The beginnings of the first and the last minute in which there was one, if they are known.
    pub seen: Option<(UnixNanos, UnixNanos)>,
}

/// The same, worked out.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Numbers {
    /// How often.
    pub calls: u64,
    /// How many failed.
    pub errors: u64,
    /// How many were refused because there were too many.
    pub throttles: u64,
    /// How many began with a cold start.
    pub cold_starts: u64,
    /// How long all of them took together, in milliseconds.
    pub sum_ms: f64,
    /// The median and the 99th percentile, in milliseconds; none without calls.
    pub percentiles: Option<[f64; 2]>,
    /// What it cost, in US dollars, where that is known.
    pub cost_usd: Option<f64>,
    /// The beginnings of the first and the last minute in which there was one, if they are known.
    pub seen: Option<(UnixNanos, UnixNanos)>,
}

/// Something that calls or is called.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// Kind and name.
    pub id: Arc<str>,
    /// What it is.
    pub kind: Kind,
    /// Its name.
    pub name: Arc<str>,
    /// The service that it is of, if that is known.
    pub service: Option<Arc<str>>,
    /// What it did.
    pub numbers: Numbers,
    /// What it did in the window that is compared with; none if it was not there.
    pub before: Option<Numbers>,
    /// When its version or settings were last seen to change.
    pub changed: Option<UnixNanos>,
    pub(super) is_endpoint: bool,
}

/// Calls of one node by another, for one operation.
#[derive(Clone, Debug, PartialEq)]
pub struct Edge {
    /// Who calls.
    pub from: NodeId,
    /// Who is called.
    pub to: NodeId,
    /// What for.
    pub operation: Arc<str>,
    /// Whether nobody waits for it.
    pub is_async: bool,
    /// How it went.
    pub numbers: Numbers,
    /// How it went in the window that is compared with; none if it was not there.
    pub before: Option<Numbers>,
    pub(super) types: Types,
}

/// A relationship as a walk along it needs it, beside the others of its node: looking at the relationship itself
/// would wait for memory at each hop.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hop {
    pub(super) edge: EdgeId,
    /// The other end.
    pub(super) to: NodeId,
    pub(super) types: Types,
}

/// What called what in a window.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    nodes: Vec<Node>,
    edges: Vec<Edge>,
    /// By node, where in `out` its relationships begin; and one more.
    out_begin: Vec<u32>,
    out: Vec<Hop>,
    in_begin: Vec<u32>,
    into: Vec<Hop>,
    by_name: Map<Arc<str>, Vec<NodeId>>,
    /// How long the window is, and the one that is compared with, if one is.
    pub(super) seconds: f64,
    pub(super) seconds_before: Option<f64>,
}

/// Takes in what was counted.
#[derive(Clone, Debug, Default)]
pub struct Builder {
    nodes: Vec<Building>,
    by_id: Map<Arc<str>, u32>,
    edges: Vec<(EdgeKey, Counted)>,
    by_edge: Map<EdgeKey, u32>,
    seconds: f64,
}

#[derive(Clone, Debug)]
struct Building {
    node: Node,
    /// What it says itself.
    own: Option<Counted>,
    /// What its callers say.
    called: Counted,
    has_callers: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct EdgeKey {
    from: u32,
    to: u32,
    operation: Arc<str>,
    is_async: bool,
    is_own: bool,
}

impl Builder {
    /// Of a window of this length.
    pub fn new(window: Range<UnixNanos>) -> Self {
        Builder {
            seconds: window.end.since(window.start).as_secs_f64(),
            ..Builder::default()
        }
    }

    /// A node, which may be there already.
    pub fn node(&mut self, kind: Kind, name: &str) -> NodeId {
        let id: Arc<str> = format!("{}:{name}", kind.name()).into();
        if let Some(known) = self.by_id.get(&id) {
            return NodeId(*known);
        }
        let place = number(self.nodes.len());
        self.nodes.push(Building {
            node: Node {
                id: Arc::clone(&id),
                kind,
                name: name.into(),
                service: None,
                numbers: Numbers::default(),
                before: None,
                changed: None,
                is_endpoint: false,
            },
            own: None,
            called: Counted::default(),
            has_callers: false,
        });
        self.by_id.insert(id, place);
        NodeId(place)
    }

    /// The service of a node, of which the first counts.
    pub fn service(&mut self, node: NodeId, service: &str) {
        let known = &mut self.nodes[node.0 as usize].node.service;
        if known.is_none() && !service.is_empty() {
            *known = Some(service.into());
        }
    }

    /// Calls.
    pub fn call(
        &mut self,
        from: NodeId,
        to: NodeId,
        operation: &str,
        is_async: bool,
        counted: &Counted,
    ) {
        let callee = &mut self.nodes[to.0 as usize];
        callee.called.add(counted);
        callee.has_callers |= from != to;
        let key = EdgeKey {
            from: from.0,
            to: to.0,
            operation: operation.into(),
            is_async,
            is_own: false,
        };
        self.edge(key, counted);
    }

    /// What a node says itself of what it did: it counts before what its callers say.
    pub fn own(&mut self, node: NodeId, counted: &Counted) {
        let own = &mut self.nodes[node.0 as usize].own;
        own.get_or_insert_with(Counted::default).add(counted);
    }

    /// One of the things that a node does.
    pub fn operation(&mut self, node: NodeId, name: &str, counted: &Counted) {
        let of = Arc::clone(&self.nodes[node.0 as usize].node.name);
        let operation = self.node(Kind::Operation, &format!("{of} {name}"));
        self.nodes[operation.0 as usize].called.add(counted);
        let key = EdgeKey {
            from: node.0,
            to: operation.0,
            operation: name.into(),
            is_async: false,
            is_own: true,
        };
        self.edge(key, counted);
    }

    /// What a node cost, in US dollars.
    pub fn cost(&mut self, node: NodeId, usd: f64) {
        let cost = &mut self.nodes[node.0 as usize].node.numbers.cost_usd;
        *cost = Some(cost.unwrap_or_default() + usd);
    }

    /// When the version or the settings of a node changed, of which the last time counts.
    pub fn changed(&mut self, node: NodeId, at: UnixNanos) {
        let changed = &mut self.nodes[node.0 as usize].node.changed;
        *changed = (*changed).max(Some(at));
    }

    fn edge(&mut self, key: EdgeKey, counted: &Counted) {
        match self.by_edge.get(&key) {
            Some(known) => self.edges[*known as usize].1.add(counted),
            None => {
                self.by_edge.insert(key.clone(), number(self.edges.len()));
                self.edges.push((key, counted.clone()));
            }
        }
    }

    fn numbers(&self, node: usize) -> Numbers {
        let built = &self.nodes[node];
        let mut numbers = match &built.own {
            Some(own) => {
                let mut numbers = own.finish();
                // Nobody knows of what it refused but those that were.
                numbers.throttles += built.called.throttles;
                numbers.seen = joined(numbers.seen, built.called.seen);
                numbers
            }
            None => built.called.finish(),
        };
        numbers.cost_usd = built.node.numbers.cost_usd;
        numbers
    }

    /// What there was of an edge of another window.
    fn same_edge(&self, other: &Builder, key: &EdgeKey) -> Option<&Counted> {
        let end = |node: u32| self.by_id.get(&other.nodes[node as usize].node.id);
        let key = EdgeKey {
            from: *end(key.from)?,
            to: *end(key.to)?,
            ..key.clone()
        };
        let found = self.by_edge.get(&key)?;
        Some(&self.edges[*found as usize].1)
    }
}

impl Graph {
    /// Of a window, with the numbers of another one if they are compared.
    pub fn build(now: Builder, before: Option<&Builder>) -> Self {
        let nodes: Vec<Node> = now
            .nodes
            .iter()
            .enumerate()
            .map(|(place, built)| {
                let id = &built.node.id;
                let known = before.and_then(|it| Some((it, *it.by_id.get(id)?)));
                Node {
                    numbers: now.numbers(place),
                    before: known.map(|(it, place)| it.numbers(place as usize)),
                    is_endpoint: built.node.kind.acts() && !built.has_callers,
                    ..built.node.clone()
                }
            })
            .collect();
        let edges: Vec<Edge> = now
            .edges
            .iter()
            .map(|(key, counted)| {
                let known = before.and_then(|it| it.same_edge(&now, key));
                Edge {
                    from: NodeId(key.from),
                    to: NodeId(key.to),
                    operation: Arc::clone(&key.operation),
                    is_async: key.is_async,
                    numbers: counted.finish(),
                    before: known.map(Counted::finish),
                    types: types_of(&nodes[key.to as usize], key),
                }
            })
            .collect();
        let (out_begin, out) = rows(nodes.len(), &edges, |edge| (edge.from, edge.to));
        let (in_begin, into) = rows(nodes.len(), &edges, |edge| (edge.to, edge.from));
        let mut by_name: Map<Arc<str>, Vec<NodeId>> = Map::default();
        for (place, node) in (0..).zip(&nodes) {
            by_name
                .entry(Arc::clone(&node.name))
                .or_default()
                .push(NodeId(place));
        }
        Graph {
            nodes,
            edges,
            out_begin,
            out,
            in_begin,
            into,
            by_name,
            seconds: now.seconds,
            seconds_before: before.map(|it| it.seconds),
        }
    }

    /// All nodes.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// All relationships.
    pub fn edges(&self) -> &[Edge] {
        &self.edges
    }

    /// A node.
    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.0 as usize]
    }

    /// A relationship.
    pub fn edge(&self, id: EdgeId) -> &Edge {
        &self.edges[id.0 as usize]
    }

    /// How often something happened a second in its window.
    #[allow(clippy::cast_precision_loss)] // a rate
    pub fn rate(&self, numbers: &Numbers) -> f64 {
        numbers.calls as f64 / self.seconds.max(1.0)
    }

    pub(super) fn out_of(&self, node: NodeId) -> &[Hop] {
        of_row(&self.out_begin, &self.out, node)
    }

    pub(super) fn into(&self, node: NodeId) -> &[Hop] {
        of_row(&self.in_begin, &self.into, node)
    }

    pub(super) fn named(&self, name: &str) -> &[NodeId] {
        self.by_name.get(name).map_or(&[], Vec::as_slice)
    }

    pub(super) fn node_ids(&self) -> impl Iterator<Item = NodeId> + use<> {
        (0..number(self.nodes.len())).map(NodeId)
    }
}

impl Node {
    pub(super) fn is(&self, label: Label) -> bool {
        match label {
            Label::Of(kind) => self.kind == kind,
            Label::Resource => {
                !self.kind.acts() && !matches!(self.kind, Kind::Operation | Kind::Other)
            }
            Label::Endpoint => self.is_endpoint,
            Label::External => self.kind == Kind::Host && is_outside(&self.id),
        }
    }
}

impl Edge {
    /// Its type: that of the first that it has.
    pub fn type_name(&self) -> &'static str {
        self.types.name()
    }
}

impl Counted {
    fn add(&mut self, other: &Counted) {
        self.calls += other.calls;
        self.errors += other.errors;
        self.throttles += other.throttles;
        self.cold_starts += other.cold_starts;
        self.sum_ms += other.sum_ms;
        self.durations.add(&other.durations.to_bytes());
        self.seen = joined(self.seen, other.seen);
    }

    fn finish(&self) -> Numbers {
        let percentiles = [50.0, 99.0].map(|percent| self.durations.percentile(percent));
        Numbers {
            calls: self.calls,
            errors: self.errors,
            throttles: self.throttles,
            cold_starts: self.cold_starts,
            sum_ms: self.sum_ms,
            percentiles: match percentiles {
                [Some(median), Some(high)] => Some([median, high]),
                _ => None,
            },
            cost_usd: None,
            seen: self.seen,
        }
    }
}

type Seen = Option<(UnixNanos, UnixNanos)>;

fn joined(one: Seen, other: Seen) -> Seen {
    match (one, other) {
        (Some((a, b)), Some((c, d))) => Some((a.min(c), b.max(d))),
        (one, other) => one.or(other),
    }
}

fn types_of(to: &Node, key: &EdgeKey) -> Types {
    if key.is_own {
        return Types::DOES;
    }
    let waits = match key.is_async {
        true => Types::TRIGGERS,
        false => Types::CALLS,
    };
    if to.kind.acts() {
        return waits;
    }
    waits.and(match class_of(&to.id, &key.operation) {
        EdgeClass::Read => Types::READS,
        EdgeClass::Write => Types::WRITES,
        EdgeClass::Admin => Types::ADMINISTERS,
        EdgeClass::Outside => Types::NONE,
    })
}

fn is_outside(id: &str) -> bool {
    class_of(id, "") == EdgeClass::Outside
}

/// Edges by the first of these two ends.
fn rows(
    nodes: usize,
    edges: &[Edge],
    ends: impl Fn(&Edge) -> (NodeId, NodeId),
) -> (Vec<u32>, Vec<Hop>) {
    let mut begin = vec![0; nodes + 1];
    for edge in edges {
        begin[ends(edge).0.0 as usize + 1] += 1;
    }
    for node in 0..nodes {
        begin[node + 1] += begin[node];
    }
    let mut next = begin.clone();
    let none = Hop {
        edge: EdgeId(0),
        to: NodeId(0),
        types: Types::NONE,
    };
    let mut row = vec![none; edges.len()];
    for (place, edge) in (0..).zip(edges) {
        let (near, far) = ends(edge);
        let at = &mut next[near.0 as usize];
        row[*at as usize] = Hop {
            edge: EdgeId(place),
            to: far,
            types: edge.types,
        };
        *at += 1;
    }
    (begin, row)
}

fn of_row<'a>(begin: &[u32], row: &'a [Hop], node: NodeId) -> &'a [Hop] {
    let node = node.0 as usize;
    &row[begin[node] as usize..begin[node + 1] as usize]
}

fn number(length: usize) -> u32 {
    u32::try_from(length).expect("there is a limit of edges far below this")
}
