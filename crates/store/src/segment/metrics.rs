//! The table of metric points.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryArray, Float64Array, RecordBatch, StringArray, TimestampNanosecondArray,
    UInt8Array, UInt64Array,
};
use arrow::datatypes::{DataType, Schema, SchemaRef};
use arrow::error::ArrowError;
use parquet::file::properties::WriterPropertiesBuilder;
use throughline_telemetry::model::MetricKind;
use throughline_telemetry::{MetricPoint, Signal, UnixNanos};

use super::columns::{
    AttributeLists, Columns, attributes, attributes_type, dictionary, repeated, required,
    resources, texts, timestamp,
};
use super::table::{Damage, Table};

/// Metric points, sorted by name and time.
pub(crate) enum MetricTable {}

impl Table for MetricTable {
    type Row = MetricPoint;

    const SIGNAL: Signal = Signal::Metrics;
    const DELTAS: &[&str] = &["time", "start"];
    const PAGE_STATISTICS: &[&str] = &["name", "time"];

    fn schema() -> SchemaRef {
        Arc::new(Schema::new(vec![
            required("name", DataType::Utf8),
            required("unit", DataType::Utf8),
            required("kind", DataType::UInt8),
            required("time", timestamp()),
            required("start", timestamp()),
            required("value", DataType::Float64),
            required("count", DataType::UInt64),
            required("service", dictionary()),
            required("resource", dictionary()),
            required("scope_name", dictionary()),
            required("scope_version", dictionary()),
            required("attributes", attributes_type()),
            // The whole OTLP metric with this point only: what the other columns leave out.
            required("otlp", DataType::Binary),
        ]))
    }

    fn tune(properties: WriterPropertiesBuilder) -> WriterPropertiesBuilder {
        properties.set_column_dictionary_enabled("otlp".into(), false)
    }

    fn may_split(_: &MetricPoint, _: &MetricPoint) -> bool {
        true
    }

    fn encode(rows: &[Arc<MetricPoint>]) -> Result<RecordBatch, ArrowError> {
        let points = || rows.iter().map(|point| &**point);
        let nanos = |times: &mut dyn Iterator<Item = UnixNanos>| -> ArrayRef {
            let times = times.map(|time| time.0.cast_signed());
            let times = TimestampNanosecondArray::from_iter_values(times);
            Arc::new(times.with_timezone("UTC"))
        };
        let columns: Vec<ArrayRef> = vec![
            texts(points().map(|point| point.name.as_str())),
            texts(points().map(|point| point.unit.as_str())),
            Arc::new(UInt8Array::from_iter_values(
                points().map(|point| point.kind as u8),
            )),
            nanos(&mut points().map(|point| point.time)),
            nanos(&mut points().map(|point| point.start)),
            Arc::new(Float64Array::from_iter_values(
                points().map(|point| point.value),
            )),
            Arc::new(UInt64Array::from_iter_values(
                points().map(|point| point.count),
            )),
            repeated(points().map(|point| point.resource.service())),
            resources(points().map(|point| &point.resource))?,
            repeated(points().map(|point| point.scope.name.as_str())),
            repeated(points().map(|point| point.scope.version.as_str())),
            attributes(points().map(|point| &point.attributes))?,
            Arc::new(BinaryArray::from_iter_values(
                points().map(|point| &point.otlp),
            )),
        ];
        RecordBatch::try_new(Self::schema(), columns)
    }

    fn decode(batch: &RecordBatch) -> Result<Vec<MetricPoint>, Damage> {
        let columns = Columns(batch);
        let names: &StringArray = columns.get("name")?;
        let units: &StringArray = columns.get("unit")?;
        let kinds: &UInt8Array = columns.get("kind")?;
        let times: &TimestampNanosecondArray = columns.get("time")?;
        let starts: &TimestampNanosecondArray = columns.get("start")?;
        let values: &Float64Array = columns.get("value")?;
        let counts: &UInt64Array = columns.get("count")?;
        let otlps: &BinaryArray = columns.get("otlp")?;
        let attributes = AttributeLists::new(columns.get("attributes")?)?;
        let rows = columns.resources()?.into_iter().zip(columns.scopes()?);
        let points = rows.enumerate().map(|(row, (resource, scope))| {
            let kind = MetricKind::from_number(kinds.value(row));
            Ok(MetricPoint {
                name: names.value(row).to_owned(),
                unit: units.value(row).to_owned(),
                kind: kind.ok_or_else(|| Damage::new("unknown kind of metric"))?,
                time: UnixNanos(times.value(row).cast_unsigned()),
                start: UnixNanos(starts.value(row).cast_unsigned()),
                attributes: attributes.at(row)?,
                value: values.value(row),
                count: counts.value(row),
                otlp: otlps.value(row).to_vec(),
                resource,
                scope,
            })
        });
        points.collect()
    }
}
