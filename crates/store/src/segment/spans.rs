//! The table of spans.

use arrow::array::{
    FixedSizeBinaryArray, Int64Array, ListArray, RecordBatch, StringArray,
    TimestampNanosecondArray, UInt8Array,
};
use parquet::basic::Compression;
use parquet::file::properties::{EnabledStatistics, WriterPropertiesBuilder};
use parquet::schema::types::ColumnPath;
use throughline_telemetry::{
    Event, Link, Signal, Span, SpanId, SpanKind, SpanStatus, TraceId, UnixNanos,
};

use super::columns::{AttributeLists, Columns, Lists};
use super::table::{Damage, Table};
use crate::batch::{id_at, required_id_at};

/// Spans, sorted by start of their trace, trace id and own start.
pub(crate) enum SpanTable {}

impl Table for SpanTable {
    type Row = Span;

    const SIGNAL: Signal = Signal::Traces;
    const DELTAS: &[&str] = &["start", "duration"];
    const PAGE_STATISTICS: &[&str] = &["start", "duration", "status"];

    fn tune(properties: WriterPropertiesBuilder) -> WriterPropertiesBuilder {
        let span_id = ColumnPath::from("span_id");
        // Random bytes: neither a dictionary nor zstd finds anything in them.
        properties
            // Spans of a trace follow each other: zstd finds that, and a dictionary would overflow.
            .set_column_dictionary_enabled(ColumnPath::from("trace_id"), false)
            .set_column_dictionary_enabled(span_id.clone(), false)
            .set_column_compression(span_id.clone(), Compression::UNCOMPRESSED)
            .set_column_statistics_enabled(span_id, EnabledStatistics::None)
    }

    fn decode(batch: &RecordBatch) -> Result<Vec<Span>, Damage> {
        let columns = Columns(batch);
        let trace_ids: &FixedSizeBinaryArray = columns.get("trace_id")?;
        let span_ids: &FixedSizeBinaryArray = columns.get("span_id")?;
        let trace_states: &StringArray = columns.get("trace_state")?;
        let names: &StringArray = columns.get("name")?;
        let kinds: &UInt8Array = columns.get("kind")?;
        let starts: &TimestampNanosecondArray = columns.get("start")?;
        let durations: &Int64Array = columns.get("duration")?;
        let statuses: &UInt8Array = columns.get("status")?;
        let status_messages: &StringArray = columns.get("status_message")?;
        let attributes = AttributeLists::new(columns.get("attributes")?)?;
        let events = EventLists::new(columns.get("events")?)?;
        let links = LinkLists::new(columns.get("links")?)?;
        let parents: &FixedSizeBinaryArray = columns.get("parent_span_id")?;
        let rows = columns.resources()?.into_iter().zip(columns.scopes()?);
        let spans = rows.enumerate().map(|(row, (resource, scope))| {
            let start = starts.value(row).cast_unsigned();
            let duration = durations.value(row).cast_unsigned();
            Ok(Span {
                trace_id: required_id_at(trace_ids, row, TraceId::from_slice)?,
                span_id: required_id_at(span_ids, row, SpanId::from_slice)?,
                parent_id: id_at(parents, row, SpanId::from_slice)?,
                trace_state: trace_states.value(row).to_owned(),
                name: names.value(row).to_owned(),
                kind: SpanKind::from_number(i32::from(kinds.value(row))),
                start: UnixNanos(start),
                end: UnixNanos(start.wrapping_add(duration)),
                status: SpanStatus::from_number(i32::from(statuses.value(row))),
                status_message: status_messages.value(row).to_owned(),
                attributes: attributes.at(row)?,
                events: events.at(row)?,
                links: links.at(row)?,
                resource,
                scope,
            })
        });
        spans.collect()
    }
}

struct EventLists<'a> {
    lists: Lists<'a>,
    times: &'a TimestampNanosecondArray,
    names: &'a StringArray,
    attributes: AttributeLists<'a>,
}

impl<'a> EventLists<'a> {
    fn new(column: &'a ListArray) -> Result<Self, Damage> {
        let lists = Lists::new(column)?;
        Ok(EventLists {
            times: lists.get("time")?,
            names: lists.get("name")?,
            attributes: AttributeLists::new(lists.get("attributes")?)?,
            lists,
        })
    }

    fn at(&self, row: usize) -> Result<Vec<Event>, Damage> {
        let events = self.lists.range(row).map(|item| {
            Ok(Event {
                time: UnixNanos(self.times.value(item).cast_unsigned()),
                name: self.names.value(item).to_owned(),
                attributes: self.attributes.at(item)?,
            })
        });
        events.collect()
    }
}

struct LinkLists<'a> {
    lists: Lists<'a>,
    trace_ids: &'a FixedSizeBinaryArray,
    span_ids: &'a FixedSizeBinaryArray,
    trace_states: &'a StringArray,
    attributes: AttributeLists<'a>,
}

impl<'a> LinkLists<'a> {
    fn new(column: &'a ListArray) -> Result<Self, Damage> {
        let lists = Lists::new(column)?;
        Ok(LinkLists {
            trace_ids: lists.get("trace_id")?,
            span_ids: lists.get("span_id")?,
            trace_states: lists.get("trace_state")?,
            attributes: AttributeLists::new(lists.get("attributes")?)?,
            lists,
        })
    }

    fn at(&self, row: usize) -> Result<Vec<Link>, Damage> {
        let links = self.lists.range(row).map(|item| {
            Ok(Link {
                trace_id: required_id_at(self.trace_ids, item, TraceId::from_slice)?,
                span_id: required_id_at(self.span_ids, item, SpanId::from_slice)?,
                trace_state: self.trace_states.value(item).to_owned(),
                attributes: self.attributes.at(item)?,
            })
        });
        links.collect()
    }
}
