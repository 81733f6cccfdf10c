//! Envelopes: OTLP requests written to standard output as one line of JSON.
//!
//! ```text
//! {"__otel_otlp_stdout":"0.16.0","source":"svc","endpoint":"http://localhost:4318/v1/traces",
//!  "method":"POST","content-type":"application/x-protobuf","content-encoding":"gzip","headers":{},
//!  "payload":"<base64 of the gzip>","base64":true,"level":"INFO"}
//! ```
//!
//! Several programs write them, and logs put things around them: a time and a request id before,
//! the object as a member of another, the whole line as a text in JSON. All of these are read.

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Map, Value};
use throughline_telemetry::Signal;

use crate::ingest::{Encoding, Format};

/// One OTLP request, as it was written.
#[derive(Debug)]
pub(crate) struct Envelope {
    pub(crate) signal: Signal,
    pub(crate) format: Format,
    pub(crate) encoding: Encoding,
    /// Encoded so.
    pub(crate) payload: Vec<u8>,
    pub(crate) headers: HeaderMap,
}

/// Why a line with the mark of an envelope has none that can be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadEnvelope {
    #[error("the line is longer than {LINE_BYTES_MAX} bytes")]
    TooLong,
    #[error("the line has the mark of an envelope but no whole JSON object with it; it may be cut")]
    NotWhole,
    #[error("the path of `endpoint` is `{0}`: want /v1/traces, /v1/logs or /v1/metrics")]
    UnknownSignal(String),
    #[error("unknown content type `{0}`")]
    UnknownContentType(String),
    #[error("unknown content encoding `{0}`")]
    UnknownEncoding(String),
    #[error("`payload` is absent or not text")]
    NoPayload,
    #[error("`payload` is not base64: {0}")]
    NotBase64(String),
}

/// The envelopes in a line; none in most. One that cannot be read costs no other.
pub(crate) fn find(line: &str) -> Vec<Result<Envelope, BadEnvelope>> {
    if !line.contains(MARK) {
        return Vec::new();
    }
    if line.len() > LINE_BYTES_MAX {
        return vec![Err(BadEnvelope::TooLong)];
    }
    let mut found = Vec::new();
    search_text(line, DEPTH_MAX, &mut found);
    if found.is_empty() {
        // Somebody may as well write about envelopes.
        return match line.contains(QUOTED_MARK) || line.contains(ESCAPED_MARK) {
            true => vec![Err(BadEnvelope::NotWhole)],
            false => Vec::new(),
        };
    }
    found.iter().map(Envelope::read).collect()
}

/// Looks for JSON in text, and in that for envelopes.
fn search_text(text: &str, depth: usize, found: &mut Vec<Map<String, Value>>) {
    let mut rest = text;
    for _ in 0..OBJECTS_MAX {
        let (Some(begin), true) = (rest.find('{'), rest.contains(MARK)) else {
            return;
        };
        let mut values = serde_json::Deserializer::from_str(&rest[begin..]).into_iter::<Value>();
        rest = match values.next() {
            Some(Ok(value)) => {
                search(value, depth, found);
                &rest[begin + values.byte_offset()..]
            }
            _ => &rest[begin + 1..],
        };
    }
}

fn search(value: Value, depth: usize, found: &mut Vec<Map<String, Value>>) {
    let Some(depth) = depth.checked_sub(1) else {
        return;
    };
    match value {
        Value::Object(members) if members.contains_key(MARK) => found.push(members),
        Value::Object(members) => members
            .into_iter()
            .for_each(|(_, value)| search(value, depth, found)),
        Value::Array(values) => values
            .into_iter()
            .for_each(|value| search(value, depth, found)),
        Value::String(text) if text.contains(MARK) => search_text(&text, depth, found),
        _ => {}
    }
}

impl Envelope {
    /// What is stored like an envelope and was none: a request with metrics in protobuf.
    pub(super) fn of_metrics(payload: Vec<u8>) -> Self {
        Envelope {
            signal: Signal::Metrics,
            format: Format::Protobuf,
            encoding: Encoding::Identity,
            payload,
            headers: HeaderMap::new(),
        }
    }

    fn read(members: &Map<String, Value>) -> Result<Self, BadEnvelope> {
        let headers = members.get("headers").and_then(Value::as_object);
        let text = |name: &str| {
            let of_headers = || headers.and_then(|headers| member(headers, name));
            member(members, name)
                .or_else(of_headers)
                .and_then(Value::as_str)
                .unwrap_or_default()
        };
        let (format, payload) = payload(members)?;
        Ok(Envelope {
            signal: signal(text("endpoint"))?,
            format: declared_format(text("content-type"))?.unwrap_or(format),
            encoding: encoding(text("content-encoding"))?,
            payload,
            headers: headers.into_iter().flatten().filter_map(header).collect(),
        })
    }
}

/// Names of headers are written in any case.
fn member<'a>(members: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    let mut members = members.iter();
    members
        .find(|(written, _)| written.eq_ignore_ascii_case(name))
        .map(|(_, value)| value)
}

fn header((name, value): (&String, &Value)) -> Option<(HeaderName, HeaderValue)> {
    let value = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    Some((name.parse().ok()?, value.parse().ok()?))
}

fn signal(endpoint: &str) -> Result<Signal, BadEnvelope> {
    let path = endpoint.split(['?', '#']).next().unwrap_or_default();
    let path = path.trim_end_matches('/');
    let named = |signal: &Signal| path.ends_with(&format!("/v1/{}", signal.name()));
    let signal = Signal::ALL.into_iter().find(named);
    signal.ok_or_else(|| BadEnvelope::UnknownSignal(shortened(endpoint)))
}

fn declared_format(content_type: &str) -> Result<Option<Format>, BadEnvelope> {
    let media_type = content_type.split(';').next().unwrap_or_default().trim();
    match media_type.to_ascii_lowercase().as_str() {
        "" => Ok(None),
        "application/x-protobuf" => Ok(Some(Format::Protobuf)),
        "application/json" => Ok(Some(Format::Json)),
        _ => Err(BadEnvelope::UnknownContentType(shortened(content_type))),
    }
}

fn encoding(text: &str) -> Result<Encoding, BadEnvelope> {
    let encoding = match text {
        "none" => Some(Encoding::Identity),
        text => Encoding::from_header(text),
    };
    encoding.ok_or_else(|| BadEnvelope::UnknownEncoding(shortened(text)))
}

/// The bytes, and what form they have if nothing says it.
fn payload(members: &Map<String, Value>) -> Result<(Format, Vec<u8>), BadEnvelope> {
    let plain = members.get("base64") == Some(&Value::Bool(false));
    match members.get("payload") {
        Some(Value::String(text)) if plain => Ok((Format::Json, text.as_bytes().to_vec())),
        Some(Value::String(text)) => {
            let decoded = BASE64.decode(text.trim());
            let decoded = decoded.map_err(|error| BadEnvelope::NotBase64(error.to_string()))?;
            Ok((Format::Protobuf, decoded))
        }
        Some(value @ Value::Object(_)) => Ok((Format::Json, value.to_string().into_bytes())),
        _ => Err(BadEnvelope::NoPayload),
    }
}

/// What of somebody else's text goes into a message.
fn shortened(text: &str) -> String {
    text.chars().take(MESSAGE_CHARS_MAX).collect()
}

/// Some writers leave the padding out.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

const MARK: &str = "__otel_otlp_stdout";
const QUOTED_MARK: &str = "\"__otel_otlp_stdout\"";
const ESCAPED_MARK: &str = "\"__otel_otlp_stdout\\";

/// CloudWatch Logs takes events of up to 1 MiB; JSON in JSON doubles its quotes.
const LINE_BYTES_MAX: usize = 2 << 20;

/// Objects that one text may begin with before the envelope.
const OBJECTS_MAX: usize = 64;

/// Objects in objects and texts in texts, each a level: what logging libraries put around a line.
const DEPTH_MAX: usize = 12;

const MESSAGE_CHARS_MAX: usize = 100;

#[cfg(test)]
mod tests;
