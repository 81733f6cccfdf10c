//! Joining what the platform tells, what the function writes and what its SDK exports into spans
//! and log records of the right invocation and trace.
//!
//! The three arrive over three connections and in any order, so joining is late: everything waits
//! in [`Joiner`] until [`Joiner::drain`], which is called when an invocation is over and all that
//! can be known of it is known.

mod attempt;
mod crowd;
mod failure;
mod function;
mod held;
mod histogram;
mod invocation;
mod learn;
mod lines;
mod measure;
mod metrics;
pub mod otlp;
mod phase;
mod redactions;
mod report;

use std::collections::VecDeque;
use std::sync::Arc;

use throughline_telemetry::wire::{self, Request};
use throughline_telemetry::{LogRecord, Resource, Scope, Span, UnixNanos};

use crate::counters::{Counter, Counters};
use crate::lifecycle::Telemetry;
use crate::line::{self, Durable, Level};
use crate::platform::{Ended, Kind, PlatformEvent, Used};

pub use function::Function;
use function::Told;
pub use invocation::Invoked;
use invocation::{Ending, Invocation};
use learn::Executions;
use lines::{Line, Source};
use metrics::{Points, Series};
use phase::{Phase, What};
use redactions::Redactions;

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

/// What is made beside spans and log records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Signals {
    /// Metrics of invocations, and of the numbers in log lines.
    pub metrics: bool,
}

/// Everything that is known of the recent invocations of one environment.
#[derive(Debug)]
pub struct Joiner {
    function: Function,
    signals: Signals,
    /// What the platform told of the function since.
    told: Told,
    resource: Arc<Resource>,
    scopes: Scopes,
    /// How the environment came to be: `on-demand`, `provisioned-concurrency` and so on.
    initialization: Option<String>,
    /// How large `/tmp` is; 0 while that is not known.
    ephemeral_bytes: u64,
    series: Series,
    executions: Executions,
    telemetry: Telemetry,
    counters: Arc<Counters>,
    /// Oldest first, at most [`INVOCATIONS_MAX`].
    invocations: VecDeque<Invocation>,
    had_first: bool,
    /// Many at once, and no INVOKE.
    crowded: bool,
    /// Whether spans with payloads wait for the end of their invocation.
    holds_payloads: bool,
    /// How many bytes of them.
    held_bytes_max: usize,
    phases: Vec<Phase>,
    pending: Pending,
    redactions: Redactions,
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
    /// How many spans, records and metrics that is.
    items: u64,
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
        let known = |text: &str| {
            Some(text)
                .filter(|text| !text.is_empty())
                .map(str::to_owned)
        };
        let told = Told {
            instance: known(&function.log_stream).unwrap_or_else(|| environment.to_owned()),
            ..Told::default()
        };
        Joiner {
            resource: Arc::new(function.resource(&told)),
            function,
            signals: Signals::default(),
            told,
            initialization: None,
            ephemeral_bytes: 0,
            series: Series::default(),
            executions: Executions::default(),
            scopes: Scopes {
                platform: scope("throughline.platform"),
                function: scope("throughline.function"),
                extension: scope("throughline.extension"),
            },
            telemetry: Telemetry::Off,
            counters,
            invocations: VecDeque::new(),
            had_first: false,
            crowded: false,
            holds_payloads: false,
            held_bytes_max: held::HELD_BYTES_MAX,
            phases: Vec::new(),
            pending: Pending::default(),
            redactions: Redactions::default(),
        }
    }

    /// What to make beside spans and log records; nothing if this is not called.
    pub fn make(&mut self, signals: Signals) {
        self.signals = signals;
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
        let first = !std::mem::replace(&mut self.had_first, true);
        let cold = !self.was_made_before(now) && first;
        self.learn_account(&invoked.function_arn);
        self.invoking(invoked, now).invoked(invoked, now, cold);
        self.settle();
    }

    /// The platform told something.
    pub fn told(&mut self, event: PlatformEvent, now: UnixNanos) {
        let time = event.time_or(now);
        match event.kind {
            Kind::InitStart {
                instance,
                initialization_type,
                runtime,
            } => {
                self.learn_of_function(|told| {
                    told.instance = instance.unwrap_or_else(|| told.instance.clone());
                    told.runtime = runtime.unwrap_or_default();
                });
                self.initialization.clone_from(&initialization_type);
                self.begin(Phase::new(What::Init, time, initialization_type));
            }
            Kind::RestoreStart { instance } => {
                if let Some(instance) = instance {
                    self.learn_of_function(|told| told.instance = instance);
                }
                // The snapshot was taken of an environment that is not this one's past.
                self.set_free(|phase| phase.what == What::Init, now);
                self.begin(Phase::new(What::Restore, time, None));
            }
            Kind::InitRuntimeDone(ended) => self.phase(What::Init, |p| p.runtime_done(time, ended)),
            Kind::RestoreRuntimeDone(ended) => {
                self.phase(What::Restore, |p| p.runtime_done(time, ended));
            }
            Kind::InitReport(ended) => self.phase(What::Init, |p| p.report(time, ended)),
            Kind::RestoreReport(ended) => self.phase(What::Restore, |p| p.report(time, ended)),
            Kind::Start(started) => {
                let request_id = started.request_id.clone();
                let execution = started.execution.clone();
                let told = self.crowded.then(|| started.clone());
                self.starting(&request_id, time, now).started(started, time);
                if let Some(told) = told {
                    self.announced(&told, time, now);
                }
                if let Some(execution) = execution {
                    let durable = Durable {
                        execution,
                        replay: false,
                    };
                    self.is_part_of(&request_id, time, &durable);
                }
            }
            Kind::RuntimeDone {
                request_id,
                ended,
                produced_bytes,
            } => {
                let invocation = self.running(&request_id, time, now);
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
            } => self.reported(&request_id, time, ended, &used, now),
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
                let reading = line::read(text.into());
                self.keep_reading(reading, Source::Platform, time, now);
            }
            Kind::Line(line) => self.line(line, time, now),
            Kind::Unused => {}
        }
        self.settle();
    }

    /// The function's SDK exported something.
    pub fn exported(&mut self, request: Request) {
        self.pending.bytes += otlp::encoded_bytes(&request);
        self.pending.items += request.items() as u64;
        self.pending.requests.push(request);
    }

    /// A report of the extension about itself.
    pub fn loss_report(&mut self, now: UnixNanos) {
        let record = report::loss(self, now);
        self.keep_line(Line::new(record, None, now));
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

    /// How many spans, log records and metrics wait.
    pub fn pending_items(&self) -> u64 {
        self.pending.items
    }

    /// Everything that waits, joined: at most one request of each signal.
    ///
    /// What the function exported and what was logged is looked at first, because it says how an
    /// invocation went whose span is written here.
    pub fn drain(&mut self) -> Vec<Request> {
        let mut pending = std::mem::take(&mut self.pending);
        let mut merged = otlp::Merged::default();
        for mut request in pending.requests {
            otlp::join(self, &mut request);
            self.hold_back(&mut request);
            merged.add(request);
        }
        let awaited = |line: &mut Line| self.awaits_invoke(line);
        let waiting: Vec<Line> = pending.lines.extract_if(.., awaited).collect();
        let owners: Vec<Option<usize>> =
            pending.lines.iter().map(|line| self.owner(line)).collect();
        for (line, owner) in pending.lines.iter().zip(&owners) {
            self.learn(line, *owner);
        }
        let mut points = Points::default();
        for span in &mut pending.spans {
            self.complete(span);
            if self.signals.metrics {
                self.measure_span(span, &mut points);
            }
        }
        let mut logs: Vec<LogRecord> = Vec::with_capacity(pending.lines.len());
        for (mut line, owner) in pending.lines.into_iter().zip(owners) {
            self.complete_report(&mut line, owner);
            self.measure_report(&mut line, owner, &mut points);
            self.measure_line(&mut line, owner, &mut points);
            logs.push(self.join(line, owner));
        }
        waiting.into_iter().for_each(|line| self.wait(line));
        merged.add(Request::Traces(wire::traces_request(&pending.spans)));
        merged.add(Request::Logs(wire::logs_request(&logs)));
        self.measure_redactions(&mut points);
        let metrics = points.into_request(&self.resource, &self.scopes.platform);
        merged.add(Request::Metrics(metrics));
        merged.into_requests()
    }

    /// The report of an invocation that is forgotten, or that nobody here saw, is a log record only.
    fn reported(
        &mut self,
        request_id: &str,
        time: UnixNanos,
        ended: Ended,
        used: &Used,
        now: UnixNanos,
    ) {
        let known = self.attempt(request_id, time);
        let news = known.is_none_or(|at| self.invocations[at].reported(time, &ended));
        if news {
            let killed = ended.status == "error" && measure::is_full(used);
            if let Some(at) = known.filter(|_| killed) {
                self.invocations[at].out_of_memory = true;
            }
            let record = report::record(self, time, now, &ended, used, request_id);
            let mut line = Line::new(record, Some(request_id.to_owned()), time);
            line.used = Some(used.clone());
            self.keep_line(line);
        }
    }

    /// Forgets the oldest. If its end is still not known, it will not be: its span is written as it is.
    fn make_room(&mut self, now: UnixNanos) {
        let oldest = match self.crowded {
            true => self.least_needed(),
            false => (self.invocations.len() >= INVOCATIONS_MAX).then_some(0),
        };
        let Some(mut oldest) = oldest.and_then(|at| self.invocations.remove(at)) else {
            return;
        };
        if !oldest.is_over() {
            oldest.close(&Ending::Unknown, now);
            self.counters.add(Counter::Forgotten, 1);
        }
        let spans = oldest.take_spans(&self.resource, &self.scopes.platform);
        spans.into_iter().for_each(|span| self.keep_span(span));
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

    /// Whether the environment was made long before its first invocation, which then does not
    /// begin cold. The initialisation is nobody's.
    fn was_made_before(&mut self, now: UnixNanos) -> bool {
        self.set_free(|phase| phase.is_long_before(now), now)
    }

    /// Writes the spans of these phases in traces of their own.
    fn set_free(&mut self, which: impl Fn(&Phase) -> bool, now: UnixNanos) -> bool {
        let free: Vec<Phase> = self.phases.extract_if(.., |phase| which(phase)).collect();
        for phase in &free {
            let span = phase.alone(self, now);
            self.keep_span(span);
        }
        !free.is_empty()
    }

    fn begin(&mut self, mut phase: Phase) {
        let is_same = |known: &&Phase| known.what == phase.what;
        phase.nth = self.phases.iter().filter(is_same).count();
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

    /// Forgets what it was told of invocations and what waits: a fault of ours may lie in it.
    pub fn forget(&mut self) {
        self.pending = Pending::default();
        self.invocations.clear();
        self.phases.clear();
        self.executions = Executions::default();
        self.series = Series::default();
    }

    /// The environment has another id from here on.
    pub fn renew(&mut self, environment: &str) {
        if self.function.log_stream.is_empty() {
            self.learn_of_function(|told| told.instance = environment.to_owned());
        }
    }

    fn learn_account(&mut self, function_arn: &str) {
        if self.told.account_id.is_empty()
            && let Some(account) = function_arn.split(':').nth(4)
        {
            let account_id = account.to_owned();
            self.learn_of_function(|told| told.account_id = account_id);
        }
    }

    /// The resource says what is known by now.
    fn learn_of_function(&mut self, learn: impl FnOnce(&mut Told)) {
        let before = self.told.clone();
        learn(&mut self.told);
        if self.told != before {
            self.resource = Arc::new(self.function.resource(&self.told));
        }
    }

    fn keep_span(&mut self, span: Span) {
        self.pending.bytes += SPAN_BYTES;
        self.pending.items += 1;
        self.pending.spans.push(span);
    }
}

/// So many invocations are remembered for what arrives late: a report comes one invocation late as a
/// rule, spans that an SDK kept back may come a few later.
const INVOCATIONS_MAX: usize = 32;
/// An environment that fails to initialise does so a few times at most.
const PHASES_MAX: usize = 8;
/// What a span of the platform takes, about.
const SPAN_BYTES: usize = 400;

#[cfg(test)]
mod tests;
