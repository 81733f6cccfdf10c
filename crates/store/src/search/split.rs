//! Rows told apart by whether they are of a selection.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};

use arrow::array::{AsArray, RecordBatch};
use arrow::buffer::BooleanBuffer;
use arrow::datatypes::TimestampNanosecondType;
use throughline_telemetry::UnixNanos;

use super::predicate::{Needs, Predicate, bound};
use super::run::{PARENT, time_column};
use super::searched::private::Read;
use super::{Filter, SearchError, Searched};
use crate::dataset::Dataset;
use crate::error::ReadError;
use crate::limits::SPLIT_ROWS;
use crate::scan::{Bounds, Looked, Part, Place, Placed, Scan, ScanColumn};
use crate::segment::Damage;

/// Some rows: those that a filter lets through and that are of a time, spans of when they begin.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Stretch {
    /// Which.
    pub filter: Filter,
    /// Those of then or later.
    pub from: Option<UnixNanos>,
    /// Those before then.
    pub to: Option<UnixNanos>,
}

/// Which rows are looked at, and on which side each is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SplitQuery {
    /// Those that are looked at.
    pub of: Stretch,
    /// Those of them that are selected.
    pub selection: Stretch,
    /// Those of the others that these are compared with; all of them if nothing is said.
    pub rest: Option<Stretch>,
}

/// Who is told of the rows of a split.
pub trait Viewer {
    /// What they are.
    type Row: Searched;
    /// What is remembered of a row until it is shown.
    type Wanted;

    /// Counts a row, and says whether it is to be shown.
    fn count(&mut self, is_selected: bool) -> Option<Self::Wanted>;

    /// Shows a row.
    fn show(&mut self, wanted: Self::Wanted, row: &Self::Row);
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
    /// Tells a viewer of each row once, those of the newest segments first, and always in the order of the
    /// scan. Blocks on the disk, and ends soon once `stopped` is true.
    pub fn split<V: Viewer>(
        &self,
        query: &SplitQuery,
        viewer: &mut V,
        stopped: &AtomicBool,
    ) -> Result<SplitEnd, SearchError> {
        let sides = Sides::new::<V::Row>(self, query)?;
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
        bound(&of.filter, sides.dataset, &mut bounds);
        if sides.columns.contains(&PARENT) {
            // Parents are places in whole traces, as in a search.
            bounds.attributes.clear();
        }
        let needs = Needs::of(sides.dataset, &of.filter);
        let mut parts = self.parts(sides.dataset.signal(), &bounds)?;
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
    let (rows, mut wanted): (Vec<u32>, VecDeque<V::Wanted>) = wanted.unzip();
    if rows.is_empty() {
        return Ok(());
    }
    V::Row::each(part, &rows, |row| {
        if let Some(wanted) = wanted.pop_front() {
            viewer.show(wanted, row);
        }
    })
}

/// The filters, understood.
struct Sides {
    dataset: Dataset,
    /// What is read of each row; its time comes last.
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

/// Which rows of a batch count, and which of them are selected.
struct Told {
    of: BooleanBuffer,
    selected: BooleanBuffer,
}

impl Sides {
    fn new<T: Searched>(scan: &Scan, query: &SplitQuery) -> Result<Self, SearchError> {
        let mut columns = Vec::new();
        let mut side = |stretch: &Stretch| Side::new(scan, T::DATASET, stretch, &mut columns);
        let of = side(&query.of)?;
        let selection = side(&query.selection)?;
        let rest = query.rest.as_ref().map(side).transpose()?;
        columns.push(ScanColumn::Stored(time_column::<T>()));
        Ok(Sides {
            dataset: T::DATASET,
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
        dataset: Dataset,
        stretch: &Stretch,
        columns: &mut Vec<ScanColumn>,
    ) -> Result<Self, SearchError> {
        let predicate = Predicate::new(scan, dataset, &stretch.filter)?;
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
        let times = batch.column(batch.num_columns() - 1);
        let times = times.as_primitive::<TimestampNanosecondType>().values();
        let in_time = BooleanBuffer::collect_bool(times.len(), |at| {
            let time = UnixNanos(times[at].cast_unsigned());
            time >= self.from && time < self.to
        });
        if in_time.count_set_bits() == 0 {
            return Ok(in_time);
        }
        Ok(&in_time & &self.predicate.holds(&batch.project(&self.places)?)?)
    }
}
