//! The queue that stands where Lambda would be, and how all that leads there is taken away.

use aws_sdk_sqs::types::QueueAttributeName;
use serde_json::json;
use tracing::warn;

use super::{eventbridge, s3};
use crate::aws::Aws;
use crate::names::error_text;
use crate::queue::Queue;

/// Makes the queue, or takes up the one of an earlier run, and lets the service send to it.
pub(super) async fn create(aws: &Aws, name: &str, sender: &str) -> Result<Queue, String> {
    if aws.endpoint.is_amazon() {
        warn!(queue = name, "made at AWS for as long as the sandbox runs");
    }
    let created = aws.sqs.create_queue().queue_name(name).send().await;
    let created = created.map_err(error_text)?;
    let queue = Queue::at(&aws.sqs, created.queue_url().unwrap_or_default()).await?;
    let policy = json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow",
            "Principal": { "Service": sender },
            "Action": "sqs:SendMessage",
            "Resource": queue.arn,
        }],
    });
    aws.sqs
        .set_queue_attributes()
        .queue_url(&queue.url)
        .attributes(QueueAttributeName::Policy, policy.to_string())
        .send()
        .await
        .map_err(error_text)?;
    Ok(queue)
}

/// How to take away what leads to a queue, and the queue.
#[derive(Debug)]
pub(crate) struct TakeDown {
    queue_url: String,
    from: From,
}

#[derive(Debug)]
enum From {
    Topic { subscription: String },
    Rule { name: String, bus: String },
    Bucket { id: String, bucket: String },
}

impl TakeDown {
    pub(super) fn topic(queue: &Queue, subscription: &str) -> Self {
        Self {
            queue_url: queue.url.clone(),
            from: From::Topic {
                subscription: subscription.to_owned(),
            },
        }
    }

    pub(super) fn rule(queue: &Queue, name: &str, bus: &str) -> Self {
        Self {
            queue_url: queue.url.clone(),
            from: From::Rule {
                name: name.to_owned(),
                bus: bus.to_owned(),
            },
        }
    }

    pub(super) fn bucket(queue: &Queue, id: &str, bucket: &str) -> Self {
        Self {
            queue_url: queue.url.clone(),
            from: From::Bucket {
                id: id.to_owned(),
                bucket: bucket.to_owned(),
            },
        }
    }

    /// Takes all of it away. What cannot be is told, and taken up again by the next run.
    pub(crate) async fn run(self, aws: &Aws) {
        let way = match &self.from {
            From::Topic { subscription } => {
                let unsubscribe = aws.sns.unsubscribe().subscription_arn(subscription);
                unsubscribe.send().await.map(drop).map_err(error_text)
            }
            From::Rule { name, bus } => eventbridge::delete_rule(aws, name, bus).await,
            From::Bucket { id, bucket } => s3::silence(&aws.s3, id, bucket).await,
        };
        let deleted = aws.sqs.delete_queue().queue_url(&self.queue_url);
        let deleted = deleted.send().await.map(drop).map_err(error_text);
        for error in [way, deleted].into_iter().filter_map(Result::err) {
            warn!(from = ?self.from, error, "cannot take away what was made for a source");
        }
    }
}
