//! The table of metric points.

use arrow::array::{
    BinaryArray, Float64Array, RecordBatch, StringArray, TimestampNanosecondArray, UInt8Array,
    UInt64Array,
};
use parquet::file::properties::WriterPropertiesBuilder;
use throughline_telemetry::model::MetricKind;
use throughline_telemetry::{MetricPoint, Signal, UnixNanos};

use super::columns::{AttributeLists, Columns};
use super::table::{Damage, Table};

/// Metric points, sorted by name and time.
pub(crate) enum MetricTable {}

impl Table for MetricTable {
    type Row = MetricPoint;

    const SIGNAL: Signal = Signal::Metrics;
    const DELTAS: &[&str] = &["time", "start"];
    const PAGE_STATISTICS: &[&str] = &["name", "time"];

    fn tune(properties: WriterPropertiesBuilder) -> WriterPropertiesBuilder {
        properties.set_column_dictionary_enabled("otlp".into(), false)
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
