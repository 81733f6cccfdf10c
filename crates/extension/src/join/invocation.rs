//! One invocation, from several sources, and its spans.

use std::sync::Arc;
use std::time::Duration;

use throughline_telemetry::wire::otlp::common::v1::{KeyValue, any_value::Value as Any};
use throughline_telemetry::{
    Attributes, Resource, Scope, Span, SpanId, SpanKind, SpanStatus, UnixNanos, Value,
};

use super::ShutdownReason;
use super::failure::Failure;
use crate::ids::{self, TraceContext};
use crate::line::Durable;
use crate::platform::{Ended, Started, Step};
use crate::process::{Snapshot, Usage};

/// What INVOKE says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Invoked {
    /// The id of the request.
    pub request_id: String,
    /// When the function is stopped, in milliseconds since 1970.
    pub deadline_millis: u64,
    /// The ARN that was called.
    pub function_arn: String,
    /// The X-Ray header, if there is a trace.
    pub tracing: Option<String>,
}

/// How it came to an end, or why it is closed without one.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Ending {
    /// The platform said so.
    RuntimeDone {
        time: UnixNanos,
        ended: Ended,
        produced_bytes: Option<i64>,
    },
    /// Only the report came.
    Report { time: UnixNanos, ended: Ended },
    /// The environment ended first.
    ShutDown(ShutdownReason),
    /// Nothing says when it ended.
    Unknown,
}

/// One invocation.
#[derive(Debug)]
pub(super) struct Invocation {
    pub(super) request_id: String,
    pub(super) cold: bool,
    /// Its trace and its caller; final once INVOKE came.
    pub(super) context: TraceContext,
    /// The id of its span; final once INVOKE came.
    pub(super) span_id: SpanId,
    /// When `platform.start` says that it began.
    pub(super) started: Option<UnixNanos>,
    /// Whether its span is written.
    pub(super) written: bool,
    /// The end of the last span seen in it, for the case that nothing says when it ended.
    pub(super) last_seen: UnixNanos,
    /// What the handler's span says of the request that it answers.
    pub(super) heard: Attributes,
    /// What its handler raised, if that came before its span left.
    pub(super) failure: Option<Failure>,
    /// Whether something said that there was no more memory.
    pub(super) out_of_memory: bool,
    /// Whether that has been passed on: once is enough.
    pub(super) out_of_memory_told: bool,
    /// Whether its trace is the one that an agent has put its span into.
    pub(super) adopted: bool,
    /// Whether its span was handed on.
    pub(super) has_left: bool,
    /// What the kernel said when it began.
    pub(super) begin: Option<Snapshot>,
    /// What it used, if the kernel was asked at its end as well.
    pub(super) usage: Option<Usage>,
    /// The durable execution that it is a part of, and whether it repeats an earlier invocation of it.
    pub(super) durable: Option<Durable>,
    told: Started,
    invoked: Option<(Invoked, UnixNanos)>,
    ending: Option<Ending>,
    /// When it was closed, if nobody said when it ended.
    closed: UnixNanos,
    reported: bool,
    /// Steps that are not written yet.
    steps: Vec<Step>,
}

impl Invocation {
    pub(super) fn new(request_id: &str) -> Self {
        Invocation {
            request_id: request_id.to_owned(),
            cold: false,
            context: TraceContext::of_request(request_id),
            span_id: ids::invocation_span_id(request_id, 0),
            started: None,
            written: false,
            last_seen: UnixNanos::default(),
            heard: Attributes::default(),
            failure: None,
            out_of_memory: false,
            out_of_memory_told: false,
            adopted: false,
            has_left: false,
            begin: None,
            usage: None,
            durable: None,
            told: Started::default(),
            invoked: None,
            ending: None,
            closed: UnixNanos::default(),
            reported: false,
            steps: Vec::new(),
        }
    }

    pub(super) fn invoked(&mut self, invoked: &Invoked, now: UnixNanos, cold: bool) {
        if let Some(context) = invoked.tracing.as_deref().and_then(TraceContext::from_xray) {
            self.context = context;
        }
        self.span_id = ids::invocation_span_id(&invoked.request_id, invoked.deadline_millis);
        self.invoked = Some((invoked.clone(), now));
        self.cold = cold;
    }

    /// No INVOKE will come. Attempts of one event differ in their start.
    pub(super) fn announced(&mut self, function_arn: &str, tracing: Option<&str>, at: UnixNanos) {
        if self.invoked.is_some() {
            return;
        }
        let invoked = Invoked {
            request_id: self.request_id.clone(),
            deadline_millis: 0,
            function_arn: function_arn.to_owned(),
            tracing: tracing.map(str::to_owned),
        };
        self.invoked(&invoked, at, false);
        self.span_id = ids::invocation_span_id(&self.request_id, at.0 / 1_000_000);
    }

    /// The platform says that it begins.
    pub(super) fn started(&mut self, told: Started, time: UnixNanos) {
        self.started = Some(time);
        self.told = told;
    }

    /// The platform says that it is over. What it says twice, because an answer of ours got lost,
    /// counts once.
    pub(super) fn ended(&mut self, ending: Ending) {
        if let Some(Ending::RuntimeDone { .. }) = self.ending {
            return;
        }
        if let Ending::RuntimeDone { ended, .. } = &ending {
            self.steps.extend(ended.steps.iter().cloned());
        }
        self.ending.get_or_insert(ending);
    }

    /// The report came; `false` if it came before.
    pub(super) fn reported(&mut self, time: UnixNanos, ended: &Ended) -> bool {
        if std::mem::replace(&mut self.reported, true) {
            return false;
        }
        self.steps.extend(ended.steps.iter().cloned());
        self.ending.get_or_insert_with(|| Ending::Report {
            time,
            ended: ended.clone(),
        });
        true
    }

    /// Closes it for want of a better ending; without INVOKE it gets none any more.
    pub(super) fn close(&mut self, ending: &Ending, now: UnixNanos) {
        self.closed = now;
        self.ending.get_or_insert(ending.clone());
        let never = Invoked {
            request_id: self.request_id.clone(),
            ..Invoked::default()
        };
        self.invoked.get_or_insert((never, now));
    }

    pub(super) fn is_over(&self) -> bool {
        self.ending.is_some() && self.invoked.is_some()
    }

    pub(super) fn end_is_guessed(&self) -> bool {
        let spindown = Ending::ShutDown(ShutdownReason::Spindown);
        self.ending
            .as_ref()
            .is_some_and(|ending| *ending == Ending::Unknown || *ending == spindown)
    }

    /// Whether INVOKE came, so that its ids are final.
    pub(super) fn is_invoked(&self) -> bool {
        self.invoked.is_some()
    }

    pub(super) fn ending(&self) -> Option<&Ending> {
        self.ending.as_ref()
    }

    /// When the platform said that it ended, and how long it took.
    pub(super) fn told_end(&self) -> Option<(UnixNanos, Option<Duration>)> {
        match self.ending.as_ref()? {
            Ending::RuntimeDone { time, ended, .. } | Ending::Report { time, ended } => {
                Some((*time, ended.duration))
            }
            Ending::ShutDown(_) | Ending::Unknown => None,
        }
    }

    /// Whether the platform counts it as a success that answered nothing, as when a handler raised.
    pub(super) fn answered_nothing(&self) -> bool {
        let done = self.ending.as_ref();
        done.is_some_and(|ending| {
            matches!(ending, Ending::RuntimeDone { ended, produced_bytes: Some(0), .. } if !ended.failed())
        })
    }

    /// What INVOKE said about its deadline.
    pub(super) fn deadline_millis(&self) -> Option<u64> {
        let invoked = self.invoked.as_ref();
        invoked.map(|(invoked, _)| invoked.deadline_millis)
    }

    /// What the kernel said when it was over, unless that is known or its span was written.
    pub(super) fn used_until(&mut self, end: &Snapshot) {
        if !self.written && self.usage.is_none() {
            self.usage = self.begin.map(|begin| end.since(&begin));
        }
    }

    /// The handler's span says which request it answers; the first one that says so.
    pub(super) fn hear(&mut self, said: &[KeyValue]) {
        if !self.heard.0.is_empty() {
            return;
        }
        let of_request = |pair: &&KeyValue| OF_REQUEST.contains(&pair.key.as_str());
        let said = said.iter().filter(of_request).filter_map(|pair| {
            let value = match pair.value.as_ref()?.value.as_ref()? {
                Any::StringValue(text) if text.len() <= HEARD_BYTES_MAX => text.as_str().into(),
                Any::IntValue(number) => Value::Int(*number),
                _ => return None,
            };
            Some((pair.key.clone(), value))
        });
        self.heard = Attributes(said.take(OF_REQUEST.len()).collect());
    }

    /// When it began: as the platform says, else when INVOKE came.
    pub(super) fn start(&self) -> UnixNanos {
        let invoked = || self.invoked.as_ref().map(|(_, at)| *at);
        self.started.or_else(invoked).unwrap_or_default()
    }

    /// The spans that can be written now and were not yet.
    pub(super) fn take_spans(&mut self, resource: &Arc<Resource>, scope: &Arc<Scope>) -> Vec<Span> {
        if !self.is_over() {
            return Vec::new();
        }
        let blank = self.blank(resource, scope);
        let mut spans = Vec::new();
        if !self.written {
            self.written = true;
            spans.push(self.span(blank.clone()));
        }
        let steps = std::mem::take(&mut self.steps);
        spans.extend(steps.iter().map(|step| self.step(step, blank.clone())));
        spans
    }

    /// What all its spans share: a child of it without a name.
    pub(super) fn blank(&self, resource: &Arc<Resource>, scope: &Arc<Scope>) -> Span {
        Span {
            trace_id: self.context.trace_id,
            span_id: self.span_id,
            parent_id: Some(self.span_id),
            trace_state: String::new(),
            name: String::new(),
            kind: SpanKind::Internal,
            start: self.start(),
            end: self.start(),
            status: SpanStatus::Unset,
            status_message: String::new(),
            attributes: [("faas.invocation_id", self.request_id.as_str())]
                .into_iter()
                .collect(),
            events: Vec::new(),
            links: Vec::new(),
            resource: Arc::clone(resource),
            scope: Arc::clone(scope),
        }
    }

    fn span(&self, blank: Span) -> Span {
        let mut span = Span {
            parent_id: self.context.parent_id,
            name: blank.resource.service().to_owned(),
            kind: SpanKind::Server,
            attributes: self.attributes(),
            ..blank
        };
        let ended = match &self.ending {
            Some(Ending::RuntimeDone { time, ended, .. } | Ending::Report { time, ended }) => {
                span.end = ended.duration.map_or(*time, |took| span.start.plus(took));
                ended.clone()
            }
            Some(Ending::ShutDown(reason)) => {
                span.end = self.end_at_shutdown(*reason);
                ended_by(*reason)
            }
            Some(Ending::Unknown) | None => {
                span.end = self.last_seen;
                Ended::default()
            }
        };
        span.end = span.end.max(span.start);
        if ended.failed() {
            fail(&mut span, &ended);
        }
        if ended.status == "timeout" {
            span.attributes.set("throughline.timeout", true);
        }
        span
    }

    fn end_at_shutdown(&self, reason: ShutdownReason) -> UnixNanos {
        let deadline = self.deadline_millis().unwrap_or(0);
        match reason {
            ShutdownReason::Timeout if deadline > 0 => {
                UnixNanos::from_millis(deadline).min(self.closed)
            }
            ShutdownReason::Timeout | ShutdownReason::Failure => self.closed,
            ShutdownReason::Spindown => self.last_seen,
        }
    }

    fn attributes(&self) -> Attributes {
        let mut attributes = Attributes::default();
        attributes.set("throughline.phase", "invoke");
        attributes.set("faas.invocation_id", self.request_id.as_str());
        attributes.set("faas.coldstart", self.cold);
        let arn = self
            .invoked
            .as_ref()
            .map_or("", |(invoked, _)| invoked.function_arn.as_str());
        if !arn.is_empty() {
            attributes.set("aws.lambda.invoked_arn", arn);
        }
        let function = self.told.function_arn.as_deref().unwrap_or(arn);
        if !function.is_empty() {
            attributes.set("cloud.resource_id", without_alias(function));
        }
        if let Some(tenant) = &self.told.tenant_id {
            attributes.set("throughline.tenant.id", tenant.as_str());
        }
        if let Some(Ending::RuntimeDone {
            produced_bytes: Some(bytes),
            ..
        }) = &self.ending
        {
            attributes.set("throughline.response.bytes", Value::Int(*bytes));
        }
        if self.end_is_guessed() {
            attributes.set("throughline.end", "unknown");
        }
        if let Some(timeout) = self.timeout() {
            attributes.set("throughline.duration.timeout_ms", timeout);
        }
        attributes
    }

    /// What the function may take, in milliseconds: from its start to its deadline, which the platform tells at
    /// different moments. Lambda has whole seconds, so what is far from one is something else.
    fn timeout(&self) -> Option<i64> {
        let begun = self.started?.0 / 1_000_000;
        let given = self.deadline_millis()?.checked_sub(begun)?;
        let seconds = given.saturating_add(500) / 1000;
        let is_near = given.abs_diff(seconds * 1000) <= TIMEOUT_OFF_MS;
        let is_one = is_near && (1..=TIMEOUT_SECONDS_MAX).contains(&seconds);
        i64::try_from(seconds * 1000).ok().filter(|_| is_one)
    }

    fn step(&self, step: &Step, blank: Span) -> Span {
        let (name, phase) = step_names(&step.name);
        let mut span = Span {
            span_id: ids::step_span_id(self.span_id, &phase),
            name,
            start: step.start,
            end: step.start.plus(step.duration),
            ..blank
        };
        span.attributes.set("throughline.phase", phase);
        span
    }
}

/// Marks a span as failed, with what is known about it.
pub(super) fn fail(span: &mut Span, ended: &Ended) {
    span.status = SpanStatus::Error;
    span.status_message = match (ended.status.as_str(), &ended.error_type) {
        ("timeout", _) => "the function did not finish in time".to_owned(),
        (status, Some(error_type)) => format!("{status}: {error_type}"),
        (status, None) => status.to_owned(),
    };
    let error_type = ended.error_type.as_deref().unwrap_or(&ended.status);
    span.attributes.set("error.type", error_type);
}

fn ended_by(reason: ShutdownReason) -> Ended {
    let status = match reason {
        ShutdownReason::Spindown => "",
        ShutdownReason::Timeout => "timeout",
        ShutdownReason::Failure => "failure",
    };
    Ended {
        status: status.to_owned(),
        ..Ended::default()
    }
}

/// `arn:aws:lambda:REGION:ACCOUNT:function:NAME`, without the alias or version that may follow.
fn without_alias(arn: &str) -> String {
    let parts: Vec<&str> = arn.splitn(8, ':').take(7).collect();
    parts.join(":")
}

/// `extensionOverhead` as a name for people and as a phase: `extension overhead`, `extension-overhead`.
fn step_names(step: &str) -> (String, String) {
    let mut name = String::with_capacity(step.len() + 2);
    for letter in step.chars() {
        if letter.is_ascii_uppercase() {
            name.push(' ');
        }
        name.push(letter.to_ascii_lowercase());
    }
    let phase = name.replace(' ', "-");
    (name, phase)
}

/// What an invocation's span repeats of its handler's, so that requests can be counted by it.
const OF_REQUEST: [&str; 5] = [
    "faas.trigger",
    "http.request.method",
    "http.response.status_code",
    "http.route",
    "url.path",
];
const HEARD_BYTES_MAX: usize = 1024;
const TIMEOUT_OFF_MS: u64 = 100;
const TIMEOUT_SECONDS_MAX: u64 = 900;
