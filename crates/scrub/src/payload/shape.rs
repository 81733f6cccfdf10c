//! Names and types of a payload, without its values.

use std::borrow::Cow;

use throughline_telemetry::wire::otlp::common::v1::{AnyValue, any_value::Value};

use super::ids::is_correlation_id;
use super::node::Node;
use crate::scrubber::Scrubber;

/// Replaces every value by its type, and a text by its length. Ids stay.
pub(super) fn shape<'t>(node: Node<'t>, name: &str, scrubber: &mut Scrubber) -> Node<'t> {
    match node {
        Node::Text(text) => Node::Text(text_shape(text, name, scrubber)),
        Node::Bare(bare) => match is_correlation_id(name, bare) {
            true => Node::Bare(bare),
            false => Node::Text(Cow::Borrowed(match bare {
                "null" => "null",
                "true" | "false" => "boolean",
                _ => "number",
            })),
        },
        Node::Value(value) => Node::Text(value_shape(&value, name)),
        Node::Deep(kind) => Node::Deep(kind),
        // Members of an array go by its name: `messageIds`.
        Node::Array(members, more) => {
            let members = members.into_iter();
            Node::Array(
                members
                    .map(|member| shape(member, name, scrubber))
                    .collect(),
                more,
            )
        }
        Node::Object(members, more) => {
            let members = members.into_iter().map(|(key, member)| {
                let shaped = shape(member, &key, scrubber);
                (name_of_member(key, scrubber), shaped)
            });
            Node::Object(members.collect(), more)
        }
    }
}

pub(super) fn text_shape<'t>(
    text: Cow<'t, str>,
    name: &str,
    scrubber: &mut Scrubber,
) -> Cow<'t, str> {
    if is_correlation_id(name, &text) {
        return match scrubber.text(&text) {
            Cow::Borrowed(_) => text,
            Cow::Owned(scrubbed) => Cow::Owned(scrubbed),
        };
    }
    match is_shape(&text) {
        true => text,
        false => Cow::Owned(format!("string({})", text.len())),
    }
}

/// The names of members are shown, but some maps have data for names.
fn name_of_member<'t>(name: Cow<'t, str>, scrubber: &mut Scrubber) -> Cow<'t, str> {
    let name = match scrubber.text(&name) {
        Cow::Borrowed(_) => name,
        Cow::Owned(scrubbed) => Cow::Owned(scrubbed),
    };
    match name.len() > NAME_BYTES_MAX {
        true => Cow::Owned(super::cut::text(&name, NAME_BYTES_MAX)),
        false => name,
    }
}

fn value_shape(value: &AnyValue, name: &str) -> Cow<'static, str> {
    match &value.value {
        Some(Value::IntValue(number)) if is_correlation_id(name, &number.to_string()) => {
            Cow::Owned(number.to_string())
        }
        Some(Value::IntValue(_) | Value::DoubleValue(_)) => Cow::Borrowed("number"),
        Some(Value::BoolValue(_)) => Cow::Borrowed("boolean"),
        Some(Value::BytesValue(bytes)) => Cow::Owned(format!("bytes({})", bytes.len())),
        _ => Cow::Borrowed("null"),
    }
}

/// Whether this is what [`shape`] writes, so that a second look changes nothing.
fn is_shape(text: &str) -> bool {
    let counted = |rest: &str| {
        rest.strip_suffix(')')
            .is_some_and(|count| count == "…" || count.bytes().all(|byte| byte.is_ascii_digit()))
    };
    matches!(text, "null" | "boolean" | "number")
        || ["string(", "bytes(", "array(", "object("]
            .iter()
            .any(|word| text.strip_prefix(word).is_some_and(counted))
        || text
            .strip_prefix('+')
            .and_then(|rest| rest.strip_suffix(" more"))
            .is_some_and(|count| count.bytes().all(|byte| byte.is_ascii_digit()))
}

const NAME_BYTES_MAX: usize = 64;
