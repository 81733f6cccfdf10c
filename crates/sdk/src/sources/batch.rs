//! Events that are batches of records. Every record is read, never only the first.

use std::borrow::Cow;

use serde_json::Value;
use throughline_telemetry::{Attributes, Value as Told};

use super::enclosed::{
    attribute, carried, decoded, enclosed, last_of, notification, object_hop, object_keys, text,
    text_of,
};
use super::path::{came_again, hop, key_of, some};
use super::single::known;
use super::{Found, KEYS_MAX, Record, texts};
use crate::carriers::{Get, base64_text, getter, parsed};
use crate::digest::{item_key, keys_key};

fn list<'a>(event: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> + Clone {
    let values = event[name].as_array().into_iter().flatten();
    values.filter(|record| record.is_object()).take(KEYS_MAX)
}

fn count(event: &Value, name: &str) -> usize {
    event[name].as_array().map_or(0, Vec::len)
}

fn processed(system: &str, destination: &str, count: usize) -> Attributes {
    let mut attributes = Attributes::default();
    attributes.set("messaging.system", system);
    attributes.set("messaging.operation.type", "process");
    attributes.set("messaging.batch.message_count", number(count));
    if !destination.is_empty() {
        attributes.set("messaging.destination.name", destination);
    }
    attributes
}

fn number(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn batch<'a>(records: impl Iterator<Item = Record<'a>>, attributes: Attributes) -> Found<'a> {
    Found {
        records: records.collect(),
        is_batch: true,
        attributes,
        ..Found::default()
    }
}

pub(super) fn sqs(event: &Value) -> Found<'_> {
    let records = list(event, "Records").map(|record| {
        let about = &record["attributes"];
        let (mut keys, mut hops, mut inner) = (Vec::new(), Vec::new(), None);
        if let Some(envelope) = enclosed(text_of(&record["body"])) {
            (keys, hops) = (envelope.keys, envelope.hops);
            inner = Some(envelope.headers);
        }
        let id = text(&record["messageId"]);
        let key = key_of("sqs", &[&id]);
        let body = key_of("sqsbody", &[text_of(&record["md5OfBody"])]);
        let queue = last_of(text_of(&record["eventSourceARN"]), ':');
        hops.push(hop("queue", queue, &about["SentTimestamp"], &key));
        keys.splice(0..0, some([key, body]));
        let get: Get<'_> = Box::new(move |name| {
            let own = attribute(&record["messageAttributes"], name);
            let header =
                || (name == "x-amzn-trace-id").then(|| about["AWSTraceHeader"].as_str())?;
            own.or_else(|| header().map(Cow::Borrowed))
                .or_else(|| inner.as_ref()?.get(name))
        });
        Record {
            get: Some(get),
            keys,
            id,
            path: hops.join(">"),
        }
    });
    let queue = last_of(text_of(&event["Records"][0]["eventSourceARN"]), ':');
    let mut attributes = processed("aws_sqs", queue, count(event, "Records"));
    let again = list(event, "Records").filter_map(|record| {
        let key = key_of("sqs", &[&text(&record["messageId"])]);
        came_again(&record["attributes"]["ApproximateReceiveCount"], &key)
    });
    let again: Vec<String> = again.collect();
    if !again.is_empty() {
        attributes.set("throughline.in.again", texts(&again));
    }
    batch(records, attributes)
}

pub(super) fn sns(event: &Value) -> Found<'_> {
    let records = list(event, "Records").map(|record| {
        let message = notification(&record["Sns"]);
        Record {
            get: Some(carried(message.headers)),
            keys: message.keys,
            id: text(&record["Sns"]["MessageId"]),
            path: message.hops.join(">"),
        }
    });
    let topic = text_of(&event["Records"][0]["Sns"]["TopicArn"]);
    let destination = last_of(topic, ':');
    let mut attributes = processed("aws.sns", destination, count(event, "Records"));
    if !topic.is_empty() {
        attributes.set("aws.sns.topic.arn", topic);
    }
    batch(records, attributes)
}

pub(super) fn kinesis(event: &Value) -> Found<'_> {
    let stream = last_of(text_of(&event["Records"][0]["eventSourceARN"]), '/');
    let records = list(event, "Records").map(move |record| {
        // `shardId-000000000000:SEQUENCE`
        let id = text_of(&record["eventID"]);
        let (shard, number) = id.split_once(':').unwrap_or((id, ""));
        let key = key_of("kin", &[stream, shard, number]);
        let about = &record["kinesis"];
        Record {
            get: Some(in_data(&about["data"])),
            id: number.to_owned(),
            path: hop(
                "stream",
                stream,
                &about["approximateArrivalTimestamp"],
                &key,
            ),
            keys: some([key]),
        }
    });
    let mut attributes = processed("aws_kinesis", stream, count(event, "Records"));
    attributes.set("aws.kinesis.stream_name", stream);
    batch(records, attributes)
}

/// Data that is JSON may name its trace at its top.
fn in_data(data: &Value) -> Get<'_> {
    let text = data.as_str().filter(|text| text.len() <= DATA_BYTES_MAX);
    let text = text.and_then(base64_text).filter(|text| {
        let lower = text.to_ascii_lowercase();
        CARRIED.iter().any(|name| lower.contains(name))
    });
    let fields = text.and_then(|text| parsed(&text)).unwrap_or_default();
    Box::new(move |name| getter(&fields)(name).map(|text| Cow::Owned(text.into_owned())))
}

pub(super) fn dynamodb(event: &Value) -> Found<'_> {
    let first = &event["Records"][0];
    let table = text_of(&first["eventSourceARN"]).split('/').nth(1);
    let table = table.unwrap_or_default();
    let records = list(event, "Records").map(move |record| {
        let change = &record["dynamodb"];
        let (keys, image) = (&change["Keys"], &change["NewImage"]);
        let named =
            |there: bool, key: &dyn Fn() -> String| if there { key() } else { String::new() };
        let key = named(keys.is_object(), &|| keys_key(table, keys));
        let item = named(image.is_object(), &|| item_key(table, image));
        Record {
            get: Some(Box::new(move |name| {
                let mut members = image.as_object()?.iter();
                let found = members.find(|(key, _)| key.eq_ignore_ascii_case(name))?.1;
                found["S"].as_str().map(Cow::Borrowed)
            })),
            id: text(&change["SequenceNumber"]),
            path: hop("table", table, &change["ApproximateCreationDateTime"], &key),
            keys: some([key, item]),
        }
    });
    let mut attributes = Attributes::default();
    attributes.set("faas.document.collection", table);
    let operation = match text_of(&first["eventName"]) {
        "INSERT" => "insert",
        "MODIFY" => "edit",
        "REMOVE" => "delete",
        _ => "",
    };
    if !operation.is_empty() {
        attributes.set("faas.document.operation", operation);
    }
    attributes.set("aws.dynamodb.table_names", Told::Array(vec![table.into()]));
    attributes.set(
        "messaging.batch.message_count",
        number(count(event, "Records")),
    );
    batch(records, attributes)
}

pub(super) fn s3(event: &Value) -> Found<'_> {
    let records = list(event, "Records").map(|record| Record {
        keys: object_keys(record),
        path: object_hop(record),
        ..Record::default()
    });
    let first = &event["Records"][0];
    let (bucket, object) = (&first["s3"]["bucket"]["name"], &first["s3"]["object"]);
    let name = text_of(&first["eventName"]);
    let name = name.strip_prefix("s3:").unwrap_or(name);
    let operation = match name.split(':').next() {
        Some("ObjectCreated") => "insert",
        Some("ObjectRemoved") => "delete",
        _ => "edit",
    };
    let mut attributes = known([("faas.document.collection", bucket)]);
    attributes.set("faas.document.name", decoded(text_of(&object["key"])));
    attributes.set("faas.document.operation", operation);
    let rest = [
        ("faas.document.time", &first["eventTime"]),
        ("aws.s3.bucket", bucket),
    ];
    attributes.0.extend(known(rest).0);
    Found {
        is_batch: false,
        ..batch(records, attributes)
    }
}

pub(super) fn ses(event: &Value) -> Found<'_> {
    let records = list(event, "Records").map(|record| {
        let mail = &record["ses"]["mail"];
        let id = text(&mail["messageId"]);
        Record {
            get: Some(Box::new(|name| {
                let mut headers = mail["headers"].as_array()?.iter();
                let found =
                    headers.find(|header| text_of(&header["name"]).eq_ignore_ascii_case(name))?;
                found["value"].as_str().map(Cow::Borrowed)
            })),
            keys: some([key_of("ses", &[&id])]),
            id,
            ..Record::default()
        }
    });
    Found {
        is_batch: false,
        ..batch(records, Attributes::default())
    }
}

pub(super) fn cloudfront(event: &Value) -> Found<'_> {
    let cf = &event["Records"][0]["cf"];
    let (request, config) = (&cf["request"], &cf["config"]);
    let key = key_of("cf", &[&text(&config["requestId"])]);
    let get: Get<'_> = Box::new(|name| {
        let mut headers = request["headers"].as_object()?.iter();
        let found = headers.find(|(key, _)| key.eq_ignore_ascii_case(name))?.1;
        found[0]["value"].as_str().map(Cow::Borrowed)
    });
    let record = Record {
        get: Some(get),
        path: hop(
            "balancer",
            text_of(&config["distributionId"]),
            &Value::Null,
            &key,
        ),
        ..Record::default()
    };
    let told = [
        ("http.request.method", &request["method"]),
        ("url.path", &request["uri"]),
    ];
    Found {
        records: vec![record],
        keys: some([key]),
        attributes: known(told),
        ..Found::default()
    }
}

/// Header values are arrays of bytes, some of them written as text, or objects with numbers as keys.
fn bytes_text(value: &Value) -> Option<String> {
    let byte = |value: &Value| -> Option<u8> {
        text(value)
            .parse::<i64>()
            .ok()
            .map(|byte| byte.to_le_bytes()[0])
    };
    let bytes: Vec<u8> = match value {
        Value::String(text) => return Some(text.clone()),
        Value::Array(bytes) => bytes.iter().filter_map(byte).collect(),
        Value::Object(bytes) => {
            let mut numbered: Vec<(u64, u8)> = bytes
                .iter()
                .filter_map(|(at, value)| Some((at.parse().ok()?, byte(value)?)))
                .collect();
            numbered.sort_unstable();
            numbered.into_iter().map(|(_, byte)| byte).collect()
        }
        _ => return None,
    };
    String::from_utf8(bytes).ok()
}

pub(super) fn kafka(event: &Value) -> Found<'_> {
    let lists = event["records"].as_object().into_iter().flatten();
    let all: Vec<&Value> = lists
        .filter_map(|(_, list)| list.as_array())
        .flatten()
        .filter(|record| record.is_object())
        .collect();
    let records = all.iter().copied().take(KEYS_MAX).map(|record| {
        let [topic, partition, offset] =
            ["topic", "partition", "offset"].map(|name| text(&record[name]));
        let key = key_of("kafka", &[&topic, &partition, &offset]);
        Record {
            get: Some(Box::new(|name| {
                let headers = record["headers"].as_array()?.iter();
                let mut members = headers.filter_map(Value::as_object).flatten();
                let found = members.find(|(key, _)| key.eq_ignore_ascii_case(name))?.1;
                bytes_text(found).map(Cow::Owned)
            })),
            id: key.strip_prefix("kafka:").unwrap_or_default().to_owned(),
            path: hop("broker", &topic, &record["timestamp"], &key),
            keys: some([key]),
        }
    });
    let records: Vec<Record<'_>> = records.collect();
    let topic = all.first().map_or("", |first| text_of(&first["topic"]));
    batch(records.into_iter(), processed("kafka", topic, all.len()))
}

pub(super) fn rabbitmq(event: &Value) -> Found<'_> {
    let queues = event["rmqMessagesByQueue"].as_object();
    let plain = |queue: &'_ str| queue.split("::").next().unwrap_or_default().to_owned();
    let named: Vec<(String, &Value)> = queues
        .into_iter()
        .flatten()
        .flat_map(|(queue, messages)| {
            let messages = messages.as_array().into_iter().flatten();
            messages.map(move |message| (plain(queue), message))
        })
        .collect();
    let first = queues.and_then(|queues| queues.keys().next());
    let attributes = processed(
        "rabbitmq",
        &first.map_or(String::new(), |name| plain(name)),
        named.len(),
    );
    let records = named.into_iter().take(KEYS_MAX).map(|(queue, message)| {
        let about = &message["basicProperties"];
        let id = match text(&about["messageId"]) {
            id if id.is_empty() => text(&about["correlationId"]),
            id => id,
        };
        let key = key_of("mq", &[&id]);
        Record {
            get: Some(Box::new(|name| {
                let mut headers = about["headers"].as_object()?.iter();
                let found = headers.find(|(key, _)| key.eq_ignore_ascii_case(name))?.1;
                bytes_text(&found["bytes"]).map(Cow::Owned)
            })),
            id,
            path: hop("broker", &queue, &about["timestamp"], &key),
            keys: some([key]),
        }
    });
    batch(records, attributes)
}

pub(super) fn activemq(event: &Value) -> Found<'_> {
    let destination = |message: &'_ Value| text(&message["destination"]["physicalName"]);
    let records = list(event, "messages").map(move |message| {
        let id = text(&message["messageID"]);
        let key = key_of("mq", &[&id]);
        let time = match &message["brokerInTime"] {
            Value::Null => &message["timestamp"],
            time => time,
        };
        Record {
            get: Some(getter(&message["properties"])),
            id,
            path: hop("broker", &destination(message), time, &key),
            keys: some([key]),
        }
    });
    let first = destination(&event["messages"][0]);
    batch(
        records,
        processed("activemq", &first, count(event, "messages")),
    )
}

pub(super) fn firehose(event: &Value) -> Found<'_> {
    let delivery = last_of(text_of(&event["deliveryStreamArn"]), '/');
    let stream = last_of(text_of(&event["sourceKinesisStreamArn"]), '/');
    let records = list(event, "records").map(move |record| {
        let from = &record["kinesisRecordMetadata"];
        let id = text(&record["recordId"]);
        let key = key_of("fh", &[&id]);
        let (shard, number) = (text(&from["shardId"]), text(&from["sequenceNumber"]));
        let before = key_of("kin", &[stream, &shard, &number]);
        let mut hops = Vec::new();
        if from.is_object() && !stream.is_empty() {
            hops.push(hop(
                "stream",
                stream,
                &from["approximateArrivalTimestamp"],
                &before,
            ));
        }
        hops.push(hop(
            "stream",
            delivery,
            &record["approximateArrivalTimestamp"],
            &key,
        ));
        Record {
            get: Some(in_data(&record["data"])),
            id,
            path: hops.join(">"),
            keys: some([key, before]),
        }
    });
    batch(
        records,
        processed("aws_firehose", delivery, count(event, "records")),
    )
}

pub(super) fn documentdb(event: &Value) -> Found<'_> {
    let records = list(event, "events").map(|one| {
        let change = &one["event"];
        let time = &change["clusterTime"]["$timestamp"]["t"];
        Record {
            get: Some(getter(&change["fullDocument"])),
            id: text(&change["_id"]["_data"]),
            path: hop("table", text_of(&change["ns"]["coll"]), time, ""),
            ..Record::default()
        }
    });
    let first = &event["events"][0]["event"];
    let mut attributes = Attributes::default();
    attributes.set("db.system.name", "mongodb");
    let told = [
        ("faas.document.collection", &first["ns"]["coll"]),
        ("faas.document.operation", &first["operationType"]),
    ];
    attributes.0.extend(known(told).0);
    attributes.set(
        "messaging.batch.message_count",
        number(count(event, "events")),
    );
    batch(records, attributes)
}

/// Data beyond this is not searched for a trace.
const DATA_BYTES_MAX: usize = 64 << 10;
/// What JSON data must have in it to be read.
const CARRIED: &[&str] = &["traceparent", "_datadog", "x-amzn-trace-id"];
