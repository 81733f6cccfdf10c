//! What a filter asks of single spans, checked on the columns it names before any row is decoded.

use std::ops::Range;

use arrow::array::{StringArray, UInt8Array};
use throughline_telemetry::{SpanStatus, TraceId};

use super::TraceFilter;
use super::filter::holds;
use crate::buffer::BufferView;
use crate::error::ReadError;
use crate::segment::{AttributeCells, Projection, SegmentFiles, SegmentMeta, attributes_from_json};

/// What was found about each row of a block.
#[derive(Debug)]
pub(super) struct Checked {
    /// The first row of the block.
    pub(super) begin: u32,
    /// The one span that is asked for may be this.
    matching: Vec<bool>,
    failed: Vec<bool>,
    /// Runs of rows that matter to the filter.
    hits: usize,
}

impl Checked {
    /// Whether so few traces of the block will be looked at that each is better read on its own.
    pub(super) fn has_few(&self) -> bool {
        self.hits <= FEW_HITS
    }

    /// Adds what was found about the rows of a piece of a trace.
    pub(super) fn add_to(&self, evidence: &mut Evidence, rows: Range<u32>) {
        let rows = (rows.start - self.begin) as usize..(rows.end - self.begin) as usize;
        evidence.matching |= self.matching[rows.clone()].contains(&true);
        evidence.failed |= self.failed[rows].contains(&true);
    }
}

/// What the pieces of a trace looked at so far may have. The span that is asked for and the one that
/// failed need not be the same, nor in the same piece.
#[derive(Debug, Default)]
pub(super) struct Evidence {
    matching: bool,
    failed: bool,
}

impl Evidence {
    /// Adds what a look at a few columns of a buffer says of a trace.
    pub(super) fn add_buffered(&mut self, view: &BufferView, id: TraceId, filter: &TraceFilter) {
        self.matching |= filter.asks_for_a_span()
            && view.any_span(id, |rows, chunk, row| {
                filter.may_be_row(rows, chunk.owners(), row)
            });
        self.failed |= filter.asks_for_an_error()
            && view.any_span(id, |rows, _, row| rows.status(row) == SpanStatus::Error);
    }

    pub(super) fn is_enough(&self, filter: &TraceFilter) -> bool {
        (self.matching || !filter.asks_for_a_span()) && (self.failed || !filter.asks_for_an_error())
    }
}

/// Checks rows of a segment.
pub(super) fn check_spans(
    files: &SegmentFiles,
    segment: &SegmentMeta,
    rows: Range<u32>,
    filter: &TraceFilter,
) -> Result<Checked, ReadError> {
    let mut wanted = Projection::default();
    let columns = [
        ("service", filter.service.is_some()),
        ("name", filter.operation.is_some()),
        ("status", filter.asks_for_an_error()),
        ("resource", !filter.attributes.is_empty()),
    ];
    let asked = columns.iter().filter(|(_, asked)| *asked);
    wanted.columns = asked.map(|(name, _)| *name).collect();
    wanted.attributes = filter.attributes.iter().map(|(key, _)| &**key).collect();
    let begin = rows.start;
    let count = rows.len();
    let read = files.project(segment, &wanted, &[rows])?;
    let mut matching = vec![true; count];
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
    let mut failed = vec![false; count];
    if filter.asks_for_an_error() {
        let statuses: &UInt8Array = read.get("status")?;
        for (failed, status) in failed.iter_mut().zip(statuses.values()) {
            *failed = *status == SpanStatus::Error as u8;
        }
    }
    let deciding = match filter.asks_for_a_span() {
        true => &matching,
        false => &failed,
    };
    let runs = deciding.chunk_by(|a, b| a == b);
    Ok(Checked {
        begin,
        hits: runs.filter(|run| run[0]).count(),
        matching,
        failed,
    })
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

/// A block takes as long to read as so many traces of it one by one.
const FEW_HITS: usize = 6;
