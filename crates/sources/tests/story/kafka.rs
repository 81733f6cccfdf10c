//! Kafka topics, at a real broker.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rskafka::client::partition::{Compression, UnknownTopicHandling};
use rskafka::client::{Client, ClientBuilder};
use rskafka::record::Record;
use serde_json::json;
use throughline_sandbox::{KafkaSource, StartingPosition};

use super::moto::tools;
use super::*;

/// A broker that is its own controller.
struct Broker {
    process: Child,
    address: String,
    _data: TempDir,
}

impl Drop for Broker {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}

fn start() -> Option<Broker> {
    let script = include_str!("../../../../scripts/kafka");
    let version = script
        .lines()
        .find_map(|line| line.strip_prefix("version="))?;
    let jars = tools()?.join(format!("kafka-{version}"));
    let has_java = Command::new("java").arg("-version").output().is_ok();
    if !jars.is_dir() || !has_java {
        eprintln!(
            "skipped: Kafka's broker or Java is not installed; scripts/kafka fetches the broker"
        );
        return None;
    }
    let data = tempfile::tempdir().unwrap();
    let (broker, controller) = (free_port(), free_port());
    let settings = format!(
        "process.roles=broker,controller\nnode.id=1\n\
         listeners=PLAINTEXT://127.0.0.1:{broker},CONTROLLER://127.0.0.1:{controller}\n\
         advertised.listeners=PLAINTEXT://127.0.0.1:{broker}\ncontroller.listener.names=CONTROLLER\n\
         controller.quorum.voters=1@127.0.0.1:{controller}\nlog.dirs={}\n\
         offsets.topic.replication.factor=1\ngroup.initial.rebalance.delay.ms=0\n",
        file_in(&data, "logs").display()
    );
    let file = file_in(&data, "server.properties");
    std::fs::write(&file, settings).unwrap();
    let java = |class: &str| {
        let mut java = Command::new("java");
        java.args([
            "-Xmx256m",
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",
            "-cp",
        ]);
        java.arg(jars.join("*")).arg(class);
        java.stdout(Stdio::null()).stderr(Stdio::null());
        java
    };
    let mut format = java("kafka.tools.StorageTool");
    format
        .args(["format", "-t", "MkU3OEVBNTcwNTJENDM2Qg", "-c"])
        .arg(&file);
    assert!(format.status().unwrap().success());
    Some(Broker {
        process: java("kafka.Kafka").arg(&file).spawn().unwrap(),
        address: format!("127.0.0.1:{broker}"),
        _data: data,
    })
}

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
    let Some(broker) = start() else { return };
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
