//! Spans.

use std::ops::Range;

use super::Sink;
use super::anything::check;
use super::field::{Fault, Fields, Flaw, Wire, Within};
use super::scratch::Scratch;
use super::value::{AttributeView, once};
use crate::model::{BadId, SpanId, SpanKind, SpanStatus, TraceId, UnixNanos};
use crate::wire::json::ENTITY_REF;

/// One span.
#[derive(Clone, Copy, Debug)]
pub struct SpanView<'s, 'a> {
    /// The trace it belongs to.
    pub trace_id: TraceId,
    /// Its id.
    pub span_id: SpanId,
    /// What caused it; absent at the root.
    pub parent_id: Option<SpanId>,
    /// The `tracestate` header.
    pub trace_state: &'a str,
    /// What was done.
    pub name: &'a str,
    /// Its role.
    pub kind: SpanKind,
    /// When it began.
    pub start: UnixNanos,
    /// When it ended.
    pub end: UnixNanos,
    /// Whether it failed.
    pub status: SpanStatus,
    /// Why it failed.
    pub status_message: &'a str,
    /// Details.
    pub attributes: &'s [AttributeView<'a>],
    events: &'s [EventSlot<'a>],
    links: &'s [LinkSlot<'a>],
    nested: &'s [AttributeView<'a>],
}

/// Something that happened during a span.
#[derive(Clone, Copy, Debug)]
pub struct EventView<'s, 'a> {
    /// When.
    pub time: UnixNanos,
    /// What.
    pub name: &'a str,
    /// Details.
    pub attributes: &'s [AttributeView<'a>],
}

/// A span of this or of another trace that has to do with a span.
#[derive(Clone, Copy, Debug)]
pub struct LinkView<'s, 'a> {
    /// The other's trace.
    pub trace_id: TraceId,
    /// The other.
    pub span_id: SpanId,
    /// Its `tracestate`.
    pub trace_state: &'a str,
    /// Details.
    pub attributes: &'s [AttributeView<'a>],
}

#[derive(Debug)]
pub(super) struct EventSlot<'a> {
    time: UnixNanos,
    name: &'a str,
    attributes: Range<usize>,
}

#[derive(Debug)]
pub(super) struct LinkSlot<'a> {
    trace_id: TraceId,
    span_id: SpanId,
    trace_state: &'a str,
    attributes: Range<usize>,
}

impl<'s, 'a> SpanView<'s, 'a> {
    /// What happened during it.
    pub fn events(&self) -> impl Iterator<Item = EventView<'s, 'a>> {
        let nested = self.nested;
        self.events.iter().map(move |event| EventView {
            time: event.time,
            name: event.name,
            attributes: &nested[event.attributes.clone()],
        })
    }

    /// What it has to do with, as far as the ids are good.
    pub fn links(&self) -> impl Iterator<Item = LinkView<'s, 'a>> {
        let nested = self.nested;
        self.links.iter().map(move |link| LinkView {
            trace_id: link.trace_id,
            span_id: link.span_id,
            trace_state: link.trace_state,
            attributes: &nested[link.attributes.clone()],
        })
    }
}

pub(super) fn walk<'a>(
    body: &'a [u8],
    scratch: &mut Scratch<'a>,
    sink: &mut impl Sink,
) -> Result<(), Fault> {
    owners(body, NAMES, scratch, sink, |fields, scratch, sink| {
        let span = span(fields, scratch)?;
        scratch.weight.add(ROW_BYTES)?;
        scratch.rows += 1;
        scratch.items += 1;
        sink.span(&span.view(scratch));
        Ok(())
    })
}

/// The names of the messages around the rows of a signal.
#[derive(Clone, Copy)]
pub(super) struct Names {
    pub(super) by_resource: &'static str,
    pub(super) by_scope: &'static str,
    pub(super) items: &'static str,
}

const NAMES: Names = Names {
    by_resource: "resourceSpans",
    by_scope: "scopeSpans",
    items: "spans",
};

/// Walks through the messages around the rows, which are alike for all signals.
pub(super) fn owners<'a, S: Sink>(
    body: &'a [u8],
    names: Names,
    scratch: &mut Scratch<'a>,
    sink: &mut S,
    mut item: impl FnMut(Fields<'a>, &mut Scratch<'a>, &mut S) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let mut fields = Fields::of_body(body);
    let mut place = 0;
    while let Some((number, field)) = fields.next().within_item(names.by_resource, place)? {
        if number != 1 {
            fields.skip()?;
            continue;
        }
        let by_resource = fields.of(field);
        let walked =
            by_resource.and_then(|fields| resource(fields, names, scratch, sink, &mut item));
        walked.within_item(names.by_resource, place)?;
        place += 1;
    }
    Ok(())
}

/// A `ResourceSpans` or the like.
fn resource<'a, S: Sink>(
    fields: Fields<'a>,
    names: Names,
    scratch: &mut Scratch<'a>,
    sink: &mut S,
    item: &mut impl FnMut(Fields<'a>, &mut Scratch<'a>, &mut S) -> Result<(), Fault>,
) -> Result<(), Fault> {
    // The resource may come after what it is the resource of.
    let found = first(fields)?;
    scratch.clear();
    if let Some(field) = found {
        let read = fields.of(field);
        read.and_then(|fields| read_resource(fields, scratch))
            .within("resource")?;
    }
    scratch.weight.add(OWNER_BYTES)?;
    sink.resource(&scratch.attributes);
    let mut fields = fields;
    let mut place = 0;
    while let Some((number, field)) = fields.next()? {
        if number == 2 {
            let by_scope = fields.of(field);
            let walked = by_scope.and_then(|fields| scope(fields, names, scratch, sink, item));
            walked.within_item(names.by_scope, place)?;
            place += 1;
        }
    }
    Ok(())
}

/// A `ScopeSpans` or the like.
fn scope<'a, S: Sink>(
    fields: Fields<'a>,
    names: Names,
    scratch: &mut Scratch<'a>,
    sink: &mut S,
    item: &mut impl FnMut(Fields<'a>, &mut Scratch<'a>, &mut S) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let (mut name, mut version) = ("", "");
    if let Some(field) = first(fields)? {
        let read = fields.of(field);
        (name, version) = read
            .and_then(|fields| read_scope(fields, scratch))
            .within("scope")?;
    }
    scratch.weight.add(OWNER_BYTES)?;
    sink.scope(name, version);
    let mut fields = fields;
    let mut place = 0;
    while let Some((number, field)) = fields.next()? {
        if number == 2 {
            scratch.clear();
            let inner = fields.of(field);
            let read = inner.and_then(|fields| item(fields, scratch, sink));
            read.within_item(names.items, place)?;
            place += 1;
        }
    }
    Ok(())
}

/// Checks a message around rows and gives its resource or scope.
fn first<'a>(mut fields: Fields<'a>) -> Result<Option<Wire<'a>>, Fault> {
    let mut found = None;
    while let Some((number, field)) = fields.next()? {
        match number {
            1 => once(&mut found, field)?,
            2 => drop(field.bytes()?),
            3 => drop(field.text().within("schemaUrl")?),
            _ => fields.skip()?,
        }
    }
    Ok(found)
}

fn read_resource<'a>(mut fields: Fields<'a>, scratch: &mut Scratch<'a>) -> Result<(), Fault> {
    while let Some((number, field)) = fields.next()? {
        match number {
            1 => scratch.attribute(&fields, field)?,
            2 => drop(field.varint().within("droppedAttributesCount")?),
            3 => {
                let inner = fields.of(field);
                inner
                    .and_then(|inner| check(&ENTITY_REF, inner, &mut scratch.weight))
                    .within("entityRefs")?;
            }
            _ => fields.skip()?,
        }
    }
    Ok(())
}

/// Name and version of a scope.
fn read_scope<'a>(
    mut fields: Fields<'a>,
    scratch: &mut Scratch<'a>,
) -> Result<(&'a str, &'a str), Fault> {
    let (mut name, mut version) = ("", "");
    while let Some((number, field)) = fields.next()? {
        match number {
            1 => name = field.text().within("name")?,
            2 => version = field.text().within("version")?,
            3 => {
                scratch.clear();
                scratch.attribute(&fields, field)?;
            }
            4 => drop(field.varint().within("droppedAttributesCount")?),
            _ => fields.skip()?,
        }
    }
    Ok((name, version))
}

/// What is read of a span besides what is in the scratch.
struct Read<'a> {
    trace_id: TraceId,
    span_id: SpanId,
    parent_id: Option<SpanId>,
    trace_state: &'a str,
    name: &'a str,
    kind: i32,
    start: u64,
    end: u64,
    status: i32,
    status_message: &'a str,
}

impl<'a> Read<'a> {
    fn view<'s>(&self, scratch: &'s Scratch<'a>) -> SpanView<'s, 'a> {
        SpanView {
            trace_id: self.trace_id,
            span_id: self.span_id,
            parent_id: self.parent_id,
            trace_state: self.trace_state,
            name: self.name,
            kind: SpanKind::from_number(self.kind),
            start: UnixNanos(self.start),
            end: UnixNanos(self.end),
            status: SpanStatus::from_number(self.status),
            status_message: self.status_message,
            attributes: &scratch.attributes,
            events: &scratch.events,
            links: &scratch.links,
            nested: &scratch.nested,
        }
    }
}

fn span<'a>(mut fields: Fields<'a>, scratch: &mut Scratch<'a>) -> Result<Read<'a>, Fault> {
    let (mut trace_id, mut span_id, mut parent_id): (&[u8], &[u8], &[u8]) = (&[], &[], &[]);
    let (mut trace_state, mut name) = ("", "");
    let (mut kind, mut start, mut end) = (0, 0, 0);
    let mut status = None;
    while let Some((number, field)) = fields.next()? {
        match number {
            1 => trace_id = field.bytes().within("traceId")?,
            2 => span_id = field.bytes().within("spanId")?,
            3 => trace_state = field.text().within("traceState")?,
            4 => parent_id = field.bytes().within("parentSpanId")?,
            5 => name = field.text().within("name")?,
            6 => kind = field.int32().within("kind")?,
            7 => start = field.fixed64().within("startTimeUnixNano")?,
            8 => end = field.fixed64().within("endTimeUnixNano")?,
            9 => scratch.attribute(&fields, field)?,
            10 | 12 | 14 => drop(field.varint().within("droppedCount")?),
            11 => {
                let inner = fields.of(field);
                inner
                    .and_then(|inner| event(inner, scratch))
                    .within_item("events", scratch.events.len())?;
            }
            13 => {
                let inner = fields.of(field);
                inner
                    .and_then(|inner| link(inner, scratch))
                    .within_item("links", scratch.links.len())?;
            }
            15 => once(&mut status, field).within("status")?,
            16 => drop(field.fixed32().within("flags")?),
            _ => fields.skip()?,
        }
    }
    let (status, status_message) = match status {
        Some(field) => fields.of(field).and_then(read_status).within("status")?,
        None => (0, ""),
    };
    Ok(Read {
        trace_id: id(TraceId::from_slice(trace_id), "traceId")?,
        span_id: id(SpanId::from_slice(span_id), "spanId")?,
        parent_id: optional_id(SpanId::from_slice(parent_id), "parentSpanId")?,
        trace_state,
        name,
        kind,
        start,
        end,
        status,
        status_message,
    })
}

fn read_status<'a>(mut fields: Fields<'a>) -> Result<(i32, &'a str), Fault> {
    let (mut code, mut message) = (0, "");
    while let Some((number, field)) = fields.next()? {
        match number {
            2 => message = field.text().within("message")?,
            3 => code = field.int32().within("code")?,
            _ => fields.skip()?,
        }
    }
    Ok((code, message))
}

fn event<'a>(mut fields: Fields<'a>, scratch: &mut Scratch<'a>) -> Result<(), Fault> {
    let first = scratch.nested.len();
    let (mut time, mut name) = (0, "");
    while let Some((number, field)) = fields.next()? {
        match number {
            1 => time = field.fixed64().within("timeUnixNano")?,
            2 => name = field.text().within("name")?,
            3 => scratch.nested(&fields, field, first)?,
            4 => drop(field.varint().within("droppedAttributesCount")?),
            _ => fields.skip()?,
        }
    }
    scratch.weight.add(size_of::<EventSlot<'_>>())?;
    scratch.events.push(EventSlot {
        time: UnixNanos(time),
        name,
        attributes: first..scratch.nested.len(),
    });
    Ok(())
}

fn link<'a>(mut fields: Fields<'a>, scratch: &mut Scratch<'a>) -> Result<(), Fault> {
    let first = scratch.nested.len();
    let (mut trace_id, mut span_id): (&[u8], &[u8]) = (&[], &[]);
    let mut trace_state = "";
    while let Some((number, field)) = fields.next()? {
        match number {
            1 => trace_id = field.bytes().within("traceId")?,
            2 => span_id = field.bytes().within("spanId")?,
            3 => trace_state = field.text().within("traceState")?,
            4 => scratch.nested(&fields, field, first)?,
            5 => drop(field.varint().within("droppedAttributesCount")?),
            6 => drop(field.fixed32().within("flags")?),
            _ => fields.skip()?,
        }
    }
    let ids = (TraceId::from_slice(trace_id), SpanId::from_slice(span_id));
    let (Ok(trace_id), Ok(span_id)) = ids else {
        // A span says enough without a link that leads nowhere.
        scratch.nested.truncate(first);
        return Ok(());
    };
    scratch.weight.add(size_of::<LinkSlot<'_>>())?;
    scratch.links.push(LinkSlot {
        trace_id,
        span_id,
        trace_state,
        attributes: first..scratch.nested.len(),
    });
    Ok(())
}

pub(super) fn id<T>(id: Result<T, BadId>, field: &str) -> Result<T, Fault> {
    id.map_err(|bad| Fault::from(Flaw::Id(bad))).within(field)
}

/// Absent and zero ids are no ids; all else that is wrong stays wrong.
pub(super) fn optional_id<T>(bytes: Result<T, BadId>, field: &str) -> Result<Option<T>, Fault> {
    match bytes {
        Err(BadId::Zero | BadId::Length { got: 0, .. }) => Ok(None),
        other => id(other, field).map(Some),
    }
}

/// The columns of a span besides its texts.
const ROW_BYTES: usize = 128;

/// A resource or a scope: its place in the dictionaries of a batch.
const OWNER_BYTES: usize = 128;
