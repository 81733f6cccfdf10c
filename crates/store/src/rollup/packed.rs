//! Sums as they lie in a file: what follows from other columns is left out.
//!
//! Most rows of a small application sum up one span, whose duration is its sum, its least, its greatest
//! and its distribution. In the file of a rollup:
//!
//! ```text
//! time       ->  minute: u32           minutes since 1970
//! max_ms     ->  max_ns: i64
//! min_ms     ->  below_max_ns: i64?    max less min; not of one span
//! sum_ms     ->  rest_ns: i64?         sum less max and min; of three spans and more
//! durations  ->  buckets: binary       empty of two spans and less
//! ```
//!
//! Edges have no least and no greatest, but `sum_ns: i64`, and no buckets of one call. Buckets are
//! pairs of numbers with seven bits a byte: how far a bucket is from the one before, and how many values
//! it has. Durations are exact up to 104 days.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BinaryArray, Float64Array, Int64Array, RecordBatch, TimestampNanosecondArray,
    UInt32Array, new_null_array,
};
use arrow::datatypes::{Field, Schema, SchemaRef};
use throughline_telemetry::Histogram;

use super::MINUTE_NANOS;
use crate::batch::typed;
use crate::segment::Damage;
use crate::varint;

/// The columns that are stored as differences.
pub(super) const DELTAS: [&str; 4] = [MAX, BELOW, REST, SUM];

/// The column that is stored as it is.
pub(super) const BUCKETS: &str = "buckets";

/// Whether a file with such a column is packed.
pub(super) fn is_mark(column: &str) -> bool {
    column == MINUTE
}

/// Rows as they lie in a file.
pub(super) fn pack(rows: &RecordBatch) -> Result<RecordBatch, Damage> {
    let sums = Sums::of(rows)?;
    let mut fields: Vec<Field> = Vec::new();
    let mut columns: Vec<ArrayRef> = Vec::new();
    for (field, column) in rows.schema().fields().iter().zip(rows.columns()) {
        let mut add = |name: &str, column: ArrayRef, nullable: bool| {
            fields.push(Field::new(name, column.data_type().clone(), nullable));
            columns.push(column);
        };
        match field.name().as_str() {
            "time" => {
                let times: &TimestampNanosecondArray = typed(column, "time")?;
                let minutes = times.values().iter().map(|time| minute(*time));
                add(
                    MINUTE,
                    Arc::new(UInt32Array::from_iter_values(minutes)),
                    false,
                );
            }
            "sum_ms" => match &sums.range {
                None => {
                    let nanos = sums.sum.values().iter().map(|sum| nanos(*sum));
                    add(SUM, Arc::new(Int64Array::from_iter_values(nanos)), false);
                }
                Some((min, max)) => {
                    let of = |row: usize| [min, max].map(|column| nanos(column.value(row)));
                    let rows = || 0..sums.count.len();
                    let max = rows().map(|row| of(row)[1]);
                    add(MAX, Arc::new(Int64Array::from_iter_values(max)), false);
                    let below = rows().map(|row| {
                        let [min, max] = of(row);
                        (sums.count.value(row) > 1).then(|| max.saturating_sub(min))
                    });
                    add(BELOW, Arc::new(below.collect::<Int64Array>()), true);
                    let rest = rows().map(|row| {
                        let [min, max] = of(row);
                        let rest = nanos(sums.sum.value(row)).saturating_sub(max);
                        (sums.count.value(row) > 2).then(|| rest.saturating_sub(min))
                    });
                    add(REST, Arc::new(rest.collect::<Int64Array>()), true);
                }
            },
            "min_ms" | "max_ms" => {}
            "durations" => {
                let durations: &BinaryArray = typed(column, "durations")?;
                let buckets = (0..durations.len()).map(|row| match sums.known(row) {
                    Some(_) => Vec::new(),
                    None => packed_buckets(durations.value(row)),
                });
                add(
                    BUCKETS,
                    Arc::new(BinaryArray::from_iter_values(buckets)),
                    false,
                );
            }
            name => add(name, Arc::clone(column), field.is_nullable()),
        }
    }
    let schema = Arc::new(Schema::new(fields));
    Ok(RecordBatch::try_new(schema, columns)?)
}

/// The rows of a file with this schema. Columns that may be null are null where the file is older than they are.
pub(super) fn unpack(packed: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch, Damage> {
    let get = |name: &str| {
        let column = packed.column_by_name(name);
        column.ok_or_else(|| Damage::new(format!("no column {name}")))
    };
    let count: &Int64Array = typed(get("count")?, "count")?;
    let rows = || 0..count.len();
    let sums = if schema.column_with_name("max_ms").is_none() {
        let sum: &Int64Array = typed(get(SUM)?, SUM)?;
        Sums {
            count,
            sum: sum.values().iter().map(|sum| millis(*sum)).collect(),
            range: None,
        }
    } else {
        let max: &Int64Array = typed(get(MAX)?, MAX)?;
        let below: &Int64Array = typed(get(BELOW)?, BELOW)?;
        let rest: &Int64Array = typed(get(REST)?, REST)?;
        let max_of = |row: usize| max.value(row);
        let min_of = |row: usize| match below.is_valid(row) {
            true => max_of(row).saturating_sub(below.value(row)),
            false => max_of(row),
        };
        let sum_of = |row: usize| match count.value(row) {
            ..=1 => max_of(row),
            2 => max_of(row).saturating_add(min_of(row)),
            _ => {
                let rest = if rest.is_valid(row) {
                    rest.value(row)
                } else {
                    0
                };
                rest.saturating_add(max_of(row)).saturating_add(min_of(row))
            }
        };
        let column = |of: &dyn Fn(usize) -> i64| -> Float64Array {
            rows().map(|row| millis(of(row))).collect()
        };
        Sums {
            count,
            sum: column(&sum_of),
            range: Some((column(&min_of), column(&max_of))),
        }
    };
    let columns = schema
        .fields()
        .iter()
        .map(|field| -> Result<ArrayRef, Damage> {
            Ok(match (field.name().as_str(), &sums.range) {
                ("time", _) => {
                    let minutes: &UInt32Array = typed(get(MINUTE)?, MINUTE)?;
                    let times = minutes.values().iter().map(|minute| {
                        let time = u64::from(*minute).checked_mul(MINUTE_NANOS);
                        time.map(u64::cast_signed)
                            .ok_or_else(|| Damage::new("no such minute"))
                    });
                    let times = times.collect::<Result<Vec<i64>, Damage>>()?;
                    let times = TimestampNanosecondArray::from(times);
                    Arc::new(times.with_timezone("UTC"))
                }
                ("sum_ms", _) => Arc::new(sums.sum.clone()),
                ("min_ms", Some((min, _))) => Arc::new(min.clone()),
                ("max_ms", Some((_, max))) => Arc::new(max.clone()),
                ("durations", _) => {
                    let buckets: &BinaryArray = typed(get(BUCKETS)?, BUCKETS)?;
                    let durations = rows().map(|row| match sums.known(row) {
                        Some(histogram) => Ok(histogram.to_bytes()),
                        None => unpacked_buckets(buckets.value(row)),
                    });
                    let durations = durations.collect::<Result<Vec<_>, Damage>>()?;
                    Arc::new(BinaryArray::from_iter_values(durations))
                }
                (name, _) if field.is_nullable() => match packed.column_by_name(name) {
                    Some(column) => Arc::clone(column),
                    None => new_null_array(field.data_type(), count.len()),
                },
                (name, _) => Arc::clone(get(name)?),
            })
        });
    let columns = columns.collect::<Result<Vec<_>, Damage>>()?;
    Ok(RecordBatch::try_new(Arc::clone(schema), columns)?)
}

/// What rows sum up to.
struct Sums<'a> {
    count: &'a Int64Array,
    sum: Float64Array,
    /// Least and greatest.
    range: Option<(Float64Array, Float64Array)>,
}

impl<'a> Sums<'a> {
    fn of(rows: &'a RecordBatch) -> Result<Self, Damage> {
        let get = |name: &str| -> Result<Option<Float64Array>, Damage> {
            let column = rows.column_by_name(name);
            let column = column.map(|column| typed::<Float64Array>(column, name));
            Ok(column.transpose()?.cloned())
        };
        let needed = |name: &str| Damage::new(format!("no column {name}"));
        let count = rows.column_by_name("count");
        Ok(Sums {
            count: typed(count.ok_or_else(|| needed("count"))?, "count")?,
            sum: get("sum_ms")?.ok_or_else(|| needed("sum_ms"))?,
            range: get("min_ms")?.zip(get("max_ms")?),
        })
    }

    /// How the durations of a row are distributed, if that is known from their sum, least and greatest.
    fn known(&self, row: usize) -> Option<Histogram> {
        let mut histogram = Histogram::default();
        match (self.count.value(row), &self.range) {
            (1, _) => histogram.record(self.sum.value(row)),
            (2, Some((min, max))) => {
                histogram.record(min.value(row));
                histogram.record(max.value(row));
            }
            _ => return None,
        }
        Some(histogram)
    }
}

fn packed_buckets(histogram: &[u8]) -> Vec<u8> {
    let mut packed = Vec::with_capacity(histogram.len() / 2);
    let mut last = 0;
    for pair in histogram.as_chunks::<PAIR_BYTES>().0 {
        let bucket = u16::from_le_bytes([pair[0], pair[1]]);
        let count = u32::from_le_bytes([pair[2], pair[3], pair[4], pair[5]]);
        varint::put(&mut packed, u64::from(bucket.saturating_sub(last)));
        varint::put(&mut packed, u64::from(count));
        last = bucket;
    }
    packed
}

fn unpacked_buckets(mut packed: &[u8]) -> Result<Vec<u8>, Damage> {
    let mut histogram = Vec::with_capacity(packed.len() * 3);
    let mut last = 0_u64;
    while !packed.is_empty() {
        let pair = varint::get(&mut packed).zip(varint::get(&mut packed));
        let (step, count) = pair.ok_or_else(|| Damage::new("half a bucket"))?;
        last = last.saturating_add(step);
        let bucket = u16::try_from(last).map_err(|_| Damage::new("no such bucket"))?;
        let count = u32::try_from(count).map_err(|_| Damage::new("too much in a bucket"))?;
        histogram.extend_from_slice(&bucket.to_le_bytes());
        histogram.extend_from_slice(&count.to_le_bytes());
    }
    Ok(histogram)
}

fn minute(time: i64) -> u32 {
    let minutes = time.cast_unsigned() / MINUTE_NANOS;
    u32::try_from(minutes).expect("64 bits of nanoseconds are 29 bits of minutes")
}

#[allow(clippy::cast_possible_truncation)] // saturates, and so should it
fn nanos(millis: f64) -> i64 {
    (millis * 1e6).round() as i64
}

#[allow(clippy::cast_precision_loss)] // exact up to 104 days
fn millis(nanos: i64) -> f64 {
    nanos as f64 / 1e6
}

const MINUTE: &str = "minute";
const MAX: &str = "max_ns";
const BELOW: &str = "below_max_ns";
const REST: &str = "rest_ns";
const SUM: &str = "sum_ns";

/// Of a histogram as bytes: a bucket, and how many values it has.
const PAIR_BYTES: usize = 6;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::rollup::schema;
    use crate::rollup::schema::{About, Sums, batch};

    fn sums_of(nanos: &[i64]) -> Sums {
        let values: Vec<f64> = nanos.iter().map(|nanos| millis(*nanos)).collect();
        let mut sums = Sums {
            count: values.len().try_into().unwrap(),
            sum_ms: values.iter().sum(),
            min_ms: values.iter().copied().fold(f64::INFINITY, f64::min),
            max_ms: values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
            ..Sums::default()
        };
        values
            .iter()
            .for_each(|value| sums.durations.record(*value));
        sums
    }

    proptest! {
        #[test]
        fn rows_come_back(
            rows in proptest::collection::vec(
                (any::<u64>(), proptest::collection::vec(-5_i64..9_000_000_000_000, 1..9)),
                0..20,
            ),
        ) {
            let rows: Vec<(u64, Sums)> = rows
                .iter()
                .map(|(time, nanos)| (time - time % MINUTE_NANOS, sums_of(nanos)))
                .collect();
            let about = |minute| About { service: "shop", name: "GET /", kind: 1, status: 2, environment: Some("prod"), minute };
            let rows: Vec<_> = rows.iter().map(|(time, sums)| (about(*time), sums)).collect();
            let before = batch(&rows);
            let after = unpack(&pack(&before).unwrap(), schema()).unwrap();
            for (field, (before, after)) in
                schema().fields().iter().zip(before.columns().iter().zip(after.columns()))
            {
                if field.name() == "sum_ms" {
                    let [before, after]: [&Float64Array; 2] =
                        [before, after].map(|column| typed(column, "sum_ms").unwrap());
                    for row in 0..before.len() {
                        let (before, after) = (before.value(row), after.value(row));
                        prop_assert!((before - after).abs() <= before.abs() * 1e-12 + 1e-6);
                    }
                } else {
                    prop_assert_eq!(before, after, "{}", field.name());
                }
            }
        }
    }

    #[test]
    fn a_minute_that_no_clock_can_have_is_damage() {
        let sums = sums_of(&[1]);
        let about = About {
            service: "shop",
            name: "GET /",
            kind: 1,
            status: 2,
            environment: None,
            minute: 0,
        };
        let packed = pack(&batch(&[(about, &sums)])).unwrap();
        let mut columns = packed.columns().to_vec();
        columns[0] = Arc::new(UInt32Array::from(vec![u32::MAX]));
        let damaged = RecordBatch::try_new(packed.schema(), columns).unwrap();
        let damage = unpack(&damaged, schema()).unwrap_err();
        assert_eq!(damage.to_string(), "no such minute");
    }

    #[test]
    fn what_is_no_histogram_is_damage() {
        assert!(unpacked_buckets(&[0x80]).is_err());
        assert!(unpacked_buckets(&[1]).is_err());
        assert!(unpacked_buckets(&[0xff, 0xff, 0x7f, 1]).is_err());
        assert_eq!(unpacked_buckets(&[]).unwrap(), Vec::<u8>::new());
    }
}
