//! A message as Lambda tells it, and whether filters let it through.

use aws_sdk_sqs::types::{Message, MessageAttributeValue};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use crate::names::region_of;
use crate::pattern::{Pattern, Shape};

/// The record of a message from the queue of this ARN.
pub(super) fn record(message: &Message, queue_arn: &str) -> Value {
    let attributes: Map<String, Value> = message
        .attributes()
        .into_iter()
        .flatten()
        .map(|(name, value)| (name.as_str().to_owned(), json!(value)))
        .collect();
    let message_attributes: Map<String, Value> = message
        .message_attributes()
        .into_iter()
        .flatten()
        .map(|(name, value)| (name.clone(), attribute(value)))
        .collect();
    let mut record = json!({
        "messageId": message.message_id(),
        "receiptHandle": message.receipt_handle(),
        "body": message.body().unwrap_or_default(),
        "attributes": attributes,
        "messageAttributes": message_attributes,
        "md5OfBody": message.md5_of_body(),
        "eventSource": "aws:sqs",
        "eventSourceARN": queue_arn,
        "awsRegion": region_of(queue_arn),
    });
    if let Some(md5) = message.md5_of_message_attributes() {
        record["md5OfMessageAttributes"] = json!(md5);
    }
    record
}

fn attribute(value: &MessageAttributeValue) -> Value {
    let mut told = json!({
        "stringListValues": value.string_list_values(),
        "binaryListValues": value
            .binary_list_values()
            .iter()
            .map(|bytes| STANDARD.encode(bytes))
            .collect::<Vec<_>>(),
        "dataType": value.data_type(),
    });
    if let Some(text) = value.string_value() {
        told["stringValue"] = json!(text);
    }
    if let Some(bytes) = value.binary_value() {
        told["binaryValue"] = json!(STANDARD.encode(bytes));
    }
    told
}

/// Whether a filter lets a record through, by Lambda's table: a pattern for JSON sees the body as JSON, and a body that is
/// none does not match it; a pattern for text sees the body as text, and a body that is JSON does not match it.
pub(super) fn passes(filters: &[Pattern], record: &Value) -> bool {
    if filters.is_empty() {
        return true;
    }
    let body = record["body"].as_str().unwrap_or_default();
    let parsed: Option<Value> = serde_json::from_str(body).ok().filter(Value::is_object);
    filters
        .iter()
        .any(|filter| match (filter.shape_of("body"), &parsed) {
            (Some(Shape::Object), Some(parsed)) => {
                let mut record = record.clone();
                record["body"] = parsed.clone();
                filter.matches(&record)
            }
            (Some(Shape::Text), Some(_)) | (Some(Shape::Object), None) => false,
            (Some(Shape::Text), None) | (None, _) => filter.matches(record),
        })
}

#[cfg(test)]
mod tests {
    use aws_sdk_sqs::primitives::Blob;
    use aws_sdk_sqs::types::MessageSystemAttributeName;
    use expect_test::expect;

    use super::*;

    #[test]
    fn record_is_the_one_that_lambda_tells() {
        let attribute = |data_type: &str| MessageAttributeValue::builder().data_type(data_type);
        let message = Message::builder()
            .message_id("059f36b4-87a3-44ab-83d2-661975830a7d")
            .receipt_handle("AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a")
            .body("Test message.")
            .md5_of_body("e4e68fb7bd0e697a0ae8f1bb342846b3")
            .md5_of_message_attributes("00484c68")
            .attributes(MessageSystemAttributeName::ApproximateReceiveCount, "1")
            .attributes(
                MessageSystemAttributeName::AwsTraceHeader,
                "Root=1-2-3;Parent=4;Sampled=1;Lineage=5",
            )
            .message_attributes(
                "text",
                attribute("String").string_value("a").build().unwrap(),
            )
            .message_attributes(
                "bytes",
                attribute("Binary")
                    .binary_value(Blob::new(*b"1100"))
                    .build()
                    .unwrap(),
            )
            .build();
        let record = record(&message, "arn:aws:sqs:us-east-2:123456789012:my-queue");
        expect![[r#"
            {
              "attributes": {
                "AWSTraceHeader": "Root=1-2-3;Parent=4;Sampled=1;Lineage=5",
                "ApproximateReceiveCount": "1"
              },
              "awsRegion": "us-east-2",
              "body": "Test message.",
              "eventSource": "aws:sqs",
              "eventSourceARN": "arn:aws:sqs:us-east-2:123456789012:my-queue",
              "md5OfBody": "e4e68fb7bd0e697a0ae8f1bb342846b3",
              "md5OfMessageAttributes": "00484c68",
              "messageAttributes": {
                "bytes": {
                  "binaryListValues": [],
                  "binaryValue": "MTEwMA==",
                  "dataType": "Binary",
                  "stringListValues": []
                },
                "text": {
                  "binaryListValues": [],
                  "dataType": "String",
                  "stringListValues": [],
                  "stringValue": "a"
                }
              },
              "messageId": "059f36b4-87a3-44ab-83d2-661975830a7d",
              "receiptHandle": "AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a"
            }"#]]
        .assert_eq(&serde_json::to_string_pretty(&record).unwrap());
    }

    #[test]
    fn filters_see_json_as_json_and_text_as_text() {
        let json = json!({"body": {"total": [{"numeric": [">", 5]}]}});
        let text = json!({"body": [{"prefix": "urgent"}]});
        let attribute = json!({"messageAttributes": {"kind": {"stringValue": ["a"]}}});
        let cases = [
            (vec![], "anything", true),
            (vec![&json], r#"{"total":6}"#, true),
            (vec![&json], r#"{"total":5}"#, false),
            (vec![&json], "total", false),
            (vec![&text], "urgent: call", true),
            (vec![&text], "call", false),
            (vec![&text], r#"{"urgent":1}"#, false),
            (vec![&json, &text], "urgent", true),
            (vec![&attribute], "{}", true),
        ];
        for (patterns, body, expected) in cases {
            let record = json!({"body": body, "messageAttributes": {"kind": {"stringValue": "a"}}});
            let filters: Vec<_> = patterns
                .iter()
                .map(|pattern| Pattern::try_new(pattern).unwrap())
                .collect();
            assert_eq!(
                passes(&filters, &record),
                expected,
                "{patterns:?} on {body}"
            );
        }
    }
}
