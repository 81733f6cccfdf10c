//! Making one resource from what CloudFormation calls its properties.

mod table;

use std::collections::HashMap;

use aws_sdk_eventbridge::types::Target;
use aws_sdk_kinesis::types::{StreamMode, StreamModeDetails, StreamStatus};
use aws_sdk_s3::types::{BucketLocationConstraint, CreateBucketConfiguration};
use aws_sdk_sqs::types::QueueAttributeName;
use serde_json::Value;
use tracing::warn;

use super::{Kind, Wanted};
use crate::aws::Aws;
use crate::names::{error_text, name_of, service_of};
use crate::queue::Queue;
use crate::subscribed::find_topic;

pub(super) async fn make(aws: &Aws, wanted: &Wanted<'_>) -> Result<(), String> {
    match wanted.kind {
        Kind::Queue => queue(aws, wanted).await,
        Kind::Topic => topic(aws, wanted).await,
        Kind::Bus => {
            let create = aws.events.create_event_bus().name(&wanted.name);
            create.send().await.map(drop).map_err(error_text)
        }
        Kind::Stream => stream(aws, wanted).await,
        Kind::Table => table::make(aws, wanted).await,
        Kind::Bucket => bucket(aws, wanted).await,
        Kind::Subscription => subscription(aws, wanted.properties).await,
        Kind::Rule => rule(aws, wanted).await,
    }
}

async fn queue(aws: &Aws, wanted: &Wanted<'_>) -> Result<(), String> {
    let attributes: HashMap<_, _> = attributes(wanted.properties, QUEUE_ATTRIBUTES)
        .map(|(name, value)| (QueueAttributeName::from(name), value))
        .collect();
    let create = aws.sqs.create_queue().queue_name(&wanted.name);
    let create = create.set_attributes(Some(attributes).filter(|all| !all.is_empty()));
    create.send().await.map(drop).map_err(error_text)
}

/// Says where messages go that fail too often. Apart from making, because the other queue has to be there.
pub(super) async fn redrive(aws: &Aws, wanted: &Wanted<'_>) -> Result<(), String> {
    let mut policy = match &wanted.properties["RedrivePolicy"] {
        policy @ Value::Object(_) => policy.clone(),
        _ => return Ok(()),
    };
    let dead = policy["deadLetterTargetArn"].as_str().unwrap_or_default();
    // Endpoints differ in the account they play.
    policy["deadLetterTargetArn"] = Queue::open(&aws.sqs, dead).await?.arn.into();
    let queue = Queue::open(&aws.sqs, &wanted.name).await?;
    let set = aws.sqs.set_queue_attributes().queue_url(queue.url);
    let set = set.attributes(QueueAttributeName::RedrivePolicy, policy.to_string());
    set.send().await.map(drop).map_err(error_text)
}

async fn topic(aws: &Aws, wanted: &Wanted<'_>) -> Result<(), String> {
    let attributes: HashMap<_, _> = attributes(wanted.properties, TOPIC_ATTRIBUTES)
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
    let create = aws.sns.create_topic().name(&wanted.name);
    let create = create.set_attributes(Some(attributes).filter(|all| !all.is_empty()));
    create.send().await.map_err(error_text)?;
    let inline = wanted.properties["Subscription"].as_array();
    for subscription_of in inline.into_iter().flatten() {
        let mut properties = subscription_of.clone();
        properties["TopicArn"] = wanted.name.as_str().into();
        subscription(aws, &properties).await?;
    }
    Ok(())
}

async fn subscription(aws: &Aws, properties: &Value) -> Result<(), String> {
    let protocol = properties["Protocol"].as_str().unwrap_or_default();
    let endpoint = properties["Endpoint"].as_str().unwrap_or_default();
    if protocol != "sqs" {
        warn!(
            protocol,
            endpoint, "subscription not made: only queues are subscribed"
        );
        return Ok(());
    }
    let topic = properties["TopicArn"].as_str().unwrap_or_default();
    let topic = find_topic(&aws.sns, topic).await?;
    let queue = Queue::open(&aws.sqs, endpoint).await?;
    let mut subscribe = aws.sns.subscribe().protocol(protocol).endpoint(queue.arn);
    subscribe = subscribe.topic_arn(topic.ok_or("there is no such topic")?);
    for (name, value) in attributes(properties, SUBSCRIPTION_ATTRIBUTES) {
        subscribe = subscribe.attributes(name, value);
    }
    subscribe.send().await.map(drop).map_err(error_text)
}

async fn rule(aws: &Aws, wanted: &Wanted<'_>) -> Result<(), String> {
    let text = |key: &str| wanted.properties[key].as_str().map(str::to_owned);
    let pattern = Some(&wanted.properties["EventPattern"]).filter(|pattern| !pattern.is_null());
    let bus = text("EventBusName");
    let rule = aws.events.put_rule().name(&wanted.name);
    let rule = rule.set_event_bus_name(bus.clone());
    let rule = rule.set_event_pattern(pattern.map(Value::to_string));
    let rule = rule.set_schedule_expression(text("ScheduleExpression"));
    rule.send().await.map_err(error_text)?;
    let mut targets = Vec::new();
    let wanted_targets = wanted.properties["Targets"].as_array();
    for (index, target) in wanted_targets.into_iter().flatten().enumerate() {
        let arn = target["Arn"].as_str().unwrap_or_default();
        if service_of(arn) != Some("sqs") {
            warn!(
                rule = wanted.name,
                arn, "target not made: only queues are targets"
            );
            continue;
        }
        let id = target["Id"]
            .as_str()
            .map_or_else(|| index.to_string(), str::to_owned);
        let text = |key: &str| target[key].as_str().map(str::to_owned);
        let built = Target::builder()
            .id(id)
            .arn(Queue::open(&aws.sqs, arn).await?.arn);
        let built = built
            .set_input(text("Input"))
            .set_input_path(text("InputPath"));
        targets.push(built.build().map_err(error_text)?);
    }
    if targets.is_empty() {
        return Ok(());
    }
    let put = aws.events.put_targets().rule(&wanted.name);
    let put = put.set_event_bus_name(bus).set_targets(Some(targets));
    let put = put.send().await.map_err(error_text)?;
    match put.failed_entries().first() {
        Some(failed) => Err(failed.error_message().unwrap_or("no reason").to_owned()),
        None => Ok(()),
    }
}

async fn stream(aws: &Aws, wanted: &Wanted<'_>) -> Result<(), String> {
    let mode = wanted.properties["StreamModeDetails"]["StreamMode"].as_str();
    let mode = mode.map(StreamMode::from);
    let shards = match mode {
        Some(StreamMode::OnDemand) => None,
        _ => Some(number(&wanted.properties["ShardCount"]).unwrap_or(1)),
    };
    let details = mode.map(|mode| StreamModeDetails::builder().stream_mode(mode).build());
    let create = aws.kinesis.create_stream().stream_name(&wanted.name);
    let create = create.set_shard_count(shards);
    let create = create.set_stream_mode_details(details.transpose().map_err(error_text)?);
    create.send().await.map_err(error_text)?;
    super::until_ready(&wanted.name, async || {
        let described = aws.kinesis.describe_stream_summary();
        let described = described.stream_name(&wanted.name).send().await;
        let described = described.map_err(error_text)?;
        let summary = described.stream_description_summary();
        Ok(summary.is_some_and(|summary| *summary.stream_status() == StreamStatus::Active))
    })
    .await
}

async fn bucket(aws: &Aws, wanted: &Wanted<'_>) -> Result<(), String> {
    let region = aws.s3.config().region().map(ToString::to_string);
    // The oldest region is the one that must not be named.
    let region = region.filter(|region| region != "us-east-1");
    let place = region.map(|region| {
        let place = BucketLocationConstraint::from(region.as_str());
        let place = CreateBucketConfiguration::builder().location_constraint(place);
        place.build()
    });
    let create = aws.s3.create_bucket().bucket(name_of(&wanted.name));
    let create = create.set_create_bucket_configuration(place);
    create.send().await.map(drop).map_err(error_text)
}

/// Those of the known properties that are given, as the services take them: all as text.
fn attributes<'a>(
    properties: &'a Value,
    known: &'a [&'a str],
) -> impl Iterator<Item = (&'a str, String)> {
    known.iter().filter_map(|name| {
        let value = match properties.get(*name)? {
            Value::String(text) => text.clone(),
            Value::Null => return None,
            other => other.to_string(),
        };
        Some((*name, value))
    })
}

/// A number, which templates may write as text.
fn number(value: &Value) -> Option<i32> {
    match value {
        Value::String(text) => text.parse().ok(),
        other => other.as_i64().and_then(|number| i32::try_from(number).ok()),
    }
}

const QUEUE_ATTRIBUTES: &[&str] = &[
    "ContentBasedDeduplication",
    "DeduplicationScope",
    "DelaySeconds",
    "FifoQueue",
    "FifoThroughputLimit",
    "MaximumMessageSize",
    "MessageRetentionPeriod",
    "ReceiveMessageWaitTimeSeconds",
    "VisibilityTimeout",
];
const TOPIC_ATTRIBUTES: &[&str] = &["ContentBasedDeduplication", "DisplayName", "FifoTopic"];
const SUBSCRIPTION_ATTRIBUTES: &[&str] =
    &["FilterPolicy", "FilterPolicyScope", "RawMessageDelivery"];
