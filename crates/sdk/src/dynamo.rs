//! The names under which a write to a table and its record in the stream are known on both sides.

use serde_json::Value;
use sha2::{Digest, Sha256};

/// Of the keys of an item.
pub(crate) fn keys_key(table: &str, keys: &Value) -> String {
    format!("ddb:{table}/{}", digest(keys))
}

/// Of all of an item.
pub(crate) fn item_key(table: &str, item: &Value) -> String {
    format!("ddbi:{table}/{}", digest(item))
}

/// The first 32 digits of the SHA-256 of the item in DynamoDB's JSON: names sorted, no spaces, sets sorted.
fn digest(item: &Value) -> String {
    let mut text = String::new();
    match item {
        Value::Null => text.push_str("{}"),
        item => canonical(item, "", &mut text),
    }
    let hash = Sha256::digest(text.as_bytes());
    hash[..16]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

fn canonical(value: &Value, kind: &str, into: &mut String) {
    match value {
        Value::Array(values) => {
            let mut members: Vec<String> = values.iter().map(canonical_text).collect();
            if matches!(kind, "SS" | "NS" | "BS") {
                members.sort_unstable();
            }
            into.push('[');
            into.push_str(&members.join(","));
            into.push(']');
        }
        Value::Object(members) => {
            let mut names: Vec<&String> = members.keys().collect();
            names.sort_unstable();
            into.push('{');
            for (at, name) in names.into_iter().enumerate() {
                if at > 0 {
                    into.push(',');
                }
                into.push_str(&Value::String(name.clone()).to_string());
                into.push(':');
                canonical(&members[name], name, into);
            }
            into.push('}');
        }
        plain => into.push_str(&plain.to_string()),
    }
}

fn canonical_text(value: &Value) -> String {
    let mut text = String::new();
    canonical(value, "", &mut text);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_of_names_and_sets_does_not_matter() {
        let one =
            serde_json::json!({"b": {"SS": ["y", "x"]}, "a": {"L": [{"N": "2"}, {"N": "1"}]}});
        let other =
            serde_json::json!({"a": {"L": [{"N": "2"}, {"N": "1"}]}, "b": {"SS": ["x", "y"]}});
        assert_eq!(
            canonical_text(&one),
            r#"{"a":{"L":[{"N":"2"},{"N":"1"}]},"b":{"SS":["x","y"]}}"#
        );
        assert_eq!(item_key("t", &one), item_key("t", &other));
    }
}
