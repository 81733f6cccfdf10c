//! The columns of a rollup.

use std::sync::{Arc, LazyLock};

use arrow::array::{
    Array, ArrayRef, BinaryArray, Float64Array, Int64Array, RecordBatch, StringArray,
    TimestampNanosecondArray, UInt8Array,
};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};

/// One row, less what it is about.
#[derive(Clone, Debug, Default)]
pub(super) struct Sums {
    pub(super) count: i64,
    pub(super) sum_ms: f64,
    pub(super) min_ms: f64,
    pub(super) max_ms: f64,
    pub(super) cold_starts: i64,
    pub(super) durations: throughline_telemetry::Histogram,
}

/// What a row is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct About<'a> {
    pub(super) service: &'a str,
    pub(super) name: &'a str,
    pub(super) kind: u8,
    pub(super) status: u8,
    /// Empty where spans say none; none in what was summed up before environments were told apart.
    pub(super) environment: Option<&'a str>,
    pub(super) minute: u64,
}

impl<'a> About<'a> {
    /// What [`Grain::Totals`](super::Grain::Totals) tell apart.
    pub(super) fn without_minute(&self) -> Self {
        About { minute: 0, ..*self }
    }
}

/// The schema of a rollup.
pub(crate) fn schema() -> &'static SchemaRef {
    static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| {
        let required = |name: &str, data_type| Field::new(name, data_type, false);
        let time = DataType::Timestamp(TimeUnit::Nanosecond, Some("UTC".into()));
        Arc::new(Schema::new(vec![
            // When the minute begins.
            required("time", time),
            required("service", DataType::Utf8),
            required("name", DataType::Utf8),
            required("kind", DataType::UInt8),
            required("status", DataType::UInt8),
            required("count", DataType::Int64),
            required("sum_ms", DataType::Float64),
            required("min_ms", DataType::Float64),
            required("max_ms", DataType::Float64),
            // Server spans with `faas.coldstart`.
            required("cold_starts", DataType::Int64),
            // `throughline_telemetry::Histogram`, as bytes.
            required("durations", DataType::Binary),
            environment_field(),
        ]))
    });
    &SCHEMA
}

/// The `deployment.environment.name` of the resource, empty where there is none; null in files of before it was kept.
pub(crate) fn environment_field() -> Field {
    Field::new(ENVIRONMENT, DataType::Utf8, true)
}

/// Whether rows of sums say of which environments they are.
pub(crate) fn tells_environments(rows: &RecordBatch) -> bool {
    let column = rows.column_by_name(ENVIRONMENT);
    column.is_some_and(|column| column.null_count() == 0)
}

/// The column of environments.
pub(crate) const ENVIRONMENT: &str = "environment";

/// Rows as a batch.
pub(super) fn batch(rows: &[(About<'_>, &Sums)]) -> RecordBatch {
    let times = rows
        .iter()
        .map(|(about, _)| Some(about.minute.cast_signed()));
    let times = times.collect::<TimestampNanosecondArray>();
    let services = rows.iter().map(|(about, _)| about.service);
    let names = rows.iter().map(|(about, _)| about.name);
    let numbers = |of: fn(&Sums) -> i64| -> ArrayRef {
        Arc::new(
            rows.iter()
                .map(|(_, sums)| of(sums))
                .collect::<Int64Array>(),
        )
    };
    let millis = |of: fn(&Sums) -> f64| -> ArrayRef {
        let millis = rows.iter().map(|(_, sums)| of(sums));
        Arc::new(Float64Array::from_iter_values(millis))
    };
    let bytes = |of: fn(&About<'_>) -> u8| -> ArrayRef {
        let bytes = rows.iter().map(|(about, _)| of(about));
        Arc::new(UInt8Array::from_iter_values(bytes))
    };
    let durations = rows.iter().map(|(_, sums)| sums.durations.to_bytes());
    let environments = rows.iter().map(|(about, _)| about.environment);
    let columns: Vec<ArrayRef> = vec![
        Arc::new(times.with_timezone("UTC")),
        Arc::new(StringArray::from_iter_values(services)),
        Arc::new(StringArray::from_iter_values(names)),
        bytes(|about| about.kind),
        bytes(|about| about.status),
        numbers(|sums| sums.count),
        millis(|sums| sums.sum_ms),
        millis(|sums| sums.min_ms),
        millis(|sums| sums.max_ms),
        numbers(|sums| sums.cold_starts),
        Arc::new(BinaryArray::from_iter_values(durations)),
        Arc::new(environments.collect::<StringArray>()),
    ];
    RecordBatch::try_new(Arc::clone(schema()), columns)
        .expect("the columns are built to the schema")
}
