//! Which names promise a secret.

use crate::rules::Rules;

/// Whether the value under this name is secret. For numbers a name that counts or measures something is not enough.
pub(crate) fn is_secret(name: &str, value: Kind, rules: &Rules) -> bool {
    // Nearly all names are short; a long one is text that happens to stand before a colon.
    if name.is_empty() || name.len() > NAME_BYTES_MAX {
        return false;
    }
    // Every attribute and every colon comes by here, so nothing is allocated before something looks like a secret.
    let mut buffer = [0_u8; NAME_BYTES_MAX];
    let (mut length, mut last) = (0, 0);
    for byte in name.bytes() {
        if b"-_. ".contains(&byte) {
            last = if byte == b'.' { length } else { last };
        } else {
            buffer[length] = byte.to_ascii_lowercase();
            length += 1;
        }
    }
    let (whole, last) = (&buffer[..length], &buffer[last..length]);
    let is_exact =
        last.len() <= EXACT_BYTES_MAX && EXACT.iter().any(|word| word.as_bytes() == last);
    let is_named = is_exact
        || promises(whole)
        || rules
            .extra_keys
            .iter()
            .any(|part| contains(whole, part.as_bytes()));
    is_named && is_meant(name, value, is_exact, rules)
}

/// Whether one of the words is in it.
fn promises(name: &[u8]) -> bool {
    name.iter().enumerate().any(|(at, byte)| {
        let words: &[&str] = match byte {
            b'p' => &["pass", "privatekey"],
            b's' => &[
                "secret",
                "session",
                "signature",
                "securitycode",
                "socialsecurity",
            ],
            b't' => &["token"],
            // Deliberately without `key`, which is the name of S3 objects and of table keys.
            b'a' => &["apikey", "accesskey", "authorization"],
            b'c' => &["credential", "cookie", "cardnumber", "creditcard"],
            _ => return false,
        };
        words
            .iter()
            .any(|word| name[at..].starts_with(word.as_bytes()))
    })
}

/// Looks closer at a name that has one of the words in it.
fn is_meant(name: &str, value: Kind, is_exact: bool, rules: &Rules) -> bool {
    let whole = normalized(name);
    if ALLOWED.contains(&name) || rules.allowed_keys.contains(&whole) {
        return false;
    }
    let last = name.rsplit('.').next().map(normalized).unwrap_or_default();
    if is_exact {
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
    promises(harmless.as_bytes())
        || rules
            .extra_keys
            .iter()
            .any(|part| harmless.contains(part.as_str()))
}

fn contains(name: &[u8], part: &[u8]) -> bool {
    !part.is_empty() && name.windows(part.len()).any(|window| window == part)
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
const EXACT_BYTES_MAX: usize = 4;
/// Words that contain one of those and promise nothing.
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
    "secretsmanager",
    // What stands for a token where a name was one.
    "[token]",
    "[awssecret]",
    "[privatekey]",
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
