//! What services do: their spans by name and kind, summed up.

use std::collections::HashMap;
use std::path::Path;

use arrow::array::{
    BinaryArray, Float64Array, Int64Array, RecordBatch, StringArray, TimestampNanosecondArray,
    UInt8Array,
};
use throughline_telemetry::{HistogramSum, SpanKind, SpanStatus, UnixNanos};

use super::{Apart, Bounds, Looked, RolledUp, Scan};
use crate::batch::typed;
use crate::error::ReadError;
use crate::rollup::{MINUTE_NANOS, minute_of};
use crate::segment::Damage;

/// Which operations are asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OperationFilter {
    /// Spans that began then or later.
    pub from: UnixNanos,
    /// Spans that began before then.
    pub to: UnixNanos,
    /// Only those of this service.
    pub service: Option<String>,
    /// Only spans whose resource has this `deployment.environment.name`.
    pub environment: Option<String>,
    /// At most so many.
    pub limit: usize,
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OperationList {
    /// The operations, those with the most spans first.
    pub operations: Vec<OperationRow>,
    /// How many there are.
    pub total: usize,
    /// What was looked at.
    pub looked: Looked,
}

/// The spans of a service that have one name and one kind.
#[derive(Clone, Debug, PartialEq)]
pub struct OperationRow {
    /// Whose.
    pub service: String,
    /// Their name.
    pub name: String,
    /// Their kind.
    pub kind: SpanKind,
    /// How many there are.
    pub count: u64,
    /// How many of them failed.
    pub errors: u64,
    /// How many of them were cold starts.
    pub cold_starts: u64,
    /// How long they took all together, in milliseconds.
    pub sum_ms: f64,
    /// How long each took, in milliseconds.
    pub durations: HistogramSum,
}

/// Service, name and kind.
type Key = (String, String, SpanKind);

/// By minute and key; all minutes are one where they do not matter.
type Sums = HashMap<(UnixNanos, Key), OperationRow>;

impl Scan {
    /// What services do. Each span counts once, wherever it is. Blocks on the disk.
    pub fn operations(&self, filter: &OperationFilter) -> Result<OperationList, ReadError> {
        let bounds = Bounds {
            from: Some(filter.from),
            to: Some(filter.to),
            service: filter.service.clone(),
            ..Bounds::default()
        };
        let apart = Apart {
            names: true,
            environments: filter.environment.is_some(),
        };
        let rolled = self.rolled_up(&bounds, None, apart, &|| true)?;
        let only = Only {
            service: filter.service.as_deref(),
            environment: filter.environment.as_deref(),
        };
        let sums = sum_up(&rolled, only, Minutes::AsOne)?;
        let mut operations: Vec<OperationRow> = sums.into_values().collect();
        let about = |row: &OperationRow| (row.service.clone(), row.name.clone(), row.kind as u8);
        operations.sort_by_cached_key(|row| (u64::MAX - row.count, about(row)));
        let total = operations.len();
        operations.truncate(filter.limit);
        Ok(OperationList {
            operations,
            total,
            looked: Looked {
                parts: rolled.parts,
                rollups: rolled.rollups,
                rows: rolled.rows,
                bytes: rolled.bytes,
            },
        })
    }
}

impl Scan {
    /// What services do in each whole minute from the one of `from` on and before that of `to`, in any order. Blocks
    /// on the disk.
    pub(super) fn operations_by_minute(
        &self,
        from: UnixNanos,
        to: UnixNanos,
    ) -> Result<Vec<(UnixNanos, OperationRow)>, ReadError> {
        let bounds = Bounds {
            from: Some(minute_of(from)),
            to: Some(minute_of(to)),
            ..Bounds::default()
        };
        let apart = Apart {
            names: true,
            environments: false,
        };
        let rolled = self.rolled_up(&bounds, Some(MINUTE_NANOS), apart, &|| true)?;
        let sums = sum_up(&rolled, Only::default(), Minutes::Apart)?;
        let rows = sums.into_iter().map(|((minute, _), row)| (minute, row));
        Ok(rows.collect())
    }
}

/// Whether minutes are told apart.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Minutes {
    Apart,
    AsOne,
}

/// Whose rows count.
#[derive(Clone, Copy, Default)]
struct Only<'a> {
    service: Option<&'a str>,
    environment: Option<&'a str>,
}

fn sum_up(rolled: &RolledUp, only: Only<'_>, minutes: Minutes) -> Result<Sums, ReadError> {
    let mut sums = Sums::new();
    for batch in &rolled.batches {
        let added = add(&mut sums, only, minutes, batch);
        added.map_err(|damage| ReadError::corrupt(Path::new("a rollup"), damage))?;
    }
    Ok(sums)
}

fn add(
    sums: &mut Sums,
    only: Only<'_>,
    minutes: Minutes,
    rows: &RecordBatch,
) -> Result<(), Damage> {
    let column = |name: &str| {
        let column = rows.column_by_name(name);
        column.ok_or_else(|| Damage::new(format!("no column {name}")))
    };
    let times: &TimestampNanosecondArray = typed(column("time")?, "time")?;
    let services: &StringArray = typed(column("service")?, "service")?;
    let names: &StringArray = typed(column("name")?, "name")?;
    let kinds: &UInt8Array = typed(column("kind")?, "kind")?;
    let statuses: &UInt8Array = typed(column("status")?, "status")?;
    let counts: &Int64Array = typed(column("count")?, "count")?;
    let cold: &Int64Array = typed(column("cold_starts")?, "cold_starts")?;
    let millis: &Float64Array = typed(column("sum_ms")?, "sum_ms")?;
    let durations: &BinaryArray = typed(column("durations")?, "durations")?;
    let environments: &StringArray = typed(column("environment")?, "environment")?;
    let is_elsewhere =
        |row: usize| (only.environment).is_some_and(|only| only != environments.value(row));
    for row in 0..rows.num_rows() {
        let (service, name) = (services.value(row), names.value(row));
        if only.service.is_some_and(|only| only != service) || is_elsewhere(row) {
            continue;
        }
        let minute = match minutes {
            Minutes::Apart => minute_of(UnixNanos(times.value(row).cast_unsigned())),
            Minutes::AsOne => UnixNanos::default(),
        };
        let kind = SpanKind::from_number(i32::from(kinds.value(row)));
        let key = (service.to_owned(), name.to_owned(), kind);
        let sum = sums.entry((minute, key)).or_insert_with(|| OperationRow {
            service: service.to_owned(),
            name: name.to_owned(),
            kind,
            count: 0,
            errors: 0,
            cold_starts: 0,
            sum_ms: 0.0,
            durations: HistogramSum::default(),
        });
        let count = counts.value(row).cast_unsigned();
        sum.count += count;
        if statuses.value(row) == SpanStatus::Error as u8 {
            sum.errors += count;
        }
        sum.cold_starts += cold.value(row).cast_unsigned();
        sum.sum_ms += millis.value(row);
        sum.durations.add(durations.value(row));
    }
    Ok(())
}
