//! The table of spans.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, FixedSizeBinaryArray, Int64Array, ListArray, RecordBatch, StringArray, StructArray,
    TimestampNanosecondArray, UInt8Array,
};
use arrow::datatypes::{DataType, Field, Fields, Schema, SchemaRef};
use arrow::error::ArrowError;
use parquet::basic::Compression;
use parquet::file::properties::{EnabledStatistics, WriterPropertiesBuilder};
use parquet::schema::types::ColumnPath;
use throughline_telemetry::{
    Event, Link, Signal, Span, SpanId, SpanKind, SpanStatus, TraceId, UnixNanos,
};

use super::columns::{
    AttributeLists, Columns, Lists, attributes, attributes_type, dictionary, id_at, ids, list_of,
    lists, repeated, required, required_id_at, resources, texts, timestamp,
};
use super::table::{Damage, Table};

/// Spans, sorted by start of their trace, trace id and own start.
pub(crate) enum SpanTable {}

impl Table for SpanTable {
    type Row = Span;

    const SIGNAL: Signal = Signal::Traces;
    const DELTAS: &[&str] = &["start", "duration"];
    const PAGE_STATISTICS: &[&str] = &["start", "duration", "status"];

    fn schema() -> SchemaRef {
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
            required("attributes", attributes_type()),
            required("events", list_of(DataType::Struct(event_fields()))),
            required("links", list_of(DataType::Struct(link_fields()))),
        ]))
    }

    fn tune(properties: WriterPropertiesBuilder) -> WriterPropertiesBuilder {
        let span_id = ColumnPath::from("span_id");
        // Random bytes: neither a dictionary nor zstd finds anything in them.
        properties
            .set_column_dictionary_enabled(span_id.clone(), false)
            .set_column_compression(span_id.clone(), Compression::UNCOMPRESSED)
            .set_column_statistics_enabled(span_id, EnabledStatistics::None)
    }

    fn may_split(before: &Span, after: &Span) -> bool {
        before.trace_id != after.trace_id
    }

    fn encode(rows: &[Arc<Span>]) -> Result<RecordBatch, ArrowError> {
        let spans = || rows.iter().map(|span| &**span);
        let start = spans().map(|span| span.start.0.cast_signed());
        let start = TimestampNanosecondArray::from_iter_values(start).with_timezone("UTC");
        let duration = spans().map(|span| span.end.0.wrapping_sub(span.start.0).cast_signed());
        let columns: Vec<ArrayRef> = vec![
            ids(spans().map(|span| Some(*span.trace_id.as_bytes())))?,
            ids(spans().map(|span| Some(*span.span_id.as_bytes())))?,
            ids(spans().map(|span| span.parent_id.map(|id| *id.as_bytes())))?,
            texts(spans().map(|span| span.trace_state.as_str())),
            texts(spans().map(|span| span.name.as_str())),
            Arc::new(UInt8Array::from_iter_values(
                spans().map(|span| span.kind as u8),
            )),
            Arc::new(start),
            Arc::new(Int64Array::from_iter_values(duration)),
            Arc::new(UInt8Array::from_iter_values(
                spans().map(|span| span.status as u8),
            )),
            texts(spans().map(|span| span.status_message.as_str())),
            repeated(spans().map(|span| span.service())),
            resources(spans().map(|span| &span.resource))?,
            repeated(spans().map(|span| span.scope.name.as_str())),
            repeated(spans().map(|span| span.scope.version.as_str())),
            attributes(spans().map(|span| &span.attributes))?,
            events(rows)?,
            links(rows)?,
        ];
        RecordBatch::try_new(Self::schema(), columns)
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

fn event_fields() -> Fields {
    Fields::from(vec![
        required("time", timestamp()),
        required("name", DataType::Utf8),
        required("attributes", attributes_type()),
    ])
}

fn events(rows: &[Arc<Span>]) -> Result<ArrayRef, ArrowError> {
    let all: Vec<&Event> = rows.iter().flat_map(|span| &span.events).collect();
    let times = all.iter().map(|event| event.time.0.cast_signed());
    let times = TimestampNanosecondArray::from_iter_values(times).with_timezone("UTC");
    let columns: Vec<ArrayRef> = vec![
        Arc::new(times),
        texts(all.iter().map(|event| event.name.as_str())),
        attributes(all.iter().map(|event| &event.attributes))?,
    ];
    let items = StructArray::try_new(event_fields(), columns, None)?;
    lists(rows.iter().map(|span| span.events.len()), Arc::new(items))
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

fn link_fields() -> Fields {
    Fields::from(vec![
        required("trace_id", DataType::FixedSizeBinary(16)),
        required("span_id", DataType::FixedSizeBinary(8)),
        required("trace_state", DataType::Utf8),
        required("attributes", attributes_type()),
    ])
}

fn links(rows: &[Arc<Span>]) -> Result<ArrayRef, ArrowError> {
    let all: Vec<&Link> = rows.iter().flat_map(|span| &span.links).collect();
    let columns: Vec<ArrayRef> = vec![
        ids(all.iter().map(|link| Some(*link.trace_id.as_bytes())))?,
        ids(all.iter().map(|link| Some(*link.span_id.as_bytes())))?,
        texts(all.iter().map(|link| link.trace_state.as_str())),
        attributes(all.iter().map(|link| &link.attributes))?,
    ];
    let items = StructArray::try_new(link_fields(), columns, None)?;
    lists(rows.iter().map(|span| span.links.len()), Arc::new(items))
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
