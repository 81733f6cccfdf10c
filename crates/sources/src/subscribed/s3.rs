//! Notifications of buckets.

use aws_sdk_s3::Client;
use aws_sdk_s3::error::SdkError;
use aws_sdk_s3::operation::get_bucket_notification_configuration::GetBucketNotificationConfigurationOutput;
use aws_sdk_s3::types::{
    Event, FilterRule, FilterRuleName, NotificationConfiguration, NotificationConfigurationFilter,
    QueueConfiguration, S3KeyFilter,
};
use serde_json::Value;
use throughline_sandbox::S3Source;

use crate::names::error_text;

/// Has a bucket notify a queue, beside whatever it notifies already.
pub(super) async fn notify(
    client: &Client,
    id: &str,
    queue: &str,
    source: &S3Source,
) -> Result<(), String> {
    let rule = |name: FilterRuleName, value: &Option<String>| {
        let value = value.as_ref()?;
        Some(FilterRule::builder().name(name).value(value).build())
    };
    let rules: Vec<_> = [
        rule(FilterRuleName::Prefix, &source.prefix),
        rule(FilterRuleName::Suffix, &source.suffix),
    ]
    .into_iter()
    .flatten()
    .collect();
    let mut ours = QueueConfiguration::builder().id(id).queue_arn(queue);
    for event in &source.events {
        ours = ours.events(Event::from(event.as_str()));
    }
    if !rules.is_empty() {
        let key = S3KeyFilter::builder().set_filter_rules(Some(rules)).build();
        ours = ours.filter(NotificationConfigurationFilter::builder().key(key).build());
    }
    let ours = ours.build().map_err(error_text)?;
    change(client, id, &source.bucket, Some(ours)).await
}

/// Has a bucket no longer notify the queue.
pub(super) async fn silence(client: &Client, id: &str, bucket: &str) -> Result<(), String> {
    change(client, id, bucket, None).await
}

/// A bucket has one configuration for all who are notified, which is read and written as a whole.
async fn change(
    client: &Client,
    id: &str,
    bucket: &str,
    ours: Option<QueueConfiguration>,
) -> Result<(), String> {
    let now = client
        .get_bucket_notification_configuration()
        .bucket(bucket);
    let now = match now.send().await {
        Ok(now) => now,
        // Moto answers with a document of another name where nobody is notified yet.
        Err(error) if is_answered(&error) => {
            GetBucketNotificationConfigurationOutput::builder().build()
        }
        Err(error) => return Err(error_text(error)),
    };
    let mut queues = now.queue_configurations.unwrap_or_default();
    queues.retain(|queue| queue.id() != Some(id));
    queues.extend(ours);
    let changed = NotificationConfiguration::builder()
        .set_topic_configurations(now.topic_configurations)
        .set_lambda_function_configurations(now.lambda_function_configurations)
        .set_event_bridge_configuration(now.event_bridge_configuration)
        .set_queue_configurations(Some(queues));
    client
        .put_bucket_notification_configuration()
        .bucket(bucket)
        .notification_configuration(changed.build())
        .send()
        .await
        .map_err(error_text)?;
    Ok(())
}

fn is_answered<E>(error: &SdkError<E>) -> bool {
    error
        .raw_response()
        .is_some_and(|response| response.status().as_u16() == 200)
}

/// What S3 writes into a queue is what it gives Lambda, but for the message that says the queue can be reached.
pub(super) fn event(came: Value) -> Option<Value> {
    came.get("Records").is_some().then_some(came)
}
