//! What the invocations of a story cost.

use std::collections::HashMap;

use throughline_telemetry::correlation::{COST_USD, INVOCATION_ID};
use throughline_telemetry::{Attributes, LogRecord, SpanId, Value};

/// What a whole story cost.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Cost {
    /// In US dollars, of the invocations whose report came.
    pub usd: f64,
    /// How many those are.
    pub reported: usize,
    /// Invocations of which it is not known.
    pub missing: usize,
}

/// What one invocation cost, and what it led to.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct SpanCost {
    /// In US dollars; none if its report is not here.
    pub usd: Option<f64>,
    /// The same of all invocations from this one on, itself included.
    pub with_all_below: Cost,
}

impl Cost {
    pub(super) fn add(&mut self, other: Cost) {
        self.usd += other.usd;
        self.reported += other.reported;
        self.missing += other.missing;
    }

    /// Of one invocation.
    pub(super) fn of(usd: Option<f64>) -> Self {
        Cost {
            usd: usd.unwrap_or_default(),
            reported: usize::from(usd.is_some()),
            missing: usize::from(usd.is_none()),
        }
    }
}

/// Reports that log records are.
#[derive(Debug, Default)]
pub(super) struct Reports<'a> {
    by_span: HashMap<SpanId, f64>,
    by_request: HashMap<&'a str, Vec<f64>>,
}

impl<'a> Reports<'a> {
    /// The records come in order of time.
    pub(super) fn new(logs: &'a [LogRecord]) -> Self {
        let mut reports = Reports::default();
        for log in logs {
            let Some(usd) = usd(&log.attributes) else {
                continue;
            };
            if let Some(span) = log.span_id {
                reports.by_span.insert(span, usd);
            }
            if let Some(request) = log.attributes.text(INVOCATION_ID) {
                reports.by_request.entry(request).or_default().push(usd);
            }
        }
        reports
    }

    /// What an attempt at a request cost, of so many.
    pub(super) fn of(
        &self,
        span: SpanId,
        request: Option<&str>,
        (attempt, attempts): (usize, usize),
    ) -> Option<f64> {
        let by_span = self.by_span.get(&span).copied();
        by_span.or_else(|| {
            let reports = self.by_request.get(request?)?;
            // Of several attempts of which some reports are missing, nobody knows which are whose.
            let nth = reports.get(attempt.checked_sub(1)?)?;
            (reports.len() == attempts).then_some(*nth)
        })
    }
}

/// The cost that attributes say.
pub(super) fn usd(attributes: &Attributes) -> Option<f64> {
    match attributes.get(COST_USD)? {
        Value::Double(usd) => Some(*usd),
        #[allow(clippy::cast_precision_loss)] // nobody pays more than 2^53 dollars
        Value::Int(usd) => Some(*usd as f64),
        _ => None,
    }
}
