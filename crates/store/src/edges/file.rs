//! Edges as files.

use std::io;
use std::sync::{Arc, LazyLock};

use arrow::array::{
    ArrayRef, BinaryArray, BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray,
    TimestampNanosecondArray,
};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};

use super::fold::{Row, Sums};
use super::{EdgeFold, EdgesMeta};
use crate::directory::Layout;
use crate::error::ReadError;
use crate::probe::Probe;
use crate::rollup;
use crate::segment::SegmentId;

/// Writes the edges of a segment. When it returns the file is on disk, and nothing points to it.
pub(crate) fn write(
    layout: &Layout,
    probe: &Probe,
    id: SegmentId,
    fold: &EdgeFold,
) -> io::Result<EdgesMeta> {
    let (bytes, crc) = rollup::write_sums(probe, &layout.edges(id), &batch(&fold.rows()))?;
    Ok(EdgesMeta { bytes, crc })
}

/// Reads edges, all of them, and checks them.
pub(crate) fn load(
    layout: &Layout,
    id: SegmentId,
    meta: EdgesMeta,
) -> Result<RecordBatch, ReadError> {
    rollup::load_batch(&layout.edges(id), meta.crc, &SCHEMA)
}

/// Rows as a batch.
pub(super) fn batch(rows: &[Row<'_>]) -> RecordBatch {
    let times = rows.iter().map(|row| Some(row.minute.cast_signed()));
    let times = times.collect::<TimestampNanosecondArray>();
    let texts = |of: fn(&Row<'_>) -> String| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(rows.iter().map(of)))
    };
    let numbers = |of: fn(&Sums) -> i64| -> ArrayRef {
        let numbers = rows.iter().map(|row| of(row.sums));
        Arc::new(Int64Array::from_iter_values(numbers))
    };
    let is_async = rows.iter().map(|row| Some(row.is_async));
    let millis = rows.iter().map(|row| row.sums.sum_ms);
    let durations = rows.iter().map(|row| row.sums.durations.to_bytes());
    let columns: Vec<ArrayRef> = vec![
        Arc::new(times.with_timezone("UTC")),
        texts(|row| row.caller.service.clone()),
        texts(|row| row.caller.function.clone()),
        texts(|row| row.callee.kind.name().to_owned()),
        texts(|row| row.callee.service.clone()),
        texts(|row| row.callee.name.clone()),
        texts(|row| row.operation.to_owned()),
        Arc::new(is_async.collect::<BooleanArray>()),
        numbers(|sums| sums.count),
        numbers(|sums| sums.errors),
        numbers(|sums| sums.throttles),
        Arc::new(Float64Array::from_iter_values(millis)),
        Arc::new(BinaryArray::from_iter_values(durations)),
        texts(|row| row.environment.to_owned()),
    ];
    RecordBatch::try_new(Arc::clone(&SCHEMA), columns).expect("the columns are built to the schema")
}

static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| {
    let required = |name: &str, data_type| Field::new(name, data_type, false);
    let time = DataType::Timestamp(TimeUnit::Nanosecond, Some("UTC".into()));
    Arc::new(Schema::new(vec![
        // When the minute begins.
        required("time", time),
        // Who calls.
        required("service", DataType::Utf8),
        required("function", DataType::Utf8),
        // Who is called.
        required("callee_kind", DataType::Utf8),
        required("callee_service", DataType::Utf8),
        required("callee", DataType::Utf8),
        required("operation", DataType::Utf8),
        required("asynchronous", DataType::Boolean),
        required("count", DataType::Int64),
        required("errors", DataType::Int64),
        // Refused because there were too many.
        required("throttles", DataType::Int64),
        required("sum_ms", DataType::Float64),
        // `throughline_telemetry::Histogram`, as bytes.
        required("durations", DataType::Binary),
        rollup::environment_field(),
    ]))
});
