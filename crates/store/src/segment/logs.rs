//! The table of log records.

use arrow::array::{
    FixedSizeBinaryArray, Int64Array, RecordBatch, StringArray, TimestampNanosecondArray,
    UInt8Array, UInt64Array,
};
use throughline_telemetry::{LogRecord, Signal, SpanId, TraceId, UnixNanos};

use super::columns::{AttributeLists, Columns};
use super::table::{Damage, Table};
use super::value;
use crate::batch::id_at;
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
        let columns = Columns(batch);
        let times: &TimestampNanosecondArray = columns.get("time")?;
        let sequences: &UInt64Array = columns.get("sequence")?;
        let own_offsets: &Int64Array = columns.get("own_time_offset")?;
        let observed_offsets: &Int64Array = columns.get("observed_time_offset")?;
        let severity_numbers: &UInt8Array = columns.get("severity_number")?;
        let severity_texts: &StringArray = columns.get("severity_text")?;
        let body_types: &UInt8Array = columns.get("body_type")?;
        let bodies: &StringArray = columns.get("body")?;
        let trace_ids: &FixedSizeBinaryArray = columns.get("trace_id")?;
        let span_ids: &FixedSizeBinaryArray = columns.get("span_id")?;
        let event_names: &StringArray = columns.get("event_name")?;
        let attributes = AttributeLists::new(columns.get("attributes")?)?;
        let rows = columns.resources()?.into_iter().zip(columns.scopes()?);
        let rows = rows.enumerate().map(|(row, (resource, scope))| {
            let time = times.value(row).cast_unsigned();
            let at = |offset: &Int64Array| {
                UnixNanos(time.wrapping_add(offset.value(row).cast_unsigned()))
            };
            let record = LogRecord {
                time: at(own_offsets),
                observed_time: at(observed_offsets),
                severity_number: severity_numbers.value(row),
                severity_text: severity_texts.value(row).to_owned(),
                body: value::from_text(body_types.value(row), bodies.value(row))?,
                attributes: attributes.at(row)?,
                trace_id: id_at(trace_ids, row, TraceId::from_slice)?,
                span_id: id_at(span_ids, row, SpanId::from_slice)?,
                event_name: event_names.value(row).to_owned(),
                resource,
                scope,
            };
            Ok(LogRow {
                time: UnixNanos(time),
                sequence: sequences.value(row),
                record,
            })
        });
        rows.collect()
    }
}
