//! Whether a user action reached its end in time.

use std::time::Duration;

use throughline_telemetry::Span;

use super::{SpanAt, Story};

/// What is known of an action that should have ended within some time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reached {
    /// It ended in time.
    InTime,
    /// It ended later, or not at all.
    Late,
    /// Its story is not whole, and what is there of it has no end in time.
    NotKnown,
}

/// Whether what began with a span reached a span that is an end within some time of its start.
///
/// Only what came of the span counts: spans below it, across all hops, and spans of its story whose own parents are not
/// known. An end counts when it is over.
pub fn reached(
    story: &Story,
    begin: SpanAt,
    within: Duration,
    is_end: impl Fn(&Span) -> bool,
) -> Reached {
    let took = took(story, begin, is_end);
    let is_whole = !story.left_out.is_partial && story.left_out.traces == 0;
    match took {
        Some(took) if took <= within => Reached::InTime,
        _ if is_whole => Reached::Late,
        _ => Reached::NotKnown,
    }
}

/// From the start of a span to when the first end is over that came of it.
fn took(story: &Story, begin: SpanAt, is_end: impl Fn(&Span) -> bool) -> Option<Duration> {
    let mut spans = story.spans.iter();
    let root = spans.find(|told| SpanAt::of(&told.span) == begin)?;
    // Depth first: what is below it comes next.
    let below = spans.clone().take_while(|told| told.depth > root.depth);
    let mut is_lost = false;
    let lost = story.spans.iter().filter(|told| {
        if told.depth == 0 {
            is_lost = told.parent_missing;
        }
        is_lost
    });
    let ends = [root].into_iter().chain(below).chain(lost);
    let ends = ends.filter(|told| !told.is_inferred && is_end(&told.span));
    let ends = ends.filter(|told| told.span.start >= root.span.start);
    ends.map(|told| told.span.end.since(root.span.start)).min()
}
