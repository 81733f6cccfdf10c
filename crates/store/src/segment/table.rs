//! What a table of rows is: a schema, rows to columns, columns to rows.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use parquet::errors::ParquetError;
use parquet::file::properties::WriterPropertiesBuilder;
use throughline_telemetry::Signal;

use crate::batch::schema;

/// One of the three kinds of segment.
pub(super) trait Table {
    /// What a row is.
    type Row;

    const SIGNAL: Signal;

    /// Integers that are best stored as differences.
    const DELTAS: &[&str];

    /// Columns of whose pages the least and the greatest value are kept.
    const PAGE_STATISTICS: &[&str];

    /// Of a canonical batch.
    fn schema() -> SchemaRef {
        Arc::clone(schema(Self::SIGNAL))
    }

    /// What else suits the columns better than Parquet's own choice.
    fn tune(properties: WriterPropertiesBuilder) -> WriterPropertiesBuilder {
        properties
    }

    /// The rows of a canonical batch.
    fn decode(batch: &RecordBatch) -> Result<Vec<Self::Row>, Damage>;
}

/// Why a file of a segment cannot be what was written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Damage(String);

impl Damage {
    pub(crate) fn new(what: impl Into<String>) -> Self {
        Damage(what.into())
    }
}

impl From<ArrowError> for Damage {
    fn from(error: ArrowError) -> Self {
        Damage(error.to_string())
    }
}

impl From<ParquetError> for Damage {
    fn from(error: ParquetError) -> Self {
        Damage(error.to_string())
    }
}
