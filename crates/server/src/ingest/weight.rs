//! What a body would take in memory, before it is decoded.
//!
//! An empty span is two bytes in protobuf and some three hundred in memory, so a body within the
//! 64 MiB of the wire may ask for ten gigabytes; compressed it fits into a hundred kilobytes. One
//! quick pass over the bytes adds up the messages in it and stops at the limit.
//!
//! It judges nothing else: where the bytes make no sense it stops, and the decoder says why.

use std::mem::size_of;

use throughline_telemetry::Signal;
use throughline_telemetry::wire::otlp::common::v1::{
    AnyValue, ArrayValue, EntityRef, InstrumentationScope, KeyValue, KeyValueList,
};
use throughline_telemetry::wire::otlp::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
use throughline_telemetry::wire::otlp::metrics::v1::{
    Exemplar, ExponentialHistogramDataPoint, HistogramDataPoint, Metric, NumberDataPoint,
    ResourceMetrics, ScopeMetrics, SummaryDataPoint, summary_data_point::ValueAtQuantile,
};
use throughline_telemetry::wire::otlp::resource::v1::Resource;
use throughline_telemetry::wire::otlp::trace::v1::{
    ResourceSpans, ScopeSpans, Span, Status,
    span::{Event, Link},
};

/// A body that would take too much.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooHeavy;

/// Adds up a protobuf body: how many bytes it would take.
pub(crate) fn protobuf(signal: Signal, body: &[u8], bytes_max: usize) -> Result<usize, TooHeavy> {
    let shape = match signal {
        Signal::Traces => &TRACES,
        Signal::Logs => &LOGS,
        Signal::Metrics => &METRICS,
    };
    let mut left = bytes_max;
    weigh(shape, body, DEPTH_MAX, &mut left)?;
    Ok(bytes_max - left)
}

/// Adds up a JSON body: each object and each list outside of text counts as the largest message.
/// Lists count as if they were messages, which errs on the safe side.
pub(crate) fn json(body: &[u8], bytes_max: usize) -> Result<usize, TooHeavy> {
    let mut left = bytes_max;
    let (mut in_text, mut escaped) = (false, false);
    for byte in body {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            b'{' | b'[' if !in_text => take(&mut left, size_of::<Span>())?,
            _ => {}
        }
    }
    Ok(bytes_max - left)
}

/// A message: what it takes by itself, and which of its fields are messages.
struct Shape {
    bytes: usize,
    fields: &'static [(u64, &'static Shape)],
}

fn weigh(shape: &Shape, body: &[u8], depth: usize, left: &mut usize) -> Result<(), TooHeavy> {
    let mut rest = body;
    while let Some((number, inner)) = field(&mut rest) {
        let message = shape.fields.iter().find(|(known, _)| *known == number);
        if let (Some((_, shape)), Some(inner)) = (message, inner) {
            take(left, shape.bytes)?;
            if depth > 0 {
                weigh(shape, inner, depth - 1, left)?;
            }
        }
    }
    Ok(())
}

fn take(left: &mut usize, bytes: usize) -> Result<(), TooHeavy> {
    *left = left.checked_sub(bytes).ok_or(TooHeavy)?;
    Ok(())
}

/// The next field: its number, and its bytes if it has a length. `None` at the end, and where
/// the bytes are no field.
fn field<'a>(rest: &mut &'a [u8]) -> Option<(u64, Option<&'a [u8]>)> {
    let key = varint(rest)?;
    let inner = match key & 7 {
        0 => {
            varint(rest)?;
            None
        }
        1 => {
            skip(rest, 8)?;
            None
        }
        2 => {
            let length = usize::try_from(varint(rest)?).ok()?;
            Some(skip(rest, length)?)
        }
        5 => {
            skip(rest, 4)?;
            None
        }
        _ => return None, // groups, which OTLP does not have
    };
    Some((key >> 3, inner))
}

fn varint(rest: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let (byte, after) = rest.split_first()?;
        *rest = after;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

fn skip<'a>(rest: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (skipped, after) = rest.split_at_checked(length)?;
    *rest = after;
    Some(skipped)
}

/// prost decodes no deeper either.
const DEPTH_MAX: usize = 100;

macro_rules! shapes {
    ($($name:ident: $message:ty { $($number:literal: $field:ident),* })*) => {
        $(static $name: Shape = Shape {
            bytes: size_of::<$message>(),
            fields: &[$(($number, &$field)),*],
        };)*
    };
}

// What may come many times in OTLP 1.x, by the numbers of the fields.
shapes! {
    TRACES: () { 1: RESOURCE_SPANS }
    RESOURCE_SPANS: ResourceSpans { 1: RESOURCE, 2: SCOPE_SPANS }
    SCOPE_SPANS: ScopeSpans { 1: SCOPE, 2: SPAN }
    SPAN: Span { 9: KEY_VALUE, 11: EVENT, 13: LINK, 15: STATUS }
    EVENT: Event { 3: KEY_VALUE }
    LINK: Link { 4: KEY_VALUE }
    STATUS: Status {}

    LOGS: () { 1: RESOURCE_LOGS }
    RESOURCE_LOGS: ResourceLogs { 1: RESOURCE, 2: SCOPE_LOGS }
    SCOPE_LOGS: ScopeLogs { 1: SCOPE, 2: LOG }
    LOG: LogRecord { 5: ANY, 6: KEY_VALUE }

    METRICS: () { 1: RESOURCE_METRICS }
    RESOURCE_METRICS: ResourceMetrics { 1: RESOURCE, 2: SCOPE_METRICS }
    SCOPE_METRICS: ScopeMetrics { 1: SCOPE, 2: METRIC }
    METRIC: Metric { 5: NUMBERS, 7: NUMBERS, 9: HISTOGRAMS, 10: EXPONENTIALS, 11: SUMMARIES, 12: KEY_VALUE }
    NUMBERS: () { 1: NUMBER }
    NUMBER: NumberDataPoint { 5: EXEMPLAR, 7: KEY_VALUE }
    HISTOGRAMS: () { 1: HISTOGRAM }
    HISTOGRAM: HistogramDataPoint { 8: EXEMPLAR, 9: KEY_VALUE }
    EXPONENTIALS: () { 1: EXPONENTIAL }
    EXPONENTIAL: ExponentialHistogramDataPoint { 1: KEY_VALUE, 11: EXEMPLAR }
    SUMMARIES: () { 1: SUMMARY }
    SUMMARY: SummaryDataPoint { 6: QUANTILE, 7: KEY_VALUE }
    QUANTILE: ValueAtQuantile {}
    EXEMPLAR: Exemplar { 7: KEY_VALUE }

    RESOURCE: Resource { 1: KEY_VALUE, 3: ENTITY }
    ENTITY: EntityRef { 3: TEXT, 4: TEXT }
    TEXT: String {}
    SCOPE: InstrumentationScope { 3: KEY_VALUE }
    KEY_VALUE: KeyValue { 2: ANY }
    ANY: AnyValue { 5: ARRAY, 6: KEY_VALUES }
    ARRAY: ArrayValue { 1: ANY }
    KEY_VALUES: KeyValueList { 1: KEY_VALUE }
}

#[cfg(test)]
mod tests;
