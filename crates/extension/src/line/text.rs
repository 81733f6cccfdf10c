//! Lines that are text.

use throughline_telemetry::{Attributes, Value};

use super::{Level, Reading, json};
use crate::timestamp;

/// The managed runtimes first, then free text.
pub(super) fn read(line: &str) -> Reading {
    let line = line.trim_end();
    let mut reading = python(line)
        .or_else(|| node(line))
        .unwrap_or_else(|| free(line));
    if let Value::String(text) = &mut reading.body {
        *text = lines(text);
    }
    reading
}

/// `[LEVEL]\tTIME\tREQUEST ID\tMESSAGE`
fn python(line: &str) -> Option<Reading> {
    let mut parts = line.splitn(4, '\t');
    let word = parts.next()?.strip_prefix('[')?.strip_suffix(']')?;
    let (time, request_id) = (timestamp::parse(parts.next()?)?, request_id(parts.next()?)?);
    Some(Reading {
        time: Some(time),
        level: Level::from_word(word),
        level_text: word.to_owned(),
        request_id: Some(request_id),
        body: Value::from(parts.next()?),
        ..Reading::default()
    })
}

/// `TIME\tREQUEST ID\tLEVEL\tMESSAGE`; before the first invocation the id is `undefined`.
fn node(line: &str) -> Option<Reading> {
    let mut parts = line.splitn(4, '\t');
    let (time, id, word) = (
        timestamp::parse(parts.next()?)?,
        parts.next()?,
        parts.next()?,
    );
    Some(Reading {
        time: Some(time),
        level: Some(Level::from_word(word)?),
        level_text: word.to_owned(),
        request_id: request_id(id),
        ..message(parts.next()?)
    })
}

/// `Invoke Error \t{"errorType": …}`: the runtime prints what a handler threw behind its words.
fn message(text: &str) -> Reading {
    let error = text
        .find("\t{")
        .and_then(|at| json::error(text[at..].trim()));
    Reading {
        body: Value::from(text),
        attributes: error.unwrap_or_default(),
        ..Reading::default()
    }
}

/// `[ERROR] TYPE: MESSAGE` and a traceback, which is how the Python runtime prints what a handler
/// raised.
fn raised(line: &str) -> Attributes {
    let parts = || {
        let (first, stack) = line.strip_prefix("[ERROR] ")?.split_once(['\r', '\n'])?;
        let stack = stack.starts_with("Traceback").then_some(stack)?;
        let (kind, message) = first.split_once(": ").unwrap_or((first, ""));
        Some([
            ("exception.type", kind.to_owned()),
            ("exception.message", message.to_owned()),
            ("exception.stacktrace", lines(stack)),
        ])
    };
    parts().into_iter().flatten().collect()
}

/// Anything else: the whole line is the message, and a level word near its beginning counts.
fn free(line: &str) -> Reading {
    let plain = without_colours(line);
    let mut words = plain
        .split_whitespace()
        .take(LEVEL_WORDS_MAX)
        .filter_map(level_word);
    let (level, level_text) = words.next().unzip();
    Reading {
        level,
        level_text: level_text.unwrap_or_default(),
        attributes: raised(&plain),
        body: Value::String(plain),
        ..Reading::default()
    }
}

/// `INFO`, `[info]`, `WARN:` and `level=error` are levels; `info` and `Error` in prose are not.
fn level_word(word: &str) -> Option<(Level, String)> {
    let named = word
        .strip_prefix("level=")
        .map(|value| value.trim_matches('"'));
    let bare = word.trim_matches(['[', ']', '(', ')', ':', '|', ',']);
    let marked = word.starts_with('[') && word.ends_with([']', ':']);
    let shouted = bare.chars().all(|letter| letter.is_ascii_uppercase());
    let candidate = named.or((marked || shouted).then_some(bare))?;
    Some((Level::from_word(candidate)?, candidate.to_owned()))
}

/// Without the escape sequences that colour a terminal.
fn without_colours(line: &str) -> String {
    let mut plain = String::with_capacity(line.len());
    let mut rest = line;
    while let Some((before, after)) = rest.split_once("\u{1b}[") {
        plain.push_str(before);
        let end = after.find(|letter: char| letter.is_ascii_alphabetic());
        rest = end.map_or("", |end| &after[end + 1..]);
    }
    plain.push_str(rest);
    plain
}

/// Runtimes that write to a pipe put `\r` for the line breaks inside of one message.
fn lines(text: &str) -> String {
    if text.contains('\n') {
        return text.replace("\r\n", "\n");
    }
    text.replace('\r', "\n")
}

/// A request id: a UUID, or in the older form without dashes.
fn request_id(text: &str) -> Option<String> {
    let hex = text.bytes().filter(u8::is_ascii_hexdigit).count();
    let dashes = text.bytes().filter(|byte| *byte == b'-').count();
    (hex == 32 && hex + dashes == text.len()).then(|| text.to_owned())
}

/// A time may take two words and the level is the next one.
const LEVEL_WORDS_MAX: usize = 3;
