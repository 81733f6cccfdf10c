//! What spans say that they sent and received.

use throughline_telemetry::correlation::{INVOCATION_ID, LAMBDA_KIND, LINK_IN, LINK_OUT};
use throughline_telemetry::{Attributes, Span, SpanKind, Value};

use super::How;

/// One record that was received, by its keys.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Record<'a> {
    pub(super) exact: Vec<&'a str>,
    pub(super) probable: Vec<&'a str>,
}

/// The keys of what a span has sent.
pub(super) fn sent(span: &Span) -> impl Iterator<Item = &str> {
    texts(&span.attributes, LINK_OUT).filter(|key| strength(key).is_some())
}

/// What an invocation has received. Keys lie in the order of the records, of each record those that are
/// exact before those that are probable.
pub(super) fn received(span: &Span) -> Vec<Record<'_>> {
    let mut records: Vec<Record<'_>> = Vec::new();
    for key in texts(&span.attributes, LINK_IN) {
        let Some(how) = strength(key) else {
            continue;
        };
        let begins = how == How::Matched;
        match records.last_mut() {
            Some(last) if !begins => last.probable.push(key),
            Some(last) if last.probable.is_empty() => last.exact.push(key),
            _ => {
                let mut record = Record::default();
                match begins {
                    true => record.exact.push(key),
                    false => record.probable.push(key),
                }
                records.push(record);
            }
        }
    }
    records
}

/// The texts of an attribute that is a list of them, or one.
pub(crate) fn texts<'a>(attributes: &'a Attributes, key: &str) -> impl Iterator<Item = &'a str> {
    let values = match attributes.get(key) {
        Some(Value::Array(values)) => values.as_slice(),
        Some(one) => std::slice::from_ref(one),
        None => &[],
    };
    values.iter().filter_map(Value::as_str).take(KEYS_MAX)
}

/// What a key of this kind proves. A connection's id is in all messages of a session, and proves nothing.
pub(super) fn strength(key: &str) -> Option<How> {
    match key.split_once(':')?.0 {
        "sqsbody" | "ebd" | "ddb" | "ddbi" | "s3o" => Some(How::Inferred),
        "ws" => None,
        _ => Some(How::Matched),
    }
}

/// The request id of the invocation that a span is of.
pub(super) fn invocation(span: &Span) -> Option<&str> {
    span.attributes.text(INVOCATION_ID)
}

/// The key of a request id.
pub(super) fn request_key(request_id: &str) -> String {
    format!("{LAMBDA_KIND}:{request_id}")
}

/// The request id that a key names.
pub(super) fn request_of(key: &str) -> Option<&str> {
    let (kind, id) = key.split_once(':')?;
    (kind == LAMBDA_KIND).then_some(id)
}

/// Whether a span is an invocation as a whole, as the platform or a layer sees it.
pub(super) fn is_invocation(span: &Span) -> bool {
    match span.attributes.text("throughline.phase") {
        Some(phase) => phase == "invoke",
        None => {
            matches!(span.kind, SpanKind::Server | SpanKind::Consumer) && invocation(span).is_some()
        }
    }
}

/// Keys of one span that are looked at: as many as a layer sends.
const KEYS_MAX: usize = 1000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::span;

    #[test]
    fn keys_are_told_apart_by_record_and_strength() {
        let mut span = span(1, 0, 0, 1);
        let keys = [
            "sqs:1",
            "sqsbody:a",
            "sqs:2",
            "sqsbody:b",
            "sns:3",
            "ws:c",
            "x",
            "lam:r",
        ];
        let values = keys.map(|key| Value::String(key.to_owned())).to_vec();
        span.attributes.set(LINK_IN, Value::Array(values));
        let record = |exact: &[&'static str], probable: &[&'static str]| Record {
            exact: exact.to_vec(),
            probable: probable.to_vec(),
        };
        let expected = [
            record(&["sqs:1"], &["sqsbody:a"]),
            record(&["sqs:2"], &["sqsbody:b"]),
            record(&["sns:3", "lam:r"], &[]),
        ];
        assert_eq!(received(&span), expected);
        span.attributes.set(LINK_OUT, "ddb:t/1");
        assert_eq!(sent(&span).collect::<Vec<_>>(), ["ddb:t/1"]);
    }
}
