//! The messages of OTLP: their fields' names, numbers and kinds, from `opentelemetry-proto` 1.10,
//! and what each takes in memory.

use crate::model::Signal;
use crate::wire::otlp::{common, logs, metrics, resource, trace};

/// A message.
#[derive(Debug)]
pub(crate) struct Message {
    /// Of its type.
    path: &'static str,
    /// What it takes in memory, without what it points to.
    pub(crate) bytes: usize,
    pub(crate) fields: &'static [Field],
}

/// A field of a message.
#[derive(Debug)]
pub(crate) struct Field {
    /// In JSON.
    pub(crate) name: &'static str,
    pub(crate) number: u32,
    pub(crate) kind: Kind,
    pub(crate) is_repeated: bool,
}

/// What a field holds.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    Message(&'static Message),
    Text,
    /// Bytes, written as hexadecimal digits.
    Hex,
    /// Bytes, written as base64.
    Base64,
    Bool,
    Double,
    Fixed32,
    Fixed64,
    Signed64,
    Uint32,
    Uint64,
    Int32,
    Int64,
    Sint32,
}

impl Kind {
    pub(super) fn name(self) -> &'static str {
        match self {
            Kind::Message(message) => message.name(),
            Kind::Text => "text",
            Kind::Hex => "hexadecimal text",
            Kind::Base64 => "base64 text",
            Kind::Bool => "true or false",
            Kind::Double => "a number",
            Kind::Fixed32 | Kind::Uint32 => "an integer of 32 bits, not below 0",
            Kind::Fixed64 | Kind::Uint64 => "an integer of 64 bits, not below 0",
            Kind::Int32 | Kind::Sint32 => "an integer of 32 bits",
            Kind::Signed64 | Kind::Int64 => "an integer of 64 bits",
        }
    }
}

impl Message {
    /// As OTLP calls it.
    pub(crate) fn name(&self) -> &'static str {
        self.path.rsplit("::").next().unwrap_or(self.path).trim()
    }

    /// The field of this name, as JSON or as protobuf spells it.
    pub(super) fn field(&self, name: &str) -> Option<&Field> {
        let is_it = |field: &&Field| field.name == name || is_spelling(name, field.name);
        self.fields.iter().find(is_it)
    }
}

/// Whether `snake_case` is another spelling of `camelCase`.
fn is_spelling(snake: &str, camel: &str) -> bool {
    let mut snake = snake.bytes();
    let same = camel.bytes().all(|byte| match byte.is_ascii_uppercase() {
        true => snake.next() == Some(b'_') && snake.next() == Some(byte.to_ascii_lowercase()),
        false => snake.next() == Some(byte),
    });
    same && snake.next().is_none()
}

/// The export request of a signal.
pub(crate) fn request(signal: Signal) -> &'static Message {
    match signal {
        Signal::Traces => &TRACES,
        Signal::Logs => &LOGS,
        Signal::Metrics => &METRICS,
    }
}

/// `name number kind`, where a kind behind `*` is repeated and `[MESSAGE]` is another message.
macro_rules! messages {
    ($($message:ident $type:ty { $($fields:tt)* })*) => {
        $(pub(crate) static $message: Message = Message {
            path: stringify!($type),
            bytes: size_of::<$type>(),
            fields: messages!(@ [] $($fields)*),
        };)*
    };
    (@ [$($done:tt)*]) => { &[$($done)*] };
    (@ [$($done:tt)*] $name:ident $number:literal * [$of:ident], $($rest:tt)*) => {
        messages!(@ [$($done)* messages!(# $name $number Kind::Message(&$of), true),] $($rest)*)
    };
    (@ [$($done:tt)*] $name:ident $number:literal [$of:ident], $($rest:tt)*) => {
        messages!(@ [$($done)* messages!(# $name $number Kind::Message(&$of), false),] $($rest)*)
    };
    (@ [$($done:tt)*] $name:ident $number:literal * $kind:ident, $($rest:tt)*) => {
        messages!(@ [$($done)* messages!(# $name $number Kind::$kind, true),] $($rest)*)
    };
    (@ [$($done:tt)*] $name:ident $number:literal $kind:ident, $($rest:tt)*) => {
        messages!(@ [$($done)* messages!(# $name $number Kind::$kind, false),] $($rest)*)
    };
    (# $name:ident $number:literal $kind:expr, $is_repeated:literal) => {
        Field { name: stringify!($name), number: $number, kind: $kind, is_repeated: $is_repeated }
    };
}

messages! {
    ANY_VALUE common::v1::AnyValue {
        stringValue 1 Text, boolValue 2 Bool, intValue 3 Int64, doubleValue 4 Double,
        arrayValue 5 [ARRAY_VALUE], kvlistValue 6 [KEY_VALUE_LIST], bytesValue 7 Base64,
    }
    ARRAY_VALUE common::v1::ArrayValue { values 1 *[ANY_VALUE], }
    KEY_VALUE_LIST common::v1::KeyValueList { values 1 *[KEY_VALUE], }
    KEY_VALUE common::v1::KeyValue { key 1 Text, value 2 [ANY_VALUE], }
    SCOPE common::v1::InstrumentationScope {
        name 1 Text, version 2 Text, attributes 3 *[KEY_VALUE], droppedAttributesCount 4 Uint32,
    }
    ENTITY_REF common::v1::EntityRef {
        schemaUrl 1 Text, type 2 Text, idKeys 3 *Text, descriptionKeys 4 *Text,
    }
    RESOURCE resource::v1::Resource {
        attributes 1 *[KEY_VALUE], droppedAttributesCount 2 Uint32, entityRefs 3 *[ENTITY_REF],
    }

    TRACES trace::v1::TracesData { resourceSpans 1 *[RESOURCE_SPANS], }
    RESOURCE_SPANS trace::v1::ResourceSpans {
        resource 1 [RESOURCE], scopeSpans 2 *[SCOPE_SPANS], schemaUrl 3 Text,
    }
    SCOPE_SPANS trace::v1::ScopeSpans { scope 1 [SCOPE], spans 2 *[SPAN], schemaUrl 3 Text, }
    SPAN trace::v1::Span {
        traceId 1 Hex, spanId 2 Hex, traceState 3 Text, parentSpanId 4 Hex, name 5 Text, kind 6 Int32,
        startTimeUnixNano 7 Fixed64, endTimeUnixNano 8 Fixed64, attributes 9 *[KEY_VALUE],
        droppedAttributesCount 10 Uint32, events 11 *[SPAN_EVENT], droppedEventsCount 12 Uint32,
        links 13 *[SPAN_LINK], droppedLinksCount 14 Uint32, status 15 [STATUS], flags 16 Fixed32,
    }
    SPAN_EVENT trace::v1::span::Event {
        timeUnixNano 1 Fixed64, name 2 Text, attributes 3 *[KEY_VALUE], droppedAttributesCount 4 Uint32,
    }
    SPAN_LINK trace::v1::span::Link {
        traceId 1 Hex, spanId 2 Hex, traceState 3 Text, attributes 4 *[KEY_VALUE],
        droppedAttributesCount 5 Uint32, flags 6 Fixed32,
    }
    STATUS trace::v1::Status { message 2 Text, code 3 Int32, }

    LOGS logs::v1::LogsData { resourceLogs 1 *[RESOURCE_LOGS], }
    RESOURCE_LOGS logs::v1::ResourceLogs {
        resource 1 [RESOURCE], scopeLogs 2 *[SCOPE_LOGS], schemaUrl 3 Text,
    }
    SCOPE_LOGS logs::v1::ScopeLogs { scope 1 [SCOPE], logRecords 2 *[LOG_RECORD], schemaUrl 3 Text, }
    LOG_RECORD logs::v1::LogRecord {
        timeUnixNano 1 Fixed64, severityNumber 2 Int32, severityText 3 Text, body 5 [ANY_VALUE],
        attributes 6 *[KEY_VALUE], droppedAttributesCount 7 Uint32, flags 8 Fixed32, traceId 9 Hex,
        spanId 10 Hex, observedTimeUnixNano 11 Fixed64, eventName 12 Text,
    }

    METRICS metrics::v1::MetricsData { resourceMetrics 1 *[RESOURCE_METRICS], }
    RESOURCE_METRICS metrics::v1::ResourceMetrics {
        resource 1 [RESOURCE], scopeMetrics 2 *[SCOPE_METRICS], schemaUrl 3 Text,
    }
    SCOPE_METRICS metrics::v1::ScopeMetrics {
        scope 1 [SCOPE], metrics 2 *[METRIC], schemaUrl 3 Text,
    }
    METRIC metrics::v1::Metric {
        name 1 Text, description 2 Text, unit 3 Text, gauge 5 [GAUGE], sum 7 [SUM],
        histogram 9 [HISTOGRAM], exponentialHistogram 10 [EXPONENTIAL_HISTOGRAM],
        summary 11 [SUMMARY], metadata 12 *[KEY_VALUE],
    }
    GAUGE metrics::v1::Gauge { dataPoints 1 *[NUMBER_DATA_POINT], }
    SUM metrics::v1::Sum {
        dataPoints 1 *[NUMBER_DATA_POINT], aggregationTemporality 2 Int32, isMonotonic 3 Bool,
    }
    HISTOGRAM metrics::v1::Histogram {
        dataPoints 1 *[HISTOGRAM_DATA_POINT], aggregationTemporality 2 Int32,
    }
    EXPONENTIAL_HISTOGRAM metrics::v1::ExponentialHistogram {
        dataPoints 1 *[EXPONENTIAL_HISTOGRAM_DATA_POINT], aggregationTemporality 2 Int32,
    }
    SUMMARY metrics::v1::Summary { dataPoints 1 *[SUMMARY_DATA_POINT], }
    NUMBER_DATA_POINT metrics::v1::NumberDataPoint {
        startTimeUnixNano 2 Fixed64, timeUnixNano 3 Fixed64, asDouble 4 Double,
        exemplars 5 *[EXEMPLAR], asInt 6 Signed64, attributes 7 *[KEY_VALUE], flags 8 Uint32,
    }
    HISTOGRAM_DATA_POINT metrics::v1::HistogramDataPoint {
        startTimeUnixNano 2 Fixed64, timeUnixNano 3 Fixed64, count 4 Fixed64, sum 5 Double,
        bucketCounts 6 *Fixed64, explicitBounds 7 *Double, exemplars 8 *[EXEMPLAR],
        attributes 9 *[KEY_VALUE], flags 10 Uint32, min 11 Double, max 12 Double,
    }
    EXPONENTIAL_HISTOGRAM_DATA_POINT metrics::v1::ExponentialHistogramDataPoint {
        attributes 1 *[KEY_VALUE], startTimeUnixNano 2 Fixed64, timeUnixNano 3 Fixed64,
        count 4 Fixed64, sum 5 Double, scale 6 Sint32, zeroCount 7 Fixed64, positive 8 [BUCKETS],
        negative 9 [BUCKETS], flags 10 Uint32, exemplars 11 *[EXEMPLAR], min 12 Double,
        max 13 Double, zeroThreshold 14 Double,
    }
    BUCKETS metrics::v1::exponential_histogram_data_point::Buckets {
        offset 1 Sint32, bucketCounts 2 *Uint64,
    }
    SUMMARY_DATA_POINT metrics::v1::SummaryDataPoint {
        startTimeUnixNano 2 Fixed64, timeUnixNano 3 Fixed64, count 4 Fixed64, sum 5 Double,
        quantileValues 6 *[VALUE_AT_QUANTILE], attributes 7 *[KEY_VALUE], flags 8 Uint32,
    }
    VALUE_AT_QUANTILE metrics::v1::summary_data_point::ValueAtQuantile {
        quantile 1 Double, value 2 Double,
    }
    EXEMPLAR metrics::v1::Exemplar {
        timeUnixNano 2 Fixed64, asDouble 3 Double, spanId 4 Hex, traceId 5 Hex, asInt 6 Signed64,
        filteredAttributes 7 *[KEY_VALUE],
    }
}
