//! What a call touches, and the keys under which what it sends is known on the other side.

use serde_json::Value;
use throughline_telemetry::{Attributes, Value as Told};

use super::recognise::{Answer, Keys, Request, Sent, xml_all};
use super::rest::place;
use crate::digest::{entry_key, item_key, keys_key};
use crate::sources::{decoded, texts};

/// What is known of an operation besides its name.
#[derive(Default)]
pub(super) struct Described {
    pub(super) attributes: Attributes,
    /// Whether it is a message that somebody else takes.
    pub(super) sends: bool,
    pub(super) reads: bool,
    pub(super) keys: Option<Keys>,
}

/// By the name under which the service's requests are signed.
pub(super) fn describe(
    service: &str,
    operation: &str,
    request: &Request<'_>,
    sent: &Sent,
    region: &str,
) -> Described {
    match service {
        "dynamodb" => dynamodb(operation, &sent.json),
        "events" => events(operation, &sent.json),
        "firehose" => firehose(operation, &sent.json),
        "kinesis" => kinesis(operation, &sent.json),
        "lambda" => lambda(operation, request, region),
        "s3" => s3(operation, request),
        "sns" => sns(operation, sent),
        "sqs" => sqs(operation, sent),
        "states" => states(operation, &sent.json),
        "secretsmanager" => named(
            "aws.secretsmanager.secret.arn",
            text(&sent.json["SecretId"]),
        ),
        "ssm" => named("aws.ssm.parameter", &parameter(&sent.json)),
        _ => Described::default(),
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn last(text: &str, by: char) -> &str {
    text.rsplit(by).next().unwrap_or_default()
}

fn first<'a>(texts: &[&'a str]) -> &'a str {
    texts
        .iter()
        .copied()
        .find(|text| !text.is_empty())
        .unwrap_or_default()
}

fn named(key: &str, value: &str) -> Described {
    let mut found = Described::default();
    set(&mut found.attributes, key, value);
    found
}

fn set(attributes: &mut Attributes, key: &str, value: &str) {
    if !value.is_empty() {
        attributes.set(key, value);
    }
}

fn parameter(json: &Value) -> String {
    let names: Vec<&str> = list(&json["Names"]).iter().map(text).collect();
    first(&[text(&json["Name"]), text(&json["Path"]), &names.join(",")]).to_owned()
}

fn messaging(system: &str, kind: &str, destination: &str) -> Attributes {
    let mut attributes = Attributes::default();
    attributes.set("messaging.system", system);
    attributes.set("messaging.operation.type", kind);
    set(&mut attributes, "messaging.destination.name", destination);
    attributes
}

fn count(attributes: &mut Attributes, entries: &Value) {
    if let Some(entries) = entries.as_array().filter(|entries| !entries.is_empty()) {
        let entries = i64::try_from(entries.len()).unwrap_or(i64::MAX);
        attributes.set("messaging.batch.message_count", entries);
    }
}

/// Messages whose keys are in the body of the answer.
fn sending(
    attributes: Attributes,
    keys: impl Fn(&Answer<'_>) -> Vec<String> + Send + Sync + 'static,
) -> Described {
    Described {
        attributes,
        sends: true,
        reads: true,
        keys: Some(Box::new(keys)),
    }
}

fn plain(attributes: Attributes) -> Described {
    Described {
        attributes,
        ..Described::default()
    }
}

/// `kind:value`, if there is a value.
fn key(kind: &str, value: &Value) -> Option<String> {
    value.as_str().map(|value| format!("{kind}:{value}"))
}

fn sqs(operation: &str, sent: &Sent) -> Described {
    let url = first(&[text(&sent.json["QueueUrl"]), sent.form("QueueUrl")]);
    let sends = matches!(operation, "SendMessage" | "SendMessageBatch");
    let kind = match operation {
        _ if sends => "send",
        "ReceiveMessage" => "receive",
        _ => "settle",
    };
    let mut attributes = messaging("aws_sqs", kind, last(url, '/'));
    set(&mut attributes, "aws.sqs.queue.url", url);
    count(&mut attributes, &sent.json["Entries"]);
    if !sends {
        return plain(attributes);
    }
    sending(attributes, |answer| {
        if answer.text.starts_with('<') {
            let ids = xml_all(answer.text, "MessageId").into_iter();
            return ids.map(|id| format!("sqs:{id}")).collect();
        }
        let sent = std::iter::once(&answer.json).chain(list(&answer.json["Successful"]));
        let sent = sent.filter(|message| message["MessageId"].is_string());
        sent.flat_map(|message| {
            let body = key("sqsbody", &message["MD5OfMessageBody"]);
            [key("sqs", &message["MessageId"]), body]
        })
        .flatten()
        .collect()
    })
}

fn sns(operation: &str, sent: &Sent) -> Described {
    let topic = first(&[
        sent.form("TopicArn"),
        sent.form("TargetArn"),
        text(&sent.json["TopicArn"]),
    ]);
    let sends = matches!(operation, "Publish" | "PublishBatch");
    let mut attributes = match sends {
        true => messaging("aws.sns", "send", last(topic, ':')),
        false => Attributes::default(),
    };
    set(&mut attributes, "aws.sns.topic.arn", topic);
    if !sends {
        return plain(attributes);
    }
    sending(attributes, |answer| {
        let ids = xml_all(answer.text, "MessageId").into_iter();
        ids.map(|id| format!("sns:{id}")).collect()
    })
}

fn events(operation: &str, json: &Value) -> Described {
    if operation != "PutEvents" {
        return Described::default();
    }
    let bus = first(&[text(&json["Entries"][0]["EventBusName"]), "default"]);
    let mut attributes = messaging("aws_eventbridge", "send", last(bus, '/'));
    count(&mut attributes, &json["Entries"]);
    let contents: Vec<_> = list(&json["Entries"]).iter().map(entry_key).collect();
    sending(attributes, move |answer| {
        // The answer has an entry for each that was sent, in the same order.
        let entries = list(&answer.json["Entries"]).iter().zip(&contents);
        let keys = entries.flat_map(|(taken, content)| {
            let id = key("eb", &taken["EventId"]);
            let content = content.clone().filter(|_| id.is_some());
            [id, content]
        });
        keys.flatten().collect()
    })
}

fn kinesis(operation: &str, json: &Value) -> Described {
    let stream = first(&[
        text(&json["StreamName"]),
        last(text(&json["StreamARN"]), '/'),
    ])
    .to_owned();
    let sends = matches!(operation, "PutRecord" | "PutRecords");
    let mut attributes = match sends {
        true => messaging("aws_kinesis", "send", &stream),
        false => Attributes::default(),
    };
    set(&mut attributes, "aws.kinesis.stream_name", &stream);
    if !sends {
        return plain(attributes);
    }
    sending(attributes, move |answer| {
        let records = std::iter::once(&answer.json).chain(list(&answer.json["Records"]));
        records
            .filter_map(|record| {
                let number = record["SequenceNumber"].as_str()?;
                Some(format!(
                    "kin:{stream}/{}/{number}",
                    text(&record["ShardId"])
                ))
            })
            .collect()
    })
}

fn firehose(operation: &str, json: &Value) -> Described {
    if !matches!(operation, "PutRecord" | "PutRecordBatch") {
        return Described::default();
    }
    let attributes = messaging("aws_firehose", "send", text(&json["DeliveryStreamName"]));
    sending(attributes, |answer| {
        let records = std::iter::once(&answer.json).chain(list(&answer.json["RequestResponses"]));
        records
            .filter_map(|record| key("fh", &record["RecordId"]))
            .collect()
    })
}

fn dynamodb(operation: &str, json: &Value) -> Described {
    let changes = list(&json["TransactItems"])
        .iter()
        .filter_map(Value::as_object);
    let changes: Vec<&Value> = changes.flat_map(|item| item.values()).collect();
    let batch = json["RequestItems"].as_object();
    let mut tables: Vec<String> = Vec::new();
    let named = std::iter::once(text(&json["TableName"]));
    let named = named.chain(
        batch
            .into_iter()
            .flat_map(|batch| batch.keys().map(String::as_str)),
    );
    for table in named.chain(changes.iter().map(|change| text(&change["TableName"]))) {
        let table = last(table, '/').to_owned();
        if !table.is_empty() && !tables.contains(&table) {
            tables.push(table);
        }
    }
    let mut attributes = Attributes::default();
    attributes.set("db.system.name", "aws.dynamodb");
    attributes.set("db.operation.name", operation);
    if !tables.is_empty() {
        attributes.set("aws.dynamodb.table_names", texts(&tables));
    }
    if let [table] = tables.as_slice() {
        attributes.set("db.collection.name", table.as_str());
    }
    set(
        &mut attributes,
        "aws.dynamodb.index_name",
        text(&json["IndexName"]),
    );
    let mut writes = Vec::new();
    let mut write = |table: &str, change: &Value| {
        let table = last(table, '/');
        if change["Key"].is_object() {
            writes.push(keys_key(table, &change["Key"]));
        }
        if change["Item"].is_object() {
            writes.push(item_key(table, &change["Item"]));
        }
    };
    match operation {
        "PutItem" | "UpdateItem" | "DeleteItem" => write(text(&json["TableName"]), json),
        "TransactWriteItems" => changes
            .iter()
            .for_each(|change| write(text(&change["TableName"]), change)),
        "BatchWriteItem" => {
            for (table, requests) in batch.into_iter().flatten() {
                let requests = list(requests).iter().filter_map(Value::as_object);
                requests
                    .flat_map(|one| one.values())
                    .for_each(|change| write(table, change));
            }
        }
        _ => {}
    }
    Described {
        attributes,
        keys: Some(Box::new(move |_| writes.clone())),
        ..Described::default()
    }
}

fn s3(operation: &str, request: &Request<'_>) -> Described {
    let place = place(request.host, request.target);
    let (bucket, object) = (place.bucket.to_owned(), place.key);
    let mut attributes = Attributes::default();
    set(&mut attributes, "aws.s3.bucket", &bucket);
    set(&mut attributes, "aws.s3.key", &object);
    if !S3_WRITES.contains(&operation) {
        return plain(attributes);
    }
    let keys = move |answer: &Answer<'_>| {
        let (tag, version) = (
            (answer.get)("etag").replace('"', ""),
            (answer.get)("x-amz-version-id"),
        );
        let mut keys = Vec::new();
        if !answer.id.is_empty() {
            keys.push(format!("s3r:{}", answer.id));
        }
        if !tag.is_empty() {
            let version = if version.is_empty() {
                version
            } else {
                format!("/{version}")
            };
            keys.push(format!("s3o:{bucket}/{object}/{tag}{version}"));
        }
        keys
    };
    Described {
        attributes,
        keys: Some(Box::new(keys)),
        ..Described::default()
    }
}

fn lambda(operation: &str, request: &Request<'_>, region: &str) -> Described {
    let named = request
        .target
        .split_once("/functions/")
        .map(|(_, rest)| rest);
    let named = named.and_then(|rest| rest.split(['/', '?']).next());
    let Some(named) = named.filter(|_| operation.starts_with("Invoke")) else {
        return Described::default();
    };
    // A name, a name with its alias, or an ARN in any of its lengths.
    let named = decoded(named);
    let parts: Vec<&str> = named.split(':').collect();
    let at = parts.iter().position(|part| *part == "function");
    let function = at.map_or(parts.first(), |at| parts.get(at + 1));
    let mut attributes = Attributes::default();
    set(
        &mut attributes,
        "faas.invoked_name",
        function.copied().unwrap_or_default(),
    );
    attributes.set("faas.invoked_provider", "aws");
    attributes.set("faas.invoked_region", Told::from(region));
    let keys = |answer: &Answer<'_>| match answer.id {
        "" => Vec::new(),
        id => vec![format!("lam:{id}")],
    };
    Described {
        attributes,
        keys: Some(Box::new(keys)),
        ..Described::default()
    }
}

fn states(operation: &str, json: &Value) -> Described {
    let mut attributes = Attributes::default();
    set(
        &mut attributes,
        "aws.step_functions.state_machine.arn",
        text(&json["stateMachineArn"]),
    );
    set(
        &mut attributes,
        "aws.step_functions.activity.arn",
        text(&json["activityArn"]),
    );
    let starts = matches!(operation, "StartExecution" | "StartSyncExecution");
    let keys = |answer: &Answer<'_>| {
        key("sfn", &answer.json["executionArn"])
            .into_iter()
            .collect()
    };
    Described {
        attributes,
        reads: starts,
        keys: starts.then(|| Box::new(keys) as Keys),
        ..Described::default()
    }
}

const S3_WRITES: &[&str] = &[
    "PutObject",
    "CopyObject",
    "CompleteMultipartUpload",
    "DeleteObject",
    "DeleteObjects",
];
