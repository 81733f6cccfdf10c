//! What a filter asks of single spans, checked on the columns that it names before any row is decoded.

use std::ops::Range;

use arrow::array::{StringArray, UInt8Array};
use throughline_telemetry::{SpanStatus, TraceId};

use super::TraceFilter;
use super::filter::holds;
use crate::buffer::BufferView;
use crate::error::ReadError;
use crate::segment::{AttributeCells, Projected, Projection, attributes_from_json};

/// What was found about each row that was read.
#[derive(Debug)]
pub(super) struct Checked {
    /// The one span that is asked for is this, if it is no copy of another.
    matching: Vec<bool>,
    failed: Vec<bool>,
}

impl Checked {
    /// What rows of a trace say of it.
    pub(super) fn evidence(&self, rows: Range<usize>) -> Evidence {
        Evidence {
            matching: self.matching[rows.clone()].contains(&true),
            failed: self.failed[rows].contains(&true),
        }
    }
}

/// What the pieces of a trace looked at so far have. The span that is asked for and the one that
/// failed need not be the same, nor in the same piece.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Evidence {
    matching: bool,
    failed: bool,
}

impl Evidence {
    /// What a look at a few columns of a buffer says of a trace.
    pub(super) fn buffered(view: &BufferView, id: TraceId, filter: &TraceFilter) -> Self {
        let matching = filter.asks_for_a_span()
            && view.any_span(id, |rows, chunk, row| {
                filter.may_be_row(rows, chunk.owners(), row)
            });
        let failed = filter.asks_for_an_error()
            && view.any_span(id, |rows, _, row| rows.status(row) == SpanStatus::Error);
        Evidence { matching, failed }
    }

    pub(super) fn add(&mut self, other: Evidence) {
        self.matching |= other.matching;
        self.failed |= other.failed;
    }

    /// Whether a trace may be let through for what was found in one piece; each that is has such a piece.
    pub(super) fn decides(self, filter: &TraceFilter) -> bool {
        match filter.asks_for_a_span() {
            true => self.matching,
            false => self.failed,
        }
    }

    pub(super) fn is_enough(self, filter: &TraceFilter) -> bool {
        (self.matching || !filter.asks_for_a_span()) && (self.failed || !filter.asks_for_an_error())
    }

    pub(super) fn failed(self) -> bool {
        self.failed
    }
}

/// What of each row must be read to check it.
pub(super) fn projection(filter: &TraceFilter) -> Projection<'_> {
    let columns = [
        ("service", filter.service.is_some()),
        ("name", filter.operation.is_some()),
        ("status", filter.status.is_some()),
        ("resource", !filter.attributes.is_empty()),
    ];
    let asked = columns.iter().filter(|(_, asked)| *asked);
    Projection {
        columns: asked.map(|(name, _)| *name).collect(),
        attributes: filter.attributes.iter().map(|(key, _)| &**key).collect(),
    }
}

/// Checks rows of a segment.
pub(super) fn check(read: &Projected, filter: &TraceFilter) -> Result<Checked, ReadError> {
    let mut matching = vec![true; read.rows()];
    if let Some(service) = &filter.service {
        let services = read.texts("service")?;
        let is: Vec<bool> = services.distinct().map(|name| name == service).collect();
        keep(&mut matching, |row| Ok(is[services.code(row)]))?;
    }
    if let Some(operation) = &filter.operation {
        let names: &StringArray = read.get("name")?;
        keep(&mut matching, |row| Ok(names.value(row) == operation))?;
    }
    for (key, value) in &filter.attributes {
        let resources = read.texts("resource")?;
        let mut of_resource = Vec::new();
        for text in resources.distinct() {
            let attributes = attributes_from_json(text).map_err(|damage| read.damage(damage))?;
            of_resource.push(holds(&attributes, key, value));
        }
        let cells: AttributeCells<'_> = read.attribute(key)?;
        keep(&mut matching, |row| {
            let own = || cells.is(row, value).map_err(|damage| read.damage(damage));
            Ok(of_resource[resources.code(row)] || own()?)
        })?;
    }
    let mut failed = vec![false; read.rows()];
    if filter.status.is_some() {
        let statuses: &UInt8Array = read.get("status")?;
        for (failed, status) in failed.iter_mut().zip(statuses.values()) {
            *failed = *status == SpanStatus::Error as u8;
        }
    }
    Ok(Checked { matching, failed })
}

/// Keeps what was kept so far and is let through now.
fn keep(
    kept: &mut [bool],
    mut allows: impl FnMut(usize) -> Result<bool, ReadError>,
) -> Result<(), ReadError> {
    for (row, kept) in kept.iter_mut().enumerate() {
        *kept = *kept && allows(row)?;
    }
    Ok(())
}
