//! Ids that both sides of the extension can work out on their own, and the X-Ray header.
//!
//! The invocation span is written when the invocation is over, yet spans from the function must be
//! hung under it before. So its id is not random but follows from what INVOKE says.

use throughline_telemetry::{SpanId, TraceId};

/// The trace an invocation belongs to, and who called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceContext {
    /// The trace.
    pub trace_id: TraceId,
    /// The caller's span, if there is one.
    pub parent_id: Option<SpanId>,
}

impl TraceContext {
    /// Reads `Root=1-8hex-24hex;Parent=16hex;Sampled=1`; `None` without a usable `Root`.
    ///
    /// Unknown fields such as `Lineage` are skipped, and a bad `Parent` counts as none.
    pub fn from_xray(header: &str) -> Option<Self> {
        let field = |name: &str| {
            let mut fields = header.split(';').filter_map(|field| field.split_once('='));
            fields
                .find(|(key, _)| key.trim() == name)
                .map(|(_, value)| value.trim())
        };
        let (version, rest) = field("Root")?.split_once('-')?;
        let (seconds, unique) = rest.split_once('-')?;
        if version != "1" || seconds.len() != 8 {
            return None;
        }
        Some(TraceContext {
            trace_id: format!("{seconds}{unique}").parse().ok()?,
            parent_id: field("Parent").and_then(|parent| parent.parse().ok()),
        })
    }

    /// For an invocation without a header: a trace of its own, the same however often it is asked for.
    pub fn of_request(request_id: &str) -> Self {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&hash(&["trace", request_id]).to_be_bytes());
        bytes[8..].copy_from_slice(&hash(&["trace-low", request_id]).to_be_bytes());
        let fallback = TraceId::new([1; 16]).expect("not zero");
        TraceContext {
            trace_id: TraceId::new(bytes).unwrap_or(fallback),
            parent_id: None,
        }
    }
}

/// The id of an invocation's span: FNV-1a over the request id and the deadline in decimal.
///
/// The deadline is in it because a retried event keeps its request id.
pub fn invocation_span_id(request_id: &str, deadline_millis: u64) -> SpanId {
    span_id(hash(&[request_id, &deadline_millis.to_string()]))
}

/// The id of a step inside an invocation, such as `init`.
pub fn step_span_id(invocation: SpanId, step: &str) -> SpanId {
    span_id(hash(&[&invocation.to_string(), step]))
}

fn span_id(hash: u64) -> SpanId {
    let fallback = SpanId::new([1; 8]).expect("not zero");
    SpanId::new(hash.to_be_bytes()).unwrap_or(fallback)
}

/// FNV-1a, 64 bits, over the parts one after the other.
pub(crate) fn hash(parts: &[&str]) -> u64 {
    parts
        .iter()
        .fold(FNV_OFFSET, |hash, part| fnv(hash, part.as_bytes()))
}

/// The same, over bytes.
pub(crate) fn hash_bytes(bytes: &[u8]) -> u64 {
    fnv(FNV_OFFSET, bytes)
}

fn fnv(hash: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(hash, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

const FNV_OFFSET: u64 = 0xcbf2_9ce4_8422_2325;

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    fn check(header: &str, expected: Expect) {
        let read = match TraceContext::from_xray(header) {
            None => "none".to_owned(),
            Some(TraceContext {
                trace_id,
                parent_id: None,
            }) => format!("{trace_id} root"),
            Some(TraceContext {
                trace_id,
                parent_id: Some(parent),
            }) => {
                format!("{trace_id} under {parent}")
            }
        };
        expected.assert_eq(&read);
    }

    #[test]
    fn xray_headers() {
        check(
            "Root=1-5f35ae12-0c0fec141ab77a00bc047aa2;Parent=2be948a625588e32;Sampled=1",
            expect!["5f35ae120c0fec141ab77a00bc047aa2 under 2be948a625588e32"],
        );
        check(
            "Lineage=1:a:0; Sampled=0; Root=1-5f35ae12-0c0fec141ab77a00bc047aa2",
            expect!["5f35ae120c0fec141ab77a00bc047aa2 root"],
        );
        check(
            "Root=1-5f35ae12-0c0fec141ab77a00bc047aa2;Parent=nonsense",
            expect!["5f35ae120c0fec141ab77a00bc047aa2 root"],
        );
        check("Root=1-00000000-000000000000000000000000", expect!["none"]);
        check("Root=2-5f35ae12-0c0fec141ab77a00bc047aa2", expect!["none"]);
        check("Root=1-5f35ae12-0c0f", expect!["none"]);
        check("Parent=2be948a625588e32", expect!["none"]);
        check("", expect!["none"]);
    }

    #[test]
    fn a_retry_of_the_same_request_gets_another_span() {
        let first = invocation_span_id("6d68ca91", 1000);
        assert_eq!(first, invocation_span_id("6d68ca91", 1000));
        assert_ne!(first, invocation_span_id("6d68ca91", 2000));
        assert_ne!(first, step_span_id(first, "init"));
    }

    #[test]
    fn the_hash_is_fnv_1a() {
        // From the authors' test vectors.
        assert_eq!(hash(&[""]), 0xcbf2_9ce4_8422_2325);
        assert_eq!(hash(&["foo", "bar"]), 0x8594_4171_f739_67e8);
    }
}
