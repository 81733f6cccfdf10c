//! Which names promise a secret.

use crate::rules::Rules;

/// Whether the value under this name is secret. For numbers a name that counts or measures something is not enough.
pub(crate) fn is_secret(name: &str, value: Kind, rules: &Rules) -> bool {
    // Nearly all names are short; a long one is text that happens to stand before a colon.
    if name.is_empty() || name.len() > NAME_BYTES_MAX {
        return false;
    }
    let whole = normalized(name);
    if ALLOWED.contains(&name) || rules.allowed_keys.contains(&whole) {
        return false;
    }
    let last = name
        .rsplit_once('.')
        .map(|(_, last)| normalized(last))
        .unwrap_or_else(|| whole.clone());
    if EXACT.contains(&last.as_str()) {
        return true;
    }
    if value == Kind::Number && measures(&last) {
        return false;
    }
    let harmless = HARMLESS
        .iter()
        .fold(whole, |name, word| match name.contains(word) {
            true => name.replace(word, ""),
            false => name,
        });
    CONTAINED.iter().any(|part| harmless.contains(part))
        || rules
            .extra_keys
            .iter()
            .any(|part| harmless.contains(part.as_str()))
}

/// What stands under a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Number,
}

/// Lower case, without the characters by which spellings of one name differ.
pub(crate) fn normalized(name: &str) -> String {
    name.chars()
        .filter(|c| !"-_. ".contains(*c))
        .map(|c| c.to_ascii_lowercase())
        .collect()
}

fn measures(name: &str) -> bool {
    name.contains("tokens") || MEASURES.iter().any(|end| name.ends_with(end))
}

const NAME_BYTES_MAX: usize = 96;
/// OpenTelemetry's own names that are ids to join by.
const ALLOWED: &[&str] = &["session.id", "session.previous_id"];
const EXACT: &[&str] = &[
    "pw", "pin", "cvv", "cvc", "ssn", "sid", "sig", "auth", "jwt", "otp", "dob", "iban", "pwd",
];
/// Deliberately without `key`, which is the name of S3 objects and of table keys.
const CONTAINED: &[&str] = &[
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
    "xamzsecuritytoken",
];
/// Words that contain one of the above and promise nothing.
const HARMLESS: &[&str] = &[
    "passenger",
    "compass",
    "bypass",
    "passthrough",
    "passed",
    "passive",
    "tokenizer",
    "tokentype",
    "nexttoken",
    "continuationtoken",
    "sessioncount",
];
const MEASURES: &[&str] = &[
    "count",
    "bytes",
    "ms",
    "millis",
    "seconds",
    "total",
    "size",
    "length",
    "age",
    "ttl",
    "expiresin",
    "expires",
    "limit",
    "rate",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_judged_as_people_would() {
        let rules = Rules::default().key("badge").allow_key("public_token");
        let text = [
            ("password", true),
            ("user_pass", true),
            ("X-Api-Key", true),
            ("http.request.header.authorization", true),
            ("AWS_SECRET_ACCESS_KEY", true),
            ("Set-Cookie", true),
            ("Card Number", true),
            ("app.user.pin", true),
            ("badgeNumber", true),
            ("pin", true),
            ("spinner", false),
            ("author", false),
            ("s3.key", false),
            ("partitionKey", false),
            ("passengers", false),
            ("compass", false),
            ("session.id", false),
            ("publicToken", false),
            ("", false),
        ];
        for (name, secret) in text {
            assert_eq!(is_secret(name, Kind::Text, &rules), secret, "{name}");
        }
        let numbers = [
            ("gen_ai.usage.input_tokens", false),
            ("session_count", false),
            ("token_expires_in", false),
            ("cookie_bytes", false),
            ("passcode", true),
            ("cvv", true),
        ];
        for (name, secret) in numbers {
            assert_eq!(is_secret(name, Kind::Number, &rules), secret, "{name}");
        }
    }
}
