//! Whom a client's span calls, as the one who calls tells of it.

use throughline_telemetry::Span;

use super::NodeKind;
use super::call::{Said, fact};
use super::invoked::may_be;

/// A call that a client's span tells of: an edge, unless the span of whoever is called is below it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientCall {
    /// What is called.
    pub kind: NodeKind,
    /// Its name.
    pub name: String,
    /// What is called for.
    pub operation: String,
    /// Whether it was refused because there were too many.
    pub is_throttled: bool,
}

impl ClientCall {
    /// The call that a span tells of, if it does.
    pub fn of(span: &Span) -> Option<Self> {
        if !may_be(span.kind) {
            return None;
        }
        let attributes = span.attributes.0.iter();
        let texts: Vec<_> = attributes
            .filter_map(|(key, value)| Some((fact(key)?, value.to_text())))
            .collect();
        let mut said = Said::default();
        texts.iter().for_each(|(fact, text)| said.add(*fact, text));
        let call = said.call(&span.name)?;
        Some(ClientCall {
            kind: call.kind,
            name: call.name.into_owned(),
            operation: call.operation.into_owned(),
            is_throttled: said.is_throttled(),
        })
    }
}

#[cfg(test)]
mod tests {
    use throughline_telemetry::{SpanKind, Value};
    use throughline_testkit::span;

    use super::*;

    #[test]
    fn what_a_client_tells_is_what_its_edge_is() {
        let call = |kind, attributes: &[(&str, Value)]| {
            let mut span = span("shop").named("call").kind(kind).build();
            for (key, value) in attributes {
                span.attributes.set(*key, value.clone());
            }
            ClientCall::of(&span).map(|call| {
                let refused = if call.is_throttled { ", refused" } else { "" };
                format!("{}:{} {}{refused}", call.kind, call.name, call.operation)
            })
        };
        let tables = Value::Array(vec!["arn:aws:dynamodb:eu:1:table/users".into(), "b".into()]);
        let put = [
            ("aws.dynamodb.table_names", tables),
            ("db.operation.name", "PutItem".into()),
            ("error.type", "ThrottlingException".into()),
        ];
        let expected = Some("table:users PutItem, refused");
        assert_eq!(call(SpanKind::Client, &put).as_deref(), expected);
        assert_eq!(call(SpanKind::Server, &put), None);
        assert_eq!(call(SpanKind::Client, &[]), None);
        let sent = [
            ("messaging.system", "aws_sqs".into()),
            ("aws.sqs.queue.url", "https://sqs.eu/1/mails".into()),
        ];
        let expected = Some("queue:mails call");
        assert_eq!(call(SpanKind::Producer, &sent).as_deref(), expected);
    }
}
