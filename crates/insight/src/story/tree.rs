//! All spans of a story with their parents, wherever those are.

use std::collections::{BTreeMap, HashMap};

use throughline_telemetry::Span;

use super::keys::invocation;
use super::{Gathered, How, Join, SpanAt};
use crate::tree::cut_circles;

/// A span and where it belongs.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) span: Span,
    /// The position of its parent.
    pub(super) parent: Option<usize>,
    /// Why that is its parent, if its trace does not say so.
    pub(super) join: Option<Join>,
    /// Whether nobody sent it.
    pub(super) is_inferred: bool,
}

/// Spans with their parents.
#[derive(Debug)]
pub(super) struct Forest {
    pub(super) nodes: Vec<Node>,
    pub(super) places: HashMap<SpanAt, usize>,
    /// Those that say how spans belong together beyond their parents.
    pub(super) joins: Vec<Join>,
}

impl Forest {
    /// The spans of all traces, with parents within their trace.
    pub(super) fn new(gathered: &mut Gathered) -> Self {
        let parts = gathered.parts.values_mut();
        let mut spans: Vec<Span> = parts
            .flat_map(|part| std::mem::take(&mut part.spans))
            .collect();
        spans.sort_by_key(|span| {
            let at = SpanAt::of(span);
            (
                span.start,
                span.parent_id.is_some(),
                at.span_id,
                at.trace_id,
            )
        });
        let mut places = HashMap::with_capacity(spans.len());
        for (place, span) in spans.iter().enumerate() {
            places.entry(SpanAt::of(span)).or_insert(place);
        }
        let parent = |span: &Span| {
            let span_id = span.parent_id?;
            let trace_id = span.trace_id;
            places.get(&SpanAt { trace_id, span_id }).copied()
        };
        let mut parents: Vec<Option<usize>> = spans.iter().map(parent).collect();
        cut_circles(&mut parents);
        let nodes = spans.into_iter().zip(parents).map(|(span, parent)| Node {
            span,
            parent,
            join: None,
            is_inferred: false,
        });
        Forest {
            nodes: nodes.collect(),
            places,
            joins: Vec::new(),
        }
    }

    /// Hangs spans below those that they go on from.
    pub(super) fn join(&mut self, joins: &[Join]) {
        for (to, joins) in self.by_consumer(joins) {
            let top = self.top(to);
            let mut is_placed = false;
            for (from, join) in joins {
                let is_below = self.is_below(top, from);
                let is_elsewhere = join.from.trace_id != join.to.trace_id;
                let has_parent = self.nodes[top].parent.is_some();
                let may_move = join.how == How::Matched || join.key.is_some() || !has_parent;
                let may_move = may_move && (join.how != How::Inferred || !has_parent);
                if !is_placed && !is_below && may_move && !self.is_below(from, top) {
                    self.nodes[top].parent = Some(from);
                    self.nodes[top].join = Some(join.clone());
                    is_placed = true;
                    self.joins.push(join);
                } else if is_elsewhere {
                    is_placed |= is_below;
                    self.joins.push(join);
                }
            }
        }
        self.joins.sort();
    }

    /// By the position of who goes on, from whom: the one that is to be the parent first. Of several ways to
    /// know the same the best.
    fn by_consumer(&self, joins: &[Join]) -> BTreeMap<usize, Vec<(usize, Join)>> {
        let mut best: BTreeMap<(usize, usize), Join> = BTreeMap::new();
        for join in joins {
            let ends = self.places.get(&join.to).zip(self.places.get(&join.from));
            let Some((to, from)) = ends.filter(|(to, from)| to != from) else {
                continue;
            };
            let known = best.entry((*to, *from)).or_insert_with(|| join.clone());
            // A key that agrees with a header is told with it, one that only may does not count.
            let key = [&*known, join]
                .into_iter()
                .filter(|join| join.how == How::Matched);
            let key = key.filter_map(|join| join.key.clone()).next();
            known.key = key.or_else(|| known.key.take());
            known.how = known.how.min(join.how);
        }
        let mut by_consumer: BTreeMap<usize, Vec<(usize, Join)>> = BTreeMap::new();
        for ((to, from), join) in best {
            by_consumer.entry(to).or_default().push((from, join));
        }
        for joins in by_consumer.values_mut() {
            joins.sort_by_key(|(from, join)| (strength(join), *from));
        }
        by_consumer
    }

    /// The span that stands for the invocation that a span is of: the platform's above a layer's.
    pub(super) fn top(&self, place: usize) -> usize {
        let request = |place: usize| invocation(&self.nodes[place].span);
        let mut top = place;
        while let Some(parent) = self.nodes[top].parent
            && request(top).is_some()
            && request(parent) == request(top)
        {
            top = parent;
        }
        top
    }

    /// Whether a span is another, or below it.
    pub(super) fn is_below(&self, place: usize, above: usize) -> bool {
        let parent = |place: &usize| self.nodes[*place].parent;
        std::iter::successors(Some(place), parent).any(|place| place == above)
    }
}

/// Keys that nobody else has come before what was carried, and that before what is probable.
fn strength(join: &Join) -> u8 {
    match (join.how, &join.key) {
        (How::Matched, _) | (How::Carried, Some(_)) => 0,
        (How::Carried, None) => 1,
        (How::Inferred, _) => 2,
    }
}
