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
        Value::String(text) => beginning(text, budget).into(),
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
}
