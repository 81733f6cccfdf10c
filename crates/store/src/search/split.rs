//! Spans told apart by whether they are of a selection.

use std::sync::atomic::{AtomicBool, Ordering};

use arrow::array::{AsArray, RecordBatch};
use arrow::buffer::BooleanBuffer;
use arrow::datatypes::TimestampNanosecondType;
use throughline_telemetry::{Signal, Span, UnixNanos};

use super::predicate::{Needs, Predicate, bound};
use super::{Filter, SearchError};
use crate::batch::SpanRows;
use crate::dataset::Dataset;
use crate::error::ReadError;
use crate::limits::SPLIT_ROWS;
use crate::scan::{Bounds, Looked, Part, Place, Placed, Scan, ScanColumn};
use crate::segment::Damage;

/// Some spans: those that a filter lets through and that begin within a time.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Stretch {
    /// Which.
    pub filter: Filter,
    /// Those that begin then or later.
    pub from: Option<UnixNanos>,
    /// Those that begin before then.
    pub to: Option<UnixNanos>,
}

/// Which spans are looked at, and on which side each is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SplitQuery {
    /// Those that are looked at.
    pub of: Stretch,
    /// Those of them that are selected.
    pub selection: Stretch,
    /// Those of the others that these are compared with; all of them if nothing is said.
    pub rest: Option<Stretch>,
}

/// Who is told of the spans of a split.
pub trait Viewer {
    /// What is remembered of a span until it is shown.
    type Wanted;

    /// Counts a span, and says whether it is to be shown.
    fn count(&mut self, is_selected: bool) -> Option<Self::Wanted>;

    /// Shows a span.
    fn show(&mut self, wanted: Self::Wanted, span: &Span);
}

/// What a split took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SplitEnd {
    /// What was looked at.
    pub looked: Looked,
    /// Whether it was stopped before all was.
    pub truncated: bool,
}

impl Scan {
    /// Tells a viewer of each span once, those of the newest segments first, and always in the order of the scan. Blocks
    /// on the disk, and ends soon once `stopped` is true.
    pub fn split<V: Viewer>(
        &self,
        query: &SplitQuery,
        viewer: &mut V,
        stopped: &AtomicBool,
    ) -> Result<SplitEnd, SearchError> {
        let sides = Sides::new(self, query)?;
        let mut end = SplitEnd::default();
        for part in self.parts_of(&query.of, &sides)? {
            end.looked.parts += 1;
            for placed in part.placed(&sides.columns, &part.ranges())? {
                if stopped.load(Ordering::Relaxed) {
                    end.truncated = true;
                    return Ok(end);
                }
                let placed = placed?;
                end.looked.rows += placed.batch.num_rows() as u64;
                end.looked.bytes += super::run::bytes_of(&placed.batch);
                let damaged = |error| part.damage(Damage::from(error));
                let told = sides.tell(&placed.batch).map_err(damaged)?;
                view(&part, &placed, &told, viewer)?;
            }
        }
        Ok(end)
    }

    fn parts_of(&self, of: &Stretch, sides: &Sides) -> Result<Vec<Part>, ReadError> {
        let mut bounds = Bounds {
            from: of.from,
            to: of.to.map(|to| UnixNanos(to.0.saturating_sub(1))),
            ..Bounds::default()
        };
        bound(&of.filter, Dataset::Spans, &mut bounds);
        if sides.columns.contains(&PARENT) {
            // Parents are places in whole traces, as in a search.
            bounds.attributes.clear();
        }
        let needs = Needs::of(Dataset::Spans, &of.filter);
        let mut parts = self.parts(Signal::Traces, &bounds)?;
        parts.retain(|part| match part.place() {
            Place::Segment { segment, .. } => needs.may_be_in(segment),
            Place::Buffer(_) => true,
        });
        Ok(parts)
    }
}

/// Shows what a viewer wants of a batch, some at a time: what is wanted of all of it need not fit into
/// memory.
fn view<V: Viewer>(
    part: &Part,
    placed: &Placed,
    told: &Told,
    viewer: &mut V,
) -> Result<(), ReadError> {
    let places: Vec<u32> = placed.places.iter().cloned().flatten().collect();
    let mut wanted: Vec<(u32, V::Wanted)> = Vec::new();
    for at in told.of.set_indices() {
        if part.is_left_out(places[at]) {
            continue;
        }
        wanted.extend(
            viewer
                .count(told.selected.value(at))
                .map(|wanted| (places[at], wanted)),
        );
        if wanted.len() == SPLIT_ROWS {
            show(part, wanted.drain(..), viewer)?;
        }
    }
    show(part, wanted.drain(..), viewer)
}

fn show<V: Viewer>(
    part: &Part,
    wanted: impl Iterator<Item = (u32, V::Wanted)>,
    viewer: &mut V,
) -> Result<(), ReadError> {
    let (rows, mut wanted): (Vec<u32>, std::collections::VecDeque<V::Wanted>) = wanted.unzip();
    let mut next = |span: &Span| {
        if let Some(wanted) = wanted.pop_front() {
            viewer.show(wanted, span);
        }
    };
    match part.place() {
        Place::Buffer(chunks) => {
            for row in rows {
                let Some(chunk) = chunks.chunk_of(row as usize) else {
                    continue;
                };
                let read = SpanRows::new(&chunk.batch).expect(BUILT);
                next(
                    &read
                        .at(chunk.owners(), row as usize - chunk.first)
                        .expect(BUILT),
                );
            }
            Ok(())
        }
        Place::Segment { segment, .. } => part.files().each_span(segment, &rows, next),
    }
}

/// The filters, understood.
struct Sides {
    /// What is read of each span; when it began comes last.
    columns: Vec<ScanColumn>,
    of: Side,
    selection: Side,
    rest: Option<Side>,
}

/// One filter.
struct Side {
    predicate: Predicate,
    /// Where its columns are among those that are read.
    places: Vec<usize>,
    from: UnixNanos,
    to: UnixNanos,
}

/// Which spans of a batch count, and which of them are selected.
struct Told {
    of: BooleanBuffer,
    selected: BooleanBuffer,
}

impl Sides {
    fn new(scan: &Scan, query: &SplitQuery) -> Result<Self, SearchError> {
        let mut columns = Vec::new();
        let mut side = |stretch: &Stretch| Side::new(scan, stretch, &mut columns);
        let of = side(&query.of)?;
        let selection = side(&query.selection)?;
        let rest = query.rest.as_ref().map(side).transpose()?;
        columns.push(ScanColumn::Stored(START));
        Ok(Sides {
            columns,
            of,
            selection,
            rest,
        })
    }

    fn tell(&self, batch: &RecordBatch) -> Result<Told, arrow::error::ArrowError> {
        let of = self.of.holds(batch)?;
        let selected = self.selection.holds(batch)?;
        let of = match &self.rest {
            None => of,
            Some(rest) => &of & &(&selected | &rest.holds(batch)?),
        };
        Ok(Told { of, selected })
    }
}

impl Side {
    fn new(
        scan: &Scan,
        stretch: &Stretch,
        columns: &mut Vec<ScanColumn>,
    ) -> Result<Self, SearchError> {
        let predicate = Predicate::new(scan, Dataset::Spans, &stretch.filter)?;
        let places = predicate.columns().into_iter().map(|column| {
            let known = columns.iter().position(|known| *known == column);
            known.unwrap_or_else(|| {
                columns.push(column);
                columns.len() - 1
            })
        });
        Ok(Side {
            places: places.collect(),
            predicate,
            from: stretch.from.unwrap_or_default(),
            to: stretch.to.unwrap_or(UnixNanos(u64::MAX)),
        })
    }

    fn holds(&self, batch: &RecordBatch) -> Result<BooleanBuffer, arrow::error::ArrowError> {
        let starts = batch.column(batch.num_columns() - 1);
        let starts = starts.as_primitive::<TimestampNanosecondType>().values();
        let in_time = BooleanBuffer::collect_bool(starts.len(), |at| {
            let start = UnixNanos(starts[at].cast_unsigned());
            start >= self.from && start < self.to
        });
        if in_time.count_set_bits() == 0 {
            return Ok(in_time);
        }
        Ok(&in_time & &self.predicate.holds(&batch.project(&self.places)?)?)
    }
}

const START: &str = "start";
const PARENT: ScanColumn = ScanColumn::Stored("parent_span_id");
const BUILT: &str = "the batch was built from rows and never left memory";
