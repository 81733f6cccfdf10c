//! The names under which both sides know what has no id that stays: a write to a table and its record in the stream, an
//! event and its replay. In every language they come to the same text.

use serde_json::{Number, Value};
use sha2::{Digest, Sha256};

/// Of the keys of an item.
pub(crate) fn keys_key(table: &str, keys: &Value) -> String {
    format!("ddb:{table}/{}", digest(keys))
}

/// Of all of an item.
pub(crate) fn item_key(table: &str, item: &Value) -> String {
    format!("ddbi:{table}/{}", digest(item))
}

/// Of what an event says.
pub(crate) fn event_key(source: &str, kind: &str, detail: &Value) -> Option<String> {
    if source.is_empty() || kind.is_empty() || detail.is_null() {
        return None;
    }
    let mut text = String::from("[");
    for part in [source, kind] {
        text.push_str(&Value::from(part).to_string());
        text.push(',');
    }
    canonical(detail, "", &mut text);
    text.push(']');
    Some(format!("ebd:{}", hashed(&text)))
}

/// Of an entry of `PutEvents`, whose detail is a text.
#[cfg(feature = "aws")]
pub(crate) fn entry_key(entry: &Value) -> Option<String> {
    let text = |name: &str| entry[name].as_str();
    let detail = text("Detail").filter(|detail| detail.len() <= DETAIL_BYTES_MAX)?;
    let detail = serde_json::from_str(detail).ok()?;
    event_key(text("Source")?, text("DetailType")?, &detail)
}

/// Of an item in DynamoDB's JSON.
fn digest(item: &Value) -> String {
    match item {
        Value::Null => hashed("{}"),
        item => hashed(&canonical_text(item)),
    }
}

/// The first 32 digits of the SHA-256.
fn hashed(text: &str) -> String {
    let hash = Sha256::digest(text.as_bytes());
    hash[..16]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// JSON with names sorted, no spaces, and sets of DynamoDB sorted.
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
        Value::Number(number) => into.push_str(&number_text(number)),
        plain => into.push_str(&plain.to_string()),
    }
}

/// Whoever passes an event on writes a number anew; only whole ones that a double holds exactly come out the same.
fn number_text(number: &Number) -> String {
    let whole = number.as_f64().filter(|number| number.fract() == 0.0);
    match whole.filter(|number| number.abs() < EXACT_MAX) {
        // Nothing is added to it but to a zero with a sign.
        Some(number) => format!("{:.0}", number + 0.0),
        None => "\"~\"".to_owned(),
    }
}

fn canonical_text(value: &Value) -> String {
    let mut text = String::new();
    canonical(value, "", &mut text);
    text
}

/// A detail beyond this is not looked into, as in the layers: of the ten that a `PutEvents` has at most, 160 KiB are parsed
/// and digested.
#[cfg(feature = "aws")]
const DETAIL_BYTES_MAX: usize = 16 << 10;

/// Whole numbers below this are the same in every language: 2^53.
const EXACT_MAX: f64 = 9_007_199_254_740_992.0;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn order_of_names_and_sets_does_not_matter() {
        let one = json!({"b": {"SS": ["y", "x"]}, "a": {"L": [{"N": "2"}, {"N": "1"}]}});
        let other = json!({"a": {"L": [{"N": "2"}, {"N": "1"}]}, "b": {"SS": ["x", "y"]}});
        assert_eq!(
            canonical_text(&one),
            r#"{"a":{"L":[{"N":"2"},{"N":"1"}]},"b":{"SS":["x","y"]}}"#
        );
        assert_eq!(item_key("t", &one), item_key("t", &other));
    }

    #[test]
    fn members_of_sets_are_in_the_order_of_their_json() {
        let item = json!({"s": {"SS": ["red", "red wine"]}});
        assert_eq!(
            item_key("t", &item),
            "ddbi:t/63a9b60c640d3c1d0170635d5f0386f1"
        );
    }
}

#[cfg(all(test, feature = "aws"))]
mod events {
    use std::collections::BTreeSet;

    use serde_json::json;

    use super::*;

    fn key(detail: &str) -> Option<String> {
        entry_key(&json!({"Source": "s", "DetailType": "t", "Detail": detail}))
    }

    #[test]
    fn event_has_the_same_name_where_it_is_put_and_where_it_comes_again() {
        let samples = include_str!("../../../layers/events/eventbridge.json");
        let samples: Vec<Value> = serde_json::from_str(samples).unwrap();
        let mut named = samples.iter();
        let sample = named.find(|sample| sample["case"] == "a replay").unwrap();
        let event = &sample["event"];
        let detail = format!("\n{:#}", event["detail"]);
        let entry = json!({"Source": event["source"], "DetailType": event["detail-type"], "Detail": detail});
        let expected = sample["expected"]["keys"][2].as_str().unwrap();
        assert_eq!(entry_key(&entry).unwrap(), expected);
        for name in ["Source", "DetailType"] {
            let mut other = entry.clone();
            other[name] = json!("x");
            assert_ne!(entry_key(&other).unwrap(), expected);
        }
    }

    #[test]
    fn numbers_that_writers_write_in_their_own_way() {
        for (details, count) in [
            (
                &[r#"{"n":100}"#, r#"{"n":100.0}"#, r#"{ "n": 1E+2 }"#][..],
                1,
            ),
            (&[r#"{"n":0}"#, r#"{"n":-0}"#, r#"{"n":-0.0}"#], 1),
            (
                &[r#"{"n":0.1}"#, r#"{"n":1e-1}"#, r#"{"n":9007199254740993}"#],
                1,
            ),
            (
                &[r#"{"n":1}"#, r#"{"n":-1}"#, r#"{"n":"1"}"#, r#"{"n":1.5}"#],
                4,
            ),
        ] {
            let keys: BTreeSet<_> = details.iter().map(|detail| key(detail)).collect();
            assert_eq!(keys.len(), count, "{details:?}");
            assert!(!keys.contains(&None), "{details:?}");
        }
    }

    #[test]
    fn event_that_cannot_be_read_has_no_name() {
        let long = format!(r#"{{"n":"{}"}}"#, "x".repeat(DETAIL_BYTES_MAX));
        let deep = format!("{}{}", "[".repeat(8_000), "]".repeat(8_000));
        for detail in ["{", "", "null", &long, &deep] {
            assert_eq!(key(detail), None, "{detail:.20}");
        }
        assert_eq!(entry_key(&json!({"DetailType": "t", "Detail": "{}"})), None);
    }
}
