//! What spans sum up to by the minute: read from rollups where they say all, and summed up on the spot
//! where they do not.

use std::collections::BTreeMap;
use std::ops::Range;

use arrow::array::{BooleanArray, RecordBatch, TimestampNanosecondArray};
use arrow::compute::filter_record_batch;
use throughline_telemetry::{Signal, UnixNanos};

use super::{Bounds, Part, Scan};
use crate::error::ReadError;
use crate::limits::ADDED_UP_NANOS;
use crate::rollup::{Fold, Grain, RollupMeta, minute_from, minute_of, schema, tells_environments};

/// Rows of a rollup: `time` (a minute), `service`, `name`, `kind`, `status`, `count`, `sum_ms`,
/// `min_ms`, `max_ms`, `cold_starts`, `durations`, `environment` (empty where spans say none). What is asked about may
/// be in several rows.
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

/// What matters of the rows of a rollup, besides their time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Apart {
    /// Services and names: none is under [`OTHER`](crate::OTHER).
    pub names: bool,
    /// Environments: none is under [`OTHER`](crate::OTHER), and none is null.
    pub environments: bool,
}

impl Scan {
    /// What the spans sum up to that began from `bounds.from` up to before `bounds.to`, both of which must be there
    /// for the edges to be exact. Times matter in steps of `step_nanos` since 1970, whole minutes; not at all where there
    /// is none. Spans that were sent twice count once. Stops with what it has when `is_wanted` says no. Blocks on the
    /// disk.
    pub fn rolled_up(
        &self,
        bounds: &Bounds,
        step_nanos: Option<u64>,
        apart: Apart,
        is_wanted: &dyn Fn() -> bool,
    ) -> Result<RolledUp, ReadError> {
        let times = bounds.from.unwrap_or_default()..bounds.to.unwrap_or(UnixNanos(u64::MAX));
        let rolling = Rolling::new(self, times, step_nanos, apart);
        self.roll(rolling, bounds, is_wanted)
    }

    /// The same of all times in `bounds` as one, and where only counts matter: durations may be left out.
    pub(crate) fn counted(&self, bounds: &Bounds) -> Result<RolledUp, ReadError> {
        let times = bounds.from.unwrap_or_default()..bounds.to.unwrap_or(UnixNanos(u64::MAX));
        let mut rolling = Rolling::new(self, times, None, Apart::default());
        rolling.totals = Grain::Counts;
        self.roll(rolling, bounds, &|| true)
    }

    fn roll(
        &self,
        mut rolling: Rolling<'_>,
        bounds: &Bounds,
        is_wanted: &dyn Fn() -> bool,
    ) -> Result<RolledUp, ReadError> {
        let parts = self.parts(Signal::Traces, bounds)?;
        for (time, parts) in rolling.by_time(&parts) {
            if !is_wanted() {
                break;
            }
            let at_once = time.is_some_and(|time| rolling.at_once(&time, &parts));
            let one_by_one = parts.iter().filter(|_| !at_once);
            for part in one_by_one.take_while(|_| is_wanted()) {
                rolling.part(part)?;
            }
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
    apart: Apart,
    /// What is read of a rollup whose minutes do not matter.
    totals: Grain,
    fold: Fold,
    found: RolledUp,
}

impl<'a> Rolling<'a> {
    fn new(scan: &'a Scan, times: Range<UnixNanos>, step_nanos: Option<u64>, apart: Apart) -> Self {
        let minutes = minute_from(times.start)..minute_of(times.end);
        Rolling {
            scan,
            times,
            minutes,
            step_nanos,
            apart,
            totals: Grain::Totals,
            fold: Fold::default(),
            found: RolledUp::default(),
        }
    }

    /// Parts, by the time of which all is asked about, the newest first; those of no such time last.
    fn by_time<'p>(&self, parts: &'p [Part]) -> Vec<(Option<Range<UnixNanos>>, Vec<&'p Part>)> {
        let mut by_time: BTreeMap<_, Vec<&Part>> = BTreeMap::new();
        for part in parts {
            let time = self.rollup_of(part).and_then(|rollup| self.time_of(rollup));
            by_time.entry(time).or_default().push(part);
        }
        let newest_first = by_time.into_iter().rev();
        let ranges = newest_first.map(|(time, parts)| (time.map(|(start, end)| start..end), parts));
        ranges.collect()
    }

    /// The longest of the times that rollups are added up over, if all of it is asked about and minutes do not matter
    /// in it.
    fn time_of(&self, rollup: &RollupMeta) -> Option<(UnixNanos, UnixNanos)> {
        let times = ADDED_UP_NANOS.iter().map(|nanos| {
            let start = rollup.first.0 - rollup.first.0 % nanos;
            (UnixNanos(start), UnixNanos(start.saturating_add(*nanos)))
        });
        let is_one = |start: UnixNanos, end: UnixNanos| {
            let last = end.0 - 1;
            self.step_nanos
                .is_none_or(|step| start.0 / step == last / step)
        };
        let mut usable = times.filter(|(start, end)| {
            let is_whole = self.minutes.start <= *start && *end <= self.minutes.end;
            is_whole && rollup.last < *end && is_one(*start, *end)
        });
        usable.next()
    }

    /// Takes the rollups of a time as one. Whether that could be done.
    fn at_once(&mut self, time: &Range<UnixNanos>, parts: &[&Part]) -> bool {
        let rollups: Vec<&RollupMeta> = parts.iter().filter_map(|part| part.rollup()).collect();
        let files = &self.scan.shared.files;
        if rollups.len() < 2 {
            return false;
        }
        let Some(rows) = files.added_up(time, &rollups, self.totals) else {
            return false;
        };
        if !self.tells(&rows) {
            return false;
        }
        self.count(&rows);
        self.found.parts += parts.len() as u64 - 1;
        self.found.rollups += parts.len() as u64;
        self.found.batches.push(rows);
        true
    }

    /// The rollup of a part, if it says what is asked for.
    fn rollup_of<'p>(&self, part: &'p Part) -> Option<&'p RollupMeta> {
        let rollup = part.rollup();
        let is_whole = |rollup: &&RollupMeta| rollup.others == 0;
        let may_lack = !self.apart.names && !self.apart.environments;
        rollup.filter(|rollup| may_lack || is_whole(rollup))
    }

    /// Whether rows tell apart what matters.
    fn tells(&self, rows: &RecordBatch) -> bool {
        !self.apart.environments || tells_environments(rows)
    }

    fn part(&mut self, part: &Part) -> Result<(), ReadError> {
        let rollup = self.rollup_of(part);
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
            self.totals
        } else {
            Grain::Minutes
        };
        let loaded = self.scan.shared.files.rollup(rollup, grain);
        let Some(rows) = (*loaded).as_ref().filter(|rows| self.tells(rows)) else {
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

#[cfg(test)]
mod tests;
