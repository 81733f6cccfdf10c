//! The columns of canonical batches.

use std::sync::{Arc, LazyLock};

use arrow::datatypes::{DataType, Field, Fields, Schema, SchemaRef, TimeUnit};
use throughline_telemetry::Signal;

/// The schema of the canonical batches of a signal.
pub(crate) fn schema(signal: Signal) -> &'static SchemaRef {
    match signal {
        Signal::Traces => &SPANS,
        Signal::Logs => &LOGS,
        Signal::Metrics => &METRICS,
    }
}

static SPANS: LazyLock<SchemaRef> = LazyLock::new(|| {
    Arc::new(Schema::new(vec![
        required("trace_id", DataType::FixedSizeBinary(16)),
        required("span_id", DataType::FixedSizeBinary(8)),
        Field::new("parent_span_id", DataType::FixedSizeBinary(8), true),
        required("trace_state", DataType::Utf8),
        required("name", DataType::Utf8),
        required("kind", DataType::UInt8),
        required("start", timestamp()),
        required("duration", DataType::Int64),
        required("status", DataType::UInt8),
        required("status_message", DataType::Utf8),
        required("service", dictionary()),
        required("resource", dictionary()),
        required("scope_name", dictionary()),
        required("scope_version", dictionary()),
        required("attributes", attributes()),
        required("events", list_of(DataType::Struct(event_fields().clone()))),
        required("links", list_of(DataType::Struct(link_fields().clone()))),
    ]))
});

static LOGS: LazyLock<SchemaRef> = LazyLock::new(|| {
    Arc::new(Schema::new(vec![
        // The record's own time, or when it was received: what it is sorted and found by.
        required("time", timestamp()),
        // Generation and place in it: unique in the store. Zero until a buffer has the rows.
        required("sequence", DataType::UInt64),
        // What the record itself says, less `time`.
        required("own_time_offset", DataType::Int64),
        required("observed_time_offset", DataType::Int64),
        required("severity_number", DataType::UInt8),
        required("severity_text", DataType::Utf8),
        required("body_type", DataType::UInt8),
        required("body", DataType::Utf8),
        Field::new("trace_id", DataType::FixedSizeBinary(16), true),
        Field::new("span_id", DataType::FixedSizeBinary(8), true),
        required("event_name", DataType::Utf8),
        required("service", dictionary()),
        required("resource", dictionary()),
        required("scope_name", dictionary()),
        required("scope_version", dictionary()),
        required("attributes", attributes()),
    ]))
});

static METRICS: LazyLock<SchemaRef> = LazyLock::new(|| {
    Arc::new(Schema::new(vec![
        required("name", DataType::Utf8),
        required("unit", DataType::Utf8),
        required("kind", DataType::UInt8),
        required("time", timestamp()),
        required("start", timestamp()),
        required("value", DataType::Float64),
        required("count", DataType::UInt64),
        required("service", dictionary()),
        required("resource", dictionary()),
        required("scope_name", dictionary()),
        required("scope_version", dictionary()),
        required("attributes", attributes()),
        // The whole OTLP metric with this point only: what the other columns leave out.
        required("otlp", DataType::Binary),
    ]))
});

/// The fields of one attribute.
pub(crate) fn attribute_fields() -> &'static Fields {
    static FIELDS: LazyLock<Fields> = LazyLock::new(|| {
        Fields::from(vec![
            required("key", dictionary()),
            required("type", DataType::UInt8),
            required("value", DataType::Utf8),
        ])
    });
    &FIELDS
}

/// The fields of one event of a span.
pub(crate) fn event_fields() -> &'static Fields {
    static FIELDS: LazyLock<Fields> = LazyLock::new(|| {
        Fields::from(vec![
            required("time", timestamp()),
            required("name", DataType::Utf8),
            required("attributes", attributes()),
        ])
    });
    &FIELDS
}

/// The fields of one link of a span.
pub(crate) fn link_fields() -> &'static Fields {
    static FIELDS: LazyLock<Fields> = LazyLock::new(|| {
        Fields::from(vec![
            required("trace_id", DataType::FixedSizeBinary(16)),
            required("span_id", DataType::FixedSizeBinary(8)),
            required("trace_state", DataType::Utf8),
            required("attributes", attributes()),
        ])
    });
    &FIELDS
}

/// A column that has a value in each row.
fn required(name: &str, data_type: DataType) -> Field {
    Field::new(name, data_type, false)
}

fn timestamp() -> DataType {
    DataType::Timestamp(TimeUnit::Nanosecond, Some("UTC".into()))
}

fn dictionary() -> DataType {
    DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8))
}

fn attributes() -> DataType {
    list_of(DataType::Struct(attribute_fields().clone()))
}

fn list_of(item: DataType) -> DataType {
    DataType::List(Arc::new(required("item", item)))
}
