//! What a walk keeps of the row that it reads, used again for the next.

use super::field::{Fault, Fields, Flaw, Wire, Within};
use super::spans::{EventSlot, LinkSlot};
use super::value::{AttributeView, attribute};

/// Reused for every row.
#[derive(Debug)]
pub(super) struct Scratch<'a> {
    /// Attributes of the row or resource.
    pub(super) attributes: Vec<AttributeView<'a>>,
    /// Those of its events and links.
    pub(super) nested: Vec<AttributeView<'a>>,
    pub(super) events: Vec<EventSlot<'a>>,
    pub(super) links: Vec<LinkSlot<'a>>,
    /// A metric without its data, and its data without the points.
    pub(super) metric: Vec<u8>,
    pub(super) data: Vec<u8>,
    pub(super) rows: usize,
    pub(super) items: usize,
    pub(super) weight: Weight,
}

impl<'a> Scratch<'a> {
    pub(super) fn new(memory_bytes_max: usize) -> Self {
        Scratch {
            attributes: Vec::new(),
            nested: Vec::new(),
            events: Vec::new(),
            links: Vec::new(),
            metric: Vec::new(),
            data: Vec::new(),
            rows: 0,
            items: 0,
            weight: Weight::new(memory_bytes_max),
        }
    }

    /// Makes room for the next row.
    pub(super) fn clear(&mut self) {
        self.attributes.clear();
        self.nested.clear();
        self.events.clear();
        self.links.clear();
    }

    /// Adds an attribute of the row.
    #[inline]
    pub(super) fn attribute(&mut self, of: &Fields<'a>, field: Wire<'a>) -> Result<(), Fault> {
        let read = of
            .of(field)
            .and_then(|inner| attribute(inner, &mut self.weight))
            .within_item("attributes", self.attributes.len())?;
        self.attributes.push(read);
        Ok(())
    }

    /// Adds an attribute of an event or a link whose attributes begin at this place.
    pub(super) fn nested(
        &mut self,
        of: &Fields<'a>,
        field: Wire<'a>,
        first: usize,
    ) -> Result<(), Fault> {
        let read = of
            .of(field)
            .and_then(|inner| attribute(inner, &mut self.weight))
            .within_item("attributes", self.nested.len() - first)?;
        self.nested.push(read);
        Ok(())
    }
}

/// Bytes of memory up to a limit.
#[derive(Debug)]
pub(super) struct Weight {
    pub(super) bytes: usize,
    bytes_max: usize,
}

impl Weight {
    pub(super) fn new(bytes_max: usize) -> Self {
        Weight {
            bytes: 0,
            bytes_max,
        }
    }

    #[inline]
    pub(super) fn add(&mut self, bytes: usize) -> Result<(), Fault> {
        self.bytes = self.bytes.saturating_add(bytes);
        match self.bytes <= self.bytes_max {
            true => Ok(()),
            false => Err(Flaw::TooHeavy.into()),
        }
    }
}
