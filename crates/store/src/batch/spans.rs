//! Batches of spans.

mod events;

use std::sync::Arc;

use arrow::array::{
    ArrayRef, FixedSizeBinaryArray, FixedSizeBinaryBuilder, Int64Array, RecordBatch, StringArray,
    StringBuilder, TimestampNanosecondArray, UInt8Array,
};
use arrow::buffer::Buffer;
use throughline_telemetry::wire::walk::{AttributeView, SpanView};
use throughline_telemetry::{
    Resource, Signal, Span, SpanId, SpanKind, SpanStatus, TraceId, UnixNanos,
};

use super::attributes::{AttributeLists, AttributesBuilder};
use super::owner::{OwnerBuilder, OwnerColumns, Owners};
use super::rows::{column, id_at, required_id_at};
use super::schema::schema;
use crate::segment::Damage;
use events::{EventLists, EventsBuilder, LinkLists, LinksBuilder};

/// Makes a canonical batch of spans.
#[derive(Debug)]
pub(crate) struct SpanBuilder {
    trace_ids: Vec<u8>,
    span_ids: Vec<u8>,
    parents: FixedSizeBinaryBuilder,
    trace_states: StringBuilder,
    names: StringBuilder,
    kinds: Vec<u8>,
    starts: Vec<i64>,
    durations: Vec<i64>,
    statuses: Vec<u8>,
    status_messages: StringBuilder,
    owner: OwnerBuilder,
    attributes: AttributesBuilder,
    events: EventsBuilder,
    links: LinksBuilder,
}

impl Default for SpanBuilder {
    fn default() -> Self {
        SpanBuilder {
            trace_ids: Vec::new(),
            span_ids: Vec::new(),
            parents: FixedSizeBinaryBuilder::new(8),
            trace_states: StringBuilder::new(),
            names: StringBuilder::new(),
            kinds: Vec::new(),
            starts: Vec::new(),
            durations: Vec::new(),
            statuses: Vec::new(),
            status_messages: StringBuilder::new(),
            owner: OwnerBuilder::default(),
            attributes: AttributesBuilder::default(),
            events: EventsBuilder::default(),
            links: LinksBuilder::default(),
        }
    }
}

impl SpanBuilder {
    /// Adds a span.
    #[cfg(test)]
    pub(crate) fn push(&mut self, span: &Span) {
        self.trace_ids.extend_from_slice(span.trace_id.as_bytes());
        self.span_ids.extend_from_slice(span.span_id.as_bytes());
        self.parent(span.parent_id);
        self.trace_states.append_value(&span.trace_state);
        self.names.append_value(&span.name);
        self.kinds.push(span.kind as u8);
        self.times(span.start, span.end);
        self.statuses.push(span.status as u8);
        self.status_messages.append_value(&span.status_message);
        self.owner.begin(&span.resource, &span.scope);
        self.owner.push();
        self.attributes.push(&span.attributes);
        self.events.push(&span.events);
        self.links.push(&span.links);
    }

    /// The attributes of the resource of the views that follow.
    pub(crate) fn begin_resource(&mut self, attributes: &[AttributeView<'_>]) {
        self.owner.begin_resource_view(attributes);
    }

    /// The scope of the views that follow.
    pub(crate) fn begin_scope(&mut self, name: &str, version: &str) {
        self.owner.begin_scope(name, version);
    }

    /// Adds a span.
    pub(crate) fn push_view(&mut self, span: &SpanView<'_, '_>) {
        self.trace_ids.extend_from_slice(span.trace_id.as_bytes());
        self.span_ids.extend_from_slice(span.span_id.as_bytes());
        self.parent(span.parent_id);
        self.trace_states.append_value(span.trace_state);
        self.names.append_value(span.name);
        self.kinds.push(span.kind as u8);
        self.times(span.start, span.end);
        self.statuses.push(span.status as u8);
        self.status_messages.append_value(span.status_message);
        self.owner.push();
        self.attributes.push_views(span.attributes);
        self.events.push_views(span.events());
        self.links.push_views(span.links());
    }

    /// How many spans there are so far.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.kinds.len()
    }

    /// The batch.
    pub(crate) fn finish(mut self) -> RecordBatch {
        let [service, resource, scope_name, scope_version] = self.owner.finish();
        let start = TimestampNanosecondArray::from(self.starts).with_timezone("UTC");
        let columns: Vec<ArrayRef> = vec![
            ids(16, self.trace_ids),
            ids(8, self.span_ids),
            Arc::new(self.parents.finish()),
            Arc::new(self.trace_states.finish()),
            Arc::new(self.names.finish()),
            Arc::new(UInt8Array::from(self.kinds)),
            Arc::new(start),
            Arc::new(Int64Array::from(self.durations)),
            Arc::new(UInt8Array::from(self.statuses)),
            Arc::new(self.status_messages.finish()),
            service,
            resource,
            scope_name,
            scope_version,
            self.attributes.finish(),
            self.events.finish(),
            self.links.finish(),
        ];
        let batch = RecordBatch::try_new(Arc::clone(schema(Signal::Traces)), columns);
        batch.expect("the columns are built to the schema")
    }

    fn parent(&mut self, parent: Option<SpanId>) {
        match parent {
            Some(id) => {
                let added = self.parents.append_value(id.as_bytes());
                added.expect("a span id has eight bytes");
            }
            None => self.parents.append_null(),
        }
    }

    fn times(&mut self, start: UnixNanos, end: UnixNanos) {
        self.starts.push(start.0.cast_signed());
        self.durations
            .push(end.0.wrapping_sub(start.0).cast_signed());
    }
}

/// A column of ids of so many bytes.
pub(super) fn ids(width: i32, bytes: Vec<u8>) -> ArrayRef {
    let column = FixedSizeBinaryArray::try_new(width, Buffer::from_vec(bytes), None);
    Arc::new(column.expect("whole ids were added"))
}

/// A canonical batch of spans, to read row by row.
#[derive(Clone, Copy)]
pub(crate) struct SpanRows<'a> {
    trace_ids: &'a FixedSizeBinaryArray,
    span_ids: &'a FixedSizeBinaryArray,
    parents: &'a FixedSizeBinaryArray,
    trace_states: &'a StringArray,
    names: &'a StringArray,
    kinds: &'a [u8],
    starts: &'a [i64],
    durations: &'a [i64],
    statuses: &'a [u8],
    status_messages: &'a StringArray,
    owner: OwnerColumns<'a>,
    attributes: AttributeLists<'a>,
    events: EventLists<'a>,
    links: LinkLists<'a>,
}

impl<'a> SpanRows<'a> {
    pub(crate) fn new(batch: &'a RecordBatch) -> Result<Self, Damage> {
        Ok(SpanRows {
            trace_ids: column(batch, "trace_id")?,
            span_ids: column(batch, "span_id")?,
            parents: column(batch, "parent_span_id")?,
            trace_states: column(batch, "trace_state")?,
            names: column(batch, "name")?,
            kinds: column::<UInt8Array>(batch, "kind")?.values(),
            starts: column::<TimestampNanosecondArray>(batch, "start")?.values(),
            durations: column::<Int64Array>(batch, "duration")?.values(),
            statuses: column::<UInt8Array>(batch, "status")?.values(),
            status_messages: column(batch, "status_message")?,
            owner: OwnerColumns::new(batch)?,
            attributes: AttributeLists::new(column(batch, "attributes")?)?,
            events: EventLists::new(column(batch, "events")?)?,
            links: LinkLists::new(column(batch, "links")?)?,
        })
    }

    pub(crate) fn len(&self) -> usize {
        self.kinds.len()
    }

    pub(crate) fn trace_id(&self, row: usize) -> Result<TraceId, Damage> {
        required_id_at(self.trace_ids, row, TraceId::from_slice)
    }

    pub(crate) fn start(&self, row: usize) -> UnixNanos {
        UnixNanos(self.starts[row].cast_unsigned())
    }

    pub(crate) fn end(&self, row: usize) -> UnixNanos {
        let duration = self.durations[row].cast_unsigned();
        UnixNanos(self.start(row).0.wrapping_add(duration))
    }

    pub(crate) fn name(&self, row: usize) -> &'a str {
        self.names.value(row)
    }

    /// Whether an attribute of a span, the first of its key, may have this text; `None` if it has none
    /// of this key.
    pub(crate) fn attribute_may_be(&self, row: usize, key: &str, text: &str) -> Option<bool> {
        self.attributes.may_be(row, key, text)
    }

    /// The resource of a span. The owners are those of this batch.
    pub(crate) fn resource<'o>(&self, owners: &'o Owners, row: usize) -> &'o Resource {
        self.owner.resource(owners, row)
    }

    pub(crate) fn status(&self, row: usize) -> SpanStatus {
        SpanStatus::from_number(i32::from(self.statuses[row]))
    }

    pub(crate) fn service(&self, row: usize) -> &'a str {
        self.owner.service(row)
    }

    /// What is the same in two rows of one batch exactly if their service is.
    pub(crate) fn service_key(&self, row: usize) -> i32 {
        self.owner.service_key(row)
    }

    pub(crate) fn kind(&self, row: usize) -> SpanKind {
        SpanKind::from_number(i32::from(self.kinds[row]))
    }

    /// The name of its scope.
    pub(crate) fn scope(&self, row: usize) -> &'a str {
        self.owner.scope(row)
    }

    /// The whole span. The owners are those of this batch.
    pub(crate) fn at(&self, owners: &Owners, row: usize) -> Result<Span, Damage> {
        let (resource, scope) = self.owner.at(owners, row);
        Ok(Span {
            trace_id: self.trace_id(row)?,
            span_id: required_id_at(self.span_ids, row, SpanId::from_slice)?,
            parent_id: id_at(self.parents, row, SpanId::from_slice)?,
            trace_state: self.trace_states.value(row).to_owned(),
            name: self.name(row).to_owned(),
            kind: self.kind(row),
            start: self.start(row),
            end: self.end(row),
            status: self.status(row),
            status_message: self.status_messages.value(row).to_owned(),
            attributes: self.attributes.sorted_at(row)?,
            events: self.events.at(row)?,
            links: self.links.at(row)?,
            resource,
            scope,
        })
    }
}
