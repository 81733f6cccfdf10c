//! Conditions as they are typed into an address or a terminal.
//!
//! ```text
//! http.route=/pay                    what JSON reads as a number, a truth value, a text or a list is
//! http.route="/pay"                  one; all else is a text as it stands
//! http.response.status_code>=500     =  !=  <  <=  >  >=
//! name~^(GET|POST)                   matches a regular expression
//! user.id contains 42                or any other operator of a query, as a word
//! cloud.region in ["eu-west-1"]
//! error.type exists
//! "odd key"=1
//! ```

use serde_json::Value;
use throughline_store::{Filter, Operator};

/// Reads one condition, or says what is wrong with it.
pub(in crate::api) fn read(text: &str) -> Result<Filter, String> {
    let text = text.trim();
    let (column, rest) = column(text)
        .filter(|(column, _)| !column.is_empty())
        .ok_or_else(|| format!("must be written key=value or key operator value, not `{text}`"))?;
    let rest = rest.trim_start();
    let symbol = SYMBOLS
        .iter()
        .find_map(|(symbol, op)| Some((*op, rest.strip_prefix(symbol)?)));
    let (op, value) = match symbol {
        Some(found) => found,
        None => {
            let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
            let (word, value) = rest.split_at(end);
            (operator(word, text)?, value)
        }
    };
    let value = value.trim();
    let takes_value = !matches!(op, Operator::Exists | Operator::DoesNotExist);
    if takes_value == value.is_empty() && symbol.is_none() {
        return Err(match takes_value {
            true => format!("lacks a value: `{text}`"),
            false => format!("takes no value: `{text}`"),
        });
    }
    Ok(Filter::is(&column, op, read_value(value, op)))
}

/// The key, with or without quotes, and what comes after it.
fn column(text: &str) -> Option<(String, &str)> {
    if text.starts_with('"') {
        let mut values = serde_json::Deserializer::from_str(text).into_iter::<String>();
        let column = values.next()?.ok()?;
        return Some((column, &text[values.byte_offset()..]));
    }
    let end = text.find(|it: char| it.is_whitespace() || "=!<>~".contains(it))?;
    Some((text[..end].to_owned(), &text[end..]))
}

fn operator(word: &str, text: &str) -> Result<Operator, String> {
    let known: Result<Operator, _> = serde_json::from_value(Value::from(word));
    known.map_err(|_| format!("has no operator that is known: `{text}`"))
}

/// Only a list is nothing but JSON; a text that is to be looked for inside of others is a text.
fn read_value(text: &str, op: Operator) -> Value {
    let json = serde_json::from_str(text).ok();
    let json = json.filter(|json: &Value| match op {
        Operator::Exists | Operator::DoesNotExist => false,
        Operator::In | Operator::NotIn => json.is_array(),
        Operator::Contains
        | Operator::DoesNotContain
        | Operator::StartsWith
        | Operator::DoesNotStartWith
        | Operator::EndsWith
        | Operator::Matches => json.is_string(),
        _ => !json.is_array() && !json.is_object() && !json.is_null(),
    });
    match (json, op) {
        (Some(json), _) => json,
        (None, Operator::Exists | Operator::DoesNotExist) => Value::Null,
        (None, _) => Value::from(text),
    }
}

/// The longer ones first.
const SYMBOLS: &[(&str, Operator)] = &[
    ("!=", Operator::NotEq),
    ("<=", Operator::LtEq),
    (">=", Operator::GtEq),
    ("=", Operator::Eq),
    ("<", Operator::Lt),
    (">", Operator::Gt),
    ("~", Operator::Matches),
];

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn conditions_are_read_as_people_type_them() {
        let check = |text: &str, column: &str, op: Operator, value: Value| {
            assert_eq!(read(text), Ok(Filter::is(column, op, value)), "{text}");
        };
        check("http.route=/pay", "http.route", Operator::Eq, json!("/pay"));
        check(
            "http.route = \"/pay\"",
            "http.route",
            Operator::Eq,
            json!("/pay"),
        );
        check("code>=500", "code", Operator::GtEq, json!(500));
        check("cold!=true", "cold", Operator::NotEq, json!(true));
        check("user=", "user", Operator::Eq, json!(""));
        check("a=b=c", "a", Operator::Eq, json!("b=c"));
        check("name ~ ^GET ", "name", Operator::Matches, json!("^GET"));
        check("id contains 42", "id", Operator::Contains, json!("42"));
        check(
            "id starts-with \"4 2\"",
            "id",
            Operator::StartsWith,
            json!("4 2"),
        );
        check("r in [\"a\", 1]", "r", Operator::In, json!(["a", 1]));
        check("e exists", "e", Operator::Exists, Value::Null);
        check("e does-not-exist", "e", Operator::DoesNotExist, Value::Null);
        check("\"odd key\"=1", "odd key", Operator::Eq, json!(1));
    }

    #[test]
    fn what_is_no_condition_is_told() {
        for text in [
            "",
            "a",
            "=b",
            "a like b",
            "a contains",
            "e exists 1",
            "\"a=1",
        ] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
