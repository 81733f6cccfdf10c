//! The table of log records.

use arrow::array::RecordBatch;
use throughline_telemetry::Signal;

use super::table::{Damage, Table};
use crate::batch::{LogRows, Owners};
use crate::rows::LogRow;

/// Log records, sorted by time and sequence.
pub(crate) enum LogTable {}

impl Table for LogTable {
    type Row = LogRow;

    const SIGNAL: Signal = Signal::Logs;
    const DELTAS: &[&str] = &[
        "time",
        "sequence",
        "own_time_offset",
        "observed_time_offset",
    ];
    const PAGE_STATISTICS: &[&str] = &["time", "severity_number"];

    fn decode(batch: &RecordBatch) -> Result<Vec<LogRow>, Damage> {
        let (rows, owners) = (LogRows::new(batch)?, Owners::read(batch)?);
        (0..rows.len()).map(|row| rows.at(&owners, row)).collect()
    }
}
