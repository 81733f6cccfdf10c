//! Where the log records of a story belong among its spans.

use std::collections::HashMap;

use throughline_telemetry::UnixNanos;

use super::story::{Log, Step, Story, Tree, text};

/// A row of the waterfall.
#[derive(Clone, Copy, Debug)]
pub(super) enum Row<'a> {
    /// The span at this place.
    Span(usize),
    Log(&'a Log),
}

/// The records with the span that each was written in: by its id, or else the invocation that it names.
pub(super) fn placed(story: &Story) -> Vec<(Option<usize>, &Log)> {
    let mut spans: HashMap<&str, usize> = HashMap::new();
    let mut invocations: HashMap<&str, usize> = HashMap::new();
    for (place, span) in story.spans.iter().enumerate() {
        spans.entry(&span.span_id).or_insert(place);
        match text(&span.attributes, REQUEST) {
            "" => {}
            request if span.is_invocation() => {
                invocations.insert(request, place);
            }
            request => {
                invocations.entry(request).or_insert(place);
            }
        }
    }
    let place = |log: &Log| {
        let span = log.span_id.as_deref().and_then(|id| spans.get(id));
        let invocation = || invocations.get(text(&log.attributes, REQUEST));
        span.or_else(invocation).copied()
    };
    story.logs.iter().map(|log| (place(log), log)).collect()
}

/// Spans in their order, and of the records each below its span, before what began after it.
pub(super) fn rows<'a>(
    spans: &[Step],
    tree: &Tree,
    logs: &[(Option<usize>, &'a Log)],
) -> Vec<Row<'a>> {
    let mut of: HashMap<Option<usize>, Vec<&'a Log>> = HashMap::new();
    for (place, log) in logs {
        of.entry(*place).or_default().push(log);
    }
    let mut open = |place: Option<usize>| {
        let mut logs = of.remove(&place).unwrap_or_default();
        logs.sort_by_key(|log| log.time);
        logs.reverse();
        logs
    };
    let mut rows = Vec::with_capacity(spans.len() + logs.len());
    let mut above = vec![(usize::MAX, open(None))];
    for (place, span) in spans.iter().enumerate() {
        while above.last().is_some_and(|(last, _)| *last < place) {
            let (_, mut left) = above.pop().unwrap_or_default();
            tell(&mut rows, &mut left, None);
        }
        if let Some((_, logs)) = above.last_mut() {
            tell(&mut rows, logs, Some(span.start));
        }
        rows.push(Row::Span(place));
        above.push((tree.lasts[place], open(Some(place))));
    }
    while let Some((_, mut left)) = above.pop() {
        tell(&mut rows, &mut left, None);
    }
    rows
}

/// The records before a moment, or all that are left; the earliest is the last.
fn tell<'a>(rows: &mut Vec<Row<'a>>, logs: &mut Vec<&'a Log>, before: Option<UnixNanos>) {
    while let Some(log) = logs.pop() {
        if before.is_some_and(|before| log.time >= before) {
            logs.push(log);
            return;
        }
        rows.push(Row::Log(log));
    }
}

const REQUEST: &str = "faas.invocation_id";
