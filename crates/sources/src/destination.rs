//! Sending accounts of what ended, or what was given up, to queues, topics, buses and buckets.

mod teller;

use aws_sdk_eventbridge::types::PutEventsRequestEntry;
use aws_sdk_s3::config::http::HttpRequest;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_sqs::types::{
    MessageAttributeValue, MessageSystemAttributeNameForSends, MessageSystemAttributeValue,
};
use throughline_sandbox::UnixNanos;
use tracing::debug;

use crate::aws::Aws;
use crate::deliver::{Backoff, Stop};
use crate::names::{error_text, name_of, service_of};
use crate::queue::Queue;

pub(crate) use teller::{Teller, beyond_functions};

/// What is sent, in all that one kind of destination or another needs to know of it.
#[derive(Debug, Clone)]
pub(crate) struct Account {
    pub(crate) body: String,
    /// Where a bucket keeps it, without the part that is made of the time.
    pub(crate) folder: String,
    pub(crate) at: UnixNanos,
    /// The trace that it belongs to.
    pub(crate) trace_header: Option<String>,
    /// Attributes of a message: name, type and value.
    pub(crate) attributes: Vec<(&'static str, &'static str, String)>,
    /// What a bus calls it, and what it is about.
    pub(crate) detail_type: &'static str,
    pub(crate) resources: Vec<String>,
}

/// Sends an account, several times if need be.
pub(crate) async fn send(
    aws: &Aws,
    arn: &str,
    account: &Account,
    stop: &Stop,
) -> Result<(), String> {
    let mut backoff = Backoff::default();
    let mut attempt = 1;
    loop {
        match send_once(aws, arn, account).await {
            Ok(()) => return Ok(()),
            Err(error) if attempt == ATTEMPTS_MAX || stop.is_set() => return Err(error),
            Err(error) => debug!(arn, error, attempt, "destination not reached"),
        }
        attempt += 1;
        stop.during(tokio::time::sleep(backoff.next())).await;
    }
}

async fn send_once(aws: &Aws, arn: &str, account: &Account) -> Result<(), String> {
    match service_of(arn) {
        Some("sqs") => to_queue(aws, arn, account).await,
        Some("sns") => to_topic(aws, arn, account).await,
        Some("events") => to_bus(aws, arn, account).await,
        Some("s3") => to_bucket(aws, arn, account).await,
        _ => Err("neither a queue, nor a topic, a bus or a bucket".to_owned()),
    }
}

async fn to_queue(aws: &Aws, arn: &str, account: &Account) -> Result<(), String> {
    let queue = Queue::open(&aws.sqs, arn).await?;
    let mut send = aws.sqs.send_message().queue_url(queue.url);
    send = send.message_body(&account.body);
    for (name, kind, value) in &account.attributes {
        let value = MessageAttributeValue::builder()
            .data_type(*kind)
            .string_value(value);
        send = send.message_attributes(*name, value.build().map_err(error_text)?);
    }
    if let Some(header) = &account.trace_header {
        let value = MessageSystemAttributeValue::builder().data_type("String");
        let value = value.string_value(header).build().map_err(error_text)?;
        let name = MessageSystemAttributeNameForSends::AwsTraceHeader;
        send = send.message_system_attributes(name, value);
    }
    send.send().await.map(drop).map_err(error_text)
}

async fn to_topic(aws: &Aws, arn: &str, account: &Account) -> Result<(), String> {
    let mut publish = aws.sns.publish().topic_arn(arn).message(&account.body);
    for (name, kind, value) in &account.attributes {
        let attribute = aws_sdk_sns::types::MessageAttributeValue::builder();
        let attribute = attribute.data_type(*kind).string_value(value).build();
        publish = publish.message_attributes(*name, attribute.map_err(error_text)?);
    }
    let publish = publish.customize();
    let publish = publish.mutate_request(carrying(account));
    publish.send().await.map(drop).map_err(error_text)
}

async fn to_bus(aws: &Aws, arn: &str, account: &Account) -> Result<(), String> {
    let entry = PutEventsRequestEntry::builder()
        .event_bus_name(name_of(arn))
        .source("lambda")
        .detail_type(account.detail_type)
        .set_resources(Some(account.resources.clone()))
        .detail(&account.body)
        .set_trace_header(account.trace_header.clone())
        .build();
    let put = aws.events.put_events().entries(entry).send().await;
    let put = put.map_err(error_text)?;
    let mut entries = put.entries().iter();
    match entries.find_map(|entry| entry.error_message()) {
        Some(error) => Err(error.to_owned()),
        None => Ok(()),
    }
}

async fn to_bucket(aws: &Aws, arn: &str, account: &Account) -> Result<(), String> {
    let put = aws.s3.put_object().bucket(name_of(arn)).key(account.key());
    let put = put.body(ByteStream::from(account.body.clone().into_bytes()));
    let put = put.customize().mutate_request(carrying(account));
    put.send().await.map(drop).map_err(error_text)
}

/// Puts the trace on a request. A header that is none is not sent; the account goes without.
fn carrying(account: &Account) -> impl Fn(&mut HttpRequest) + Send + Sync + 'static {
    let header = account.trace_header.clone();
    move |request| {
        if let Some(header) = &header {
            let headers = request.headers_mut();
            let _ = headers.try_insert("x-amzn-trace-id", header.clone());
        }
    }
}

impl Account {
    /// `FOLDER/2026/11/01/2026-11-01T10.20.30-UUID`
    fn key(&self) -> String {
        let at = self.at.to_string();
        let day = at.get(..10).unwrap_or_default();
        let time = at.get(11..19).unwrap_or_default().replace(':', ".");
        let id = uuid::Uuid::new_v4();
        format!(
            "{}/{}/{day}T{time}-{id}",
            self.folder,
            day.replace('-', "/")
        )
    }
}

/// Several, because it is the last that is ever told of the event.
const ATTEMPTS_MAX: u32 = 6;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_in_a_bucket_is_made_of_the_time() {
        let account = Account {
            body: String::new(),
            folder: "aws/lambda/async/f".to_owned(),
            at: UnixNanos::from_millis(1_793_528_430_123),
            trace_header: None,
            attributes: Vec::new(),
            detail_type: "",
            resources: Vec::new(),
        };
        let key = account.key();
        let expected = "aws/lambda/async/f/2026/11/01/2026-11-01T10.20.30-";
        assert!(key.starts_with(expected), "{key}");
    }
}
