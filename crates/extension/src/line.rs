//! One log line of a function, in whatever way its runtime or its logging library writes it.
//!
//! Three families are told apart: an object (or text that is one), the tab-separated text of the
//! managed runtimes, and free text, of which only the level is guessed. No field is lost: what has
//! no place of its own becomes an attribute.

mod json;
mod text;

use serde_json::Value as Json;
use throughline_telemetry::{Attributes, SpanId, TraceId, UnixNanos, Value};

/// What a line says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reading {
    /// When it was written, where the line says so.
    pub time: Option<UnixNanos>,
    /// How bad it is.
    pub level: Option<Level>,
    /// The level in the program's own word.
    pub level_text: String,
    /// The invocation that wrote it.
    pub request_id: Option<String>,
    /// The trace it belongs to.
    pub trace_id: Option<TraceId>,
    /// The span it belongs to.
    pub span_id: Option<SpanId>,
    /// The message.
    pub body: Value,
    /// Everything else.
    pub attributes: Attributes,
}

/// How bad a line is, with OTLP's numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Level {
    /// Finest detail.
    Trace = 1,
    /// For who looks for a fault.
    Debug = 5,
    /// Ordinary.
    Info = 9,
    /// Degraded.
    Warn = 13,
    /// Failed.
    Error = 17,
    /// Cannot go on.
    Fatal = 21,
}

impl Level {
    /// The level of a word, whatever its case.
    pub fn from_word(word: &str) -> Option<Self> {
        let known = WORDS
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(word));
        known.map(|(_, level)| *level)
    }

    /// The level of a number as Bunyan and Pino write it: 10 is trace, 60 is fatal.
    fn from_number(number: i64) -> Option<Self> {
        Some(match number {
            10..20 => Level::Trace,
            20..30 => Level::Debug,
            30..40 => Level::Info,
            40..50 => Level::Warn,
            50..60 => Level::Error,
            60 => Level::Fatal,
            _ => return None,
        })
    }
}

/// Reads one record of a `function` or `extension` event.
pub fn read(record: &Json) -> Reading {
    match record {
        Json::String(line) => read_text(line),
        Json::Object(fields) => json::read(fields),
        Json::Null => Reading::default(),
        other => Reading {
            body: json::value(other),
            ..Reading::default()
        },
    }
}

fn read_text(line: &str) -> Reading {
    let line = line.trim_end();
    if line.starts_with('{')
        && let Ok(Json::Object(fields)) = serde_json::from_str(line)
    {
        return json::read(&fields);
    }
    text::read(line)
}

const WORDS: [(&str, Level); 13] = [
    ("TRACE", Level::Trace),
    ("DEBUG", Level::Debug),
    ("INFO", Level::Info),
    ("INFORMATION", Level::Info),
    ("NOTICE", Level::Info),
    ("WARN", Level::Warn),
    ("WARNING", Level::Warn),
    ("ERROR", Level::Error),
    ("ERR", Level::Error),
    ("FATAL", Level::Fatal),
    ("CRITICAL", Level::Fatal),
    ("CRIT", Level::Fatal),
    ("PANIC", Level::Fatal),
];

#[cfg(test)]
mod tests;
