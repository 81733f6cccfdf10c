//! The order that rows have in a file.

use arrow::array::{RecordBatch, UInt32Array};
use arrow::compute::take_record_batch;
use throughline_telemetry::{Signal, TraceId, UnixNanos};

use super::{LogRows, PointRows, SpanRows};
use crate::hash::HashMap;
use crate::segment::Damage;

/// A canonical batch in the order of a file.
#[derive(Clone, Debug)]
pub(crate) struct Sorted {
    pub(crate) batch: RecordBatch,
    /// Of each row what the file is cut into windows by, ascending: the start of its trace, or the
    /// time of the record or point.
    pub(crate) times: Vec<UnixNanos>,
}

/// Sorts a canonical batch: spans by start of their trace, trace id and own start; log records by
/// time and sequence; metric points by time. What is equal stays in the order received, so that of
/// two spans with one id the one received last stays the last.
pub(crate) fn sort(signal: Signal, batch: &RecordBatch) -> Result<Sorted, Damage> {
    match signal {
        Signal::Traces => spans(batch),
        Signal::Logs => {
            let rows = LogRows::new(batch)?;
            by_key(
                batch,
                rows.len(),
                |row| (rows.time(row), rows.sequence(row)),
                |key| key.0,
            )
        }
        Signal::Metrics => {
            let rows = PointRows::new(batch)?;
            by_key(batch, rows.len(), |row| rows.time(row), |key| key)
        }
    }
}

/// Sorts the metric points of a window as a file has them: by name, and then by time.
pub(crate) fn by_name(batch: &RecordBatch) -> Result<RecordBatch, Damage> {
    let rows = PointRows::new(batch)?;
    let key = |row: usize| (rows.name(row), rows.time(row));
    let sorted = by_key(batch, rows.len(), key, |key| key.1)?;
    Ok(sorted.batch)
}

fn spans(batch: &RecordBatch) -> Result<Sorted, Damage> {
    let rows = SpanRows::new(batch)?;
    let ids = (0..rows.len()).map(|row| rows.trace_id(row));
    let ids = ids.collect::<Result<Vec<TraceId>, Damage>>()?;
    let mut starts: HashMap<TraceId, UnixNanos> = HashMap::default();
    for (row, id) in ids.iter().enumerate() {
        let start = starts.entry(*id).or_insert(rows.start(row));
        *start = rows.start(row).min(*start);
    }
    let key = |row: usize| (starts[&ids[row]], ids[row], rows.start(row));
    by_key(batch, rows.len(), key, |key| key.0)
}

fn by_key<K: Ord + Copy>(
    batch: &RecordBatch,
    rows: usize,
    key: impl Fn(usize) -> K,
    time: impl Fn(K) -> UnixNanos,
) -> Result<Sorted, Damage> {
    let mut keyed: Vec<(K, u32)> = (0..rows)
        .map(|row| {
            (
                key(row),
                u32::try_from(row).expect("a buffer has fewer than 2^32 rows"),
            )
        })
        .collect();
    if !keyed.is_sorted() {
        keyed.sort_unstable(); // stable, because the rows are part of what is sorted
    }
    let places = UInt32Array::from_iter_values(keyed.iter().map(|(_, row)| *row));
    Ok(Sorted {
        batch: take_record_batch(batch, &places)?,
        times: keyed.into_iter().map(|(key, _)| time(key)).collect(),
    })
}
