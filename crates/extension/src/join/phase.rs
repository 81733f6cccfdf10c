//! What happens to an environment before an invocation: initialisation, or the restore of a snapshot.

use throughline_telemetry::{Span, UnixNanos};

use super::Joiner;
use super::invocation::{Invocation, fail};
use super::lines::CLOCK_TOLERANCE;
use crate::ids;
use crate::platform::Ended;

/// Which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    Init,
    Restore,
}

impl What {
    pub(super) fn name(self) -> &'static str {
        match self {
            What::Init => "init",
            What::Restore => "restore",
        }
    }
}

/// A phase whose span is not written yet.
#[derive(Debug)]
pub(super) struct Phase {
    pub(super) what: What,
    start: UnixNanos,
    initialization_type: Option<String>,
    runtime_done: Option<(UnixNanos, Ended)>,
    report: Option<(UnixNanos, Ended)>,
}

impl Phase {
    pub(super) fn new(what: What, start: UnixNanos, initialization_type: Option<String>) -> Self {
        Phase {
            what,
            start,
            initialization_type,
            runtime_done: None,
            report: None,
        }
    }

    pub(super) fn runtime_done(&mut self, time: UnixNanos, ended: Ended) {
        self.runtime_done = Some((time, ended));
    }

    pub(super) fn report(&mut self, time: UnixNanos, ended: Ended) {
        self.report = Some((time, ended));
    }

    /// Its span under the first invocation after it, once both are known well enough: with the
    /// report, or without it when that invocation is over and the report is overdue.
    pub(super) fn span(&self, joiner: &Joiner) -> Option<Span> {
        let owner = self.owner(joiner)?;
        let overdue = owner.is_over() && self.runtime_done.is_some();
        if self.report.is_none() && !overdue {
            return None;
        }
        Some(self.write(owner, joiner, UnixNanos::default()))
    }

    /// Its span when nothing more can come. Without an invocation, because initialisation failed or
    /// because nobody called, it gets a trace of its own.
    pub(super) fn last_words(&self, joiner: &Joiner, now: UnixNanos) -> Span {
        if let Some(owner) = self.owner(joiner) {
            return self.write(owner, joiner, now);
        }
        let instance = joiner.resource.attributes.text("faas.instance");
        let nobody = Invocation::new(instance.unwrap_or_default());
        let mut span = self.write(&nobody, joiner, now);
        span.parent_id = None;
        span.attributes
            .0
            .retain(|(key, _)| key != "faas.invocation_id");
        span
    }

    fn owner<'a>(&self, joiner: &'a Joiner) -> Option<&'a Invocation> {
        let after = |known: &&Invocation| {
            known.is_invoked() && known.start().plus(CLOCK_TOLERANCE) >= self.start
        };
        joiner.invocations.iter().find(after)
    }

    fn write(&self, owner: &Invocation, joiner: &Joiner, now: UnixNanos) -> Span {
        let name = self.what.name();
        let mut span = Span {
            span_id: ids::step_span_id(owner.span_id, name),
            name: name.to_owned(),
            start: self.start,
            end: self.end().unwrap_or(now).max(self.start),
            ..owner.blank(&joiner.resource, &joiner.scopes.platform)
        };
        span.attributes.set("throughline.phase", name);
        span.attributes.set("faas.coldstart", true);
        if let Some(kind) = &self.initialization_type {
            span.attributes
                .set("aws.lambda.initialization_type", kind.as_str());
        }
        if let Some(ended) = self.failure() {
            fail(&mut span, ended);
        }
        span
    }

    /// The report knows how long it took; the runtime's part of it ends a little earlier.
    fn end(&self) -> Option<UnixNanos> {
        let reported = self.report.as_ref();
        let measured = reported.and_then(|(_, ended)| ended.duration);
        let measured = measured.map(|took| self.start.plus(took));
        let told = reported
            .or(self.runtime_done.as_ref())
            .map(|(time, _)| *time);
        measured.or(told)
    }

    fn failure(&self) -> Option<&Ended> {
        let told = [self.report.as_ref(), self.runtime_done.as_ref()];
        told.into_iter()
            .flatten()
            .map(|(_, ended)| ended)
            .find(|ended| ended.failed())
    }
}
