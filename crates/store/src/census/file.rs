//! Censuses as files.

use std::io;
use std::sync::{Arc, LazyLock};

use arrow::array::{
    Array, BooleanArray, Int64Array, ListArray, ListBuilder, PrimitiveBuilder, RecordBatch,
    StringArray, StringBuilder, UInt8Array,
};
use arrow::datatypes::{DataType, Field, Int64Type, Schema, SchemaRef};

use super::{Census, CensusMeta, Counted};
use crate::batch::typed;
use crate::directory::Layout;
use crate::error::ReadError;
use crate::probe::Probe;
use crate::rollup;
use crate::segment::{Damage, Kind, SegmentMeta};

/// Writes the census of a segment. When it returns the file is on disk, and nothing points to it.
pub(crate) fn write(
    layout: &Layout,
    probe: &Probe,
    segment: &SegmentMeta,
    census: &Census,
) -> io::Result<CensusMeta> {
    let path = layout.census(segment.signal, segment.id);
    let (bytes, crc) = rollup::write_batch(probe, &path, &batch(census))?;
    Ok(CensusMeta { bytes, crc })
}

/// Reads a census and checks it.
pub(crate) fn load(
    layout: &Layout,
    segment: &SegmentMeta,
    meta: CensusMeta,
) -> Result<Census, ReadError> {
    let path = layout.census(segment.signal, segment.id);
    let rows = rollup::load_batch(&path, meta.crc, &SCHEMA)?;
    census_of(&rows).map_err(|damage| ReadError::corrupt(&path, damage))
}

fn batch(census: &Census) -> RecordBatch {
    let keys = census.0.keys().map(|(key, _)| key);
    let kinds = census.0.keys().map(|(_, kind)| *kind as u8);
    let rows = census.0.values().map(|counted| counted.rows.cast_signed());
    let more = census.0.values().map(|counted| Some(counted.has_more));
    let mut values = ListBuilder::new(StringBuilder::new()).with_field(item(DataType::Utf8));
    let mut counts =
        ListBuilder::new(PrimitiveBuilder::<Int64Type>::new()).with_field(item(DataType::Int64));
    for counted in census.0.values() {
        for (value, rows) in &counted.values {
            values.values().append_value(value);
            counts.values().append_value(rows.cast_signed());
        }
        values.append(true);
        counts.append(true);
    }
    let columns: Vec<Arc<dyn Array>> = vec![
        Arc::new(StringArray::from_iter_values(keys)),
        Arc::new(UInt8Array::from_iter_values(kinds)),
        Arc::new(Int64Array::from_iter_values(rows)),
        Arc::new(more.collect::<BooleanArray>()),
        Arc::new(values.finish()),
        Arc::new(counts.finish()),
    ];
    RecordBatch::try_new(Arc::clone(&SCHEMA), columns).expect("the columns are built to the schema")
}

fn census_of(rows: &RecordBatch) -> Result<Census, Damage> {
    let keys: &StringArray = typed(rows.column(0), "key")?;
    let kinds: &UInt8Array = typed(rows.column(1), "kind")?;
    let counts: &Int64Array = typed(rows.column(2), "rows")?;
    let more: &BooleanArray = typed(rows.column(3), "has_more")?;
    let values: &ListArray = typed(rows.column(4), "values")?;
    let value_rows: &ListArray = typed(rows.column(5), "value_rows")?;
    let mut census = Census::default();
    for row in 0..rows.num_rows() {
        let kind = Kind::ALL
            .into_iter()
            .find(|kind| *kind as u8 == kinds.value(row));
        let kind = kind.ok_or_else(|| Damage::new("a census has a type that is none"))?;
        let (texts, times) = (values.value(row), value_rows.value(row));
        let (texts, times): (&StringArray, &Int64Array) =
            (typed(&texts, "values")?, typed(&times, "value_rows")?);
        let texts = texts.iter().flatten().map(str::to_owned);
        let times = times.iter().flatten().map(i64::cast_unsigned);
        let counted = Counted {
            rows: counts.value(row).cast_unsigned(),
            values: texts.zip(times).collect(),
            has_more: more.value(row),
        };
        census.0.insert((keys.value(row).to_owned(), kind), counted);
    }
    Ok(census)
}

fn item(data_type: DataType) -> Field {
    Field::new("item", data_type, false)
}

static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| {
    let list = |data_type| DataType::List(Arc::new(item(data_type)));
    Arc::new(Schema::new(vec![
        Field::new("key", DataType::Utf8, false),
        Field::new("kind", DataType::UInt8, false),
        Field::new("rows", DataType::Int64, false),
        Field::new("has_more", DataType::Boolean, false),
        Field::new("values", list(DataType::Utf8), false),
        Field::new("value_rows", list(DataType::Int64), false),
    ]))
});
