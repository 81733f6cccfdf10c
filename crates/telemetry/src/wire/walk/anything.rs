//! Messages of which no view needs anything, checked against the table of OTLP's messages.

use super::field::{Fault, Fields, Flaw, Wire, Within, varint};
use super::scratch::Weight;
use super::value::{attribute, value};
use crate::wire::json::{Field, Kind, Message};

/// Reads a message through and keeps nothing of it.
pub(super) fn check(
    message: &'static Message,
    mut fields: Fields<'_>,
    weight: &mut Weight,
) -> Result<(), Fault> {
    while let Some((number, wire)) = fields.next()? {
        match message.fields.iter().find(|field| field.number == number) {
            None => fields.skip()?,
            Some(field) => check_field(field, &fields, wire, weight).within(field.name)?,
        }
    }
    Ok(())
}

fn check_field<'a>(
    field: &'static Field,
    of: &Fields<'a>,
    wire: Wire<'a>,
    weight: &mut Weight,
) -> Result<(), Fault> {
    match field.kind {
        Kind::Text => wire.text().map(drop),
        Kind::Hex | Kind::Base64 => wire.bytes().map(drop),
        Kind::Message(message) => {
            let inner = of.of(wire)?;
            // These two have fields that JSON does not know.
            match message.name() {
                "KeyValue" => attribute(inner, weight).map(drop),
                "AnyValue" => value(inner, weight).map(drop),
                _ => check(message, inner, weight),
            }
        }
        Kind::Double | Kind::Fixed64 | Kind::Signed64 => {
            packed(field, wire, Wire::fixed64, |rest| {
                match rest.split_at_checked(8) {
                    Some((_, after)) => {
                        *rest = after;
                        Ok(())
                    }
                    None => Err(Flaw::Malformed("cut off").into()),
                }
            })
        }
        Kind::Fixed32 => wire.fixed32().map(drop),
        Kind::Bool | Kind::Uint32 | Kind::Uint64 | Kind::Int32 | Kind::Int64 | Kind::Sint32 => {
            packed(field, wire, Wire::varint, |rest| varint(rest).map(drop))
        }
    }
}

/// A number; if there may be several, also many in one field.
fn packed<'a, T>(
    field: &Field,
    wire: Wire<'a>,
    one: impl FnOnce(Wire<'a>) -> Result<T, Fault>,
    next: impl Fn(&mut &'a [u8]) -> Result<(), Fault>,
) -> Result<(), Fault> {
    match wire {
        Wire::Bytes(mut rest) if field.is_repeated => {
            while !rest.is_empty() {
                next(&mut rest)?;
            }
            Ok(())
        }
        _ => one(wire).map(drop),
    }
}
