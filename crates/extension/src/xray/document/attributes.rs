//! What a document says of its work, in OpenTelemetry's words where it has some.

use serde_json::Value as Json;
use throughline_telemetry::{Attributes, Resource, Value};

/// Of a segment: the program that it comes from.
pub(super) fn resource(document: &Json) -> Resource {
    let mut attributes = Attributes::default();
    for (from, name) in [
        (&document["name"], "service.name"),
        (&document["service"]["version"], "service.version"),
        (&document["aws"]["account_id"], "cloud.account.id"),
    ] {
        if let Some(text) = from.as_str().filter(|text| !text.is_empty()) {
            attributes.set(name, text);
        }
    }
    Resource { attributes }
}

/// Of any document.
pub(super) fn of(document: &Json) -> Attributes {
    let mut to = Attributes::default();
    let http = &document["http"];
    table(
        &http["request"],
        HTTP_REQUEST,
        "aws.xray.http.request",
        &mut to,
    );
    table(
        &http["response"],
        HTTP_RESPONSE,
        "aws.xray.http.response",
        &mut to,
    );
    if document["namespace"] == "aws" {
        to.set("rpc.system", "aws-api");
        if let Some(service) = document["name"].as_str() {
            to.set("rpc.service", service);
        }
    }
    table(&document["aws"], AWS, "aws", &mut to);
    table(&document["sql"], SQL, "aws.xray.sql", &mut to);
    for (from, name) in [
        (&document["user"], "enduser.id"),
        (&document["origin"], "aws.xray.origin"),
        // The id of an exception that another document tells of.
        (&document["cause"], "aws.xray.cause"),
    ] {
        if let Some(text) = from.as_str() {
            to.set(name, text);
        }
    }
    for (key, note) in fields(&document["annotations"]) {
        push(&mut to, key.clone(), value(note));
    }
    for (space, notes) in fields(&document["metadata"]) {
        for (key, note) in fields(notes) {
            push(&mut to, format!("metadata.{space}.{key}"), value(note));
        }
    }
    to
}

/// Fields with a name of their own get it; the others keep theirs behind `prefix`.
fn table(from: &Json, names: &[(&str, &str)], prefix: &str, to: &mut Attributes) {
    for (key, found) in fields(from) {
        let known = names.iter().find(|(known, _)| known == key);
        match known {
            // A list by convention.
            Some((_, name @ "aws.dynamodb.table_names")) => {
                push(to, (*name).to_owned(), Value::Array(vec![value(found)]));
            }
            Some((_, name)) => push(to, (*name).to_owned(), value(found)),
            None => push(to, format!("{prefix}.{key}"), value(found)),
        }
    }
}

/// The keys of an object differ, so that nobody has to look for one that is there already: with ten
/// thousand notes in a document, that would take a while.
fn push(to: &mut Attributes, key: String, value: Value) {
    to.0.push((key, value));
}

fn fields(object: &Json) -> impl Iterator<Item = (&String, &Json)> {
    object.as_object().into_iter().flatten()
}

/// Lists of plain values stay lists; what is nested deeper becomes JSON text.
fn value(from: &Json) -> Value {
    match from {
        Json::Null => Value::Null,
        Json::Bool(truth) => Value::Bool(*truth),
        Json::Number(number) => match number.as_i64() {
            Some(number) => Value::Int(number),
            None => Value::Double(number.as_f64().unwrap_or_default()),
        },
        Json::String(text) => Value::String(text.clone()),
        Json::Array(values)
            if values
                .iter()
                .all(|value| !value.is_object() && !value.is_array()) =>
        {
            Value::Array(values.iter().map(value).collect())
        }
        nested => Value::String(nested.to_string()),
    }
}

const HTTP_REQUEST: &[(&str, &str)] = &[
    ("method", "http.request.method"),
    ("url", "url.full"),
    ("user_agent", "user_agent.original"),
    ("client_ip", "client.address"),
];
const HTTP_RESPONSE: &[(&str, &str)] = &[
    ("status", "http.response.status_code"),
    ("content_length", "http.response.body.size"),
];
const AWS: &[(&str, &str)] = &[
    ("operation", "rpc.method"),
    ("region", "cloud.region"),
    ("account_id", "cloud.account.id"),
    ("id_2", "aws.extended_request_id"),
    ("queue_url", "aws.sqs.queue.url"),
    ("table_name", "aws.dynamodb.table_names"),
    ("bucket_name", "aws.s3.bucket"),
    ("key", "aws.s3.key"),
    ("function_arn", "aws.lambda.invoked_arn"),
    ("function_name", "faas.invoked_name"),
    ("topic_arn", "aws.sns.topic.arn"),
    ("stream_name", "aws.kinesis.stream_name"),
    ("message_id", "messaging.message.id"),
];
const SQL: &[(&str, &str)] = &[
    ("sanitized_query", "db.query.text"),
    ("database_type", "db.system.name"),
    ("user", "db.user"),
    ("url", "db.connection_string"),
    ("connection_string", "db.connection_string"),
    ("database_version", "db.version"),
];
