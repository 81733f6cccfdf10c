//! Log records.

use super::Sink;
use super::field::{Fault, Fields, Within};
use super::scratch::Scratch;
use super::spans::{Names, optional_id, owners};
use super::value::{AttributeView, ValueView, once, value};
use crate::model::{SpanId, TraceId, UnixNanos};

/// One log record.
#[derive(Clone, Copy, Debug)]
pub struct LogView<'s, 'a> {
    /// When it was written, or zero.
    pub time: UnixNanos,
    /// When it was first seen by a collector.
    pub observed_time: UnixNanos,
    /// 1 to 24 as in OTLP; 0 if not known.
    pub severity_number: u8,
    /// The level as the program wrote it.
    pub severity_text: &'a str,
    /// The message.
    pub body: ValueView<'a>,
    /// Details.
    pub attributes: &'s [AttributeView<'a>],
    /// The trace during which it was written.
    pub trace_id: Option<TraceId>,
    /// The span during which it was written.
    pub span_id: Option<SpanId>,
    /// Name of the kind of event, if it has one.
    pub event_name: &'a str,
}

pub(super) fn walk<'a>(
    body: &'a [u8],
    scratch: &mut Scratch<'a>,
    sink: &mut impl Sink,
) -> Result<(), Fault> {
    owners(body, NAMES, scratch, sink, |fields, scratch, sink| {
        sink.log(&log(fields, scratch)?);
        Ok(())
    })
}

const NAMES: Names = Names {
    by_resource: "resourceLogs",
    by_scope: "scopeLogs",
    items: "logRecords",
};

fn log<'s, 'a>(
    mut fields: Fields<'a>,
    scratch: &'s mut Scratch<'a>,
) -> Result<LogView<'s, 'a>, Fault> {
    let (mut time, mut observed_time) = (0, 0);
    let (mut severity_number, mut severity_text, mut event_name) = (0, "", "");
    let (mut trace_id, mut span_id): (&[u8], &[u8]) = (&[], &[]);
    let mut body = None;
    while let Some((number, field)) = fields.next()? {
        match number {
            1 => time = field.fixed64().within("timeUnixNano")?,
            2 => severity_number = field.int32().within("severityNumber")?,
            3 => severity_text = field.text().within("severityText")?,
            5 => once(&mut body, field).within("body")?,
            6 => scratch.attribute(&fields, field)?,
            7 => drop(field.varint().within("droppedAttributesCount")?),
            8 => drop(field.fixed32().within("flags")?),
            9 => trace_id = field.bytes().within("traceId")?,
            10 => span_id = field.bytes().within("spanId")?,
            11 => observed_time = field.fixed64().within("observedTimeUnixNano")?,
            12 => event_name = field.text().within("eventName")?,
            _ => fields.skip()?,
        }
    }
    let body = match body {
        Some(field) => fields
            .of(field)
            .and_then(|inner| value(inner, &mut scratch.weight))
            .within("body")?,
        None => ValueView::Null,
    };
    scratch.weight.add(ROW_BYTES)?;
    scratch.rows += 1;
    scratch.items += 1;
    Ok(LogView {
        time: UnixNanos(time),
        observed_time: UnixNanos(observed_time),
        severity_number: u8::try_from(severity_number)
            .ok()
            .filter(|number| *number <= 24)
            .unwrap_or(0),
        severity_text,
        body,
        attributes: &scratch.attributes,
        trace_id: optional_id(TraceId::from_slice(trace_id), "traceId")?,
        span_id: optional_id(SpanId::from_slice(span_id), "spanId")?,
        event_name,
    })
}

/// The columns of a log record besides its texts.
const ROW_BYTES: usize = 128;
