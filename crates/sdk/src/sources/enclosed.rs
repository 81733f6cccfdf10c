//! What one service wrapped before another delivered it: a topic's notification, a bus's event, a bucket's records.

use std::borrow::Cow;

use serde_json::Value;

use super::path::{hop, key_of, some};
use crate::carriers::{Get, getter, parsed};
use crate::digest::event_key;

/// An envelope: the headers that it carries, its keys, and its services, oldest first.
pub(super) struct Envelope {
    pub(super) headers: Headers,
    pub(super) keys: Vec<String>,
    pub(super) hops: Vec<String>,
}

/// Headers of an envelope and of the one inside of it, in the order in which they count.
#[derive(Default)]
pub(super) struct Headers(Vec<(Kind, Value)>);

enum Kind {
    /// Attributes of messages, which have types.
    Attributes,
    Plain,
}

impl Headers {
    pub(super) fn get(&self, name: &str) -> Option<Cow<'static, str>> {
        let found = self.0.iter().find_map(|(kind, values)| match kind {
            Kind::Attributes => attribute(values, name).map(Cow::into_owned),
            Kind::Plain => getter(values)(name).map(Cow::into_owned),
        });
        found.map(Cow::Owned)
    }
}

/// What is in the body of a queue's message or in the message of a topic.
pub(super) fn enclosed(text: &str) -> Option<Envelope> {
    let marks = ["\"TopicArn\"", "\"detail-type\"", "\"aws:s3\""];
    if text.len() > BYTES_MAX || !marks.iter().any(|mark| text.contains(mark)) {
        return None;
    }
    let mut body = parsed(text)?;
    if body["TopicArn"].is_string() && body["Type"] == "Notification" {
        return Some(notification(&body));
    }
    if is_there(&body["detail-type"]) {
        let (keys, hops) = on_bus(&body);
        let headers = Headers(vec![(Kind::Plain, body["detail"].take())]);
        return Some(Envelope {
            headers,
            keys,
            hops,
        });
    }
    let records = body["Records"].as_array()?;
    let objects = || records.iter().filter(|record| record["s3"].is_object());
    Some(Envelope {
        headers: Headers::default(),
        keys: objects().flat_map(object_keys).collect(),
        hops: objects().take(1).map(object_hop).collect(),
    })
}

/// A topic's message, as it is in events and in the bodies of queues' messages.
pub(super) fn notification(message: &Value) -> Envelope {
    let inner = message["Message"].as_str().and_then(enclosed);
    let key = key_of("sns", &[&text(&message["MessageId"])]);
    let topic = last_of(text_of(&message["TopicArn"]), ':');
    let topic = hop("topic", topic, &message["Timestamp"], &key);
    let mut found = Envelope {
        headers: Headers(vec![(
            Kind::Attributes,
            message["MessageAttributes"].clone(),
        )]),
        keys: some([key]),
        hops: Vec::new(),
    };
    if let Some(inner) = inner {
        found.headers.0.extend(inner.headers.0);
        found.keys.extend(inner.keys);
        found.hops = inner.hops;
    }
    found.hops.push(topic);
    found
}

/// Attributes of SQS (`stringValue`) and SNS (`Value`).
pub(super) fn attribute<'a>(attributes: &'a Value, name: &str) -> Option<Cow<'a, str>> {
    let members = attributes.as_object()?;
    let found = members.get(name).or_else(|| {
        let mut named = members.iter();
        named.find_map(|(key, value)| key.eq_ignore_ascii_case(name).then_some(value))
    })?;
    let names = [
        "stringValue",
        "StringValue",
        "Value",
        "binaryValue",
        "BinaryValue",
    ];
    let mut values = names.iter().filter_map(|name| found[*name].as_str());
    values.find(|text| !text.is_empty()).map(Cow::Borrowed)
}

pub(super) fn is_scheduled(event: &Value) -> bool {
    event["detail-type"] == "Scheduled Event" || event["source"] == "aws.scheduler"
}

/// Keys and services of an event. It does not tell its bus; AWS's own are on the default one, and those of a partner on
/// one with its name.
pub(super) fn on_bus(event: &Value) -> (Vec<String>, Vec<String>) {
    let (detail, time) = (&event["detail"], &event["time"]);
    let key = key_of("eb", &[&text(&event["id"])]);
    if is_scheduled(event) {
        let rule = last_of(text_of(&event["resources"][0]), '/');
        let hops = vec![hop("schedule", rule, time, &key)];
        return (some([key]), hops);
    }
    let from = text_of(&event["source"]);
    let bus = match from {
        partner if partner.starts_with("aws.partner/") => partner,
        own if own.starts_with("aws.") => "default",
        _ => "",
    };
    let mut hops = Vec::new();
    let mut request = String::new();
    if from == "aws.s3" {
        request = key_of("s3r", &[&text(&detail["request-id"])]);
        if detail["bucket"].is_object() {
            let bucket = text_of(&detail["bucket"]["name"]);
            hops.push(hop("bucket", bucket, time, &request));
        }
    }
    if event["replay-name"].is_null() {
        hops.push(hop("bus", bus, time, &key));
        return (some([key, request]), hops);
    }
    // Its id may be another, and its time is that of the first: who put it is found by what it says.
    let again = match bus {
        "" => event_key(from, text_of(&event["detail-type"]), detail).unwrap_or_default(),
        _ => String::new(),
    };
    let known = if again.is_empty() { &key } else { &again };
    hops.push(hop("bus", bus, &Value::Null, known));
    (some([key, request, again]), hops)
}

pub(super) fn object_keys(record: &Value) -> Vec<String> {
    let (bucket, object) = (&record["s3"]["bucket"], &record["s3"]["object"]);
    let request = key_of(
        "s3r",
        &[&text(&record["responseElements"]["x-amz-request-id"])],
    );
    let (name, key) = (text(&bucket["name"]), decoded(text_of(&object["key"])));
    let (tag, version) = (text(&object["eTag"]), text(&object["versionId"]));
    let object = match version.is_empty() {
        true => key_of("s3o", &[&name, &key, &tag]),
        false => key_of("s3o", &[&name, &key, &tag, &version]),
    };
    some([request, object])
}

pub(super) fn object_hop(record: &Value) -> String {
    let keys = object_keys(record);
    let key = keys.first().map_or("", String::as_str);
    let bucket = text_of(&record["s3"]["bucket"]["name"]);
    hop("bucket", bucket, &record["eventTime"], key)
}

/// The key of an object as its owner wrote it.
pub(crate) fn decoded(key: &str) -> String {
    let spaced = key.replace('+', " ");
    percent_decoded(&spaced).unwrap_or_else(|| key.to_owned())
}

fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let digits = std::str::from_utf8(after.get(..2)?).ok()?;
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        rest = &after[2..];
    }
    String::from_utf8(bytes).ok()
}

pub(super) fn last_of(arn: &str, by: char) -> &str {
    arn.rsplit(by).next().unwrap_or_default()
}

/// Whether there is a value at all.
pub(super) fn is_there(value: &Value) -> bool {
    !value.is_null()
}

/// The text, or nothing.
pub(super) fn text_of(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// A text or a number as text, or nothing.
pub(super) fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => String::new(),
    }
}

/// Gives what an envelope carries.
pub(super) fn carried<'a>(headers: Headers) -> Get<'a> {
    Box::new(move |name| headers.get(name))
}

/// A text beyond this is not looked into.
const BYTES_MAX: usize = 256 << 10;
