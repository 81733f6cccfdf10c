//! Topics, rules and buckets.

use aws_sdk_eventbridge::types::PutEventsRequestEntry;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_sns::types::MessageAttributeValue;
use serde_json::json;
use throughline_sandbox::{EventBridgeSource, S3Source, SnsSource};

use super::*;
use crate::moto::moto;

fn topic(name: &str) -> SnsSource {
    SnsSource {
        topic: name.to_owned(),
        filter_policy: None,
        filter_policy_scope: None,
    }
}

async fn queues(aws: &Aws, prefix: &str) -> Vec<String> {
    let listed = aws.sqs.list_queues().queue_name_prefix(prefix);
    listed.send().await.unwrap().queue_urls.unwrap_or_default()
}

#[tokio::test]
async fn notification_of_a_topic_reaches_the_function_and_nothing_is_left_behind() {
    let Some(moto) = moto() else { return };
    let aws = Aws::connect(endpoint(moto)).await;
    let arn = aws.sns.create_topic().name("news").send().await.unwrap();
    let arn = arn.topic_arn.unwrap();
    let source = SnsSource {
        filter_policy: Some(json!({"kind": ["wanted"]})),
        ..topic("news")
    };
    let function = function("reader", EventSource::Sns(source));
    let mut story = Story::begin(moto, function).await;
    for (kind, text) in [("other", "not this"), ("wanted", "hello")] {
        let kind = MessageAttributeValue::builder()
            .data_type("String")
            .string_value(kind);
        let publish = aws
            .sns
            .publish()
            .topic_arn(&arn)
            .message(text)
            .subject("greeting");
        let publish = publish.message_attributes("kind", kind.build().unwrap());
        publish.send().await.unwrap();
    }
    let told = story.event().await;
    let record = &told.event["Records"][0];
    assert_eq!(record["EventSource"], "aws:sns");
    assert_eq!(record["Sns"]["Message"], "hello");
    assert_eq!(record["Sns"]["Subject"], "greeting");
    assert_eq!(record["Sns"]["TopicArn"], arn);
    assert_eq!(
        record["Sns"]["MessageAttributes"]["kind"]["Value"],
        "wanted"
    );
    assert_eq!(queues(&aws, "throughline-reader-").await.len(), 1);
    story.end().await;
    assert_eq!(queues(&aws, "throughline-reader-").await.len(), 0);
    let left = aws
        .sns
        .list_subscriptions_by_topic()
        .topic_arn(&arn)
        .send()
        .await
        .unwrap();
    assert!(left.subscriptions().is_empty());
}

#[tokio::test]
async fn failing_asynchronous_event_is_tried_again_with_its_id_and_trace() {
    let Some(moto) = moto() else { return };
    let aws = Aws::connect(endpoint(moto)).await;
    let arn = aws.sns.create_topic().name("sour").send().await.unwrap();
    let sandbox = Sandbox::new().event_retry_delays([Duration::ZERO, Duration::ZERO]);
    let function = function("retried", EventSource::Sns(topic("sour")));
    let mut story = Story::try_begin(moto, sandbox, function).await.unwrap();
    let publish = aws.sns.publish().topic_arn(arn.topic_arn.unwrap());
    publish.message("fail 2 sns").send().await.unwrap();
    let first = story.event().await;
    for _ in 0..2 {
        let again = story.event().await;
        assert_eq!(
            (&again.request_id, &again.event),
            (&first.request_id, &first.event)
        );
        let root = |trace: &str| trace.split(';').next().map(str::to_owned);
        assert_eq!(root(&again.trace), root(&first.trace));
    }
    story.end().await;
}

#[tokio::test]
async fn rule_matches_and_shapes_whatever_the_endpoint_knows_of_patterns() {
    let Some(moto) = moto() else { return };
    let aws = Aws::connect(endpoint(moto)).await;
    aws.events
        .create_event_bus()
        .name("shop")
        .send()
        .await
        .unwrap();
    let source = EventBridgeSource {
        rule: "large-orders".to_owned(),
        bus: "shop".to_owned(),
        pattern: json!({"source": ["orders"], "detail": {"items": {"price": [{"numeric": [">", 100]}]}}}),
        input: None,
        input_path: Some("$.detail".to_owned()),
    };
    let mut story = Story::begin(moto, function("rule", EventSource::EventBridge(source))).await;
    for price in [5, 500] {
        let detail = json!({"items": [{"price": 1}, {"price": price}]});
        let entry = PutEventsRequestEntry::builder()
            .source("orders")
            .detail_type("Placed");
        let entry = entry
            .event_bus_name("shop")
            .detail(detail.to_string())
            .build();
        let put = aws.events.put_events().entries(entry).send().await.unwrap();
        assert_eq!(put.failed_entry_count(), 0);
    }
    let told = story.event().await;
    assert_eq!(told.event, json!({"items": [{"price": 1}, {"price": 500}]}));
    assert_eq!(story.sources.counts()[0].filtered, 1);
    story.end().await;
    let rules = aws
        .events
        .list_rules()
        .event_bus_name("shop")
        .send()
        .await
        .unwrap();
    assert!(rules.rules().is_empty());
}

#[tokio::test]
async fn object_that_is_made_reaches_the_function() {
    let Some(moto) = moto() else { return };
    let aws = Aws::connect(endpoint(moto)).await;
    aws.s3
        .create_bucket()
        .bucket("pictures")
        .send()
        .await
        .unwrap();
    let source = S3Source {
        bucket: "pictures".to_owned(),
        events: vec!["s3:ObjectCreated:*".to_owned()],
        prefix: Some("in/".to_owned()),
        suffix: Some(".png".to_owned()),
    };
    let mut story = Story::begin(moto, function("thumbnail", EventSource::S3(source))).await;
    for key in ["in/a.txt", "out/a.png", "in/a b.png"] {
        let put = aws.s3.put_object().bucket("pictures").key(key);
        put.body(ByteStream::from_static(b"x"))
            .send()
            .await
            .unwrap();
    }
    let told = story.event().await;
    let record = &told.event["Records"][0];
    assert_eq!(record["eventSource"], "aws:s3");
    assert_eq!(record["eventName"], "ObjectCreated:Put");
    assert_eq!(record["s3"]["bucket"]["name"], "pictures");
    assert_eq!(record["s3"]["object"]["key"], "in%2Fa+b.png");
    story.end().await;
    let left = aws
        .s3
        .get_bucket_notification_configuration()
        .bucket("pictures");
    // Moto's answer has another name where nobody is notified, and cannot be read then.
    let left = left
        .send()
        .await
        .map_or(0, |left| left.queue_configurations().len());
    assert_eq!(left, 0);
}
