//! Rows back out of a Parquet file.

use std::marker::PhantomData;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::array::RecordBatchReader;
use arrow::compute::concat_batches;
use arrow::datatypes::Schema;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader,
    ParquetRecordBatchReaderBuilder, RowSelection,
};
use parquet::file::metadata::{PageIndexPolicy, ParquetMetaDataReader};
use parquet::file::statistics::Statistics;

use super::absent::{Absent, complete};
use super::checks::Checks;
use super::form::{ATTRIBUTES, Form, from_file, is_promoted};
use super::pages::{Packed, Pages, unpacked};
use super::pread::PositionedFile;
use super::projection::{Projected, Projection};
use super::promotion::Counts;
use super::resources::{self, ENVIRONMENT, RESOURCE};
use super::summary::{Summary, columns};
use super::table::{Damage, Table};
use crate::error::ReadError;
use crate::limits::INDEX_AGAIN_ROWS;

/// The footer of a file, which says where everything is in it, and its form.
#[derive(Debug)]
pub(super) struct Footer {
    metadata: ArrowReaderMetadata,
    form: Form,
    checks: Option<Arc<Checks>>,
    packed: Packed,
    absent: Absent,
}

impl Footer {
    pub(super) fn load(
        path: &Path,
        canonical: &Schema,
        checks: Option<Arc<Checks>>,
    ) -> Result<Self, ReadError> {
        let file = PositionedFile::open(path, checks.clone()).map_err(ReadError::io(path))?;
        let footer = Self::read(&file, canonical, checks);
        footer.map_err(|damage| file.failure().error(path, damage))
    }

    fn read(
        file: &PositionedFile,
        canonical: &Schema,
        checks: Option<Arc<Checks>>,
    ) -> Result<Self, Damage> {
        let metadata = ParquetMetaDataReader::new()
            .with_page_index_policy(PageIndexPolicy::Optional)
            .parse_and_finish(file)?;
        let form = Form::read(metadata.file_metadata().key_value_metadata())?;
        // The schema in the file may be an older one, with plain texts where there are dictionaries.
        let options = ArrowReaderOptions::new().with_schema(form.schema(canonical));
        let (metadata, packed) = unpacked(metadata)?;
        let metadata = ArrowReaderMetadata::try_new(Arc::new(metadata), options)?;
        let absent = Absent::of(metadata.metadata(), metadata.schema());
        Ok(Footer {
            metadata,
            form,
            checks,
            packed,
            absent,
        })
    }

    /// Opens the file that it is of.
    fn open(&self, path: &Path) -> Result<Pages, ReadError> {
        let file = PositionedFile::open(path, self.checks.clone()).map_err(ReadError::io(path))?;
        Ok(Pages::new(file, Arc::clone(&self.packed)))
    }

    pub(super) fn memory_bytes(&self) -> usize {
        let checks = self.checks.as_ref().map(|checks| checks.memory_bytes());
        self.metadata.metadata().memory_size()
            + checks.unwrap_or_default()
            + size_of_val(&*self.packed)
            + self.absent.memory_bytes()
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
        let batch = self.canonical(ranges, |_| true)?;
        T::decode(&batch).map_err(|damage| self.damaged(damage))
    }

    /// The same rows as a canonical batch.
    pub(super) fn batch(&self, range: Range<usize>) -> Result<RecordBatch, ReadError> {
        self.canonical(&[range], |_| true)
    }

    /// Counts the attributes of a file, of which no more than the residual lists is read.
    pub(super) fn count(&self, into: &mut Counts) -> Result<(), ReadError> {
        let form = &self.footer.form;
        let metadata = self.footer.metadata.metadata();
        let groups = metadata.row_groups().iter();
        for group in groups.clone() {
            for column in group.columns() {
                let name = column.column_path().string();
                let promoted = form.promoted.iter().find(|it| it.column() == name);
                let nulls = column.statistics().and_then(Statistics::null_count_opt);
                if let (Some(promoted), Some(nulls)) = (promoted, nulls) {
                    let rows = u64::try_from(group.num_rows()).unwrap_or_default();
                    into.add_promoted(promoted, rows.saturating_sub(nulls));
                }
            }
        }
        let total: usize = groups
            .map(|group| usize::try_from(group.num_rows()).unwrap_or_default())
            .sum();
        if form.residual.as_ref().is_some_and(Vec::is_empty) {
            into.add_rows(total as u64);
            return Ok(());
        }
        for begin in (0..total).step_by(COUNTED_ROWS) {
            let range = begin..total.min(begin + COUNTED_ROWS);
            let batch = self.read(&[range], |column| column == ATTRIBUTES)?;
            into.add(&batch).map_err(|damage| self.damaged(damage))?;
        }
        Ok(())
    }

    /// What is asked for of the rows in these ranges, which are in order.
    pub(super) fn project(
        &self,
        projection: &Projection<'_>,
        ranges: &[Range<usize>],
    ) -> Result<Projected, ReadError> {
        let form = &self.footer.form;
        let batch = self.read(ranges, |column| projection.needs(form, column))?;
        Ok(Projected::new(self.path.clone(), form.clone(), batch))
    }

    /// What there is to say of the rows, found again by reading them.
    pub(super) fn summary(&self, rows: u32) -> Result<Summary, ReadError> {
        let columns = columns(T::SIGNAL);
        let mut summary = Summary::new(T::SIGNAL);
        for start in (0..rows).step_by(INDEX_AGAIN_ROWS as usize) {
            let end = rows.min(start + INDEX_AGAIN_ROWS);
            let range = start as usize..end as usize;
            let of_list = columns.contains(&ATTRIBUTES);
            let batch = self.canonical(&[range], |column| {
                columns.contains(&column) || of_list && is_promoted(column)
            })?;
            let added = summary.add(&batch);
            added.map_err(|damage| self.damaged(damage))?;
        }
        Ok(summary)
    }

    /// The same, so many rows at a time.
    pub(super) fn stream(
        &self,
        projection: &Projection<'_>,
        ranges: &[Range<usize>],
        batch_rows: usize,
    ) -> Result<impl Iterator<Item = Result<Projected, ReadError>> + Send + use<T>, ReadError> {
        let (path, form) = (self.path.clone(), self.footer.form.clone());
        let file = self.footer.open(&path)?;
        let failure = file.failure();
        let reader = self.open(
            file,
            ranges,
            |column| projection.needs(&form, column),
            batch_rows,
        );
        let (reader, wanted) = reader.map_err(|damage| failure.error(&path, damage))?;
        Ok(reader.map(move |batch| {
            let batch = batch.map_err(Damage::from);
            let batch = batch.and_then(|batch| complete(&batch, &wanted));
            let batch = batch.and_then(resources::whole);
            let batch = batch.map_err(|damage| failure.error(&path, damage))?;
            Ok(Projected::new(path.clone(), form.clone(), batch))
        }))
    }

    fn canonical(
        &self,
        ranges: &[Range<usize>],
        wants: impl Fn(&str) -> bool,
    ) -> Result<RecordBatch, ReadError> {
        let batch = self.read(ranges, wants)?;
        from_file(&self.footer.form, &batch).map_err(|damage| self.damaged(damage))
    }

    /// Columns of the file as they are in it.
    fn read(
        &self,
        ranges: &[Range<usize>],
        wants: impl Fn(&str) -> bool,
    ) -> Result<RecordBatch, ReadError> {
        // A file is opened for each read: open files are dearer to keep than to open again.
        let file = self.footer.open(&self.path)?;
        let failure = file.failure();
        let batch = self.select(file, ranges, wants);
        batch.map_err(|damage| failure.error(&self.path, damage))
    }

    fn select(
        &self,
        file: Pages,
        ranges: &[Range<usize>],
        wants: impl Fn(&str) -> bool,
    ) -> Result<RecordBatch, Damage> {
        let wanted: usize = ranges.iter().map(Range::len).sum();
        let (reader, columns) = self.open(file, ranges, wants, wanted)?;
        let schema = reader.schema();
        let batches = reader.collect::<Result<Vec<_>, _>>()?;
        let batch = match batches.as_slice() {
            [batch] => batch.clone(),
            several => concat_batches(&schema, several)?,
        };
        if batch.num_rows() != wanted {
            let what = format!("{} rows where {wanted} should be", batch.num_rows());
            return Err(Damage::new(what));
        }
        resources::whole(complete(&batch, &columns)?)
    }

    /// A reader of the columns that are wanted and not absent, and the schema of all that are wanted.
    fn open(
        &self,
        file: Pages,
        ranges: &[Range<usize>],
        wants: impl Fn(&str) -> bool,
        batch_rows: usize,
    ) -> Result<(ParquetRecordBatchReader, Schema), Damage> {
        let metadata = self.footer.metadata.metadata();
        let total = usize::try_from(metadata.file_metadata().num_rows()).unwrap_or_default();
        if ranges.iter().any(|range| range.end > total) {
            return Err(Damage::new("fewer rows than the index says"));
        }
        let schema = self.footer.metadata.schema();
        let is_wanted = |name: &str| wants(if name == ENVIRONMENT { RESOURCE } else { name });
        let wanted: Vec<usize> = (0..schema.fields().len())
            .filter(|at| is_wanted(schema.field(*at).name()))
            .collect();
        let present = wanted.iter().copied();
        let present = present.filter(|at| !self.footer.absent.is_absent(*at, ranges));
        let roots = ProjectionMask::roots(self.footer.metadata.parquet_schema(), present);
        let selection = RowSelection::from_consecutive_ranges(ranges.iter().cloned(), total);
        let builder =
            ParquetRecordBatchReaderBuilder::new_with_metadata(file, self.footer.metadata.clone());
        let reader = builder
            .with_projection(roots)
            .with_row_selection(selection)
            .with_batch_size(batch_rows.max(1))
            .build()?;
        Ok((reader, schema.project(&wanted)?))
    }

    fn damaged(&self, damage: Damage) -> ReadError {
        ReadError::corrupt(&self.path, damage)
    }
}

/// Rows whose residual lists are in memory while they are counted.
const COUNTED_ROWS: usize = 32 << 10;
