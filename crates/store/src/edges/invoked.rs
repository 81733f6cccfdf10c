//! Calls of functions, as the one who calls tells of them.

use std::borrow::Cow;

use throughline_telemetry::{Span, SpanKind, Value};

use super::call::{Said, fact};

/// A call of a function that a client's span tells of.
///
/// A call that is refused because there are too many reaches no environment, so that nobody but the caller
/// can tell of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FunctionCall<'a> {
    /// The name of the function.
    pub function: &'a str,
    /// Whether it was refused because there were too many.
    pub is_throttled: bool,
}

impl<'a> FunctionCall<'a> {
    /// The call that a span tells of, if it does.
    pub fn of(span: &'a Span) -> Option<Self> {
        if !may_be(span.kind) {
            return None;
        }
        let function = span.attributes.text(INVOKED_NAME)?;
        let texts = span.attributes.0.iter().filter_map(|(key, value)| {
            let text = match value {
                Value::String(text) => Cow::Borrowed(text.as_str()),
                Value::Int(number) => Cow::Owned(number.to_string()),
                _ => return None,
            };
            Some((fact(key)?, text))
        });
        let texts: Vec<_> = texts.collect();
        let mut said = Said::default();
        texts.iter().for_each(|(fact, text)| said.add(*fact, text));
        Some(FunctionCall {
            function,
            is_throttled: said.is_throttled(),
        })
    }
}

/// Whether a span of this kind may tell of a call.
pub(crate) fn may_be(kind: SpanKind) -> bool {
    matches!(kind, SpanKind::Client | SpanKind::Producer)
}

/// The attribute that says which function is called.
pub(crate) const INVOKED_NAME: &str = "faas.invoked_name";

#[cfg(test)]
mod tests {
    use throughline_testkit::span;

    use super::*;

    #[test]
    fn what_a_caller_tells_of_a_call() {
        let call = |attributes: &[(&str, Value)], kind| {
            let mut span = span("shop").kind(kind).build();
            for (key, value) in attributes {
                span.attributes.set(*key, value.clone());
            }
            FunctionCall::of(&span).map(|call| format!("{} {}", call.function, call.is_throttled))
        };
        let named = (INVOKED_NAME, Value::from("stock"));
        for (attributes, kind, expected) in [
            (vec![], SpanKind::Client, None),
            (vec![named.clone()], SpanKind::Server, None),
            (vec![named.clone()], SpanKind::Client, Some("stock false")),
            (
                vec![
                    named.clone(),
                    ("error.type", "TooManyRequestsException".into()),
                ],
                SpanKind::Client,
                Some("stock true"),
            ),
            (
                vec![
                    named.clone(),
                    ("http.response.status_code", Value::Int(429)),
                ],
                SpanKind::Producer,
                Some("stock true"),
            ),
            (
                vec![
                    named,
                    ("aws.error.code", "ResourceNotFoundException".into()),
                ],
                SpanKind::Client,
                Some("stock false"),
            ),
        ] {
            assert_eq!(
                call(&attributes, kind).as_deref(),
                expected,
                "{attributes:?}"
            );
        }
    }
}
