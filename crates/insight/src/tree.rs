//! A heap of spans to a tree, laid out depth first.
//!
//! Each span names at most one parent, so the spans form a functional graph: trees, and circles
//! with trees hanging from them. Circles are cut at their earliest span. Everything is a loop over
//! vectors, never recursion: a chain of 100 000 spans is a real case (a retry loop that links each
//! attempt to the one before), and must not overflow the stack.

use std::borrow::Borrow;
use std::cmp::Reverse;
use std::collections::HashMap;

use throughline_telemetry::{Span, SpanId, UnixNanos};

/// A span in its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Placed {
    /// The span.
    pub span: Span,
    /// How many ancestors it has here.
    pub depth: usize,
    /// Whether it names a parent that is not here, or that is its own descendant.
    pub parent_missing: bool,
}

/// Lays spans out depth first: parents before children, siblings by start (then id).
///
/// A span id that occurs twice is kept twice; the earlier span gets the children.
pub fn place(mut spans: Vec<Span>) -> Vec<Placed> {
    spans.sort_by_key(in_order);
    let mut parents = parents(&spans);
    let order = lay_out(&mut parents);

    let mut spans: Vec<Option<Span>> = spans.into_iter().map(Some).collect();
    let placed = order.into_iter().filter_map(|(index, depth)| {
        let span = spans[index].take()?;
        let parent_missing = span.parent_id.is_some() && parents[index].is_none();
        Some(Placed {
            span,
            depth,
            parent_missing,
        })
    });
    placed.collect()
}

/// The positions of spans depth first, each with its depth, by the positions of their parents. They are in
/// order of start. Where there are circles, parents are taken away.
pub(crate) fn lay_out(parents: &mut [Option<usize>]) -> Vec<(usize, usize)> {
    cut_circles(parents);
    depth_first(parents)
}

/// By what spans are sorted before they are laid out.
pub(crate) fn in_order(span: &Span) -> (UnixNanos, bool, SpanId) {
    (span.start, span.parent_id.is_some(), span.span_id)
}

/// The position of each span's parent, if it is here.
pub(crate) fn parents<S: Borrow<Span>>(spans: &[S]) -> Vec<Option<usize>> {
    let mut position = HashMap::with_capacity(spans.len());
    for (index, span) in spans.iter().enumerate() {
        position.entry(span.borrow().span_id).or_insert(index);
    }
    let parent = |span: &S| position.get(&span.borrow().parent_id?).copied();
    spans.iter().map(parent).collect()
}

/// Takes the parent away from the earliest span of each circle, so that only trees remain.
pub(crate) fn cut_circles(parents: &mut [Option<usize>]) {
    /// On which walk a span was first met; walks start at each span in turn.
    const NEVER: usize = usize::MAX;
    let mut met_on = vec![NEVER; parents.len()];
    for walk in 0..parents.len() {
        let mut at = Some(walk);
        while let Some(index) = at {
            if met_on[index] == walk {
                // Back where this very walk has been: the circle goes through `index`.
                let earliest = circle(parents, index).min();
                parents[earliest.unwrap_or(index)] = None;
                break;
            }
            if met_on[index] != NEVER {
                break; // An earlier walk has seen to all that follows.
            }
            met_on[index] = walk;
            at = parents[index];
        }
    }
}

/// The members of the circle that goes through `start`.
fn circle(parents: &[Option<usize>], start: usize) -> impl Iterator<Item = usize> {
    let next = move |index: &usize| parents[*index].filter(|parent| *parent != start);
    std::iter::successors(Some(start), next)
}

/// Positions with their depths, parents first. Positions are in order of start already.
fn depth_first(parents: &[Option<usize>]) -> Vec<(usize, usize)> {
    let mut children: Vec<Vec<usize>> = vec![Vec::new(); parents.len()];
    // A stack gives back what was pushed last, so all is pushed in reverse.
    let mut stack = Vec::new();
    for (index, parent) in parents.iter().enumerate() {
        match parent {
            Some(parent) => children[*parent].push(index),
            None => stack.push((index, 0)),
        }
    }
    stack.sort_by_key(|(index, _)| Reverse(*index));

    let mut order = Vec::with_capacity(parents.len());
    while let Some((index, depth)) = stack.pop() {
        order.push((index, depth));
        let later = std::mem::take(&mut children[index]).into_iter().rev();
        stack.extend(later.map(|child| (child, depth + 1)));
    }
    order
}

#[cfg(test)]
mod tests;
