//! Log records to costs.

use std::collections::BTreeMap;
use std::io;
use std::ops::Range;

use arrow::array::{Array, Float64Array, RecordBatch, StringArray, TimestampNanosecondArray};
use throughline_telemetry::UnixNanos;

use super::COST;
use crate::batch::typed;
use crate::edges::Caller;
use crate::limits::COSTS_MAX;
use crate::rollup::{OTHER, minute_of};
use crate::scan::{ScanColumn, Shaper};
use crate::segment::{Damage, Kind, Projected, attribute_lists, texts_of};

/// Sums up costs, in memory that is bounded by the limit.
#[derive(Debug, Default)]
pub(crate) struct CostFold(BTreeMap<(Caller, UnixNanos), Sums>);

/// What is summed up.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Sums {
    pub(super) reports: i64,
    pub(super) usd: f64,
}

impl CostFold {
    /// What is needed of each record.
    pub(crate) fn columns() -> Vec<ScanColumn> {
        let attribute = |key: &str, kind| ScanColumn::Attribute {
            key: key.to_owned(),
            kind,
        };
        vec![
            ScanColumn::Stored("time"),
            ScanColumn::Stored("service"),
            attribute("faas.name", Kind::String),
            attribute(COST, Kind::Double),
        ]
    }

    /// Adds records with the [`columns`](Self::columns), those of these times.
    pub(crate) fn add(
        &mut self,
        batch: &RecordBatch,
        times: &Range<UnixNanos>,
    ) -> Result<(), Damage> {
        let at: &TimestampNanosecondArray = typed(batch.column(0), "time")?;
        let services = texts_of(batch.column(1), "service")?;
        let functions: &StringArray = typed(batch.column(2), "faas.name")?;
        let costs: &Float64Array = typed(batch.column(3), COST)?;
        for row in (0..batch.num_rows()).filter(|row| costs.is_valid(*row)) {
            let time = UnixNanos(at.value(row).cast_unsigned());
            if !times.contains(&time) {
                continue;
            }
            let function = functions.is_valid(row).then(|| functions.value(row));
            let who = Caller {
                service: services.value(row).to_owned(),
                function: function.unwrap_or_default().to_owned(),
            };
            let sums = self.of(who, minute_of(time));
            sums.reports += 1;
            sums.usd += costs.value(row);
        }
        Ok(())
    }

    /// By function and minute.
    pub(super) fn rows(&self) -> impl ExactSizeIterator<Item = (&Caller, UnixNanos, Sums)> + Clone {
        let rows = self.0.iter();
        rows.map(|((who, minute), sums)| (who, *minute, *sums))
    }

    fn of(&mut self, who: Caller, minute: UnixNanos) -> &mut Sums {
        let key = (who, minute);
        if self.0.len() < COSTS_MAX || self.0.contains_key(&key) {
            return self.0.entry(key).or_default();
        }
        let other = Caller {
            service: OTHER.to_owned(),
            function: String::new(),
        };
        self.0.entry((other, minute)).or_default()
    }
}

/// Everything that is summed up of log records while they are written.
pub(crate) struct LogSums {
    shaper: Shaper,
    pub(crate) costs: CostFold,
}

impl LogSums {
    pub(crate) fn new() -> Self {
        LogSums {
            shaper: Shaper::new(&CostFold::columns()),
            costs: CostFold::default(),
        }
    }

    /// Adds a canonical batch.
    pub(crate) fn add(&mut self, canonical: &RecordBatch) -> io::Result<()> {
        if !has_costs(canonical).map_err(io::Error::other)? {
            return Ok(());
        }
        let rows = Projected::of_canonical(canonical.clone());
        let columns = self.shaper.shape(&rows, None).map_err(io::Error::other)?;
        let added = self.costs.add(&columns, &ALWAYS);
        added.map_err(io::Error::other)
    }
}

/// Whether any record may say a cost: most batches of those who run no functions have none.
fn has_costs(canonical: &RecordBatch) -> Result<bool, Damage> {
    let column = canonical.column_by_name("attributes");
    let column = column.ok_or_else(|| Damage::new("no column attributes"))?;
    let lists = attribute_lists(column)?;
    Ok(lists.keys.distinct().any(|key| key == COST))
}

const ALWAYS: Range<UnixNanos> = UnixNanos(0)..UnixNanos(u64::MAX);
