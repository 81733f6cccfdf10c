//! Calls to Kinesis.

use aws_sdk_kinesis::Client;
use aws_sdk_kinesis::error::ProvideErrorMetadata;
use aws_sdk_kinesis::primitives::DateTime;
use aws_sdk_kinesis::types::ShardIteratorType;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use throughline_sandbox::UnixNanos;

use super::client::{Page, Position, ReadError, Shard};
use super::record::Record;
use crate::names::{error_text, name_of, region_of};

/// A stream that is there.
#[derive(Debug, Clone)]
pub(crate) struct Kinesis {
    client: Client,
    pub(super) arn: String,
}

impl Kinesis {
    pub(super) async fn open(client: &Client, name_or_arn: &str) -> Result<Self, String> {
        let described = client.describe_stream_summary();
        let described = described.stream_name(name_of(name_or_arn)).send().await;
        let described = described.map_err(error_text)?;
        let summary = described.stream_description_summary();
        Ok(Self {
            client: client.clone(),
            arn: summary
                .map(|summary| summary.stream_arn().to_owned())
                .unwrap_or_default(),
        })
    }

    pub(super) async fn shards(&self) -> Result<Vec<Shard>, String> {
        let mut shards = Vec::new();
        let mut next: Option<String> = None;
        loop {
            let list = self.client.list_shards();
            let list = match next.take() {
                Some(token) => list.next_token(token),
                None => list.stream_arn(&self.arn),
            };
            let page = list.send().await.map_err(error_text)?;
            shards.extend(page.shards().iter().map(|shard| {
                let parents = [shard.parent_shard_id(), shard.adjacent_parent_shard_id()];
                let range = shard.sequence_number_range();
                Shard {
                    id: shard.shard_id().to_owned(),
                    parents: parents.into_iter().flatten().map(str::to_owned).collect(),
                    is_closed: range.is_some_and(|range| range.ending_sequence_number().is_some()),
                }
            }));
            match page.next_token {
                Some(token) => next = Some(token),
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
            // Moto writes the name into the iterator, and does not find it by the ARN.
            .stream_name(name_of(&self.arn))
            .shard_id(shard);
        let iterator = match position {
            Position::Oldest => iterator.shard_iterator_type(ShardIteratorType::TrimHorizon),
            Position::Latest => iterator.shard_iterator_type(ShardIteratorType::Latest),
            Position::At(seconds) => {
                let seconds = i64::try_from(*seconds).unwrap_or(i64::MAX);
                let iterator = iterator.shard_iterator_type(ShardIteratorType::AtTimestamp);
                iterator.timestamp(DateTime::from_secs(seconds))
            }
            Position::After(sequence) => {
                let after = ShardIteratorType::AfterSequenceNumber;
                iterator
                    .shard_iterator_type(after)
                    .starting_sequence_number(sequence)
            }
        };
        let got = iterator.send().await.map_err(error_text)?;
        got.shard_iterator
            .ok_or_else(|| "no iterator was given".to_owned())
    }

    pub(super) async fn read(
        &self,
        shard: &str,
        iterator: &str,
        most: usize,
    ) -> Result<Page, ReadError> {
        let limit = i32::try_from(most).unwrap_or(i32::MAX);
        let get = self
            .client
            .get_records()
            .shard_iterator(iterator)
            .limit(limit);
        let page = get.send().await.map_err(|error| match error.code() {
            Some("ExpiredIteratorException") => ReadError::Expired,
            _ => ReadError::Other(error_text(error)),
        })?;
        let records = page.records().iter();
        Ok(Page {
            is_tip: page.millis_behind_latest().is_none_or(|millis| millis == 0),
            records: records
                .map(|record| told(record, shard, &self.arn))
                .collect(),
            next: page.next_shard_iterator,
        })
    }
}

fn told(record: &aws_sdk_kinesis::types::Record, shard: &str, arn: &str) -> Record {
    let arrived = record.approximate_arrival_timestamp();
    let arrived = arrived.map_or(0.0, DateTime::as_secs_f64);
    let data = record.data().as_ref();
    let kinesis = json!({
        "kinesisSchemaVersion": "1.0",
        "partitionKey": record.partition_key(),
        "sequenceNumber": record.sequence_number(),
        "data": STANDARD.encode(data),
        "approximateArrivalTimestamp": (arrived * 1000.0).round() / 1000.0,
    });
    let mut seen = kinesis.clone();
    // A filter for what is inside of the data does not match where the data is no JSON.
    seen["data"] =
        serde_json::from_slice(data).unwrap_or_else(|_| Value::from(String::from_utf8_lossy(data)));
    let event = json!({
        "kinesis": kinesis,
        "eventSource": "aws:kinesis",
        "eventVersion": "1.0",
        "eventID": format!("{shard}:{}", record.sequence_number()),
        "eventName": "aws:kinesis:record",
        "invokeIdentityArn": ROLE,
        "awsRegion": region_of(arn),
        "eventSourceARN": arn,
    });
    Record {
        sequence: record.sequence_number().to_owned(),
        arrived: nanos(arrived),
        key: record.partition_key().unwrap_or_default().to_owned(),
        bytes: event.to_string().len(),
        event,
        seen,
    }
}

/// Seconds since 1970 with a fraction, as timestamps travel.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // a float becomes the nearest time there is
pub(super) fn nanos(seconds: f64) -> UnixNanos {
    UnixNanos::from_millis((seconds * 1000.0).round() as u64)
}

/// The role that functions are told to have.
const ROLE: &str = "arn:aws:iam::123456789012:role/lambda-role";

#[cfg(test)]
mod tests {
    use aws_sdk_kinesis::primitives::Blob;
    use expect_test::expect;

    use super::*;

    #[test]
    fn record_is_the_one_that_lambda_tells() {
        let record = aws_sdk_kinesis::types::Record::builder()
            .sequence_number("49590338271490256608559692538361571095921575989136588898")
            .partition_key("1")
            .approximate_arrival_timestamp(DateTime::from_millis(1_545_084_650_987))
            .data(Blob::new(br#"{"total":7}"#.to_vec()))
            .build()
            .unwrap();
        let arn = "arn:aws:kinesis:us-east-2:123456789012:stream/lambda-stream";
        let record = told(&record, "shardId-000000000006", arn);
        expect![[r#"
            {
              "awsRegion": "us-east-2",
              "eventID": "shardId-000000000006:49590338271490256608559692538361571095921575989136588898",
              "eventName": "aws:kinesis:record",
              "eventSource": "aws:kinesis",
              "eventSourceARN": "arn:aws:kinesis:us-east-2:123456789012:stream/lambda-stream",
              "eventVersion": "1.0",
              "invokeIdentityArn": "arn:aws:iam::123456789012:role/lambda-role",
              "kinesis": {
                "approximateArrivalTimestamp": 1545084650.987,
                "data": "eyJ0b3RhbCI6N30=",
                "kinesisSchemaVersion": "1.0",
                "partitionKey": "1",
                "sequenceNumber": "49590338271490256608559692538361571095921575989136588898"
              }
            }"#]]
        .assert_eq(&serde_json::to_string_pretty(&record.event).unwrap());
        assert_eq!(record.seen["data"]["total"], 7);
        assert_eq!(record.arrived, UnixNanos::from_millis(1_545_084_650_987));
    }
}
