//! Lines that are objects.

use serde_json::{Map, Value as Json};
use throughline_telemetry::{Attributes, Value};

use super::{Level, Reading};
use crate::timestamp;

/// Takes the well-known fields out, by the names that Lambda's own runtimes and the common
/// libraries use; the rest stays as attributes.
pub(super) fn read(fields: &Map<String, Json>) -> Reading {
    let mut left = Fields {
        fields: fields.clone(),
    };
    let mut reading = Reading {
        time: left.take_read(TIMES, |json| json.as_str().and_then(timestamp::parse)),
        request_id: left
            .take_text(REQUEST_IDS)
            .or_else(|| request_id_of_span(fields)),
        trace_id: left.take_read(TRACE_IDS, |json| json.as_str()?.parse().ok()),
        span_id: left.take_read(SPAN_IDS, |json| json.as_str()?.parse().ok()),
        ..Reading::default()
    };
    let level = left.take_read(LEVELS, |json| Some((level(json)?, json.clone())));
    if let Some((level, written)) = level {
        reading.level = Some(level);
        reading.level_text = written.as_str().map_or(written.to_string(), str::to_owned);
    }
    let message = left
        .take(MESSAGES)
        .or_else(|| left.take_inside("fields", "message"));
    let message = message.and_then(|message| left.unfold_error(message));
    let attributes = left.into_attributes();
    let spoken = message.as_ref().map(value);
    match spoken.or_else(|| attributes.get("exception.message").cloned()) {
        Some(body) => Reading {
            body,
            attributes,
            ..reading
        },
        None => Reading {
            body: Value::Map(attributes),
            ..reading
        },
    }
}

/// The fields of an error that a runtime printed, by OpenTelemetry's names; `None` if it is none.
pub(super) fn error(text: &str) -> Option<Attributes> {
    let Ok(Json::Object(fields)) = serde_json::from_str(text) else {
        return None;
    };
    let is_error = fields.contains_key("errorType");
    is_error.then(|| Fields { fields }.into_attributes())
}

/// A value of JSON as a value of ours.
pub(super) fn value(json: &Json) -> Value {
    match json {
        Json::Null => Value::Null,
        Json::Bool(truth) => Value::Bool(*truth),
        Json::Number(number) => match number.as_i64() {
            Some(whole) => Value::Int(whole),
            None => Value::Double(number.as_f64().unwrap_or(f64::NAN)),
        },
        Json::String(text) => Value::String(text.clone()),
        Json::Array(values) => Value::Array(values.iter().map(value).collect()),
        Json::Object(fields) => Value::Map(attributes(fields)),
    }
}

fn attributes(fields: &Map<String, Json>) -> Attributes {
    fields
        .iter()
        .map(|(key, json)| (key.clone(), value(json)))
        .collect()
}

/// The fields that nobody has taken yet.
struct Fields {
    fields: Map<String, Json>,
}

impl Fields {
    fn take(&mut self, names: &[&str]) -> Option<Json> {
        names.iter().find_map(|name| self.fields.remove(*name))
    }

    fn take_text(&mut self, names: &[&str]) -> Option<String> {
        self.take_read(names, |json| json.as_str().map(str::to_owned))
    }

    /// Takes the first field that `read` understands; one that it does not stays.
    fn take_read<T>(&mut self, names: &[&str], read: impl Fn(&Json) -> Option<T>) -> Option<T> {
        let (name, found) = names.iter().find_map(|name| {
            let found = read(self.fields.get(*name)?)?;
            Some((*name, found))
        })?;
        self.fields.remove(name);
        Some(found)
    }

    /// Rust's `tracing` writes the message inside of `fields`.
    fn take_inside(&mut self, outer: &str, inner: &str) -> Option<Json> {
        let object = self.fields.get_mut(outer)?.as_object_mut()?;
        let taken = object.remove(inner)?;
        if object.is_empty() {
            self.fields.remove(outer);
        }
        Some(taken)
    }

    /// Node logs an error as a message that is an object. Its fields go where Python writes them,
    /// beside the message; any other message stays one.
    fn unfold_error(&mut self, message: Json) -> Option<Json> {
        match message {
            Json::Object(error) if error.contains_key("errorMessage") => {
                self.fields.extend(error);
                None
            }
            other => Some(other),
        }
    }

    /// What is left, with the names of an exception as OpenTelemetry has them.
    fn into_attributes(self) -> Attributes {
        let renamed = self.fields.into_iter().map(|(key, json)| {
            let found = RENAMED.iter().find(|(old, _)| *old == key);
            let value = match (&json, found) {
                // A stack is a list of lines in Node and Python and one text everywhere else.
                (Json::Array(lines), Some((_, "exception.stacktrace"))) => {
                    let lines = lines.iter().map(|line| line.as_str().unwrap_or(""));
                    Value::String(lines.collect::<Vec<_>>().join("\n"))
                }
                _ => value(&json),
            };
            (found.map_or(key, |(_, new)| (*new).to_owned()), value)
        });
        renamed.collect()
    }
}

fn level(json: &Json) -> Option<Level> {
    match json {
        Json::String(word) => Level::from_word(word),
        Json::Number(number) => Level::from_number(number.as_i64()?),
        _ => None,
    }
}

/// `lambda_runtime` puts the request id on the span that it runs the handler in.
fn request_id_of_span(fields: &Map<String, Json>) -> Option<String> {
    let id = fields.get("span")?.get("requestId")?.as_str()?;
    Some(id.to_owned())
}

const TIMES: &[&str] = &["timestamp", "@timestamp", "time", "ts"];
const LEVELS: &[&str] = &[
    "level",
    "log_level",
    "severity",
    "levelname",
    "log.level",
    "severityText",
];
const MESSAGES: &[&str] = &["message", "msg", "body"];
const REQUEST_IDS: &[&str] = &[
    "requestId",
    "AWSRequestId",
    "aws_request_id",
    "awsRequestId",
    "request_id",
    "function_request_id",
];
const TRACE_IDS: &[&str] = &["trace_id", "traceId", "otelTraceID", "trace.id"];
const SPAN_IDS: &[&str] = &["span_id", "spanId", "otelSpanID", "span.id"];
const RENAMED: &[(&str, &str)] = &[
    ("errorType", "exception.type"),
    ("errorMessage", "exception.message"),
    ("stackTrace", "exception.stacktrace"),
    ("stack", "exception.stacktrace"),
];
