//! Invocations, and calls of functions, as they arrive, for whoever wants to know of them at once.
//!
//! What arrives is handed on without a copy, and only while somebody follows. Who does not keep up
//! misses the oldest of it, and is told how much: the store waits for nobody.

use arrow::array::RecordBatch;
use throughline_telemetry::{LogRecord, Signal, Span, SpanKind};
use tokio::sync::broadcast::{self, error::RecvError};

use crate::batch::{LogRows, Owners, SpanRows};
use crate::edges::{INVOKED_NAME, may_be_a_call};
use crate::segment::Damage;

/// What several bodies brought at once.
pub(crate) type Group = Vec<(Signal, RecordBatch)>;

/// Where arriving rows are handed on.
#[derive(Debug)]
pub(crate) struct Arrivals(broadcast::Sender<Group>);

impl Default for Arrivals {
    fn default() -> Self {
        Arrivals(broadcast::Sender::new(GROUPS_MAX))
    }
}

impl Arrivals {
    /// Whether anybody wants to know.
    pub(crate) fn are_wanted(&self) -> bool {
        self.0.receiver_count() > 0
    }

    pub(crate) fn tell(&self, group: Group) {
        // Who follows may have gone meanwhile.
        let _ = self.0.send(group);
    }

    pub(crate) fn follow(&self) -> Invocations {
        Invocations(self.0.subscribe())
    }
}

/// Follows what is told of invocations.
#[derive(Debug)]
pub struct Invocations(broadcast::Receiver<Group>);

/// What came of them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Fresh {
    /// Spans of invocations: those of a server in the platform's scope.
    pub spans: Vec<Span>,
    /// Spans of those who call functions, of which [`FunctionCall`](crate::FunctionCall) tells.
    pub calls: Vec<Span>,
    /// The platform's reports of invocations, which say what they cost.
    pub reports: Vec<LogRecord>,
    /// How many groups of rows came and went unseen.
    pub missed: u64,
}

impl Invocations {
    /// What came since; waits until something has. `None` when the store is gone. Safe to be cancelled.
    pub async fn next(&mut self) -> Option<Fresh> {
        let mut fresh = Fresh::default();
        let group = loop {
            match self.0.recv().await {
                Ok(group) => break group,
                Err(RecvError::Lagged(missed)) => fresh.missed += missed,
                Err(RecvError::Closed) => return None,
            }
        };
        for (signal, rows) in &group {
            // What was just built from checked bodies has all of its columns.
            let read = match signal {
                Signal::Traces => spans(rows, &mut fresh),
                Signal::Logs => reports(rows, &mut fresh.reports),
                Signal::Metrics => Ok(()),
            };
            debug_assert!(read.is_ok(), "{read:?}");
        }
        Some(fresh)
    }
}

fn spans(batch: &RecordBatch, into: &mut Fresh) -> Result<(), Damage> {
    let rows = SpanRows::new(batch)?;
    let is_invocation =
        |row: usize| rows.scope(row) == PLATFORM_SCOPE && rows.kind(row) == SpanKind::Server;
    let is_call = |row: usize| {
        may_be_a_call(rows.kind(row)) && rows.attribute_may_be(row, INVOKED_NAME, "").is_some()
    };
    let (mut invocations, mut calls) = (Vec::new(), Vec::new());
    for row in 0..rows.len() {
        match is_invocation(row) {
            true => invocations.push(row),
            false if is_call(row) => calls.push(row),
            false => {}
        }
    }
    if invocations.is_empty() && calls.is_empty() {
        return Ok(());
    }
    let owners = Owners::read(batch)?;
    for (rows_of, into) in [(invocations, &mut into.spans), (calls, &mut into.calls)] {
        for row in rows_of {
            into.push(rows.at(&owners, row)?);
        }
    }
    Ok(())
}

fn reports(batch: &RecordBatch, into: &mut Vec<LogRecord>) -> Result<(), Damage> {
    let rows = LogRows::new(batch)?;
    let is_told =
        |row: &usize| rows.scope(*row) == PLATFORM_SCOPE && rows.body(*row).starts_with(REPORT);
    let told: Vec<usize> = (0..rows.len()).filter(is_told).collect();
    if told.is_empty() {
        return Ok(());
    }
    let owners = Owners::read(batch)?;
    for row in told {
        into.push(rows.at(&owners, row)?.record);
    }
    Ok(())
}

/// The scope of what the extension makes of the platform's events.
const PLATFORM_SCOPE: &str = "throughline.platform";
/// What Lambda's line on the end of an invocation begins with.
const REPORT: &str = "REPORT";
/// Groups that wait for who follows.
const GROUPS_MAX: usize = 256;

#[cfg(test)]
mod tests;
