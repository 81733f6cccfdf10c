//! The table of log records.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, FixedSizeBinaryArray, Int64Array, RecordBatch, StringArray, TimestampNanosecondArray,
    UInt8Array, UInt64Array,
};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::error::ArrowError;
use throughline_telemetry::{LogRecord, Signal, SpanId, TraceId, UnixNanos};

use super::columns::{
    AttributeLists, Columns, attributes, attributes_type, dictionary, id_at, ids, repeated,
    required, resources, texts, timestamp,
};
use super::table::{Damage, Table};
use super::value;
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

    fn schema() -> SchemaRef {
        Arc::new(Schema::new(vec![
            // The record's own time, or when it was received: what it is sorted and found by.
            required("time", timestamp()),
            required("sequence", DataType::UInt64),
            // What the record itself says, less `time`: zero in most rows.
            required("own_time_offset", DataType::Int64),
            required("observed_time_offset", DataType::Int64),
            required("severity_number", DataType::UInt8),
            required("severity_text", DataType::Utf8),
            required("body_type", DataType::UInt8),
            required("body", DataType::Utf8),
            Field::new("trace_id", DataType::FixedSizeBinary(16), true),
            Field::new("span_id", DataType::FixedSizeBinary(8), true),
            required("event_name", DataType::Utf8),
            required("service", dictionary()),
            required("resource", dictionary()),
            required("scope_name", dictionary()),
            required("scope_version", dictionary()),
            required("attributes", attributes_type()),
        ]))
    }

    fn may_split(_: &LogRow, _: &LogRow) -> bool {
        true
    }

    fn encode(rows: &[Arc<LogRow>]) -> Result<RecordBatch, ArrowError> {
        let records = || rows.iter().map(|row| &row.record);
        let offset = |time: UnixNanos, row: &LogRow| time.0.wrapping_sub(row.time.0).cast_signed();
        let time = rows.iter().map(|row| row.time.0.cast_signed());
        let time = TimestampNanosecondArray::from_iter_values(time).with_timezone("UTC");
        let own = rows.iter().map(|row| offset(row.record.time, row));
        let observed = rows.iter().map(|row| offset(row.record.observed_time, row));
        let bodies: Vec<_> = records().map(|log| value::to_text(&log.body)).collect();
        let columns: Vec<ArrayRef> = vec![
            Arc::new(time),
            Arc::new(UInt64Array::from_iter_values(
                rows.iter().map(|row| row.sequence),
            )),
            Arc::new(Int64Array::from_iter_values(own)),
            Arc::new(Int64Array::from_iter_values(observed)),
            Arc::new(UInt8Array::from_iter_values(
                records().map(|log| log.severity_number),
            )),
            texts(records().map(|log| log.severity_text.as_str())),
            Arc::new(UInt8Array::from_iter_values(
                bodies.iter().map(|(tag, _)| *tag),
            )),
            texts(bodies.iter().map(|(_, text)| &**text)),
            ids(records().map(|log| log.trace_id.map(|id| *id.as_bytes())))?,
            ids(records().map(|log| log.span_id.map(|id| *id.as_bytes())))?,
            texts(records().map(|log| log.event_name.as_str())),
            repeated(records().map(|log| log.resource.service())),
            resources(records().map(|log| &log.resource))?,
            repeated(records().map(|log| log.scope.name.as_str())),
            repeated(records().map(|log| log.scope.version.as_str())),
            attributes(records().map(|log| &log.attributes))?,
        ];
        RecordBatch::try_new(Self::schema(), columns)
    }

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
