//! Everything of one signal as one plain Parquet file, for other programs to read.
//!
//! The columns are those of `docs/operations.md`, the same for every store: nothing is promoted, ids
//! are hex, times are UTC in nanoseconds, attributes are maps of text. What is not sealed yet is in it,
//! and spans that were sent twice are in it once, as everywhere. Rows come oldest segment first, and
//! only some thousand of them are in memory.

mod columns;
mod schema;

use std::io::{self, Write};
use std::ops::Range;

use arrow::array::{BooleanArray, RecordBatch};
use arrow::compute::filter_record_batch;
use arrow::compute::kernels::cast_utils::string_to_timestamp_nanos;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;
use throughline_telemetry::{Signal, UnixNanos};

use crate::error::ReadError;
use crate::scan::{Bounds, Scan};
use crate::segment::{Damage, Projected};
use columns::Columns;

/// What to export.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExportFilter {
    /// Spans, log records or metric points.
    pub signal: Signal,
    /// Rows of then or later.
    pub from: Option<UnixNanos>,
    /// Rows of before then.
    pub to: Option<UnixNanos>,
    /// Rows of this service.
    pub service: Option<String>,
}

/// What was exported so far, and in the end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Exported {
    /// Rows in the file.
    pub rows: u64,
    /// Rows that were looked at.
    pub read_rows: u64,
    /// Rows that there are to look at.
    pub all_rows: u64,
}

/// A text that is no point in time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no point in time: write it as 2026-11-21 or 2026-11-21T18:00:00Z")]
pub struct BadTime(String);

/// A point in time as people write it: a day, or RFC 3339; UTC unless it says otherwise.
pub fn parse_time(text: &str) -> Result<UnixNanos, BadTime> {
    let nanos = string_to_timestamp_nanos(text).ok();
    let nanos = nanos.and_then(|nanos| u64::try_from(nanos).ok());
    nanos.map(UnixNanos).ok_or_else(|| BadTime(text.to_owned()))
}

/// Why an export is not whole.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// Something stored cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The file cannot be written.
    #[error("cannot write the file: {0}")]
    Write(io::Error),
}

impl Scan {
    /// Writes what a filter lets through as a Parquet file. `progress` is called after each batch.
    /// Blocks on the disk.
    pub fn export(
        &self,
        filter: &ExportFilter,
        into: impl Write + Send,
        progress: &mut dyn FnMut(Exported),
    ) -> Result<Exported, ExportError> {
        let bounds = Bounds {
            from: filter.from,
            to: filter.to,
            service: filter.service.clone(),
            ..Bounds::default()
        };
        let mut parts = self.parts(filter.signal, &bounds)?;
        parts.reverse();
        let mut done = Exported {
            all_rows: parts.iter().map(|part| part.rows() as u64).sum(),
            ..Exported::default()
        };
        let schema = schema::schema(filter.signal);
        let writer =
            ArrowWriter::try_new(into, schema.clone(), Some(properties().map_err(failed)?));
        let mut writer = writer.map_err(failed)?;
        for part in &parts {
            for batch in part.whole()? {
                let batch = batch?;
                done.read_rows += batch.num_rows() as u64;
                let wanted = filter.apply(batch)?;
                done.rows += wanted.num_rows() as u64;
                if wanted.num_rows() > 0 {
                    let columns = Columns::of(filter.signal, &Projected::of_canonical(wanted))?;
                    let batch = RecordBatch::try_new(schema.clone(), columns);
                    writer.write(&batch.map_err(failed)?).map_err(failed)?;
                }
                progress(done);
            }
        }
        writer.close().map_err(failed)?;
        Ok(done)
    }
}

impl ExportFilter {
    /// The rows of a canonical batch that are wanted.
    fn apply(&self, batch: RecordBatch) -> Result<RecordBatch, ReadError> {
        let read = Projected::of_canonical(batch.clone());
        let time = match self.signal {
            Signal::Traces => "start",
            Signal::Logs | Signal::Metrics => "time",
        };
        let times: &arrow::array::TimestampNanosecondArray = read.get(time)?;
        let services = read.texts("service")?;
        let within = Range {
            start: self.from.map_or(0, |from| from.0),
            end: self.to.map_or(u64::MAX, |to| to.0),
        };
        let wants = |row: usize| {
            within.contains(&times.value(row).cast_unsigned())
                && self
                    .service
                    .as_deref()
                    .is_none_or(|it| services.value(row) == it)
        };
        let wanted: BooleanArray = (0..times.len()).map(|row| Some(wants(row))).collect();
        if wanted.true_count() == wanted.len() {
            return Ok(batch);
        }
        filter_record_batch(&batch, &wanted).map_err(|error| read.damage(Damage::from(error)))
    }
}

fn properties() -> Result<WriterProperties, parquet::errors::ParquetError> {
    Ok(WriterProperties::builder()
        .set_created_by(concat!("throughline ", env!("CARGO_PKG_VERSION")).to_owned())
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(3)?))
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
        .build())
}

fn failed(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> ExportError {
    ExportError::Write(io::Error::other(error))
}

/// What is in memory, compressed, until it is written.
const ROW_GROUP_ROWS: usize = 64 << 10;

#[cfg(test)]
mod tests;
