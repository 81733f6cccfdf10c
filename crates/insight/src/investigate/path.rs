//! Which spans of a trace somebody waited for, and how long.

use throughline_telemetry::Span;

use crate::critical::{PathEnd, Phase, Role, Stretch, critical_path, is_asynchronous, paths_to};
use crate::tree::{in_order, lay_out, parents};

/// The spans on the critical paths to the ends of those that are asked about, with the time in which each was waited
/// for, in milliseconds; on the path to the trace's answer if it has none of these.
///
/// Of what is asked about within what is asked about, the outer path has the inner one, unless nobody waited for that.
#[allow(clippy::cast_precision_loss)] // nanoseconds of minutes
pub(super) fn waited_for<'a>(
    spans: &'a [Span],
    is_asked: &dyn Fn(&Span) -> bool,
) -> Vec<(&'a Span, f64)> {
    let (spans, stretches) = laid_out(spans);
    let mut ends = Vec::new();
    let mut is_within = vec![false; spans.len()];
    for (place, (span, stretch)) in spans.iter().zip(&stretches).enumerate() {
        let above = stretch.parent.filter(|_| !stretch.is_asynchronous);
        is_within[place] = above.is_some_and(|parent| is_within[parent]);
        if !is_within[place] && is_asked(span) {
            is_within[place] = true;
            ends.push(place);
        }
    }
    let parts = match ends.is_empty() {
        true => critical_path(&stretches, PathEnd::Answer),
        false => paths_to(&stretches, &ends),
    };
    let parts = parts.into_iter().filter(|part| !part.is_waiting);
    let waited = parts.map(|part| (spans[part.span], part.to.0.saturating_sub(part.from.0)));
    waited
        .map(|(span, nanos)| (span, nanos as f64 / 1e6))
        .collect()
}

/// The spans depth first, and what a path needs to know of each.
fn laid_out(spans: &[Span]) -> (Vec<&Span>, Vec<Stretch>) {
    let mut sorted: Vec<&Span> = spans.iter().collect();
    sorted.sort_by_key(|span| in_order(span));
    let mut parents = parents(&sorted);
    let order = lay_out(&mut parents);
    let mut places = vec![0; sorted.len()];
    for (place, (at, _)) in order.iter().enumerate() {
        places[*at] = place;
    }
    let laid = order.into_iter().map(|(at, _)| {
        let (span, parent) = (sorted[at], parents[at]);
        let stretch = Stretch {
            parent: parent.map(|parent| places[parent]),
            is_orphan: span.parent_id.is_some() && parent.is_none(),
            start: span.start,
            end: span.end.max(span.start),
            phase: phase(span),
            is_asynchronous: is_asynchronous(role(span), parent.map(|parent| role(sorted[parent]))),
            is_waiting: false,
        };
        (span, stretch)
    });
    laid.unzip()
}

fn phase(span: &Span) -> Phase {
    match span.attributes.text("throughline.phase") {
        None => Phase::Code,
        Some("invoke") => Phase::Invocation,
        Some(_) => Phase::Platform,
    }
}

fn role(span: &Span) -> Role<'_> {
    Role {
        kind: span.kind.name(),
        service: span.service(),
        invocation: span.attributes.text("faas.invocation_id"),
        is_event: span.attributes.text("aws.lambda.invocation_type") == Some("Event"),
        hop: None,
    }
}
