//! Costs as files.

use std::io;
use std::sync::{Arc, LazyLock};

use arrow::array::{
    ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray, TimestampNanosecondArray,
};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};

use super::{CostFold, CostsMeta};
use crate::directory::Layout;
use crate::error::ReadError;
use crate::probe::Probe;
use crate::rollup;
use crate::segment::SegmentId;

/// Writes the costs of a segment, if it has any. When it returns the file is on disk, and nothing points to
/// it.
pub(crate) fn write(
    layout: &Layout,
    probe: &Probe,
    id: SegmentId,
    fold: &CostFold,
) -> io::Result<CostsMeta> {
    if fold.rows().len() == 0 {
        return Ok(CostsMeta { bytes: 0, crc: 0 });
    }
    let (bytes, crc) = rollup::write_batch(probe, &layout.costs(id), &batch(fold))?;
    Ok(CostsMeta { bytes, crc })
}

/// Reads costs, all of them, and checks them.
pub(crate) fn load(
    layout: &Layout,
    id: SegmentId,
    meta: CostsMeta,
) -> Result<RecordBatch, ReadError> {
    if meta.bytes == 0 {
        return Ok(RecordBatch::new_empty(Arc::clone(&SCHEMA)));
    }
    rollup::load_batch(&layout.costs(id), meta.crc, &SCHEMA)
}

/// Rows as a batch.
pub(super) fn batch(fold: &CostFold) -> RecordBatch {
    let rows = fold.rows();
    let times = rows
        .clone()
        .map(|(_, minute, _)| Some(minute.0.cast_signed()));
    let times = times.collect::<TimestampNanosecondArray>();
    let services = rows.clone().map(|(who, ..)| who.service.as_str());
    let functions = rows.clone().map(|(who, ..)| who.function.as_str());
    let reports = rows.clone().map(|(_, _, sums)| sums.reports);
    let usd = rows.map(|(_, _, sums)| sums.usd);
    let columns: Vec<ArrayRef> = vec![
        Arc::new(times.with_timezone("UTC")),
        Arc::new(StringArray::from_iter_values(services)),
        Arc::new(StringArray::from_iter_values(functions)),
        Arc::new(Int64Array::from_iter_values(reports)),
        Arc::new(Float64Array::from_iter_values(usd)),
    ];
    RecordBatch::try_new(Arc::clone(&SCHEMA), columns).expect("the columns are built to the schema")
}

static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| {
    let required = |name: &str, data_type| Field::new(name, data_type, false);
    let time = DataType::Timestamp(TimeUnit::Nanosecond, Some("UTC".into()));
    Arc::new(Schema::new(vec![
        // When the minute begins.
        required("time", time),
        required("service", DataType::Utf8),
        required("function", DataType::Utf8),
        required("reports", DataType::Int64),
        required("usd", DataType::Float64),
    ]))
});
