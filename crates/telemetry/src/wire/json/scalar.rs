//! One value of JSON as one value of protobuf.

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use prost::encoding::{WireType, encode_key, encode_varint};
use serde::de::Unexpected;

use super::{Field, Kind};

/// What JSON has beside lists and objects.
#[derive(Clone, Copy, Debug)]
pub(super) enum Value<'a> {
    Bool(bool),
    Unsigned(u64),
    Signed(i64),
    Double(f64),
    Text(&'a str),
}

impl<'a> Value<'a> {
    pub(super) fn unexpected(self) -> Unexpected<'a> {
        match self {
            Value::Bool(truth) => Unexpected::Bool(truth),
            Value::Unsigned(number) => Unexpected::Unsigned(number),
            Value::Signed(number) => Unexpected::Signed(number),
            Value::Double(number) => Unexpected::Float(number),
            Value::Text(text) => Unexpected::Str(text),
        }
    }

    /// An integer, also where it is written as text or with an exponent.
    fn integer(self) -> Option<i128> {
        match self {
            Value::Bool(_) => None,
            Value::Unsigned(number) => Some(number.into()),
            Value::Signed(number) => Some(number.into()),
            Value::Double(number) => whole(number),
            Value::Text(text) => {
                let exact = text.parse::<i128>().ok();
                exact.or_else(|| whole(text.parse().ok()?))
            }
        }
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "JSON does not say how exact its numbers are"
    )]
    fn double(self) -> Option<f64> {
        match self {
            Value::Bool(_) => None,
            Value::Unsigned(number) => Some(number as f64),
            Value::Signed(number) => Some(number as f64),
            Value::Double(number) => Some(number),
            Value::Text("NaN") => Some(f64::NAN),
            Value::Text("Infinity") => Some(f64::INFINITY),
            Value::Text("-Infinity") => Some(f64::NEG_INFINITY),
            Value::Text(text) => text.parse().ok().filter(|number: &f64| number.is_finite()),
        }
    }

    fn text(self) -> Option<&'a str> {
        match self {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the range is checked")]
fn whole(number: f64) -> Option<i128> {
    let is_whole = number.fract() == 0.0 && number.abs() < 2_f64.powi(64);
    is_whole.then_some(number as i128)
}

/// Writes the field; `false` if the value is none for it, and nothing is written then.
pub(super) fn put(field: &Field, value: Value<'_>, out: &mut Vec<u8>) -> bool {
    let before = out.len();
    put_tag(field, out);
    let put = put_value(field.kind, value, out);
    if put.is_none() {
        out.truncate(before);
    }
    put.is_some()
}

fn put_value(kind: Kind, value: Value<'_>, out: &mut Vec<u8>) -> Option<()> {
    match kind {
        Kind::Message(_) => return None,
        Kind::Text => put_bytes(value.text()?.as_bytes(), out),
        Kind::Hex => put_bytes(&hex(value.text()?)?, out),
        Kind::Base64 => put_bytes(&base64(value.text()?)?, out),
        Kind::Bool => {
            let truth = match value {
                Value::Bool(truth) => truth,
                Value::Text("true") => true,
                Value::Text("false") => false,
                _ => return None,
            };
            encode_varint(truth.into(), out);
        }
        Kind::Double => out.extend_from_slice(&value.double()?.to_le_bytes()),
        Kind::Fixed32 => {
            let number = u32::try_from(value.integer()?).ok()?;
            out.extend_from_slice(&number.to_le_bytes());
        }
        Kind::Fixed64 => {
            let number = u64::try_from(value.integer()?).ok()?;
            out.extend_from_slice(&number.to_le_bytes());
        }
        Kind::Signed64 => {
            let number = i64::try_from(value.integer()?).ok()?;
            out.extend_from_slice(&number.to_le_bytes());
        }
        Kind::Uint32 => encode_varint(u32::try_from(value.integer()?).ok()?.into(), out),
        Kind::Uint64 => encode_varint(u64::try_from(value.integer()?).ok()?, out),
        Kind::Int32 => {
            let number = i32::try_from(value.integer()?).ok()?;
            encode_varint(i64::from(number).cast_unsigned(), out);
        }
        Kind::Int64 => encode_varint(i64::try_from(value.integer()?).ok()?.cast_unsigned(), out),
        Kind::Sint32 => {
            let number = i32::try_from(value.integer()?).ok()?;
            encode_varint(((number << 1) ^ (number >> 31)).cast_unsigned().into(), out);
        }
    }
    Some(())
}

/// The number of the field and how its value is written.
pub(super) fn put_tag(field: &Field, out: &mut Vec<u8>) {
    let wire = match field.kind {
        Kind::Message(_) | Kind::Text | Kind::Hex | Kind::Base64 => WireType::LengthDelimited,
        Kind::Double | Kind::Fixed64 | Kind::Signed64 => WireType::SixtyFourBit,
        Kind::Fixed32 => WireType::ThirtyTwoBit,
        Kind::Bool | Kind::Uint32 | Kind::Uint64 | Kind::Int32 | Kind::Int64 | Kind::Sint32 => {
            WireType::Varint
        }
    };
    encode_key(field.number, wire, out);
}

fn put_bytes(bytes: &[u8], out: &mut Vec<u8>) {
    encode_varint(bytes.len() as u64, out);
    out.extend_from_slice(bytes);
}

fn hex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    if !text.len().is_multiple_of(2) {
        return None;
    }
    let bytes = text.as_bytes().chunks_exact(2).map(|pair| {
        let byte = digit(pair[0])? << 4 | digit(pair[1])?;
        u8::try_from(byte).ok()
    });
    bytes.collect()
}

/// Either alphabet, with or without padding.
fn base64(text: &str) -> Option<Vec<u8>> {
    let alphabet = match text.contains(['-', '_']) {
        true => &alphabet::URL_SAFE,
        false => &alphabet::STANDARD,
    };
    let any_padding = DecodePaddingMode::Indifferent;
    let config = GeneralPurposeConfig::new().with_decode_padding_mode(any_padding);
    GeneralPurpose::new(alphabet, config).decode(text).ok()
}
