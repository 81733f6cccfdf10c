//! What telemetry is worth when not all of it can be kept: what explains a failure before all else.

use std::collections::VecDeque;

use throughline_telemetry::wire::Request;
use throughline_telemetry::wire::otlp::logs::v1::LogRecord;
use throughline_telemetry::wire::otlp::trace::v1::{Span, span::SpanKind, status::StatusCode};

use super::split::{Item, split};

/// From the most valuable to the least: sent in this order, dropped in the opposite one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Worth {
    /// Spans and logs of invocations that failed.
    Failure,
    /// Other spans.
    Traces,
    /// Metrics.
    Metrics,
    /// Other logs.
    Logs,
}

impl Worth {
    /// All of them, the most valuable first.
    pub const ALL: [Worth; 4] = [Worth::Failure, Worth::Traces, Worth::Metrics, Worth::Logs];

    /// Of what did not fail.
    pub fn of(request: &Request) -> Self {
        match request {
            Request::Traces(_) => Worth::Traces,
            Request::Metrics(_) => Worth::Metrics,
            Request::Logs(_) => Worth::Logs,
        }
    }
}

/// The traces in which an invocation of this environment failed lately.
#[derive(Debug, Default)]
pub(crate) struct Failures {
    /// Oldest first, at most [`TRACES_MAX`].
    traces: VecDeque<Vec<u8>>,
}

impl Failures {
    /// Sets the telemetry of failed invocations apart, so that it can be kept when the rest cannot.
    pub(crate) fn set_apart(&mut self, requests: Vec<Request>) -> Vec<(Worth, Request)> {
        requests.iter().for_each(|request| self.learn(request));
        let worths = requests.into_iter().flat_map(|request| {
            let worth = Worth::of(&request);
            let (failed, rest) = if self.traces.is_empty() {
                (None, Some(request))
            } else {
                split(request, |item| self.is_of_failed(item))
            };
            let failed = failed.map(|request| (Worth::Failure, request));
            let rest = rest.map(|request| (worth, request));
            [failed, rest].into_iter().flatten()
        });
        let mut worths: Vec<_> = worths.collect();
        worths.sort_by_key(|(worth, _)| *worth);
        worths
    }

    fn learn(&mut self, request: &Request) {
        let Request::Traces(traces) = request else {
            return;
        };
        let groups = traces.resource_spans.iter();
        let scopes = groups.flat_map(|group| &group.scope_spans);
        for span in scopes
            .flat_map(|scope| &scope.spans)
            .filter(|span| fails(span))
        {
            if !self.traces.contains(&span.trace_id) {
                self.traces.push_back(span.trace_id.clone());
            }
        }
        while self.traces.len() > TRACES_MAX {
            self.traces.pop_front();
        }
    }

    fn is_of_failed(&self, item: Item<'_>) -> bool {
        let trace_id = match item {
            Item::Span(Span { trace_id, .. }) | Item::Log(LogRecord { trace_id, .. }) => trace_id,
            Item::Metric(_) => return false,
        };
        !trace_id.is_empty() && self.traces.contains(trace_id)
    }
}

/// A failed call may have been survived; a span that stands for the invocation or its handler was not.
fn fails(span: &Span) -> bool {
    let stands_for_invocation = matches!(span.kind(), SpanKind::Server | SpanKind::Consumer);
    let status = span.status.as_ref().map(|status| status.code());
    stands_for_invocation && status == Some(StatusCode::Error)
}

/// What comes late of a failed invocation comes within the next few.
const TRACES_MAX: usize = 32;
