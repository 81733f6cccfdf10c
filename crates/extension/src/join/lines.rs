//! Log records: of the function, of extensions, of the platform. They wait for their invocation.

use std::sync::Arc;
use std::time::Duration;

use throughline_telemetry::{Attributes, LogRecord, SpanId, UnixNanos, Value};

use super::invocation::Invocation;
use super::phase::What;
use super::{Joiner, report};
use crate::counters::Counter;
use crate::ids;
use crate::line::{self, Level};
use crate::platform::{self, Stream};

/// A log record that does not know its invocation yet.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) record: LogRecord,
    pub(super) request_id: Option<String>,
    /// When the platform saw it, by the clock that also stamps the start of invocations.
    pub(super) at: UnixNanos,
}

impl Joiner {
    /// Something that the function or an extension wrote.
    pub(super) fn line(&mut self, line: &platform::Line, time: UnixNanos, now: UnixNanos) {
        let reading = line::read(&line.record);
        let mut attributes = reading.attributes;
        if line.cut {
            self.counters.add(Counter::CutRecord, 1);
            attributes.set("throughline.log.cut", true);
        }
        let scope = match line.stream {
            Stream::Function => &self.scopes.function,
            Stream::Extension => &self.scopes.extension,
        };
        let record = LogRecord {
            time: reading.time.unwrap_or(time),
            observed_time: now,
            severity_number: reading.level.map_or(0, |level| level as u8),
            severity_text: reading.level_text,
            body: reading.body,
            attributes,
            trace_id: reading.trace_id,
            span_id: reading.span_id,
            event_name: String::new(),
            resource: Arc::clone(&self.resource),
            scope: Arc::clone(scope),
        };
        self.keep_line(Line {
            record,
            request_id: reading.request_id,
            at: time,
        });
    }

    /// A log record about the platform, in our words or its own.
    pub(super) fn say(
        &mut self,
        text: String,
        level: Level,
        request_id: Option<String>,
        time: UnixNanos,
        now: UnixNanos,
    ) {
        let mut record = report::blank(self, time, now, level);
        record.body = Value::String(text);
        self.keep_line(Line {
            record,
            request_id,
            at: time,
        });
    }

    /// Keeps a record until [`Joiner::drain`].
    pub(super) fn keep_line(&mut self, line: Line) {
        let LogRecord {
            body, attributes, ..
        } = &line.record;
        self.pending.bytes += LINE_BYTES + weight(body) + weight_of_all(attributes);
        self.pending.lines.push(line);
    }

    /// The record with its invocation, trace and span, as far as they can be known.
    pub(super) fn join(&self, line: Line) -> LogRecord {
        let Line {
            mut record,
            request_id,
            at,
        } = line;
        let by_id = |id: &str| {
            let known = self.attempt(id, at).map(|at| &self.invocations[at]);
            known.filter(|known| known.is_invoked())
        };
        let owner = match &request_id {
            Some(id) => by_id(id).map(|owner| (owner, owner.span_id)),
            None => self.running_at(at),
        };
        if record.trace_id.is_none()
            && let Some((owner, span_id)) = &owner
        {
            record.trace_id = Some(owner.context.trace_id);
            record.span_id = Some(*span_id);
        }
        let id = request_id.or_else(|| owner.map(|(owner, _)| owner.request_id.clone()));
        if let Some(id) = id {
            record.attributes.set("faas.invocation_id", id);
        }
        record
    }

    /// The invocation that ran at this time, and the span that was open: what comes before the first
    /// invocation belongs to its initialisation.
    pub(super) fn running_at(&self, at: UnixNanos) -> Option<(&Invocation, SpanId)> {
        let begun =
            |known: &&Invocation| known.is_invoked() && known.start() <= at.plus(CLOCK_TOLERANCE);
        if let Some(owner) = self.invocations.iter().rfind(begun) {
            return Some((owner, owner.span_id));
        }
        let first = self.invocations.front().filter(|first| first.cold)?;
        Some((first, ids::step_span_id(first.span_id, What::Init.name())))
    }
}

/// About how many bytes a value takes: what a JSON line says is mostly in its fields.
fn weight(value: &Value) -> usize {
    let inside = match value {
        Value::Null | Value::Bool(_) | Value::Int(_) | Value::Double(_) => 0,
        Value::String(text) => text.len(),
        Value::Bytes(bytes) => bytes.len(),
        Value::Array(values) => values.iter().map(weight).sum(),
        Value::Map(fields) => weight_of_all(fields),
    };
    VALUE_BYTES + inside
}

fn weight_of_all(attributes: &Attributes) -> usize {
    let weights = attributes
        .iter()
        .map(|(key, value)| key.len() + weight(value));
    weights.sum()
}

/// The platform writes its times in whole milliseconds.
pub(super) const CLOCK_TOLERANCE: Duration = Duration::from_millis(2);
/// What a log record takes beside its text, about.
const LINE_BYTES: usize = 200;
const VALUE_BYTES: usize = 16;
