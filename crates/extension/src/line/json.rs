//! Lines that are objects.

use serde_json::{Map, Value as Json};
use throughline_telemetry::{UnixNanos, Value};

use super::fields::{Fields, text, value};
use super::{Durable, Level, Reading, RequestId, Tells, exception, measure, platform, trace};
use crate::timestamp;

/// The object that a text is, if it is one.
pub(super) fn object(text: &str) -> Option<Map<String, Json>> {
    let text = text.trim();
    if !text.starts_with('{') || !text.ends_with('}') {
        return None;
    }
    match serde_json::from_str(text) {
        Ok(Json::Object(fields)) => Some(fields),
        _ => None,
    }
}

/// Takes the well-known fields out, by the names that Lambda's own runtimes and the common
/// libraries use; the rest stays as attributes.
pub(super) fn read(fields: Map<String, Json>) -> Reading {
    let (measures, measures_cut) = measure::of_object(&fields);
    let mut left = Fields(flat(fields));
    let time = left.take_read(TIMES, time).map(|(_, time)| time);
    let foreign = trace::datadog_fields(&left);
    let request_id = request_id(&mut left);
    let (trace_id, span_id) = trace::take(&mut left);
    let (level, level_text) = level(&mut left);
    let durable = durable(&left);
    let message = left.take("message").or_else(|| left.take("msg"));
    let message = message.or_else(|| {
        left.take_read(&["event", "body"], spoken)
            .map(|(_, text)| text)
    });
    let named = message.is_some() || left.get("logger").is_some();
    let from_runtime = request_id
        .as_ref()
        .is_some_and(|id| id.doubtful == Some("requestId"));
    let (message, unfolded) = unfold(&mut left, message);
    let has_error = ["errorType", "errorMessage", "stackTrace"]
        .iter()
        .all(|name| left.get(name).is_some());
    let raised = from_runtime && has_error && level == Some(Level::Error);
    let raised = raised.then_some(if named {
        Tells::MaybeRaised
    } else {
        Tells::Raised
    });
    let mut attributes = exception::take(&mut left);
    attributes.0.extend(left.into_attributes().0);
    let body = message
        .map(value)
        .or_else(|| attributes.get("exception.message").cloned());
    let (body, attributes) = match body {
        Some(body) => (body, attributes),
        None => (Value::Map(attributes), Default::default()),
    };
    let gone = |text: Option<&str>| text.is_some_and(platform::is_out_of_memory);
    let oom = gone(body.as_str()) || gone(attributes.text("exception.type"));
    Reading {
        time,
        level,
        level_text,
        request_id,
        trace_id,
        span_id,
        foreign,
        body,
        attributes,
        measures,
        measures_cut,
        tells: oom
            .then_some(Tells::OutOfMemory)
            .or(raised.filter(|tells| unfolded || *tells == Tells::Raised)),
        durable,
    }
}

/// Loguru puts everything into `record`, Rust's `tracing` its own fields into `fields`. A field
/// that is there already keeps its place.
fn flat(mut fields: Map<String, Json>) -> Map<String, Json> {
    let is_loguru = fields.get("text").is_some_and(Json::is_string)
        && fields.get("record").is_some_and(Json::is_object);
    for outer in [is_loguru.then_some("record"), Some("fields")]
        .into_iter()
        .flatten()
    {
        let Some(Json::Object(inner)) = fields.get_mut(outer) else {
            continue;
        };
        let mut inner = std::mem::take(inner);
        fields.remove(outer);
        inner.retain(|key, json| {
            let free = !fields.contains_key(key);
            if free {
                fields.insert(key.clone(), json.take());
            }
            !free
        });
        if !inner.is_empty() {
            fields.insert(outer.to_owned(), Json::Object(inner));
        }
    }
    fields
}

/// Node logs an error as a message that is an object. Its fields go where Python writes them,
/// beside the message; any other message stays one.
fn unfold(left: &mut Fields, message: Option<Json>) -> (Option<Json>, bool) {
    match message {
        Some(Json::Object(error)) if error.contains_key("errorMessage") => {
            left.0.extend(error);
            (None, true)
        }
        Some(Json::Null) | None => (None, false),
        said => (said, false),
    }
}

/// The fields of an error that a runtime printed, by OpenTelemetry's names; `None` if it is none.
pub(super) fn error(text: &str) -> Option<throughline_telemetry::Attributes> {
    let fields = object(text)?;
    let is_error = fields.contains_key("errorType");
    is_error.then(|| {
        let mut fields = Fields(fields);
        let mut attributes = exception::take(&mut fields);
        attributes.0.extend(fields.into_attributes().0);
        attributes
    })
}

fn level(left: &mut Fields) -> (Option<Level>, String) {
    let read = |json: &Json| {
        let level = match json {
            Json::String(word) => Level::from_word(word.trim()),
            Json::Number(number) => Level::from_number(number.as_i64()?),
            _ => None,
        };
        let word = json
            .as_str()
            .map_or_else(|| json.to_string(), str::to_owned);
        Some((level?, word))
    };
    left.take_read(LEVELS, read)
        .map(|(_, (level, word))| (Some(level), word))
        .unwrap_or_default()
}

fn time(json: &Json) -> Option<UnixNanos> {
    match json {
        Json::String(text) => timestamp::parse(text),
        Json::Number(_) => epoch(json),
        // Loguru's and Log4j's own.
        Json::Object(parts) => {
            let seconds = || {
                let seconds = parts
                    .get("epochSecond")?
                    .as_u64()?
                    .checked_mul(1_000_000_000)?;
                let nanos = parts
                    .get("nanoOfSecond")
                    .and_then(Json::as_u64)
                    .unwrap_or(0);
                Some(UnixNanos(seconds.checked_add(nanos)?))
            };
            parts.get("timestamp").and_then(epoch).or_else(seconds)
        }
        _ => None,
    }
}

/// A time since 1970 in seconds, milli-, micro- or nanoseconds: which it is follows from its size,
/// for times between 2001 and 2286.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the ranges leave whole numbers of at most sixteen digits"
)]
pub(super) fn epoch(json: &Json) -> Option<UnixNanos> {
    let number = json.as_f64()?;
    let (to_micros, to_nanos) = match number {
        1e9..1e10 => (1e6, 1_000_000_000),
        1e12..1e13 => (1e3, 1_000_000),
        1e15..1e16 => (1.0, 1000),
        1e18..1e19 => (1e-3, 1),
        _ => return None,
    };
    Some(UnixNanos(match json.as_u64() {
        Some(whole) => whole.checked_mul(to_nanos)?,
        None => ((number * to_micros).round() as u64).checked_mul(1000)?,
    }))
}

/// A field that only Lambda's own libraries write is believed; `requestId` may be anybody's.
fn request_id(left: &mut Fields) -> Option<RequestId> {
    let read = |json: &Json| text(json).filter(|id| id != "-" && id != "undefined");
    if let Some((_, id)) = left.take_read(SURE_IDS, read) {
        return Some(RequestId::sure(id));
    }
    if let Some((name, id)) = left.take_read(DOUBTFUL_IDS, read) {
        return Some(RequestId {
            id,
            doubtful: Some(name),
        });
    }
    // `lambda_runtime` puts it on the span that it runs the handler in.
    let outer = left
        .get("spans")
        .and_then(Json::as_array)
        .and_then(|spans| spans.first());
    let id = left
        .get("span.requestId")
        .or_else(|| outer?.get("requestId"));
    id.and_then(read).map(RequestId::sure)
}

fn durable(left: &Fields) -> Option<Durable> {
    let arn = |json: &Json| {
        text(json).filter(|arn| arn.contains(":lambda:") && arn.contains("/durable-execution/"))
    };
    let (_, execution) = left.look(EXECUTIONS, arn)?;
    let replay = left.look(REPLAYS, Json::as_bool);
    Some(Durable {
        execution,
        replay: replay.is_some_and(|(_, replay)| replay),
    })
}

fn spoken(json: &Json) -> Option<Json> {
    json.is_string().then(|| json.clone())
}

const TIMES: &[&str] = &["timestamp", "@timestamp", "time", "ts", "instant"];
const LEVELS: &[&str] = &[
    "level",
    "log_level",
    "severity",
    "levelname",
    "log.level",
    "severityText",
    "level.name",
];
const SURE_IDS: &[&str] = &[
    "function_request_id",
    "AWSRequestId",
    "aws_request_id",
    "awsRequestId",
    "faas.invocation_id",
    "faas.execution",
    "contextMap.AWSRequestId",
];
const DOUBTFUL_IDS: &[&str] = &["requestId", "request_id"];
const EXECUTIONS: &[&str] = &[
    "executionArn",
    "durableExecutionArn",
    "DurableExecutionArn",
    "durable_execution_arn",
    "execution_arn",
];
const REPLAYS: &[&str] = &[
    "isReplay",
    "is_replay",
    "isReplaying",
    "is_replaying",
    "replay",
];
