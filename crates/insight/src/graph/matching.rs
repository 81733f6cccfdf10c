//! Rows that fit the patterns: one place of a row after the other is filled, and what cannot fit is left as soon as
//! that is known.

use std::sync::Arc;

use super::model::{EdgeId, Graph, NodeId};
use super::plan::{Condition, Expr, NodeSlot, Piece, SubPattern, Way};
use super::reach::{Budget, Seen, Walk};
use super::read::of_node;
use super::value::Value;
use super::vocabulary::Property;

/// What a place of a row holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) enum Cell {
    /// Nothing yet, or a piece whose way was not asked for.
    #[default]
    None,
    Node(NodeId),
    Edge(EdgeId),
    Edges(Arc<[EdgeId]>),
}

pub(super) type Row = Vec<Cell>;

/// One thing to do for a row.
#[derive(Clone, Debug)]
enum Step<'a> {
    /// Each of these nodes.
    Scan(usize, Vec<NodeId>),
    /// Over a piece, from one of its ends: backwards from the other.
    Hop {
        piece: &'a Piece,
        is_reversed: bool,
    },
    /// Whether a node that is bound already is one of these patterns.
    Node(&'a NodeSlot),
    Check(&'a Expr),
}

pub(super) struct Matcher<'a> {
    pub(super) graph: &'a Graph,
    pub(super) budget: &'a Budget<'a>,
    seen: Vec<Seen>,
}

/// What is matched.
#[derive(Clone, Copy)]
pub(super) struct Wanted<'a> {
    pub(super) nodes: &'a [NodeSlot],
    pub(super) pieces: &'a [Piece],
    pub(super) conditions: &'a [Condition],
}

impl Cell {
    pub(super) fn value(&self) -> Value {
        match self {
            Cell::None => Value::Null,
            Cell::Node(node) => Value::Node(*node),
            Cell::Edge(edge) => Value::Edge(*edge),
            Cell::Edges(edges) => Value::list(edges.iter().copied().map(Value::Edge)),
        }
    }

    pub(super) fn node(&self) -> Option<NodeId> {
        match self {
            Cell::Node(node) => Some(*node),
            _ => None,
        }
    }
}

impl<'a> Matcher<'a> {
    pub(super) fn new(graph: &'a Graph, budget: &'a Budget<'a>) -> Self {
        Matcher {
            graph,
            budget,
            seen: Vec::new(),
        }
    }

    /// Every row that fits, until `take` has enough.
    pub(super) fn rows(
        &mut self,
        wanted: Wanted<'_>,
        row: &mut Row,
        take: &mut dyn FnMut(&mut Self, &mut Row) -> bool,
    ) {
        let bound: Vec<usize> = (0..row.len())
            .filter(|slot| row[*slot] != Cell::None)
            .collect();
        let steps = self.steps(wanted, bound);
        self.run(&steps, row, take);
    }

    /// Whether there is a pattern beside what is bound.
    pub(super) fn exists(&mut self, pattern: &SubPattern, row: &mut Row) -> bool {
        let wanted = Wanted {
            nodes: &pattern.nodes,
            pieces: &pattern.pieces,
            conditions: &[],
        };
        let steps = self.steps(wanted, pattern.bound.clone());
        let mut is_there = false;
        self.run(&steps, row, &mut |_, _| {
            is_there = true;
            false
        });
        is_there
    }

    /// What to do in which order: from where the fewest nodes are, along what is bound.
    fn steps<'p>(&mut self, wanted: Wanted<'p>, mut bound: Vec<usize>) -> Vec<Step<'p>> {
        let Wanted {
            nodes,
            pieces,
            conditions,
        } = wanted;
        let mut steps: Vec<Step<'p>> = nodes
            .iter()
            .filter(|node| bound.contains(&node.slot))
            .map(Step::Node)
            .collect();
        let mut left: Vec<&'p Piece> = pieces.iter().collect();
        let mut asked: Vec<&'p Condition> = conditions.iter().collect();
        loop {
            asked.retain(|condition| {
                let is_due = condition.needs.iter().all(|slot| bound.contains(slot));
                if is_due {
                    steps.push(Step::Check(&condition.what));
                }
                !is_due
            });
            let ends = |piece: &Piece| [piece.from, piece.to].map(|end| bound.contains(&end));
            // What is between two bound nodes leaves the fewest rows, what goes far the most.
            let cost = |piece: &Piece| {
                let is_open = ends(piece) != [true, true];
                (is_open, piece.way != Way::One)
            };
            let next = (0..left.len())
                .filter(|place| ends(left[*place]).contains(&true))
                .min_by_key(|place| cost(left[*place]));
            if let Some(place) = next {
                let piece = left.remove(place);
                let is_reversed = !bound.contains(&piece.from);
                steps.push(Step::Hop { piece, is_reversed });
                let end = if is_reversed { piece.from } else { piece.to };
                bound.push(piece.slot);
                if !bound.contains(&end) {
                    bound.push(end);
                    steps.extend(nodes.iter().filter(|node| node.slot == end).map(Step::Node));
                }
                continue;
            }
            let open = nodes.iter().filter(|node| !bound.contains(&node.slot));
            let open = open.map(|node| (node.slot, self.candidates(node.slot, nodes, conditions)));
            let Some((slot, candidates)) = open.min_by_key(|(_, candidates)| candidates.len())
            else {
                return steps;
            };
            bound.push(slot);
            steps.push(Step::Scan(slot, candidates));
        }
    }

    /// The nodes that a place of a row may hold: by the name if one is said.
    fn candidates(&self, slot: usize, nodes: &[NodeSlot], conditions: &[Condition]) -> Vec<NodeId> {
        let of_slot = || nodes.iter().filter(|node| node.slot == slot);
        let by_braces = of_slot().find_map(|node| {
            let mut names = node.properties.iter();
            names.find_map(|(property, value)| text_of(*property, value))
        });
        let mut checks = conditions.iter();
        let name =
            by_braces.or_else(|| checks.find_map(|condition| name_of(&condition.what, slot)));
        let fits = |id: &NodeId| of_slot().all(|node| self.is_node(node, *id));
        match name {
            Some(name) => self
                .graph
                .named(name)
                .iter()
                .copied()
                .filter(fits)
                .collect(),
            None => self.graph.node_ids().filter(fits).collect(),
        }
    }

    fn is_node(&self, pattern: &NodeSlot, id: NodeId) -> bool {
        let node = self.graph.node(id);
        let has_labels = pattern
            .labels
            .iter()
            .all(|either| either.iter().any(|label| node.is(*label)));
        has_labels
            && pattern.properties.iter().all(|(property, value)| {
                let found = of_node(self.graph, id, *property, super::plan::Side::Now);
                found.equals(value) == Some(true)
            })
    }

    fn run(
        &mut self,
        steps: &[Step<'_>],
        row: &mut Row,
        take: &mut dyn FnMut(&mut Self, &mut Row) -> bool,
    ) -> bool {
        let Some((step, rest)) = steps.split_first() else {
            return self.budget.step() && take(self, row);
        };
        match step {
            Step::Check(what) => !self.holds(what, row) || self.run(rest, row, take),
            Step::Node(pattern) => {
                let fits = row[pattern.slot]
                    .node()
                    .is_some_and(|id| self.is_node(pattern, id));
                !fits || self.run(rest, row, take)
            }
            Step::Scan(slot, nodes) => {
                for node in nodes {
                    if !self.budget.step() {
                        return false;
                    }
                    row[*slot] = Cell::Node(*node);
                    if !self.run(rest, row, take) {
                        row[*slot] = Cell::None;
                        return false;
                    }
                }
                row[*slot] = Cell::None;
                true
            }
            Step::Hop { piece, is_reversed } => self.hop((piece, *is_reversed), rest, row, take),
        }
    }

    fn hop(
        &mut self,
        (piece, is_reversed): (&Piece, bool),
        rest: &[Step<'_>],
        row: &mut Row,
        take: &mut dyn FnMut(&mut Self, &mut Row) -> bool,
    ) -> bool {
        let (near, far) = match is_reversed {
            true => (piece.to, piece.from),
            false => (piece.from, piece.to),
        };
        let Some(from) = row[near].node() else {
            return true;
        };
        // A place that is filled already is kept, and has to be met.
        let met = row[far].node();
        let walk = Walk {
            graph: self.graph,
            piece,
            is_reversed,
            budget: self.budget,
        };
        let mut found: Vec<(NodeId, Cell)> = Vec::new();
        let mut goes_on = true;
        match piece.way {
            Way::One => {
                let hops = walk
                    .hops(from)
                    .filter(|(_, end)| met.is_none_or(|it| it == *end));
                found.extend(hops.map(|(edge, end)| (end, Cell::Edge(edge))));
            }
            Way::Any(few, many) => {
                let mut seen = self.seen.pop().unwrap_or_default();
                let ends = walk.ends(from, few, many, &mut seen).into_iter();
                self.seen.push(seen);
                let ends = ends.filter(|end| met.is_none_or(|it| it == *end));
                found.extend(ends.map(|end| (end, Cell::None)));
            }
            Way::Shortest(few, many) => {
                let mut seen = self.seen.pop().unwrap_or_default();
                let ends = match met {
                    Some(end) => vec![end],
                    None => walk.ends(from, few, many, &mut seen),
                };
                for end in ends {
                    let way = walk.shortest(from, end, (few, many), &mut seen);
                    found.extend(way.map(|way| (end, edges(&way, is_reversed))));
                }
                self.seen.push(seen);
            }
            Way::Each(few, many) => {
                walk.ways(from, few, many, &mut |end, way| {
                    if met.is_some_and(|it| it != end) {
                        return true;
                    }
                    row[far] = Cell::Node(end);
                    row[piece.slot] = edges(way, is_reversed);
                    goes_on = self.run(rest, row, take);
                    goes_on
                });
            }
        }
        for (end, cell) in found {
            row[far] = Cell::Node(end);
            row[piece.slot] = cell;
            goes_on = self.run(rest, row, take);
            if !goes_on {
                break;
            }
        }
        row[piece.slot] = Cell::None;
        row[far] = met.map_or(Cell::None, Cell::Node);
        goes_on && self.budget.goes_on()
    }

    /// The shortest way of a piece between the two nodes that a row has for it.
    pub(super) fn way(&mut self, piece: &Piece, row: &Row) -> Option<Vec<EdgeId>> {
        let (from, to) = (row[piece.from].node()?, row[piece.to].node()?);
        let walk = Walk {
            graph: self.graph,
            piece,
            is_reversed: false,
            budget: self.budget,
        };
        let mut seen = self.seen.pop().unwrap_or_default();
        let way = walk.shortest(from, to, piece.way.hops(), &mut seen);
        self.seen.push(seen);
        way
    }
}

/// A way as the pattern has it.
fn edges(way: &[EdgeId], is_reversed: bool) -> Cell {
    let mut edges = way.to_vec();
    if is_reversed {
        edges.reverse();
    }
    Cell::Edges(edges.into())
}

/// A name that a condition says a node has.
fn name_of(condition: &Expr, slot: usize) -> Option<&str> {
    let Expr::Binary(super::plan::Operator::Equal, left, right) = condition else {
        return None;
    };
    [(left, right), (right, left)]
        .into_iter()
        .find_map(|(of, value)| match (&**of, &**value) {
            (Expr::Property(node, property, _), Expr::Constant(value)) => {
                let is_it = matches!(**node, Expr::Node(it) if it == slot);
                text_of(*property, value).filter(|_| is_it)
            }
            _ => None,
        })
}

fn text_of(property: Property, value: &Value) -> Option<&str> {
    match (property, value) {
        (Property::Name, Value::Text(text)) => Some(text),
        // Kind and name.
        (Property::Id, Value::Text(text)) => text.split_once(':').map(|(_, name)| name),
        _ => None,
    }
}
