//! One log line of a function, in whatever way its runtime or its logging library writes it.
//!
//! Told apart are objects (or text that is one), the platform's own sentences, the tab-separated
//! text of the managed runtimes, `key=value` text, and free text, of which only the level and the
//! request id are guessed. No field is lost: what has no place of its own becomes an attribute.
//! Lines that carry numbers for a metrics service give them as [`Measure`]s and stay lines.
//!
//! `corpus/` has real lines of the libraries, and what is read from each.

mod exception;
mod fields;
mod json;
mod logfmt;
mod measure;
mod platform;
mod text;
mod trace;

use serde_json::Value as Json;
use throughline_telemetry::{Attributes, SpanId, TraceId, UnixNanos, Value};

pub use measure::{Measure, Numbers};

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
    pub request_id: Option<RequestId>,
    /// The trace it belongs to.
    pub trace_id: Option<TraceId>,
    /// The span it belongs to.
    pub span_id: Option<SpanId>,
    /// The trace and the span that another vendor's tracer knows it under: better than none.
    pub foreign: Option<(TraceId, Option<SpanId>)>,
    /// The message.
    pub body: Value,
    /// Everything else.
    pub attributes: Attributes,
    /// The numbers it carries for a metrics service.
    pub measures: Vec<Measure>,
    /// How many numbers were left out, because a line may carry only so many.
    pub measures_cut: u64,
    /// What it says about how the invocation ends.
    pub tells: Option<Tells>,
    /// The durable execution that the invocation is a part of.
    pub durable: Option<Durable>,
}

/// A request id and how much it is worth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestId {
    /// The id.
    pub id: String,
    /// The field it was in, if that may as well hold the id of another request.
    pub doubtful: Option<&'static str>,
}

impl RequestId {
    fn sure(id: String) -> Self {
        RequestId { id, doubtful: None }
    }
}

/// What a line says about how its invocation ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tells {
    /// It looks like what a runtime prints when a handler raised, but a program may print it, too.
    MaybeRaised,
    /// The runtime printed what the handler raised.
    Raised,
    /// The function took too long.
    TimedOut,
    /// There was no more memory.
    OutOfMemory,
}

/// A durable execution: one that takes many invocations, each of which begins from the start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Durable {
    /// Its ARN.
    pub execution: String,
    /// Whether the line says that it repeats what an earlier invocation has done.
    pub replay: bool,
}

/// How bad a line is, with OTLP's numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
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

    /// The level of a number as Python's `logging` has them: 10 is debug, 50 is critical.
    fn from_python(number: i64) -> Option<Self> {
        Some(match number {
            1..10 => Level::Trace,
            10..20 => Level::Debug,
            20..30 => Level::Info,
            30..40 => Level::Warn,
            40..50 => Level::Error,
            50 => Level::Fatal,
            _ => return None,
        })
    }
}

/// Reads one record of a `function` or `extension` event.
pub fn read(record: Json) -> Reading {
    match record {
        Json::String(line) => read_text(&line),
        Json::Object(fields) => json::read(fields),
        Json::Null => Reading::default(),
        other => Reading {
            body: fields::value(other),
            ..Reading::default()
        },
    }
}

fn read_text(line: &str) -> Reading {
    let line = line.trim_end();
    match json::object(line) {
        Some(fields) => json::read(fields),
        None => text::read(line),
    }
}

const WORDS: [(&str, Level); 24] = [
    ("TRACE", Level::Trace),
    ("SILLY", Level::Trace),
    ("FINEST", Level::Trace),
    ("DEBUG", Level::Debug),
    ("VERBOSE", Level::Debug),
    ("FINE", Level::Debug),
    ("INFO", Level::Info),
    ("INFORMATION", Level::Info),
    ("NOTICE", Level::Info),
    ("SUCCESS", Level::Info),
    ("HTTP", Level::Info),
    ("WARN", Level::Warn),
    ("WARNING", Level::Warn),
    ("ERROR", Level::Error),
    ("ERR", Level::Error),
    ("SEVERE", Level::Error),
    ("FATAL", Level::Fatal),
    ("CRITICAL", Level::Fatal),
    ("CRIT", Level::Fatal),
    ("ALERT", Level::Fatal),
    ("EMERG", Level::Fatal),
    ("EMERGENCY", Level::Fatal),
    ("PANIC", Level::Fatal),
    ("DPANIC", Level::Fatal),
];

#[cfg(test)]
mod tests;
