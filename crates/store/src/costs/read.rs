//! Costs of a span of time, summed up over its minutes.

use std::collections::BTreeMap;
use std::ops::Range;

use arrow::array::{Float64Array, Int64Array, RecordBatch, StringArray, TimestampNanosecondArray};
use throughline_telemetry::{Signal, UnixNanos};

use super::CostFold;
use super::file::batch;
use crate::batch::typed;
use crate::edges::Caller;
use crate::error::ReadError;
use crate::scan::{Bounds, Looked, Part, Scan, SumFilter};
use crate::segment::Damage;

/// What was found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CostList {
    /// The functions, those that cost most first.
    pub functions: Vec<FunctionCost>,
    /// How many there are.
    pub total: usize,
    /// What all of them cost.
    pub usd: f64,
    /// The minutes that count.
    pub from: UnixNanos,
    /// When the last of them ends.
    pub to: UnixNanos,
    /// What was looked at.
    pub looked: Looked,
}

/// What a function is estimated to have cost.
#[derive(Clone, Debug, PartialEq)]
pub struct FunctionCost {
    /// Which.
    pub function: Caller,
    /// Reports that said what their invocations cost.
    pub reports: u64,
    /// All together, in US dollars.
    pub usd: f64,
}

impl Scan {
    /// What functions are estimated to have cost, in whole minutes: from what was summed up when log records
    /// were sealed, and from the records where that was not done. Blocks on the disk.
    pub fn costs(&self, filter: &SumFilter) -> Result<CostList, ReadError> {
        let mut reading = Reading {
            minutes: filter.minutes(),
            filter,
            sums: BTreeMap::new(),
            found: CostList::default(),
        };
        let bounds = Bounds {
            from: Some(reading.minutes.start),
            to: Some(reading.minutes.end),
            service: filter.service.clone(),
            ..Bounds::default()
        };
        for part in self.parts(Signal::Logs, &bounds)? {
            reading.part(&part)?;
        }
        Ok(reading.finish())
    }
}

struct Reading<'a> {
    filter: &'a SumFilter,
    minutes: Range<UnixNanos>,
    sums: BTreeMap<Caller, (u64, f64)>,
    found: CostList,
}

impl Reading<'_> {
    fn part(&mut self, part: &Part) -> Result<(), ReadError> {
        self.found.looked.parts += 1;
        if let Some((segment, meta)) = part.costs()
            && let Some(rows) = &*part.files().costs(segment, meta)
        {
            self.found.looked.rollups += 1;
            return self.add(rows).map_err(|damage| part.damage(damage));
        }
        let mut fold = CostFold::default();
        for rows in part.read(&CostFold::columns())? {
            let rows = rows?;
            self.found.looked.at(&rows);
            let added = fold.add(&rows, &self.minutes);
            added.map_err(|damage| part.damage(damage))?;
        }
        let added = self.add(&batch(&fold));
        added.map_err(|damage| part.damage(damage))
    }

    /// Adds rows of costs.
    fn add(&mut self, rows: &RecordBatch) -> Result<(), Damage> {
        self.found.looked.at(rows);
        let times: &TimestampNanosecondArray = typed(rows.column(0), "time")?;
        let services: &StringArray = typed(rows.column(1), "service")?;
        let functions: &StringArray = typed(rows.column(2), "function")?;
        let reports: &Int64Array = typed(rows.column(3), "reports")?;
        let usd: &Float64Array = typed(rows.column(4), "usd")?;
        let wanted =
            |only: &Option<String>, name: &str| only.as_deref().is_none_or(|it| it == name);
        for row in 0..rows.num_rows() {
            let time = UnixNanos(times.value(row).cast_unsigned());
            let who = Caller {
                service: services.value(row).to_owned(),
                function: functions.value(row).to_owned(),
            };
            let is_asked_for = self.minutes.contains(&time)
                && wanted(&self.filter.service, &who.service)
                && wanted(&self.filter.function, &who.function);
            if is_asked_for {
                let sums = self.sums.entry(who).or_default();
                sums.0 += reports.value(row).cast_unsigned();
                sums.1 += usd.value(row);
            }
        }
        Ok(())
    }

    fn finish(self) -> CostList {
        let functions = self
            .sums
            .into_iter()
            .map(|(function, (reports, usd))| FunctionCost {
                function,
                reports,
                usd,
            });
        let mut functions: Vec<FunctionCost> = functions.collect();
        let usd = functions.iter().map(|function| function.usd).sum();
        functions.sort_by(|a, b| b.usd.total_cmp(&a.usd));
        let total = functions.len();
        functions.truncate(self.filter.limit);
        CostList {
            functions,
            total,
            usd,
            from: self.minutes.start,
            to: self.minutes.end,
            ..self.found
        }
    }
}
