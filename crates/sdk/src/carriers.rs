//! Reading the trace out of everybody's headers.

use std::borrow::Cow;

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde_json::Value;

use crate::ids::TraceContext;

/// Gives a header by its name in lower case.
pub(crate) type Get<'a> = Box<dyn Fn(&str) -> Option<Cow<'a, str>> + 'a>;

type Reader = fn(&dyn Fn(&str) -> String) -> Option<TraceContext>;

/// In this order; the first that finds ids is believed.
const READERS: &[Reader] = &[
    |get| TraceContext::from_traceparent(&get("traceparent")),
    |get| TraceContext::from_xray(&get("x-amzn-trace-id")),
    |get| datadog_json(&get(DATADOG)),
    datadog,
    |get| TraceContext::from_traceparent(&get("elastic-apm-traceparent")),
    |get| separated(&get("b3"), '-'),
    |get| TraceContext::of(&get("x-b3-traceid"), &get("x-b3-spanid"))?.with_span(),
    |get| jaeger(&get("uber-trace-id")),
    |get| jaeger(&get("epsagon-trace-id")),
];

/// The context that a message carries, whoever put it there.
pub(crate) fn extract(get: &Get<'_>) -> Option<TraceContext> {
    let text = |name: &str| get(name).unwrap_or_default().into_owned();
    READERS.iter().find_map(|reader| reader(&text))
}

/// What an application knows the action by; it joins nothing, and is told for those who look for it.
pub(crate) fn correlation_id(get: &Get<'_>) -> Option<String> {
    let id = get("x-correlation-id")?;
    let is_one = (1..=CORRELATION_CHARS_MAX).contains(&id.chars().count());
    is_one.then(|| id.into_owned())
}

const CORRELATION_CHARS_MAX: usize = 256;

/// Datadog's ids are decimal and have 64 bits; the upper half of a trace id is in a tag.
fn datadog(get: &dyn Fn(&str) -> String) -> Option<TraceContext> {
    let low = hex64(&get("x-datadog-trace-id"))?;
    let span = hex64(&get("x-datadog-parent-id"))?;
    let tags = get("x-datadog-tags");
    let high = tags.split_once("_dd.p.tid=").and_then(|(_, rest)| {
        let digits = rest.get(..16)?;
        let is_hex = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        is_hex.then_some(digits)
    });
    TraceContext::of(&format!("{}{low}", high.unwrap_or_default()), &span)?.with_span()
}

#[allow(clippy::cast_possible_truncation)] // 20 digits may be a little more than 64 bits
fn hex64(decimal: &str) -> Option<String> {
    let is_number =
        (1..=20).contains(&decimal.len()) && decimal.bytes().all(|digit| digit.is_ascii_digit());
    let number: u128 = is_number.then(|| decimal.parse().ok())??;
    Some(format!("{:016x}", number as u64))
}

fn datadog_json(text: &str) -> Option<TraceContext> {
    if text.is_empty() {
        return None;
    }
    let fields = match text.starts_with('{') {
        true => parsed(text)?,
        false => parsed(&base64_text(text)?)?,
    };
    let get = getter(&fields);
    let others: Get<'_> = Box::new(|name: &str| get(name).filter(|_| name != DATADOG));
    extract(&others)
}

/// `trace:span:parent:flags` in hexadecimal, possibly percent-encoded.
fn jaeger(header: &str) -> Option<TraceContext> {
    separated(&header.replace("%3A", ":").replace("%3a", ":"), ':')
}

fn separated(header: &str, by: char) -> Option<TraceContext> {
    let mut parts = header.split(by);
    TraceContext::of(parts.next()?, parts.next()?)?.with_span()
}

/// Looks the members of an object up whatever their case; of several values the first counts.
pub(crate) fn getter(headers: &Value) -> Get<'_> {
    Box::new(|name| {
        let members = headers.as_object()?;
        let value = members.get(name).or_else(|| {
            let mut named = members.iter();
            named.find_map(|(key, value)| key.eq_ignore_ascii_case(name).then_some(value))
        })?;
        match value {
            // Where a program put the headers themselves.
            Value::Object(_) if name == DATADOG => Some(Cow::Owned(value.to_string())),
            value => first_text(value).map(Cow::Borrowed),
        }
    })
}

fn first_text(value: &Value) -> Option<&str> {
    match value {
        Value::String(text) => Some(text),
        Value::Array(values) => values.first()?.as_str(),
        _ => None,
    }
}

/// An object out of JSON text, if it is one.
pub(crate) fn parsed(text: &str) -> Option<Value> {
    text.starts_with('{')
        .then(|| serde_json::from_str(text).ok())?
}

/// What base64 text says, with or without its padding.
pub(crate) fn base64_text(text: &str) -> Option<String> {
    let bytes = LENIENT.decode(text.trim_end()).ok()?;
    String::from_utf8(bytes).ok()
}

const DATADOG: &str = "_datadog";

const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);
