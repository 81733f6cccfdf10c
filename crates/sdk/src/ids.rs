//! Ids of traces and spans, and the headers that carry them.

use std::hash::{BuildHasher, RandomState};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use throughline_telemetry::{SpanId, TraceId, UnixNanos};

/// A trace, and the span in it if that is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TraceContext {
    pub(crate) trace_id: TraceId,
    pub(crate) span_id: Option<SpanId>,
}

impl TraceContext {
    /// Of hexadecimal texts, padded where old tracers write fewer digits.
    pub(crate) fn of(trace: &str, span: &str) -> Option<Self> {
        Some(TraceContext {
            trace_id: format!("{trace:0>32}").parse().ok()?,
            span_id: format!("{span:0>16}").parse().ok(),
        })
    }

    /// The same, if it names a span.
    pub(crate) fn with_span(self) -> Option<Self> {
        self.span_id.is_some().then_some(self)
    }

    /// `00-<32 hex>-<16 hex>-<2 hex>`
    pub(crate) fn from_traceparent(text: &str) -> Option<Self> {
        let mut parts = text.trim_start().split('-');
        let (version, trace, span) = (parts.next()?, parts.next()?, parts.next()?);
        let flags = parts.next()?.get(..2)?;
        let is_hex = |text: &str| text.bytes().all(|digit| digit.is_ascii_hexdigit());
        let sane = version.len() == 2 && is_hex(version) && !version.eq_ignore_ascii_case("ff");
        if !(sane && is_hex(flags) && trace.len() == 32 && span.len() == 16) {
            return None;
        }
        Self::of(trace, span)?.with_span()
    }

    /// `Root=1-<8 hex>-<24 hex>;Parent=<16 hex>;...`, fields in any order.
    pub(crate) fn from_xray(text: &str) -> Option<Self> {
        let of = |name: &str| {
            let mut fields = xray_fields(text);
            fields.find_map(|(key, value)| key.eq_ignore_ascii_case(name).then_some(value))
        };
        let (seconds, rest) = of("root")?.strip_prefix("1-")?.split_once('-')?;
        if seconds.len() != 8 || rest.len() != 24 {
            return None;
        }
        Self::of(
            &format!("{seconds}{rest}"),
            of("parent").unwrap_or_default(),
        )
    }
}

fn xray_fields(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let fields = text.split(';').map(str::trim);
    fields.filter(|field| !field.is_empty()).map(|field| {
        let (key, value) = field.split_once('=').unwrap_or((field, ""));
        (key.trim(), value.trim())
    })
}

/// What a header for a call says besides its ids: all that the invocation's own header said, known or not. Lambda sees
/// by `Lineage` that functions call each other in a circle.
pub(crate) fn kept_fields(header: &str) -> String {
    let ids = ["root", "parent", "self"];
    let kept = xray_fields(header).filter(|(key, _)| {
        let is = |id: &&str| key.eq_ignore_ascii_case(id);
        !ids.iter().any(is)
    });
    kept.map(|(key, value)| match value {
        "" => format!(";{key}"),
        _ => format!(";{key}={value}"),
    })
    .collect()
}

/// The header that names a span; `kept` is what [`kept_fields`] found.
pub(crate) fn xray(trace_id: TraceId, span_id: SpanId, kept: &str) -> String {
    let trace = trace_id.to_string();
    let (seconds, rest) = trace.split_at(8);
    format!("Root=1-{seconds}-{rest};Parent={span_id}{kept}")
}

/// New ids of one invocation. Its request and time are in them, so that processes that were restored from one snapshot
/// do not repeat each other.
#[derive(Debug)]
pub(crate) struct Ids {
    key: u64,
    count: AtomicU64,
}

impl Ids {
    pub(crate) fn new(request_id: &str, now: UnixNanos) -> Self {
        static PROCESS: OnceLock<RandomState> = OnceLock::new();
        let process = PROCESS.get_or_init(RandomState::new);
        Ids {
            key: process.hash_one((request_id, now.0)),
            count: AtomicU64::new(0),
        }
    }

    fn word(&self) -> u64 {
        let count = self.count.fetch_add(1, Ordering::Relaxed).wrapping_add(1);
        // SplitMix64: all words of one key differ.
        let mut word = self
            .key
            .wrapping_add(count.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ (word >> 31)
    }

    pub(crate) fn span_id(&self) -> SpanId {
        loop {
            if let Ok(id) = SpanId::new(self.word().to_be_bytes()) {
                return id;
            }
        }
    }

    /// Begins with the time, as X-Ray wants it.
    pub(crate) fn trace_id(&self, now: UnixNanos) -> TraceId {
        let seconds = u32::try_from(now.0 / 1_000_000_000).unwrap_or(u32::MAX);
        let (high, low) = (self.word(), self.word());
        let mut bytes = [0; 16];
        bytes[..4].copy_from_slice(&seconds.to_be_bytes());
        bytes[4..12].copy_from_slice(&high.to_be_bytes());
        bytes[12..].copy_from_slice(&low.to_be_bytes()[..4]);
        TraceId::new(bytes).unwrap_or_else(|_| self.trace_id(now))
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    const SPAN: &str = "00000000000000aa";

    /// What was read, and the header for a call by span 00000000000000aa.
    fn check(header: &str, expected: Expect) {
        let seen = match TraceContext::from_xray(header) {
            None => "no trace".to_owned(),
            Some(TraceContext { trace_id, span_id }) => {
                let parent = span_id.map_or("none".to_owned(), |id| id.to_string());
                let call = xray(trace_id, SPAN.parse().unwrap(), &kept_fields(header));
                format!("{parent}\n{call}")
            }
        };
        expected.assert_eq(&seen);
    }

    #[test]
    fn call_keeps_root_and_whatever_is_unknown() {
        check(
            "Self=1-x;Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700; Parent=9a9197af755a6419;Sampled=0;Lineage=1:a3f0:4;New=x=y;Odd",
            expect![[r#"
                9a9197af755a6419
                Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=00000000000000aa;Sampled=0;Lineage=1:a3f0:4;New=x=y;Odd"#]],
        );
    }

    #[test]
    fn root_alone_is_a_trace() {
        check(
            "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700",
            expect![[r#"
                none
                Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=00000000000000aa"#]],
        );
    }

    #[test]
    fn what_is_no_root() {
        for header in [
            "",
            "Root=",
            "Parent=9a9197af755a6419",
            "Root=2-5bef4de7-ad49b0e87f6ef6c87fc2e700",
            "Root=1-5bef4de-7ad49b0e87f6ef6c87fc2e700",
            "Root=1-00000000-000000000000000000000000",
        ] {
            check(header, expect!["no trace"]);
        }
    }

    #[test]
    fn what_is_no_traceparent() {
        let trace = "0af7651916cd43dd8448eb211c80319c";
        let good = format!("00-{trace}-b7ad6b7169203331-01");
        assert!(TraceContext::from_traceparent(&good).is_some());
        assert!(TraceContext::from_traceparent(&format!("{good}-more")).is_some());
        for bad in [
            String::new(),
            format!("ff-{trace}-b7ad6b7169203331-01"),
            format!("00-{trace}-0000000000000000-01"),
            format!("00-{trace}-b7ad6b7169203331"),
            format!("00-{trace}-b7ad6b7169203331-é"),
            format!("00-{}-b7ad6b7169203331-01", &trace[1..]),
        ] {
            assert_eq!(TraceContext::from_traceparent(&bad), None, "{bad}");
        }
    }

    #[test]
    fn ids_of_two_restored_processes_differ() {
        let now = UnixNanos(1_795_228_800_000_000_000);
        let (one, other) = (Ids::new("a", now), Ids::new("b", now));
        assert_ne!(one.span_id(), other.span_id());
        assert_ne!(one.span_id(), one.span_id());
        assert!(one.trace_id(now).to_string().starts_with("6b01"));
    }
}
