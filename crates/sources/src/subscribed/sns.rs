//! Subscriptions to topics.

use aws_sdk_sns::Client;
use serde_json::{Map, Value, json};
use throughline_sandbox::SnsSource;

use crate::names::{error_text, name_of};

/// The ARN of a topic that may be known by its name only.
pub(crate) async fn find_topic(
    client: &Client,
    name_or_arn: &str,
) -> Result<Option<String>, String> {
    let name = name_of(name_or_arn);
    let mut pages = client.list_topics().into_paginator().send();
    while let Some(page) = pages.next().await {
        let page = page.map_err(error_text)?;
        let mut arns = page.topics().iter().filter_map(|topic| topic.topic_arn());
        if let Some(arn) = arns.find(|arn| name_of(arn) == name) {
            return Ok(Some(arn.to_owned()));
        }
    }
    Ok(None)
}

/// Subscribes a queue; the answer is the ARN of the subscription.
pub(super) async fn subscribe(
    client: &Client,
    topic: &str,
    queue: &str,
    source: &SnsSource,
) -> Result<String, String> {
    if topic.ends_with(".fifo") {
        return Err("a FIFO topic cannot have a function as its subscriber".to_owned());
    }
    let subscribe = client.subscribe().topic_arn(topic).protocol("sqs");
    let mut subscribe = subscribe.endpoint(queue).return_subscription_arn(true);
    if let Some(policy) = &source.filter_policy {
        subscribe = subscribe.attributes("FilterPolicy", policy.to_string());
    }
    if let Some(scope) = &source.filter_policy_scope {
        subscribe = subscribe.attributes("FilterPolicyScope", scope);
    }
    let subscribed = subscribe.send().await.map_err(error_text)?;
    Ok(subscribed.subscription_arn.unwrap_or_default())
}

/// From what SNS writes into a queue to what it gives Lambda.
pub(super) fn event(envelope: &Value, subscription: &str) -> Option<Value> {
    if envelope["Type"] != "Notification" {
        return None;
    }
    let told = |name: &str| envelope.get(name).cloned().unwrap_or(Value::Null);
    let attributes = match told("MessageAttributes") {
        Value::Object(attributes) => attributes,
        _ => Map::new(),
    };
    Some(json!({ "Records": [{
        "EventSource": "aws:sns",
        "EventVersion": "1.0",
        "EventSubscriptionArn": subscription,
        "Sns": {
            "Type": "Notification",
            "MessageId": told("MessageId"),
            "TopicArn": told("TopicArn"),
            "Subject": told("Subject"),
            "Message": told("Message"),
            "Timestamp": told("Timestamp"),
            "SignatureVersion": told("SignatureVersion"),
            "Signature": told("Signature"),
            // Only the names of these two differ.
            "SigningCertUrl": told("SigningCertURL"),
            "UnsubscribeUrl": told("UnsubscribeURL"),
            "MessageAttributes": attributes,
        },
    }]}))
}
