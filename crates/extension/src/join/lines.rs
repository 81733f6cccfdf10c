//! Log records: of the function, of extensions, of the platform. They wait for their invocation.

use std::sync::Arc;
use std::time::Duration;

use throughline_telemetry::{Attributes, LogRecord, SpanId, TraceId, UnixNanos, Value};

use super::invocation::Invocation;
use super::phase::What;
use super::{Joiner, report};
use crate::counters::Counter;
use crate::ids;
use crate::line::{self, Durable, Level, Measure, Reading, RequestId, Tells};
use crate::platform::{self, Stream, Used};

/// A log record that does not know its invocation yet.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) record: LogRecord,
    pub(super) request_id: Option<RequestId>,
    /// The trace and span of another vendor's tracer.
    pub(super) foreign: Option<(TraceId, Option<SpanId>)>,
    pub(super) measures: Vec<Measure>,
    pub(super) tells: Option<Tells>,
    pub(super) durable: Option<Durable>,
    /// The numbers of the report that it is.
    pub(super) used: Option<Used>,
    /// When the platform saw it, by the clock that also stamps the start of invocations.
    pub(super) at: UnixNanos,
    /// Whether it has waited for INVOKE.
    pub(super) waited: bool,
}

/// Who said it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    Function,
    Extension,
    Platform,
}

impl Line {
    /// A record of ours, or one that says nothing but what is in it.
    pub(super) fn new(record: LogRecord, request_id: Option<String>, at: UnixNanos) -> Self {
        Line {
            record,
            request_id: request_id.map(|id| RequestId { id, doubtful: None }),
            foreign: None,
            measures: Vec::new(),
            tells: None,
            durable: None,
            used: None,
            at,
            waited: false,
        }
    }
}

impl Joiner {
    /// Something that the function or an extension wrote.
    pub(super) fn line(&mut self, line: platform::Line, time: UnixNanos, now: UnixNanos) {
        let mut reading = line::read(line.record);
        if line.cut {
            self.counters.add(Counter::CutRecord, 1);
            reading.attributes.set("throughline.log.cut", true);
        }
        let source = match line.stream {
            Stream::Function => Source::Function,
            Stream::Extension => Source::Extension,
        };
        self.keep_reading(reading, source, time, now);
    }

    /// What was read of a line.
    pub(super) fn keep_reading(
        &mut self,
        reading: Reading,
        source: Source,
        time: UnixNanos,
        now: UnixNanos,
    ) {
        self.counters
            .add(Counter::MeasureLimit, reading.measures_cut);
        let scope = match source {
            Source::Function => &self.scopes.function,
            Source::Extension => &self.scopes.extension,
            Source::Platform => &self.scopes.platform,
        };
        let record = LogRecord {
            time: reading.time.unwrap_or(time),
            observed_time: now,
            severity_number: reading.level.map_or(0, |level| level as u8),
            severity_text: reading.level_text,
            body: reading.body,
            attributes: reading.attributes,
            trace_id: reading.trace_id,
            span_id: reading.span_id,
            event_name: String::new(),
            resource: Arc::clone(&self.resource),
            scope: Arc::clone(scope),
        };
        self.keep_line(Line {
            record,
            request_id: reading.request_id,
            foreign: reading.foreign,
            measures: reading.measures,
            tells: reading.tells,
            durable: reading.durable,
            used: None,
            at: time,
            waited: false,
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
        self.keep_line(Line::new(record, request_id, time));
    }

    /// Keeps a record until [`Joiner::drain`].
    pub(super) fn keep_line(&mut self, line: Line) {
        let LogRecord {
            body, attributes, ..
        } = &line.record;
        let measures = line
            .measures
            .iter()
            .map(|measure| weight_of_all(&measure.attributes));
        let measures = measures.map(|bytes| LINE_BYTES + bytes).sum::<usize>();
        self.pending.bytes += LINE_BYTES + weight(body) + weight_of_all(attributes) + measures;
        self.pending.items += 1;
        self.pending.lines.push(line);
    }

    /// The record with its invocation, trace and span, as far as they can be known.
    pub(super) fn join(&self, line: Line, owner: Option<usize>) -> LogRecord {
        let mut record = line.record;
        let owner = owner.map(|at| &self.invocations[at]);
        if let Some(owner) = owner {
            // X-Ray's id of the trace says nothing of the span.
            let trace_id = *record.trace_id.get_or_insert(owner.context.trace_id);
            if record.span_id.is_none() && trace_id == owner.context.trace_id {
                let named = line.request_id.is_some();
                record.span_id = Some(if named {
                    owner.span_id
                } else {
                    span_at(owner, line.at)
                });
            }
        } else if let (None, Some((trace_id, span_id))) = (record.trace_id, line.foreign) {
            record.trace_id = Some(trace_id);
            record.span_id = span_id;
        }
        let id = match (line.request_id, owner) {
            (Some(RequestId { id, doubtful: None }), _) => Some(id),
            (
                Some(RequestId {
                    id,
                    doubtful: Some(field),
                }),
                owner,
            ) => {
                let owner = owner.map(|owner| owner.request_id.clone());
                if owner.as_ref() != Some(&id) && !field.is_empty() {
                    record.attributes.set(field, id);
                }
                owner
            }
            (None, owner) => owner.map(|owner| owner.request_id.clone()),
        };
        if let Some(id) = id {
            record.attributes.set("faas.invocation_id", id);
        }
        record
    }

    /// Who wrote a line: whom its request id names, else who ran at that time. An id that only may
    /// be ours, and names nobody, says nothing.
    pub(super) fn owner(&self, line: &Line) -> Option<usize> {
        let Some(RequestId { id, doubtful }) = &line.request_id else {
            return self.running_at(line.at);
        };
        match (self.attempt(id, line.at), doubtful) {
            (Some(known), _) => Some(known).filter(|at| self.invocations[*at].is_invoked()),
            (None, None) => None,
            (None, Some(_)) => self.running_at(line.at),
        }
    }

    /// Whether the line is of an invocation that the platform told to begin, and whose INVOKE, which has its trace, was
    /// not read yet: the two come over two connections.
    pub(super) fn awaits_invoke(&self, line: &Line) -> bool {
        if line.waited {
            return false;
        }
        let named = line.request_id.as_ref();
        let named = named.and_then(|named| self.attempt(&named.id, line.at));
        let begun = |known: &Invocation| known.started.is_some_and(|start| start <= line.at);
        let its = named.or_else(|| self.invocations.iter().rposition(begun));
        its.is_some_and(|at| !self.invocations[at].is_invoked())
    }

    /// Keeps a line for the next drain, and no longer: INVOKE may never come.
    pub(super) fn wait(&mut self, mut line: Line) {
        line.waited = true;
        self.keep_line(line);
    }

    /// The invocation that ran at this time. What comes before the first one belongs to its
    /// initialisation, and so to it; what comes between two, to the one that is nearer.
    pub(super) fn running_at(&self, at: UnixNanos) -> Option<usize> {
        if self.crowded {
            return self.alone_at(at);
        }
        let begun_until = |latest: UnixNanos| {
            let begun = |known: &Invocation| known.is_invoked() && known.start() <= latest;
            self.invocations.iter().rposition(begun)
        };
        let first = || {
            self.invocations
                .front()
                .filter(|first| first.cold)
                .map(|_| 0)
        };
        match (begun_until(at), begun_until(at.plus(CLOCK_TOLERANCE))) {
            (Some(before), Some(next)) if next > before => {
                let (ran, runs) = (&self.invocations[before], &self.invocations[next]);
                let is_next = ran
                    .end()
                    .is_some_and(|end| at.since(end) > runs.start().since(at));
                Some(if is_next { next } else { before })
            }
            (before, next) => before.or(next).or_else(first),
        }
    }
}

/// The span of an invocation that was open at this time.
pub(super) fn span_at(owner: &Invocation, at: UnixNanos) -> SpanId {
    let before = owner.cold && owner.start() > at.plus(CLOCK_TOLERANCE);
    if before {
        ids::step_span_id(owner.span_id, What::Init.name())
    } else {
        owner.span_id
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
