//! Canonical batches to the bytes of a Parquet file.

use std::io::{self, Write};

use arrow::array::RecordBatch;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterVersion};

use super::form::{Form, ToFile, residual_metadata};
use super::promotion::Kind;
use super::summary::Summary;
use super::table::Table;

/// Turns sorted canonical batches into the bytes of a Parquet file, and collects what there is to
/// say about them.
pub(super) struct SegmentSerializer<W: Write + Send> {
    writer: ArrowWriter<W>,
    to_file: ToFile,
    summary: Summary,
}

impl<W: Write + Send> SegmentSerializer<W> {
    pub(super) fn new<T: Table>(into: W, form: &Form) -> io::Result<Self> {
        let to_file = ToFile::new(form, &T::schema());
        let properties = properties::<T>(form).map_err(io::Error::other)?;
        let writer = ArrowWriter::try_new(into, to_file.schema(), Some(properties));
        Ok(SegmentSerializer {
            writer: writer.map_err(io::Error::other)?,
            to_file,
            summary: Summary::new(T::SIGNAL),
        })
    }

    /// Adds rows, of each trace all or none.
    pub(super) fn push(&mut self, batch: &RecordBatch) -> io::Result<()> {
        self.summary.add(batch).map_err(io::Error::other)?;
        let batch = self.to_file.batch(batch).map_err(io::Error::other)?;
        self.writer.write(&batch).map_err(io::Error::other)
    }

    pub(super) fn finish(mut self) -> io::Result<(W, Summary)> {
        if let Some(residual) = residual_metadata(&self.to_file.residual) {
            self.writer.append_key_value_metadata(residual);
        }
        let written = self.writer.into_inner().map_err(io::Error::other)?;
        Ok((written, self.summary))
    }
}

fn properties<T: Table>(form: &Form) -> Result<WriterProperties, parquet::errors::ParquetError> {
    let mut properties = WriterProperties::builder()
        .set_writer_version(WriterVersion::PARQUET_1_0)
        .set_created_by(concat!("throughline ", env!("CARGO_PKG_VERSION")).to_owned())
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(ZSTD_LEVEL)?))
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
        .set_data_page_row_count_limit(PAGE_ROWS)
        .set_dictionary_page_size_limit(DICTIONARY_BYTES)
        .set_key_value_metadata(Some(form.metadata()))
        // Least and greatest of a page help where rows are sorted or values rare; for most columns
        // they are bytes of the footer that nobody asks for.
        .set_statistics_enabled(EnabledStatistics::Chunk);
    for name in T::PAGE_STATISTICS {
        properties =
            properties.set_column_statistics_enabled((*name).into(), EnabledStatistics::Page);
    }
    for promoted in &form.promoted {
        if promoted.kind == Kind::Double {
            let name = promoted.column();
            properties = properties.set_column_dictionary_enabled(name.into(), false);
        }
    }
    for name in T::DELTAS {
        properties = properties
            .set_column_dictionary_enabled((*name).into(), false)
            .set_column_encoding((*name).into(), Encoding::DELTA_BINARY_PACKED);
    }
    Ok(T::tune(properties).build())
}

/// Level 9 would save 2 % more and is several times slower.
const ZSTD_LEVEL: i32 = 3;

/// Small enough that a search can skip, large enough for dictionaries to pay.
const ROW_GROUP_ROWS: usize = 128 << 10;

/// A trace is read by decoding the pages it is in.
const PAGE_ROWS: usize = 4096;

/// A column with more distinct values than fit is written plain from there on. A reader of one
/// trace decodes the whole dictionary of each column.
const DICTIONARY_BYTES: usize = 128 << 10;
