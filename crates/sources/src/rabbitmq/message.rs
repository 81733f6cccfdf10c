//! A message as Lambda tells it: what Gson makes of the objects of RabbitMQ's client for Java.

use amqprs::channel::ConsumerMessage;
use amqprs::{BasicProperties, DecimalValue, FieldTable, FieldValue};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use chrono::DateTime;
use serde_json::{Map, Value, json};

/// A message that waits for its answer.
pub(super) struct Message {
    event: Value,
    /// How long it is in an event.
    pub(super) bytes: usize,
    /// What the broker calls this delivery.
    pub(super) tag: u64,
}

impl Message {
    /// All parts are there whenever a message is.
    pub(super) fn read(message: ConsumerMessage) -> Option<Self> {
        let (deliver, properties) = (message.deliver?, message.basic_properties?);
        let event = told(&properties, deliver.redelivered(), &message.content?);
        Some(Self {
            bytes: event.to_string().len(),
            event,
            tag: deliver.delivery_tag(),
        })
    }
}

/// The event of an invocation.
pub(super) fn event(queue: &str, virtual_host: &str, batch: &[Message]) -> Bytes {
    let messages: Vec<_> = batch.iter().map(|message| &message.event).collect();
    let event = json!({
        "eventSource": "aws:rmq",
        "eventSourceArn": BROKER_ARN,
        "rmqMessagesByQueue": { format!("{queue}::{virtual_host}"): messages },
    });
    event.to_string().into()
}

fn told(known: &BasicProperties, redelivered: bool, content: &[u8]) -> Value {
    json!({
        "basicProperties": {
            "contentType": known.content_type(),
            "contentEncoding": known.content_encoding(),
            "headers": known.headers().map(table),
            "deliveryMode": known.delivery_mode(),
            "priority": known.priority(),
            "correlationId": known.correlation_id(),
            "replyTo": known.reply_to(),
            "expiration": known.expiration(),
            "messageId": known.message_id(),
            "timestamp": known.timestamp().and_then(date),
            "type": known.message_type(),
            "userId": known.user_id(),
            "appId": known.app_id(),
            "clusterId": known.cluster_id(),
            "bodySize": content.len(),
        },
        "redelivered": redelivered,
        "data": STANDARD.encode(content),
    })
}

fn table(table: &FieldTable) -> Value {
    let members = table.as_ref().iter();
    let members = members.map(|(name, value)| (name.to_string(), header(value)));
    Value::Object(members.collect::<Map<_, _>>())
}

fn header(value: &FieldValue) -> Value {
    match value {
        FieldValue::t(value) => json!(value),
        FieldValue::b(value) => json!(value),
        FieldValue::B(value) => json!(value),
        FieldValue::s(value) => json!(value),
        FieldValue::u(value) => json!(value),
        FieldValue::I(value) => json!(value),
        FieldValue::i(value) => json!(value),
        FieldValue::l(value) => json!(value),
        FieldValue::f(value) => json!(value),
        FieldValue::d(value) => json!(value),
        FieldValue::D(value) => decimal(value),
        FieldValue::S(text) => json!({ "bytes": signed(text.as_ref().as_bytes()) }),
        FieldValue::x(bytes) => json!(signed(&Vec::from(bytes.clone()))),
        FieldValue::A(values) => Vec::from(values.clone()).iter().map(header).collect(),
        FieldValue::T(seconds) => json!(date(*seconds)),
        FieldValue::F(inner) => table(inner),
        FieldValue::V => Value::Null,
    }
}

/// Java's bytes have a sign.
fn signed(bytes: &[u8]) -> Vec<i8> {
    bytes.iter().map(|byte| byte.cast_signed()).collect()
}

fn decimal(value: &DecimalValue) -> Value {
    let parts = serde_json::to_value(value).and_then(serde_json::from_value::<(u8, i32)>);
    json!(
        parts
            .ok()
            .map(|(scale, value)| f64::from(value) / 10_f64.powi(scale.into()))
    )
}

/// Such as `Jan 1, 1970, 12:33:41 AM`.
fn date(seconds: u64) -> Option<String> {
    let time = DateTime::from_timestamp(i64::try_from(seconds).ok()?, 0)?;
    Some(time.format("%b %-d, %Y, %-I:%M:%S %p").to_string())
}

/// Amazon MQ knows a broker by its ARN; this one has none.
const BROKER_ARN: &str =
    "arn:aws:mq:us-east-1:123456789012:broker:local:b-00000000-0000-0000-0000-000000000000";

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    #[test]
    fn message_is_the_one_that_lambda_tells() {
        let mut headers = FieldTable::new();
        let text = FieldValue::S("é1".try_into().unwrap());
        headers.insert("header1".try_into().unwrap(), text);
        headers.insert("number".try_into().unwrap(), FieldValue::I(10));
        let price = FieldValue::D(DecimalValue::new(2, 1050));
        headers.insert("price".try_into().unwrap(), price);
        let raw = FieldValue::x(vec![1, 255].try_into().unwrap());
        headers.insert("raw".try_into().unwrap(), raw);
        let properties = BasicProperties::default()
            .with_content_type("text/plain")
            .with_delivery_mode(1)
            .with_expiration("60000")
            .with_headers(headers)
            .with_timestamp(2021)
            .finish();
        let told = told(&properties, false, b"hot");
        expect![[r#"
            {
              "basicProperties": {
                "appId": null,
                "bodySize": 3,
                "clusterId": null,
                "contentEncoding": null,
                "contentType": "text/plain",
                "correlationId": null,
                "deliveryMode": 1,
                "expiration": "60000",
                "headers": {
                  "header1": {
                    "bytes": [
                      -61,
                      -87,
                      49
                    ]
                  },
                  "number": 10,
                  "price": 10.5,
                  "raw": [
                    1,
                    -1
                  ]
                },
                "messageId": null,
                "priority": null,
                "replyTo": null,
                "timestamp": "Jan 1, 1970, 12:33:41 AM",
                "type": null,
                "userId": null
              },
              "data": "aG90",
              "redelivered": false
            }"#]]
        .assert_eq(&serde_json::to_string_pretty(&told).unwrap());
    }
}
