//! The tables that can be asked, and the columns that each of their rows has: the same names and the
//! same values for a search, a query and SQL.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, DictionaryArray, Int64Array, StringArray, StringBuilder, UInt8Array,
};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type, Int8Type, Int64Type, TimeUnit, UInt8Type};
use arrow::error::ArrowError;
use serde::{Deserialize, Serialize};
use throughline_telemetry::Signal;

use crate::segment::Kind;

/// What is asked.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Dataset {
    /// Spans.
    #[default]
    Spans,
    /// Log records.
    Logs,
    /// Metric points.
    Metrics,
}

impl Dataset {
    /// All of them.
    pub const ALL: [Dataset; 3] = [Dataset::Spans, Dataset::Logs, Dataset::Metrics];

    /// The name of its table.
    pub fn name(self) -> &'static str {
        match self {
            Dataset::Spans => "spans",
            Dataset::Logs => "logs",
            Dataset::Metrics => "metrics",
        }
    }

    /// The columns that each row has. Attributes come on top, by their keys.
    pub fn columns(self) -> &'static [Intrinsic] {
        match self {
            Dataset::Spans => SPANS,
            Dataset::Logs => LOGS,
            Dataset::Metrics => METRICS,
        }
    }

    /// What its rows are.
    pub fn signal(self) -> Signal {
        match self {
            Dataset::Spans => Signal::Traces,
            Dataset::Logs => Signal::Logs,
            Dataset::Metrics => Signal::Metrics,
        }
    }

    /// One of its columns.
    pub fn column(self, name: &str) -> Option<&'static Intrinsic> {
        self.columns().iter().find(|column| column.name == name)
    }
}

/// A column that each row of a dataset has.
#[derive(Debug)]
pub struct Intrinsic {
    /// Its name in queries.
    pub name: &'static str,
    /// What it means, and its unit.
    pub meaning: &'static str,
    /// How it is made.
    pub shape: Shape,
    /// The column of the store that it is made from.
    pub stored: &'static str,
}

/// How a column of the store becomes one of a query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Nanoseconds since 1970.
    Time,
    /// Text.
    Text,
    /// Bytes as lower-case hex, which is how everything else writes ids.
    Hex,
    /// 64 bits.
    Int,
    /// 64 bits.
    Double,
    /// True or false.
    Bool,
    /// Nanoseconds as milliseconds.
    Millis,
    /// A number that stands for one of these texts.
    OneOf(&'static [&'static str]),
}

impl Shape {
    /// Of attributes of this kind, which are read as it.
    pub fn of(kind: Kind) -> Self {
        match kind {
            Kind::String => Shape::Text,
            Kind::Int => Shape::Int,
            Kind::Double => Shape::Double,
            Kind::Bool => Shape::Bool,
        }
    }

    /// What Arrow calls it.
    pub fn data_type(self) -> DataType {
        match self {
            Shape::Time => DataType::Timestamp(TimeUnit::Nanosecond, Some("UTC".into())),
            Shape::Text | Shape::Hex => DataType::Utf8,
            Shape::Int => DataType::Int64,
            Shape::Double | Shape::Millis => DataType::Float64,
            Shape::Bool => DataType::Boolean,
            Shape::OneOf(_) => {
                DataType::Dictionary(Box::new(DataType::Int8), Box::new(DataType::Utf8))
            }
        }
    }

    /// Turns what the store has into what a query sees.
    pub fn make(self, stored: &ArrayRef) -> Result<ArrayRef, ArrowError> {
        Ok(match self {
            Shape::Time | Shape::Text | Shape::Int | Shape::Double | Shape::Bool => {
                if stored.data_type() == &self.data_type() {
                    Arc::clone(stored)
                } else {
                    cast(stored, &self.data_type())?
                }
            }
            Shape::Hex => hex(stored),
            Shape::Millis => {
                let nanos = cast(stored, &DataType::Int64)?;
                let nanos: &Int64Array = nanos.as_primitive::<Int64Type>();
                #[allow(clippy::cast_precision_loss)] // exact up to 104 days
                let millis = nanos.unary::<_, Float64Type>(|nanos| nanos as f64 / 1e6);
                Arc::new(millis)
            }
            Shape::OneOf(names) => {
                let numbers: &UInt8Array = stored.as_primitive::<UInt8Type>();
                let last = i8::try_from(names.len() - 1).expect("a handful of names");
                let keys = numbers.unary::<_, Int8Type>(|number| {
                    i8::try_from(number).map_or(last, |number| number.min(last))
                });
                let names = Arc::new(StringArray::from_iter_values(names.iter()));
                Arc::new(DictionaryArray::<Int8Type>::try_new(keys, names)?)
            }
        })
    }
}

fn hex(stored: &ArrayRef) -> ArrayRef {
    let ids = stored.as_fixed_size_binary();
    let width = usize::try_from(ids.value_length()).unwrap_or_default();
    let mut texts = StringBuilder::with_capacity(ids.len(), ids.len() * width * 2);
    let mut text = String::with_capacity(width * 2);
    for id in ids {
        match id {
            None => texts.append_null(),
            Some(id) => {
                text.clear();
                for byte in id {
                    text.push(char::from(HEX[usize::from(byte >> 4)]));
                    text.push(char::from(HEX[usize::from(byte & 15)]));
                }
                texts.append_value(&text);
            }
        }
    }
    Arc::new(texts.finish())
}

const HEX: &[u8; 16] = b"0123456789abcdef";

const fn column(
    name: &'static str,
    stored: &'static str,
    shape: Shape,
    meaning: &'static str,
) -> Intrinsic {
    Intrinsic {
        name,
        meaning,
        shape,
        stored,
    }
}

const KINDS: &[&str] = &[
    "unspecified",
    "internal",
    "server",
    "client",
    "producer",
    "consumer",
];
const STATUSES: &[&str] = &["unset", "ok", "error"];
const METRIC_KINDS: &[&str] = &[
    "unknown",
    "gauge",
    "sum",
    "histogram",
    "exponential_histogram",
    "summary",
];

const SPANS: &[Intrinsic] = &[
    column("time", "start", Shape::Time, "when the span began"),
    column(
        "duration_ms",
        "duration",
        Shape::Millis,
        "how long it took, in milliseconds",
    ),
    column(
        "service",
        "service",
        Shape::Text,
        "the resource's service.name",
    ),
    column("name", "name", Shape::Text, "the operation"),
    column(
        "kind",
        "kind",
        Shape::OneOf(KINDS),
        "internal, server, client, producer or consumer",
    ),
    column(
        "status",
        "status",
        Shape::OneOf(STATUSES),
        "unset, ok or error",
    ),
    column(
        "status_message",
        "status_message",
        Shape::Text,
        "what the status says besides",
    ),
    column("trace_id", "trace_id", Shape::Hex, "32 hex digits"),
    column("span_id", "span_id", Shape::Hex, "16 hex digits"),
    column(
        "parent_span_id",
        "parent_span_id",
        Shape::Hex,
        "16 hex digits, null for a root",
    ),
    column(
        "scope",
        "scope_name",
        Shape::Text,
        "the library that made it",
    ),
];

const LOGS: &[Intrinsic] = &[
    column(
        "time",
        "time",
        Shape::Time,
        "when it was written, or received if it does not say",
    ),
    column(
        "severity",
        "severity_text",
        Shape::Text,
        "as it was written",
    ),
    column(
        "severity_number",
        "severity_number",
        Shape::Int,
        "1 to 24: 9 is INFO, 17 is ERROR",
    ),
    column(
        "body",
        "body",
        Shape::Text,
        "the line; JSON if it is no text",
    ),
    column(
        "service",
        "service",
        Shape::Text,
        "the resource's service.name",
    ),
    column(
        "trace_id",
        "trace_id",
        Shape::Hex,
        "32 hex digits, null without a trace",
    ),
    column(
        "span_id",
        "span_id",
        Shape::Hex,
        "16 hex digits, null without a span",
    ),
    column(
        "event_name",
        "event_name",
        Shape::Text,
        "what kind of event it is",
    ),
    column("scope", "scope_name", Shape::Text, "the library or logger"),
];

const METRICS: &[Intrinsic] = &[
    column("time", "time", Shape::Time, "when it was measured"),
    column(
        "start_time",
        "start",
        Shape::Time,
        "since when a sum counts",
    ),
    column("name", "name", Shape::Text, "the metric"),
    column("unit", "unit", Shape::Text, "its unit, as UCUM writes it"),
    column(
        "kind",
        "kind",
        Shape::OneOf(METRIC_KINDS),
        "gauge, sum, histogram and so on",
    ),
    column(
        "value",
        "value",
        Shape::Double,
        "the value; the sum of a histogram",
    ),
    column(
        "count",
        "count",
        Shape::Int,
        "how many values a histogram has",
    ),
    column(
        "service",
        "service",
        Shape::Text,
        "the resource's service.name",
    ),
    column("scope", "scope_name", Shape::Text, "the library"),
];
