//! Values as text with a type beside it, so that any type fits one column and none is lost.
//!
//! ```text
//! 0 null    ""                 4 string  as it is
//! 1 bool    true | false       5 bytes   lower-case hex
//! 2 int     decimal            6 array   JSON
//! 3 double  shortest decimal   7 map     JSON
//! ```
//!
//! JSON has no bytes, no infinite doubles and no exact reading of some finite ones; those become
//! `{"$bytes":"hex"}` and `{"$double":"text"}`. A map whose first key begins with `$` might look like
//! one of them, so it becomes `{"$map":{...}}`.

use std::borrow::Cow;
use std::fmt::Write;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use throughline_telemetry::{Attributes, Value};

use super::table::Damage;

/// The type and the text of a value.
pub(crate) fn to_text(value: &Value) -> (u8, Cow<'_, str>) {
    match value {
        Value::Null => (NULL, Cow::Borrowed("")),
        Value::Bool(truth) => (BOOL, Cow::Borrowed(if *truth { "true" } else { "false" })),
        Value::Int(number) => (INT, number.to_string().into()),
        Value::Double(number) => (DOUBLE, double_text(*number).into()),
        Value::String(text) => (STRING, Cow::Borrowed(text)),
        Value::Bytes(bytes) => (BYTES, hex(bytes).into()),
        Value::Array(_) => (ARRAY, json(value).into()),
        Value::Map(_) => (MAP, json(value).into()),
    }
}

/// The value of a type and a text.
pub(crate) fn from_text(tag: u8, text: &str) -> Result<Value, Damage> {
    let bad = || Damage::new(format!("{text:?} is no value of type {tag}"));
    Ok(match tag {
        NULL if text.is_empty() => Value::Null,
        BOOL => Value::Bool(text.parse().map_err(|_| bad())?),
        INT => Value::Int(text.parse().map_err(|_| bad())?),
        DOUBLE => Value::Double(double(text).ok_or_else(bad)?),
        STRING => Value::String(text.to_owned()),
        BYTES => Value::Bytes(unhex(text).ok_or_else(bad)?),
        ARRAY | MAP => from_json(text)?,
        _ => return Err(bad()),
    })
}

/// Attributes as one JSON text.
pub(crate) fn attributes_to_json(attributes: &Attributes) -> String {
    let mut text = String::new();
    write_pairs(&mut text, attributes);
    text
}

/// Attributes of such a text.
pub(crate) fn attributes_from_json(text: &str) -> Result<Attributes, Damage> {
    let mut json = serde_json::Deserializer::from_str(text);
    let pairs = Pairs::deserialize(&mut json).and_then(|pairs| json.end().map(|()| pairs));
    let Pairs(pairs) = pairs.map_err(|error| Damage::new(format!("bad JSON: {error}")))?;
    Ok(Attributes(pairs))
}

pub(crate) const NULL: u8 = 0;
pub(crate) const BOOL: u8 = 1;
pub(crate) const INT: u8 = 2;
pub(crate) const DOUBLE: u8 = 3;
pub(crate) const STRING: u8 = 4;
const BYTES: u8 = 5;
const ARRAY: u8 = 6;
const MAP: u8 = 7;

fn json(value: &Value) -> String {
    let mut text = String::new();
    write_json(&mut text, value);
    text
}

fn from_json(text: &str) -> Result<Value, Damage> {
    let Json(value) =
        serde_json::from_str(text).map_err(|error| Damage::new(format!("bad JSON: {error}")))?;
    Ok(value)
}

fn write_json(out: &mut String, value: &Value) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(_) | Value::Int(_) => out.push_str(&to_text(value).1),
        Value::Double(number) => write_double(out, *number),
        Value::String(text) => write_string(out, text),
        Value::Bytes(bytes) => write_escape(out, "$bytes", &hex(bytes)),
        Value::Array(values) => {
            out.push('[');
            for (index, value) in values.iter().enumerate() {
                out.push_str(if index == 0 { "" } else { "," });
                write_json(out, value);
            }
            out.push(']');
        }
        Value::Map(attributes) => {
            let first = attributes.0.first();
            if first.is_some_and(|(key, _)| key.starts_with('$')) {
                out.push_str("{\"$map\":");
                write_pairs(out, attributes);
                out.push('}');
            } else {
                write_pairs(out, attributes);
            }
        }
    }
}

fn write_pairs(out: &mut String, attributes: &Attributes) {
    out.push('{');
    for (index, (key, value)) in attributes.iter().enumerate() {
        out.push_str(if index == 0 { "" } else { "," });
        write_string(out, key);
        out.push(':');
        write_json(out, value);
    }
    out.push('}');
}

fn write_string(out: &mut String, text: &str) {
    let quoted = serde_json::to_string(text).expect("text is always JSON");
    out.push_str(&quoted);
}

fn write_escape(out: &mut String, key: &str, text: &str) {
    let _ = write!(out, "{{\"{key}\":\"{text}\"}}");
}

fn write_double(out: &mut String, number: f64) {
    let text = double_text(number);
    let read = serde_json::from_str::<f64>(&text).map(f64::to_bits);
    if read.is_ok_and(|bits| bits == number.to_bits()) {
        out.push_str(&text);
    } else {
        write_escape(out, "$double", &text);
    }
}

/// The shortest text that reads back as the same double; always with a point or an exponent.
pub(super) fn double_text(number: f64) -> String {
    if number.is_nan() && number.to_bits() != f64::NAN.to_bits() {
        return format!("NaN:{:016x}", number.to_bits());
    }
    format!("{number:?}")
}

pub(crate) fn double(text: &str) -> Option<f64> {
    match text.strip_prefix("NaN:") {
        Some(bits) => u64::from_str_radix(bits, 16).ok().map(f64::from_bits),
        None => text.parse().ok(),
    }
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    if !text.is_ascii() || !text.len().is_multiple_of(2) {
        return None;
    }
    let pairs = (0..text.len()).step_by(2);
    pairs
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).ok())
        .collect()
}

/// A value as written above, escapes undone.
struct Json(Value);

/// The pairs of a map in order, repeated keys and all.
struct Pairs(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(JsonVisitor).map(Json)
    }
}

impl<'de> Deserialize<'de> for Pairs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(PairsVisitor).map(Pairs)
    }
}

struct JsonVisitor;

impl<'de> Visitor<'de> for JsonVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, truth: bool) -> Result<Value, E> {
        Ok(Value::Bool(truth))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(Value::Int(number))
    }

    fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<Value, E> {
        let number = i64::try_from(number).map_err(|_| E::custom("integer out of range"))?;
        Ok(Value::Int(number))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Value, E> {
        Ok(Value::Double(number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::String(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(Json(value)) = seq.next_element()? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let bad = || serde::de::Error::custom("bad escape");
        let Some(first) = map.next_key::<String>()? else {
            return Ok(Value::Map(Attributes::default()));
        };
        let value = match first.as_str() {
            "$bytes" => unhex(&map.next_value::<String>()?).map(Value::Bytes),
            "$double" => double(&map.next_value::<String>()?).map(Value::Double),
            "$map" => Some(Value::Map(Attributes(map.next_value::<Pairs>()?.0))),
            key if key.starts_with('$') => None,
            _ => {
                let Json(value) = map.next_value()?;
                let pairs = read_pairs(map, vec![(first, value)])?;
                return Ok(Value::Map(Attributes(pairs)));
            }
        };
        match map.next_key::<String>()? {
            None => value.ok_or_else(bad),
            Some(_) => Err(bad()),
        }
    }
}

struct PairsVisitor;

impl<'de> Visitor<'de> for PairsVisitor {
    type Value = Vec<(String, Value)>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a map")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        read_pairs(map, Vec::new())
    }
}

fn read_pairs<'de, A: MapAccess<'de>>(
    mut map: A,
    mut pairs: Vec<(String, Value)>,
) -> Result<Vec<(String, Value)>, A::Error> {
    while let Some((key, Json(value))) = map.next_entry()? {
        pairs.push((key, value));
    }
    Ok(pairs)
}
