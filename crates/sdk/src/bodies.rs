//! What calls send and are answered, where `THROUGHLINE_PAYLOADS` is `on-error` or `all`. Names that are secret have no
//! values, texts are cut, and an invocation has room for so much. The extension looks at values, decides what leaves, and
//! cuts further.

use serde_json::{Map, Value};

use crate::payload;
use crate::settings::Settings;
use crate::sources::decoded;
use crate::span::Open;

/// A body, as far as it is known.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Body<'a> {
    /// Nothing if it is not at hand.
    pub(crate) bytes: Option<&'a [u8]>,
    /// In bytes, if that is known.
    pub(crate) size: Option<u64>,
    /// `content-type`
    pub(crate) kind: &'a str,
    /// `content-encoding`
    pub(crate) encoding: &'a str,
}

/// Tells of a body under `key`, unless it is empty or the mode is another.
pub(crate) fn tell(span: &Open, key: &str, body: Body<'_>) {
    let invocation = span.invocation();
    let settings = &invocation.sdk.settings;
    let size = body.bytes.map(|bytes| bytes.len() as u64).or(body.size);
    let Some(size) = size.filter(|size| settings.takes_bodies && *size > 0) else {
        return;
    };
    let shown = shown(body, settings).unwrap_or_else(|| format!("({size} bytes)"));
    put(span, key, beginning(shown));
}

/// Says that there was one, and nothing of it.
#[cfg(feature = "aws")]
pub(crate) fn withhold(span: &Open, key: &str) {
    if span.invocation().sdk.settings.takes_bodies {
        put(span, key, WITHHELD.to_owned());
    }
}

/// Nothing of what is binary, packed, or too long to be kept.
fn shown(body: Body<'_>, settings: &Settings) -> Option<String> {
    let is_packed = !matches!(body.encoding, "" | "identity");
    let kind = body.kind.split(';').next().unwrap_or_default();
    let kind = kind.trim().to_lowercase();
    let bytes = body.bytes.filter(|bytes| bytes.len() <= BYTES_MAX)?;
    if is_packed || !is_text(&kind) {
        return None;
    }
    let text = String::from_utf8_lossy(bytes);
    if kind.ends_with("x-www-form-urlencoded") {
        return Some(payload::text(&form(&text), settings));
    }
    let json: Option<Value> = (kind.is_empty() || is_json(&kind))
        .then(|| serde_json::from_str(&text).ok())
        .flatten();
    Some(match json {
        Some(json) => payload::text(&json, settings),
        None => payload::plain_text(&text, settings),
    })
}

fn is_json(kind: &str) -> bool {
    // `application/x-amz-json-1.0` is one too.
    let version = |letter: char| letter.is_ascii_digit() || letter == '.' || letter == '-';
    kind.trim_end_matches(version).ends_with("json")
}

fn is_text(kind: &str) -> bool {
    let ends = [
        "xml",
        "x-www-form-urlencoded",
        "graphql",
        "javascript",
        "yaml",
    ];
    kind.is_empty()
        || kind.starts_with("text/")
        || is_json(kind)
        || ends.iter().any(|end| kind.ends_with(end))
}

fn form(text: &str) -> Value {
    let pairs = text.split('&').filter(|pair| !pair.is_empty());
    let pairs = pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    let members: Map<String, Value> = pairs
        .map(|(key, value)| (decoded(key), decoded(value).into()))
        .collect();
    Value::Object(members)
}

fn beginning(mut text: String) -> String {
    if text.len() > TEXT_BYTES_MAX {
        let end = text.floor_char_boundary(TEXT_BYTES_MAX);
        let more = format!("…(+{} bytes)", text.len() - end);
        text.truncate(end);
        text.push_str(&more);
    }
    text
}

fn put(span: &Open, key: &str, text: String) {
    match span.invocation().has_room(text.len(), ROOM_BYTES) {
        true => span.set(key, text),
        false => span.set(key, "…"),
    }
}

/// Of an answer that is read along; of what is longer only the size is told.
pub(crate) const BYTES_MAX: usize = 64 << 10;
const TEXT_BYTES_MAX: usize = 8_192;
/// Of an invocation. The extension lets less leave.
const ROOM_BYTES: usize = 128 << 10;
#[cfg(feature = "aws")]
const WITHHELD: &str = "[withheld]";

#[cfg(test)]
mod tests {
    use super::*;

    fn check(kind: &str, encoding: &str, text: &str, expected: &str) {
        let settings = Settings::from_source(|_| String::new()).unwrap();
        let body = Body {
            bytes: Some(text.as_bytes()),
            kind,
            encoding,
            ..Body::default()
        };
        let seen = shown(body, &settings).unwrap_or_else(|| "its size".to_owned());
        assert_eq!(seen, expected);
    }

    #[test]
    fn text_is_shown_without_secrets() {
        let json = r#"{"order": 7, "token": "t"}"#;
        let shown = r#"{"order":7,"token":"[redacted]"}"#;
        for kind in [
            "application/json; charset=utf-8",
            "application/x-amz-json-1.0",
            "application/problem+json",
            "",
        ] {
            check(kind, "", json, shown);
        }
        let form = "Action=Publish&Message=%7B%22password%22%3A1%7D&Secret+Key=k";
        check(
            "application/x-www-form-urlencoded",
            "identity",
            form,
            r#"{"Action":"Publish","Message":"{\"password\":\"[redacted]\"}","Secret Key":"[redacted]"}"#,
        );
        check(
            "application/xml",
            "",
            "<Password>p</Password>",
            "<Password>[redacted]</Password>",
        );
        check(
            "application/json",
            "",
            "{broken, token=t",
            "{broken, token=[redacted]",
        );
    }

    #[test]
    fn of_the_rest_the_size_is_told() {
        check("application/octet-stream", "", "x", "its size");
        check("application/json", "gzip", "x", "its size");
        check("text/plain", "", &"x".repeat(BYTES_MAX + 1), "its size");
    }

    #[test]
    fn long_text_is_cut_between_letters() {
        let cut = beginning("é".repeat(5_000));
        assert_eq!(cut, format!("{}…(+1808 bytes)", "é".repeat(4_096)));
    }
}
