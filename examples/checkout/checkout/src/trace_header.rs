//! `X-Amzn-Trace-Id`, the header that carries a trace through AWS:
//! `Root=1-<8 hex>-<24 hex>;Parent=<16 hex>;Sampled=0|1`, then fields such as `Lineage`, by which Lambda notices that
//! functions call each other in a circle. Those must travel on, known or not.

use opentelemetry::trace::{SpanContext, SpanId, TraceFlags, TraceId, TraceState};

/// The name of the header, as the SDK wants it.
pub(crate) const NAME: &str = "x-amzn-trace-id";

/// The header of one invocation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct TraceHeader {
    root: Option<TraceId>,
    parent: Option<SpanId>,
    others: Vec<(String, String)>,
}

impl TraceHeader {
    /// Reads what can be read. A field that makes no sense counts as absent: a bad header must not stop an order.
    pub(crate) fn parse(text: &str) -> Self {
        let mut header = Self::default();
        for (name, value) in text
            .split(';')
            .filter_map(|field| field.trim().split_once('='))
        {
            match name.to_ascii_lowercase().as_str() {
                "root" => header.root = parse_root(value),
                "parent" => header.parent = parse_parent(value),
                // Whether AWS's own tracing keeps this trace. Ours always does.
                "sampled" => {}
                _ => header.others.push((name.to_owned(), value.to_owned())),
            }
        }
        header
    }

    /// The caller's span, as OpenTelemetry sees it; nothing if the header names no trace.
    pub(crate) fn remote_parent(&self) -> Option<SpanContext> {
        let trace_id = self.root?;
        let parent = self.parent.unwrap_or_else(|| stand_in_parent(trace_id));
        Some(SpanContext::new(
            trace_id,
            parent,
            TraceFlags::SAMPLED,
            true,
            TraceState::NONE,
        ))
    }

    /// The header for a call made within `caller`.
    pub(crate) fn for_call(&self, caller: &SpanContext) -> String {
        let trace_id = caller.trace_id().to_string();
        let (time, rest) = trace_id.split_at(8);
        let mut text = format!("Root=1-{time}-{rest};Parent={};Sampled=1", caller.span_id());
        for (name, value) in &self.others {
            text.push_str(&format!(";{name}={value}"));
        }
        text
    }
}

fn parse_root(value: &str) -> Option<TraceId> {
    let (time, rest) = value.strip_prefix("1-")?.split_once('-')?;
    let well_formed = time.len() == 8 && rest.len() == 24;
    let id = TraceId::from_hex(&format!("{time}{rest}")).ok()?;
    (well_formed && id != TraceId::INVALID).then_some(id)
}

fn parse_parent(value: &str) -> Option<SpanId> {
    let id = SpanId::from_hex(value).ok()?;
    (value.len() == 16 && id != SpanId::INVALID).then_some(id)
}

/// Lambda without active tracing may send `Root` alone. OpenTelemetry joins a trace only below a parent, so the second
/// half of the trace id stands in for one.
fn stand_in_parent(trace_id: TraceId) -> SpanId {
    let bytes = trace_id.to_bytes();
    let mut half = [0; 8];
    half.copy_from_slice(&bytes[8..]);
    SpanId::from_bytes(half)
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    /// Shows the remote parent, and the header for a call that span 00000000000000aa makes.
    fn check(text: &str, expected: Expect) {
        let header = TraceHeader::parse(text);
        let seen = match header.remote_parent() {
            None => "no trace".to_owned(),
            Some(parent) => {
                let caller = SpanContext::new(
                    parent.trace_id(),
                    SpanId::from_bytes(0xaa_u64.to_be_bytes()),
                    TraceFlags::SAMPLED,
                    false,
                    TraceState::NONE,
                );
                format!(
                    "{} {}\n{}",
                    parent.trace_id(),
                    parent.span_id(),
                    header.for_call(&caller)
                )
            }
        };
        expected.assert_eq(&seen);
    }

    #[test]
    fn call_keeps_root_and_names_its_caller() {
        check(
            "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=0",
            expect![[r"
                5bef4de7ad49b0e87f6ef6c87fc2e700 9a9197af755a6419
                Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=00000000000000aa;Sampled=1"]],
        );
    }

    #[test]
    fn lineage_and_unknown_fields_travel_on() {
        check(
            "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=1;Lineage=1:a3f0:4;New=x=y",
            expect![[r"
                5bef4de7ad49b0e87f6ef6c87fc2e700 9a9197af755a6419
                Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=00000000000000aa;Sampled=1;Lineage=1:a3f0:4;New=x=y"]],
        );
    }

    #[test]
    fn root_alone_still_joins_the_trace() {
        check(
            "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Lineage=1:a3f0:4",
            expect![[r"
                5bef4de7ad49b0e87f6ef6c87fc2e700 7f6ef6c87fc2e700
                Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=00000000000000aa;Sampled=1;Lineage=1:a3f0:4"]],
        );
    }

    #[test]
    fn unreadable_root_starts_a_trace_of_its_own() {
        for text in [
            "",
            "Root=",
            "Root=2-5bef4de7-ad49b0e87f6ef6c87fc2e700",
            "Root=1-5bef4de-7ad49b0e87f6ef6c87fc2e700",
            "Root=1-00000000-000000000000000000000000",
            "Parent=9a9197af755a6419",
        ] {
            check(text, expect!["no trace"]);
        }
    }
}
