//! One segment or buffer, read by columns.

use std::fmt;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, RecordBatch, RecordBatchOptions};
use arrow::compute::filter_record_batch;
use arrow::datatypes::{Field, Schema};
use throughline_telemetry::Signal;

use super::ScanColumn;
use super::attribute::Resources;
use crate::buffer::Chunks;
use crate::costs::CostsMeta;
use crate::edges::EdgesMeta;
use crate::error::ReadError;
use crate::limits::SCAN_ROWS;
use crate::rollup::RollupMeta;
use crate::segment::{Damage, Projected, Projection, SegmentFiles, SegmentMeta};
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

/// Rows as they are read, with their places.
pub(crate) type PlacedBatches = Box<dyn Iterator<Item = Result<Placed, ReadError>> + Send>;

/// A batch, and where its rows are.
pub(crate) struct Placed {
    pub(crate) batch: RecordBatch,
    pub(crate) places: Vec<Range<u32>>,
}

/// Where rows are.
#[derive(Clone, Debug)]
pub(crate) enum Place {
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

    /// What the rows sum up to, if that was written and no row is left out that counts in it.
    pub(crate) fn rollup(&self) -> Option<&RollupMeta> {
        let Place::Segment { segment, rows } = &self.place else {
            return None;
        };
        let rollup = segment.rollup.as_deref()?;
        let copies = segment.rows - rollup.spans;
        let is_whole = rows.len() == 1 && rows[0] == (0..segment.rows);
        (is_whole && self.left_out.len() == copies as usize).then_some(rollup)
    }

    /// What calls what in them, on the same terms.
    pub(crate) fn edges(&self) -> Option<(&SegmentMeta, EdgesMeta)> {
        self.rollup()?;
        match &self.place {
            Place::Segment { segment, .. } => Some((&**segment, segment.edges?)),
            Place::Buffer(_) => None,
        }
    }

    /// What functions cost by them, if that was written and all rows are looked at.
    pub(crate) fn costs(&self) -> Option<(&SegmentMeta, CostsMeta)> {
        match &self.place {
            Place::Segment { segment, rows } if rows.len() == 1 && rows[0] == (0..segment.rows) => {
                Some((&**segment, segment.costs?))
            }
            Place::Segment { .. } | Place::Buffer(_) => None,
        }
    }

    /// These columns of all rows, in this order. Stored columns come as they are in a file, attributes
    /// as `Utf8`, `Int64`, `Float64` or `Boolean`. Blocks on the disk, and so does each batch.
    pub fn read(&self, columns: &[ScanColumn]) -> Result<Batches, ReadError> {
        let left_out = Arc::clone(&self.left_out);
        let placed = self.placed(columns, &self.ranges())?;
        Ok(Box::new(placed.map(move |placed| {
            let placed = placed?;
            Ok(keep(placed.batch, &placed.places, &left_out))
        })))
    }

    /// The same of rows at these places, which are in order, copies and all. Where parents are read,
    /// the ranges begin and end where traces do.
    pub(crate) fn placed(
        &self,
        columns: &[ScanColumn],
        ranges: &[Range<u32>],
    ) -> Result<PlacedBatches, ReadError> {
        let mut shaper = Shaper::new(columns);
        match &self.place {
            Place::Buffer(chunks) => {
                let pieces = slices(chunks, ranges);
                let batches = pieces.into_iter().map(move |(batch, places)| {
                    let read = Projected::of_canonical(batch);
                    let batch = shaper.shape(&read, None)?;
                    Ok(Placed {
                        batch,
                        places: vec![places],
                    })
                });
                Ok(Box::new(batches))
            }
            Place::Segment { segment, .. } => {
                let files = &self.shared.files;
                let parents = match shaper.wants_parents(segment.signal) {
                    true => Some(files.parents(segment, ranges)?),
                    false => None,
                };
                let batches = files.stream(segment, &shaper.projection(segment.signal), ranges)?;
                let mut places = Places::new(ranges.iter().cloned());
                let mut done = 0;
                Ok(Box::new(batches.map(move |read| {
                    let read = read?;
                    let parents = parents.as_ref();
                    let parents = parents.map(|parents| parents.slice(done, read.rows()));
                    done += read.rows();
                    Ok(Placed {
                        batch: shaper.shape(&read, parents)?,
                        places: places.take(read.rows()),
                    })
                })))
            }
        }
    }

    /// The places of all rows that are looked at.
    pub(crate) fn ranges(&self) -> Vec<Range<u32>> {
        match &self.place {
            Place::Buffer(chunks) => std::iter::once(0..places_of(chunks)).collect(),
            Place::Segment { rows, .. } => rows.clone(),
        }
    }

    /// Whether the row at a place is a copy of another.
    pub(crate) fn is_left_out(&self, row: u32) -> bool {
        self.left_out.binary_search(&row).is_ok()
    }

    pub(crate) fn place(&self) -> &Place {
        &self.place
    }

    pub(crate) fn files(&self) -> &SegmentFiles {
        &self.shared.files
    }

    /// That what was read of it cannot be what was written.
    pub(crate) fn damage(&self, damage: Damage) -> ReadError {
        match &self.place {
            Place::Buffer(_) => ReadError::corrupt(Path::new("a buffer"), damage),
            Place::Segment { segment, .. } => self.shared.files.damage(segment, damage),
        }
    }
}

impl Part {
    /// All rows with all that is known of them, as canonical batches. Blocks on the disk.
    pub(crate) fn whole(&self) -> Result<Batches, ReadError> {
        let left_out = Arc::clone(&self.left_out);
        match &self.place {
            Place::Buffer(chunks) => {
                let pieces = slices(chunks, &self.ranges()).into_iter();
                let kept = pieces.map(move |(batch, places)| Ok(keep(batch, &[places], &left_out)));
                Ok(Box::new(kept))
            }
            Place::Segment { segment, .. } => {
                let shared = Arc::clone(&self.shared);
                let segment = Arc::clone(segment);
                let blocks = shared.files.whole_blocks(&segment)?.into_iter();
                Ok(Box::new(blocks.map(move |rows| {
                    let batch = shared.files.canonical(&segment, rows.clone())?;
                    Ok(keep(batch, &[rows], &left_out))
                })))
            }
        }
    }
}

/// Makes the columns that are asked for.
pub(crate) struct Shaper {
    columns: Vec<ScanColumn>,
    resources: Resources,
}

impl Shaper {
    pub(crate) fn new(columns: &[ScanColumn]) -> Self {
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

    /// What is to be read for them.
    pub(crate) fn projection(&self, signal: Signal) -> Projection<'_> {
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

    pub(crate) fn shape(
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
    ranges: std::vec::IntoIter<Range<u32>>,
    current: Range<u32>,
}

impl Places {
    fn new(ranges: impl IntoIterator<Item = Range<u32>>) -> Self {
        let ranges: Vec<_> = ranges.into_iter().collect();
        Places {
            ranges: ranges.into_iter(),
            current: 0..0,
        }
    }

    /// The next so many.
    fn take(&mut self, rows: usize) -> Vec<Range<u32>> {
        let mut rows = u32::try_from(rows).unwrap_or(u32::MAX);
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
fn keep(batch: RecordBatch, places: &[Range<u32>], left_out: &[u32]) -> RecordBatch {
    let any = places.iter().any(|range| {
        let next = left_out.partition_point(|row| *row < range.start);
        left_out.get(next).is_some_and(|row| *row < range.end)
    });
    if !any {
        return batch;
    }
    let rows = places.iter().cloned().flatten();
    let kept = rows.map(|row| Some(left_out.binary_search(&row).is_err()));
    let kept: BooleanArray = kept.collect();
    filter_record_batch(&batch, &kept).expect("there is a place for each row")
}

/// The rows of a buffer at these places, some thousand at a time: a large request is one chunk.
fn slices(chunks: &Chunks, ranges: &[Range<u32>]) -> Vec<(RecordBatch, Range<u32>)> {
    let mut pieces = Vec::new();
    for range in ranges {
        let mut at = range.start as usize;
        while at < range.end as usize {
            let Some(chunk) = chunks.chunk_of(at) else {
                break;
            };
            let end = chunk.first + chunk.batch.num_rows();
            let end = end.min(range.end as usize).min(at + SCAN_ROWS);
            let batch = chunk.batch.slice(at - chunk.first, end - at);
            pieces.push((batch, ordinal(at)..ordinal(end)));
            at = end;
        }
    }
    pieces
}

fn places_of(chunks: &Chunks) -> u32 {
    ordinal(chunks.len())
}

fn ordinal(place: usize) -> u32 {
    u32::try_from(place).expect("a buffer has fewer rows")
}

impl fmt::Debug for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Part")
            .field("place", &self.place)
            .finish_non_exhaustive()
    }
}

const PARENT: ScanColumn = ScanColumn::Stored("parent_span_id");
