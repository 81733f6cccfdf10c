//! Totals of several rollups as one.

use arrow::array::{
    Array, BinaryArray, Float64Array, Int64Array, RecordBatch, StringArray,
    TimestampNanosecondArray, UInt8Array,
};
use throughline_telemetry::{Histogram, HistogramSum};

use super::schema::{About, ENVIRONMENT, Sums, batch};
use crate::batch::typed;
use crate::hash::HashMap;
use crate::segment::Damage;

/// The rows of several rollups with one for each service, name, kind, status and environment, and with the last of their minutes as
/// its time. None if there are more than so many.
pub(crate) fn add_up(
    rollups: &[RecordBatch],
    rows_max: usize,
) -> Result<Option<RecordBatch>, Damage> {
    let mut totals: HashMap<Key<'_>, Total> = HashMap::default();
    for rows in rollups {
        let columns = Columns::new(rows)?;
        for row in 0..rows.num_rows() {
            totals
                .entry(columns.key(row))
                .or_default()
                .add(&columns, row);
            if totals.len() > rows_max {
                return Ok(None);
            }
        }
    }
    let mut rows: Vec<(About<'_>, Sums)> = totals
        .into_iter()
        .map(|(key, total)| total.finish(key))
        .collect();
    rows.sort_unstable_by_key(|(about, _)| *about);
    let rows: Vec<_> = rows.iter().map(|(about, sums)| (*about, sums)).collect();
    Ok(Some(batch(&rows)))
}

type Key<'a> = (&'a str, &'a str, u8, u8, Option<&'a str>);

#[derive(Default)]
struct Total {
    minute: u64,
    sums: Option<Sums>,
    durations: HistogramSum,
}

impl Total {
    fn add(&mut self, columns: &Columns<'_>, row: usize) {
        self.minute = self.minute.max(columns.times[row].cast_unsigned());
        self.durations.add(columns.durations.value(row));
        let of_row = columns.sums(row);
        match &mut self.sums {
            Some(sums) => sums.merge(&of_row),
            none => *none = Some(of_row),
        }
    }

    fn finish(self, key: Key<'_>) -> (About<'_>, Sums) {
        let (service, name, kind, status, environment) = key;
        let mut sums = self.sums.unwrap_or_default();
        sums.durations = Histogram::from_bytes(&self.durations.to_bytes());
        let minute = self.minute;
        let about = About {
            service,
            name,
            kind,
            status,
            environment,
            minute,
        };
        (about, sums)
    }
}

/// In the order of [`schema`](super::schema()).
struct Columns<'a> {
    times: &'a [i64],
    services: &'a StringArray,
    names: &'a StringArray,
    kinds: &'a [u8],
    statuses: &'a [u8],
    counts: &'a [i64],
    millis: [&'a [f64]; 3],
    cold_starts: &'a [i64],
    durations: &'a BinaryArray,
    environments: &'a StringArray,
}

impl<'a> Columns<'a> {
    fn new(rows: &'a RecordBatch) -> Result<Self, Damage> {
        let millis =
            |at, name| Ok::<_, Damage>(typed::<Float64Array>(rows.column(at), name)?.values());
        Ok(Columns {
            times: typed::<TimestampNanosecondArray>(rows.column(0), "time")?.values(),
            services: typed(rows.column(1), "service")?,
            names: typed(rows.column(2), "name")?,
            kinds: typed::<UInt8Array>(rows.column(3), "kind")?.values(),
            statuses: typed::<UInt8Array>(rows.column(4), "status")?.values(),
            counts: typed::<Int64Array>(rows.column(5), "count")?.values(),
            millis: [
                millis(6, "sum_ms")?,
                millis(7, "min_ms")?,
                millis(8, "max_ms")?,
            ],
            cold_starts: typed::<Int64Array>(rows.column(9), "cold_starts")?.values(),
            durations: typed(rows.column(10), "durations")?,
            environments: typed(rows.column(11), ENVIRONMENT)?,
        })
    }

    fn key(&self, row: usize) -> Key<'a> {
        let (service, name) = (self.services.value(row), self.names.value(row));
        let has_environment = self.environments.is_valid(row);
        let environment = has_environment.then(|| self.environments.value(row));
        (
            service,
            name,
            self.kinds[row],
            self.statuses[row],
            environment,
        )
    }

    /// Less the durations.
    fn sums(&self, row: usize) -> Sums {
        let [sum_ms, min_ms, max_ms] = self.millis.map(|column| column[row]);
        Sums {
            count: self.counts[row],
            sum_ms,
            min_ms,
            max_ms,
            cold_starts: self.cold_starts[row],
            durations: Histogram::default(),
        }
    }
}
