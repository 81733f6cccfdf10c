//! The table of metric points.

use arrow::array::RecordBatch;
use parquet::file::properties::WriterPropertiesBuilder;
use throughline_telemetry::{MetricPoint, Signal};

use super::table::{Damage, Table};
use crate::batch::{Owners, PointRows};

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
        let (rows, owners) = (PointRows::new(batch)?, Owners::read(batch)?);
        (0..rows.len()).map(|row| rows.at(&owners, row)).collect()
    }
}
