//! What happens to an environment before an invocation: initialisation, or the restore of a snapshot.

use std::time::Duration;

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
    /// How many of the same kind came before it since the last invocation: one that failed is
    /// tried again.
    pub(super) nth: usize,
    start: UnixNanos,
    initialization_type: Option<String>,
    runtime_done: Option<(UnixNanos, Ended)>,
    report: Option<(UnixNanos, Ended)>,
}

impl Phase {
    pub(super) fn new(what: What, start: UnixNanos, initialization_type: Option<String>) -> Self {
        Phase {
            what,
            nth: 0,
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
        self.alone(joiner, now)
    }

    /// Its span in a trace of its own, because it was on nobody's way: what is initialised in
    /// advance, or kept in a snapshot, makes no invocation slower.
    pub(super) fn alone(&self, joiner: &Joiner, now: UnixNanos) -> Span {
        let instance = joiner.resource.attributes.text("faas.instance");
        let nobody = Invocation::new(instance.unwrap_or_default());
        let mut span = self.write(&nobody, joiner, now);
        let id = format!("{} {}", self.what.name(), self.start);
        span.span_id = ids::step_span_id(nobody.span_id, &id);
        span.parent_id = None;
        span.attributes.set("faas.coldstart", false);
        span.attributes
            .0
            .retain(|(key, _)| key != "faas.invocation_id");
        span
    }

    /// Whether it was over so long before that it was done in advance.
    pub(super) fn is_long_before(&self, time: UnixNanos) -> bool {
        let end = self.end().filter(|_| self.report.is_some());
        end.is_some_and(|end| end.plus(ADVANCE_MIN) < time)
    }

    fn owner<'a>(&self, joiner: &'a Joiner) -> Option<&'a Invocation> {
        let after = |known: &&Invocation| {
            known.is_invoked() && known.start().plus(CLOCK_TOLERANCE) >= self.start
        };
        joiner.invocations.iter().find(after)
    }

    fn write(&self, owner: &Invocation, joiner: &Joiner, now: UnixNanos) -> Span {
        let name = self.what.name();
        let id = match self.nth {
            0 => name.to_owned(),
            nth => format!("{name} {nth}"),
        };
        let mut span = Span {
            span_id: ids::step_span_id(owner.span_id, &id),
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

/// On demand an invocation follows at once; who waited longer was made in advance.
const ADVANCE_MIN: Duration = Duration::from_secs(10);
