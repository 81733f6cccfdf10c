//! What was raised, by OpenTelemetry's names, out of every library's own.

use serde_json::{Map, Value as Json};
use throughline_telemetry::{Attributes, Value};

use super::fields::Fields;

/// What is known of something raised.
#[derive(Default)]
struct Exception {
    kind: Option<String>,
    message: Option<String>,
    stack: Option<String>,
}

/// Takes the fields of an exception out. What is in the same object and has no place in it stays.
pub(super) fn take(fields: &mut Fields) -> Attributes {
    let mut found = Exception::default();
    for name in TEXTS {
        let traced = |json: &Json| stack(json).filter(|text| text.contains('\n'));
        if let Some((_, text)) = fields.take_read(&[name], traced) {
            found.stack.get_or_insert(text);
        }
    }
    for (names, place) in [
        (TYPES, &mut found.kind),
        (MESSAGES, &mut found.message),
        (STACKS, &mut found.stack),
    ] {
        if place.is_none() {
            *place = fields.take_read(names, stack).map(|(_, text)| text);
        }
    }
    for name in OBJECTS {
        if let Some(object) = fields.0.get_mut(*name).and_then(Json::as_object_mut) {
            found.take_from(object);
            if object.is_empty() {
                fields.0.remove(*name);
            }
        }
    }
    found.into_attributes()
}

/// `TYPE: MESSAGE` and a stack, as Python (at its end) and everybody else (at its beginning) print.
pub(super) fn of_stack(text: &str) -> Attributes {
    let found = Exception {
        stack: Some(text.to_owned()),
        ..Exception::default()
    };
    found.into_attributes()
}

impl Exception {
    /// An object is one if it has a stack, or both a type and a message.
    fn take_from(&mut self, object: &mut Map<String, Json>) {
        let has = |names: &[&str]| {
            names
                .iter()
                .any(|name| object.get(*name).is_some_and(Json::is_string))
        };
        if !(has(INNER_STACKS) || has(INNER_TYPES) && has(INNER_MESSAGES)) {
            return;
        }
        for (names, place) in [
            (INNER_TYPES, &mut self.kind),
            (INNER_MESSAGES, &mut self.message),
            (INNER_STACKS, &mut self.stack),
        ] {
            let found = names
                .iter()
                .find(|name| object.get(**name).is_some_and(Json::is_string));
            if let (None, Some(name)) = (&place, found)
                && let Some(Json::String(text)) = object.remove(*name)
            {
                *place = Some(text);
            }
        }
    }

    fn into_attributes(mut self) -> Attributes {
        let headline = self.stack.as_deref().and_then(headline);
        if let Some((kind, message)) = headline
            && self.kind.as_deref().is_none_or(|known| known == kind)
        {
            let message = Some(message.to_owned()).filter(|message| !message.is_empty());
            self.message = self.message.take().or(message);
            self.kind = Some(kind.to_owned());
        }
        let parts = [
            ("exception.type", self.kind),
            ("exception.message", self.message),
            ("exception.stacktrace", self.stack),
        ];
        let known = parts
            .into_iter()
            .filter_map(|(key, text)| Some((key, Value::String(text?))));
        known.collect()
    }
}

/// The stack that a text of several lines ends with, if it does: of Python, or with lines that
/// begin with `at`. What is said before it on its first line is no part of it.
pub(super) fn printed(text: &str) -> Option<&str> {
    if let Some(at) = text.find("Traceback (most recent call last):") {
        return Some(&text[at..]);
    }
    let mut rest = text;
    for _ in 0..HEADLINES_MAX {
        let (first, more) = rest.split_once('\n')?;
        if more.trim_start().starts_with("at ") {
            let mut words = first.split_inclusive(' ');
            let mut at = 0;
            let kind = words.find(|word| {
                at += word.len();
                let word = word.trim_end();
                word.ends_with("Error:") || word.ends_with("Exception:")
            });
            return Some(&rest[at - kind.map_or(at, str::len)..]);
        }
        rest = more;
    }
    None
}

/// The type and the message that a printed stack names.
fn headline(stack: &str) -> Option<(&str, &str)> {
    let mut lines = stack.lines().filter(|line| !line.trim().is_empty());
    let is_python = stack.starts_with("Traceback");
    let line = if is_python {
        lines.next_back()?
    } else {
        lines.next()?
    };
    let (kind, message) = match line.split_once(": ") {
        Some(parts) => parts,
        None if is_python || lines.next()?.trim_start().starts_with("at ") => (line, ""),
        None => return None,
    };
    let named = |letter: char| letter.is_alphanumeric() || "._$".contains(letter);
    let begins = kind.chars().next().is_some_and(char::is_alphabetic);
    (begins && kind.chars().all(named)).then_some((kind, message))
}

/// A stack is a list of lines in Node's and Python's runtime, and one text everywhere else.
fn stack(json: &Json) -> Option<String> {
    match json {
        Json::Array(lines) => {
            let lines: Option<Vec<&str>> = lines.iter().map(Json::as_str).collect();
            lines.map(|lines| lines.join("\n"))
        }
        Json::String(text) => Some(text.clone()),
        _ => None,
    }
}

/// Whole tracebacks as text.
const TEXTS: &[&str] = &["exception", "exc_info"];
const TYPES: &[&str] = &[
    "errorType",
    "exception.type",
    "error.type",
    "exception_name",
];
const MESSAGES: &[&str] = &[
    "errorMessage",
    "exception.message",
    "error.message",
    "exception.value",
];
const STACKS: &[&str] = &[
    "stackTrace",
    "exception.stacktrace",
    "error.stack_trace",
    "stack",
    "stack_trace",
    "stacktrace",
];
const OBJECTS: &[&str] = &["err", "error", "exception", "thrown"];
const INNER_TYPES: &[&str] = &["type", "name", "errorType"];
const INNER_MESSAGES: &[&str] = &["message", "value", "errorMessage"];
const INNER_STACKS: &[&str] = &["stack", "stack_trace", "extendedStackTrace", "stacktrace"];
/// What was said, and what was raised, before the lines of a stack.
const HEADLINES_MAX: usize = 2;
