//! A payload as JSON text, without the values of names that are secret, and cut. The extension looks at values, applies
//! the payload mode and cuts further.

use serde_json::{Map, Value};

use crate::settings::Settings;

pub(crate) fn text(value: &Value, settings: &Settings) -> String {
    let mut budget = Budget {
        bytes: BYTES_MAX,
        values: VALUES_MAX,
    };
    cut(value, settings, 0, &mut budget).to_string()
}

struct Budget {
    bytes: usize,
    values: usize,
}

fn cut(value: &Value, settings: &Settings, depth: usize, budget: &mut Budget) -> Value {
    if budget.values == 0 {
        return MORE.into();
    }
    budget.values -= 1;
    match value {
        Value::String(text) => match secret_json(text, settings) {
            Some(known) => {
                let inner = cut(&known, settings, depth + 1, budget).to_string();
                beginning(&inner, budget).into()
            }
            None => beginning(text, budget).into(),
        },
        Value::Array(_) | Value::Object(_) if depth >= DEPTH_MAX => MORE.into(),
        Value::Array(values) => {
            let kept = values.iter().take(MEMBERS_MAX);
            let mut members: Vec<Value> = kept
                .map(|value| cut(value, settings, depth + 1, budget))
                .collect();
            if values.len() > MEMBERS_MAX {
                members.push(format!("{MORE}(+{})", values.len() - MEMBERS_MAX).into());
            }
            Value::Array(members)
        }
        Value::Object(members) => {
            let mut kept = Map::new();
            for (key, value) in members.iter().take(MEMBERS_MAX) {
                let value = match is_secret(key, settings) {
                    true => REDACTED.into(),
                    false => cut(value, settings, depth + 1, budget),
                };
                kept.insert(key.clone(), value);
            }
            if members.len() > MEMBERS_MAX {
                kept.insert(MORE.to_owned(), (members.len() - MEMBERS_MAX).into());
            }
            Value::Object(kept)
        }
        plain => plain.clone(),
    }
}

/// What a text says that is JSON itself, as the body of a request is, if there is a secret in it. Others stay as they
/// are written.
fn secret_json(text: &str, settings: &Settings) -> Option<Value> {
    let known = json(text)?;
    has_secret(&known, settings, DEPTH_MAX).then_some(known)
}

fn json(text: &str) -> Option<Value> {
    let is_json = text.starts_with(['{', '[']) && text.len() <= BYTES_MAX;
    is_json.then(|| serde_json::from_str(text).ok()).flatten()
}

fn has_secret(value: &Value, settings: &Settings, depth: usize) -> bool {
    match value {
        Value::Array(_) | Value::Object(_) if depth == 0 => true,
        Value::Array(values) => {
            let mut values = values.iter();
            values.any(|value| has_secret(value, settings, depth - 1))
        }
        Value::Object(members) => members
            .iter()
            .any(|(key, value)| is_secret(key, settings) || has_secret(value, settings, depth - 1)),
        // A text in a text may be JSON again.
        Value::String(text) => text.starts_with(['{', '[']),
        _ => false,
    }
}

/// A text that is no JSON, as of XML, without the values of elements and pairs whose names are secret.
#[cfg(feature = "bodies")]
pub(crate) fn plain_text(text: &str, settings: &Settings) -> String {
    use std::sync::LazyLock;

    use regex_lite::{Captures, Regex};
    static ELEMENTS: LazyLock<Regex> = LazyLock::new(|| {
        let pattern = r"(<)([\w:.-]{1,64})((?:\s[^<>]*)?>)([^<]+)";
        Regex::new(pattern).expect("it is one, by the test below")
    });
    static PAIRS: LazyLock<Regex> = LazyLock::new(|| {
        let pattern = r#"()([\w.-]{1,64})(["']?\s*[=:]\s*["']?)([^\s"'&,;<>]+)"#;
        Regex::new(pattern).expect("it is one, by the test below")
    });
    let shown = |found: &Captures<'_>| match is_secret(&found[2], settings) {
        true => format!("{}{}{}{REDACTED}", &found[1], &found[2], &found[3]),
        false => found[0].to_owned(),
    };
    let elements = ELEMENTS.replace_all(text, shown);
    PAIRS.replace_all(&elements, shown).into_owned()
}

fn beginning(text: &str, budget: &mut Budget) -> String {
    let room = TEXT_BYTES_MAX.min(budget.bytes);
    budget.bytes -= text.len().min(room);
    if text.len() <= room {
        return text.to_owned();
    }
    let end = text.floor_char_boundary(room);
    format!("{}{MORE}(+{} bytes)", &text[..end], text.len() - end)
}

fn is_secret(key: &str, settings: &Settings) -> bool {
    let plain = plain(key);
    let named = |names: &[String]| names.iter().any(|name| self::plain(name) == plain);
    if named(&settings.allowed_keys) {
        return false;
    }
    EXACT.contains(&plain.as_str())
        || PARTS.iter().any(|part| plain.contains(part))
        || named(&settings.secret_keys)
}

fn plain(key: &str) -> String {
    let letters = key
        .chars()
        .filter(|letter| !matches!(letter, '-' | '_' | '.' | ' '));
    letters.flat_map(char::to_lowercase).collect()
}

const DEPTH_MAX: usize = 8;
const MEMBERS_MAX: usize = 64;
const TEXT_BYTES_MAX: usize = 4_096;
const BYTES_MAX: usize = 65_536;
/// Values, lists and objects, all levels together.
const VALUES_MAX: usize = 4_096;
const MORE: &str = "…";
const REDACTED: &str = "[redacted]";
const EXACT: &[&str] = &[
    "pw", "pwd", "pin", "cvv", "cvc", "ssn", "sid", "sig", "auth", "jwt", "otp", "dob", "iban",
];
const PARTS: &[&str] = &[
    "pass",
    "secret",
    "token",
    "apikey",
    "accesskey",
    "privatekey",
    "credential",
    "authorization",
    "cookie",
    "session",
    "signature",
    "cardnumber",
    "creditcard",
    "securitycode",
    "socialsecurity",
];

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn secrets_go_and_long_things_are_cut() {
        let settings = Settings::from_source(|name| match name {
            "THROUGHLINE_SCRUB_KEYS" => "nick-name".to_owned(),
            "THROUGHLINE_SCRUB_ALLOW" => "token".to_owned(),
            _ => String::new(),
        });
        let event = json!({
            "Pass-Word": {"deep": 1}, "nickName": "x", "token": "seen", "s3": {"key": "a"},
            "long": "é".repeat(3_000), "list": (0..70).collect::<Vec<_>>(),
        });
        let cut: Value = serde_json::from_str(&text(&event, &settings.unwrap())).unwrap();
        assert_eq!(cut["Pass-Word"], REDACTED);
        assert_eq!(cut["nickName"], REDACTED);
        assert_eq!(cut["token"], "seen");
        assert_eq!(cut["s3"]["key"], "a");
        assert_eq!(cut["long"], format!("{}…(+1904 bytes)", "é".repeat(2_048)));
        assert_eq!(cut["list"][64], "…(+6)");
    }

    #[test]
    fn secret_in_a_text_that_is_json_goes() {
        let settings = Settings::from_source(|_| String::new()).unwrap();
        let event = json!({
            "body": r#"{"user": "ann", "sent": "{\"password\": \"p\"}"}"#,
            "plain": r#"{ "price": 1.50 }"#,
            "broken": "{password",
        });
        let cut: Value = serde_json::from_str(&text(&event, &settings)).unwrap();
        assert_eq!(
            cut["body"],
            r#"{"sent":"{\"password\":\"[redacted]\"}","user":"ann"}"#
        );
        assert_eq!(cut["plain"], r#"{ "price": 1.50 }"#);
        assert_eq!(cut["broken"], "{password");
    }

    #[cfg(feature = "bodies")]
    #[test]
    fn secrets_of_elements_and_pairs_go() {
        let settings = Settings::from_source(|_| String::new()).unwrap();
        let text =
            r#"<Key>a</Key><Token kind="x">t</Token> user=ann&password=p; "api-key": "k", n=1"#;
        assert_eq!(
            plain_text(text, &settings),
            r#"<Key>a</Key><Token kind="x">[redacted]</Token> user=ann&password=[redacted]; "api-key": "[redacted]", n=1"#
        );
    }
}
