//! What the list of traces says about one trace.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use throughline_telemetry::correlation::INVOCATION_ID;
use throughline_telemetry::{Span, SpanId, SpanStatus, UnixNanos, Value};

/// One trace in one line.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    /// Where it began; `None` without spans.
    pub root: Option<Root>,
    /// The first start.
    pub start: UnixNanos,
    /// From the first start to the last end.
    pub duration: Duration,
    /// How many spans there are.
    pub span_count: usize,
    /// How many of them failed.
    pub error_count: usize,
    /// How many invocations began with a cold start.
    pub cold_start_count: usize,
    /// Who took part, in the order of first appearance.
    pub services: Vec<ServiceShare>,
    /// Whether what it began with names another trace in a link: it goes on from that one. What only a key
    /// tells is not known here.
    pub continues: bool,
}

/// Where a trace began.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Root {
    /// The service of the root span.
    pub service: String,
    /// The name of the root span.
    pub name: String,
}

/// What one service adds to a trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceShare {
    /// The service.
    pub name: String,
    /// How many spans are its.
    pub span_count: usize,
    /// How many of those failed.
    pub error_count: usize,
}

/// How a trace went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// No span failed.
    Ok,
    /// At least one span failed.
    Error,
}

impl Outcome {
    /// The name used by the API.
    pub fn name(self) -> &'static str {
        match self {
            Outcome::Ok => "ok",
            Outcome::Error => "error",
        }
    }
}

impl Summary {
    /// The summary of a trace's spans, whatever their order.
    pub fn of(spans: &[Span]) -> Self {
        Self::of_all(&spans.iter().collect::<Vec<&Span>>())
    }

    /// The same of spans wherever they lie.
    pub(crate) fn of_all(spans: &[&Span]) -> Self {
        let mut by_start = spans.to_vec();
        by_start.sort_by_key(|span| (span.start, span.span_id));
        let (start, end) = extent(spans);
        Summary {
            root: root(&by_start),
            start,
            duration: end.since(start),
            span_count: spans.len(),
            error_count: spans.iter().filter(|span| failed(span)).count(),
            cold_start_count: cold_starts(spans),
            services: services(&by_start),
            continues: continues(&by_start),
        }
    }

    /// Whether any span failed.
    pub fn outcome(&self) -> Outcome {
        if self.error_count == 0 {
            Outcome::Ok
        } else {
            Outcome::Error
        }
    }
}

/// First known start and last end. A span whose start is not known does not stretch its trace to 1970.
fn extent(spans: &[&Span]) -> (UnixNanos, UnixNanos) {
    let starts = spans.iter().map(|span| span.start);
    let start = starts.filter(|start| start.is_known()).min();
    let end = spans.iter().map(|span| span.end.max(span.start)).max();
    let end = end.unwrap_or_default();
    (start.unwrap_or(end), end)
}

/// The earliest true root, else the earliest orphan, else (only circles) the earliest span.
fn root(by_start: &[&Span]) -> Option<Root> {
    let present: HashSet<SpanId> = by_start.iter().map(|span| span.span_id).collect();
    let rank = |span: &Span| match span.parent_id {
        None => 0,
        Some(parent) if !present.contains(&parent) => 1,
        Some(_) => 2,
    };
    // `min_by_key` returns the first of equals, which is the earliest.
    let root = by_start.iter().min_by_key(|span| rank(span))?;
    Some(Root {
        service: root.service().to_owned(),
        name: root.name.clone(),
    })
}

/// Whether the first span, or one of the same invocation, names another trace.
fn continues(by_start: &[&Span]) -> bool {
    let Some(first) = by_start.iter().min_by_key(|span| span.parent_id.is_some()) else {
        return false;
    };
    let request = first.attributes.text(INVOCATION_ID);
    let of_first = by_start.iter().filter(|span| {
        let is_of_request = || span.attributes.text(INVOCATION_ID) == request;
        !span.links.is_empty()
            && (span.span_id == first.span_id || request.is_some() && is_of_request())
    });
    let mut links = of_first.flat_map(|span| &span.links);
    links.any(|link| link.trace_id != first.trace_id)
}

/// Invocations that say they were cold, and init phases whose invocation has not arrived (yet).
fn cold_starts(spans: &[&Span]) -> usize {
    let phase = |span: &Span, name: &str| span.attributes.text("throughline.phase") == Some(name);
    let cold: HashSet<SpanId> = spans
        .iter()
        .filter(|span| phase(span, "invoke") && says_cold(span))
        .map(|span| span.span_id)
        .collect();
    let counted = |parent: Option<SpanId>| parent.is_some_and(|parent| cold.contains(&parent));
    let alone = spans
        .iter()
        .filter(|span| phase(span, "init") && !counted(span.parent_id));
    cold.len() + alone.count()
}

fn says_cold(span: &Span) -> bool {
    span.attributes.get("faas.coldstart") == Some(&Value::Bool(true))
}

fn services(by_start: &[&Span]) -> Vec<ServiceShare> {
    let mut shares: Vec<ServiceShare> = Vec::new();
    let mut position: HashMap<&str, usize> = HashMap::new();
    for span in by_start {
        let at = *position.entry(span.service()).or_insert_with(|| {
            shares.push(ServiceShare {
                name: span.service().to_owned(),
                span_count: 0,
                error_count: 0,
            });
            shares.len() - 1
        });
        shares[at].span_count += 1;
        shares[at].error_count += usize::from(failed(span));
    }
    shares
}

fn failed(span: &Span) -> bool {
    span.status == SpanStatus::Error
}

#[cfg(test)]
mod tests;
