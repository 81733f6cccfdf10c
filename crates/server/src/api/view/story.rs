//! What a story says beyond a trace.

use serde::Serialize;
use throughline_insight as insight;
use throughline_telemetry::{SpanId, TraceId};

use super::Text;
use crate::api::story::{FoundBy, FoundStory};

/// What there is to say of all of it.
#[derive(Serialize)]
pub(super) struct Story<'a> {
    found_by: FoundByView<'a>,
    trace_ids: Vec<Text<TraceId>>,
    joins: Vec<Join<'a>>,
    attempts: Vec<Attempts<'a>>,
    cost: Option<Cost>,
    left_out: LeftOut,
}

#[derive(Serialize)]
struct FoundByView<'a> {
    what: &'static str,
    name: Option<&'a str>,
}

#[derive(Serialize)]
struct SpanAt {
    trace_id: Text<TraceId>,
    span_id: Text<SpanId>,
}

#[derive(Serialize)]
struct Join<'a> {
    from: SpanAt,
    to: SpanAt,
    how: &'static str,
    key: Option<&'a str>,
}

#[derive(Serialize)]
struct Attempts<'a> {
    request_id: &'a str,
    spans: Vec<SpanAt>,
}

#[derive(Serialize)]
struct Cost {
    usd: f64,
    reported: usize,
    missing: usize,
}

#[derive(Serialize)]
struct LeftOut {
    trace_count: usize,
    partial: bool,
}

/// What there is to say of one span.
#[derive(Serialize)]
pub(super) struct Told<'a> {
    sent_parent_span_id: Option<Text<SpanId>>,
    join: Option<Join<'a>>,
    inferred: bool,
    attempt: Option<usize>,
    cost: Option<SpanCost>,
}

#[derive(Serialize)]
struct SpanCost {
    usd: Option<f64>,
    with_all_below: Cost,
}

impl<'a> Story<'a> {
    pub(super) fn new(found: &'a FoundStory) -> Self {
        let story = &found.story;
        let (what, name) = match &found.found_by {
            FoundBy::Trace => ("trace", None),
            FoundBy::Request => ("request", None),
            FoundBy::Key(key) => ("key", Some(key.as_str())),
            FoundBy::Attribute(key) => ("attribute", Some(key.as_str())),
            FoundBy::Log => ("log", None),
        };
        let attempts = story.attempts.iter().map(|attempts| Attempts {
            request_id: &attempts.request_id,
            spans: attempts.spans.iter().copied().map(SpanAt::new).collect(),
        });
        Story {
            found_by: FoundByView { what, name },
            trace_ids: story.traces.iter().copied().map(Text).collect(),
            joins: story.joins.iter().map(Join::new).collect(),
            attempts: attempts.collect(),
            cost: story.cost.map(Cost::new),
            left_out: LeftOut {
                trace_count: story.left_out.traces,
                partial: story.left_out.is_partial,
            },
        }
    }
}

impl<'a> Told<'a> {
    pub(super) fn new(told: &'a insight::Told) -> Self {
        Told {
            sent_parent_span_id: told.span.parent_id.map(Text),
            join: told.join.as_ref().map(Join::new),
            inferred: told.is_inferred,
            attempt: told.attempt,
            cost: told.cost.map(|cost| SpanCost {
                usd: cost.usd,
                with_all_below: Cost::new(cost.with_all_below),
            }),
        }
    }
}

impl SpanAt {
    fn new(at: insight::SpanAt) -> Self {
        SpanAt {
            trace_id: Text(at.trace_id),
            span_id: Text(at.span_id),
        }
    }
}

impl<'a> Join<'a> {
    fn new(join: &'a insight::Join) -> Self {
        Join {
            from: SpanAt::new(join.from),
            to: SpanAt::new(join.to),
            how: join.how.name(),
            key: join.key.as_deref(),
        }
    }
}

impl Cost {
    fn new(cost: insight::Cost) -> Self {
        Cost {
            usd: cost.usd,
            reported: cost.reported,
            missing: cost.missing,
        }
    }
}
