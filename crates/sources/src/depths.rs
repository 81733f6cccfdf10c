//! How much lies in the queues of an application: part of what CloudWatch would tell of them.

use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::QueueAttributeName;
use serde_json::Value;
use throughline_sandbox::Resource;
use tracing::debug;

use crate::aws::Aws;
use crate::names::{error_text, name_of};

/// The queues that an application declares, to be asked how much lies in them. Cheap to clone.
#[derive(Debug, Clone)]
pub struct DeclaredQueues {
    client: Client,
    names: Vec<String>,
}

/// How much lies in a queue right now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueDepth {
    /// The queue.
    pub queue: String,
    /// Messages that can be taken.
    pub visible: u64,
    /// Messages that somebody has, and has not deleted.
    pub not_visible: u64,
    /// Messages that are held back.
    pub delayed: u64,
    /// The queue that gets what was received too often.
    pub dead_letter_queue: Option<String>,
}

impl DeclaredQueues {
    pub(crate) fn of(aws: &Aws, resources: &[Resource]) -> Self {
        let queues = resources.iter().filter(|it| it.kind == "AWS::SQS::Queue");
        let names = queues.map(|queue| {
            let name = queue.properties["QueueName"].as_str();
            name.unwrap_or(&queue.logical_id).to_owned()
        });
        Self {
            client: aws.sqs.clone(),
            names: names.take(QUEUES_MAX).collect(),
        }
    }

    /// Asks each of them. One that does not answer is left out.
    pub async fn ask(&self) -> Vec<QueueDepth> {
        let mut depths = Vec::new();
        for name in &self.names {
            match self.ask_one(name).await {
                Ok(depth) => depths.push(depth),
                Err(why) => debug!(queue = %name, why, "cannot ask how much lies in a queue"),
            }
        }
        depths
    }

    async fn ask_one(&self, name: &str) -> Result<QueueDepth, String> {
        let found = self.client.get_queue_url().queue_name(name);
        let found = found.send().await.map_err(error_text)?;
        let asked = self
            .client
            .get_queue_attributes()
            .queue_url(found.queue_url().unwrap_or_default())
            .attribute_names(QueueAttributeName::All)
            .send()
            .await
            .map_err(error_text)?;
        let attribute = |name: QueueAttributeName| asked.attributes()?.get(&name);
        let count = |name| attribute(name).and_then(|text| text.parse().ok());
        let policy = attribute(QueueAttributeName::RedrivePolicy);
        Ok(QueueDepth {
            queue: name.to_owned(),
            visible: count(QueueAttributeName::ApproximateNumberOfMessages).unwrap_or(0),
            not_visible: count(QueueAttributeName::ApproximateNumberOfMessagesNotVisible)
                .unwrap_or(0),
            delayed: count(QueueAttributeName::ApproximateNumberOfMessagesDelayed).unwrap_or(0),
            dead_letter_queue: policy.and_then(|policy| dead_letter_queue(policy)),
        })
    }
}

/// The name of the queue that a redrive policy, a text of JSON, names.
fn dead_letter_queue(policy: &str) -> Option<String> {
    let policy: Value = serde_json::from_str(policy).ok()?;
    let arn = policy["deadLetterTargetArn"].as_str()?;
    Some(name_of(arn).to_owned())
}

/// Each costs two calls.
const QUEUES_MAX: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_redrive_policy_names_a_queue() {
        let policy = r#"{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:123456789012:undeliverable","maxReceiveCount":3}"#;
        assert_eq!(dead_letter_queue(policy).as_deref(), Some("undeliverable"));
        assert_eq!(dead_letter_queue("{}"), None);
        assert_eq!(dead_letter_queue(""), None);
    }
}
