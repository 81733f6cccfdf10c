//! Joining what the platform tells, what the function writes and what its SDK exports into spans
//! and log records of the right invocation and trace.
//!
//! The three arrive over three connections and in any order, so joining is late: everything waits
//! in [`Joiner`] until [`Joiner::drain`], which is called when an invocation is over and all that
//! can be known of it is known.

mod function;
mod invocation;
pub mod otlp;
mod phase;
mod report;

use std::collections::VecDeque;
use std::sync::Arc;

use throughline_telemetry::wire::{self, Request};
use throughline_telemetry::{LogRecord, Resource, Scope, Span, UnixNanos, Value};

use crate::counters::{Counter, Counters};
use crate::ids;
use crate::lifecycle::Telemetry;
use crate::line::{self, Level};
use crate::platform::{self, Kind, PlatformEvent, Stream};

pub use function::Function;
pub use invocation::Invoked;
use invocation::{Ending, Invocation};
use phase::{Phase, What};

/// Why the environment ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShutdownReason {
    /// It was idle, or the function was updated.
    Spindown,
    /// The function took too long.
    Timeout,
    /// A process ended that should not have.
    Failure,
}

impl ShutdownReason {
    /// Reads the platform's word; an unknown one counts as the harmless one.
    pub fn from_word(word: &str) -> Self {
        match word.to_ascii_lowercase().as_str() {
            "timeout" => ShutdownReason::Timeout,
            "failure" => ShutdownReason::Failure,
            _ => ShutdownReason::Spindown,
        }
    }
}

/// Everything that is known of the recent invocations of one environment.
#[derive(Debug)]
pub struct Joiner {
    function: Function,
    resource: Arc<Resource>,
    scopes: Scopes,
    telemetry: Telemetry,
    counters: Arc<Counters>,
    /// Oldest first, at most [`INVOCATIONS_MAX`].
    invocations: VecDeque<Invocation>,
    had_first: bool,
    phases: Vec<Phase>,
    pending: Pending,
}

/// The scopes of what the extension itself makes.
#[derive(Debug)]
struct Scopes {
    platform: Arc<Scope>,
    function: Arc<Scope>,
    extension: Arc<Scope>,
}

/// What waits for [`Joiner::drain`].
#[derive(Debug, Default)]
struct Pending {
    spans: Vec<Span>,
    lines: Vec<Line>,
    requests: Vec<Request>,
    bytes: usize,
}

/// A log record that does not know its invocation yet.
#[derive(Debug)]
struct Line {
    record: LogRecord,
    request_id: Option<String>,
    /// When the platform saw it, by the clock that also stamps the start of invocations.
    at: UnixNanos,
}

impl Joiner {
    /// For one environment of `function`; `environment` is its id.
    pub fn new(function: Function, environment: &str, counters: Arc<Counters>) -> Self {
        let scope = |name: &str| {
            let version = env!("CARGO_PKG_VERSION").to_owned();
            Arc::new(Scope {
                name: name.to_owned(),
                version,
            })
        };
        Joiner {
            resource: Arc::new(function.resource(environment)),
            function,
            scopes: Scopes {
                platform: scope("throughline.platform"),
                function: scope("throughline.function"),
                extension: scope("throughline.extension"),
            },
            telemetry: Telemetry::Off,
            counters,
            invocations: VecDeque::new(),
            had_first: false,
            phases: Vec::new(),
            pending: Pending::default(),
        }
    }

    /// The platform said whether there is telemetry.
    pub fn subscribed(&mut self, telemetry: Telemetry) {
        self.telemetry = telemetry;
    }

    /// `/next` answered with an invocation.
    pub fn invoked(&mut self, invoked: &Invoked, now: UnixNanos) {
        if self.telemetry != Telemetry::On {
            self.close_open(&Ending::Unknown, now);
        }
        let cold = !std::mem::replace(&mut self.had_first, true);
        let invocation = self.invocation(&invoked.request_id);
        invocation.invoked(invoked, now, cold);
        self.settle();
    }

    /// The platform told something.
    pub fn told(&mut self, event: PlatformEvent, now: UnixNanos) {
        let time = if event.time.is_known() {
            event.time
        } else {
            now
        };
        match event.kind {
            Kind::InitStart {
                instance,
                initialization_type,
            } => {
                if let Some(instance) = instance {
                    self.resource = Arc::new(self.function.resource(&instance));
                }
                self.begin(Phase::new(What::Init, time, initialization_type));
            }
            Kind::RestoreStart => self.begin(Phase::new(What::Restore, time, None)),
            Kind::InitRuntimeDone(ended) => self.phase(What::Init, |p| p.runtime_done(time, ended)),
            Kind::RestoreRuntimeDone(ended) => {
                self.phase(What::Restore, |p| p.runtime_done(time, ended));
            }
            Kind::InitReport(ended) => self.phase(What::Init, |p| p.report(time, ended)),
            Kind::RestoreReport(ended) => self.phase(What::Restore, |p| p.report(time, ended)),
            Kind::Start { request_id } => self.invocation(&request_id).started = Some(time),
            Kind::RuntimeDone {
                request_id,
                ended,
                produced_bytes,
            } => {
                let invocation = self.invocation(&request_id);
                invocation.ended(Ending::RuntimeDone {
                    time,
                    ended,
                    produced_bytes,
                });
            }
            Kind::Report {
                request_id,
                ended,
                used,
            } => {
                let record = report::record(self, time, now, &ended, &used, &request_id);
                self.keep_line(Line {
                    record,
                    request_id: Some(request_id.clone()),
                    at: time,
                });
                self.invocation(&request_id).reported(time, ended);
            }
            Kind::LogsDropped {
                records,
                bytes,
                reason,
            } => {
                self.counters.add(Counter::PlatformDropped, records.max(1));
                let text =
                    format!("the platform dropped {records} records, {bytes} bytes: {reason}");
                self.say(text, Level::Warn, None, time, now);
            }
            Kind::Fault(text) => {
                let request_id = text
                    .strip_prefix("RequestId: ")
                    .and_then(|rest| rest.split(' ').next());
                let request_id = request_id.map(str::to_owned);
                self.say(text, Level::Error, request_id, time, now);
            }
            Kind::Line(line) => self.line(&line, time, now),
            Kind::Unused => {}
        }
        self.settle();
    }

    /// The function's SDK exported something.
    pub fn exported(&mut self, request: Request) {
        self.pending.bytes += otlp::encoded_bytes(&request);
        self.pending.requests.push(request);
    }

    /// A report of the extension about itself.
    pub fn loss_report(&mut self, now: UnixNanos) {
        let record = report::loss(self, now);
        self.keep_line(Line {
            record,
            request_id: None,
            at: now,
        });
    }

    /// The environment ends: whatever is open is closed with what is known.
    pub fn shut_down(&mut self, reason: ShutdownReason, now: UnixNanos) {
        self.close_open(&Ending::ShutDown(reason), now);
        self.settle();
        for phase in std::mem::take(&mut self.phases) {
            let span = phase.last_words(self, now);
            self.keep_span(span);
        }
    }

    /// About how many bytes wait.
    pub fn pending_bytes(&self) -> usize {
        self.pending.bytes
    }

    /// Everything that waits, joined: at most one request of each signal.
    pub fn drain(&mut self) -> Vec<Request> {
        let pending = std::mem::take(&mut self.pending);
        let mut merged = otlp::Merged::default();
        for mut request in pending.requests {
            otlp::join(self, &mut request);
            merged.add(request);
        }
        let logs: Vec<LogRecord> = pending
            .lines
            .into_iter()
            .map(|line| self.join(line))
            .collect();
        merged.add(Request::Traces(wire::traces_request(&pending.spans)));
        merged.add(Request::Logs(wire::logs_request(&logs)));
        merged.into_requests()
    }

    /// The invocation of this id, made if it is new: its events may come in any order.
    fn invocation(&mut self, request_id: &str) -> &mut Invocation {
        let known = self
            .invocations
            .iter()
            .rposition(|known| known.request_id == request_id);
        let at = known.unwrap_or_else(|| {
            self.make_room();
            self.invocations.push_back(Invocation::new(request_id));
            self.invocations.len() - 1
        });
        &mut self.invocations[at]
    }

    fn make_room(&mut self) {
        if self.invocations.len() < INVOCATIONS_MAX {
            return;
        }
        if let Some(oldest) = self.invocations.pop_front()
            && !oldest.written
        {
            self.counters.add(Counter::Forgotten, 1);
        }
    }

    /// Writes the spans of everything whose end is known by now.
    fn settle(&mut self) {
        let mut spans = Vec::new();
        for invocation in &mut self.invocations {
            spans.extend(invocation.take_spans(&self.resource, &self.scopes.platform));
        }
        for phase in std::mem::take(&mut self.phases) {
            match phase.span(self) {
                Some(span) => spans.push(span),
                None => self.phases.push(phase),
            }
        }
        spans.into_iter().for_each(|span| self.keep_span(span));
    }

    fn close_open(&mut self, ending: &Ending, now: UnixNanos) {
        for invocation in self
            .invocations
            .iter_mut()
            .filter(|invocation| !invocation.is_over())
        {
            invocation.close(ending, now);
            if invocation.end_is_guessed() {
                self.counters.add(Counter::Forgotten, 1);
            }
        }
    }

    fn begin(&mut self, phase: Phase) {
        if self.phases.len() == PHASES_MAX {
            self.phases.remove(0);
            self.counters.add(Counter::Forgotten, 1);
        }
        self.phases.push(phase);
    }

    fn phase(&mut self, what: What, change: impl FnOnce(&mut Phase)) {
        if let Some(phase) = self.phases.iter_mut().rfind(|phase| phase.what == what) {
            change(phase);
        }
    }

    fn line(&mut self, line: &platform::Line, time: UnixNanos, now: UnixNanos) {
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
    fn say(
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

    fn keep_span(&mut self, span: Span) {
        self.pending.bytes += SPAN_BYTES;
        self.pending.spans.push(span);
    }

    fn keep_line(&mut self, line: Line) {
        let body = line.record.body.as_str().map_or(LINE_BYTES, str::len);
        self.pending.bytes += LINE_BYTES + body;
        self.pending.lines.push(line);
    }

    /// The record with its invocation, trace and span, as far as they can be known.
    fn join(&self, line: Line) -> LogRecord {
        let Line {
            mut record,
            request_id,
            at,
        } = line;
        let by_id = |id: &str| {
            self.invocations
                .iter()
                .rfind(|known| known.request_id == id)
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
    fn running_at(&self, at: UnixNanos) -> Option<(&Invocation, throughline_telemetry::SpanId)> {
        let begun = |known: &&Invocation| known.start() <= at.plus(CLOCK_TOLERANCE);
        if let Some(owner) = self.invocations.iter().rfind(begun) {
            return Some((owner, owner.span_id));
        }
        let first = self.invocations.front().filter(|first| first.cold)?;
        Some((first, ids::step_span_id(first.span_id, What::Init.name())))
    }
}

/// So many invocations are remembered for what arrives late: a report comes one invocation late as a
/// rule, spans that an SDK kept back may come a few later.
const INVOCATIONS_MAX: usize = 32;
/// An environment that fails to initialise does so a few times at most.
const PHASES_MAX: usize = 8;
/// The platform writes its times in whole milliseconds.
const CLOCK_TOLERANCE: std::time::Duration = std::time::Duration::from_millis(2);
/// What a span of the platform takes, about.
const SPAN_BYTES: usize = 400;
/// What a log record takes beside its text, about.
const LINE_BYTES: usize = 200;

#[cfg(test)]
mod tests;
