//! Kafka topics that are polled.
//!
//! Each partition has a task of its own and keeps its order: what fails is tried again until it succeeds. Offsets are
//! kept for as long as the sandbox runs, and committed nowhere.

mod partition;

use std::sync::Arc;
use std::time::Duration;

use rskafka::BackoffConfig;
use rskafka::client::ClientBuilder;
use rskafka::client::partition::{OffsetAt, UnknownTopicHandling};
use throughline_sandbox::{Invoker, KafkaSource, StartingPosition};

use crate::deliver::Stop;
use crate::reporter::Reporter;
use partition::Partition;

/// Connects to a topic: a task for each of its partitions, with its place to begin already known.
pub(crate) async fn connect(
    invoker: &Invoker,
    reporter: &Reporter,
    stop: &Stop,
    source: &KafkaSource,
) -> Result<Vec<Partition>, String> {
    let connecting = connect_all(invoker, reporter, stop, source);
    let connected = tokio::time::timeout(CONNECT_TIMEOUT, connecting).await;
    connected.unwrap_or_else(|_| Err("no broker answers".to_owned()))
}

async fn connect_all(
    invoker: &Invoker,
    reporter: &Reporter,
    stop: &Stop,
    source: &KafkaSource,
) -> Result<Vec<Partition>, String> {
    let text = |error: rskafka::client::error::Error| error.to_string();
    let client = ClientBuilder::new(source.brokers.clone())
        .client_id(format!("throughline {}", source.group))
        .backoff_config(BackoffConfig {
            max_backoff: Duration::from_secs(5),
            // Longer failures are told, and tried again by the task of the partition.
            deadline: Some(Duration::from_secs(10)),
            ..BackoffConfig::default()
        })
        .build()
        .await
        .map_err(text)?;
    let topics = client.list_topics().await.map_err(text)?;
    let topic = topics.into_iter().find(|topic| topic.name == source.topic);
    let topic = topic.ok_or("there is no such topic")?;
    let mut partitions = Vec::new();
    for number in topic.partitions {
        let handling = UnknownTopicHandling::Error;
        let partition = client.partition_client(&source.topic, number, handling);
        let partition = partition.await.map_err(text)?;
        let first = match source.starting_position {
            StartingPosition::Latest => OffsetAt::Latest,
            StartingPosition::TrimHorizon | StartingPosition::AtTimestamp(_) => OffsetAt::Earliest,
        };
        let offset = partition.get_offset(first).await.map_err(text)?;
        partitions.push(Partition {
            invoker: invoker.clone(),
            reporter: reporter.clone(),
            stop: stop.clone(),
            source: source.clone(),
            client: Arc::new(partition),
            number,
            offset,
        });
    }
    Ok(partitions)
}

/// Brokers on one machine answer at once or not at all.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);
