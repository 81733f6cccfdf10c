//! A queue: what the sandbox does with one, whoever owns it.

use std::time::Duration;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::{
    ChangeMessageVisibilityBatchRequestEntry, DeleteMessageBatchRequestEntry, Message,
    MessageSystemAttributeName, QueueAttributeName,
};
use tracing::warn;

use crate::names::{error_text, name_of};

/// A queue that is there.
#[derive(Debug, Clone)]
pub(crate) struct Queue {
    client: Client,
    pub(crate) url: String,
    pub(crate) arn: String,
    pub(crate) visibility_timeout: Duration,
}

impl Queue {
    /// Finds a queue by its name or ARN.
    pub(crate) async fn open(client: &Client, name_or_arn: &str) -> Result<Self, String> {
        let found = client.get_queue_url().queue_name(name_of(name_or_arn));
        let found = found.send().await.map_err(error_text)?;
        Self::at(client, found.queue_url().unwrap_or_default()).await
    }

    pub(crate) async fn at(client: &Client, url: &str) -> Result<Self, String> {
        let attributes = client
            .get_queue_attributes()
            .queue_url(url)
            .attribute_names(QueueAttributeName::QueueArn)
            .attribute_names(QueueAttributeName::VisibilityTimeout)
            .send()
            .await
            .map_err(error_text)?;
        let attribute = |name| attributes.attributes()?.get(&name).cloned();
        let seconds = attribute(QueueAttributeName::VisibilityTimeout)
            .and_then(|text| text.parse().ok())
            .unwrap_or(VISIBILITY_TIMEOUT_SECONDS_DEFAULT);
        Ok(Self {
            client: client.clone(),
            url: url.to_owned(),
            arn: attribute(QueueAttributeName::QueueArn)
                .ok_or_else(|| format!("the queue {url} does not tell its ARN"))?,
            visibility_timeout: Duration::from_secs(seconds),
        })
    }

    pub(crate) fn is_fifo(&self) -> bool {
        self.arn.ends_with(".fifo")
    }

    /// Up to `most` messages, at most ten, as soon as there is one.
    pub(crate) async fn receive(
        &self,
        most: usize,
        wait: Duration,
    ) -> Result<Vec<Message>, String> {
        let seconds = wait.as_secs().min(WAIT_SECONDS_MAX);
        let received = self
            .client
            .receive_message()
            .queue_url(&self.url)
            .max_number_of_messages(i32::try_from(most.min(RECEIVE_MAX)).unwrap_or(1))
            .wait_time_seconds(i32::try_from(seconds).unwrap_or(1))
            .message_attribute_names("All")
            .message_system_attribute_names(MessageSystemAttributeName::All)
            .send()
            .await
            .map_err(error_text)?;
        Ok(received.messages.unwrap_or_default())
    }

    /// Deletes messages. One that cannot be deleted comes again, as with Lambda; that is told.
    pub(crate) async fn delete(&self, receipts: &[String]) {
        for chunk in receipts.chunks(RECEIVE_MAX) {
            let entries = chunk.iter().enumerate().filter_map(|(index, receipt)| {
                let entry = DeleteMessageBatchRequestEntry::builder().id(index.to_string());
                entry.receipt_handle(receipt).build().ok()
            });
            let deleted = self
                .client
                .delete_message_batch()
                .queue_url(&self.url)
                .set_entries(Some(entries.collect()))
                .send()
                .await;
            let failed = match deleted {
                Ok(deleted) if deleted.failed().is_empty() => continue,
                Ok(deleted) => format!("{} of {}", deleted.failed().len(), chunk.len()),
                Err(error) => error_text(error),
            };
            warn!(queue = %self.arn, failed, "cannot delete messages; they will come again");
        }
    }

    /// Gives messages back that nobody has worked on. Where that fails they come back by themselves, later.
    pub(crate) async fn release(&self, receipts: &[String]) {
        for chunk in receipts.chunks(RECEIVE_MAX) {
            let entries = chunk.iter().enumerate().filter_map(|(index, receipt)| {
                let entry =
                    ChangeMessageVisibilityBatchRequestEntry::builder().id(index.to_string());
                let entry = entry.receipt_handle(receipt).visibility_timeout(0);
                entry.build().ok()
            });
            let _ = self
                .client
                .change_message_visibility_batch()
                .queue_url(&self.url)
                .set_entries(Some(entries.collect()))
                .send()
                .await;
        }
    }
}

/// What one call takes.
pub(crate) const RECEIVE_MAX: usize = 10;
/// The longest poll there is.
pub(crate) const WAIT_SECONDS_MAX: u64 = 20;
const VISIBILITY_TIMEOUT_SECONDS_DEFAULT: u64 = 30;
