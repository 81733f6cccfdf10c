//! Rows back out of a Parquet file.

use std::marker::PhantomData;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use arrow::datatypes::Schema;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder, RowSelection,
};
use parquet::file::metadata::{PageIndexPolicy, ParquetMetaDataReader};

use super::form::{Form, from_file};
use super::pread::PositionedFile;
use super::table::{Damage, Table};
use crate::error::ReadError;

/// The footer of a file, which says where everything is in it, and its form.
#[derive(Debug)]
pub(super) struct Footer {
    metadata: ArrowReaderMetadata,
    form: Form,
}

impl Footer {
    pub(super) fn load(path: &Path, canonical: &Schema) -> Result<Self, ReadError> {
        let file = PositionedFile::open(path).map_err(ReadError::io(path))?;
        Self::read(&file, canonical).map_err(|damage| ReadError::corrupt(path, damage))
    }

    fn read(file: &PositionedFile, canonical: &Schema) -> Result<Self, Damage> {
        let metadata = ParquetMetaDataReader::new()
            .with_page_index_policy(PageIndexPolicy::Optional)
            .parse_and_finish(file)?;
        let form = Form::read(metadata.file_metadata().key_value_metadata())?;
        // The schema in the file may be an older one, with plain texts where there are dictionaries.
        let options = ArrowReaderOptions::new().with_schema(form.schema(canonical));
        let metadata = ArrowReaderMetadata::try_new(Arc::new(metadata), options)?;
        Ok(Footer { metadata, form })
    }

    pub(super) fn memory_bytes(&self) -> usize {
        self.metadata.metadata().memory_size()
    }
}

/// Reads rows of one segment.
pub(super) struct SegmentReader<'a, T> {
    path: PathBuf,
    footer: &'a Footer,
    table: PhantomData<T>,
}

impl<'a, T: Table> SegmentReader<'a, T> {
    pub(super) fn new(path: PathBuf, footer: &'a Footer) -> Self {
        SegmentReader {
            path,
            footer,
            table: PhantomData,
        }
    }

    /// The rows in these ranges, which are in order and begin where rows may be split.
    pub(super) fn rows(&self, ranges: &[Range<usize>]) -> Result<Vec<T::Row>, ReadError> {
        let wanted: usize = ranges.iter().map(Range::len).sum();
        if wanted == 0 {
            return Ok(Vec::new());
        }
        // A file is opened for each read: open files are dearer to keep than to open again.
        let file = PositionedFile::open(&self.path).map_err(ReadError::io(&self.path))?;
        let rows = self
            .batch(file, ranges, wanted)
            .and_then(|batch| from_file(&self.footer.form, &batch))
            .and_then(|batch| T::decode(&batch));
        let rows = rows.map_err(|damage| ReadError::corrupt(&self.path, damage))?;
        if rows.len() != wanted {
            let what = format!("{} rows where {wanted} should be", rows.len());
            return Err(ReadError::corrupt(&self.path, what));
        }
        Ok(rows)
    }

    fn batch(
        &self,
        file: PositionedFile,
        ranges: &[Range<usize>],
        wanted: usize,
    ) -> Result<RecordBatch, Damage> {
        let metadata = self.footer.metadata.metadata();
        let total = usize::try_from(metadata.file_metadata().num_rows()).unwrap_or_default();
        if ranges.iter().any(|range| range.end > total) {
            return Err(Damage::new("fewer rows than the index says"));
        }
        let selection = RowSelection::from_consecutive_ranges(ranges.iter().cloned(), total);
        let builder =
            ParquetRecordBatchReaderBuilder::new_with_metadata(file, self.footer.metadata.clone());
        let reader = builder
            .with_projection(self.projection())
            .with_row_selection(selection)
            .with_batch_size(wanted)
            .build()?;
        let batches = reader.collect::<Result<Vec<_>, _>>()?;
        match batches.as_slice() {
            [] => Err(Damage::new("no rows")),
            [batch] => Ok(batch.clone()),
            several => Ok(concat_batches(&several[0].schema(), several)?),
        }
    }

    /// All columns but `service`, which repeats what the resource says.
    fn projection(&self) -> ProjectionMask {
        let schema = self.footer.metadata.schema();
        let roots = (0..schema.fields().len()).filter(|at| schema.field(*at).name() != "service");
        ProjectionMask::roots(self.footer.metadata.parquet_schema(), roots)
    }
}
