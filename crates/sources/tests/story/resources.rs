//! Resources that an application declares.

use aws_sdk_sqs::types::QueueAttributeName;
use serde_json::json;
use throughline_sandbox::Resource;

use super::*;
use crate::moto::moto;

fn resource(logical_id: &str, kind: &str, properties: Value) -> Resource {
    Resource {
        logical_id: logical_id.to_owned(),
        kind: kind.to_owned(),
        properties,
    }
}

async fn make(endpoint: &str, resources: &[Resource]) -> Result<(), String> {
    let sandbox = Sandbox::new().start().await.unwrap();
    let sources = Sources::new(sandbox.invoker(), sandbox.activity())
        .endpoint(Some(endpoint.parse().unwrap()))
        .resources(resources.to_vec())
        .start()
        .await;
    let made = match sources {
        Ok(sources) => {
            sources.shutdown().await;
            Ok(())
        }
        Err(error) => Err(error.to_string()),
    };
    sandbox.shutdown().await;
    made
}

#[tokio::test]
async fn resources_are_made_in_the_order_they_need_and_only_once() {
    let Some(moto) = moto() else { return };
    let arn =
        |service: &str, name: &str| format!("arn:aws:{service}:us-east-1:123456789012:{name}");
    let resources = [
        resource(
            "Follow",
            "AWS::SNS::Subscription",
            json!({
                "Protocol": "sqs", "Endpoint": arn("sqs", "made"), "TopicArn": arn("sns", "made"),
                "FilterPolicy": {"kind": ["a"]}, "RawMessageDelivery": true,
            }),
        ),
        resource(
            "Rule",
            "AWS::Events::Rule",
            json!({
                "Name": "made", "EventBusName": "made", "EventPattern": {"source": ["shop"]},
                "Targets": [{"Id": "queue", "Arn": arn("sqs", "made")}],
            }),
        ),
        resource(
            "Queue",
            "AWS::SQS::Queue",
            json!({
                "QueueName": "made", "VisibilityTimeout": 90,
                "RedrivePolicy": {"deadLetterTargetArn": arn("sqs", "made-dead"), "maxReceiveCount": 3},
            }),
        ),
        resource("Dead", "AWS::SQS::Queue", json!({"QueueName": "made-dead"})),
        resource(
            "Ordered",
            "AWS::SQS::Queue",
            json!({
                "QueueName": "made.fifo", "FifoQueue": true, "ContentBasedDeduplication": "true",
            }),
        ),
        resource("Topic", "AWS::SNS::Topic", json!({"TopicName": "made"})),
        resource("Bus", "AWS::Events::EventBus", json!({"Name": "made"})),
        resource(
            "Stream",
            "AWS::Kinesis::Stream",
            json!({"Name": "made", "ShardCount": 2}),
        ),
        resource(
            "Table",
            "AWS::DynamoDB::Table",
            json!({
                "TableName": "made",
                "AttributeDefinitions": [
                    {"AttributeName": "pk", "AttributeType": "S"}, {"AttributeName": "sk", "AttributeType": "N"},
                ],
                "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
                "GlobalSecondaryIndexes": [{
                    "IndexName": "by-sk", "KeySchema": [{"AttributeName": "sk", "KeyType": "HASH"}],
                    "Projection": {"ProjectionType": "KEYS_ONLY"},
                }],
                "StreamSpecification": {"StreamViewType": "NEW_AND_OLD_IMAGES"},
            }),
        ),
        resource(
            "Simple",
            "AWS::Serverless::SimpleTable",
            json!({"TableName": "made-simple"}),
        ),
        resource(
            "Bucket",
            "AWS::S3::Bucket",
            json!({"BucketName": "made-bucket"}),
        ),
    ];
    make(moto, &resources).await.unwrap();
    make(moto, &resources).await.unwrap();

    let aws = Aws::connect(endpoint(moto)).await;
    let queue = aws
        .sqs
        .get_queue_url()
        .queue_name("made")
        .send()
        .await
        .unwrap();
    let queue = queue.queue_url.unwrap();
    let got = aws.sqs.get_queue_attributes().queue_url(&queue);
    let got = got
        .attribute_names(QueueAttributeName::All)
        .send()
        .await
        .unwrap();
    let got = got.attributes.unwrap();
    assert_eq!(got[&QueueAttributeName::VisibilityTimeout], "90");
    let policy: Value = serde_json::from_str(&got[&QueueAttributeName::RedrivePolicy]).unwrap();
    assert_eq!(policy["maxReceiveCount"], 3);
    let followed = aws
        .sns
        .list_subscriptions_by_topic()
        .topic_arn(arn("sns", "made"));
    assert_eq!(followed.send().await.unwrap().subscriptions().len(), 1);
    let targets = aws
        .events
        .list_targets_by_rule()
        .rule("made")
        .event_bus_name("made");
    assert_eq!(
        targets.send().await.unwrap().targets()[0].arn(),
        arn("sqs", "made")
    );
    let stream = aws
        .kinesis
        .list_shards()
        .stream_name("made")
        .send()
        .await
        .unwrap();
    assert_eq!(stream.shards().len(), 2);
    let table = aws
        .dynamodb
        .describe_table()
        .table_name("made")
        .send()
        .await
        .unwrap();
    let table = table.table.unwrap();
    assert!(table.latest_stream_arn().is_some());
    assert_eq!(table.global_secondary_indexes().len(), 1);
    aws.dynamodb
        .describe_table()
        .table_name("made-simple")
        .send()
        .await
        .unwrap();
    aws.s3
        .head_bucket()
        .bucket("made-bucket")
        .send()
        .await
        .unwrap();
}

#[tokio::test]
async fn what_cannot_be_made_is_told() {
    let Some(moto) = moto() else { return };
    let unknown = resource("Cluster", "AWS::ECS::Cluster", json!({}));
    assert_eq!(
        make(moto, &[unknown]).await.unwrap_err(),
        format!(
            "cannot make sure of Cluster at {moto}: resources of the kind AWS::ECS::Cluster are not known"
        )
    );
}
