//! What a search asks for.

use std::time::Duration;

use throughline_telemetry::{Attributes, MetricPoint, Span, SpanStatus, UnixNanos};

use super::TraceCursor;
use crate::batch::{Owners, SpanRows};
use crate::segment::SegmentMeta;

/// Which traces to find. Everything set must hold.
#[derive(Clone, Debug)]
pub struct TraceFilter {
    /// Some span is of this service. This, `operation` and `attributes` hold on the same span.
    pub service: Option<String>,
    /// Some span has this name.
    pub operation: Option<String>,
    /// Whether any span failed.
    pub status: Option<TraceStatus>,
    /// From the start of the first span to the end of the last it took at least this long.
    pub min_duration: Option<Duration>,
    /// Attributes of the span or of its resource that have these values, written as
    /// [`Value::to_text`](throughline_telemetry::Value::to_text) writes them.
    pub attributes: Vec<(String, String)>,
    /// The first span starts then or later.
    pub from: Option<UnixNanos>,
    /// The first span starts before then.
    pub to: Option<UnixNanos>,
    /// How many traces at most, 1000 at the most.
    pub limit: usize,
    /// Only what comes after this place in the order.
    pub after: Option<TraceCursor>,
}

/// Whether a trace failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TraceStatus {
    /// No span failed.
    Ok,
    /// At least one span failed.
    Error,
}

/// Which metric points to find. Everything set must hold.
#[derive(Clone, Debug)]
pub struct MetricFilter {
    /// The point is of the metric of this name.
    pub name: Option<String>,
    /// It was measured then or later.
    pub from: Option<UnixNanos>,
    /// It was measured before then.
    pub to: Option<UnixNanos>,
    /// How many points at most, 1000 at the most.
    pub limit: usize,
}

impl Default for TraceFilter {
    /// The newest fifty.
    fn default() -> Self {
        TraceFilter {
            service: None,
            operation: None,
            status: None,
            min_duration: None,
            attributes: Vec::new(),
            from: None,
            to: None,
            limit: PAGE,
            after: None,
        }
    }
}

impl Default for MetricFilter {
    /// The newest fifty.
    fn default() -> Self {
        MetricFilter {
            name: None,
            from: None,
            to: None,
            limit: PAGE,
        }
    }
}

impl TraceFilter {
    /// Whether spans must be looked at to decide.
    pub(crate) fn needs_spans(&self) -> bool {
        self.asks_for_a_span() || self.status.is_some() || self.min_duration.is_some()
    }

    /// Whether one span must have certain properties.
    pub(crate) fn asks_for_a_span(&self) -> bool {
        self.service.is_some() || self.operation.is_some() || !self.attributes.is_empty()
    }

    /// Whether there must be a span with certain properties, or that failed.
    pub(crate) fn decides(&self) -> bool {
        self.asks_for_a_span() || self.asks_for_an_error()
    }

    /// Whether one span must have failed.
    pub(crate) fn asks_for_an_error(&self) -> bool {
        self.status == Some(TraceStatus::Error)
    }

    /// Whether a segment may have the one span that is asked for.
    pub(crate) fn may_be_in(&self, segment: &SegmentMeta) -> bool {
        segment
            .services
            .may_have(self.service.as_deref(), self.operation.as_deref())
    }

    /// Whether the trace that consists of these spans is let through, its start aside.
    pub(crate) fn allows<'a>(&self, spans: impl Iterator<Item = &'a Span> + Clone) -> bool {
        self.allows_status(spans.clone())
            && self.allows_duration(spans.clone())
            && (!self.asks_for_a_span() || spans.clone().any(|span| self.allows_span(span)))
    }

    fn allows_status<'a>(&self, mut spans: impl Iterator<Item = &'a Span>) -> bool {
        let mut failed = || spans.any(|span| span.status == SpanStatus::Error);
        match self.status {
            None => true,
            Some(TraceStatus::Error) => failed(),
            Some(TraceStatus::Ok) => !failed(),
        }
    }

    fn allows_duration<'a>(&self, spans: impl Iterator<Item = &'a Span> + Clone) -> bool {
        let Some(min) = self.min_duration else {
            return true;
        };
        let start = spans.clone().map(|span| span.start).min();
        let end = spans.map(|span| span.end).max();
        let (Some(start), Some(end)) = (start, end) else {
            return false;
        };
        end.since(start) >= min
    }

    /// Whether a span in a buffer may be the one that is asked for. Looks at no more than it must.
    pub(crate) fn may_be_row(&self, rows: &SpanRows<'_>, owners: &Owners, row: usize) -> bool {
        let is =
            |want: &Option<String>, have: &str| want.as_deref().is_none_or(|want| want == have);
        is(&self.service, rows.service(row))
            && is(&self.operation, rows.name(row))
            && self.attributes.iter().all(|(key, value)| {
                rows.attribute_may_be(row, key, value) == Some(true)
                    || holds(&rows.resource(owners, row).attributes, key, value)
            })
    }

    fn allows_span(&self, span: &Span) -> bool {
        let is =
            |want: &Option<String>, have: &str| want.as_deref().is_none_or(|want| want == have);
        is(&self.service, span.service())
            && is(&self.operation, &span.name)
            && self.attributes.iter().all(|(key, value)| {
                holds(&span.attributes, key, value) || holds(&span.resource.attributes, key, value)
            })
    }
}

impl MetricFilter {
    /// Whether a segment may have such a point.
    pub(crate) fn may_be_in(&self, segment: &SegmentMeta) -> bool {
        self.from.is_none_or(|from| segment.last >= from)
            && self.to.is_none_or(|to| segment.first < to)
    }

    pub(crate) fn allows(&self, point: &MetricPoint) -> bool {
        self.allows_of(&point.name, point.time)
    }

    /// Whether a point of this metric and time is let through.
    pub(crate) fn allows_of(&self, name: &str, time: UnixNanos) -> bool {
        self.name.as_deref().is_none_or(|wanted| wanted == name)
            && self.from.is_none_or(|from| time >= from)
            && self.to.is_none_or(|to| time < to)
    }
}

/// Whether an attribute reads like this text.
pub(super) fn holds(attributes: &Attributes, key: &str, value: &str) -> bool {
    attributes.get(key).is_some_and(|have| match have.as_str() {
        Some(text) => text == value,
        None => have.to_text() == value,
    })
}

/// What one page shows unless asked otherwise.
const PAGE: usize = 50;
