//! Cutting a JSON array into its elements without trusting it to be JSON.

use serde_json::Value as Json;

use super::{Kind, Line, PlatformEvent, Stream};
use crate::timestamp;

/// One element of the array.
#[derive(Debug, PartialEq)]
pub(super) enum Fragment<'a> {
    /// Its braces balance.
    Whole(&'a [u8]),
    /// It ends before its last brace.
    Cut(&'a [u8]),
}

impl<'a> Fragment<'a> {
    pub(super) fn bytes(&self) -> &'a [u8] {
        match self {
            Fragment::Whole(bytes) | Fragment::Cut(bytes) => bytes,
        }
    }
}

/// The objects on the top level of `body`.
///
/// One that does not end before the body does is taken to end where the next one seems to begin:
/// the platform starts every event with its time.
pub(super) fn fragments(body: &[u8]) -> Vec<Fragment<'_>> {
    let mut found = Vec::new();
    let mut rest = body;
    while let Some(begin) = rest.iter().position(|byte| *byte == b'{') {
        rest = &rest[begin..];
        let (fragment, length) = match balanced(rest) {
            Some(length) => (Fragment::Whole(&rest[..length]), length),
            None => {
                let length = find(&rest[1..], EVENT_BEGINS).map_or(rest.len(), |at| at + 1);
                (Fragment::Cut(&rest[..length]), length)
            }
        };
        found.push(fragment);
        rest = &rest[length..];
    }
    found
}

/// The length of the object at the beginning of `bytes`, strings respected.
fn balanced(bytes: &[u8]) -> Option<usize> {
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            _ if in_string => {}
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 && !in_string {
            return Some(at + 1);
        }
    }
    None
}

/// What is left of a log record that was cut inside its value: its text so far.
pub(super) fn salvage(bytes: &[u8]) -> Option<PlatformEvent> {
    let stream = match string_after(bytes, b"\"type\":")?.as_str() {
        "function" => Stream::Function,
        "extension" => Stream::Extension,
        _ => return None,
    };
    let time = string_after(bytes, b"\"time\":").and_then(|time| timestamp::parse(&time));
    let at = find(bytes, b"\"record\":")? + b"\"record\":".len();
    let record = String::from_utf8_lossy(&bytes[at..]);
    let record = record.trim_start();
    let text = match record.strip_prefix('"') {
        Some(inside) => unescape(inside),
        None => record.to_owned(),
    };
    Some(PlatformEvent {
        time: time.unwrap_or_default(),
        kind: Kind::Line(Line {
            stream,
            record: Json::String(text),
            cut: true,
        }),
    })
}

fn string_after(bytes: &[u8], key: &[u8]) -> Option<String> {
    let rest = &bytes[find(bytes, key)? + key.len()..];
    let begin = rest.iter().position(|byte| *byte == b'"')?;
    let rest = &rest[begin + 1..];
    let end = rest.iter().position(|byte| *byte == b'"')?;
    String::from_utf8(rest[..end].to_vec()).ok()
}

/// The longest beginning of `text` that is the inside of a JSON string.
///
/// A cut may fall into an escape, of which the longest has six bytes; control characters and
/// whatever else is wrong leave the text as it came.
fn unescape(text: &str) -> String {
    let ends = (0..=ESCAPE_BYTES_MAX).filter_map(|cut| text.len().checked_sub(cut));
    let mut read = ends.filter_map(|end| {
        let inside = text.get(..end)?;
        serde_json::from_str::<String>(&format!("\"{inside}\"")).ok()
    });
    read.next().unwrap_or_else(|| text.to_owned())
}

fn find(bytes: &[u8], needle: &[u8]) -> Option<usize> {
    bytes
        .windows(needle.len())
        .position(|window| window == needle)
}

const EVENT_BEGINS: &[u8] = b"{\"time\":";
const ESCAPE_BYTES_MAX: usize = 6;
