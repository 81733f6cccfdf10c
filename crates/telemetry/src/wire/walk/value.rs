//! Attributes and their values.

use super::field::{Fault, Fields, Flaw, Wire, Within};
use super::scratch::Weight;
use crate::model::{Attributes, Value};

/// One attribute.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AttributeView<'a> {
    /// Its key.
    pub key: &'a str,
    /// Its value.
    pub value: ValueView<'a>,
}

/// The value of an attribute, or the body of a log record.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ValueView<'a> {
    /// None.
    Null,
    /// Text.
    String(&'a str),
    /// True or false.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number.
    Double(f64),
    /// Bytes.
    Bytes(&'a [u8]),
    /// An array or a map, which were checked and are read when asked for.
    Nested(NestedView<'a>),
}

/// An array or a map.
#[derive(Clone, Copy, Debug)]
pub struct NestedView<'a> {
    fields: Fields<'a>,
    is_map: bool,
}

impl PartialEq for NestedView<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.is_map == other.is_map && self.fields.rest() == other.fields.rest()
    }
}

impl ValueView<'_> {
    /// The value on its own.
    pub fn to_value(&self) -> Value {
        match self {
            ValueView::Null => Value::Null,
            ValueView::String(text) => Value::String((*text).to_owned()),
            ValueView::Bool(truth) => Value::Bool(*truth),
            ValueView::Int(number) => Value::Int(*number),
            ValueView::Double(number) => Value::Double(*number),
            ValueView::Bytes(bytes) => Value::Bytes(bytes.to_vec()),
            ValueView::Nested(nested) => nested.to_value(),
        }
    }
}

/// Attributes on their own.
pub fn to_attributes(views: &[AttributeView<'_>]) -> Attributes {
    let pairs = views.iter();
    Attributes(
        pairs
            .map(|view| (view.key.to_owned(), view.value.to_value()))
            .collect(),
    )
}

impl NestedView<'_> {
    fn to_value(self) -> Value {
        // It was read before without a fault, so that nothing is left out here.
        let mut unlimited = Weight::new(usize::MAX);
        let mut fields = self.fields;
        let items = std::iter::from_fn(|| fields.next().ok().flatten());
        let items = items.filter(|(number, _)| *number == 1);
        let parent = self.fields;
        match self.is_map {
            true => Value::Map(Attributes(
                items
                    .filter_map(|(_, item)| attribute(parent.of(item).ok()?, &mut unlimited).ok())
                    .map(|view| (view.key.to_owned(), view.value.to_value()))
                    .collect(),
            )),
            false => Value::Array(
                items
                    .filter_map(|(_, item)| value(parent.of(item).ok()?, &mut unlimited).ok())
                    .map(|view| view.to_value())
                    .collect(),
            ),
        }
    }
}

/// A `KeyValue`.
pub(super) fn attribute<'a>(
    mut fields: Fields<'a>,
    weight: &mut Weight,
) -> Result<AttributeView<'a>, Fault> {
    let mut key = "";
    let mut found = None;
    while let Some((number, field)) = fields.next()? {
        match number {
            1 => key = field.text().within("key")?,
            2 => once(&mut found, field)?,
            3 => drop(field.varint().within("keyStrindex")?),
            _ => fields.skip()?,
        }
    }
    let value = match found {
        Some(field) => fields
            .of(field)
            .and_then(|inner| value(inner, weight))
            .within("value")?,
        None => ValueView::Null,
    };
    weight.add(ATTRIBUTE_BYTES)?;
    Ok(AttributeView { key, value })
}

/// An `AnyValue`.
pub(super) fn value<'a>(
    mut fields: Fields<'a>,
    weight: &mut Weight,
) -> Result<ValueView<'a>, Fault> {
    let mut value = ValueView::Null;
    let mut seen = 0;
    let mut has_message = false;
    while let Some((number, field)) = fields.next()? {
        value = match number {
            1 => ValueView::String(field.text().within("stringValue")?),
            2 => ValueView::Bool(field.varint().within("boolValue")? != 0),
            3 => ValueView::Int(field.varint().within("intValue")?.cast_signed()),
            4 => ValueView::Double(field.double().within("doubleValue")?),
            5 | 6 => {
                has_message = true;
                let (is_map, name) = match number {
                    5 => (false, "arrayValue"),
                    _ => (true, "kvlistValue"),
                };
                let inner = fields.of(field);
                ValueView::Nested(
                    inner
                        .and_then(|inner| nested(inner, is_map, weight))
                        .within(name)?,
                )
            }
            7 => ValueView::Bytes(field.bytes().within("bytesValue")?),
            // It points into the dictionary of the profiles signal; elsewhere it has no meaning.
            8 => {
                field.varint().within("stringValueStrindex")?;
                ValueView::Null
            }
            _ => {
                fields.skip()?;
                continue;
            }
        };
        seen += 1;
    }
    // Of several the last counts, but two arrays are one.
    if seen > 1 && has_message {
        return Err(Flaw::Repeated.into());
    }
    Ok(value)
}

/// Reads an array or a map through.
fn nested<'a>(
    mut fields: Fields<'a>,
    is_map: bool,
    weight: &mut Weight,
) -> Result<NestedView<'a>, Fault> {
    let view = NestedView { fields, is_map };
    let mut item = 0;
    while let Some((number, field)) = fields.next()? {
        if number != 1 {
            fields.skip()?;
            continue;
        }
        let inner = fields.of(field);
        let read = match is_map {
            true => inner.and_then(|inner| attribute(inner, weight).map(drop)),
            false => inner.and_then(|inner| value(inner, weight).map(drop)),
        };
        read.within_item("values", item)?;
        weight.add(ITEM_BYTES)?;
        item += 1;
    }
    Ok(view)
}

/// Notes a message that may be there once.
#[inline]
pub(super) fn once<'a>(found: &mut Option<Wire<'a>>, field: Wire<'a>) -> Result<(), Fault> {
    field.bytes()?;
    match found.replace(field) {
        None => Ok(()),
        Some(_) => Err(Flaw::Repeated.into()),
    }
}

/// A view of it while its row is read; as columns it takes less besides its text.
const ATTRIBUTE_BYTES: usize = size_of::<AttributeView<'static>>();

/// Of an array or a map, which are kept as JSON.
const ITEM_BYTES: usize = 8;
