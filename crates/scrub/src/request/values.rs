//! Attributes and the values under them, however deeply nested.

use std::borrow::Cow;

use throughline_telemetry::wire::otlp::common::v1::{AnyValue, KeyValue, any_value::Value};

use crate::counts::Rule;
use crate::finding::outline;
use crate::keys::{Kind, is_secret};
use crate::known::Verdict;
use crate::payload::{self, Keep, Named};
use crate::scrubber::Scrubber;

/// What holds for everything in one span or log record.
#[derive(Clone, Copy, Debug)]
pub(super) struct Around {
    pub(super) keep: Keep,
    pub(super) invocation: u64,
}

pub(super) fn of_attributes(
    attributes: &mut Vec<KeyValue>,
    scrubber: &mut Scrubber,
    around: Around,
    depth: usize,
) {
    let payloads = match depth {
        0 => scrubber.within(
            || "attributes".to_owned(),
            |s| of_pairs(attributes, s, around, depth),
        ),
        _ => of_pairs(attributes, scrubber, around, depth),
    };
    if let Some(sizes) = payloads {
        settle(attributes, sizes);
    }
}

/// Returns the sizes of the payloads among them, if there are any.
fn of_pairs(
    attributes: &mut [KeyValue],
    scrubber: &mut Scrubber,
    around: Around,
    depth: usize,
) -> Option<Vec<KeyValue>> {
    let mut payloads = None;
    // `{"name": "authorization", "value": "…"}` is a header as well.
    let named_inside = depth > 0 && is_named_pair(attributes, scrubber);
    for attribute in attributes.iter_mut() {
        let KeyValue { key, value, .. } = attribute;
        // First, so that whoever looks at what is left decides alike.
        let verdict = scrubber.name(key).unwrap_or_else(|| {
            of_key(key, scrubber);
            Verdict::of(key, scrubber.rules())
        });
        if let Some(value) = value {
            let secret = kind_of(value).is_some_and(|kind| {
                verdict.is_secret(kind) || (named_inside && is_value_word(key))
            });
            let named = verdict.named;
            let path = || key.clone();
            match named {
                _ if secret => scrubber.within(path, |s| redact(value, s)),
                Named::Other => scrubber.within(path, |s| of_value(value, s, around, depth)),
                named => {
                    let sizes = payloads.get_or_insert_with(Vec::new);
                    if named == Named::Whole && depth == 0 && around.keep != Keep::Nothing {
                        sizes.push(size_of(key, value));
                    }
                    scrubber.within(path, |s| of_payload(key, value, s, around, depth));
                }
            }
        }
    }
    payloads
}

fn size_of(key: &str, value: &AnyValue) -> KeyValue {
    let size = i64::try_from(payload::size(value)).unwrap_or(i64::MAX);
    KeyValue {
        key: format!("{key}.size"),
        value: Some(AnyValue {
            value: Some(Value::IntValue(size)),
        }),
        ..Default::default()
    }
}

/// A payload that must not leave is left as nothing, which [`settle`] takes out.
fn of_payload(
    key: &str,
    value: &mut AnyValue,
    scrubber: &mut Scrubber,
    around: Around,
    depth: usize,
) {
    if let Keep::Values { bytes_max } = around.keep {
        begin_of(value, bytes_max);
        of_value(value, scrubber, around, depth);
    }
    let whole = std::mem::take(value);
    let kept = payload::apply(whole, key, around.keep, around.invocation, scrubber);
    *value = kept.unwrap_or_default();
}

/// Of a text that is cut far before its end the end need not be looked at.
fn begin_of(value: &mut AnyValue, bytes_max: usize) {
    if let Some(Value::StringValue(text)) = &mut value.value
        && text.len() > TEXT_BYTES_MAX
    {
        text.truncate(text.floor_char_boundary(bytes_max * 16));
    }
}

/// Takes out the payloads that do not leave, and says how large each was, unless its sender did.
fn settle(attributes: &mut Vec<KeyValue>, sizes: Vec<KeyValue>) {
    let is_gone = |attribute: &KeyValue| {
        attribute
            .value
            .as_ref()
            .is_some_and(|value| value.value.is_none())
            && payload::named(&attribute.key) != Named::Other
    };
    attributes.retain(|attribute| !is_gone(attribute));
    for size in sizes {
        if attributes.iter().all(|known| known.key != size.key) {
            attributes.push(size);
        }
    }
}

pub(super) fn of_value(
    value: &mut AnyValue,
    scrubber: &mut Scrubber,
    around: Around,
    depth: usize,
) {
    if depth >= DEPTH_MAX {
        let is_done = matches!(&value.value, Some(Value::StringValue(text)) if text == TOO_DEEP);
        if !is_done {
            replace(value, TOO_DEEP);
            scrubber.found(
                Rule::Depth,
                || "what is nested deeper".to_owned(),
                Some(TOO_DEEP),
            );
        }
        return;
    }
    match &mut value.value {
        Some(Value::StringValue(text)) => of_text(text, scrubber),
        Some(Value::IntValue(number))
            if number.unsigned_abs() >= NUMBER_MIN || scrubber.rules().has_patterns() =>
        {
            // A card number is a number to some serialisers.
            let text = number.to_string();
            if let Cow::Owned(scrubbed) = scrubber.text(&text) {
                replace(value, &scrubbed);
            }
        }
        Some(Value::DoubleValue(number))
            if number.fract() == 0.0 && number.abs() >= 1e12 && number.abs() < 1e19 =>
        {
            let text = format!("{number:.0}");
            if let Cow::Owned(scrubbed) = scrubber.text(&text) {
                replace(value, &scrubbed);
            }
        }
        Some(Value::BytesValue(bytes)) => of_bytes(bytes, scrubber),
        Some(Value::ArrayValue(array)) => {
            let pairs = header_pairs(&array.values, scrubber);
            for (at, value) in array.values.iter_mut().enumerate() {
                scrubber.within(
                    || format!("[{at}]"),
                    |scrubber| match pairs.is_secret(at) && kind_of(value).is_some() {
                        true => redact(value, scrubber),
                        false => of_value(value, scrubber, around, depth + 1),
                    },
                );
            }
        }
        Some(Value::KvlistValue(list)) => {
            of_attributes(&mut list.values, scrubber, around, depth + 1);
        }
        _ => {}
    }
}

pub(super) fn of_text(text: &mut String, scrubber: &mut Scrubber) {
    if let Cow::Owned(scrubbed) = scrubber.text(text) {
        *text = scrubbed;
    }
}

/// Some maps have data for names.
fn of_key(key: &mut String, scrubber: &mut Scrubber) {
    scrubber.within(|| "its name".to_owned(), |scrubber| of_text(key, scrubber));
}

/// Text between bytes that are none is looked at like any other.
fn of_bytes(bytes: &mut Vec<u8>, scrubber: &mut Scrubber) {
    let mut scrubbed = Vec::new();
    let mut changed = false;
    for chunk in bytes.utf8_chunks() {
        let text = scrubber.text(chunk.valid());
        changed |= matches!(text, Cow::Owned(_));
        scrubbed.extend_from_slice(text.as_bytes());
        scrubbed.extend_from_slice(chunk.invalid());
    }
    if changed {
        *bytes = scrubbed;
    }
}

/// Headers as a list: `["Authorization", "…"]`, or the names and values of many one after the other.
enum Pairs {
    None,
    /// The places whose values go.
    Secret(Vec<usize>),
}

impl Pairs {
    fn is_secret(&self, at: usize) -> bool {
        match self {
            Pairs::None => false,
            Pairs::Secret(places) => places.contains(&at),
        }
    }
}

fn header_pairs(values: &[AnyValue], scrubber: &Scrubber) -> Pairs {
    if values.len() < 2 || !values.len().is_multiple_of(2) {
        return Pairs::None;
    }
    let mut places = Vec::new();
    for (pair, at) in values.chunks_exact(2).zip((1..).step_by(2)) {
        let Some(Value::StringValue(name)) = &pair[0].value else {
            return Pairs::None;
        };
        if places.len() < HEADERS_MAX && is_secret(name, Kind::Text, scrubber.rules()) {
            places.push(at);
        }
    }
    match places.is_empty() {
        true => Pairs::None,
        false => Pairs::Secret(places),
    }
}

/// Whether one member says that the value of another is secret.
fn is_named_pair(members: &[KeyValue], scrubber: &Scrubber) -> bool {
    members.len() <= 4
        && members.iter().any(|member| {
            let name = match member.value.as_ref().and_then(|value| value.value.as_ref()) {
                Some(Value::StringValue(name)) => name,
                _ => return false,
            };
            ["name", "key", "header"]
                .iter()
                .any(|word| member.key.eq_ignore_ascii_case(word))
                && is_secret(name, Kind::Text, scrubber.rules())
        })
}

fn is_value_word(key: &str) -> bool {
    ["value", "values", "val"]
        .iter()
        .any(|word| key.eq_ignore_ascii_case(word))
}

/// `None` for what cannot be a secret: nothing, a yes or no, an empty text, what a scrubber left.
fn kind_of(value: &AnyValue) -> Option<Kind> {
    match value.value.as_ref()? {
        Value::BoolValue(_) => None,
        Value::IntValue(_) | Value::DoubleValue(_) => Some(Kind::Number),
        Value::StringValue(text) if text.is_empty() || text == REDACTED => None,
        _ => Some(Kind::Text),
    }
}

fn redact(value: &mut AnyValue, scrubber: &mut Scrubber) {
    let before = || match &value.value {
        Some(Value::StringValue(text)) => outline(text),
        Some(Value::ArrayValue(array)) => format!("list of {}", array.values.len()),
        Some(Value::KvlistValue(list)) => format!("object of {} members", list.values.len()),
        Some(Value::BytesValue(bytes)) => format!("{} bytes", bytes.len()),
        _ => "number".to_owned(),
    };
    scrubber.found(Rule::Key, before, Some(REDACTED));
    replace(value, REDACTED);
}

fn replace(value: &mut AnyValue, word: &str) {
    value.value = Some(Value::StringValue(word.to_owned()));
}

/// OTLP itself has no end; protobuf decoders stop at a hundred.
const DEPTH_MAX: usize = 16;
const HEADERS_MAX: usize = 64;
/// Longer payloads are cut before they are looked at.
const TEXT_BYTES_MAX: usize = 256 * 1024;
/// Smaller numbers are no card's.
const NUMBER_MIN: u64 = 1_000_000_000_000;
const REDACTED: &str = "[redacted]";
const TOO_DEEP: &str = "[too deep]";
