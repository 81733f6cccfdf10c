//! Calls to the streams of DynamoDB's tables.

use aws_sdk_dynamodbstreams::Client;
use aws_sdk_dynamodbstreams::error::ProvideErrorMetadata;
use aws_sdk_dynamodbstreams::primitives::{Blob, DateTime};
use aws_sdk_dynamodbstreams::types::{AttributeValue, ShardIteratorType};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::client::{Page, Position, ReadError, Shard};
use super::kinesis::nanos;
use super::record::Record;
use crate::aws::Aws;
use crate::names::{error_text, name_of, region_of};

/// A stream that is there.
#[derive(Debug, Clone)]
pub(crate) struct DynamoDb {
    client: Client,
    pub(super) arn: String,
}

impl DynamoDb {
    pub(super) async fn open(aws: &Aws, name_or_arn: &str) -> Result<Self, String> {
        let table = aws
            .dynamodb
            .describe_table()
            .table_name(name_of(name_or_arn));
        let table = table.send().await.map_err(error_text)?.table;
        let arn = table.and_then(|table| table.latest_stream_arn);
        Ok(Self {
            client: aws.dynamodb_streams.clone(),
            arn: arn.ok_or("the table has no stream; give it a StreamSpecification")?,
        })
    }

    pub(super) async fn shards(&self) -> Result<Vec<Shard>, String> {
        let mut shards = Vec::new();
        let mut after: Option<String> = None;
        loop {
            let describe = self.client.describe_stream().stream_arn(&self.arn);
            let describe = describe.set_exclusive_start_shard_id(after.take());
            let described = describe.send().await.map_err(error_text)?;
            let Some(stream) = described.stream_description else {
                return Ok(shards);
            };
            shards.extend(stream.shards().iter().map(|shard| {
                let range = shard.sequence_number_range();
                Shard {
                    id: shard.shard_id().unwrap_or_default().to_owned(),
                    parents: shard
                        .parent_shard_id()
                        .into_iter()
                        .map(str::to_owned)
                        .collect(),
                    is_closed: range.is_some_and(|range| range.ending_sequence_number().is_some()),
                }
            }));
            match stream.last_evaluated_shard_id {
                Some(last) => after = Some(last),
                None => return Ok(shards),
            }
        }
    }

    pub(super) async fn iterator(
        &self,
        shard: &str,
        position: &Position,
    ) -> Result<String, String> {
        let iterator = self
            .client
            .get_shard_iterator()
            .stream_arn(&self.arn)
            .shard_id(shard);
        let iterator = match position {
            Position::Oldest => iterator.shard_iterator_type(ShardIteratorType::TrimHorizon),
            Position::Latest => iterator.shard_iterator_type(ShardIteratorType::Latest),
            Position::At(_) => {
                return Err("a table's stream cannot be read from a time on".to_owned());
            }
            Position::After(sequence) => {
                let after = ShardIteratorType::AfterSequenceNumber;
                iterator
                    .shard_iterator_type(after)
                    .sequence_number(sequence)
            }
        };
        let got = iterator.send().await.map_err(error_text)?;
        got.shard_iterator
            .ok_or_else(|| "no iterator was given".to_owned())
    }

    pub(super) async fn read(&self, iterator: &str, most: usize) -> Result<Page, ReadError> {
        let limit = i32::try_from(most.min(PAGE_RECORDS_MAX)).unwrap_or(i32::MAX);
        let get = self
            .client
            .get_records()
            .shard_iterator(iterator)
            .limit(limit);
        let page = get.send().await.map_err(|error| match error.code() {
            Some("ExpiredIteratorException") => ReadError::Expired,
            _ => ReadError::Other(error_text(error)),
        })?;
        let records: Vec<_> = page
            .records()
            .iter()
            .map(|record| told(record, &self.arn))
            .collect();
        Ok(Page {
            is_tip: records.is_empty(),
            records,
            next: page.next_shard_iterator,
        })
    }
}

fn told(record: &aws_sdk_dynamodbstreams::types::Record, arn: &str) -> Record {
    let mut dynamodb = Map::new();
    let mut sequence = String::new();
    let mut key = String::new();
    let mut arrived = 0.0;
    if let Some(change) = record.dynamodb() {
        arrived = change
            .approximate_creation_date_time()
            .map_or(0.0, DateTime::as_secs_f64);
        sequence = change.sequence_number().unwrap_or_default().to_owned();
        let images = [
            ("Keys", change.keys()),
            ("NewImage", change.new_image()),
            ("OldImage", change.old_image()),
        ];
        for (name, image) in images {
            if let Some(image) = image {
                dynamodb.insert(name.to_owned(), item(image));
            }
        }
        key = dynamodb
            .get("Keys")
            .map(Value::to_string)
            .unwrap_or_default();
        dynamodb.insert(
            "ApproximateCreationDateTime".to_owned(),
            json!(arrived.floor()),
        );
        dynamodb.insert("SequenceNumber".to_owned(), json!(sequence));
        dynamodb.insert("SizeBytes".to_owned(), json!(change.size_bytes()));
        let view = change.stream_view_type().map(|view| view.as_str());
        dynamodb.insert("StreamViewType".to_owned(), json!(view));
    }
    let mut event = json!({
        "eventID": record.event_id(),
        "eventName": record.event_name().map(|name| name.as_str()),
        "eventVersion": record.event_version(),
        "eventSource": "aws:dynamodb",
        "awsRegion": region_of(arn),
        "dynamodb": dynamodb,
        "eventSourceARN": arn,
    });
    if let Some(identity) = record.user_identity() {
        event["userIdentity"] = json!({
            "type": identity.r#type(),
            "principalId": identity.principal_id(),
        });
    }
    Record {
        sequence,
        arrived: nanos(arrived),
        key,
        bytes: event.to_string().len(),
        seen: event.clone(),
        event,
    }
}

fn item<'a>(image: impl IntoIterator<Item = (&'a String, &'a AttributeValue)>) -> Value {
    let fields = image
        .into_iter()
        .map(|(name, value)| (name.clone(), attribute(value)));
    Value::Object(fields.collect())
}

fn attribute(value: &AttributeValue) -> Value {
    let bytes = |blob: &Blob| STANDARD.encode(blob);
    match value {
        AttributeValue::S(text) => json!({ "S": text }),
        AttributeValue::N(number) => json!({ "N": number }),
        AttributeValue::B(blob) => json!({ "B": bytes(blob) }),
        AttributeValue::Ss(texts) => json!({ "SS": texts }),
        AttributeValue::Ns(numbers) => json!({ "NS": numbers }),
        AttributeValue::Bs(blobs) => json!({ "BS": blobs.iter().map(bytes).collect::<Vec<_>>() }),
        AttributeValue::Bool(flag) => json!({ "BOOL": flag }),
        AttributeValue::Null(_) => json!({ "NULL": true }),
        AttributeValue::L(list) => json!({ "L": list.iter().map(attribute).collect::<Vec<_>>() }),
        AttributeValue::M(map) => json!({ "M": item(map) }),
        _ => Value::Null,
    }
}

/// What one call takes.
const PAGE_RECORDS_MAX: usize = 1000;

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use aws_sdk_dynamodbstreams::types::{OperationType, StreamRecord, StreamViewType};
    use expect_test::expect;

    use super::*;

    #[test]
    fn record_is_the_one_that_lambda_tells() {
        let nested = HashMap::from([("Age".to_owned(), AttributeValue::N("35".to_owned()))]);
        let change = StreamRecord::builder()
            .approximate_creation_date_time(DateTime::from_secs_f64(1_480_642_020.4))
            .keys("key", AttributeValue::S("a".to_owned()))
            .new_image("key", AttributeValue::S("a".to_owned()))
            .new_image("blob", AttributeValue::B(Blob::new(*b"\x00\x01*A")))
            .new_image("map", AttributeValue::M(nested))
            .new_image(
                "list",
                AttributeValue::L(vec![AttributeValue::Bool(true), AttributeValue::Null(true)]),
            )
            .sequence_number("1405400000000002063282832")
            .size_bytes(54)
            .stream_view_type(StreamViewType::NewAndOldImages)
            .build();
        let record = aws_sdk_dynamodbstreams::types::Record::builder()
            .event_id("f07f8ca4b0b26cb9c4e5e77e69f274ee")
            .event_name(OperationType::Insert)
            .event_version("1.1")
            .dynamodb(change)
            .build();
        let arn =
            "arn:aws:dynamodb:us-east-1:123456789012:table/Example/stream/2016-12-01T00:00:00.000";
        let record = told(&record, arn);
        expect![[r#"
            {
              "awsRegion": "us-east-1",
              "dynamodb": {
                "ApproximateCreationDateTime": 1480642020.0,
                "Keys": {
                  "key": {
                    "S": "a"
                  }
                },
                "NewImage": {
                  "blob": {
                    "B": "AAEqQQ=="
                  },
                  "key": {
                    "S": "a"
                  },
                  "list": {
                    "L": [
                      {
                        "BOOL": true
                      },
                      {
                        "NULL": true
                      }
                    ]
                  },
                  "map": {
                    "M": {
                      "Age": {
                        "N": "35"
                      }
                    }
                  }
                },
                "SequenceNumber": "1405400000000002063282832",
                "SizeBytes": 54,
                "StreamViewType": "NEW_AND_OLD_IMAGES"
              },
              "eventID": "f07f8ca4b0b26cb9c4e5e77e69f274ee",
              "eventName": "INSERT",
              "eventSource": "aws:dynamodb",
              "eventSourceARN": "arn:aws:dynamodb:us-east-1:123456789012:table/Example/stream/2016-12-01T00:00:00.000",
              "eventVersion": "1.1"
            }"#]]
        .assert_eq(&serde_json::to_string_pretty(&record.event).unwrap());
        assert_eq!(record.key, r#"{"key":{"S":"a"}}"#);
    }
}
