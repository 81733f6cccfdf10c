//! The events and links of spans: lists with attributes of their own.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, FixedSizeBinaryArray, ListArray, StringArray, StringBuilder, TimestampNanosecondArray,
};
use throughline_telemetry::wire::walk::{EventView, LinkView};
use throughline_telemetry::{Event, Link, SpanId, TraceId, UnixNanos};

use super::ids;
use crate::batch::attributes::{AttributeLists, AttributesBuilder, Ends, Lists};
use crate::batch::rows::required_id_at;
use crate::batch::schema::{event_fields, link_fields};
use crate::segment::Damage;

#[derive(Debug, Default)]
pub(super) struct EventsBuilder {
    ends: Ends,
    times: Vec<i64>,
    names: StringBuilder,
    attributes: AttributesBuilder,
}

impl EventsBuilder {
    /// Adds the list of the next span.
    #[cfg(test)]
    pub(super) fn push(&mut self, events: &[Event]) {
        for event in events {
            self.attributes.push(&event.attributes);
            self.add(event.time, &event.name);
        }
        self.end();
    }

    /// Adds the list of the next span.
    pub(super) fn push_views<'s, 'a: 's>(
        &mut self,
        events: impl Iterator<Item = EventView<'s, 'a>>,
    ) {
        for event in events {
            self.attributes.push_views(event.attributes);
            self.add(event.time, event.name);
        }
        self.end();
    }

    /// Adds an event whose attributes were added.
    fn add(&mut self, time: UnixNanos, name: &str) {
        self.times.push(time.0.cast_signed());
        self.names.append_value(name);
    }

    /// Ends the list of the span.
    fn end(&mut self) {
        self.ends.push(self.times.len());
    }

    pub(super) fn finish(mut self) -> ArrayRef {
        let times = TimestampNanosecondArray::from(self.times).with_timezone("UTC");
        let columns: Vec<ArrayRef> = vec![
            Arc::new(times),
            Arc::new(self.names.finish()),
            self.attributes.finish(),
        ];
        self.ends.list(event_fields(), columns)
    }
}

#[derive(Debug, Default)]
pub(super) struct LinksBuilder {
    ends: Ends,
    trace_ids: Vec<u8>,
    span_ids: Vec<u8>,
    trace_states: StringBuilder,
    attributes: AttributesBuilder,
}

impl LinksBuilder {
    /// Adds the list of the next span.
    #[cfg(test)]
    pub(super) fn push(&mut self, links: &[Link]) {
        for link in links {
            self.attributes.push(&link.attributes);
            self.add(link.trace_id, link.span_id, &link.trace_state);
        }
        self.end();
    }

    /// Adds the list of the next span.
    pub(super) fn push_views<'s, 'a: 's>(&mut self, links: impl Iterator<Item = LinkView<'s, 'a>>) {
        for link in links {
            self.attributes.push_views(link.attributes);
            self.add(link.trace_id, link.span_id, link.trace_state);
        }
        self.end();
    }

    /// Adds a link whose attributes were added.
    fn add(&mut self, trace_id: TraceId, span_id: SpanId, trace_state: &str) {
        self.trace_ids.extend_from_slice(trace_id.as_bytes());
        self.span_ids.extend_from_slice(span_id.as_bytes());
        self.trace_states.append_value(trace_state);
    }

    /// Ends the list of the span.
    fn end(&mut self) {
        self.ends.push(self.trace_ids.len() / TraceId::BYTES);
    }

    pub(super) fn finish(mut self) -> ArrayRef {
        let columns: Vec<ArrayRef> = vec![
            ids(16, self.trace_ids),
            ids(8, self.span_ids),
            Arc::new(self.trace_states.finish()),
            self.attributes.finish(),
        ];
        self.ends.list(link_fields(), columns)
    }
}

#[derive(Clone, Copy)]
pub(super) struct EventLists<'a> {
    lists: Lists<'a>,
    times: &'a TimestampNanosecondArray,
    names: &'a StringArray,
    attributes: AttributeLists<'a>,
}

impl<'a> EventLists<'a> {
    pub(super) fn new(column: &'a ListArray) -> Result<Self, Damage> {
        let lists = Lists::new(column)?;
        Ok(EventLists {
            times: lists.get("time")?,
            names: lists.get("name")?,
            attributes: AttributeLists::new(lists.get("attributes")?)?,
            lists,
        })
    }

    pub(super) fn at(&self, row: usize) -> Result<Vec<Event>, Damage> {
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

#[derive(Clone, Copy)]
pub(super) struct LinkLists<'a> {
    lists: Lists<'a>,
    trace_ids: &'a FixedSizeBinaryArray,
    span_ids: &'a FixedSizeBinaryArray,
    trace_states: &'a StringArray,
    attributes: AttributeLists<'a>,
}

impl<'a> LinkLists<'a> {
    pub(super) fn new(column: &'a ListArray) -> Result<Self, Damage> {
        let lists = Lists::new(column)?;
        Ok(LinkLists {
            trace_ids: lists.get("trace_id")?,
            span_ids: lists.get("span_id")?,
            trace_states: lists.get("trace_state")?,
            attributes: AttributeLists::new(lists.get("attributes")?)?,
            lists,
        })
    }

    pub(super) fn at(&self, row: usize) -> Result<Vec<Link>, Damage> {
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
