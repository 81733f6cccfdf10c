//! The search itself.
//!
//! **Invariant**: what is on a page is what a look at all rows would put there, whatever was left out
//! and in whichever order threads came to it: a part is left out only if the page is full of rows that
//! come before all that the part can have.

use std::collections::BinaryHeap;
use std::marker::PhantomData;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use arrow::array::{AsArray, RecordBatch};
use arrow::compute::kernels::aggregate::{max, min};
use arrow::datatypes::TimestampNanosecondType;
use throughline_telemetry::{Signal, UnixNanos};

use super::order::{Rank, RowId};
use super::predicate::{Needs, Predicate, bound};
use super::{Count, SearchCursor, SearchError, SearchOrder, SearchQuery, Searched};
use crate::error::ReadError;
use crate::limits::{COUNT_ROWS_MAX, PAGE_MAX, SEARCH_BLOCK_ROWS};
use crate::scan::{Bounds, Part, Place, Placed, Scan, ScanColumn};
use crate::segment::{Damage, runs};

/// A search on its way.
#[derive(Debug)]
pub struct Search<T> {
    query: SearchQuery,
    predicate: Predicate,
    /// In the order in which they are looked at.
    parts: Vec<Times>,
    next: AtomicUsize,
    stopped: AtomicBool,
    found: Mutex<State>,
    cost: Counters,
    rows: PhantomData<fn() -> T>,
}

/// One page of what was found.
#[derive(Clone, Debug, PartialEq)]
pub struct SearchPage<T> {
    /// The rows.
    pub rows: Vec<T>,
    /// The place of each, in order.
    pub places: Vec<SearchCursor>,
    /// How many rows match from here on, this page included.
    pub total: u64,
    /// Whether `total` is only a lower bound, because not everything was looked at.
    pub truncated: bool,
    /// Where the next page begins, if there may be one.
    pub next: Option<SearchCursor>,
    /// Rows that were looked at.
    pub rows_read: u64,
    /// Bytes of columns, unpacked, that were looked at.
    pub bytes_read: u64,
    /// Segments and buffers that were read.
    pub parts_read: u64,
}

/// A part, and between which times its rows are.
#[derive(Debug)]
struct Times {
    part: Part,
    first: UnixNanos,
    last: UnixNanos,
}

#[derive(Debug)]
struct State {
    /// The best rows so far, the worst of them on top.
    best: BinaryHeap<Hit>,
    total: u64,
    /// Whether something was left out that may have matches.
    partial: bool,
    /// By part, whether all was looked at that may be on the page.
    done: Vec<bool>,
}

/// A row that matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Hit {
    rank: Rank,
    id: RowId,
    part: usize,
    row: u32,
}

#[derive(Debug, Default)]
struct Counters {
    rows: AtomicU64,
    bytes: AtomicU64,
    parts: AtomicU64,
    /// Rows that were only counted.
    counted: AtomicU64,
}

/// What a part, or some of it, is still good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Need {
    Rows,
    Count,
    Nothing,
}

impl<T: Searched> Search<T> {
    /// Understands the question and finds out where to look. Blocks on the disk.
    pub fn new(scan: &Scan, query: SearchQuery) -> Result<Self, SearchError> {
        let predicate = Predicate::new(scan, T::DATASET, &query.filter)?;
        let mut bounds = bounds::<T>(&query);
        if predicate.columns().contains(&PARENT) {
            // Parents are places in whole traces, which the ranges of an index may cut.
            bounds.attributes.clear();
        }
        let parts = scan.parts(T::DATASET.signal(), &bounds)?;
        let needs = Needs::of(T::DATASET, &query.filter);
        let parts = parts.into_iter().filter(|part| match part.place() {
            Place::Segment { segment, .. } => needs.may_be_in(segment),
            Place::Buffer(_) => true,
        });
        let mut parts = parts.map(Times::of).collect::<Result<Vec<_>, _>>()?;
        match query.order {
            SearchOrder::Newest => parts.sort_by_key(|part| std::cmp::Reverse(part.last)),
            SearchOrder::Oldest => parts.sort_by_key(|part| part.first),
        }
        Ok(Search {
            found: Mutex::new(State {
                best: BinaryHeap::new(),
                total: 0,
                partial: false,
                done: vec![false; parts.len()],
            }),
            query,
            predicate,
            parts,
            next: AtomicUsize::new(0),
            stopped: AtomicBool::new(false),
            cost: Counters::default(),
            rows: PhantomData,
        })
    }

    /// Searches until nothing is left to do. Several threads may. Blocks on the disk.
    pub fn work(&self) -> Result<(), ReadError> {
        while !self.is_stopped() {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            let Some(times) = self.parts.get(number) else {
                break;
            };
            match self.need(times.best(self.query.order)) {
                // Nor has any that comes later.
                Need::Nothing => {
                    self.state().partial = true;
                    break;
                }
                Need::Count if self.counts_without_reading(times) => {
                    self.state().total += times.part.rows() as u64;
                }
                _ => self.look_through(number, times)?,
            }
        }
        Ok(())
    }

    /// Ends the search soon: what was found until then is the answer.
    pub fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }

    /// What was found, once all that worked on it are done. None if it was stopped before it had come
    /// any further than where it began. Blocks on the disk.
    pub fn finish(&self) -> Result<Option<SearchPage<T>>, ReadError> {
        let order = self.query.order;
        let state = self.state();
        let mut hits = state.best.clone().into_sorted_vec();
        let undone = self.parts.iter().zip(&state.done);
        let undone = undone.filter(|(_, done)| !**done);
        let undone = undone.map(|(times, _)| times.best(order)).min();
        // Where the page may lack something, unless it is full before.
        let full = hits.len() >= limit(&self.query);
        let lacks = undone.filter(|from| !full || hits.last().is_some_and(|hit| hit.rank > *from));
        let mut next = hits
            .last()
            .filter(|_| state.total > hits.len() as u64 || state.partial);
        let mut next = next.take().map(|hit| order.place(hit.rank));
        if let Some(from) = lacks.filter(|_| self.stopped.load(Ordering::Relaxed)) {
            hits.retain(|hit| hit.rank < from);
            let begin = self.query.after.map(|after| order.rank(after));
            if hits.is_empty() && begin.is_some_and(|begin| begin >= from) {
                return Ok(None);
            }
            next = Some(order.place(from));
        }
        Ok(Some(SearchPage {
            rows: read(&self.parts, &hits)?,
            places: hits.iter().map(|hit| order.place(hit.rank)).collect(),
            total: state.total,
            truncated: state.partial || self.stopped.load(Ordering::Relaxed) && lacks.is_some(),
            next,
            rows_read: self.cost.rows.load(Ordering::Relaxed),
            bytes_read: self.cost.bytes.load(Ordering::Relaxed),
            parts_read: self.cost.parts.load(Ordering::Relaxed),
        }))
    }

    fn look_through(&self, number: usize, times: &Times) -> Result<(), ReadError> {
        self.cost.parts.fetch_add(1, Ordering::Relaxed);
        let order = self.query.order;
        let mut columns = self.predicate.columns();
        columns.push(ScanColumn::Stored(time_column::<T>()));
        let whole = columns.contains(&PARENT);
        let mut best = times.best(order);
        for block in blocks(&times.part, order, whole) {
            let need = self.need(best);
            if need == Need::Nothing || self.is_stopped() {
                self.state().partial = true;
                break;
            }
            let mut times_of_block: Option<(UnixNanos, UnixNanos)> = None;
            let mut matches = Matches::default();
            for placed in times.part.placed(&columns, &block)? {
                if self.is_stopped() {
                    break;
                }
                let placed = placed?;
                let between = self.check(&times.part, &placed, need, &mut matches)?;
                times_of_block = join(times_of_block, between);
            }
            self.take(number, times, matches)?;
            // Log records lie in the order of time; what is left of them is beyond this block.
            if let (Signal::Logs, Place::Segment { .. }, Some((first, last))) =
                (T::DATASET.signal(), times.part.place(), times_of_block)
            {
                best = match order {
                    SearchOrder::Newest => order.first_at(first),
                    SearchOrder::Oldest => order.first_at(last),
                };
            }
        }
        if !self.is_stopped() {
            self.state().done[number] = true;
        }
        Ok(())
    }

    /// Finds the rows of a batch that match. Says between which times its rows are.
    fn check(
        &self,
        part: &Part,
        placed: &Placed,
        need: Need,
        matches: &mut Matches,
    ) -> Result<Option<(UnixNanos, UnixNanos)>, ReadError> {
        let Placed { batch, places } = placed;
        self.count_cost(batch, need);
        let damaged = |error| part.damage(Damage::from(error));
        let holds = self.predicate.holds(batch).map_err(damaged)?;
        let times = batch
            .column(batch.num_columns() - 1)
            .as_primitive::<TimestampNanosecondType>();
        let rows: Vec<u32> = places.iter().cloned().flatten().collect();
        let after = self.query.after.map(|after| after.time);
        for at in holds.set_indices() {
            let time = UnixNanos(times.value(at).cast_unsigned());
            if !self.is_in_time(time) || part.is_left_out(rows[at]) {
                continue;
            }
            if after == Some(time) {
                matches.tied.push((time, rows[at]));
            } else {
                matches.total += 1;
                if need == Need::Rows {
                    matches.rows.push((time, rows[at]));
                }
            }
        }
        let first = min(times).map(i64::cast_unsigned).map(UnixNanos);
        let last = max(times).map(i64::cast_unsigned).map(UnixNanos);
        Ok(first.zip(last))
    }

    /// Takes what matched in a block: all are counted, and the best go to the page.
    fn take(&self, number: usize, times: &Times, mut matches: Matches) -> Result<(), ReadError> {
        let order = self.query.order;
        let limit = limit(&self.query);
        let worst = self.state().worst(limit);
        matches
            .rows
            .retain(|(time, _)| worst.is_none_or(|worst| order.first_at(*time) <= worst));
        matches
            .rows
            .sort_by_key(|(time, row)| (order.first_at(*time), *row));
        if let Some((last, _)) = matches.rows.get(limit - 1).copied() {
            let same = matches.rows[limit..].iter();
            let same = same.take_while(|(time, _)| *time == last).count();
            matches.rows.truncate(limit + same);
        }
        let mut total = matches.total;
        let tied = matches.tied.len();
        let mut rows = matches.tied;
        rows.extend(matches.rows);
        let ids = ids::<T>(&times.part, &rows)?;
        let after = self.query.after.map(|after| order.rank(after));
        let hits = rows.into_iter().zip(ids).enumerate();
        let mut state = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        for (place, ((time, row), id)) in hits {
            let rank = order.rank(SearchCursor { time, id });
            if place < tied {
                if after.is_some_and(|after| rank <= after) {
                    continue;
                }
                total += 1;
            }
            state.best.push(Hit {
                rank,
                id,
                part: number,
                row,
            });
            if state.best.len() > limit {
                state.best.pop();
            }
        }
        state.total += total;
        Ok(())
    }

    /// What rows are good for that come at this place or later.
    fn need(&self, best: Rank) -> Need {
        let worst = self.state().worst(limit(&self.query));
        if worst.is_none_or(|worst| best <= worst) {
            return Need::Rows;
        }
        let counted = self.cost.counted.load(Ordering::Relaxed);
        match self.query.count {
            Count::All => Need::Count,
            Count::Some if counted < COUNT_ROWS_MAX => Need::Count,
            Count::Some | Count::Page => Need::Nothing,
        }
    }

    /// Whether every row of a part matches.
    fn counts_without_reading(&self, times: &Times) -> bool {
        let SearchQuery { from, to, .. } = self.query;
        self.predicate.is_trivial()
            && matches!(times.part.place(), Place::Segment { .. })
            && from.is_none_or(|from| times.first >= from)
            && to.is_none_or(|to| times.last < to)
            && self.query.after.is_none_or(|after| match self.query.order {
                SearchOrder::Newest => times.last < after.time,
                SearchOrder::Oldest => times.first > after.time,
            })
    }

    fn is_in_time(&self, time: UnixNanos) -> bool {
        let SearchQuery { from, to, .. } = self.query;
        from.is_none_or(|from| time >= from)
            && to.is_none_or(|to| time < to)
            && self.query.after.is_none_or(|after| match self.query.order {
                SearchOrder::Newest => time <= after.time,
                SearchOrder::Oldest => time >= after.time,
            })
    }

    fn count_cost(&self, batch: &RecordBatch, need: Need) {
        let rows = batch.num_rows() as u64;
        self.cost.rows.fetch_add(rows, Ordering::Relaxed);
        if need == Need::Count {
            self.cost.counted.fetch_add(rows, Ordering::Relaxed);
        }
        self.cost
            .bytes
            .fetch_add(bytes_of(batch), Ordering::Relaxed);
    }

    fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing in here panics half way through a change.
        self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Bytes of the columns of a batch.
pub(crate) fn bytes_of(batch: &RecordBatch) -> u64 {
    let bytes = batch.columns().iter();
    let bytes = bytes.filter_map(|column| column.to_data().get_slice_memory_size().ok());
    bytes.sum::<usize>() as u64
}

/// Rows of a block that match, with their times.
#[derive(Default)]
struct Matches {
    total: u64,
    rows: Vec<(UnixNanos, u32)>,
    /// Those of the time at which this page begins: some of them were on the page before.
    tied: Vec<(UnixNanos, u32)>,
}

impl State {
    /// The last row of a page that is full.
    fn worst(&self, limit: usize) -> Option<Rank> {
        let worst = self.best.peek().filter(|_| self.best.len() >= limit);
        worst.map(|hit| hit.rank)
    }
}

impl Times {
    fn of(part: Part) -> Result<Self, ReadError> {
        let (first, last) = match part.place() {
            // A span may begin later than the newest trace does, up to when the last one ended.
            Place::Segment { segment, .. } => (segment.first, segment.last.max(segment.end)),
            Place::Buffer(chunks) => {
                let between = chunks.iter().fold(None, |between, chunk| {
                    let times = chunk.batch.column_by_name(match chunks.signal() {
                        Signal::Traces => "start",
                        Signal::Logs | Signal::Metrics => "time",
                    });
                    let times = times.and_then(|times| {
                        let times = times.as_primitive_opt::<TimestampNanosecondType>()?;
                        let first = min(times).map(i64::cast_unsigned).map(UnixNanos);
                        first.zip(max(times).map(i64::cast_unsigned).map(UnixNanos))
                    });
                    join(between, times)
                });
                between.unwrap_or_default()
            }
        };
        Ok(Times { part, first, last })
    }

    /// The best place that a row of it may have.
    fn best(&self, order: SearchOrder) -> Rank {
        match order {
            SearchOrder::Newest => order.first_at(self.last),
            SearchOrder::Oldest => order.first_at(self.first),
        }
    }
}

fn join(
    a: Option<(UnixNanos, UnixNanos)>,
    b: Option<(UnixNanos, UnixNanos)>,
) -> Option<(UnixNanos, UnixNanos)> {
    match (a, b) {
        (Some(a), Some(b)) => Some((a.0.min(b.0), a.1.max(b.1))),
        (a, b) => a.or(b),
    }
}

/// The rows of a part, so many at a time, those first that come first.
fn blocks(part: &Part, order: SearchOrder, whole: bool) -> Vec<Vec<Range<u32>>> {
    if whole {
        return vec![part.ranges()];
    }
    let mut blocks: Vec<Vec<Range<u32>>> = Vec::new();
    let mut room = 0;
    for mut range in part.ranges() {
        while !range.is_empty() {
            if room == 0 {
                blocks.push(Vec::new());
                room = SEARCH_BLOCK_ROWS;
            }
            let end = range.end.min(range.start + room);
            room -= end - range.start;
            if let Some(block) = blocks.last_mut() {
                block.push(range.start..end);
            }
            range.start = end;
        }
    }
    if order == SearchOrder::Newest {
        blocks.reverse();
    }
    blocks
}

/// What tells rows apart that are of the same time, in their order.
fn ids<T: Searched>(part: &Part, rows: &[(UnixNanos, u32)]) -> Result<Vec<RowId>, ReadError> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let mut places: Vec<u32> = rows.iter().map(|(_, row)| *row).collect();
    places.sort_unstable();
    let columns: Vec<ScanColumn> = T::ID.iter().map(|name| ScanColumn::Stored(name)).collect();
    let mut ids = Vec::with_capacity(rows.len());
    for placed in part.placed(&columns, &runs(&places))? {
        ids.extend(T::ids(&placed?.batch));
    }
    let of_row = |row: &u32| places.binary_search(row).ok().and_then(|at| ids.get(at));
    let found = rows.iter().map(|(_, row)| of_row(row).copied());
    Ok(found.map(Option::unwrap_or_default).collect())
}

/// The rows that were found, in their order.
fn read<T: Searched>(parts: &[Times], hits: &[Hit]) -> Result<Vec<T>, ReadError> {
    let mut rows: Vec<Option<T>> = Vec::new();
    rows.resize_with(hits.len(), || None);
    for (number, times) in parts.iter().enumerate() {
        let here = hits.iter().enumerate();
        let here: Vec<(usize, &Hit)> = here.filter(|(_, hit)| hit.part == number).collect();
        if here.is_empty() {
            continue;
        }
        let at: Vec<(u32, RowId)> = here.iter().map(|(_, hit)| (hit.row, hit.id)).collect();
        let read = T::read(&times.part, &at)?;
        for ((place, _), row) in here.into_iter().zip(read) {
            rows[place] = Some(row);
        }
    }
    Ok(rows.into_iter().flatten().collect())
}

fn bounds<T: Searched>(query: &SearchQuery) -> Bounds {
    let after = query.after.map(|after| after.time);
    let (newest, oldest) = match query.order {
        SearchOrder::Newest => (after, None),
        SearchOrder::Oldest => (None, after),
    };
    let to = query.to.map(|to| UnixNanos(to.0.saturating_sub(1)));
    let mut bounds = Bounds {
        from: query.from.max(oldest),
        to: to.into_iter().chain(newest).min(),
        ..Bounds::default()
    };
    bound(&query.filter, T::DATASET, &mut bounds);
    bounds
}

fn limit(query: &SearchQuery) -> usize {
    query.limit.unwrap_or(PAGE).clamp(1, PAGE_MAX)
}

pub(super) fn time_column<T: Searched>() -> &'static str {
    T::DATASET
        .column("time")
        .expect("each dataset has it")
        .stored
}

/// What one page shows unless asked otherwise.
const PAGE: usize = 50;

pub(super) const PARENT: ScanColumn = ScanColumn::Stored("parent_span_id");
