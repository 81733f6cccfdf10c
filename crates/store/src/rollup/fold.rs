//! Spans to the rows of a rollup.

use std::ops::Range;

use arrow::array::{
    Array, BooleanArray, Int64Array, RecordBatch, StringArray, TimestampNanosecondArray, UInt8Array,
};
use throughline_telemetry::{SpanKind, UnixNanos};

use super::schema::{About, Sums, batch};
use super::{ENVIRONMENT_KEY, MINUTE_NANOS, OTHER};
use crate::batch::typed;
use crate::hash::HashMap;
use crate::limits::{ROLLUP_ENVIRONMENTS_MAX, ROLLUP_NAMES_MAX, ROLLUP_SERVICE_NAMES_MAX};
use crate::scan::ScanColumn;
use crate::segment::{Damage, Kind, Texts, texts_of};

/// Sums up spans, in memory that is bounded by the names and minutes that there are.
#[derive(Debug, Default)]
pub(crate) struct Fold {
    services: Vec<Service>,
    by_service: HashMap<String, u32>,
    environments: Vec<String>,
    by_environment: HashMap<String, u32>,
    names: usize,
    rows: HashMap<Key, Sums>,
    spans: u32,
    others: u32,
}

#[derive(Debug, Default)]
struct Service {
    service: String,
    names: Vec<String>,
    by_name: HashMap<String, u32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Key {
    minute: u64,
    service: u32,
    name: u32,
    kind: u8,
    status: u8,
    environment: u32,
}

impl Fold {
    /// What is needed of each span.
    pub(crate) fn columns() -> Vec<ScanColumn> {
        let mut columns = STORED.map(ScanColumn::Stored).to_vec();
        for (key, kind) in [(COLD_START, Kind::Bool), (ENVIRONMENT_KEY, Kind::String)] {
            let key = key.to_owned();
            columns.push(ScanColumn::Attribute { key, kind });
        }
        columns
    }

    /// Adds spans of which none is a copy of another, with the [`columns`](Self::columns), those that
    /// began in one of these times.
    pub(crate) fn add(
        &mut self,
        batch: &RecordBatch,
        times: &[Range<UnixNanos>],
    ) -> Result<(), Damage> {
        let within = |start: u64| times.iter().any(|times| times.contains(&UnixNanos(start)));
        self.rows(batch, |_, start| within(start))
    }

    /// Adds spans with the [`columns`](Self::columns), but those at these places, which are in order.
    pub(super) fn add_without(
        &mut self,
        batch: &RecordBatch,
        left_out: &[usize],
    ) -> Result<(), Damage> {
        self.rows(batch, |row, _| left_out.binary_search(&row).is_err())
    }

    /// How many spans were counted.
    pub(crate) fn spans(&self) -> u32 {
        self.spans
    }

    /// How many of them have lost their names or environments.
    pub(crate) fn others(&self) -> u32 {
        self.others
    }

    /// The rollup, by service, name, kind, status, environment and minute.
    pub(crate) fn finish(&self) -> RecordBatch {
        batch(&self.sorted())
    }

    /// The rollup and its [`Grain::Totals`].
    pub(super) fn finish_both(&self) -> (RecordBatch, RecordBatch) {
        let rows = self.sorted();
        let same = |one: &(About<'_>, &Sums), other: &(About<'_>, &Sums)| {
            one.0.without_minute() == other.0.without_minute()
        };
        let totals: Vec<(About<'_>, Sums)> = rows
            .chunk_by(same)
            .map(|rows| {
                let mut total = rows[0].1.clone();
                rows[1..].iter().for_each(|(_, sums)| total.merge(sums));
                (rows[rows.len() - 1].0, total)
            })
            .collect();
        let totals: Vec<_> = totals.iter().map(|(about, sums)| (*about, sums)).collect();
        (batch(&rows), batch(&totals))
    }

    fn sorted(&self) -> Vec<(About<'_>, &Sums)> {
        let mut rows: Vec<(About<'_>, &Sums)> = Vec::with_capacity(self.rows.len());
        rows.extend(self.rows.iter().map(|(key, sums)| {
            let service = &self.services[key.service as usize];
            let about = About {
                service: &service.service,
                name: &service.names[key.name as usize],
                kind: key.kind,
                status: key.status,
                environment: Some(&self.environments[key.environment as usize]),
                minute: key.minute,
            };
            (about, sums)
        }));
        rows.sort_unstable_by_key(|(about, _)| *about);
        rows
    }

    fn rows(
        &mut self,
        batch: &RecordBatch,
        counts: impl Fn(usize, u64) -> bool,
    ) -> Result<(), Damage> {
        let columns = Columns::new(batch)?;
        let mut services = vec![None; columns.services.distinct().len()];
        let mut last: Option<(usize, &str, (u32, u32))> = None;
        let mut last_environment: Option<(&str, u32)> = None;
        for row in 0..batch.num_rows() {
            let start = columns.starts[row].cast_unsigned();
            if !counts(row, start) {
                continue;
            }
            let (code, name) = (columns.services.code(row), columns.names.value(row));
            // Spans of one trace are beside each other, and many have the name of the one before.
            let (service, name) = match last {
                Some((last_code, last_name, ids)) if (last_code, last_name) == (code, name) => ids,
                _ => {
                    let service = match services[code] {
                        Some(service) => service,
                        None => *services[code].insert(self.service(columns.services.value(row))),
                    };
                    let ids = self.name(service, name);
                    last = Some((code, name, ids));
                    ids
                }
            };
            let environment = columns.environment(row);
            let environment = match last_environment {
                Some((last, id)) if last == environment => id,
                _ => {
                    last_environment
                        .insert((environment, self.environment(environment)))
                        .1
                }
            };
            let kind = columns.kinds[row];
            let key = Key {
                minute: start - start % MINUTE_NANOS,
                service,
                name,
                kind,
                status: columns.statuses[row],
                environment,
            };
            #[allow(clippy::cast_precision_loss)] // exact up to 104 days
            let millis = columns.durations[row] as f64 / 1e6;
            let is_cold = kind == SpanKind::Server as u8
                && columns.cold.is_valid(row)
                && columns.cold.value(row);
            self.spans += 1;
            let is_other = self.services[service as usize].names[name as usize] == OTHER
                || self.environments[environment as usize] == OTHER;
            self.others += u32::from(is_other);
            self.rows.entry(key).or_default().add(millis, is_cold);
        }
        Ok(())
    }

    fn environment(&mut self, environment: &str) -> u32 {
        if let Some(known) = self.by_environment.get(environment) {
            return *known;
        }
        let has_room = self.environments.len() < ROLLUP_ENVIRONMENTS_MAX;
        let environment = if has_room { environment } else { OTHER };
        if let Some(known) = self.by_environment.get(environment) {
            return *known;
        }
        let id = number(self.environments.len());
        self.environments.push(environment.to_owned());
        self.by_environment.insert(environment.to_owned(), id);
        id
    }

    fn service(&mut self, service: &str) -> u32 {
        if let Some(known) = self.by_service.get(service) {
            return *known;
        }
        let service = if self.names < ROLLUP_NAMES_MAX {
            service
        } else {
            OTHER
        };
        if let Some(known) = self.by_service.get(service) {
            return *known;
        }
        let id = number(self.services.len());
        self.services.push(Service {
            service: service.to_owned(),
            ..Service::default()
        });
        self.by_service.insert(service.to_owned(), id);
        id
    }

    /// The numbers of a name and its service.
    fn name(&mut self, service: u32, name: &str) -> (u32, u32) {
        let of = &mut self.services[service as usize];
        if let Some(known) = of.by_name.get(name) {
            return (service, *known);
        }
        let has_room = of.names.len() < ROLLUP_SERVICE_NAMES_MAX && self.names < ROLLUP_NAMES_MAX;
        let name = if has_room && of.service != OTHER {
            name
        } else {
            OTHER
        };
        if let Some(known) = of.by_name.get(name) {
            return (service, *known);
        }
        let id = number(of.names.len());
        of.names.push(name.to_owned());
        of.by_name.insert(name.to_owned(), id);
        self.names += 1;
        (service, id)
    }
}

impl Sums {
    fn add(&mut self, millis: f64, is_cold: bool) {
        let is_first = self.count == 0;
        self.min_ms = if is_first {
            millis
        } else {
            self.min_ms.min(millis)
        };
        self.max_ms = if is_first {
            millis
        } else {
            self.max_ms.max(millis)
        };
        self.count += 1;
        self.sum_ms += millis;
        self.cold_starts += i64::from(is_cold);
        self.durations.record(millis);
    }

    /// Neither of them is of nothing.
    pub(super) fn merge(&mut self, other: &Sums) {
        self.count += other.count;
        self.sum_ms += other.sum_ms;
        self.min_ms = self.min_ms.min(other.min_ms);
        self.max_ms = self.max_ms.max(other.max_ms);
        self.cold_starts += other.cold_starts;
        self.durations.merge(&other.durations);
    }
}

struct Columns<'a> {
    starts: &'a [i64],
    durations: &'a [i64],
    kinds: &'a [u8],
    statuses: &'a [u8],
    names: &'a StringArray,
    services: Texts<'a>,
    cold: &'a BooleanArray,
    environments: &'a StringArray,
}

impl<'a> Columns<'a> {
    fn new(batch: &'a RecordBatch) -> Result<Self, Damage> {
        let column = |at: usize| batch.column(at);
        Ok(Columns {
            starts: typed::<TimestampNanosecondArray>(column(0), STORED[0])?.values(),
            durations: typed::<Int64Array>(column(1), STORED[1])?.values(),
            kinds: typed::<UInt8Array>(column(2), STORED[2])?.values(),
            statuses: typed::<UInt8Array>(column(3), STORED[3])?.values(),
            names: typed(column(4), STORED[4])?,
            services: texts_of(column(5), STORED[5])?,
            cold: typed(column(6), COLD_START)?,
            environments: typed(column(7), ENVIRONMENT_KEY)?,
        })
    }

    /// Empty where there is none.
    fn environment(&self, row: usize) -> &'a str {
        let is_there = self.environments.is_valid(row);
        if is_there {
            self.environments.value(row)
        } else {
            ""
        }
    }
}

fn number(len: usize) -> u32 {
    u32::try_from(len).expect("names are limited")
}

const STORED: [&str; 6] = ["start", "duration", "kind", "status", "name", "service"];
const COLD_START: &str = "faas.coldstart";

#[cfg(test)]
mod tests;
