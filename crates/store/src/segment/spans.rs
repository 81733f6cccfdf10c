//! The table of spans.

use arrow::array::RecordBatch;
use parquet::basic::Compression;
use parquet::file::properties::{EnabledStatistics, WriterPropertiesBuilder};
use parquet::schema::types::ColumnPath;
use throughline_telemetry::{Signal, Span};

use super::table::{Damage, Table};
use crate::batch::{Owners, SpanRows};

/// Spans, sorted by start of their trace, trace id and own start.
pub(crate) enum SpanTable {}

impl Table for SpanTable {
    type Row = Span;

    const SIGNAL: Signal = Signal::Traces;
    const DELTAS: &[&str] = &["start", "duration"];
    const PAGE_STATISTICS: &[&str] = &["start", "duration", "status"];

    fn tune(properties: WriterPropertiesBuilder) -> WriterPropertiesBuilder {
        let span_id = ColumnPath::from("span_id");
        // Random bytes: neither a dictionary nor zstd finds anything in them.
        properties
            // Spans of a trace follow each other: zstd finds that, and a dictionary would overflow.
            .set_column_dictionary_enabled(ColumnPath::from("trace_id"), false)
            .set_column_dictionary_enabled(span_id.clone(), false)
            .set_column_compression(span_id.clone(), Compression::UNCOMPRESSED)
            .set_column_statistics_enabled(span_id, EnabledStatistics::None)
    }

    fn decode(batch: &RecordBatch) -> Result<Vec<Span>, Damage> {
        let (rows, owners) = (SpanRows::new(batch)?, Owners::read(batch)?);
        (0..rows.len()).map(|row| rows.at(&owners, row)).collect()
    }
}
