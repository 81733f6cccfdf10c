//! OTLP/JSON to protobuf, by a table of OTLP's messages.
//!
//! JSON is turned into the bytes of the same message in protobuf, and those are decoded like any
//! others. So all that proto3's JSON allows is taken alike: `null` for any field, integers as text
//! and as numbers, `"NaN"` and `"Infinity"`, names in both spellings, base64 in both alphabets; and
//! fields that are not known are skipped. As OTLP wants it, ids are hexadecimal.

mod scalar;
mod schema;

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::model::Signal;
pub(super) use schema::{
    ENTITY_REF, EXPONENTIAL_HISTOGRAM_DATA_POINT, Field, HISTOGRAM_DATA_POINT, Kind, Message,
    NUMBER_DATA_POINT, SUMMARY_DATA_POINT, request,
};

/// The protobuf of an export request in JSON.
pub(super) fn to_protobuf(signal: Signal, body: &[u8]) -> Result<Vec<u8>, serde_json::Error> {
    let mut out = Vec::with_capacity(body.len() / 2);
    let mut json = serde_json::Deserializer::from_slice(body);
    let message = request(signal);
    Body {
        message,
        out: &mut out,
    }
    .deserialize(&mut json)?;
    json.end()?;
    Ok(out)
}

/// The fields of one message.
struct Body<'a> {
    message: &'static Message,
    out: &'a mut Vec<u8>,
}

impl<'de> DeserializeSeed<'de> for Body<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Body<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an object: {}", self.message.name())
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<(), M::Error> {
        while let Some(field) = map.next_key_seed(Name(self.message))? {
            match field {
                None => drop(map.next_value::<IgnoredAny>()?),
                Some(field) => map.next_value_seed(Member {
                    field,
                    place: Place::Field,
                    out: self.out,
                })?,
            }
        }
        Ok(())
    }
}

/// The name of a field; `None` if there is none of that name.
struct Name(&'static Message);

impl<'de> DeserializeSeed<'de> for Name {
    type Value = Option<&'static Field>;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        from.deserialize_identifier(self)
    }
}

impl Visitor<'_> for Name {
    type Value = Option<&'static Field>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the name of a field of {}", self.0.name())
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Self::Value, E> {
        Ok(self.0.field(name))
    }
}

/// The value of a field, or of one element of it.
struct Member<'a> {
    field: &'static Field,
    place: Place,
    out: &'a mut Vec<u8>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Field,
    Element,
}

impl Member<'_> {
    fn is_single(&self) -> bool {
        !self.field.is_repeated || self.place == Place::Element
    }

    /// Neither a list nor an object.
    fn put<E: Error>(self, value: scalar::Value<'_>) -> Result<(), E> {
        if !self.is_single() {
            return Err(E::invalid_type(value.unexpected(), &self));
        }
        match scalar::put(self.field, value, self.out) {
            true => Ok(()),
            false => Err(E::invalid_value(value.unexpected(), &self)),
        }
    }
}

impl<'de> DeserializeSeed<'de> for Member<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Member<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let many = if self.is_single() { "" } else { "a list of " };
        write!(
            f,
            "{} to be {many}{}",
            self.field.name,
            self.field.kind.name()
        )
    }

    /// `null` is the same as nothing.
    fn visit_unit<E: Error>(self) -> Result<(), E> {
        match self.place {
            Place::Field => Ok(()),
            Place::Element => Err(E::invalid_type(serde::de::Unexpected::Unit, &self)),
        }
    }

    fn visit_bool<E: Error>(self, truth: bool) -> Result<(), E> {
        self.put(scalar::Value::Bool(truth))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<(), E> {
        self.put(scalar::Value::Unsigned(number))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<(), E> {
        self.put(scalar::Value::Signed(number))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<(), E> {
        self.put(scalar::Value::Double(number))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        self.put(scalar::Value::Text(text))
    }

    fn visit_seq<S: SeqAccess<'de>>(self, mut elements: S) -> Result<(), S::Error> {
        if self.is_single() {
            return Err(S::Error::invalid_type(serde::de::Unexpected::Seq, &self));
        }
        loop {
            let element = Member {
                field: self.field,
                place: Place::Element,
                out: self.out,
            };
            if elements.next_element_seed(element)?.is_none() {
                return Ok(());
            }
        }
    }

    fn visit_map<M: MapAccess<'de>>(self, map: M) -> Result<(), M::Error> {
        let Kind::Message(message) = self.field.kind else {
            return Err(M::Error::invalid_type(serde::de::Unexpected::Map, &self));
        };
        if !self.is_single() {
            return Err(M::Error::invalid_type(serde::de::Unexpected::Map, &self));
        }
        scalar::put_tag(self.field, self.out);
        let begin = self.out.len();
        self.out.extend_from_slice(&[0; LENGTH_BYTES]);
        let out = &mut *self.out;
        Body { message, out }.visit_map(map)?;
        set_length(self.out, begin);
        Ok(())
    }
}

/// A length that was kept free: as a varint that is always as long, so that nothing has to move.
fn set_length(out: &mut [u8], begin: usize) {
    let mut length = out.len() - begin - LENGTH_BYTES;
    for (index, byte) in out[begin..begin + LENGTH_BYTES].iter_mut().enumerate() {
        let more = if index + 1 < LENGTH_BYTES { 0x80 } else { 0 };
        *byte = u8::try_from(length & 0x7f).unwrap_or_default() | more;
        length >>= 7;
    }
    debug_assert_eq!(length, 0, "bodies are far below this");
}

/// Room for four gigabytes.
const LENGTH_BYTES: usize = 5;

#[cfg(test)]
mod tests;
