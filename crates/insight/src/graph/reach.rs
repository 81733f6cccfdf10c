//! Pieces of several hops: what can be reached, by which ways, and by the shortest.

use std::cell::Cell;

use super::model::{EdgeId, Graph, Hop, NodeId};
use super::plan::{Piece, Way};
use super::read::has_properties;
use super::syntax::Direction;
use super::vocabulary::Types;

/// How much a query may do, and what it has done.
pub(super) struct Budget<'a> {
    steps: Cell<u64>,
    steps_max: u64,
    may_go_on: &'a dyn Fn() -> bool,
    is_over: Cell<Option<Over>>,
}

/// Why a query was stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Over {
    Steps,
    Time,
    Rows,
}

impl<'a> Budget<'a> {
    pub(super) fn new(steps_max: u64, may_go_on: &'a dyn Fn() -> bool) -> Self {
        Budget {
            steps: Cell::new(0),
            steps_max,
            may_go_on,
            is_over: Cell::new(None),
        }
    }

    /// One relationship or node is looked at; whether there is more to spend.
    pub(super) fn step(&self) -> bool {
        let steps = self.steps.get() + 1;
        self.steps.set(steps);
        if steps > self.steps_max {
            self.end(Over::Steps);
        } else if steps.is_multiple_of(STEPS_A_LOOK) && !(self.may_go_on)() {
            self.end(Over::Time);
        }
        self.goes_on()
    }

    pub(super) fn goes_on(&self) -> bool {
        self.is_over.get().is_none()
    }

    pub(super) fn end(&self, why: Over) {
        if self.goes_on() {
            self.is_over.set(Some(why));
        }
    }

    pub(super) fn over(&self) -> Option<Over> {
        self.is_over.get()
    }

    pub(super) fn steps(&self) -> u64 {
        self.steps.get()
    }
}

/// A piece, walked in the direction of the pattern or against it.
#[derive(Clone, Copy)]
pub(super) struct Walk<'a> {
    pub(super) graph: &'a Graph,
    pub(super) piece: &'a Piece,
    pub(super) is_reversed: bool,
    pub(super) budget: &'a Budget<'a>,
}

impl Walk<'_> {
    /// What one hop leads to.
    pub(super) fn hops(&self, from: NodeId) -> impl Iterator<Item = (EdgeId, NodeId)> {
        let direction = match (self.piece.direction, self.is_reversed) {
            (Direction::Right, true) => Direction::Left,
            (Direction::Left, true) => Direction::Right,
            (direction, _) => direction,
        };
        let graph = self.graph;
        let out: &[Hop] = match direction {
            Direction::Left => &[],
            _ => graph.out_of(from),
        };
        let into: &[Hop] = match direction {
            Direction::Right => &[],
            _ => graph.into(from),
        };
        // Who calls itself is met once.
        let into = into
            .iter()
            .filter(move |hop| direction == Direction::Left || hop.to != from);
        out.iter()
            .chain(into)
            .take_while(|_| self.budget.step())
            .filter(|hop| self.is_of_it(hop))
            .map(|hop| (hop.edge, hop.to))
    }

    fn is_of_it(&self, hop: &Hop) -> bool {
        let Piece {
            types, properties, ..
        } = self.piece;
        (*types == Types::NONE || hop.types.meet(*types))
            && has_properties(self.graph, hop.edge, properties)
    }

    /// Every node that can be reached by at least so many hops and at most so many, once.
    pub(super) fn ends(
        &self,
        from: NodeId,
        few: usize,
        many: usize,
        seen: &mut Seen,
    ) -> Vec<NodeId> {
        if few > 1 {
            return self.ends_of_ways(from, few, many, seen);
        }
        let mut ends = Vec::new();
        if few == 0 {
            ends.push(from);
        }
        seen.begin(self.graph.nodes().len());
        seen.add(from, 0);
        let mut is_back = few == 0;
        // Through which hop from the beginning a node was reached: two that meet make a circle.
        let mut queue = vec![(from, 0, EdgeId(u32::MAX))];
        let mut at = 0;
        while let Some((node, depth, first)) = queue.get(at).copied() {
            at += 1;
            if depth >= many {
                continue;
            }
            for (edge, next) in self.hops(node) {
                let begun = if depth == 0 { edge } else { first };
                if next == from {
                    // Against the first hop there is no way back.
                    is_back |= edge != begun || depth == 0;
                } else if seen.add(next, begun.0) {
                    ends.push(next);
                    queue.push((next, depth + 1, begun));
                }
            }
        }
        if !is_back && self.piece.direction == Direction::Either {
            is_back = self.meets(&queue, many, seen);
        }
        if is_back && few == 1 {
            ends.push(from);
        }
        ends
    }

    /// Whether two ways from the beginning meet, without a direction: a circle of at most so many hops.
    fn meets(&self, queue: &[(NodeId, usize, EdgeId)], many: usize, seen: &Seen) -> bool {
        let depths: std::collections::HashMap<NodeId, usize> = queue
            .iter()
            .map(|(node, depth, _)| (*node, *depth))
            .collect();
        queue.iter().skip(1).any(|(node, depth, first)| {
            self.hops(*node).any(|(edge, next)| {
                let other = depths.get(&next).filter(|other| **other > 0);
                let is_other = seen.mark(next) != Some(first.0);
                other.is_some_and(|other| is_other && edge != *first && depth + other < many)
            })
        })
    }

    /// The same of two hops and more: a node that is near may be reached by going around.
    fn ends_of_ways(&self, from: NodeId, few: usize, many: usize, seen: &mut Seen) -> Vec<NodeId> {
        let mut ends = Vec::new();
        seen.begin(self.graph.nodes().len());
        self.ways(from, few, many, &mut |end, _| {
            if seen.add(end, 0) {
                ends.push(end);
            }
            true
        });
        ends
    }

    /// Every way of so many hops, on which no relationship is gone twice, until `take` has enough.
    pub(super) fn ways(
        &self,
        from: NodeId,
        few: usize,
        many: usize,
        take: &mut dyn FnMut(NodeId, &[EdgeId]) -> bool,
    ) {
        let mut way = Vec::with_capacity(many);
        self.ways_on(from, (few, many), &mut way, take);
    }

    fn ways_on(
        &self,
        at: NodeId,
        (few, many): (usize, usize),
        way: &mut Vec<EdgeId>,
        take: &mut dyn FnMut(NodeId, &[EdgeId]) -> bool,
    ) -> bool {
        if way.len() >= few && !take(at, way) {
            return false;
        }
        if way.len() == many {
            return true;
        }
        for (edge, next) in self.hops(at) {
            if way.contains(&edge) {
                continue;
            }
            way.push(edge);
            let goes_on = self.ways_on(next, (few, many), way, take);
            way.pop();
            if !goes_on {
                return false;
            }
        }
        true
    }

    /// One of the shortest ways, if there is one.
    pub(super) fn shortest(
        &self,
        from: NodeId,
        to: NodeId,
        (few, many): (usize, usize),
        seen: &mut Seen,
    ) -> Option<Vec<EdgeId>> {
        if few > 1 || (from == to && few == 1) {
            return self.shortest_of_ways(from, to, (few, many));
        }
        if from == to {
            return Some(Vec::new());
        }
        seen.begin(self.graph.nodes().len());
        seen.add(from, 0);
        // Each with the place in the queue that it was reached from.
        let mut queue = vec![(from, 0, 0, EdgeId(0))];
        let mut at = 0;
        while let Some((node, depth, _, _)) = queue.get(at).copied() {
            if depth < many {
                for (edge, next) in self.hops(node) {
                    if next == to {
                        let mut way = vec![edge];
                        let mut back = at;
                        while back > 0 {
                            way.push(queue[back].3);
                            back = queue[back].2;
                        }
                        way.reverse();
                        return Some(way);
                    }
                    if seen.add(next, 0) {
                        queue.push((next, depth + 1, at, edge));
                    }
                }
            }
            at += 1;
        }
        None
    }

    fn shortest_of_ways(
        &self,
        from: NodeId,
        to: NodeId,
        (few, many): (usize, usize),
    ) -> Option<Vec<EdgeId>> {
        (few..=many).find_map(|hops| {
            let mut found = None;
            self.ways(from, hops, hops, &mut |end, way| {
                if end == to {
                    found = Some(way.to_vec());
                }
                found.is_none()
            });
            found
        })
    }
}

impl Way {
    /// The fewest and the most hops.
    pub(super) fn hops(self) -> (usize, usize) {
        match self {
            Way::One => (1, 1),
            Way::Any(few, many) | Way::Each(few, many) | Way::Shortest(few, many) => (few, many),
        }
    }
}

/// Which nodes were met in a walk, without clearing between walks.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen {
    walk: u32,
    met: Vec<(u32, u32)>,
}

impl Seen {
    fn begin(&mut self, nodes: usize) {
        self.walk += 1;
        if self.met.len() < nodes {
            self.met.resize(nodes, (0, 0));
        }
    }

    /// Whether a node was not met before.
    fn add(&mut self, node: NodeId, mark: u32) -> bool {
        let met = &mut self.met[node.0 as usize];
        let is_new = met.0 != self.walk;
        if is_new {
            *met = (self.walk, mark);
        }
        is_new
    }

    fn mark(&self, node: NodeId) -> Option<u32> {
        let met = self.met.get(node.0 as usize)?;
        (met.0 == self.walk).then_some(met.1)
    }
}

/// How seldom the clock is looked at.
const STEPS_A_LOOK: u64 = 4096;
