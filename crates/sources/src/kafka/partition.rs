//! The loop that works one partition off.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use rskafka::client::error::{Error, ProtocolError};
use rskafka::client::partition::{OffsetAt, PartitionClient};
use rskafka::record::RecordAndOffset;
use serde_json::{Value, json};
use throughline_sandbox::{Invoker, KafkaSource, StartingPosition, UnixNanos};

use crate::clock::now;
use crate::deliver::{Backoff, Delivered, Stop, deliver};
use crate::reporter::Reporter;
use crate::stream::lane::{Item, Lane, Outcome, Rules, Step};

/// One partition of a topic, and the next of its records.
pub(crate) struct Partition {
    pub(super) invoker: Invoker,
    pub(super) reporter: Reporter,
    pub(super) stop: Stop,
    pub(super) source: KafkaSource,
    pub(super) client: Arc<PartitionClient>,
    pub(super) number: i32,
    pub(super) offset: i64,
}

/// A record as Lambda tells it.
struct Record {
    arrived: UnixNanos,
    event: Value,
    bytes: usize,
}

impl Item for Record {
    fn arrived(&self) -> UnixNanos {
        self.arrived
    }

    fn bytes(&self) -> usize {
        self.bytes
    }
}

impl Partition {
    pub(crate) async fn run(mut self) {
        let mut lane = Lane::new(Rules {
            batch_size: (self.source.batch_size as usize).max(1),
            batch_bytes: PAYLOAD_BYTES_MAX,
            window: self.source.window,
            retries_max: None,
            record_age_max: None,
            bisect: false,
            tumbling_window: None,
        });
        let mut fetched = VecDeque::new();
        let mut backoff = Backoff::default();
        let stop = self.stop.clone();
        while !stop.is_set() {
            while lane.has_room()
                && let Some(record) = fetched.pop_front()
            {
                lane.push(record, now());
            }
            let (payload, records) = match lane.next(now()) {
                Step::Invoke(batch) => (self.event(batch.items), batch.items.len()),
                Step::Wait(until) => {
                    let wait = until.map_or(FETCH_WAIT, |until| until.since(now()));
                    if !lane.has_room() {
                        stop.during(tokio::time::sleep(wait)).await;
                        continue;
                    }
                    match stop.during(self.fetch(wait.min(FETCH_WAIT))).await {
                        None => return,
                        Some(Ok(records)) => {
                            backoff.reset();
                            fetched.extend(records);
                        }
                        Some(Err(error)) => self.back_off(&mut backoff, &error).await,
                    }
                    continue;
                }
                // There are neither retries that are ever up nor an end.
                Step::GiveUp(_) | Step::Done => continue,
            };
            let outcome =
                match deliver(&self.invoker, &self.reporter, payload, THROTTLED_MAX, &stop).await {
                    Delivered::Stopped => return,
                    Delivered::Throttled => Outcome::NotMade,
                    Delivered::Failed(why, _) => {
                        self.reporter.failed(records, &why);
                        Outcome::Failed
                    }
                    Delivered::Returned(..) => {
                        self.reporter.delivered(records);
                        Outcome::Done(None)
                    }
                };
            lane.ended(outcome, now());
        }
    }

    async fn fetch(&mut self, wait: Duration) -> Result<Vec<Record>, Error> {
        let wait = i32::try_from(wait.as_millis()).unwrap_or(i32::MAX);
        let bytes = 1..FETCH_BYTES_MAX;
        let (records, _) = self.client.fetch_records(self.offset, bytes, wait).await?;
        if let Some(last) = records.last() {
            self.offset = last.offset + 1;
        }
        let begins = match self.source.starting_position {
            StartingPosition::AtTimestamp(seconds) => i64::try_from(seconds).unwrap_or(i64::MAX),
            _ => i64::MIN,
        };
        let records = records.into_iter();
        let records = records.filter(|record| record.record.timestamp.timestamp() >= begins);
        let topic = &self.source.topic;
        Ok(records
            .map(|record| told(&record, topic, self.number))
            .collect())
    }

    async fn back_off(&mut self, backoff: &mut Backoff, error: &Error) {
        let delay = backoff.next();
        self.reporter.backing_off(delay, &error.to_string());
        self.stop.during(tokio::time::sleep(delay)).await;
        let out_of_range = matches!(
            error,
            Error::ServerError {
                protocol_error: ProtocolError::OffsetOutOfRange,
                ..
            }
        );
        if out_of_range && let Ok(oldest) = self.client.get_offset(OffsetAt::Earliest).await {
            let lost = usize::try_from(oldest - self.offset).unwrap_or(0);
            self.reporter
                .given_up(lost, "the broker no longer has them");
            self.offset = oldest;
        }
    }

    /// The event of an invocation.
    fn event(&self, items: &[Record]) -> Bytes {
        let records: Vec<_> = items.iter().map(|record| &record.event).collect();
        let event = json!({
            "eventSource": "SelfManagedKafka",
            "bootstrapServers": self.source.brokers.join(","),
            "records": { format!("{}-{}", self.source.topic, self.number): records },
        });
        event.to_string().into()
    }
}

fn told(record: &RecordAndOffset, topic: &str, partition: i32) -> Record {
    let RecordAndOffset { record, offset } = record;
    let millis = record.timestamp.timestamp_millis();
    // The bytes of a header are numbers, and each header is an object of its own.
    let headers = record
        .headers
        .iter()
        .map(|(name, bytes)| json!({ name: bytes }));
    let mut event = json!({
        "topic": topic,
        "partition": partition,
        "offset": offset,
        "timestamp": millis,
        "timestampType": "CREATE_TIME",
        "headers": headers.collect::<Vec<_>>(),
    });
    for (name, bytes) in [("key", &record.key), ("value", &record.value)] {
        if let Some(bytes) = bytes {
            event[name] = json!(STANDARD.encode(bytes));
        }
    }
    Record {
        arrived: UnixNanos::from_millis(u64::try_from(millis).unwrap_or(0)),
        bytes: event.to_string().len(),
        event,
    }
}

const FETCH_WAIT: Duration = Duration::from_millis(500);
const FETCH_BYTES_MAX: i32 = 4 * 1024 * 1024;
const THROTTLED_MAX: Duration = Duration::from_secs(60);
/// What an invocation takes, with room for the frame around the records.
const PAYLOAD_BYTES_MAX: usize = 6 * 1024 * 1024 - 64 * 1024;

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use expect_test::expect;
    use rskafka::chrono::DateTime;

    use super::*;

    #[test]
    fn record_is_the_one_that_lambda_tells() {
        let record = rskafka::record::Record {
            key: None,
            value: Some(b"hello".to_vec()),
            headers: BTreeMap::from([("traceparent".to_owned(), b"00-1".to_vec())]),
            timestamp: DateTime::from_timestamp_millis(1_545_084_650_987).unwrap(),
        };
        let record = told(&RecordAndOffset { record, offset: 15 }, "mytopic", 0);
        expect![[r#"
            {
              "headers": [
                {
                  "traceparent": [
                    48,
                    48,
                    45,
                    49
                  ]
                }
              ],
              "offset": 15,
              "partition": 0,
              "timestamp": 1545084650987,
              "timestampType": "CREATE_TIME",
              "topic": "mytopic",
              "value": "aGVsbG8="
            }"#]]
        .assert_eq(&serde_json::to_string_pretty(&record.event).unwrap());
    }
}
