//! Edges of a span of time, summed up over its minutes.

use std::collections::HashMap;
use std::ops::Range;

use arrow::array::{
    BinaryArray, BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray,
    TimestampNanosecondArray,
};
use throughline_telemetry::{HistogramSum, Signal, UnixNanos};

use super::file::batch;
use super::{Callee, Caller, EdgeFold, NodeKind};
use crate::batch::{concat, typed};
use crate::error::ReadError;
use crate::rollup::{minute_of, tells_environments};
use crate::scan::{Bounds, Looked, Part, Place, Scan, SumFilter};
use crate::segment::Damage;

/// What was found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EdgeList {
    /// The edges, those with the most calls first.
    pub edges: Vec<Edge>,
    /// How many there are.
    pub total: usize,
    /// The minutes that count.
    pub from: UnixNanos,
    /// When the last of them ends.
    pub to: UnixNanos,
    /// Calls that there was no room for, whoever called whom. They are an edge of their own,
    /// [`OTHER`](crate::OTHER), unless a service or function is asked for.
    pub others: u64,
    /// What was looked at.
    pub looked: Looked,
}

/// What somebody has called, and how often.
#[derive(Clone, Debug, PartialEq)]
pub struct Edge {
    /// Who called.
    pub caller: Caller,
    /// Whom.
    pub callee: Callee,
    /// What for: the name of the callee's own span, or what the caller says.
    pub operation: String,
    /// Whether nobody waits for what comes of it.
    pub is_async: bool,
    /// How many calls there were.
    pub count: u64,
    /// How many of them failed.
    pub errors: u64,
    /// How many were refused because there were too many.
    pub throttles: u64,
    /// How long they took all together, in milliseconds.
    pub sum_ms: f64,
    /// How long each took, in milliseconds.
    pub durations: HistogramSum,
    /// When the first and the last minute with a call begin, of those that count.
    pub seen: (UnixNanos, UnixNanos),
}

/// What edges are told apart by.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Key {
    caller: Caller,
    callee: Callee,
    operation: String,
    is_async: bool,
}

#[derive(Default)]
struct Sums {
    count: u64,
    errors: u64,
    throttles: u64,
    sum_ms: f64,
    durations: HistogramSum,
    seen: Option<(UnixNanos, UnixNanos)>,
}

impl Scan {
    /// What calls what, in whole minutes: from what was counted when spans were sealed, and from the spans
    /// where that was not done, or a span is elsewhere, too. Blocks on the disk.
    /// Of one environment, if it is named, are the calls that come from it, and those into it whose caller says of none.
    pub fn edges(
        &self,
        filter: &SumFilter,
        environment: Option<&str>,
    ) -> Result<EdgeList, ReadError> {
        Ok(self.read_edges(filter, environment, false)?.finish())
    }

    /// What calls what in each whole minute from the one of `from` on and before that of `to`, in any order. Blocks on
    /// the disk.
    pub(crate) fn edges_by_minute(
        &self,
        from: UnixNanos,
        to: UnixNanos,
    ) -> Result<Vec<(UnixNanos, Edge)>, ReadError> {
        let filter = SumFilter {
            from,
            to: minute_of(to),
            ..SumFilter::default()
        };
        let sums = self.read_edges(&filter, None, true)?.sums.into_iter();
        let edges = sums.map(|((minute, key), sums)| (minute, Edge::new(key, sums)));
        Ok(edges.collect())
    }

    fn read_edges<'a>(
        &self,
        filter: &'a SumFilter,
        environment: Option<&'a str>,
        by_minute: bool,
    ) -> Result<Reading<'a>, ReadError> {
        let mut reading = Reading {
            minutes: filter.minutes(),
            filter,
            environment,
            by_minute,
            sums: HashMap::new(),
            found: EdgeList::default(),
        };
        let bounds = Bounds {
            from: Some(reading.minutes.start),
            to: Some(reading.minutes.end),
            ..Bounds::default()
        };
        for part in self.parts(Signal::Traces, &bounds)? {
            reading.part(&part)?;
        }
        Ok(reading)
    }
}

struct Reading<'a> {
    filter: &'a SumFilter,
    environment: Option<&'a str>,
    minutes: Range<UnixNanos>,
    by_minute: bool,
    /// By minute and key; all minutes are the first one where they do not matter.
    sums: HashMap<(UnixNanos, Key), Sums>,
    found: EdgeList,
}

impl Reading<'_> {
    fn part(&mut self, part: &Part) -> Result<(), ReadError> {
        self.found.looked.parts += 1;
        if let Some((segment, meta)) = part.edges()
            && let Some(rows) = &*part.files().edges(segment, meta)
            && (self.environment.is_none() || tells_environments(rows))
        {
            self.found.looked.rollups += 1;
            return self.add(rows).map_err(|damage| part.damage(damage));
        }
        let mut fold = EdgeFold::default();
        let mut batches = Vec::new();
        for rows in part.whole()? {
            let rows = rows?;
            self.found.looked.at(&rows);
            match part.place() {
                // Spans of one trace come in any order.
                Place::Buffer(_) => batches.push(rows),
                Place::Segment { .. } => self.fold(&mut fold, part, &rows)?,
            }
        }
        if !batches.is_empty() {
            self.fold(&mut fold, part, &concat(Signal::Traces, &batches))?;
        }
        let added = self.add(&batch(&fold.rows()));
        added.map_err(|damage| part.damage(damage))
    }

    fn fold(&self, fold: &mut EdgeFold, part: &Part, rows: &RecordBatch) -> Result<(), ReadError> {
        let added = fold.add(rows, &[], &self.minutes);
        added.map_err(|damage| part.damage(damage))
    }

    /// Adds rows of edges.
    fn add(&mut self, rows: &RecordBatch) -> Result<(), Damage> {
        self.found.looked.at(rows);
        let columns = Columns::new(rows)?;
        for row in 0..rows.num_rows() {
            let time = UnixNanos(columns.times.value(row).cast_unsigned());
            if !self.minutes.contains(&time) {
                continue;
            }
            let key = columns.key(row);
            if key.callee.kind == NodeKind::Other {
                self.found.others += columns.counts.value(row).cast_unsigned();
            }
            let is_here = |here: &str| columns.environments.value(row) == here;
            if !key.is_asked_for(self.filter) || !self.environment.is_none_or(is_here) {
                continue;
            }
            let minute = minute_of(time);
            let of = match self.by_minute {
                true => minute,
                false => self.minutes.start,
            };
            let sums = self.sums.entry((of, key)).or_default();
            let (first, last) = sums.seen.unwrap_or((minute, minute));
            sums.seen = Some((first.min(minute), last.max(minute)));
            sums.count += columns.counts.value(row).cast_unsigned();
            sums.errors += columns.errors.value(row).cast_unsigned();
            sums.throttles += columns.throttles.value(row).cast_unsigned();
            sums.sum_ms += columns.sums.value(row);
            sums.durations.add(columns.durations.value(row));
        }
        Ok(())
    }

    fn finish(self) -> EdgeList {
        let sums = self.sums.into_iter().map(|((_, key), sums)| (key, sums));
        let mut sums: Vec<(Key, Sums)> = sums.collect();
        sums.sort_by(|(a, many), (b, more)| more.count.cmp(&many.count).then_with(|| a.cmp(b)));
        let total = sums.len();
        sums.truncate(self.filter.limit);
        let edges = sums.into_iter().map(|(key, sums)| Edge::new(key, sums));
        EdgeList {
            edges: edges.collect(),
            total,
            from: self.minutes.start,
            to: self.minutes.end,
            ..self.found
        }
    }
}

impl Edge {
    fn new(key: Key, sums: Sums) -> Self {
        Edge {
            caller: key.caller,
            callee: key.callee,
            operation: key.operation,
            is_async: key.is_async,
            count: sums.count,
            errors: sums.errors,
            throttles: sums.throttles,
            sum_ms: sums.sum_ms,
            durations: sums.durations,
            seen: sums.seen.unwrap_or_default(),
        }
    }
}

impl Key {
    fn is_asked_for(&self, filter: &SumFilter) -> bool {
        let of_service = |service: &str| {
            let called = &self.callee;
            let is_called = called.kind == NodeKind::Service && called.name == service;
            self.caller.service == service || called.service == service || is_called
        };
        let of_function = |function: &str| {
            let called = &self.callee;
            let is_called = called.kind == NodeKind::Function && called.name == function;
            self.caller.function == function || is_called
        };
        filter.service.as_deref().is_none_or(of_service)
            && filter.function.as_deref().is_none_or(of_function)
    }
}

struct Columns<'a> {
    times: &'a TimestampNanosecondArray,
    /// From the caller's service to the operation.
    texts: Vec<&'a StringArray>,
    is_async: &'a BooleanArray,
    counts: &'a Int64Array,
    errors: &'a Int64Array,
    throttles: &'a Int64Array,
    sums: &'a Float64Array,
    durations: &'a BinaryArray,
    environments: &'a StringArray,
}

impl<'a> Columns<'a> {
    fn new(rows: &'a RecordBatch) -> Result<Self, Damage> {
        let texts = (1..=6).map(|at| typed::<StringArray>(rows.column(at), "a text of an edge"));
        Ok(Columns {
            times: typed(rows.column(0), "time")?,
            texts: texts.collect::<Result<_, _>>()?,
            is_async: typed(rows.column(7), "asynchronous")?,
            counts: typed(rows.column(8), "count")?,
            errors: typed(rows.column(9), "errors")?,
            throttles: typed(rows.column(10), "throttles")?,
            sums: typed(rows.column(11), "sum_ms")?,
            durations: typed(rows.column(12), "durations")?,
            environments: typed(rows.column(13), "environment")?,
        })
    }

    fn key(&self, row: usize) -> Key {
        let text = |at: usize| self.texts[at].value(row);
        Key {
            caller: Caller {
                service: text(0).to_owned(),
                function: text(1).to_owned(),
            },
            callee: Callee {
                kind: NodeKind::named(text(2)),
                service: text(3).to_owned(),
                name: text(4).to_owned(),
            },
            operation: text(5).to_owned(),
            is_async: self.is_async.value(row),
        }
    }
}
