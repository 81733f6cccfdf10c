//! One payload attribute and what becomes of it.

use std::borrow::Cow;

use throughline_telemetry::wire::otlp::common::v1::{AnyValue, any_value::Value};

use super::node::Node;
use super::{Keep, PARSE_BYTES_MAX, VALUE_BYTES_MAX, cut, shape};
use crate::counts::Rule;
use crate::scrubber::Scrubber;

/// The value that leaves, if one does.
pub(crate) fn apply(
    value: AnyValue,
    name: &str,
    keep: Keep,
    invocation: u64,
    scrubber: &mut Scrubber,
) -> Option<AnyValue> {
    let before = size(&value);
    let before = || match before {
        1 => "payload of 1 byte".to_owned(),
        bytes => format!("payload of {bytes} bytes"),
    };
    let kept = match keep {
        Keep::Nothing => {
            scrubber.found(Rule::Payload, before, None);
            return None;
        }
        Keep::Withheld if is_text(&value, WITHHELD) => value,
        Keep::Withheld => {
            scrubber.found(Rule::Withheld, before, Some(WITHHELD));
            text_value(WITHHELD.to_owned())
        }
        Keep::Shape => {
            let shaped = shaped(value.clone(), name, scrubber);
            if shaped != value {
                scrubber.found(Rule::Payload, before, Some("its shape"));
            }
            shaped
        }
        Keep::Values { bytes_max } => {
            let (kept, was_cut) = values(value, bytes_max);
            if was_cut {
                let after = format!("{} bytes of it", size(&kept));
                scrubber.found(Rule::Cut, before, Some(&after));
            }
            kept
        }
    };
    if scrubber.budgets().take(invocation, weight(&kept)) {
        return Some(kept);
    }
    scrubber.found(Rule::Cut, before, None);
    None
}

/// How many bytes a payload has, before anything is done to it.
pub(crate) fn size(value: &AnyValue) -> usize {
    match &value.value {
        Some(Value::StringValue(text)) => text.len(),
        Some(Value::BytesValue(bytes)) => bytes.len(),
        _ => weight(value),
    }
}

fn shaped(value: AnyValue, name: &str, scrubber: &mut Scrubber) -> AnyValue {
    let last = name.rsplit('.').next().unwrap_or(name);
    match value.value {
        Some(Value::StringValue(text)) => {
            let json = (text.len() <= PARSE_BYTES_MAX)
                .then(|| Node::from_json(&text))
                .flatten();
            text_value(match json {
                Some(node) => {
                    let node = shape::shape(node, "", scrubber);
                    let node = cut::node(&node, VALUE_BYTES_MAX);
                    let mut out = String::new();
                    match node {
                        Some(node) => node.write_json(&mut out),
                        None => out = format!("string({})", text.len()),
                    }
                    out
                }
                None => shape::text_shape(Cow::Owned(text), last, scrubber).into_owned(),
            })
        }
        value => {
            let node = shape::shape(Node::from_otlp(AnyValue { value }, 0), last, scrubber);
            cut::node(&node, VALUE_BYTES_MAX)
                .map_or_else(|| text_value("object(…)".to_owned()), Node::into_otlp)
        }
    }
}

/// The value is scrubbed already.
fn values(value: AnyValue, bytes_max: usize) -> (AnyValue, bool) {
    match value.value {
        Some(Value::StringValue(text)) => {
            let Some(node) = (text.len() <= PARSE_BYTES_MAX)
                .then(|| Node::from_json(&text))
                .flatten()
            else {
                let was_cut = text.len() > bytes_max;
                return (text_value(cut::text(&text, bytes_max)), was_cut);
            };
            let whole = match &node {
                // Nothing to cut: it stays as it is written, spaces included.
                _ if text.len() <= bytes_max && is_whole(&node) => {
                    return (text_value(text), false);
                }
                node => cut::node(node, bytes_max),
            };
            let mut out = String::new();
            match whole {
                Some(node) => node.write_json(&mut out),
                None => out = cut::text(&text, bytes_max),
            }
            (text_value(out), true)
        }
        Some(Value::BytesValue(mut bytes)) => {
            let was_cut = bytes.len() > bytes_max;
            bytes.truncate(bytes_max);
            (
                AnyValue {
                    value: Some(Value::BytesValue(bytes)),
                },
                was_cut,
            )
        }
        value @ Some(Value::ArrayValue(_) | Value::KvlistValue(_)) => {
            let node = Node::from_otlp(AnyValue { value }, 0);
            let whole = is_whole(&node) && node.weight() <= bytes_max;
            let kept = match cut::node(&node, bytes_max) {
                _ if whole => node.into_otlp(),
                Some(node) => node.into_otlp(),
                None => text_value("object(…)".to_owned()),
            };
            (kept, !whole)
        }
        value => (AnyValue { value }, false),
    }
}

/// Whether all of it is held.
fn is_whole(node: &Node<'_>) -> bool {
    match node {
        Node::Deep(_) => false,
        Node::Array(members, more) => *more == 0 && members.iter().all(is_whole),
        Node::Object(members, more) => {
            *more == 0 && members.iter().all(|(_, member)| is_whole(member))
        }
        _ => true,
    }
}

fn weight(value: &AnyValue) -> usize {
    match &value.value {
        Some(Value::StringValue(text)) => text.len(),
        Some(Value::BytesValue(bytes)) => bytes.len(),
        Some(Value::ArrayValue(array)) => array.values.iter().map(|value| weight(value) + 2).sum(),
        Some(Value::KvlistValue(list)) => list
            .values
            .iter()
            .map(|pair| pair.key.len() + 4 + pair.value.as_ref().map_or(0, weight))
            .sum(),
        _ => 8,
    }
}

fn is_text(value: &AnyValue, text: &str) -> bool {
    matches!(&value.value, Some(Value::StringValue(known)) if known == text)
}

fn text_value(text: String) -> AnyValue {
    AnyValue {
        value: Some(Value::StringValue(text)),
    }
}

const WITHHELD: &str = "[withheld]";
