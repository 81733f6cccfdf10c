//! What becomes of the trace header of whoever sends: a message has it, an invocation goes on with it, or it is lost, as at
//! AWS.

use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, KeySchemaElement, KeyType,
    ScalarAttributeType, StreamSpecification, StreamViewType,
};
use aws_sdk_eventbridge::types::{PutEventsRequestEntry, Target};
use aws_sdk_kinesis::primitives::Blob;
use aws_sdk_s3::config::http::HttpRequest;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{NotificationConfiguration, QueueConfiguration};
use aws_sdk_sqs::types::{
    MessageSystemAttributeNameForSends, MessageSystemAttributeValue, SendMessageBatchRequestEntry,
};
use serde_json::json;
use throughline_sandbox::{
    EventBridgeSource, Invoke, S3Source, SnsSource, SqsSource, StartingPosition, StreamSource,
};

use super::streams::message;
use super::*;
use crate::moto::moto;

const ROOT: &str = "Root=1-5759e988-bd862e3fe1be46a994272793;";

/// One of its own for each call, so that no two are mistaken for each other.
fn header(number: u32) -> String {
    format!("{ROOT}Parent={number:016x};Sampled=1;Lineage=a:{number}")
}

/// As the SDKs do in a function: behind the signature.
fn carrying(header: String) -> impl Fn(&mut HttpRequest) + Send + Sync + 'static {
    move |request| {
        drop(
            request
                .headers_mut()
                .insert("x-amzn-trace-id", header.clone()),
        )
    }
}

async fn queue(aws: &Aws, name: &str) -> (String, String) {
    let created = aws.sqs.create_queue().queue_name(name).send().await;
    let arn = format!("arn:aws:sqs:us-east-1:123456789012:{name}");
    (created.unwrap().queue_url.unwrap(), arn)
}

/// The header that the next message of a queue came with.
async fn header_in(aws: &Aws, url: &str) -> Option<String> {
    let message = message(aws, url).await;
    let attributes = message.attributes.unwrap();
    attributes.get(&"AWSTraceHeader".into()).cloned()
}

fn own(header: &str) -> MessageSystemAttributeValue {
    let value = MessageSystemAttributeValue::builder().data_type("String");
    value.string_value(header).build().unwrap()
}

#[tokio::test]
async fn message_sent_to_a_queue_has_the_header_unless_it_has_one_of_its_own() {
    let Some(moto) = moto() else { return };
    let aws = Aws::connect(endpoint(moto)).await;
    let (url, _) = queue(&aws, "headers-direct").await;
    let name = MessageSystemAttributeNameForSends::AwsTraceHeader;
    let send = || aws.sqs.send_message().queue_url(&url).message_body("x");
    let cases = [
        (send(), Some(1), Some(header(1))),
        (
            send().message_system_attributes(name.clone(), own("Root=own")),
            Some(2),
            Some("Root=own".to_owned()),
        ),
        (send(), None, None),
    ];
    for (send, number, expected) in cases {
        let send = send.customize();
        let send = match number {
            Some(number) => send.mutate_request(carrying(header(number))),
            None => send,
        };
        send.send().await.unwrap();
        assert_eq!(header_in(&aws, &url).await, expected, "{number:?}");
    }

    let (url, _) = queue(&aws, "headers-batch").await;
    let entry = |id: &str| {
        let entry = SendMessageBatchRequestEntry::builder().id(id);
        entry.message_body(id)
    };
    let second = entry("b").message_system_attributes(name, own("Root=own"));
    let batch = aws.sqs.send_message_batch().queue_url(&url);
    let batch = batch.entries(entry("a").build().unwrap());
    let batch = batch.entries(second.build().unwrap()).customize();
    let batch = batch.mutate_request(carrying(header(3)));
    assert_eq!(batch.send().await.unwrap().successful().len(), 2);
    let mut had = [header_in(&aws, &url).await, header_in(&aws, &url).await];
    had.sort();
    assert_eq!(had, [Some(header(3)), Some("Root=own".to_owned())]);
}

#[tokio::test]
async fn header_goes_through_topics_buses_and_buckets_into_queues() {
    let Some(moto) = moto() else { return };
    let aws = Aws::connect(endpoint(moto)).await;
    let (by_topic, topic_queue) = queue(&aws, "headers-topic").await;
    let topic = aws.sns.create_topic().name("headers").send().await.unwrap();
    let topic = topic.topic_arn.unwrap();
    let subscribe = aws.sns.subscribe().topic_arn(&topic).protocol("sqs");
    subscribe.endpoint(topic_queue).send().await.unwrap();
    let publish = aws.sns.publish().topic_arn(&topic).message("x").customize();
    let publish = publish.mutate_request(carrying(header(1)));
    publish.send().await.unwrap();
    assert_eq!(header_in(&aws, &by_topic).await, Some(header(1)), "topic");

    let (by_bus, bus_queue) = queue(&aws, "headers-bus").await;
    let rule = aws.events.put_rule().name("headers");
    let rule = rule.event_pattern(r#"{"source":["headers"]}"#);
    rule.send().await.unwrap();
    let target = Target::builder().id("queue").arn(bus_queue).build();
    let targets = aws.events.put_targets().rule("headers");
    targets.targets(target.unwrap()).send().await.unwrap();
    let entry = |own: Option<&str>| {
        let entry = PutEventsRequestEntry::builder().source("headers");
        let entry = entry.detail_type("x").detail("{}");
        entry.set_trace_header(own.map(str::to_owned)).build()
    };
    let put = aws.events.put_events().entries(entry(None));
    let put = put.entries(entry(Some("Root=own"))).customize();
    let put = put.mutate_request(carrying(header(2)));
    put.send().await.unwrap();
    let mut had = [
        header_in(&aws, &by_bus).await,
        header_in(&aws, &by_bus).await,
    ];
    had.sort();
    assert_eq!(had, [Some(header(2)), Some("Root=own".to_owned())], "bus");

    let (by_bucket, bucket_queue) = queue(&aws, "headers-bucket").await;
    let create = aws.s3.create_bucket().bucket("headers");
    create.send().await.unwrap();
    let notify = QueueConfiguration::builder().queue_arn(bucket_queue);
    let notify = notify.events("s3:ObjectCreated:*".into()).build().unwrap();
    let notify = NotificationConfiguration::builder().queue_configurations(notify);
    let put = aws.s3.put_bucket_notification_configuration();
    let put = put
        .bucket("headers")
        .notification_configuration(notify.build());
    put.send().await.unwrap();
    // What S3 says first of all, that it can reach the queue.
    message(&aws, &by_bucket).await;
    let put = aws.s3.put_object().bucket("headers").key("x");
    let put = put.body(ByteStream::from_static(b"x")).customize();
    let put = put.mutate_request(carrying(header(3)));
    put.send().await.unwrap();
    assert_eq!(header_in(&aws, &by_bucket).await, Some(header(3)), "bucket");
}

#[tokio::test]
async fn invocation_for_a_notification_goes_on_with_the_senders_trace() {
    let Some(moto) = moto() else { return };
    let aws = Aws::connect(endpoint(moto)).await;
    let topic = aws.sns.create_topic().name("traced").send().await.unwrap();
    let create = aws.s3.create_bucket().bucket("traced");
    create.send().await.unwrap();
    let sources = [
        EventSource::Sns(SnsSource {
            topic: "traced".to_owned(),
            filter_policy: None,
            filter_policy_scope: None,
        }),
        EventSource::EventBridge(EventBridgeSource {
            rule: "traced".to_owned(),
            bus: "default".to_owned(),
            pattern: json!({"source": ["traced"]}),
            input: None,
            input_path: None,
        }),
        EventSource::S3(S3Source {
            bucket: "traced".to_owned(),
            events: vec!["s3:ObjectCreated:*".to_owned()],
            prefix: None,
            suffix: None,
        }),
    ];
    for (number, source) in (1..).zip(sources) {
        let carrying = carrying(header(number));
        let mut story = Story::begin(moto, function("traced", source)).await;
        match number {
            1 => {
                let publish = aws.sns.publish().message("x");
                let publish = publish.topic_arn(topic.topic_arn().unwrap()).customize();
                let sent = publish.mutate_request(carrying).send().await;
                sent.map(drop).unwrap();
            }
            2 => {
                let entry = PutEventsRequestEntry::builder().source("traced");
                let entry = entry.detail_type("x").detail("{}").build();
                let put = aws.events.put_events().entries(entry).customize();
                let sent = put.mutate_request(carrying).send().await;
                sent.map(drop).unwrap();
            }
            _ => {
                let put = aws.s3.put_object().bucket("traced").key("x");
                let put = put.body(ByteStream::from_static(b"x")).customize();
                let sent = put.mutate_request(carrying).send().await;
                sent.map(drop).unwrap();
            }
        }
        let told = story.event().await;
        assert_eq!(told.trace, header(number));
        story.end().await;
    }
}

#[tokio::test]
async fn asynchronous_invocation_goes_on_with_the_callers_trace() {
    let code = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/story/function");
    let Some(moto) = moto() else { return };
    let function = Function::new("later", code);
    let begun = Story::try_begin(moto, Sandbox::new(), function).await;
    let mut story = begun.unwrap();
    let invoke = Invoke::new("later").payload("{}").trace_header(header(1));
    story.sandbox.invoker().queue(invoke).unwrap();
    assert_eq!(story.event().await.trace, header(1));
    story.end().await;
}

#[tokio::test]
async fn batch_of_a_queue_has_a_new_trace_and_each_record_the_senders_header() {
    let Some(moto) = moto() else { return };
    let aws = Aws::connect(endpoint(moto)).await;
    let (url, _) = queue(&aws, "headers-batches").await;
    let mut source = SqsSource::new("headers-batches");
    source.window = Duration::from_secs(1);
    for number in 1..=2 {
        let send = aws.sqs.send_message().queue_url(&url).message_body("x");
        let send = send.customize().mutate_request(carrying(header(number)));
        send.send().await.unwrap();
    }
    let mut story = Story::begin(moto, function("batch", EventSource::Sqs(source))).await;
    let mut had = Vec::new();
    while had.len() < 2 {
        let told = story.event().await;
        assert!(!told.trace.starts_with(ROOT), "{}", told.trace);
        let records = told.event["Records"].as_array().unwrap();
        let headers = records.iter().map(|record| &record["attributes"]);
        had.extend(headers.map(|all| all["AWSTraceHeader"].as_str().unwrap().to_owned()));
    }
    had.sort();
    assert_eq!(had, [header(1), header(2)]);
    story.end().await;
}

#[tokio::test]
async fn streams_carry_no_header() {
    let Some(moto) = moto() else { return };
    let aws = Aws::connect(endpoint(moto)).await;
    let create = aws.kinesis.create_stream().stream_name("headless");
    create.shard_count(1).send().await.unwrap();
    let put = aws.kinesis.put_record().stream_name("headless");
    let put = put.partition_key("x").data(Blob::new("x")).customize();
    let put = put.mutate_request(carrying(header(1)));
    put.send().await.unwrap();
    let source = StreamSource::new("headless", StartingPosition::TrimHorizon);
    let kinesis = EventSource::Kinesis(source);

    let key = KeySchemaElement::builder().attribute_name("id");
    let key = key.key_type(KeyType::Hash).build().unwrap();
    let id = AttributeDefinition::builder().attribute_name("id");
    let id = id.attribute_type(ScalarAttributeType::S).build().unwrap();
    let view = StreamSpecification::builder().stream_enabled(true);
    let view = view.stream_view_type(StreamViewType::NewImage).build();
    let create = aws.dynamodb.create_table().table_name("headless");
    let create = create.key_schema(key).attribute_definitions(id);
    let create = create.billing_mode(BillingMode::PayPerRequest);
    let create = create.stream_specification(view.unwrap());
    create.send().await.unwrap();
    let put = aws.dynamodb.put_item().table_name("headless");
    let put = put
        .item("id", AttributeValue::S("x".to_owned()))
        .customize();
    let put = put.mutate_request(carrying(header(2)));
    put.send().await.unwrap();
    let source = StreamSource::new("headless", StartingPosition::TrimHorizon);
    let table = EventSource::DynamoDb(source);

    for source in [kinesis, table] {
        let mut story = Story::begin(moto, function("stream", source)).await;
        let told = story.event().await;
        let everything = format!("{} {}", told.trace, told.event);
        assert!(
            !everything.contains("bd862e3fe1be46a994272793"),
            "{everything}"
        );
        story.end().await;
    }
}
