//! One segment or buffer, read by columns.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, RecordBatch, RecordBatchOptions};
use arrow::compute::filter_record_batch;
use arrow::datatypes::{Field, Schema};
use throughline_telemetry::Signal;

use super::ScanColumn;
use super::attribute::Resources;
use crate::buffer::Chunks;
use crate::error::ReadError;
use crate::limits::SCAN_ROWS;
use crate::segment::{Damage, Projected, Projection, SegmentMeta};
use crate::store::Shared;

/// A segment or a buffer.
#[derive(Clone)]
pub struct Part {
    shared: Arc<Shared>,
    place: Place,
    /// Rows that are copies of others, in order.
    left_out: Arc<[u32]>,
}

/// Batches as they are read, of some thousand rows.
pub type Batches = Box<dyn Iterator<Item = Result<RecordBatch, ReadError>> + Send>;

/// Where rows are.
#[derive(Clone, Debug)]
pub(super) enum Place {
    Buffer(Chunks),
    Segment {
        segment: Arc<SegmentMeta>,
        /// Those that are looked at, in order.
        rows: Vec<Range<u32>>,
    },
}

impl Part {
    pub(super) fn new(shared: &Arc<Shared>, place: Place, mut left_out: Vec<u32>) -> Self {
        if let Place::Segment { rows, .. } = &place {
            left_out.retain(|row| rows.iter().any(|range| range.contains(row)));
        }
        Part {
            shared: Arc::clone(shared),
            place,
            left_out: left_out.into(),
        }
    }

    /// How many rows there are to read.
    pub fn rows(&self) -> usize {
        let rows = match &self.place {
            Place::Buffer(chunks) => chunks.len(),
            Place::Segment { rows, .. } => rows.iter().map(ExactSizeIterator::len).sum(),
        };
        rows - self.left_out.len()
    }

    /// These columns of all rows, in this order. Stored columns come as they are in a file, attributes
    /// as `Utf8`, `Int64`, `Float64` or `Boolean`. Blocks on the disk, and so does each batch.
    pub fn read(&self, columns: &[ScanColumn]) -> Result<Batches, ReadError> {
        let mut shaper = Shaper::new(columns);
        let left_out = Arc::clone(&self.left_out);
        match &self.place {
            Place::Buffer(chunks) => {
                let chunks: Vec<_> = chunks.iter().map(Arc::clone).collect();
                let batches = chunks.into_iter().map(move |chunk| {
                    let read = Projected::of_canonical(chunk.batch.clone());
                    let mut places =
                        Places::new(std::iter::once(chunk.first..chunk.first + read.rows()));
                    let batch = shaper.shape(&read, None)?;
                    keep(batch, &places.take(read.rows()), &left_out).map(slices)
                });
                Ok(Box::new(batches.flat_map(flatten)))
            }
            Place::Segment { segment, rows } => {
                let files = &self.shared.files;
                let parents = match shaper.wants_parents(segment.signal) {
                    true => Some(files.parents(segment, rows)?),
                    false => None,
                };
                let batches = files.stream(segment, &shaper.projection(segment.signal), rows)?;
                let ranges = rows
                    .iter()
                    .map(|range| range.start as usize..range.end as usize);
                let mut places = Places::new(ranges);
                let mut done = 0;
                Ok(Box::new(batches.map(move |read| {
                    let read = read?;
                    let parents = parents.as_ref();
                    let parents = parents.map(|parents| parents.slice(done, read.rows()));
                    done += read.rows();
                    let batch = shaper.shape(&read, parents)?;
                    keep(batch, &places.take(read.rows()), &left_out)
                })))
            }
        }
    }
}

/// Makes the columns that are asked for.
struct Shaper {
    columns: Vec<ScanColumn>,
    resources: Resources,
}

impl Shaper {
    fn new(columns: &[ScanColumn]) -> Self {
        let keys = columns.iter().filter_map(|column| match column {
            ScanColumn::Stored(_) => None,
            ScanColumn::Attribute { key, .. } => Some(key.clone()),
        });
        Shaper {
            resources: Resources::new(keys.collect()),
            columns: columns.to_vec(),
        }
    }

    /// Whether the parents of spans are asked for, which in a file are places.
    fn wants_parents(&self, signal: Signal) -> bool {
        signal == Signal::Traces && self.columns.contains(&PARENT)
    }

    fn projection(&self, signal: Signal) -> Projection<'_> {
        let mut projection = Projection::default();
        let parents = self.wants_parents(signal);
        for column in self
            .columns
            .iter()
            .filter(|column| !parents || **column != PARENT)
        {
            match column {
                ScanColumn::Stored(name) => projection.columns.push(name),
                ScanColumn::Attribute { key, .. } => projection.attributes.push(key),
            }
        }
        if !projection.attributes.is_empty() {
            projection.columns.push("resource");
        }
        projection
    }

    fn shape(
        &mut self,
        read: &Projected,
        parents: Option<ArrayRef>,
    ) -> Result<RecordBatch, ReadError> {
        let mut fields = Vec::with_capacity(self.columns.len());
        let mut columns = Vec::with_capacity(self.columns.len());
        let mut attributes = self.resources.attributes(read)?;
        for column in &self.columns {
            let (name, values) = match (column, &parents) {
                (column, Some(parents)) if *column == PARENT => {
                    ("parent_span_id", Arc::clone(parents))
                }
                (ScanColumn::Stored(name), _) => (*name, read.column(name)?),
                (ScanColumn::Attribute { key, kind }, _) => {
                    (key.as_str(), attributes.next(read, key, *kind)?)
                }
            };
            fields.push(Field::new(name, values.data_type().clone(), true));
            columns.push(values);
        }
        let options = RecordBatchOptions::new().with_row_count(Some(read.rows()));
        let schema = Arc::new(Schema::new(fields));
        RecordBatch::try_new_with_options(schema, columns, &options)
            .map_err(|error| read.damage(Damage::from(error)))
    }
}

/// Which rows batches have that come one after the other.
struct Places {
    ranges: std::vec::IntoIter<Range<usize>>,
    current: Range<usize>,
}

impl Places {
    fn new(ranges: impl IntoIterator<Item = Range<usize>>) -> Self {
        let ranges: Vec<_> = ranges.into_iter().collect();
        Places {
            ranges: ranges.into_iter(),
            current: 0..0,
        }
    }

    /// The next so many.
    fn take(&mut self, mut rows: usize) -> Vec<Range<usize>> {
        let mut taken = Vec::new();
        while rows > 0 {
            if self.current.is_empty() {
                match self.ranges.next() {
                    Some(range) => self.current = range,
                    None => break,
                }
            }
            let end = self.current.end.min(self.current.start + rows);
            rows -= end - self.current.start;
            taken.push(self.current.start..end);
            self.current.start = end;
        }
        taken
    }
}

/// Leaves out rows of a batch that has these.
fn keep(
    batch: RecordBatch,
    places: &[Range<usize>],
    left_out: &[u32],
) -> Result<RecordBatch, ReadError> {
    let is_left_out = |row: usize| {
        left_out
            .binary_search_by(|at| (*at as usize).cmp(&row))
            .is_ok()
    };
    let any = places.iter().any(|range| {
        let next = left_out.partition_point(|row| (*row as usize) < range.start);
        left_out
            .get(next)
            .is_some_and(|row| (*row as usize) < range.end)
    });
    if !any {
        return Ok(batch);
    }
    let rows = places.iter().cloned().flatten();
    let kept: BooleanArray = rows.map(|row| Some(!is_left_out(row))).collect();
    Ok(filter_record_batch(&batch, &kept).expect("there is a place for each row"))
}

/// A large request is one chunk.
fn slices(batch: RecordBatch) -> Vec<RecordBatch> {
    let starts = (0..batch.num_rows()).step_by(SCAN_ROWS);
    starts
        .map(|start| batch.slice(start, SCAN_ROWS.min(batch.num_rows() - start)))
        .collect()
}

fn flatten(batches: Result<Vec<RecordBatch>, ReadError>) -> Vec<Result<RecordBatch, ReadError>> {
    match batches {
        Ok(batches) => batches.into_iter().map(Ok).collect(),
        Err(error) => vec![Err(error)],
    }
}

impl fmt::Debug for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Part")
            .field("place", &self.place)
            .finish_non_exhaustive()
    }
}

const PARENT: ScanColumn = ScanColumn::Stored("parent_span_id");
