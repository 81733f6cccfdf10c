//! Kinesis and the streams of tables.

use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_kinesis::primitives::Blob;
use serde_json::json;
use throughline_sandbox::{Resource, StartingPosition, StreamSource};

use super::*;
use crate::moto::moto;

/// A Kinesis stream with one shard.
struct K {
    aws: Aws,
    name: &'static str,
}

impl K {
    async fn create(moto: &str, name: &'static str, shards: i32) -> Self {
        let aws = Aws::connect(endpoint(moto)).await;
        let create = aws
            .kinesis
            .create_stream()
            .stream_name(name)
            .shard_count(shards);
        create.send().await.unwrap();
        Self { aws, name }
    }

    async fn put(&self, key: &str, text: &str) {
        let put = self
            .aws
            .kinesis
            .put_record()
            .stream_name(self.name)
            .partition_key(key);
        put.data(Blob::new(text)).send().await.unwrap();
    }
}

fn source(stream: &str) -> StreamSource {
    StreamSource::new(stream, StartingPosition::TrimHorizon)
}

/// What is in the records, in their order.
fn texts(told: &Told) -> Vec<String> {
    use base64::Engine;
    let records = told.event["Records"].as_array().unwrap();
    let text = |record: &Value| {
        let data = record["kinesis"]["data"].as_str().unwrap();
        let data = base64::engine::general_purpose::STANDARD
            .decode(data)
            .unwrap();
        String::from_utf8(data).unwrap()
    };
    records.iter().map(text).collect()
}

async fn dead_queue(aws: &Aws, name: &str) -> (String, String) {
    let url = aws
        .sqs
        .create_queue()
        .queue_name(name)
        .send()
        .await
        .unwrap();
    (
        url.queue_url.unwrap(),
        format!("arn:aws:sqs:us-east-1:123456789012:{name}"),
    )
}

/// The next message of a queue.
pub(crate) async fn message(aws: &Aws, url: &str) -> aws_sdk_sqs::types::Message {
    eventually("a message comes", || async {
        let receive = aws
            .sqs
            .receive_message()
            .queue_url(url)
            .wait_time_seconds(5);
        let receive = receive.message_attribute_names("All");
        let receive = receive.message_system_attribute_names("All".into());
        let received = receive.send().await.unwrap();
        received.messages.unwrap_or_default().pop()
    })
    .await
}

#[tokio::test]
async fn shard_is_read_from_its_oldest_record_in_its_order() {
    let Some(moto) = moto() else { return };
    let stream = K::create(moto, "oldest", 1).await;
    for number in 0..5 {
        stream.put("a", &number.to_string()).await;
    }
    let source = StreamSource {
        batch_size: 3,
        ..source("oldest")
    };
    let mut story = Story::begin(moto, function("f", EventSource::Kinesis(source))).await;
    let told = story.event().await;
    assert_eq!(texts(&told), ["0", "1", "2"]);
    let record = &told.event["Records"][0];
    assert_eq!(record["eventSource"], "aws:kinesis");
    assert_eq!(
        record["eventSourceARN"],
        "arn:aws:kinesis:us-east-1:123456789012:stream/oldest"
    );
    assert_eq!(record["kinesis"]["partitionKey"], "a");
    assert_eq!(texts(&story.event().await), ["3", "4"]);
    story.until(|what| *what == What::Delivered(2)).await;
    story.end().await;
}

#[tokio::test]
async fn latest_is_what_comes_after_the_start() {
    let Some(moto) = moto() else { return };
    let stream = K::create(moto, "latest", 1).await;
    stream.put("a", "before").await;
    let source = StreamSource::new("latest", StartingPosition::Latest);
    let mut story = Story::begin(moto, function("f", EventSource::Kinesis(source))).await;
    stream.put("a", "after").await;
    assert_eq!(texts(&story.event().await), ["after"]);
    story.end().await;
}

#[tokio::test]
async fn bisection_leaves_only_the_poison_and_tells_the_destination_of_it() {
    let Some(moto) = moto() else { return };
    let stream = K::create(moto, "bisect", 1).await;
    let (dead, arn) = dead_queue(&stream.aws, "bisect-dead").await;
    for text in ["a", "b", "fail 99 bisect", "c"] {
        stream.put("key", text).await;
    }
    let source = StreamSource {
        bisect: true,
        retries_max: Some(1),
        on_failure: Some(arn),
        ..source("bisect")
    };
    let mut story = Story::begin(moto, function("f", EventSource::Kinesis(source))).await;
    let expected: [&[&str]; 6] = [
        &["a", "b", "fail 99 bisect", "c"],
        &["a", "b"],
        &["fail 99 bisect", "c"],
        &["fail 99 bisect"],
        &["fail 99 bisect"],
        &["c"],
    ];
    for texts_expected in expected {
        assert_eq!(texts(&story.event().await), texts_expected);
    }
    let told = message(&stream.aws, &dead).await;
    let told: Value = serde_json::from_str(told.body().unwrap()).unwrap();
    assert_eq!(
        told["requestContext"]["condition"],
        "RetryAttemptsExhausted"
    );
    assert_eq!(
        told["requestContext"]["functionArn"],
        "arn:aws:lambda:us-east-1:123456789012:function:f"
    );
    assert_eq!(told["responseContext"]["functionError"], "Unhandled");
    let info = &told["KinesisBatchInfo"];
    assert_eq!(
        (&info["startSequenceNumber"], &info["endSequenceNumber"]),
        (&json!("3"), &json!("3"))
    );
    assert_eq!(
        (&info["batchSize"], &info["shardId"]),
        (&json!(1), &json!("shardId-000000000000"))
    );
    assert_eq!(story.sources.counts()[0].given_up, 1);
    story.end().await;
}

#[tokio::test]
async fn records_before_the_one_that_is_named_do_not_come_again() {
    let Some(moto) = moto() else { return };
    let stream = K::create(moto, "named", 1).await;
    for text in ["a", "fail 1 named", "b"] {
        stream.put("key", text).await;
    }
    let source = StreamSource {
        report_item_failures: true,
        ..source("named")
    };
    let function = function("f", EventSource::Kinesis(source)).env("REPORT", "1");
    let mut story = Story::begin(moto, function).await;
    assert_eq!(texts(&story.event().await), ["a", "fail 1 named", "b"]);
    assert_eq!(texts(&story.event().await), ["fail 1 named", "b"]);
    story.until(|what| *what == What::Delivered(2)).await;
    story.end().await;
}

#[tokio::test]
async fn key_that_fails_holds_back_its_own_records_only() {
    let Some(moto) = moto() else { return };
    let stream = K::create(moto, "keys", 1).await;
    // Sour at first, so that its lane is in its retries when the others come.
    stream.put("sour", "fail 4 keys").await;
    stream.put("sour", "sour too").await;
    for key in ["a", "b", "c", "d", "e", "g"] {
        stream.put(key, key).await;
    }
    let source = StreamSource {
        batch_size: 1,
        parallelization: 10,
        ..source("keys")
    };
    let mut story = Story::begin(moto, function("f", EventSource::Kinesis(source))).await;
    let mut seen = Vec::new();
    while seen.len() < 12 {
        seen.extend(texts(&story.event().await));
    }
    let place = |text: &str| seen.iter().position(|seen| seen == text).unwrap();
    let last_failure = seen.iter().rposition(|seen| seen == "fail 4 keys").unwrap();
    assert!(place("sour too") > last_failure, "{seen:?}");
    assert!(place("a") < last_failure, "{seen:?}");
    story.end().await;
}

#[tokio::test]
async fn filters_see_the_data_as_json() {
    let Some(moto) = moto() else { return };
    let stream = K::create(moto, "filters", 1).await;
    for text in ["no json", r#"{"kind":"other"}"#, r#"{"kind":"wanted"}"#] {
        stream.put("a", text).await;
    }
    let source = StreamSource {
        filters: vec![json!({"data": {"kind": ["wanted"]}})],
        ..source("filters")
    };
    let mut story = Story::begin(moto, function("f", EventSource::Kinesis(source))).await;
    assert_eq!(texts(&story.event().await), [r#"{"kind":"wanted"}"#]);
    assert_eq!(story.sources.counts()[0].filtered, 2);
    story.end().await;
}

#[tokio::test]
async fn shards_that_a_split_brings_are_found() {
    let Some(moto) = moto() else { return };
    let stream = K::create(moto, "split", 1).await;
    let mut story = Story::begin(moto, function("f", EventSource::Kinesis(source("split")))).await;
    let middle = (u128::MAX / 2).to_string();
    let split = stream.aws.kinesis.split_shard().stream_name("split");
    let split = split
        .shard_to_split("shardId-000000000000")
        .new_starting_hash_key(middle);
    split.send().await.unwrap();
    stream.put("a", "after the split").await;
    let told = story.event().await;
    assert_eq!(texts(&told), ["after the split"]);
    let id = told.event["Records"][0]["eventID"].as_str().unwrap();
    assert!(!id.starts_with("shardId-000000000000:"), "{id}");
    story.end().await;
}

#[tokio::test]
async fn tumbling_window_carries_its_state_and_ends() {
    let Some(moto) = moto() else { return };
    let stream = K::create(moto, "window", 1).await;
    for text in ["a", "b", "c"] {
        stream.put("key", text).await;
    }
    let source = StreamSource {
        batch_size: 2,
        tumbling_window: Some(Duration::from_secs(3)),
        ..source("window")
    };
    let mut story = Story::begin(moto, function("f", EventSource::Kinesis(source))).await;
    // The records may fall into two windows; each of them begins empty and ends with what it had.
    let (mut records, mut count) = (0, 0);
    while records < 3 || count > 0 {
        let told = story.event().await.event;
        assert_eq!(
            told["state"],
            if count == 0 {
                json!({})
            } else {
                json!({ "count": count })
            }
        );
        assert_eq!(told["shardId"], "shardId-000000000000");
        let here = told["Records"].as_array().unwrap().len();
        (records, count) = (records + here, count + here);
        if told["isFinalInvokeForWindow"] == true {
            assert_eq!(here, 0);
            count = 0;
        }
    }
    story.end().await;
}

#[tokio::test]
async fn changes_of_a_table_reach_the_function() {
    let Some(moto) = moto() else { return };
    let sandbox = Sandbox::new().start().await.unwrap();
    let table = Resource {
        logical_id: "Carts".to_owned(),
        kind: "AWS::DynamoDB::Table".to_owned(),
        properties: json!({
            "TableName": "carts",
            "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
            "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
            "StreamSpecification": {"StreamViewType": "NEW_AND_OLD_IMAGES"},
        }),
    };
    let made = Sources::new(sandbox.invoker(), sandbox.activity()).endpoint(Some(endpoint(moto)));
    made.resources([table])
        .start()
        .await
        .unwrap()
        .shutdown()
        .await;
    let aws = Aws::connect(endpoint(moto)).await;
    let (dead, arn) = dead_queue(&aws, "carts-dead").await;
    let source = StreamSource {
        retries_max: Some(0),
        on_failure: Some(arn),
        filters: vec![json!({"eventName": ["INSERT"]})],
        ..StreamSource::new("carts", StartingPosition::Latest)
    };
    let mut story = Story::begin(moto, function("f", EventSource::DynamoDb(source))).await;
    let put = |id: &str, text: &str| {
        let put = aws.dynamodb.put_item().table_name("carts");
        let put = put.item("id", AttributeValue::S(id.to_owned()));
        put.item("text", AttributeValue::S(text.to_owned())).send()
    };
    put("1", "first").await.unwrap();
    let told = story.event().await;
    let record = &told.event["Records"][0];
    assert_eq!(record["eventName"], "INSERT");
    assert_eq!(record["eventSource"], "aws:dynamodb");
    assert_eq!(record["dynamodb"]["Keys"], json!({"id": {"S": "1"}}));
    assert_eq!(
        record["dynamodb"]["NewImage"]["text"],
        json!({"S": "first"})
    );
    story.until(|what| *what == What::Delivered(1)).await;
    put("1", "changed, which is filtered").await.unwrap();
    put("2", "fail 9 table").await.unwrap();
    assert_eq!(
        story.event().await.event["Records"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    let told = message(&aws, &dead).await;
    let told: Value = serde_json::from_str(told.body().unwrap()).unwrap();
    assert_eq!(told["DDBStreamBatchInfo"]["batchSize"], 1);
    assert_eq!(told["requestContext"]["approximateInvokeCount"], 1);
    story.end().await;
    sandbox.shutdown().await;
}
