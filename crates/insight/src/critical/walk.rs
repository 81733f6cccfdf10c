//! The way back from an end, without recursion: traces may be chains of many thousand spans.

use std::time::Duration;

use throughline_telemetry::UnixNanos;

use super::{PathPart, Phase, Stretch};

pub(super) struct Walk<'a> {
    spans: &'a [Stretch],
    children: Vec<Vec<usize>>,
    /// For each span when the last of it and of all below it ended.
    ends: Vec<UnixNanos>,
    start: UnixNanos,
    /// The last part first.
    parts: Vec<PathPart>,
}

/// Where one is on the way back through a span.
struct Stop {
    span: usize,
    /// Nothing of it, or below it, counts before.
    floor: UnixNanos,
    /// All after this is told.
    cursor: UnixNanos,
    /// True until a child was walked: only then may one run on beyond the cursor by more than clocks differ.
    is_fresh: bool,
    /// The span walked before this moment, for which a gap was waited.
    later: usize,
    /// Children that may have been waited for, the last to end on top.
    waited_for: Vec<usize>,
    /// Children of which something goes on after the span's end, the last to end on top.
    going_on: Vec<usize>,
}

impl<'a> Walk<'a> {
    pub(super) fn new(spans: &'a [Stretch]) -> Self {
        let mut children = vec![Vec::new(); spans.len()];
        let mut ends: Vec<UnixNanos> = spans.iter().map(|span| span.end).collect();
        for (place, span) in spans.iter().enumerate() {
            if let Some(parent) = span.parent {
                children[parent].push(place);
            }
        }
        for (place, span) in spans.iter().enumerate().rev() {
            if let Some(parent) = span.parent {
                ends[parent] = ends[parent].max(ends[place]);
            }
        }
        Walk {
            spans,
            children,
            ends,
            start: spans
                .iter()
                .map(|span| span.start)
                .min()
                .unwrap_or_default(),
            parts: Vec::new(),
        }
    }

    /// When the last of it and of all below it ended.
    pub(super) fn end_of_all(&self, place: usize) -> UnixNanos {
        self.ends[place]
    }

    /// The parts up to this end, in order of time.
    pub(super) fn back(&mut self, root: usize, end: UnixNanos) -> Vec<PathPart> {
        self.back_to(self.start, root, end)
    }

    /// The parts up to the end of a span that need not be the root: what was before its parent was not waited for.
    pub(super) fn back_from(&mut self, place: usize) -> Vec<PathPart> {
        let Stretch {
            parent, start, end, ..
        } = self.spans[place];
        let begin = parent.map_or(self.start, |parent| self.spans[parent].start);
        self.back_to(begin.min(start), place, end)
    }

    fn back_to(&mut self, floor: UnixNanos, root: usize, end: UnixNanos) -> Vec<PathPart> {
        let mut above: Vec<Stop> = Vec::new();
        let mut stop = self.enter(root, end, floor);
        loop {
            if let Some(child) = self
                .child_after_end(&mut stop)
                .or_else(|| self.child_within(&mut stop))
            {
                let next = self.descend(&mut stop, child);
                above.push(std::mem::replace(&mut stop, next));
                continue;
            }
            let start = self.spans[stop.span].start.max(stop.floor);
            self.add_own(&mut stop, start);
            let Some(mut parent) = above.pop() else {
                break;
            };
            parent.cursor = stop.cursor;
            parent.is_fresh = false;
            parent.later = stop.span;
            stop = parent;
        }
        self.parts.reverse();
        std::mem::take(&mut self.parts)
    }

    fn enter(&self, place: usize, cursor: UnixNanos, floor: UnixNanos) -> Stop {
        let end = self.spans[place].end;
        let children = &self.children[place];
        let told = children
            .iter()
            .copied()
            .filter(|child| !self.repeats(*child, children));
        let told: Vec<usize> = told.collect();
        let is_waited_for = |child: &usize| !self.spans[*child].is_asynchronous;
        let mut waited_for: Vec<usize> = told.iter().copied().filter(is_waited_for).collect();
        waited_for.sort_by_key(|child| (self.spans[*child].end, std::cmp::Reverse(*child)));
        let mut going_on = told;
        going_on.retain(|child| self.ends[*child] > end);
        going_on.sort_by_key(|child| self.ends[*child]);
        Stop {
            span: place,
            floor,
            cursor,
            is_fresh: true,
            later: place,
            waited_for,
            going_on,
        }
    }

    /// Into a child, after what was between it and the moment.
    fn descend(&mut self, stop: &mut Stop, child: usize) -> Stop {
        let is_tail = stop.cursor > self.spans[stop.span].end;
        let end = match is_tail {
            true => self.ends[child].min(stop.cursor),
            false => self.spans[child].end.min(stop.cursor),
        };
        match is_tail {
            true => self.add((stop.later, true), (end, stop.cursor), stop.floor),
            false => self.add_own(stop, end),
        }
        stop.cursor = end;
        self.enter(child, end, self.floor_below(stop))
    }

    /// While the moment is after the end of the span: what still went on then.
    fn child_after_end(&mut self, stop: &mut Stop) -> Option<usize> {
        let end = self.spans[stop.span].end;
        if stop.cursor <= end {
            return None;
        }
        while let Some(child) = stop.going_on.pop() {
            let has_begun = self.spans[child].start < stop.cursor;
            if has_begun && (stop.is_fresh || self.ends[child] <= stop.cursor) {
                return Some(child);
            }
        }
        self.add((stop.later, true), (end, stop.cursor), stop.floor);
        stop.cursor = end.max(stop.floor);
        stop.is_fresh = true;
        None
    }

    /// The child that ended last before this moment, or was cut off by it. The platform's clock is another one, of whole
    /// milliseconds, and says at times that what comes next began a moment before the one before it ended.
    fn child_within(&self, stop: &mut Stop) -> Option<usize> {
        let floor = self.floor_below(stop);
        let ends_by = match self.spans[stop.later].phase {
            Phase::Platform => stop.cursor.plus(CLOCKS_DIFFER),
            Phase::Code | Phase::Invocation => stop.cursor,
        };
        while let Some(child) = stop.waited_for.pop() {
            let Stretch { start, end, .. } = self.spans[child];
            if end > floor && start < stop.cursor && (stop.is_fresh || end <= ends_by) {
                return Some(child);
            }
        }
        None
    }

    /// An invocation waits for the start of its environment, which is before it.
    fn floor_below(&self, stop: &Stop) -> UnixNanos {
        let span = &self.spans[stop.span];
        match span.phase {
            Phase::Invocation => stop.floor,
            _ => stop.floor.max(span.start),
        }
    }

    /// From the cursor back to `from`: its own time, and before its start a wait.
    fn add_own(&mut self, stop: &mut Stop, from: UnixNanos) {
        let span = &self.spans[stop.span];
        let began = span.start.min(stop.cursor);
        let own = (stop.span, span.is_waiting);
        self.add(own, (from.max(began), stop.cursor), stop.floor);
        self.add((stop.span, true), (from, began), stop.floor);
        stop.cursor = stop.cursor.min(from);
    }

    fn add(
        &mut self,
        (span, is_waiting): (usize, bool),
        (from, to): (UnixNanos, UnixNanos),
        floor: UnixNanos,
    ) {
        let from = from.max(floor);
        if to > from {
            self.parts.push(PathPart {
                span,
                from,
                to,
                is_waiting,
            });
        }
    }

    /// Lambda tells how long a function took to respond, beside the spans of the function that say on what.
    fn repeats(&self, child: usize, siblings: &[usize]) -> bool {
        let told = &self.spans[child];
        told.phase == Phase::Platform
            && siblings
                .iter()
                .map(|place| &self.spans[*place])
                .any(|span| {
                    let (from, to) = (span.start.max(told.start), span.end.min(told.end));
                    span.phase != Phase::Platform
                        && to > from
                        && to.since(from) * 2 > span.end.since(span.start)
                })
    }
}

/// By how much what the platform says of times may be ahead of what code says.
const CLOCKS_DIFFER: Duration = Duration::from_millis(2);
