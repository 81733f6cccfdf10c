//! Queues.

use std::collections::HashMap;

use aws_sdk_sqs::types::{
    MessageAttributeValue, MessageSystemAttributeNameForSends, MessageSystemAttributeValue,
    QueueAttributeName,
};
use serde_json::json;
use throughline_sandbox::{EventSource, SqsSource};

use super::*;
use crate::moto::moto;

/// Long enough for a busy machine to be done with a batch, short enough to wait for.
const VISIBILITY_SECONDS: &str = "5";

struct Q {
    aws: Aws,
    url: String,
}

impl Q {
    async fn create(moto: &str, name: &str, attributes: &[(QueueAttributeName, &str)]) -> Self {
        let aws = Aws::connect(endpoint(moto)).await;
        let attributes: HashMap<_, _> = attributes
            .iter()
            .map(|(name, value)| (name.clone(), (*value).to_owned()))
            .collect();
        let created = aws.sqs.create_queue().queue_name(name);
        let created = created
            .set_attributes(Some(attributes))
            .send()
            .await
            .unwrap();
        let url = created.queue_url.unwrap();
        Self { aws, url }
    }

    async fn send(&self, body: &str) {
        let send = self.aws.sqs.send_message().queue_url(&self.url);
        send.message_body(body).send().await.unwrap();
    }

    async fn send_in_group(&self, group: &str, body: &str) {
        let send = self
            .aws
            .sqs
            .send_message()
            .queue_url(&self.url)
            .message_body(body);
        let send = send
            .message_group_id(group)
            .message_deduplication_id(format!("{group}{body}"));
        send.send().await.unwrap();
    }

    /// Messages in the queue: visible, and in somebody's hands.
    async fn left(&self) -> (u32, u32) {
        let (visible, held) = (
            QueueAttributeName::ApproximateNumberOfMessages,
            QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
        );
        let got = self.aws.sqs.get_queue_attributes().queue_url(&self.url);
        let got = got
            .attribute_names(visible.clone())
            .attribute_names(held.clone());
        let got = got.send().await.unwrap().attributes.unwrap();
        (got[&visible].parse().unwrap(), got[&held].parse().unwrap())
    }

    async fn until_empty(&self) {
        eventually("the queue is empty", || async {
            (self.left().await == (0, 0)).then_some(())
        })
        .await;
    }
}

fn bodies(told: &Told) -> Vec<&str> {
    let records = told.event["Records"].as_array().unwrap();
    records
        .iter()
        .map(|record| record["body"].as_str().unwrap())
        .collect()
}

fn source(queue: &str) -> SqsSource {
    SqsSource::new(queue)
}

#[tokio::test]
async fn message_reaches_the_function_with_all_it_carries_and_is_deleted() {
    let Some(moto) = moto() else { return };
    let queue = Q::create(moto, "whole", &[]).await;
    let mut story = Story::begin(moto, function("f", EventSource::Sqs(source("whole")))).await;
    let text = MessageAttributeValue::builder()
        .data_type("String")
        .string_value("00-1-2-3");
    let header = MessageSystemAttributeValue::builder()
        .data_type("String")
        .string_value("Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1;Lineage=a:1");
    queue
        .aws
        .sqs
        .send_message()
        .queue_url(&queue.url)
        .message_body("hello")
        .message_attributes("traceparent", text.build().unwrap())
        .message_system_attributes(
            MessageSystemAttributeNameForSends::AwsTraceHeader,
            header.build().unwrap(),
        )
        .send()
        .await
        .unwrap();
    let told = story.event().await;
    let record = &told.event["Records"][0];
    assert_eq!(record["body"], "hello");
    assert_eq!(record["eventSource"], "aws:sqs");
    assert_eq!(
        record["messageAttributes"]["traceparent"]["stringValue"],
        "00-1-2-3"
    );
    assert_eq!(
        record["attributes"]["AWSTraceHeader"],
        "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1;Lineage=a:1"
    );
    assert_eq!(record["attributes"]["ApproximateReceiveCount"], "1");
    // A batch is no continuation of any one of its messages.
    assert!(told.trace.starts_with("Root=1-") && !told.trace.contains("bd862e3fe1be46a994272793"));
    assert!(!told.request_id.is_empty());
    story.until(|what| *what == What::Delivered(1)).await;
    queue.until_empty().await;
    assert_eq!(story.sources.counts()[0].delivered, 1);
    story.end().await;
}

#[tokio::test]
async fn window_gathers_what_many_receives_bring() {
    let Some(moto) = moto() else { return };
    let queue = Q::create(moto, "window", &[]).await;
    for number in 0..15 {
        queue.send(&number.to_string()).await;
    }
    let source = SqsSource {
        batch_size: 15,
        window: Duration::from_secs(30),
        ..source("window")
    };
    let mut story = Story::begin(moto, function("f", EventSource::Sqs(source))).await;
    assert_eq!(
        bodies(&story.event().await).len(),
        15,
        "full before the window is over"
    );
    queue.until_empty().await;
    story.end().await;
}

#[tokio::test]
async fn failed_batch_comes_again_and_ends_in_the_queue_that_its_queue_names() {
    let Some(moto) = moto() else { return };
    let dead = Q::create(moto, "dead", &[]).await;
    let policy = json!({"deadLetterTargetArn": "arn:aws:sqs:us-east-1:123456789012:dead", "maxReceiveCount": 2});
    let attributes = [
        (QueueAttributeName::VisibilityTimeout, VISIBILITY_SECONDS),
        (QueueAttributeName::RedrivePolicy, &policy.to_string()),
    ];
    Q::create(moto, "failing", &attributes)
        .await
        .send("fail 9 always")
        .await;
    let mut story = Story::begin(moto, function("f", EventSource::Sqs(source("failing")))).await;
    for count in ["1", "2"] {
        let told = story.event().await;
        assert_eq!(
            told.event["Records"][0]["attributes"]["ApproximateReceiveCount"],
            count
        );
        let failed = story.until(|what| matches!(what, What::Failed(..))).await;
        assert_eq!(failed, What::Failed(1, "Sour: a record says so".to_owned()));
    }
    eventually("the message is among the dead", || async {
        (dead.left().await.0 == 1).then_some(())
    })
    .await;
    story.end().await;
}

#[tokio::test]
async fn only_what_the_function_names_comes_again() {
    let Some(moto) = moto() else { return };
    let queue = Q::create(
        moto,
        "partial",
        &[(QueueAttributeName::VisibilityTimeout, VISIBILITY_SECONDS)],
    )
    .await;
    for body in ["a", "fail 1 partial", "b"] {
        queue.send(body).await;
    }
    let source = SqsSource {
        report_item_failures: true,
        batch_size: 3,
        window: Duration::from_secs(1),
        ..source("partial")
    };
    let function = function("f", EventSource::Sqs(source)).env("REPORT", "1");
    let mut story = Story::begin(moto, function).await;
    assert_eq!(bodies(&story.event().await), ["a", "fail 1 partial", "b"]);
    story.until(|what| *what == What::Delivered(2)).await;
    assert_eq!(bodies(&story.event().await), ["fail 1 partial"]);
    queue.until_empty().await;
    story.end().await;
}

#[tokio::test]
async fn what_does_not_match_is_deleted_unseen() {
    let Some(moto) = moto() else { return };
    let queue = Q::create(moto, "filtered", &[]).await;
    for body in [r#"{"total":1}"#, "text", r#"{"total":10}"#] {
        queue.send(body).await;
    }
    let source = SqsSource {
        filters: vec![json!({"body": {"total": [{"numeric": [">", 5]}]}})],
        ..source("filtered")
    };
    let mut story = Story::begin(moto, function("f", EventSource::Sqs(source))).await;
    assert_eq!(bodies(&story.event().await), [r#"{"total":10}"#]);
    queue.until_empty().await;
    assert_eq!(story.sources.counts()[0].filtered, 2);
    story.end().await;
}

#[tokio::test]
async fn group_keeps_its_order_through_failures() {
    let Some(moto) = moto() else { return };
    let attributes = [
        (QueueAttributeName::FifoQueue, "true"),
        (QueueAttributeName::VisibilityTimeout, VISIBILITY_SECONDS),
    ];
    let queue = Q::create(moto, "ordered.fifo", &attributes).await;
    for body in ["fail 1 ordered", "second", "third"] {
        queue.send_in_group("g", body).await;
    }
    let source = SqsSource {
        batch_size: 1,
        ..source("ordered.fifo")
    };
    let mut story = Story::begin(moto, function("f", EventSource::Sqs(source))).await;
    for expected in ["fail 1 ordered", "fail 1 ordered", "second", "third"] {
        assert_eq!(bodies(&story.event().await), [expected]);
    }
    queue.until_empty().await;
    story.end().await;
}

#[tokio::test]
async fn function_without_room_is_tried_until_it_has_some() {
    let Some(moto) = moto() else { return };
    let queue = Q::create(moto, "throttled", &[]).await;
    queue.send("first").await;
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let gate = file_in(&folder, "gate");
    let source = SqsSource {
        batch_size: 1,
        concurrency_max: Some(2),
        ..source("throttled")
    };
    let function = function("f", EventSource::Sqs(source)).env("GATE", gate.to_str().unwrap());
    let one_environment = Sandbox::new().concurrency(1);
    let mut story = Story::try_begin(moto, one_environment, function)
        .await
        .unwrap();
    assert_eq!(bodies(&story.event().await), ["first"]);
    queue.send("second").await;
    story
        .until(|what| matches!(what, What::BackingOff(..)))
        .await;
    std::fs::write(&gate, "").unwrap();
    let told = story.event().await;
    assert_eq!(bodies(&told), ["second"]);
    assert_eq!(
        told.event["Records"][0]["attributes"]["ApproximateReceiveCount"],
        "1"
    );
    queue.until_empty().await;
    story.end().await;
}

#[tokio::test]
async fn what_is_not_there_is_told_with_the_next_step() {
    let Some(moto) = moto() else { return };
    let function = || function("f", EventSource::Sqs(source("nowhere")));
    let missing = Story::try_begin(moto, Sandbox::new(), function())
        .await
        .err()
        .unwrap();
    let text = missing.to_string();
    let expected = format!(
        "cannot poll sqs nowhere for f at {moto}: service error: QueueDoesNotExist: \
         The specified queue does not exist."
    );
    assert_eq!(text, expected);
    let sandbox = Sandbox::new().function(function()).start().await.unwrap();
    let unknown = Sources::new(sandbox.invoker(), sandbox.activity())
        .start()
        .await
        .err()
        .unwrap();
    assert_eq!(
        unknown.to_string(),
        "f needs sqs nowhere, and nobody says where AWS's services are"
    );
    sandbox.shutdown().await;
}

/// Everything between an address and a server, until it is dropped.
fn relay(listener: tokio::net::TcpListener, server: &str) -> tokio::task::JoinSet<()> {
    let server = server.trim_start_matches("http://").to_owned();
    let mut relay = tokio::task::JoinSet::new();
    relay.spawn(async move {
        let mut connections = tokio::task::JoinSet::new();
        loop {
            let (mut near, _) = listener.accept().await.unwrap();
            let server = server.clone();
            connections.spawn(async move {
                let mut far = tokio::net::TcpStream::connect(server).await.unwrap();
                let _ = tokio::io::copy_bidirectional(&mut near, &mut far).await;
            });
        }
    });
    relay
}

#[tokio::test]
async fn endpoint_that_goes_away_is_polled_again_when_it_is_back() {
    let Some(moto) = moto() else { return };
    let queue = Q::create(moto, "away", &[]).await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let there = relay(listener, moto);
    let function = function("f", EventSource::Sqs(source("away")));
    let mut story = Story::begin(&format!("http://{address}"), function).await;
    drop(there);
    story
        .until(|what| matches!(what, What::BackingOff(..)))
        .await;
    queue.send("meanwhile").await;
    let listener = tokio::net::TcpListener::bind(address).await.unwrap();
    let _there = relay(listener, moto);
    assert_eq!(bodies(&story.event().await), ["meanwhile"]);
    queue.until_empty().await;
    story.end().await;
}
