//! Attribute values and lists of attributes.

use serde::ser::{Serialize, SerializeMap, Serializer};

/// A value of an attribute or of a log body: OTLP's `AnyValue`.
///
/// In JSON it is the plain value; bytes become lower-case hex text.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Value {
    /// No value at all.
    #[default]
    Null,
    /// A boolean.
    Bool(bool),
    /// A signed 64-bit integer.
    Int(i64),
    /// A double.
    Double(f64),
    /// Text.
    String(String),
    /// Bytes.
    Bytes(Vec<u8>),
    /// A list of values.
    Array(Vec<Value>),
    /// Named values.
    Map(Attributes),
}

impl Value {
    /// The text, if the value is text.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// The value as people write it: text as it is, all else as JSON. Filters compare with this.
    pub fn to_text(&self) -> String {
        match self {
            Value::String(text) => text.clone(),
            Value::Null => String::new(),
            other => serde_json::to_string(other).unwrap_or_default(),
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Value::String(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Value::String(text)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Value::Int(number)
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Value::Double(number)
    }
}

impl From<bool> for Value {
    fn from(truth: bool) -> Self {
        Value::Bool(truth)
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Value::Null => serializer.serialize_unit(),
            Value::Bool(truth) => serializer.serialize_bool(*truth),
            Value::Int(number) => serializer.serialize_i64(*number),
            Value::Double(number) => serializer.serialize_f64(*number),
            Value::String(text) => serializer.serialize_str(text),
            Value::Bytes(bytes) => {
                let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
                serializer.serialize_str(&hex)
            }
            Value::Array(values) => serializer.collect_seq(values),
            Value::Map(attributes) => attributes.serialize(serializer),
        }
    }
}

/// Named values in the order they were written. Keys may repeat on the wire; the first one counts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Attributes(pub Vec<(String, Value)>);

impl Attributes {
    /// The value of `key`.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.0
            .iter()
            .find(|(name, _)| name == key)
            .map(|(_, value)| value)
    }

    /// The value of `key`, if it is text.
    pub fn text(&self, key: &str) -> Option<&str> {
        self.get(key).and_then(Value::as_str)
    }

    /// Adds `key`, or replaces its value.
    pub fn set(&mut self, key: impl Into<String>, value: impl Into<Value>) {
        let (key, value) = (key.into(), value.into());
        match self.0.iter_mut().find(|(name, _)| *name == key) {
            Some((_, old)) => *old = value,
            None => self.0.push((key, value)),
        }
    }

    /// Keys and values, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value))
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<K: Into<String>, V: Into<Value>> FromIterator<(K, V)> for Attributes {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(pairs: I) -> Self {
        let pairs = pairs.into_iter();
        Attributes(
            pairs
                .map(|(key, value)| (key.into(), value.into()))
                .collect(),
        )
    }
}

impl Serialize for Attributes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (index, (key, value)) in self.0.iter().enumerate() {
            let repeated = self.0[..index].iter().any(|(earlier, _)| earlier == key);
            if !repeated {
                map.serialize_entry(key, value)?;
            }
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_the_plain_value() {
        let attributes: Attributes = [
            ("a", Value::Int(1)),
            ("a", Value::Int(2)),
            ("b", Value::Array(vec![Value::Null, Value::Double(0.5)])),
            ("c", Value::Bytes(vec![0xab, 0x01])),
            ("d", Value::Map([("e", true)].into_iter().collect())),
        ]
        .into_iter()
        .collect();
        let json = serde_json::to_string(&attributes).unwrap();
        assert_eq!(json, r#"{"a":1,"b":[null,0.5],"c":"ab01","d":{"e":true}}"#);
    }

    #[test]
    fn text_for_filters() {
        assert_eq!(Value::from("x").to_text(), "x");
        assert_eq!(Value::Int(200).to_text(), "200");
        assert_eq!(Value::Bool(true).to_text(), "true");
    }
}
