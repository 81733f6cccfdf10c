//! The columns of an exported file.

use std::sync::{Arc, LazyLock};

use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use throughline_telemetry::Signal;

/// The columns of a signal.
pub(super) fn schema(signal: Signal) -> &'static SchemaRef {
    match signal {
        Signal::Traces => &SPANS,
        Signal::Logs => &LOGS,
        Signal::Metrics => &METRICS,
    }
}

static SPANS: LazyLock<SchemaRef> = LazyLock::new(|| {
    let mut fields = vec![
        always("time", timestamp()),
        always("end_time", timestamp()),
        always("duration_ns", DataType::Int64),
        always("trace_id", DataType::Utf8),
        always("span_id", DataType::Utf8),
        maybe("parent_span_id", DataType::Utf8),
        maybe("trace_state", DataType::Utf8),
        always("name", DataType::Utf8),
        always("kind", DataType::Utf8),
        always("status", DataType::Utf8),
        maybe("status_message", DataType::Utf8),
    ];
    fields.extend(owner());
    fields.extend(["events", "links"].map(|name| maybe(name, DataType::Utf8)));
    Arc::new(Schema::new(fields))
});

static LOGS: LazyLock<SchemaRef> = LazyLock::new(|| {
    let mut fields = vec![
        always("time", timestamp()),
        maybe("observed_time", timestamp()),
        always("severity_number", DataType::UInt8),
        maybe("severity", DataType::Utf8),
        always("body", DataType::Utf8),
        maybe("trace_id", DataType::Utf8),
        maybe("span_id", DataType::Utf8),
        maybe("event_name", DataType::Utf8),
    ];
    fields.extend(owner());
    Arc::new(Schema::new(fields))
});

static METRICS: LazyLock<SchemaRef> = LazyLock::new(|| {
    let mut fields = vec![
        always("time", timestamp()),
        maybe("start_time", timestamp()),
        always("name", DataType::Utf8),
        maybe("unit", DataType::Utf8),
        always("kind", DataType::Utf8),
        always("value", DataType::Float64),
        always("count", DataType::UInt64),
    ];
    fields.extend(owner());
    fields.push(always("otlp", DataType::Binary));
    Arc::new(Schema::new(fields))
});

/// Who a row is from, and its attributes.
fn owner() -> [Field; 5] {
    [
        maybe("service", DataType::Utf8),
        maybe("scope", DataType::Utf8),
        maybe("scope_version", DataType::Utf8),
        always("resource", map()),
        always("attributes", map()),
    ]
}

/// The item of a map.
pub(super) fn entry() -> Field {
    let fields = vec![
        always("key", DataType::Utf8),
        maybe("value", DataType::Utf8),
    ];
    always("key_value", DataType::Struct(fields.into()))
}

fn map() -> DataType {
    DataType::Map(Arc::new(entry()), false)
}

pub(super) fn timestamp() -> DataType {
    DataType::Timestamp(TimeUnit::Nanosecond, Some("UTC".into()))
}

fn always(name: &str, data_type: DataType) -> Field {
    Field::new(name, data_type, false)
}

fn maybe(name: &str, data_type: DataType) -> Field {
    Field::new(name, data_type, true)
}
