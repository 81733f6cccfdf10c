//! One segment document to spans: its times, ids and causes. What describes the work is in
//! [`attributes`].

mod attributes;

use std::sync::Arc;

use serde_json::Value as Json;
use throughline_telemetry::{
    Attributes, Event, Resource, Scope, Span, SpanId, SpanKind, SpanStatus, TraceId, UnixNanos,
};

use super::BadDocument;

/// The spans of a document.
#[derive(Debug, Default)]
pub(super) struct Read {
    pub(super) finished: Vec<Span>,
    pub(super) open: Vec<Span>,
}

/// What subsegments have of those around them.
#[derive(Clone)]
struct Around {
    trace_id: TraceId,
    parent_id: Option<SpanId>,
    resource: Arc<Resource>,
    scope: Arc<Scope>,
}

pub(super) fn read(document: &Json) -> Result<Read, BadDocument> {
    let trace_id = document["trace_id"].as_str().and_then(trace_id);
    let trace_id = trace_id.ok_or(BadDocument::TraceId)?;
    let is_segment = document["type"] != "subsegment";
    let resource = match is_segment {
        true => attributes::resource(document),
        // Part of the function; the extension knows better what that is called.
        false => Resource::default(),
    };
    let around = Around {
        trace_id,
        parent_id: span_id(&document["parent_id"]),
        resource: Arc::new(resource),
        scope: Arc::new(Scope {
            name: "aws.xray".to_owned(),
            version: text(&document["aws"]["xray"]["sdk_version"]).to_owned(),
        }),
    };
    let mut read = Read::default();
    add(document, is_segment, &around, &mut read);
    match read.finished.is_empty() && read.open.is_empty() {
        true => Err(BadDocument::Segment),
        false => Ok(read),
    }
}

/// The recursion is as deep as the JSON, and the parser of that has a limit.
fn add(document: &Json, is_segment: bool, around: &Around, read: &mut Read) {
    let mut inside = around.clone();
    if let Some(span) = span(document, is_segment, around) {
        inside.parent_id = Some(span.span_id);
        match document["in_progress"] == true {
            true => read.open.push(span),
            false => read.finished.push(span),
        }
    }
    let subsegments = document["subsegments"].as_array();
    for subsegment in subsegments.into_iter().flatten() {
        add(subsegment, false, &inside, read);
    }
}

fn span(document: &Json, is_segment: bool, around: &Around) -> Option<Span> {
    let start = time(&document["start_time"]);
    let end = time(&document["end_time"]).max(start);
    let exceptions = document["cause"]["exceptions"].as_array();
    let exceptions = exceptions.map_or(&[][..], Vec::as_slice);
    let is_set = |key: &str| document[key] == true;
    let failed = is_set("fault") || is_set("error") || is_set("throttle");
    let mut attributes = attributes::of(document);
    if failed && let Some(kind) = error_type(document, exceptions) {
        attributes.set("error.type", kind);
    }
    Some(Span {
        trace_id: around.trace_id,
        span_id: span_id(&document["id"])?,
        parent_id: around.parent_id,
        trace_state: String::new(),
        name: text(&document["name"]).to_owned(),
        kind: match text(&document["namespace"]) {
            _ if is_segment => SpanKind::Server,
            "aws" | "remote" => SpanKind::Client,
            _ => SpanKind::Internal,
        },
        start,
        end,
        status: match failed {
            true => SpanStatus::Error,
            false => SpanStatus::Unset,
        },
        status_message: match (failed, exceptions.first()) {
            (true, Some(first)) => text(&first["message"]).to_owned(),
            _ => String::new(),
        },
        attributes,
        events: exceptions
            .iter()
            .map(|cause| exception(cause, end))
            .collect(),
        links: Vec::new(),
        resource: Arc::clone(&around.resource),
        scope: Arc::clone(&around.scope),
    })
}

fn error_type(document: &Json, exceptions: &[Json]) -> Option<String> {
    let of_exception = exceptions.iter().map(|cause| text(&cause["type"]));
    let mut of_exception = of_exception
        .filter(|kind| !kind.is_empty())
        .map(str::to_owned);
    let throttled = (document["throttle"] == true).then(|| "throttle".to_owned());
    let status = document["http"]["response"]["status"].as_u64();
    let status = status.filter(|status| *status >= 400);
    of_exception
        .next()
        .or(throttled)
        .or(status.map(|status| status.to_string()))
}

fn exception(cause: &Json, time: UnixNanos) -> Event {
    let mut attributes = Attributes::default();
    for (key, name) in [("type", "exception.type"), ("message", "exception.message")] {
        if let Some(text) = cause[key].as_str() {
            attributes.set(name, text);
        }
    }
    let frames = cause["stack"].as_array().into_iter().flatten();
    let stack: Vec<String> = frames
        .map(|frame| {
            let (label, path) = (text(&frame["label"]), text(&frame["path"]));
            format!("  at {label} ({path}:{})", frame["line"])
        })
        .collect();
    if !stack.is_empty() {
        attributes.set("exception.stacktrace", stack.join("\n"));
    }
    Event {
        time,
        name: "exception".to_owned(),
        attributes,
    }
}

/// `1-8hex-24hex`, or 32 digits as W3C writes them.
fn trace_id(text: &str) -> Option<TraceId> {
    let digits = match text
        .strip_prefix("1-")
        .and_then(|rest| rest.split_once('-'))
    {
        Some((seconds, unique)) if seconds.len() == 8 => format!("{seconds}{unique}"),
        _ => text.to_owned(),
    };
    digits.parse().ok()
}

fn span_id(id: &Json) -> Option<SpanId> {
    id.as_str().and_then(|id| id.parse().ok())
}

/// Seconds as a float hold microseconds, not nanoseconds.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the range is checked, and `as` would stop at its ends anyway"
)]
fn time(seconds: &Json) -> UnixNanos {
    match seconds.as_f64() {
        Some(seconds) if seconds > 0.0 && seconds < SECONDS_MAX => {
            UnixNanos((seconds * 1e6).round() as u64 * 1000)
        }
        _ => UnixNanos::default(),
    }
}

fn text(value: &Json) -> &str {
    value.as_str().unwrap_or_default()
}

/// What fits into nanoseconds.
const SECONDS_MAX: f64 = 18_000_000_000.0;
