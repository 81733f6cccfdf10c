//! A handler that raised. The runtime catches what it raises and answers with it, so the platform
//! counts the invocation as a success; only the function's own span knows better.

use throughline_telemetry::wire::otlp::{
    common::v1::{KeyValue, any_value::Value as Any},
    trace::v1::{Span as OtlpSpan, span::SpanKind, status::StatusCode},
};
use throughline_telemetry::{Attributes, Span, SpanStatus};

/// What the handler's span says about its failure.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Failure {
    error_type: String,
    message: String,
}

impl Failure {
    /// Of a span right under the invocation. Only one that stands for the handler counts: a failed
    /// call may have been survived.
    pub(super) fn of(span: &OtlpSpan) -> Option<Self> {
        let stands_for_handler = matches!(span.kind(), SpanKind::Server | SpanKind::Consumer);
        let status = span.status.as_ref()?;
        if !stands_for_handler || status.code() != StatusCode::Error {
            return None;
        }
        let mut events = span.events.iter();
        let exception = events.rfind(|event| event.name == "exception");
        let raised = |key: &str| exception.and_then(|event| text(&event.attributes, key));
        let error_type = text(&span.attributes, "error.type").or_else(|| raised("exception.type"));
        let message = Some(status.message.as_str()).filter(|message| !message.is_empty());
        let message = message.or_else(|| raised("exception.message"));
        Some(Failure {
            error_type: beginning(error_type.unwrap_or(UNNAMED)),
            message: beginning(message.unwrap_or_default()),
        })
    }

    /// Of the line that the runtime printed about it.
    pub(super) fn of_line(attributes: &Attributes) -> Option<Self> {
        let error_type = attributes.text("exception.type")?;
        let message = attributes.text("exception.message").unwrap_or_default();
        Some(Failure {
            error_type: beginning(error_type),
            message: beginning(message),
        })
    }

    /// Marks the invocation's span, unless the platform knows of something worse.
    pub(super) fn mark(&self, invocation: &mut Span) {
        if invocation.status == SpanStatus::Error {
            return;
        }
        invocation.status = SpanStatus::Error;
        invocation.status_message.clone_from(&self.message);
        let error_type = self.error_type.as_str();
        invocation.attributes.set("error.type", error_type);
    }
}

fn text<'a>(attributes: &'a [KeyValue], key: &str) -> Option<&'a str> {
    let found = attributes.iter().find(|pair| pair.key == key)?;
    match found.value.as_ref()?.value.as_ref()? {
        Any::StringValue(text) if !text.is_empty() => Some(text),
        _ => None,
    }
}

/// Enough to see what happened; all of it is on the handler's own span.
fn beginning(text: &str) -> String {
    text.chars().take(CHARS_MAX).collect()
}

const CHARS_MAX: usize = 1024;
/// OpenTelemetry's word for an error without a name.
const UNNAMED: &str = "_OTHER";
