//! How invocations went, for whoever must know before a span leaves; and the spans that wait for it.

use throughline_scrub::{Fate, Origin, is_payload};
use throughline_telemetry::UnixNanos;
use throughline_telemetry::wire::Request;
use throughline_telemetry::wire::otlp::ExportTraceServiceRequest;
use throughline_telemetry::wire::otlp::trace::v1::{ResourceSpans, ScopeSpans, Span};

use super::invocation::{Ending, Invocation};
use super::lines::CLOCK_TOLERANCE;
use super::{Joiner, ShutdownReason, otlp};

impl Joiner {
    /// Spans with payloads wait until the end of their invocation is known, within a limit.
    pub fn hold_payloads(&mut self) {
        self.holds_payloads = true;
    }

    /// So many bytes of them, and never more than [`HELD_BYTES_MAX`].
    pub fn hold_at_most(&mut self, bytes: usize) {
        self.held_bytes_max = bytes.min(HELD_BYTES_MAX);
    }

    /// The invocation of a span or log record, by its trace and its time, if it is remembered.
    pub fn origin(&self, trace_id: &[u8], at: UnixNanos) -> Option<Origin> {
        let of_trace = |known: &&Invocation| {
            known.is_invoked() && known.context.trace_id.as_bytes()[..] == *trace_id
        };
        let begun = |known: &&Invocation| known.start() <= at.plus(CLOCK_TOLERANCE);
        let of_trace = || self.invocations.iter().filter(of_trace);
        let known = of_trace().rfind(begun).or_else(|| of_trace().next_back())?;
        Some(Origin {
            invocation: u64::from_be_bytes(*known.span_id.as_bytes()),
            fate: fate(known),
        })
    }

    /// Takes out the spans with payloads whose invocation still runs; they wait for the next drain.
    pub(super) fn hold_back(&mut self, request: &mut Request) {
        let Request::Traces(traces) = request else {
            return;
        };
        if !self.holds_payloads {
            return;
        }
        let mut room = self.held_bytes_max.saturating_sub(self.pending.bytes);
        let mut held = Vec::new();
        for group in &mut traces.resource_spans {
            let mut scopes = Vec::new();
            for scope in &mut group.scope_spans {
                let waits = |span: &mut Span| {
                    let bytes = prost::Message::encoded_len(span);
                    let waits = bytes <= room && has_payload(span) && self.is_open(span);
                    room -= if waits { bytes } else { 0 };
                    waits
                };
                let spans: Vec<Span> = scope.spans.extract_if(.., waits).collect();
                if !spans.is_empty() {
                    let around = ScopeSpans {
                        scope: scope.scope.clone(),
                        schema_url: scope.schema_url.clone(),
                        ..Default::default()
                    };
                    scopes.push(ScopeSpans { spans, ..around });
                }
            }
            if !scopes.is_empty() {
                held.push(ResourceSpans {
                    resource: group.resource.clone(),
                    schema_url: group.schema_url.clone(),
                    scope_spans: scopes,
                });
            }
        }
        if !held.is_empty() {
            let resource_spans = held;
            let request = Request::Traces(ExportTraceServiceRequest { resource_spans });
            self.pending.bytes += otlp::encoded_bytes(&request);
            self.pending.items += request.items() as u64;
            self.pending.requests.push(request);
        }
    }

    fn is_open(&self, span: &Span) -> bool {
        let at = UnixNanos(span.start_time_unix_nano);
        let origin = self.origin(&span.trace_id, at);
        origin.is_some_and(|origin| origin.fate == Fate::Open)
    }
}

fn has_payload(span: &Span) -> bool {
    let events = span.events.iter().flat_map(|event| &event.attributes);
    let mut all = span.attributes.iter().chain(events);
    all.any(|attribute| is_payload(&attribute.key))
}

fn fate(invocation: &Invocation) -> Fate {
    let failed = match invocation.ending() {
        Some(Ending::RuntimeDone { ended, .. } | Ending::Report { ended, .. }) => ended.failed(),
        Some(Ending::ShutDown(reason)) => *reason != ShutdownReason::Spindown,
        Some(Ending::Unknown) | None => false,
    };
    if failed || invocation.failure.is_some() {
        Fate::Failed
    } else if invocation.is_over() {
        Fate::Succeeded
    } else {
        Fate::Open
    }
}

/// What waits for an end beyond this leaves with the metadata of its payloads only.
pub(super) const HELD_BYTES_MAX: usize = 256 * 1024;

#[cfg(test)]
mod tests;
