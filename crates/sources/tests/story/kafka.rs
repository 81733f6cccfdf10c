//! Kafka topics, at a real broker.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rskafka::client::partition::{Compression, UnknownTopicHandling};
use rskafka::client::{Client, ClientBuilder};
use rskafka::record::Record;
use serde_json::json;
use throughline_sandbox::{KafkaSource, StartingPosition};

use super::*;
use crate::broker::start;

fn record(key: &str, value: &str) -> Record {
    Record {
        key: Some(key.as_bytes().to_vec()),
        value: Some(value.as_bytes().to_vec()),
        headers: BTreeMap::from([("traceparent".to_owned(), b"00-1-2-3".to_vec())]),
        timestamp: rskafka::chrono::DateTime::from_timestamp_millis(1_545_084_650_987).unwrap(),
    }
}

async fn produce(client: &Client, partition: i32, values: &[&str]) {
    let handling = UnknownTopicHandling::Retry;
    let partition = client
        .partition_client("orders", partition, handling)
        .await
        .unwrap();
    let records = values.iter().map(|value| record("key", value)).collect();
    partition
        .produce(records, Compression::default())
        .await
        .unwrap();
}

#[tokio::test]
async fn partitions_keep_their_order_and_what_fails_is_tried_until_it_succeeds() {
    let Some(broker) = start("127.0.0.1") else {
        return;
    };
    let client = ClientBuilder::new(vec![broker.address.clone()]).build();
    let client = tokio::time::timeout(DEADLINE, client)
        .await
        .unwrap()
        .unwrap();
    eventually("the topic is made", || async {
        let controller = client.controller_client().ok()?;
        controller.create_topic("orders", 2, 1, 5000).await.ok()
    })
    .await;
    produce(&client, 0, &["a", "fail 3 kafka", "b"]).await;
    produce(&client, 1, &["other"]).await;
    let source = KafkaSource {
        brokers: vec![broker.address.clone()],
        topic: "orders".to_owned(),
        group: "shop".to_owned(),
        batch_size: 2,
        window: Duration::ZERO,
        starting_position: StartingPosition::TrimHorizon,
        enabled: true,
    };
    let function = function("f", EventSource::Kafka(source));
    let sandbox = Sandbox::new();
    let mut story = Story::try_begin("http://127.0.0.1:1", sandbox, function)
        .await
        .unwrap();
    let (mut first, mut second) = (Vec::new(), Vec::new());
    while first.len() < 9 || second.is_empty() {
        let told = story.event().await.event;
        assert_eq!(told["eventSource"], "SelfManagedKafka");
        assert_eq!(told["bootstrapServers"], broker.address);
        for (partition, records) in told["records"].as_object().unwrap() {
            for record in records.as_array().unwrap() {
                let value = STANDARD.decode(record["value"].as_str().unwrap()).unwrap();
                let value = String::from_utf8(value).unwrap();
                assert_eq!(record["headers"], json!([{"traceparent": b"00-1-2-3"}]));
                match partition.as_str() {
                    "orders-0" => first.push(value),
                    "orders-1" => second.push(value),
                    other => panic!("{other}"),
                }
            }
        }
    }
    let mut expected = ["a", "fail 3 kafka"].repeat(4);
    expected.push("b");
    assert_eq!(first, expected);
    assert_eq!(second, ["other"]);
    story.end().await;
}
