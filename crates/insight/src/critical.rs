//! The critical path of a trace: at each moment between the beginning and some end, the one step that this
//! end waited for.
//!
//! It is walked backwards: from the end of a span into the child that finished last before it, then into the
//! one that finished last before that child began. What outlives its parent, such as a function behind a
//! queue, is on the way to the end of all, and never on the way to its parent's answer.
//!
//! The page does the same (`ui/src/widgets/waterfall/critical.ts`); one file of cases holds both to it.

mod role;
mod walk;

use throughline_telemetry::UnixNanos;

pub use role::{Role, is_asynchronous};
use walk::Walk;

/// What a path needs to know of a span.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// The place of the span above it, if that is here.
    pub parent: Option<usize>,
    /// Whether it names a parent that is not here.
    pub is_orphan: bool,
    /// When it began.
    pub start: UnixNanos,
    /// When it ended; not before it began.
    pub end: UnixNanos,
    /// Who says what happened.
    pub phase: Phase,
    /// Whether the one above did not wait for it.
    pub is_asynchronous: bool,
    /// Whether nothing ran in it: a service in which a record lay.
    pub is_waiting: bool,
}

/// Who says what happened in a span.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// The code.
    Code,
    /// The platform, of a whole invocation.
    Invocation,
    /// The platform, of a part of one.
    Platform,
}

/// Up to where a path goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PathEnd {
    /// The end of the span with which the trace comes in.
    Answer,
    /// The end of the last thing that it caused.
    All,
}

/// A part of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PathPart {
    /// The place of the span that was waited for.
    pub span: usize,
    /// When the part begins.
    pub from: UnixNanos,
    /// When it ends, and the next one begins.
    pub to: UnixNanos,
    /// Nothing ran: a record lay in a service, or nothing is known between a caller and the span.
    pub is_waiting: bool,
}

/// The parts in order of time, without gap and overlap. The spans are depth first, siblings by start.
pub fn critical_path(spans: &[Stretch], to: PathEnd) -> Vec<PathPart> {
    let Some(root) = root(spans) else {
        return Vec::new();
    };
    let mut walk = Walk::new(spans);
    if to == PathEnd::All {
        let end = walk.end_of_all(root);
        return walk.back(root, end);
    }
    let answerer = answerer(spans, root);
    let mut parts = walk.back(answerer, spans[answerer].end);
    let begin = parts
        .first()
        .map_or(spans[answerer].start, |part| part.from);
    if root != answerer && spans[root].start < begin {
        // What the request came through before the first function began.
        parts.insert(
            0,
            PathPart {
                span: root,
                from: spans[root].start,
                to: begin,
                is_waiting: true,
            },
        );
    }
    parts
}

/// The parts of the paths to the ends of some spans, one path after the other.
pub(crate) fn paths_to(spans: &[Stretch], ends: &[usize]) -> Vec<PathPart> {
    let mut walk = Walk::new(spans);
    let paths = ends.iter().map(|place| walk.back_from(*place));
    paths.flatten().collect()
}

/// Whether what goes on after the answer is worth a path of its own: a twentieth of the time.
pub fn goes_on_after_answer(spans: &[Stretch]) -> bool {
    let Some(root) = root(spans) else {
        return false;
    };
    let start = spans
        .iter()
        .map(|span| span.start)
        .min()
        .unwrap_or_default();
    let answer = spans[answerer(spans, root)].end.since(start);
    Walk::new(spans).end_of_all(root).since(start) * 20 > answer * 21
}

/// With which the trace comes in; where that is missing, whatever is first.
fn root(spans: &[Stretch]) -> Option<usize> {
    let is_root = |span: &Stretch| span.parent.is_none() && !span.is_orphan;
    match spans.iter().position(is_root) {
        None if spans.is_empty() => None,
        found => Some(found.unwrap_or(0)),
    }
}

/// A service that a request came through says nothing of the answer: who it led to does.
fn answerer(spans: &[Stretch], root: usize) -> usize {
    let mut place = root;
    while spans[place].is_waiting
        && spans
            .get(place + 1)
            .is_some_and(|next| next.parent == Some(place))
    {
        place += 1;
    }
    place
}

#[cfg(test)]
mod tests;
