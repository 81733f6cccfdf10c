//! What spans sum up to by the minute: read from rollups where they say all, and summed up on the spot
//! where they do not.

use std::ops::Range;

use arrow::array::{BooleanArray, RecordBatch, TimestampNanosecondArray};
use arrow::compute::filter_record_batch;
use throughline_telemetry::{Signal, UnixNanos};

use super::{Bounds, Part, Scan};
use crate::error::ReadError;
use crate::rollup::{Fold, Grain, RollupMeta, minute_from, minute_of, schema};

/// Rows of a rollup: `time` (a minute), `service`, `name`, `kind`, `status`, `count`, `sum_ms`,
/// `min_ms`, `max_ms`, `cold_starts`, `durations`. What is asked about may be in several rows.
#[derive(Clone, Debug, Default)]
pub struct RolledUp {
    /// The rows.
    pub batches: Vec<RecordBatch>,
    /// Segments and buffers that were read, and rollups.
    pub parts: u64,
    /// Rows that were looked at, of rollups and of spans.
    pub rows: u64,
    /// Bytes of columns, unpacked, that were looked at.
    pub bytes: u64,
    /// Rollups that were read.
    pub rollups: u64,
}

impl Scan {
    /// What the spans sum up to that began from `bounds.from` up to before `bounds.to`, both of which must be there
    /// for the edges to be exact. Times matter in steps of `step_nanos` since 1970, whole minutes; not at all where there
    /// is none. Spans that were sent twice count once. Where names matter (`is_named`),
    /// none is under [`OTHER`](crate::OTHER). Stops with what it has when `is_wanted` says no. Blocks on the
    /// disk.
    pub fn rolled_up(
        &self,
        bounds: &Bounds,
        step_nanos: Option<u64>,
        is_named: bool,
        is_wanted: &dyn Fn() -> bool,
    ) -> Result<RolledUp, ReadError> {
        let times = bounds.from.unwrap_or_default()..bounds.to.unwrap_or(UnixNanos(u64::MAX));
        let mut rolling = Rolling::new(self, times, step_nanos);
        for part in self.parts(Signal::Traces, bounds)? {
            if !is_wanted() {
                break;
            }
            rolling.part(&part, is_named)?;
        }
        Ok(rolling.finish())
    }
}

struct Rolling<'a> {
    scan: &'a Scan,
    times: Range<UnixNanos>,
    /// The whole minutes in them.
    minutes: Range<UnixNanos>,
    step_nanos: Option<u64>,
    fold: Fold,
    found: RolledUp,
}

impl<'a> Rolling<'a> {
    fn new(scan: &'a Scan, times: Range<UnixNanos>, step_nanos: Option<u64>) -> Self {
        let minutes = minute_from(times.start)..minute_of(times.end);
        Rolling {
            scan,
            times,
            minutes,
            step_nanos,
            fold: Fold::default(),
            found: RolledUp::default(),
        }
    }

    fn part(&mut self, part: &Part, is_named: bool) -> Result<(), ReadError> {
        let rollup = part
            .rollup()
            .filter(|rollup| !is_named || rollup.others == 0);
        let usable = rollup.is_some_and(|rollup| !self.minutes.is_empty() && self.rollup(rollup));
        let edges = match (usable, rollup) {
            (true, Some(rollup)) => self.edges(rollup),
            _ => vec![self.times.clone()],
        };
        if !edges.is_empty() {
            self.rows(part, &edges)?;
        }
        Ok(())
    }

    /// Takes the whole minutes of a rollup. Whether it could be read.
    fn rollup(&mut self, rollup: &RollupMeta) -> bool {
        let minutes = self.minutes.clone();
        if rollup.last < minutes.start || rollup.first >= minutes.end {
            return true;
        }
        let is_whole = minutes.contains(&rollup.first) && minutes.contains(&rollup.last);
        let is_one = |step: u64| rollup.first.0 / step == rollup.last.0 / step;
        let grain = if is_whole && self.step_nanos.is_none_or(is_one) {
            Grain::Totals
        } else {
            Grain::Minutes
        };
        let loaded = self.scan.shared.files.rollup(rollup, grain);
        let Some(rows) = &*loaded else {
            return false;
        };
        self.count(rows);
        self.found.rollups += 1;
        let rows = if is_whole {
            rows.clone()
        } else {
            within(rows, &minutes)
        };
        self.found.batches.push(rows);
        true
    }

    /// The times at the edges in which a segment may have rows.
    fn edges(&self, rollup: &RollupMeta) -> Vec<Range<UnixNanos>> {
        let Range { start, end } = self.times;
        let edges = [start..self.minutes.start, self.minutes.end..end];
        let has = |edge: &Range<UnixNanos>| {
            let minute = minute_of(edge.start);
            !edge.is_empty() && rollup.first <= minute && minute <= rollup.last
        };
        edges.into_iter().filter(has).collect()
    }

    fn rows(&mut self, part: &Part, times: &[Range<UnixNanos>]) -> Result<(), ReadError> {
        self.found.parts += 1;
        for batch in part.read(&Fold::columns())? {
            let batch = batch?;
            self.found.rows += batch.num_rows() as u64;
            self.found.bytes += batch.get_array_memory_size() as u64;
            let added = self.fold.add(&batch, times);
            added.map_err(|damage| part.damage(damage))?;
        }
        Ok(())
    }

    fn count(&mut self, rows: &RecordBatch) {
        self.found.parts += 1;
        self.found.rows += rows.num_rows() as u64;
        self.found.bytes += rows.get_array_memory_size() as u64;
    }

    fn finish(mut self) -> RolledUp {
        let summed = self.fold.finish();
        if summed.num_rows() > 0 || self.found.batches.is_empty() {
            self.found.batches.push(summed);
        }
        debug_assert!(
            self.found
                .batches
                .iter()
                .all(|batch| batch.schema() == *schema())
        );
        self.found
    }
}

/// The rows of these minutes.
fn within(rows: &RecordBatch, minutes: &Range<UnixNanos>) -> RecordBatch {
    let times = rows
        .column(0)
        .as_any()
        .downcast_ref::<TimestampNanosecondArray>();
    let times = times.expect("a rollup has the schema of rollups").values();
    let kept = times
        .iter()
        .map(|time| minutes.contains(&UnixNanos(time.cast_unsigned())));
    let kept: BooleanArray = kept.map(Some).collect();
    filter_record_batch(rows, &kept).expect("there is a truth for each row")
}
