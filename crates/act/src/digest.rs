//! What was seen, in 32 bytes, so that what is done is what was seen.

use std::fmt::{self, Write};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

/// SHA-256 of something's JSON, in hex. The order of fields does not count.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Digest(String);

impl Digest {
    /// Of this one.
    pub fn of(it: &impl Serialize) -> Self {
        let value = serde_json::to_value(it).unwrap_or_default();
        let mut text = String::new();
        write(&value, &mut text);
        let hash = Sha256::digest(text.as_bytes());
        let hex = hash.iter().fold(String::new(), |mut hex, byte| {
            // Writing to a text never fails.
            let _ = write!(hex, "{byte:02x}");
            hex
        });
        Digest(hex)
    }

    /// As bytes of its text.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// JSON with the fields of each object in the order of their names: whether a map keeps the order in which it was
/// filled depends on what else is compiled into a program, and two programs must agree.
fn write(value: &Value, text: &mut String) {
    match value {
        Value::Object(fields) => {
            let mut fields: Vec<_> = fields.iter().collect();
            fields.sort_by_key(|(name, _)| *name);
            text.push('{');
            for (name, value) in fields {
                text.push_str(&Value::from(name.as_str()).to_string());
                text.push(':');
                write(value, text);
                text.push(',');
            }
            text.push('}');
        }
        Value::Array(items) => {
            text.push('[');
            for item in items {
                write(item, text);
                text.push(',');
            }
            text.push(']');
        }
        plain => text.push_str(&plain.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_count_and_their_order_in_an_object_does_not() {
        let of = |text: &str| Digest::of(&serde_json::from_str::<Value>(text).unwrap());
        assert_eq!(
            of(r#"{"a":1,"b":{"c":[2],"d":3}}"#),
            of(r#"{"b":{"d":3,"c":[2]},"a":1}"#)
        );
        assert_ne!(Digest::of(&json!([1, 2])), Digest::of(&json!([2, 1])));
        assert_ne!(Digest::of(&json!({"a": "1"})), Digest::of(&json!({"a": 1})));
        assert_ne!(
            Digest::of(&json!(["a,", "b"])),
            Digest::of(&json!(["a", ",b"]))
        );
    }
}
