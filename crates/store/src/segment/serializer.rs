//! Canonical batches to the bytes of a Parquet file.

use std::io::{self, Write};
use std::mem;
use std::thread;

use arrow::array::{Array, RecordBatch, StringArray};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::file::properties::{
    EnabledStatistics, WriterProperties, WriterPropertiesBuilder, WriterVersion,
};
use throughline_telemetry::Signal;

use super::form::{Form, ToFile, residual_metadata};
use super::promotion::Kind;
use super::resources::{ENVIRONMENT, RESOURCE};
use super::summary::Summary;
use super::table::Table;
use crate::census::{Census, Count};
use crate::costs::LogSums;
use crate::hash::HashSet;
use crate::rollup::SpanSums;

/// Turns sorted canonical batches into the bytes of a Parquet file, and collects what there is to
/// say about them.
pub(super) struct SegmentSerializer<W: Write + Send> {
    file: FileWriter<W>,
    collector: Collector,
}

/// Rows to a file.
struct FileWriter<W: Write + Send> {
    state: State<W>,
    properties: WriterPropertiesBuilder,
    to_file: ToFile,
}

/// Rows to what there is to say about them.
struct Collector {
    summary: Summary,
    /// Of spans.
    sums: Option<SpanSums>,
    /// Of log records.
    log_sums: Option<LogSums>,
    census: Count,
}

/// What was collected while rows were written.
pub(super) struct Collected {
    pub(super) summary: Summary,
    pub(super) sums: Option<SpanSums>,
    pub(super) log_sums: Option<LogSums>,
    pub(super) census: Census,
}

/// A file is begun with its first rows, which say how its columns are best written.
enum State<W: Write + Send> {
    Empty(W),
    Begun(Box<ArrowWriter<W>>),
    Failed,
}

impl<W: Write + Send> SegmentSerializer<W> {
    pub(super) fn new<T: Table>(into: W, form: &Form) -> io::Result<Self> {
        Ok(SegmentSerializer {
            file: FileWriter {
                state: State::Empty(into),
                properties: properties::<T>(form).map_err(io::Error::other)?,
                to_file: ToFile::new(form, &T::schema()),
            },
            collector: Collector {
                summary: Summary::new(T::SIGNAL),
                sums: (T::SIGNAL == Signal::Traces).then(SpanSums::new),
                log_sums: (T::SIGNAL == Signal::Logs).then(LogSums::new),
                census: Count::default(),
            },
        })
    }

    /// Adds rows, of each trace all or none. What there is to say about them is collected on a thread
    /// of its own meanwhile: it takes as long as writing them.
    pub(super) fn push(&mut self, batch: &RecordBatch) -> io::Result<()> {
        let (file, collector) = (&mut self.file, &mut self.collector);
        let (written, collected) = thread::scope(|scope| {
            let collected = scope.spawn(|| collector.add(batch));
            (file.write(batch), collected.join())
        });
        let collected = collected.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        written.and(collected)
    }

    pub(super) fn finish(self) -> io::Result<(W, Collected)> {
        Ok((self.file.finish()?, self.collector.finish()?))
    }
}

impl Collector {
    fn add(&mut self, batch: &RecordBatch) -> io::Result<()> {
        self.summary.add(batch).map_err(io::Error::other)?;
        if let Some(sums) = &mut self.sums {
            sums.add(batch)?;
        }
        if let Some(sums) = &mut self.log_sums {
            sums.add(batch)?;
        }
        self.census.add(batch).map_err(io::Error::other)
    }

    fn finish(self) -> io::Result<Collected> {
        Ok(Collected {
            summary: self.summary,
            sums: self.sums,
            log_sums: self.log_sums,
            census: self.census.finish().map_err(io::Error::other)?,
        })
    }
}

impl<W: Write + Send> FileWriter<W> {
    fn write(&mut self, batch: &RecordBatch) -> io::Result<()> {
        let batch = self.to_file.batch(batch).map_err(io::Error::other)?;
        let writer = self.begin(many_values(&batch))?;
        writer.write(&batch).map_err(io::Error::other)
    }

    fn finish(mut self) -> io::Result<W> {
        self.begin(Vec::new())?;
        let State::Begun(mut writer) = self.state else {
            return Err(io::Error::other("the file was not begun"));
        };
        if let Some(residual) = residual_metadata(&self.to_file.residual) {
            writer.append_key_value_metadata(residual);
        }
        writer.into_inner().map_err(io::Error::other)
    }

    /// The writer, which is made at the first call.
    fn begin(&mut self, plain: Vec<String>) -> io::Result<&mut ArrowWriter<W>> {
        if let State::Empty(_) = self.state
            && let State::Empty(into) = mem::replace(&mut self.state, State::Failed)
        {
            let mut properties = self.properties.clone();
            for name in plain {
                properties = properties.set_column_dictionary_enabled(name.into(), false);
            }
            let (schema, properties) = (self.to_file.schema(), properties.build());
            let writer = ArrowWriter::try_new(into, schema, Some(properties));
            self.state = State::Begun(Box::new(writer.map_err(io::Error::other)?));
        }
        match &mut self.state {
            State::Begun(writer) => Ok(writer),
            State::Empty(_) | State::Failed => Err(io::Error::other("the file cannot be begun")),
        }
    }
}

/// The columns of texts that have so many different ones that a dictionary would overflow, judged by
/// the first rows. Half a dictionary saves nothing, and whoever reads a row decodes all of it.
fn many_values(batch: &RecordBatch) -> Vec<String> {
    let schema = batch.schema();
    let columns = schema.fields().iter().zip(batch.columns());
    let many = columns.filter(|(_, column)| {
        let Some(texts) = column.as_any().downcast_ref::<StringArray>() else {
            return false;
        };
        let mut bytes = 0;
        let mut known = HashSet::default();
        texts.iter().flatten().any(|text| {
            if known.insert(text) {
                bytes += text.len() + size_of::<u32>();
            }
            bytes > DICTIONARY_BYTES / OVERFLOWS_AT
        })
    });
    many.map(|(field, _)| field.name().clone()).collect()
}

fn properties<T: Table>(
    form: &Form,
) -> Result<WriterPropertiesBuilder, parquet::errors::ParquetError> {
    let mut properties = WriterProperties::builder()
        .set_writer_version(WriterVersion::PARQUET_1_0)
        .set_created_by(concat!("throughline ", env!("CARGO_PKG_VERSION")).to_owned())
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(ZSTD_LEVEL)?))
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
        .set_data_page_row_count_limit(PAGE_ROWS)
        .set_data_page_size_limit(PAGE_BYTES)
        .set_dictionary_page_size_limit(DICTIONARY_BYTES)
        .set_key_value_metadata(Some(form.metadata()))
        // Least and greatest of a page help where rows are sorted or values rare; for most columns
        // they are bytes of the footer that nobody asks for.
        .set_statistics_enabled(EnabledStatistics::Chunk);
    for name in T::PAGE_STATISTICS {
        properties =
            properties.set_column_statistics_enabled((*name).into(), EnabledStatistics::Page);
    }
    for name in [RESOURCE, ENVIRONMENT] {
        properties = properties
            .set_column_dictionary_page_size_limit(name.into(), RESOURCE_DICTIONARY_BYTES);
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
    Ok(T::tune(properties))
}

/// Level 9 would save 1.5 % of what was merged, and merging would take a third longer.
const ZSTD_LEVEL: i32 = 3;

/// Small enough that a search can skip, large enough for dictionaries to pay.
const ROW_GROUP_ROWS: usize = 128 << 10;

/// A trace is read by decoding the pages it is in.
const PAGE_ROWS: usize = 4096;

/// Pages of long values have fewer rows, at least a thousand.
const PAGE_BYTES: usize = 32 << 10;

/// A column with more distinct values than fit is written plain from there on. A reader of one
/// trace decodes the whole dictionary of each column.
const DICTIONARY_BYTES: usize = 64 << 10;

/// Resources are long and few: some hundred bytes for each function, fifty for each environment.
const RESOURCE_DICTIONARY_BYTES: usize = 1 << 20;

/// The part of a dictionary that the first batch of a row group must not fill, of which there are
/// sixteen in it. New values become rarer.
const OVERFLOWS_AT: usize = 2;
