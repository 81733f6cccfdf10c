//! Lines that are text.

use throughline_telemetry::{SpanId, TraceId, Value};

use super::{Level, Reading, RequestId, Tells, exception, json, logfmt, measure, platform, trace};
use crate::timestamp;

/// The platform and the managed runtimes first, then what has a form of its own, then free text.
pub(super) fn read(line: &str) -> Reading {
    let line = line.trim_end();
    let known = platform::read(line)
        .or_else(|| python(line))
        .or_else(|| node(line));
    let mut reading = known.or_else(|| lumigo(line)).unwrap_or_else(|| free(line));
    if let Value::String(text) = &mut reading.body {
        *text = lines(text);
        if platform::is_out_of_memory(text) {
            reading.tells = Some(Tells::OutOfMemory);
        }
        reading.measures.extend(measure::monitoring(text));
        if reading.attributes.is_empty() && text.contains('\n') {
            let stack = exception::printed(text);
            reading.attributes = stack.map(exception::of_stack).unwrap_or_default();
        }
        reading.foreign = reading.foreign.or_else(|| datadog(text));
        if let (None, Some((trace_id, span_id))) = (reading.trace_id, ids(text)) {
            reading.trace_id = Some(trace_id);
            reading.span_id = Some(span_id);
        }
    }
    reading
}

/// `[LEVEL]\tTIME\tREQUEST ID\tMESSAGE`
fn python(line: &str) -> Option<Reading> {
    let mut parts = line.splitn(4, '\t');
    let word = parts.next()?.strip_prefix('[')?.strip_suffix(']')?;
    let (time, id) = (timestamp::parse(parts.next()?)?, request_id(parts.next()?)?);
    let mut reading = said(parts.next()?);
    reading.time = Some(time);
    reading.request_id = Some(RequestId::sure(id));
    let level = Level::from_word(word);
    reading.told_level(level, word);
    Some(reading)
}

/// `TIME\tREQUEST ID\tLEVEL\tMESSAGE`; before the first invocation the id is `undefined` or `-`.
fn node(line: &str) -> Option<Reading> {
    let mut parts = line.splitn(4, '\t');
    let (time, id, word) = (
        timestamp::parse(parts.next()?)?,
        parts.next()?,
        parts.next()?,
    );
    let level = Level::from_word(word)?;
    let mut reading = said(parts.next()?);
    reading.time = Some(time);
    reading.request_id = request_id(id).map(RequestId::sure);
    reading.told_level(Some(level), word);
    Some(reading)
}

impl Reading {
    /// A level that the message itself names is the better one.
    fn told_level(&mut self, level: Option<Level>, word: &str) {
        if self.level.is_none() {
            self.level = level;
            word.clone_into(&mut self.level_text);
        }
    }
}

/// What a program said through its runtime: an object, an error behind the runtime's words, text.
fn said(text: &str) -> Reading {
    if let Some(fields) = json::object(text) {
        return json::read(fields);
    }
    let error = text
        .find("\t{")
        .and_then(|at| json::error(text[at..].trim()));
    let by_runtime = RAISED.iter().any(|words| text.starts_with(words));
    let tells = (error.is_some() && by_runtime).then_some(Tells::Raised);
    Reading {
        body: Value::from(text),
        attributes: error.unwrap_or_default(),
        tells,
        ..Reading::default()
    }
}

/// `[LUMIGO_LOG] {"message": …, "type": …, "level": 30}`, with Python's levels.
fn lumigo(line: &str) -> Option<Reading> {
    let fields = json::object(line.strip_prefix("[LUMIGO_LOG]")?)?;
    let number = fields.get("level").and_then(serde_json::Value::as_i64);
    let mut reading = json::read(fields);
    if let Some(level) = number.and_then(Level::from_python) {
        reading.level = Some(level);
    }
    Some(reading)
}

/// `[ERROR] TYPE: MESSAGE` and a traceback, which is how the Python runtime prints what a handler
/// raised.
fn raised(line: &str) -> Option<Reading> {
    let (first, stack) = line.strip_prefix("[ERROR] ")?.split_once(['\r', '\n'])?;
    let stack = stack.starts_with("Traceback").then_some(stack)?;
    let (kind, message) = first.split_once(": ").unwrap_or((first, ""));
    let attributes = [
        ("exception.type", kind.to_owned()),
        ("exception.message", message.to_owned()),
        ("exception.stacktrace", lines(stack)),
    ];
    Some(Reading {
        level: Some(Level::Error),
        level_text: "ERROR".to_owned(),
        attributes: attributes.into_iter().collect(),
        body: Value::from(line),
        tells: Some(Tells::Raised),
        ..Reading::default()
    })
}

/// Anything else: the whole line is the message. A level and a request id near its beginning count,
/// and so do pairs if there is nothing else.
fn free(line: &str) -> Reading {
    let plain = without_colours(line);
    if let Some(reading) = raised(&plain) {
        return reading;
    }
    if let Some(pairs) = logfmt::read(&plain) {
        let reading = json::read(pairs);
        return match reading.body {
            Value::Map(attributes) => Reading {
                body: Value::String(plain),
                attributes,
                ..reading
            },
            _ => reading,
        };
    }
    let beginning = || {
        let words = plain.split_whitespace();
        let says = |word: &&str| word.bytes().any(|byte| byte.is_ascii_alphanumeric());
        words.filter(says).take(LEVEL_WORDS_MAX)
    };
    let first = beginning().next().and_then(|word| word.strip_suffix(':'));
    let first = first.and_then(|word| Some((Level::from_word(word)?, word.to_owned())));
    let (level, level_text) = first.or_else(|| beginning().find_map(level_word)).unzip();
    let id = beginning().find_map(request_id);
    Reading {
        level,
        level_text: level_text.unwrap_or_default(),
        request_id: id.map(|id| RequestId {
            id,
            doubtful: Some(""),
        }),
        body: Value::String(plain),
        ..Reading::default()
    }
}

/// `INFO`, `[info]`, `WARN:`, `ERROR:logger:` and `level=error` are levels; `info` and `Error` in
/// prose are not.
fn level_word(word: &str) -> Option<(Level, String)> {
    let named = word
        .strip_prefix("level=")
        .map(|value| value.trim_matches('"'));
    let bare = word.trim_matches(['[', ']', '(', ')', ':', '|', ',']);
    let bare = bare.split_once(':').map_or(bare, |(first, _)| first);
    let marked = word.starts_with('[');
    let shouted = bare.chars().all(|letter| letter.is_ascii_uppercase());
    let candidate = named.or((marked || shouted).then_some(bare))?;
    Some((Level::from_word(candidate)?, candidate.to_owned()))
}

/// `[trace_id=5759e988bd862e3fe1be46a994272793 span_id=53995c3f42cd8ad8]`, which our layer for Node puts
/// before the message where it is told to.
fn ids(text: &str) -> Option<(TraceId, SpanId)> {
    let (ids, _) = text.strip_prefix("[trace_id=")?.split_once(']')?;
    let (trace_id, span_id) = ids.split_once(" span_id=")?;
    Some((trace_id.parse().ok()?, span_id.parse().ok()?))
}

/// `[dd.trace_id=123 dd.span_id=456]`, which Datadog's layers put before the message.
fn datadog(text: &str) -> Option<(TraceId, Option<SpanId>)> {
    let (ids, _) = text.strip_prefix("[dd.trace_id=")?.split_once(']')?;
    let (trace_id, span_id) = ids.split_once(" dd.span_id=").unwrap_or((ids, ""));
    trace::datadog(Some(trace_id), Some(span_id))
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

/// How Node's runtime begins the line of what nobody caught.
const RAISED: &[&str] = &[
    "Invoke Error",
    "Uncaught Exception",
    "Unhandled Promise Rejection",
];
/// A time may take two words and a request id another one; the level is the next.
const LEVEL_WORDS_MAX: usize = 4;
